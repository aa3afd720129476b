"""Apply: every task of a batch gets its outcome, every picture its place, every record its line, then the receipt.

The order is what makes it safe to die anywhere: picture, record, follow-ups, receipt, journal. Whatever is done again
is recognised by its content.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargen import durable, failpoints
from chargen.config import Settings
from chargen.journal import Journal, now
from chargen.library.load import BrokenEntity, load_entity, spec_hash
from chargen.library.model import Entity, Kind
from chargen.library.writeback import GENERATED_IMAGES, WriteBackError, append_items
from chargen.pictures import BrokenPicture
from chargen.planning.pin import pin_batch
from chargen.remote import LOST
from chargen.results.extract import Picture, ahead, extract
from chargen.results.outcomes import Joined, Reason, Verdict, broken_picture, failed, join, judge
from chargen.results.scanner import LineError, ResultFile, ResultLine
from chargen.state import BatchFiles, RunFiles, State
from chargen.steps.again import retry_batches
from chargen.steps.place import Placed, Placer, entity_folder, prompt_hash, record
from chargen.steps.talk import say, tell

Json = dict[str, Any]

RECORD_WAITS = "record-waits"
"""The picture is in place and imagery.yaml could not be written: the next run adds the record."""

_ENDED_WITHOUT_RESULTS: dict[str, Reason] = {"CANCELLED": "cancelled", "EXPIRED": "deadline", LOST: "lost"}


@dataclass(frozen=True, slots=True)
class _Answer:
    """A task, what the API answered, and what that is worth."""

    task: Json
    line: ResultLine | None
    verdict: Verdict


def apply(settings: Settings, state: State, files: BatchFiles, run: RunFiles) -> Json:
    """Place everything that the batch brought and return its receipt; done before, it only returns it.

    Call it under the batch's lock, with its responses on disk.
    """
    if files.receipt.exists():
        receipt: Json = durable.read_json(files.receipt)
        _close(state, receipt)
        return receipt
    plan = files.read_plan()
    journal = Journal(state)
    end = durable.read_json(files.ended)
    with ResultFile(files.responses) as results:
        joined = join(results, [task["key"] for task in plan["tasks"]])
        answers = [_answer(task, joined, end, _left_out(files)) for task in plan["tasks"]]
        tasks = _place_all(settings, state, run, plan, answers, results, journal.entry(files.id).submitted)
    follow_ups = [
        pin_batch(state, again)
        for again in retry_batches(settings, plan, _worth_another(settings, tasks), smaller=end["state"] != "SUCCEEDED")
    ]
    if follow_ups:
        failpoints.reached("follow-up")
    receipt = _receipt(settings, plan, journal, run, end, tasks, follow_ups, _warnings(joined))
    durable.write_json(files.receipt, receipt)
    failpoints.reached("receipt")
    _close(state, receipt)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(receipt["counts"].items()))
    tell(f"{plan['operation']} {files.id}: {counts}")
    return receipt


def put_back(settings: Settings, state: State, files: BatchFiles, run: RunFiles, wishes: Collection[str]) -> Json:
    """Place the pictures of *wishes* again from the stored responses of their batch; return what became of them."""
    plan = files.read_plan()
    wanted = [task for task in plan["tasks"] if task["wish_id"] in set(wishes)]
    end = durable.read_json(files.ended)
    with ResultFile(files.responses) as results:
        joined = join(results, [task["key"] for task in plan["tasks"]])
        answers = [_answer(task, joined, end, {}) for task in wanted]
        tasks = _place_all(settings, state, run, plan, answers, results, Journal(state).entry(files.id).submitted)
    for task in tasks:
        say(f"{task['target']}: {task['outcome']} {task['file']} {task['reason']}".rstrip())
    tell(f"put back {sum(task['outcome'] == 'applied' for task in tasks)} pictures from batch {files.id}")
    return {"batch": files.id, "operation": plan["operation"], "tasks": tasks, "follow_ups": []}


def _answer(task: Json, joined: Joined, end: Json, left_out: Mapping[str, str]) -> _Answer:
    line = joined.lines.get(task["key"])
    if task["key"] in left_out:
        return _Answer(task, None, failed("reference-refused", left_out[task["key"]]))
    if line is None and end["state"] != "SUCCEEDED":
        return _Answer(task, None, _job_failure(end))
    return _Answer(task, line, judge(line))


def _job_failure(end: Json) -> Verdict:
    """What a job that ended without results means for each of its tasks."""
    said = f"the job ended {end['state'].lower()}" + (f": {end['error']}" if end["error"] else "")
    if end["state"] in _ENDED_WITHOUT_RESULTS:
        return failed(_ENDED_WITHOUT_RESULTS[end["state"]], said)
    verdict = judge(ResultLine(0, error=LineError(end["error_code"] or None, str(end["error_code"]), end["error"])))
    return Verdict("failed", reason=verdict.reason, passing=verdict.passing, said=said, advice=verdict.advice)


def _place_all(
    settings: Settings,
    state: State,
    run: RunFiles,
    plan: Json,
    answers: Sequence[_Answer],
    results: ResultFile,
    submitted: str,
) -> list[Json]:
    """Return the receipt's task records, every picture placed and recorded; entity by entity, in the plan's order."""
    done: dict[str, Json] = {}
    by_entity: dict[str, list[_Answer]] = {}
    for answer in answers:
        if answer.verdict.picture is None:
            done[answer.task["key"]] = _task_record(plan, answer)
        else:
            by_entity.setdefault(_entity_of(answer.task), []).append(answer)
    ordered = [answer for group in by_entity.values() for answer in group]
    drafts = {key: _draft_folder(Path(settings.library), key) for key in by_entity}
    extracted = ahead(lambda answer: _extract(results, answer, drafts[_entity_of(answer.task)]), ordered)
    for key, group in by_entity.items():
        with state.lock(f"entity-{key.replace('/', '-')}"):
            done |= _place_entity(settings, state, run, plan, key, len(group), extracted, submitted)
    return [done[answer.task["key"]] for answer in answers]


def _place_entity(
    settings: Settings,
    state: State,
    run: RunFiles,
    plan: Json,
    key: str,
    count: int,
    extracted: Iterator[tuple[_Answer, Picture | Verdict]],
    submitted: str,
) -> dict[str, Json]:
    entity, why_not = _entity_now(settings, key)
    placer = Placer(Path(settings.library), state.unplaced, key, entity, why_not, settings.provider)
    records: list[dict[str, str]] = []
    placed_now: list[tuple[_Answer, Picture, Placed]] = []
    done: dict[str, Json] = {}
    when = now()
    for _ in range(count):
        answer, picture = next(extracted)
        if isinstance(picture, Verdict):
            done[answer.task["key"]] = _task_record(plan, _Answer(answer.task, answer.line, picture))
            continue
        placed = placer.place(answer.task, picture, submitted)
        placed_now.append((answer, picture, placed))
        if placed.needs_record:
            prompt = answer.task["prompt"]
            said = prompt if settings.record_prompt == "text" else prompt_hash(prompt)
            records.append(record(answer.task, placed, picture, plan, run.folder.name, when, said))
    placer.finish()
    failure = _write_records(settings, state, key, records)
    failpoints.reached("written-back")
    for answer, picture, placed in placed_now:
        waits = RECORD_WAITS if failure and placed.needs_record else ""
        done[answer.task["key"]] = _task_record(plan, answer, picture, placed, waits, failure)
    return done


def _write_records(settings: Settings, state: State, key: str, records: list[dict[str, str]]) -> str:
    """Append *records* to the entity's file in one rewrite; return what stopped it, or ``""``."""
    if not records:
        return ""
    path = entity_folder(Path(settings.library), key) / "imagery.yaml"
    try:
        # What needs a record was decided on the records present, under the entity's lock.
        append_items(path, GENERATED_IMAGES, records, lock_dir=state.root / "locks", same=())
    except (WriteBackError, PermissionError) as error:
        tell(f"{error}\n  the pictures are kept, their records wait: the next run adds them")
        return str(error)
    return ""


