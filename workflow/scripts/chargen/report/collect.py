"""The report as data: report.json and the lines of failures.jsonl."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from chargen.base.errors import Problem
from chargen.base.wording import seconds_between
from chargen.library.model import KIND_FOLDERS, Scene
from chargen.planning.estimates import summary
from chargen.records.journal import Journal, now
from chargen.records.learned import read_learned
from chargen.records.settings import Settings
from chargen.records.state import State
from chargen.report import forms
from chargen.report.history import Fate, History, Receipt, read_history

if TYPE_CHECKING:
    from chargen.operations.generate.plan import Plan
    from chargen.planning.file_plans import FilePlan
    from chargen.planning.standing import Standing

OUTCOMES = ("applied", "superseded", "unplaced", "failed", "passing", "lost")
FAILED = frozenset({"failed", "lost"})
FOLDER_OF = {kind: folder for folder, kind in KIND_FOLDERS.items()}
TOKENS = ("prompt", "prompt_image", "image", "text", "thoughts", "total")
_RUN_ID = re.compile(r"(\d{4}-\d\d-\d\dT\d\d)-(\d\d)-(\d\d)Z")


class Survey:
    """Plan and history laid over each other: what is still open, and what the library has moved on from."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        plan: Plan,
        run_id: str | None,
        others: Mapping[str, FilePlan] | None = None,
    ):
        """*others* are the plans of operations on files, as far as there is something to say of them."""
        self.settings = settings
        self.plan = plan
        self.others = others or {}
        self.kept_in = state.root  # what unplaced pictures' files are relative to
        self.history: History = read_history(state)
        self.run = run_id or self.history.last_run()
        self.learned = read_learned(state, Journal(state))
        self._standings: dict[tuple[str, int], Standing] = {
            (standing.target, standing.variation): standing for standing in plan.standings
        }
        fates = self.history.fates.items()
        self._youngest = {_slot(fate): wish for wish, fate in sorted(fates, key=lambda item: _age(item[1]))}
        self._planned = {standing.target for standing in plan.standings}
        self._scenes: dict[str, Scene] = {
            scene.target: scene for entity in plan.library.entities.values() for scene in entity.scenes
        }

    def settled(self, wish: str, fate: Fate) -> bool:
        """Whether the library no longer asks for this very wish: its scene was edited, ordered anew or taken out."""
        target, variation = fate.task["target"], fate.task["variation"]
        if fate.operation in self.others:
            return wish not in self._asked_of_files
        planned = fate.operation == self.plan.operation
        if not planned or target not in self._planned:
            gone = target not in self._scenes and not self.plan.library.is_broken(target.rpartition("/")[0])
            return self._youngest[_slot(fate)] != wish or (planned and gone)
        standing = self._standings.get((target, variation))
        return standing is None or standing.wish.id != wish

    @cached_property
    def _asked_of_files(self) -> set[str]:
        return {item.wish.id for plan in self.others.values() for item in plan.items}

    def outcome(self, fate: Fate) -> str:
        """Return how the wish ended; what failed in passing has failed once its attempts are used up."""
        given_up = fate.outcome == "passing" and fate.task["attempt"] >= self.settings.retry_max_attempts
        return "failed" if given_up else fate.outcome

    @cached_property
    def failures(self) -> list[tuple[str, Fate]]:
        """The wishes that failed for good and that the library still asks for, in order of target."""
        failed = [
            (wish, fate)
            for wish, fate in self.history.fates.items()
            if self.outcome(fate) in FAILED and not self.settled(wish, fate)
        ]
        return sorted(failed, key=lambda item: (item[1].task["target"], item[1].task["variation"]))

    def words_of(self, target: str) -> str:
        """Return the words of the author that *target* was made from, as far as the library has them."""
        scene = self._scenes.get(target)
        return (scene.prompt or scene.description) if scene else ""

    def place_of(self, target: str) -> str:
        """Return the file (and line) where the author wrote what *target* asks for, relative to the library."""
        scene = self._scenes.get(target)
        if scene:
            return f"{scene.place.file}:{scene.place.line}" if scene.place.line else scene.place.file
        kind, _, rest = target.partition("/")
        folder = FOLDER_OF.get(kind)  # type: ignore[call-overload]
        return f"{folder}/{rest.partition('/')[0]}/imagery.yaml" if folder else ""


