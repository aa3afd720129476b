"""The box on the terminal says how the run went, in the columns that there are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from report_world import RUN, World, make_world, png

from chargen.base.wording import columns, dollars
from chargen.report.build import report_of
from chargen.report.documents import Report
from chargen.report.summary import render


def report(world: World) -> Report:
    return report_of(world.survey(RUN))


def ran(tmp_path: Path, entities: int = 1, failed: int = 0) -> World:
    """A run that placed one picture for each entity and failed at some others."""
    world = make_world(tmp_path)
    tasks = []
    for number in range(entities):
        scene = world.scene(f"character/person-{number:02}/portrait")
        world.stand(scene, "done", record={}, picture=png())
        tasks.append(world.outcome(scene.target))
    for number in range(failed):
        scene = world.scene(f"character/person-00/storm-{number}")
        world.stand(scene, "failed", reason="image-safety")
        tasks.append(world.outcome(scene.target, "failed"))
    world.receipt("1" * 16, tasks)
    return world


def row(box: str, name: str) -> str:
    """The value of the row *name* of the box."""
    return next(line for line in box.splitlines() if name in line).partition(name)[2].strip(" :│")


def test_tells_how_the_run_went(tmp_path: Path) -> None:
    """Run, tasks, outcomes and both costs stand in the box."""
    world = ran(tmp_path, 3, 2)
    box = render(report(world), world.settings, 80)

    rows = [row(box, name) for name in ("Run ID", "Tasks", "Success", "Failed", "Cost", "Report")]
    cost = "$0.20 actual, $0.34 estimated"
    assert [RUN, "5 total", "3", "2", cost, "results/report.html"] == rows


def test_skipped_pictures_are_counted_where_there_are_any(tmp_path: Path) -> None:
    """A row that would say 0 is left out."""
    world = ran(tmp_path)
    without = render(report(world), world.settings, 80)
    world.stand(world.scene("character/person-00/earlier"), "done", record={}, picture=png())

    assert "Skipped" not in without
    assert "1 (in place already)" == row(render(report(world), world.settings, 80), "Skipped")


def test_output_folders_are_cut_short(tmp_path: Path) -> None:
    """Of many folders the first are named, the rest counted."""
    world = ran(tmp_path, 14)
    box = render(report(world), world.settings, 80)

    assert "characters/person-00/images/ (1)" in box
    assert "… (10 more)" in box


def test_failures_are_grouped_with_advice_and_next_command(tmp_path: Path) -> None:
    """Failures of one reason stand together, with what to do and what to type."""
    world = ran(tmp_path, 1, 5)
    settings = replace(world.settings, given=("library=../my story",))
    box = render(report(world), settings, 80)

    assert "✗ 5 × image-safety" in box
    assert "say it with other words" in box
    assert "… (2 more)" in box
    assert "    snakemake order --config library='../my story' scenes='*' state=failed" in box.splitlines()


def test_without_failures_nothing_is_advised(tmp_path: Path) -> None:
    """A clean run leaves no list of failures and no command to type."""
    world = ran(tmp_path, 1)
    box = render(report(world), world.settings, 80)

    assert "×" not in box
    assert "snakemake" not in box


def test_says_when_nothing_was_made(tmp_path: Path) -> None:
    """Before the first run the box says so."""
    world = make_world(tmp_path)
    box = render(report_of(world.survey()), world.settings, 80)

    assert "Nothing made yet" in box
    assert "Run ID" not in box


@pytest.mark.parametrize("width", [40, 60, 80, 100])
def test_never_wider_than_the_terminal(tmp_path: Path, width: int) -> None:
    """Every line takes the same number of columns, wide signs counted twice."""
    world = ran(tmp_path, 3, 2)
    scene = world.scene("character/灯台守の長い名前の人物がここにいて名前はとても長い/嵐の夜に灯台に立つ")
    world.stand(scene, "failed")
    task = world.outcome(scene.target, "failed", reason="prohibited", advice="an advice of many words " * 8)
    world.receipt("2" * 16, [task])

    box, _, below = render(report(world), world.settings, width).partition("┘")

    assert {width} == {columns(line) for line in f"{box}┘".splitlines()}
    assert "snakemake order" in below


def test_control_signs_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """What an API or a file says cannot steer the terminal."""
    world = ran(tmp_path)
    scene = world.scene("character/person-00/storm")
    world.stand(scene, "failed")
    world.receipt("2" * 16, [world.outcome(scene.target, "failed", advice="\x1b[2J\x07gone")])

    assert "\x1b" not in render(report(world), world.settings, 80)
    assert "\x07" not in render(report(world), world.settings, 80)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "$0.00"),
        (0.79, "$0.79"),
        (0.0336, "$0.0336"),
        (0.05, "$0.05"),
        (0.00001, "under $0.0001"),
        (1234.5, "$1,234.50"),
    ],
)
def test_dollars(amount: float, text: str) -> None:
    """Small amounts keep the digits that say something."""
    assert text == dollars(amount)


def test_the_emulators_cost_is_no_spending(tmp_path: Path) -> None:
    """Costs of a run on the emulator are marked as not paid."""
    world = make_world(tmp_path, provider="emulator")
    world.receipt("1" * 16, [world.outcome("character/oda-brennick/lamp-room")])

    assert "(emulator: nothing was paid)" in render(report(world), world.settings, 80)
