"""Planning enhancements: the pictures of a folder, what is asked for each of them, and where each result goes."""

from __future__ import annotations

import math
import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path, PurePosixPath
from typing import Any

from chargen.base import durable
from chargen.base.errors import CannotPlan, ChargenError, Place, Problem
from chargen.base.progress import track
from chargen.library.access import may_be_written
from chargen.library.target import Target
from chargen.operations.enhance.inputs import FOLDER_PROMPT, SIDECAR, Input, inputs
from chargen.operations.generate.plan import matches
from chargen.pictures.looks import Look, Looker
from chargen.pictures.presence import is_absent, is_present, why_unreadable
from chargen.planning import budget
from chargen.planning.batches import fill
from chargen.planning.estimates import Estimates, Price
from chargen.planning.fates import Fate, Fates, stored_batches
from chargen.planning.file_plans import FileItem, FilePlan, group_put_back, stand
from chargen.planning.orders import read_orders
from chargen.planning.picking import SentPicture
from chargen.planning.tasks import Shape, Task
from chargen.providers.models import ImageModel, usable
from chargen.providers.parameters import Temperatures, hashed, not_sent, sent_to
from chargen.providers.registry import provider_of
from chargen.records.identity import Wish, digest, task_key
from chargen.records.journal import Journal
from chargen.records.learned import read_learned
from chargen.records.settings import Settings
from chargen.records.state import State

OPERATION = "enhance"
SUBMISSION = "submission.json"
LONGEST_NAME = 200
"""Bytes of a result's name before its number and ending; file systems take 255 in all."""


_Slot = tuple[str, int, str]
"""Name of the input below its folder, variation, and the hash of what was asked."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A picture that can be sent. ``spec`` is the hash of what is asked: content, words and size."""

    item: Input
    look: Look
    spec: str


@dataclass
class _Context:
    """What all tasks of one job share."""

    settings: Settings
    plan: FilePlan
    model: ImageModel
    price: Price
    estimates: Estimates
    fates: Fates
    orders: Mapping[tuple[str, int], int]
    state: State
    journal: Journal
    done: Mapping[_Slot, Mapping[str, Any]]
    """The records of results that are in place."""
    recorded: Sequence[tuple[str, str]]
    """What was ever recorded: the hash of what was asked, and the target."""
    temperatures: Temperatures

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
        raise CannotPlan(f"enhance: folder not found: {source}; set enhance.input_dir to the folder of your pictures")
    _check_readable(job_folder(settings))
    state = State.of(settings)
    catalog = provider_of(settings).catalog(settings)
    plan = FilePlan(OPERATION, catalog, Looker(state.looks))
    choice = settings.models[OPERATION]
    journal = Journal(state)
    model, notice = usable(catalog.image_model, choice.model, choice.fallback, journal.denied_models())
    plan.notices += [notice] if notice else []
    plan.notices += not_sent(OPERATION, model, choice)
    size = settings.enhance.image_size
    estimates = Estimates(catalog, read_learned(state, journal))
    price = estimates.picture(OPERATION, model, size, sent_to(model.takes, choice))
    if size not in model.sizes or price is None:
        raise CannotPlan(f"enhance: {model.name} cannot do {size}; it takes {', '.join(model.sizes)}")
    fates = Fates(journal, settings.retry_max_attempts, stored_batches(state))
    records = _records(job_folder(settings), settings.provider)
    done = _in_place(job_folder(settings), records)
    recorded = [(record["spec_hash"], _target(settings, record["input"])) for record in records]
    temperatures = Temperatures(state, OPERATION, choice)
    context = _Context(
        settings, plan, model, price, estimates, fates, read_orders(state), state, journal, done, recorded, temperatures
    )
    files, hidden = inputs(settings)
    _take_stock(context, files)
    if plan.tasks:
        _check_writable(job_folder(settings))
    if hidden:
        plan.notices.append(f"{hidden} hidden files or folders in {settings.enhance.input_dir} are skipped")
    for entry in journal.in_flight():
        if entry.operation == OPERATION:
            plan.in_flight[entry.batch] = len(entry.wishes)
    plan.lost = journal.lost(OPERATION)
    plan.put_back = group_put_back(plan.items)
    plan.batches = list(fill(plan.tasks, settings, catalog, OPERATION))
    plan.notices += budget.notices(settings, journal, plan.cost_usd)
    return plan


