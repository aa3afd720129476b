"""Tolerant reading of foreign data: these return the requested type, whatever the value is.

An API leaves out zero counts, writes numbers as text, and says null where nothing is. None of that may end a run.
"""

from __future__ import annotations

import math
from typing import Any

MOST = 10**15
"""The largest number that is believed, as a count or in bytes."""


def as_text(value: object) -> str:
    """Return *value* if it is text, a number as text, else ``""``."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def as_count(value: object) -> int:
    """Return *value*, a number or its text, as a whole number from 0 to `MOST`; 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    try:
        number = float(value) if isinstance(value, str | float) else value
    except ValueError:
        return 0
    return int(number) if math.isfinite(number) and 0 <= number <= MOST else 0


def as_map(value: object) -> dict[str, Any]:
    """Return *value* if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_maps(value: object) -> list[dict[str, Any]]:
    """Return the objects in the list *value*; none if it is not a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
