"""Planning enhancements: the pictures of a folder, what is asked for each of them, and where each result goes."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from chargen import durable
from chargen.catalog import ImageModel, load_catalog, usable
from chargen.config import Settings
from chargen.journal import Journal
from chargen.planning.batches import fill
from chargen.planning.fates import Fate, Fates, Status, stored_batches
from chargen.planning.files import FileItem, FilePlan, group_put_back, stand
from chargen.planning.looking import Look, Looker
from chargen.planning.orders import read_orders
from chargen.planning.picking import SentPicture
from chargen.planning.plan import matches
from chargen.planning.tasks import Shape, Task, with_input
from chargen.problems import ChargenError, Place, Problem
from chargen.state import State
from chargen.wishes import Wish, digest, task_key

OPERATION = "enhance"
SUBMISSION = "submission.json"
FOLDER_PROMPT = "prompt.txt"
SIDECAR = ".txt"


@dataclass(frozen=True, slots=True)
class Input:
    """A file of the input folder; ``name`` is its path below that folder with ``/``, ``output`` that of its result
    below the job's folder, without variation and extension."""

    name: str
    path: Path
    prompt: str
    output: str


@dataclass
class _Context:
    """What all tasks of one job share."""

    settings: Settings
    plan: FilePlan
    model: ImageModel
    cost_usd: float
    fates: Fates
    orders: Mapping[tuple[str, int], int]
    done: Mapping[tuple[str, int, str], Mapping[str, Any]] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the job's results go."""
        return job_folder(self.settings)


def job_folder(settings: Settings) -> Path:
    """Return the folder of the configured job's results."""
    return Path(settings.enhance.output_dir) / settings.enhance.job_name


def make_enhancement_plan(settings: Settings) -> FilePlan:
    """Return the plan for ``enhance.input_dir``.

    Raises ChargenError for what stops everything: no such folder or model, a size that the model cannot do, a picture
    without a prompt.
    """
    source = Path(settings.enhance.input_dir)
    if not source.is_dir():
        raise ChargenError(
            f"enhance: there is no folder {source}; set enhance.input_dir to the folder of your pictures"
        )
    state = State.of(settings)
    catalog = load_catalog(Path(settings.models_file))
    plan = FilePlan(OPERATION, catalog, Looker(state))
    choice = settings.models[OPERATION]
    model, notice = usable(catalog.image_model, choice.model, choice.fallback)
    plan.notices += [notice] if notice else []
    size = settings.enhance.image_size
    cost = catalog.image_cost(model, size)
    if size not in model.sizes or cost is None:
        raise ChargenError(f"enhance: {model.name} cannot do {size}; it takes {', '.join(model.sizes)}")
    journal = Journal(state)
    fates = Fates(journal, settings.retry_max_attempts, stored_batches(state))
    context = _Context(settings, plan, model, cost, fates, read_orders(state), _recorded(settings))
    for item in _inputs(settings):
        _take_stock(context, item)
    for entry in journal.in_flight():
        if entry.operation == OPERATION:
            plan.in_flight[entry.batch] = len(entry.wishes)
    plan.put_back = group_put_back(plan.items)
    plan.batches = list(fill(plan.tasks, settings, catalog, OPERATION))
    return plan


def read_submission(folder: Path) -> dict[str, Any]:
    """Return what is recorded of a job in its folder; empty where nothing is."""
    path = folder / SUBMISSION
    if not path.exists():
        return {"schema_version": 1, "results": []}
    try:
        data: dict[str, Any] = durable.read_json(path)
    except ValueError as error:
        raise ChargenError(f"{path}: {error}; mend it, or take the folder away to make its pictures again") from None
    return data


def _recorded(settings: Settings) -> dict[tuple[str, int, str], Mapping[str, Any]]:
    """The records of results that are in place, by target, variation and the hash of what was asked."""
    folder = job_folder(settings)
    found = {}
    for record in read_submission(folder)["results"]:
        counts = record["provider"] != "emulator" or settings.provider == "emulator"
        if counts and (folder / record["file"]).is_file():
            found[_target(settings, record["input"]), record["variation"], record["spec_hash"]] = record
    return found


def _target(settings: Settings, name: str) -> str:
    return f"{OPERATION}/{settings.enhance.job_name}/{name}"


def _inputs(settings: Settings) -> Iterator[Input]:
    """Every file below the input folder that is not a prompt; hidden ones, and our own results, are passed over."""
    source, results = Path(settings.enhance.input_dir), Path(settings.enhance.output_dir)
    files = [path for path in _walk(source) if not path.is_relative_to(results) or source.is_relative_to(results)]
    prompts = set(_prompts(files))
    pictures = [path for path in files if path not in prompts]
    stems = Counter(path.relative_to(source).with_suffix("").as_posix().casefold() for path in pictures)
    for path in pictures:
        name = path.relative_to(source)
        stem = name.with_suffix("").as_posix()
        ending = name.suffix.lstrip(".").lower()
        output = f"{stem}-{ending}" if stems[stem.casefold()] > 1 and ending else stem
        yield Input(name.as_posix(), path, _prompt_for(settings, path, source), output)


