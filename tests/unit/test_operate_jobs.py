"""`snakemake jobs`: whose is each job, how far are its results, and what is to be done."""

from __future__ import annotations

import pytest
from operate_server import BATCH, Server, sent

import builders
from chargen.base import durable
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.screens import jobs
from chargen.screens.screen import plain

OTHER = "fedcba9876543210"


@pytest.fixture
def state(tmp_path):
    return State(tmp_path / "emulator" / "story")


@pytest.fixture
def settings(tmp_path):
    return builders.settings(tmp_path)


@pytest.fixture
def server():
    return Server()


def found(state, server):
    return {job.name or job.display_name: job for job in jobs.look(state, server)}


def test_jobs_are_joined_with_the_journal(state, server, settings):
    """A job that the journal knows is ours, with its batch and how far its results have come."""
    sent(state, BATCH, "batches/1", applied=True)
    sent(state, OTHER, "batches/2")
    server.job_made("batches/1", f"chargen-story-{BATCH}")
    server.job_made("batches/2", f"chargen-story-{OTHER}")

    both = found(state, server)

    assert ("this", BATCH, True, "applied") == (
        both["batches/1"].owner, both["batches/1"].batch, both["batches/1"].known, both["batches/1"].here,
    )  # fmt: skip
    assert "ended" == both["batches/2"].here
    assert "snakemake generate_all" == jobs.what_to_do(both["batches/2"], settings)[1]


def test_a_lost_job_that_is_there_again_is_said(state, server, settings):
    """It was lost and the server lists it: the next run collects it, and it must not be deleted."""
    sent(state, BATCH, "batches/1")
    Journal(state).append(builders.event("applied", BATCH, outcomes={"w": ["lost", "lost"]}))
    server.job_made("batches/1", f"chargen-story-{BATCH}")
    (job,) = jobs.look(state, server)
    says, does = jobs.what_to_do(job, settings)

    assert "lost" == job.here
    assert "are lost" in job.kept_for
    assert "the next run collects it" in says
    assert "snakemake generate_all" in does


def test_an_orphan_comes_with_the_command_that_collects_it(state, server, settings):
    """A paid job of this library that no journal knows comes with its command; an empty one can be deleted."""
    server.job_made("batches/1", f"chargen-story-{BATCH}")
    server.job_made("batches/2", f"chargen-story-{OTHER}", "EXPIRED")

    both = found(state, server)

    assert both["batches/1"].is_orphan
    assert "snakemake collect --config job=batches/1" == jobs.what_to_do(both["batches/1"], settings)[1]
    assert "snakemake cleanup --config delete=batches/2" == jobs.what_to_do(both["batches/2"], settings)[1]


def test_a_library_whose_name_begins_alike_is_another(state, server):
    """The jobs of story-two are no orphans of story; a job that chargen did not name is nobody's here."""
    server.job_made("batches/1", f"chargen-story-two-{BATCH}")
    server.job_made("batches/2", "4k_run")

    both = found(state, server)

    assert ("library", "story-two") == (both["batches/1"].owner, both["batches/1"].library)
    assert "foreign" == both["batches/2"].owner
    assert [] == [job for job in both.values() if job.is_orphan]


def test_a_neighbour_library_knows_its_own_jobs(state, server):
    """Whether another library of this folder has its results is read in its own journal."""
    neighbour = State(state.root.parent / "tides")
    sent(neighbour, BATCH, "batches/1", applied=True)
    server.job_made("batches/1", f"chargen-tides-{BATCH}")

    job = found(state, server)["batches/1"]

    assert ("library", "tides", True, "applied") == (job.owner, job.library, job.known, job.here)


@pytest.mark.parametrize(
    ("job", "key", "state_shown"),
    [("batches/1", "0123456789ab", "GONE"), ("", "0123456789ab", "UNANSWERED"), ("batches/1", "another", "ELSEWHERE")],
)
def test_what_is_in_flight_and_not_listed_is_shown(state, server, settings, job, key, state_shown):
    """A batch in flight never drops out of sight: its job is gone, was never answered, or is another key's."""
    sent(state, BATCH, job, key=key)

    (shown,) = jobs.look(state, server)

    assert state_shown == shown.state
    assert jobs.what_to_do(shown, settings)[0]


def test_a_job_without_an_answer_is_ours_once_it_is_listed(state, server):
    """Asked for, the answer lost, listed by the server: ours, and no orphan."""
    sent(state, BATCH, "")
    server.job_made("batches/1", f"chargen-story-{BATCH}", "RUNNING")

    (shown,) = jobs.look(state, server)

    assert (True, False) == (shown.known, shown.is_orphan)


def test_active_jobs_come_first_and_the_youngest_before_the_older(state, server):
    """What still costs time is on top."""
    server.job_made("batches/old", "a", age_h=9)
    server.job_made("batches/young", "b", age_h=2)
    server.job_made("batches/busy", "c", "RUNNING", age_h=30)

    assert ["batches/busy", "batches/young", "batches/old"] == [job.name for job in jobs.look(state, server)]


def test_a_screen_fits_its_terminal_and_a_pipe_gets_one_line_a_job(state, server, settings):
    """At 80 columns whose and model move below; without a terminal every job is one line, commands stay whole."""
    name = "batches/" + "k" * 36
    server.job_made(name, f"chargen-story-{BATCH}")
    listed = jobs.look(state, server)

    narrow = [plain(line) for line in jobs.lines(listed, settings, 80)]
    piped = [plain(line) for line in jobs.lines(listed, settings, None)]

    command = f"    snakemake collect --config job={name}"
    assert [] == [line for line in narrow if len(line) > 80 and line != command]
    assert command in narrow
    assert 1 == sum("k" * 36 in line and BATCH in line and "gemini-3-pro-image" in line for line in piped)


def test_downloaded_results_are_not_lost_from_sight(state, server):
    """Results on disk that no receipt names yet count as downloaded."""
    sent(state, BATCH, "batches/1")
    files = state.batch(BATCH)
    durable.write(files.responses, b"{}\n")
    durable.write_json(files.ended, {})
    server.job_made("batches/1", f"chargen-story-{BATCH}")

    assert "downloaded" == found(state, server)["batches/1"].here
