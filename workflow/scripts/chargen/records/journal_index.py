"""``journal-recent.json``: the part of a long journal that a single step still needs.

A cache: it is made from the journal, says up to which byte it was made, and is made again when it does not fit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, field
from pathlib import Path
from typing import Any

import orjson

from chargen.base import durable
from chargen.base.frozen import frozen
from chargen.base.reading import build
from chargen.records.journal_lines import Clock

CHECKED_BYTES = 512
"""How much of the journal before its end an index knows by hash, to notice another journal of the same length."""


@frozen
class PastBatch:
    """A settled batch, for the budget: when it was submitted and what it cost in US dollars."""

    time: str
    cost_usd: float
    clock: Clock = field(default_factory=Clock)


@frozen
class JournalIndex:
    """``length`` bytes and ``lines`` lines of the journal in short.

    ``recent`` are the lines of batches that are not settled, or were lately, each with its number; ``past`` are all
    others of the last month; ``denied`` says when the server said last that it does not have a model.
    """

    length: int = 0
    check: str = ""
    lines: int = 0
    recent: tuple[tuple[int, dict[str, Any]], ...] = ()
    past: tuple[PastBatch, ...] = ()
    denied: dict[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, journal: Path) -> JournalIndex:
        """Return the index at *path* if it is of *journal* as it is now, else an empty one."""
        try:
            found = build(cls, durable.read_json(path))
        except (OSError, ValueError):
            return cls()
        return found if found.check == checksum(journal, found.length) else cls()

    def write(self, path: Path) -> None:
        """Put the index at *path*."""
        durable.write(path, orjson.dumps(asdict(self)))


def checksum(journal: Path, length: int) -> str:
    """Return the hash of the last bytes of the first *length* of *journal*; ``""`` if it is shorter than that."""
    try:
        with journal.open("rb") as file:
            file.seek(max(0, length - CHECKED_BYTES))
            data = file.read(min(length, CHECKED_BYTES))
    except OSError:
        return ""
    return hashlib.sha256(data).hexdigest()[:16] if length and len(data) == min(length, CHECKED_BYTES) else ""


def whole_lines(journal: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """Yield each line of *journal* from byte *start* on, with the byte at which it ends; a torn last line too."""
    try:
        file = journal.open("rb")
    except FileNotFoundError:
        return
    with file:
        file.seek(start)
        end = start
        for line in file:
            end += len(line)
            yield end, line
