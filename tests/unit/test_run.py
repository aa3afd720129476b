"""What the targets of a run mean; and that each run has a name and a folder of its own."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import NamedTuple

import pytest
import yaml

from chargen import operations
from chargen.base import schemas as schema
from chargen.snakemake import context, run
from chargen.snakemake.context import RunContext, new_run_id
from chargen.snakemake.graph import Graph
from chargen.snakemake.plans import Plans
from chargen.snakemake.run import Run

NOW = dt.datetime(2026, 11, 21, 17, 58, 0, 123_456, tzinfo=dt.UTC)


class Call(NamedTuple):
    """One call of Snakemake."""

    context: RunContext
    graph: Graph
    run: Run


@pytest.fixture
def start(tmp_path, monkeypatch):
    """Return what the Snakefile makes of a call with some targets at NOW."""
    (tmp_path / "story").mkdir()
    monkeypatch.chdir(tmp_path)  # results/ of the checkout are none of the run's
    defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
    monkeypatch.setattr(run, "_stop_waiting_on_signals", lambda *args, **kwargs: None)
    clock = SimpleNamespace(now=lambda zone: NOW)
    monkeypatch.setattr(context, "dt", SimpleNamespace(datetime=clock, UTC=dt.UTC))
    for variable in (context.RUN_VARIABLE, run.MAIN_VARIABLE):
        monkeypatch.setenv(variable, "")

    def made(*targets: str) -> Call:
        workflow = SimpleNamespace(
            main_snakefile=str(schema.ROOT / "Snakefile"),
            configfiles=[],
            config_settings=SimpleNamespace(configfiles=[], config_args=[]),
            dag_settings=SimpleNamespace(targets=set(targets)),
            is_main_process=True,
            rules=[],
        )
        about = RunContext(defaults | {"library": "story"}, tmp_path, workflow)
        plans = Plans(about)
        return Call(about, Graph(about, plans), Run(about, plans))

    return made


def test_run_ids_are_unique_and_sorted_by_time():
    """Runs of one moment have names of their own, all between those of the moments around."""
    names = {new_run_id(NOW) for _ in range(20)}
    before, after = (new_run_id(NOW + dt.timedelta(milliseconds=ms)) for ms in (-1, 1))

    assert len(names) > 15
    assert "2026-11-21T17-58-00Z-123" == min(names)[:-3]
    assert [before, *sorted(names), after] == sorted([before, *names, after])
    assert "2026-11-21T17-58-00Z" < min(names) < "2026-11-21T17-58-01Z"  # among runs of version 0.1.0


def test_a_screen_removes_no_folder_but_its_own(start, monkeypatch):
    """`submitted` and `watch`, started in the same second: what watch takes away when it ends is its own."""
    sending, watching = start("submitted"), start("watch")
    sending.run.start()
    watching.run.start()
    folders = {sending.context.run_id, watching.context.run_id}
    both = {files.folder.name for files in sending.context.state.runs()}
    watching.run.finish(failed=False)

    assert folders == both
    assert [sending.context.run_id] == [files.folder.name for files in sending.context.state.runs()]


def test_two_runs_never_share_a_folder(start, monkeypatch, capsys):
    """If two runs have the same name after all, the second one ends in words and takes nothing from the first."""
    monkeypatch.setattr(context.secrets, "randbelow", lambda top: 7)
    first, second = start("submitted"), start("watch")
    first.run.start()
    with pytest.raises(SystemExit):
        second.run.start()
    second.run.finish(failed=True)

    assert "belongs to another run that started at the same moment: run again" in capsys.readouterr().err
    assert first.context.files.settings.exists()


@pytest.mark.parametrize("target", sorted(operations.targets()))
def test_planned_makes_nothing_whatever_stands_beside_it(start, target):
    """Each target that sends something waits for nothing then, and its own plan is shown."""
    shown = start("planned", target).graph

    assert [] == shown.files_of_targets(None) == shown.job_files(None)
    assert target.startswith(("illustrate", "submitted", *(of.partition(":")[0] for of in shown.shown_plans())))


def test_planned_shows_the_scopes_of_its_targets(start):
    """Alone it shows what generate_all would make; beside others what they would, in the order of doing it."""
    shown = [
        start("planned", *targets.split()).graph.shown_plans()
        for targets in ("", "jobs", "order", "generate_characters analyze_locations analyze_chapters", "illustrate_all")
    ]

    assert [
        ["generate:all"],
        ["generate:all"],
        [],
        ["generate:characters", "analyze:locations,chapters"],
        ["analyze:all", "generate:all"],
    ] == shown


@pytest.mark.parametrize("other", ["review", "collect", "cleanup", "init", "report", "results/report.json"])
def test_what_cannot_be_shown_is_refused_beside_planned(start, other, capsys):
    """It would be done, so nothing is: the words name it."""
    with pytest.raises(SystemExit):
        start("planned", "generate_all", other).graph.make_shown_plans(None)

    assert f"{other} cannot be combined with it. Nothing was done" in capsys.readouterr().err


@pytest.mark.parametrize("others", ["", "jobs history", "order", "collect", "review", "watch prices doctor failures"])
def test_the_report_makes_nothing_beside_what_makes_nothing(start, others):
    """`snakemake report jobs` writes the report as things stand, like `snakemake report`."""
    targets = ["report", *others.split()]

    assert ["results/report.json"] == start(*targets).graph.files_of_targets(None)
    assert [] == start(*targets).graph.files_before_report(None)