def _check_readable(folder: Path) -> None:
    """Raise ChargenError if it cannot be seen which results are in *folder*."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        if not is_absent(error):
            why = f"{folder} cannot be read ({error.strerror})"
            raise ChargenError(f"enhance: {why}; make it readable, or reconnect its disk, then run again") from None


def _check_writable(folder: Path) -> None:
    """Raise ChargenError if no result could be put into *folder*."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise ChargenError(f"enhance: {folder} is not a folder; set enhance.output_dir to one for the results")
    if not may_be_written(folder):
        raise ChargenError(f"enhance: {folder} is not writable; make it writable, or set enhance.output_dir")


def read_submission(folder: Path) -> dict[str, Any]:
    """Return what is recorded of a job in its folder; empty where nothing is."""
    path = folder / SUBMISSION
    if why := why_unreadable(path):
        raise ChargenError(
            f"{path} {why}; without it all its pictures would be paid for again: make it readable, then run again"
        )
    if not path.exists():
        return {"schema_version": 1, "results": []}
    try:
        data = durable.read_object(path)
        if not isinstance(data.get("results"), list):
            raise durable.UnreadableFile(path, "it has no list `results`")
    except durable.UnreadableFile as error:
        raise ChargenError(
            f"{path}: cannot be read: {error.why}. Fix it or restore a backup: it records what was made"
        ) from None
    return data


def _records(folder: Path, provider: str) -> list[Mapping[str, Any]]:
    """What is recorded of the results in the job's *folder*; those of the emulator count only under it."""
    return [
        record
        for record in read_submission(folder)["results"]
        if record["provider"] != "emulator" or provider == "emulator"
    ]


def results_in(folder: Path, provider: str) -> dict[_Slot, Mapping[str, Any]]:
    """The records of a job's *folder* whose file is there, by input, variation and what was asked for; the last record
    that names a file owns it."""
    return _in_place(folder, _records(folder, provider))


def _in_place(folder: Path, records: Sequence[Mapping[str, Any]]) -> dict[_Slot, Mapping[str, Any]]:
    owners = {record["file"]: record for record in records}
    return {
        (record["input"], record["variation"], record["spec_hash"]): record
        for record in owners.values()
        if is_present(folder / record["file"])
    }


def _target(settings: Settings, name: str) -> Target:
    return Target.of(f"{OPERATION}/{settings.enhance.job_name}", name)


def _take_stock(context: _Context, items: list[Input]) -> None:
    """Note where the results for the files stand, and make the tasks that are wanted."""
    looked_at = track(items, "looking at pictures", len(items))
    asked = [found for item in looked_at if (found := _asked_for(context, item))]
    names = _Names(asked, _known_names(context), context.done, context.settings.enhance.variations)
    for found in asked:
        if stands_for := names.twin_of.get(found.item.name):
            wish = Wish(OPERATION, _target(context.settings, found.item.name), 1, found.spec)
            why = f"is the same picture with the same prompt as {stands_for}"
            context.plan.items.append(FileItem(wish, "twin", found.item.name, why))
            continue
        for variation in range(1, context.settings.enhance.variations + 1):
            _take_one(context, found, names.name_of[found.item.name], names.output_of[found.item.name], variation)


