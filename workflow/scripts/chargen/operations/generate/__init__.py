"""Generate: pictures for the scenes of a library."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from chargen.operations.base import Blank, Operation, Words

if TYPE_CHECKING:
    from chargen.library.target import Target
    from chargen.placing.answers import Delivery
    from chargen.planning.plan import Plan
    from chargen.planning.scene_plans import ScenePlan
    from chargen.records import batch
    from chargen.records.batch import Outcome
    from chargen.records.settings import Settings
    from chargen.records.state import State


class Generate(Operation):
    """Makes the missing pictures of scenes."""

    name = "generate"
    words = Words("to make", "Made", "pictures", "scenes=*", counts_entities=True)
    unsent_temperature = 1.0
    by_folder = True
    other_targets = frozenset({"submitted", "illustrate_all"})

    def plan(
        self, settings: Settings, scope: Collection[str] = (), targets: Collection[str] | None = None
    ) -> ScenePlan:
        from chargen.operations.generate.plan import make_plan

        return make_plan(settings, scope=scope, targets=targets)

    def named_by(self, globs: Sequence[str], state: str) -> list[str]:
        return list(globs)

    def place_all(self, delivery: Delivery) -> list[Outcome]:
        from chargen.operations.generate import placing

        return placing.place_all(delivery)

    def made_already(self, settings: Settings, state: State, tasks: Iterable[batch.Task]) -> list[str]:
        from chargen.operations.generate import placing

        return placing.made_already(settings, state, tasks)

    def still_wanted(self, settings: Settings, records: Iterable[Outcome]) -> Iterator[str]:
        from chargen.operations.generate import placing

        return placing.still_wanted(settings, records)

    def headline(self, plan: Plan[Any]) -> str:
        from chargen.operations.generate import words

        return words.headline(cast("ScenePlan", plan))

    def standing_lines(self, plan: Plan[Any], settings: Settings) -> Iterator[str]:
        from chargen.operations.generate import words

        return words.standing_lines(cast("ScenePlan", plan), settings)

    def output_of(self, task: batch.Task) -> str:
        from chargen.library.names import output_path

        return output_path(task.wish.target, task.wish.variation)

    def owns(self, target: Target) -> bool:
        from chargen.library.model import KIND_FOLDERS
        from chargen.library.slugs import foreign_id

        return target.kind in KIND_FOLDERS.values() and foreign_id(target.scene) == target.scene

    def blank(self, settings: Settings, parts: Collection[tuple[Target, int]]) -> Blank:
        from chargen.operations.foreign import blank_task

        return lambda key, target, variation: replace(blank_task(self.name, key, target, variation), image_size="1K")


OPERATION = Generate()
