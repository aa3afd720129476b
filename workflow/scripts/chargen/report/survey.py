"""Plan and history together: what is still open, and which results the library does not ask for any more."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chargen.base.frozen import frozen
from chargen.library.model import KIND_FOLDERS, Scene
from chargen.records.journal import Journal
from chargen.records.learned import read_learned
from chargen.records.settings import Settings
from chargen.records.state import State
from chargen.report.history import Fate, History, read_history

if TYPE_CHECKING:
    from chargen.planning.plan import Plan
    from chargen.planning.scene_plans import ScenePlan
    from chargen.planning.standing import Standing

FAILED = frozenset({"failed", "lost"})
"""The outcomes of tasks that failed for good."""
FOLDER_OF: Mapping[str, str] = {kind: folder for folder, kind in KIND_FOLDERS.items()}


@frozen
class CurrentRun:
    """The run that ends with the report: when it started (ISO 8601, UTC), and for which targets."""

    id: str
    started: str = ""
    targets: tuple[str, ...] = ()


class Survey:
    """What the report is made from: the library's plan, the plans of other operations, and the history."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        plan: ScenePlan,
        current: CurrentRun | None = None,
        others: Mapping[str, Plan[Any]] | None = None,
    ):
        """Read the history. *others* are the plans of operations on files, as far as they are to be reported.

        *plan* is made after the run, so that it says where the pictures stand now. Without *current* the run apart is
        the last one that left a receipt.
        """
        self.settings = settings
        self.plan = plan
        self.others = others or {}
        self.kept_in = state.root  # what unplaced pictures' files are relative to
        self.history: History = read_history(state)
        self.current = current
        self.run = current.id if current else self.history.last_run()
        self.learned = read_learned(state, Journal(state))
        self._standings: dict[tuple[str, int], Standing] = {
            (standing.target, standing.variation): standing for standing in plan.items
        }
        fates = self.history.fates.items()
        self._youngest = {_slot(fate): wish for wish, fate in sorted(fates, key=lambda item: _age(item[1]))}
        self._planned = {standing.target for standing in plan.items}
        self._scenes: dict[str, Scene] = {
            scene.target: scene for entity in plan.library.entities.values() for scene in entity.scenes
        }

    def settled(self, wish: str, fate: Fate) -> bool:
        """Whether the library no longer wants it: its scene was edited, ordered again or removed."""
        target = fate.task.target
        if fate.operation in self.others:
            return wish not in self._asked_of_files
        planned = fate.operation == self.plan.operation
        if not planned or target not in self._planned:
            gone = target not in self._scenes and not self.plan.library.is_broken(target.rpartition("/")[0])
            return self._youngest[_slot(fate)] != wish or (planned and gone)
        standing = self._standings.get((target, fate.task.variation))
        return standing is None or standing.wish.id != wish

    @cached_property
    def _asked_of_files(self) -> set[str]:
        return {item.wish.id for plan in self.others.values() for item in plan.items}

    def outcome(self, fate: Fate) -> str:
        """Return how the wish ended; a temporary failure is final once its attempts are used up."""
        return final_outcome(fate, self.settings)

    @cached_property
    def failures(self) -> list[tuple[str, Fate]]:
        """The wishes that failed for good and that the library still asks for, in order of target."""
        failed = [
            (wish, fate)
            for wish, fate in self.history.fates.items()
            if self.outcome(fate) in FAILED and not self.settled(wish, fate)
        ]
        return sorted(failed, key=lambda item: (item[1].task.target, item[1].task.variation))

    def author_text(self, target: str) -> str:
        """Return the text of the author that *target* was made from, as far as the library has it."""
        scene = self._scenes.get(target)
        return (scene.prompt or scene.description) if scene else ""

    def place_of(self, target: str) -> str:
        """Return the file (and line) where the author wrote what *target* asks for, relative to the library."""
        scene = self._scenes.get(target)
        if scene:
            return f"{scene.place.file}:{scene.place.line}" if scene.place.line else scene.place.file
        kind, _, rest = target.partition("/")
        folder = FOLDER_OF.get(kind)
        return f"{folder}/{rest.partition('/')[0]}/imagery.yaml" if folder else ""


def final_outcome(fate: Fate, settings: Settings) -> str:
    """Return how a wish ended; a temporary failure is final once its attempts are used up."""
    given_up = fate.outcome == "passing" and fate.task.attempt >= settings.retry_max_attempts
    return "failed" if given_up else fate.outcome


def _slot(fate: Fate) -> tuple[str, str, int]:
    return fate.operation, fate.task.target, fate.task.variation


def _age(fate: Fate) -> tuple[bool, str]:
    """Sorts what waits after all that ended."""
    return fate.is_waiting, fate.ended
