"""Waiting and downloading: a failed request is not a failed job, and what looks gone is requested again."""

from __future__ import annotations

import dataclasses
import datetime as dt
from types import SimpleNamespace

import pytest
import yaml

import builders
from builders import BATCH
from chargen.base import durable
from chargen.base import schemas as schema
from chargen.providers.base import RemoteError
from chargen.providers.gemini.errors import GeminiError
from chargen.providers.gemini.jobs import read_job
from chargen.records import journal
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.steps import fetch as fetching
from chargen.steps.account import OtherAccount
from chargen.steps.patience import LOOKS_UNTIL_LOST
from chargen.steps.search import record_intent
from chargen.steps.watch import Watch

LINE = b'{"key": "k", "response": {}}\n'
JOB = "batches/1"


class Server:
    """One job, shown after some looks; its file arrives after some downloads."""

    base_url = "http://server"
    fingerprint = "0123456789ab"

    def __init__(self, state="RUNNING", has_results=None):
        self.state = state
        self.has_results = state == "SUCCEEDED" if has_results is None else has_results
        self.hidden = 0
        self.absent_files = 0
        self.ended = ""
        self.cancelled: list[str] = []

    def jobs(self):
        return iter(())

    def job(self, name):
        if self.hidden:
            self.hidden -= 1
            raise GeminiError("looking", 404, "Requested entity was not found.")
        output = {"responsesFile": "files/batch-1"} if self.has_results else {}
        metadata = {"state": f"BATCH_STATE_{self.state}", "output": output, "endTime": self.ended}
        return read_job({"name": name, "metadata": metadata})

    def download(self, name, path):
        if self.absent_files:
            self.absent_files -= 1
            words = "You do not have permission to access the File batch-1 or it may not exist."
            raise GeminiError("downloading", 403, words, about=name)
        path.write_bytes(LINE)
        return ""

    def cancel(self, name):
        self.cancelled.append(name)


@pytest.fixture
def waiting(tmp_path, monkeypatch):
    """A batch in flight, and a watch over it that does not sleep."""
    (tmp_path / "story").mkdir()
    defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
    settings = config.settings(
        defaults | {"library": "story", "library_id": "lib", "base_url": Server.base_url}, tmp_path
    )
    settings = dataclasses.replace(settings, poll=dataclasses.replace(settings.poll, interval_s=0.0, settle_s=0.0))
    state = State.of(settings)
    plan = builders.plan(builders.task(wish_id="w1"), cost_usd=1.0, tokens=1)
    record_intent(Journal(state), plan, Server())
    Journal(state).append(builders.event("created", BATCH, job=JOB, adopted=False))
    monkeypatch.setattr("chargen.steps.waiting.pause", lambda seconds, run: None)

    def watch(server, settle_s=0.0):
        patient = dataclasses.replace(settings, poll=dataclasses.replace(settings.poll, settle_s=settle_s))
        return Watch(patient, state, server)

    return SimpleNamespace(watch=watch, state=state, settings=settings)


def shift_wall_clock(monkeypatch, hours):
    """Let the wall clock of journal and budget show another time."""

    class Clock(dt.datetime):
        @classmethod
        def now(cls, tz=None):
            return dt.datetime.now(tz) + dt.timedelta(hours=hours)

    monkeypatch.setattr(journal, "dt", SimpleNamespace(datetime=Clock, UTC=dt.UTC))


def ended(state):
    """How the batch ended, as far as the journal knows."""
    return [line["state"] for line in durable.read_lines(state.journal) if line["event"] == "ended"]


def test_a_job_that_is_shown_late_is_not_lost(waiting):
    """Neither listed nor found a few times: the wait goes on, and its results come."""
    server = Server("SUCCEEDED")
    server.hidden = 2
    watch = waiting.watch(server)
    for _ in range(3):
        watch.tick(first=True)

    assert ["SUCCEEDED"] == ended(waiting.state)


def test_a_job_that_stays_away_is_lost(waiting):
    """A job that nobody knows in the end is an outcome, neither an endless wait nor a failure to repeat."""
    server = Server()
    server.hidden = 99
    watch = waiting.watch(server)
    for _ in range(LOOKS_UNTIL_LOST):
        watch.tick(first=True)

    assert ["LOST"] == ended(waiting.state)


def test_denials_count_in_a_row_and_over_time(waiting):
    """A job that is denied now and then, or often within moments, is still waited for."""
    now_and_then = waiting.watch(Server())
    for _ in range(LOOKS_UNTIL_LOST + 1):
        now_and_then._remote.hidden = 1
        now_and_then.tick(first=True)
        now_and_then.tick(first=True)
    moments = waiting.watch(Server(), settle_s=60.0)
    moments._remote.hidden = 99
    for _ in range(LOOKS_UNTIL_LOST + 1):
        moments.tick(first=True)

    assert [] == ended(waiting.state)


