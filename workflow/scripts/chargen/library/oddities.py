"""Things in a library that are not entities but look like one: misnamed files, copies, folders without the file.

Nothing of it is read. It is named, with what it is taken for, so that its author does not wait for pictures in vain.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePosixPath

from chargen.library.folders import Folders, Listing, same_name
from chargen.library.model import KIND_FOLDERS, Kind
from chargen.pictures.presence import FOLDER_SUFFIX, NOT_DOWNLOADED

IMAGERY = "imagery.yaml"
IDEA_FILES = ("image-ideas.yaml", "image_ideas.yaml")
ENTITY_FILES = (IMAGERY, *IDEA_FILES)
KNOWN_FILES = frozenset({*ENTITY_FILES, "image_style.yaml", "imagery.runs.yaml"})

_MISNAMED = re.compile(r"(imagery|image[-_ ]ideas)(\.(ya?ml|txt|rtf|md|docx?|odt|html?|json|gdoc|gsheet|url|lnk))*")
_GOOGLE = (".gdoc", ".gsheet")
_WORD_PROCESSORS = (".rtf", ".doc", ".docx", ".odt", ".html", ".htm")
_NEAR = 0.8
# How sync programs and file managers mark a second version: "x (Anna's conflicted copy 2026-11-20)", "x (1)" (Dropbox,
# Nextcloud, Google Drive, browsers), "x 2" (iCloud), "x copy", "x - Copy", "Copy of x"; of files also "x-LAPTOP-7"
# (OneDrive adds the machine) and "x.sync-conflict-20261120-101112-ABCDEFG" (Syncthing).
_COPY_START = re.compile(r"(?:copy of|kopie von|copie de) +", re.IGNORECASE)
_COPY_END = re.compile(
    r" *\((?:\d+|[^()]*(?:conflict|konflikt|conflit|copy|copie|kopie)[^()]*)\)\Z"
    r"| \d{1,2}\Z|(?: -)? (?:copy|copie|kopie)(?: \d+)?\Z",
    re.IGNORECASE,
)
_FILE_COPY_END = re.compile(r" *\([^()]*\)\Z|-[A-Z0-9][A-Z0-9-]{3,}\Z|\.sync-conflict-[\w-]+\Z")
_MOST_NAMED = 5
_MOST_LOOKED_INTO = 50


def is_entity(listing: Listing) -> bool:
    """Whether the folder is an entity: it has one of the files, be it only a placeholder or something unreadable."""
    return any(name in listing.files or name in listing.others or name in listing.folders for name in ENTITY_FILES)


def misnamed(listing: Listing) -> tuple[str, str]:
    """A file that is probably meant to be imagery.yaml, and what to do; empty texts if there is none."""
    for name in sorted(listing.files):
        meant, low = _meant(name), name.casefold()
        if meant and (meant not in listing.files or ".y" in low):  # beside the right one, notes are no mistake
            if low.endswith(_GOOGLE):
                return name, f"it only points to a Google document: download that as plain text and call it {meant}"
            if low.endswith(_WORD_PROCESSORS):
                return name, f"save it as plain text (UTF-8) and call it {meant}"
            return name, f"rename it to {meant}"
    only = [] if is_entity(listing) else copies(listing)
    return (only[0], f"it looks like a copy of {IMAGERY}, which is missing: rename it") if only else ("", "")


def copies(listing: Listing) -> list[str]:
    """The names of what looks like a second version of an entity's file."""
    return sorted(name for name in listing.files if name not in KNOWN_FILES and _is_copy(name))


def copy_of(folder: str, others: Collection[str]) -> str:
    """The one of *others* that the folder named *folder* looks like a copy of; ``""`` if there is none."""
    original = _original(folder, _COPY_END)
    return original if original in others else ""


