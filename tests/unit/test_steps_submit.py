"""The paid step happens at most once, whatever dies and whatever answer is lost."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace

import pytest

import builders
from builders import BATCH
from chargen.base import durable
from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.pictures import formats as pictures
from chargen.providers.base import RemoteError
from chargen.providers.gemini.errors import GeminiError
from chargen.providers.gemini.jobs import read_job
from chargen.providers.uploads import InvalidUpload
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.journal_lines import Created
from chargen.records.state import State
from chargen.steps import submit as submitting
from chargen.steps.account import OtherAccount
from chargen.steps.checks import OverBudget
from chargen.steps.search import ForeignJob
from chargen.steps.submit import AmbiguousSubmission, submit
from chargen.steps.waiting import StillWaiting

upload_requests = submitting._upload_requests

NAME = f"chargen-lib-{BATCH}"


class Died(BaseException):
    """Stands for SIGKILL: nothing catches it."""


GONE = "You do not have permission to access the File f1 or it may not exist."


class Server:
    """A server that keeps jobs; `trouble` happens at the next create, before or after its effect."""

    base_url = "http://server"
    fingerprint = "0123456789ab"

    def __init__(self):
        self.made: list[str] = []
        self.states: dict[str, str] = {}
        self.named = True
        self.detailed = True
        self.knows_details = True
        self.added_to_names = ""
        self.before: BaseException | None = None
        self.after: BaseException | None = None
        self.calls: list[str] = []

    def create(self, model, request_file, display_name):
        self.calls.append("create")
        before, self.before = self.before, None
        if before:
            raise before
        self.made.append(display_name)
        after, self.after = self.after, None
        if after:
            raise after
        return f"batches/{len(self.made)}"

    def list_jobs(self):
        return list(self.jobs()), True

    def jobs(self):
        self.calls.append("list")
        for number, name in enumerate(self.made, 1):
            job = self._shown(number, name)
            yield job if self.detailed else read_job({"name": job.name, "metadata": {}})

    def job(self, name):
        self.calls.append("get")
        number = int(name.removeprefix("batches/"))
        return self._shown(number, self.made[number - 1]) if self.knows_details else read_job({"name": name})

    def _shown(self, number, name):
        job = f"batches/{number}"
        metadata = {
            "displayName": name + self.added_to_names if self.named else None,
            "state": f"BATCH_STATE_{self.states.get(job, 'RUNNING')}",
            "createTime": f"2026-11-25T10:00:{59 - number:02}Z",
            "inputConfig": {"fileName": "files/requests" if name.endswith(BATCH) else "files/others"},
        }
        return read_job({"name": job, "metadata": metadata})


def task(variation):
    """A task of the batch."""
    return builders.task("character/a/b", variation, wish_id=f"w{variation}")


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def batch(tmp_path, monkeypatch):
    """A staged batch of two tasks for one dollar, and `submit` on it."""
    (tmp_path / "story").mkdir()
    defaults = durable_defaults() | {
        "library": "story",
        "library_id": "lib",
        "base_url": Server.base_url,
        "submit": {"timeout_s": 1, "grace_s": 0},
    }
    settings = config.settings(defaults, tmp_path)
    state = State.of(settings)
    files = state.batch(BATCH)
    builders.write_plan(files, task(1), task(2), cost_usd=1.0)
    durable.write(files.requests, b"{}\n")
    monkeypatch.setattr(submitting, "_upload_requests", lambda *args: "files/requests")
    monkeypatch.setattr(submitting, "is_staged", lambda *args: True)
    monkeypatch.setattr(submitting.waiting, "pause", lambda seconds, run: None)

    def run(server, run=None, **changes):
        return submit(dataclasses.replace(settings, **changes), state, files, server, run).job

    run.state = state
    run.files = files
    return run


def durable_defaults():
    import yaml

    return yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())


def test_a_job_is_created_once_and_then_known(batch, server):
    """A second submit of the same batch sends nothing."""
    first = batch(server)
    second = batch(server)

    assert "batches/1" == first == second
    assert [NAME] == server.made


def test_died_between_create_and_record(batch, server):
    """The job exists and its name was never written: the next run adopts it."""
    server.after = Died()
    with pytest.raises(Died):
        batch(server)

    assert "batches/1" == batch(server)
    assert [NAME] == server.made


def test_died_between_intent_and_create(batch, server):
    """Nothing was sent: once that is certain, the next run sends it."""
    server.before = Died()
    with pytest.raises(Died):
        batch(server)

    assert "batches/1" == batch(server)
    assert [NAME] == server.made


@pytest.mark.parametrize("status", [0, 408, 499, 500, 503])
def test_lost_answer_is_adopted(batch, server, status):
    """The create took effect and its answer was lost: the job is found by its name, and nothing is sent again."""
    server.after = GeminiError("creating", status, "lost")

    assert "batches/1" == batch(server)
    assert [NAME] == server.made
    assert [True] == [line["adopted"] for line in durable.read_lines(batch.state.journal) if line["event"] == "created"]


def test_unclear_answer_without_effect_is_not_repeated_in_the_same_run(batch, server):
    """After a 503 nothing is sent again until the next run, which does."""
    server.before = GeminiError("creating", 503, "unavailable")
    with pytest.raises(AmbiguousSubmission, match="Run again to send it"):
        batch(server)
    sent = list(server.made)
    batch(server)

    assert [] == sent
    assert [NAME] == server.made


def test_429_with_a_delay_is_repeated(batch, server):
    """A refused create certainly made nothing: it is asked for again after the delay that the server names."""
    server.before = GeminiError("creating", 429, "slow down", [{"retryDelay": "34s"}])

    assert "batches/1" == batch(server)
    assert [NAME] == server.made


def test_a_429_that_took_effect_is_found_and_not_sent_again(batch, server):
    """The server asks to wait and has made the job all the same: after the pause it is found by its name."""
    server.after = GeminiError("creating", 429, "slow down", [{"retryDelay": "34s"}])

    assert "batches/1" == batch(server)
    assert [NAME] == server.made
    assert ["intent", "refused", "intent", "created"] == [
        line["event"] for line in durable.read_lines(batch.state.journal)
    ]
    assert not Journal(batch.state).entry(BATCH).sent_elsewhere  # so that it is tidied up after as any of ours


def test_a_429_is_not_repeated_before_the_list_must_show_what_it_made(batch, server, monkeypatch):
    """Though the server names no delay to speak of, the pause lasts as long as a new job may be missing in the list."""
    rests = []
    monkeypatch.setattr(submitting.waiting, "pause", lambda seconds, run: rests.append(seconds))
    server.before = GeminiError("creating", 429, "slow down", [{"retryDelay": "1s"}])
    batch(server, submit=config.Submit(timeout_s=1, grace_s=7))

    assert [7, 7] == rests  # once before the first look, and once between the two


def test_one_wrong_list_after_a_429_that_took_effect_buys_nothing(batch, server, monkeypatch):
    """What looks like an empty list once, right after a 429 that made the job, is looked at again."""
    lists = iter([([], True), ([], True)])  # before the create, and the wrong one after it
    real = server.list_jobs
    monkeypatch.setattr(server, "list_jobs", lambda: next(lists, None) or real())
    server.after = GeminiError("creating", 429, "slow down", [{"retryDelay": "0s"}])

    assert "batches/1" == batch(server)
    assert [NAME] == server.made


def test_a_list_with_an_entry_that_cannot_be_read_is_no_proof(batch, server, monkeypatch):
    """An entry without a name may be the very job: nothing is sent until the list can be read."""
    monkeypatch.setattr(server, "list_jobs", lambda: ([], False))

    with pytest.raises(RemoteError, match="an unreadable entry"):
        batch(server)

    assert [] == server.made


def test_a_job_that_the_list_says_nothing_of_is_looked_at(batch, server):
    """A listed job without name and file may be the very job of a 429 that took effect: it is asked for alone."""
    server.after = GeminiError("creating", 429, "slow down", [{"retryDelay": "34s"}])
    server.detailed = False

    assert "batches/1" == batch(server)
    assert [NAME] == server.made
    assert "get" in server.calls


def test_a_job_of_which_the_server_says_nothing_is_no_proof(batch, server):
    """Nothing is sent while a job without name and file is listed; a job that the journal knows does not matter."""
    server.made.append("of-somebody")
    server.detailed = server.knows_details = False
    with pytest.raises(RemoteError, match="batches/1 has neither a name nor a request file"):
        batch(server)
    server.knows_details = True

    assert "batches/2" == batch(server)
    assert ["of-somebody", NAME] == server.made


def test_died_in_the_pause_after_a_429_that_took_effect(batch, server, monkeypatch):
    """Killed while it waited: the journal says refused, and the next run looks before it sends."""

    def die(seconds, run):
        raise Died

    server.after = GeminiError("creating", 429, "slow down", [{"retryDelay": "34s"}])
    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(submitting.waiting, "pause", die)
        batch(server)

    assert "batches/1" == batch(server)
    assert [NAME] == server.made


def test_a_refusal_that_took_effect_is_found_by_the_next_run(batch, server):
    """Whatever a create was answered, the list is read before the next one."""
    server.after = GeminiError("creating", 400, "invalid argument")
    with pytest.raises(ChargenError, match="the server refused batch"):
        batch(server)

    assert "batches/1" == batch(server)
    assert [NAME] == server.made


def test_the_list_is_read_right_before_every_create(batch, server):
    """Also before those that follow a pause; twice after a 429, which may have taken effect."""
    server.before = GeminiError("creating", 429, "slow down", [{"retryDelay": "34s"}])
    batch(server)

    assert ["list", "create", "list", "list", "create"] == server.calls


def test_another_checkout_that_was_quicker_is_found(batch, server, monkeypatch):
    """While one checkout waits for a place, uploads, or retries what was never sent, another sends the same batch."""
    wait_for_room = submitting._wait_for_room
    create = server.create

    def sent_meanwhile(*args):
        server.made.append(NAME)
        return wait_for_room(*args)

    def unreachable_once(*args):
        monkeypatch.setattr(server, "create", create)
        server.made.append(NAME)
        raise GeminiError("creating", 0, "ConnectError", origin="unsent")

    monkeypatch.setattr(server, "create", unreachable_once)
    after_unsent = batch(server)
    (batch.state.journal).unlink()
    server.made.clear()
    monkeypatch.setattr(submitting, "_wait_for_room", sent_meanwhile)
    after_a_place = batch(server)

    assert "batches/1" == after_unsent == after_a_place
    assert [NAME] == server.made


def test_of_two_jobs_of_one_name_the_succeeded_one_is_taken(batch, server, capsys):
    """Else one that may still succeed; a failed one only if there is no other. The others are named as foreign."""
    taken = []
    for states in (("FAILED", "RUNNING", "SUCCEEDED"), ("CANCELLED", "PENDING"), ("EXPIRED",), ("RUNNING", "RUNNING")):
        batch.state.journal.unlink(missing_ok=True)
        server.made = [NAME] * len(states)
        server.states = {f"batches/{number}": state for number, state in enumerate(states, 1)}
        taken.append(batch(server))
    said = capsys.readouterr().err

    assert ["batches/3", "batches/2", "batches/1", "batches/2"] == taken  # of equals the oldest
    assert "batches/2 (running) is a duplicate: it has the same batch as batches/3, which is used" in said
    assert "snakemake cleanup --config cancel=batches/2" in said
    assert "snakemake cleanup --config delete=batches/1" in said
    assert "create" not in server.calls


@pytest.mark.parametrize(("named", "added"), [(False, ""), (True, "\x1b[31m\r\nx"), (True, " (copy)")])
def test_a_list_without_names_is_matched_by_the_request_file(batch, server, named, added):
    """The server lists jobs without their display names, or with others: the file that a job was made from tells whose
    it is."""
    server.named, server.added_to_names = named, added
    server.after = Died()
    with pytest.raises(Died):
        batch(server)
    adopted = batch(server)
    (intent,) = [line for line in durable.read_lines(batch.state.journal) if line["event"] == "intent"]

    assert "files/requests" == intent["request_file"]
    assert "batches/1" == adopted
    assert [NAME] == server.made


def test_the_job_of_an_earlier_attempt_is_not_taken_for_this_one(batch, server):
    """The same tasks sent again are the same request file, so without names the file alone would find the old job."""
    batch(server)
    lines = list(durable.read_lines(batch.state.journal))
    batch.state.journal.unlink()
    for line in lines:
        durable.append_line(batch.state.journal, line | {"batch": "fedcba9876543210", "wishes": {"w1": 2, "w2": 2}})
    server.named = False

    assert "batches/2" == batch(server)
    assert [NAME, NAME] == server.made


def test_a_list_without_names_is_matched_by_the_ledger_of_uploads(batch, server):
    """An intent from before request files were recorded: the ledger knows under which names the file was uploaded."""
    server.named = False
    server.after = Died()
    with pytest.raises(Died):
        batch(server)
    lines = [{k: v for k, v in line.items() if k != "request_file"} for line in durable.read_lines(batch.state.journal)]
    batch.state.journal.unlink()
    for line in lines:
        durable.append_line(batch.state.journal, line)
    upload = {"event": "uploaded", "key": server.fingerprint, "base_url": server.base_url, "name": "files/requests"}
    durable.append_line(batch.state.uploads, upload | {"sha256": pictures.sha256_file(batch.files.requests)})
    server.made.insert(0, "of-somebody-else")

    assert "batches/2" == batch(server)
    assert ["of-somebody-else", NAME] == server.made


def test_429_without_details_is_about_billing(batch, server):
    """Used-up credits are said, not retried."""
    server.before = GeminiError("creating", 429, "Your credits are depleted")
    with pytest.raises(ChargenError, match="credits used up"):
        batch(server)

    assert [] == server.made
    assert not Journal(batch.state).in_flight()


def test_a_delay_beyond_all_measure_is_no_crash():
    """Some refusals name a delay of 292 billion years: it is never slept through."""
    error = GeminiError("creating", 429, "over quota", [{"retryDelay": "9223372036854775807s"}])

    assert 3600.0 == error.retry_after_s


def test_without_a_connection_nothing_was_sent(batch, server, monkeypatch):
    """A refused connection certainly made no job: the create is tried again, and given up in words."""
    tries = [GeminiError("creating", 0, "ConnectError", origin="unsent") for _ in range(2)]
    create = server.create

    def unreachable(*args):
        if tries:
            raise tries.pop()
        return create(*args)

    monkeypatch.setattr(server, "create", unreachable)
    job = batch(server)

    assert "batches/1" == job
    assert [NAME] == server.made
    assert 2 == sum(line["event"] == "refused" for line in durable.read_lines(batch.state.journal))


def test_no_connection_at_all_is_said(batch, server, monkeypatch):
    """After some tries it is the user's turn; nothing is in flight then."""

    def unreachable(*args):
        raise GeminiError("creating", 0, "ConnectError", origin="unsent")

    monkeypatch.setattr(server, "create", unreachable)
    with pytest.raises(ChargenError, match="cannot reach the server, nothing was sent"):
        batch(server)

    assert not Journal(batch.state).in_flight()