def _entity_now(settings: Settings, key: str) -> tuple[Entity | None, str]:
    """Return the entity as its folder stands at this moment, or why there is none."""
    kind, slug = key.split("/", 1)
    root = Path(settings.library)
    if not entity_folder(root, key).is_dir():
        return None, "folder-gone"
    try:
        return load_entity(root, _KINDS[kind], slug, adopt_existing=False, provider=settings.provider), ""
    except BrokenEntity as broken:
        say(str(broken))
        return None, "imagery-broken"


_KINDS: dict[str, Kind] = {"character": "character", "location": "location", "chapter": "chapter"}


def _entity_of(task: Json) -> str:
    key: str = task["wish"]["target"].rsplit("/", 1)[0]
    return key


def _draft_folder(root: Path, key: str) -> Path | None:
    """Where the pictures of an entity may be written before they have a name: where they will stand, if that exists."""
    images = entity_folder(root, key) / "images"
    try:
        if not images.parent.is_dir() or not images.resolve().is_relative_to(root.resolve()):
            return None
        images.mkdir(exist_ok=True)
    except OSError:
        return None
    return images if os.access(images, os.W_OK) else None


def _extract(results: ResultFile, answer: _Answer, folder: Path | None) -> Picture | Verdict:
    assert answer.verdict.picture is not None
    try:
        return extract(results, answer.verdict.picture, folder)
    except BrokenPicture as broken:
        return broken_picture(broken.reason)