def _asked_for(context: _Context, item: Input) -> _Asked | None:
    """Look at one file; note it as blocked if it cannot be sent."""
    settings, plan = context.settings, context.plan
    target = _target(settings, item.name)
    if settings.only and not matches(settings.only, target):
        return None
    look = Look(trouble=item.trouble) if item.trouble else plan.looker.look(item.path)
    trouble = look.trouble
    if look.placeholder and settings.provider != "emulator":
        trouble = "is a placeholder of the emulator"
    if trouble:
        plan.items.append(FileItem(Wish(OPERATION, target, 1, ""), "blocked", item.name, trouble))
        message = f"{trouble}, so it is skipped"
        plan.problems.append(Problem("warning", "unreadable-input", message, Place(item.name)))
        return None
    if not item.prompt:
        raise CannotPlan(
            f"enhance: {item.path} has no prompt: set enhance.prompt, or write the prompt into {FOLDER_PROMPT} in "
            f"its folder or into {item.path.stem}{SIDECAR} beside it"
        )
    asked = {"sha256": look.sha256, "prompt": item.prompt, "size": settings.enhance.image_size}
    return _Asked(item, look, f"sha256:{digest(asked)}")


def _known_names(context: _Context) -> dict[str, list[str]]:
    """The names under which each content was sent before with the same words, by the hash of what was asked."""
    known: dict[str, dict[str, None]] = {}
    start = _target(context.settings, "")
    for spec, target in chain(context.recorded, _sent(context.state, context.journal)):
        if target.startswith(start):
            known.setdefault(spec, {})[target.removeprefix(start)] = None
    return {spec: list(names) for spec, names in known.items()}


def _sent(state: State, journal: Journal) -> Iterator[tuple[str, str]]:
    """What went out, or may have, as far as its plan is still kept: the hash of what was asked, and the target."""
    for entry in journal.entries.values():
        files = state.batch(entry.batch)
        if entry.operation == OPERATION and (entry.job or entry.open_intent):
            for task in (files.known_plan_json() or {"tasks": ()})["tasks"]:
                yield task["wish"]["spec_hash"], task["wish"]["target"]


class _Names:
    """Under which name each picture is made, and where its results go.

    A picture keeps the name under which it was first sent: a renamed file has its results already. Of several files
    with the same content and words only one is made. Two pictures never share a file for their results.
    """

    def __init__(
        self,
        asked: Sequence[_Asked],
        known: Mapping[str, list[str]],
        done: Mapping[_Slot, Mapping[str, Any]],
        variations: int,
    ):
        self.name_of: dict[str, str] = {}
        self.twin_of: dict[str, str] = {}
        self.output_of: dict[str, str] = {}
        by_spec: dict[str, list[str]] = {}
        for found in asked:
            by_spec.setdefault(found.spec, []).append(found.item.name)
        for spec, names in by_spec.items():
            self._settle(names, known.get(spec, []))
        self._give_outputs([found for found in asked if found.item.name in self.name_of], done, variations)

    def _settle(self, names: Sequence[str], known: Sequence[str]) -> None:
        """Say of the files of one content which of them stand for themselves."""
        own = [name for name in names if name in known]
        if not own:
            own = [names[0]]
            self.name_of[names[0]] = known[0] if known else names[0]
        for name in names:
            if name in own:
                self.name_of.setdefault(name, name)
            else:
                self.twin_of[name] = own[0]

    def _give_outputs(self, makers: Sequence[_Asked], done: Mapping[_Slot, Mapping[str, Any]], variations: int) -> None:
        present = {(self.name_of[found.item.name], found.spec) for found in makers}
        taken: dict[str, tuple[str, str]] = {}  # result without extension -> whose it is
        for (name, _, spec), record in done.items():
            if (name, spec) in present:
                taken[_folded(_stem(record["file"]))] = (name, spec)
        stems = Counter(_folded(_stem(name)) for name, _ in present)
        for found in makers:
            whose = name, _ = self.name_of[found.item.name], found.spec
            for output in _outputs(name, stems[_folded(_stem(name))] > 1):
                results = [_folded(output + suffix(number, variations)) for number in range(1, variations + 1)]
                if all(taken.get(result, whose) == whose for result in results):
                    break
            taken |= dict.fromkeys(results, whose)
            self.output_of[found.item.name] = output


