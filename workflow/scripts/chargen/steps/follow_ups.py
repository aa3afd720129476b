"""What follows from a batch: tasks that go out again, and pictures that waited for its pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from chargen.base import durable, events, failpoints
from chargen.base.wording import count
from chargen.operations import operation
from chargen.operations.pin import pin_batches
from chargen.records import build
from chargen.records.batch import BatchPlan, Task
from chargen.records.identity import batch_id, display_name
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State

Json = dict[str, Any]


def retry_batches(settings: Settings, plan: BatchPlan, tasks: Sequence[Task], smaller: bool) -> Iterator[BatchPlan]:
    """Yield the plans of batches that send *tasks*, which *plan* sent before, once more; two half ones if *smaller*."""
    if not tasks:
        return
    size = (len(tasks) + 1) // 2 if smaller and len(tasks) > 1 else len(tasks)
    share = plan.tokens / len(plan.tasks)
    for start in range(0, len(tasks), size):
        chunk = tasks[start : start + size]
        batch = batch_id((task.wish_id, task.key, task.attempt) for task in chunk)
        yield replace(
            plan,
            batch=batch,
            display_name=display_name(settings.library_id, batch),
            cost_usd=round(sum(task.cost_usd for task in chunk), 6),
            tokens=round(share * len(chunk)),
            tasks=tuple(chunk),
        )


def release(settings: Settings, state: State, run: RunFiles, batch: str, retries: Collection[str]) -> list[str]:
    """Send on what waited for pictures of this run and waits no more; return the batches that *batch* released.

    A deferred picture is released once every batch of the run that makes what it needs has its receipt; it stays for
    the next run if a person cancelled one of them: nothing that follows from a cancelled job is sent in the same run.
    Which batch released what is recorded, so that doing it again gives the same answer.
    """
    name = state.batch(batch).read_plan().operation
    if not run.plan_of(name).exists():
        return []
    with state.lock("release"):
        plan = durable.read_object(run.plan_of(name))
        book_path = run.released_of(name)
        book = _book(book_path)
        if batch in book["over"]:
            return list(book["batches"].get(batch, ()))
        book["over"].append(batch)
        book["batches"].setdefault(batch, [])
        waiting = {
            item["target"]: set(item["needs"]) for item in plan["deferred"] if item["target"] not in book["targets"]
        }
        pending = _unsettled(state, plan, book, retries) | waiting.keys()
        ready = {target for target, needs in waiting.items() if not needs & pending}
        if ready:
            book["targets"] += sorted(ready)
            book["batches"][batch] += _plan_now(settings, state, name, ready, plan["problems"])
        durable.write_json(book_path, book)
        failpoints.reached("released")
        if ready:
            words = f"{count(len(ready), 'scene')} can be sent now that the pictures of batch {batch} are in place"
            events.log("released", words, tasks=len(ready), batches=book["batches"][batch])
        return list(book["batches"][batch])


def _book(path: Path) -> Json:
    """Return what was released so far; nothing if that cannot be read: releasing again makes the same batches."""
    try:
        return asdict(build(_Released, durable.read_json(path)))
    except (OSError, ValueError):
        return asdict(_Released())


@dataclass(frozen=True, slots=True)
class _Released:
    """``released.json`` of a run: which batch released which, the targets released, the batches that are over."""

    batches: dict[str, list[str]] = field(default_factory=dict)
    targets: list[str] = field(default_factory=list)
    over: list[str] = field(default_factory=list)


def _unsettled(state: State, plan: Mapping[str, Any], book: Mapping[str, Any], retries: Collection[str]) -> set[str]:
    """Return the targets that nothing may be built on yet.

    Those still to come in this run, of batches without a receipt and of pictures to restore; and those of jobs
    that a person cancelled.
    """
    journal = Journal.recent(state, *plan["batches"], *plan["in_flight"], *retries)
    batches = {*plan["batches"], *plan["in_flight"], *retries}
    for released in book["batches"].values():
        batches.update(released)
    pending: set[str] = set()
    seen: set[str] = set()
    while batches:
        files = state.batch(batches.pop())
        if files.id in seen or not files.plan.exists():
            continue
        seen.add(files.id)
        receipt = files.known_receipt()
        if journal.entry(files.id).withdrawn or receipt is None:
            pending.update(_targets(files, plan))
        if receipt:
            batches.update(receipt.follow_ups)
    for batch in plan["put_back"].keys() - set(book["over"]):
        pending.update(_targets(state.batch(batch), plan))
    return pending


def _targets(files: BatchFiles, plan: Mapping[str, Any]) -> set[str]:
    """Return the targets of a batch; if its plan cannot be read, all that anything waits for."""
    known = files.known_plan()
    if known is None:
        return {need for item in plan["deferred"] for need in item["needs"]}
    return {task.target for task in known.tasks}


def _plan_now(settings: Settings, state: State, name: str, targets: set[str], told: Collection[str]) -> list[str]:
    """Plan *targets* of the operation *name* and return the batches; problems not in *told* are printed."""
    plan = operation(name).plan(settings, targets=targets)
    for problem in plan.problems:
        if problem.scene and f"{problem.entity}/{problem.scene}" in targets:
            target, words = f"{problem.entity}/{problem.scene}", str(problem)
            events.log("problem", words, level="warning", on_terminal=words not in told, target=target)
    return pin_batches(settings, state, plan.batches, plan.catalog)
