"""Two checkouts with one library: what one has made, collected and deleted, the other does not buy again."""

from __future__ import annotations

import pytest
import yaml

from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.operations import operation as find
from chargen.operations.pin import pin
from chargen.providers.registry import connect
from chargen.records import settings as config
from chargen.records.state import State
from chargen.screens.order import order
from chargen.steps.apply import apply
from chargen.steps.cleanup import tidy
from chargen.steps.fetch import fetch
from chargen.steps.stage import stage
from chargen.steps.submit import submit
from photographs import photograph

IMAGERY = """\
name: Oda
description: A lamp lighter.
scenes:
  - {id: lamp, prompt: Oda lights a lamp.}
  - {id: stairs, prompt: Oda on the stairs.}
"""


class Checkout:
    """A folder from which chargen is run on a library, and on pictures to enhance, that others use too."""

    def __init__(self, home, shared, url, operation):
        home.mkdir()
        defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
        own = {
            "library": str(shared / "story"),
            "base_url": url,
            "enhance": {
                **defaults["enhance"],
                "input_dir": str(shared / "photos"),
                "output_dir": str(shared / "better"),
                "prompt": "A painting.",
            },
            "poll": {"interval_s": 0.1, "deadline_h": 24, "settle_s": 600},
        }
        self.settings = config.settings(defaults | own, home)
        self.state = State.of(self.settings)
        self.operation = operation

    def plan(self):
        """Plan as a run does; return the one batch of what is wanted."""
        plan = find(self.operation).plan(self.settings, ["all"])
        pin(self.settings, self.state, self.state.run("run"), plan, "", [])
        (batch,) = plan.batches
        return batch.id

    def send(self, batch):
        """Send the batch that was planned."""
        files = self.state.batch(batch)
        remote = connect(self.settings)
        stage(self.settings, self.state, files, remote)
        submit(self.settings, self.state, files, remote, None)

    def bring(self, batch):
        """Fetch and place its results, and delete it on the server."""
        files, run = self.state.batch(batch), self.state.run("run")
        fetch(self.settings, self.state, files, connect(self.settings), None, run)
        apply(self.settings, self.state, files, run)
        tidy(self.settings, self.state, files)


@pytest.fixture(params=["generate", "analyze", "enhance"])
def checkouts(request, tmp_path, emulator):
    """Two checkouts of the same library, for one operation."""
    shared = tmp_path / "shared"
    images = shared / "story" / "characters" / "oda" / "images"
    images.mkdir(parents=True)
    (shared / "photos").mkdir()
    photograph(200, 200).save(shared / "photos" / "street.jpg")
    (images.parent / "imagery.yaml").write_text(IMAGERY)
    if request.param == "analyze":
        photograph(200, 200).save(images / "lamp.png")
    return [Checkout(tmp_path / name, shared, emulator.url, request.param) for name in ("here", "there")]


def test_what_another_checkout_made_meanwhile_is_not_sent(checkouts, emulator):
    """Planned here, then made, collected and deleted from there: the send here stops, and the next plan has nothing."""
    here, there = checkouts
    planned = here.plan()
    batch = there.plan()
    there.send(batch)
    there.bring(batch)

    with pytest.raises(ChargenError, match="since they were planned"):
        here.send(planned)

    assert planned == batch
    assert 1 == emulator.count("create")
    assert 1 == emulator.count("delete")
    assert [] == find(here.operation).plan(here.settings, ["all"]).batches


def test_what_is_ordered_again_is_sent_though_it_is_there(checkouts, emulator):
    """An order is fulfilled though the result of before is in place."""
    here, _ = checkouts
    first = here.plan()
    here.send(first)
    here.bring(first)
    scenes = {"generate": "character/oda/lamp", "analyze": "character/oda/images/*", "enhance": "enhance/*"}
    order(here.settings.asking(scenes=(scenes[here.operation],), state="done"), here.state)
    here.send(here.plan())

    assert 2 == emulator.count("create")
