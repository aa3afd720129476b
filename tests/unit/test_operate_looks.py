"""`history`, `failures`, `prices`, `watch`: what they read from state, and how they tell it."""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import socket

import pytest
from report_world import EARLIER, RUN, make_world

import builders
from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.providers.gemini.jobs import read_job
from chargen.providers.models import load_catalog
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.learned import Learned
from chargen.records.state import RunFiles
from chargen.report.history import read_history
from chargen.screens import failures, history, prices, watch
from chargen.screens.screen import Column, Screen, Span, line, plain, size, table

TARGET = "character/oda-brennick/lamp-room"


@pytest.fixture
def world(tmp_path):
    return make_world(tmp_path)


def shown(target, settings, state):
    """Run a target that prints JSON."""
    out = io.StringIO()
    target.run(settings, state, RunFiles(state.root / "runs" / "now"), Screen(True, out))
    return json.loads(out.getvalue())


def pin(world, run, **plan):
    """Write what a run pins."""
    files = world.state.run(run)
    durable.write_json(files.settings, {"provider": "gemini"})
    values = {"started": "2026-11-21T17:58:00Z", "targets": ["generate_all"], "batches": [], "in_flight": []}
    durable.write_json(files.plan, values | plan)
    return files


def test_history_counts_what_each_run_brought_and_cost(world):
    """The youngest run first, with time, targets, outcomes and cost; a run that only looked is none."""
    world.receipt("b1", [world.outcome(TARGET)], run=EARLIER)
    world.receipt("b2", [world.outcome(TARGET), world.outcome("location/quay/dusk", "failed")])
    pin(world, RUN, batches=["b2"])
    durable.write_json(world.state.run("2026-11-22T00-00-00Z").settings, {"provider": "gemini"})

    runs = shown(history, world.settings, world.state)["runs"]

    assert [RUN, EARLIER] == [run["id"] for run in runs]
    assert ({"applied": 1, "failed": 1}, ["generate_all"], 365.0) == (
        runs[0]["counts"],
        runs[0]["targets"],
        runs[0]["duration_s"],
    )
    assert {"estimated": 0.134, "actual": 0.067} == runs[0]["cost_usd"]


def test_a_run_that_goes_on_says_so(world):
    """The process of a run is looked for on this machine; its batches in flight are counted."""
    world.in_flight("b1", [TARGET, "location/quay/dusk"])
    files = pin(world, RUN, batches=["b1"])
    durable.write_json(files.process, {"main": f"{socket.gethostname()}:{os.getpid()}", "targets": []})

    (run,) = history.summaries(world.state, {})

    assert (True, 2) == (run.going_on, run.in_flight)


def test_history_has_the_runs_of_every_operation(world):
    """A run that planned pictures of another operation is listed before its first receipt, with its targets and counts;
    what two plans of a run say is added up."""
    world.in_flight("b1", [TARGET])
    world.in_flight("b2", ["location/quay/dusk"])
    plan = {"started": "2026-11-21T17:58:00Z", "counts": {"to_make": 1}, "problems": ["a word"]}
    enhancing, both = world.state.run(EARLIER), pin(world, RUN, **plan, batches=["b1"], targets=["all"])
    durable.write_json(enhancing.plan_of("enhance"), plan | {"batches": ["b2"], "targets": ["enhance_all"]})
    durable.write_json(both.plan_of("analyze"), plan | {"batches": ["b2"], "targets": ["all"]})
    durable.write_json(both.process, {"main": "", "targets": ["generate_all", "analyze_all"]})

    runs = history.summaries(world.state, {})
    detail = history.detail(RUN, world.state, read_history(world.state), {})

    assert [
        (RUN, ("generate_all", "analyze_all"), 2, 2, ("b1", "b2")),
        (EARLIER, ("enhance_all",), 1, 1, ("b2",)),
    ] == [(run.id, run.targets, run.planned, run.in_flight, run.waiting_batches) for run in runs]
    assert ("a word",) == detail.problems


def test_one_run_in_detail(world):
    """Its batches and every task, with the file or the reason; a run that nobody knows is an error."""
    world.receipt("b1", [world.outcome(TARGET), world.outcome("location/quay/dusk", "failed")])
    receipts = {RUN: read_history(world.state).receipts}

    data = history.detail(RUN, world.state, read_history(world.state), receipts)
    lines = [plain(line) for line in history.detail_lines(data, 80)]

    assert ["b1"] == [batch.id for batch in data.batches]
    assert {"gemini-3-pro-image": 0.067} == data.usd_by_model
    assert "✓ characters/oda-brennick/images/lamp-room.png" in lines
    assert "✗ location/quay/dusk: image-safety" in lines
    with pytest.raises(ChargenError, match="snakemake history"):
        history.detail("2020-01-01T00-00-00Z", world.state, read_history(world.state), receipts)


