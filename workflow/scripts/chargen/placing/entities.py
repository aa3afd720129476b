"""The entity whose pictures are placed, as its folder stands at this moment."""

from __future__ import annotations

from pathlib import Path

from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.library import replacing
from chargen.library.load import BrokenEntity, load_entity
from chargen.library.model import Entity, Kind
from chargen.pictures.presence import is_present
from chargen.placing.place import entity_folder
from chargen.records.settings import Settings

_KINDS: dict[str, Kind] = {"character": "character", "location": "location", "chapter": "chapter"}


def entity_now(settings: Settings, key: str) -> tuple[Entity | None, str]:
    """Return the entity as its folder stands at this moment, or why there is none.

    A file that its author is saving is waited for, a few seconds. Raises ChargenError if the whole library is gone: a
    disk that is not there for the moment says nothing about what is wanted.
    """
    root = Path(settings.library)
    if not root.is_dir():
        raise ChargenError(f"Library folder not found: {root}. Nothing is lost; restore it, then run again")
    folder = entity_folder(root, key)
    if not is_present(folder):
        return None, "folder-gone"
    if why := replacing.wait_until_settled(folder / "imagery.yaml"):
        events.log("problem", f"{folder / 'imagery.yaml'} {why}", level="warning", target=key)
        return None, "imagery-broken"
    try:
        return load_entity(
            root, _KINDS[key.partition("/")[0]], folder.name, adopt_existing=False, provider=settings.provider
        ), ""
    except BrokenEntity as broken:
        events.log("problem", str(broken), level="warning", target=key)
        return None, "imagery-broken"


def entity_if_readable(settings: Settings, key: str) -> Entity | None:
    """Return the entity as its folder stands, None if there is none or it cannot be read at the moment."""
    root = Path(settings.library)
    kind, slug = _KINDS[key.partition("/")[0]], entity_folder(root, key).name
    try:
        return load_entity(root, kind, slug, adopt_existing=settings.adopt_existing, provider=settings.provider)
    except (BrokenEntity, OSError):
        return None
