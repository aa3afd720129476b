"""Request lines: each reference uploaded once, and what they name is there when they are sent."""

from __future__ import annotations

import hashlib

import orjson
import pytest
import yaml
from upload_server import Server

import builders
from chargen.base import schemas as schema
from chargen.providers.gemini.errors import GeminiError
from chargen.providers.gemini.lines import GeminiLine
from chargen.providers.gemini.provider import GEMINI
from chargen.providers.uploads import Uploads
from chargen.providers.verdicts import Joined
from chargen.records import settings as config
from chargen.records.state import State
from chargen.steps.apply import _answer
from chargen.steps.stage import is_staged, stage


class Desk:
    """A planned batch of two tasks, one of which sends a portrait, and a server."""

    def __init__(self, folder):
        (folder / "story").mkdir()
        portrait = folder / "story" / "portrait.png"
        portrait.write_bytes(b"a portrait")
        self.sha256 = hashlib.sha256(b"a portrait").hexdigest()
        defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
        self.settings = config.settings(defaults | {"library": "story", "library_id": "lib"}, folder)
        self.state = State.of(self.settings)
        self.files = self.state.batch(builders.BATCH)
        self.server = Server()
        portrait_sent = builders.reference("portrait.png", sha256=self.sha256)
        with_her = builders.task("character/oda/with-her", key="with-her", references=(portrait_sent,))
        builders.write_plan(self.files, builders.task("character/oda/alone", key="alone"), with_her)

    def stage(self):
        stage(self.settings, self.state, self.files, self.server)

    @property
    def is_staged(self):
        return is_staged(self.settings, self.state, self.files, self.server)

    @property
    def uploads(self):
        return Uploads(self.state, self.server)

    @property
    def keys(self):
        return [orjson.loads(line)["key"] for line in self.files.requests.read_bytes().splitlines()]


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_what_is_staged_stays_staged(desk):
    """While its uploads live, a batch is written once."""
    desk.stage()

    assert desk.is_staged
    assert ["alone", "with-her"] == desk.keys
    assert ["portrait.png"] == desk.server.sent


def test_lines_of_another_version_are_written_again(desk):
    """What 0.1.0 staged and did not send would be stored by Google: it says nothing of that."""
    desk.stage()
    lines = [orjson.loads(line) for line in desk.files.requests.read_bytes().splitlines()]
    for line in lines:
        del line["request"]["store"]
    desk.files.requests.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    before = desk.is_staged
    desk.stage()

    assert (False, True) == (before, desk.is_staged)


def test_lines_that_name_an_earlier_upload_are_written_again(desk):
    """The portrait expired and another batch sent it again: lines with the old address would all fail."""
    desk.stage()
    old = desk.files.requests.read_bytes()
    desk.uploads.forget(desk.uploads.live()[desk.sha256].name)
    portrait = desk.settings.library_root / "portrait.png"
    desk.uploads.ensure(portrait, desk.sha256, "image/png", must_live_s=1, attempts=1)
    before = desk.is_staged
    desk.stage()

    assert not before
    assert desk.is_staged
    assert old != desk.files.requests.read_bytes()


def test_a_picture_that_is_taken_after_all_is_not_left_out(desk):
    """Refused once, then taken: what goes out is not listed as left out."""
    desk.server.troubles = [GeminiError("uploading", 400, "no such type")]
    desk.stage()
    first, left_out = desk.keys, desk.files.read_left_out()
    desk.stage()

    assert ["alone"] == first
    assert ["with-her"] == list(left_out)
    assert ["alone", "with-her"] == desk.keys
    assert {} == desk.files.read_left_out()


def test_an_answer_counts_whatever_was_left_out():
    """What came was paid for."""
    line = GeminiLine(1, key="with-her", has_response=True, finish_reason="IMAGE_SAFETY")
    joined = Joined({"with-her": line}, (), {}, (), ())
    answer = _answer(GEMINI, builders.task(key="with-her"), joined, builders.end(), {"with-her": "refused"}, "picture")

    assert "image-safety" == answer.verdict.reason
