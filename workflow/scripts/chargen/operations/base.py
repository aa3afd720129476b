"""The interface of an operation. Each operation is a package next to this module; its ``__init__`` has an `Operation`.

That module must be quick to import: what plans and places stands in modules of its own, imported when it is needed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from chargen.operations import FOLDERS

if TYPE_CHECKING:
    from pathlib import Path

    from chargen.library.target import Target
    from chargen.placing.answers import Delivery
    from chargen.planning.plan import Plan
    from chargen.providers.base import Request, Wanted
    from chargen.records import batch
    from chargen.records.batch import BatchPlan, Outcome
    from chargen.records.settings import Settings
    from chargen.records.state import State

Blank: TypeAlias = "Callable[[str, Target, int], batch.Task]"
"""Makes a task from its key, target and variation, where nothing else is known of it."""


@dataclass(frozen=True)
class Words:
    """The words for an operation and its results on screens."""

    to_do: str
    """What is to be done to pictures: ``to enhance``."""
    done: str
    """The row of the summary: ``Enhanced``."""
    results: str
    """Several of them: ``enhancements``."""
    order: str
    """The globs that order all of them: ``scenes=enhance/*``."""
    counts_entities: bool = False
    """Whether the headline says of how many characters, locations and chapters the pictures are."""


class Operation(ABC):
    """One operation, from its plan to the placing of its answers.

    Batches, journal, locks, staging, submission, fetching, receipts, retries and the report are the same for all.
    """

    name: ClassVar[str]
    """The name of its package. It is in keys, folder names and files, so it never changes."""
    wanted: ClassVar[Wanted] = "picture"
    """What a task's answer must contain to be valid."""
    words: ClassVar[Words]
    models: ClassVar[str] = ""
    """The key of the settings' ``models`` that chooses the model; empty if that is its name."""
    unsent_temperature: ClassVar[float | None] = None
    """What task keys hash where no temperature is sent: the default of version 0.1.0, which must never change. None for
    operations that it did not have."""
    by_folder: ClassVar[bool] = False
    """Whether it has targets for characters, locations and chapters alone: ``<name>_characters`` and so on."""
    other_targets: ClassVar[frozenset[str]] = frozenset()
    """Targets that make all of it, besides ``<name>_all``. Each target is a rule in ``workflow/rules/``."""

    @property
    def use(self) -> str:
        """The key of the settings' ``models`` that chooses the model."""
        return self.models or self.name

    @property
    def whole_targets(self) -> frozenset[str]:
        """The targets that look at everything that the settings' scope names."""
        return self.other_targets | {f"{self.name}_all"}

    @property
    def targets(self) -> frozenset[str]:
        """All targets that make any of it."""
        return self.whole_targets | {f"{self.name}_{folder}" for folder in FOLDERS if self.by_folder}

    # -- planning

    @abstractmethod
    def plan(
        self, settings: Settings, scope: Collection[str] = (), targets: Collection[str] | None = None
    ) -> Plan[Any]:
        """Return what a run would do; it writes nothing.

        *scope* are names of `chargen.planning.selection.SCOPES`, those of the settings if it is empty. With *targets*,
        nothing but those is made. Raises ChargenError for what stops everything.
        """

    def base_folder(self, settings: Settings) -> Path:
        """Return what the paths of pictures that are sent are relative to: the library, unless that is said here."""
        return settings.library_root

    def request(self, task: batch.Task) -> Request:
        """Return what *task* asks of its model: a picture, unless that is said here."""
        from chargen.providers.base import Request

        return Request(task.key, task.prompt, task.aspect_ratio, task.image_size, labels=task.labels)

    def named_by(self, globs: Sequence[str], state: str) -> list[str]:
        """Return those *globs* of an order that may name results of this operation; *state* narrows the order."""
        return [glob for glob in globs if glob.startswith(f"{self.name}/")]

    # -- placing

    @abstractmethod
    def place_all(self, delivery: Delivery) -> list[Outcome]:
        """Save and record the results; return the outcome of each task, in the order of the plan.

        Running it twice changes nothing the second time.
        """

    @abstractmethod
    def made_already(self, settings: Settings, state: State, tasks: Iterable[batch.Task]) -> list[str]:
        """Return the wish ids of those *tasks* whose result is now in place, though it was not when they were
        planned: another checkout, or a person, has put it there. What cannot be read is not in place."""

    @abstractmethod
    def still_wanted(self, settings: Settings, records: Iterable[Outcome]) -> Iterator[str]:
        """Yield the keys of those task *records* whose result is wanted as it was when it was planned."""

    def worth_another(self, settings: Settings, records: Iterable[Outcome]) -> list[str]:
        """Return the keys of the records whose task had a temporary failure, may be retried, and is still wanted."""
        most = settings.retry_max_attempts
        failed = [item for item in records if item.outcome == "passing" and item.attempt < most]
        return list(self.still_wanted(settings, failed))

    def again(self, settings: Settings, plan: BatchPlan, task: batch.Task, record: Outcome) -> batch.Task:
        """Return *task* as it is sent once more after *record*: the very same, unless that is said here."""
        return replace(task, attempt=task.attempt + 1)

    # -- screens

    def headline(self, plan: Plan[Any]) -> str:
        """Return one line: how many results are to be made, in how many batches, and about what cost."""
        from chargen.operations.words import headline_of_files

        return headline_of_files(plan, self.words)

    def standing_lines(self, plan: Plan[Any], settings: Settings) -> Iterator[str]:
        """Yield what else should be known of where the results stand, with the commands that order them."""
        from chargen.operations.words import lines_of_files

        return lines_of_files(plan, settings, self.words)

    @abstractmethod
    def output_of(self, task: batch.Task) -> str:
        """Return a text on where the result of *task* goes: a picture without its extension."""

    # -- jobs without a stored plan

    def owns(self, target: Target) -> bool:
        """Whether *target*, as the key of a result has it, is one of this operation's."""
        return target.kind == self.name

    def settings_then(self, settings: Settings, targets: Sequence[Target]) -> Settings:
        """Return *settings* as far as the *targets* of a job say under which it was sent."""
        return settings

    @abstractmethod
    def blank(self, settings: Settings, parts: Collection[tuple[Target, int]]) -> Blank:
        """Return what makes tasks of a job whose plan is lost; *parts* are its targets with their variations."""
