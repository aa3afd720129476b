"""The journal: what was asked of the remote side, and what it means."""

from __future__ import annotations

import pytest

import builders
from chargen.base import schemas as schema
from chargen.base.durable import read_lines
from chargen.records.journal import Journal
from chargen.records.state import State

INTENT = {
    "operation": "generate",
    "model": "m",
    "display_name": "chargen-lib-b1",
    "base_url": "http://x",
    "key": "0123456789ab",
    "wishes": {"w1": 1, "w2": 2},
    "cost_usd": 0.5,
    "tokens": 100,
    "clock": {"boot": "b", "monotonic": 1.0},
    "pid": 1,
}


@pytest.fixture
def state(tmp_path):
    return State(tmp_path)


def test_an_intent_is_in_flight_until_it_is_applied(state):
    """Asked for, perhaps asked for, named, applied: in flight from the intent to the receipt."""
    steps = []
    journal = Journal(state)
    for event, values in (
        ("intent", INTENT),
        ("created", {"job": "batches/1", "adopted": False}),
        ("ended", {"state": "SUCCEEDED", "error": ""}),
        ("applied", {"outcomes": {"w1": ["applied", ""], "w2": ["failed", "safety"]}}),
    ):
        journal.append(builders.event(event, "b1", **values))
        steps.append(bool(Journal(state).in_flight()))

    assert [True, True, True, False] == steps
    assert {"w1": ("applied", "", 1), "w2": ("failed", "safety", 2)} == Journal(state).outcomes()
    assert {"w1": "b1"} == Journal(state).batch_of()


@pytest.mark.parametrize("event", ["refused", "absent"])
def test_what_was_never_made_is_not_claimed_nor_paid(state, event):
    """A refused create, and one that certainly made nothing, leave the wishes free and the budget untouched."""
    journal = Journal(state)
    journal.append(builders.event("intent", "b1", **INTENT))
    claimed = journal.claimed()
    journal.append(builders.event(event, "b1", status=429, message="later"))

    assert {("w1", 1): "b1", ("w2", 2): "b1"} == claimed
    assert {} == Journal(state).claimed()
    assert 0 == Journal(state).spent_usd(24)
    assert [] == Journal(state).in_flight()


def test_budget_counts_what_was_submitted_within_the_hours(state):
    """Money that left longer ago is no longer counted."""
    journal = Journal(state)
    journal.append(builders.event("intent", "b1", **INTENT))
    journal.append(builders.event("created", "b1", job="batches/1", adopted=False))

    assert 0.5 == journal.spent_usd(24)
    assert 0 == journal.spent_usd(0)


def test_a_torn_line_spoils_nobody_but_itself(state):
    """A crash in the middle of a line loses that line; the next one starts on its own."""
    journal = Journal(state)
    journal.append(builders.event("intent", "b1", **INTENT))
    with state.journal.open("ab") as handle:
        handle.write(b'{"time": "2026-')
    Journal(state).append(builders.event("created", "b1", job="batches/1", adopted=False))

    assert "batches/1" == Journal(state).entry("b1").job


def test_a_picture_outlasts_a_later_failure(state):
    """A wish that got its picture is not failed because another attempt of it failed."""
    journal = Journal(state)
    for batch, outcome in (("b1", "applied"), ("b2", "failed")):
        journal.append(builders.event("intent", batch, **INTENT))
        journal.append(builders.event("created", batch, job=f"batches/{batch}", adopted=False))
        journal.append(builders.event("applied", batch, outcomes={"w1": [outcome, ""]}))

    assert "applied" == journal.outcomes()["w1"][0]


def test_every_line_fits_the_schema(state):
    """schemas/journal.schema.json describes what is written."""
    journal = Journal(state)
    journal.append(builders.event("intent", "b1", **INTENT))
    journal.append(builders.event("refused", "b1", status=429, message="later"))
    journal.append(builders.event("absent", "b1"))
    journal.append(builders.event("created", "b1", job="batches/1", adopted=True))
    journal.append(builders.event("cancelled", "b1", why="deadline"))
    journal.append(builders.event("ended", "b1", state="SUCCEEDED", error=""))
    journal.append(builders.event("fetched", "b1", bytes=12))
    journal.append(builders.event("applied", "b1", outcomes={"w1": ["applied", ""]}))
    journal.append(builders.event("cleaned", "b1"))

    assert [[]] * 9 == [schema.errors("journal", line) for line in read_lines(state.journal)]
