"""What lies on the server: uploads reused by content while they live, and forgotten when they are gone."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from chargen.base import durable, events, failpoints
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.providers.base import RemoteError, RemoteFile
from chargen.providers.protocol import Connection
from chargen.records.journal import now
from chargen.records.ledgers import UploadLine, read_ledger
from chargen.records.state import State

T = TypeVar("T")
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0


@frozen
class Upload:
    """A file that was uploaded; ``expires`` as the server said it."""

    name: str
    uri: str
    mime: str
    bytes: int
    sha256: str
    expires: str

    def lives_for_s(self) -> float:
        """Seconds until the server forgets it."""
        return _seconds_until(self.expires)


class InvalidUpload(RemoteError):
    """The API refuses this file as it is; sending it again would change nothing. ``hint`` is that of its refusal."""

    def __init__(self, doing: str, status: int, message: str, hint: str = ""):
        self._hint = hint
        super().__init__(doing, status, message)

    @property
    def hint(self) -> str:
        return self._hint


class StorageFull(ChargenError):
    """The account's file storage is full of what is still needed, or of what is not chargen's to delete."""


class Uploads:
    """The ledger of one library's uploads with one key at one address.

    *limit_bytes* is what the account may store, 0 for no bound; *make_room* deletes what is no longer needed and
    returns how many bytes that freed; *rest* sleeps for so many seconds, and may raise to end that.
    """

    def __init__(
        self,
        state: State,
        remote: Connection,
        limit_bytes: int = 0,
        make_room: Callable[[], int] | None = None,
        rest: Callable[[float], None] | None = None,
    ):
        self._state = state
        self._remote = remote
        self._limit_bytes = limit_bytes
        self._make_room = make_room
        self._rest = rest or time.sleep

    def live(self) -> dict[str, Upload]:
        """Return what should still be there, by content."""
        found: dict[str, Upload] = {}
        for line in read_ledger(self._state.uploads, UploadLine):
            if line.key != self._remote.fingerprint or line.base_url != self._remote.base_url:
                continue
            if line.event == "deleted":
                found = {sha: upload for sha, upload in found.items() if upload.name != line.name}
            else:
                found[line.sha256] = Upload(line.name, line.uri, line.mime, line.bytes, line.sha256, line.expires)
        return {sha: upload for sha, upload in found.items() if upload.lives_for_s() > 0}

    def names_of(self, sha256: str) -> set[str]:
        """Return the names that the content *sha256* ever had on the server, also those of uploads that are gone."""
        return {
            line.name
            for line in read_ledger(self._state.uploads, UploadLine)
            if (line.event, line.sha256) == ("uploaded", sha256)
            and (line.key, line.base_url) == (self._remote.fingerprint, self._remote.base_url)
        }

    def ensure(self, path: Path, sha256: str, mime: str, *, must_live_s: float, attempts: int) -> Upload:
        """Return an upload of the content *sha256* that lives long enough, sending *path* if there is none.

        Two processes that want the same content send it once. Raises InvalidUpload if the API refuses the file for
        what it is, RemoteError if it cannot be sent.
        """
        with self._state.lock(f"upload-{sha256[:16]}"):
            upload = self.live().get(sha256)
            if upload and upload.lives_for_s() > must_live_s:
                words = f"{path.name} is already on the server as {upload.name}"
                events.log("reused", words, level="debug", file=path.name, name=upload.name, sha256=sha256)
                return upload
            self._see_to_room(path.stat().st_size)
            return self._send(path, sha256, mime, must_live_s, attempts)

    def forget(self, name: str) -> None:
        """Record that the file *name* is no longer on the server."""
        self._record({"event": "deleted", "name": name})
        failpoints.reached("forgotten")
        events.log("file-gone", f"{name} is no longer on the server", name=name)

    def forget_gone(self) -> int:
        """Take what the server lists no longer out of the ledger; return how many uploads that were."""
        present = {file.name for file in asking(lambda: list(self._remote.files()))}
        gone = [upload.name for upload in self.live().values() if upload.name not in present]
        for name in gone:
            self.forget(name)
        return len(gone)

    def _see_to_room(self, needed: int) -> None:
        """Tidy up before an upload that would not fit; raise StorageFull if it still does not."""
        if not self._limit_bytes or self._held() + needed <= self._limit_bytes:
            return
        self._tidied()
        if self._held() + needed > self._limit_bytes:
            raise StorageFull(
                f"storage: uploads that unfinished batches need take {self._held():,} of {self._limit_bytes:,} bytes "
                f"(limits.storage_bytes), this one needs {needed:,}. Run again when a batch has ended"
            )

    def _held(self) -> int:
        return sum(upload.bytes for upload in self.live().values())

    def _tidied(self) -> int:
        """Delete what is no longer needed, one process at a time; return how many bytes that freed."""
        with self._state.lock("room"):
            return self._make_room() if self._make_room else 0

    def _send(self, path: Path, sha256: str, mime: str, must_live_s: float, attempts: int) -> Upload:
        display_name = f"chargen-{sha256[:32]}"
        found_nothing = False
        for pause in pauses(attempts):
            try:
                file = self._remote.upload(path, display_name, mime)
                break
            except RemoteError as error:
                if error.invalid:
                    raise InvalidUpload(f"uploading {path.name}", error.status, error.message, error.hint) from None
                if error.storage_full:
                    freed = self._tidied()
                    # Somebody else may have made the room: it is tried once more before giving up.
                    if pause is None or (found_nothing and not freed):
                        raise StorageFull(
                            f"storage: the account has no room for {path.name} ({path.stat().st_size:,} bytes), and "
                            "chargen has no more uploads there to delete. `snakemake storage` lists the "
                            "files, `snakemake cleanup --config files=…` deletes it; or run again when a "
                            f"batch has ended. The server said: {error.message[:200]}"
                        ) from None
                    found_nothing = not freed
                    continue
                if not error.passing or pause is None:
                    raise
                if error.unclear and (orphan := self._find(display_name, sha256, must_live_s)):
                    file = orphan
                    break
                pause = max(pause, error.retry_after_s or 0)
                words = f"{error}; sending {path.name} again in {pause:.1f} s"
                events.log("trouble", words, level="warning", file=path.name, delay_s=round(pause, 1))
                self._rest(pause)
        return self._take(path, file, sha256, mime)

    def _find(self, display_name: str, sha256: str, must_live_s: float) -> RemoteFile | None:
        """An upload whose answer was lost has arrived all the same: the file is there under its name.

        An older one of the same content, which would not live long enough, may be there too.
        """
        try:
            return next(
                (
                    file
                    for file in self._remote.files()
                    if (file.display_name, file.sha256) == (display_name, sha256)
                    and _seconds_until(file.expires) > must_live_s
                ),
                None,
            )
        except RemoteError:
            return None

    def _take(self, path: Path, file: RemoteFile, sha256: str, mime: str) -> Upload:
        failpoints.reached("uploaded")
        self._record(
            {
                "event": "uploaded",
                "name": file.name,
                "uri": file.uri,
                "mime": mime,
                "bytes": file.bytes,
                "sha256": sha256,
                "expires": file.expires,
            }
        )
        failpoints.reached("upload-recorded")
        words = f"{path.name} is on the server as {file.name}: {file.bytes:,} bytes, until {file.expires}"
        events.log("uploaded", words, file=path.name, name=file.name, sha256=sha256, bytes=file.bytes, mime=mime)
        return Upload(file.name, file.uri, mime, file.bytes, sha256, file.expires)

    def _record(self, line: dict[str, object]) -> None:
        with self._state.lock("uploads"):
            durable.append_line(
                self._state.uploads,
                {"time": now(), "key": self._remote.fingerprint, "base_url": self._remote.base_url, **line},
            )


def _seconds_until(moment: str) -> float:
    """Seconds until *moment* as the server writes it; 0 if it is not a time."""
    try:
        return (dt.datetime.fromisoformat(moment) - dt.datetime.now(dt.UTC)).total_seconds()
    except (ValueError, TypeError):  # no moment, or one without a zone
        return 0.0


def pauses(attempts: int) -> Iterator[float | None]:
    """Yield the pause after each of *attempts* tries, growing; None after the last."""
    for attempt in range(attempts - 1):
        yield min(FIRST_PAUSE_S * 2**attempt, LONGEST_PAUSE_S)
    yield None


def asking(question: Callable[[], T], attempts: int = 4) -> T:
    """Return the answer to *question*, asked again while the server is in trouble. For questions, never for acts."""
    for pause in pauses(attempts):
        try:
            return question()
        except RemoteError as error:
            if not error.passing or pause is None:
                raise
            pause = min(max(pause, error.retry_after_s or 0), 60)
            words = f"{error}; asking again in {pause:.1f} s"
            events.log("trouble", words, level="warning", delay_s=round(pause, 1))
            time.sleep(pause)
    raise AssertionError("unreachable: the last pause is None")
