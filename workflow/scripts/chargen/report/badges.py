"""The badges of pictures on the page: their names in the data and on the page."""

from __future__ import annotations

from collections.abc import Iterable

NEW = "new"
APPROVED = "approved"
PICKED = "picked"
ADOPTED = "adopted"
STALE = "stale"
REJECTED = "rejected"
PLACEHOLDER = "placeholder"
FAILED = "failed"
MISSING = "missing"
WAITING = "waiting"
WANTED = "wanted"

BADGES = {
    NEW: "new in this run",
    APPROVED: "approved",
    PICKED: "picked",
    ADOPTED: "adopted",
    STALE: "stale",
    REJECTED: "rejected",
    PLACEHOLDER: "placeholder",
    FAILED: "failed",
    MISSING: "missing",
    WAITING: "in flight",
    WANTED: "wanted",
}
"""What the filters and the large view call them."""

ON_CARDS = BADGES | {NEW: "new"}
"""What small cards call them."""

TILES = {
    "failed": (FAILED, "No picture: it failed"),
    "missing": (MISSING, "The picture's file is gone"),
    "put back": (MISSING, "The next run restores it"),
    "in flight": (WAITING, "In flight"),
    "wanted": (WANTED, "Not made yet"),
    "blocked": (FAILED, "Cannot be sent"),
}
"""For each way to stand without a picture: the badge, and what stands in its place."""


def count_badges(cards: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """Return how many cards have each badge, given the badges of every card."""
    numbers = dict.fromkeys(BADGES, 0)
    for badges in cards:
        for badge in badges:
            numbers[badge] += 1
    return numbers
