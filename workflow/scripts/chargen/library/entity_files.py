"""The files of one entity, read: `imagery.yaml` and, for characters, the ideas file and the style file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chargen.base.errors import Place
from chargen.library import characters, yamlio
from chargen.library.fields import Problems, View
from chargen.library.folder_checks import UNREADABLE, refuse
from chargen.library.folders import LEADS_OUT, Folders
from chargen.library.lost_text import QUOTE, lost_texts
from chargen.library.model import Kind
from chargen.library.oddities import ENTITY_FILES, IDEA_FILES, IMAGERY
from chargen.library.yaml_advice import advised
from chargen.library.yamlio import InvalidYaml, Map
from chargen.pictures.presence import EMPTY, LFS_POINTER, NOT_DOWNLOADED, why_unreadable

_DOWNLOAD = "download it with your sync program (keep it on this device), then run again"


@dataclass(frozen=True)
class EntityFiles:
    """The files of one entity, read."""

    imagery: View
    ideas: View
    style: View


def read_files(folders: Folders, kind: Kind, folder: str, problems: Problems) -> EntityFiles | None:
    """The entity's files; None if one of those that hold its wishes cannot be read."""
    listing = folders.listing(folder)
    ideas = [name for name in IDEA_FILES if name in listing.files]
    if len(ideas) > 1:
        problems.error(
            "two-ideas-files", f"there are both {ideas[0]} and {ideas[1]}", Place(f"{folder}/{ideas[1]}"),
            advice="keep one of them",
        )  # fmt: skip
        return None
    for name in ENTITY_FILES:
        if listing.away.get(name) == LEADS_OUT:
            message = "the file is a link to a place outside the library"
            refuse(problems, f"{folder}/{name}", message, "outside-library", "replace it with the file itself")
            return None
        if name in listing.others or name in listing.folders:
            message = "this name exists, but is not a file"
            refuse(problems, f"{folder}/{name}", message, "no-file", "replace it with the file itself")
            return None
    is_character = kind == "character"
    imagery = _read_file(folders, folder, IMAGERY, problems)
    ideas_view = _read_file(folders, folder, ideas[0] if ideas and is_character else "", problems)
    style = _read_style(folders, folder, problems) if is_character else View(Map(), folder)
    if imagery is None or ideas_view is None or style is None:
        return None
    return EntityFiles(imagery, ideas_view, style)


def _read_file(folders: Folders, folder: str, name: str, problems: Problems) -> View | None:
    """The content of a file; empty if it does not exist, None if it cannot be read."""
    file = f"{folder}/{name or IMAGERY}"
    if name not in folders.files(folder):
        return View(Map(), file)
    path = folders.root / file
    if why := folders.away(file) or why_unreadable(path):
        code, advice = ("not-downloaded", _DOWNLOAD) if why == NOT_DOWNLOADED else ("unreadable-file", UNREADABLE)
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
        problems.error("unreadable-file", why, Place(file), advice=UNREADABLE)
    else:
        if not data:
            message = f"{EMPTY}; it counts as an entity without scenes"
            problems.warn("empty-file", message, Place(file), "download it, or wait until your editor has saved it")
        for lost in lost_texts(data, view.data):
            problems.warn("lost-text", lost.message, Place(file, lost.line, lost.column, lost.key), QUOTE)
        return view
    return None


def _read_style(folders: Folders, folder: str, problems: Problems) -> View | None:
    """The style file; None if it cannot be read. One that is not YAML is warned of: the entity does without."""
    found = Problems(problems.entity)
    view = _read_file(folders, folder, characters.STYLE_FILE, found)
    is_invalid = any(problem.code == "invalid-yaml" for problem in found.found)
    if not is_invalid:
        problems.found += found.found
        return view
    problems.found += [
        replace(problem, severity="warning", effect="", message=f"{problem.message}; its style is not used")
        for problem in found.found
    ]
    return View(Map(), folder)
