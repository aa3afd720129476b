"""A new version of an author's file put in the place of the old one, although its author may save it at any moment.

Editors save in two ways. Some write into the file that is there: they empty it, write, and close it. Others write a new
file and rename it over the old one. Here nothing is replaced that is empty or being written, old and new version change
places in one step, so that nothing is ever overwritten unseen, and what was taken out of its place is looked at again:
if its author has written into it meanwhile, it gets its place back.

Whether somebody has a file open for writing is asked of the kernel where it knows (Linux: a read lease is refused
while the file is open for writing, fcntl(2)). Elsewhere a file that was changed just now is waited for, and what was
replaced is kept for a moment before it is looked at.
"""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from chargen.base import durable

QUIET_S = 1.0
"""Without leases: how long a file must have been left alone before it is taken for saved."""
GRACE_S = 0.1
"""Without leases: how long what was replaced is kept before it is looked at for the last time."""
_MOST_EXCHANGES = 8
_ATTEMPTS = 20
_LONGEST_PAUSE_S = 0.25

_Stamp = tuple[int, int, int, int]
"""Which file it is (device, inode), and what changes when it is written (bytes, time of change in ns)."""
_NOTHING: _Stamp = (0, 0, 0, 0)

pause: Callable[[float], None] = time.sleep
"""Waits so many seconds."""


def moment(name: str) -> None:
    """Called between all steps that a save of the author's could come between; tests let an editor act here."""


class Unsettled(Exception):
    """The file is being saved by another program, or was saved meanwhile. Nothing was changed; a later try may work."""


