"""How amounts, moments and outcomes read in a report."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

OUTCOMES_IN_WORDS = {
    "applied": "in place",
    "superseded": "archived, because the scene changed meanwhile",
    "unplaced": "kept in state/, because its place is gone",
    "failed": "failed",
    "passing": "temporary failure, will be retried",
    "lost": "paid for, but lost on the server",
    "waiting": "waiting for the server",
}
COUNTED_OUTCOMES = {
    "applied": "done",
    "superseded": "archived",
    "unplaced": "kept aside",
    "failed": "failed",
    "passing": "failed temporarily",
    "lost": "lost on the server",
    "waiting": "in flight",
}
"""How outcomes read behind a number, like ``3 done, 1 failed temporarily``."""


def dollars(amount: float) -> str:
    """Return US *amount* like ``$1,204.50``; below ten cents with the digits that still say something."""
    if 0 < abs(amount) < 0.0001:
        return "under $0.0001"
    if 0 < abs(amount) < 0.1:
        return f"${amount:.4f}".rstrip("0").ljust(5, "0")
    return f"${amount:,.2f}"


def count(number: int, one: str, many: str = "") -> str:
    """Return *number* with its noun, like ``1 picture`` or ``1,200 pictures``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def progress_of(done: int, total: int, one: str) -> str:
    """Return how far *total* requests are, like ``6 of 13 tasks done``; only ``13 tasks`` while the server counts none.

    The API shows no counts of a job that runs, so that 0 does not mean that nothing is done.
    """
    return f"{done:,} of {count(total, one)} done" if done else count(total, one)


def seconds_between(start: str, end: str) -> float | None:
    """Return the seconds from one ISO moment to another, None unless both are known."""
    try:
        return (dt.datetime.fromisoformat(end) - dt.datetime.fromisoformat(start)).total_seconds()
    except (ValueError, TypeError):
        return None


def moment(text: str) -> str:
    """Return an ISO moment as ``21 Nov 2026, 18:04`` in its own zone; other text as it is."""
    try:
        return f"{dt.datetime.fromisoformat(text):%-d %b %Y, %H:%M}"
    except ValueError:
        return text


def in_words(title: str) -> str:
    """Return a title as it is, but one that is only a scene's id, like ``lamp-room``, as words."""
    is_id = title == title.lower() and not re.search(r"[\s.]", title)
    return re.sub("[-_]+", " ", title).strip().capitalize() if is_id else title


def clip(text: str, width: int) -> str:
    """Return *text*, cut at the end to *width* characters."""
    return text if len(text) <= width else text[: max(0, width - 1)].rstrip() + "…"


def columns(text: str) -> int:
    """Return how many columns of a terminal *text* takes: wide signs take two, combining ones none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )
