"""The library on disk as objects: which folders are entities, and what each of them wants."""

from __future__ import annotations

import fnmatch
import gc
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import get_args

from chargen.base.errors import ChargenError, Place, Problem, printable
from chargen.base.progress import track
from chargen.library import chapters, characters, locations, v1, yamlio
from chargen.library.adoption import Surroundings, adopt
from chargen.library.drafts import Draft, combine
from chargen.library.fields import Problems, View, unique, words
from chargen.library.folders import LEADS_OUT, PORTRAIT_SUFFIXES, Folders, inside, is_image_name, same_name, shown_name
from chargen.library.lost_text import QUOTE, lost_texts
from chargen.library.model import KIND_FOLDERS, Adopted, Entity, InventoryItem, Kind, Library, Record, Review
from chargen.library.oddities import ENTITY_FILES, IDEA_FILES, IMAGERY, Survey, copies, copy_of, is_entity, misnamed
from chargen.library.records import check_write_back, read_inventory, read_records, read_reviews, reviewed
from chargen.library.slugs import folder_fault, match_zone, nearest
from chargen.library.spec import spec_hash as spec_hash
from chargen.library.v1 import Head
from chargen.library.yaml_advice import advised
from chargen.library.yamlio import InvalidYaml, Map
from chargen.pictures.formats import sha256_file
from chargen.pictures.presence import EMPTY, LFS_POINTER, NOT_DOWNLOADED, why_unreadable

_FILE_SUFFIX = re.compile(r"\.[A-Za-z]{1,5}")
KINDS: tuple[Kind, ...] = get_args(Kind)
FOLDER_OF: dict[Kind, str] = {kind: folder for folder, kind in KIND_FOLDERS.items()}


class BrokenEntity(ChargenError):
    """An entity that cannot be read; ``problems`` say why."""

    def __init__(self, key: str, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems) or f"{key}: no such entity")
        self.problems = tuple(problems)


def load_library(
    root: Path,
    *,
    kinds: Collection[Kind] = KINDS,
    exclude: Sequence[str] = (),
    adopt_existing: bool = True,
    provider: str = "gemini",
) -> Library:
    """Read every entity below *root*. What is broken is left out and listed; the others go on.

    *exclude* holds glob patterns over ``kind/slug`` or the slug alone. *provider* decides whether records of the
    emulator count. Raises ChargenError if there is no folder *root*, or it cannot be read.
    """
    reader = _Reader(root, adopt_existing, provider, is_planning=True)
    entities: dict[str, Entity] = {}
    problems: list[Problem] = []
    broken: list[str] = []
    excluded = 0
    with without_collector():
        for kind in KINDS:
            if kind not in kinds:
                continue
            for slug in track(reader.slugs(kind), f"reading {FOLDER_OF[kind]}"):
                if _is_excluded(kind, slug, exclude):
                    excluded += 1
                    continue
                entity, found = reader.read(kind, slug)
                problems += found
                if entity:
                    entities[entity.key] = entity
                elif any(problem.effect for problem in found):
                    broken.append(f"{kind}/{slug}")
        notices, mistake = reader.surveyed(bool(entities or broken), excluded)
    problems += reader.problems
    broken += reader.broken
    return Library(reader.root, entities, tuple(problems), tuple(broken), notices, mistake)


def load_entity(root: Path, kind: Kind, slug: str, *, adopt_existing: bool = True, provider: str = "gemini") -> Entity:
    """Read one entity, just as :func:`load_library` does; raises :class:`BrokenEntity` if it cannot be read.

    Where its pictures would go is not looked at: they are there already.
    """
    entity, problems = _Reader(root, adopt_existing, provider, is_planning=False).read(kind, slug)
    if entity is None:
        raise BrokenEntity(f"{kind}/{slug}", problems)
    return entity


@dataclass(frozen=True)
class _Files:
    """The files of one entity, read."""

    imagery: View
    ideas: View
    style: View