def _slot(fate: Fate) -> tuple[str, str, int]:
    return fate.operation, fate.task["target"], fate.task["variation"]


def _age(fate: Fate) -> tuple[bool, str]:
    """Sorts what waits after all that ended."""
    return fate.outcome == "waiting", fate.ended


def build_report(
    settings: Settings, state: State, plan: Plan, run_id: str | None, started: str, targets: Sequence[str]
) -> dict[str, Any]:
    """Return report.json (``schemas/report.schema.json``): everything so far, and one run apart.

    *plan* is made after the run, so that it says where the pictures stand now. With *run_id*, *started* (ISO, UTC) is
    when that run began and it ends now; without, the run is the last one that left a receipt.
    """
    return report_of(Survey(settings, state, plan, run_id), run_id is not None, started, targets)


def report_of(survey: Survey, running: bool, started: str, targets: Sequence[str]) -> dict[str, Any]:
    """`build_report` from a survey; *running* says that the run ends at this moment."""
    plan, history = survey.plan, survey.history
    run = history.of_run(survey.run) if survey.run else {}
    errors, warnings = _told(survey)
    return {
        "schema_version": 1,
        "library_id": survey.settings.library_id,
        "run": _run(survey, run, running, started, targets) if survey.run else None,
        "totals": _totals(survey, run),
        "cost_usd": _costs(survey),
        "learned": summary(plan.catalog, survey.learned),
        "analyses": forms.counted(history.receipts),
        "batches": [*map(_batch, history.receipts), *(_flying(entry) for entry in history.in_flight)],
        "tasks": [
            _task(wish, fate, survey)
            for wish, fate in sorted(history.fates.items(), key=lambda item: (item[1].task["key"], item[0]))
        ],
        "broken": list(plan.library.broken),
        "warnings": warnings,
        "errors": errors,
    }


def failure_lines(survey: Survey) -> Iterator[dict[str, Any]]:
    """Yield one line of failures.jsonl (``schemas/failure.schema.json``) for each task that failed for good."""
    for wish, fate in survey.failures:
        task = fate.task
        yield {
            "schema_version": 1,
            "key": task["key"],
            "wish_id": wish,
            "operation": fate.operation,
            "batch": fate.batch,
            "job": fate.job,
            "run": fate.run,
            "failed_at": fate.ended,
            "target": task["target"],
            "variation": task["variation"],
            "title": task["title"],
            "written_in": survey.place_of(task["target"]),
            "outcome": survey.outcome(fate),
            "reason": task["reason"],
            "advice": task["advice"],
            "said": task["said"],
            "finish_reason": task["finish_reason"],
            "attempts": fate.attempts,
            "cost_usd": round(fate.actual_usd, 6),
            "model": task["model"] or task["model_requested"],
            "aspect_ratio": task["aspect_ratio"],
            "image_size": task["image_size"],
            "prompt": task["prompt"],
            "references": [dict(reference) for reference in task["references"]],
        }


def _run(
    survey: Survey, fates: Mapping[str, Fate], running: bool, started: str, targets: Sequence[str]
) -> dict[str, Any]:
    receipts = [receipt for receipt in survey.history.receipts if receipt["run"] == survey.run]
    if not running or not started:
        match = _RUN_ID.fullmatch(survey.run)
        began = ":".join(match.groups()) + "Z" if match else ""
        started = started or began or min((receipt["times"]["submitted"] for receipt in receipts), default="")
    finished = now() if running else max((receipt["times"]["applied"] for receipt in receipts), default="")
    outcomes = Counter(survey.outcome(fate) for fate in fates.values())
    return {
        "id": survey.run,
        "started": started,
        "finished": finished,
        "duration_s": seconds_between(started, finished),
        "provider": survey.settings.provider,
        "targets": list(targets),
        "counts": {
            "tasks": len(fates),
            **{outcome: outcomes[outcome] for outcome in OUTCOMES},
            "skipped": _skipped(survey, fates),
        },
        "cost_usd": {
            "estimated": _sum(receipt["cost_usd"]["estimated"] for receipt in receipts),
            "actual": _sum(receipt["cost_usd"]["actual"] for receipt in receipts),
        },
    }


