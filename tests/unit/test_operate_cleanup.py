"""`snakemake cleanup` and `storage`: what is whose, what stays, and that nothing is done unasked."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest
from operate_server import BATCH, Server, sent, uploaded

import builders
from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.records.journal import Journal
from chargen.records.state import RunFiles, State
from chargen.screens import cleanup, storage
from chargen.screens.jobs import look as look_at_jobs
from chargen.screens.owners import Home
from chargen.screens.screen import Screen

REF = "a" * 64
ORPHAN = "chargen-" + "b" * 32


@pytest.fixture
def settings(tmp_path):
    return builders.settings(tmp_path)


@pytest.fixture
def state(settings):
    return State.of(settings)


@pytest.fixture
def server(monkeypatch):
    server = Server()
    monkeypatch.setattr(cleanup, "connect", lambda settings: server)
    return server


def planned(settings, state, server):
    """The acts as (what, name, kept)."""
    acts = cleanup.plan(settings, look_at_jobs(state, server), storage.look(Home.of(state), server))
    return [(act.what, act.name, bool(act.kept)) for act in acts]


def run(settings, state):
    """Run the target; return exit status and JSON."""
    out = io.StringIO()
    status = cleanup.run(settings, state, RunFiles(state.root / "runs" / "r"), Screen(True, out))
    return status, json.loads(out.getvalue())


def with_plan(state, batch, references):
    """Write the plan of a batch that refers to contents."""
    sent = tuple(builders.reference(sha256=sha) for sha in references)
    builders.write_plan(state.batch(batch), builders.task(references=sent))


def test_nothing_is_done_without_confirmation(settings, state, server):
    """What would be done is shown, the server is left alone; with confirm=true it is done and recorded."""
    sent(state, BATCH, "batches/1", applied=True)
    server.job_made("batches/1", f"chargen-story-{BATCH}")
    asked = settings.asking(delete=("all",))

    printed = run(asked, state)
    untouched = list(server.acts)
    done = run(asked.asking(confirm=True), state)

    assert (0, [""]) == (printed[0], [act["outcome"] for act in printed[1]["acts"]])
    assert [] == untouched
    assert (0, ["done"]) == (done[0], [act["outcome"] for act in done[1]["acts"]])
    assert [("delete job", "batches/1")] == server.acts
    assert Journal(state).entry(BATCH).cleaned


def test_paid_results_that_are_nowhere_else_stay(settings, state, server):
    """An ended job in flight and an orphan are kept, and go only when forced in words."""
    sent(state, BATCH, "batches/1")
    server.job_made("batches/1", f"chargen-story-{BATCH}")
    server.job_made("batches/2", "chargen-story-00112233445566aa")
    asked = settings.asking(delete=("all",))

    kept = planned(asked, state, server)
    forced = planned(asked.asking(force="even-if-needed"), state, server)

    assert [("delete job", "batches/1", True), ("delete job", "batches/2", True)] == kept
    assert [("delete job", "batches/1", False), ("delete job", "batches/2", False)] == forced


@pytest.mark.parametrize(
    ("outcomes", "why"),
    [
        ({"w": ["lost", "lost"]}, "are lost"),
        ({"w": ["passing", "missing-line"], "v": ["applied", ""]}, "some of its results are incomplete"),
        ({"w": ["failed", "unreadable-line"]}, "some of its results are incomplete"),
        ({"w": ["failed", "broken-picture"]}, "some of its results are incomplete"),
    ],
)
def test_a_job_of_which_a_result_is_not_here_stays(settings, state, server, outcomes, why):
    """Lost, missing or damaged: its job is kept and the reason is said; it goes only when forced in words."""
    sent(state, BATCH, "batches/1")
    Journal(state).append(builders.event("applied", BATCH, outcomes=outcomes))
    server.job_made("batches/1", f"chargen-story-{BATCH}")
    asked = settings.asking(delete=("all",), confirm=True)

    _, kept = run(asked, state)
    untouched = list(server.acts)
    _, forced = run(asked.asking(force="even-if-needed"), state)

    assert why in kept["acts"][0]["kept"]
    assert [] == untouched
    assert "done" == forced["acts"][0]["outcome"]
    assert [("delete job", "batches/1")] == server.acts


@pytest.mark.parametrize("state_word", ["FAILED", "EXPIRED", "CANCELLED"])
def test_an_unknown_job_that_names_results_stays(settings, state, server, state_word):
    """It did not end well and has results all the same: nothing here says that they were collected."""
    server.job_made("batches/1", "chargen-story-00112233445566aa", state_word)
    operation = server.operations[0]
    server.operations[0] = replace(operation, responses_file="files/batch-1")

    assert [("delete job", "batches/1", True)] == planned(settings.asking(delete=("all",)), state, server)


def test_all_spares_what_is_not_this_librarys(settings, state, server):
    """`all` are the jobs of this library and the files that chargen sent; others are reached by name or glob."""
    server.job_made("batches/1", "4k_run")
    server.job_made("batches/2", "chargen-tides-00112233445566aa")
    server.file_made("files/1", "holiday", "c" * 64)

    everything = planned(settings.asking(delete=("all",), files=("all",)), state, server)
    named = planned(settings.asking(delete=("4k_*", "batches/2"), files=("holiday",)), state, server)

    assert [] == everything
    assert [
        ("delete job", "batches/1", False),
        ("delete job", "batches/2", True),
        ("delete file", "files/1", False),
    ] == named


def test_running_jobs_are_cancelled_and_it_is_recorded(settings, state, server):
    """Cancelling reaches the running jobs of this library alone; what has ended cannot be cancelled, even by force."""
    sent(state, BATCH, "batches/1")
    server.job_made("batches/1", f"chargen-story-{BATCH}", "RUNNING")
    server.job_made("batches/2", "chargen-story-00112233445566aa")
    asked = settings.asking(cancel=("all", "batches/2"), confirm=True, force="even-if-needed")

    status, data = run(asked, state)

    assert [("cancel", "batches/1")] == server.acts
    assert (0, ["done", ""]) == (status, [act["outcome"] for act in data["acts"]])
    assert Journal(state).entry(BATCH).cancelled


def test_uploads_of_a_batch_in_flight_stay(settings, state, server):
    """A reference that a batch in flight needs stays, also if the batch is a neighbour library's; others go."""
    neighbour = State(state.root.parent / "tides")
    sent(neighbour, BATCH, "batches/1")
    with_plan(neighbour, BATCH, [REF])
    server.file_made("files/1", "chargen-" + REF[:32], REF)
    server.file_made("files/2", ORPHAN, "b" * 64)
    uploaded(state, "files/1", REF)

    acts = planned(settings.asking(files=("all",)), state, server)

    assert [("delete file", "files/1", True), ("delete file", "files/2", False)] == acts


