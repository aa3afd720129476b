"""The plan of an operation on the scenes of a library."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from chargen.base.errors import Problem
from chargen.library.model import Kind, Library, Scene
from chargen.planning.fates import Status
from chargen.planning.plan import Counts, Plan, Stale
from chargen.planning.same_words import SameWords
from chargen.planning.settled import check_settled
from chargen.planning.standing import Standing
from chargen.planning.tasks import Shape
from chargen.records.run import RunPlan
from chargen.records.settings import Settings


def _unknown(scene: Scene) -> Shape | Problem:
    return Problem("error", "no-model", f"scene {scene.id}: no model was looked for", scene.place)


@dataclass(kw_only=True)
class ScenePlan(Plan[Standing]):
    """The status of each picture of *library*."""

    kinds: frozenset[Kind]
    library: Library
    blocked: dict[str, str] = field(default_factory=dict)  # target -> why it cannot be sent
    shape_of: Callable[[Scene], Shape | Problem] = _unknown
    """What a scene asks of its model, or why the model cannot do it."""
    words: SameWords | None = None
    recomposed: list[Stale[Standing]] = field(default_factory=list)
    """Pictures in place whose request is another today only because this version composes it differently."""
    made_at: float = field(default_factory=time.time)  # seconds since 1970, before the library was read

    def status_of(self, item: Standing) -> Status:
        """Return where *item* stands."""
        return "blocked" if item.target in self.blocked else item.status

    def cost_of(self, item: Standing) -> float:
        """Return about what the picture costs; 0 where its model cannot make it."""
        shape = self.shape_of(item.scene)
        return 0.0 if isinstance(shape, Problem) else shape.cost_usd

    def check(self, settings: Settings) -> None:
        """Raise ChargenError if an author saved what is planned while the plan was made."""
        wishes = [task.wish for task in self.tasks] + [item.item.wish for item in self.deferred]
        check_settled(settings, self.library, wishes, self.made_at)

    def stored(self) -> RunPlan:
        """Return what is pinned of it besides the batches' own plans."""
        return replace(super().stored(), kinds=tuple(sorted(self.kinds)))

    @property
    def has_words_to_keep(self) -> bool:
        """Whether scenes are known by an older hash of their words, and the state does not say so yet."""
        return bool(self.words and self.words.unknown((item.scene, item.wish) for item in self.items))

    def counts(self) -> Counts:
        """Return how many pictures stand where."""
        return replace(super().counts(), recomposed=len(self.recomposed))

    def standing_as(self, state: str) -> frozenset[str] | None:
        """Return the wishes (ids) that stand as *state* says, apart from their status."""
        if state == "recomposed":
            return frozenset(item.item.wish.id for item in self.recomposed)
        return super().standing_as(state)

    def remember(self) -> None:
        """Keep for the next plan what was seen of files, and by which older hashes words are known."""
        super().remember()
        if self.words:
            self.words.keep((item.scene, item.wish) for item in self.items)
