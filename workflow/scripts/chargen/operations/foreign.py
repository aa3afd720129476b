"""What a job was about of which only the results are left: another machine made it, or a state/ that is gone.

Its tasks are what its keys and the library say. A key that would be sent today is that very task; of any other, the
words are unknown: a scene's picture is archived as superseded, an enhanced picture is placed without counting as done,
and what was said about a picture is kept in the stored answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import chain, product
from pathlib import PurePosixPath
from typing import Any

from chargen.analysis.form import MAX_TRAITS
from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.library.load import load_library
from chargen.library.model import KIND_FOLDERS
from chargen.library.slugs import folder_fault, foreign_id
from chargen.library.target import Target
from chargen.operations.enhance.plan import job_folder, suffix
from chargen.operations.plans import make_any_plan
from chargen.providers.base import RemoteJob
from chargen.providers.prices import known_prices
from chargen.providers.registry import provider_of
from chargen.records.identity import UNKNOWN, Wish, batch_id, digest, split_key
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles

Json = dict[str, Any]

MAX_GUESSES = 10_000
"""How many ways to spread attempts over the tasks of a foreign job are tried, to find those that its id stands for."""
_NOTE = "collected without its plan: the request is unknown"


def plan_from_results(settings: Settings, files: BatchFiles, job: RemoteJob) -> Json:
    """Return the plan of the batch whose downloaded results lie in *files*.

    Raises ChargenError if there are results and none of their keys is one of chargen's.
    """
    keys = list(_keys(settings, files))
    parts = {key: found for key in keys if (found := _split(key))}
    if keys and not parts:
        raise ChargenError(
            f"{job.name}: its results are not from chargen: their keys look like {keys[0][:80]!r}. If they are "
            "not needed: "
            f"snakemake cleanup --config delete={job.name}"
        )
    operation = _operation(settings, [target for target, _ in parts.values()], job.model)
    parts = {key: found for key, found in parts.items() if _operation_of(found[0]) == operation}
    then = _as_then(settings, operation, job.model, [target for target, _ in parts.values()])
    today = _today(then, operation, job.model)
    blank = _BLANK[operation](then, parts.values())
    tasks = [
        today[key] if key in today else blank(key, target, variation) for key, (target, variation) in parts.items()
    ]
    tasks = attempted(tasks, files.id, settings.retry_max_attempts)
    prices = known_prices(settings)
    return {
        "schema_version": 1,
        "batch": files.id,
        "operation": operation,
        "provider": settings.provider,
        "library_id": settings.library_id,
        "model": job.model,
        "display_name": job.display_name,
        "temperature": None,
        "safety_settings": [],
        "store_requests": settings.store_requests,
        "cost_usd": round(sum(task["cost_usd"] for task in tasks), 6),
        "batch_discount": prices.batch_discount if prices else 0.0,
        "tokens": 0,
        "provenance": {"store": settings.provenance, "prompt": settings.record_prompt},
        "tasks": tasks,
    }


def attempted(tasks: list[Json], batch: str, most: int) -> list[Json]:
    """Return *tasks* with the attempts, each up to *most*, that the id of their *batch* stands for; as they are if none
    fit.

    Whoever took a job for a first attempt that was another's second one would send that very batch again.
    """
    known = [(task["wish_id"], task["key"]) for task in tasks]
    alike = ((attempt,) * len(known) for attempt in range(1, most + 1))
    mixed = product(range(1, most + 1), repeat=len(known)) if most ** len(known) <= MAX_GUESSES else ()
    for attempts in chain(alike, mixed):
        sent = zip(known, attempts, strict=True)
        if batch_id((wish, key, attempt) for (wish, key), attempt in sent) == batch:
            return [task | {"attempt": attempt} for task, attempt in zip(tasks, attempts, strict=True)]
    return tasks


def _keys(settings: Settings, files: BatchFiles) -> dict[str, None]:
    """The keys of the results in their order, each once; none where no results are left."""
    if not files.responses.exists():
        return {}
    with provider_of(settings).results(files.responses) as results:
        return dict.fromkeys(line.key for line in results if line.key)


def _split(key: str) -> tuple[str, int] | None:
    """Return target and variation of a key that chargen may have made; None for any other.

    A key comes from the server: what it names becomes a path, so each part of it must be a plain name.
    """
    try:
        target, variation = split_key(key)
    except ValueError:
        return None
    kind, owner, *rest = target.split("/") if "/" in target else (target, "")
    if not rest or folder_fault(owner) or any(part in ("", ".", "..") or "\0" in part for part in (owner, *rest)):
        return None
    if kind == "enhance":
        return target, variation
    is_scene = len(rest) == 1 and foreign_id(rest[0]) == rest[0]
    is_picture = len(rest) == 2 and rest[0] == "images"
    return (target, variation) if kind in KIND_FOLDERS.values() and (is_scene or is_picture) else None


def _operation(settings: Settings, targets: Iterable[str], model: str) -> str:
    """Which operation has such targets; a job without results is told by its model."""
    for target in targets:
        return _operation_of(target)
    prices = known_prices(settings)
    return "analyze" if prices and model in prices.facts["text_models"] else "generate"


def _operation_of(target: str) -> str:
    kind, _, rest = target.split("/", 2)
    if kind == "enhance":
        return "enhance"
    return "analyze" if rest.startswith("images/") else "generate"


def _as_then(settings: Settings, operation: str, model: str, targets: list[str]) -> Settings:
    """The settings under which the job may have been sent: its own model and job name, and nothing left out."""
    choice = replace(settings.models[operation], model=model, fallback="")
    changed = replace(settings, models={**settings.models, operation: choice}, only=(), strict=False)
    if operation == "enhance" and targets:
        return replace(changed, enhance=replace(settings.enhance, job_name=targets[0].split("/")[1]))
    return changed


def _today(settings: Settings, operation: str, model: str) -> dict[str, Json]:
    """What would be sent today, by key; nothing if that cannot be planned, which is said."""
    try:
        plan = make_any_plan(settings, operation, ["all"])
    except ChargenError as error:
        words = f"{error}\n  the requests of the job are treated as unknown"
        events.log("problem", words, level="warning", model=model)
        return {}
    return {task.key: task.to_json() for task in plan.tasks}


_Blank = Callable[[str, str, int], Json]


def _blank_scenes(settings: Settings, parts: Iterable[tuple[str, int]]) -> _Blank:
    def blank(key: str, target: str, variation: int) -> Json:
        return _task("generate", key, target, variation) | {"image_size": "1K"}

    return blank


def _blank_analyses(settings: Settings, parts: Iterable[tuple[str, int]]) -> _Blank:
    library = load_library(settings.library_root, exclude=settings.exclude, provider=settings.provider)

    def blank(key: str, target: str, variation: int) -> Json:
        kind, name, path = target.split("/", 2)
        entity = library.entity(f"{kind}/{name}")
        picture = {"role": "input", "subject": f"{kind}/{name}", "name": name, "path": path}
        return _task("analyze", key, target, variation) | {
            "references": [picture | {"sha256": UNKNOWN, "mime": "", "bytes": 0}],
            "kind": kind,
            "traits": list(entity.traits[:MAX_TRAITS]) if entity else [],
            "form": UNKNOWN,
            "corrections": [_NOTE],
            "version": UNKNOWN,
        }

    return blank


def _blank_enhancements(settings: Settings, parts: Iterable[tuple[str, int]]) -> _Blank:
    most = max((variation for _, variation in parts), default=1)
    folder = job_folder(settings)

    def blank(key: str, target: str, variation: int) -> Json:
        name = PurePosixPath(target.split("/", 2)[2])
        stem = name.with_suffix("").as_posix()
        ending = name.suffix.lstrip(".").lower()
        return _task("enhance", key, target, variation) | {
            "image_size": "1K",
            "input": name.as_posix(),
            "folder": os.path.relpath(folder, settings.home),
            "output": (f"{stem}-{ending}" if ending else stem) + suffix(variation, most),
        }

    return blank


_BLANK: dict[str, Callable[[Settings, Iterable[tuple[str, int]]], _Blank]] = {
    "generate": _blank_scenes,
    "analyze": _blank_analyses,
    "enhance": _blank_enhancements,
}


def _task(operation: str, key: str, target: str, variation: int) -> Json:
    """A task of which nothing is known but its key."""
    wish = Wish(operation, Target(target), variation, f"{UNKNOWN}:{digest(key)}")
    return {
        "wish": wish.to_json(),
        "wish_id": wish.id,
        "attempt": 1,
        "key": key,
        "title": target.rsplit("/", 1)[-1],
        "prompt": "",
        "references": [],
        "aspect_ratio": "",
        "image_size": "",
        "cost_usd": 0.0,
        "replaces": None,
        "notes": [_NOTE],
    }
