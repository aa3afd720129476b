"""Tasks with their answers, as an operation gets them for placing; and each task's part of the receipt."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from chargen.base import events
from chargen.base.frozen import frozen
from chargen.base.image_sizes import pixels
from chargen.placing.extract import Picture
from chargen.placing.place import Placed
from chargen.providers.base import NO_TOKENS, ResultLine, Results, Verdict
from chargen.providers.models import Catalog
from chargen.records.batch import CANNOT_WRITE, RECORD_WAITS, BatchPlan, Outcome, Task
from chargen.records.journal import Entry
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State

_ONE_FOLDER = frozenset(
    {
        errno.EACCES,
        errno.EPERM,
        errno.EROFS,
        errno.EBUSY,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
        errno.EEXIST,
        errno.EISDIR,
    }
)


def concerns_one_folder(error: OSError) -> bool:
    """Whether *error* keeps one folder from taking a result, so that the others go on; a full disk stops everything."""
    return error.errno in _ONE_FOLDER


def placed_or_kept(key: str, place: Callable[[], Placed]) -> Placed:
    """Return where *place* put the result of the task *key*; where its one folder does not take it, the answer is kept
    and the others go on."""
    try:
        return place()
    except OSError as error:
        if not concerns_one_folder(error):
            raise
        words = f"{error.filename}: {error.strerror}: the result of {key} is kept, and the next run saves it"
        events.log("kept", words, level="warning", on_terminal=True, key=key)
        return Placed("unplaced", "", CANNOT_WRITE)


@frozen
class Answer:
    """A task, the API's answer, and the verdict on it."""

    task: Task
    line: ResultLine | None
    verdict: Verdict

    @property
    def model(self) -> str:
        """The model that answered; ``""`` if none says so."""
        return self.line.model_version if self.line else ""


@frozen
class Delivery:
    """The answers to one batch, and what placing them takes. *entry* is what the journal knows of the batch."""

    settings: Settings
    state: State
    run: RunFiles
    plan: BatchPlan
    answers: Sequence[Answer]
    results: Results
    entry: Entry


def task_record(
    plan: BatchPlan,
    answer: Answer,
    picture: Picture | None = None,
    placed: Placed | None = None,
    waits: str = "",
    failure: str = "",
) -> Outcome:
    """Return what receipt, failures and report say of one task (``schemas/receipt.schema.json``)."""
    task, line, verdict = answer.task, answer.line, answer.verdict
    info = picture.info if picture else None
    outcome: str
    if placed:
        outcome, reason, advice = placed.outcome, waits or placed.reason, _PLACE_ADVICE.get(waits or placed.reason, "")
    else:
        outcome = "lost" if verdict.reason == "lost" else ("passing" if verdict.passing else "failed")
        reason, advice = verdict.reason, verdict.advice
    return Outcome(
        key=task.key,
        wish_id=task.wish_id,
        target=task.wish.target,
        variation=task.wish.variation,
        spec_hash=task.wish.spec_hash,
        attempt=task.attempt,
        outcome=outcome,
        reason=reason,
        advice=advice,
        said=failure or verdict.said,
        file=placed.file if placed else "",
        sha256=picture.sha256 if picture else "",
        width=info.width if info else 0,
        height=info.height if info else 0,
        format=info.format if info else "",
        bytes=len(picture.data) if picture else 0,
        tokens=line.tokens if line else NO_TOKENS,
        characters=task.characters or 0,
        estimated_usd=task.cost_usd,
        model=answer.model,
        model_requested=plan.model,
        aspect_ratio=task.aspect_ratio,
        image_size=task.image_size,
        title=task.title,
        prompt=task.prompt,
        references=task.references,
        finish_reason=line.end_reason if line else "",
        notes=(*task.notes, *_notes(plan, task, line, picture)),
        archived=placed.archived if placed else "",
    )


_PLACE_ADVICE = {
    CANNOT_WRITE: "make the folder writable (and remove a file of the same name), then run again to save it",
    RECORD_WAITS: "fix imagery.yaml and run again to add the record",
    "name-taken": "a file of that name is not from chargen, or was edited; it was kept, and this one got another name",
    "scene-edited": "the scene changed while the picture was made; the picture is in images/archive/",
    "scene-gone": "the scene was removed while the picture was made; the picture is in images/archive/",
    "variation-gone": "the scene now has fewer variations; the picture is in images/archive/",
    "approved-meanwhile": "another picture was approved while this one was made; this one is in images/archive/",
    "newer-picture": "a newer picture is in place; this one is in images/archive/",
    "picture-replaced": "the picture was replaced or removed during its analysis; the next run analyses the new one",
    "words-unknown": "the request is unknown here, so only the raw answer is kept in state/; the next run sends "
    "a new request",
    "folder-gone": "the entity's folder is gone or was renamed; the picture is kept in state/",
    "imagery-broken": "fix imagery.yaml and run again to save the picture",
    "images-outside-library": "images/ is a link to a place outside the library; make it a folder and run again",
}


def _notes(plan: BatchPlan, task: Task, line: ResultLine | None, picture: Picture | None) -> Iterator[str]:
    """Notes for the author on a picture: another model, shape or size than requested."""
    if line and line.model_version and line.model_version != plan.model:
        yield f"asked {plan.model}, answered by {line.model_version}"
    if picture is None or not task.aspect_ratio:
        return
    width, height = (int(part) for part in task.aspect_ratio.split(":"))
    wanted, got = width / height, picture.info.width / picture.info.height
    if abs(got / wanted - 1) > 0.06:
        yield f"asked for {task.aspect_ratio}, got {picture.info.width}x{picture.info.height}"
    if (picture.info.width * picture.info.height) ** 0.5 < pixels(task.image_size) * 0.8:
        yield f"asked for {task.image_size}, got {picture.info.width}x{picture.info.height}"


def priced(catalog: Catalog | None, record: Outcome) -> Outcome:
    """Return *record* with what its answer cost in US dollars: by the tokens that it reports, whatever its outcome.

    An answer without output costs nothing. What is worth something and reports no tokens, or comes from a model without
    prices, costs what was estimated.
    """
    tokens = record.tokens
    cost: float | None = None
    if tokens.image or tokens.text:
        cost = catalog.answer_cost(record.model_requested, record.image_size, tokens) if catalog else None
    elif not record.has_picture:
        cost = 0.0
    return replace(record, cost_usd=round(record.estimated_usd if cost is None else cost, 8))