def _worth_another(settings: Settings, tasks: Iterable[Json]) -> list[str]:
    """Return the keys of tasks that failed in passing, may be tried again, and whose scene still wants them."""
    keys = []
    for task in tasks:
        if task["outcome"] != "passing" or task["attempt"] >= settings.retry_max_attempts:
            continue
        entity, _ = _entity_now(settings, task["target"].rsplit("/", 1)[0])
        scene = next((s for s in entity.scenes if s.target == task["target"]), None) if entity else None
        if scene is not None and spec_hash(scene) == task["spec_hash"]:
            keys.append(task["key"])
    return keys


def _task_record(
    plan: Json,
    answer: _Answer,
    picture: Picture | None = None,
    placed: Placed | None = None,
    waits: str = "",
    failure: str = "",
) -> Json:
    """Return what receipt, failures and report say of one task (``schemas/receipt.schema.json``)."""
    task, line, verdict = answer.task, answer.line, answer.verdict
    wish = task["wish"]
    usage = line.usage if line else {}
    notes = [*task["notes"], *_notes(plan, task, line, picture)]
    outcome: str
    if placed:
        outcome, reason, advice = placed.outcome, waits or placed.reason, _PLACE_ADVICE.get(waits or placed.reason, "")
    else:
        outcome = "lost" if verdict.reason == "lost" else ("passing" if verdict.passing else "failed")
        reason, advice = verdict.reason, verdict.advice
    return {
        "key": task["key"],
        "wish_id": task["wish_id"],
        "target": wish["target"],
        "variation": wish["variation"],
        "spec_hash": wish["spec_hash"],
        "attempt": task["attempt"],
        "outcome": outcome,
        "reason": reason,
        "advice": advice,
        "said": failure or verdict.said,
        "file": placed.file if placed else "",
        "sha256": picture.sha256 if picture else "",
        "width": picture.info.width if picture else 0,
        "height": picture.info.height if picture else 0,
        "format": picture.info.format if picture else "",
        "bytes": len(picture.data) if picture else 0,
        "tokens": {
            "prompt": int(usage.get("promptTokenCount") or 0),
            "image": _image_tokens(usage),
            "thoughts": int(usage.get("thoughtsTokenCount") or 0),
            "total": int(usage.get("totalTokenCount") or 0),
        },
        "cost_usd": task["cost_usd"] if picture else 0.0,
        "model": line.model_version if line else "",
        "model_requested": plan["model"],
        "aspect_ratio": task["aspect_ratio"],
        "image_size": task["image_size"],
        "title": task["title"],
        "prompt": task["prompt"],
        "references": task["references"],
        "finish_reason": (line.finish_reason or line.block_reason) if line else "",
        "notes": notes,
        "archived": placed.archived if placed else "",
    }


