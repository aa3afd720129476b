"""Moments as the server and the journal write them, and how long ago they are."""

from __future__ import annotations

import datetime as dt

from chargen.base.formatting import duration


def age_s(moment: str) -> float | None:
    """Return the seconds since *moment* (ISO 8601), None if it is unknown; negative if it lies ahead."""
    try:
        then = dt.datetime.fromisoformat(moment)
    except (ValueError, TypeError):
        return None
    if then.tzinfo is None:
        then = then.replace(tzinfo=dt.UTC)
    return (dt.datetime.now(dt.UTC) - then).total_seconds()


def ago(moment: str) -> str:
    """Return how long ago *moment* was, like ``2 h 5 min``; ``""`` if it is unknown."""
    seconds = age_s(moment)
    return "" if seconds is None else span(seconds)


def ahead(moment: str) -> str:
    """Return how far away *moment* is, like ``in 46 h``; ``past`` if it has gone by, ``""`` if it is unknown."""
    seconds = age_s(moment)
    if seconds is None:
        return ""
    return f"in {span(-seconds)}" if seconds < 0 else "past"


def span(seconds: float) -> str:
    """Return *seconds* like ``28 s``, ``2 h 5 min`` or ``12 d``: two units at most."""
    return f"{seconds / 86400:.0f} d" if seconds >= 3 * 86400 else duration(seconds)


def local(moment: str) -> str:
    """Return *moment* in the local time zone, like ``2026-11-21 19:04``; other text as it is."""
    try:
        return f"{dt.datetime.fromisoformat(moment).astimezone():%Y-%m-%d %H:%M}"
    except (ValueError, TypeError):
        return moment
