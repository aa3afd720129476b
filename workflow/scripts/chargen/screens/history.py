"""`snakemake history`: the runs with time, targets, counts and cost; one of them in detail."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain

from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.reading import Document, extend
from chargen.base.timestamps import local, span
from chargen.base.wording import COUNTED_OUTCOMES, OUTCOMES_IN_WORDS, count, dollars, seconds_between
from chargen.records import arguments
from chargen.records.batch import Outcome, Receipt
from chargen.records.commands import command
from chargen.records.journal import Entry, Journal
from chargen.records.run import RunPlan, RunProcess, RunProvider
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.report.documents import IN_FLIGHT, Spent
from chargen.report.history import WAITING, History, read_history
from chargen.report.survey import FAILED
from chargen.screens.screen import (
    BAD,
    BUSY,
    DIM,
    GOOD,
    WARN,
    Column,
    Line,
    Screen,
    Span,
    advice,
    heading,
    line,
    table,
    to_paste,
)

HELP = "list the runs, or show one (setting: run_id)"
SHOWN_RUNS = 30
SHOWN_TASKS = 60
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)Z")
APPLIED = "applied"


@frozen(kw_only=True)
class RunSummary(Document):
    """A run that planned something or applied something.

    ``counts`` are of tasks by outcome; ``cost_usd`` is of what the run applied; ``in_flight`` counts the tasks of its
    batches that the server still has; ``going_on``: its process is alive on this machine.
    """

    id: str
    started: str
    finished: str
    duration_s: float | None
    going_on: bool
    provider: str
    targets: tuple[str, ...]
    planned: int
    counts: Mapping[str, int]
    in_flight: int
    waiting_batches: tuple[str, ...]
    cost_usd: Spent

    @property
    def failed(self) -> int:
        """How many of its tasks failed for good."""
        return sum(self.counts.get(outcome, 0) for outcome in FAILED)


@frozen(kw_only=True)
class RunBatch(Document):
    """A batch of one run. ``cost_usd`` is the actual cost in US dollars, 0 while it is in flight."""

    id: str
    operation: str
    model: str
    job: str
    state: str
    counts: Mapping[str, int]
    cost_usd: float


@frozen(kw_only=True)
class RunTask(Document):
    """A task of one run and how it ended."""

    target: str
    variation: int
    outcome: str
    reason: str
    advice: str
    file: str
    cost_usd: float
    batch: str
    attempt: int

    @property
    def name(self) -> str:
        """Its target, and which variation if it is not the first."""
        return self.target + (f" (variation {self.variation})" if self.variation > 1 else "")

    @property
    def has_failed(self) -> bool:
        """Whether it failed for good."""
        return self.outcome in FAILED

    @property
    def cause(self) -> tuple[str, str]:
        """Reason and advice of a failure; blank if it did not fail."""
        return (self.reason, self.advice) if self.has_failed else ("", "")


@frozen(kw_only=True)
class RunDetail(RunSummary):
    """One run with its batches and tasks, its cost by model, and the warnings of its plan."""

    schema_version: int = 1
    batches: tuple[RunBatch, ...]
    usd_by_model: Mapping[str, float]
    problems: tuple[str, ...]
    notices: tuple[str, ...]
    tasks: tuple[RunTask, ...]
    troubles: tuple[str, ...]


@frozen(kw_only=True)
class Runs(Document):
    """The answer of `snakemake history`: all runs, the youngest first."""

    schema_version: int = 1
    library_id: str
    provider: str
    runs: tuple[RunSummary, ...]


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show all runs, or the one that ``run_id`` names; return the exit status."""
    history = read_history(state)
    receipts = _by_run(history)
    if run_id := settings.asked(arguments.History).run_id:
        found = detail(run_id, state, history, receipts)
        screen.show(found, lambda width: detail_lines(found, width))
        return 0
    runs = summaries(state, receipts)
    data = Runs(library_id=settings.library_id, provider=settings.provider, runs=tuple(runs))
    screen.show(data, lambda width: lines(runs, settings, width))
    return 0


def summaries(state: State, receipts: Mapping[str, list[Receipt]]) -> list[RunSummary]:
    """Return every run that planned something or applied something, the youngest first."""
    journal = Journal(state)
    planned = {files.folder.name for files in state.runs() if files.plans()}
    return [
        _summary(state.run(run), receipts.get(run, []), journal)
        for run in sorted(planned | receipts.keys(), reverse=True)
    ]


def detail(run: str, state: State, history: History, receipts: Mapping[str, list[Receipt]]) -> RunDetail:
    """Return one run in detail. Raises ChargenError if there is no such run."""
    summary = next((item for item in summaries(state, receipts) if item.id == run), None)
    if summary is None:
        raise ChargenError(f"history: no run {run}; `snakemake history` lists them")
    plans = RunPlan.all_of(state.run(run))
    own = receipts.get(run, [])
    models: dict[str, float] = {}
    for receipt in own:
        models[receipt.model] = models.get(receipt.model, 0.0) + receipt.cost_usd.actual
    journal = Journal(state)
    return extend(
        RunDetail,
        summary,
        batches=(*map(_batch, own), *(_waiting(journal.entry(batch)) for batch in summary.waiting_batches)),
        usd_by_model={model: round(cost, 6) for model, cost in sorted(models.items())},
        problems=_each(plan.problems for plan in plans),
        notices=_each(plan.notices for plan in plans),
        tasks=tuple(_task(task, receipt) for receipt in own for task in receipt.tasks),
        troubles=tuple(f"batch {batch}: {text}" for batch, text in history.troubles),
    )


def lines(runs: Sequence[RunSummary], settings: Settings, width: int | None) -> Iterator[Line]:
    """Yield the screen: a table of runs, the youngest first."""
    if not runs:
        yield line(f"No runs of library {settings.library_id} with provider {settings.provider} yet.")
        return
    spent = sum(run.cost_usd.actual for run in runs)
    free = "" if settings.capabilities.costs_money else f" ({settings.provider}: nothing was paid)"
    yield heading(f"{count(len(runs), 'run')}, {dollars(spent)} in all{free}")
    yield from table(
        [
            Column("run"),
            Column("took", right=True),
            Column("done", right=True),
            Column("failed", right=True),
            Column("cost", right=True),
            Column("targets", below=True),
            Column("notes", below=True),
        ],
        [_row(run) for run in runs[:SHOWN_RUNS]],
        width,
    )
    if len(runs) > SHOWN_RUNS:
        yield line(Span(f"… and {len(runs) - SHOWN_RUNS} older ones: --config format=json has all", DIM))
    yield line()
    yield line("One run in detail:")
    yield to_paste(command(settings, "history", f"run_id={runs[0].id}"))


def detail_lines(run: RunDetail, width: int | None) -> Iterator[Line]:
    """Yield the screen of one run: figures, batches, tasks with where they went or why they failed."""
    yield heading(f"Run {run.id}")
    for name, value in _figures(run):
        if value:
            yield line(Span(f"{name:<12}", DIM), value)
    if run.batches:
        yield line()
    yield from table(
        [Column("batch"), Column("state"), Column("tasks"), Column("job", below=True)],
        [
            [
                batch.id,
                Span(batch.state.lower().replace("_", " "), GOOD if batch.state == "SUCCEEDED" else WARN),
                _counts(batch.counts),
                batch.job,
            ]
            for batch in run.batches
        ],
        width,
    )
    yield from _task_lines(run.tasks, width)
    for text in [*run.problems, *run.notices, *run.troubles]:
        yield line(Span("! ", WARN), text)


def _figures(run: RunDetail) -> Iterator[tuple[str, str]]:
    took = f" ({span(run.duration_s)})" if run.duration_s is not None else ""
    yield "started", local(run.started) + (" (in progress)" if run.going_on else took)
    yield "targets", " ".join(run.targets)
    yield "provider", run.provider
    yield "tasks", _counts(run.counts)
    yield "in flight", count(run.in_flight, "task") if run.in_flight else ""
    yield "cost", f"{dollars(run.cost_usd.actual)}, {dollars(run.cost_usd.estimated)} estimated"
    for model, cost in run.usd_by_model.items():
        yield "", f"{dollars(cost)} for {model}"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{counts[name]:,} {word}" for name, word in COUNTED_OUTCOMES.items() if counts.get(name))


