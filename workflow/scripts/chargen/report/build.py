"""The report as data: report.json and the lines of failures.jsonl, made from a survey."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from chargen.base.errors import Problem
from chargen.planning.estimates import learned_prices
from chargen.records.batch import Receipt, Tokens
from chargen.records.journal import Entry
from chargen.report.documents import (
    IN_FLIGHT,
    BatchPart,
    BatchTimes,
    Failure,
    Note,
    Report,
    Spent,
    TaskPart,
    TokenCounts,
)
from chargen.report.figures import costs, run_part, totals
from chargen.report.forms import count_forms
from chargen.report.history import WAITING, Fate
from chargen.report.survey import Survey

if TYPE_CHECKING:
    pass


def report_of(survey: Survey) -> Report:
    """Return report.json: everything so far, and one run apart."""
    plan, history = survey.plan, survey.history
    run = history.of_run(survey.run) if survey.run else {}
    errors, warnings = _notes(survey)
    fates = sorted(history.fates.items(), key=lambda item: (item[1].task.key, item[0]))
    return Report(
        library_id=survey.settings.library_id,
        run=run_part(survey, run) if survey.run else None,
        totals=totals(survey, run),
        cost_usd=costs(survey),
        learned=tuple(learned_prices(plan.catalog, survey.learned)),
        analyses=count_forms(history.receipts),
        batches=(*map(_applied_batch, history.receipts), *map(_batch_in_flight, history.in_flight)),
        tasks=tuple(_task(wish, fate, survey) for wish, fate in fates),
        broken=tuple(plan.library.broken),
        warnings=tuple(warnings),
        errors=tuple(errors),
    )


def failure_lines(survey: Survey) -> Iterator[Failure]:
    """Yield one line of failures.jsonl for each task that failed for good and that the library still asks for."""
    for wish, fate in survey.failures:
        task = fate.task
        yield Failure(
            key=task.key,
            wish_id=wish,
            operation=fate.operation,
            batch=fate.batch,
            job=fate.job,
            run=fate.run,
            failed_at=fate.ended,
            target=task.target,
            variation=task.variation,
            title=task.title,
            written_in=survey.place_of(task.target),
            outcome=survey.outcome(fate),
            reason=task.reason,
            advice=task.advice,
            said=task.said,
            finish_reason=task.finish_reason,
            attempts=fate.attempts,
            cost_usd=round(fate.actual_usd, 6),
            model=task.model or task.model_requested,
            aspect_ratio=task.aspect_ratio,
            image_size=task.image_size,
            prompt=task.prompt,
            references=task.references,
        )


def _applied_batch(receipt: Receipt) -> BatchPart:
    return BatchPart(
        id=receipt.batch,
        operation=receipt.operation,
        model=receipt.model,
        job=receipt.job,
        run=receipt.run,
        state=receipt.state,
        error=receipt.error,
        counts=receipt.counts,
        times=BatchTimes(
            submitted=receipt.times.submitted, fetched=receipt.times.fetched, applied=receipt.times.applied
        ),
        cost_usd=Spent(estimated=receipt.cost_usd.estimated, actual=receipt.cost_usd.actual),
        follow_ups=receipt.follow_ups,
    )


def _batch_in_flight(entry: Entry) -> BatchPart:
    return BatchPart(
        id=entry.batch,
        operation=entry.operation,
        model=entry.model,
        job=entry.job,
        run="",
        state=IN_FLIGHT,
        error="",
        counts={WAITING: len(entry.wishes)},
        times=BatchTimes(submitted=entry.submitted, fetched="", applied=""),
        cost_usd=Spent(estimated=round(entry.cost_usd, 6), actual=0.0),
        follow_ups=(),
    )


def _task(wish: str, fate: Fate, survey: Survey) -> TaskPart:
    task = fate.task
    return TaskPart(
        key=task.key,
        wish_id=wish,
        operation=fate.operation,
        batch=fate.batch,
        run=fate.run,
        target=task.target,
        variation=task.variation,
        title=task.title,
        outcome=survey.outcome(fate),
        settled=survey.settled(wish, fate),
        attempts=fate.attempts,
        reason=task.reason,
        advice=task.advice,
        said=task.said,
        finish_reason=task.finish_reason,
        file=task.file,
        archived=task.archived,
        sha256=task.sha256,
        format=task.format,
        model=task.model,
        model_requested=task.model_requested,
        aspect_ratio=task.aspect_ratio,
        image_size=task.image_size,
        width=task.width,
        height=task.height,
        bytes=task.bytes,
        tokens=_tokens(task.tokens),
        estimated_usd=round(fate.estimated_usd, 6),
        cost_usd=round(fate.actual_usd, 6),
        notes=task.notes,
    )


def _tokens(counted: Tokens) -> TokenCounts:
    return TokenCounts(
        prompt=counted.prompt,
        prompt_image=counted.prompt_image or 0,
        image=counted.image,
        text=counted.text,
        thoughts=counted.thoughts,
        total=counted.total,
    )


def _notes(survey: Survey) -> tuple[list[Note], list[Note]]:
    """Return errors and warnings: the plan's problems and notices, what receipts warn of, and files that are broken."""
    errors: list[Note] = []
    warnings: list[Note] = []
    for problem in survey.plan.problems:
        (errors if problem.severity == "error" else warnings).append(_of_problem(problem))
    for plan in survey.others.values():
        warnings += [_of_problem(problem) for problem in plan.problems if problem.severity != "error"]
        warnings += [Note(code="notice", message=text) for text in plan.notices if text not in survey.plan.notices]
    errors += [
        Note(code="unreadable-state", message=f"batch {batch}: {text}", batch=batch)
        for batch, text in survey.history.troubles
    ]
    warnings += [Note(code="notice", message=text) for text in survey.plan.notices]
    warnings += [
        Note(code="receipt", message=text, batch=receipt.batch)
        for receipt in survey.history.receipts
        for text in receipt.warnings
    ]
    return errors, warnings


def _of_problem(problem: Problem) -> Note:
    return Note(
        code=problem.code,
        message=problem.message,
        advice=problem.advice,
        file=problem.place.file,
        line=problem.place.line,
        column=problem.place.column,
        key=problem.place.key,
        entity=problem.entity,
        scene=problem.scene,
        effect=problem.effect,
    )
