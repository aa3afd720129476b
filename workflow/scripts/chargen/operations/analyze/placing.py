"""Analyze: what a text model says about the pictures of a library, written where prompts find it again."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chargen.analysis.form import SCHEMA_FIELDS, other_field, read
from chargen.analysis.store import SECTION, SIDECAR, Analysis, read_analyses, write_sidecar
from chargen.base import durable, events, failpoints
from chargen.library.locking import writing
from chargen.library.slugs import slug
from chargen.library.writeback import WriteBackError, append_items
from chargen.operations.analyze.question import load_question
from chargen.operations.analyze.tasks import UNFIT, analysis_key, errors_in
from chargen.operations.generate.placing import entity_if_readable, entity_now
from chargen.pictures import formats as pictures
from chargen.placing.answers import RECORD_WAITS, Answer, concerns_one_folder, task_record
from chargen.placing.place import Placed, entity_folder
from chargen.providers.base import Results, Verdict
from chargen.providers.parameters import planned
from chargen.providers.verdicts import ADVICE
from chargen.records.identity import UNKNOWN
from chargen.records.journal import now
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State

Json = dict[str, Any]

AUTHORS_KEYS = ("id", "type", "status", "is_reference_portrait")
"""What an item of the inventory says that no model is asked; the last item of a path counts whole."""


def place_all(
    settings: Settings,
    state: State,
    run: RunFiles,
    plan: Json,
    answers: Sequence[Answer],
    results: Results,
    submitted: str,
) -> list[Json]:
    """Return the receipt's task records, every analysis that fits its form recorded; one rewrite an entity."""
    by_entity: dict[str, list[Answer]] = {}
    for answer in answers:
        by_entity.setdefault(_entity_key(answer.task), []).append(answer)
    done: dict[str, Json] = {}
    for key, group in by_entity.items():
        root = Path(settings.library)
        with writing(root, entity_folder(root, key)):
            done |= _Desk(settings, state, plan, key).place(group)
    return [done[answer.task["key"]] | {"schema_field": _field(answer.task)} for answer in answers]


def made_already(settings: Settings, tasks: Iterable[Json]) -> list[str]:
    """Return the wish ids of tasks whose picture the library already has an analysis of."""
    made = []
    known: dict[str, Mapping[str, Analysis]] = {}
    for task in tasks:
        key = _entity_key(task)
        if key not in known:
            entity = entity_if_readable(settings, key)
            known[key] = read_analyses(entity, settings.provider) if entity else {}
        analysis = known[key].get(task["wish"]["target"].split("/", 2)[2])
        if analysis and analysis.sha256 == task["references"][0]["sha256"] and not task["wish"]["order"]:
            made.append(task["wish_id"])
    return made


def still_wanted(settings: Settings, records: Iterable[Json]) -> Iterator[str]:
    """Yield the keys of those task *records* whose picture is still there."""
    for item in records:
        if _present_sha256(settings, item["target"]) == item["references"][0]["sha256"]:
            yield item["key"]


def again(settings: Settings, plan: Json, task: Json, record: Json) -> Json:
    """Return *task* as it is sent after *record*. After an answer that did not fit it says what was wrong with that,
    and the form goes into the other field of the request."""
    if record["reason"] != UNFIT:
        return task
    errors = errors_in(record)
    prompt = load_question(Path(settings.analysis)).correct(task["prompt"], errors)
    sha256 = task["references"][0]["sha256"]
    field = other_field(_field(task))
    key = analysis_key(
        settings, task["wish"]["target"], prompt, plan["model"], planned(plan), task["form"], sha256, field
    )
    return task | {"prompt": prompt, "key": key, "corrections": list(errors), "schema_field": field}


def _field(task: Json) -> str:
    """The field of the request that held the form; tasks of 0.1.0 name none."""
    field: str = task.get("schema_field", SCHEMA_FIELDS[0])
    return field


