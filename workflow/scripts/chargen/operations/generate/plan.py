"""The plan of a run: made in memory, offline, from library and state; it writes nothing."""

from __future__ import annotations

import fnmatch
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from chargen.analysis.learn import Lessons
from chargen.base.errors import ChargenError, Place, Problem
from chargen.base.progress import track
from chargen.base.wording import count
from chargen.library.access import barrier
from chargen.library.folders import same_name
from chargen.library.load import load_library, without_collector
from chargen.library.model import KIND_FOLDERS, Entity, Kind, Library, Scene
from chargen.library.references import ReferenceIndex
from chargen.library.slugs import nearest
from chargen.pictures.looks import Looker
from chargen.pictures.presence import is_present
from chargen.planning import budget
from chargen.planning.batches import Batch, fill
from chargen.planning.estimates import Estimates, range_of
from chargen.planning.fates import stored_batches
from chargen.planning.orders import read_orders
from chargen.planning.picking import Picked, Picker
from chargen.planning.standing import Ledger, Standing
from chargen.planning.tasks import Shape, Task, TaskMaker
from chargen.prompts.rules import Rules, load_rules
from chargen.providers.models import Catalog
from chargen.providers.registry import provider_of
from chargen.records.journal import Journal
from chargen.records.learned import read_learned
from chargen.records.settings import Settings
from chargen.records.state import State

SCOPES: Mapping[str, frozenset[Kind]] = {
    "all": frozenset(KIND_FOLDERS.values()),
    **{folder: frozenset({kind}) for folder, kind in KIND_FOLDERS.items()},
}


@dataclass(frozen=True, slots=True)
class Deferred:
    """A picture that waits for others of the same run; it goes out in a later wave."""

    standing: Standing
    shape: Shape
    needs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stale:
    """A picture in place whose request would be another today: counted and priced, never ordered by itself."""

    standing: Standing
    cost_usd: float


@dataclass
class Plan:
    """What a run would do. ``in_flight`` and ``put_back`` are by batch id; costs are in US dollars."""

    operation: str
    kinds: frozenset[Kind]
    library: Library
    catalog: Catalog
    standings: list[Standing] = field(default_factory=list)
    blocked: dict[str, str] = field(default_factory=dict)  # target -> why it cannot be sent
    tasks: list[Task] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    deferred: list[Deferred] = field(default_factory=list)
    stale: list[Stale] = field(default_factory=list)
    in_flight: dict[str, int] = field(default_factory=dict)  # batch -> tasks in it
    put_back: dict[str, list[str]] = field(default_factory=dict)  # batch -> wish ids
    lost: list[str] = field(default_factory=list)  # batches whose jobs are looked for again
    problems: list[Problem] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    missing_usd: float = 0.0
    maker: TaskMaker | None = None
    looker: Looker | None = None
    made_at: float = field(default_factory=time.time)  # seconds since 1970, before the library was read

    def shape_of(self, scene: Scene) -> Shape | Problem:
        """Return what *scene* asks of its model, or why the model cannot do it."""
        assert self.maker is not None
        return self.maker.shape(scene)

    @property
    def cost_usd(self) -> float:
        """The estimate for everything that this run would submit, later waves included."""
        later = sum(item.shape.cost_usd for item in self.deferred)
        return sum(batch.cost_usd for batch in self.batches) + later

    @property
    def cost_range_usd(self) -> tuple[float, float]:
        """The least and the most that `cost_usd` may come to."""
        return range_of([*(task.shape for task in self.tasks), *(item.shape for item in self.deferred)])

    @property
    def to_send(self) -> frozenset[str]:
        """The wishes (ids) that this run would send, later waves included."""
        later = (item.standing.wish.id for item in self.deferred)
        return frozenset((*(task.wish.id for task in self.tasks), *later))

    def counts(self) -> dict[str, int]:
        """Return how many pictures stand where; ``wanted`` counts every picture that the library asks for."""
        by_status = Counter("blocked" if item.target in self.blocked else item.status for item in self.standings)
        return {
            "wanted": len(self.standings),
            "to_make": len(self.tasks) + len(self.deferred),
            "applied": by_status["done"] + by_status["adopted"],
            "adopted": by_status["adopted"],
            "in_flight": by_status["in flight"],
            "failed": by_status["failed"],
            "missing": by_status["missing"],
            "put_back": by_status["put back"],
            "blocked": by_status["blocked"],
            "stale": len(self.stale),
        }

    @property
    def broken(self) -> tuple[str, ...]:
        """The entities that were skipped as broken."""
        return self.library.broken

    def remember(self) -> None:
        """Keep what was seen of files for the next plan."""
        if self.looker:
            self.looker.remember()

    def to_json(self) -> dict[str, Any]:
        """Return what is pinned of it beside the batches' own plans."""
        return {
            "schema_version": 1,
            "operation": self.operation,
            "kinds": sorted(self.kinds),
            "counts": self.counts(),
            "cost_usd": round(self.cost_usd, 6),
            "batches": [batch.id for batch in self.batches],
            "in_flight": sorted(self.in_flight),
            "put_back": self.put_back,
            "deferred": [
                {
                    "target": item.standing.target,
                    "variation": item.standing.variation,
                    "needs": sorted(item.needs),
                    "cost_usd": item.shape.cost_usd,
                }
                for item in self.deferred
            ],
            "broken": list(self.library.broken),
            "problems": [str(problem) for problem in self.problems],
            "notices": self.notices,
        }


