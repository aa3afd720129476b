"""Generate: pictures for the scenes of a library."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

from chargen.base import durable, events, failpoints
from chargen.base.errors import ChargenError
from chargen.base.progress import track
from chargen.library import replacing
from chargen.library.load import BrokenEntity, load_entity
from chargen.library.locking import writing
from chargen.library.model import Entity, Kind
from chargen.library.spec import spec_hash
from chargen.library.writeback import GENERATED_IMAGES, WriteBackError, append_items
from chargen.operations.generate.tasks import OPERATION
from chargen.pictures.formats import BrokenPicture
from chargen.pictures.presence import is_present
from chargen.pictures.provenance import write_sidecar
from chargen.placing.answers import RECORD_WAITS, Answer, Delivery, concerns_one_folder, placed_or_kept, task_record
from chargen.placing.extract import Picture, ahead, extract
from chargen.placing.place import Making, Placed, Placer, entity_folder, prompt_hash, record
from chargen.placing.provenance import describe, finisher
from chargen.planning.fates import Fates
from chargen.planning.orders import read_orders
from chargen.planning.standing import Ledger
from chargen.providers.base import Results, Verdict
from chargen.providers.verdicts import broken_picture
from chargen.records.batch import Outcome, Task
from chargen.records.journal import Journal, now
from chargen.records.settings import Settings
from chargen.records.state import State


def place_all(delivery: Delivery) -> list[Outcome]:
    """Return what became of each task, every picture placed and recorded; entity by entity, in the plan's order."""
    plan = delivery.plan
    done: dict[str, Outcome] = {}
    by_entity: dict[str, list[Answer]] = {}
    for answer in delivery.answers:
        if answer.verdict.picture is None:
            done[answer.task.key] = task_record(plan, answer)
        else:
            by_entity.setdefault(answer.task.target.entity, []).append(answer)
    ordered = [answer for group in by_entity.values() for answer in group]
    root = Path(delivery.settings.library)
    drafts = {key: _draft_folder(root, key) for key in by_entity}

    def extracting(answer: Answer) -> Picture | Verdict:
        finish = finisher(plan, partial(describe, plan, answer, delivery.entry))
        return _extract(delivery.results, answer, drafts[answer.task.target.entity], finish)

    extracted = track(ahead(extracting, ordered), "placing pictures", len(ordered))
    for key, group in by_entity.items():
        with writing(root, entity_folder(root, key)):
            done |= _place_entity(delivery, key, islice(extracted, len(group)))
    return [done[answer.task.key] for answer in delivery.answers]


def _place_entity(
    delivery: Delivery, key: str, extracted: Iterable[tuple[Answer, Picture | Verdict]]
) -> dict[str, Outcome]:
    settings, plan, entry = delivery.settings, delivery.plan, delivery.entry
    durable.sweep(entity_folder(Path(settings.library), key) / "images")
    entity, why_not = entity_now(settings, key)
    placer = Placer(Path(settings.library), delivery.state.unplaced, key, entity, why_not, settings.provider)
    came_back = entry.batch if entry.found_again else ""
    records: list[dict[str, str]] = []
    placed_now: list[tuple[Answer, Picture, Placed]] = []
    done: dict[str, Outcome] = {}
    when = now()
    for answer, picture in extracted:
        if isinstance(picture, Verdict):
            done[answer.task.key] = task_record(plan, Answer(answer.task, answer.line, picture))
            continue
        place = partial(placer.place, answer.task, picture, entry.submitted, came_back)
        placed = placed_or_kept(answer.task.key, place)
        placed_now.append((answer, picture, placed))
        if placed.outcome == "applied" and plan.provenance.store == "sidecar":
            write_sidecar(Path(settings.library) / placed.file, describe(plan, answer, entry), picture.sha256)
            failpoints.reached("told-beside")
        if placed.needs_record:
            prompt = answer.task.prompt
            said = prompt if settings.record_prompt == "text" else prompt_hash(prompt)
            records.append(record(plan, answer.task, placed, picture, Making(delivery.run.folder.name, when, said)))
    placer.finish()
    failure = _write_records(settings, key, records)
    failpoints.reached("written-back")
    for answer, picture, placed in placed_now:
        waits = RECORD_WAITS if failure and placed.needs_record else ""
        done[answer.task.key] = task_record(plan, answer, picture, placed, waits, failure)
    return done