class _Reader:
    """Reads entities one by one; none of them needs to know what another says."""

    def __init__(self, root: Path, adopt_existing: bool, provider: str, is_planning: bool) -> None:
        self.root = root.absolute()
        self._folders = Folders(self.root)
        _check_root(self._folders)
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
        fault = listing.trouble or _no_folder(self._folders, of_kind)
        if fault:
            self._refuse_kind(kind, of_kind, fault, "unreadable-folder", _UNREADABLE_FOLDER)
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
        """What else should be known of the library, and what it is if it is none; *excluded* entities were left out."""
        for name, kind, count in self._survey.misnamed_kinds():
            folders = "folder" if count == 1 else "folders"
            message = f"is not read, but has {count} {folders} with {IMAGERY}"
            self._refuse_kind(kind, name, message, "wrong-name", f"rename it to {FOLDER_OF[kind]}")
        notices = self._survey.notices()
        if self._not_downloaded:
            notices.append(
                f"{len(self._not_downloaded)} pictures are not downloaded, like {self._not_downloaded[0]}; they count "
                "as being there, and nothing is made for them"
            )
        if any_found or self.broken:
            return tuple(notices), ""
        if excluded:
            return (f"found 0 entities in {self.root}: 'exclude' leaves out all {excluded}", *notices), ""
        mistake = self._survey.mistake()
        return (f"found 0 entities in {self.root}: {mistake or self._survey.nothing()}", *notices), mistake

    def _refuse_kind(self, kind: Kind, folder: str, message: str, code: str, advice: str) -> None:
        key = f"{kind}/*"
        place = Place(folder)
        self.problems.append(Problem("error", code, message, place, advice, key, effect="entity skipped"))
        self.broken.append(key)

    def read(self, kind: Kind, slug: str) -> tuple[Entity | None, tuple[Problem, ...]]:
        """The entity, or None where it is broken or is none, and what was found."""
        problems = Problems(f"{kind}/{printable(shown_name(slug))}")
        folder = f"{FOLDER_OF[kind]}/{slug}"
        fault = folder_fault(slug)
        if fault:
            self._refuse(problems, folder, fault, "invalid-slug", "rename the folder")
            return None, tuple(problems.found)
        if not self._folders.is_inside(folder):
            message = "the folder is a link that leads out of the library"
            self._refuse(problems, folder, message, "outside-library", "move what it leads to into the library")
            return None, tuple(problems.found)
        self._check_folder(kind, slug, folder, problems)
        if self._is_planning and not problems.entity_is_broken:
            self._check_images(folder, problems)
        files = None if problems.entity_is_broken else self._read_files(kind, folder, problems)
        if files is None:
            return None, tuple(problems.found)
        entity = self._entity(kind, slug, folder, files, problems)
        return (None if problems.entity_is_broken else entity), tuple(problems.found)

    def _check_folder(self, kind: Kind, slug: str, folder: str, problems: Problems) -> None:
        """Note what keeps the folder from being read, and what lies in it and is not read."""
        listing = self._folders.listing(folder)
        if fault := listing.trouble or self._folders.away(folder):
            self._refuse(problems, folder, f"the folder {fault}", "unreadable-folder", _UNREADABLE_FOLDER)
            return
        siblings = self._folders.listing(FOLDER_OF[kind]).folders
        others = () if slug.isascii() else siblings - {slug}
        twins = [name for name in others if same_name(name) == same_name(slug)]
        if twins:
            message = "there are two folders of this name, one with composed and one with decomposed letters"
            self._refuse(problems, folder, message, "same-name", "keep one of them")
        if original := copy_of(slug, siblings):
            problems.warn(
                "copied-folder", f"looks like a copy of {original}; its pictures are wanted all the same",
                Place(folder), f"remove it, or leave it out: --config exclude='{FOLDER_OF[kind]}/{slug}'",
            )  # fmt: skip
        for name in listing.unreadable_names:
            problems.warn(
                "invalid-name", "its name is not UTF-8, so it is left out", Place(f"{folder}/{shown_name(name)}"),
                "rename it",
            )  # fmt: skip
        for name in copies(listing) if is_entity(listing) else ():
            problems.warn(
                "conflicted-copy", "looks like a second version of the entity's file, and is not read",
                Place(f"{folder}/{name}"), "bring what differs into the file that counts, then remove it",
            )  # fmt: skip
        name, advice = misnamed(listing)
        if name and is_entity(listing):
            problems.warn("wrong-name", "is not read", Place(f"{folder}/{name}"), advice)
        elif name:
            self._refuse(problems, f"{folder}/{name}", "is not read", "wrong-name", advice)

    def _refuse(self, problems: Problems, folder: str, message: str, code: str, advice: str) -> None:
        problems.error(code, message, Place(printable(shown_name(folder))), advice=advice)

    def _check_images(self, folder: str, problems: Problems) -> None:
        """Note why pictures could not be seen, or could not be put, where they belong."""
        listing = self._folders.listing(folder)
        images = f"{folder}/images"
        found = self._folders.listing(images)
        others = [name for name in listing.folders if name.casefold() == "images" and name != "images"]
        if listing.away.get("images") == LEADS_OUT:
            message = f"{LEADS_OUT}, so no picture can be put there"
            self._refuse(problems, images, message, "outside-library", "make it a folder")
        elif found.trouble:
            self._refuse(problems, images, found.trouble, "unreadable-folder", _UNREADABLE_FOLDER)
        for name in others:
            if self._folders.images(f"{folder}/{name}") and not self._folders.is_same(f"{folder}/{name}", images):
                message = "holds pictures, but is not read"
                self._refuse(problems, f"{folder}/{name}", message, "wrong-name", "rename it to images")
        for name in found.unreadable_names:
            problems.warn(
                "invalid-name", "its name is not UTF-8, so it is left out", Place(f"{images}/{shown_name(name)}"),
                "rename it",
            )  # fmt: skip
        self._not_downloaded += [
            f"{images}/{name}"
            for name in sorted(found.away)
            if is_image_name(name) and found.away[name] == NOT_DOWNLOADED
        ]

    def _knows_character(self, slug: str) -> bool:
        folder = self._folders.spelled(f"characters/{slug}")
        listing = self._folders.listing(folder)
        return not folder_fault(slug) and (bool(listing.trouble) or is_entity(listing))

    def _read_files(self, kind: Kind, folder: str, problems: Problems) -> _Files | None:
        """The entity's files; None if one of those that hold its wishes cannot be read."""
        listing = self._folders.listing(folder)
        ideas = [name for name in IDEA_FILES if name in listing.files]
        if len(ideas) > 1:
            problems.error(
                "two-ideas-files", f"there are both {ideas[0]} and {ideas[1]}", Place(f"{folder}/{ideas[1]}"),
                advice="keep one of them",
            )  # fmt: skip
            return None
        for name in ENTITY_FILES:
            if listing.away.get(name) == LEADS_OUT:
                message = "the file is a link that leads out of the library"
                self._refuse(problems, f"{folder}/{name}", message, "outside-library", "put the file itself there")
                return None
            if name in listing.others or name in listing.folders:
                message = "there is something of this name that is no file"
                self._refuse(problems, f"{folder}/{name}", message, "no-file", "put the file itself there")
                return None
        is_character = kind == "character"
        imagery = self._read_file(folder, IMAGERY, problems)
        ideas_view = self._read_file(folder, ideas[0] if ideas and is_character else "", problems)
        style = self._read_style(folder, problems) if is_character else View(Map(), folder)
        if imagery is None or ideas_view is None or style is None:
            return None
        return _Files(imagery, ideas_view, style)

    def _read_file(self, folder: str, name: str, problems: Problems) -> View | None:
        """What a file says; nothing if it does not exist, None if it cannot be read."""
        file = f"{folder}/{name or IMAGERY}"
        if name not in self._folders.files(folder):
            return View(Map(), file)
        path = self.root / file
        if why := self._folders.away(file) or why_unreadable(path):
            code, advice = ("not-downloaded", _DOWNLOAD) if why == NOT_DOWNLOADED else ("unreadable-file", _UNREADABLE)
            problems.error(code, why, Place(file), advice=advice)
            return None
        data = b""
        try:
            data = yamlio.read_bytes(path, file)
            view = View(yamlio.parse(data, file), file)
        except InvalidYaml as error:
            if error.problem == LFS_POINTER:
                problems.error("not-downloaded", error.reason, error.place)
            else:
                place, reason, advice = advised(error, data)
                problems.error("invalid-yaml", reason, place, advice=advice)
        except OSError as error:
            why = f"cannot be read ({error.strerror or error})"
            problems.error("unreadable-file", why, Place(file), advice=_UNREADABLE)
        else:
            if not data:
                message = f"{EMPTY}; it counts as an entity that asks for nothing"
                problems.warn("empty-file", message, Place(file), "download it, or wait until your editor has saved it")
            for lost in lost_texts(data, view.data):
                problems.warn("lost-text", lost.message, Place(file, lost.line, lost.column, lost.key), QUOTE)
            return view
        return None

    def _read_style(self, folder: str, problems: Problems) -> View | None:
        """The style file; None if it cannot be read. One that is no YAML is warned of: the entity does without."""
        found = Problems(problems.entity)
        view = self._read_file(folder, characters.STYLE_FILE, found)
        is_invalid = any(problem.code == "invalid-yaml" for problem in found.found)
        if not is_invalid:
            problems.found += found.found
            return view
        problems.found += [
            replace(problem, severity="warning", effect="", message=f"{problem.message}; its style is not used")
            for problem in found.found
        ]
        return View(Map(), folder)

    def _entity(self, kind: Kind, slug: str, folder: str, files: _Files, problems: Problems) -> Entity:
        view = files.imagery
        check_write_back(view, problems)
        _check_identity(view, kind, slug, problems)
        ours = v1.read_head(view, kind, problems)
        theirs = _their_head(kind, files)
        drafts = self._drafts(kind, files, ours, problems)
        _check_ids(drafts, problems)
        self._check_portrait(view, folder, ours.portrait, drafts, problems)
        spelled = self._folders.spelled
        reviews = read_reviews(view, folder, problems, spelled)
        records = reviewed(read_records(view, folder, problems, spelled), reviews)
        inventory = read_inventory(view, folder, problems, spelled)
        rejected = self._rejected(folder, records, inventory, reviews)
        surroundings = combine([ours.surroundings, theirs.surroundings])
        first = [{"slug": slug}] if kind == "character" else []
        key = f"{kind}/{slug}"
        zones = {**theirs.zones, **ours.zones}
        for draft in drafts:
            if kind == "location" and not draft.location:
                draft.location = slug
            if draft.place.key.startswith("scenes[") and not draft.zone_text:
                draft.zone_text = _zone_text(zones, draft, slug)
        said = self._said_portrait(folder, ours, inventory)
        portrait = said or self._named_portrait(kind, folder)
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
            adopted=self._adopted(kind, slug, folder, drafts, records, rejected, problems),
            rejected=rejected,
        )

    def _drafts(self, kind: Kind, files: _Files, ours: Head, problems: Problems) -> list[Draft]:
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

    def _adopted(
        self,
        kind: Kind,
        slug: str,
        folder: str,
        drafts: list[Draft],
        records: list[Record],
        rejected: frozenset[str],
        problems: Problems,
    ) -> dict[str, Adopted]:
        if not self._adopt_existing or problems.entity_is_broken:
            return {}
        where = Surroundings(kind, slug, folder, self.root, self._folders, records, rejected, self._provider)
        return adopt(drafts, where, problems)

    def _rejected(
        self, folder: str, records: list[Record], inventory: list[InventoryItem], reviews: list[Review]
    ) -> frozenset[str]:
        """The pictures that the author does not want: by the last record of each, else by the last review of what is
        there now, else by the inventory.
        """
        status = {item.path: item.status for item in inventory if item.path and item.status}
        recorded = {record.path: record.status for record in records if record.path}
        last = {review.path: review for review in reviews if review.path not in recorded}
        for path, review in last.items():
            if review.status != "rejected" or self._is_it(folder, review):
                status[path] = review.status
        return frozenset(path for path, said in (status | recorded).items() if said == "rejected")

    def _is_it(self, folder: str, review: Review) -> bool:
        """Whether the picture that was reviewed is still the one under its name, as far as it can be read."""
        path = f"{folder}/{review.path}"
        if not self._folders.exists(path) or not review.sha256:
            return self._folders.exists(path)
        try:
            return not why_unreadable(self.root / path) and sha256_file(self.root / path) == review.sha256
        except OSError:
            return False

    def _check_portrait(self, view: View, folder: str, written: str, drafts: list[Draft], problems: Problems) -> None:
        """Warn of a declared portrait that neither exists nor will be made by a scene of the entity."""
        if not written or any(draft.id == written for draft in drafts):
            return
        paths = [path for base in (folder, "") if (path := inside(base, written))]
        if not paths or any(self._folders.leads_outside(path) for path in paths):
            message = f"the portrait '{written}' is outside the library, so it is not read"
            problems.warn("outside-library", message, view.place("portrait"))
            return
        is_made = is_image_name(paths[0]) and any(paths[0] in _pictures_of(folder, draft) for draft in drafts)
        if not is_made and not any(self._folders.exists(path) for path in paths):
            message = f"the portrait '{written}' does not exist, and no scene makes it"
            problems.warn("missing-reference", message, view.place("portrait"))

    def _said_portrait(self, folder: str, ours: Head, inventory: list[InventoryItem]) -> str:
        """What is declared, else what the inventory flags."""
        if ours.portrait:
            return ours.portrait.replace("\\", "/")
        for item in inventory:
            if item.is_portrait and item.path and item.status != "rejected":
                path = inside(folder, item.path)
                if self._folders.exists(path):
                    return item.path
        return ""

    def _named_portrait(self, kind: Kind, folder: str) -> str:
        """The file that is named like a portrait."""
        if kind == "chapter":
            return ""
        name = "overview" if kind == "location" else "portrait"
        files = self._folders.files(f"{folder}/images")
        return next((f"images/{name}{end}" for end in PORTRAIT_SUFFIXES if f"{name}{end}" in files), "")