def test_only_a_connection_that_was_never_made_counts_as_unsent(tmp_path):
    """A closed port is certain; a connection that breaks after the request may have made a job."""
    import socket
    import threading

    from chargen.providers.gemini.client import Remote

    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

        def hang_up():
            connection, _ = listening.accept()
            connection.recv(100)
            connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        with pytest.raises(RemoteError) as broken:
            Remote(f"http://127.0.0.1:{port}", "key", 5, 5).create("gemini-3-pro-image", "files/1", NAME)
    with pytest.raises(RemoteError) as refused:
        Remote(f"http://127.0.0.1:{port}", "key", 5, 5).create("gemini-3-pro-image", "files/1", NAME)

    assert (True, False) == (broken.value.unclear, broken.value.unsent)
    assert (False, True) == (refused.value.unclear, refused.value.unsent)


def test_a_run_that_was_stopped_sends_nothing_more(batch, server):
    """Who waited for others to submit, and finds the run stopped by then, leaves."""
    run = batch.state.run("2026-01-01T00-00-00Z")
    durable.write(run.stop, b"")
    with pytest.raises(StillWaiting):
        batch(server, run)

    assert [] == server.made
    assert not Journal(batch.state).in_flight()


@pytest.mark.parametrize(("gone", "sent"), [(1, 2), (0, 1)])
def test_refused_because_an_upload_is_gone(batch, server, monkeypatch, gone, sent):
    """403 on a create: what the server lists no longer is sent again, once; without such a file it is a refusal."""
    uploaded = []
    monkeypatch.setattr(submitting, "_upload_requests", lambda *args: uploaded.append(1) or "files/requests")
    monkeypatch.setattr(submitting, "open_uploads", lambda *args: SimpleNamespace(forget_gone=lambda: gone))
    server.before = GeminiError("creating", 403, GONE)
    if gone:
        batch(server)
    else:
        with pytest.raises(ChargenError, match="the server refused batch"):
            batch(server)

    assert sent == len(uploaded)
    assert [NAME] * gone == server.made


