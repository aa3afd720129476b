"""What keeps a batch from being sent: the budget, and pictures that were sent, or came, by another way meanwhile."""

from __future__ import annotations

from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.base.wording import count
from chargen.operations import operation
from chargen.planning.budget import NEARLY, budgets
from chargen.planning.elsewhere import in_flight_elsewhere
from chargen.planning.orders import read_orders
from chargen.records.batch import BatchPlan
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import State


class OverBudget(ChargenError):
    """Sending the batch would spend more than the budget of the last 24 hours allows."""


def check_budget(journal: Journal, settings: Settings, plan: BatchPlan) -> None:
    """Raise OverBudget, with the numbers, if *plan* would break the budget of a day or of a month.

    Print a warning when it takes one of them beyond `NEARLY` of it.
    """
    for budget in budgets(settings):
        spent = journal.spent_usd(budget.hours)
        total = spent + plan.cost_usd
        if total > budget.usd + 1e-9:
            raise OverBudget(
                f"budget: ${spent:.2f} was submitted in the last {budget.period} and batch {plan.batch} "
                f"({len(plan.tasks)} tasks) would add ${plan.cost_usd:.2f}, over {budget.name}="
                f"{budget.usd:.2f}; nothing was sent. Raise it with --config {budget.name}=…, or wait"
            )
        if spent <= budget.usd * NEARLY < total:
            words = f"budget: with batch {plan.batch}, {budget.used(total)}"
            events.log("budget", words, level="warning", on_terminal=True, batch=plan.batch, cost_usd=round(total, 6))


def check_claims(journal: Journal, plan: BatchPlan) -> None:
    """Raise ChargenError if tasks of *plan* were sent in another batch of this library."""
    claimed = journal.claimed()
    others = {
        claimed[task.wish_id, task.attempt]
        for task in plan.tasks
        if claimed.get((task.wish_id, task.attempt), plan.batch) != plan.batch
    }
    if others:
        raise ChargenError(
            f"batch {plan.batch} was not sent: another run has already sent some of its tasks in "
            f"{', '.join(sorted(others))}; run again to plan without them"
        )


def check_orders(state: State, plan: BatchPlan) -> None:
    """Raise ChargenError if an order that *plan* fulfils counts no more: what it asked for has come meanwhile."""
    orders = read_orders(state)
    wishes = [task.wish for task in plan.tasks]
    if any(orders.get((wish.target, wish.variation), 0) < wish.order for wish in wishes):
        raise ChargenError(
            f"batch {plan.batch} was not sent: some of its pictures, which were lost, have arrived meanwhile; "
            "run again to plan without them"
        )


def check_elsewhere(settings: Settings, state: State, plan: BatchPlan) -> None:
    """Raise ChargenError if tasks of *plan* are in flight under another name of the library."""
    found = in_flight_elsewhere(state, {task.wish_id for task in plan.tasks}, Journal.recent)
    if found:
        target = f"{plan.operation}_all"
        raise ChargenError(f"batch {plan.batch}: {found.words(settings, target)}")


def check_not_made(settings: Settings, state: State, plan: BatchPlan) -> None:
    """Raise ChargenError if results of *plan* are already in place: another checkout has collected them and deleted its
    job since they were planned, so that the server's list says nothing of it."""
    made = operation(plan.operation).made_already(settings, state, plan.tasks)
    if made:
        first = next(task.target for task in plan.tasks if task.wish_id == made[0])
        raise ChargenError(
            f"batch {plan.batch} was not sent: {len(made)} of its {count(len(plan.tasks), 'task')} "
            f"{'is' if len(made) == 1 else 'are'} done since they were planned, {first} for one: another checkout made "
            "them; run again to plan without them"
        )