_DOWNLOAD = "let your sync program download it (keep it on this device), then run again"
_UNREADABLE = "let it be read (chmod u+r), or bring its disk back, then run again"
_UNREADABLE_FOLDER = "let it be read (chmod u+rx), or bring its disk back, then run again"


def _check_root(folders: Folders) -> None:
    """Raise ChargenError unless the library is a folder that can be read."""
    trouble = folders.listing("").trouble
    if trouble:
        raise ChargenError(f"The library folder {folders.root} {trouble}: {_UNREADABLE_FOLDER}")
    if not folders.root.is_dir():
        raise ChargenError(f"Library folder not found: {folders.root}; {_what_instead(folders.root)}")


def _what_instead(root: Path) -> str:
    """What is there instead of the missing folder *root*, and what to do."""
    if os.path.lexists(root):
        return "there is something of that name that is no folder; set 'library' to the folder of your story"
    missing, present = root, root.parent
    while not present.is_dir() and present != present.parent:
        missing, present = present, present.parent
    names = [shown_name(name) for name in Folders(present).listing("").folders]
    near = nearest(missing.name, names)
    if near:
        return f"did you mean {present / near}?"
    return f"there is no {missing.name} in {present}. Set 'library' to the folder of your story"


def _no_folder(folders: Folders, name: str) -> str:
    """What is wrong with what stands at *name* below the root; ``""`` if it is a folder, or nothing is there."""
    root = folders.listing("")
    if name in root.files or name in root.others:
        return root.away.get(name) or "is no folder"
    return ""


