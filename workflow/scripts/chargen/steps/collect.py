"""Collect: download the results of one job by name, also of a job from another machine or a lost state/."""

from __future__ import annotations

import time
from typing import Any

from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.base.reading import plain
from chargen.base.wording import progress_of
from chargen.operations.foreign import plan_from_results
from chargen.providers.base import RemoteJob
from chargen.providers.protocol import Connection
from chargen.providers.uploads import asking, pauses
from chargen.records import arguments
from chargen.records.batch import BatchPlan
from chargen.records.commands import command
from chargen.records.identity import batch_named, digest
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps.apply import apply
from chargen.steps.fetch import Watch
from chargen.steps.lost import look_again
from chargen.steps.submit import take_over

Json = dict[str, Any]

ATTEMPTS = 4
"""How many times a missing result file is requested in one call."""


def collect(settings: Settings, state: State, run: RunFiles, remote: Connection) -> Json:
    """Save the results of the job that the setting ``job`` names; return their outcomes.

    ``collected`` is false if there is nothing to download yet; then ``why_not`` says why.
    """
    if not settings.asked(arguments.Collect).job:
        raise ChargenError("collect: name a job: --config job=batches/… (or its display name, or the batch's id)")
    job = _find(settings, remote)
    batch = _batch_of(Journal(state), job)
    data = {"schema_version": 1, "job": job.name, "batch": batch, "state": job.state.lower(), "collected": False}
    if not job.is_final:
        far = progress_of(job.done, job.requests, "request")
        return data | {"why_not": f"{job.name} is {job.state.lower()}, {far}; collect it later"}
    files = state.batch(batch)
    watch = Watch(settings, state, remote)
    with state.lock(f"batch-{batch}"):
        if Journal(state).entry(batch).is_lost and not look_again(settings, state, files, remote):
            return data | {"why_not": f"{job.name} is lost on the server at the moment; collect it later"}
        is_known = bool(Journal(state).entry(batch).job)
        if why_not := _why_not_here(settings, watch, batch, job, is_known=is_known):
            return data | {"why_not": why_not}
        if not files.plan.exists():
            durable.write_json(files.plan, _plan_from_results(settings, files, job).to_json())
        if not is_known:
            take_over(Journal(state), files.read_plan(), job, remote)
        watch.download_and_record(batch, job)
        receipt = apply(settings, state, files, run)
    shown = ("key", "target", "variation", "outcome", "reason", "advice", "file", "archived")
    return data | {
        "collected": True,
        "operation": receipt.operation,
        "counts": dict(receipt.counts),
        "cost_usd": receipt.cost_usd.actual,
        "tasks": [{name: plain(getattr(task, name)) for name in shown} for task in receipt.tasks],
        "warnings": list(receipt.warnings),
    }


def _plan_from_results(settings: Settings, files: BatchFiles, job: RemoteJob) -> BatchPlan:
    """The same as `plan_from_results`; results that are not from chargen are downloaded again the next time."""
    try:
        return plan_from_results(settings, files, job)
    except ChargenError:
        files.responses.unlink(missing_ok=True)
        raise


def in_words(data: Json) -> list[str]:
    """Return what `collect` brought as lines."""
    if not data["collected"]:
        return [data["why_not"]]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(data["counts"].items())) or "no results"
    places = [f"  {task['target']}: {task['file'] or task['archived'] or task['reason']}" for task in data["tasks"]]
    warnings = [f"  note: {warning}" for warning in data["warnings"]]
    return [f"{data['job']}: {data['operation']}, {counts}", *places, *warnings]


def _why_not_here(settings: Settings, watch: Watch, batch: str, operation: RemoteJob, *, is_known: bool) -> str:
    """Download the results of the job, with a few attempts; return why that failed, ``""`` once they are here.

    Results that are gone are an outcome for the tasks of a job that *is_known*. The requests of any other are unknown
    here, so a person must decide that it is not needed.
    """
    for pause in pauses(ATTEMPTS):
        gone = watch.download(batch, operation)
        if gone and not is_known:
            away = command(settings, "cleanup", f"delete={operation.name}")
            return f"{operation.name}: {gone}. Nothing was saved; collect it later, or if it is not needed:\n    {away}"
        if gone is not None:
            return ""
        if pause is None or not operation.has_results or watch.is_paused(batch):
            break
        time.sleep(pause)
    why = watch.why_stuck(batch) or f"cannot download the results of {operation.name} at the moment"
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
