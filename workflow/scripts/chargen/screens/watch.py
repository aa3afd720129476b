"""`snakemake watch`: the batches in flight, live on a terminal, a line per change elsewhere, until there are none.

It reads state only, what the run itself has seen and written, and asks the server nothing.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from chargen.base import output
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.base.timestamps import age_s, ago, span
from chargen.base.wording import count, dollars, progress_of
from chargen.providers.base import RemoteJob, jobs_read_again
from chargen.records.journal import Entry, Journal
from chargen.records.last_look import LastLook
from chargen.records.run import RunPlan
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.screens.screen import BAD, BUSY, DIM, GOOD, WARN, Line, Screen, Span, as_text, line, plain

if TYPE_CHECKING:
    from rich.text import Text

HELP = "show the batches in flight until there are none"
TICK_S = 0.5
REDRAWS_PER_S = 4
BAR_WIDTH = 24
YOUNGEST_RUNS = 50
"""How many runs are looked at for one that is going on."""
ENDED = ("applied",)
NOT_SENT = ("planned", "staged")
WITHOUT_PICTURE = ("failed", "passing", "lost")
STYLES = {"applied": GOOD, "running": BUSY, "downloading": BUSY, "applying": BUSY, "pending": WARN, "submitting": WARN}


@frozen(kw_only=True)
class Row(Document):
    """One batch. Phases: planned, staged, submitting, pending, running (or what the server says), downloading,
    applying, applied. ``done`` and ``failed`` are of ``tasks``; ``next_look_s`` is None where nobody looks.
    """

    batch: str
    operation: str
    model: str
    job: str
    phase: str
    tasks: int
    done: int
    failed: int
    started: str
    next_look_s: float | None
    cost_usd: float
    cost_is_final: bool


@frozen(kw_only=True)
class View(Document):
    """All batches at one moment, and whether a run is going on on this machine.

    ``cost_usd``: what is applied at its actual cost, what is in flight as estimated.
    """

    schema_version: int = 1
    time: str
    going_on: bool
    cost_usd: float
    batches: tuple[Row, ...]

    @property
    def is_over(self) -> bool:
        """Whether nothing is in flight or about to be sent."""
        return not self.going_on and all(row.phase in (*ENDED, *NOT_SENT) for row in self.batches)


@frozen
class Planned:
    """What is kept of a batch's plan while watching: a number instead of the tasks."""

    operation: str
    model: str
    tasks: int
    cost_usd: float

    @classmethod
    def of(cls, files: BatchFiles) -> Planned | None:
        """Read it from the batch's files; None if there is no plan."""
        plan = files.known_plan()
        return cls(plan.operation, plan.model, len(plan.tasks), plan.cost_usd) if plan else None


