"""The plan in words: a few lines while the graph is built, and each task for `planned`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, cast

from chargen import __version__
from chargen.base.errors import printable
from chargen.library.names import output_path
from chargen.records.commands import command

if TYPE_CHECKING:
    from chargen.operations.generate.plan import Plan
    from chargen.planning.file_plans import FilePlan
    from chargen.planning.tasks import Task
    from chargen.records.settings import Settings

MOST_PROBLEMS = 12


def overview(plan: Plan | FilePlan, settings: Settings) -> str:
    """Return the plan's lines: where, what, what it costs, what else should be known, what is wrong."""
    if plan.operation != "generate":
        return _files_overview(cast("FilePlan", plan), settings)
    plan = cast("Plan", plan)
    lines = [_where(settings), headline(plan)]
    counts = plan.counts()
    if plan.deferred:
        one = len(plan.deferred) == 1
        verbs = ("waits", "will be sent") if one else ("wait", "will be sent")
        lines.append(
            f"  {len(plan.deferred)} of them {verbs[0]} for a picture of this run and {verbs[1]} in a later wave"
        )
    if counts["adopted"]:
        lines.append(f"  {counts['adopted']} of the done pictures adopted: made without chargen")
    if plan.put_back:
        lines.append(_restoring(counts["put_back"]))
    lines += _lost(plan)
    if counts["stale"]:
        price = sum(stale.cost_usd for stale in plan.stale)
        why = "style, references or model changed"
        lines.append(f"  {counts['stale']} out of date (stale): {why}; to order them, about {money(price)}:")
        lines.append(_to_paste(settings, "scenes=*", "state=stale"))
    if counts["missing"]:
        lines.append(
            f"  {counts['missing']} missing: the file is gone; to order them again, about {money(plan.missing_usd)}:"
        )
        lines.append(_to_paste(settings, "scenes=*", "state=missing"))
    if counts["failed"]:
        lines.append(f"  {counts['failed']} failed: edit their prompts, or order them again as they are:")
        lines.append(_to_paste(settings, "scenes=*", "state=failed"))
    if counts["blocked"]:
        lines.append(f"  {counts['blocked']} cannot be sent, see the errors")
    if plan.library.broken:
        lines.append(_skipped(plan.library.broken))
    lines += [f"note: {notice}" for notice in plan.notices]
    return _joined(lines + _problems(plan))


def _files_overview(plan: FilePlan, settings: Settings) -> str:
    """Return the lines for an operation on files."""
    counts = plan.counts()
    lines = [_where(settings), files_headline(plan)]
    if counts["put_back"]:
        lines.append(_restoring(counts["put_back"]))
    lines += _lost(plan)
    scenes = "scenes=enhance/*" if plan.operation == "enhance" else "scenes=*/images/*"
    if plan.stale:
        price = sum(item.cost_usd for item in plan.stale)
        why = "prompt, settings or model changed"
        lines.append(f"  {counts['stale']} out of date (stale): {why}; to order them, about {money(price)}:")
        lines.append(_to_paste(settings, scenes, "state=stale"))
    for status, words in (("missing", "missing: the result is gone"), ("failed", "failed")):
        if counts[status]:
            price = sum(item.cost_usd for item in plan.items if item.status == status)
            lines.append(f"  {counts[status]} {words}; to order them again, about {money(price)}:")
            lines.append(_to_paste(settings, scenes, f"state={status}"))
    if counts["blocked"]:
        lines.append(f"  {counts['blocked']} cannot be sent, see below")
    if twins := plan.of_status("twin"):
        lines.append(f"  {len(twins)} {'duplicate is' if len(twins) == 1 else 'duplicates are'} made only once")
    if plan.broken:
        lines.append(_skipped(plan.broken))
    lines += [f"note: {notice}" for notice in plan.notices]
    return _joined(lines + _problems(plan))


def _restoring(number: int) -> str:
    return f"  Restoring {_plural(number, 'missing picture that was', 'missing pictures that were')} already paid for"


def _lost(plan: Plan | FilePlan) -> list[str]:
    if not plan.lost:
        return []
    return [f"  {_plural(len(plan.lost), 'job', 'jobs')} lost on the server: checking again"]


def files_headline(plan: FilePlan) -> str:
    """Return the one line of an operation on files: how many, in how many batches, and about what cost."""
    counts = plan.counts()
    verb = {"analyze": "to analyse", "enhance": "to enhance"}[plan.operation]
    done = f"{counts['applied']} done, {counts['in_flight']} in flight"
    if not counts["to_make"]:
        return f"0 pictures {verb}, {done}, of {counts['wanted']}"
    batches = _plural(len(plan.batches), "batch", "batches")
    groups = {item.group for item in plan.items if item.status == "wanted"}
    whose = f" of {_entities(groups)}" if plan.operation == "analyze" else ""
    return f"{_plural(counts['to_make'], 'picture', 'pictures')} {verb}{whose} in {batches}, {done}, {about(plan)}"


