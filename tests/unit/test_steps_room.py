"""Whether there is room for one more job: by the tier's limits, and by what the server had no room for."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest
import yaml

import builders
from builders import MODEL
from chargen.base import durable
from chargen.base import schemas as schema
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.steps.room import why_full

SERVER = SimpleNamespace(base_url="http://server", fingerprint="0123456789ab")


class Account:
    """Jobs in flight, ended and refused, and the question whether one more may go."""

    def __init__(self, folder):
        (folder / "story").mkdir()
        defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
        self.settings = config.settings(defaults | {"library": "story", "base_url": SERVER.base_url}, folder)
        self.state = State.of(self.settings)

    def sent(self, number, *, tokens=10, model=MODEL, key=SERVER.fingerprint):
        batch, wishes = f"{number:016x}", {f"w{number}": 1}
        intent = builders.event("intent", batch, model=model, key=key, wishes=wishes, cost_usd=0, tokens=tokens)
        Journal(self.state).append(intent)
        Journal(self.state).append(builders.event("created", f"{number:016x}", job=f"batches/{number}", adopted=False))

    def ended(self, number, state="SUCCEEDED", code=0):
        durable.write_json(self.state.batch(f"{number:016x}").ended, builders.end(state, error_code=code).to_json())
        Journal(self.state).append(builders.event("ended", f"{number:016x}", state=state, error=""))

    def why_full(self, *, tokens=10, **limits):
        settings = dataclasses.replace(self.settings, limits=dataclasses.replace(self.settings.limits, **limits))
        return why_full(settings, self.state, builders.plan(batch="f" * 16, tokens=tokens), SERVER)


@pytest.fixture
def account(tmp_path):
    return Account(tmp_path)


def test_limits_of_the_tier(account):
    """Jobs are counted, and the model's tokens; what has ended, or belongs to another account, is not."""
    account.sent(1)
    account.sent(2, key="another")
    account.sent(3)
    account.ended(3)

    assert "1 jobs are in flight and 1 are allowed at once" == account.why_full(concurrent_jobs=1)
    assert "10 tokens are queued" in account.why_full(enqueued_tokens=15)
    assert "" == account.why_full(concurrent_jobs=2, enqueued_tokens=20)


def test_as_many_as_have_ended_follow_a_refusal(account):
    """A job that fails for the model's quota costs its tasks an attempt: the next waits until another has ended."""
    account.sent(1)
    account.sent(2)
    account.ended(2, "FAILED", code=8)
    refused = account.why_full()
    account.ended(1)
    account.sent(3)
    account.ended(3, "FAILED", code=13)
    freed = account.why_full()
    account.sent(4)
    again = account.why_full()

    assert f"the token queue of {MODEL} was full ({2:016x})" in refused
    assert "" == freed
    assert "was full" in again


def test_quota_that_others_use_up_is_given_time(account, monkeypatch):
    """With none of ours in flight two pauses are enough, so that nobody waits for a job that never was."""
    account.sent(1)
    account.ended(1, "FAILED", code=8)
    at_once = account.why_full()
    monkeypatch.setattr("chargen.steps.room.seconds_since", lambda moment: 61.0)
    later = account.why_full()

    assert ("was full" in at_once, later) == (True, "")


def test_another_model_has_a_quota_of_its_own(account):
    """What one model had no room for says nothing of another."""
    account.sent(1, model="gemini-3-pro-image")
    account.ended(1, "FAILED", code=8)

    assert "" == account.why_full()
