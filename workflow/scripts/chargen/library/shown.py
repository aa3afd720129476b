"""The current pictures of scenes, and their reviews."""

from __future__ import annotations

from collections.abc import Iterator

from chargen.base.capabilities import counts
from chargen.base.frozen import frozen
from chargen.library.model import Entity, Library, Scene
from chargen.pictures.presence import is_present


@frozen
class Shown:
    """A picture that a scene has; ``path`` is relative to the entity's folder, ``status`` what is thought of it now.

    ``sha256`` is empty for a picture from before chargen until somebody looks.
    """

    entity: Entity
    scene: Scene
    variation: int
    path: str
    sha256: str
    status: str
    note: str

    @property
    def name(self) -> str:
        """``kind/entity/scene:variation``."""
        return f"{self.scene.target}:{self.variation}"


def pictures_of(library: Library, provider: str) -> Iterator[Shown]:
    """Yield every picture in place that a scene of the library has; placeholders only if *provider* makes such."""
    for entity in library.entities.values():
        scenes = {scene.id: scene for scene in entity.scenes}
        owners = {record.path: record for record in entity.records}  # the last record that names a file owns it
        for path, record in owners.items():
            if (
                counts(record.provider, provider)
                and record.scene in scenes
                and path
                and is_present(entity.folder / path)
            ):
                status = "picked" if record.picked else record.status
                scene = scenes[record.scene]
                yield Shown(entity, scene, record.variation, path, record.sha256, status, record.note)
        for scene_id, adopted in entity.adopted.items():
            full = library.root / adopted.path
            if full.is_relative_to(entity.folder):
                path = full.relative_to(entity.folder).as_posix()
                last = next((item for item in reversed(entity.reviews) if item.path == path), None)
                yield Shown(
                    entity, scenes[scene_id], 1, path, "", last.status if last else "", last.note if last else ""
                )
