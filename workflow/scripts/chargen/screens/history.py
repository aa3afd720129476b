"""`snakemake history`: the runs with time, targets, counts and cost; one of them in detail."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.base.timestamps import local, span
from chargen.base.wording import OUTCOMES_IN_WORDS, dollars, seconds_between
from chargen.records.commands import command
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.report.history import History, Receipt, read_history
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
_BAD_OUTCOMES = ("failed", "lost")


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show all runs, or the one that ``run_id`` names; return the exit status."""
    history = read_history(state)
    receipts = _by_run(history)
    if settings.run_id:
        data = detail(settings.run_id, state, history, receipts)
        screen.show(data, lambda width: detail_lines(data, width))
        return 0
    runs = summaries(state, receipts)
    data = {"schema_version": 1, "library_id": settings.library_id, "provider": settings.provider, "runs": runs}
    screen.show(data, lambda width: lines(runs, settings, width))
    return 0


def summaries(state: State, receipts: Mapping[str, list[Receipt]]) -> list[dict[str, Any]]:
    """Return every run that planned something or brought something in, the youngest first.

    ``counts`` are of outcomes; ``cost_usd`` is of what the run applied; ``in_flight`` counts the tasks of its batches
    that are still on their way; ``going_on`` says that its process is alive on this machine.
    """
    journal = Journal(state)
    planned = {files.folder.name for files in state.runs() if files.plan.exists()}
    return [
        _summary(state.run(run), receipts.get(run, []), journal)
        for run in sorted(planned | receipts.keys(), reverse=True)
    ]


def detail(run: str, state: State, history: History, receipts: Mapping[str, list[Receipt]]) -> dict[str, Any]:
    """Return the summary of one run with its batches, tasks, cost by model, and what its plan warned of.

    Raises ChargenError if there is no such run.
    """
    found = next((item for item in summaries(state, receipts) if item["id"] == run), None)
    if found is None:
        raise ChargenError(f"history: no run {run}; `snakemake history` lists them")
    plan = _kept(state.run(run).plan)
    models: dict[str, float] = {}
    for receipt in receipts.get(run, []):
        models[receipt["model"]] = models.get(receipt["model"], 0.0) + receipt["cost_usd"]["actual"]
    return {
        "schema_version": 1,
        **found,
        "batches": [_batch(receipt) for receipt in receipts.get(run, [])]
        + [_waiting(batch, Journal(state)) for batch in found["waiting_batches"]],
        "usd_by_model": {model: round(cost, 6) for model, cost in sorted(models.items())},
        "problems": plan.get("problems", []),
        "notices": plan.get("notices", []),
        "tasks": [
            {name: task[name] for name in ("target", "variation", "outcome", "reason", "advice", "file", "cost_usd")}
            | {"batch": receipt["batch"], "attempt": task["attempt"]}
            for receipt in receipts.get(run, [])
            for task in receipt["tasks"]
        ],
        "troubles": [f"batch {batch}: {text}" for batch, text in history.troubles],
    }


def lines(runs: list[dict[str, Any]], settings: Settings, width: int | None) -> Iterator[Line]:
    """Yield the screen: a table of runs, the youngest first."""
    if not runs:
        yield line(f"No runs of library {settings.library_id} with provider {settings.provider} yet.")
        return
    spent = sum(run["cost_usd"]["actual"] for run in runs)
    free = " (emulator: nothing was paid)" if settings.provider == "emulator" else ""
    told = f"{len(runs)} {'run' if len(runs) == 1 else 'runs'}, {dollars(spent)} in all{free}"
    yield heading(told)
    yield from table(
        [
            Column("run"),
            Column("took", right=True),
            Column("in place", right=True),
            Column("failed", right=True),
            Column("cost", right=True),
            Column("targets", below=True),
            Column("else", below=True),
        ],
        [_row(run) for run in runs[:SHOWN_RUNS]],
        width,
    )
    if len(runs) > SHOWN_RUNS:
        yield line(Span(f"… and {len(runs) - SHOWN_RUNS} older ones: --config format=json has all", DIM))
    yield line()
    yield line("One in detail:")
    yield to_paste(command(settings, "history", f"run_id={runs[0]['id']}"))


def detail_lines(data: Mapping[str, Any], width: int | None) -> Iterator[Line]:
    """Yield the screen of one run: figures, batches, tasks with where they went or why they failed."""
    yield heading(f"Run {data['id']}")
    took = span(data["duration_s"]) if data["duration_s"] is not None else "unknown"
    ended = "still going on" if data["going_on"] else f"to {local(data['finished'])}" if data["finished"] else ""
    for name, value in (
        ("when", f"{local(data['started'])} {ended} ({took})"),
        ("targets", " ".join(data["targets"])),
        ("provider", data["provider"]),
        ("tasks", ", ".join(f"{number} {_in_words(outcome)}" for outcome, number in data["counts"].items())),
        ("in flight", str(data["in_flight"] or "")),
        ("cost", f"{dollars(data['cost_usd']['actual'])}, {dollars(data['cost_usd']['estimated'])} estimated"),
        *(("", f"{dollars(cost)} for {model}") for model, cost in data["usd_by_model"].items()),
    ):
        if value:
            yield line(Span(f"{name:<12}", DIM), value)
    yield line()
    yield from table(
        [Column("batch"), Column("state"), Column("tasks"), Column("job", below=True)],
        [
            [
                batch["id"],
                Span(batch["state"].lower(), GOOD if batch["state"] == "SUCCEEDED" else WARN),
                ", ".join(f"{number} {_in_words(outcome)}" for outcome, number in batch["counts"].items() if number),
                batch["job"],
            ]
            for batch in data["batches"]
        ],
        width,
    )
    yield from _task_lines(data["tasks"], width)
    for text in [*data["problems"], *data["notices"], *data["troubles"]]:
        yield line(Span("! ", WARN), text)