def test_foreign_job_stops_everything(batch, server):
    """A job of this library that no journal knows was paid for by somebody: it must be collected first."""
    server.made.append("chargen-lib-fedcba9876543210")
    with pytest.raises(ForeignJob, match="snakemake collect --config job=batches/1"):
        batch(server)

    assert ["chargen-lib-fedcba9876543210"] == server.made


@pytest.mark.parametrize(
    ("attribute", "word"), [("fingerprint", "another API key"), ("base_url", "keep that base_url")]
)
def test_another_account_stops(batch, server, attribute, word):
    """A batch that was begun with one key, or at one address, is not begun again with another."""
    server.before = Died()
    with pytest.raises(Died):
        batch(server)
    other = Server()
    setattr(other, attribute, "ba9876543210")
    with pytest.raises(OtherAccount, match=word):
        batch(other)

    assert [] == other.made


def test_budget_bounds_what_is_submitted(batch, server):
    """A batch that would break the budget is not sent, and the message has the numbers."""
    with pytest.raises(OverBudget, match=r"\$0\.00 was submitted .* would add \$1\.00, .* budget_usd=0\.50"):
        batch(server, budget_usd=0.5)

    assert [] == server.made


def test_a_spent_budget_never_keeps_a_paid_job_from_being_found(batch, server):
    """Sent earlier and not known here, or asked for without an answer: adopted, whatever the budget says."""
    server.made.append(NAME)
    found = batch(server, budget_usd=0.0)
    batch.state.journal.unlink()
    server.made.clear()
    server.after = Died()
    with pytest.raises(Died):
        batch(server)
    unanswered = batch(server, budget_usd=0.0)

    assert "batches/1" == found == unanswered
    assert [NAME] == server.made