_PLACE_ADVICE = {
    RECORD_WAITS: "mend imagery.yaml and run again: the record is added then",
    "name-taken": "a file of that name is not chargen's, or was retouched; it was left alone, this got another name",
    "scene-edited": "the scene was changed while the picture was made; it is in the archive",
    "scene-gone": "the scene was taken out while the picture was made; it is in the archive",
    "variation-gone": "fewer variations are wanted by now; the picture is in the archive",
    "approved-meanwhile": "another picture was approved while this one was made; it is in the archive",
    "newer-picture": "a newer picture is in place; this one is in the archive",
    "folder-gone": "the entity's folder is gone or was renamed; the picture is kept in state/",
    "imagery-broken": "mend imagery.yaml and run again: the picture is put in place then",
    "images-outside-library": "images/ leads out of the library; make it a folder of the entity and run again",
}


def _notes(plan: Json, task: Json, line: ResultLine | None, picture: Picture | None) -> Iterator[str]:
    """What the author should know of a picture that came: other model, other shape, other size."""
    if line and line.model_version and line.model_version != plan["model"]:
        yield f"asked {plan['model']}, answered by {line.model_version}"
    if picture is None:
        return
    width, height = (int(part) for part in task["aspect_ratio"].split(":"))
    wanted, got = width / height, picture.info.width / picture.info.height
    if abs(got / wanted - 1) > 0.06:
        yield f"asked for {task['aspect_ratio']}, got {picture.info.width}x{picture.info.height}"
    longest = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}[task["image_size"]]
    if (picture.info.width * picture.info.height) ** 0.5 < longest * 0.8:
        yield f"asked for {task['image_size']}, got {picture.info.width}x{picture.info.height}"


def _image_tokens(usage: Mapping[str, Any]) -> int:
    details = usage.get("candidatesTokensDetails") or ()
    return sum(int(item.get("tokenCount") or 0) for item in details if item.get("modality") == "IMAGE")


def _warnings(joined: Joined) -> list[str]:
    found = [f"{count} lines came for {key}" for key, count in joined.repeated.items()]
    found += [f"a line came for {key[:200]}, which nobody asked for" for key in joined.unknown]
    found += [f"line {line.number} has no readable key: {line.problem or 'no key'}" for line in joined.keyless]
    return found


def _receipt(
    settings: Settings,
    plan: Json,
    journal: Journal,
    run: RunFiles,
    end: Json,
    tasks: list[Json],
    follow_ups: list[str],
    warnings: list[str],
) -> Json:
    entry = journal.entry(plan["batch"])
    return {
        "schema_version": 1,
        "batch": plan["batch"],
        "operation": plan["operation"],
        "provider": plan["provider"],
        "library_id": plan["library_id"],
        "model": plan["model"],
        "job": entry.job,
        "run": run.folder.name,
        "state": end["state"],
        "error": end["error"],
        "follow_ups": follow_ups,
        "counts": dict(Counter(task["outcome"] for task in tasks)),
        "times": {"submitted": entry.submitted, "fetched": entry.fetched, "applied": now()},
        "cost_usd": {
            "estimated": plan["cost_usd"],
            "actual": round(sum(task["cost_usd"] for task in tasks), 6),
            "batch_discount": plan["batch_discount"],
        },
        "warnings": warnings,
        "tasks": tasks,
    }


def _close(state: State, receipt: Json) -> None:
    """Tell the journal the outcomes, once."""
    journal = Journal(state)
    if journal.entry(receipt["batch"]).outcomes is None:
        outcomes = {task["wish_id"]: [task["outcome"], task["reason"]] for task in receipt["tasks"]}
        journal.append("applied", receipt["batch"], outcomes=outcomes)
        failpoints.reached("applied")


def _left_out(files: BatchFiles) -> Mapping[str, str]:
    path = files.folder / "left-out.json"
    return durable.read_json(path) if path.exists() else {}
