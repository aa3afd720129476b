"""The pictures of an entity: their scenes, the best one of each scene, and the place that each shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chargen.base.capabilities import counts
from chargen.library.folders import Folders
from chargen.library.model import KIND_FOLDERS, Entity, Scene
from chargen.library.slugs import match_zone

PORTRAIT = "portrait"
OVERVIEW = "overview"
_OLDEST = (False, False, "", -1)


@dataclass
class EntityPictures:
    """The pictures of one entity, by whom they show and what made them."""

    folder: str  # relative to the library root
    rejected: frozenset[str]
    hidden: frozenset[str]  # placeholders, where they do not count
    makers: dict[str, str] = field(default_factory=dict)  # path below the root -> the scene that made it
    best: dict[str, str] = field(default_factory=dict)  # scene id -> path below the root
    contradicting: dict[str, str] = field(default_factory=dict)  # scene id -> a path that is not among the best
    newness: dict[str, tuple[bool, bool, str, int]] = field(default_factory=dict)  # of the best, for comparison
    scenes: dict[str, Scene] = field(default_factory=dict)
    zone_scenes: dict[str, list[Scene]] = field(default_factory=dict)
    overview: Scene | None = None


def pictures_of(
    entity: Entity, folders: Folders, contradicts: Callable[[Entity, str], bool], provider: str
) -> EntityPictures:
    """What pictures *entity* has. The last record that names a file owns it."""
    folder = folder_of(entity.key)
    owners = {record.path: (index, record) for index, record in enumerate(entity.records) if record.path}
    paths = {path: f"{folder}/{path}" for path in owners}
    pictures = EntityPictures(
        folder,
        rejected=frozenset(f"{folder}/{path}" for path in entity.rejected),
        hidden=frozenset(paths[path] for path, (_, record) in owners.items() if not counts(record.provider, provider)),
        scenes={scene.id: scene for scene in entity.scenes},
    )
    for path, (index, record) in owners.items():
        full = paths[path]
        if full in pictures.rejected or full in pictures.hidden or not folders.exists(full):
            continue
        if record.scene not in pictures.scenes:
            continue
        pictures.makers[full] = f"{entity.key}/{record.scene}"
        if contradicts(entity, full):
            pictures.contradicting[record.scene] = full
            continue
        newness = (record.picked, record.status == "approved", record.generated_at, index)
        if newness > pictures.newness.get(record.scene, _OLDEST):
            pictures.best[record.scene], pictures.newness[record.scene] = full, newness
    for scene, adopted in entity.adopted.items():
        pictures.makers.setdefault(adopted.path, f"{entity.key}/{scene}")
        if not folders.exists(adopted.path):  # a link that leads out of the library
            continue
        if scene not in pictures.best and not contradicts(entity, adopted.path):
            pictures.best[scene], pictures.newness[scene] = adopted.path, _OLDEST
    if entity.kind == "location":
        _sort_places(entity, pictures)
    return pictures


def _sort_places(location: Entity, pictures: EntityPictures) -> None:
    """Which scenes show which zone, the one that is named like it first, and which one shows the whole place.

    A scene that belongs to no zone is its own. Beats show people rather than places.
    """
    for zone in location.zones:
        pictures.zone_scenes[zone] = []
    for scene in location.scenes:
        if not _is_beat(scene) and not (_is_overview(scene) and not scene.zone):
            zone = match_zone(scene.zone, tuple(location.zones)) or scene.zone or scene.id
            pictures.zone_scenes.setdefault(zone, []).append(scene)
    for zone, scenes in pictures.zone_scenes.items():
        scenes.sort(key=lambda scene: scene.id != zone)
    named = [scene for scene in location.scenes if _is_overview(scene)]
    # A zone may be called so, too: what stands below `overview` in the file is what shows the whole place.
    pictures.overview = next(iter([*filter(_is_declared_overview, named), *named]), None)


def _is_overview(scene: Scene) -> bool:
    return _is_declared_overview(scene) or scene.id == OVERVIEW


def _is_declared_overview(scene: Scene) -> bool:
    return scene.place.key.partition(".")[0] == OVERVIEW


def _is_beat(scene: Scene) -> bool:
    return scene.place.key.startswith("beat_images")


def folder_of(key: str) -> str:
    """The folder of the entity ``kind/slug``, relative to the library root."""
    kind, _, slug = key.partition("/")
    return f"{next(folder for folder, name in KIND_FOLDERS.items() if name == kind)}/{slug}"
