"""Which pictures a scene asks to be sent along, and every way to get each of them.

One rule for all forms in which a picture is named, in this order: a path that exists, relative to the entity, then to
the library root; an id of a recorded or inventoried picture; a character or ``<character>-portrait``; a location with
a zone; a location. No file is opened, and nothing outside the library is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Protocol

from chargen.base.errors import Problem
from chargen.library.entity_pictures import OVERVIEW, PORTRAIT, EntityPictures, folder_of, pictures_of
from chargen.library.folders import Folders, inside, is_image_name, same_name
from chargen.library.model import KIND_FOLDERS, Candidate, Entity, Library, Reference, Scene
from chargen.library.scene_references import SceneReferences
from chargen.library.slugs import match_zone, nearest


class Judgement(Protocol):
    """What was seen in pictures, where anybody looked; paths are relative to the library root."""

    def best_portraits(self, entity: Entity) -> Sequence[tuple[str, str]]:
        """The pictures that may stand for *entity* where it has no portrait, best first, each with the reason."""

    def contradicts(self, entity: Entity, path: str) -> bool:
        """Whether the picture at *path* contradicts *entity* and is not approved."""


class ReferenceIndex:
    """Answers for any scene of a library which references it has. Built once; folders are listed when first needed.

    Placeholders count only if *provider* marks its pictures as such, rejected ones never. *style_images* are
    paths below the library root that go with every scene, last. *judgement* keeps pictures that contradict what they
    are to show from being sent by themselves; what an author names is sent.
    """

    def __init__(
        self,
        library: Library,
        *,
        provider: str = "",
        style_images: Sequence[str] = (),
        judgement: Judgement | None = None,
    ) -> None:
        self._library = library
        self._judgement = judgement
        self._provider = provider
        self._style_images = tuple(style_images)
        self._folders = Folders(library.root)
        self._causes = dict.fromkeys(library.broken, "")
        for problem in library.problems:
            if problem.effect == "entity skipped" and not self._causes.get(problem.entity, "x"):
                self._causes[problem.entity] = f"{problem.place}: {problem.message}"
        self._pictures: dict[str, EntityPictures] = {}
        self._ids = self._picture_ids()
        self._scenes_by_id: dict[str, list[Scene]] = {}
        for entity in library.entities.values():
            for scene in entity.scenes:
                self._scenes_by_id.setdefault(scene.id, []).append(scene)

    def for_scene(self, scene: Scene) -> tuple[tuple[Reference, ...], tuple[Problem, ...]]:
        """The references of *scene*: characters as listed, the location, those it names, style images.

        The same file or scene is asked for once. A missing reference is a warning; the scene is made without it.
        """
        asking = SceneReferences(self, scene)
        for person in scene.characters:
            asking.add_character(person)
        asking.add_location()
        for written in scene.references:
            asking.add_explicit(written, "other")
        for written in self._style_images:
            asking.add_explicit(written, "style")
        return tuple(asking.references), tuple(asking.problems)

    def entity(self, key: str) -> Entity | None:
        """The loaded entity ``kind/slug``."""
        return self._library.entity(key)

    def slugs(self, kind: str) -> list[str]:
        """The folder names of all entities of a *kind*, those that were left out too."""
        keys = [key.partition("/") for key in (*self._library.entities, *self._causes)]
        return [slug for of, _, slug in keys if of == kind and slug != "*"]

    def cause(self, key: str) -> str | None:
        """Why ``kind/slug`` was left out of the library; None if it was not."""
        whole = f"{key.partition('/')[0]}/*"
        return self._causes.get(key, self._causes.get(same_name(key), self._causes.get(whole)))

    def portrait(self, entity: Entity) -> list[Candidate]:
        """The ways to have an entity's portrait.

        Declared, else flagged in the inventory, else named like one, else the scene ``portrait`` that would make it,
        else the best one that anybody has seen among the entity's pictures.
        """
        pictures = self._of(entity)
        said = entity.portrait and not entity.portrait_by_name
        candidates = self._declared(entity, pictures) if said else []
        candidates += self._standing_portrait(entity, pictures)
        maker = pictures.scenes.get(PORTRAIT) if entity.kind != "location" else None
        if maker and not candidates:
            candidates += [item for item in self.of_scene(entity, maker) if not self.contradicts(entity, item.path)]
        if self._judgement and not any(item.path for item in candidates):
            for path, why in self._judgement.best_portraits(entity):
                if found := self.of_path(path):
                    candidates += [replace(item, why=why) for item in found]
                    break
        return _unique(candidates)

    def left_out_portrait(self, entity: Entity) -> str:
        """The picture that would be the portrait of *entity* by its name or its scene, and is not sent because it
        contradicts the description; ``""`` if there is none.
        """
        pictures = self._of(entity)
        if entity.portrait_by_name:
            path = f"{pictures.folder}/{entity.portrait}"
            return path if self.contradicts(entity, path) else ""
        if entity.portrait and entity.portrait not in pictures.scenes:
            return ""
        return pictures.contradicting.get(entity.portrait or PORTRAIT, "")

    def contradicts(self, entity: Entity, path: str) -> bool:
        """Whether the picture at *path* shows *entity* as it is not, and no author approved it."""
        return bool(path and self._judgement and self._judgement.contradicts(entity, path))

    def of_zone(self, location: Entity, zone: str, asking: Scene) -> tuple[list[Candidate], bool]:
        """The ways to have a picture of a place, best first, and whether the zone is known.

        The newest picture of the zone, then the scene that would make one, then the same for the whole place.
        """
        pictures = self._of(location)
        known = match_zone(zone, tuple(pictures.zone_scenes)) if zone else ""
        scenes = pictures.zone_scenes.get(known, [])
        overview = self._overview(location, pictures)
        if asking.entity == location.key:
            if any(candidate.target == asking.target for candidate in overview):
                return overview, True  # what shows the whole place waits for none of its parts
            scenes = _acyclic(scenes, known, asking)
            known = match_zone(zone, tuple(location.zones)) if location.zones else known
        candidates = self._newest(pictures, scenes)
        still_to_make = [scene for scene in scenes if not scene.skip]
        if still_to_make and not candidates:
            candidates.append(Candidate(target=still_to_make[0].target))
        if candidates:
            rivals = tuple(scene.target for scene in still_to_make if scene.target != candidates[0].target)
            candidates[0] = replace(candidates[0], rivals=rivals)
        return _unique([*candidates, *overview]), bool(known) or not zone

    def of_scene(self, entity: Entity, scene: Scene) -> list[Candidate]:
        """The ways to have the picture of *scene*: the best one there is, or the one it will make."""
        path = self._of(entity).best.get(scene.id, "")
        return [Candidate(path, scene.target)] if path or not scene.skip else []

    def of_path(self, path: str) -> list[Candidate]:
        """The picture at *path* below the library root, if it exists and may be used."""
        path = self._folders.spelled(path)
        if not self._folders.exists(path):
            return []
        entity = self._owner(path)
        if entity is None:
            return [Candidate(path)]
        pictures = self._of(entity)
        if path in pictures.rejected or path in pictures.hidden:
            return []
        return [Candidate(path, pictures.makers.get(path, ""))]

    def of_id(self, written: str, asking: Scene) -> list[Candidate]:
        """The picture that a record or an inventory entry has under the id *written*; the scene's own entity first."""
        found = self._ids.get(written, ())
        for entity, path in sorted(found, key=lambda item: item[0].key != asking.entity):
            pictures = self._of(entity)
            if written in pictures.best:
                return self.of_scene(entity, pictures.scenes[written])
            if candidates := self.of_path(f"{pictures.folder}/{path}"):
                return candidates
        return []

    def of_coming_path(self, path: str) -> list[Candidate]:
        """The picture that will stand at *path* once the scene that makes it was made."""
        folder, slash, name = path.rpartition("/images/")
        entity = self._owner(path) if slash else None
        if entity is None or folder != folder_of(entity.key) or not is_image_name(name):
            return []
        scene = self._of(entity).scenes.get(name.rpartition(".")[0])
        return self.of_scene(entity, scene) if scene else []

    def of_coming_scene(self, written: str, asking: Scene) -> list[Candidate]:
        """The picture of the scene that *written* names: of the same entity, ``entity/scene``, ``kind/entity/scene``,
        or a scene's id that only one entity has."""
        entity_name, slash, scene_id = written.rpartition("/")
        named = [
            (self._library.entities[scene.entity], scene)
            for scene in self._scenes_by_id.get(scene_id if slash else written, ())
        ]
        found = [item for item in named if not slash or entity_name in (item[0].key, item[0].slug)]
        own = [item for item in found if item[0].key == asking.entity]
        chosen = own or found
        return self.of_scene(*chosen[0]) if len(chosen) == 1 else []

    def zones(self, location: Entity) -> list[str]:
        """The names of the zones of *location*."""
        return [*location.zones, *self._of(location).zone_scenes]

    def meant(self, written: str, base: str) -> str:
        """What was probably meant by *written*, which names nothing: a file, a scene, an entity; ``""`` if unknown."""
        folder, _, name = inside(base, written).rpartition("/")
        for where in (folder, inside("", written).rpartition("/")[0]):
            files = [item for item in self._folders.files(where) if is_image_name(item)] if where else []
            found = nearest(name, files) if is_image_name(name) else ""
            if found:
                return f"{where}/{found}".removeprefix(f"{base}/")
        return nearest(written, [*self._scenes_by_id, *self.slugs("character"), *self.slugs("location")])

    def picture_name(self, target: str) -> str:
        """What the picture that the scene *target* makes is called in a prompt."""
        key, _, scene_id = target.rpartition("/")
        scene = self._of(self._library.entities[key]).scenes[scene_id]
        return f"{scene.title or scene_id.replace('-', ' ')} ({self._library.entities[key].name})"

    def leads_outside(self, path: str) -> bool:
        """Whether a link takes *path* out of the library."""
        return self._folders.leads_outside(path)

    def owner_name(self, path: str) -> str:
        """What the entity in whose folder *path* lies is called; ``""`` for any other path."""
        entity = self._owner(path)
        return entity.name if entity else ""

    def _declared(self, entity: Entity, pictures: EntityPictures) -> list[Candidate]:
        """What ``portrait`` names: a scene's id, or a path, which may be that of a picture still to be made."""
        written = entity.portrait
        if written in pictures.scenes:
            return self.of_scene(entity, pictures.scenes[written])
        for base in (pictures.folder, ""):
            path = inside(base, written)
            if path and (found := self.of_path(path)):
                return found
        folder, _, name = inside(pictures.folder, written).rpartition("/")
        scene = pictures.scenes.get(name.rpartition(".")[0]) if is_image_name(name) else None
        return self.of_scene(entity, scene) if scene and folder == f"{pictures.folder}/images" else []

    def _standing_portrait(self, entity: Entity, pictures: EntityPictures) -> list[Candidate]:
        """What the inventory flags, else what is named like a portrait (like an overview, for a location)."""
        flagged = [f"{pictures.folder}/{item.path}" for item in entity.inventory if item.is_portrait and item.path]
        name = OVERVIEW if entity.kind == "location" else PORTRAIT
        named = [f"{pictures.folder}/images/{name}{end}" for end in (".png", ".jpg", ".jpeg", ".webp")]
        if pictures.overview and pictures.overview.id != OVERVIEW and OVERVIEW in pictures.scenes:
            named = []  # a zone is called so: its picture does not show the whole place
        for path in (*flagged, *named):
            if path not in flagged and self.contradicts(entity, path):
                continue
            if candidates := self.of_path(path):
                maker = candidates[0].target.rpartition("/")[2] if path in named else ""
                return self.of_scene(entity, pictures.scenes[maker]) if maker else candidates
        return []

    def _overview(self, location: Entity, pictures: EntityPictures) -> list[Candidate]:
        candidates = self.portrait(location)
        if pictures.overview and not any(candidate.path for candidate in candidates):
            candidates += self.of_scene(location, pictures.overview)
        return candidates

    def _newest(self, pictures: EntityPictures, scenes: Iterable[Scene]) -> list[Candidate]:
        """The pictures that *scenes* have, picked ones first, then approved ones, then newer ones."""
        having = [scene for scene in scenes if scene.id in pictures.best]
        having.sort(key=lambda scene: pictures.newness[scene.id], reverse=True)
        return [Candidate(pictures.best[scene.id], scene.target) for scene in having]

    def _owner(self, path: str) -> Entity | None:
        folder, _, rest = path.partition("/")
        return self._library.entity(f"{KIND_FOLDERS.get(folder)}/{rest.partition('/')[0]}")

    def _picture_ids(self) -> dict[str, list[tuple[Entity, str]]]:
        """Every id of a picture with its path in the entity's folder; the newest record of an id comes first."""
        ids: dict[str, list[tuple[Entity, str]]] = {}
        for entity in self._library.entities.values():
            for record in reversed(entity.records):
                for name in dict.fromkeys((str(record.data.get("custom_id") or ""), record.scene)):
                    if name and record.path:
                        ids.setdefault(name, []).append((entity, record.path))
            for item in entity.inventory:
                if item.id and item.path and item.status != "rejected":
                    ids.setdefault(item.id, []).append((entity, item.path))
        return ids

    def _of(self, entity: Entity) -> EntityPictures:
        pictures = self._pictures.get(entity.key)
        if pictures is None:
            pictures = self._pictures[entity.key] = pictures_of(entity, self._folders, self.contradicts, self._provider)
        return pictures


def _acyclic(scenes: list[Scene], zone: str, asking: Scene) -> list[Scene]:
    """The scenes of a zone that another scene of the same location may wait for, without ever waiting in a circle.

    Beats take the first picture of their zone; the zone's own pictures take only the one that is named like the zone.
    """
    if any(scene.target == asking.target for scene in scenes):
        scenes = [scene for scene in scenes if scene.id == zone]
    return [scene for scene in scenes if scene.target != asking.target][:1]


def _unique(candidates: Iterable[Candidate]) -> list[Candidate]:
    return list(dict.fromkeys(candidates))
