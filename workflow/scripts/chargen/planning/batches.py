"""Batches: one per model, filled up to the limits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from chargen.planning.tasks import Task
from chargen.providers.models import Catalog
from chargen.providers.parameters import sent_to
from chargen.records.batch import BatchPlan, Provenance
from chargen.records.identity import batch_id, display_name
from chargen.records.settings import Settings

WEIGHTS = {"critical": 0, "high": 1, "medium": 2, "low": 3}


@dataclass(frozen=True)
class Batch:
    """Tasks of one operation and one model that go out as one remote job."""

    operation: str
    model: str
    tasks: tuple[Task, ...]
    models: str = ""
    """The key of the settings' ``models`` that chose the model; empty if that is the operation's name."""

    @cached_property
    def id(self) -> str:
        """The same for the same wishes, task keys and attempts, anywhere."""
        return batch_id((task.wish.id, task.key, task.attempt) for task in self.tasks)

    @property
    def cost_usd(self) -> float:
        """Estimated US dollars, the batch discount taken off."""
        return sum(task.shape.cost_usd for task in self.tasks)

    @property
    def tokens(self) -> int:
        """Estimated input tokens."""
        return sum(task.tokens for task in self.tasks)

    def stored(self, settings: Settings, catalog: Catalog) -> BatchPlan:
        """Return the batch's plan.json."""
        sent = sent_to(self.tasks[0].shape.model.takes, settings.models[self.models or self.operation])
        return BatchPlan(
            batch=self.id,
            operation=self.operation,
            provider=settings.provider,
            library_id=settings.library_id,
            model=self.model,
            display_name=display_name(settings.library_id, self.id),
            temperature=sent.get("temperature"),
            parameters=sent,
            safety_settings=tuple(dict(setting) for setting in settings.safety_settings),
            store_requests=settings.store_requests,
            cost_usd=round(self.cost_usd, 6),
            batch_discount=catalog.batch_discount,
            tokens=self.tokens,
            provenance=Provenance(store=settings.provenance, prompt=settings.record_prompt),
            tasks=tuple(task.stored() for task in self.tasks),
        )


def fill(
    tasks: Iterable[Task], settings: Settings, catalog: Catalog, operation: str, models: str = ""
) -> Iterator[Batch]:
    """Yield batches of *tasks*, heavier scenes first, none beyond the limits of configuration and tier."""
    by_model: dict[str, list[Task]] = {}
    for task in sorted(tasks, key=lambda task: WEIGHTS[task.weight]):
        by_model.setdefault(task.shape.model.name, []).append(task)
    for model, group in sorted(by_model.items()):
        quota = group[0].shape.model.quota
        tokens = settings.limits.enqueued_tokens or catalog.enqueued_tokens(settings.limits.tier, quota)
        limits = (settings.batch.max_tasks, min(settings.batch.max_bytes, catalog.input_file_bytes), tokens)
        for chunk in _chunks(group, limits):
            yield Batch(operation, model, tuple(chunk), models)


def _chunks(tasks: list[Task], limits: tuple[int, int, int]) -> Iterator[list[Task]]:
    chunk: list[Task] = []
    held = (0, 0, 0)
    for task in tasks:
        adds = (1, task.line_bytes, task.tokens)
        total = tuple(have + add for have, add in zip(held, adds, strict=True))
        if chunk and any(have > limit for have, limit in zip(total, limits, strict=True)):
            yield chunk
            chunk, total = [], adds
        chunk.append(task)
        held = (total[0], total[1], total[2])
    if chunk:
        yield chunk
