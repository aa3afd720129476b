"""The command line that the rules call: one verb per step and per screen, usable by hand. Does not depend on Snakemake.

`_steps` is the table of the verbs; those of `chargen.screens` are found by their names. Imports are inside the verbs:
most of them must start in a few milliseconds.
"""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargen import __version__, screens
from chargen.base import events, failpoints, output
from chargen.base.errors import NO_MEMORY, ChargenError, system_trouble
from chargen.operations import SCENES
from chargen.verbs import Verb, parser

if TYPE_CHECKING:
    from chargen.records.settings import Settings
    from chargen.records.state import BatchFiles, RunFiles, State
    from chargen.screens.screen import Screen

INTERRUPTED = 130
"""The exit status after Ctrl-C, as shells have it."""


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; return the exit status: 0, 1 after an error with a message, 2 for a wrong call, 130 after Ctrl-C.

    Whatever is printed on the way is without the API key and without control characters.
    """
    called_with = sys.argv[1:] if arguments is None else arguments
    with output.guarded():
        return _run(called_with)


def _run(called_with: list[str]) -> int:
    args = argparse.Namespace()
    try:
        args = parser(called_with, _steps(), _show_screen).parse_args(called_with)
        status = int(args.run_verb(args) or 0)
        if args.is_step:
            events.log("step-ended", "done", level="debug")
        failpoints.reached(f"done-{called_with[0]}")
        return status
    except ChargenError as error:
        _complain(str(error), by_itself=error.stopped)
        return error.exit_code
    except KeyboardInterrupt:
        print("chargen: stopped. Nothing is lost: the next run continues", file=sys.stderr, flush=True)
        return INTERRUPTED
    except OSError as error:
        _complain(system_trouble(error))
        return 1
    except MemoryError:
        _complain(NO_MEMORY)
        return 1
    except Exception as error:
        import traceback

        from chargen.base import bugs

        if not sys.stderr.isatty():  # the step's log
            traceback.print_exc()
        _complain(bugs.in_words(error, _doing(called_with, args), events.home()))
        return 1


def _doing(called_with: list[str], args: argparse.Namespace) -> str:
    batch = getattr(args, "batch", "")
    return f"running the step `{called_with[0]}`" + (f" of batch {batch}" if batch else "")


def _steps() -> tuple[Verb, ...]:
    """Return all verbs but those of the screens."""
    output: Mapping[str, Any] = {"type": Path, "help": "where to write the result"}
    batch: Mapping[str, Mapping[str, Any]] = {"batch": {"help": "the batch's id"}, "output": output}
    follow_ups: Mapping[str, Any] = {"type": Path, "help": "where to write which batches follow from it"}
    return (
        Verb("plan", _plan, "show the stored plan of a batch", batch),
        Verb("stage", _stage, "upload a batch's references and write its request lines", batch),
        Verb("submit", _submit, "create the job of a batch, unless it exists", batch),
        Verb("fetch", _fetch, "wait for a batch's job and download its result lines", batch),
        Verb("apply", _apply, "save a batch's pictures and write its receipt", {**batch, "follow_ups": follow_ups}),
        Verb("put-back", _put_back, "restore pictures of a batch from stored results", batch),
        Verb("look-again", _look_again, "check whether the lost job of a batch is on the server again", batch),
        Verb(
            "next",
            _next,
            "plan an operation during a run, and store the plan",
            {"operation": {"help": "its name"}, "output": output},
        ),
        Verb("report", _report, "write report.json, report.html and failures.jsonl", {"folder": output}),
        Verb(
            "planned",
            _planned,
            "print each picture that would be made",
            {"--of": {"nargs": "*", "default": [f"{SCENES}:"], "help": "<operation>:<scope>,<scope>…, one or more"}},
        ),
        Verb(
            "order",
            _order,
            "order pictures again (settings: scenes, state)",
            {"--show": {"action": "store_true", "help": "only print what would be ordered"}},
        ),
        Verb("review", _review, "approve, reject or pick pictures (settings: approve, reject, pick, note, reviews)"),
        Verb("collect", _collect, "download and place the results of one job (setting: job)"),
    )


def _open(args: argparse.Namespace) -> tuple[Settings, State, RunFiles]:
    from chargen.records.state import RunFiles, State

    run = RunFiles(args.run)
    try:
        settings = run.read_settings()
    except FileNotFoundError:
        raise ChargenError(f"{args.run} is not a run of chargen: it has no settings.json") from None
    batch = getattr(args, "batch", "")
    events.configure(settings, run.folder.name, args.verb, batch)
    if args.is_step:
        about = f" of batch {batch}" if batch else ""
        words = f"{args.verb}{about}, run {run.folder.name}, {dt.datetime.now():%Y-%m-%d}, chargen {__version__}"
        events.log("step-started", words, level="debug")
    return settings, State.of(settings), run


def _open_batch(args: argparse.Namespace) -> tuple[Settings, State, RunFiles, BatchFiles]:
    settings, state, run = _open(args)
    files = state.batch(args.batch)
    if not files.plan.exists():
        raise ChargenError(f"no batch {args.batch} is planned in {state.root}; run generate_all again")
    return settings, state, run, files


def _plan(args: argparse.Namespace) -> None:
    from chargen.base import durable

    *_, files = _open_batch(args)
    durable.expose(files.plan, args.output)


def _stage(args: argparse.Namespace) -> None:
    from chargen.base import durable
    from chargen.records.journal import Journal

    settings, state, run, files = _open_batch(args)
    with state.lock(f"batch-{files.id}"):
        entry = Journal.recent(state, files.id).entry(files.id)
        asked = bool(entry.job) or entry.open_intent is not None
        if not (asked and files.requests.exists()):
            from chargen.providers.registry import connect
            from chargen.steps.stage import is_staged, stage

            remote = connect(settings)
            if not is_staged(settings, state, files, remote):
                stage(settings, state, files, remote, run)
        durable.expose(files.requests, args.output)


def _submit(args: argparse.Namespace) -> None:
    from chargen.base import durable
    from chargen.providers.registry import connect
    from chargen.steps.submit import submit

    settings, state, run, files = _open_batch(args)
    with state.lock(f"batch-{files.id}"):
        job = submit(settings, state, files, connect(settings), run)
        durable.write_json(files.job, job.to_json())
        durable.expose(files.job, args.output)


def _fetch(args: argparse.Namespace) -> None:
    from chargen.base import durable
    from chargen.providers.registry import connect
    from chargen.steps.fetch import NeverSubmitted, fetch

    settings, state, run, files = _open_batch(args)

    def place(other: BatchFiles) -> None:
        from chargen.steps.apply import apply

        apply(settings, state, other, run)

    try:
        fetch(settings, state, files, connect(settings), place, run)
    except NeverSubmitted:
        # What stands under results/ is older than the state: without it, the next run begins with what is missing.
        args.output.with_name("job.json").unlink(missing_ok=True)
        raise
    durable.expose(files.responses, args.output)


def _apply(args: argparse.Namespace) -> None:
    from chargen.base import durable
    from chargen.records.chains import FollowUps
    from chargen.steps.apply import apply
    from chargen.steps.cleanup import tidy
    from chargen.steps.follow_ups import release

    settings, state, run, files = _open_batch(args)
    with state.lock(f"batch-{files.id}"):
        receipt = apply(settings, state, files, run)
        tidy(settings, state, files)
    # What this batch's pictures let go out belongs to this run; the receipt itself stays as it is.
    released = release(settings, state, run, files.id, receipt.follow_ups)
    durable.expose(files.receipt, args.output)
    follow_ups = (*receipt.follow_ups, *released)
    what_follows = FollowUps(batch=files.id, operation=receipt.operation, follow_ups=follow_ups)
    durable.write_json(args.follow_ups, what_follows.to_json())


def _next(args: argparse.Namespace) -> None:
    from chargen.base import durable
    from chargen.operations import named
    from chargen.operations import words as show
    from chargen.operations.pin import pin
    from chargen.planning.plan import batches_of
    from chargen.records.chains import PlannedLater
    from chargen.records.run import RunProcess

    settings, state, run = _open(args)
    plan = named(args.operation).plan(settings, [settings.scope])
    process = RunProcess.of(run)
    pin(settings, state, run, plan, process.started, process.targets)
    events.print_message(show.overview(plan, settings))
    later = PlannedLater(
        operation=args.operation,
        batches=tuple(batches_of(plan)),
        put_back=tuple(sorted(plan.put_back)),
        lost=tuple(plan.lost),
    )
    durable.write_json(args.output, later.to_json())


def _put_back(args: argparse.Namespace) -> None:
    from chargen.base import durable
    from chargen.records.chains import Restored
    from chargen.records.documents import read_document
    from chargen.records.run import RunPlan
    from chargen.steps.apply import put_back
    from chargen.steps.follow_ups import release

    settings, state, run, files = _open_batch(args)
    operation = files.read_plan().operation
    wishes = read_document(run.plan_of(operation), RunPlan).put_back.get(files.id, ())
    with state.lock(f"batch-{files.id}"):
        tasks = put_back(settings, state, files, run, wishes)
    released = release(settings, state, run, files.id, [])
    restored = Restored(batch=files.id, operation=operation, tasks=tuple(tasks), follow_ups=released)
    durable.write_json(args.output, restored.to_json())


def _look_again(args: argparse.Namespace) -> None:
    from chargen.base import durable
    from chargen.providers.registry import connect
    from chargen.records.chains import FollowUps
    from chargen.steps.lost import look_again

    settings, state, _, files = _open_batch(args)
    with state.lock(f"batch-{files.id}"):
        try:
            is_back = look_again(settings, state, files, connect(settings))
        except ChargenError as error:  # without a key, say: what is wanted besides may need none
            words = f"lost jobs are not checked: {error}"
            events.log("left", words, level="warning", on_terminal=True)
            is_back = False
    operation = files.read_plan().operation
    found = FollowUps(batch=files.id, operation=operation, follow_ups=(files.id,) if is_back else ())
    durable.write_json(args.output, found.to_json())


def _report(args: argparse.Namespace) -> None:
    from chargen.report.run_report import report

    settings, state, run = _open(args)
    report(settings, state, run, args.folder)


def _planned(args: argparse.Namespace) -> None:
    from chargen.operations import named
    from chargen.operations import words as show

    settings, _, _ = _open(args)
    width = shutil.get_terminal_size((100, 24)).columns
    for shown in args.of:
        operation, _, scopes = shown.partition(":")
        plan = named(operation).plan(settings, [scope for scope in scopes.split(",") if scope])
        if text := show.tasks(plan, width):
            print(text)


def _order(args: argparse.Namespace) -> None:
    from chargen.screens.order import order

    settings, state, _ = _open(args)
    print(order(settings, state, only_show=args.show))


def _review(args: argparse.Namespace) -> None:
    from chargen.screens.review import review

    settings, state, _ = _open(args)
    print(review(settings, state))


def _collect(args: argparse.Namespace) -> int:
    from chargen.providers.registry import connect
    from chargen.records.arguments import Screen as ScreenArguments
    from chargen.screens.screen import Screen, line
    from chargen.steps.collect import collect, in_words

    settings, state, run = _open(args)
    screen = Screen.of(settings.asked(ScreenArguments).format)
    if screen.as_json:
        events.silence()

    def collect_job() -> int:
        data = collect(settings, state, run, connect(settings))
        screen.show(data, lambda _: map(line, in_words(data)))
        return 0

    return _answered(screen, collect_job)


def _show_screen(args: argparse.Namespace) -> int:
    """Run the screen that the verb names."""
    from chargen.records.arguments import Screen as ScreenArguments
    from chargen.screens.screen import Screen

    settings, state, run = _open(args)
    screen = Screen.of(settings.asked(ScreenArguments).format)
    module = screens.find(args.verb)
    given = {name: getattr(args, name) for name in (key.lstrip("-") for key in getattr(module, "ARGUMENTS", {}))}
    return _answered(screen, lambda: int(module.run(settings, state, run, screen, **given)))


def _answered(screen: Screen, act: Callable[[], int]) -> int:
    """Return the status of *act*; when JSON is wanted, an error is a JSON document too, and the only thing on standard
    output."""
    from chargen.screens.screen import Trouble

    try:
        return act()
    except Exception as error:
        if not screen.as_json:
            raise
        known = isinstance(error, ChargenError)
        words = str(error) if known else system_trouble(error) if isinstance(error, OSError) else type(error).__name__
        screen.show(Trouble(error=words), lambda _: ())
        events.silence()
        raise


def _complain(message: str, by_itself: bool = False) -> None:
    """Say what is wrong where the log is kept, and to the person in front of the terminal if that is elsewhere.

    *by_itself*: a step among others that were stopped; who stopped them says it once.
    """
    print(f"chargen: {message}", file=sys.stderr, flush=True)
    if not sys.stderr.isatty() and not by_itself:
        events.print_message(f"chargen: {message}")
    events.write_event("error", message, level="error")
