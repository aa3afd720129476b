"""Events: each is logged once, for people and for tools, and a log that fails never stops a run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
import yaml

import builders
from chargen.base import events
from chargen.base import schemas as schema
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.journal_log import _MESSAGES
from chargen.records.state import State

BATCH = "0123456789abcdef"
PROCESSES, EACH = 4, 200


def settings_in(home, **changes):
    """The settings of a project in *home*, with another group ``logs``."""
    data = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
    made = config.settings(data | {"library": "story"}, home)
    return replace(made, logs=replace(made.logs, **changes))


@pytest.fixture
def settings(tmp_path, monkeypatch):
    monkeypatch.setattr(events, "_log", events._Log())
    return settings_in(tmp_path)


def lines(settings):
    """The events on disk."""
    return [json.loads(line) for line in (Path(settings.home) / events.FILE).read_text().splitlines()]


def test_words_and_event_come_from_one_call(settings, capsys):
    """The log has the words, the file the same with the facts, whose run and batch it is, and when."""
    events.configure(settings, "2026-11-24T04-00-00Z", "stage", BATCH)
    events.log("staged", "2 requests written", tasks=2, references=1, left_out=0, bytes=10)

    (event,) = lines(settings)
    assert re.fullmatch(r"\d\d:\d\d:\d\d 2 requests written\n", capsys.readouterr().err)
    assert [] == schema.errors("event", event)
    assert ("staged", "2 requests written", BATCH, 2) == tuple(event[k] for k in ("event", "words", "batch", "tasks"))


def test_what_is_shown_reaches_terminal_and_log(settings, capsys):
    """Standard output stays on the terminal; standard error is the step's log."""
    events.configure(settings, "r", "apply")
    events.log("put-back", "put back 1 picture", on_terminal=True, batch=BATCH, tasks=1)

    output = capsys.readouterr()
    assert output.out == "put back 1 picture\n"
    assert output.err.endswith(" put back 1 picture\n")


def test_levels_bound_log_and_file(settings, tmp_path, capsys):
    """Each has a level of its own; off writes no file."""
    events.configure(settings_in(tmp_path, level="warning", events="error"), "r", "fetch")
    events.log("trouble", "not now", level="warning", delay_s=1)
    events.log("state", "running", batch=BATCH)
    events.write_event("error", "it stopped", level="error")
    events.configure(settings_in(tmp_path, events="off"), "r", "fetch")
    events.write_event("error", "unseen", level="error")

    assert ["it stopped"] == [event["words"] for event in lines(settings)]
    assert ["not now"] == [line[9:] for line in capsys.readouterr().err.splitlines()]


def test_what_the_journal_records_is_logged(settings, tmp_path):
    """What is appended to the journal is logged: everything but the key and the wishes."""
    events.configure(settings, "r", "submit")
    intent = {
        "operation": "generate", "model": "m", "display_name": "n", "base_url": "http://x", "key": "feedfeedfeed",
        "wishes": {"w": 1}, "cost_usd": 0.5, "tokens": 100, "clock": {}, "pid": 1,
    }  # fmt: skip
    journal = Journal(State(tmp_path))
    journal.append(builders.event("intent", BATCH, **intent))
    journal.append(builders.event("refused", BATCH, status=429, message="slow {down}"))
    journal.append(builders.event("absent", BATCH))
    journal.append(builders.event("created", BATCH, job="batches/1", adopted=False))
    journal.append(builders.event("cancelled", BATCH, why="asked"))
    journal.append(builders.event("ended", BATCH, state="SUCCEEDED", error=""))
    journal.append(builders.event("fetched", BATCH, bytes=1000))
    journal.append(builders.event("found-again", BATCH, job="batches/1"))
    journal.append(builders.event("cleaned", BATCH))

    logged = lines(settings)
    assert set(_MESSAGES) == {event["event"] for event in logged}
    assert [] == [wrong for event in logged for wrong in schema.errors("event", event)]
    assert (1, 0.5) == (logged[0]["tasks"], logged[0]["cost_usd"])
    assert "feedfeedfeed" not in str(logged)


def test_every_event_has_its_place_in_the_schema():
    """The events in the code are those that the schema describes."""
    calls = re.compile(r"events\.(?:log|write_event)\(\s*\"([a-z-]+)\"")
    scripts = Path(events.__file__).parents[1].rglob("*.py")
    logged = {name for path in scripts for name in calls.findall(path.read_text())} | set(_MESSAGES)
    described = schema.load_schema("event")

    assert logged == set(described["properties"]["event"]["enum"])
    assert logged == {rule["properties"]["event"]["const"] for rule in described["oneOf"]}


def write_many(home, number):
    """Write events as one of many processes."""
    events.configure(settings_in(home), "r", f"step-{number}")
    for count in range(EACH):
        events.write_event("problem", f"{count} " + "x" * 500)


def test_lines_of_many_processes_do_not_mix(settings, tmp_path):
    """Each line is one write."""
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        list(pool.map(write_many, [tmp_path] * PROCESSES, range(PROCESSES)))

    steps = Counter(event["step"] for event in lines(settings))
    assert {f"step-{number}": EACH for number in range(PROCESSES)} == steps


def test_a_full_disk_is_said_once_and_stops_nothing(settings, tmp_path, capsys):
    """The step goes on without events."""
    (tmp_path / "logs").mkdir()
    (tmp_path / events.FILE).symlink_to("/dev/full")
    events.configure(settings, "r", "fetch")
    events.log("trouble", "one", delay_s=1)
    events.log("trouble", "two", delay_s=1)

    said = capsys.readouterr().err
    assert 1 == said.count("cannot be written")
    assert 1 == said.count(" one\n") == said.count(" two\n")


def test_a_log_that_takes_nothing_stops_nothing():
    """A step whose own log is on a full disk ends well all the same."""
    code = "from chargen.base.events import log; log('problem', 'word'); log('problem', 'another', on_terminal=True)"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, check=False)

    assert (0, b"another\n") == (done.returncode, done.stdout)


def test_facts_that_are_no_json_stop_nothing(settings, capsys):
    """A mistake in a log message never stops the work."""
    events.configure(settings, "r", "fetch")
    events.log("problem", "odd", target=object())

    assert "cannot be written" in capsys.readouterr().err


def test_a_large_file_is_put_aside_when_a_run_starts(tmp_path, settings):
    """One older file is kept."""
    small, state = settings_in(tmp_path, max_bytes=1000), State(tmp_path / "state")
    events.configure(small, "r", "run")
    events.rotate(small, state)
    for text in ("first", "second"):
        events.write_event("problem", text + "x" * 1000)
        events.rotate(small, state)

    assert ["events.1.ndjson"] == [path.name for path in (tmp_path / "logs").iterdir()]
    assert "second" in (tmp_path / "logs" / events.OLDER).read_text()