def _task_lines(tasks: Sequence[RunTask], width: int | None) -> Iterator[Line]:
    if tasks:
        yield line()
    order = sorted(tasks, key=_failures_first_by_cause)
    shown = order[: SHOWN_TASKS if width is not None else None]
    for number, task in enumerate(shown):
        if task.has_failed:
            yield line(Span("✗ ", BAD), f"{task.name}: {task.reason or OUTCOMES_IN_WORDS[task.outcome]}")
            following = shown[number + 1 : number + 2]
            if task.advice and not (following and following[0].cause == task.cause):
                yield from advice(task.advice, width)
        elif task.outcome == "applied":
            yield line(Span("✓ ", GOOD), task.file or task.name)
        else:
            yield line(Span("○ ", DIM), f"{task.name}: {OUTCOMES_IN_WORDS.get(task.outcome, task.outcome)}")
    if len(order) > len(shown):
        yield line(Span(f"… and {len(order) - len(shown)} more", DIM))


def _failures_first_by_cause(task: RunTask) -> tuple[bool, tuple[str, str], str, int]:
    return not task.has_failed, task.cause, task.target, task.variation


def _row(run: RunSummary) -> list[Span | str]:
    notes = [
        f"{run.counts[name]:,} {COUNTED_OUTCOMES[name]}"
        for name in ("superseded", "unplaced", "passing")
        if run.counts.get(name)
    ]
    if run.in_flight:
        notes.append(f"{run.in_flight} in flight")
    if run.going_on:
        notes.insert(0, "in progress")
    return [
        Span(run.id, BUSY if run.going_on else ""),
        span(run.duration_s) if run.duration_s is not None else "",
        str(run.counts.get(APPLIED, 0)),
        Span(str(run.failed), BAD if run.failed else ""),
        dollars(run.cost_usd.actual),
        " ".join(run.targets),
        ", ".join(notes),
    ]


def _by_run(history: History) -> dict[str, list[Receipt]]:
    runs: dict[str, list[Receipt]] = {}
    for receipt in history.receipts:
        if receipt.run:
            runs.setdefault(receipt.run, []).append(receipt)
    return runs


def _summary(files: RunFiles, receipts: Sequence[Receipt], journal: Journal) -> RunSummary:
    run, plans, process = files.folder.name, RunPlan.all_of(files), RunProcess.of(files)
    match = _STAMP.match(run)
    started = next((plan.started for plan in plans if plan.started), process.started)
    started = started or (":".join(match.groups()) + "Z" if match else "")
    finished = max((receipt.times.applied for receipt in receipts), default="")
    applied = {receipt.batch for receipt in receipts}
    known = _each((*plan.batches, *plan.in_flight) for plan in plans)
    waiting = [batch for batch in known if batch not in applied and journal.entry(batch).in_flight]
    return RunSummary(
        id=run,
        started=started,
        finished=finished,
        duration_s=seconds_between(started, finished),
        going_on=files.is_alive(),
        provider=receipts[0].provider if receipts else RunProvider.of(files).provider,
        targets=process.targets or _each(plan.targets for plan in plans),
        planned=sum(plan.to_make for plan in plans),
        counts=dict(Counter(task.outcome for receipt in receipts for task in receipt.tasks)),
        in_flight=sum(len(journal.entry(batch).wishes) for batch in waiting),
        waiting_batches=tuple(waiting),
        cost_usd=Spent(
            estimated=round(sum(receipt.cost_usd.estimated for receipt in receipts), 6),
            actual=round(sum(receipt.cost_usd.actual for receipt in receipts), 6),
        ),
    )


def _each(parts: Iterable[Iterable[str]]) -> tuple[str, ...]:
    """Return every text of *parts* once, in their order."""
    return tuple(dict.fromkeys(chain.from_iterable(parts)))


def _batch(receipt: Receipt) -> RunBatch:
    return RunBatch(
        id=receipt.batch,
        operation=receipt.operation,
        model=receipt.model,
        job=receipt.job,
        state=receipt.state,
        counts=receipt.counts,
        cost_usd=receipt.cost_usd.actual,
    )


def _waiting(entry: Entry) -> RunBatch:
    return RunBatch(
        id=entry.batch,
        operation=entry.operation,
        model=entry.model,
        job=entry.job,
        state=IN_FLIGHT,
        counts={WAITING: len(entry.wishes)},
        cost_usd=0.0,
    )


def _task(task: Outcome, receipt: Receipt) -> RunTask:
    return RunTask(
        target=task.target,
        variation=task.variation,
        outcome=task.outcome,
        reason=task.reason,
        advice=task.advice,
        file=task.file,
        cost_usd=task.cost_usd,
        batch=receipt.batch,
        attempt=task.attempt,
    )
