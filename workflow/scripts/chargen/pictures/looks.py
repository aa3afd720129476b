"""Checking picture files that are to be sent: content, whether they can be sent, and conversions.

Hashing thousands of files for every plan would take seconds: what was seen of a file is remembered by its size and
time of change, in ``looks.json`` in the state. Planning reads that memory; only a run that starts writes it.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from chargen.base import durable
from chargen.base.frozen import frozen
from chargen.base.reading import WrongShape, build
from chargen.pictures import formats as pictures
from chargen.pictures.presence import EMPTY, LFS_POINTER, why_unreadable

VERSION = 2
"""Of what is found out by looking: with another one, all files are looked at again."""
SENT_AS_THEY_ARE = frozenset({"image/png", "image/jpeg", "image/webp"})


@frozen
class Look:
    """What a file is. ``trouble`` says why it cannot be sent, ``""`` if it can; ``width`` and ``height`` are those that
    a viewer shows. ``changes`` says why it cannot be sent as it is.
    """

    sha256: str = ""
    mime: str = ""
    bytes: int = 0
    width: int = 0
    height: int = 0
    trouble: str = ""
    placeholder: bool = False
    changes: tuple[str, ...] = ()

    def prepared(self, max_side: int) -> tuple[str, ...]:
        """Return how it is changed before it is sent; nothing if it is sent as it is."""
        if max(self.width, self.height) <= max_side:
            return self.changes
        scale = max_side / max(self.width, self.height)
        size = f"{max(1, round(self.width * scale))}x{max(1, round(self.height * scale))}"
        return (*self.changes, f"scaled down from {self.width}x{self.height} to {size}")


class Looker:
    """Looks at each file once, and at none that it remembers unchanged."""

    def __init__(self, path: Path):
        """*path* is where it remembers what it saw."""
        self._path = path
        self._known: dict[str, Any] = _remembered(self._path)
        self._new: dict[str, Any] = {}

    def look(self, path: Path) -> Look:
        """Return what the file at *path* is; for a file that cannot be read, ``trouble`` says why."""
        if why := why_unreadable(path):
            return Look(trouble=why)
        try:
            stat = path.stat()
        except OSError as error:
            return Look(trouble=f"cannot be read ({error.strerror})")
        stamp = [stat.st_size, stat.st_mtime_ns, VERSION]
        known = self._new.get(str(path)) or self._known.get(str(path))
        if seen := _seen(known, stamp):
            return seen
        found = _look(path)
        if not found.trouble:  # what is in the way may go away without the file changing
            self._new[str(path)] = {"stamp": stamp, "look": asdict(found)}
        return found

    def remember(self) -> None:
        """Write what was found; called when a run starts, never while planning."""
        if self._new:
            durable.write_json(self._path, _remembered(self._path) | self._new)
            self._new = {}


def _seen(known: Any, stamp: list[int]) -> Look | None:
    """Return what is remembered of a file that has not changed since; None if that is nothing that can be used."""
    if not isinstance(known, dict) or known.get("stamp") != stamp:
        return None
    try:
        look = build(Look, known.get("look"))
    except WrongShape:
        return None
    return None if look.trouble else look


def _remembered(path: Path) -> dict[str, Any]:
    try:
        known = durable.read_json(path)
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _look(path: Path) -> Look:
    try:
        if pictures.is_lfs_pointer(path):
            return Look(trouble=LFS_POINTER)
        with path.open("rb") as file:
            start = file.read(32)
        if not start:
            return Look(trouble=EMPTY)
        if pictures.identify(start) is None and not start.startswith(b"\xff\xd8\xff"):
            return _look_at_other(path)
        info = pictures.verify_file(path)
        return _look_inside(path, info.mime, info.width, info.height)
    except pictures.BrokenPicture as broken:
        return Look(trouble=f"is not a complete picture ({broken.reason})")
    except OSError as error:
        return Look(trouble=f"cannot be read ({error.strerror or error})")


def _look_inside(path: Path, mime: str, width: int, height: int) -> Look:
    """A picture of a kind that the API takes: whether its pixels are as a viewer shows them."""
    from chargen.pictures import imaging

    try:
        header = imaging.header(path)
    except imaging.Unreadable as error:
        return Look(trouble=str(error))
    changes = [] if mime in SENT_AS_THEY_ARE else [f"converted from {mime.removeprefix('image/').upper()}"]
    if header.turned:
        width, height = header.width, header.height
    changes += header.changes
    return Look(
        pictures.sha256_file(path),
        mime,
        path.stat().st_size,
        width,
        height,
        placeholder=pictures.is_placeholder(path),
        changes=tuple(changes),
    )


def _look_at_other(path: Path) -> Look:
    """A file of a kind that only an imaging library can read, decoded whole to be sure of it."""
    from chargen.pictures import imaging

    try:
        header = imaging.header(path, whole=True)
    except imaging.Unreadable as error:
        return Look(trouble=str(error))
    return Look(
        pictures.sha256_file(path),
        header.mime,
        path.stat().st_size,
        header.width,
        header.height,
        changes=(f"converted from {header.format}", *header.changes),
    )
