"""Builders of what chargen stores: whole objects with plain values, of which a test says only what matters to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

from chargen.base import durable
from chargen.base.reading import build
from chargen.library.target import Target
from chargen.operations.analyze.extra import AnalysisExtra
from chargen.operations.enhance.extra import EnhancementExtra
from chargen.records import journal
from chargen.records import settings as config
from chargen.records.batch import BatchEnd, BatchPlan, Cost, Outcome, Receipt, Reference, Task, Times, Tokens
from chargen.records.identity import Wish, display_name, task_key
from chargen.records.journal_lines import EVENTS, Event
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles

BATCH = "0123456789abcdef"
MODEL = "gemini-nano-banana-2.1"
LIBRARY = "lib"
SPEC = "sha256:0123456789abcdef"
WHEN = "2026-11-25T12:00:00Z"


def settings(home: Path, **said: Any) -> Settings:
    """The settings of a run in the folder *home*: the defaults, with the library ``story`` and what is *said*."""
    defaults = yaml.safe_load(config.DEFAULT_CONFIG.read_text("utf-8"))
    return config.settings(defaults | {"library": "story"} | said, home)


def wish(target: str = "character/oda/lamp", variation: int = 1, **said: Any) -> Wish:
    """A wish for a picture of a scene."""
    said.setdefault("operation", "generate")
    said.setdefault("spec_hash", SPEC)
    return Wish(target=Target(target), variation=variation, **said)


def reference(path: str = "characters/oda/images/portrait.png", **said: Any) -> Reference:
    """A portrait that is sent along."""
    about = {"role": "character", "subject": "character/oda", "name": "Oda", "sha256": "0" * 64}
    return Reference(**{**about, "path": path, "mime": "image/png", "bytes": 10, **said})


def task(target: str = "character/oda/lamp", variation: int = 1, **said: Any) -> Task:
    """The task to make a picture of a scene, for ten cents."""
    wanted = said.pop("wish", None) or wish(target, variation)
    about = {
        "wish_id": wanted.id,
        "key": task_key(wanted.target, wanted.variation, {}),
        "title": wanted.target.scene,
        "prompt": "A lamp room.",
        "aspect_ratio": "1:1",
        "image_size": "1K",
        "cost_usd": 0.1,
        "characters": 12,
    }
    return Task(wish=wanted, **{**about, **said})


def analysis(target: str = "character/oda/images/lamp.png", **said: Any) -> Task:
    """The task to look at a picture."""
    extra = AnalysisExtra(kind=Target(target).kind, form="f", version="v")
    wanted = wish(target, operation="analyze")
    about = {"references": (reference(role="input"),), "aspect_ratio": "", "image_size": ""}
    return task(wish=wanted, extra=extra.to_json(), **{**about, **said})


def enhancement(target: str = "enhance/album/lamp.png", **said: Any) -> Task:
    """The task to enhance a picture."""
    name = Target(target).scene
    extra = EnhancementExtra(
        input=name, folder=f"generated_images/{Target(target).slug}", output=name.partition(".")[0]
    )
    wanted = wish(target, operation="enhance")
    about = {"references": (reference(role="input"),)}
    return task(wish=wanted, extra=extra.to_json(), **{**about, **said})


def plan(*tasks: Task, **said: Any) -> BatchPlan:
    """The plan of a batch; of one task that makes a picture if none is given."""
    sent = tasks or (task(),)
    batch, library_id = said.get("batch", BATCH), said.get("library_id", LIBRARY)
    about = {
        "batch": batch,
        "operation": sent[0].wish.operation or "generate",
        "provider": "emulator",
        "library_id": library_id,
        "model": MODEL,
        "display_name": display_name(library_id, batch),
        "cost_usd": round(sum(item.cost_usd for item in sent), 6),
        "tokens": 10,
        "tasks": sent,
    }
    return BatchPlan(**{**about, **said})


def end(state: str = "SUCCEEDED", **said: Any) -> BatchEnd:
    """How a job ended: well."""
    return BatchEnd(state=state, **said)


def outcome(of: Task | None = None, outcome: str = "applied", **said: Any) -> Outcome:
    """What became of a task: its picture is in place, and cost ten cents."""
    sent = of or task()
    about = {
        "key": sent.key,
        "wish_id": sent.wish_id,
        "target": sent.target,
        "variation": sent.wish.variation,
        "spec_hash": sent.wish.spec_hash,
        "attempt": sent.attempt,
        "outcome": outcome,
        "tokens": Tokens(prompt=10, image=1120, total=1130, prompt_image=0),
        "characters": sent.characters,
        "estimated_usd": sent.cost_usd,
        "cost_usd": sent.cost_usd,
        "model": MODEL,
        "model_requested": MODEL,
        "aspect_ratio": sent.aspect_ratio,
        "image_size": sent.image_size,
        "title": sent.title,
        "prompt": sent.prompt,
        "references": sent.references,
        "notes": sent.notes,
    }
    if outcome == "applied":
        about |= {
            "file": f"{sent.target}.png",
            "sha256": "0" * 64,
            "width": 64,
            "height": 64,
            "format": "png",
            "bytes": 9,
        }
    return Outcome(**{**about, **said})


def receipt(*outcomes: Outcome, **said: Any) -> Receipt:
    """The receipt of a batch; of one picture in place if no outcome is given."""
    became = outcomes or (outcome(),)
    counts: dict[str, int] = {}
    for item in became:
        counts[item.outcome] = counts.get(item.outcome, 0) + 1
    about = {
        "batch": BATCH,
        "operation": "generate",
        "provider": "emulator",
        "library_id": LIBRARY,
        "model": MODEL,
        "job": "batches/1",
        "run": "2026-11-25T12-00-00Z-123456",
        "state": "SUCCEEDED",
        "counts": counts,
        "times": Times(submitted=WHEN, fetched=WHEN, applied=WHEN),
        "cost_usd": Cost(
            estimated=sum(item.estimated_usd for item in became), actual=sum(item.cost_usd for item in became)
        ),
        "tasks": became,
    }
    return Receipt(**{**about, **said})


def event(name: str, batch: str = BATCH, **said: Any) -> Event:
    """An event of the journal; an intent is about one wish of one dollar."""
    about: dict[str, Any] = {"time": said.pop("time", journal.now())}
    if name == "intent":
        about |= {"operation": "generate", "model": MODEL, "display_name": display_name(LIBRARY, batch)}
        about |= {"base_url": "http://server", "key": "0123456789ab", "wishes": {"w1": 1}, "cost_usd": 1.0}
    return build(EVENTS[name], {"batch": batch, **about, **said})


def write_plan(files: BatchFiles, *tasks: Task, **said: Any) -> BatchPlan:
    """Pin a batch: leave its plan where every step finds it, and return it."""
    made = replace(plan(*tasks, **said), batch=files.id)
    if "display_name" not in said:
        made = replace(made, display_name=display_name(made.library_id, files.id))
    durable.write_json(files.plan, made.to_json())
    return made
