"""A library on disk with pictures to review, and its page: what the tests of reviewing on the page look at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from report_world import png

from chargen.library.load import load_entity
from chargen.library.spec import spec_hash
from chargen.library.writeback import append_items
from chargen.operations.generate.plan import make_plan
from chargen.records import settings as config
from chargen.records.settings import Settings
from chargen.records.state import State
from chargen.report.survey import Survey
from chargen.report.write import write_report
from chargen.screens.review import review

ODA = """\
name: Oda Brennick
description: A keeper.
scenes:
- {id: lamp, prompt: Oda trims the lamp., variations: 2}
- {id: rope, prompt: Oda buys rope.}
- {id: pier, prompt: The pier at dawn.}
- {id: fog, prompt: Fog on the quay.}
"""


@dataclass
class ReviewWorld:
    """One character: two pictures of the lamp, one of the rope, and the pier from before chargen; the fog has none."""

    home: Path
    called: dict[str, Any] = field(default_factory=dict)

    @property
    def entity(self) -> Path:
        return self.home / "story" / "characters" / "oda"

    @property
    def html(self) -> Path:
        return self.home / "results" / "report.html"

    def settings(self, **asked: Any) -> Settings:
        data = yaml.safe_load(config.DEFAULT_CONFIG.read_text("utf-8"))
        asked = {"library": str(self.home / "story"), "provider": "emulator"} | asked
        return replace(config.settings(data | asked, self.home), **self.called)

    def record(self, scene: str, variation: int, name: str, colour: str, **more: str) -> None:
        """Put a picture in place and record it."""
        (self.entity / "images" / name).write_bytes(png(300, 400, colour))
        scenes = load_entity(self.home / "story", "character", "oda").scenes
        suffix = f"_c{variation}" if variation > 1 else ""
        item = {
            "scene": scene,
            "file_path": f"images/{name}",
            "status": "generated",
            "provider": "emulator",
            "sha256": self.sha256(name),
            "task_key": f"character/oda/{scene}{suffix}@sha256:0123456789abcdef",
            "spec_hash": next(spec_hash(item) for item in scenes if item.id == scene),
            "generated_at": "2026-11-01T00:00:00Z",
        } | more
        append_items(self.entity / "imagery.yaml", "generated_images", [item], library=self.home / "locks", same=())

    def sha256(self, name: str) -> str:
        return hashlib.sha256((self.entity / "images" / name).read_bytes()).hexdigest()

    def write_page(self) -> str:
        """Write the report and return its page."""
        settings = self.settings()
        plan = make_plan(settings, scope=["all"])
        write_report(Survey(settings, State.of(settings), plan), self.html.parent)
        return self.html.read_text("utf-8")

    def review(self, **asked: Any) -> str:
        settings = self.settings(**asked)
        return review(settings, State.of(settings))


def make_review_world(home: Path) -> ReviewWorld:
    """Return such a library in the folder *home*."""
    world = ReviewWorld(home)
    (world.entity / "images").mkdir(parents=True)
    (world.entity / "imagery.yaml").write_text(ODA)
    world.record("lamp", 1, "lamp.png", "teal")
    world.record("lamp", 2, "lamp_c2.png", "olive")
    world.record("rope", 1, "rope.png", "maroon")
    (world.entity / "images" / "pier.png").write_bytes(png(400, 300, "navy"))
    return world
