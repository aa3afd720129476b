"""The documents of one batch: its plan, how its job ended, and the receipt (``schemas/plan``, ``schemas/receipt``)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Wish:
    """What identifies a task to the planner."""

    target: str
    variation: int = 1
    operation: str = ""
    spec_hash: str = ""
    order: int = 0
    rejections: int = 0


@dataclass(frozen=True, slots=True)
class Reference:
    """A picture that is sent along. ``path`` is relative to the folder of *subject*, ``bytes`` its size."""

    sha256: str = ""
    role: str = ""
    path: str = ""
    subject: str = ""
    name: str = ""
    mime: str = ""
    bytes: int = 0
    max_side: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One request line. Costs are US dollars."""

    wish_id: str = ""
    key: str = ""
    attempt: int = 1
    wish: Wish = Wish("")
    prompt: str = ""
    references: tuple[Reference, ...] = ()
    cost_usd: float = 0.0
    title: str = ""
    aspect_ratio: str = ""
    image_size: str = ""
    replaces: dict[str, str] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """``plan.json``: what one job is to do."""

    tasks: tuple[Task, ...]
    batch: str = ""
    operation: str = ""
    provider: str = ""
    library_id: str = ""
    model: str = ""
    display_name: str = ""
    cost_usd: float = 0.0
    tokens: int = 0
    batch_discount: float = 0.5
    temperature: float | None = None
    safety_settings: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class BatchEnd:
    """``ended.json``: how the job ended; ``operation`` is the server's own description of it.

    ``accepted`` says why results that do not account for the job were taken all the same; empty where they do.
    """

    state: str
    error: str = ""
    error_code: int = 0
    accepted: str = ""
    operation: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a receipt says of one task."""

    wish_id: str
    outcome: str
    reason: str = ""
    key: str = ""
    target: str = ""
    variation: int = 1
    attempt: int = 1
    cost_usd: float = 0.0
    spec_hash: str = ""
    file: str = ""
    sha256: str = ""
    advice: str = ""
    said: str = ""
    archived: str = ""
    title: str = ""
    prompt: str = ""
    model: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Times:
    """When a batch was submitted, fetched and applied, in UTC; ``""`` where that is unknown."""

    applied: str = ""
    submitted: str = ""
    fetched: str = ""


@dataclass(frozen=True, slots=True)
class Cost:
    """US dollars."""

    estimated: float = 0.0
    actual: float = 0.0
    batch_discount: float = 0.5


@dataclass(frozen=True, slots=True)
class Receipt:
    """``receipt.json``: the outcome of every task of a batch."""

    tasks: tuple[Outcome, ...]
    batch: str = ""
    operation: str = ""
    times: Times = Times()
    cost_usd: Cost = Cost()
    provider: str = ""
    model: str = ""
    job: str = ""
    run: str = ""
    state: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    follow_ups: tuple[str, ...] = ()
    error: str = ""
    library_id: str = ""
    warnings: tuple[str, ...] = ()
