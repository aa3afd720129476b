"""Why the request of a picture would differ today: style, references or model changed, or only the composition did."""

from __future__ import annotations

from collections.abc import Iterable

from chargen.library.model import Record
from chargen.planning.tasks import Shape
from chargen.prompts import COMPOSER
from chargen.records.batch import Reference

FIRST_COMPOSER = 1
"""Composed the prompts of 0.1.0, whose records do not say so."""


def is_only_recomposed(record: Record, around: str, shape: Shape, sent: Iterable[Reference]) -> bool:
    """Whether only another version of the composition makes the request of *record* another one today.

    *around* is the hash over what people wrote around the scene, *shape* and *sent* what would go out. Of a record that
    has no such hash only the model, the shape and the references can be compared.
    """
    if (record.composer or FIRST_COMPOSER) == COMPOSER:
        return False
    if record.around_hash and record.around_hash != around:
        return False
    now = {f"{item.path}@sha256:{item.sha256[:16]}" for item in sent}  # this version may send fewer than were sent
    same = (shape.model.name, shape.aspect_ratio) == (record.model, record.aspect_ratio)
    return same and now <= set(record.references_used)