def test_uploads_of_a_lost_job_stay(settings, state, server):
    """Its job may be waiting for its turn all the same."""
    sent(state, BATCH, "batches/1")
    Journal(state).append(builders.event("ended", BATCH, state="LOST", error=""))
    Journal(state).append(builders.event("applied", BATCH, outcomes={"w": ["lost", "lost"]}))
    with_plan(state, BATCH, [REF])
    server.file_made("files/1", "chargen-" + REF[:32], REF)
    uploaded(state, "files/1", REF)

    assert [("delete file", "files/1", True)] == planned(settings.asking(files=("all",)), state, server)


def test_uploads_that_are_about_to_be_sent_stay(settings, state, server):
    """Between staging and submission the uploads of a batch are needed, although no job exists."""
    with_plan(state, BATCH, [REF])
    durable.write(state.batch(BATCH).requests, b"{}\n")
    server.file_made("files/1", "chargen-" + REF[:32], REF)

    assert [("delete file", "files/1", True)] == planned(settings.asking(files=("all",)), state, server)


def test_orphans_stay_while_a_job_from_elsewhere_runs(settings, state, server):
    """A running job that no journal here knows may read what no ledger here knows."""
    server.file_made("files/1", ORPHAN, "b" * 64)
    free = planned(settings.asking(files=("orphans",)), state, server)
    server.job_made("batches/1", "chargen-tides-00112233445566aa", "RUNNING")

    kept = planned(settings.asking(files=("orphans",)), state, server)

    assert [("delete file", "files/1", False)] == free
    assert [("delete file", "files/1", True)] == kept


def test_only_what_is_old_enough_goes(settings, state, server):
    """older_than_h narrows jobs and files alike."""
    for age in (2, 30):
        server.file_made(f"files/{age}", ORPHAN, "b" * 64, age_h=age)
        server.job_made(f"batches/{age}", "mine", age_h=age)
    asked = settings.asking(delete=("mine",), files=("all",), older_than_h=24)

    assert ["batches/30", "files/30"] == [name for _, name, _ in planned(asked, state, server)]


def test_a_name_that_fits_nothing_is_said(settings, state, server):
    """A misspelt name is an error that says how to list what there is."""
    with pytest.raises(ChargenError, match="snakemake jobs"):
        planned(settings.asking(delete=("nosuch",)), state, server)
    with pytest.raises(ChargenError, match="snakemake storage"):
        planned(settings.asking(files=("nosuch",)), state, server)


def test_a_deleted_upload_is_forgotten_and_a_refusal_is_a_failure(settings, state, server):
    """The ledger learns of what was deleted, or was gone; what the server refuses ends with a non-zero status."""
    for number in (1, 2, 3):
        uploaded(state, f"files/{number}", f"{number}" * 64)
        server.file_made(f"files/{number}", f"chargen-{number:032}", f"{number}" * 64)
    server.refuses = {"files/2": 404, "files/3": 403}

    status, data = run(settings.asking(files=("all",), confirm=True), state)

    assert (1, ["done", "gone", "failed"]) == (status, [act["outcome"] for act in data["acts"]])
    assert {"files/3"} == set(Home.of(state).uploads(server))


def test_a_batch_that_another_process_works_on_is_left_alone(settings, state, server):
    """The batch's lock is respected: busy, and said so."""
    sent(state, BATCH, "batches/1")
    server.job_made("batches/1", f"chargen-story-{BATCH}", "RUNNING")

    with state.lock(f"batch-{BATCH}"):
        status, data = run(settings.asking(cancel=("all",), confirm=True), state)

    assert (1, "busy", []) == (status, data["acts"][0]["outcome"], server.acts)


def test_files_are_told_apart(settings, state, server):
    """Ours, a neighbour's, an orphan, a job's results and somebody else's."""
    uploaded(state, "files/1", REF)
    uploaded(State(state.root.parent / "tides"), "files/2", "d" * 64)
    for name, display_name in (("files/1", "x"), ("files/2", "x"), ("files/3", ORPHAN), ("files/4", "holiday")):
        server.file_made(name, display_name, "e" * 64)
    server.file_made("files/batch-k", "", "", mime="application/jsonl")

    found = {file.name: (file.owner, file.kind) for file in storage.look(Home.of(state), server)}

    assert {
        "files/1": ("this", "reference"),
        "files/2": ("library", "reference"),
        "files/3": ("orphan", "reference"),
        "files/4": ("foreign", "reference"),
        "files/batch-k": ("job", "results"),
    } == found