@pytest.mark.parametrize(("absent", "expected"), [(3, ["SUCCEEDED"]), (99, [])])
def test_a_result_file_that_looks_gone_is_asked_for_again(waiting, absent, expected):
    """A file may answer 403 after its name was shown; while the server names it, that it is gone does not count."""
    server = Server("SUCCEEDED")
    server.absent_files = absent
    watch = waiting.watch(server)
    for _ in range(LOOKS_UNTIL_LOST + 2):
        watch.tick(first=True)

    assert expected == ended(waiting.state)


def test_results_that_nobody_names_any_more_are_lost(waiting):
    """The file is denied for long enough, and then the job is gone too."""
    server = Server("SUCCEEDED")
    server.absent_files = 99
    watch = waiting.watch(server)
    for _ in range(LOOKS_UNTIL_LOST):
        watch.tick(first=True)
    before = ended(waiting.state)
    operation = server.job(JOB)
    server.hidden = 99
    watch.downloads.download_and_record(BATCH, operation)

    assert ([], ["LOST"]) == (before, ended(waiting.state))


@pytest.mark.parametrize(("hours", "expected"), [(47, []), (49, ["LOST"])])
def test_a_name_that_outlives_its_file_does_not_count(waiting, hours, expected):
    """What the server keeps has gone after two days; that it still names it then is no reason to wait for ever."""
    server = Server("SUCCEEDED")
    server.absent_files = 99
    server.ended = (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours)).isoformat()
    watch = waiting.watch(server)
    for _ in range(LOOKS_UNTIL_LOST + 1):
        watch.tick(first=True)

    assert expected == ended(waiting.state)


@pytest.mark.parametrize("error", [
    GeminiError("looking", 403, "Access denied", origin="foreign"),
    GeminiError("looking", 404, "Not Found", origin="foreign"),
    GeminiError("looking", 403, "Your API key was reported as leaked. Please use another API key."),
    GeminiError("looking", 403, "The caller does not have permission"),
    GeminiError("looking", 401, "Request had invalid authentication credentials."),
])  # fmt: skip
def test_what_does_not_speak_of_the_job_loses_nothing(waiting, error):
    """A firewall, a proxy, or a key that is not accepted: however often, the job and its file are still waited for."""
    job, file = Server(), Server("SUCCEEDED")
    job.job = lambda name: answer_or_raise([error])
    file.download = lambda name, path: answer_or_raise([error])
    for server in (job, file):
        watch = waiting.watch(server)
        for _ in range(LOOKS_UNTIL_LOST + 2):
            watch.tick(first=True)

    assert [] == ended(waiting.state)


def test_one_denied_job_does_not_keep_the_others(waiting):
    """A job that the key may not see stops neither the looks nor what comes of another job."""
    other = "fedcba9876543210"
    plan = builders.plan(builders.task("character/oda/stairs"), batch=other)
    record_intent(Journal(waiting.state), plan, Server())
    Journal(waiting.state).append(builders.event("created", other, job="batches/2", adopted=False))
    server = Server("SUCCEEDED")
    right = server.job
    denied = GeminiError("looking", 403, "The caller does not have permission")
    server.job = lambda name: answer_or_raise([denied]) if name == JOB else right(name)
    watch = waiting.watch(server)
    watch.tick(first=True)

    assert ["SUCCEEDED"] == ended(waiting.state)
    assert "does not have permission" in watch.patience.why_stuck(BATCH)


def test_a_run_that_asks_in_vain_ends_in_words(waiting, monkeypatch):
    """Results that are denied for very long end the wait with an error; the batch stays in flight."""
    monkeypatch.setattr(fetching, "GIVE_UP_AFTER_S", 0.0)
    server = Server("SUCCEEDED")
    server.absent_files = 99
    with pytest.raises(fetching.ResultsNotHere, match="Nothing is lost: run again later"):
        fetching.fetch(waiting.settings, waiting.state, waiting.state.batch(BATCH), server, None, None)

    assert Journal(waiting.state).entry(BATCH).in_flight


def test_results_that_are_here_stay_though_the_job_is_gone(waiting):
    """Killed with the results on disk, and the job deleted since: what is here is not thrown away."""
    files = waiting.state.batch(BATCH)
    durable.write(files.responses, b'{"key": "k"}\n')
    server = Server()
    server.hidden = 99
    watch = waiting.watch(server)
    for _ in range(LOOKS_UNTIL_LOST):
        watch.tick(first=True)

    assert ["LOST"] == ended(waiting.state)
    assert b'{"key": "k"}\n' == files.responses.read_bytes()


