"""A download becomes the results only once it accounts for the job: from the server to the receipt."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from results_world import SCENES, World

from chargen.base.errors import ChargenError
from chargen.emulator import faults
from chargen.providers.base import RemoteError
from chargen.providers.gemini.jobs import read_job
from chargen.records import journal
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.state import BatchFiles
from chargen.steps import cleanup, set_aside
from chargen.steps.collect import collect
from chargen.steps.set_aside import SIGHTINGS
from emulator_fixture import Emulator

GOOD = {("gzip", whose) for whose in faults.HASHES}
GOOD |= {("foreign_lines", "sent"), ("foreign_lines", "none"), ("wrong_hash", "none")}
"""Bodies, and whose checksum goes with them, that hold every line as it was sent."""
LOOKS = 2
"""A job of these tests has ended at the second look."""


@pytest.fixture
def world(emulator: Emulator, tmp_path: Path) -> World:
    """A world that believes nothing before an hour has passed."""
    return World(tmp_path, emulator, settle_s=3600)


@pytest.fixture
def hasty(emulator: Emulator, tmp_path: Path) -> World:
    """A world in which what came often enough counts at once."""
    return World(tmp_path, emulator)


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.name != "seen.json")


@pytest.mark.parametrize("crc32c", faults.HASHES)
@pytest.mark.parametrize("body", faults.DOWNLOAD_BODIES)
def test_a_wrong_body_is_never_the_result(world: World, body: str, crc32c: str, monkeypatch) -> None:
    """Whatever comes instead of the results is set aside, nothing is sent or deleted for it, and the next is taken."""
    monkeypatch.setattr(set_aside, "FIRST_PAUSE_S", 0.0)
    world.emulator.faults(calls=[{"call": "download", "first": 1, "do": "body", "body": body, "crc32c": crc32c}])
    (files,) = world.send()
    world.look(LOOKS)
    is_here, put_aside = files.responses.exists(), kept(files.set_aside)
    if not is_here:
        assert [] == world.events("ended")
        assert [files.id] == world.in_flight()
        assert 0 == world.deleted()
        world.look()
    receipt = world.apply(files)

    assert ((body, crc32c) in GOOD) is is_here is (not put_aside)
    assert {"applied": SCENES} == receipt.counts
    assert (1, 1) == (world.emulator.count("create"), world.deleted())


def test_what_is_set_aside_says_what_was_wrong(world: World, capsys) -> None:
    """The user is informed once of what came and what is done, and the bytes are kept as they came."""
    world.emulator.faults(calls=[{"call": "download", "do": "body", "body": "page", "crc32c": "none"}])
    (files,) = world.send()
    world.look(LOOKS + 2)
    (page,) = kept(files.set_aside)
    shown = " ".join(capsys.readouterr().out.split())

    assert "Sign in to the network" in page.read_text()
    assert 1 == shown.count("it is not a result file")
    assert str(page) in shown
    assert "Until they are complete, the batch is not sent again and nothing is deleted on the server" in shown


def test_pauses_grow(world: World, monkeypatch) -> None:
    """A result file can be large: what did not fit is not asked for at every look, and less and less often."""
    world.emulator.faults(calls=[{"call": "download", "do": "body", "body": "empty"}])
    world.send()
    world.look(LOOKS + 5)
    asked = [world.emulator.count("download")]
    clock = journal._since_boot_s()
    for passed_s in (6, 9, 12):  # the pauses are 5, 10 and 20 seconds
        clock += passed_s
        monkeypatch.setattr(journal, "_since_boot_s", lambda now=clock: now)
        world.look()
        asked.append(world.emulator.count("download"))

    assert [1, 2, 2, 3] == asked


def test_fewer_lines_count_only_when_they_stay_the_same(emulator: Emulator, tmp_path: Path, monkeypatch) -> None:
    """The same half for ten minutes is what the server has: what is there is placed, the rest is sent again."""
    world = World(tmp_path, emulator, settle_s=600)
    emulator.faults(lines=[{"give": "missing", "key": "*stairs*", "jobs": 1}])
    (files,) = world.send()
    clock = journal._since_boot_s()
    here = []
    for passed_s in (0, 0, 300, 299, 60):
        clock += passed_s
        monkeypatch.setattr(journal, "_since_boot_s", lambda now=clock: now)
        world.look()
        here.append(files.responses.exists())
    receipt = world.apply(files)

    assert [False] * 4 + [True] == here
    assert {"applied": SCENES - 1, "passing": 1} == receipt.counts
    assert 1 == len(receipt.follow_ups)
    assert "1 of 4 requests have no readable line; the same" in receipt.warnings[0]
    assert 0 == world.deleted(), "a job of which not every result is here was deleted"


def test_it_takes_several_sightings(hasty: World) -> None:
    """However much time has passed, bytes that came once or twice do not count."""
    hasty.emulator.faults(lines=[{"give": "missing", "key": "*stairs*", "jobs": 1}])
    (files,) = hasty.send()
    here = []
    for _ in range(SIGHTINGS + 1):
        hasty.look()
        here.append(files.responses.exists())

    assert [False] * SIGHTINGS + [True] == here


def test_other_bytes_begin_anew(hasty: World) -> None:
    """Halves that differ from each other do not add up, and the whole file is taken as soon as it comes."""
    fault = {"call": "download", "do": "body", "crc32c": "none"}
    bodies = ["half_lines", "half_lines", "empty", "half_lines"]
    hasty.emulator.faults(calls=[fault | {"nth": [n], "body": body} for n, body in enumerate(bodies, start=1)])
    (files,) = hasty.send()
    hasty.look(1 + len(bodies))
    before = files.responses.exists()
    hasty.look()
    receipt = hasty.apply(files)

    assert not before
    assert {"applied": SCENES} == receipt.counts
    assert () == receipt.warnings


def test_the_sightings_outlast_the_process(hasty: World) -> None:
    """Each look is a process of its own, as after a restart: what was seen before counts."""
    hasty.emulator.faults(calls=[{"call": "download", "do": "body", "body": "half_lines", "crc32c": "none"}])
    (files,) = hasty.send()
    for _ in range(1 + SIGHTINGS):
        hasty.look()
    damaged = files.set_aside / "seen.json"
    damaged.write_text('{"last": 7}')  # and if it cannot be read, it begins again
    files.responses.unlink()
    files.ended.unlink()
    hasty.look()

    assert not files.responses.exists()
    assert 1 == json.loads(damaged.read_text())["last"]["times"]


@pytest.mark.parametrize("body", ["empty", "foreign_keys"])
def test_a_batch_without_a_known_key_is_never_sent_again(hasty: World, body: str) -> None:
    """What stays the same and answers no request: the tasks are lost, only an order sends them, no job is deleted."""
    hasty.emulator.faults(calls=[{"call": "download", "do": "body", "body": body, "crc32c": "sent"}])
    (files,) = hasty.send()
    hasty.look(1 + SIGHTINGS)
    receipt = hasty.apply(files)
    planned = hasty.plan()

    assert ("LOST", {"lost": SCENES}, ()) == (receipt.state, receipt.counts, receipt.follow_ups)
    assert "answer none of the requests" in receipt.error
    assert {"failed"} == {item.status for item in planned.items}
    assert ([], 0) == (planned.batches, hasty.deleted())
    assert [] == hasty.events("cleaned")


def test_a_page_is_never_the_result(hasty: World) -> None:
    """What can be no result file does not become one by staying the same."""
    hasty.emulator.faults(calls=[{"call": "download", "do": "body", "body": "page", "crc32c": "sent"}])
    hasty.send()
    hasty.look(LOOKS + 2 * SIGHTINGS)

    assert [] == hasty.events("ended")


def test_results_that_an_older_version_took_are_not_sent_again(hasty: World) -> None:
    """0.1.0 took an empty body for the results: found with it on the disk, the tasks are lost, not sent again."""
    (files,) = hasty.send()
    hasty.look(LOOKS)
    files.responses.write_bytes(b"")
    receipt = hasty.apply(files)

    assert ({"lost": SCENES}, ()) == (receipt.counts, receipt.follow_ups)
    assert 0 == hasty.deleted()


def test_what_is_kept_is_bounded(hasty: World, monkeypatch, capsys) -> None:
    """A few files are kept, the one with the most results always; what goes is said."""
    monkeypatch.setattr(set_aside, "KEPT_FILES", 2)
    fault = {"call": "download", "do": "body", "crc32c": "none"}
    bodies = ["half_lines", "page", "cut_in_line", "empty"]
    hasty.emulator.faults(calls=[fault | {"nth": [n], "body": body} for n, body in enumerate(bodies, start=1)])
    (files,) = hasty.send()
    hasty.look(1 + len(bodies))
    left = [path.read_bytes().count(b"\n") for path in kept(files.set_aside)]

    assert 2 == len(left)
    assert 2 in left
    assert 2 == capsys.readouterr().err.count("is deleted to free space")


def test_set_aside_stays_as_long_as_the_raw_answers(hasty: World) -> None:
    """What was set aside is there for a look after the results came, and goes when the raw answers do."""
    hasty.emulator.faults(calls=[{"call": "download", "first": 1, "do": "body", "body": "page"}])
    (files,) = hasty.send()
    hasty.look(LOOKS + 1)
    hasty.apply(files)
    after = len(kept(files.set_aside))
    long_ago = time.time() - 40 * 86400
    os.utime(files.receipt, (long_ago, long_ago))
    files.due.write_text(str(time.time() - 2 * 86400))
    settings = dataclasses.replace(hasty.settings, cleanup=config.Cleanup(after_apply=True, keep_responses_d=0.0))
    cleanup.drop_old_responses(settings, hasty.state, Journal(hasty.state))

    assert 1 == after
    assert not files.set_aside.exists()


def test_inlined_answers_are_the_results(hasty: World) -> None:
    """A job that was created by file may answer in its operation: read by metadata.key, kept like a file."""
    hasty.emulator.faults(results={"inlined": True})
    (files,) = hasty.send()
    hasty.look(LOOKS)
    receipt = hasty.apply(files)

    assert {"applied": SCENES} == receipt.counts
    assert (0, 1) == (hasty.emulator.count("download"), hasty.deleted())
    assert SCENES == len(files.responses.read_bytes().splitlines())
    assert b"candidates" not in files.ended.read_bytes() + (hasty.state.root / "last-look.json").read_bytes()


def test_inlined_answers_that_are_not_all_there(hasty: World) -> None:
    """They account for the job like a file, or are asked for again."""
    hasty.emulator.faults(results={"inlined": True}, lines=[{"give": "missing", "key": "*stairs*", "jobs": 1}])
    (files,) = hasty.send()
    hasty.look(1 + SIGHTINGS)
    receipt = hasty.apply(files)

    assert {"applied": SCENES - 1, "passing": 1} == receipt.counts


def collect_elsewhere(world: World, files: BatchFiles) -> dict[str, Any]:
    """Collect the batch's job as a machine that knows nothing of it."""
    world.emulator.end_jobs()
    shutil.rmtree(world.state.root)
    world.run.folder.mkdir(parents=True)
    return collect(world.settings.asking(job=files.id), world.state, world.run, world.remote)


