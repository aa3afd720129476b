"""Plans for jobs that were sent from another machine, or before state/ was lost: only their results are known.

Its tasks are what its keys and the library say. A key that would be sent today is that very task; of any other, the
words are unknown: a scene's picture is archived as superseded, an enhanced picture is placed without counting as done,
and what was said about a picture is kept in the stored answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import chain, product

from chargen import operations
from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.library.slugs import folder_fault
from chargen.library.target import Target
from chargen.operations.base import Operation
from chargen.providers.base import RemoteJob
from chargen.providers.prices import known_prices
from chargen.providers.registry import provider_of
from chargen.records.batch import BatchPlan, Provenance, Task
from chargen.records.identity import UNKNOWN, Wish, batch_id, digest, split_key
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles

MAX_GUESSES = 10_000
"""How many ways to spread attempts over the tasks of a foreign job are tried, to find those that its id stands for."""
NOTE = "collected without its plan: the request is unknown"


def plan_from_results(settings: Settings, files: BatchFiles, job: RemoteJob) -> BatchPlan:
    """Return the plan of the batch whose downloaded results lie in *files*.

    Raises ChargenError if there are results and none of their keys is one of chargen's.
    """
    keys = list(_keys(settings, files))
    parts = {key: found for key in keys if (found := _split(key))}
    if keys and not parts:
        raise ChargenError(
            f"{job.name}: its results are not from chargen: their keys look like {keys[0][:80]!r}. If they are "
            "not needed: "
            f"snakemake cleanup --config delete={job.name}"
        )
    operation = _operation(settings, [target for target, _ in parts.values()], job.model)
    parts = {key: found for key, found in parts.items() if owner_of(found[0]) is operation}
    then = _as_then(settings, operation, job.model, [target for target, _ in parts.values()])
    today = _today(then, operation, job.model)
    blank = operation.blank(then, parts.values())
    tasks = [
        today[key] if key in today else blank(key, target, variation) for key, (target, variation) in parts.items()
    ]
    tasks = attempted(tasks, files.id, settings.retry_max_attempts)
    prices = known_prices(settings)
    return BatchPlan(
        batch=files.id,
        operation=operation.name,
        provider=settings.provider,
        library_id=settings.library_id,
        model=job.model,
        display_name=job.display_name,
        store_requests=settings.store_requests,
        cost_usd=round(sum(task.cost_usd for task in tasks), 6),
        batch_discount=prices.batch_discount if prices else 0.0,
        provenance=Provenance(store=settings.provenance, prompt=settings.record_prompt),
        tasks=tuple(tasks),
    )


def attempted(tasks: list[Task], batch: str, most: int) -> list[Task]:
    """Return *tasks* with the attempts, each up to *most*, that the id of their *batch* stands for; as they are if none
    fit.

    Whoever took a job for a first attempt that was another's second one would send that very batch again.
    """
    known = [(task.wish_id, task.key) for task in tasks]
    alike = ((attempt,) * len(known) for attempt in range(1, most + 1))
    mixed = product(range(1, most + 1), repeat=len(known)) if most ** len(known) <= MAX_GUESSES else ()
    for attempts in chain(alike, mixed):
        sent = zip(known, attempts, strict=True)
        if batch_id((wish, key, attempt) for (wish, key), attempt in sent) == batch:
            return [replace(task, attempt=attempt) for task, attempt in zip(tasks, attempts, strict=True)]
    return tasks


def _keys(settings: Settings, files: BatchFiles) -> dict[str, None]:
    """The keys of the results in their order, each once; none where no results are left."""
    if not files.responses.exists():
        return {}
    with provider_of(settings).results(files.responses) as results:
        return dict.fromkeys(line.key for line in results if line.key)


def _split(key: str) -> tuple[Target, int] | None:
    """Return target and variation of a key that chargen may have made; None for any other.

    A key comes from the server: what it names becomes a path, so each part of it must be a plain name.
    """
    try:
        target, variation = split_key(key)
    except ValueError:
        return None
    _, owner, *rest = target.split("/") if "/" in target else (target, "")
    if not rest or folder_fault(owner) or any(part in ("", ".", "..") or "\0" in part for part in (owner, *rest)):
        return None
    return (target, variation) if any(item.owns(target) for item in operations.every()) else None


def _operation(settings: Settings, targets: Iterable[Target], model: str) -> Operation:
    """Which operation has such targets; a job without results is known by its model."""
    for target in targets:
        return owner_of(target)
    prices = known_prices(settings)
    wanted = "text" if prices and model in prices.facts["text_models"] else "picture"
    return next(item for item in operations.every() if item.wanted == wanted)


def owner_of(target: Target) -> Operation:
    """Return the operation whose *target* it is. Raises StopIteration if it is none's."""
    return next(item for item in operations.every() if item.owns(target))


def _as_then(settings: Settings, operation: Operation, model: str, targets: list[Target]) -> Settings:
    """The settings under which the job may have been sent: its own model and job name, and nothing left out."""
    choice = replace(settings.models[operation.use], model=model, fallback="")
    changed = replace(settings, models={**settings.models, operation.use: choice}, only=(), strict=False)
    return operation.settings_then(changed, targets)


def _today(settings: Settings, operation: Operation, model: str) -> dict[str, Task]:
    """What would be sent today, by key; nothing if that cannot be planned, which is logged."""
    try:
        plan = operation.plan(settings, ["all"])
    except ChargenError as error:
        words = f"{error}\n  the requests of the job are treated as unknown"
        events.log("problem", words, level="warning", model=model)
        return {}
    return {task.key: task.stored() for task in plan.tasks}


def blank_task(operation: str, key: str, target: Target, variation: int) -> Task:
    """Return a task of which only the key is known."""
    wish = Wish(operation, target, variation, f"{UNKNOWN}:{digest(key)}")
    return Task(wish=wish, wish_id=wish.id, key=key, title=target.rpartition("/")[2], notes=(NOTE,))
