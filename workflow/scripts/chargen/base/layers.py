"""Layers of nested plain data: the nearer one says something else than the farther one, key by key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def merged(far: Any, near: Any) -> Any:
    """Return *far* with what *near* says instead, key by key; lists and single values are replaced as a whole."""
    if not (isinstance(far, Mapping) and isinstance(near, Mapping)):
        return near
    return {**far, **{key: merged(far[key], value) if key in far else value for key, value in near.items()}}


def leaves(data: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value of nested *data* with its dotted key."""
    for key, value in data.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(value, Mapping) and value:
            yield from leaves(value, name)
        else:
            yield name, value


def without(data: Mapping[str, Any], taken: Mapping[str, Any]) -> dict[str, Any]:
    """Return *data* without the values that *taken* has, too."""
    left: dict[str, Any] = {}
    for key, value in data.items():
        if key not in taken:
            left[key] = value
        elif isinstance(value, Mapping) and isinstance(taken[key], Mapping):
            left[key] = without(value, taken[key])
    return left
