"""``submission.json`` in a job's folder: prompt, model, time and file of each result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chargen.base import durable
from chargen.base.capabilities import counts
from chargen.base.errors import ChargenError
from chargen.pictures.presence import is_present, why_unreadable

SUBMISSION = "submission.json"

Slot = tuple[str, int, str]
"""Name of the input below its folder, variation, and the hash of what was asked."""


def read_submission(folder: Path) -> dict[str, Any]:
    """Return what is recorded of a job in its folder; empty where nothing is."""
    path = folder / SUBMISSION
    if why := why_unreadable(path):
        raise ChargenError(
            f"{path} {why}; without it all its pictures would be paid for again: make it readable, then run again"
        )
    if not path.exists():
        return {"schema_version": 1, "results": []}
    try:
        data = durable.read_object(path)
        if not isinstance(data.get("results"), list):
            raise durable.UnreadableFile(path, "it has no list `results`")
    except durable.UnreadableFile as error:
        raise ChargenError(
            f"{path}: cannot be read: {error.why}. Fix it or restore a backup: it records what was made"
        ) from None
    return data


def records(folder: Path, provider: str) -> list[Mapping[str, Any]]:
    """What is recorded of the results in the job's *folder*; those of the emulator count only under it."""
    return [record for record in read_submission(folder)["results"] if counts(record["provider"], provider)]


def results_in(folder: Path, provider: str) -> dict[Slot, Mapping[str, Any]]:
    """The records of a job's *folder* whose file is there, by input, variation and what was asked for; the last record
    that names a file owns it."""
    return in_place(folder, records(folder, provider))


def in_place(folder: Path, records: Sequence[Mapping[str, Any]]) -> dict[Slot, Mapping[str, Any]]:
    owners = {record["file"]: record for record in records}
    return {
        (record["input"], record["variation"], record["spec_hash"]): record
        for record in owners.values()
        if is_present(folder / record["file"])
    }
