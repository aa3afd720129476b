"""The plan of an operation on picture files: which of them are done, and what goes out. Planning writes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chargen.base.errors import Problem
from chargen.pictures.looks import Looker
from chargen.planning.batches import Batch
from chargen.planning.estimates import range_of
from chargen.planning.fates import Fate, Fates, Status
from chargen.planning.tasks import Task
from chargen.providers.models import Catalog
from chargen.records.identity import Wish


@dataclass(frozen=True, slots=True)
class FileItem:
    """One wanted result about one file, and where it stands. ``group`` is what it belongs to, for counting."""

    wish: Wish
    status: Status
    group: str
    reason: str = ""
    attempt: int = 1
    batch: str = ""
    is_stale: bool = False
    cost_usd: float = 0.0
    present: str = ""  # the target under the file's present name, where it may have another one

    @property
    def target(self) -> str:
        return self.wish.target


@dataclass
class FilePlan:
    """What a run would do; it uses the names of `chargen.operations.generate.plan.Plan` for the same things."""

    operation: str
    catalog: Catalog
    looker: Looker
    items: list[FileItem] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    in_flight: dict[str, int] = field(default_factory=dict)  # batch -> tasks in it
    put_back: dict[str, list[str]] = field(default_factory=dict)  # batch -> wish ids
    lost: list[str] = field(default_factory=list)  # batches whose jobs are looked for again
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    broken: tuple[str, ...] = ()

    @property
    def cost_usd(self) -> float:
        """The estimate for everything that this run would submit."""
        return sum(batch.cost_usd for batch in self.batches)

    @property
    def cost_range_usd(self) -> tuple[float, float]:
        """The least and the most that `cost_usd` may come to."""
        return range_of([task.shape for task in self.tasks])

    @property
    def to_send(self) -> frozenset[str]:
        """The wishes (ids) that this run would send."""
        return frozenset(task.wish.id for task in self.tasks)

    def of_status(self, *statuses: Status) -> list[FileItem]:
        """Return the items that stand so."""
        return [item for item in self.items if item.status in statuses]

    @property
    def stale(self) -> list[FileItem]:
        """What is done, and would be asked in other words today."""
        return [item for item in self.items if item.is_stale]

    def counts(self) -> dict[str, int]:
        """Return how many results stand where, under the names of `Plan.counts`."""
        by_status = Counter(item.status for item in self.items)
        return {
            "wanted": len(self.items) - by_status["twin"],
            "to_make": len(self.tasks),
            "applied": by_status["done"] + by_status["adopted"],
            "adopted": by_status["adopted"],
            "in_flight": by_status["in flight"],
            "failed": by_status["failed"],
            "missing": by_status["missing"],
            "put_back": by_status["put back"],
            "blocked": by_status["blocked"],
            "stale": len(self.stale),
        }

    def remember(self) -> None:
        """Keep what was seen of files for the next plan."""
        self.looker.remember()

    def to_json(self) -> dict[str, Any]:
        """Return what is pinned of it beside the batches' own plans."""
        return {
            "schema_version": 1,
            "operation": self.operation,
            "counts": self.counts(),
            "cost_usd": round(self.cost_usd, 6),
            "batches": [batch.id for batch in self.batches],
            "in_flight": sorted(self.in_flight),
            "put_back": self.put_back,
            "deferred": [],
            "left_out": [{"target": item.target, "why": item.reason} for item in self.of_status("blocked", "twin")],
            "broken": list(self.broken),
            "problems": [str(problem) for problem in self.problems],
            "notices": self.notices,
        }


def stand(fates: Fates, wish: Wish, in_place: Status | None, why: str) -> Fate:
    """Return where *wish* stands; *in_place* is how its result counts that is there, None if none is."""
    flying = fates.in_flight(wish)
    if flying:
        return flying
    if in_place and (not wish.order or fates.came(wish)):
        return Fate(in_place)
    return fates.without_result(wish, f"order {wish.order}" if wish.order else why)


def group_put_back(items: Sequence[FileItem]) -> dict[str, list[str]]:
    """Return the wishes that are to be put back, by the batch that brought them."""
    found: dict[str, list[str]] = {}
    for item in items:
        if item.status == "put back":
            found.setdefault(item.batch, []).append(item.wish.id)
    return found
