"""Collect: bring in the results of one job by name, also one that another machine or a lost state/ made."""

from __future__ import annotations

import time
from typing import Any

from chargen import durable
from chargen.config import Settings
from chargen.journal import Journal
from chargen.problems import ChargenError
from chargen.remote import Operation, Remote
from chargen.state import BatchFiles, RunFiles, State
from chargen.steps.apply import apply
from chargen.steps.fetch import LOOKS_UNTIL_LOST, Watch
from chargen.steps.foreign import plan_from_results
from chargen.uploads import asking, pauses

Json = dict[str, Any]


def collect(settings: Settings, state: State, run: RunFiles, remote: Remote) -> Json:
    """Place the results of the job that the setting ``job`` names; return what became of them.

    ``collected`` is false where there is nothing to be had yet; then ``why_not`` says in words why.
    """
    if not settings.job:
        raise ChargenError("collect: say which job: --config job=batches/… (or its display name, or the batch's id)")
    job = _find(settings, remote)
    entry = Journal(state).by_job(job.name)
    batch = entry.batch if entry else job.display_name.rsplit("-", 1)[-1]
    data = {"schema_version": 1, "job": job.name, "batch": batch, "state": job.state.lower(), "collected": False}
    if not job.is_final:
        done = f"{job.done} of {job.requests} done"
        return data | {"why_not": f"{job.name} is {job.state.lower()}, {done}; collect it later"}
    files = state.batch(batch)
    watch = Watch(settings, state, remote, lost_after_s=0)
    with state.lock(f"batch-{batch}"):
        if not _downloaded(watch, batch, job):
            return data | {"why_not": f"{job.name} has no result file yet; collect it later"}
        if not files.plan.exists():
            durable.write_json(files.plan, plan_from_results(settings, files, job))
        if entry is None:
            _take_over(Journal(state), files, job, remote)
        watch.bring_in(batch, job)
        receipt = apply(settings, state, files, run)
    told = ("key", "target", "variation", "outcome", "reason", "advice", "file", "archived")
    return data | {
        "collected": True,
        "operation": receipt["operation"],
        "counts": receipt["counts"],
        "cost_usd": receipt["cost_usd"]["actual"],
        "tasks": [{name: task[name] for name in told} for task in receipt["tasks"]],
        "warnings": receipt["warnings"],
    }


def in_words(data: Json) -> list[str]:
    """Return what `collect` brought as lines."""
    if not data["collected"]:
        return [data["why_not"]]
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(data["counts"].items())) or "no results"
    places = [f"  {task['target']}: {task['file'] or task['archived'] or task['reason']}" for task in data["tasks"]]
    warnings = [f"  note: {warning}" for warning in data["warnings"]]
    return [f"{data['job']}: {data['operation']}, {counts}", *places, *warnings]


def _downloaded(watch: Watch, batch: str, operation: Operation) -> bool:
    """Whether all that there is to come of the job is here, asked for until it is known to be gone."""
    for pause in pauses(LOOKS_UNTIL_LOST):
        if watch.download(batch, operation) is not None:
            return True
        if pause is None or not operation.responses_file:
            return False
        time.sleep(pause)
    raise AssertionError("unreachable: the last pause is None")


def _find(settings: Settings, remote: Remote) -> Operation:
    for operation in asking(lambda: list(remote.jobs())):
        names = (operation.name, operation.name.removeprefix("batches/"), operation.display_name)
        if settings.job in names or operation.display_name.endswith(f"-{settings.job}"):
            return operation
    raise ChargenError(f"collect: the server knows no job {settings.job} of this key")


def _take_over(journal: Journal, files: BatchFiles, operation: Operation, remote: Remote) -> None:
    """Make the journal know a job that was sent from elsewhere; its plan lies in *files*."""
    plan = files.read_plan()
    journal.append(
        "intent",
        files.id,
        operation=plan["operation"],
        model=operation.model,
        display_name=operation.display_name,
        base_url=remote.base_url,
        key=remote.fingerprint,
        wishes={task["wish_id"]: task["attempt"] for task in plan["tasks"]},
        cost_usd=plan["cost_usd"],
        tokens=0,
        clock={},
        pid=0,
    )
    journal.append("created", files.id, job=operation.name, adopted=True)
