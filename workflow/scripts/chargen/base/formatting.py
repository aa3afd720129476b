"""Messages on a terminal: wrapping, and durations in words."""

from __future__ import annotations

import os
import shutil
import textwrap
from typing import TextIO

CLEAR_LINE = "\r\x1b[K"
FRAME = "┌├└│"


def is_terminal(stream: TextIO) -> bool:
    """Whether *stream* is a terminal whose lines can be drawn over."""
    return stream.isatty() and os.environ.get("TERM", "") not in ("", "dumb")


def wrapped(text: str, stream: TextIO) -> str:
    """Return *text* with its long lines broken at spaces, if *stream* is a terminal, so that no word is torn.

    Lines that begin with four spaces, like commands and paths, stay whole: whoever copies them gets one line. So do
    those of a frame, which know the width.
    """
    if not is_terminal(stream):
        return text
    width = max(40, shutil.get_terminal_size((100, 24)).columns)
    return "\n".join(line for written in text.split("\n") for line in _broken(written, width))


def _broken(line: str, width: int) -> list[str]:
    if len(line) <= width or line.startswith(("    ", *FRAME)):
        return [line]
    return textwrap.wrap(line, width, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False)


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
