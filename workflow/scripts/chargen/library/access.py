"""Whether pictures and records can be put into an entity's folder: looked at while planning, before any is paid for."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from chargen.base.frozen import frozen
from chargen.pictures.presence import is_absent

_EFFECTIVE = os.access in os.supports_effective_ids


@frozen
class Barrier:
    """The file that could not be written, why, and what to do."""

    path: Path
    why: str
    advice: str


def barrier(folder: Path, *, pictures: bool = True, records: bool = True) -> Barrier | None:
    """Return what would keep *pictures*, or *records* about them, out of the entity's *folder*; None if nothing is
    known."""
    found = _record_barrier(folder / "imagery.yaml") if records else None
    images = folder / "images"
    if found is None and pictures and os.path.lexists(images) and not images.is_dir():
        return Barrier(images, "is not a folder, so no picture can be saved there", "make it a folder, then run again")
    if found is None and pictures:
        found = _barrier(images if os.path.lexists(images) else folder, "no picture can be saved there")
    return found


def _record_barrier(imagery: Path) -> Barrier | None:
    if _is_empty(imagery):
        why = "is empty, so no picture is recorded in it: an editor may be saving it"
        return Barrier(imagery, why, "add a line to it, or remove it; if an editor is saving it, run again")
    real = Path(os.path.realpath(imagery))
    return next(
        (found for path in (imagery, real.parent) if (found := _barrier(path, "no picture can be recorded there"))),
        None,
    )


def may_be_written(path: Path) -> bool:
    """Whether *path* can be written as far as the system knows, and not locked by a process; True if it does not exist.

    For root everything may be written, and a file can be replaced that may not: so the marks count too.
    """
    try:
        status = path.stat()
    except OSError as error:
        return is_absent(error)
    flags = getattr(status, "st_flags", 0)
    if flags & (stat.UF_IMMUTABLE | stat.SF_IMMUTABLE) or not status.st_mode & 0o222:
        return False
    return os.access(path, os.W_OK, effective_ids=_EFFECTIVE)


def _barrier(path: Path, consequence: str) -> Barrier | None:
    if may_be_written(path):
        return None
    if _is_on_read_only_disk(path):
        return Barrier(path, f"is not writable (Read-only file system), so {consequence}", "make its disk writable")
    return Barrier(path, f"is not writable, so {consequence}", f"chmod u+w {path.name}, then run again")


def _is_on_read_only_disk(path: Path) -> bool:
    try:
        return bool(os.statvfs(path).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _is_empty(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except OSError:
        return False
