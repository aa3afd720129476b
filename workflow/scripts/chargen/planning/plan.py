"""The plan of one operation: the status of each result, and what is sent. Planning writes nothing.

Every operation has such a plan; `chargen.planning.scene_plans` and `chargen.planning.file_plans` add what is known of
scenes, and of picture files.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from chargen.base.errors import Problem
from chargen.base.frozen import frozen
from chargen.base.reading import Document, optional
from chargen.library.target import Target
from chargen.pictures.looks import Looker
from chargen.planning.batches import Batch
from chargen.planning.estimates import range_of
from chargen.planning.fates import Status
from chargen.planning.remains import Remains
from chargen.planning.tasks import Shape, Task, TextShape
from chargen.providers.models import Catalog
from chargen.records.identity import Wish
from chargen.records.origins import Setting
from chargen.records.run import RunPlan, Waiting
from chargen.records.settings import Settings


class Item(Protocol):
    """One wanted result and its status. ``batch`` has it in flight, or has the answer to restore from;
    ``reason`` says why, where the status alone does not."""

    @property
    def wish(self) -> Wish: ...
    @property
    def target(self) -> str: ...
    @property
    def status(self) -> Status: ...
    @property
    def reason(self) -> str: ...
    @property
    def batch(self) -> str: ...
    @property
    def names(self) -> tuple[str, ...]:
        """The targets by which a person may name it; its own is the first."""


Wanted = TypeVar("Wanted", bound=Item)


@frozen
class Deferred(Generic[Wanted]):
    """A result that waits for others of the same run; it is sent in a later wave."""

    item: Wanted
    shape: Shape
    needs: frozenset[str]


@frozen
class Stale(Generic[Wanted]):
    """A result in place that is out of date: counted and priced, never made again by itself."""

    item: Wanted
    cost_usd: float


@frozen(kw_only=True)
class Counts(Document):
    """How many results stand where. ``wanted`` counts every result that is asked for, ``applied`` those in place,
    adopted ones included; ``recomposed`` pictures would be asked in other words only because this version composes
    prompts differently."""

    wanted: int
    to_make: int
    applied: int
    adopted: int
    in_flight: int
    failed: int
    missing: int
    put_back: int
    blocked: int
    stale: int
    recomposed: int = optional(0)


@dataclass
class Plan(Generic[Wanted]):
    """What a run would do; costs are in US dollars."""

    operation: str
    catalog: Catalog
    looker: Looker | None = None
    items: list[Wanted] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    deferred: list[Deferred[Wanted]] = field(default_factory=list)
    stale: list[Stale[Wanted]] = field(default_factory=list)
    in_flight: dict[str, int] = field(default_factory=dict)  # batch -> tasks in it
    put_back: dict[str, list[str]] = field(default_factory=dict)  # batch -> wish ids
    lost: list[str] = field(default_factory=list)  # batches whose jobs are looked for again
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    broken: tuple[str, ...] = ()  # entities that were skipped, because they cannot be read
    settings: tuple[Setting, ...] = ()
    """What shapes the pictures, and where it is said."""

    @property
    def cost_usd(self) -> float:
        """The estimate for everything that this run would submit, later waves included."""
        later = sum(item.shape.cost_usd for item in self.deferred)
        return sum(batch.cost_usd for batch in self.batches) + later

    @property
    def cost_range_usd(self) -> tuple[float, float]:
        """The least and the most that `cost_usd` may come to."""
        shapes: list[Shape | TextShape] = [task.shape for task in self.tasks]
        return range_of([*shapes, *(item.shape for item in self.deferred)])

    @property
    def to_send(self) -> frozenset[str]:
        """The wishes (ids) that this run would send, later waves included."""
        return frozenset((*(task.wish.id for task in self.tasks), *(item.item.wish.id for item in self.deferred)))

    @property
    def missing_usd(self) -> float:
        """About what it costs to make again what is gone."""
        return sum(self.cost_of(item) for item in self.of_status("missing"))

    def cost_of(self, item: Wanted) -> float:
        """Return about what it costs to make *item* again; 0 where that is not known."""
        raise NotImplementedError

    def status_of(self, item: Wanted) -> Status:
        """Return where *item* stands, what was found out while tasks were made included."""
        return item.status

    def of_status(self, *statuses: Status) -> list[Wanted]:
        """Return the items that stand so."""
        return [item for item in self.items if self.status_of(item) in statuses]

    def standing_as(self, state: str) -> frozenset[str] | None:
        """Return the wishes (ids) that stand as *state* says where that is no status; None if it is one."""
        return frozenset(item.item.wish.id for item in self.stale) if state == "stale" else None

    def counts(self) -> Counts:
        """Return how many results stand where."""
        by_status = Counter(map(self.status_of, self.items))

        def number(status: Status) -> int:
            return by_status[status]

        return Counts(
            wanted=len(self.items) - number("twin"),
            to_make=len(self.tasks) + len(self.deferred),
            applied=number("done") + number("adopted"),
            adopted=number("adopted"),
            in_flight=number("in flight"),
            failed=number("failed"),
            missing=number("missing"),
            put_back=number("put back"),
            blocked=number("blocked"),
            stale=len(self.stale),
        )

    def cut_counts(self) -> dict[str, int]:
        """Return of how many prompts each part was cut to fit, the most first."""
        found = Counter(cut.part for task in self.tasks for cut in task.cuts)
        return dict(found.most_common())

    def note_put_back(self) -> None:
        """Fill in ``put_back`` from the items."""
        for item in self.items:
            if item.status == "put back":
                self.put_back.setdefault(item.batch, []).append(item.wish.id)

    def note_problem(self, found: Problem | None) -> str:
        """Add the problem, if there is one, and return its message; ``""`` for none."""
        self.problems += [found] if found else []
        return found.message if found else ""

    def remember(self) -> None:
        """Keep what was seen of files for the next plan."""
        if self.looker:
            self.looker.remember()

    def check(self, settings: Settings) -> None:
        """Raise ChargenError if the input of the plan has changed since."""

    def stored(self) -> RunPlan:
        """Return what is pinned of it besides the batches' own plans."""
        return RunPlan(
            operation=self.operation,
            counts=self.counts().to_json(),
            cost_usd=round(self.cost_usd, 6),
            batches=tuple(batch.id for batch in self.batches),
            in_flight=tuple(sorted(self.in_flight)),
            put_back={batch: tuple(wishes) for batch, wishes in self.put_back.items()},
            deferred=tuple(
                Waiting(
                    target=Target(item.item.target),
                    variation=item.item.wish.variation,
                    needs=tuple(map(Target, sorted(item.needs))),
                    cost_usd=item.shape.cost_usd,
                )
                for item in self.deferred
            ),
            broken=tuple(self.broken),
            problems=tuple(str(problem) for problem in self.problems),
            notices=tuple(self.notices),
        )


def batches_of(plan: Plan[Any] | Remains) -> list[str]:
    """Return the batches that a run brings to their end: those in flight, then the new ones."""
    return list(dict.fromkeys([*plan.in_flight, *(batch.id for batch in plan.batches)]))
