"""`snakemake order`: request that pictures are made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from chargen import operations
from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.base.wording import count
from chargen.operations.base import Operation
from chargen.operations.words import money
from chargen.planning.orders import place_order
from chargen.planning.plan import Item, Plan
from chargen.planning.selection import matches, meant
from chargen.records import arguments
from chargen.records.settings import Settings
from chargen.records.state import State

ORDERABLE = frozenset({"done", "adopted", "missing", "failed", "put back"})


def order(settings: Settings, state: State, *, only_show: bool = False) -> str:
    """Record an order for the pictures that ``scenes`` and ``state`` name; return what it says and will cost.

    What will be made anyway, or is in flight, is not ordered twice. With *only_show* nothing is recorded. Raises
    ChargenError if nothing fits.
    """
    asked = settings.asked(arguments.Order)
    if not asked.scenes:
        raise ChargenError(
            "order: name scenes: --config scenes='character/oda-*/*' "
            "(globs over kind/entity/scene; state=stale, recomposed, failed, missing, done or adopted narrows them)"
        )
    scenes = operations.of_scenes()
    plan = scenes.plan(settings, ["all"])
    named = _named(plan, asked.scenes)
    chosen = [_Chosen(scenes, plan, _orderable(plan, named, asked.state))]
    for operation in operations.of_files():
        if globs := operation.named_by(asked.scenes, asked.state):
            of_files = operation.plan(settings, ["all"])
            items = _orderable(of_files, _named(of_files, globs), asked.state)
            chosen.append(_Chosen(operation, of_files, items))
    chosen = [group for group in chosen if group.items]
    if not chosen:
        raise ChargenError(_nothing(settings, named, [item.target for item in plan.items]))
    ordered = [(item.target, item.wish.variation) for group in chosen for item in group.items]
    cost = sum(group.cost_usd for group in chosen)
    name = "would order" if only_show else _record(settings, state, ordered, cost)
    lines = [f"{name} {group.words()}" for group in chosen]
    lines += [
        f"  {target}" + (f" (variation {variation})" if variation > 1 else "") for target, variation in ordered[:20]
    ]
    if len(ordered) > 20:
        lines.append(f"  and {len(ordered) - 20} more")
    return "\n".join(lines)


def _record(settings: Settings, state: State, items: list[tuple[str, int]], cost_usd: float) -> str:
    """Record the order of *items*, and return how a line about it begins."""
    number = place_order(state, items, scenes=list(settings.asked(arguments.Order).scenes), cost_usd=cost_usd)
    events.write_event(
        "ordered",
        f"order {number}: {len(items)} again",
        order=number,
        tasks=len(items),
        targets=sorted({target for target, _ in items}),
        cost_usd=round(cost_usd, 6),
    )
    return f"order {number}:"


@dataclass(frozen=True)
class _Chosen:
    """What is ordered of one operation."""

    operation: Operation
    plan: Plan[Any]
    items: list[Item]

    @property
    def cost_usd(self) -> float:
        return round(sum(self.plan.cost_of(item) for item in self.items), 6)

    def words(self) -> str:
        """How many, at what cost, and which target makes them."""
        number, results = len(self.items), self.operation.words.results
        target = f"the next {self.operation.name}_all makes"
        if self.operation.name == operations.SCENES:
            them = "it" if number == 1 else "them"
            return f"{count(number, 'picture')} again, about {money(self.cost_usd)}; {target} {them}, once"
        return f"{number} {results} again, about {money(self.cost_usd)}; {target} them, once"


def _named(plan: Plan[Any], globs: Sequence[str]) -> list[Item]:
    return [item for item in plan.items if any(matches(globs, name) for name in item.names)]


def _orderable(plan: Plan[Any], items: list[Item], state: str) -> list[Item]:
    """Those of *items* that can be ordered, and that stand as *state* says, if it says anything."""
    chosen = plan.standing_as(state)
    return [
        item
        for item in items
        if item.status in ORDERABLE
        and (not state or (item.status == state if chosen is None else item.wish.id in chosen))
    ]


def _nothing(settings: Settings, named: list[Item], known: list[str]) -> str:
    asked = settings.asked(arguments.Order)
    globs = " ".join(asked.scenes)
    question = next(filter(None, (meant(glob, known) for glob in asked.scenes)), "")
    if not named:
        return (
            f"order: no scene matches {globs}{question}; scenes are named kind/entity/scene, like "
            "character/oda-brennick/lamp-room"
        )
    counts = Counter(item.status for item in named)
    found = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    what = f" that is {asked.state}" if asked.state else ""
    return f"order: nothing{what} among the {len(named)} pictures that match {globs} can be ordered: {found}"
