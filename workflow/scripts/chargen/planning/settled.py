"""A plan is made of what stood in the library a moment ago: an author may have been saving it just then."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from chargen.base.errors import ChargenError
from chargen.library.load import BrokenEntity, load_entity
from chargen.library.model import Entity
from chargen.library.oddities import ENTITY_FILES
from chargen.library.replacing import QUIET_S, wait_until_settled
from chargen.library.spec import spec_hash
from chargen.records.settings import Settings

if TYPE_CHECKING:
    from chargen.operations.generate.plan import Plan
    from chargen.records.identity import Wish


def check_settled(settings: Settings, plan: Plan) -> None:
    """Raise ChargenError if the words of a picture that is to be made are others than when *plan* was made.

    Half a file may be valid, and ask for other pictures than the whole one. Only files that were changed shortly before
    the plan was made, or since, are read again.
    """
    wishes: dict[str, list[Wish]] = {}
    for wish in (*(task.wish for task in plan.tasks), *(item.standing.wish for item in plan.deferred)):
        wishes.setdefault(wish.target.rpartition("/")[0], []).append(wish)
    for key, wanted in wishes.items():
        entity = plan.library.entities[key]
        fresh = [path for path in _files(entity) if _changed(path) > plan.made_at - QUIET_S]
        why = next(filter(None, (wait_until_settled(path) for path in fresh)), "")
        if fresh and (why or not _still_asks(settings, plan, entity, wanted)):
            raise ChargenError(f"{fresh[0]} {why or 'was saved while the plan was made'}: save it, then run again")


def _files(entity: Entity) -> Iterable[Path]:
    return (entity.folder / name for name in ENTITY_FILES)


def _changed(path: Path) -> float:
    """When *path* was last changed, in seconds since 1970; 0 if it is not there."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0


def _still_asks(settings: Settings, plan: Plan, entity: Entity, wishes: Iterable[Wish]) -> bool:
    try:
        now = load_entity(plan.library.root, entity.kind, entity.slug, adopt_existing=False, provider=settings.provider)
    except BrokenEntity:
        return False
    specs = {scene.target: spec_hash(scene) for scene in now.scenes}
    return all(specs.get(wish.target) == wish.spec_hash for wish in wishes)
