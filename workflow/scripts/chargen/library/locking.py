"""Locks of a library: one process at a time writes to each entity, from any checkout or provider.

The lock lies in the library, because that is what all of them share: an empty file in its root, of which each entity
has one byte to lock. Such locks hold between the machines that share a network disk, and the system releases them when
a process dies. They do not hold between machines that have copies of their own, kept equal by a service or by git.

Where the file cannot be made or locked, the entity's folder is locked instead, which holds on this machine only.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import stat
import threading
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from chargen.base import events

LOCK_FILE = ".chargen.lock"
"""In the root of the library. It holds nothing, never changes, and may be deleted while chargen does not run."""

_BUSY = frozenset({errno.EACCES, errno.EAGAIN, errno.EWOULDBLOCK})
_RANGE = 2**31  # the oldest network disks know no longer files


@dataclass
class _Guard:
    """The lock of one entity as this process has it."""

    threads: threading.RLock = field(default_factory=threading.RLock)
    depth: int = 0
    release: Callable[[], None] = lambda: None


_guards: dict[tuple[Path, int], _Guard] = {}
_files: dict[Path, int] = {}
"""Open lock files by library. They stay open: closing one would release what other threads hold in it."""
_making = threading.Lock()
_warned: set[Path] = set()


@contextmanager
def writing(library: Path, folder: Path) -> Iterator[None]:
    """Hold the lock on the entity *folder* of *library*: for reading what is there, deciding, and writing.

    Whoever holds it may take it again. Without a library there is nothing to hold.
    """
    root = library.resolve()
    place = _place(os.path.relpath(folder.resolve(), root))
    with _making:
        guard = _guards.setdefault((root, place), _Guard())
    with guard.threads:
        if not guard.depth:
            guard.release = _take(root, place, folder)
        guard.depth += 1
        try:
            yield
        finally:
            guard.depth -= 1
            if not guard.depth:
                guard.release()


def _place(folder: str) -> int:
    """Return which byte stands for *folder* (relative to the library), however its name is composed and spelled."""
    name = unicodedata.normalize("NFC", folder).casefold()
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:8]) % _RANGE


def _take(root: Path, place: int, folder: Path) -> Callable[[], None]:
    """Wait for the lock; return what releases it."""
    try:
        file = _lock_byte(root, place)
    except FileNotFoundError:
        return lambda: None
    except OSError as error:
        return _take_folder(root, folder, error)
    return lambda: _unlock_byte(file, place)


def _lock_byte(root: Path, place: int) -> int:
    while True:
        file = _opened(root)
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError as error:
            if error.errno not in _BUSY:
                raise
            words = f"waiting for another process that is writing to the same folder of {root}"
            events.log("trouble", words, level="debug", delay_s=0)
            fcntl.lockf(file, fcntl.LOCK_EX, 1, place)
        if _is_in_place(file, root):
            return file
        _unlock_byte(file, place)
        with _making:
            if _files.get(root) == file:  # it was deleted; left open, because other threads may hold it
                del _files[root]


def _opened(root: Path) -> int:
    with _making:
        if root not in _files:
            path = root / LOCK_FILE
            made = not path.exists()
            file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
            if made:  # all who can write to the library can lock it
                with suppress(OSError):
                    os.fchmod(file, stat.S_IMODE(root.stat().st_mode) & 0o666)
            _files[root] = file
        return _files[root]


def _is_in_place(file: int, root: Path) -> bool:
    try:
        there = (root / LOCK_FILE).stat()
    except FileNotFoundError:
        return False
    ours = os.fstat(file)
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _unlock_byte(file: int, place: int) -> None:
    fcntl.lockf(file, fcntl.LOCK_UN, 1, place)


def _take_folder(root: Path, folder: Path, error: OSError) -> Callable[[], None]:
    """Lock the folder itself, as far as this machine goes."""
    if root not in _warned:
        _warned.add(root)
        words = (
            f"{root / LOCK_FILE}: {error.strerror}: the library can be locked only on this machine; let no other "
            "machine write to it meanwhile"
        )
        events.log("problem", words, level="warning")
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return lambda: None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
    except OSError:  # a disk without locks
        os.close(handle)
        return lambda: None
    return lambda: os.close(handle)
