"""A library under another name: what it has in flight, and what became of what it sent, is not bought again."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

import builders
from chargen.base import durable
from chargen.base import schemas as schema
from chargen.planning.elsewhere import sent_elsewhere
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import State

WISHES = frozenset({"w1", "w2"})
BATCH = "0123456789abcdef"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "story").mkdir()
    return tmp_path


def settings_of(home: Path, library: str, library_id: str = "") -> Settings:
    defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
    return config.settings(defaults | {"library": library, "library_id": library_id}, home)


def send(settings: Settings, outcome: str = "") -> State:
    """Let the library of *settings* send two wishes in a run; *outcome* is their outcome, if given."""
    state = State.of(settings)
    durable.write_json(state.run("2026-11-21T17-58-00Z-123456").settings, settings.to_json())
    journal = Journal(state)
    about = {"operation": "generate", "model": "m", "display_name": f"chargen-{settings.library_id}-{BATCH}"}
    where = {"base_url": "http://server", "key": "0123456789ab"}
    wishes = {"w1": 1, "w9": 1}
    journal.append(
        builders.event("intent", BATCH, **about, **where, wishes=wishes, cost_usd=0.0, tokens=0, clock={}, pid=0)
    )
    journal.append(builders.event("created", BATCH, job="batches/1", adopted=False))
    if outcome:
        journal.append(builders.event("applied", BATCH, outcomes={wish: [outcome, ""] for wish in wishes}))
    return state


def said(settings: Settings) -> str:
    """What is said of the wishes of the library of *settings*; ``""`` if they may be sent."""
    found = sent_elsewhere(settings, State.of(settings), WISHES)
    return found.words(settings, "generate_all") if found else ""


@pytest.mark.parametrize("outcome", ["", "lost", "failed", "passing", "applied"])
def test_a_renamed_library_goes_on_under_its_old_name(home, outcome):
    """What is in flight, lost, failed or gone under the old name is not sent; the words have the command to go on."""
    send(settings_of(home, "story"), outcome)
    (home / "story").rename(home / "tale")
    words = said(settings_of(home, "tale"))

    assert words.startswith(f"1 of the tasks {'was sent before' if outcome else 'is in flight'} under another name")
    assert f"library `story` (state/emulator/story), batch {BATCH}" in words
    assert "    snakemake generate_all --config library_id=story" in words.splitlines()
    assert bool(outcome) == (f"To make everything again, move {home}/state/emulator/story away first" in words)
    assert "" == said(settings_of(home, "tale", "story"))


@pytest.mark.parametrize("outcome", ["", "lost"])
def test_a_library_id_that_is_set_or_changed_is_noticed(home, outcome):
    """The folder is the same, so it is the same library."""
    send(settings_of(home, "story"), outcome)
    words = said(settings_of(home, "story", "my-story"))

    assert "    snakemake generate_all --config library_id=story" in words.splitlines()


def test_a_state_that_does_not_say_where_its_library_was_may_be_this_one(home):
    """Its runs were deleted: what it knows of the same wishes is not silently paid for again."""
    state = send(settings_of(home, "story"), "failed")
    shutil.rmtree(state.root / "runs")

    assert (
        "    snakemake generate_all --config library_id=story" in said(settings_of(home, "story", "new")).splitlines()
    )


def test_a_moved_library_keeps_its_name(home):
    """The id is the folder's name, so moving it elsewhere changes nothing."""
    send(settings_of(home, "story"))
    (home / "books").mkdir()
    (home / "story").rename(home / "books" / "story")

    assert "" == said(settings_of(home, "books/story"))


def test_a_copy_waits_for_what_the_original_has_in_flight(home):
    """Two libraries ask the same: the copy says where that is collected, and goes on when it is."""
    original = settings_of(home, "story")
    send(original)
    shutil.copytree(home / "story", home / "fork")
    during = said(settings_of(home, "fork"))
    Journal(State.of(original)).append(
        builders.event("applied", BATCH, outcomes={"w1": ["failed", ""], "w9": ["failed", ""]})
    )
    afterwards = said(settings_of(home, "fork"))

    assert f"    snakemake generate_all --config library={home}/story library_id=story" in during.splitlines()
    assert "" == afterwards


def test_another_library_in_place_of_an_old_one_is_another_library(home):
    """The old folder is gone, and this one asks for other things: nothing is said."""
    settings = settings_of(home, "story")
    state = send(settings, "failed")
    shutil.rmtree(home / "story")
    (home / "tale").mkdir()
    tale = settings_of(home, "tale")

    assert state.journal.exists()
    assert sent_elsewhere(tale, State.of(tale), {"w5"}) is None


def test_a_state_that_has_sent_something_knows_what_it_does(home):
    """History elsewhere is only asked for while a state is new: two ids that are both in use stay apart."""
    send(settings_of(home, "story"), "failed")
    other = settings_of(home, "story", "other")
    send(other, "applied")

    assert "" == said(other)


def test_the_other_provider_is_another_world(home):
    """Placeholders in flight keep no picture from being made."""
    send(settings_of(home, "story"))
    defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
    gemini = config.settings(defaults | {"library": "story", "provider": "gemini"}, home)

    assert "" == said(gemini)