def _walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path


def _prompts(files: list[Path]) -> Iterator[Path]:
    """The files that say what is asked: those of folders, and those beside a picture."""
    others = {path for path in files if path.suffix.lower() != SIDECAR}
    whole = {path.with_name(path.name + SIDECAR) for path in others}
    stems = {path.with_suffix(SIDECAR) for path in others}
    yield from (path for path in files if path.name == FOLDER_PROMPT or path in whole or path in stems)


def _prompt_for(settings: Settings, path: Path, source: Path) -> str:
    """What is asked for the picture at *path*: by its own file, by the nearest folder's, else by the configuration."""
    for sidecar in (path.with_name(path.name + SIDECAR), path.with_suffix(SIDECAR)):
        if sidecar != path and sidecar.is_file():
            return _text(sidecar)
    for folder in path.parents:
        if (folder / FOLDER_PROMPT).is_file():
            return _text(folder / FOLDER_PROMPT)
        if folder == source:
            break
    return settings.enhance.prompt.strip()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ChargenError(f"enhance: {path}: the prompt cannot be read ({error})") from None


def _take_stock(context: _Context, item: Input) -> None:
    """Note where the results for one file stand, and make the tasks that are wanted."""
    settings, plan = context.settings, context.plan
    target = _target(settings, item.name)
    if settings.only and not matches(settings.only, target):
        return
    look = plan.looker.look(item.path)
    trouble = look.trouble
    if look.placeholder and settings.provider != "emulator":
        trouble = "is a placeholder of the emulator"
    if trouble:
        wish = Wish(OPERATION, target, 1, "")
        plan.items.append(FileItem(wish, "blocked", item.name, trouble))
        message = f"{trouble}, so it is left out"
        plan.problems.append(Problem("warning", "unreadable-input", message, Place(item.name)))
        return
    if not item.prompt:
        raise ChargenError(
            f"enhance: nothing is asked for {item.path}: set enhance.prompt, or put the words into {FOLDER_PROMPT} in "
            f"its folder or into {item.path.stem}{SIDECAR} beside it"
        )
    spec = f"sha256:{digest({'sha256': look.sha256, 'prompt': item.prompt, 'size': settings.enhance.image_size})}"
    for variation in range(1, settings.enhance.variations + 1):
        wish = Wish(OPERATION, target, variation, spec, context.orders.get((target, variation), 0))
        record = context.done.get((target, variation, spec))
        in_place: Status | None = "done" if record else None
        fate = stand(context.fates, wish, in_place, "")
        task = _task(context, item, look, wish, fate)
        stale = fate.status == "done" and record is not None and record["task_key"] != task.key
        plan.items.append(
            FileItem(wish, fate.status, item.name, fate.reason, fate.attempt, fate.batch, stale, context.cost_usd)
        )
        if fate.status == "wanted":
            plan.tasks.append(task)


def _task(context: _Context, item: Input, look: Look, wish: Wish, fate: Fate) -> Task:
    settings, plan = context.settings, context.plan
    ratio = nearest_ratio(look.width, look.height, context.model.ratios)
    changes = look.prepared(plan.catalog.input_image_side)
    sent = SentPicture(
        "input",
        wish.target,
        PurePosixPath(item.name).name,
        os.path.relpath(item.path, settings.home),
        look.sha256,
        look.mime,
        look.bytes,
        plan.catalog.input_image_side if changes else 0,
    )
    suffix = f"_c{wish.variation}" if settings.enhance.variations > 1 else ""
    shape = {
        "prompt": item.prompt,
        "model": context.model.name,
        "aspect_ratio": ratio,
        "image_size": settings.enhance.image_size,
        "temperature": settings.models[OPERATION].temperature,
        "safety_settings": list(settings.safety_settings),
        "references": [["input", look.sha256]],
    }
    return Task(
        wish=wish,
        attempt=fate.attempt,
        key=task_key(wish.target, wish.variation, shape),
        title=item.name,
        prompt=item.prompt,
        references=(sent,),
        shape=with_input(
            plan.catalog,
            Shape(context.model, ratio, settings.enhance.image_size, context.cost_usd),
            item.prompt,
            references=1,
        ),
        replaces=None,
        notes=tuple(f"{change} before it was sent" for change in changes),
        weight="medium",
        extra={
            "input": item.name,
            "folder": os.path.relpath(context.folder, settings.home),
            "output": item.output + suffix,
        },
    )


def nearest_ratio(width: int, height: int, ratios: tuple[str, ...]) -> str:
    """Return which of *ratios* (like ``16:9``) is nearest to a picture of that size."""

    def distance(ratio: str) -> float:
        across, down = (int(part) for part in ratio.split(":"))
        return abs(math.log((across / down) / (width / height)))

    return min(ratios, key=distance)
