"""Start and end of a run that Snakemake carries out: the pinned settings and plans at its start, the summary and exit
status at its end. Snakemake calls this in `onstart`, `onsuccess` and `onerror`; a dry run calls none of it.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from chargen import __version__
from chargen.base import durable, events, output
from chargen.base.errors import ChargenError
from chargen.base.processes import MAIN_VARIABLE
from chargen.planning.plan import batches_of
from chargen.records.chains import FollowUps, Restored
from chargen.records.documents import read_document
from chargen.records.run import RunProcess
from chargen.snakemake.context import RESULTS, RunContext
from chargen.snakemake.messages import exit_on_error, exit_with, has_colours, print_message
from chargen.snakemake.plans import Plans


class Run:
    """One run from its first job to its summary."""

    def __init__(self, context: RunContext, plans: Plans):
        self._context = context
        self._plans = plans
        self._made_folder = False
        self._has_work = False

    @exit_on_error("starting the run")
    def start(self) -> None:
        """Pin settings and plans, so that every other process takes them from there."""
        context, settings = self._context, self._context.settings
        context.check_arguments()
        keeps_record = not context.targets.keep_no_record
        if settings.source and not Path(settings.library).is_dir() and keeps_record:
            _copy_example(Path(settings.source), Path(settings.library))
        started = context.started.strftime("%Y-%m-%dT%H:%M:%SZ")
        self._make_folder(started)
        if keeps_record:
            self._log_start()
        _stop_waiting_on_signals(context.files.stop, only_watching=context.targets.only_watch)
        if keeps_record and not context.targets.only_report and self._plans.made():
            self._clean_up()
            self._pin(started)

    @exit_on_error("summing up the run")
    def finish(self, failed: bool) -> None:
        """Print the summary; end with a non-zero status if something failed."""
        context = self._context
        if context.targets.keep_no_record:
            if self._made_folder:
                shutil.rmtree(context.files.folder, ignore_errors=True)
            return
        if context.targets.only_report and not failed:
            print_message(f"report: {RESULTS / 'report.html'}")
        if not self._plans.made() or not (self._has_work or self._found_lost_job()):
            if context.files.stop.exists():
                words = f"chargen: stopped. Nothing is lost: to continue:\n    {context.command_again()}"
                print(output.clean(words), file=sys.stderr)
            self._log_end(failed)
        elif incomplete := self._plans.incomplete():
            self._log_end(failed=True)
            if not failed:
                exit_with("\n".join(plan.why for plan in incomplete))
        else:
            self._sum_up(failed)

    def _make_folder(self, started: str) -> None:
        """Make the folder of this run with its settings. It belongs to this run alone, which also removes it."""
        context, files = self._context, self._context.files
        durable.make_folder(files.folder.parent)
        try:
            files.folder.mkdir()
        except FileExistsError:
            raise ChargenError(
                f"{files.folder} belongs to another run that started at the same moment: run again"
            ) from None
        self._made_folder = True
        durable.write_json(files.settings, context.settings.to_json())
        main = os.environ.get(MAIN_VARIABLE, "")
        process = RunProcess(main=main, targets=tuple(context.targets.recorded()), started=started)
        durable.write_json(files.process, process.to_json())

    def _clean_up(self) -> None:
        """Remove what killed processes left half written, and stored results that are old enough."""
        from chargen.records.journal import Journal
        from chargen.steps.cleanup import drop_old_responses

        settings, state = self._context.settings, self._context.state
        for folder in (state.root, RESULTS, *Path(settings.library).glob("*/*/images")):
            durable.sweep(folder)
        drop_old_responses(settings, state, Journal(state))

    def _pin(self, started: str) -> None:
        from chargen.operations.pin import pin

        context = self._context
        for plan in self._plans.made():
            self._has_work = self._has_work or bool(batches_of(plan) or plan.put_back)
            pin(context.settings, context.state, context.files, plan, started, set(context.targets.names))

    def _sum_up(self, failed: bool) -> None:
        from chargen.report.run_report import report
        from chargen.report.summary import render

        context = self._context
        stopped = context.files.stop.exists()
        if stopped:
            print_message("Stopped. Jobs that were sent continue on the server. Nothing is lost")
        written = report(context.settings, context.state, context.files, RESULTS)
        width = shutil.get_terminal_size((100, 24)).columns
        title = "Run stopped" if stopped else "Run ended with errors: see above" if failed else ""
        print_message("\n" + render(written, context.settings, width, title=title, colour=has_colours(sys.stderr)))
        if stopped and not written.totals.in_flight:
            print_message(f"To continue:\n    {context.command_again()}")
        broken = any(plan.broken for plan in self._plans.made())
        some_failed = written.is_bad or broken or self._left_unplaced()
        if last := written.run:
            self._log_end(
                failed or some_failed,
                counts=last.counts.to_json(),
                cost_usd=last.cost_usd.actual,
                estimated_usd=last.cost_usd.estimated,
            )
        else:
            self._log_end(failed or some_failed)
        if some_failed and not failed:
            sys.exit(1)

    def _log_start(self) -> None:
        context, settings = self._context, self._context.settings
        events.rotate(settings, context.state)
        events.configure(settings, context.run_id, "run")
        targets = context.targets.sorted()
        events.write_event(
            "run-started",
            f"run {context.run_id}: {', '.join(targets)}",
            targets=targets,
            provider=settings.provider,
            library_id=settings.library_id,
            version=__version__,
        )

    def _log_end(self, failed: bool, **facts: Any) -> None:
        words = f"run {self._context.run_id} {'failed' if failed else 'ended'}"
        level: events.Level = "error" if failed else "info"
        events.write_event("run-ended", words, level=level, status="failed" if failed else "ok", **facts)

    def _left_unplaced(self) -> bool:
        """Whether a picture that this run was to restore could not be placed: no receipt records that."""
        files = RESULTS.glob(f"*/*/put-back.{self._context.run_id}.json")
        return any(task.outcome == "unplaced" for path in files for task in read_document(path, Restored).tasks)

    def _found_lost_job(self) -> bool:
        """Whether a lost job was found in this run."""
        files = RESULTS.glob(f"*/*/looked-again.{self._context.run_id}.json")
        return any(read_document(path, FollowUps).follow_ups for path in files)


def _stop_waiting_on_signals(stop: Path, only_watching: bool) -> None:
    """Make *stop* on SIGTERM and SIGINT: steps that wait for the server end when they see it.

    Snakemake, when it alone gets a signal, waits for its jobs. The first Ctrl-C while *only_watching* is how one leaves
    that screen: it ends with status 0, and so does Snakemake.
    """
    signals: list[int] = []  # the file does not say it: the watcher, which Ctrl-C reaches too, may have made it already

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
    """Make the working copy, completely or not at all: examples are never written."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    shutil.copytree(source, part)
    try:
        part.replace(target)
    except OSError:
        shutil.rmtree(part)
        if not target.is_dir():
            raise
    print_message(f"library: working on {os.path.relpath(target)}, a copy of {os.path.relpath(source)}")
