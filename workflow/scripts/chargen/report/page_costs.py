"""What the page says of costs and batches: bills, and each run on a time axis of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from chargen.base.formatting import duration
from chargen.base.frozen import frozen
from chargen.base.wording import COUNTED_OUTCOMES, dollars, moment, seconds_between
from chargen.report.documents import BatchPart, Report, Share
from chargen.report.survey import Survey

SHOWN_BATCHES = 60

Stretch = tuple[float, float]
"""Where something begins on a time axis and how much of it that takes, in percent."""


@frozen(kw_only=True)
class BillRow:
    """A row of a bill in US dollars, with the shares of the dearest row in percent."""

    name: str
    requests: int
    estimated: float
    actual: float
    off_percent: float | None
    estimated_share: float
    actual_share: float


@frozen(kw_only=True)
class Bill:
    """A table of costs; amounts have so many ``digits`` after the point."""

    title: str
    head: str
    rows: tuple[BillRow, ...]
    digits: int


@frozen(kw_only=True)
class BatchRow:
    """A batch on the time axis of its run: when the server had it, and when its results were put in place."""

    id: str
    state: str
    job: str
    error: str
    when: str
    wait: Stretch | None
    work: Stretch | None
    facts: tuple[str, ...]


@frozen(kw_only=True)
class RunRows:
    """The batches of one run, or those in flight."""

    name: str
    took: str
    cost: str
    rows: tuple[BatchRow, ...]


@frozen(kw_only=True)
class TimeLine:
    """The youngest batches by run; ``left_out`` counts the older ones."""

    runs: tuple[RunRows, ...]
    left_out: int


@frozen(kw_only=True)
class Arrival:
    """A batch that cards came with, as the page calls it."""

    id: str
    name: str


def bills(report: Report, survey: Survey) -> tuple[Bill, ...]:
    """Return the tables of costs."""
    names = {key: entity.name for key, entity in survey.plan.library.entities.items()}
    return (
        _bill("By model", "Model", report.cost_usd.by_model, {}),
        _bill("By entity", "Entity", report.cost_usd.by_entity, names),
    )


def _bill(title: str, head: str, shares: Sequence[Share], names: dict[str, str]) -> Bill:
    most = max((max(share.actual, share.estimated) for share in shares), default=0.0) or 1.0
    rows = tuple(
        BillRow(
            name=names.get(share.name, share.name),
            requests=share.requests,
            estimated=share.estimated,
            actual=share.actual,
            off_percent=share.off_percent,
            estimated_share=round(100 * share.estimated / most, 2),
            actual_share=round(100 * share.actual / most, 2),
        )
        for share in shares
    )
    digits = 2 if most >= 1 else 3  # the same for all rows, so that they can be compared
    return Bill(title=title, head=head, rows=rows, digits=digits)


def time_line(batches: Sequence[BatchPart]) -> TimeLine:
    """Return the youngest batches by the run that applied them, each run with a time axis of its own."""
    ordered = sorted(batches, key=lambda batch: batch.sent, reverse=True)
    by_run: dict[str, list[BatchPart]] = defaultdict(list)
    for batch in ordered[:SHOWN_BATCHES]:
        by_run[batch.run].append(batch)
    runs = tuple(_run_rows(run, group) for run, group in by_run.items())
    return TimeLine(runs=runs, left_out=max(0, len(batches) - SHOWN_BATCHES))


def _run_rows(run: str, group: Sequence[BatchPart]) -> RunRows:
    moments = [
        text for batch in group for text in (batch.times.submitted, batch.times.fetched, batch.times.applied) if text
    ]
    start, end = min(moments, default=""), max(moments, default="")
    span = seconds_between(start, end) or 0.0
    actual = dollars(sum(batch.cost_usd.actual for batch in group))
    estimated = dollars(sum(batch.cost_usd.estimated for batch in group))
    return RunRows(
        name=f"Run of {moment(start)}" if run else "In flight",
        took=duration(span) if run and span else "",
        cost=f"{actual} of {estimated} estimated" if run else f"{estimated} estimated",
        rows=tuple(_batch_row(batch, start, span) for batch in reversed(group)),
    )


def _batch_row(batch: BatchPart, start: str, span: float) -> BatchRow:
    times = batch.times
    return BatchRow(
        id=batch.id,
        state=batch.state,
        job=batch.job,
        error=batch.error,
        when=moment(batch.sent),
        wait=_stretch(start, span, times.submitted, times.fetched),
        work=_stretch(start, span, times.fetched, times.applied),
        facts=tuple(_facts(batch)),
    )


def _stretch(start: str, span: float, first: str, last: str) -> Stretch | None:
    lead, took = seconds_between(start, first), seconds_between(first, last)
    if lead is None or took is None or span <= 0:
        return None
    return round(100 * lead / span, 2), round(100 * took / span, 2)


def _facts(batch: BatchPart) -> Iterator[str]:
    """What a batch's line says, part by part."""
    yield f"{batch.operation} with {batch.model}"
    if batch.counts:
        yield ", ".join(
            f"{number:,} {COUNTED_OUTCOMES.get(name, name)}" for name, number in sorted(batch.counts.items())
        )
    wait = seconds_between(batch.times.submitted, batch.times.fetched)
    if wait is not None:
        yield duration(wait)
    estimated = f"{dollars(batch.cost_usd.estimated)} estimated"
    yield estimated if batch.is_in_flight else f"{dollars(batch.cost_usd.actual)}, {estimated}"


def arrivals(batches: Iterable[BatchPart], used: set[str]) -> tuple[Arrival, ...]:
    """Return the batches among *used* (ids), the youngest first."""
    known = sorted(batches, key=lambda batch: batch.sent, reverse=True)
    return tuple(
        Arrival(id=batch.id, name=f"{batch.operation.capitalize()}, {moment(batch.sent)}")
        for batch in known
        if batch.id in used
    )
