"""The files uploaded for references of tasks: the pictures themselves, or copies that the API can use."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path

from chargen.base import failpoints
from chargen.base.frozen import frozen
from chargen.pictures import formats as pictures
from chargen.records.batch import Reference, Task
from chargen.records.state import State

_DECODING = threading.BoundedSemaphore(2)
"""A large picture takes half a gigabyte while a copy of it is made; uploads are ten at a time, copies are not."""


@frozen
class Sent:
    """A file to upload, and what it holds."""

    path: Path
    sha256: str
    mime: str


def make_ready(state: State, path: Path, reference: Reference) -> Sent:
    """Return what to upload for *reference*, whose picture lies at *path*; a copy is made once and kept in the state.

    Raises `chargen.pictures.imaging.Unreadable` if no copy can be made.
    """
    if not reference.max_side:
        return Sent(path, reference.sha256, reference.mime)
    target = _copy_of(state, reference)
    if not target.exists():
        from chargen.pictures import imaging

        target.parent.mkdir(parents=True, exist_ok=True)
        with _DECODING:
            imaging.prepare(path, target, reference.max_side)
        failpoints.reached("prepared")
    return Sent(target, pictures.sha256_file(target), "image/jpeg")


def sent_sha256(state: State, reference: Reference) -> str:
    """Return the hash under which *reference* is uploaded; ``""`` while its copy is still to be made."""
    if not reference.max_side:
        return reference.sha256
    target = _copy_of(state, reference)
    return pictures.sha256_file(target) if target.exists() else ""


def drop_copy(state: State, reference: Reference) -> None:
    """Remove the copy that was made for *reference*, if any."""
    if reference.max_side:
        _copy_of(state, reference).unlink(missing_ok=True)
        failpoints.reached("dropped")


def _copy_of(state: State, reference: Reference) -> Path:
    return state.root / "prepared" / f"{reference.sha256[:32]}-{reference.max_side}.jpg"


def distinct_references(tasks: Iterable[Task]) -> dict[str, Reference]:
    """Return the references of *tasks* by content, each once."""
    return {reference.sha256: reference for task in tasks for reference in task.references}


def uploaded_contents(state: State, tasks: Iterable[Task]) -> set[str]:
    """Return the contents (sha256) that *tasks* need on the server: copies where copies are sent.

    A copy that is still to be made has the content ``""``, which no upload has.
    """
    return {sent_sha256(state, reference) for reference in distinct_references(tasks).values()}