def _skipped(survey: Survey, run: Mapping[str, Fate]) -> int:
    """How many results were in place already, of the operations that the run was about."""
    about = {fate.operation for fate in run.values()} or {survey.plan.operation}
    return sum(_in_place_before(survey, run, operation) for operation in about)


def _in_place_before(survey: Survey, run: Mapping[str, Fate], operation: str) -> int:
    """How many results of *operation* are in place now less those that the run brought."""
    brought = sum(fate.outcome == "applied" and fate.operation == operation for fate in run.values())
    plan = survey.plan if operation == survey.plan.operation else survey.others.get(operation)
    if plan:
        return max(0, plan.counts()["applied"] - brought)
    fates = survey.history.fates.values()
    return sum(fate.operation == operation and fate.outcome == "applied" for fate in fates) - brought


def _totals(survey: Survey, run: Mapping[str, Fate]) -> dict[str, Any]:
    def with_skipped(operation: str, counts: dict[str, int]) -> dict[str, int]:
        return counts | {"skipped": _in_place_before(survey, run, operation)}

    planned = with_skipped(survey.plan.operation, survey.plan.counts())
    operations = {survey.plan.operation: planned}
    for operation, plan in survey.others.items():
        operations[operation] = with_skipped(operation, plan.counts())
    unplanned = {fate.operation for fate in survey.history.fates.values()} - operations.keys()
    for operation in sorted(unplanned):
        operations[operation] = with_skipped(operation, _counted(operation, survey, planned))
    return {**planned, "operations": operations}


def _counted(operation: str, survey: Survey, like: Collection[str]) -> dict[str, int]:
    """Return the totals of an operation that cannot be planned now: of what was ever sent."""
    fates = [fate for fate in survey.history.fates.values() if fate.operation == operation]
    outcomes = Counter(survey.outcome(fate) for fate in fates)
    known = {
        "wanted": len(fates),
        "applied": outcomes["applied"],
        "failed": sum(fate.operation == operation for _, fate in survey.failures),
        "in_flight": outcomes["waiting"],
    }
    return dict.fromkeys(like, 0) | known


def _costs(survey: Survey) -> dict[str, Any]:
    history = survey.history
    operations: dict[str, list[float]] = {}
    models: dict[str, list[float]] = {}
    entities: dict[str, list[float]] = {}
    for receipt in history.receipts:
        cost = receipt["cost_usd"]
        spent = len(receipt["tasks"]), cost["estimated"], cost["actual"]
        _add(operations, receipt["operation"], *spent)
        _add(models, receipt["model"], *spent)
    for fate in history.fates.values():
        if fate.outcome != "waiting":
            entity = "/".join(fate.task["target"].split("/")[:2])
            _add(entities, entity, fate.attempts, fate.estimated_usd, fate.actual_usd)
    return {
        "estimated": _sum(receipt["cost_usd"]["estimated"] for receipt in history.receipts),
        "actual": _sum(receipt["cost_usd"]["actual"] for receipt in history.receipts),
        "in_flight": _sum(entry.cost_usd for entry in history.in_flight),
        "to_make": round(survey.plan.cost_usd, 6),
        "stale": _sum(item.cost_usd for item in survey.plan.stale),
        "missing": round(survey.plan.missing_usd, 6),
        "batch_discount": survey.plan.catalog.batch_discount,
        "by_operation": _shares(operations),
        "by_model": _shares(models),
        "by_entity": _shares(entities),
    }


def _add(shares: dict[str, list[float]], name: str, tasks: int, estimated: float, actual: float) -> None:
    share = shares.setdefault(name, [0, 0.0, 0.0])
    share[0] += tasks
    share[1] += estimated
    share[2] += actual


