"""Generate: pictures for the scenes of a library."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from chargen.base import durable, events, failpoints
from chargen.library.model import Entity
from chargen.library.writeback import GENERATED_IMAGES, WriteBackError, append_items
from chargen.operations.generate.extra import GenerationExtra
from chargen.operations.generate.tasks import OPERATION
from chargen.pictures.provenance import write_sidecar
from chargen.placing.answers import Answer, Delivery, concerns_one_folder, placed_or_kept, task_record
from chargen.placing.entities import entity_if_readable, entity_now
from chargen.placing.extract import Picture
from chargen.placing.loop import Extracted, Outcomes, place_pictures
from chargen.placing.place import Making, Placed, Placer, entity_folder, prompt_hash, record
from chargen.placing.provenance import describe
from chargen.planning.fates import Fates
from chargen.planning.orders import read_orders
from chargen.planning.same_words import SameWords
from chargen.planning.standing import Ledger
from chargen.providers.base import Verdict
from chargen.records.batch import RECORD_WAITS, Outcome, Task
from chargen.records.journal import Journal, now
from chargen.records.settings import Settings
from chargen.records.state import State


def place_all(delivery: Delivery) -> list[Outcome]:
    """Return what became of each task, every picture placed and recorded; entity by entity, in the plan's order."""
    root = Path(delivery.settings.library)
    return place_pictures(
        delivery,
        lambda task: task.target.entity,
        lambda key: (root, entity_folder(root, key)),
        partial(_place_entity, delivery),
        partial(_draft_folder, root),
    )


def _place_entity(delivery: Delivery, key: str, extracted: Iterable[Extracted]) -> Outcomes:
    """Place and record the pictures of one entity."""
    settings, plan, entry = delivery.settings, delivery.plan, delivery.entry
    durable.sweep(entity_folder(Path(settings.library), key) / "images")
    entity, why_not = entity_now(settings, key)
    placer = Placer(Path(settings.library), delivery.state, key, entity, why_not, settings.provider)
    came_back = entry.batch if entry.found_again else ""
    records: list[dict[str, str]] = []
    placed_now: list[tuple[Answer, Picture, Placed]] = []
    done: Outcomes = {}
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
            failpoints.reached("sidecar-written")
        if placed.needs_record:
            prompt = answer.task.prompt
            said = prompt if settings.record_prompt == "text" else prompt_hash(prompt)
            more = answer.task.extra_as(GenerationExtra).to_json()
            making = Making(delivery.run.folder.name, when, said, more)
            records.append(record(plan, answer.task, placed, picture, making))
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
    ledger = Ledger(root, settings.provider, fates, read_orders(state), SameWords(state))
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


def _by_entity(tasks: Iterable[Task]) -> dict[str, list[Task]]:
    groups: dict[str, list[Task]] = {}
    for task in tasks:
        groups.setdefault(task.target.entity, []).append(task)
    return groups


def still_wanted(settings: Settings, records: Iterable[Outcome]) -> Iterator[str]:
    """Yield the keys of those task *records* whose scene still wants them."""
    entities: dict[str, Entity | None] = {}
    words = SameWords(State.of(settings))
    for item in records:
        key = item.target.entity
        if key not in entities:
            entities[key], _ = entity_now(settings, key)
        entity = entities[key]
        name = item.target.scene
        scene = next((scene for scene in entity.scenes if scene.id == name), None) if entity else None
        if scene is not None and words.asks_for(scene, item.spec_hash):
            yield item.key