def make_plan(
    settings: Settings,
    operation: str = "generate",
    *,
    scope: Collection[str] = (),
    targets: Collection[str] | None = None,
) -> Plan:
    """Return the plan for *scope* (names of SCOPES; the configured one by default).

    With *targets*, only those scenes are made, and nothing but what they need is looked at twice. Raises ChargenError
    for what stops everything: no such model, unusable rules, a strict library with problems.
    """
    with without_collector():
        return _make_plan(settings, operation, scope, targets)


def _make_plan(settings: Settings, operation: str, scope: Collection[str], targets: Collection[str] | None) -> Plan:
    started = time.time()
    state = State.of(settings)
    root = settings.library_root
    kinds: frozenset[Kind] = frozenset().union(*(SCOPES[name] for name in scope or [settings.scope]))
    library = load_library(
        root, exclude=settings.exclude, adopt_existing=settings.adopt_existing, provider=settings.provider
    )
    if library.mistake:
        raise ChargenError("\n".join(library.notices))
    catalog = provider_of(settings).catalog(settings)
    plan = Plan(operation, kinds, library, catalog, made_at=started)
    plan.problems += library.problems
    plan.notices += library.notices
    rules = load_rules(Path(settings.prompts), Path(settings.styles))
    plan.looker = Looker(state.looks)
    lessons = Lessons(library, plan.looker, settings.provider)
    journal = Journal(state)
    estimates = Estimates(catalog, read_learned(state, journal))
    maker = TaskMaker(settings, catalog, rules, library, lessons, estimates, journal.denied_models())
    plan.maker = maker
    plan.notices += [*journal.notices, *maker.notices]
    _take_stock(plan, settings, state, journal, targets)
    style_images = _style_images(plan, settings, rules)
    index = ReferenceIndex(library, provider=settings.provider, style_images=style_images, judgement=lessons)
    _sort_out(plan, maker, Picker(settings, root, index, plan.looker, catalog.input_image_side))
    plan.batches = list(fill(plan.tasks, settings, catalog, operation))
    plan.notices += budget.notices(settings, journal, plan.cost_usd)
    if settings.strict and plan.problems:
        lines = "\n".join(str(problem) for problem in plan.problems)
        raise ChargenError(
            f"{lines}\nstrict: nothing was started, because the library has {count(len(plan.problems), 'problem')}"
        )
    return plan


def _style_images(plan: Plan, settings: Settings, rules: Rules) -> list[str]:
    """Return the style images that are there. One that is not is said once, not for each scene."""
    found = []
    for path in rules.styles.style_images:
        if is_present(settings.library_root / path):
            found.append(path)
            continue
        message = f"'{path}' is not in the library, so no picture uses its style"
        place = Place(settings.styles, key="art_direction.style_images")
        problem = Problem("warning", "missing-reference", message, place, "add it there, or remove it from the list")
        if settings.missing_references == "fail":
            raise ChargenError(str(replace(problem, severity="error")))
        plan.problems.append(problem)
    return found


def matches(globs: Iterable[str], target: str) -> bool:
    """Whether one of *globs* over ``kind/entity/scene`` names *target*; a whole entity may be named without scene."""
    target = same_name(target)
    entity = target.rsplit("/", 1)[0]
    return any(fnmatch.fnmatchcase(target, form) or fnmatch.fnmatchcase(entity, form) for form in map(same_name, globs))


def meant(glob: str, targets: Iterable[str]) -> str:
    """A question which of *targets*, or entities, was meant by *glob*, which fits none; ``""`` if none is near."""
    known = list(targets)
    low = glob.casefold()
    found = next((target for target in known if matches([low], target.casefold())), "")
    if not found and not any(sign in glob for sign in "*?["):
        found = nearest(glob, [*known, *dict.fromkeys(target.rsplit("/", 1)[0] for target in known)])
    return f", did you mean {found}?" if found else ""


def _take_stock(
    plan: Plan, settings: Settings, state: State, journal: Journal, targets: Collection[str] | None
) -> None:
    ledger = Ledger(
        plan.library.root,
        settings.provider,
        journal,
        read_orders(state),
        settings.retry_max_attempts,
        stored_batches(state),
    )
    known: list[str] = []
    for entity in plan.library.entities.values():
        if entity.kind not in plan.kinds:
            continue
        for standing in ledger.standings(entity, plan.operation):
            if targets is not None and standing.target not in targets:
                continue
            known.append(standing.target)
            if not settings.only or matches(settings.only, standing.target):
                plan.standings.append(standing)
    if targets is None:
        unfit = [glob for glob in settings.only if not any(matches([glob], item.target) for item in plan.standings)]
        plan.notices += [f"only: no scene of this run matches {glob}{meant(glob, known)}" for glob in unfit]
        for entry in journal.in_flight():
            if entry.operation == plan.operation:
                plan.in_flight[entry.batch] = len(entry.wishes)
        plan.lost = journal.lost(plan.operation)
    for standing in plan.standings:
        if standing.status == "put back":
            plan.put_back.setdefault(standing.batch, []).append(standing.wish.id)