def _shares(shares: Mapping[str, list[float]]) -> list[dict[str, Any]]:
    """Dearest first."""
    rows = sorted(shares.items(), key=lambda item: (-item[1][2], -item[1][1], item[0]))
    return [
        {
            "name": name,
            "requests": int(tasks),
            "estimated": round(estimated, 6),
            "actual": round(actual, 6),
            "off_percent": round(100 * (actual / estimated - 1), 1) if estimated else None,
        }
        for name, (tasks, estimated, actual) in rows
    ]


def _batch(receipt: Receipt) -> dict[str, Any]:
    return {
        "id": receipt["batch"],
        "operation": receipt["operation"],
        "model": receipt["model"],
        "job": receipt["job"],
        "run": receipt["run"],
        "state": receipt["state"],
        "error": receipt["error"],
        "counts": dict(receipt["counts"]),
        "times": {name: receipt["times"][name] for name in ("submitted", "fetched", "applied")},
        "cost_usd": {name: receipt["cost_usd"][name] for name in ("estimated", "actual")},
        "follow_ups": list(receipt["follow_ups"]),
    }


def _flying(entry: Any) -> dict[str, Any]:
    return {
        "id": entry.batch,
        "operation": entry.operation,
        "model": entry.model,
        "job": entry.job,
        "run": "",
        "state": "IN_FLIGHT",
        "error": "",
        "counts": {"waiting": len(entry.wishes)},
        "times": {"submitted": entry.submitted, "fetched": "", "applied": ""},
        "cost_usd": {"estimated": round(entry.cost_usd, 6), "actual": 0.0},
        "follow_ups": [],
    }


def _task(wish: str, fate: Fate, survey: Survey) -> dict[str, Any]:
    task = fate.task
    texts = ("reason", "advice", "said", "finish_reason", "file", "archived", "sha256", "format", "model")
    return {
        "key": task["key"],
        "wish_id": wish,
        "operation": fate.operation,
        "batch": fate.batch,
        "run": fate.run,
        "target": task["target"],
        "variation": task["variation"],
        "title": task["title"],
        "outcome": survey.outcome(fate),
        "settled": survey.settled(wish, fate),
        "attempts": fate.attempts,
        **{name: task.get(name, "") for name in texts},
        "model_requested": task.get("model_requested", ""),
        "aspect_ratio": task["aspect_ratio"],
        "image_size": task["image_size"],
        **{name: task.get(name, 0) for name in ("width", "height", "bytes")},
        "tokens": {name: task.get("tokens", {}).get(name, 0) for name in TOKENS},
        "estimated_usd": round(fate.estimated_usd, 6),
        "cost_usd": round(fate.actual_usd, 6),
        "notes": list(task["notes"]),
    }


def _told(survey: Survey) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return errors and warnings: the plan's problems and notices, what receipts warn of, and files that are broken."""
    errors: list[dict[str, Any]] = []
    warnings: list[dict[str, Any]] = []
    for problem in survey.plan.problems:
        (errors if problem.severity == "error" else warnings).append(_problem(problem))
    for plan in survey.others.values():
        warnings += [_problem(problem) for problem in plan.problems if problem.severity != "error"]
        warnings += [_notice("notice", text) for text in plan.notices if text not in survey.plan.notices]
    errors += [_notice("unreadable-state", f"batch {batch}: {text}", batch) for batch, text in survey.history.troubles]
    warnings += [_notice("notice", text) for text in survey.plan.notices]
    for receipt in survey.history.receipts:
        warnings += [_notice("receipt", text, receipt["batch"]) for text in receipt["warnings"]]
    return errors, warnings


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "code": problem.code,
        "message": problem.message,
        "advice": problem.advice,
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "key": problem.place.key,
        "entity": problem.entity,
        "scene": problem.scene,
        "effect": problem.effect,
        "batch": "",
    }


def _notice(code: str, message: str, batch: str = "") -> dict[str, Any]:
    blank = dict.fromkeys(("advice", "file", "key", "entity", "scene", "effect"), "")
    return {**blank, "code": code, "message": message, "line": 0, "column": 0, "batch": batch}


def _sum(amounts: Iterable[float]) -> float:
    return round(sum(amounts), 6)
