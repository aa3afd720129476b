"""Apply: every task of a batch gets its outcome, every picture its place, every record its line, then the receipt.

The order is what makes it safe to die anywhere: picture, record, follow-ups, receipt, journal. Whatever is done again
is recognised by its content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from chargen.base import durable, events, failpoints
from chargen.base.errors import printable
from chargen.base.wording import count
from chargen.operations import operation
from chargen.operations.base import Operation
from chargen.operations.pin import pin_batch
from chargen.operations.words import money
from chargen.placing.answers import Answer, Delivery, priced
from chargen.providers.base import LOST, Reason, Verdict, Wanted
from chargen.providers.prices import known_prices
from chargen.providers.protocol import Provider
from chargen.providers.registry import provider_of
from chargen.providers.verdicts import Joined, failed, join
from chargen.records.batch import SUCCEEDED, UNSEEN, BatchEnd, BatchPlan, Cost, Outcome, Receipt, Task, Times
from chargen.records.journal import Entry, Journal, now
from chargen.records.journal_lines import Applied
from chargen.records.learned import learn
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps.follow_ups import retry_batches
from chargen.steps.lost import withdraw_orders

SHORT = {"applied": "in place", "passing": "temporary failures", "unplaced": "kept aside", "superseded": "archived"}
"""Outcomes in the log of a step."""
_ENDED_WITHOUT_RESULTS: dict[str, Reason] = {"CANCELLED": "cancelled", "EXPIRED": "deadline", LOST: "lost"}


@dataclass(frozen=True, slots=True)
class _Came:
    """What came of a batch: the outcomes of its tasks in order, how the job ended, and the lines of its results."""

    outcomes: tuple[Outcome, ...]
    end: BatchEnd
    joined: Joined


def apply(settings: Settings, state: State, files: BatchFiles, run: RunFiles) -> Receipt:
    """Place everything that the batch brought and return its receipt; done before, it only returns it.

    Call it under the batch's lock, with its responses on disk.
    """
    if receipt := files.known_receipt():
        _close(state, receipt)
        words = f"{receipt.operation} {files.id}: {_counts(receipt)}; already saved by the process that downloaded them"
        events.log("known", words, level="debug", batch=files.id, counts=dict(receipt.counts))
        return receipt
    _keep_damaged_receipt(files)
    plan = files.read_plan()
    journal = Journal.recent(state, files.id)
    entry = journal.entry(files.id)
    came = _place(settings, state, files, run, entry)
    _log_outcomes(files.id, came.outcomes)
    follow_ups = _retry(settings, state, journal, plan, came)
    if entry.found_again:
        wishes = [task.wish for task in plan.tasks]
        withdraw_orders(state, journal, files.id, zip(came.outcomes, wishes, strict=True))
    receipt = _receipt(plan, entry, run, came, follow_ups)
    durable.write_json(files.receipt, receipt.to_json())
    failpoints.reached("receipt")
    _close(state, receipt)
    learn(state, receipt)
    cost = receipt.cost_usd
    events.log(
        "applied",
        f"{plan.operation} {files.id}: {_counts(receipt)}, {money(cost.actual)}",
        on_terminal=True,
        batch=files.id,
        counts=dict(receipt.counts),
        cost_usd=cost.actual,
        estimated_usd=cost.estimated,
    )
    return receipt


def _keep_damaged_receipt(files: BatchFiles) -> None:
    """Rename a receipt that is there and cannot be read."""
    if files.receipt.exists():
        damaged = files.receipt.with_name("receipt.json.damaged")
        files.receipt.replace(damaged)
        words = f"{files.receipt} cannot be read: renamed to {damaged.name}, writing a new one from the results"
        events.log("problem", words, level="warning", on_terminal=True, batch=files.id)


def _place(settings: Settings, state: State, files: BatchFiles, run: RunFiles, entry: Entry) -> _Came:
    """Place and record the results of all tasks, and price them."""
    plan = files.read_plan()
    does = operation(plan.operation)
    provider = provider_of(settings)
    end = files.read_ended()
    with provider.results(files.responses) as results:
        joined = join(results, [task.key for task in plan.tasks])
        left_out = files.read_left_out()
        end = _as_it_is(end, joined)
        answers = [_answer(provider, task, joined, end, left_out, does.wanted) for task in plan.tasks]
        tasks = does.place_all(Delivery(settings, state, run, plan, answers, results, entry))
    catalog = known_prices(settings)
    return _Came(tuple(priced(catalog, task) for task in tasks), end, joined)


def _retry(settings: Settings, state: State, journal: Journal, plan: BatchPlan, came: _Came) -> list[str]:
    """Pin the batches that send temporary failures once more, and return them."""
    entry = journal.entry(plan.batch)
    # Whoever cancels a job wants nothing of it sent in the same breath; the next run sends what is still wanted. Of one
    # that was lost, the plan knows whether its pictures were ordered and sent since.
    is_left_alone = entry.withdrawn or entry.found_again
    again = [] if is_left_alone else _again(operation(plan.operation), settings, plan, came.outcomes)
    # A job that was cancelled while it ran ends well, with what it had done by then.
    too_large = not came.end.is_good or entry.cancelled
    follow_ups = [pin_batch(state, journal, retry) for retry in retry_batches(settings, plan, again, too_large)]
    if follow_ups:
        failpoints.reached("follow-up")
        words = f"{count(len(again), 'task')} with a temporary failure will be retried"
        events.log("retried", words, batch=plan.batch, tasks=len(again), batches=follow_ups)
    return follow_ups


def _receipt(plan: BatchPlan, entry: Entry, run: RunFiles, came: _Came, follow_ups: Iterable[str]) -> Receipt:
    end, outcomes = came.end, came.outcomes
    return Receipt(
        batch=plan.batch,
        operation=plan.operation,
        provider=plan.provider,
        library_id=plan.library_id,
        model=plan.model,
        job=entry.job,
        run=run.folder.name,
        state=end.state,
        error=end.error,
        follow_ups=tuple(follow_ups),
        counts=dict(Counter(task.outcome for task in outcomes)),
        times=Times(submitted=entry.submitted, fetched=entry.fetched, applied=now()),
        cost_usd=Cost(
            estimated=plan.cost_usd,
            actual=round(sum(task.cost_usd for task in outcomes), 6),
            batch_discount=plan.batch_discount,
        ),
        parameters=plan.parameters,
        warnings=(*([end.accepted] if end.accepted else []), *_warnings(came.joined)),
        tasks=outcomes,
    )


def _as_it_is(end: BatchEnd, joined: Joined) -> BatchEnd:
    """Return *end*, as that of a lost job if it succeeded and not one of its requests has an answer.

    Everything of it may have been paid for, so nothing of it is sent again unless that is ordered.
    """
    if joined.lines or not end.is_good:
        return end
    return replace(end, state=LOST, error=end.error or "its results answer none of the requests")


def _counts(receipt: Receipt) -> str:
    counts = sorted(receipt.counts.items())
    return ", ".join(f"{count} {SHORT.get(outcome, outcome)}" for outcome, count in counts) or "no results"


def put_back(
    settings: Settings, state: State, files: BatchFiles, run: RunFiles, wishes: Collection[str]
) -> list[Outcome]:
    """Place the pictures of *wishes* again from the stored responses of their batch; return their outcomes."""
    plan = files.read_plan()
    does = operation(plan.operation)
    wanted = [task for task in plan.tasks if task.wish_id in set(wishes)]
    end = files.read_ended()
    provider = provider_of(settings)
    with provider.results(files.responses) as results:
        joined = join(results, [task.key for task in plan.tasks])
        answers = [_answer(provider, task, joined, end, {}, does.wanted) for task in wanted]
        entry = Journal.recent(state, files.id).entry(files.id)
        tasks = does.place_all(Delivery(settings, state, run, plan, answers, results, entry))
    _log_outcomes(files.id, tasks)
    back = sum(task.outcome == "applied" for task in tasks)
    words = f"restored {back} {'picture' if back == 1 else 'pictures'} from batch {files.id}"
    events.log("put-back", words, on_terminal=True, batch=files.id, tasks=back)
    return tasks


def _log_outcomes(batch: str, tasks: Iterable[Outcome]) -> None:
    """Log the outcome of each task."""
    for task in tasks:
        facts: dict[str, Any] = {
            "key": task.key,
            "target": str(task.target),
            "variation": task.variation,
            "outcome": task.outcome,
            "reason": task.reason,
            "attempt": task.attempt,
            "cost_usd": task.cost_usd,
        }
        line = f"{task.target}:{task.variation} {task.outcome}"
        if task.has_picture:
            notes = (f"({note})" for note in task.notes)
            words = " ".join(filter(None, (line, task.file, task.reason, *notes)))
            facts |= {"file": task.file, "sha256": task.sha256, "archived": task.archived}
            events.log("placed", words, batch=batch, **facts)
        else:
            words = " ".join(filter(None, (line, task.reason, task.said)))
            events.log("failed", words, level="warning", batch=batch, **facts)


def _again(does: Operation, settings: Settings, plan: BatchPlan, records: Iterable[Outcome]) -> list[Task]:
    """Return the tasks that go out once more, as they are sent then."""
    worth = set(does.worth_another(settings, records))
    return [
        does.again(settings, plan, task, record)
        for task, record in zip(plan.tasks, records, strict=True)
        if record.key in worth
    ]


def _answer(
    provider: Provider, task: Task, joined: Joined, end: BatchEnd, left_out: Mapping[str, str], wanted: Wanted
) -> Answer:
    line = joined.lines.get(task.key)
    if line is None and task.key in left_out:
        return Answer(task, None, failed("reference-refused", left_out[task.key]))
    if line is None and not end.is_good:
        return Answer(task, None, _job_failure(provider, end))
    return Answer(task, line, provider.judge(line, wanted))


def _job_failure(provider: Provider, end: BatchEnd) -> Verdict:
    """What a job that ended without results means for each of its tasks."""
    said = f"the job ended {end.state.lower()}" + (f": {end.error}" if end.error else "")
    if end.state in _ENDED_WITHOUT_RESULTS:
        return failed(_ENDED_WITHOUT_RESULTS[end.state], said)
    verdict = provider.judge_job(end.error_code, end.error)
    return Verdict("failed", reason=verdict.reason, passing=verdict.passing, said=said, advice=verdict.advice)


def _warnings(joined: Joined) -> list[str]:
    found = [f"{count} result lines for {key}" for key, count in joined.repeated.items()]
    found += [f"unexpected result line for {printable(key[:200])}" for key in joined.unknown]
    found += [f"line {line.number} has no readable key: {line.problem or 'no key'}" for line in joined.keyless]
    return found


def _close(state: State, receipt: Receipt) -> None:
    """Write the outcomes into the journal, once."""
    journal = Journal.recent(state, receipt.batch)
    if journal.entry(receipt.batch).outcomes is None:
        outcomes = {task.wish_id: (task.outcome, task.reason) for task in receipt.tasks}
        journal.append(Applied(now(), receipt.batch, outcomes=outcomes, cost_usd=_certain_cost(receipt)))


def _certain_cost(receipt: Receipt) -> float | None:
    """What the budget may count instead of the estimate: only if the job ended well and every task has its answer."""
    unsure = receipt.state != SUCCEEDED or any(
        task.outcome == "lost" or task.reason in UNSEEN for task in receipt.tasks
    )
    return None if unsure else receipt.cost_usd.actual