def _write_records(settings: Settings, key: str, records: list[dict[str, str]]) -> str:
    """Append *records* to the entity's file in one rewrite; return what stopped it, or ``""``."""
    if not records:
        return ""
    path = entity_folder(Path(settings.library), key) / "imagery.yaml"
    try:
        # What needs a record was decided on the records present, under the library's lock.
        append_items(path, GENERATED_IMAGES, records, library=Path(settings.library), same=())
    except (WriteBackError, OSError) as error:
        if isinstance(error, OSError) and not concerns_one_folder(error):
            raise
        words = f"{error}\n  the pictures are in place; the next run adds their records"
        events.log("kept", words, level="warning", on_terminal=True, target=key)
        return str(error)
    return ""


def entity_now(settings: Settings, key: str) -> tuple[Entity | None, str]:
    """Return the entity as its folder stands at this moment, or why there is none.

    A file that its author is saving is waited for, a few seconds. Raises ChargenError if the whole library is gone: a
    disk that is not there for the moment says nothing about what is wanted.
    """
    root = Path(settings.library)
    if not root.is_dir():
        raise ChargenError(f"Library folder not found: {root}. Nothing is lost; restore it, then run again")
    folder = entity_folder(root, key)
    if not is_present(folder):
        return None, "folder-gone"
    if why := replacing.wait_until_settled(folder / "imagery.yaml"):
        events.log("problem", f"{folder / 'imagery.yaml'} {why}", level="warning", target=key)
        return None, "imagery-broken"
    try:
        return load_entity(
            root, _KINDS[key.partition("/")[0]], folder.name, adopt_existing=False, provider=settings.provider
        ), ""
    except BrokenEntity as broken:
        events.log("problem", str(broken), level="warning", target=key)
        return None, "imagery-broken"


_KINDS: dict[str, Kind] = {"character": "character", "location": "location", "chapter": "chapter"}


def _draft_folder(root: Path, key: str) -> Path | None:
    """Where the pictures of an entity may be written before they have a name: where they will stand, if that exists."""
    images = entity_folder(root, key) / "images"
    try:
        if not images.parent.is_dir() or not Path(os.path.realpath(images)).is_relative_to(os.path.realpath(root)):
            return None
        images.mkdir(exist_ok=True)
    except OSError:
        return None
    return images if os.access(images, os.W_OK) else None


def _extract(
    results: Results, answer: Answer, folder: Path | None, finish: Callable[[bytes], bytes] | None
) -> Picture | Verdict:
    assert answer.verdict.picture is not None
    draft = durable.draft_of(folder / answer.task.wish_id) if folder else None
    try:
        return extract(results, answer.verdict.picture, draft, finish)
    except BrokenPicture as broken:
        return broken_picture(broken.reason)


def made_already(settings: Settings, state: State, tasks: Iterable[Task]) -> list[str]:
    """Return the wish ids of tasks whose picture the library already has.

    Only an imagery.yaml that names what one of its tasks asks for is read as a whole; most name none.
    """
    root = Path(settings.library)
    groups = _by_entity(tasks)
    named = [key for key, group in groups.items() if _names_any(entity_folder(root, key) / "imagery.yaml", group)]
    if not named:
        return []
    fates = Fates(Journal.recent(state), settings.retry_max_attempts, frozenset())
    ledger = Ledger(root, settings.provider, fates, read_orders(state))
    made = []
    for key in named:
        entity = entity_if_readable(settings, key)
        standings = ledger.standings(entity, OPERATION) if entity else []
        there = {standing.wish.id for standing in standings if standing.status == "done"}
        made += [task.wish_id for task in groups[key] if task.wish_id in there]
    return made


def _names_any(path: Path, tasks: Iterable[Task]) -> bool:
    """Whether the file holds the hash of what any of *tasks* asks for, as a record of its picture does."""
    try:
        text = path.read_bytes()
    except OSError:
        return False
    return any(task.wish.spec_hash.encode() in text for task in tasks)


def entity_if_readable(settings: Settings, key: str) -> Entity | None:
    """Return the entity as its folder stands, None if there is none or it cannot be read at the moment."""
    root = Path(settings.library)
    kind, slug = _KINDS[key.partition("/")[0]], entity_folder(root, key).name
    try:
        return load_entity(root, kind, slug, adopt_existing=settings.adopt_existing, provider=settings.provider)
    except (BrokenEntity, OSError):
        return None


def _by_entity(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.target.entity, []).append(task)
    return groups


def still_wanted(settings: Settings, records: Iterable[Outcome]) -> Iterator[str]:
    """Yield the keys of those task *records* whose scene still wants them."""
    entities: dict[str, Entity | None] = {}
    for item in records:
        key = item.target.entity
        if key not in entities:
            entities[key], _ = entity_now(settings, key)
        entity = entities[key]
        name = item.target.scene
        scene = next((scene for scene in entity.scenes if scene.id == name), None) if entity else None
        if scene is not None and spec_hash(scene) == item.spec_hash:
            yield item.key
