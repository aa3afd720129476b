"""Pinning: the plan is stored in state/, so that every other process reads it from there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chargen.base import durable, events, failpoints
from chargen.records.journal import Journal
from chargen.records.state import RunFiles, State

if TYPE_CHECKING:
    from collections.abc import Iterable

    from chargen.planning.batches import Batch
    from chargen.planning.plan import Plan
    from chargen.planning.remains import Remains
    from chargen.providers.models import Catalog
    from chargen.records.batch import BatchPlan
    from chargen.records.settings import Settings


def pin(
    settings: Settings,
    state: State,
    run: RunFiles,
    plan: Plan[Any] | Remains,
    started: str,
    targets: Iterable[str],
) -> None:
    """Write one of the run's plans and the plans of its batches, and remember what was seen of files.

    Raises ChargenError if an author saved what is planned while the plan was made.
    """
    from chargen.planning.remains import Remains

    if not isinstance(plan, Remains):
        plan.check(settings)
        plan.remember()
        pin_batches(settings, state, plan.batches, plan.catalog)
    stored = replace(plan.stored(), started=started, targets=tuple(sorted(targets)))
    durable.write_json(run.plan_of(plan.operation), stored.to_json())
    failpoints.reached("planned")
    tasks = sum(len(batch.tasks) for batch in plan.batches)
    events.write_event(
        "planned",
        f"{plan.operation}: {tasks} tasks in {len(plan.batches)} batches, about ${plan.cost_usd:.4f}",
        operation=plan.operation,
        tasks=tasks,
        batches=[batch.id for batch in plan.batches],
        in_flight=sorted(plan.in_flight),
        put_back=sorted(plan.put_back),
        cost_usd=round(plan.cost_usd, 6),
    )


def pin_batches(settings: Settings, state: State, batches: Iterable[Batch], catalog: Catalog) -> list[str]:
    """Write the plans of *batches* and return their ids; one that went out under its id is never rewritten."""
    journal = Journal(state)
    return [pin_batch(state, journal, batch.stored(settings, catalog)) for batch in batches]


def pin_batch(state: State, journal: Journal, plan: BatchPlan) -> str:
    """Write one batch's plan unless the journal knows that it went out; return its id."""
    files = state.batch(plan.batch)
    entry = journal.entry(plan.batch)
    if not files.plan.exists() or not (entry.job or entry.open_intent):
        durable.write_json(files.plan, plan.to_json())
        failpoints.reached("pinned")
    return plan.batch