def test_a_full_account_never_keeps_an_unanswered_job_from_being_found(batch, server, monkeypatch):
    """It has its place already; nor do prices that cannot be read."""
    server.after = Died()
    with pytest.raises(Died):
        batch(server)
    monkeypatch.setattr(submitting, "_wait_for_room", lambda *args: pytest.fail("waited for a place"))

    assert "batches/1" == batch(server)
    assert [NAME] == server.made


def test_claimed_wishes_never_keep_a_paid_job_from_being_found(batch, server):
    """Another batch has the wishes, and the server has a job of this one: it was paid for, so it is collected too."""
    server.made.append(NAME)
    fly(batch.state, "fedcba9876543210", wishes={"w1": 1})

    assert "batches/1" == batch(server)
    assert [NAME] == server.made


def test_a_planned_batch_that_another_checkout_sent_is_taken_over(batch, server):
    """A job of this library that no journal knows, whose batch is planned here too: adopted, and this one is sent."""
    other = batch.state.batch("fedcba9876543210")
    builders.write_plan(other, task(3), cost_usd=1.0)
    server.made.append(f"chargen-lib-{other.id}")
    job = batch(server)
    entry = Journal(batch.state).entry(other.id)

    assert ("batches/1", True, True) == (entry.job, entry.adopted, entry.sent_elsewhere)
    assert "batches/2" == job
    assert [f"chargen-lib-{other.id}", NAME] == server.made


