"""Aspect ratios and image sizes as authors and older tools write them."""

from __future__ import annotations

import math
import re

USUAL_RATIOS = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
"""What sizes in pixels are rounded to, which older tools wrote. A change here would change the hashes of their scenes;
which ratios a model has is in config/models.yaml."""

_RATIO = re.compile(r"([1-9]\d{0,2})\s*:\s*([1-9]\d{0,2})")
_PIXELS = re.compile(r"([1-9]\d{1,4})\s*[x×X*]\s*([1-9]\d{1,4})")
_SIZE = re.compile(r"[0-9A-Za-z]{1,16}")
_ORIENTATIONS = {"landscape": "3:2", "portrait": "2:3", "square": "1:1"}


def ratio(text: str) -> str:
    """The ratio ``W:H`` that *text* is; ``""`` if it is none."""
    found = _RATIO.fullmatch(text.strip())
    return f"{found[1]}:{found[2]}" if found else ""


def ratio_within(text: str) -> str:
    """The ratio that *text* is or mentions, or the one next to the pixels it names; ``""`` if there is none."""
    if found := _RATIO.search(text):
        return f"{found[1]}:{found[2]}"
    return ratio_of_pixels(text)


def ratio_of_pixels(text: str) -> str:
    """The usual ratio nearest to ``1792x1024``; ``""`` if *text* is not pixels by pixels."""
    found = _PIXELS.fullmatch(text.strip())
    if not found:
        return ""
    wanted = math.log(int(found[1]) / int(found[2]))
    return min(USUAL_RATIOS, key=lambda name: abs(math.log(_quotient(name)) - wanted))


def ratio_of_orientation(text: str) -> str:
    """A ratio for ``landscape``, ``portrait`` or ``square``; ``""`` for other words."""
    return _ORIENTATIONS.get(text.strip().lower(), "")


def same_shape(one: str, other: str) -> bool:
    """Whether two ratios mean nearly the same form: ``6:4`` and ``3:2`` do, and what is at most 5 % away."""
    return math.isclose(_quotient(one), _quotient(other), rel_tol=0.05)


def size_fault(text: str) -> str:
    """What is wrong with the form of an ``image_size``; ``""`` if nothing is.

    Whether a model has the size is checked against config/models.yaml when pictures are planned.
    """
    if not _SIZE.fullmatch(text):
        return f"'{text}' is not an image size; write it like 1K or 2K"
    if text.endswith("k"):
        return f"'{text}' must be {text.upper()}, with a capital K"
    return ""


def _quotient(name: str) -> float:
    width, height = name.split(":")
    return int(width) / int(height)