def _sort_out(plan: Plan, maker: TaskMaker, picker: Picker) -> None:
    """Fill in tasks, deferred, stale and blocked from the standings."""
    _block_what_cannot_be_written(plan)
    wanted = [item for item in plan.standings if item.status == "wanted" and item.target not in plan.blocked]
    making = {item.target for item in plan.standings if item.status in ("wanted", "in flight", "put back")}
    making -= plan.blocked.keys()
    scenes = {item.target: item.scene for item in wanted}
    shapes: dict[str, Shape] = {}
    for target, scene in scenes.items():
        shape = maker.shape(scene)
        if isinstance(shape, Problem):
            _block(plan, target, shape)
        else:
            shapes[target] = shape
            plan.problems += maker.doubts(scene)
    picks: dict[str, Picked] = {}
    impatient: set[str] = set()
    while True:  # what turns out to be blocked leaves others without it, which may block them in turn
        making -= plan.blocked.keys()
        picks = {
            target: picker.pick(scenes[target], making, shape.model.references, patient=target not in impatient)
            for target, shape in track(shapes.items(), "choosing references", len(shapes))
            if target not in plan.blocked
        }
        blocked = {target: picked.blocked for target, picked in picks.items() if picked.blocked}
        circle = _circular({target: picked.needs for target, picked in picks.items()}) - blocked.keys()
        if circle - impatient:  # what nobody asked for is no reason to make neither
            impatient |= circle
            continue
        for target, problem in blocked.items():
            _block(plan, target, problem)
        for target in circle:
            _block(plan, target, _circle(scenes[target], picks[target].needs))
        if not (picks.keys() & plan.blocked.keys()):
            break
    for picked in picks.values():
        plan.problems += picked.problems
    for item in track(wanted, "writing prompts", len(wanted)):
        if item.target in plan.blocked:
            continue
        shape, picked = shapes[item.target], picks[item.target]
        if picked.needs:
            plan.deferred.append(Deferred(item, shape, picked.needs))
        else:
            plan.tasks.append(maker.task(item, shape, picked))
    for item in track(plan.standings, "comparing with what is there", len(plan.standings)):
        if item.status in ("done", "missing"):
            _look_for_stale(plan, item, maker, picker)


def _block_what_cannot_be_written(plan: Plan) -> None:
    """Block the wanted pictures of entities whose folder takes none, with one error for each entity."""
    wanted: dict[str, list[str]] = {}
    for item in plan.standings:
        if item.status == "wanted":
            wanted.setdefault(item.scene.entity, []).append(item.target)
    for key, targets in wanted.items():
        problem = not_writable(plan.library.root, plan.library.entities[key])
        if problem:
            plan.blocked |= dict.fromkeys(targets, problem.message)
            plan.problems.append(problem)


def not_writable(root: Path, entity: Entity, *, pictures: bool = True, records: bool = True) -> Problem | None:
    """Return why pictures or their records could not be put into the folder of *entity*; None if nothing is known.

    *root* is the library's.
    """
    found = barrier(entity.folder, pictures=pictures, records=records)
    if found is None:
        return None
    path = found.path
    place = Place(path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path))
    return Problem("error", "not-writable", found.why, place, found.advice, entity.key, effect="scene skipped")


def _block(plan: Plan, target: str, problem: Problem) -> None:
    plan.blocked[target] = problem.message
    plan.problems.append(problem)


def _circle(scene: Scene, needs: frozenset[str]) -> Problem:
    return Problem(
        "error",
        "circular-reference",
        f"scene {scene.id}: its reference {', '.join(sorted(needs))} depends on this scene itself",
        scene.place,
        "remove one of the references",
        scene.entity,
        scene.id,
        "scene skipped",
    )


def _look_for_stale(plan: Plan, item: Standing, maker: TaskMaker, picker: Picker) -> None:
    shape = maker.shape(item.scene)
    if isinstance(shape, Problem):
        return
    if item.status == "missing":
        plan.missing_usd += shape.cost_usd
        return
    if item.record is None or item.record.status == "approved":
        return
    picked = picker.pick(item.scene, frozenset(), shape.model.references)
    prompt = maker.compose(item, picked.sent)
    if not maker.is_current(item.record.task_key, item, prompt, shape, picked.sent):
        plan.stale.append(Stale(item, shape.cost_usd))


def _circular(needs: Mapping[str, frozenset[str]]) -> set[str]:
    """Return the targets that need themselves, directly or through others."""
    found: set[str] = set()
    while True:
        sorter = TopologicalSorter({target: needed - found for target, needed in needs.items() if target not in found})
        try:
            sorter.prepare()
        except CycleError as circle:
            found.update(circle.args[1])
        else:
            return found
