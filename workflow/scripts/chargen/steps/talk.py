"""Words for what steps say."""

from __future__ import annotations

import os
from typing import TextIO

CLEAR_LINE = "\r\x1b[K"


def on_terminal(stream: TextIO) -> bool:
    """Whether *stream* is a terminal whose lines can be drawn over."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def duration(seconds: float) -> str:
    """Return *seconds* in words, like ``2 h 5 min`` or ``28 s``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"
