"""Files that survive a crash: written whole or not at all, appended line by line, guarded by locks.

Locks are advisory and belong to the process: the system releases them when it dies, so none is ever stale.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from chargen.base.errors import ChargenError
from chargen.base.processes import process_alive


def dump(data: object) -> bytes:
    """Return *data* as readable JSON with a final newline; equal data gives equal bytes."""
    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def canonical(data: object) -> bytes:
    """Return *data* as JSON with sorted keys and no spaces: what hashes are taken of."""
    return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Let errors of the system say that they are about *path*: a write that finds the disk full does not know it."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(path)
        raise


def make_folder(folder: Path) -> None:
    """Make *folder* and its parents, each name durable; an existing folder stays as it is."""
    missing = []
    while not folder.is_dir():
        missing.append(folder)
        if folder == folder.parent:
            break
        folder = folder.parent
    for path in reversed(missing):
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in *folder* durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write(path: Path, data: bytes) -> None:
    """Put *data* at *path* so that a crash leaves the old file or the new one, never a part."""
    make_folder(path.parent)
    temporary = draft_of(path)
    try:
        with naming(path), temporary.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sweep(folder: Path) -> None:
    """Remove drafts of dead processes below *folder* (see `draft_of`)."""
    for path in folder.rglob(".*.part"):
        remove_if_dead(path)


def remove_dead_drafts(path: Path) -> None:
    """Remove drafts of *path* that dead processes left beside it (see `draft_of`)."""
    with os.scandir(path.parent) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(f".{path.name}.")]
    for name in names:
        if name.endswith(".part"):
            remove_if_dead(path.with_name(name))


def draft_of(path: Path) -> Path:
    """Return where this process writes what will stand at *path*: beside it, under a name of its own that says whose it
    is. Each call gives another name, so that threads do not meet."""
    return path.with_name(f".{path.name}.{_owner()}-{os.getpid()}-{next(_drafts)}.part")


_drafts = itertools.count(1)
_DRAFT = re.compile(r"\..+\.(?P<owner>chargen-[0-9a-f]{10})-(?P<pid>\d+)-\d+\.part")
_DRAFT_OF_0_1_0 = re.compile(r"\.(.+\.[^.]+-\d+|imagery\.yaml\.\d+|[0-9a-f]{16})\.part")
ABANDONED_S = 48 * 3600.0
"""The age at which a draft counts as abandoned if its process cannot be checked."""


@cache
def _owner() -> str:
    """Whose drafts these are: the machine as it runs since its last start, and which of its processes can be seen here.

    Process numbers mean something only within that. Two machines may have one name, containers share a machine, and
    what ran before the last start is gone.
    """
    import hashlib

    facts = [socket.gethostname()]
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        with suppress(OSError):  # no such file on this system
            facts.append(str(path.stat().st_ino) if path.name == "pid" else path.read_text())
    return "chargen-" + hashlib.sha256("\n".join(facts).encode()).hexdigest()[:10]


def remove_if_dead(draft: Path) -> None:
    """Remove *draft* if its process is dead; if that is unknown, once it is two days old."""
    ours = _DRAFT.fullmatch(draft.name)
    if not ours and not _DRAFT_OF_0_1_0.fullmatch(draft.name):
        return
    if ours and ours["owner"] == _owner():
        dead = not process_alive(int(ours["pid"]))
    else:
        try:
            dead = time.time() - draft.stat().st_mtime > ABANDONED_S
        except FileNotFoundError:
            return
    if dead:
        draft.unlink(missing_ok=True)


def write_json(path: Path, data: object) -> None:
    """`write` of `dump`."""
    write(path, dump(data))


def read_json(path: Path) -> Any:
    """Return what is in the JSON file *path*. Raises `UnreadableFile` if it is torn or empty, OSError if it is gone."""
    data = path.read_bytes()
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise UnreadableFile(path, str(error) if data else "it is empty") from None


def read_object(path: Path) -> dict[str, Any]:
    """Return the JSON object in *path*; raises as `read_json`, also for any other JSON."""
    data = read_json(path)
    if not isinstance(data, dict):
        raise UnreadableFile(path, "it does not hold a JSON object")
    return data


class UnreadableFile(ChargenError, ValueError):
    """A file of chargen's own is damaged, or holds something else; ``path`` and ``why`` say which and how."""

    def __init__(self, path: Path, why: str):
        super().__init__(
            f"{path}: cannot be read: {why}. Restore it from a backup of state/ if you have one; "
            "docs/troubleshooting.md says what each file is for"
        )
        self.path = path
        self.why = why


def append_line(path: Path, data: object) -> None:
    """Add one JSON line to *path* and make it durable. Call it under a lock.

    A line that a crash cut off is ended first, so that it spoils only itself.
    """
    make_folder(path.parent)
    new = not path.exists()
    with naming(path), path.open("ab+") as handle:
        if handle.tell():
            handle.seek(-1, os.SEEK_END)
            if handle.read(1) != b"\n":
                handle.write(b"\n")
        handle.write(orjson.dumps(data, option=orjson.OPT_APPEND_NEWLINE))
        handle.flush()
        os.fsync(handle.fileno())
    if new:
        sync_folder(path.parent)


@dataclass
class Unreadable:
    """The unreadable lines of a file: filled while it is read, ``at`` is the line read last."""

    lines: list[str] = field(default_factory=list)
    at: int = 0


def unreadable_lines(path: Path, lines: Sequence[str]) -> str:
    """Return what a person should know of the *lines* of *path* that cannot be read."""
    shown = ", ".join(lines[:5]) + (", …" if len(lines) > 5 else "")
    return f"{path}: {'line' if len(lines) == 1 else 'lines'} {shown} cannot be read and were skipped"


def read_lines(path: Path, unreadable: Unreadable | None = None) -> Iterator[dict[str, Any]]:
    """Yield the JSON objects of *path* in order; nothing if there is no file.

    Lines that hold none, which a crash tore or something else damaged, are skipped and noted in *unreadable*.
    """
    noted = unreadable or Unreadable()
    try:
        handle = path.open("rb")
    except FileNotFoundError:
        return
    with handle:
        for noted.at, line in enumerate(handle, 1):
            try:
                item = orjson.loads(line)
            except orjson.JSONDecodeError:
                item = None
            if isinstance(item, dict):
                yield item
            elif line.strip():
                noted.lines.append(str(noted.at))


def expose(source: Path, target: Path) -> None:
    """Show the precious file *source* at *target*, where Snakemake may delete it: as a copy, or a link if it is large.

    A hard link shares the bytes and dies alone; nothing ever writes into a file that stands under results/.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    if source.stat().st_size > 1_000_000:
        try:
            os.link(source, target)
            os.utime(target)
            return
        except OSError:
            pass
    with naming(target):
        shutil.copyfile(source, target)


@contextmanager
def lock(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold the lock file *path*; yields whether it was got (always, if *wait*)."""
    import filelock

    path.parent.mkdir(parents=True, exist_ok=True)
    guard = filelock.FileLock(path)
    try:
        guard.acquire(timeout=-1 if wait else 0)
    except filelock.Timeout:
        yield False
        return
    try:
        yield True
    finally:
        guard.release()
