"""Collect: download the results of one job by name, also of a job from another machine or a lost state/."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Self

from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.reading import Document, optional
from chargen.base.wording import progress_of
from chargen.library.target import Target
from chargen.operations.foreign import plan_from_results
from chargen.providers.base import RemoteJob
from chargen.providers.protocol import Connection
from chargen.providers.uploads import asking, pauses
from chargen.records import arguments
from chargen.records.batch import BatchPlan, Outcome
from chargen.records.commands import command
from chargen.records.identity import batch_named, digest
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps.apply import apply
from chargen.steps.downloads import Downloads
from chargen.steps.lost import look_again
from chargen.steps.patience import Patience
from chargen.steps.search import take_over

ATTEMPTS = 4
"""How many times a missing result file is requested in one call."""


@frozen(kw_only=True)
class CollectedTask(Document):
    """What became of one task of a job; see `chargen.records.batch.Outcome`."""

    key: str
    target: Target
    variation: int
    outcome: str
    reason: str
    advice: str
    file: str
    archived: str

    @classmethod
    def of(cls, task: Outcome) -> Self:
        """Return what is shown of *task*."""
        return cls(**{item.name: getattr(task, item.name) for item in fields(cls)})


@frozen(kw_only=True)
class Collected(Document):
    """What collecting a job brought; if there is nothing to download yet, only ``why_not``, which says why."""

    schema_version: int = 1
    job: str
    batch: str
    state: str
    collected: bool
    why_not: str = optional("")
    operation: str | None = optional()
    counts: Mapping[str, int] | None = optional()
    cost_usd: float | None = optional()
    tasks: tuple[CollectedTask, ...] | None = optional()
    warnings: tuple[str, ...] | None = optional()


def collect(settings: Settings, state: State, run: RunFiles, remote: Connection) -> Collected:
    """Save the results of the job that the setting ``job`` names; return their outcomes."""
    if not settings.asked(arguments.Collect).job:
        raise ChargenError("collect: name a job: --config job=batches/… (or its display name, or the batch's id)")
    job = _find(settings, remote)
    batch = _batch_of(Journal(state), job)
    nothing = Collected(job=job.name, batch=batch, state=job.state.lower(), collected=False)
    if not job.is_final:
        far = progress_of(job.done, job.requests, "request")
        return replace(nothing, why_not=f"{job.name} is {job.state.lower()}, {far}; collect it later")
    files = state.batch(batch)
    downloads = Downloads(Patience(settings, state, remote))
    with state.lock(f"batch-{batch}"):
        if Journal(state).entry(batch).is_lost and not look_again(settings, state, files, remote):
            return replace(nothing, why_not=f"{job.name} is lost on the server at the moment; collect it later")
        is_known = bool(Journal(state).entry(batch).job)
        if why_not := _why_not_here(settings, downloads, batch, job, is_known=is_known):
            return replace(nothing, why_not=why_not)
        if not files.plan.exists():
            durable.write_json(files.plan, _plan_from_results(settings, files, job).to_json())
        if not is_known:
            take_over(Journal(state), files.read_plan(), job, remote)
        downloads.download_and_record(batch, job)
        receipt = apply(settings, state, files, run)
    return replace(
        nothing,
        collected=True,
        operation=receipt.operation,
        counts=receipt.counts,
        cost_usd=receipt.cost_usd.actual,
        tasks=tuple(map(CollectedTask.of, receipt.tasks)),
        warnings=receipt.warnings,
    )


def _plan_from_results(settings: Settings, files: BatchFiles, job: RemoteJob) -> BatchPlan:
    """The same as `plan_from_results`; results that are not from chargen are downloaded again the next time."""
    try:
        return plan_from_results(settings, files, job)
    except ChargenError:
        files.responses.unlink(missing_ok=True)
        raise


def in_words(found: Collected) -> list[str]:
    """Return what `collect` brought as lines."""
    if not found.collected:
        return [found.why_not]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted((found.counts or {}).items())) or "no results"
    places = [f"  {task.target}: {task.file or task.archived or task.reason}" for task in found.tasks or ()]
    warnings = [f"  note: {warning}" for warning in found.warnings or ()]
    return [f"{found.job}: {found.operation}, {counts}", *places, *warnings]


def _why_not_here(settings: Settings, downloads: Downloads, batch: str, operation: RemoteJob, *, is_known: bool) -> str:
    """Download the results of the job, with a few attempts; return why that failed, ``""`` once they are here.

    Results that are gone are an outcome for the tasks of a job that *is_known*. The requests of any other are unknown
    here, so a person must decide that it is not needed.
    """
    for pause in pauses(ATTEMPTS):
        gone = downloads.download(batch, operation)
        if gone and not is_known:
            away = command(settings, "cleanup", f"delete={operation.name}")
            return f"{operation.name}: {gone}. Nothing was saved; collect it later, or if it is not needed:\n    {away}"
        if gone is not None:
            return ""
        if pause is None or not operation.has_results or downloads.is_paused(batch):
            break
        time.sleep(pause)
    why = downloads.patience.why_stuck(batch) or f"cannot download the results of {operation.name} at the moment"
    return f"{why}. Nothing is lost: collect it later"


def _find(settings: Settings, remote: Connection) -> RemoteJob:
    asked = settings.asked(arguments.Collect)
    for operation in asking(lambda: list(remote.jobs())):
        names = (operation.name, operation.name.removeprefix("batches/"), operation.display_name)
        if asked.job in names or operation.display_name.endswith(f"-{asked.job}"):
            return operation
    raise ChargenError(f"collect: the server knows no job {asked.job} of this key")


def _batch_of(journal: Journal, job: RemoteJob) -> str:
    """The batch whose job it is: by the journal, by its name, or by its request file; of a job that
    was never chargen's an id of its own, because what a server names must not lead anywhere in the state."""
    if entry := journal.by_job(job.name):
        return entry.batch
    sent = (entry.batch for entry in journal.entries.values() if job.request_file in entry.request_files)
    return batch_named(job.display_name) or next(sent, "") or digest(job.name)
