"""What a step reads of a long journal says the same as the whole journal, and does not grow with it."""

from __future__ import annotations

import datetime as dt

import pytest

import builders
from chargen.records import journal as journal_module
from chargen.records.journal import Journal
from chargen.records.journal_index import JournalIndex
from chargen.records.state import State


@pytest.fixture
def state(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_module, "INDEX_AFTER_BYTES", 2000)
    return State(tmp_path / "state")


def batch(state, name, *, days_ago=0.0, settled=True, cost=0.5, monkeypatch):
    """Write the lines of one batch as they were written some days ago."""
    then = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    with monkeypatch.context() as patch:
        patch.setattr(journal_module, "now", lambda: then)
        write(state, name, settled, cost)


def write(state, name, settled, cost):
    journal = Journal.recent(state, name)
    journal.append(builders.event(
        "intent", name, operation="generate", model="m", display_name=f"chargen-l-{name}", base_url="u", key="k",
        wishes={f"{name}-wish": 1}, cost_usd=cost, tokens=1, clock={}, pid=1))  # fmt: skip
    journal.append(builders.event("created", name, job=f"batches/{name}", adopted=False))
    if settled:
        journal.append(builders.event("ended", name, state="SUCCEEDED", error=""))
        journal.append(builders.event("applied", name, outcomes={f"{name}-wish": ["applied", ""]}, cost_usd=cost / 2))
        state.batch(name).folder.mkdir(parents=True, exist_ok=True)
        state.batch(name).receipt.write_text("{}")


@pytest.fixture
def long_history(state, monkeypatch):
    """Sixty settled batches of past weeks, one of today, and one in flight for ten days."""
    batch(state, "flying", days_ago=10, settled=False, monkeypatch=monkeypatch)
    for number in range(60):
        batch(state, f"old{number}", days_ago=60 - number, monkeypatch=monkeypatch)
    batch(state, "today", monkeypatch=monkeypatch)
    Journal.recent(state)
    return state


def test_a_step_knows_what_is_in_flight_and_what_is_recent(long_history):
    """Batches in flight, however old, and settled ones of the last two days are the same as in the whole journal."""
    whole, recent = Journal(long_history), Journal.recent(long_history)

    assert {"flying", "today"} <= recent.entries.keys()
    assert len(recent.entries) < 10
    assert {name: whole.entries[name] for name in recent.entries} == recent.entries
    assert [entry.batch for entry in whole.in_flight()] == [entry.batch for entry in recent.in_flight()]


@pytest.mark.parametrize("hours", [1, 24, 24 * 7, 24 * 31])
def test_a_step_knows_what_was_spent(long_history, hours):
    """The budget counts what the whole journal counts, up to a month back."""
    assert Journal(long_history).spent_usd(hours) == pytest.approx(Journal.recent(long_history).spent_usd(hours))


def test_a_settled_batch_that_is_named_is_read(long_history):
    """A step on an old batch knows all of it."""
    assert Journal(long_history).entry("old3") == Journal.recent(long_history, "old3").entry("old3")


def test_what_is_new_since_the_index_is_enough_for_its_own_step(long_history, monkeypatch):
    """A step on a batch that was settled just now does not read the whole journal."""
    monkeypatch.setattr(journal_module, "INDEX_AFTER_BYTES", 10**9)
    batch(long_history, "now", monkeypatch=monkeypatch)

    recent = Journal.recent(long_history, "now")

    assert Journal(long_history).entry("now") == recent.entry("now")
    assert "old3" not in recent.entries


def test_an_old_batch_that_is_written_about_again_is_read_whole(long_history):
    """What happens to a batch that the index left out brings the whole entry back."""
    Journal(long_history).append(builders.event("cleaned", "old3"))

    entry = Journal.recent(long_history).entry("old3")

    assert (True, "batches/old3") == (entry.cleaned, entry.job)


def test_the_index_does_not_grow_with_settled_batches(long_history, monkeypatch):
    """A hundred more settled batches of the past add little to what a step reads."""
    before = len(Journal.recent(long_history).entries)
    for number in range(100):
        batch(long_history, f"more{number}", days_ago=40, monkeypatch=monkeypatch)
    Journal.recent(long_history)

    assert len(Journal.recent(long_history).entries) <= before + 5


@pytest.mark.parametrize("damage", [b"", b"[]", b'{"length": 10', b'{"length": "x"}'])
def test_a_damaged_index_is_made_again(long_history, damage):
    """The index is a cache."""
    long_history.journal_index.write_bytes(damage)

    assert Journal(long_history).entries.keys() == Journal.recent(long_history).entries.keys()
    assert JournalIndex.read(long_history.journal_index, long_history.journal).length


def test_the_index_of_another_journal_is_not_used(long_history, monkeypatch):
    """A journal that was put back from a backup is read again."""
    text = long_history.journal.read_bytes()
    long_history.journal.write_bytes(text.replace(b"old1", b"odd1"))

    assert Journal(long_history).entries.keys() >= Journal.recent(long_history).entries.keys()
    assert "today" in Journal.recent(long_history).entries


def test_a_torn_line_is_skipped_and_named_by_a_step_too(long_history):
    """A line without an end does not hide the ones after it."""
    with long_history.journal.open("ab") as file:
        file.write(b'{"event": "crea\n')

    journal = Journal.recent(long_history)

    assert 1 == len(journal.notices)
    assert "flying" in journal.entries