class Survey:
    """Collects what the kinds' folders contain besides entities, for the plan."""

    def __init__(self, folders: Folders) -> None:
        self._folders = folders
        self._bare: dict[str, list[str]] = {}
        self._found: dict[str, int] = {}

    def count(self, kind_folder: str) -> None:
        """Note an entity."""
        self._found[kind_folder] = self._found.get(kind_folder, 0) + 1

    def without_file(self, kind_folder: str, name: str) -> None:
        """Note a folder that has neither file."""
        self._bare.setdefault(kind_folder, []).append(name)

    def notices(self) -> list[str]:
        """What should be known of folders and files that are passed over."""
        found = []
        for kind_folder in KIND_FOLDERS:
            bare = self._bare.get(kind_folder, [])
            if bare:
                found.append(f"{kind_folder}/ has {_many(len(bare), 'folder')} without {IMAGERY}: {_some(bare)}")
            found += self._deeper(kind_folder, bare)
            loose = self._loose_files(kind_folder)
            if loose:
                found.append(
                    f"{kind_folder}/ contains {_some(loose)} outside of a folder: an entity is a folder, like "
                    f"{kind_folder}/{PurePosixPath(loose[0]).stem.casefold()}/{IMAGERY}"
                )
            away = sorted(name for name in self._folders.files(kind_folder) if name.endswith(FOLDER_SUFFIX))
            if away:
                found.append(f"{kind_folder}/ holds {_some(away)}: a folder that {NOT_DOWNLOADED.removeprefix('is ')}")
        return found

    def misnamed_kinds(self) -> list[tuple[str, Kind, int]]:
        """Folders of the root that are probably meant to be one of a kind: name, kind, and how many entities."""
        found = []
        root = self._folders.listing("")
        for name in sorted(root.folders - KIND_FOLDERS.keys()):
            kind_folder = _kind_meant(name)
            if kind_folder and not self._folders.is_same(name, kind_folder):
                count = len(self._entities_in(name))
                if count:
                    found.append((name, KIND_FOLDERS[kind_folder], count))
        return found

    def mistake(self) -> str:
        """Where the library probably is instead, if the folder that was named holds no entity; ``""`` if unknown."""
        root = self._folders.root
        if is_entity(self._folders.listing("")):
            return f"it is a folder of one entity; set 'library' to {root.parent.parent}"
        inner = self._entities_in("")
        if inner and (root.name in KIND_FOLDERS or _kind_meant(root.name)):
            return (
                f"it is itself a folder of entities ({_many(len(inner), 'folder')} with {IMAGERY}: {_some(inner)}); "
                f"set 'library' to {root.parent}"
            )
        within = [name for name in self._some_folders("") if KIND_FOLDERS.keys() & self._folders.listing(name).folders]
        if within:
            return f"there is a library in {_some(within)}; set 'library' to {root / within[0]}"
        return ""

    def nothing(self) -> str:
        """What a library without entities holds."""
        root = self._folders.listing("")
        visible = sorted(name for name in root.folders | root.files if not name.startswith("."))
        kinds = [folder for folder in KIND_FOLDERS if folder in root.folders]
        inner = self._entities_in("")
        if inner:
            return f"{_some(inner)} have {IMAGERY}, but are not in characters/, locations/ or chapters/; move them"
        if kinds:
            return ", ".join(f"{folder}/ has {_many(len(self._some_folders(folder)), 'folder')}" for folder in kinds)
        if not visible:
            return "the folder is empty; `snakemake init` makes an example there"
        return f"it has no characters/, locations/ or chapters/, but {_some(visible)}"

    def _deeper(self, kind_folder: str, bare: Iterable[str]) -> list[str]:
        """Folders that hold entities one level too deep."""
        found = []
        for name in list(bare)[:_MOST_LOOKED_INTO]:
            inner = self._entities_in(f"{kind_folder}/{name}")
            if inner:
                found.append(
                    f"{kind_folder}/{name}/ holds {_many(len(inner), 'folder')} with {IMAGERY} ({_some(inner)}), but "
                    f"entities are looked for directly under {kind_folder}/"
                )
        return found

    def _entities_in(self, folder: str) -> list[str]:
        start = f"{folder}/" if folder else ""
        return [name for name in self._some_folders(folder) if is_entity(self._folders.listing(start + name))]

    def _some_folders(self, folder: str) -> list[str]:
        names = (name for name in self._folders.listing(folder).folders if not name.startswith("."))
        return sorted(names)[:_MOST_LOOKED_INTO]

    def _loose_files(self, kind_folder: str) -> list[str]:
        names = self._folders.files(kind_folder)
        return sorted(name for name in names if name.endswith((".yaml", ".yml")) and not name.startswith("."))


def _meant(name: str) -> str:
    """The entity file that the file *name* is probably meant to be; ``""`` for none, and for what is right."""
    low = same_name(name).casefold().strip()
    if name in KNOWN_FILES or name.startswith(".") or _is_copy(name):
        return ""
    if low in ENTITY_FILES:
        return low
    if _MISNAMED.fullmatch(low):
        return IMAGERY if low.startswith("imagery") else "image-ideas.yaml"
    path = PurePosixPath(low)
    if path.suffix in (".yaml", ".yml") and path.stem not in {PurePosixPath(known).stem for known in KNOWN_FILES}:
        near = difflib.get_close_matches(path.stem, ["imagery", "image-ideas"], 1, _NEAR)
        return f"{near[0]}.yaml" if near else ""
    return ""


def _is_copy(name: str) -> bool:
    path = PurePosixPath(name)
    if path.suffix not in (".yaml", ".yml"):
        return False
    originals = (_original(path.stem, end) for end in (_COPY_END, _FILE_COPY_END))
    return any(f"{original}.yaml" in ENTITY_FILES for original in originals)


def _original(name: str, copy_end: re.Pattern[str]) -> str:
    """*name* without the signs of a copy; ``""`` if it has none."""
    start, end = _COPY_START.match(name), copy_end.search(name)
    if start:
        return name[start.end() :]
    return name[: end.start()] if end else ""


def _kind_meant(name: str) -> str:
    low = name.casefold().strip()
    if low in KIND_FOLDERS:
        return low
    near = difflib.get_close_matches(low, list(KIND_FOLDERS), 1, _NEAR)
    return near[0] if near else ""


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