class SettledFile:
    """A file that was read while no other process was writing it. ``data`` are its bytes, None if there is no file.

    Raises `Unsettled` for a file that is empty or being written, ``OSError`` for one that cannot be read. Use it in a
    ``with`` block.
    """

    def __init__(self, target: Path) -> None:
        self._target = target
        self._file = -1
        self.data: bytes | None = None
        try:
            # Without waiting: a pipe of that name would keep us here for ever.
            self._file = os.open(target, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except FileNotFoundError:
            pause(GRACE_S)  # some editors take the old file away before they make the new one
            if os.path.lexists(target):
                raise Unsettled("was created meanwhile") from None
            return
        try:
            self._status = os.fstat(self._file)
            if not stat.S_ISREG(self._status.st_mode):
                raise OSError(errno.EISDIR, "is not a regular file", str(target))
            self.data = self._read_settled()
        except BaseException:
            os.close(self._file)
            raise

    def __enter__(self) -> SettledFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file >= 0:
            os.close(self._file)

    def replace(self, new: bytes) -> None:
        """Put *new* durably in the file's place, with the same access rights.

        Raises `Unsettled` if the author saved the file first: the author's version is then in place, and complete.
        """
        draft = durable.draft_of(self._target)
        draft.unlink(missing_ok=True)
        try:
            ours = self._write_draft(draft, new)
            moment("written")
            self._check_unchanged()
            moment("checked")
            if self.data is None:
                _publish(draft, self._target)
            else:
                self._take_place(draft, ours)
        finally:
            draft.unlink(missing_ok=True)
        durable.sync_folder(self._target.parent)
        moment("replaced")
        if _look(self._target) != ours:
            raise Unsettled("was saved again immediately")

    def _read_settled(self) -> bytes:
        being_written = is_being_written(self._file, self._target.parent)
        if being_written:
            raise Unsettled("is open for writing in another program")
        moment("opened")
        data = _read_all(self._file)
        moment("read")
        if not data.removeprefix(b"\xef\xbb\xbf").strip():
            raise Unsettled("is empty; an editor may be saving it")
        if being_written is None and time.time() - self._status.st_mtime < QUIET_S:
            pause(QUIET_S)
        self._check_unchanged()
        return data

    def _check_unchanged(self) -> None:
        """Raise `Unsettled` unless the file in place is still the one that was read, and as it was then."""
        if self.data is None and self._file < 0:
            if os.path.lexists(self._target):
                raise Unsettled("was created meanwhile")
        elif _look(self._target) != _stamp(self._status):
            raise Unsettled("was saved meanwhile")

    def _write_draft(self, draft: Path, new: bytes) -> _Stamp:
        """Write *new* to the disk under the name *draft*; return which file that is."""
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        with durable.naming(self._target), os.fdopen(descriptor, "wb") as file:
            if self.data is not None:
                _keep_access(self._status, file.fileno())
            file.write(new)
            file.flush()
            os.fsync(file.fileno())
            return _stamp(os.fstat(file.fileno()))

    def _take_place(self, draft: Path, ours: _Stamp) -> None:
        """Let draft and file change places; the name *draft* is what was replaced then, or gone."""
        try:
            if not exchange(draft, self._target):
                self._take_place_by_link(draft)
        except FileNotFoundError:
            raise Unsettled("was removed meanwhile") from None
        try:
            moment("exchanged")
            self._check_replaced(draft)
        except BaseException:
            self._give_back(draft, ours)
            raise

    def _take_place_by_link(self, draft: Path) -> None:
        """What `exchange` does, on systems without it. A file that is renamed over the target within the few
        microseconds between the look and the rename is lost there.
        """
        kept = draft.with_name(f"{draft.name}.kept")
        kept.unlink(missing_ok=True)
        try:
            with suppress(OSError):  # a file system without links
                os.link(self._target, kept)
            self._check_unchanged()
            draft.replace(self._target)
            if kept.exists():
                kept.rename(draft)
        finally:
            kept.unlink(missing_ok=True)

    def _check_replaced(self, replaced: Path) -> None:
        """Raise `Unsettled` unless what was replaced is what was read, complete, and not being written."""
        if not os.path.lexists(replaced):
            return
        if _look(replaced) != _stamp(self._status):
            raise Unsettled("was saved meanwhile")
        being_written = is_being_written(self._file, self._target.parent)
        if being_written:
            raise Unsettled("is open for writing in another program")
        if being_written is None:
            pause(GRACE_S)
        moment("looked")
        if self._is_changed():
            raise Unsettled("was saved meanwhile")

    def _is_changed(self) -> bool:
        """Whether the file that was read has changed since, wherever it stands."""
        return _stamp(os.fstat(self._file)) != _stamp(self._status) or _read_all(self._file) != self.data

    def _give_back(self, replaced: Path, ours: _Stamp) -> None:
        """Give the author's file its place again, or leave the place to what the author has saved over ours since.

        Afterwards the name *replaced* holds nothing that anybody needs.
        """
        for _ in range(_MOST_EXCHANGES):
            moment("giving back")
            if not os.path.lexists(replaced):
                return
            try:
                if not exchange(replaced, self._target):
                    self._give_back_by_rename(replaced, ours)
                    return
            except FileNotFoundError:
                with suppress(FileExistsError):
                    os.link(replaced, self._target)
                    return
                continue
            if _look(replaced)[:2] == ours[:2]:
                return
            # What came out was saved over ours: it is newer than what went in, and goes back.
            with suppress(FileNotFoundError):
                exchange(replaced, self._target)
            if _look(replaced)[:2] == _stamp(self._status)[:2] and not self._is_changed():
                return
        self._keep_aside(replaced)

    def _give_back_by_rename(self, replaced: Path, ours: _Stamp) -> None:
        if _look(self._target)[:2] in (ours[:2], _NOTHING[:2]):
            replaced.replace(self._target)
        elif self._is_changed():
            self._keep_aside(replaced)

    def _keep_aside(self, replaced: Path) -> None:
        kept = self._target.with_name(f"{self._target.name}.saved-{time.time_ns()}")
        replaced.rename(kept)
        words = f"was saved by several programs at once; one version is kept in {kept.name}"
        raise OSError(errno.EBUSY, words, str(self._target))


def patiently() -> Iterator[None]:
    """Yield at once, then again and again after growing pauses, for some seconds in all."""
    for attempt in range(_ATTEMPTS):
        yield
        if attempt < _ATTEMPTS - 1:
            pause(min(0.02 * 2**attempt, _LONGEST_PAUSE_S))


def wait_until_settled(path: Path) -> str:
    """Wait while another program saves the file at *path*; return what is in the way if that does not end, else ``""``.

    A file that is not there, or cannot be read, is nothing to wait for.
    """
    why = ""
    for _ in patiently():
        try:
            if os.path.lexists(path):
                with SettledFile(path):
                    pass
            return ""
        except Unsettled as unsettled:
            why = str(unsettled)
        except OSError:
            return ""
    return why


def is_being_written(file: int, folder: Path) -> bool | None:
    """Whether somebody has the open *file* (opened for reading, in *folder*) open for writing; None: unknown."""
    answer = _probe(file)
    if answer and not _leases_work(folder):
        return None
    return answer


def _probe(file: int) -> bool | None:
    """Whether a read lease is refused because of a writer; None where there are no leases."""
    if not hasattr(fcntl, "F_SETLEASE"):
        return None
    try:
        fcntl.fcntl(file, fcntl.F_SETSIG, signal.SIGURG)  # ignored without a handler, unlike SIGIO
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return True if error.errno == errno.EAGAIN else None
    return False


def _leases_work(folder: Path) -> bool:
    """Whether a file that is not being written gets a lease there. NFS refuses all of them with the same error."""
    path = durable.draft_of(folder / "lease")
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return True  # the folder takes no file, so nothing will be written either
    try:
        return _probe(file) is False
    finally:
        os.close(file)
        path.unlink(missing_ok=True)


def exchange(one: Path, other: Path) -> bool:
    """Let two files change places in one step; False, and nothing done, where the system cannot do that."""
    if sys.platform == "linux":
        return _call("renameat2", _AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), 2)  # RENAME_EXCHANGE
    if sys.platform == "darwin":
        return _call("renamex_np", os.fsencode(one), os.fsencode(other), 2)  # RENAME_SWAP
    return False


_AT_FDCWD = -100
_CANNOT = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EPERM})


def _call(name: str, *arguments: object) -> bool:
    """Call a function of the C library; False if it, or the file system, does not do it. Raises ``OSError``."""
    import ctypes

    try:
        function = getattr(ctypes.CDLL(None, use_errno=True), name)
    except (AttributeError, OSError):
        return False
    if function(*arguments) == 0:
        return True
    number = ctypes.get_errno()
    if number in _CANNOT:
        return False
    raise OSError(number, os.strerror(number), os.fsdecode(next(a for a in arguments if isinstance(a, bytes))))


def _publish(draft: Path, target: Path) -> None:
    """Give *draft* the name *target*, which must not exist."""
    try:
        os.link(draft, target)
    except FileExistsError:
        raise Unsettled("was created meanwhile") from None
    except OSError:  # a file system without links
        if os.path.lexists(target):
            raise Unsettled("was created meanwhile") from None
        draft.replace(target)


def _read_all(file: int) -> bytes:
    parts = []
    offset = 0
    while part := os.pread(file, 1 << 20, offset):
        parts.append(part)
        offset += len(part)
    return b"".join(parts)


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _look(path: Path) -> _Stamp:
    """The stamp of what is at *path*."""
    try:
        return _stamp(os.lstat(path))
    except FileNotFoundError:
        return _NOTHING


def _keep_access(status: os.stat_result, descriptor: int) -> None:
    with suppress(PermissionError):  # only root may give a file away
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))
