"""Whether results can be saved in an entity's folder; if not, they are not sent."""

from __future__ import annotations

from pathlib import Path

from chargen.base.errors import Place, Problem
from chargen.library.access import barrier
from chargen.library.model import Entity


def not_writable(root: Path, entity: Entity, *, pictures: bool = True, records: bool = True) -> Problem | None:
    """Return why pictures or their records could not be put into the folder of *entity*; None if nothing is known.

    *root* is the library's.
    """
    found = barrier(entity.folder, pictures=pictures, records=records)
    if found is None:
        return None
    path = found.path
    place = Place(path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path))
    return Problem("error", "not-writable", found.why, place, found.advice, entity.key, effect="scene skipped")
