"""Under which hashes a scene's words are known: that of today, that of 0.1.0, and those that 0.1.0 made of other line
breaks.

The hash of 0.1.0 changes with white space. So that a text reformatted after an upgrade makes nothing wanted, every
run keeps which hash of 0.1.0 stands for the same words as which hash of today: ``spec-hashes.jsonl``.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from chargen.base import durable
from chargen.library.scene import Scene
from chargen.library.spec import spec_hash, spec_hashes
from chargen.records.identity import Wish
from chargen.records.ledgers import SameSpec, read_ledger
from chargen.records.state import State


class SameWords:
    """Tells whether two hashes stand for the same words of a scene."""

    def __init__(self, state: State):
        self._state = state

    def hashes(self, scene: Scene) -> tuple[str, ...]:
        """Return every hash under which the present words of *scene* may be known, the newest first."""
        newest, *older = spec_hashes(scene)
        return tuple(dict.fromkeys((newest, *older, *self._before.get(newest, ()))))

    def asks_for(self, scene: Scene, spec: str) -> bool:
        """Whether *spec* stands for the present words of *scene*."""
        return spec in self.hashes(scene)

    def unknown(self, wishes: Iterable[tuple[Scene, Wish]]) -> list[SameSpec]:
        """Return which *wishes* are known by an older hash, and not kept yet."""
        found = {}
        for scene, wish in wishes:
            newest = spec_hash(scene)
            if wish.spec_hash != newest and wish.spec_hash not in self._before.get(newest, ()):
                found[newest, wish.spec_hash] = SameSpec(newest, wish.spec_hash)
        return list(found.values())

    def keep(self, wishes: Iterable[tuple[Scene, Wish]]) -> None:
        """Keep which *wishes* are known by an older hash, durably."""
        for pair in self.unknown(wishes):
            durable.append_line(self._state.spec_hashes, {"spec_hash": pair.spec_hash, "before": pair.before})
        self.__dict__.pop("_before", None)

    @cached_property
    def _before(self) -> dict[str, list[str]]:
        before: dict[str, list[str]] = {}
        for line in read_ledger(self._state.spec_hashes, SameSpec):
            before.setdefault(line.spec_hash, []).append(line.before)
        return before
