"""One run of Snakemake: its settings, its plan made while the graph is built, what it pins and how it ends.

The Snakefile asks this object for the files that its targets need. Until `start`, nothing is written.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import shutil
import signal
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, ParamSpec, TextIO, TypeVar, cast

from chargen import __version__
from chargen.base import durable, events, output
from chargen.base.errors import NO_MEMORY, CannotPlan, ChargenError, system_trouble
from chargen.base.formatting import on_terminal
from chargen.base.processes import MAIN_VARIABLE, announce_main_process
from chargen.operations import words as show
from chargen.planning.elsewhere import sent_elsewhere
from chargen.planning.remains import Remains
from chargen.records import settings as config
from chargen.records.commands import called, command, typed_settings
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.report.run_report import is_outdated
from chargen.snakemake import output as calm

if TYPE_CHECKING:
    from chargen.operations.generate.plan import Plan
    from chargen.planning.file_plans import FilePlan

P = ParamSpec("P")
R = TypeVar("R")

RESULTS = Path("results")
REPORT = RESULTS / "report.json"
ILLUSTRATE = "illustrate_all"
WHOLE_TARGETS = {
    "generate": frozenset({"generate_all", "submitted", ILLUSTRATE}),
    "analyze": frozenset({"analyze_all", ILLUSTRATE}),
    "enhance": frozenset({"enhance_all"}),
}
"""The targets that look at everything that the settings' scope names, by operation."""
FOLDERS = ("characters", "locations", "chapters")
LOOKING_TARGETS = frozenset({"jobs", "storage", "history", "failures", "cleanup", "watch", "prices", "doctor", "init"})
"""Targets that make nothing of the library: their runs leave no trace, and examples are not copied for them."""
PLANNED = "planned"
"""The target that shows the plan of those beside it: nothing is made then, and the run leaves no trace either."""
MAKING_TARGETS = frozenset().union(*WHOLE_TARGETS.values()) | {
    f"{operation}_{folder}" for operation in ("generate", "analyze") for folder in FOLDERS
}
MAKING_NOTHING = LOOKING_TARGETS | {PLANNED, "report", "order", "collect", "review"}
SHOWN_WITH_PLANNED = MAKING_TARGETS | {"order"} | LOOKING_TARGETS - {"cleanup", "init"}
"""What may stand beside `planned`: what it can show, and screens that only look."""
RUN_VARIABLE = "CHARGEN_RUN"