def _their_head(kind: Kind, files: _Files) -> Head:
    if kind == "character":
        return characters.read_head(files.imagery, files.ideas, files.style)
    return locations.read_head(files.imagery) if kind == "location" else chapters.read_head(files.imagery)


def _check_identity(view: View, kind: Kind, slug: str, problems: Problems) -> None:
    """See that an older tool's file does not claim to be something else than its folder, which is the identity."""
    for key in ("entity_type", "metadata.entity_type"):
        written = view.text(key).lower().removesuffix("-imagery").removesuffix("_imagery")
        if written and written != kind and written in KINDS:
            problems.warn(
                "wrong-kind", f"says {written}, but the folder is one of a {kind}; the folder counts", _deep(view, key)
            )
    written = view.text("slug")
    if written and written != slug:
        problems.error(
            "wrong-slug", f"says '{written}', but the folder is '{slug}'", view.place("slug"),
            advice="make the slug equal to the folder's name, or rename the folder",
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


def _pictures_of(folder: str, draft: Draft) -> set[str]:
    """The paths that the picture of *draft* may get."""
    return {f"{folder}/images/{draft.id}{end}" for end in PORTRAIT_SUFFIXES}


def _deep(view: View, key: str) -> Place:
    outer, _, inner = key.rpartition(".")
    return view.map(outer).place(inner) if outer else view.place(key)


def _check_ids(drafts: list[Draft], problems: Problems) -> None:
    """Two scenes with one id would fight for one file, also on disks that do not tell cases apart."""
    seen: dict[str, Draft] = {}
    for draft in drafts:
        first = seen.setdefault(draft.id.casefold(), draft)
        if first is not draft:
            problems.error(
                "duplicate-id", f"the id '{draft.id}' is already that of the scene at {first.place}", draft.place,
                advice="give one of them another id or title", scene=draft.id,
            )  # fmt: skip


def _is_excluded(kind: Kind, slug: str, patterns: Sequence[str]) -> bool:
    slug = same_name(slug)
    names = (slug, f"{kind}/{slug}", f"{FOLDER_OF[kind]}/{slug}")
    return any(fnmatch.fnmatchcase(name, same_name(pattern)) for pattern in patterns for name in names)


@contextmanager
def without_collector() -> Iterator[None]:
    """A library is a million small objects and no garbage: the cyclic collector would triple the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
