"""What a step says while it works: lines on standard error, which its rule keeps as the step's log."""

from __future__ import annotations

import datetime as dt
import sys


def say(text: str) -> None:
    """Write one line with the time of day."""
    print(f"{dt.datetime.now():%H:%M:%S} {text}", file=sys.stderr, flush=True)


def tell(text: str) -> None:
    """Write a line that the person in front of the terminal should see, also when standard error goes to a log.

    Standard output stays on the terminal under Snakemake.
    """
    print(text, flush=True)


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