@pytest.mark.parametrize("name", [NAME, f"chargen-old-name-{BATCH}"])
def test_died_while_a_job_was_taken_over(batch, server, monkeypatch, name):
    """Killed between the two lines that say so: the next run looks for the job, and finds it under whatever name."""
    append = Journal.append

    def die(self, event):
        if isinstance(event, Created):
            raise Died
        append(self, event)

    server.made.append(name)
    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(Journal, "append", die)
        batch(server)

    assert "batches/1" == batch(server)
    assert [name] == server.made


def test_wishes_that_another_checkout_sent_in_another_batch_are_not_sent(batch, server):
    """The same, and the other batch has a wish of this one: taken over, and this one is not sent."""
    other = batch.state.batch("fedcba9876543210")
    builders.write_plan(other, task(1), task(2), cost_usd=1.0)
    server.made.append(f"chargen-lib-{other.id}")
    with batch.state.lock(f"batch-{other.id}"), pytest.raises(ChargenError, match="are in batches/1, which another"):
        batch(server)
    with pytest.raises(ChargenError, match="another run has already sent some of its tasks in fedcba9876543210"):
        batch(server)

    assert [f"chargen-lib-{other.id}"] == server.made


def test_wishes_in_flight_under_another_name_of_the_library_are_not_sent(batch, server):
    """The state of another library of this folder has them in flight: nothing is sent, and how to go on is said."""
    fly(State(batch.state.root.with_name("old-name")), "fedcba9876543210", wishes={"w2": 3})
    with pytest.raises(ChargenError, match=r"1 of the tasks is in flight under another name: library `old-name`"):
        batch(server)

    assert [] == server.made


