"""Writes into the files on which day a behaviour was seen live, and leaves every other byte as it was."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from conformance.document import Behaviour


def write(behaviours: Iterable[Behaviour], day: str) -> list[Path]:
    """Set ``last_seen_live`` of *behaviours* to *day* (``2026-11-25``); returns the files that changed.

    Each file is replaced whole or not at all. One that changed since it was read is left alone.
    """
    by_file: dict[Path, list[Behaviour]] = {}
    for item in behaviours:
        by_file.setdefault(item.file, []).append(item)
    return [file for file, items in by_file.items() if _rewrite(file, items, day)]


def _rewrite(file: Path, items: list[Behaviour], day: str) -> bool:
    text = file.read_bytes().decode("utf-8")
    new = text
    for item in sorted(items, key=lambda item: item.seen_span, reverse=True):
        start, end = item.seen_span
        if text[start:end].strip("'\"") != item.last_seen_live:
            return False
        new = new[:start] + day + new[end:]
    if new == text:
        return False
    temporary = file.with_suffix(".tmp")
    with temporary.open("wb") as target:
        target.write(new.encode("utf-8"))
        target.flush()
        os.fsync(target.fileno())
    temporary.replace(file)
    return True
