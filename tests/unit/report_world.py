"""A library with pictures, receipts and a plan, laid out by hand: what the tests of the report report on."""

from __future__ import annotations

import hashlib
import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

import builders
from chargen.base import durable
from chargen.base.errors import Place, Problem
from chargen.library.model import Entity, Kind, Library, Record, Scene
from chargen.planning.plan import Stale
from chargen.planning.scene_plans import ScenePlan
from chargen.planning.standing import Standing, Status
from chargen.providers.models import load_catalog
from chargen.records.batch import WITH_PICTURE, Cost, Outcome, Receipt, Times, Tokens
from chargen.records.identity import Wish, task_key
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import State
from chargen.report.survey import CurrentRun, Survey

RUN = "2026-11-21T17-58-00Z"
STARTED = "2026-11-21T17:58:00Z"
EARLIER = "2026-11-20T08-00-00Z"
MODEL = "gemini-3-pro-image"
PRICE = 0.067
FOLDERS: dict[Kind, str] = {"character": "characters", "location": "locations", "chapter": "chapters"}


@dataclass
class World:
    """Builds what the report reads; `plan` puts it together."""

    home: Path
    settings: Settings
    scenes: dict[str, list[Scene]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    records: dict[str, list[Record]] = field(default_factory=dict)
    standings: list[Standing] = field(default_factory=list)
    stale: list[Stale] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)
    broken: tuple[str, ...] = ()

    @property
    def library(self) -> Path:
        return Path(self.settings.library)

    @property
    def results(self) -> Path:
        return self.home / "results"

    @property
    def state(self) -> State:
        return State.of(self.settings)

    def scene(self, target: str, prompt: str = "Oda trims the great lamp.", title: str = "") -> Scene:
        """Add the scene *target* to its entity."""
        entity, _, id = target.rpartition("/")
        kind, slug = entity.split("/")
        file = f"{FOLDERS[kind]}/{slug}/imagery.yaml"  # type: ignore[index]
        lines = len(self.scenes.get(entity, ())) * 4 + 3
        place = Place(file, lines, 5)
        scene = Scene(entity=entity, id=id, place=place, spec={"prompt": prompt}, title=title, prompt=prompt)
        self.scenes.setdefault(entity, []).append(scene)
        return scene

    def wish(self, target: str, variation: int = 1, spec: str = builders.SPEC) -> Wish:
        return builders.wish(target, variation, spec_hash=spec)

    def key(self, target: str, variation: int = 1) -> str:
        return task_key(target, variation, {})

    def stand(
        self, scene: Scene, status: Status, *, variation: int = 1, record: Mapping[str, str] | None = None,
        spec: str = builders.SPEC, picture: bytes = b"", name: str = "", **more: Any,
    ) -> Standing:  # fmt: skip
        """Say where a picture stands; with *picture*, put these bytes in place, with *record*, record it."""
        kind, slug = scene.entity.split("/")
        folder = f"{FOLDERS[kind]}/{slug}"  # type: ignore[index]
        name = name or f"{scene.id}{f'--v{variation}' if variation > 1 else ''}.png"
        path = ""
        if picture or record is not None:
            path = f"{folder}/images/{name}"
        if picture:
            (self.library / path).parent.mkdir(parents=True, exist_ok=True)
            (self.library / path).write_bytes(picture)
        kept = None
        if record is not None:
            kept = self.record(scene, variation, f"images/{name}", record, picture)
        wish = self.wish(scene.target, variation, spec)
        standing = Standing(scene, variation, wish, status, path, kept, **more)
        self.standings.append(standing)
        return standing

    def record(
        self, scene: Scene, variation: int, path: str, values: Mapping[str, str], picture: bytes = b""
    ) -> Record:
        """Record a picture of *scene* in its entity."""
        data = {"model": MODEL, "prompt_used": f"Paint this. {scene.prompt}", **values}
        record = Record(
            scene.id, variation, path, values.get("status", "generated"), values.get("provider", "google"),
            hashlib.sha256(picture).hexdigest(), values.get("task_key", self.key(scene.target, variation)),
            builders.SPEC, values.get("generated_at", "2026-11-21T18:04:05Z"), data, Place(scene.place.file, 90),
        )  # fmt: skip
        self.records.setdefault(scene.entity, []).append(record)
        return record

    def outcome(
        self, target: str, outcome: str = "applied", *, variation: int = 1, attempt: int = 1,
        spec: str = builders.SPEC, **said: Any,
    ) -> Outcome:  # fmt: skip
        """Return what became of a task: its picture, or a refusal."""
        wish = self.wish(target, variation, spec)
        title = wish.target.scene.replace("-", " ").capitalize()
        task = builders.task(
            wish=wish, attempt=attempt, title=title, prompt=f"Paint {wish.target.scene}.", aspect_ratio="3:4",
            cost_usd=PRICE,
        )  # fmt: skip
        about: dict[str, Any] = {"model": MODEL, "model_requested": MODEL}
        if outcome in WITH_PICTURE:
            folder = FOLDERS.get(wish.target.kind)  # type: ignore[call-overload]
            about |= {
                "file": f"{folder}/{wish.target.slug}/images/{wish.target.scene}.png",
                "sha256": "a" * 64,
                "finish_reason": "STOP",
            }
        else:
            about |= {
                "reason": "image-safety",
                "advice": "say it with other words",
                "said": "finishReason IMAGE_SAFETY",
                "finish_reason": "IMAGE_SAFETY",
                "tokens": Tokens(prompt=300, thoughts=40, total=340),
                "cost_usd": 0.0,
            }
        return builders.outcome(task, outcome, **{**about, **said})

    def receipt(self, batch: str, outcomes: list[Outcome], **said: Any) -> Receipt:
        """Write the receipt of *batch* and return it."""
        run = said.get("run", RUN)
        day = run[:10]
        about = {
            "batch": batch,
            "provider": self.settings.provider,
            "library_id": self.settings.library_id,
            "model": MODEL,
            "job": f"batches/{batch}",
            "run": run,
            "counts": dict(Counter(item.outcome for item in outcomes)),
            "times": Times(submitted=f"{day}T17:58:20Z", fetched=f"{day}T18:03:50Z", applied=f"{day}T18:04:05Z"),
            "cost_usd": Cost(estimated=PRICE * len(outcomes), actual=sum(item.cost_usd for item in outcomes)),
            "tasks": tuple(outcomes),
        }
        receipt = builders.receipt(**{**about, **said})
        durable.write_json(self.state.batch(batch).receipt, receipt.to_json())
        return receipt

    def in_flight(self, batch: str, targets: list[str]) -> None:
        """Write the plan and the journal of a batch that waits on the server."""
        tasks = [builders.task(target, cost_usd=PRICE, aspect_ratio="3:4") for target in targets]
        plan = builders.write_plan(self.state.batch(batch), *tasks, model=MODEL)
        journal = Journal(self.state)
        about = {"operation": plan.operation, "model": plan.model, "display_name": plan.display_name}
        wishes = {task.wish_id: 1 for task in tasks}
        journal.append(builders.event("intent", batch, **about, wishes=wishes, cost_usd=plan.cost_usd))
        journal.append(builders.event("created", batch, job=f"batches/{batch}", adopted=False))

    def survey(self, run_id: str = "") -> Survey:
        """Return what the report is made from; with *run_id*, at the end of that run, which was for generate_all."""
        current = CurrentRun(run_id, STARTED, ("generate_all",)) if run_id else None
        return Survey(self.settings, self.state, self.plan(), current)

    def plan(self) -> ScenePlan:
        """Return the plan that the report is made from."""
        entities = {}
        for key, scenes in self.scenes.items():
            kind, slug = key.split("/")
            folder = self.library / FOLDERS[kind] / slug  # type: ignore[index]
            entities[key] = Entity(
                kind, slug, folder, self.names.get(key, slug.replace("-", " ").title()),  # type: ignore[arg-type]
                scenes=tuple(scenes), records=tuple(self.records.get(key, ())),
            )  # fmt: skip
        library = Library(self.library, entities, tuple(self.problems), self.broken)
        catalog = load_catalog(Path(self.settings.models_file))
        return ScenePlan(
            "generate", catalog, kinds=frozenset(FOLDERS), library=library, items=self.standings, stale=self.stale,
            problems=self.problems, blocked=self.blocked, broken=self.broken,
        )  # fmt: skip


def make_world(home: Path, **overrides: Any) -> World:
    """Return an empty world in the folder *home*."""
    library = home / "my story" / "story-content"
    library.mkdir(parents=True)
    return World(home, builders.settings(home, **{"library": str(library), "provider": "gemini", **overrides}))


def png(width: int = 60, height: int = 80, colour: str = "teal") -> bytes:
    """Return a small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "png")
    return buffer.getvalue()
