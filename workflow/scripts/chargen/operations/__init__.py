"""The operations, one package each: what is asked of the API, and what becomes of its answers.

Batches, journal, locks, staging, submission, fetching, receipts, retries and the report are the same for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

if TYPE_CHECKING:
    from chargen.placing.answers import Answer
    from chargen.providers.base import Results
    from chargen.records.settings import Settings
    from chargen.records.state import RunFiles, State

Json = dict[str, Any]
Wanted = Literal["picture", "text"]
NAMES = ("generate", "analyze", "enhance")


class Operation(Protocol):
    """What a module of this package offers."""

    WANTED: Wanted
    """What a task's answer must hold to be worth anything."""

    def place_all(
        self,
        settings: Settings,
        state: State,
        run: RunFiles,
        plan: Json,
        answers: Sequence[Answer],
        results: Results,
        submitted: str,
    ) -> list[Json]:
        """Place and record what came; return the receipt's task records in the order of the plan. Done twice, it
        changes nothing the second time."""

    def made_already(self, settings: Settings, state: State, tasks: Iterable[Json]) -> list[str]:
        """Return the wish ids of those *tasks* whose result is in place by now, though it was not when they were
        planned: another checkout, or a person, was quicker. What cannot be read is not in place."""

    def worth_another(self, settings: Settings, tasks: Iterable[Json]) -> list[str]:
        """Return the keys of the records whose task failed in passing, may be tried again, and is still wanted."""

    def again(self, settings: Settings, plan: Json, task: Json, record: Json) -> Json:
        """Return *task* as it is sent once more after *record*, attempt counted up."""


def operation(name: str) -> Operation:
    """Return the operation *name*; its module is imported when it is first needed."""
    if name not in NAMES:
        raise ValueError(f"no operation {name!r}")
    return cast(Operation, import_module(f"chargen.operations.{name}.placing"))
