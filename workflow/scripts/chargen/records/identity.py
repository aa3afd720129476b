"""Identity: what a task is to the planner (wish) and in the request file (task key), and what goes out together."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

from chargen.base.durable import canonical
from chargen.base.reading import build, plain_object
from chargen.library.target import Target

NO_TARGET = Target()
UNKNOWN = "unknown"
"""Stands for a hash that cannot be known: of a job without a stored plan."""


@dataclass(frozen=True)
class Wish:
    """What identifies a task to the planner. Done, in flight and failed are matched by its id.

    ``order`` is the number of the last order that names it, 0 for none; ``rejections`` counts the pictures of this very
    wish that the author rejected, so that each rejection wishes for one more.
    """

    operation: str = ""
    target: Target = NO_TARGET
    variation: int = 1
    spec_hash: str = ""
    order: int = 0
    rejections: int = 0

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Return *data* as a wish. Raises `WrongShape`, which names the key, for what does not fit."""
        return build(cls, data)

    @cached_property
    def id(self) -> str:
        """16 hex digits; the same on every machine."""
        return digest(self.to_json())

    def to_json(self) -> dict[str, Any]:
        """Return the wish as plain data."""
        return plain_object(self)


NO_WISH = Wish()


def digest(data: object) -> str:
    """Return 16 hex digits of the sha256 over the canonical JSON of *data*."""
    return hashlib.sha256(canonical(data)).hexdigest()[:16]


def task_key(target: str, variation: int, shape: Mapping[str, Any]) -> str:
    """Return the key of a request line: *shape* is everything that shapes its result.

    Shape: ``<kind>/<entity>/<scene>[_c<variation>]@sha256:<16 hex>``; the first variation has no suffix.
    """
    suffix = f"_c{variation}" if variation > 1 else ""
    return f"{target}{suffix}@sha256:{digest({'v': 1, **shape})}"


def split_key(key: str) -> tuple[Target, int]:
    """Return target and variation of a task key; raises ValueError if it is none."""
    match = re.fullmatch(r"(.+?)(?:_c(\d+))?@sha256:[0-9a-f]{16}", key, re.DOTALL)
    if not match:
        raise ValueError(f"not a task key: {key[:200]!r}")
    return Target(match[1]), int(match[2] or 1)


def batch_id(tasks: Iterable[tuple[str, str, int]]) -> str:
    """Return the id of a batch from its tasks' wish ids, task keys and attempts: equal content, equal id, anywhere."""
    return digest(sorted(tasks))


def display_name(library_id: str, batch: str) -> str:
    """Return the name under which a batch is found again on the server."""
    return f"chargen-{library_id}-{batch}"


def batch_named(display_name: str) -> str:
    """Return the batch id in the name of a job of any library; ``""`` if the name is none that chargen gives."""
    found = re.fullmatch(r"chargen-.+-([0-9a-f]{16})", display_name)
    return found[1] if found else ""
