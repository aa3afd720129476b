"""Checks that files were not being saved while the plan was made."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from chargen.base.errors import ChargenError
from chargen.library.load import BrokenEntity, load_entity
from chargen.library.model import Entity, Library
from chargen.library.oddities import ENTITY_FILES
from chargen.library.replacing import QUIET_S, wait_until_settled
from chargen.planning.same_words import SameWords
from chargen.records.identity import Wish
from chargen.records.settings import Settings
from chargen.records.state import State


def check_settled(settings: Settings, library: Library, wishes: Iterable[Wish], made_at: float) -> None:
    """Raise ChargenError if the words of a picture that is to be made are others than when the plan was made.

    *made_at* is when that was, in seconds since 1970. Half a file may be valid, and ask for other pictures than the
    whole one. Only files that were changed shortly before, or since, are read again.
    """
    by_entity: dict[str, list[Wish]] = {}
    for wish in wishes:
        by_entity.setdefault(wish.target.rpartition("/")[0], []).append(wish)
    for key, wanted in by_entity.items():
        entity = library.entities[key]
        fresh = [path for path in _files(entity) if _changed(path) > made_at - QUIET_S]
        why = next(filter(None, (wait_until_settled(path) for path in fresh)), "")
        if fresh and (why or not _still_asks(settings, library.root, entity, wanted)):
            raise ChargenError(f"{fresh[0]} {why or 'was saved while the plan was made'}: save it, then run again")


def _files(entity: Entity) -> Iterable[Path]:
    return (entity.folder / name for name in ENTITY_FILES)


def _changed(path: Path) -> float:
    """When *path* was last changed, in seconds since 1970; 0 if it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0


def _still_asks(settings: Settings, root: Path, entity: Entity, wishes: Iterable[Wish]) -> bool:
    try:
        now = load_entity(root, entity.kind, entity.slug, adopt_existing=False, provider=settings.provider)
    except BrokenEntity:
        return False
    words = SameWords(State.of(settings))
    specs = {scene.target: words.hashes(scene) for scene in now.scenes}
    return all(wish.spec_hash in specs.get(wish.target, ()) for wish in wishes)
