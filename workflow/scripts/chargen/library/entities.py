"""Reads one entity from its files."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from chargen.base.errors import Place, Problem, printable
from chargen.library import chapters, characters, locations, v1
from chargen.library.adoption import Surroundings, adopt
from chargen.library.drafts import Draft, combine
from chargen.library.entity_files import EntityFiles, read_files
from chargen.library.fields import Problems, View, unique, words
from chargen.library.folder_checks import (
    UNREADABLE_FOLDER,
    check_folder,
    check_images,
    check_root,
    not_a_folder,
    refuse,
)
from chargen.library.folders import LEADS_OUT, Folders, shown_name
from chargen.library.model import FOLDER_OF, KINDS, Entity, Kind
from chargen.library.oddities import ENTITY_FILES, IMAGERY, Survey, is_entity, misnamed
from chargen.library.portraits import check_portrait, named_portrait, said_portrait
from chargen.library.records import (
    check_write_back,
    read_inventory,
    read_records,
    read_reviews,
    rejected_pictures,
    reviewed,
)
from chargen.library.slugs import folder_fault, match_zone
from chargen.library.v1 import Head
from chargen.pictures.presence import NOT_DOWNLOADED

_FILE_SUFFIX = re.compile(r"\.[A-Za-z]{1,5}")


class EntityReader:
    """Reads entities one by one, independently of each other."""

    def __init__(self, root: Path, adopt_existing: bool, provider: str, is_planning: bool) -> None:
        self.root = root.absolute()
        self._folders = Folders(self.root)
        check_root(self._folders)
        self._is_planning = is_planning
        self._adopt_existing = adopt_existing
        self._provider = provider
        self._survey = Survey(self._folders)
        self.problems: list[Problem] = []
        self.broken: list[str] = []
        self._not_downloaded: list[str] = []

    def slugs(self, kind: Kind) -> Iterator[str]:
        """The names of the folders of *kind* that are entities, or that cannot be looked into, sorted."""
        of_kind = FOLDER_OF[kind]
        listing = self._folders.listing(of_kind)
        fault = listing.trouble or not_a_folder(self._folders, of_kind)
        if fault:
            self._refuse_kind(kind, of_kind, fault, "unreadable-folder", UNREADABLE_FOLDER)
        linked = [name for name in listing.away if self._is_linked_entity(of_kind, name)]
        for name in sorted({*listing.folders, *listing.unreadable_names, *linked}):
            inner = self._folders.listing(f"{of_kind}/{name}")
            if name in linked or inner.trouble or is_entity(inner) or misnamed(inner)[0]:
                yield name
            elif not name.startswith("."):
                self._survey.without_file(of_kind, shown_name(name))

    def _is_linked_entity(self, of_kind: str, name: str) -> bool:
        """Whether *name* is a link to a folder of an entity that is not read: outside, or not there at the moment."""
        why = self._folders.listing(of_kind).away[name]
        if why == LEADS_OUT:
            return any(os.path.lexists(self.root / of_kind / name / file) for file in ENTITY_FILES)
        return why != NOT_DOWNLOADED and not _FILE_SUFFIX.fullmatch(PurePosixPath(name).suffix)

    def surveyed(self, any_found: bool, excluded: int) -> tuple[tuple[str, ...], str]:
        """Notices on the library, and what the folder is if it is not a library; *excluded* entities are skipped."""
        for name, kind, count in self._survey.misnamed_kinds():
            folders = "folder" if count == 1 else "folders"
            message = f"is not read, but has {count} {folders} with {IMAGERY}"
            self._refuse_kind(kind, name, message, "wrong-name", f"rename it to {FOLDER_OF[kind]}")
        notices = self._survey.notices()
        if self._not_downloaded:
            notices.append(
                f"{len(self._not_downloaded)} pictures are not downloaded, like {self._not_downloaded[0]}; they count "
                "as present, so none are made"
            )
        if any_found or self.broken:
            return tuple(notices), ""
        if excluded:
            return (f"found 0 entities in {self.root}: 'exclude' skips all {excluded}", *notices), ""
        mistake = self._survey.mistake()
        return (f"found 0 entities in {self.root}: {mistake or self._survey.nothing()}", *notices), mistake

    def _refuse_kind(self, kind: Kind, folder: str, message: str, code: str, advice: str) -> None:
        key = f"{kind}/*"
        place = Place(folder)
        self.problems.append(Problem("error", code, message, place, advice, key, effect="entity skipped"))
        self.broken.append(key)

    def read(self, kind: Kind, slug: str) -> tuple[Entity | None, tuple[Problem, ...]]:
        """The entity, or None if it is broken or not an entity, and the problems found."""
        problems = Problems(f"{kind}/{printable(shown_name(slug))}")
        folder = f"{FOLDER_OF[kind]}/{slug}"
        fault = folder_fault(slug)
        if fault:
            refuse(problems, folder, fault, "invalid-slug", "rename the folder")
            return None, tuple(problems.found)
        if not self._folders.is_inside(folder):
            message = "the folder is a link to a place outside the library"
            refuse(problems, folder, message, "outside-library", "move its target into the library")
            return None, tuple(problems.found)
        check_folder(self._folders, kind, slug, folder, problems)
        if self._is_planning and not problems.entity_is_broken:
            self._not_downloaded += check_images(self._folders, folder, problems)
        files = None if problems.entity_is_broken else read_files(self._folders, kind, folder, problems)
        if files is None:
            return None, tuple(problems.found)
        entity = self._entity(kind, slug, folder, files, problems)
        return (None if problems.entity_is_broken else entity), tuple(problems.found)

    def _knows_character(self, slug: str) -> bool:
        folder = self._folders.spelled(f"characters/{slug}")
        listing = self._folders.listing(folder)
        return not folder_fault(slug) and (bool(listing.trouble) or is_entity(listing))

    def _entity(self, kind: Kind, slug: str, folder: str, files: EntityFiles, problems: Problems) -> Entity:
        view = files.imagery
        check_write_back(view, problems)
        _check_identity(view, kind, slug, problems)
        ours = v1.read_head(view, kind, problems)
        theirs = _their_head(kind, files)
        drafts = self._drafts(kind, files, ours, problems)
        _check_ids(drafts, problems)
        check_portrait(self._folders, view, folder, ours.portrait, drafts, problems)
        spelled = self._folders.spelled
        reviews = read_reviews(view, folder, problems, spelled)
        records = reviewed(read_records(view, folder, problems, spelled), reviews)
        inventory = read_inventory(view, folder, problems, spelled)
        rejected = rejected_pictures(self._folders, folder, records, inventory, reviews)
        surroundings = combine([ours.surroundings, theirs.surroundings])
        first = [{"slug": slug}] if kind == "character" else []
        where = Surroundings(kind, slug, folder, self.root, self._folders, records, rejected, self._provider)
        adopts = self._adopt_existing and not problems.entity_is_broken
        key = f"{kind}/{slug}"
        zones = {**theirs.zones, **ours.zones}
        for draft in drafts:
            if kind == "location" and not draft.location:
                draft.location = slug
            if draft.place.key.startswith("scenes[") and not draft.zone_text:
                draft.zone_text = _zone_text(zones, draft, slug)
        said = said_portrait(self._folders, folder, ours.portrait, inventory)
        portrait = said or named_portrait(self._folders, kind, folder)
        return Entity(
            kind=kind,
            slug=slug,
            folder=self.root / folder,
            name=ours.name or theirs.name or words(slug.replace("-", " ")).title(),
            description=ours.description or theirs.description,
            traits=tuple(unique([*ours.traits, *theirs.traits])),
            portrait=portrait,
            portrait_by_name=bool(portrait) and not said,
            zones=zones,
            scenes=tuple(draft.scene(key, surroundings, first) for draft in drafts),
            records=tuple(records),
            inventory=tuple(inventory),
            reviews=tuple(reviews),
            adopted=adopt(drafts, where, problems) if adopts else {},
            rejected=rejected,
        )

    def _drafts(self, kind: Kind, files: EntityFiles, ours: Head, problems: Problems) -> list[Draft]:
        """The union of what all lists of the entity wish for."""
        view = files.imagery
        drafts = v1.read_scenes(view, "scenes", ours, problems)
        if kind == "character":
            drafts += characters.read_prompts(view, ours.defaults, problems)
            drafts += characters.read_ideas(files.ideas, ours.defaults, problems)
        elif kind == "location":
            drafts += locations.read_wishes(view, ours.defaults, self._knows_character, problems)
        else:
            drafts += chapters.read_images(view, ours.defaults, problems)
        return drafts


def _their_head(kind: Kind, files: EntityFiles) -> Head:
    if kind == "character":
        return characters.read_head(files.imagery, files.ideas, files.style)
    return locations.read_head(files.imagery) if kind == "location" else chapters.read_head(files.imagery)


def _check_identity(view: View, kind: Kind, slug: str, problems: Problems) -> None:
    """See that an older tool's file does not claim to be something else than its folder, which is the identity."""
    for key in ("entity_type", "metadata.entity_type"):
        written = view.text(key).lower().removesuffix("-imagery").removesuffix("_imagery")
        if written and written != kind and written in KINDS:
            problems.warn(
                "wrong-kind", f"is {written}, but the folder is for a {kind}; the folder is used", _deep(view, key)
            )
    written = view.text("slug")
    if written and written != slug:
        problems.error(
            "wrong-slug", f"is '{written}', but the folder is '{slug}'", view.place("slug"),
            advice="change the slug to the folder's name, or rename the folder",
        )  # fmt: skip


def _zone_text(zones: Mapping[str, str], draft: Draft, slug: str) -> str:
    """What the entity's file says of the zone of one of our own scenes; chapters say it of ``location/zone``."""
    if not draft.zone:
        return ""
    names = tuple(zones)
    if draft.location == slug:
        return zones.get(match_zone(draft.zone, names), "")
    here = tuple(name.removeprefix(f"{draft.location}/") for name in names if name.startswith(f"{draft.location}/"))
    return zones.get(f"{draft.location}/{match_zone(draft.zone, here)}", "")


def _deep(view: View, key: str) -> Place:
    outer, _, inner = key.rpartition(".")
    return view.map(outer).place(inner) if outer else view.place(key)


def _check_ids(drafts: list[Draft], problems: Problems) -> None:
    """Two scenes with one id would fight for one file, also on disks that ignore case."""
    seen: dict[str, Draft] = {}
    for draft in drafts:
        first = seen.setdefault(draft.id.casefold(), draft)
        if first is not draft:
            problems.error(
                "duplicate-id", f"the id '{draft.id}' is already used by the scene at {first.place}", draft.place,
                advice="give one of them another id or title", scene=draft.id,
            )  # fmt: skip