def suffix(variation: int, variations: int) -> str:
    """Return what the name of a result ends in: ``_c<N>`` where there are several."""
    return f"_c{variation}" if variations > 1 else ""


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def _outputs(name: str, shared: bool) -> Iterator[str]:
    """Where the results of the input *name* may go, without extension, the first choice first."""
    stem, ending = _stem(name), PurePosixPath(name).suffix.lstrip(".").lower()
    stem = _cut(stem, LONGEST_NAME)
    with_ending = f"{stem}-{ending}" if ending else stem
    if not shared:
        yield stem
    yield with_ending
    yield from (f"{with_ending}-{number}" for number in count(2))


def _cut(stem: str, most: int) -> str:
    """*stem* with at most so many bytes in its last part: the name of a result is longer than that of its input."""
    folder, slash, last = stem.rpartition("/")
    return folder + slash + last.encode()[:most].decode("utf-8", "ignore").rstrip()


def _folded(name: str) -> str:
    """The name as a file system may take it that knows neither case nor composed letters."""
    return unicodedata.normalize("NFC", name).casefold()


def _take_one(context: _Context, found: _Asked, name: str, output: str, variation: int) -> None:
    """Note where one result stands, and make its task if it is wanted."""
    target = _target(context.settings, name)
    wish = Wish(OPERATION, target, variation, found.spec, context.orders.get((target, variation), 0))
    record = context.done.get((name, variation, found.spec))
    fate = stand(context.fates, wish, "done" if record else None, "")
    task = _task(context, found, name, output, wish, fate)
    stale = fate.status == "done" and record is not None and not _is_current(context, record["task_key"], found, wish)
    context.plan.items.append(
        FileItem(
            wish,
            fate.status,
            found.item.name,
            fate.reason,
            fate.attempt,
            fate.batch,
            stale,
            context.price.usd,
            _target(context.settings, found.item.name),
        )
    )
    if fate.status == "wanted":
        context.plan.tasks.append(task)


def _task(context: _Context, found: _Asked, name: str, output: str, wish: Wish, fate: Fate) -> Task:
    settings, plan, item, look = context.settings, context.plan, found.item, found.look
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
    price, parameters = context.price, sent_to(context.model.takes, settings.models[OPERATION])
    tokens = context.estimates.input_tokens(context.model, len(item.prompt), 1, parameters)
    return Task(
        wish=wish,
        attempt=fate.attempt,
        key=task_key(wish.target, wish.variation, _covered(context, found)),
        title=item.name,
        prompt=item.prompt,
        references=(sent,),
        shape=context.estimates.with_input(
            Shape(context.model, ratio, settings.enhance.image_size, price.usd, price.less, price.more), tokens
        ),
        replaces=None,
        notes=tuple(f"{change} before it was sent" for change in changes),
        weight="medium",
        tokens=tokens,
        characters=len(item.prompt),
        extra={
            "input": name,
            "folder": os.path.relpath(context.folder, settings.home),
            "output": output + suffix(wish.variation, settings.enhance.variations),
        },
    )


def _covered(context: _Context, found: _Asked) -> dict[str, object]:
    """Everything that shapes a result."""
    settings, look = context.settings, found.look
    return {
        "prompt": found.item.prompt,
        "model": context.model.name,
        "aspect_ratio": nearest_ratio(look.width, look.height, context.model.ratios),
        "image_size": settings.enhance.image_size,
        **hashed(OPERATION, sent_to(context.model.takes, settings.models[OPERATION])),
        "safety_settings": list(settings.safety_settings),
        "references": [["input", look.sha256]],
    }


def _is_current(context: _Context, key: str, found: _Asked, wish: Wish) -> bool:
    """Whether *key*, as it was recorded, stands for the request that would be sent today."""
    covered = _covered(context, found)
    others = ({"temperature": other} for other in context.temperatures.others(context.model.takes))
    return any(key == task_key(wish.target, wish.variation, covered | other) for other in chain([{}], others))


def nearest_ratio(width: int, height: int, ratios: tuple[str, ...]) -> str:
    """Return which of *ratios* (like ``16:9``) is nearest to a picture of that size."""

    def distance(ratio: str) -> float:
        across, down = (int(part) for part in ratio.split(":"))
        return abs(math.log((across / down) / (width / height)))

    return min(ratios, key=distance)
