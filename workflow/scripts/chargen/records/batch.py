"""The documents of one batch: its plan, how its job ended, and the receipt (``schemas/plan``, ``schemas/receipt``).

Each is read from JSON with `from_json`, which is tolerant, and written as `to_json` gives it, with every key of its
schema. A key that version 0.1.0 did not write has its default here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, TypeVar

from chargen.base.frozen import frozen
from chargen.base.reading import Document, build, optional, rest
from chargen.library.target import Target
from chargen.records.identity import NO_TARGET, NO_WISH, Wish

T = TypeVar("T")

OutcomeName = Literal["applied", "superseded", "unplaced", "failed", "passing", "lost"]
"""How a task ended: with a picture (applied, superseded, unplaced) or without one: failed for good, passing (worth
another try), or lost (paid for, and gone on the server)."""

WITH_PICTURE = frozenset({"applied", "superseded", "unplaced"})
"""The outcomes with a picture."""

NOT_SENT = "NOT_SENT"
"""The state of a batch that never became a job, because none of its tasks could be sent."""

RECORD_WAITS = "record-waits"
"""The result is in place, but imagery.yaml could not be written: the next run adds the record."""

CANNOT_WRITE = "cannot-write"
"""The folder is not writable: the picture stays in the stored answers, and the next run saves it."""

WAITS_IN_RESPONSES = frozenset({CANNOT_WRITE, RECORD_WAITS})
"""Reasons of outcomes whose picture, or its record, the next run takes from the stored answers."""

UNSEEN = frozenset({"missing-line", "unreadable-line"})
"""Reasons of tasks whose answer, and so its cost, was not seen."""

SUCCEEDED = "SUCCEEDED"
"""The state of a job that ended well."""


@frozen(kw_only=True)
class Reference(Document):
    """A picture that is sent along. ``path`` is relative to the library's root, ``bytes`` its size.

    Where ``max_side`` is not 0, a copy is sent: upright, on white, no side longer than that many pixels.
    """

    role: str = ""
    subject: str = ""
    name: str = ""
    path: str = ""
    sha256: str = ""
    mime: str = ""
    bytes: int = 0
    max_side: int = optional(0)


@frozen(kw_only=True)
class Replaced(Document):
    """The picture that a scene has while its next one is planned; ``path`` is relative to the library's root."""

    path: str = ""
    sha256: str = ""
    status: str = ""


@frozen(kw_only=True)
class Task(Document):
    """One request line. Costs are estimated US dollars; ``characters`` of text are sent, None where that is unknown.
    ``labels`` stand before the references, one each; tasks of 0.1.0 have none.

    ``extra`` has what only the task's operation says, in the shape of a type of its own (see `extra_as`).
    """

    wish: Wish = NO_WISH
    wish_id: str = ""
    attempt: int = 1
    key: str = ""
    title: str = ""
    prompt: str = ""
    references: tuple[Reference, ...] = ()
    labels: tuple[str, ...] = optional(())
    aspect_ratio: str = ""
    image_size: str = ""
    cost_usd: float = 0.0
    characters: int | None = optional()
    replaces: Replaced | None = None
    notes: tuple[str, ...] = ()
    extra: Mapping[str, Any] = rest()

    @property
    def target(self) -> Target:
        """What it is about."""
        return self.wish.target

    def extra_as(self, kind: type[T]) -> T:
        """Return what only the task's operation says, as *kind*. Raises `WrongShape` if it is of another shape."""
        return build(kind, self.extra)


@frozen(kw_only=True)
class Provenance(Document):
    """Where the origin of a batch's pictures is stored (none, sidecar, picture), and how much of the prompt (text,
    hash)."""

    store: str = "none"
    prompt: str = "text"


@frozen(kw_only=True)
class BatchPlan(Document):
    """``plan.json``: what one job is to do. ``tokens`` are input tokens, estimated, ``parameters`` what is sent to the
    model besides, by name."""

    schema_version: int = 1
    batch: str = ""
    operation: str = ""
    provider: str = ""
    library_id: str = ""
    model: str = ""
    display_name: str = ""
    temperature: float | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    safety_settings: tuple[dict[str, Any], ...] = ()
    store_requests: bool = False
    cost_usd: float = 0.0
    batch_discount: float = 0.5
    tokens: int = 0
    provenance: Provenance = Provenance()
    tasks: tuple[Task, ...]


@frozen(kw_only=True)
class BatchJob(Document):
    """``job.json``: the name of a batch's job on the server.

    With the state ``not-needed`` there is none, because none of the batch's tasks could be sent. Version 0.1.0 wrote no
    state, and an empty name then.
    """

    batch: str = ""
    job: str = ""
    state: Literal["sent", "not-needed"] = "sent"


@frozen(kw_only=True)
class BatchEnd(Document):
    """``ended.json``: how the job ended; ``operation`` is the server's own description of it.

    ``accepted`` says why results that do not account for the job were taken all the same; empty where they do.
    """

    state: str
    error: str = ""
    error_code: int = 0
    accepted: str = ""
    operation: dict[str, Any] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Whether the job did what it was asked for."""
        return self.state == SUCCEEDED


@frozen(kw_only=True)
class Tokens(Document):
    """Tokens that the API counted; ``prompt_image`` of the prompt's are those of pictures, None if unknown."""

    prompt: int = 0
    image: int = 0
    text: int = 0
    thoughts: int = 0
    total: int = 0
    prompt_image: int | None = optional()


@frozen(kw_only=True)
class Outcome(Document):
    """What a receipt says of one task. ``extra`` has what only its operation says."""

    key: str = ""
    wish_id: str
    target: Target = NO_TARGET
    variation: int = 1
    spec_hash: str = ""
    attempt: int = 1
    outcome: str
    reason: str = ""
    advice: str = ""
    said: str = ""
    file: str = ""
    sha256: str = ""
    width: int = 0
    height: int = 0
    format: str = ""
    bytes: int = 0
    tokens: Tokens = Tokens()
    characters: int | None = optional()
    estimated_usd: float = 0.0
    cost_usd: float = 0.0
    model: str = ""
    model_requested: str = ""
    aspect_ratio: str = ""
    image_size: str = ""
    title: str = ""
    prompt: str = ""
    references: tuple[Reference, ...] = ()
    finish_reason: str = ""
    notes: tuple[str, ...] = ()
    archived: str = ""
    extra: Mapping[str, Any] = rest()

    @property
    def has_picture(self) -> bool:
        """Whether it ended with a picture."""
        return self.outcome in WITH_PICTURE

    def extra_as(self, kind: type[T]) -> T:
        """Return what only the task's operation says, as *kind*. Raises `WrongShape` if it is of another shape."""
        return build(kind, self.extra)


@frozen(kw_only=True)
class Times(Document):
    """When a batch was submitted, fetched and applied, in UTC; ``""`` where that is unknown."""

    submitted: str = ""
    fetched: str = ""
    applied: str = ""


@frozen(kw_only=True)
class Cost(Document):
    """US dollars."""

    estimated: float = 0.0
    actual: float = 0.0
    batch_discount: float = 0.5


@frozen(kw_only=True)
class Receipt(Document):
    """``receipt.json``: the outcome of every task of a batch. ``follow_ups`` are the batches of retries
    after temporary failures."""

    schema_version: int = 1
    batch: str = ""
    operation: str = ""
    provider: str = ""
    library_id: str = ""
    model: str = ""
    job: str = ""
    run: str = ""
    state: str = ""
    error: str = ""
    follow_ups: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    times: Times = Times()
    cost_usd: Cost = Cost()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    tasks: tuple[Outcome, ...]