@pytest.mark.parametrize("body", ["page", "empty", "half_lines", "cut_in_line"])
def test_collecting_a_foreign_job_is_as_careful(world: World, body: str) -> None:
    """Without its request file the server's count is what the lines are compared with; what is wrong is said."""
    (files,) = world.send()
    world.emulator.faults(calls=[{"call": "download", "first": 1, "do": "body", "body": body, "crc32c": "none"}])
    refused = collect_elsewhere(world, files)
    shutil.rmtree(files.set_aside)  # as if its pause were over
    collected = collect(world.settings.asking(job=files.id), world.state, world.run, world.remote)

    assert not refused.collected
    assert "are incomplete" in refused.why_not
    assert (True, {"applied": SCENES}) == (collected.collected, collected.counts)
    assert 0 == world.deleted()


def test_lines_of_somebody_else_are_not_kept_for_a_foreign_job(world: World) -> None:
    """Keys that are none of chargen's are refused, and the next call asks for the results again."""
    (files,) = world.send()
    fault = {"call": "download", "first": 1, "do": "body", "body": "foreign_keys", "crc32c": "sent"}
    world.emulator.faults(calls=[fault])
    with pytest.raises(ChargenError, match=r"not from chargen: their keys look like 'request-"):
        collect_elsewhere(world, files)
    collected = collect(world.settings.asking(job=files.id), world.state, world.run, world.remote)

    assert (True, {"applied": SCENES}) == (collected.collected, collected.counts)


