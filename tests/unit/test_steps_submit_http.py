"""The paid step against a server that lies: over HTTP, with the emulator's faults."""

from __future__ import annotations

import orjson
import pytest
import yaml

import builders
from builders import BATCH
from chargen.base import durable, schemas
from chargen.providers import uploads
from chargen.providers.base import RemoteError
from chargen.providers.registry import connect
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.steps.submit import submit

NAME = f"chargen-lib-{BATCH}"
NO_LISTS = ("other_object", "json_list", "json_text", "json_null", "page", "empty", "truncated_json")
TOOK_EFFECT = {"call": "create", "do": "status_after", "status": 429, "retry_delay_s": 0.1, "nth": [1]}


@pytest.fixture
def send(tmp_path, emulator, monkeypatch):
    """Submit a staged batch of one task."""
    (tmp_path / "story").mkdir()
    defaults = yaml.safe_load((schemas.ROOT / "config" / "config.yaml").read_text())
    changes = {"library": "story", "library_id": "lib", "base_url": emulator.url}
    waits = {"submit": {"timeout_s": 2, "grace_s": 0.1}, "poll": {"interval_s": 0.1, "deadline_h": 24}}
    settings = config.settings(defaults | changes | waits, tmp_path)
    state = State.of(settings)
    files = state.batch(BATCH)
    builders.write_plan(files, builders.task(key="k1"))
    request = {"contents": [{"role": "user", "parts": [{"text": "A lamp."}]}]}
    durable.write(files.requests, orjson.dumps({"key": "k1", "request": request}) + b"\n")
    monkeypatch.setattr("chargen.steps.submit.is_staged", lambda *args: True)
    monkeypatch.setattr(uploads, "FIRST_PAUSE_S", 0.01)

    def run():
        return submit(settings, state, files, connect(settings), None).job

    run.state = state
    return run


@pytest.mark.parametrize("body", ["no_display_names", "odd_members", "null_fields", "missing_fields", "text_numbers"])
def test_a_429_that_took_effect_is_found_in_an_odd_list(send, emulator, body):
    """The list lacks names, holds odd members, or nulls: the job is found all the same, and nothing is sent again."""
    emulator.faults(calls=[TOOK_EFFECT, {"call": "list", "do": "body", "body": body}])
    job = send()
    entry = Journal(send.state).entry(BATCH)

    assert {NAME: 1} == emulator.counts()["created"]
    assert (job, True) == (entry.job, entry.adopted)


@pytest.mark.parametrize("body", NO_LISTS)
def test_what_is_no_list_of_jobs_is_never_taken_for_an_empty_one(send, emulator, body):
    """After a 429 that took effect a proxy answers in place of the list: asked again, the job is there."""
    emulator.faults(calls=[TOOK_EFFECT, {"call": "list", "do": "body", "body": body, "nth": [2, 3]}])
    send()

    assert {NAME: 1} == emulator.counts()["created"]


@pytest.mark.parametrize("body", [body for body in NO_LISTS if body != "truncated_json"])  # "{}" has no half
def test_without_a_list_of_jobs_nothing_is_sent(send, emulator, body):
    """Somebody else answers each time: nothing is known, so nothing is created."""
    emulator.faults(calls=[{"call": "list", "do": "body", "body": body}])
    with pytest.raises(RemoteError, match="listing jobs"):
        send()

    assert {} == emulator.counts()["created"]
    assert not Journal(send.state).in_flight()
