"""A small library whose batches go out to the emulator, step by step and in this process, without waiting."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import yaml

from chargen.base import durable
from chargen.base import schemas as schema
from chargen.operations import operation as find
from chargen.operations.pin import pin
from chargen.planning.plan import Plan
from chargen.providers.gemini.client import Remote
from chargen.records import settings as config
from chargen.records.batch import Receipt
from chargen.records.journal import Journal
from chargen.records.settings import EMULATOR_KEY
from chargen.records.state import BatchFiles, State
from chargen.steps.apply import apply
from chargen.steps.cleanup import tidy
from chargen.steps.stage import stage
from chargen.steps.submit import submit
from chargen.steps.watch import Watch
from emulator_fixture import Emulator

IMAGERY = """
name: Oda Brennick
scenes:
  - {id: lamp-room, prompt: Oda trims the lamp.}
  - {id: stairs, prompt: Oda on the stairs.}
  - {id: gallery, prompt: Oda looks out to sea.}
  - {id: boat, prompt: Oda paints the boat.}
"""
SCENES = 4


class World:
    """One library, one emulator; *settle_s* is how long strange results must stay the same."""

    def __init__(self, folder: Path, emulator: Emulator, settle_s: float = 0.0) -> None:
        self.emulator = emulator
        entity = folder / "story" / "characters" / "oda-brennick"
        entity.mkdir(parents=True)
        self.imagery = entity / "imagery.yaml"
        self.imagery.write_text(IMAGERY.lstrip())
        defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
        settings = config.settings(defaults | {"library": "story", "base_url": emulator.url}, folder)
        poll = dataclasses.replace(settings.poll, interval_s=0.0, settle_s=settle_s)
        submitting = dataclasses.replace(settings.submit, timeout_s=1.0, grace_s=0.1)
        self.settings = dataclasses.replace(settings, poll=poll, submit=submitting)
        self.state = State.of(self.settings)
        self.run = self.state.run("2026-11-25T00-00-00Z")
        self.run.folder.mkdir(parents=True)
        self.remote = Remote(emulator.url, EMULATOR_KEY, 5, 5)

    def plan(self, operation: str = "generate") -> Plan[Any]:
        """What a run would do now."""
        return find(operation).plan(self.settings, ["all"])

    def send(self, operation: str = "generate") -> list[BatchFiles]:
        """Send what is wanted; return the batches."""
        plan = self.plan(operation)
        pin(self.settings, self.state, self.run, plan, "", [])
        sent = [self.state.batch(batch.id) for batch in plan.batches]
        for files in sent:
            stage(self.settings, self.state, files, self.remote)
            submit(self.settings, self.state, files, self.remote, self.run)
        return sent

    def send_pinned(self, batch: str) -> None:
        """Send a batch that an earlier plan pinned."""
        submit(self.settings, self.state, self.state.batch(batch), self.remote, self.run)

    def enhance_folder(self) -> Path:
        """Make the folder whose pictures are enhanced, and return it."""
        enhance = dataclasses.replace(self.settings.enhance, prompt="Paint it in oil.")
        self.settings = dataclasses.replace(self.settings, enhance=enhance)
        folder = Path(enhance.input_dir)
        folder.mkdir()
        return folder

    def write_settings(self) -> None:
        """Leave the settings where a step of another process finds them."""
        durable.write_json(self.run.settings, self.settings.to_json())

    def look(self, times: int = 1) -> Watch:
        """Check the jobs in flight as often as that, and download what has ended."""
        watch = Watch(self.settings, self.state, self.remote, self.run)
        for _ in range(times):
            watch.tick(first=True)
        return watch

    def apply(self, files: BatchFiles) -> Receipt:
        """Place what came of a batch, and tidy up; return its receipt."""
        receipt = apply(self.settings, self.state, files, self.run)
        tidy(self.settings, self.state, files)
        return receipt

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The journal's lines of one kind."""
        lines = [json.loads(line) for line in self.state.journal.read_text().splitlines()]
        return [line for line in lines if line["event"] == kind]

    def deleted(self) -> int:
        """How many jobs the server was asked to delete."""
        return self.emulator.count("delete")

    def in_flight(self) -> list[str]:
        """The batches in flight."""
        return [entry.batch for entry in Journal(self.state).in_flight()]

    def pictures(self) -> list[str]:
        """The pictures in place."""
        return sorted(path.stem for path in self.imagery.parent.glob("images/*") if path.is_file())
