"""What is logged of the journal's events, for the person who reads a step's log."""

from __future__ import annotations

from typing import Any

from chargen.base import events
from chargen.records.journal_lines import Event, Intent, line_of, name_of

_MESSAGES: dict[str, tuple[events.Level, str]] = {
    "intent": ("info", "creating the job of batch {batch}: {tasks} tasks for {model}, about ${cost_usd:.4f}"),
    "created": ("info", "{job} is the job of batch {batch}"),
    "refused": ("warning", "no job was made: the server answered {status}, {message}"),
    "absent": ("warning", "no job of batch {batch} was made"),
    "cancelled": ("warning", "cancelled the job of batch {batch} ({why})"),
    "ended": ("info", "the job of batch {batch} ended {state}: {error}"),
    "fetched": ("info", "downloaded the results of batch {batch}: {bytes:,} bytes"),
    "found-again": ("info", "{job} is on the server again: batch {batch} is in flight again"),
    "cleaned": ("info", "deleted the files of batch {batch} on the server"),
}
"""The log message of each event; for ``applied`` the receipt is logged instead."""

_PUBLIC = frozenset(
    (
        "operation",
        "model",
        "job",
        "adopted",
        "cost_usd",
        "tokens",
        "status",
        "message",
        "why",
        "state",
        "error",
        "bytes",
    )
)
"""Which fields of a journal line are logged as facts."""


def log_event(event: Event) -> None:
    """Log *event*, if it has a message."""
    name = name_of(event)
    if name not in _MESSAGES:
        return
    level, words = _MESSAGES[name]
    line = line_of(event)
    facts: dict[str, Any] = {key: line[key] for key in _PUBLIC & line.keys()} | {"batch": event.batch}
    if isinstance(event, Intent):
        facts["tasks"] = len(event.wishes)
    events.log(name, words.format(**facts).removesuffix(": "), level=level, **facts)
