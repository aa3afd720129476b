"""The plan of the missing pictures of scenes: made in memory, offline, from library and state; it writes nothing."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from chargen.analysis.learn import Lessons
from chargen.base.errors import ChargenError, Place, Problem
from chargen.base.progress import track
from chargen.library.load import without_collector
from chargen.library.model import Scene
from chargen.library.references import ReferenceIndex
from chargen.operations.generate.tasks import OPERATION, TaskMaker
from chargen.pictures.presence import is_present
from chargen.planning.picking import Picked, Picker
from chargen.planning.plan import Deferred, Stale
from chargen.planning.prompt_findings import grouped_findings
from chargen.planning.scene_plans import ScenePlan
from chargen.planning.selection import kinds_of, matches, meant
from chargen.planning.sources import Sources
from chargen.planning.staleness import is_only_recomposed
from chargen.planning.standing import Ledger, Standing
from chargen.planning.tasks import Shape, Task
from chargen.planning.writable import not_writable
from chargen.prompts.rules import Rules, load_rules
from chargen.records.origins import advice_on_style, origins
from chargen.records.settings import Settings


def make_plan(settings: Settings, *, scope: Collection[str] = (), targets: Collection[str] | None = None) -> ScenePlan:
    """Return the plan for *scope* (names of SCOPES; the configured one by default).

    With *targets*, only those scenes are made, and nothing but what they need is looked at twice. Raises ChargenError
    for what stops everything: no such model, unusable rules, a strict library with problems.
    """
    with without_collector():
        return _make_plan(settings, scope, targets)


def _make_plan(settings: Settings, scope: Collection[str], targets: Collection[str] | None) -> ScenePlan:
    started = time.time()
    sources = Sources(settings, OPERATION)
    library = sources.library()
    plan = ScenePlan(
        OPERATION,
        sources.catalog,
        sources.looker,
        kinds=kinds_of(settings, scope),
        library=library,
        problems=list(library.problems),
        notices=[*library.notices, *sources.journal.notices],
        broken=library.broken,
        words=sources.words,
        made_at=started,
    )
    rules = load_rules(Path(settings.prompts), Path(settings.styles), settings.look)
    if not rules.styles.art.medium:
        plan.notices.append(f"the library says no medium: {advice_on_style(settings)}")
    plan.settings = tuple(origins(settings, rules.look))
    lessons = Lessons(library, sources.looker, settings.provider)
    maker = TaskMaker(sources, rules, library, lessons, plan)
    plan.shape_of = maker.shape
    _take_stock(plan, sources, targets)
    style_images = _style_images(plan, settings, rules)
    index = ReferenceIndex(library, provider=settings.provider, style_images=style_images, judgement=lessons)
    picker = Picker(settings, settings.library_root, index, sources.looker, sources.catalog.input_image_side)
    _sort_out(plan, maker, picker)
    sources.finish(plan, strict=settings.strict)
    return plan


def _style_images(plan: ScenePlan, settings: Settings, rules: Rules) -> list[str]:
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


def _take_stock(plan: ScenePlan, sources: Sources, targets: Collection[str] | None) -> None:
    settings = sources.settings
    ledger = Ledger(plan.library.root, settings.provider, sources.fates, sources.orders, sources.words)
    known: list[str] = []
    for entity in plan.library.entities.values():
        if entity.kind not in plan.kinds:
            continue
        for standing in ledger.standings(entity, plan.operation):
            if targets is not None and standing.target not in targets:
                continue
            known.append(standing.target)
            if not settings.only or matches(settings.only, standing.target):
                plan.items.append(standing)
    if targets is None:
        unfit = [glob for glob in settings.only if not any(matches([glob], item.target) for item in plan.items)]
        plan.notices += [f"only: no scene of this run matches {glob}{meant(glob, known)}" for glob in unfit]
        sources.note_in_flight(plan)


def _sort_out(plan: ScenePlan, maker: TaskMaker, picker: Picker) -> None:
    """Fill in tasks, deferred, stale and blocked from the standings."""
    _block_what_cannot_be_written(plan)
    wanted = [item for item in plan.items if item.status == "wanted" and item.target not in plan.blocked]
    scenes = {item.target: item.scene for item in wanted}
    shapes: dict[str, Shape] = {}
    for target, scene in scenes.items():
        shape = maker.shape(scene)
        if isinstance(shape, Problem):
            _block(plan, target, shape)
        else:
            shapes[target] = shape
            plan.problems += maker.doubts(scene)
    picks = _pick(plan, scenes, shapes, picker)
    for picked in picks.values():
        plan.problems += picked.problems
    for item in track(wanted, "writing prompts", len(wanted)):
        if item.target in plan.blocked:
            continue
        shape, picked = shapes[item.target], picks[item.target]
        if picked.needs:
            plan.deferred.append(Deferred(item, shape, picked.needs))
        else:
            _add_task(plan, item, maker.task(item, shape, picked))
    plan.problems += grouped_findings(plan.tasks)
    for item in track(plan.items, "comparing with what is there", len(plan.items)):
        if item.status == "done":
            _look_for_stale(plan, item, maker, picker)


def _add_task(plan: ScenePlan, item: Standing, task: Task) -> None:
    """Add *task* unless its prompt is longer than what is ever sent."""
    too_long = next((found for found in task.findings if found.code == "over-limit"), None)
    if too_long is None:
        plan.tasks.append(task)
        return
    scene = item.scene
    message = f"scene {scene.id}: its prompt is too long even after cutting: {too_long.words}"
    advice = "shorten the scene's own prompt and states"
    problem = Problem("error", "over-limit", message, scene.place, advice, scene.entity, scene.id, "scene skipped")
    _block(plan, item.target, problem)


def _pick(
    plan: ScenePlan, scenes: Mapping[str, Scene], shapes: Mapping[str, Shape], picker: Picker
) -> dict[str, Picked]:
    """Return the references of each scene that can be sent; what cannot, for want of a reference, is blocked."""
    making = {item.target for item in plan.items if item.status in ("wanted", "in flight", "put back")}
    impatient: set[str] = set()
    while True:  # a blocked picture may block others that need it
        making -= plan.blocked.keys()
        picks = {
            target: picker.pick(scenes[target], making, shape.model.most_references, patient=target not in impatient)
            for target, shape in track(shapes.items(), "choosing references", len(shapes))
            if target not in plan.blocked
        }
        blocked = {target: picked.blocked for target, picked in picks.items() if picked.blocked}
        circle = _circular({target: picked.needs for target, picked in picks.items()}) - blocked.keys()
        if circle - impatient:  # pictures not named by the author must not block both
            impatient |= circle
            continue
        for target, problem in blocked.items():
            _block(plan, target, problem)
        for target in circle:
            _block(plan, target, _circle(scenes[target], picks[target].needs))
        if not (picks.keys() & plan.blocked.keys()):
            return picks


def _block_what_cannot_be_written(plan: ScenePlan) -> None:
    """Block the wanted pictures of entities whose folder takes none, with one error for each entity."""
    wanted: dict[str, list[str]] = {}
    for item in plan.items:
        if item.status == "wanted":
            wanted.setdefault(item.scene.entity, []).append(item.target)
    for key, targets in wanted.items():
        problem = not_writable(plan.library.root, plan.library.entities[key])
        if problem:
            plan.blocked |= dict.fromkeys(targets, problem.message)
            plan.problems.append(problem)


def _block(plan: ScenePlan, target: str, problem: Problem) -> None:
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


def _look_for_stale(plan: ScenePlan, item: Standing, maker: TaskMaker, picker: Picker) -> None:
    shape = maker.shape(item.scene)
    if isinstance(shape, Problem) or item.record is None or item.record.status == "approved":
        return
    picked = picker.pick(item.scene, frozenset(), shape.model.most_references)
    prompt = maker.compose(item, shape, picked.sent)
    if maker.is_current(item.record.task_key, item, prompt, shape, picked.sent):
        return
    recomposed = is_only_recomposed(item.record, maker.around(item), shape, picked.sent)
    (plan.recomposed if recomposed else plan.stale).append(Stale(item, shape.cost_usd))


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