def test_a_run_whose_batches_are_all_in_flight_in_detail(world):
    """Before the first result there is no task to list, and the batches say that the server has them."""
    world.in_flight("b1", [TARGET])
    pin(world, RUN, batches=["b1"])

    run = history.detail(RUN, world.state, read_history(world.state), {})
    lines = [plain(line) for line in history.detail_lines(run, 80)]

    assert "in flight   1 task" in lines
    assert any(line.startswith("b1     in flight  1 in flight") for line in lines)


def test_failures_are_grouped_with_the_command_that_orders_them(world):
    """By reason, the most frequent first. Without a library, all recent failures are listed, with a note."""
    targets = [f"character/oda-brennick/s{number}" for number in range(3)]
    world.receipt("b1", [world.outcome(target, "failed") for target in targets[:2]])
    world.receipt("b2", [world.outcome(targets[2], "failed", reason="no-image")])
    world.library.rmdir()

    data = shown(failures, world.settings, world.state)

    assert [("image-safety", 2), ("no-image", 1)] == [(group["reason"], group["count"]) for group in data["groups"]]
    assert f"snakemake order --config state=failed scenes='{targets[0]} {targets[1]}'" == data["groups"][0]["command"]
    assert "Library folder not found" in data["note"]


def test_many_failures_are_ordered_by_entity(world):
    """A command stays short: all of them by one glob, many of them by their entities."""
    settings = world.settings
    targets = [f"character/oda/s{number}" for number in range(30)]

    assert "snakemake order --config state=failed scenes='*'" == failures.order_command(
        settings, targets, everything=True
    )
    assert "snakemake order --config state=failed scenes='character/oda/*'" == failures.order_command(
        settings, targets, everything=False
    )


@pytest.mark.parametrize(("days", "old"), [(90, False), (91, True)])
def test_prices_grow_old_after_ninety_days(world, days, old):
    """The table says when it was written, and warns once that is too long ago."""
    updated = load_catalog(config.schema.ROOT / "config" / "models.yaml").updated
    today = updated + dt.timedelta(days=days)

    data = prices.price_list(
        load_catalog(config.schema.ROOT / "config" / "models.yaml", today), world.settings, today, Learned()
    )
    text = "\n".join(plain(line) for line in prices.lines(data, None))

    assert (old, old) == (data.is_old, "older than 90 days" in text)


def test_prices_name_the_batch_rate_and_the_model_in_use(world):
    """A batch pays less by the discount; the models of the configuration are marked."""
    today = dt.date(2026, 11, 20)

    data = prices.price_list(
        load_catalog(config.schema.ROOT / "config" / "models.yaml", today), world.settings, today, Learned()
    )

    models = {model.name: model for model in data.image_models}
    used = models[world.settings.models["generate"].model]
    assert "generate" in used.used_for
    assert round(used.usd_per_image["1K"] * (1 - data.batch_discount), 6) == used.usd_per_image_batch["1K"]
    assert (0.75, 3.75) == (used.usd_per_mtok_in_batch, used.usd_per_mtok_out_batch)
    assert "shut down" == models["gemini-2.5-flash-image"].state


def flying(world, batch, *, operation=None, **files):
    """A batch in flight whose job was last seen as *operation*."""
    world.in_flight(batch, [TARGET, "location/quay/dusk"])
    path = world.state.batch(batch).plan
    plan = durable.read_json(path) | {"operation": "generate", "model": "gemini-3-pro-image", "cost_usd": 0.134}
    durable.write_json(path, plan)
    if operation:
        job = read_job({"name": f"batches/{batch}", "metadata": operation})
        look = {"time": 0.0, "pause_s": 5.0, "operations": [job.to_json()]}
        durable.write_json(world.state.root / "last-look.json", look)


def test_watch_tells_what_the_run_saw_last(world):
    """Phase, progress and failures come from the last look that the run itself took; the server is not asked."""
    stats = {"requestCount": "2", "successfulRequestCount": "1", "failedRequestCount": "1"}
    flying(world, "b1", operation={"state": "BATCH_STATE_RUNNING", "batchStats": stats})

    view = watch.Watcher(world.state).look()

    (row,) = view.batches
    assert ("running", 2, 2, 1, "batches/b1") == (row.phase, row.tasks, row.done, row.failed, row.job)
    assert (0.134, False, False) == (view.cost_usd, row.cost_is_final, view.is_over)


