"""Image sizes like ``1K``: how many pixels they stand for, and how an entry of config/models.yaml lists them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_NAME = re.compile(r"([1-9]\d*)(K?)")
_K = 1024


def pixels(size: str) -> int:
    """Return the side, in pixels, of a square picture of *size*; 0 where its name does not say: ``2K`` is 2048."""
    found = _NAME.fullmatch(size)
    return int(found[1]) * (_K if found[2] else 1) if found else 0


def size_table(entry: Mapping[str, Any]) -> Any:
    """Return the sizes of an image model, each with its price (``usd``) and its ``tokens``, as far as they are known.

    Until version 0.1.0 an entry listed the sizes, with tables of their own for prices and tokens.
    """
    sizes = entry.get("sizes")
    if not isinstance(sizes, list):
        return sizes
    prices, tokens = entry.get("usd_per_image") or {}, entry.get("image_tokens") or {}
    table: dict[str, dict[str, Any]] = {}
    for size in sizes:
        facts = {"usd": prices.get(size), "tokens": tokens.get(size)}
        table[str(size)] = {name: value for name, value in facts.items() if value is not None}
    return table
