"""`snakemake order`: ask, in words, for pictures to be made again."""

from __future__ import annotations

from collections import Counter

from chargen.config import Settings
from chargen.planning.orders import place_order
from chargen.planning.plan import Plan, make_plan, matches
from chargen.planning.show import money
from chargen.planning.standing import Standing
from chargen.planning.tasks import Shape
from chargen.problems import ChargenError
from chargen.state import State

ORDERABLE = frozenset({"done", "adopted", "missing", "failed", "put back"})


def order(settings: Settings, state: State) -> str:
    """Record an order for the pictures that ``scenes`` and ``state`` name; return what it says and will cost.

    What will be made anyway, or is in flight, is not ordered twice. Raises ChargenError if nothing fits.
    """
    if not settings.scenes:
        raise ChargenError(
            "order: say which scenes: --config scenes='character/oda-*/*' "
            "(globs over kind/entity/scene; state=stale, failed, missing, done or adopted narrows them)"
        )
    plan = make_plan(settings, scope=["all"])
    stale = {(item.standing.target, item.standing.variation) for item in plan.stale}
    named = [item for item in plan.standings if matches(settings.scenes, item.target)]
    chosen = [item for item in named if item.status in ORDERABLE and _fits(item, settings.state, stale)]
    if not chosen:
        raise ChargenError(_nothing(settings, named))
    cost = _cost(settings, plan, chosen)
    number = place_order(
        state, [(item.target, item.variation) for item in chosen], scenes=list(settings.scenes), cost_usd=cost
    )
    lines = [
        f"order {number}: {len(chosen)} pictures again, about {money(cost)}; the next generate_all makes them, once"
    ]
    lines += [
        f"  {item.target}" + (f" (variation {item.variation})" if item.variation > 1 else "") for item in chosen[:20]
    ]
    if len(chosen) > 20:
        lines.append(f"  and {len(chosen) - 20} more")
    return "\n".join(lines)


def _fits(item: Standing, state: str, stale: set[tuple[str, int]]) -> bool:
    if not state:
        return True
    return (item.target, item.variation) in stale if state == "stale" else item.status == state


def _cost(settings: Settings, plan: Plan, chosen: list[Standing]) -> float:
    shapes = [plan.shape_of(item.scene) for item in chosen]
    return round(sum(shape.cost_usd for shape in shapes if isinstance(shape, Shape)), 6)


def _nothing(settings: Settings, named: list[Standing]) -> str:
    globs = " ".join(settings.scenes)
    if not named:
        return (
            f"order: no scene fits {globs}; scenes are named kind/entity/scene, like character/oda-brennick/lamp-room"
        )
    counts = Counter(item.status for item in named)
    found = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    what = f" that is {settings.state}" if settings.state else ""
    return f"order: nothing{what} among the {len(named)} pictures that fit {globs} can be ordered: {found}"