@pytest.mark.parametrize(
    ("stats", "shown_counts", "sum_up"),
    [
        ({"requestCount": "2", "pendingRequestCount": "2"}, "2 tasks", "1 of 1 batch in flight, 2 tasks, $0.13 so far"),
        ({"requestCount": "2", "successfulRequestCount": "1"}, "1/2", "1 of 1 batch in flight, 1 of 2 tasks done"),
    ],
)
def test_watch_promises_no_counts_that_the_server_lacks(world, stats, shown_counts, sum_up):
    """A running job of which the API shows no counts has only its number of tasks, on the screen and in lines."""
    flying(world, "b1", operation={"state": "BATCH_STATE_RUNNING", "batchStats": stats})
    view = watch.Watcher(world.state).look()

    lines = [plain(item) for item in watch.screen_lines(view, world.settings, "◐", 80)]

    assert lines[0].endswith(f"  {shown_counts}")
    assert lines[-2].startswith(sum_up)
    assert "0 of" not in watch._in_a_line(view.batches[0])


def test_watch_ends_when_everything_is_applied(world):
    """A batch that was on its way is shown until its receipt is there, with what it really cost; then it is over."""
    flying(world, "b1")
    watcher = watch.Watcher(world.state, started=0.0)
    before = watcher.look()
    world.receipt("b1", [world.outcome(TARGET), world.outcome("location/quay/dusk", "failed")])
    Journal(world.state).append(builders.event("applied", "b1", outcomes={}))

    after = watcher.look()

    assert ("pending", False) == (before.batches[0].phase, before.is_over)
    assert ("applied", 2, 1, 0.067, True) == (
        after.batches[0].phase, after.batches[0].done, after.batches[0].failed, after.cost_usd, after.is_over,
    )  # fmt: skip


def test_watch_waits_for_a_run_of_any_operation(world):
    """A living run that only enhances is in progress before its first batch is sent."""
    files = world.state.run(RUN)
    durable.write_json(files.plan_of("enhance"), {"batches": ["b1"]})
    durable.write_json(files.process, {"main": f"{socket.gethostname()}:{os.getpid()}", "targets": ["enhance_all"]})

    assert watch.Watcher(world.state).look().going_on


def test_watch_without_a_terminal_prints_lines_or_json(world):
    """With nothing in flight it ends at once, and standard output holds one document a line."""
    out = io.StringIO()
    watch.run(world.settings, world.state, RunFiles(world.state.root / "runs" / "r"), Screen(False, out))
    data = shown(watch, world.settings, world.state)

    assert "Nothing is in flight.\n" == out.getvalue()
    assert [] == data["batches"]


def test_the_live_screen_keeps_within_its_terminal(world):
    """What does not fit in height is counted, nothing is wider than the terminal but a job's name."""
    for number in range(9):
        flying(world, f"b{number}")
    view = watch.Watcher(world.state).look()

    lines = [plain(item) for item in watch.screen_lines(view, world.settings, "◐", 80, 24)]

    assert len(lines) <= 24
    assert "… and 6 more batches" == lines[0]
    assert [] == [text for text in lines if len(text) > 80]


def test_a_narrow_table_moves_columns_below():
    """Columns marked so leave the row when the terminal is too narrow; a pipe has all of them on one line."""
    header = [Column("name"), Column("size", right=True), Column("note", below=True)]
    rows = [["a" * 20, "1 B", "n" * 10], [Span("b", "green"), "200 B", ""]]

    wide = [plain(item) for item in table(header, rows, 60)]
    narrow = [plain(item) for item in table(header, rows, 30)]

    assert f"name{' ' * 19}size  note" == wide[0]
    assert f"{'a' * 20}    1 B  {'n' * 10}" == wide[1]
    assert f"    {'n' * 10}" == narrow[2]
    assert wide == [plain(item) for item in table(header, rows, None)]


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 B"), (999, "999 B"), (1_234_567, "1.2 MB"), (20_000_000_000, "20.0 GB")]
)
def test_sizes_read_well(number, text):
    """Bytes in the unit that keeps them short."""
    assert text == size(number)


def test_names_from_outside_cannot_steer_the_terminal():
    """A control sign in a job's name does not reach the terminal."""
    from chargen.screens.screen import as_text, plain

    named = line("a\x1b[31mb\r\nc\u202ed")

    assert r"a\u001b[31mb\u000d c\u202ed" == as_text(named).plain == plain(named)


def test_every_screen_has_a_rule_and_is_explained():
    """Each screen has a rule of its name in screens.smk, and a section and a row in docs/operating.md."""
    from chargen import screens

    page = (config.schema.ROOT / "docs" / "operating.md").read_text("utf-8")
    rules = re.findall(r"(?m)^rule (\w+):", (config.schema.ROOT / "workflow/rules/screens.smk").read_text())

    assert sorted(rules) == sorted(screens.names())
    assert [] == [name for name in rules if f"\n## {name}\n" not in page or f"\n| `{name}` |" not in page]