def _task_lines(tasks: list[dict[str, Any]], width: int | None) -> Iterator[Line]:
    if tasks:
        yield line()
    order = sorted(tasks, key=_bad_ones_first_by_reason)
    shown = order[: SHOWN_TASKS if width is not None else None]
    for task, following in zip(shown, [*shown[1:], None], strict=True):
        name = task["target"] + (f" (variation {task['variation']})" if task["variation"] > 1 else "")
        if task["outcome"] in _BAD_OUTCOMES:
            yield line(Span("✗ ", BAD), f"{name}: {task['reason'] or _in_words(task['outcome'])}")
            if task["advice"] and not (following and _why(following) == _why(task)):
                yield from advice(task["advice"], width)
        elif task["outcome"] == "applied":
            yield line(Span("✓ ", GOOD), task["file"] or name)
        else:
            yield line(Span("○ ", DIM), f"{name}: {_in_words(task['outcome'])}")
    if width is not None and len(order) > SHOWN_TASKS:
        yield line(Span(f"… and {len(order) - SHOWN_TASKS} more", DIM))


def _why(task: Mapping[str, Any]) -> tuple[str, str]:
    return ("", "") if task["outcome"] not in _BAD_OUTCOMES else (task["reason"], task["advice"])


def _bad_ones_first_by_reason(task: Mapping[str, Any]) -> tuple[Any, ...]:
    return task["outcome"] not in _BAD_OUTCOMES, _why(task), task["target"], task["variation"]


def _row(run: Mapping[str, Any]) -> list[Span | str]:
    counts = run["counts"]
    failed = sum(counts.get(outcome, 0) for outcome in _BAD_OUTCOMES)
    rest = [f"{counts[name]} {_in_words(name)}" for name in ("superseded", "unplaced", "passing") if counts.get(name)]
    if run["in_flight"]:
        rest.append(f"{run['in_flight']} in flight")
    if run["going_on"]:
        rest.insert(0, "going on")
    return [
        Span(run["id"], BUSY if run["going_on"] else ""),
        span(run["duration_s"]) if run["duration_s"] is not None else "",
        str(counts.get("applied", 0)),
        Span(str(failed), BAD if failed else ""),
        dollars(run["cost_usd"]["actual"]),
        " ".join(run["targets"]),
        ", ".join(rest),
    ]


def _in_words(outcome: str) -> str:
    return OUTCOMES_IN_WORDS.get(outcome, outcome)


def _by_run(history: History) -> dict[str, list[Receipt]]:
    runs: dict[str, list[Receipt]] = {}
    for receipt in history.receipts:
        if receipt["run"]:
            runs.setdefault(receipt["run"], []).append(receipt)
    return runs


def _summary(files: RunFiles, receipts: list[Receipt], journal: Journal) -> dict[str, Any]:
    run, plan = files.folder.name, _kept(files.plan)
    match = _STAMP.match(run)
    started = plan.get("started") or (":".join(match.groups()) + "Z" if match else "")
    finished = max((receipt["times"]["applied"] for receipt in receipts), default="")
    applied = {receipt["batch"] for receipt in receipts}
    waiting = [
        batch
        for batch in (*plan.get("batches", ()), *plan.get("in_flight", ()))
        if batch not in applied and journal.entry(batch).in_flight
    ]
    counts = Counter(task["outcome"] for receipt in receipts for task in receipt["tasks"])
    return {
        "id": run,
        "started": started,
        "finished": finished,
        "duration_s": seconds_between(started, finished),
        "going_on": files.is_alive(),
        "provider": receipts[0]["provider"] if receipts else _kept(files.settings).get("provider", ""),
        "targets": plan.get("targets", []),
        "planned": plan.get("counts", {}).get("to_make", 0),
        "counts": dict(counts),
        "in_flight": sum(len(journal.entry(batch).wishes) for batch in waiting),
        "waiting_batches": waiting,
        "cost_usd": {
            name: round(sum(receipt["cost_usd"][name] for receipt in receipts), 6) for name in ("estimated", "actual")
        },
    }


def _kept(path: Path) -> dict[str, Any]:
    """Return what is in a run's file; nothing if it is gone or cannot be read."""
    try:
        data = durable.read_object(path)
    except (OSError, ValueError):
        return {}
    return data


def _batch(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt["batch"],
        "operation": receipt["operation"],
        "model": receipt["model"],
        "job": receipt["job"],
        "state": receipt["state"],
        "counts": dict(receipt["counts"]),
        "cost_usd": receipt["cost_usd"]["actual"],
    }


def _waiting(batch: str, journal: Journal) -> dict[str, Any]:
    entry = journal.entry(batch)
    return {
        "id": batch,
        "operation": entry.operation,
        "model": entry.model,
        "job": entry.job,
        "state": "IN_FLIGHT",
        "counts": {"waiting": len(entry.wishes)},
        "cost_usd": 0.0,
    }
