"""The input of every plan, each read once, and the last steps of every plan.

What only one operation knows (which results are wanted, what is asked for them) stands in its package.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from chargen.base.errors import CannotPlan, ChargenError
from chargen.base.wording import count
from chargen.library.load import load_library
from chargen.library.model import Library
from chargen.pictures.looks import Looker
from chargen.planning import budget
from chargen.planning.batches import fill
from chargen.planning.estimates import Estimates
from chargen.planning.fates import Fate, Fates, Status, stored_batches
from chargen.planning.orders import read_orders
from chargen.planning.plan import Plan
from chargen.planning.same_words import SameWords
from chargen.providers.models import Catalog, ImageModel, TextModel, usable
from chargen.providers.parameters import not_sent
from chargen.providers.registry import provider_of
from chargen.records.identity import Wish
from chargen.records.journal import Journal
from chargen.records.learned import Learned, read_learned
from chargen.records.setting_groups import ModelChoice
from chargen.records.settings import Settings
from chargen.records.state import State

Model = TypeVar("Model", ImageModel, TextModel)


@dataclass(frozen=True)
class Sources:
    """State, journal, orders, models and prices under *settings*; *models* is the key of its model choice."""

    settings: Settings
    models: str

    @cached_property
    def state(self) -> State:
        """The state of the library."""
        return State.of(self.settings)

    @cached_property
    def journal(self) -> Journal:
        """All that was sent and came back."""
        return Journal(self.state)

    @cached_property
    def catalog(self) -> Catalog:
        """Models and prices."""
        return provider_of(self.settings).catalog(self.settings)

    @cached_property
    def looker(self) -> Looker:
        """What was seen of files before."""
        return Looker(self.state.looks)

    @cached_property
    def orders(self) -> dict[tuple[str, int], int]:
        """The number of the last order for each target and variation."""
        return read_orders(self.state)

    @cached_property
    def learned(self) -> Learned:
        """What real answers have counted."""
        return read_learned(self.state, self.journal)

    @cached_property
    def estimates(self) -> Estimates:
        """Prices and tokens."""
        return Estimates(self.catalog, self.learned)

    @cached_property
    def stored(self) -> frozenset[str]:
        """The batches whose raw responses are still kept."""
        return stored_batches(self.state)

    @cached_property
    def fates(self) -> Fates:
        """What the journal says of wishes."""
        return Fates(self.journal, self.settings.retry_max_attempts, self.stored)

    @cached_property
    def words(self) -> SameWords:
        """Under which hashes the words of scenes are known."""
        return SameWords(self.state)

    @property
    def choice(self) -> ModelChoice:
        """The configured model with its parameters."""
        return self.settings.models[self.models]

    def library(self) -> Library:
        """Read the library. Raises ChargenError if there is none, CannotPlan if its chargen.yaml cannot be used."""
        if self.settings.library_fault:
            raise CannotPlan(self.settings.library_fault)
        library = load_library(
            self.settings.library_root,
            exclude=self.settings.exclude,
            adopt_existing=self.settings.adopt_existing,
            provider=self.settings.provider,
        )
        if library.mistake:
            raise ChargenError("\n".join(library.notices))
        return library

    def model(self, find: Callable[[str], Model], plan: Plan[Any]) -> Model:
        """Return the configured model, or its fallback; *plan* notes what is to be known of that.

        *find* is the method of the catalog that knows models of its kind.
        """
        model, notice = usable(find, self.choice.model, self.choice.fallback, self.journal.denied_models())
        plan.notices += [notice] if notice else []
        plan.notices += not_sent(self.models, model, self.choice)
        return model

    def order(self, target: str, variation: int) -> int:
        """Return the number of the last order for a result; 0 if there is none."""
        return self.orders.get((target, variation), 0)

    def stand(self, wish: Wish, in_place: Status | None, why: str) -> Fate:
        """Return where *wish* stands: *in_place* is how a result counts that is there, None if none is; *why* it would
        be made now."""
        flying = self.fates.in_flight(wish)
        if flying:
            return flying
        if in_place and (not wish.order or self.fates.came(wish)):
            return Fate(in_place)
        return self.fates.without_result(wish, f"order {wish.order}" if wish.order else why)

    def note_in_flight(self, plan: Plan[Any]) -> None:
        """Fill in what *plan*'s operation has in flight, and which lost jobs are checked again."""
        for entry in self.journal.in_flight():
            if entry.operation == plan.operation:
                plan.in_flight[entry.batch] = len(entry.wishes)
        plan.lost = self.journal.lost(plan.operation)

    def finish(self, plan: Plan[Any], *, strict: bool) -> None:
        """Fill the batches of *plan*, and note what is restored and what the budget says.

        Raises ChargenError if *strict* allows no problems and there are some.
        """
        plan.note_put_back()
        plan.batches = list(fill(plan.tasks, self.settings, self.catalog, plan.operation, self.models))
        plan.notices += budget.notices(self.settings, self.journal, plan.cost_usd)
        if strict and plan.problems:
            lines = "\n".join(str(problem) for problem in plan.problems)
            found = count(len(plan.problems), "problem")
            raise ChargenError(f"{lines}\nstrict: nothing was started, because the library has {found}")
