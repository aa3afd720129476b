"""Enhance: pictures made from the pictures of a folder, under the same names in the job's folder."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chargen.operations.base import Blank, Operation, Words

if TYPE_CHECKING:
    from chargen.library.target import Target
    from chargen.placing.answers import Delivery
    from chargen.planning.file_plans import FilePlan
    from chargen.records import batch
    from chargen.records.batch import Outcome
    from chargen.records.settings import Settings
    from chargen.records.state import State


class Enhance(Operation):
    """Makes a new version of every picture in a folder, following a prompt."""

    name = "enhance"
    words = Words("to enhance", "Enhanced", "enhancements", "scenes=enhance/*")
    unsent_temperature = 1.0

    def plan(self, settings: Settings, scope: Collection[str] = (), targets: Collection[str] | None = None) -> FilePlan:
        from chargen.operations.enhance.plan import make_enhancement_plan

        return make_enhancement_plan(settings)

    def base_folder(self, settings: Settings) -> Path:
        return Path(settings.home)

    def place_all(self, delivery: Delivery) -> list[Outcome]:
        from chargen.operations.enhance import placing

        return placing.place_all(delivery)

    def made_already(self, settings: Settings, state: State, tasks: Iterable[batch.Task]) -> list[str]:
        from chargen.operations.enhance import placing

        return placing.made_already(settings, tasks)

    def still_wanted(self, settings: Settings, records: Iterable[Outcome]) -> Iterator[str]:
        from chargen.operations.enhance import placing

        return placing.still_wanted(settings, records)

    def output_of(self, task: batch.Task) -> str:
        from chargen.operations.enhance.extra import EnhancementExtra

        extra = task.extra_as(EnhancementExtra)
        return f"{extra.folder}/{extra.output}"

    def settings_then(self, settings: Settings, targets: Sequence[Target]) -> Settings:
        """With the job's name."""
        if not targets:
            return settings
        return replace(settings, enhance=replace(settings.enhance, job_name=targets[0].slug))

    def blank(self, settings: Settings, parts: Collection[tuple[Target, int]]) -> Blank:
        from chargen.operations.enhance import foreign

        return foreign.blank(settings, max((variation for _, variation in parts), default=1))


OPERATION = Enhance()