class _Desk:
    """Writes the analyses of one entity's pictures."""

    def __init__(self, settings: Settings, state: State, plan: Json, key: str):
        self._settings = settings
        self._state = state
        self._plan = plan
        self._key = key
        self._entity, self._why_not = entity_now(settings, key)
        self._known = read_analyses(self._entity, settings.provider) if self._entity else {}
        self._folder = entity_folder(Path(settings.library), key)
        self._when = now()

    def place(self, answers: Sequence[Answer]) -> dict[str, Json]:
        """Return the task records by key; everything that belongs to the entity is recorded then."""
        done: dict[str, Json] = {}
        items: list[tuple[Answer, Json, Placed]] = []
        for answer in answers:
            key = answer.task["key"]
            if answer.verdict.kind != "text":
                done[key] = task_record(self._plan, answer)
                continue
            found = read(answer.verdict.text, answer.task["kind"], answer.task["traits"])
            if found.data is None:
                done[key] = self._unfit(answer, found.errors)
            else:
                item = self._item(answer, found.data)
                items.append((answer, item, self._placed(answer, item)))
        failure = self._write([item for _, item, placed in items if placed.needs_record])
        failpoints.reached("written-back")
        for answer, _, placed in items:
            waits = RECORD_WAITS if failure and placed.needs_record else ""
            done[answer.task["key"]] = task_record(self._plan, answer, None, placed, waits, failure)
        return done

    def _placed(self, answer: Answer, item: Json) -> Placed:
        """Decide where the analysis goes; what has no place in the library is kept in the state."""
        path = item["path"]
        if self._entity is None:
            return Placed("unplaced", self._keep(item), self._why_not)
        if item["sha256"] == UNKNOWN:
            return Placed("superseded", "", "words-unknown")
        if _present_sha256(self._settings, answer.task["wish"]["target"]) != item["sha256"]:
            return Placed("superseded", "", "picture-replaced")
        folder = self._folder.relative_to(Path(self._settings.library)).as_posix()
        in_sidecar = self._settings.analyze.store == "sidecar"
        known = self._known.get(path)
        provenance = known.data.get("provenance") if known else None
        recorded = isinstance(provenance, Mapping) and provenance.get("task_key") == answer.task["key"]
        file = f"{folder}/{path}{SIDECAR}" if in_sidecar else f"{folder}/imagery.yaml"
        return Placed("applied", file, needs_record=not recorded)

    def _item(self, answer: Answer, data: Json) -> Json:
        """Return the item as it is recorded: what the file is, what the model says of it, and who said it when."""
        task = answer.task
        path = task["wish"]["target"].split("/", 2)[2]
        data["content"]["tags"] = list(dict.fromkeys(filter(None, (slug(tag) for tag in data["content"]["tags"]))))
        return {
            **self._author_says(path),
            "path": path,
            "sha256": task["references"][0]["sha256"],
            **self._measured(path),
            **data,
            "provenance": {
                "analysis_model": (answer.line.model_version if answer.line else "") or self._plan["model"],
                "provider": "google" if self._plan["provider"] == "gemini" else "emulator",
                "analysis_timestamp": self._when,
                "prompt_version": task["version"],
                "task_key": task["key"],
            },
        }

    def _author_says(self, path: str) -> Json:
        kept: Json = {}
        for item in self._entity.inventory if self._entity else ():
            if item.path == path:
                kept |= {key: item.data[key] for key in AUTHORS_KEYS if key in item.data}
        return kept

    def _measured(self, path: str) -> Json:
        try:
            info = pictures.identify((self._folder / path).read_bytes())
        except OSError:
            return {}
        return {"width": info.width, "height": info.height, "format": info.format} if info else {}

    def _unfit(self, answer: Answer, errors: Sequence[str]) -> Json:
        """Return the record of an answer that does not fit its form; the answer itself is kept in the state."""
        task = answer.task
        name = hashlib.sha256(task["key"].encode()).hexdigest()[:16]
        kept = self._state.batch(self._plan["batch"]).folder / "answers" / f"{name}.txt"
        durable.write(kept, answer.verdict.text.encode("utf-8", "replace"))
        failpoints.reached("answer-kept")
        said = "\n".join(errors)[:1000]
        may_retry = not task["corrections"]
        verdict = Verdict("failed", reason=UNFIT, passing=may_retry, said=said, advice=ADVICE[UNFIT])
        record = task_record(self._plan, Answer(task, answer.line, verdict))
        where = kept.relative_to(self._state.root).as_posix()
        return record | {"notes": [*record["notes"], f"the answer is kept in state/: {where}"]}

    def _keep(self, item: Json) -> str:
        name = item["path"].rsplit("/", 1)[-1]
        target = self._state.unplaced / self._key.replace("/", "-") / f"{name}{SIDECAR}"
        durable.write_json(target, item)
        failpoints.reached("placed")
        return f"unplaced/{target.parent.name}/{target.name}"

    def _write(self, items: Sequence[Json]) -> str:
        """Record *items*; return what stopped it, or ``""``."""
        if not items:
            return ""
        try:
            if self._settings.analyze.store == "sidecar":
                for item in items:
                    write_sidecar(self._folder, item)
                    failpoints.reached("placed")
            else:
                library = Path(self._settings.library)
                append_items(self._folder / "imagery.yaml", SECTION, items, library=library, same=())
        except (WriteBackError, OSError) as error:
            if isinstance(error, OSError) and not concerns_one_folder(error):
                raise
            words = f"{error}\n  the analyses are kept in state/; the next run adds them"
            events.log("kept", words, level="warning", on_terminal=True, target=self._key)
            return str(error)
        return ""


def _entity_key(task: Json) -> str:
    return "/".join(task["wish"]["target"].split("/", 2)[:2])


def _present_sha256(settings: Settings, target: str) -> str:
    """Return the hash of the picture *target* as it is now; ``""`` if it is gone."""
    kind, name, path = target.split("/", 2)
    try:
        return pictures.sha256_file(entity_folder(Path(settings.library), f"{kind}/{name}") / path)
    except OSError:
        return ""
