"""The figures of the report: what one run did, how many results stand where, and what they cost."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import get_args

from chargen.base.wording import seconds_between
from chargen.planning.plan import Counts
from chargen.records.batch import OutcomeName
from chargen.records.journal import now
from chargen.report.documents import Costs, LibraryTotals, RunCounts, RunPart, Share, Spent, Totals
from chargen.report.history import APPLIED, WAITING, Fate
from chargen.report.survey import Survey

_RUN_ID = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)Z")


def run_part(survey: Survey, fates: Mapping[str, Fate]) -> RunPart:
    """Return what the survey's run did: *fates* are those that it brought about, by wish id."""
    receipts = [receipt for receipt in survey.history.receipts if receipt.run == survey.run]
    current = survey.current
    started = current.started if current else ""
    if not started:
        match = _RUN_ID.fullmatch(survey.run)
        began = ":".join(match.groups()) + "Z" if match else ""
        started = began or min((receipt.times.submitted for receipt in receipts), default="")
    finished = now() if current else max((receipt.times.applied for receipt in receipts), default="")
    return RunPart(
        id=survey.run,
        started=started,
        finished=finished,
        duration_s=seconds_between(started, finished),
        provider=survey.settings.provider,
        targets=current.targets if current else (),
        counts=_run_counts(survey, fates),
        cost_usd=Spent(
            estimated=_sum(receipt.cost_usd.estimated for receipt in receipts),
            actual=_sum(receipt.cost_usd.actual for receipt in receipts),
        ),
    )


def _run_counts(survey: Survey, fates: Mapping[str, Fate]) -> RunCounts:
    outcomes = Counter(survey.outcome(fate) for fate in fates.values())
    by_outcome = {outcome: outcomes[outcome] for outcome in get_args(OutcomeName)}
    return RunCounts(tasks=len(fates), skipped=_skipped(survey, fates), **by_outcome)


def totals(survey: Survey, run: Mapping[str, Fate]) -> LibraryTotals:
    """Return how many results stand where, for the library's plan and for each operation; *run* as in `run_part`."""

    def with_skipped(operation: str, counts: Counts) -> dict[str, int]:
        return {**counts.to_json(), "skipped": _in_place_before(survey, run, operation)}

    planned = with_skipped(survey.plan.operation, survey.plan.counts())
    operations = {survey.plan.operation: Totals(**planned)}
    for operation, plan in survey.others.items():
        operations[operation] = Totals(**with_skipped(operation, plan.counts()))
    unplanned = {fate.operation for fate in survey.history.fates.values()} - operations.keys()
    for operation in sorted(unplanned):
        operations[operation] = _unplanned(operation, survey, _in_place_before(survey, run, operation))
    return LibraryTotals(**planned, operations=operations)


def _unplanned(operation: str, survey: Survey, skipped: int) -> Totals:
    """Return the totals of an operation that cannot be planned now: of what was ever sent."""
    outcomes = Counter(survey.outcome(fate) for fate in survey.history.fates.values() if fate.operation == operation)
    return Totals(
        wanted=outcomes.total(),
        to_make=0,
        applied=outcomes[APPLIED],
        adopted=0,
        in_flight=outcomes[WAITING],
        failed=sum(fate.operation == operation for _, fate in survey.failures),
        missing=0,
        put_back=0,
        blocked=0,
        stale=0,
        skipped=skipped,
    )


def _skipped(survey: Survey, run: Mapping[str, Fate]) -> int:
    """How many results were in place already, of the operations that the run was about."""
    about = {fate.operation for fate in run.values()} or {survey.plan.operation}
    return sum(_in_place_before(survey, run, operation) for operation in about)


def _in_place_before(survey: Survey, run: Mapping[str, Fate], operation: str) -> int:
    """How many results of *operation* are in place now less those that the run brought."""
    brought = sum(fate.outcome == APPLIED and fate.operation == operation for fate in run.values())
    plan = survey.plan if operation == survey.plan.operation else survey.others.get(operation)
    if plan:
        return max(0, plan.counts().applied - brought)
    fates = survey.history.fates.values()
    return sum(fate.operation == operation and fate.outcome == APPLIED for fate in fates) - brought


def costs(survey: Survey) -> Costs:
    """Return what everything cost so far and may still cost, with the shares of operations, models and entities."""
    history = survey.history
    operations, models, entities = _Bill(), _Bill(), _Bill()
    for receipt in history.receipts:
        spent = len(receipt.tasks), receipt.cost_usd.estimated, receipt.cost_usd.actual
        operations.add(receipt.operation, *spent)
        models.add(receipt.model, *spent)
    for fate in history.fates.values():
        if not fate.is_waiting:
            entities.add(fate.task.target.entity, fate.attempts, fate.estimated_usd, fate.actual_usd)
    return Costs(
        estimated=_sum(receipt.cost_usd.estimated for receipt in history.receipts),
        actual=_sum(receipt.cost_usd.actual for receipt in history.receipts),
        in_flight=_sum(entry.cost_usd for entry in history.in_flight),
        to_make=round(survey.plan.cost_usd, 6),
        stale=_sum(item.cost_usd for item in survey.plan.stale),
        recomposed=_sum(item.cost_usd for item in survey.plan.recomposed),
        missing=round(survey.plan.missing_usd, 6),
        batch_discount=survey.plan.catalog.batch_discount,
        by_operation=operations.shares(),
        by_model=models.shares(),
        by_entity=entities.shares(),
    )


class _Bill:
    """Adds up requests and US dollars by name."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[int, float, float]] = {}

    def add(self, name: str, requests: int, estimated: float, actual: float) -> None:
        before = self._rows.get(name, (0, 0.0, 0.0))
        self._rows[name] = before[0] + requests, before[1] + estimated, before[2] + actual

    def shares(self) -> tuple[Share, ...]:
        """Return the rows, the dearest first."""
        rows = sorted(self._rows.items(), key=lambda item: (-item[1][2], -item[1][1], item[0]))
        return tuple(
            Share(
                name=name,
                requests=requests,
                estimated=round(estimated, 6),
                actual=round(actual, 6),
                off_percent=round(100 * (actual / estimated - 1), 1) if estimated else None,
            )
            for name, (requests, estimated, actual) in rows
        )


def _sum(amounts: Iterable[float]) -> float:
    return round(sum(amounts), 6)