def test_a_foreign_job_without_results_makes_no_batch(hasty: World) -> None:
    """What answers no request is no outcome of tasks that nobody here knows."""
    (files,) = hasty.send()
    hasty.emulator.faults(calls=[{"call": "download", "do": "body", "body": "empty", "crc32c": "sent"}])
    said = [collect_elsewhere(hasty, files).why_not]
    settings = hasty.settings.asking(job=files.id)
    said += [collect(settings, hasty.state, hasty.run, hasty.remote).why_not for _ in range(SIGHTINGS)]

    assert "answer none of the requests" in said[-1]
    job = hasty.emulator.executed()[-1]["job"]
    assert f"    snakemake cleanup --config delete={job}" in said[-1].splitlines()
    assert all("collect it later" in words for words in said)
    assert [] == hasty.in_flight()


@pytest.mark.parametrize("point", ["sighted", "set-aside"])
def test_killed_while_something_is_set_aside(world: World, point: str, tmp_path: Path) -> None:
    """Killed after either step: what was seen counts once, and the whole file is taken when it comes."""
    world.emulator.faults(calls=[{"call": "download", "nth": [1], "do": "body", "body": "half_lines"}])
    (files,) = world.send()
    world.emulator.end_jobs()
    world.write_settings()
    command = [sys.executable, "-m", "chargen", "fetch", "--run", str(world.run.folder), files.id]
    command += [str(tmp_path / "responses.jsonl")]
    killed = subprocess.run(command, env=os.environ | {"CHARGEN_KILL_AT": point}, check=False)
    seen = json.loads((files.set_aside / "seen.json").read_text())
    left = kept(files.set_aside)
    shutil.rmtree(files.set_aside)
    world.look()
    receipt = world.apply(files)

    assert -9 == killed.returncode
    assert 1 == seen["last"]["times"]
    assert len(left) == int(point == "set-aside")
    assert {"applied": SCENES} == receipt.counts


