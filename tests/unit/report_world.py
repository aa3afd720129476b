"""A library with pictures, receipts and a plan, laid out by hand: what the tests of the report report on."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from chargen.base import durable
from chargen.base.errors import Place, Problem
from chargen.library.model import Entity, Kind, Library, Record, Scene
from chargen.planning.plan import Stale
from chargen.planning.scene_plans import ScenePlan
from chargen.planning.standing import Standing, Status
from chargen.providers.models import load_catalog
from chargen.records import settings as config
from chargen.records.identity import Wish
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import State
from chargen.report.survey import CurrentRun, Survey

RUN = "2026-11-21T17-58-00Z"
STARTED = "2026-11-21T17:58:00Z"
EARLIER = "2026-11-20T08-00-00Z"
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
        scene = Scene(entity, id, Place(file, lines, 5), {"prompt": prompt}, title=title, prompt=prompt)
        self.scenes.setdefault(entity, []).append(scene)
        return scene

    def wish(self, target: str, variation: int = 1, spec: str = "sha256:1") -> Wish:
        return Wish("generate", target, variation, spec)

    def key(self, target: str, variation: int = 1) -> str:
        suffix = f"_c{variation}" if variation > 1 else ""
        return f"{target}{suffix}@sha256:{hashlib.sha256(target.encode()).hexdigest()[:16]}"

    def stand(
        self, scene: Scene, status: Status, *, variation: int = 1, record: Mapping[str, str] | None = None,
        spec: str = "sha256:1", picture: bytes = b"", name: str = "", **more: Any,
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
        data = {"model": "gemini-3-pro-image", "prompt_used": f"Paint this. {scene.prompt}", **values}
        record = Record(
            scene.id, variation, path, values.get("status", "generated"), values.get("provider", "google"),
            hashlib.sha256(picture).hexdigest(), values.get("task_key", self.key(scene.target, variation)), "sha256:1",
            values.get("generated_at", "2026-11-21T18:04:05Z"), data, Place(scene.place.file, 90),
        )  # fmt: skip
        self.records.setdefault(scene.entity, []).append(record)
        return record

    def task(
        self, target: str, outcome: str = "applied", *, variation: int = 1, attempt: int = 1, **more: Any
    ) -> dict[str, Any]:
        """Return the record of one task as a receipt holds it."""
        has = outcome in ("applied", "superseded", "unplaced")
        kind, slug, id = target.split("/")
        return {
            "key": self.key(target, variation),
            "wish_id": self.wish(target, variation, more.pop("spec", "sha256:1")).id,
            "target": target,
            "variation": variation,
            "spec_hash": "sha256:1",
            "attempt": attempt,
            "outcome": outcome,
            "reason": "" if has else "image-safety",
            "advice": "" if has else "say it with other words",
            "said": "" if has else "finishReason IMAGE_SAFETY",
            "file": f"{FOLDERS.get(kind)}/{slug}/images/{id}.png" if has else "",  # type: ignore[call-overload]
            "sha256": "a" * 64 if has else "",
            "width": 896 if has else 0,
            "height": 1200 if has else 0,
            "format": "png" if has else "",
            "bytes": 1_400_000 if has else 0,
            "tokens": {
                "prompt": 300,
                "image": 1120 if has else 0,
                "text": 0,
                "thoughts": 40,
                "total": 1460 if has else 340,
            },
            "estimated_usd": 0.067,
            "cost_usd": 0.067 if has else 0.0,
            "model": "gemini-3-pro-image",
            "model_requested": "gemini-3-pro-image",
            "aspect_ratio": "3:4",
            "image_size": "1K",
            "title": id.replace("-", " ").capitalize(),
            "prompt": f"Paint {id}.",
            "references": [],
            "finish_reason": "STOP" if has else "IMAGE_SAFETY",
            "notes": [],
            "archived": "",
        } | more

    def receipt(self, batch: str, tasks: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Write the receipt of *batch* and return it."""
        outcomes = [task["outcome"] for task in tasks]
        run = more.get("run", RUN)
        day = run[:10]
        receipt = {
            "schema_version": 1,
            "batch": batch,
            "operation": "generate",
            "provider": self.settings.provider,
            "library_id": self.settings.library_id,
            "model": "gemini-3-pro-image",
            "job": f"batches/{batch}",
            "run": run,
            "state": "SUCCEEDED",
            "error": "",
            "follow_ups": [],
            "counts": {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
            "times": {
                "submitted": f"{day}T17:58:20Z", "fetched": f"{day}T18:03:50Z", "applied": f"{day}T18:04:05Z",
            },
            "cost_usd": {
                "estimated": 0.067 * len(tasks),
                "actual": sum(task["cost_usd"] for task in tasks),
                "batch_discount": 0.5,
            },
            "warnings": [],
            "tasks": tasks,
        } | more  # fmt: skip
        durable.write_json(self.state.batch(batch).receipt, receipt)
        return receipt

    def in_flight(self, batch: str, targets: list[str]) -> None:
        """Write the plan and the journal of a batch that waits on the server."""
        tasks = [
            {
                "wish": {"target": target, "variation": 1},
                "wish_id": self.wish(target).id,
                "attempt": 1,
                "key": self.key(target),
                "title": target,
                "prompt": "Paint.",
                "references": [],
                "aspect_ratio": "3:4",
                "image_size": "1K",
                "cost_usd": 0.067,
                "notes": [],
            }
            for target in targets
        ]
        durable.write_json(self.state.batch(batch).plan, {"tasks": tasks})
        journal = Journal(self.state)
        wishes = {task["wish_id"]: 1 for task in tasks}
        journal.append(
            "intent", batch, operation="generate", model="gemini-3-pro-image", display_name=f"chargen-x-{batch}",
            base_url="", key="", wishes=wishes, cost_usd=0.067 * len(tasks), tokens=0,
        )  # fmt: skip
        journal.append("created", batch, job=f"batches/{batch}", adopted=False)

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
    values = yaml.safe_load(config.DEFAULT_CONFIG.read_text("utf-8"))
    values |= {"library": str(library), "provider": "gemini", **overrides}
    return World(home, config.settings(values, home))


def png(width: int = 60, height: int = 80, colour: str = "teal") -> bytes:
    """Return a small picture."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "png")
    return buffer.getvalue()
