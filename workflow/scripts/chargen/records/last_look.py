"""``last-look.json``: the jobs as a run saw them last. A cache: what cannot be read is asked for again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargen.base import durable
from chargen.base.reading import build


@dataclass(frozen=True, slots=True)
class LastLook:
    """``time`` in seconds since the epoch, ``pause_s`` until the next look, ``operations`` as the API gives them."""

    time: float = 0.0
    operations: tuple[dict[str, Any], ...] = ()
    pause_s: float = 0.0

    @property
    def by_name(self) -> dict[str, dict[str, Any]]:
        """The operations by the name of their job."""
        return {operation["name"]: operation for operation in self.operations if operation.get("name")}

    @classmethod
    def read(cls, path: Path) -> LastLook:
        """Return what *path* holds; an empty look where that is nothing."""
        try:
            return build(cls, durable.read_json(path))
        except (OSError, ValueError):
            return cls()
