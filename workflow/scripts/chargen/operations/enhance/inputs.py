"""The input folder of an enhancement: its pictures, the prompt of each, and skipped files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from chargen.base.errors import CannotPlan
from chargen.base.frozen import frozen
from chargen.pictures.presence import NOT_DOWNLOADED, is_absent, stands_for, why_unreadable
from chargen.records.settings import Settings

FOLDER_PROMPT = "prompt.txt"
SIDECAR = ".txt"
UNFINISHED = frozenset({".part", ".partial", ".crdownload", ".download", ".tmp"})


@frozen
class Input:
    """A file of the input folder; ``name`` is its path below that folder with ``/``.

    ``trouble`` says why it cannot be sent, without a look inside; ``""`` if nothing is known against it.
    """

    name: str
    path: Path
    prompt: str
    trouble: str = ""


def inputs(settings: Settings) -> tuple[list[Input], int]:
    """Return every file below the input folder that is not a prompt, in order, and how many hidden ones it has.

    Our own results are passed over where they lie in that folder. Raises ChargenError for a prompt that cannot be read
    or is empty.
    """
    source, results = Path(settings.enhance.input_dir), Path(settings.enhance.output_dir)
    found = _Walk(source, None if source.is_relative_to(results) else results)
    prompts = set(_prompts(path for path, trouble in found.files if not trouble))
    return [
        Input(_name(path, source), path, "" if trouble else _prompt_for(settings, path, source), trouble)
        for path, trouble in found.files
        if path not in prompts
    ], found.hidden


class _Walk:
    """What lies below a folder: ``files`` with what is against each, and how many are ``hidden``."""

    def __init__(self, source: Path, results: Path | None):
        self._inside = source.resolve()
        self._results = results
        self.files: list[tuple[Path, str]] = []
        self.hidden = 0
        self._walk(source)

    def _walk(self, folder: Path) -> None:
        try:
            paths = sorted(folder.iterdir())
        except OSError as error:
            self.files.append((folder, f"cannot be read ({error.strerror})"))
            return
        for path in paths:
            meant = stands_for(path.name)
            if meant and not path.with_name(meant).exists():
                self.files.append((path.with_name(meant), NOT_DOWNLOADED))
            elif path.name.startswith("."):
                self.hidden += 1
            elif path == self._results:
                continue
            elif path.is_dir() and not path.is_symlink():
                self._walk(path)
            elif not (path.is_symlink() and path.is_dir() and self._leads_inside(path)):
                self.files.append((path, self._against(path)))

    def _leads_inside(self, path: Path) -> bool:
        return path.resolve().is_relative_to(self._inside)

    def _against(self, path: Path) -> str:
        try:
            path.name.encode()
        except UnicodeEncodeError:
            return "has a name that is not UTF-8; rename it"
        if path.is_symlink() and not path.exists():
            return "is a broken link"
        if path.is_symlink() and not self._leads_inside(path):
            return "is a link to a file outside the folder; copy the file instead"
        if not path.is_file():
            return "is not a regular file"
        if path.suffix.lower() in UNFINISHED:
            return "looks unfinished by its name"
        return ""


def _name(path: Path, source: Path) -> str:
    """The path below *source*; what is not UTF-8 in it is shown by its bytes."""
    return os.fsencode(path.relative_to(source).as_posix()).decode("utf-8", "backslashreplace")


def _prompts(files: Iterator[Path]) -> Iterator[Path]:
    """The prompt files: those of folders, and those beside a picture."""
    known = list(files)
    others = {path for path in known if path.suffix.lower() != SIDECAR}
    whole = {path.with_name(path.name + SIDECAR) for path in others}
    stems = {path.with_suffix(SIDECAR) for path in others}
    yield from (path for path in known if path.name == FOLDER_PROMPT or path in whole or path in stems)


def _prompt_for(settings: Settings, path: Path, source: Path) -> str:
    """The prompt for the picture at *path*: from its own file, the nearest folder's, else the configuration."""
    for sidecar in (path.with_name(path.name + SIDECAR), path.with_suffix(SIDECAR)):
        if sidecar != path and _is_there(sidecar):
            return _text(sidecar)
    for folder in path.parents:
        if _is_there(folder / FOLDER_PROMPT):
            return _text(folder / FOLDER_PROMPT)
        if folder == source:
            break
    return settings.enhance.prompt.strip()


def _is_there(path: Path) -> bool:
    """Whether *path* is a file, also an unreadable one; not if the name is impossible."""
    try:
        return path.is_file() or bool(why_unreadable(path))
    except OSError as error:
        return not is_absent(error)


def _text(path: Path) -> str:
    if why := why_unreadable(path):
        raise CannotPlan(f"enhance: {path}: the prompt {why}; make it readable, then run again")
    try:
        text = path.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CannotPlan(f"enhance: {path}: the prompt cannot be read ({error})") from None
    if not text:
        raise CannotPlan(f"enhance: {path}: the prompt is empty; write a prompt, or remove the file")
    return text
