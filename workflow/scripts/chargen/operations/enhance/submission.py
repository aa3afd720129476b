"""``submission.json`` in a job's folder: prompt, model, time and file of each result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chargen.base import durable
from chargen.base.capabilities import counts
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.reading import Document, rest
from chargen.pictures.presence import is_present, why_unreadable
from chargen.records.documents import read_document

SUBMISSION = "submission.json"

Slot = tuple[str, int, str]
"""Name of the input below its folder, variation, and the hash of what was asked."""


@frozen(kw_only=True)
class Result(Document):
    """One result that was made: ``file`` is relative to the job's folder, ``input`` to the input folder; ``changes`` is
    what was done to the picture before it was sent."""

    input: str = ""
    variation: int = 1
    file: str = ""
    sha256: str = ""
    width: int = 0
    height: int = 0
    spec_hash: str = ""
    task_key: str = ""
    prompt: str = ""
    aspect_ratio: str = ""
    image_size: str = ""
    model: str = ""
    temperature: float | None = None
    provider: str = ""
    generated_at: str = ""
    batch: str = ""
    job: str = ""
    run: str = ""
    changes: tuple[str, ...] = ()
    more: Mapping[str, Any] = rest()


@frozen(kw_only=True)
class Skipped(Document):
    """A file that could not be sent."""

    name: str
    why: str


@frozen(kw_only=True)
class Submission(Document):
    """The whole file; ``results`` are all that were ever made, the last one about a file counts."""

    schema_version: int = 1
    job_name: str = ""
    updated: str = ""
    results: tuple[Result, ...]
    left_out: tuple[Skipped, ...] = ()


def read_submission(folder: Path) -> Submission:
    """Return what is recorded of a job in its folder; empty where nothing is."""
    path = folder / SUBMISSION
    if why := why_unreadable(path):
        raise ChargenError(
            f"{path} {why}; without it all its pictures would be paid for again: make it readable, then run again"
        )
    if not path.exists():
        return Submission(results=())
    try:
        return read_document(path, Submission)
    except durable.UnreadableFile as error:
        raise ChargenError(
            f"{path}: cannot be read: {error.why}. Fix it or restore a backup: it records what was made"
        ) from None


def counted(folder: Path, provider: str) -> list[Result]:
    """Return the recorded results in the job's *folder*; those of the emulator count only under it."""
    return [result for result in read_submission(folder).results if counts(result.provider, provider)]


def results_in(folder: Path, provider: str) -> dict[Slot, Result]:
    """Return the results in a job's *folder* whose file is there, by input, variation and what was asked for."""
    return in_place(folder, counted(folder, provider))


def in_place(folder: Path, results: Sequence[Result]) -> dict[Slot, Result]:
    """Return those of *results* whose file is in *folder*; the last one that names a file owns it."""
    owners = {result.file: result for result in results}
    return {
        (result.input, result.variation, result.spec_hash): result
        for result in owners.values()
        if is_present(folder / result.file)
    }
