"""Analyze: a text model describes the pictures of a library; prompts use the descriptions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from chargen.analysis.form import other_field, read
from chargen.analysis.store import SECTION, SIDECAR, Analysis, read_analyses, write_sidecar
from chargen.base import durable, events, failpoints
from chargen.base.capabilities import capabilities
from chargen.library.slugs import slug
from chargen.library.target import Target
from chargen.library.writeback import WriteBackError, append_items
from chargen.operations.analyze.extra import AnalysisExtra
from chargen.operations.analyze.question import load_question
from chargen.operations.analyze.tasks import UNFIT, Asked, errors_in
from chargen.pictures import formats as pictures
from chargen.placing.answers import Answer, Delivery, concerns_one_folder, task_record
from chargen.placing.entities import entity_if_readable, entity_now
from chargen.placing.loop import place_answers
from chargen.placing.place import Placed, entity_folder
from chargen.providers.base import Verdict
from chargen.providers.verdicts import ADVICE
from chargen.records.batch import RECORD_WAITS, BatchPlan, Outcome, Task
from chargen.records.extras import AnalysisOutcome
from chargen.records.identity import UNKNOWN
from chargen.records.journal import now
from chargen.records.settings import Settings

Json = dict[str, Any]

AUTHORS_KEYS = ("id", "type", "status", "is_reference_portrait")
"""Keys of an inventory item that do not come from a model; the last item of a path is used."""


def place_all(delivery: Delivery) -> list[Outcome]:
    """Return what became of each task, every analysis that fits its form recorded; one rewrite an entity."""
    root = Path(delivery.settings.library)
    placed = place_answers(
        delivery.answers,
        lambda task: task.target.entity,
        lambda key: (root, entity_folder(root, key)),
        lambda key, group: _Desk(delivery, key).place(group),
    )
    return [_with_field(outcome, answer.task) for outcome, answer in zip(placed, delivery.answers, strict=True)]


def _extra(task: Task) -> AnalysisExtra:
    return task.extra_as(AnalysisExtra)


def _with_field(record: Outcome, task: Task) -> Outcome:
    """Return *record* with the field of the request that held the form."""
    return replace(record, extra=AnalysisOutcome(schema_field=_extra(task).schema_field).to_json())


def made_already(settings: Settings, tasks: Iterable[Task]) -> list[str]:
    """Return the wish ids of tasks whose picture the library already has an analysis of."""
    made = []
    known: dict[str, Mapping[str, Analysis]] = {}
    for task in tasks:
        key = task.target.entity
        if key not in known:
            entity = entity_if_readable(settings, key)
            known[key] = read_analyses(entity, settings.provider) if entity else {}
        analysis = known[key].get(task.target.scene)
        if analysis and analysis.sha256 == task.references[0].sha256 and not task.wish.order:
            made.append(task.wish_id)
    return made


def still_wanted(settings: Settings, records: Iterable[Outcome]) -> Iterator[str]:
    """Yield the keys of those task *records* whose picture is still there."""
    for item in records:
        if _present_sha256(settings, item.target) == item.references[0].sha256:
            yield item.key


def again(settings: Settings, plan: BatchPlan, task: Task, record: Outcome) -> Task:
    """Return *task* as it is sent after *record*. After an answer that did not fit it says what was wrong with that,
    and the form goes into the other field of the request."""
    if record.reason != UNFIT:
        return task
    errors = errors_in(record)
    prompt = load_question(Path(settings.analysis)).correct(task.prompt, errors)
    extra = _extra(task)
    field = other_field(extra.schema_field)
    asked = Asked(prompt, plan.model, plan.parameters, extra.form, task.references[0].sha256, field)
    changed = replace(extra, corrections=errors, schema_field=field)
    return replace(task, prompt=prompt, key=asked.key(settings, task.target), extra={**task.extra, **changed.to_json()})


class _Desk:
    """Writes the analyses of one entity's pictures."""

    def __init__(self, delivery: Delivery, key: str):
        settings = delivery.settings
        self._settings = settings
        self._state = delivery.state
        self._plan = delivery.plan
        self._key = key
        self._entity, self._why_not = entity_now(settings, key)
        self._known = read_analyses(self._entity, settings.provider) if self._entity else {}
        self._folder = entity_folder(Path(settings.library), key)
        self._when = now()

    def place(self, answers: Sequence[Answer]) -> dict[str, Outcome]:
        """Return the task records by key; everything that belongs to the entity is recorded then."""
        done: dict[str, Outcome] = {}
        items: list[tuple[Answer, Json, Placed]] = []
        for answer in answers:
            key, extra = answer.task.key, _extra(answer.task)
            if answer.verdict.kind != "text":
                done[key] = task_record(self._plan, answer)
                continue
            found = read(answer.verdict.text, extra.kind, extra.traits)
            if found.data is None:
                done[key] = self._unfit(answer, found.errors)
            else:
                item = self._item(answer, found.data)
                items.append((answer, item, self._placed(answer, item)))
        failure = self._write([item for _, item, placed in items if placed.needs_record])
        failpoints.reached("written-back")
        for answer, _, placed in items:
            waits = RECORD_WAITS if failure and placed.needs_record else ""
            done[answer.task.key] = task_record(self._plan, answer, None, placed, waits, failure)
        return done

    def _placed(self, answer: Answer, item: Json) -> Placed:
        """Decide where the analysis is stored; one without a place in the library is kept in state/."""
        path, sha256 = answer.task.target.scene, answer.task.references[0].sha256
        if self._entity is None:
            return Placed("unplaced", self._keep(path, item), self._why_not)
        if sha256 == UNKNOWN:
            return Placed("superseded", "", "words-unknown")
        if _present_sha256(self._settings, answer.task.target) != sha256:
            return Placed("superseded", "", "picture-replaced")
        folder = self._folder.relative_to(Path(self._settings.library)).as_posix()
        in_sidecar = self._settings.analyze.store == "sidecar"
        known = self._known.get(path)
        recorded = known is not None and known.task_key == answer.task.key
        file = f"{folder}/{path}{SIDECAR}" if in_sidecar else f"{folder}/imagery.yaml"
        return Placed("applied", file, needs_record=not recorded)

    def _item(self, answer: Answer, data: Json) -> Json:
        """Return the item as it is recorded: what the file is, what the model says of it, and who said it when."""
        task = answer.task
        path = task.target.scene
        data["content"]["tags"] = list(dict.fromkeys(filter(None, (slug(tag) for tag in data["content"]["tags"]))))
        return {
            **self._author_says(path),
            "path": path,
            "sha256": task.references[0].sha256,
            **self._measured(path),
            **data,
            "provenance": {
                "analysis_model": answer.model or self._plan.model,
                "provider": capabilities(self._plan.provider).recorded_as,
                "analysis_timestamp": self._when,
                "prompt_version": _extra(task).version,
                "task_key": task.key,
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

    def _unfit(self, answer: Answer, errors: Sequence[str]) -> Outcome:
        """Return the record of an answer that does not fit its form; the answer itself is kept in the state."""
        task = answer.task
        name = hashlib.sha256(task.key.encode()).hexdigest()[:16]
        kept = self._state.batch(self._plan.batch).folder / "answers" / f"{name}.txt"
        durable.write(kept, answer.verdict.text.encode("utf-8", "replace"))
        failpoints.reached("answer-kept")
        said = "\n".join(errors)[:1000]
        may_retry = not _extra(task).corrections
        verdict = Verdict("failed", reason=UNFIT, passing=may_retry, said=said, advice=ADVICE[UNFIT])
        record = task_record(self._plan, Answer(task, answer.line, verdict))
        where = kept.relative_to(self._state.root).as_posix()
        return replace(record, notes=(*record.notes, f"the answer is kept in state/: {where}"))

    def _keep(self, path: str, item: Json) -> str:
        name = path.rsplit("/", 1)[-1]
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


def _present_sha256(settings: Settings, target: Target) -> str:
    """Return the hash of the picture *target* as it is now; ``""`` if it is gone."""
    try:
        return pictures.sha256_file(entity_folder(Path(settings.library), target.entity) / target.scene)
    except OSError:
        return ""