def test_the_batch_under_another_name_of_the_library_is_found(batch, server):
    """The library was renamed and its state is gone: a job that ends in the batch's id is this batch."""
    server.made.append(f"chargen-old-name-{BATCH}")

    assert "batches/1" == batch(server)
    assert [f"chargen-old-name-{BATCH}"] == server.made


def test_a_batch_that_failed_under_another_name_is_sent(batch, server):
    """A job that left no results is no reason to send nothing."""
    server.made.append(f"chargen-old-name-{BATCH}")
    server.states = {"batches/1": "FAILED"}

    assert "batches/2" == batch(server)


def test_wishes_that_another_batch_sent_are_not_sent_again(batch, server):
    """Two runs that planned at once send a wish once."""
    fly(batch.state, "fedcba9876543210", wishes={"w1": 1})
    with pytest.raises(ChargenError, match="another run has already sent some of its tasks in fedcba9876543210"):
        batch(server)

    assert [] == server.made


def test_request_file_is_offered_under_other_types(batch, server, monkeypatch):
    """A server that does not know application/jsonl gets the same file as application/json."""
    offered = []

    class Uploads:
        def ensure(self, path, sha256, mime, **kwargs):
            offered.append(mime)
            if mime == "application/jsonl":
                raise InvalidUpload("uploading", 400, "unsupported MIME type")
            return SimpleNamespace(name="files/1")

    monkeypatch.setattr(submitting, "_upload_requests", upload_requests)
    monkeypatch.setattr(submitting, "open_uploads", lambda *args: Uploads())
    batch(server)

    assert ["application/jsonl", "application/json"] == offered
    assert [NAME] == server.made


def test_a_place_that_somebody_else_took_is_waited_for_again(batch, server, monkeypatch):
    """Several wait for the last place: whoever comes second under the lock has none, and waits on."""
    fly(batch.state, "other")
    wait_for_room = submitting._wait_for_room
    waits = []

    def overtaken(*args):
        waits.append(None)
        if len(waits) == 1:
            return  # there was room a moment ago
        land(batch.state, "other")
        wait_for_room(*args)

    monkeypatch.setattr(submitting, "_wait_for_room", overtaken)
    job = batch(server, limits=config.Limits(1, 1, 0, 0))

    assert ("batches/1", 2) == (job, len(waits))


def fly(state, batch, wishes=None):
    """Let another batch be in flight."""
    journal = Journal(state)
    about = {"operation": "generate", "model": "m", "display_name": f"chargen-lib-{batch}"}
    where = {"base_url": Server.base_url, "key": Server.fingerprint}
    journal.append(
        builders.event("intent", batch, **about, **where, wishes=wishes or {}, cost_usd=0.0, tokens=0, clock={}, pid=0)
    )
    journal.append(builders.event("created", batch, job="batches/other", adopted=False))


def land(state, batch):
    Journal(state).append(builders.event("applied", batch, outcomes={}))
