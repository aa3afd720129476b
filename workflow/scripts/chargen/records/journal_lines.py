"""The lines of ``journal.jsonl`` (``schemas/journal.schema.json``): requests to the server, and their results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any

from chargen.base.frozen import frozen
from chargen.base.reading import WrongShape, build, optional, plain_object


@frozen
class Clock:
    """The machine's own clock at one moment, in seconds since its start; valid within one boot."""

    boot: str = ""
    monotonic: float = 0.0


@frozen
class Moment:
    """A moment by both clocks of the machine; ``time`` in UTC, like ``2026-11-21T18:04:05Z``."""

    time: str
    clock: Clock = Clock()


@frozen
class Event:
    """What all lines have. ``time`` is in UTC, like ``2026-11-21T18:04:05Z``."""

    time: str
    batch: str


@frozen
class Intent(Event):
    """A job is about to be created. ``wishes``: attempt by wish id; ``key``: fingerprint of the API key."""

    operation: str
    model: str
    display_name: str
    base_url: str
    key: str
    wishes: dict[str, int]
    cost_usd: float
    tokens: int = 0
    clock: Clock = Clock()
    pid: int = 0
    request_file: str = ""


@frozen
class Created(Event):
    """The job exists; ``job`` is its name on the server. ``adopted``: it was found there, not created now;
    ``sent_elsewhere``: nor was it asked for here."""

    job: str
    adopted: bool = False
    sent_elsewhere: bool = optional(False)


@frozen
class Refused(Event):
    """The server certainly made no job. ``throttled`` says that a quota or the credits were used up, ``no_model`` that
    it does not have the model; lines of version 0.1.0 have neither, and all come from the Gemini API."""

    status: int = 0
    message: str = ""
    throttled: bool | None = optional()
    no_model: bool | None = optional()

    @property
    def is_throttled(self) -> bool:
        return self.status == 429 if self.throttled is None else self.throttled

    def denies(self, model: str) -> bool:
        """Whether the server said that it does not have *model*, which was asked for."""
        return self.status == 404 and f"models/{model}" in self.message if self.no_model is None else self.no_model


@frozen
class Absent(Event):
    """No job of the intent exists, for certain."""


@frozen
class Cancelled(Event):
    """The server was asked to end the job; ``why`` is ``asked`` if a person wanted that."""

    why: str = ""


@frozen
class Ended(Event):
    """The job has a final state."""

    state: str
    error: str = ""


@frozen
class Fetched(Event):
    """The results are on disk."""

    bytes: int = 0


@frozen
class Applied(Event):
    """Every task has its outcome, by wish id; ``cost_usd`` is what the batch cost, where that is certain."""

    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    cost_usd: float | None = optional()


@frozen
class FoundAgain(Event):
    """The lost job is on the server again: the batch is in flight again."""

    job: str = ""


@frozen
class Cleaned(Event):
    """What the server kept of the batch is deleted."""


EVENTS: Mapping[str, type[Event]] = {
    "intent": Intent,
    "created": Created,
    "refused": Refused,
    "absent": Absent,
    "cancelled": Cancelled,
    "ended": Ended,
    "fetched": Fetched,
    "applied": Applied,
    "found-again": FoundAgain,
    "cleaned": Cleaned,
}


_NAMES = {kind: name for name, kind in EVENTS.items()}


def name_of(event: Event) -> str:
    """Return what *event* is called in the journal."""
    return _NAMES[type(event)]


def line_of(event: Event) -> dict[str, Any]:
    """Return the line of the journal that says *event*."""
    data = plain_object(event)
    return {"time": data.pop("time"), "event": name_of(event), **data}


def read_event(line: object) -> Event | None:
    """Return the event of a journal *line*; None for one that a later version wrote. Raises `WrongShape`."""
    if not isinstance(line, Mapping):
        raise WrongShape("it is not an object")
    name = line.get("event")
    if not isinstance(name, str):
        raise WrongShape("event is missing")
    kind = EVENTS.get(name)
    return None if kind is None else build(kind, line)
