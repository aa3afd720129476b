"""The budgets: what may be submitted within a day, and within a month."""

from __future__ import annotations

from collections.abc import Iterator

from chargen.base.frozen import frozen
from chargen.records.journal import Journal
from chargen.records.settings import Settings

NEARLY = 0.8
"""The share of a budget from which on there is a warning."""


@frozen
class Budget:
    """``usd`` may be submitted within ``hours``, shown as ``period``; ``name`` is its key."""

    name: str
    usd: float
    hours: float
    period: str

    def used(self, total: float) -> str:
        """Return how much of it *total* US dollars are, for a message."""
        share = f" ({total / self.usd:.0%})" if self.usd else ""
        return f"${total:.2f} of {self.name}={self.usd:.2f} for {self.period} used{share}"


def budgets(settings: Settings) -> Iterator[Budget]:
    """Yield the budgets that are set."""
    for name, usd, hours, period in (
        ("budget_usd", settings.budget_usd, 24.0, "24 hours"),
        ("budget_month_usd", settings.budget_month_usd, 24.0 * 30, "30 days"),
    ):
        if usd is not None:
            yield Budget(name, usd, hours, period)


def notices(settings: Settings, journal: Journal, cost_usd: float) -> list[str]:
    """Return what to know of the budgets before a run that costs *cost_usd*: one that it nearly uses up, or breaks."""
    found = []
    for budget in budgets(settings) if cost_usd else ():
        total = journal.spent_usd(budget.hours) + cost_usd
        if total > budget.usd:
            used = budget.used(total)
            found.append(f"budget: this run would bring it to {used}; batches over the budget are not sent")
        elif total > budget.usd * NEARLY:
            found.append(f"budget: with this run, {budget.used(total)}")
    return found
