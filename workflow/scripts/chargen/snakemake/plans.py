"""The plans of one run: each is made once, when the graph first needs it, and printed when it is made."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, TypeAlias

from chargen import operations
from chargen.base.errors import CannotPlan, ChargenError
from chargen.operations import words as show
from chargen.operations.illustrate import ILLUSTRATE
from chargen.planning.elsewhere import sent_elsewhere
from chargen.planning.remains import Remains
from chargen.records.journal import Journal
from chargen.snakemake.context import RunContext
from chargen.snakemake.messages import print_message

if TYPE_CHECKING:
    from chargen.planning.plan import Plan

NewPlan: TypeAlias = "Plan[Any]"
AnyPlan: TypeAlias = "NewPlan | Remains"


class Plans:
    """The plans that were made in this process, by operation."""

    def __init__(self, context: RunContext):
        self._context = context
        self._made: dict[str, AnyPlan] = {}
        self._previewed = False

    def of(self, operation: str) -> AnyPlan:
        """Return the plan of *operation*. Raises ChargenError if it cannot be made, or would pay again for what was
        sent under another name of the library."""
        if operation not in self._made:
            plan = self._plan_or_remains(operation)
            self._made[operation] = plan
            if self._context.is_main_process:
                self._print(plan)
        return self._made[operation]

    def made(self) -> Collection[AnyPlan]:
        """Return the plans that were made so far."""
        return self._made.values()

    def known(self, operation: str) -> AnyPlan | None:
        """Return the plan of *operation* if it was made already."""
        return self._made.get(operation)

    def incomplete(self) -> list[Remains]:
        """Return what stands for plans that could not be made, while their jobs in flight are collected."""
        return [plan for plan in self._made.values() if isinstance(plan, Remains)]

    def print_preview(self) -> None:
        """Print about what will be generated once the analyses are there; the plan itself is made then."""
        if self._previewed or not self._context.is_main_process:
            return
        self._previewed = True
        try:
            later = self._make(ILLUSTRATE.makes, [self._context.settings.scope])
        except CannotPlan as error:
            print_message(f"after the analyses: nothing to make yet. {error}")
        else:
            print_message(f"after the analyses: {show.headline(later)}")

    def _make(self, operation: str, scopes: list[str]) -> NewPlan:
        return operations.operation(operation).plan(self._context.settings, scopes)

    def _plan_or_remains(self, operation: str) -> AnyPlan:
        """Return the plan; if the configuration does not allow one, what is in flight, unless plans are only shown."""
        targets = self._context.targets
        try:
            return self._make(operation, targets.scopes(operation, self._context.settings.scope))
        except CannotPlan as error:
            remains = Remains.of(self._context.state, operation, str(error))
            if remains is None or targets.only_show_plan:
                raise
            return remains

    def _print(self, plan: AnyPlan) -> None:
        if isinstance(plan, Remains):
            print_message(plan.words())
            return
        print_message(show.overview(plan, self._context.settings))
        targets = self._context.targets
        if targets.only_show_plan or plan.operation in targets.operations():
            self._check_elsewhere(plan)

    def _check_elsewhere(self, plan: NewPlan) -> None:
        """Raise ChargenError if something of *plan* was already sent under another name of the library.

        While something is in flight that is to be collected, or if plans are only shown, print it instead.
        """
        settings, state, targets = self._context.settings, self._context.state, self._context.targets
        found = sent_elsewhere(settings, state, plan.to_send)
        if not found:
            return
        words = found.words(settings, str(targets))
        if not targets.only_show_plan and not Journal(state).in_flight():
            raise ChargenError(words)
        print_message(words)
