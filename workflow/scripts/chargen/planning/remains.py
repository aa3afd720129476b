"""What remains to be done if an operation cannot be planned: collecting what is in flight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chargen.base.wording import count
from chargen.records.journal import Journal
from chargen.records.run import RunPlan
from chargen.records.state import State


@dataclass
class Remains:
    """Stands for a plan that cannot be made, under the names of `chargen.planning.plan.Plan`.

    ``why`` says what keeps it from being made.
    """

    operation: str
    why: str
    in_flight: dict[str, int]  # batch -> tasks in it
    lost: list[str]
    batches: list[Any] = field(default_factory=list)
    put_back: dict[str, list[str]] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    cost_usd: float = 0.0

    @classmethod
    def of(cls, state: State, operation: str, why: str) -> Remains | None:
        """Return what remains of *operation*; None if nothing of it is in flight."""
        journal = Journal(state)
        flying = [entry for entry in journal.in_flight() if entry.operation == operation]
        if not flying:
            return None
        return cls(operation, why, {entry.batch: len(entry.wishes) for entry in flying}, journal.lost(operation))

    def words(self) -> str:
        """Return what a person should know."""
        flying = count(len(self.in_flight), "batch", "batches")
        return f"{self.why}\nNothing new can be planned until this is fixed; {flying} in flight will be collected"

    def stored(self) -> RunPlan:
        """Return what is pinned of it."""
        return RunPlan(
            operation=self.operation,
            counts={"in_flight": sum(self.in_flight.values())},
            in_flight=tuple(sorted(self.in_flight)),
            problems=(self.why,),
        )
