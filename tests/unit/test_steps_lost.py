"""A job that was lost and is there again is collected: nothing is paid twice, and nothing newer is displaced."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from results_world import SCENES, World

from chargen.base.errors import ChargenError
from chargen.providers.gemini.client import Remote
from chargen.records.journal import Journal
from chargen.records.state import BatchFiles
from chargen.screens.order import order
from chargen.steps.collect import collect
from chargen.steps.lost import look_again
from chargen.steps.search import LostJobIsBack
from emulator_fixture import Emulator
from photographs import photograph

EVERYWHERE = ["get", "list", "download"]


@pytest.fixture
def world(emulator: Emulator, tmp_path: Path) -> World:
    """A world that believes a repeated answer at once."""
    return World(tmp_path, emulator)


def lose(world: World) -> BatchFiles:
    """Send a batch whose job is denied, everywhere and for good, until it is lost; return its files."""
    (files,) = world.send()
    world.emulator.end_jobs()
    world.emulator.vanish(EVERYWHERE)
    world.look(5)
    receipt = world.apply(files)
    assert ("LOST", {"lost": SCENES}) == (receipt.state, receipt.counts)
    return files


def backdate(world: World, files: BatchFiles) -> None:
    """Let a batch have been sent an hour ago: moments are kept in whole seconds."""
    earlier = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [json.loads(line) for line in world.state.journal.read_text().splitlines()]
    for line in lines:
        if (line["event"], line["batch"]) == ("intent", files.id):
            line["time"] = earlier
    world.state.journal.write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def order_all(world: World) -> None:
    order(world.settings.asking(scenes=("*",), state="failed"), world.state)


def test_a_lost_job_is_looked_for_by_the_next_runs(world: World) -> None:
    """It is neither deleted nor sent again; the plan of each later run names it, and finds it lost as long as it is."""
    files = lose(world)
    plan = world.plan()
    is_back = look_again(world.settings, world.state, files, world.remote)

    assert ([files.id], []) == (plan.lost, plan.batches)
    assert not is_back
    assert (1, 0) == (world.emulator.count("create"), world.deleted())
    assert "lost" in files.receipt.read_text()


def test_a_lost_job_that_appears_again_is_collected(world: World) -> None:
    """Its results are placed, its receipt says so, the one that called it lost is kept, and then it is deleted."""
    files = lose(world)
    world.emulator.vanish([])
    is_back = look_again(world.settings, world.state, files, world.remote)
    flying = world.in_flight()
    world.look()
    receipt = world.apply(files)
    plan = world.plan()

    assert (True, [files.id]) == (is_back, flying)
    assert ("SUCCEEDED", {"applied": SCENES}) == (receipt.state, receipt.counts)
    assert SCENES == len(world.pictures())
    assert '"LOST"' in files.lost_receipt.read_text()
    assert ([], []) == (plan.lost, plan.batches)
    assert (1, 1) == (world.emulator.count("create"), world.deleted())


@pytest.mark.parametrize("place", ["get", "list"])
def test_it_may_appear_in_one_place_first(world: World, place: str) -> None:
    """The list or the job itself: either is enough to look further."""
    files = lose(world)
    world.emulator.vanish([other for other in ("get", "list") if other != place])

    assert look_again(world.settings, world.state, files, world.remote)


def test_a_job_that_comes_back_without_its_results_stays_lost(world: World) -> None:
    """Listed again, with its result file still denied: there is nothing to collect yet."""
    files = lose(world)
    world.emulator.vanish(["download"])

    assert not look_again(world.settings, world.state, files, world.remote)
    assert files.receipt.exists()


@pytest.mark.parametrize("denial", ["firewall", "leaked_key", "unauthorized"])
def test_a_look_that_is_denied_is_no_error(world: World, denial: str) -> None:
    """Whatever is on the way, it stays lost and the next run looks again."""
    files = lose(world)
    world.emulator.vanish([])
    world.emulator.faults(calls=[{"call": "*", "do": "deny", "denial": denial}])

    assert not look_again(world.settings, world.state, files, world.remote)
    assert Journal(world.state).entry(files.id).is_lost


def test_another_account_does_not_look(world: World) -> None:
    """With another key its absence says nothing, and nothing is asked."""
    files = lose(world)
    asked = world.emulator.count("get")

    assert not look_again(world.settings, world.state, files, Remote(world.emulator.url, "another", 5, 5))
    assert asked == world.emulator.count("get")


def test_collect_takes_a_lost_job(world: World) -> None:
    """By name and at once, where a person knows that it is there again."""
    files = lose(world)
    world.emulator.vanish([])
    job = Journal(world.state).entry(files.id).job
    data = collect(world.settings.asking(job=job), world.state, world.run, world.remote)

    assert (True, {"applied": SCENES}) == (data.collected, data.counts)


def test_a_job_that_is_only_listed_does_not_keep_an_order(world: World) -> None:
    """The server lists the job again and has its results no longer: what is ordered is sent."""
    lose(world)
    order_all(world)
    world.emulator.vanish(["download"])

    world.send()

    assert 2 == world.emulator.count("created")


def test_an_order_that_was_not_sent_is_taken_back(world: World) -> None:
    """Ordered because it was lost, and then it came: nothing is sent, whether planned or already pinned."""
    files = lose(world)
    order_all(world)
    (pinned,) = world.plan().batches
    world.emulator.vanish([])
    with pytest.raises(LostJobIsBack, match="Collect it first"):
        world.send()
    look_again(world.settings, world.state, files, world.remote)
    with pytest.raises(LostJobIsBack):
        world.send_pinned(pinned.id)
    world.look()
    world.apply(files)
    with pytest.raises(ChargenError, match="have arrived meanwhile"):
        world.send_pinned(pinned.id)
    plan = world.plan()

    assert [] == plan.batches
    assert {"done"} == {item.status for item in plan.items}
    assert 1 == world.emulator.count("create")


def test_an_order_that_was_sent_is_not_displaced(world: World) -> None:
    """Ordered and made again, and then the first job comes back: its pictures go to the archive, nothing is lost."""
    files = lose(world)
    order_all(world)
    (again,) = world.send()
    world.look(2)
    world.apply(again)
    backdate(world, files)
    in_place = {path.name: path.read_bytes() for path in world.imagery.parent.glob("images/*.*")}
    world.emulator.vanish([])
    look_again(world.settings, world.state, files, world.remote)
    world.look()
    receipt = world.apply(files)

    assert {"superseded": SCENES} == receipt.counts
    assert {"newer-picture"} == {task.reason for task in receipt.tasks}
    assert in_place == {path.name: path.read_bytes() for path in world.imagery.parent.glob("images/*.*")}
    assert SCENES == len(list(world.imagery.parent.glob("images/archive/*")))
    assert [] == world.plan().batches
    assert 2 == world.emulator.count("create")


def test_an_enhancement_that_was_made_since_is_not_displaced(world: World, tmp_path: Path) -> None:
    """In a folder too, what was ordered and made stays under its name, and the late one is archived."""
    photograph(64, 48).save(world.enhance_folder() / "harbour.png")
    (files,) = world.send("enhance")
    world.emulator.end_jobs()
    world.emulator.vanish(EVERYWHERE)
    world.look(5)
    world.apply(files)
    order(world.settings.asking(scenes=("enhance/*",), state="failed"), world.state)
    world.emulator.faults(models={"ignore_image_size": True})  # so that it is another picture
    (again,) = world.send("enhance")
    world.look(2)
    made = world.apply(again).tasks[0]
    world.emulator.vanish([])
    look_again(world.settings, world.state, files, world.remote)
    world.look()
    late = world.apply(files).tasks[0]
    home = Path(world.settings.home)

    assert ("applied", "superseded", "newer-picture") == (made.outcome, late.outcome, late.reason)
    assert made.sha256 == hashlib.sha256((home / made.file).read_bytes()).hexdigest()
    assert "archive" in late.file and (home / late.file).is_file()
    assert [] == world.plan("enhance").batches


def test_an_order_in_flight_takes_its_place_after_the_lost_one(world: World) -> None:
    """The lost pictures come while those ordered are made: the ones that were ordered stand in the end."""
    files = lose(world)
    order_all(world)
    (again,) = world.send()
    world.emulator.vanish([], display_name=f"*{files.id}")
    look_again(world.settings, world.state, files, world.remote)
    world.look(3)
    first = world.apply(files)
    second = world.apply(again)

    assert ({"applied": SCENES}, {"applied": SCENES}) == (first.counts, second.counts)
    assert SCENES == len(world.pictures())
    assert [] == world.plan().batches


def test_what_fails_in_passing_in_a_job_that_came_back_is_left_to_the_plan(world: World) -> None:
    """Nothing is sent again in the same breath; the next plan sends what nobody ordered meanwhile."""
    world.emulator.faults(lines=[{"give": "error", "code": 13, "key": "*stairs*", "jobs": 1}])
    files = lose(world)
    world.emulator.vanish([])
    look_again(world.settings, world.state, files, world.remote)
    world.look()
    receipt = world.apply(files)

    assert ({"applied": SCENES - 1, "passing": 1}, ()) == (receipt.counts, receipt.follow_ups)
    assert 1 == len(world.plan().tasks)


KILLED = """
import sys
from pathlib import Path
from chargen.cli import main
sys.exit(main(["look-again", "--run", sys.argv[1], sys.argv[2], sys.argv[3]]))
"""


@pytest.mark.parametrize("point", ["lost-receipt", "found-again"])
@pytest.mark.parametrize("comes_back", [True, False])
def test_killed_while_a_lost_job_is_taken_back(world: World, point: str, comes_back: bool, tmp_path: Path) -> None:
    """Killed after either step: the next run goes on, and if the job is gone again by then it is lost as before."""
    files = lose(world)
    world.write_settings()
    world.emulator.vanish([])
    command = [sys.executable, "-c", KILLED, str(world.run.folder), files.id, str(tmp_path / "done.json")]
    killed = subprocess.run(command, env=os.environ | {"CHARGEN_KILL_AT": point}, check=False)
    world.emulator.vanish([] if comes_back else EVERYWHERE)
    look_again(world.settings, world.state, files, world.remote)
    world.look(5)
    receipt = world.apply(files)

    assert -9 == killed.returncode
    assert {"applied" if comes_back else "lost": SCENES} == receipt.counts
    assert 1 == world.emulator.count("create")
    assert world.deleted() == int(comes_back)
