"""The references of one scene: candidates for each, and warnings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import takewhile
from typing import TYPE_CHECKING

from chargen.base.errors import Place, Problem
from chargen.library.entity_pictures import folder_of
from chargen.library.folders import inside
from chargen.library.model import Candidate, Depicted, Entity, Reference, ReferenceRole, Scene
from chargen.library.slugs import nearest

if TYPE_CHECKING:
    from chargen.library.references import ReferenceIndex


class SceneReferences:
    """Collects the references of one scene."""

    def __init__(self, index: ReferenceIndex, scene: Scene) -> None:
        self._index = index
        self._scene = scene
        self._base = folder_of(scene.entity)
        self._seen: set[str] = set()
        self._bare = {scene.entity}  # those of whom it is known that they have no picture
        self.references: list[Reference] = []
        self.problems: list[Problem] = []

    def add_character(self, person: Depicted) -> None:
        """Ask for the picture of somebody: one named for this appearance, else the portrait."""
        if not person.slug:
            return
        entity = self._entity("character", person.slug)
        if entity is None:
            return
        candidates: list[Candidate] = []
        for written in person.references:
            found, _ = self._resolve(written)
            if found:
                candidates += found
            else:
                self._warn("missing-reference", f"'{written}', a picture of {entity.name}, does not exist")
        candidates += self._index.portrait(entity)
        if not candidates:
            self._bare.add(entity.key)
        self._judge(entity, person.slug, candidates)
        self._add("character", entity.key, entity.name, person.slug, candidates)

    def _judge(self, entity: Entity, slug: str, candidates: Sequence[Candidate]) -> None:
        """Warn of a character without a portrait, and of a portrait that contradicts the description."""
        left_out = self._index.left_out_portrait(entity)
        own = entity.key == self._scene.entity
        other = "approve it, or set 'portrait:' to its file, to send it anyway" if own else ""
        if left_out:
            instead = "another picture is sent" if candidates else "the picture is made without a reference"
            self._warn(
                "contradicting-portrait" if candidates else "no-portrait",
                f"{left_out} contradicts the description of {entity.name} ({slug}), so {instead}",
                other,
            )
        elif not candidates:
            self._warn(
                "no-portrait",
                f"{entity.name} ({slug}) has no portrait, so the picture is made without a reference",
                "add images/portrait.png, or set 'portrait:' to a file" if own else "",
            )
        elif self._index.contradicts(entity, candidates[0].path):
            self._warn(
                "contradicting-portrait",
                f"{candidates[0].path} contradicts the description of {entity.name} ({slug}), but is sent because "
                "the file names it",
            )

    def add_location(self) -> None:
        """Ask for a picture of where the scene is set."""
        slug, zone = self._scene.location, self._scene.zone
        if not slug:
            return
        entity = self._entity("location", slug)
        if entity is None:
            return
        candidates, is_known = self._index.of_zone(entity, zone, self._scene)
        if not is_known:
            self._warn_of_zone(entity, slug, zone)
        written = f"{slug}/{zone}" if zone else slug
        if not candidates and entity.key != self._scene.entity:
            self._bare.add(entity.key)
            self._warn(
                "missing-reference",
                f"{entity.name} ({slug}) has no picture of the whole place, and no scene creates one",
                f"add locations/{slug}/images/overview.png, or a scene with the id 'overview'",
            )
        self._add("location", entity.key, entity.name, written, candidates)

    def add_explicit(self, written: str, role: ReferenceRole) -> None:
        """Ask for a picture that is named by path, id or entity."""
        if not inside(self._base, written) or self._is_link_out(written):
            self._warn("outside-library", f"'{written}' is outside the library, so it is not read")
            return
        candidates, subject = self._resolve(written)
        if candidates:
            shown = self._index.entity(subject)
            path, target = candidates[0].path, candidates[0].target
            role = "scene" if target and not shown and role == "other" else role
            if shown:
                name = shown.name
            else:
                name = self._index.picture_name(target) if target else self._index.owner_name(path) or written
            self._add(role, subject or path or written, name, written, candidates)
        elif not subject:
            said = f"'{written}' is not a file, a picture's or scene's id, a character or a location"
            near = self._index.meant(written, self._base)
            self._warn("missing-reference", said, f"did you mean '{near}'?" if near else "")
        elif subject not in self._bare:
            self._warn("missing-reference", f"'{written}' has no picture, and no scene creates one")

    def _resolve(self, written: str) -> tuple[list[Candidate], str]:
        """The one rule: the candidates, and ``kind/slug`` of what is shown if an entity was named."""
        index = self._index
        for base in (self._base, ""):
            path = inside(base, written)
            if path and (found := index.of_path(path)):
                return found, ""
        if found := index.of_id(written, self._scene):
            return found, ""
        for name in (written, written.removesuffix("-portrait")):
            if entity := index.entity(f"character/{name}"):
                return index.portrait(entity), entity.key
        slug, _, zone = written.partition("/")
        if entity := index.entity(f"location/{slug}"):
            candidates, is_known = index.of_zone(entity, zone, self._scene)
            if not is_known:
                self._warn_of_zone(entity, slug, zone)
            return candidates, entity.key
        for base in (self._base, ""):
            if found := index.of_coming_path(inside(base, written)):
                return found, ""
        return index.of_coming_scene(written, self._scene), ""

    def _add(self, role: ReferenceRole, subject: str, name: str, written: str, candidates: Iterable[Candidate]) -> None:
        usable = self._without_own(list(dict.fromkeys(candidates)), subject)
        keys = {key for item in usable[:1] for key in (item.path, item.target) if key}
        if usable and not keys & self._seen:
            self._seen |= keys
            self.references.append(Reference(role, subject, name, written, tuple(usable), self._scene.place))

    def _without_own(self, candidates: list[Candidate], subject: str) -> list[Candidate]:
        """Without the scene's own picture; of its own entity, without what comes after that, which may wait for it."""
        own = self._scene.target
        if subject == self._scene.entity:
            return list(takewhile(lambda item: item.target != own, candidates))
        return [item for item in candidates if item.target != own]

    def _is_link_out(self, written: str) -> bool:
        return any(
            path and self._index.leads_outside(path) for path in (inside(self._base, written), inside("", written))
        )

    def _entity(self, kind: str, slug: str) -> Entity | None:
        entity = self._index.entity(f"{kind}/{slug}")
        cause = self._index.cause(f"{kind}/{slug}")
        if entity is None and cause is not None:
            self._warn(
                "skipped-entity", f"the {kind} '{slug}' was skipped, so the scene is made without it ({cause})",
                "fix its file first",
            )  # fmt: skip
        elif entity is None:
            near = nearest(slug, self._index.slugs(kind))
            advice = f"did you mean '{near}'?" if near else ""
            self._warn(f"unknown-{kind}", f"there is no {kind} '{slug}' in the library", advice)
        return entity

    def _warn_of_zone(self, location: Entity, slug: str, zone: str) -> None:
        near = nearest(zone, self._index.zones(location))
        advice = f"did you mean '{near}'?" if near else ""
        self._warn("unknown-zone", f"{location.name} ({slug}) has no zone '{zone}'", advice)

    def _warn(self, code: str, message: str, advice: str = "") -> None:
        place: Place = self._scene.place
        self.problems.append(Problem("warning", code, message, place, advice, self._scene.entity, self._scene.id))
