"""From base64 in a result file to verified pictures on the disk, several at a time."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from chargen.base import failpoints
from chargen.base.durable import draft_of, naming
from chargen.base.frozen import frozen
from chargen.pictures.formats import PictureInfo, verify
from chargen.providers.base import Results, Slice

WORKERS = 4
"""Threads that keep two cores and the disk busy: all but the decoding releases the interpreter."""

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


@frozen
class Picture:
    """A verified picture: its bytes, what they are, and their SHA-256 in lower-case hex.

    ``draft`` is a durable file with these bytes, in the folder where the picture will probably stand; it only lacks its
    name.
    """

    data: bytes
    info: PictureInfo
    sha256: str
    draft: Path | None = None


def extract(
    results: Results, slice_: Slice, draft: Path | None = None, finish: Callable[[bytes], bytes] | None = None
) -> Picture:
    """Return the picture at *slice_*, decoded and verified; raise ``BrokenPicture`` if it is not a whole one.

    *finish* returns the bytes that are kept for those that came, the same ones each time.

    With *draft* (see `chargen.base.durable.draft_of`) it is written there, so that naming it is all that is left to do.
    """
    data = results.decode(slice_)
    info = verify(data)
    if finish:
        data = finish(data)
    if draft:
        _write(draft, data)
    return Picture(data, info, hashlib.sha256(data).hexdigest(), draft)


def place(picture: Picture, path: Path) -> None:
    """Save a picture at *path* so that a crash leaves either the previous file or the complete new one.

    The bytes are durable when this returns; the name is once the folder is synced, which the caller does
    once per folder with `chargen.base.durable.sync_folder`. What must not be replaced, and that nobody else places
    the same file meanwhile, is the caller's to see to.
    """
    draft = picture.draft
    if draft is None or draft.parent.stat().st_dev != path.parent.stat().st_dev:
        draft = draft_of(path)
        _write(draft, picture.data)
    draft.replace(path)
    discard(picture)


def discard(picture: Picture) -> None:
    """Remove the draft of a picture that is no longer needed."""
    if picture.draft:
        picture.draft.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    try:
        with naming(path), path.open("wb", buffering=0) as file:
            rest = memoryview(data)
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        failpoints.reached("drafted")
    except BaseException:
        with suppress(OSError):
            path.unlink(missing_ok=True)
        raise


def ahead(
    work: Callable[[_Item], _Done], items: Iterable[_Item], *, workers: int = WORKERS
) -> Iterator[tuple[_Item, _Done]]:
    """Yield each item with what *work* made of it, in order, while the next few are worked on.

    At most ``workers + 1`` items are under way or waiting to be taken, so memory stays bounded however many
    there are. What *work* raises is raised here, at its item.
    """
    with ThreadPoolExecutor(workers, thread_name_prefix="extract") as pool:
        waiting: deque[tuple[_Item, Future[_Done]]] = deque()
        try:
            for item in items:
                waiting.append((item, pool.submit(work, item)))
                if len(waiting) > workers:
                    done = waiting.popleft()
                    yield done[0], done[1].result()
            while waiting:
                done = waiting.popleft()
                yield done[0], done[1].result()
        finally:
            for _, future in waiting:
                future.cancel()
