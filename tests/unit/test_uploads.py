"""What lies on the server: sent once, sent again before it dies, and never too much of it."""

from __future__ import annotations

import dataclasses
import hashlib
import threading

import pytest
from upload_server import Server, in_hours

import builders
from chargen.base import durable
from chargen.providers import uploads
from chargen.providers.base import RemoteError
from chargen.providers.gemini.errors import GeminiError
from chargen.providers.uploads import InvalidUpload, StorageFull, Uploads
from chargen.records.state import State
from chargen.steps.cleanup import make_room


class Desk:
    """A state, a server, and files to upload."""

    def __init__(self, folder, room=1_000_000):
        self.folder = folder
        self.state = State(folder / "state")
        self.server = Server(room)

    def file(self, name, size=1000):
        path = self.folder / name
        path.write_bytes(name.encode().ljust(size, b"."))
        return path, hashlib.sha256(path.read_bytes()).hexdigest()

    def ledger(self, limit_bytes=0):
        return Uploads(self.state, self.server, limit_bytes, lambda: make_room(self.state, self.server))

    def ensure(self, name, *, limit_bytes=0, must_live_s=3600.0, attempts=4):
        path, sha256 = self.file(name)
        return self.ledger(limit_bytes).ensure(path, sha256, "image/png", must_live_s=must_live_s, attempts=attempts)

    def batch(self, batch, *names, requests="", receipt=False):
        """A planned batch that sends these files."""
        files = self.state.batch(batch)
        references = tuple(builders.reference(name, sha256=self.file(name)[1]) for name in names)
        builders.write_plan(files, builders.task(references=references))
        if requests:
            durable.write(files.requests, self.file(requests)[0].read_bytes())
        if receipt:
            durable.write_json(files.receipt, builders.receipt().to_json())


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(uploads.time, "sleep", lambda seconds: threading.Event().wait(min(seconds, 0.001)))
    return Desk(tmp_path)


def test_sent_once_while_it_lives_long_enough(desk):
    """The same content goes out once, and once more when it would die before the job has read it."""
    desk.ensure("a.png")
    again = desk.ensure("a.png")
    outlives = desk.ensure("a.png", must_live_s=49 * 3600.0)

    assert ["a.png", "a.png"] == desk.server.sent
    assert ("files/1", "files/2") == (again.name, outlives.name)


def test_full_storage_is_tidied_and_the_upload_goes_on(desk):
    """What no unfinished batch needs goes; references and request files of unfinished ones stay."""
    desk.server.room = 4000
    desk.batch("1" * 16, "old.png", receipt=True)
    desk.batch("2" * 16, "needed.png", requests="requests.jsonl")
    for name in ("old.png", "needed.png", "requests.jsonl", "stray.png"):
        desk.ensure(name)
    desk.ensure("new.png")

    stored = {file.name for file in desk.server.stored.values()}
    assert {"files/2", "files/3", "files/5"} == stored


def test_storage_full_of_what_is_needed_is_said(desk):
    """Nothing can be deleted: a message that names the file and the ways out, at once, whatever delay is asked for."""
    desk.server.room = 1000
    desk.batch("2" * 16, "needed.png")
    desk.ensure("needed.png")
    with pytest.raises(StorageFull, match=r"no room for new\.png \(1,000 bytes\).*`snakemake storage`"):
        desk.ensure("new.png")

    assert ["needed.png"] == desk.server.sent


def test_known_limit_is_kept_before_anything_is_sent(desk):
    """The configured bound is seen to without asking the server: tidied first, then refused with the numbers."""
    desk.ensure("stray.png", limit_bytes=1500)
    desk.ensure("first.png", limit_bytes=1500)
    desk.batch("2" * 16, "first.png")
    with pytest.raises(StorageFull, match=r"take 1,000 of 1,500 bytes .* needs 1,000"):
        desk.ensure("new.png", limit_bytes=1500)

    assert ["files/2"] == list(desk.server.stored)


def test_many_uploads_meet_a_full_storage_at_once(desk):
    """Whoever finds nothing left to delete, because another just did, tries again all the same."""
    desk.server.room = 4000
    for number in range(4):
        desk.ensure(f"stray-{number}.png")
    desk.batch("2" * 16, *(f"{number}.png" for number in range(4)))
    ledger = desk.ledger()
    files = [desk.file(f"{number}.png") for number in range(4)]
    failed = []

    def send(path, sha256):
        try:
            ledger.ensure(path, sha256, "image/png", must_live_s=3600.0, attempts=4)
        except StorageFull as error:
            failed.append(error)

    threads = [threading.Thread(target=send, args=file) for file in files]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [] == failed
    assert 4 == len(desk.server.stored)


def test_refused_as_invalid_is_not_tried_again(desk):
    """A file that the API does not take as it is would not be taken a moment later."""
    desk.server.troubles = [GeminiError("uploading", 400, "Unsupported MIME type: image/x")]
    with pytest.raises(InvalidUpload, match="Unsupported MIME type"):
        desk.ensure("a.png")

    assert [] == desk.server.sent


@pytest.mark.parametrize("trouble", [(503, "overloaded", []), (429, "slow down", [{"retryDelay": "34s"}])])
def test_passing_trouble_is_waited_out(desk, trouble):
    """Three failures, then it is there; used-up credits are not waited for."""
    desk.server.troubles = [GeminiError("uploading", *trouble) for _ in range(3)]
    desk.ensure("a.png")
    desk.server.troubles = [GeminiError("uploading", 429, "Your prepayment credits are depleted")]
    with pytest.raises(RemoteError, match="credits"):
        desk.ensure("b.png")

    assert ["a.png"] == desk.server.sent


def test_an_upload_whose_answer_was_lost_is_found(desk):
    """What arrived is not sent again."""
    desk.server.lost_answers = 1
    upload = desk.ensure("a.png")

    assert ("files/1", ["a.png"]) == (upload.name, desk.server.sent)


def test_a_lost_answer_does_not_bring_back_what_dies_too_soon(desk):
    """Where the same content was sent long ago, the file that lives long enough is the one that is found."""
    desk.ensure("a.png")
    desk.server.stored["files/1"] = dataclasses.replace(desk.server.stored["files/1"], expires=in_hours(2))
    (desk.state.root / "uploads.jsonl").unlink()
    desk.server.lost_answers = 1
    upload = desk.ensure("a.png", must_live_s=25 * 3600.0)

    assert ("files/2", ["a.png", "a.png"]) == (upload.name, desk.server.sent)


def test_what_the_server_lists_no_longer_is_forgotten(desk):
    """Files that are gone before their time leave the ledger, so that they are sent again."""
    desk.ensure("a.png")
    desk.ensure("b.png")
    desk.server.stored.pop("files/1")
    forgotten = desk.ledger().forget_gone()
    desk.ensure("a.png")
    desk.ensure("b.png")

    assert 1 == forgotten
    assert ["a.png", "b.png", "a.png"] == desk.server.sent
