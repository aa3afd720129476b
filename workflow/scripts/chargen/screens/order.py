"""`snakemake order`: ask, in words, for pictures to be made again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.base.wording import count
from chargen.operations.generate.plan import Plan, make_plan, matches, meant
from chargen.operations.words import money
from chargen.planning.file_plans import FileItem
from chargen.planning.orders import place_order
from chargen.planning.standing import Standing
from chargen.planning.tasks import Shape
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
            "(globs over kind/entity/scene; state=stale, failed, missing, done or adopted narrows them)"
        )
    plan = make_plan(settings, scope=["all"])
    stale = {(item.standing.target, item.standing.variation) for item in plan.stale}
    named = [item for item in plan.standings if matches(asked.scenes, item.target)]
    chosen = [item for item in named if item.status in ORDERABLE and _fits(item, asked.state, stale)]
    files = [item for item in _named_files(settings) if item.status in ORDERABLE and _fits_file(item, asked.state)]
    if not chosen and not files:
        raise ChargenError(_nothing(settings, named, [item.target for item in plan.standings]))
    items = [(item.target, item.variation) for item in chosen]
    items += [(item.target, item.wish.variation) for item in files]
    cost = _cost(settings, plan, chosen)
    cost_of_files = round(sum(item.cost_usd for item in files), 6)
    name = "would order" if only_show else _record(settings, state, items, cost + cost_of_files)
    lines = []
    if chosen:
        lines.append(
            f"{name} {count(len(chosen), 'picture')} again, about {money(cost)}; "
            f"the next generate_all makes {'it' if len(chosen) == 1 else 'them'}, once"
        )
    for operation, words in (("analyze", "analyses"), ("enhance", "enhancements")):
        own = [item for item in files if item.wish.operation == operation]
        if own:
            price = money(sum(item.cost_usd for item in own))
            lines.append(f"{name} {len(own)} {words} again, about {price}; the next {operation}_all makes them, once")
    lines += [
        f"  {target}" + (f" (variation {variation})" if variation > 1 else "") for target, variation in items[:20]
    ]
    if len(items) > 20:
        lines.append(f"  and {len(items) - 20} more")
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


def _named_files(settings: Settings) -> Iterator[FileItem]:
    """Yield analyses and enhancements that the globs name: analyses by kind/entity/images/file (failed ones by any glob
    that fits), enhancements by enhance/job/file. A glob for scenes alone orders neither."""
    from chargen.operations.analyze.plan import make_analysis_plan
    from chargen.operations.enhance.plan import make_enhancement_plan

    asked = settings.asked(arguments.Order)
    of_pictures = [glob for glob in asked.scenes if "/images/" in glob or asked.state == "failed"]
    if of_pictures:
        for item in make_analysis_plan(settings, scope=["all"]).items:
            if matches(of_pictures, item.target):
                yield item
    of_results = [glob for glob in asked.scenes if glob.startswith("enhance/")]
    if of_results:
        for item in make_enhancement_plan(settings).items:
            if matches(of_results, item.target) or matches(of_results, item.present):
                yield item


def _fits_file(item: FileItem, state: str) -> bool:
    if not state:
        return True
    return item.is_stale if state == "stale" else item.status == state


def _fits(item: Standing, state: str, stale: set[tuple[str, int]]) -> bool:
    if not state:
        return True
    return (item.target, item.variation) in stale if state == "stale" else item.status == state


def _cost(settings: Settings, plan: Plan, chosen: list[Standing]) -> float:
    shapes = [plan.shape_of(item.scene) for item in chosen]
    return round(sum(shape.cost_usd for shape in shapes if isinstance(shape, Shape)), 6)


def _nothing(settings: Settings, named: list[Standing], known: list[str]) -> str:
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
