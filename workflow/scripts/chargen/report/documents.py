"""report.json and the lines of failures.jsonl, as types (``schemas/report.schema.json``, ``failure.schema.json``)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.planning.estimates import LearnedPrice
from chargen.records.batch import RECORD_WAITS, Reference
from chargen.report.forms import FormCounts

Effect = Literal["", "entity skipped", "scene skipped"]


@frozen(kw_only=True)
class Spent(Document):
    """US dollars: as estimated before the requests were sent, and by the usage that the answers report."""

    estimated: float
    actual: float


@frozen(kw_only=True)
class RunCounts(Document):
    """The tasks of one run by outcome; ``skipped`` are results that were in place before it."""

    tasks: int
    applied: int
    superseded: int
    unplaced: int
    failed: int
    passing: int
    lost: int
    skipped: int


@frozen(kw_only=True)
class RunPart(Document):
    """One run apart. Moments are ISO 8601 in UTC, ``""`` if unknown."""

    id: str
    started: str
    finished: str
    duration_s: float | None
    provider: str
    targets: tuple[str, ...]
    counts: RunCounts
    cost_usd: Spent


@frozen(kw_only=True)
class Totals(Document):
    """How many pictures (or results of another operation) stand where.

    ``recomposed`` are pictures whose request is another today only because this version composes it differently.
    """

    wanted: int
    to_make: int
    applied: int
    adopted: int
    in_flight: int
    failed: int
    missing: int
    put_back: int
    blocked: int
    stale: int
    recomposed: int = 0
    skipped: int


@frozen(kw_only=True)
class LibraryTotals(Totals):
    """The totals of the library's pictures, and those of every operation by its name."""

    operations: Mapping[str, Totals]


@frozen(kw_only=True)
class Share(Document):
    """One row of the bill. ``off_percent``: how much the actual cost is above the estimate; None without one."""

    name: str
    requests: int
    estimated: float
    actual: float
    off_percent: float | None = None


@frozen(kw_only=True)
class Costs(Document):
    """US dollars so far, of what is in flight, and of what may still come; with the shares of the whole."""

    estimated: float
    actual: float
    in_flight: float
    to_make: float
    stale: float
    missing: float
    recomposed: float
    batch_discount: float
    by_operation: tuple[Share, ...]
    by_model: tuple[Share, ...]
    by_entity: tuple[Share, ...]


@frozen(kw_only=True)
class BatchTimes(Document):
    """ISO 8601 in UTC, ``""`` if it has not happened."""

    submitted: str
    fetched: str
    applied: str


@frozen(kw_only=True)
class BatchPart(Document):
    """One batch. ``counts`` are of its tasks by outcome, ``run`` is the one that applied it, ``""`` while in flight."""

    id: str
    operation: str
    model: str
    job: str
    run: str
    state: str
    error: str
    counts: Mapping[str, int]
    times: BatchTimes
    cost_usd: Spent
    follow_ups: tuple[str, ...]

    @property
    def is_in_flight(self) -> bool:
        """Whether the server has it."""
        return self.state == IN_FLIGHT

    @property
    def sent(self) -> str:
        """When it was submitted; when it was applied, where that is unknown."""
        return self.times.submitted or self.times.applied


IN_FLIGHT = "IN_FLIGHT"
"""The state of a batch without a receipt."""


@frozen(kw_only=True)
class TokenCounts(Document):
    """Tokens that the API counted in an answer; ``prompt_image`` are those of ``prompt`` that were pictures."""

    prompt: int = 0
    prompt_image: int = 0
    image: int = 0
    text: int = 0
    thoughts: int = 0
    total: int = 0


@frozen(kw_only=True)
class TaskPart(Document):
    """One task: its last attempt, and what all attempts together took.

    ``settled``: the library does not ask for it any more. ``wish_id`` names what was wanted. ``file`` is relative to
    the library (to the state if it was kept aside), with its size in pixels and bytes.
    """

    key: str
    wish_id: str
    operation: str
    batch: str
    run: str
    target: str
    variation: int
    title: str
    outcome: str
    settled: bool
    attempts: int
    reason: str
    advice: str
    said: str
    finish_reason: str
    file: str
    archived: str
    sha256: str
    format: str
    model: str
    model_requested: str
    aspect_ratio: str
    image_size: str
    width: int
    height: int
    bytes: int
    tokens: TokenCounts
    estimated_usd: float
    cost_usd: float
    notes: tuple[str, ...]

    @property
    def is_open_failure(self) -> bool:
        """Whether it failed for good and the library still asks for it."""
        return self.outcome in ("failed", "lost") and not self.settled


@frozen(kw_only=True)
class Note(Document):
    """An error or a warning: what is wrong, where, what to do, and what is left out because of it."""

    code: str
    message: str
    advice: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    key: str = ""
    entity: str = ""
    scene: str = ""
    effect: Effect = ""
    batch: str = ""


@frozen(kw_only=True)
class Report(Document):
    """``report.json``: everything so far, and the last run apart (None before the first)."""

    schema_version: int = 1
    library_id: str
    run: RunPart | None
    totals: LibraryTotals
    cost_usd: Costs
    learned: tuple[LearnedPrice, ...]
    analyses: FormCounts
    batches: tuple[BatchPart, ...]
    tasks: tuple[TaskPart, ...]
    broken: tuple[str, ...]
    warnings: tuple[Note, ...]
    errors: tuple[Note, ...]

    @property
    def is_bad(self) -> bool:
        """Whether the run apart must end with a non-zero status: a task failed for good or has no place, a record could
        not be written, or the report has errors."""
        if self.errors or self.run is None:
            return bool(self.errors)
        counts, run = self.run.counts, self.run.id
        waits = any(task.run == run and task.reason == RECORD_WAITS for task in self.tasks)
        return bool(counts.failed or counts.lost or counts.unplaced or waits)

    @property
    def open_failures(self) -> tuple[TaskPart, ...]:
        """The tasks that failed for good and that the library still asks for."""
        return tuple(task for task in self.tasks if task.is_open_failure)


@frozen(kw_only=True)
class Failure(Document):
    """One line of ``failures.jsonl``: a task that failed for good, with what was sent and what the API answered.

    ``written_in`` is the file (and line) that asks for it, relative to the library.
    """

    schema_version: int = 1
    key: str
    wish_id: str
    operation: str
    batch: str
    job: str
    run: str
    failed_at: str
    target: str
    variation: int
    title: str
    written_in: str
    outcome: str
    reason: str
    advice: str
    said: str
    finish_reason: str
    attempts: int
    cost_usd: float
    model: str
    aspect_ratio: str
    image_size: str
    prompt: str
    references: tuple[Reference, ...]
