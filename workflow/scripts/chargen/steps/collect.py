"""Collect: bring in the results of one job by name, also one that another machine or a lost state/ made."""

from __future__ import annotations

from typing import Any

from chargen import durable
from chargen.catalog import load_catalog
from chargen.config import Settings
from chargen.journal import Journal
from chargen.problems import ChargenError
from chargen.remote import Operation, Remote
from chargen.results.scanner import ResultFile
from chargen.state import RunFiles, State
from chargen.steps.apply import apply
from chargen.steps.fetch import Watch
from chargen.uploads import asking
from chargen.wishes import Wish, digest, split_key


def collect(settings: Settings, state: State, run: RunFiles, remote: Remote) -> str:
    """Place the results of the job that the setting ``job`` names; return what became of them, in words."""
    if not settings.job:
        raise ChargenError("collect: say which job: --config job=batches/… (or its display name, or the batch's id)")
    operation = _find(settings, remote)
    if not operation.is_final:
        done = f"{operation.done} of {operation.requests} done"
        return f"{operation.name} is {operation.state.lower()}, {done}; collect it later"
    journal = Journal(state)
    entry = journal.by_job(operation.name)
    batch = entry.batch if entry else operation.display_name.rsplit("-", 1)[-1]
    files = state.batch(batch)
    with state.lock(f"batch-{batch}"):
        if entry is None:
            _take_over(journal, batch, operation, remote)
        if not Watch(settings, state, remote).bring_in(batch, operation):
            return f"{operation.name} has no result file yet; collect it later"
        if not files.plan.exists():
            durable.write_json(files.plan, _plan_from_results(settings, state, batch, operation))
        receipt = apply(settings, state, files, run)
    counts = ", ".join(f"{count} {outcome}" for outcome, count in sorted(receipt["counts"].items())) or "no results"
    places = [f"  {task['target']}: {task['file'] or task['reason']}" for task in receipt["tasks"]]
    return "\n".join([f"{operation.name}: {counts}", *places])


def _find(settings: Settings, remote: Remote) -> Operation:
    for operation in asking(lambda: list(remote.jobs())):
        names = (operation.name, operation.name.removeprefix("batches/"), operation.display_name)
        if settings.job in names or operation.display_name.endswith(f"-{settings.job}"):
            return operation
    raise ChargenError(f"collect: the server knows no job {settings.job} of this key")


def _take_over(journal: Journal, batch: str, operation: Operation, remote: Remote) -> None:
    """Make the journal know a job that was sent from elsewhere; its wishes are learned when it is applied."""
    journal.append(
        "intent",
        batch,
        operation="generate",
        model=operation.model,
        display_name=operation.display_name,
        base_url=remote.base_url,
        key=remote.fingerprint,
        wishes={},
        cost_usd=0.0,
        tokens=0,
        clock={},
        pid=0,
    )
    journal.append("created", batch, job=operation.name, adopted=True)


def _plan_from_results(settings: Settings, state: State, batch: str, operation: Operation) -> dict[str, Any]:
    """Return a plan for a job of which only the results are left: its tasks are what its keys and the library say.

    A key that the library would send today is that very task; of any other, the words it was made from are unknown, so
    its picture is archived as superseded.
    """
    from pathlib import Path

    from chargen.planning.plan import make_plan

    today = {task.key: task for task in make_plan(settings, scope=["all"]).tasks}
    tasks = []
    with ResultFile(state.batch(batch).responses) as results:
        for key in dict.fromkeys(line.key for line in results if line.key):
            if key in today:
                tasks.append(today[key].to_json())
                continue
            try:
                target, variation = split_key(key)
            except ValueError:
                continue
            wish = Wish("generate", target, variation, f"unknown:{digest(key)}")
            tasks.append(
                {
                    "wish": {
                        "operation": "generate",
                        "target": target,
                        "variation": variation,
                        "spec_hash": wish.spec_hash,
                        "order": 0,
                        "rejections": 0,
                    },
                    "wish_id": wish.id,
                    "attempt": 1,
                    "key": key,
                    "title": target.rsplit("/", 1)[-1],
                    "prompt": "",
                    "references": [],
                    "aspect_ratio": "1:1",
                    "image_size": "1K",
                    "cost_usd": 0.0,
                    "replaces": None,
                    "notes": ["collected without its plan: what was asked for is unknown"],
                }
            )
    return {
        "schema_version": 1,
        "batch": batch,
        "operation": "generate",
        "provider": settings.provider,
        "library_id": settings.library_id,
        "model": operation.model,
        "display_name": operation.display_name,
        "temperature": settings.models["generate"].temperature,
        "safety_settings": [],
        "cost_usd": round(sum(task["cost_usd"] for task in tasks), 6),
        "batch_discount": load_catalog(Path(settings.models_file)).batch_discount,
        "tokens": 0,
        "tasks": tasks,
    }