def headline(plan: Plan) -> str:
    """Return the one line: how many images, for whom, in how many batches, done, in flight, and about what cost."""
    counts = plan.counts()
    done = f"{counts['applied']} done, {counts['in_flight']} in flight"
    if not counts["to_make"]:
        return f"0 images to make, {done}, of {counts['wanted']} wanted"
    making = {task.wish.target.rsplit("/", 1)[0] for task in plan.tasks}
    making |= {item.standing.scene.entity for item in plan.deferred}
    batches = f" in {_plural(len(plan.batches), 'batch', 'batches')}" if plan.batches else ""
    return f"{_plural(counts['to_make'], 'image', 'images')} for {_entities(making)}{batches}, {done}, {about(plan)}"


def tasks(plan: Plan | FilePlan, width: int) -> str:
    """Return a block per task that would be sent: target, prompt, references, output, cost."""
    from chargen.prompts.text import summary

    lines = []
    for batch in plan.batches:
        size = _plural(len(batch.tasks), "task", "tasks")
        lines.append(f"batch {batch.id}: {size} for {batch.model}, about {money(batch.cost_usd)}")
        for task in batch.tasks:
            references = ", ".join(f"{ref.name} ({ref.role}, {ref.path})" for ref in task.references) or "none"
            variation = f" (variation {task.wish.variation})" if task.wish.variation > 1 else ""
            again = f", attempt {task.attempt}" if task.attempt > 1 else ""
            form = f"{task.shape.aspect_ratio} at {task.shape.image_size}, " if task.shape.image_size else ""
            lines += [
                f"  {task.wish.target}{variation}{again}",
                f"    prompt      {summary(task.prompt, width - 16)}",
                f"    references  {references}",
                f"    output      {_output(task)}",
                f"    {form}{money(task.shape.cost_usd)}",
            ]
            lines += [f"    note        {note}" for note in task.notes]
    deferred = cast("Plan", plan).deferred if plan.operation == "generate" else []
    if deferred:
        lines.append("later, when the pictures they need are in place:")
        lines += [
            f"  {item.standing.target}, after {', '.join(sorted(item.needs))}, {money(item.shape.cost_usd)}"
            for item in deferred
        ]
    return _joined(lines)


def _output(task: Task) -> str:
    """Where the result of *task* goes: a picture without its extension, or what is known of a picture."""
    if task.wish.operation == "analyze":
        return "a description of the picture"
    if task.wish.operation == "enhance":
        return f"{task.extra['folder']}/{task.extra['output']}"
    return output_path(task.wish.target, task.wish.variation)


def about(plan: Plan | FilePlan) -> str:
    """Return what a plan will cost, with the range in which real answers have lain, where there were any."""
    low, high = (money(usd) for usd in plan.cost_range_usd)
    usual = f"about {money(plan.cost_usd)}"
    return usual if low == high else f"{usual}, {low}–{high.removeprefix('$')}"


def money(usd: float) -> str:
    """Return dollars with cents, or with more digits where there would be none to see."""
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.4f}".rstrip("0")


def _to_paste(settings: Settings, *words: str) -> str:
    return "      " + command(settings, "order", *words)


def _where(settings: Settings) -> str:
    root = _relative(settings.library)
    copy = f" (a working copy of {_relative(settings.source)})" if settings.source else ""
    who = settings.provider if settings.provider == "gemini" else "emulator: free placeholders, no key needed"
    return f"chargen {__version__}, library {root}{copy}, {who}"


def _relative(path: str) -> str:
    short = os.path.relpath(path)
    return short if not short.startswith("..") else str(Path(path))


def _entities(keys: set[str]) -> str:
    kinds = Counter(key.split("/")[0] for key in keys)
    parts = [_plural(kinds[kind], kind, f"{kind}s") for kind in ("character", "location", "chapter") if kinds[kind]]
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _problems(plan: Plan | FilePlan) -> list[str]:
    order = sorted(plan.problems, key=lambda problem: problem.severity != "error")
    lines = [str(problem) for problem in order[:MOST_PROBLEMS]]
    if len(order) > MOST_PROBLEMS:
        kinds = Counter(problem.code for problem in order[MOST_PROBLEMS:])
        more = ", ".join(f"{count} × {code}" for code, count in kinds.most_common())
        hidden = _plural(len(order) - MOST_PROBLEMS, "more problem", "more problems")
        lines.append(f"and {hidden}; results/report.json lists all: {more}")
    return lines


def _joined(lines: Iterable[str]) -> str:
    """Return the lines as a terminal may show them: they hold names and words of the author."""
    return "\n".join(printable(line) for line in lines)


def _plural(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _skipped(broken: tuple[str, ...]) -> str:
    names = tuple(name.replace("/*", "s") for name in broken)  # all of a kind, where its folder cannot be read
    return f"  entities skipped because of errors: {len(names)} ({_some(names)})"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