class Watcher:
    """Looks at the state of one library, again and again, and remembers which batches it has shown."""

    def __init__(self, state: State, started: float | None = None):
        self._state = state
        self._started = time.time() if started is None else started
        self._shown: dict[str, None] = {}
        self._plans: dict[str, Planned] = {}
        self._applied: dict[str, Row] = {}

    def look(self) -> View:
        """Return what there is to see now."""
        journal = Journal(self._state)
        youngest = list(self._state.runs())[-YOUNGEST_RUNS:]
        alive = [run for run in youngest if run.is_alive() and run.plans()]
        for batch in self._to_show(journal, alive):
            self._shown.setdefault(batch)
        seen, looked, pause_s = _last_look(self._state)
        next_s = max(0.0, looked + pause_s - time.time()) if pause_s else None
        rows = [self._row(self._state.batch(batch), journal.entry(batch), seen, next_s) for batch in self._shown]
        now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = tuple(row for row in rows if row)
        cost = round(sum(row.cost_usd for row in found), 6)
        return View(time=now, going_on=bool(alive), cost_usd=cost, batches=found)

    def _row(self, files: BatchFiles, entry: Entry, seen: dict[str, RemoteJob], next_s: float | None) -> Row | None:
        """Return the row of a batch, None if it has no plan; what does not change any more is read once."""
        if row := self._applied.get(files.id):
            return row
        planned = self._plans.get(files.id) if entry.job else None
        planned = planned or Planned.of(files)
        if planned is None:
            return None
        self._plans[files.id] = planned
        row = _row(files, entry, planned, seen.get(entry.job), next_s)
        if row.cost_is_final:
            self._applied[files.id] = row
        return row

    def _to_show(self, journal: Journal, alive: Iterable[RunFiles]) -> Iterator[str]:
        """Yield the batches of living runs, those in flight, and those that were sent or applied since we look."""
        for run in alive:
            for plan in RunPlan.all_of(run):
                yield from (*plan.batches, *plan.in_flight)
        for entry in journal.entries.values():
            since = max(_stamp(entry.applied), _stamp(entry.submitted))
            if entry.in_flight or since >= self._started:
                yield entry.batch


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show the batches until nothing is in flight or Ctrl-C; return the exit status."""
    watcher = Watcher(state)
    try:
        if screen.on_terminal:
            _live(watcher, settings, screen, run_files.stop)
        else:
            _lines(watcher, settings, screen, run_files.stop)
    except KeyboardInterrupt:
        run_files.stop.touch()
    if run_files.stop.exists() and not screen.as_json:
        screen.stream.write("Stopped watching; the run and its jobs continue.\n")
    return 0


def _live(watcher: Watcher, settings: Settings, screen: Screen, stop: Path) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console(file=output.drawable(screen.stream), highlight=False)
    spinner = "◐◓◑◒"
    with Live(console=console, refresh_per_second=REDRAWS_PER_S, auto_refresh=False) as live:
        for turn in range(1_000_000_000):
            view = watcher.look()
            sign = " " if view.is_over else spinner[turn % len(spinner)]
            live.update(_text(screen_lines(view, settings, sign, console.width, console.height)), refresh=True)
            if view.is_over or stop.exists():
                return
            time.sleep(TICK_S)


def _lines(watcher: Watcher, settings: Settings, screen: Screen, stop: Path) -> None:
    """A line per batch whenever it has changed; as JSON, the whole view on one line whenever anything has."""
    printed: dict[str, Row] = {}
    last: list[Row] | None = None
    while True:
        view = watcher.look()
        steady = [replace(row, next_look_s=None) for row in view.batches]
        if screen.as_json and steady != last:
            screen.stream.write(orjson.dumps(view.to_json(), option=orjson.OPT_APPEND_NEWLINE).decode())
        if not screen.as_json:
            for row in steady:
                if printed.get(row.batch) != row:
                    screen.stream.write(f"{view.time} {_in_a_line(row)}\n")
                    printed[row.batch] = row
        last = steady
        if view.is_over:
            if not screen.as_json:
                screen.stream.write(plain(_verdict(view, settings)) + "\n")
            screen.stream.flush()
            return
        screen.stream.flush()
        if stop.exists():
            return
        time.sleep(TICK_S)


def screen_lines(view: View, settings: Settings, sign: str, width: int, height: int = 1000) -> list[Line]:
    """Return the live screen: a block for each batch on its way, a line for each that is done, the sum at the end.

    What does not fit into *height* lines is counted.
    """
    busy = [row for row in view.batches if row.phase not in ENDED]
    done = [row for row in view.batches if row.phase in ENDED]
    room = max(4, height - 5)
    blocks = [*([_done_line(row)] for row in done), *(_block(row, sign, width) for row in busy)]
    shown: list[Line] = []
    hidden = 0
    for block in reversed(blocks):
        if hidden or len(shown) + len(block) > room:
            hidden += 1
        else:
            shown = [*block, *shown]
    if hidden:
        shown.insert(0, line(Span(f"… and {hidden} more batches", DIM)))
    leave = [] if view.is_over else [line(Span("Ctrl-C exits; the run continues", DIM))]
    return [*shown, *([line()] if shown else []), _verdict(view, settings), *leave]


def _block(row: Row, sign: str, width: int) -> list[Line]:
    counts = f"{row.done}/{row.tasks}" if row.done else count(row.tasks, "task")
    counts += f", {row.failed} failed" if row.failed else ""
    bar = min(BAR_WIDTH, max(8, width - 56))
    filled = round(bar * row.done / row.tasks) if row.tasks else 0
    rows = [
        ("phase", Span(row.phase, STYLES.get(row.phase, ""))),
        ("job", Span(row.job or "not sent yet")),
        ("started", Span(f"{ago(row.started)} ago" if row.started else "–")),
        ("next look", Span(_next_look(row.next_look_s))),
        ("cost", Span(f"{dollars(row.cost_usd)}, {row.model}")),
    ]
    head = line(
        Span(f"{sign} ", BUSY),
        Span(f"{row.operation} {row.batch}  ", "bold"),
        Span("━" * filled, GOOD),
        Span("━" * (bar - filled), DIM),
        Span(f"  {counts}", BAD if row.failed else ""),
    )
    last = len(rows) - 1
    return [
        head,
        *(
            line(Span(f"  {'└' if number == last else '├'}─ {name:<11}", DIM), value)
            for number, (name, value) in enumerate(rows)
        ),
    ]


def _next_look(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"in {span(seconds)}" if seconds >= 0.5 else "now"


def _done_line(row: Row) -> Line:
    good = row.done - row.failed
    parts: list[Span | str] = [Span("✓ ", GOOD), f"{row.operation} {row.batch}  {good} of {row.tasks} in place"]
    if row.failed:
        parts += [", ", Span(f"{row.failed} failed", BAD)]
    return line(*parts, Span(f", {dollars(row.cost_usd)}", DIM))


def _in_a_line(row: Row) -> str:
    counts = progress_of(row.done, row.tasks, "task") + (f", {row.failed} failed" if row.failed else "")
    age = f", started {row.started}" if row.started else ""
    cost = f"{dollars(row.cost_usd)}{'' if row.cost_is_final else ' estimated'}"
    return f"{row.operation} {row.batch} {row.phase}: {counts}, {row.job or 'no job yet'}{age}, {cost}"


def _verdict(view: View, settings: Settings) -> Line:
    flying = [row for row in view.batches if row.phase not in (*ENDED, *NOT_SENT)]
    done = sum(row.done for row in view.batches)
    failed = sum(row.failed for row in view.batches)
    free = "" if settings.capabilities.costs_money else f" ({settings.provider}: free)"
    if not view.batches:
        words = "A run is in progress; nothing is sent yet." if view.going_on else "Nothing is in flight."
        return line(words)
    tasks = sum(row.tasks for row in view.batches)
    batches = count(len(view.batches), "batch", "batches")
    text = f"{len(flying)} of {batches} in flight, {progress_of(done, tasks, 'task')}"
    text += f", {failed} failed" if failed else ""
    if view.is_over:
        text = f"Nothing is in flight now: {count(done, 'task')} done" + (f", {failed} failed" if failed else "")
    return line(text, f", {dollars(view.cost_usd)} so far{free}")


def _text(lines: Sequence[Line]) -> Text:
    from rich.text import Text

    return Text("\n").join(as_text(item) for item in lines)


def _row(files: BatchFiles, entry: Entry, planned: Planned, operation: RemoteJob | None, next_s: float | None) -> Row:
    """Return the row of a batch from its files and what the run last saw of its job."""
    tasks = planned.tasks
    receipt = files.known_receipt() if entry.outcomes is not None else None
    phase, done, failed, cost, looked_at = "planned", 0, 0, planned.cost_usd, False
    if receipt:
        phase, done = "applied", sum(receipt.counts.values())
        failed = sum(receipt.counts.get(name, 0) for name in WITHOUT_PICTURE)
        cost = receipt.cost_usd.actual
    elif files.responses.exists() and files.ended.exists():
        phase, done = "applying", operation.done if operation else tasks
        failed = operation.failed if operation else 0
    elif entry.job:
        phase, looked_at = (operation.state.lower() if operation else "pending"), True
        done, failed = (operation.done, operation.failed) if operation else (0, 0)
        if operation and operation.is_final:
            phase, looked_at = "downloading", False
    elif entry.open_intent is not None:
        phase = "submitting"
    elif files.requests.exists():
        phase = "staged"
    return Row(
        batch=files.id,
        operation=planned.operation,
        model=planned.model,
        job=entry.job,
        phase=phase,
        tasks=tasks,
        done=done,
        failed=failed,
        started=entry.submitted,
        next_look_s=round(next_s, 1) if looked_at and next_s is not None else None,
        cost_usd=round(cost, 6) if phase not in NOT_SENT else 0.0,
        cost_is_final=receipt is not None,
    )


def _last_look(state: State) -> tuple[dict[str, RemoteJob], float, float]:
    """Return the jobs as the run last saw them, when that was, and its pause until the next look in seconds."""
    last = LastLook.read(state.root / "last-look.json")
    return jobs_read_again(last.operations), last.time, last.pause_s


def _stamp(moment: str) -> float:
    age = age_s(moment)
    return 0.0 if age is None else time.time() - age
