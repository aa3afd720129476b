"""Follow-ups of a batch: retries, and pictures that waited for its pictures."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from chargen.base import durable, events, failpoints
from chargen.base.wording import count
from chargen.library.target import Target
from chargen.operations import operation
from chargen.operations.pin import pin_batches
from chargen.records.batch import BatchPlan, Task
from chargen.records.documents import read_document
from chargen.records.identity import batch_id, display_name
from chargen.records.journal import Journal
from chargen.records.run import Released, RunPlan
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State


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


def release(settings: Settings, state: State, run: RunFiles, batch: str, retries: Collection[str]) -> tuple[str, ...]:
    """Plan pictures that no longer wait for pictures of this run; return the batches that *batch* released.

    A deferred picture is released once every batch of the run that makes what it needs has its receipt; it stays for
    the next run if a person cancelled one of them: nothing that follows from a cancelled job is sent in the same run.
    Which batch released what is recorded, so that doing it again gives the same answer.
    """
    name = state.batch(batch).read_plan().operation
    if not run.plan_of(name).exists():
        return ()
    with state.lock("release"):
        plan = read_document(run.plan_of(name), RunPlan)
        known = Released.read(run.released_of(name))
        if batch in known.over:
            return known.batches.get(batch, ())
        waiting = {item.target: set(item.needs) for item in plan.deferred if item.target not in known.targets}
        known = replace(known, over=(*known.over, batch))
        pending = _unsettled(state, plan, known, retries) | waiting.keys()
        ready = {target for target, needs in waiting.items() if not needs & pending}
        released = tuple(_plan_now(settings, state, name, ready, plan.problems)) if ready else ()
        known = replace(known, batches={**known.batches, batch: released}, targets=(*known.targets, *sorted(ready)))
        durable.write_json(run.released_of(name), known.to_json())
        failpoints.reached("released")
        if ready:
            words = f"{count(len(ready), 'scene')} can be sent now that the pictures of batch {batch} are in place"
            events.log("released", words, tasks=len(ready), batches=list(released))
        return released


def _unsettled(state: State, plan: RunPlan, known: Released, retries: Collection[str]) -> set[Target]:
    """Return the targets that nothing may be built on yet.

    Those still to come in this run, of batches without a receipt and of pictures to restore; and those of jobs
    that a person cancelled.
    """
    journal = Journal.recent(state, *plan.batches, *plan.in_flight, *retries)
    batches = {*plan.batches, *plan.in_flight, *retries}
    for released in known.batches.values():
        batches.update(released)
    pending: set[Target] = set()
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
    for batch in plan.put_back.keys() - set(known.over):
        pending.update(_targets(state.batch(batch), plan))
    return pending


def _targets(files: BatchFiles, plan: RunPlan) -> set[Target]:
    """Return the targets of a batch; if its plan cannot be read, all that anything waits for."""
    known = files.known_plan()
    if known is None:
        return {need for item in plan.deferred for need in item.needs}
    return {task.target for task in known.tasks}


def _plan_now(settings: Settings, state: State, name: str, targets: set[Target], printed: Collection[str]) -> list[str]:
    """Plan *targets* of the operation *name* and return the batches; problems not in *printed* are printed."""
    plan = operation(name).plan(settings, targets=targets)
    for problem in plan.problems:
        if problem.scene and f"{problem.entity}/{problem.scene}" in targets:
            target, words = f"{problem.entity}/{problem.scene}", str(problem)
            events.log("problem", words, level="warning", on_terminal=words not in printed, target=target)
    return pin_batches(settings, state, plan.batches, plan.catalog)
