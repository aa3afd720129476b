"""The plan as text: a few lines while the graph is built, and each task for `planned`."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargen import __version__
from chargen.base.capabilities import Capabilities
from chargen.base.errors import printable
from chargen.operations import operation
from chargen.records.commands import command

if TYPE_CHECKING:
    from chargen.operations.base import Words
    from chargen.planning.fates import Status
    from chargen.planning.plan import Plan
    from chargen.records.settings import Settings

MOST_PROBLEMS = 12


def overview(plan: Plan[Any], settings: Settings) -> str:
    """Return the plan's lines: where, what, what it costs, what else should be known, what is wrong."""
    does = operation(plan.operation)
    lines = [_where(settings), does.headline(plan), *does.standing_lines(plan, settings)]
    if plan.broken:
        lines.append(_skipped(plan.broken))
    lines += [f"note: {notice}" for notice in plan.notices]
    return _joined(lines + _problems(plan))


def headline(plan: Plan[Any]) -> str:
    """Return the one line: how many results, of what, in how many batches, done, in flight, and about what cost."""
    return operation(plan.operation).headline(plan)


def headline_of_files(plan: Plan[Any], words: Words) -> str:
    """Return the headline of an operation on picture files."""
    counts = plan.counts()
    if not counts.to_make:
        return f"0 pictures {words.to_do}, {done_of(plan)}, of {counts.wanted}"
    groups = {item.group for item in plan.of_status("wanted")}
    whose = f" of {entities_in(groups)}" if words.counts_entities else ""
    pictures = plural(counts.to_make, "picture", "pictures")
    batches = plural(len(plan.batches), "batch", "batches")
    return f"{pictures} {words.to_do}{whose} in {batches}, {done_of(plan)}, {about(plan)}"


def lines_of_files(plan: Plan[Any], settings: Settings, words: Words) -> Iterator[str]:
    """Yield what else should be known of an operation on picture files."""
    counts = plan.counts()
    yield from lines_of_paid(plan)
    if plan.stale:
        price = sum(item.cost_usd for item in plan.stale)
        why = "prompt, settings or model changed"
        yield f"  {counts.stale} out of date (stale): {why}; to order them, about {money(price)}:"
        yield to_paste(settings, words.order, "state=stale")
    statuses: tuple[tuple[Status, str], ...] = (("missing", "missing: the result is gone"), ("failed", "failed"))
    for status, what in statuses:
        if found := plan.of_status(status):
            price = sum(plan.cost_of(item) for item in found)
            yield f"  {len(found)} {what}; to order them again, about {money(price)}:"
            yield to_paste(settings, words.order, f"state={status}")
    if counts.blocked:
        yield f"  {counts.blocked} cannot be sent, see below"
    if twins := plan.of_status("twin"):
        yield f"  {len(twins)} {'duplicate is' if len(twins) == 1 else 'duplicates are'} made only once"


def lines_of_paid(plan: Plan[Any]) -> Iterator[str]:
    """Yield what was paid for and comes without being sent again."""
    if put_back := plan.counts().put_back:
        missing = plural(put_back, "missing picture that was", "missing pictures that were")
        yield f"  Restoring {missing} already paid for"
    if plan.lost:
        yield f"  {plural(len(plan.lost), 'job', 'jobs')} lost on the server: checking again"


def done_of(plan: Plan[Any]) -> str:
    """Return a text on how many are done and in flight."""
    counts = plan.counts()
    return f"{counts.applied} done, {counts.in_flight} in flight"


def tasks(plan: Plan[Any], width: int) -> str:
    """Return what shapes the results and where it is said, and a block per task that would be sent: target, prompt,
    references, output, cost."""
    from chargen.planning.prompt_findings import by_code
    from chargen.prompts.lint import MEANINGS
    from chargen.prompts.text import summary

    lines = []
    does = operation(plan.operation)
    lines += [f"{key}: {value} ({place})" for key, value, place in plan.settings]
    for batch in plan.batches:
        size = plural(len(batch.tasks), "task", "tasks")
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
                f"    output      {does.output_of(task.stored())}",
                f"    {form}{money(task.shape.cost_usd)}",
            ]
            lines += [f"    note        {note}" for note in task.notes]
    for code, scenes in by_code(task for batch in plan.batches for task in batch.tasks).items():
        lines.append(f"{plural(len(scenes), 'prompt', 'prompts')} {code}: {MEANINGS[code]}")
        lines += [f"  {target}: {words}" for target, words in scenes.items()]
    if plan.deferred:
        lines.append("later, when the pictures they need are in place:")
        lines += [
            f"  {item.item.target}, after {', '.join(sorted(item.needs))}, {money(item.shape.cost_usd)}"
            for item in plan.deferred
        ]
    return _joined(lines)


def about(plan: Plan[Any]) -> str:
    """Return what a plan will cost, with the range in which real answers have lain, where there were any."""
    low, high = (money(usd) for usd in plan.cost_range_usd)
    usual = f"about {money(plan.cost_usd)}"
    return usual if low == high else f"{usual}, {low}–{high.removeprefix('$')}"


def money(usd: float) -> str:
    """Return dollars with cents, or with more digits where there would be none to see."""
    return f"${usd:.2f}" if usd >= 0.1 or usd == 0 else f"${usd:.4f}".rstrip("0")


def to_paste(settings: Settings, *words: str) -> str:
    """Return the line with the command that orders what *words* name."""
    return "      " + command(settings, "order", *words)


def _where(settings: Settings) -> str:
    root = _relative(settings.library)
    copy = f" (a working copy of {_relative(settings.source)})" if settings.source else ""
    return f"chargen {__version__}, library {root}{copy}, {_who(settings.capabilities)}"


def _who(provider: Capabilities) -> str:
    what = "placeholders" if provider.marks_placeholders else "pictures"
    notes = [] if provider.costs_money else [f"free {what}"]
    notes += [] if provider.needs_key else ["no key needed"]
    return f"{provider.name}: {', '.join(notes)}" if notes else provider.name


def _relative(path: str) -> str:
    short = os.path.relpath(path)
    return short if not short.startswith("..") else str(Path(path))


def entities_in(keys: set[str]) -> str:
    """Return of how many characters, locations and chapters *keys* are."""
    kinds = Counter(key.split("/")[0] for key in keys)
    parts = [plural(kinds[kind], kind, f"{kind}s") for kind in ("character", "location", "chapter") if kinds[kind]]
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else parts[0]


def _problems(plan: Plan[Any]) -> list[str]:
    order = sorted(plan.problems, key=lambda problem: problem.severity != "error")
    lines = [str(problem) for problem in order[:MOST_PROBLEMS]]
    if len(order) > MOST_PROBLEMS:
        kinds = Counter(problem.code for problem in order[MOST_PROBLEMS:])
        more = ", ".join(f"{count} × {code}" for code, count in kinds.most_common())
        hidden = plural(len(order) - MOST_PROBLEMS, "more problem", "more problems")
        lines.append(f"and {hidden}; results/report.json lists all: {more}")
    return lines


def _joined(lines: Iterable[str]) -> str:
    """Return the lines as a terminal may show them: they hold names and words of the author."""
    return "\n".join(printable(line) for line in lines)


def plural(count: int, one: str, many: str) -> str:
    """Return how many, with the fitting word."""
    return f"{count:,} {one if count == 1 else many}"


def _skipped(broken: tuple[str, ...]) -> str:
    names = tuple(name.replace("/*", "s") for name in broken)  # all of a kind, where its folder cannot be read
    return f"  entities skipped because of errors: {len(names)} ({_some(names)})"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
