"""A library on disk with pictures to review, and its page: what the tests of reviewing on the page look at."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from report_world import png

import builders
from chargen.library.load import load_entity
from chargen.library.model import Entity
from chargen.library.spec import spec_hash
from chargen.library.writeback import append_items
from chargen.operations.generate.plan import make_plan
from chargen.planning.scene_plans import ScenePlan
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
    """A library with one character, Oda, whose pictures are put in place one by one; ``called`` changes settings."""

    home: Path
    imagery: str = ODA
    called: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.entity / "images").mkdir(parents=True)
        (self.entity / "imagery.yaml").write_text(self.imagery)

    @property
    def library(self) -> Path:
        return self.home / "story"

    @property
    def entity(self) -> Path:
        return self.library / "characters" / "oda"

    @property
    def html(self) -> Path:
        return self.home / "results" / "report.html"

    def settings(self, **asked: Any) -> Settings:
        return replace(builders.settings(self.home, **asked), **self.called)

    def record(self, scene: str, variation: int, name: str, **more: str) -> None:
        """Put a picture in place and record it, as made for the scene's present words; its colour is its own."""
        colour = hashlib.sha256(f"{scene} {variation} {more}".encode()).hexdigest()[:6]
        (self.entity / "images" / name).write_bytes(png(300, 400, f"#{colour}"))
        scenes = load_entity(self.library, "character", "oda").scenes
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

    def read(self) -> Entity:
        """The character as its file says now."""
        return load_entity(self.library, "character", "oda", provider="emulator")

    def plan(self) -> ScenePlan:
        return make_plan(self.settings(), scope=["all"])

    def write_page(self) -> str:
        """Write the report and return its page."""
        settings = self.settings()
        write_report(Survey(settings, State.of(settings), self.plan()), self.html.parent)
        return self.html.read_text("utf-8")

    def review(self, **asked: Any) -> str:
        settings = self.settings(**asked)
        return review(settings, State.of(settings))


def make_review_world(home: Path) -> ReviewWorld:
    """Two pictures of the lamp, one of the rope, and the pier from before chargen; the fog has none."""
    world = ReviewWorld(home)
    world.record("lamp", 1, "lamp.png")
    world.record("lamp", 2, "lamp_c2.png")
    world.record("rope", 1, "rope.png")
    (world.entity / "images" / "pier.png").write_bytes(png(400, 300, "navy"))
    return world
