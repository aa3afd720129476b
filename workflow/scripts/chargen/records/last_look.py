"""``last-look.json``: the jobs as a run saw them last. A cache: if it cannot be read, the server is asked again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chargen.base import durable
from chargen.base.frozen import frozen
from chargen.base.reading import Document, build


@frozen(kw_only=True)
class LastLook(Document):
    """``time`` in seconds since the epoch, ``pause_s`` until the next look, ``operations`` the jobs that were seen."""

    time: float = 0.0
    pause_s: float = 0.0
    operations: tuple[dict[str, Any], ...] = ()

    @classmethod
    def read(cls, path: Path) -> LastLook:
        """Return what *path* holds; an empty look where that is nothing."""
        try:
            return build(cls, durable.read_json(path))
        except (OSError, ValueError):
            return cls()