@pytest.mark.parametrize(("attribute", "word"), [("fingerprint", "another API key"), ("base_url", "submitted to")])
def test_another_account_says_nothing_of_a_job(waiting, attribute, word):
    """With another key, or at another address, a job that lives is denied: it is not lost, and the wait stops."""
    server = Server()
    server.hidden = 99
    setattr(server, attribute, "elsewhere")
    watch = waiting.watch(server)
    for _ in range(LOOKS_UNTIL_LOST + 1):
        watch.tick(first=True)
    files = waiting.state.batch(BATCH)
    with pytest.raises(OtherAccount, match=word):
        fetching.fetch(waiting.settings, waiting.state, files, server, None, waiting.state.run("r"))

    assert [] == ended(waiting.state)
    assert Journal(waiting.state).entry(BATCH).in_flight


def test_the_embedded_emulator_is_the_same_at_another_port(waiting):
    """It comes back at another port if its own is taken; its jobs are found there."""
    settings = dataclasses.replace(waiting.settings, base_url="")
    server = Server("SUCCEEDED")
    server.base_url = "http://127.0.0.1:2"
    Watch(settings, waiting.state, server).tick(first=True)

    assert ["SUCCEEDED"] == ended(waiting.state)


@pytest.mark.parametrize("state", ["FAILED", "CANCELLED", "EXPIRED"])
def test_results_of_a_job_that_ended_badly_are_brought_in(waiting, state):
    """Such a job has none by the book; if it names some all the same, they were paid for."""
    waiting.watch(Server(state, has_results=True)).tick(first=True)
    with_results = waiting.state.batch(BATCH).responses.read_bytes()

    assert [state] == ended(waiting.state)
    assert LINE == with_results


@pytest.mark.parametrize("hours", [-72, 72])
def test_a_clock_that_jumps_cancels_no_job(waiting, monkeypatch, hours):
    """The deadline counts by the machine's own clock: three days forward or back are no reason to give a job up."""
    shift_wall_clock(monkeypatch, hours)
    server = Server()
    waiting.watch(server).tick(first=True)

    assert [] == server.cancelled


@pytest.mark.parametrize("hours", [-72, 72])
def test_a_clock_that_jumps_does_not_free_the_budget(waiting, monkeypatch, hours):
    """What was submitted a moment ago counts, whatever the wall clock says now."""
    shift_wall_clock(monkeypatch, hours)

    assert 1.0 == Journal(waiting.state).spent_usd(24)


def test_another_boot_counts_by_the_wall_clock(waiting, monkeypatch):
    """After a restart only the wall clock is left: a job of three days ago is beyond its deadline and is cancelled."""
    monkeypatch.setattr(journal, "_boot", lambda: "another")
    shift_wall_clock(monkeypatch, 72)
    server = Server()
    waiting.watch(server).tick(first=True)

    assert [JOB] == server.cancelled
    assert 0.0 == Journal(waiting.state).spent_usd(24)


def test_a_server_that_does_not_answer_is_waited_for_in_words(waiting, capsys):
    """Told once on the screen, in the log each time; the pause is the one that the server asks for."""
    server = Server()
    busy = [{"retryDelay": "34s"}]
    troubles = [
        GeminiError("listing jobs", 429, "slow down", busy),
        GeminiError("listing jobs", 429, "slow down", busy),
    ]
    server.jobs = lambda: answer_or_raise(troubles)
    run = waiting.state.run("a-run")
    run.folder.mkdir(parents=True)
    watch = Watch(waiting.settings, waiting.state, server, run)
    pauses = []
    for _ in range(3):
        watch.tick(first=True)
        pauses.append(watch.pause_s)
    printed = [line.split(":")[0:2] for line in capsys.readouterr().out.splitlines()]

    assert [34, 34, 34] == pauses
    assert [["waiting", " listing jobs"], ["waiting", " 1 job (running), 1 task, next check in 34 s"]] == printed


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_key_that_is_not_accepted_ends_the_wait(waiting, status):
    """No waiting helps against that; the user is informed at once."""
    server = Server()
    server.jobs = lambda: answer_or_raise([GeminiError("listing jobs", status, "no such key")])

    with pytest.raises(RemoteError, match="no such key"):
        waiting.watch(server).tick(first=True)


def answer_or_raise(troubles):
    if troubles:
        raise troubles.pop()
    return iter(())