@pytest.mark.parametrize("call", ["download", "get", "list", "*"])
@pytest.mark.parametrize("denial", faults.DENIALS)
def test_denials_that_end_lose_nothing(hasty: World, call: str, denial: str, monkeypatch) -> None:
    """However calls are turned down for a while, by the server or on the way: the results come, nothing is lost."""
    monkeypatch.setattr("chargen.steps.waiting.pause", lambda seconds, run: None)
    (files,) = hasty.send()
    hasty.emulator.end_jobs()
    hasty.emulator.faults(calls=[{"call": call, "first": 3, "do": "deny", "denial": denial}])
    looks = 0
    while not files.ended.exists() and looks < 12:
        looks += 1
        with suppress(RemoteError):  # a key that is not accepted for the list ends the run; the next one goes on
            hasty.look()
    receipt = hasty.apply(files)

    assert {"applied": SCENES} == receipt.counts
    assert (1, 1) == (hasty.emulator.count("create"), hasty.deleted())


def test_inlined_answers_of_odd_shapes() -> None:
    """A list without its wrapper, members that are no objects, answers without a key: lines, or left out."""
    answer = {"response": {"candidates": []}, "metadata": {"key": "k"}}
    for inlined in ({"inlinedResponses": [answer, None, 7, {"error": {"code": 1}}]}, [answer, {"error": {"code": 1}}]):
        output = {"inlinedResponses": inlined}
        operation = read_job({"name": "batches/1", "metadata": {"output": output}})

        assert operation.inlined
        assert read_job(operation.raw).inlined
        assert [{"response": {"candidates": []}, "key": "k"}, {"error": {"code": 1}}] == list(operation.answers)
    for nothing in ({"inlinedResponses": None}, {}):
        operation = read_job({"metadata": {"output": nothing}})
        assert not operation.has_results
        assert not read_job(operation.raw).has_results
