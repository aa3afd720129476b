"""Analyze: a text model describes the pictures of a library; prompts use the descriptions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from chargen.operations.base import Blank, Operation, Words

if TYPE_CHECKING:
    from chargen.library.target import Target
    from chargen.placing.answers import Delivery
    from chargen.planning.file_plans import FilePlan
    from chargen.providers.base import Request
    from chargen.records import batch
    from chargen.records.batch import BatchPlan, Outcome
    from chargen.records.settings import Settings
    from chargen.records.state import State


class Analyze(Operation):
    """Analyses every picture of a library."""

    name = "analyze"
    wanted = "text"
    words = Words("to analyse", "Analysed", "analyses", "scenes=*/images/*", counts_entities=True)
    unsent_temperature = 0.2
    by_folder = True
    other_targets = frozenset({"illustrate_all"})

    def plan(self, settings: Settings, scope: Collection[str] = (), targets: Collection[str] | None = None) -> FilePlan:
        from chargen.operations.analyze.plan import make_analysis_plan

        return make_analysis_plan(settings, scope=scope)

    def request(self, task: batch.Task) -> Request:
        from chargen.operations.analyze.tasks import request_of

        return request_of(task)

    def named_by(self, globs: Sequence[str], state: str) -> list[str]:
        """Those over ``kind/entity/images/file``; of what failed any glob that fits."""
        return [glob for glob in globs if "/images/" in glob or state == "failed"]

    def place_all(self, delivery: Delivery) -> list[Outcome]:
        from chargen.operations.analyze import placing

        return placing.place_all(delivery)

    def made_already(self, settings: Settings, state: State, tasks: Iterable[batch.Task]) -> list[str]:
        from chargen.operations.analyze import placing

        return placing.made_already(settings, tasks)

    def still_wanted(self, settings: Settings, records: Iterable[Outcome]) -> Iterator[str]:
        from chargen.operations.analyze import placing

        return placing.still_wanted(settings, records)

    def again(self, settings: Settings, plan: BatchPlan, task: batch.Task, record: Outcome) -> batch.Task:
        from chargen.operations.analyze import placing

        return placing.again(settings, plan, super().again(settings, plan, task, record), record)

    def output_of(self, task: batch.Task) -> str:
        return "a description of the picture"

    def owns(self, target: Target) -> bool:
        from chargen.library.model import KIND_FOLDERS

        folder, _, name = target.scene.partition("/")
        return target.kind in KIND_FOLDERS.values() and folder == "images" and "/" not in name

    def blank(self, settings: Settings, parts: Collection[tuple[Target, int]]) -> Blank:
        from chargen.operations.analyze import foreign

        return foreign.blank(settings)


OPERATION = Analyze()