def _in_words(doing: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a method that Snakemake calls end Snakemake with one line, whatever goes wrong in it: no traceback for the
    user."""

    def decorate(method: Callable[P, R]) -> Callable[P, R]:
        @wraps(method)
        def called_by_snakemake(*args: P.args, **kwargs: P.kwargs) -> R:
            return _or_exit(lambda: method(*args, **kwargs), doing)

        return called_by_snakemake

    return decorate


class Session:
    """What the Snakefile knows of the run."""

    @_in_words("reading the configuration")
    def __init__(self, snakemake_config: Mapping[str, Any], home: Path, workflow: Any):
        self._workflow = workflow
        self._started = dt.datetime.now(dt.UTC)
        snakemake, given = called(workflow, home)
        settings = config.settings(typed_settings(snakemake_config, workflow), home)
        self.settings: config.Settings = replace(settings, snakemake=snakemake, given=given)
        self.state = State.of(self.settings)
        self._run = self._run_id()
        self._has_folder = False
        self._did_something = False
        self._foretold = False
        self._plans: dict[str, Plan | FilePlan | Remains] = {}
        self._renewed: dict[tuple[str, str], list[str]] = {}
        if workflow.is_main_process:
            announce_main_process()
            calm.known_rules = lambda: [rule.name for rule in workflow.rules]

    # -- what rules ask

    @property
    def run_folder(self) -> str:
        """The folder of this run's pinned settings and plan, relative to the working directory."""
        return os.path.relpath(self.state.run(self._run).folder)

    @_in_words("planning")
    def everything(self, wildcards: object) -> list[str]:
        """Files of a generate target: the report, which needs every chain of the plan settled. None where the plan is
        only shown."""
        if self.only_shows:
            return []
        files = self.to_report(wildcards)
        return files if self._unplanned else [*files, str(REPORT)]

    @_in_words("planning")
    def to_report(self, wildcards: object) -> list[str]:
        """What the report waits for: all that this run's targets ask for, and a mark if it must be written again."""
        return [*self._settled(), *self._report_renewal]

    def _settled(self) -> list[str]:
        if not self._operations():
            self.plan  # noqa: B018
            return []
        if ILLUSTRATE in self._targets() and not isinstance(self.plan_of("analyze"), Remains):
            return self._illustrated()
        return [file for operation in self._operations() for file in self.settled_of(operation)]

    @_in_words("planning")
    def settled_of(self, operation: str) -> list[str]:
        """One file per batch whose chain is to be closed, and per batch with results to put back."""
        plan = self.plan_of(operation)
        return self._chains(operation, _batches(plan), plan.put_back, plan.lost)

    @_in_words("planning")
    def first_looks(self, wildcards: object) -> list[str]:
        """The chains of the analyses that illustrate_all begins with."""
        return self.settled_of("analyze")

    @property
    @_in_words("planning")
    def learns_first(self) -> bool:
        """Whether illustrate_all must wait for analyses before it can know what to generate, and in which words."""
        return bool(self.first_looks(None))

    @_in_words("planning")
    def pinned_chains(self, pinned: str) -> list[str]:
        """The chains of a plan that was made, and left in the file *pinned*, while the run went on."""
        data = durable.read_json(Path(pinned))
        return self._chains(data["operation"], data["batches"], data["put_back"], data["lost"])

    @_in_words("planning")
    def renewal(self, wildcards: Any) -> list[str]:
        """What the plan step of a batch waits for if its chain must begin again: see `_renewals`."""
        return self._renewals(wildcards.operation, wildcards.batch)

    @cached_property
    def _report_renewal(self) -> list[str]:
        """The mark that the report is written again although it is there: because it is asked for, or not up to date.

        A run whose main process was killed may have been brought to its end by its jobs, without a report.
        """
        if not REPORT.exists() or not ("report" in self._targets() or is_outdated(self.state, REPORT)):
            return []
        return [self._mark("report")]

    def _mark(self, chain: str) -> str:
        """What no run has made before: who waits for it is made again, and what stands on that."""
        return str(RESULTS / "renewed" / self._run / chain)

    @property
    def run_id(self) -> str:
        """The name of this run."""
        return self._run

    @_in_words("planning")
    def jobs(self, wildcards: object) -> list[str]:
        """One job file per batch of the plan; none where it is only shown."""
        if self.only_shows:
            return []
        return [
            file
            for batch in _batches(self.plan)
            for file in (*self._renewals("generate", batch), str(RESULTS / "generate" / batch / "job.json"))
        ]

    @property
    def only_shows(self) -> bool:
        """Whether the plan of the run's targets is shown and nothing is made: because `planned` is among them."""
        return PLANNED in self._targets()

    @_in_words("planning")
    def planned(self, wildcards: object) -> list[str]:
        """Nothing: it only makes sure that there are plans to print, and that all that is asked for can be shown."""
        self._check_shown()
        for operation in self._shown_operations():
            self.plan_of(operation)
        return []

    @_in_words("planning")
    def shown_plans(self) -> list[str]:
        """What `planned` shows: operations with the scopes of each, as its verb takes them."""
        return [f"{operation}:{','.join(self._scope(operation))}" for operation in self._shown_operations()]

    def _shown_operations(self) -> list[str]:
        """The operations in the order in which they would be done."""
        named = self._operations() or ([] if "order" in self._targets() else ["generate"])
        return sorted(named) if ILLUSTRATE in self._targets() else named

    def pinned(self, wildcards: object) -> list[str]:
        """Nothing: orders and collecting plan for themselves, with this run's settings."""
        return []

    @_in_words("planning")
    def follow_ups(self, receipt: str) -> list[str]:
        """The chains that a receipt calls for."""
        data = durable.read_json(Path(receipt))
        return self._chains(data["operation"], data["follow_ups"], [])

    @property
    def plan(self) -> Plan | FilePlan | Remains:
        """The plan of what is to be generated."""
        return self.plan_of("generate")

    @_in_words("planning")
    def plan_of(self, operation: str) -> Plan | FilePlan | Remains:
        """The plan of *operation*, made once per process; printed when it is made. A plan that cannot be made ends
        Snakemake."""
        if operation not in self._plans:
            plan = self._plan_or_remains(operation)
            self._plans[operation] = plan
            if not self._workflow.is_main_process:
                return plan
            if isinstance(plan, Remains):
                _say(plan.words())
                return plan
            _say(show.overview(plan, self.settings))
            if self.only_shows or operation in self._operations():
                self._check_elsewhere(plan)
        return self._plans[operation]

    def _plan_or_remains(self, operation: str) -> Plan | FilePlan | Remains:
        """The plan; where the configuration lets none be made, what is in flight, unless plans are only shown."""
        try:
            return _make_plan(self.settings, operation, self._scope(operation))
        except CannotPlan as error:
            remains = Remains.of(self.state, operation, str(error))
            if remains is None or self.only_shows:
                raise
            return remains

    @property
    def _unplanned(self) -> list[Remains]:
        """Of which operations nothing new could be planned."""
        return [plan for plan in self._plans.values() if isinstance(plan, Remains)]

    def _check_elsewhere(self, plan: Plan | FilePlan) -> None:
        """Stop if what would be sent was sent under another name of the library.

        With something in flight that is to be collected, or where plans are only shown, it is said, and nothing of it
        is sent: see `chargen.steps.submit.check_elsewhere`.
        """
        found = sent_elsewhere(self.settings, self.state, plan.to_send)
        if not found:
            return
        words = found.words(self.settings, " ".join(sorted(self._targets())))
        if not self.only_shows and not Journal(self.state).in_flight():
            raise ChargenError(words)
        _say(words)

    # -- what happens around the run

    @_in_words("starting the run")
    def start(self) -> None:
        """Pin settings and plan, so that every other process takes them from here. Snakemake's onstart."""
        self._start()

    @_in_words("summing up the run")
    def finish(self, failed: bool) -> None:
        """Print the summary; end with a non-zero status if something failed. Snakemake's onsuccess and onerror."""
        if self._only_looks:
            if self._has_folder:
                shutil.rmtree(self.state.run(self._run).folder, ignore_errors=True)
            return
        if self._only_reports and not failed:
            _say(f"report: {RESULTS / 'report.html'}")
        again = command(self.settings, " ".join(sorted(self._targets())))
        if not self._plans or not (self._did_something or self._found_again):
            if self.state.run(self._run).stop.exists():
                words = f"chargen: stopped. Nothing is lost: this goes on where it ended:\n    {again}"
                print(output.clean(words), file=sys.stderr)
            self._tell_end(failed)
            return
        if self._unplanned:
            self._tell_end(failed=True)
            if not failed:
                _exit("\n".join(plan.why for plan in self._unplanned))
            return
        from chargen.report.run_report import report
        from chargen.report.summary import render

        run = self.state.run(self._run)
        if run.stop.exists():
            _say("Stopped. What was sent goes on at the server. Nothing is lost")
        data = report(self.settings, self.state, run, RESULTS)
        width = shutil.get_terminal_size((100, 24)).columns
        stopped = run.stop.exists()
        title = "Run stopped" if stopped else "Run ended with errors: see above" if failed else ""
        _say("\n" + render(data, self.settings, width, title=title, colour=_has_colours(sys.stderr)))
        if stopped and not data["totals"]["in_flight"]:
            _say(f"This goes on where it ended:\n    {again}")
        broken = any(plan.broken for plan in self._plans.values())
        some_failed = show.has_failures(data, broken) or self._kept_aside
        self._tell_end(failed or some_failed, data["run"])
        if some_failed and not failed:
            sys.exit(1)

    def _tell_end(self, failed: bool, told: Mapping[str, Any] | None = None) -> None:
        """Tell that the run is over; *told* is what its report says of it."""
        facts: dict[str, Any] = {}
        if told:
            cost = told["cost_usd"]
            facts = {"counts": told["counts"], "cost_usd": cost["actual"], "estimated_usd": cost["estimated"]}
        words = f"run {self._run} {'failed' if failed else 'ended'}"
        level: events.Level = "error" if failed else "info"
        events.note("run-ended", words, level=level, status="failed" if failed else "ok", **facts)

    def _start(self) -> None:
        run = self.state.run(self._run)
        if self.settings.source and not Path(self.settings.library).is_dir() and not self._only_looks:
            _copy_example(Path(self.settings.source), Path(self.settings.library))
        self._make_folder(run.folder)
        durable.write_json(run.settings, self.settings.to_json())
        started = self._started.strftime("%Y-%m-%dT%H:%M:%SZ")
        main = os.environ.get(MAIN_VARIABLE, "")
        about = sorted(self._targets() - LOOKING_TARGETS or self._targets())
        durable.write_json(run.process, {"main": main, "targets": about, "started": started})
        if not self._only_looks:
            events.make_room(self.settings, self.state)
            events.begin(self.settings, self._run, "run")
            targets = sorted(self._targets())
            events.note(
                "run-started",
                f"run {self._run}: {', '.join(targets)}",
                targets=targets,
                provider=self.settings.provider,
                library_id=self.settings.library_id,
                version=__version__,
            )
        _tell_waiters_on_signals(run.stop, only_watching=self._targets() == {"watch"})
        if not self._plans or self._only_looks or self._only_reports:
            return
        from chargen.operations.pin import pin
        from chargen.records.journal import Journal
        from chargen.steps.cleanup import drop_old_responses

        for folder in (self.state.root, RESULTS, *Path(self.settings.library).glob("*/*/images")):
            durable.sweep(folder)
        drop_old_responses(self.settings, self.state, Journal(self.state))
        for plan in self._plans.values():
            self._did_something = self._did_something or bool(_batches(plan) or plan.put_back)
            pin(self.settings, self.state, run, plan, started, self._targets())

    def _make_folder(self, folder: Path) -> None:
        """Make the folder of this run, which nobody else may have: who makes it removes it."""
        durable.make_folder(folder.parent)
        try:
            folder.mkdir()
        except FileExistsError:
            raise ChargenError(
                f"{folder} belongs to another run, which started at the same moment: run again"
            ) from None
        self._has_folder = True

    @property
    def _kept_aside(self) -> bool:
        """Whether a picture that this run was to put back found no place: no receipt tells of it."""
        told = (durable.read_json(path) for path in RESULTS.glob(f"*/*/put-back.{self._run}.json"))
        return any(task["outcome"] == "unplaced" for done in told for task in done["tasks"])

    @property
    def _found_again(self) -> bool:
        """Whether a job that counted as lost was found in this run."""
        looks = (durable.read_json(path) for path in RESULTS.glob(f"*/*/looked-again.{self._run}.json"))
        return any(look["follow_ups"] for look in looks)

    @property
    def _only_looks(self) -> bool:
        return self.only_shows or self._targets() <= LOOKING_TARGETS

    @property
    def _only_reports(self) -> bool:
        """Whether the report is written, and nothing is made."""
        return "report" in self._targets() and not self._operations()

    @_in_words("looking at the profile")
    def overridden(self) -> list[str]:
        """The settings of the default profile that are not in force, in its words."""
        execution, dag = self._workflow.execution_settings, self._workflow.dag_settings
        in_force = {
            "nolock": not execution.lock,
            "keep-going": execution.keep_going,
            "rerun-incomplete": dag.force_incomplete,
            "rerun-triggers: mtime": {str(trigger) for trigger in dag.rerun_triggers} == {"mtime"},
            "resources: waiting": "waiting" in self._workflow.resource_settings.resources,
        }
        return [name for name, is_so in in_force.items() if not is_so]

    def _chains(
        self, operation: str, batches: Iterable[str], put_back: Iterable[str], lost: Iterable[str] = ()
    ) -> list[str]:
        """The files that say that batches, the putting back of results, and the look for lost jobs, are settled."""
        files = []
        for batch in batches:
            files += [*self._renewals(operation, batch), str(RESULTS / operation / batch / "settled")]
        files += [str(RESULTS / operation / batch / f"put-back.{self._run}.settled") for batch in put_back]
        files += [str(RESULTS / operation / batch / f"looked-again.{self._run}.settled") for batch in lost]
        return files

    def _renewals(self, operation: str, batch: str) -> list[str]:
        """The mark that a batch's chain begins again, if what lies under results/ says more than the state knows.

        It is of another provider or library, which ask the same of their batches, or of a state/ that is gone: without
        the mark, Snakemake would find the chain's files and take the batch for done.
        """
        if (operation, batch) not in self._renewed:
            folder, files = RESULTS / operation / batch, self.state.batch(batch)
            told = {
                "plan.json": files.plan,
                "requests.jsonl": files.requests,
                "job.json": files.job,
                "responses.jsonl": files.responses,
                "receipt.json": files.receipt,
                "settled": files.receipt,
            }
            stale = not files.receipt.exists() and any(
                (folder / name).exists() and not known.exists() for name, known in told.items()
            )
            plan = self._plans.get(operation)
            # A batch that was settled as lost and is in flight again.
            is_open = plan is not None and batch in plan.in_flight and (folder / "settled").exists()
            self._renewed[operation, batch] = [self._mark(f"{operation}/{batch}")] if stale or is_open else []
        return self._renewed[operation, batch]

    def _illustrated(self) -> list[str]:
        """The end of illustrate_all's chain; nothing if there is nothing to look at and nothing to make."""
        if self.learns_first:
            self._foretell()
        elif not self.settled_of("generate"):
            return []
        return [str(RESULTS / "illustrate" / self._run / "analyzed")]

    def _foretell(self) -> None:
        """Print about what will be generated once the analyses are there; the plan itself is made then."""
        if self._foretold or not self._workflow.is_main_process:
            return
        self._foretold = True
        try:
            later = cast("Plan", _make_plan(self.settings, "generate", [self.settings.scope]))
        except CannotPlan as error:
            _say(f"then, with what was learned: nothing yet. {error}")
        else:
            _say(f"then, with what was learned: {show.headline(later)}")

    def _operations(self) -> list[str]:
        """The operations that this run's targets make, or show; generate for files that are asked for by name."""
        targets = self._targets()
        named = [
            operation
            for operation, whole in WHOLE_TARGETS.items()
            if targets & {*whole, *(f"{operation}_{folder}" for folder in FOLDERS)}
        ]
        return named or ([] if targets <= MAKING_NOTHING else ["generate"])

    def _check_shown(self) -> None:
        """End Snakemake if something stands beside `planned` whose plan cannot be shown: it would be done."""
        others = sorted(self._targets() - SHOWN_WITH_PLANNED - {PLANNED})
        if others:
            _exit(
                f"planned shows what the targets beside it would make, and makes nothing; {', '.join(others)} cannot "
                "be shown in that way. Nothing was done. Leave out one or the other"
            )

    def _scope(self, operation: str) -> list[str]:
        targets = self._targets()
        folders = [folder for folder in FOLDERS if f"{operation}_{folder}" in targets]
        if folders and not targets & WHOLE_TARGETS[operation]:
            return folders
        return [self.settings.scope, *folders]

    def _targets(self) -> set[str]:
        return {str(target) for target in self._workflow.dag_settings.targets} or {"generate_all"}

    def _run_id(self) -> str:
        inherited = os.environ.get(RUN_VARIABLE, "")
        if inherited and not self._workflow.is_main_process:
            return inherited
        run = new_run_id(self._started)
        os.environ[RUN_VARIABLE] = run
        return run


def new_run_id(started: dt.datetime) -> str:
    """Return a name for a run that starts at *started* (UTC): sorted by time, and of no other run, on whatever machine.

    Shape: ``2026-11-21T17-58-00Z-123456``, three digits for milliseconds and three by chance. Version 0.1.0 left the
    digits out.
    """
    return f"{started:%Y-%m-%dT%H-%M-%SZ}-{started.microsecond // 1000:03}{secrets.randbelow(1000):03}"


def _batches(plan: Plan | FilePlan | Remains) -> list[str]:
    return [*plan.in_flight, *(batch.id for batch in plan.batches if batch.id not in plan.in_flight)]


def _make_plan(settings: config.Settings, operation: str, scope: list[str]) -> Plan | FilePlan:
    from chargen.operations.plans import make_any_plan

    return make_any_plan(settings, operation, scope)


def _tell_waiters_on_signals(stop: Path, only_watching: bool) -> None:
    """A signal to Snakemake alone makes it wait for its jobs; let those that only wait end by themselves.

    The first Ctrl-C while *only_watching* is how one leaves: the watcher ends well, and so does Snakemake.
    """
    signals: list[int] = []  # not told by the file: the watcher, which Ctrl-C reaches too, may have made it already

    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def handle(received: int, frame: Any, before: Any = before) -> None:
            signals.append(received)
            stop.touch()
            if only_watching and signals == [signal.SIGINT]:
                return
            if callable(before):
                before(received, frame)
            else:
                raise KeyboardInterrupt

        signal.signal(number, handle)


def _copy_example(source: Path, target: Path) -> None:
    """Make the working copy, whole or not at all: examples are never written."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    shutil.copytree(source, part)
    try:
        part.replace(target)
    except OSError:
        shutil.rmtree(part)
        if not target.is_dir():
            raise
    _say(f"library: working on {os.path.relpath(target)}, a copy of {os.path.relpath(source)}")


def _say(text: str) -> None:
    """Print through Snakemake's logging, which has a thread of its own: so that lines keep their order."""
    from snakemake.logging import logger

    logger.info(output.clean(text, colours=True), extra={calm.OUR_OWN: True})


def _has_colours(stream: TextIO) -> bool:
    return on_terminal(stream) and not os.environ.get("NO_COLOR")


def _or_exit(action: Callable[[], R], doing: str) -> R:
    """Return what *action* returns; end Snakemake with one line if it raises."""
    try:
        return action()
    except ChargenError as error:
        _exit(str(error))
    except OSError as error:
        _exit(system_trouble(error))
    except MemoryError:
        _exit(NO_MEMORY)
    except Exception as error:
        from chargen.base import bugs

        _exit(bugs.in_words(error, doing, Path.cwd()))


def _exit(message: str) -> NoReturn:
    print(output.clean(f"chargen: {message}"), file=sys.stderr, flush=True)
    sys.exit(1)
