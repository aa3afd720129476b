"""Files below state/ that a crash, a disk or a person damaged: nothing is bought because of it, nothing is lost."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest
import yaml

from chargen.base import durable
from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.operations.generate.plan import make_plan
from chargen.operations.pin import pin
from chargen.providers.gemini.client import Remote
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.settings import EMULATOR_KEY
from chargen.records.state import State
from chargen.steps import cleanup, patience, waiting
from chargen.steps.apply import apply
from chargen.steps.fetch import fetch
from chargen.steps.stage import stage
from chargen.steps.submit import submit

pytestmark = pytest.mark.workflow

DAMAGES = {
    "empty": lambda data: b"",
    "torn": lambda data: data[: len(data) // 2],
    "a list": lambda data: b"[]\n",
    "an empty object": lambda data: b"{}\n",
    "null": lambda data: b"null\n",
    "text": lambda data: b'"x"\n',
    "other values": lambda data: b'{"tasks": 3, "event": 7, "batch": null, "operations": {"a": 1}, "time": []}\n',
    "bytes": lambda data: b"\x00\xff" * 40,
    "gone": None,
}


def settings_of(project):
    defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
    return config.settings(defaults | project.config, project.folder)


class Steps:
    """The steps of one run, called as the rules call them."""

    def __init__(self, project):
        self.settings = settings_of(project)
        self.state = State.of(self.settings)
        self.run = self.state.run(f"run-{time.monotonic_ns()}")
        self.remote = Remote(self.settings.base_url, EMULATOR_KEY, 5, 10)

    def go(self):
        """Do what a run does; return the chains that ended with an error in words."""
        try:
            plan = make_plan(self.settings)
            pin(self.settings, self.state, self.run, plan, "", [])
        except (ChargenError, OSError) as error:
            return [str(error)]
        errors = []
        for batch in dict.fromkeys([*plan.in_flight, *(batch.id for batch in plan.batches)]):
            try:
                self.sent(batch)
                fetch(self.settings, self.state, self.state.batch(batch), self.remote, None, self.run)
                apply(self.settings, self.state, self.state.batch(batch), self.run)
            except (ChargenError, OSError) as error:  # the command line says both in words
                errors.append(str(error))
        return errors

    def sent(self, batch):
        """Bring one batch to its job."""
        files = self.state.batch(batch)
        if not Journal(self.state).entry(batch).in_flight:
            stage(self.settings, self.state, files, self.remote)
        job = submit(self.settings, self.state, files, self.remote, self.run).job
        durable.write_json(files.job, {"batch": batch, "job": job})


@pytest.fixture
def half_way(project, monkeypatch):
    """A project with a batch in place, and one whose job has ended at the server and waits to be fetched."""
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.02)
    project.config |= {
        "cleanup": {"after_apply": False, "keep_responses_d": 30},
        "poll": {"interval_s": 0.1, "deadline_h": 24},
        "only": ["character/tobi-*"],
    }
    Steps(project).go()
    project.config["only"] = []
    steps = Steps(project)
    plan = make_plan(steps.settings)
    pin(steps.settings, steps.state, steps.run, plan, "", [])
    for batch in plan.batches:
        steps.sent(batch.id)
    return project


def test_damaged_files_of_the_state_buy_nothing(half_way, monkeypatch):
    """Whatever one file below state/ holds, no wish is sent twice and no picture goes.

    What cannot be read stops its own batch at most, in words.
    """
    project = half_way
    whole = project.folder.with_name("whole")
    shutil.copytree(project.folder, whole)
    kept = [path.relative_to(whole) for path in sorted((whole / "state").rglob("*")) if path.is_file()]
    names = {path.name for path in kept if "locks" not in path.parts}
    in_place = project.pictures()
    everywhere = {*in_place, "characters/mara-quill/images/on-the-stairs.png"}
    paid = project.emulator.counts()["created"]
    runs = 0
    for relative in (path for path in kept if "locks" not in path.parts):
        for name, damage in DAMAGES.items():
            shutil.rmtree(project.folder)
            shutil.copytree(whole, project.folder)
            path = project.folder / relative
            path.write_bytes(damage(path.read_bytes())) if damage else path.unlink()

            errors = Steps(project).go()

            runs += 1
            assert paid == project.emulator.counts()["created"], f"{relative}, {name}: paid again"
            placed = project.pictures()
            assert in_place.items() <= placed.items(), f"{relative}, {name}: a picture is gone"
            assert errors or len(placed) >= len(everywhere), f"{relative}, {name}: neither pictures nor words"
    assert {"journal.jsonl", "plan.json", "receipt.json", "ended.json", "job.json", "requests.jsonl"} <= names
    assert runs >= 100


def test_a_torn_line_of_the_journal_is_named(half_way):
    """The plan says which line of the journal could not be read; what it said is taken from the batch's own files."""
    path = half_way.state / "journal.jsonl"
    lines = path.read_bytes().splitlines(keepends=True)
    applied = next(number for number, line in enumerate(lines) if b'"applied"' in line)
    path.write_bytes(b"".join([*lines[:applied], lines[applied][:40] + b"\n", *lines[applied + 1 :]]))

    plan = make_plan(settings_of(half_way))

    assert [f"{path}: line {applied + 1} cannot be read and were skipped"] == plan.notices[:1]
    assert [] == plan.batches


def test_a_clock_that_is_far_ahead_deletes_no_answers(half_way, monkeypatch):
    """One run under a clock that is 40 days ahead keeps every stored answer; a second look a day later decides."""
    steps = Steps(half_way)
    journal = Journal(steps.state)
    for entry in journal.entries.values():  # as after a restart of the machine, whose own clock knows nothing of then
        entry.intents = []
    stored = sorted(files.id for files in steps.state.batches() if files.responses.exists())
    today = time.time()

    def look(days):
        monkeypatch.setattr(cleanup.time, "time", lambda: today + days * 86400)
        cleanup.drop_old_responses(steps.settings, steps.state, journal)
        return sorted(files.id for files in steps.state.batches() if files.responses.exists())

    kept = [look(40), look(40.5), look(0.1), look(0.2), look(31), look(31.5)]
    dropped = look(32.1)

    assert [stored] * 6 == kept
    assert [] == dropped


def test_state_removed_under_a_waiting_run_ends_it(half_way, monkeypatch):
    """Who waits for a job says in words that state/ was removed, and makes no new one."""
    half_way.emulator.faults(job={"polls": 1000})
    steps = Steps(half_way)
    batch = next(entry.batch for entry in Journal(steps.state).in_flight())
    steps.run.folder.mkdir(parents=True)

    def remove(*_):
        shutil.rmtree(half_way.folder / "state")

    monkeypatch.setattr(waiting.time, "sleep", remove)
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 1.0)

    with pytest.raises(waiting.StateRemoved, match="restore state/ from a backup"):
        fetch(steps.settings, steps.state, steps.state.batch(batch), steps.remote, None, steps.run)

    assert not (half_way.folder / "state").exists()


def test_new_folders_are_synced_in_their_parents(tmp_path, monkeypatch):
    """A crash right after a file was written cannot take away the new folders that it lies in."""
    synced = []
    real = os.fsync

    def fsync(handle):
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(durable.os, "fsync", fsync)

    durable.write(tmp_path / "a" / "b" / "c.json", b"x")
    durable.append_line(tmp_path / "d" / "e" / "f.jsonl", {})

    assert {str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a/b"), str(tmp_path / "d"), str(tmp_path / "d/e")} <= {
        *synced
    }
