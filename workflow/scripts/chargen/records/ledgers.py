"""Lines of the ledgers below ``state/``: uploads, orders, and hashes that stand for the same words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from chargen.base import durable
from chargen.base.frozen import frozen
from chargen.base.reading import WrongShape, build

T = TypeVar("T")


@frozen
class UploadLine:
    """A file was uploaded, or is no longer on the server (``event`` is ``uploaded`` or ``deleted``)."""

    event: str
    name: str
    key: str
    base_url: str
    uri: str = ""
    mime: str = ""
    bytes: int = 0
    sha256: str = ""
    expires: str = ""


@frozen
class Order:
    """Pictures were ordered again: ``items`` are targets with their variation.

    With ``stands_for`` it takes back what was ordered of them since the order of that number (0: since there was none).
    """

    number: int
    items: tuple[tuple[str, int], ...]
    stands_for: int | None = None


@frozen
class SameSpec:
    """The words that have ``spec_hash`` today were recorded under the hash ``before``."""

    spec_hash: str
    before: str


@frozen
class RequestLine:
    """What is read again of a line of ``requests.jsonl``."""

    key: str


def read_ledger(path: Path, kind: type[T]) -> Iterator[T]:
    """Yield the lines of *path* that are of *kind*.

    Others are skipped: an upload that is not known is sent again, which costs nothing, and an order that is not known
    orders nothing.
    """
    for line in durable.read_lines(path):
        try:
            yield build(kind, line)
        except WrongShape:
            continue


def highest_number(path: Path) -> int:
    """Return a number that no order in *path* exceeds, those in lines that cannot be read included."""
    unreadable = durable.Unreadable()
    numbers: list[Mapping[str, object]] = list(durable.read_lines(path, unreadable))
    known = [number for line in numbers if isinstance(number := line.get("number"), int)]
    return max([*known, len(numbers) + len(unreadable.lines)])
