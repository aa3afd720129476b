"""Reading the documents that chargen stores as files."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from chargen.base import durable
from chargen.base.reading import WrongShape, build

T = TypeVar("T")


def read_document(path: Path, kind: type[T]) -> T:
    """Return the JSON object in *path* as *kind*.

    Raises UnreadableFile if it is damaged, OSError if it is not there.
    """
    data = durable.read_object(path)
    try:
        return build(kind, data)
    except WrongShape as error:
        raise durable.UnreadableFile(path, str(error)) from None
