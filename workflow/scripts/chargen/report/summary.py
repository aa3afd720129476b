"""The box that a run ends with on the terminal."""

from __future__ import annotations

import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from chargen import operations
from chargen.base.capabilities import costs_money
from chargen.base.formatting import duration
from chargen.base.wording import clip, columns, count, dollars
from chargen.records.commands import command
from chargen.report.documents import Report, RunPart, Totals

if TYPE_CHECKING:
    from chargen.records.settings import Settings

SHOWN_FOLDERS = 4
SHOWN_TARGETS = 3
SHOWN_REASONS = 8
NARROWEST, WIDEST = 40, 100

_COLOURS = {"✓": "32", "✗": "31", "!": "33", "○": "2"}


def render(
    report: Report,
    settings: Settings,
    width: int = 80,
    html: str = "results/report.html",
    title: str = "",
    colour: bool = False,
) -> str:
    """Return the box for the run of *report* (report.json), at most *width* columns wide, and below it what can be
    pasted, without a final newline.

    *html* is the page that it points at. *title* goes before the one that the report's figures give. With *colour*,
    signs are coloured by terminal escapes.
    """
    inner = max(NARROWEST, min(width, WIDEST)) - 4
    sections = [
        [title or _title(report)],
        list(_figures(report)),
        list(_outputs(report)),
        list(_failures(report, inner)),
    ]
    sections.append([_row("Report", html)])
    lines = ["┌" + "─" * (inner + 2) + "┐"]
    for number, section in enumerate(filter(None, sections)):
        if number:
            lines.append("├" + "─" * (inner + 2) + "┤")
        lines += [_framed(line, inner, colour) for text in section for line in _wrapped(text, inner)]
    return "\n".join([*lines, "└" + "─" * (inner + 2) + "┘", *_what_next(report, settings)])


def _title(report: Report) -> str:
    if report.run is None:
        return "Nothing made yet"
    if report.totals.in_flight:
        return "Run complete so far: the server is still working"
    return "Batch run complete"


def _figures(report: Report) -> Iterator[str]:
    if report.run is not None:
        yield from _run_figures(report.run)
    totals = report.totals
    yield _row("Library", f"{totals.applied:,} of {count(totals.wanted, 'picture')} in place" + _rest(totals))
    for operation in operations.of_files():
        if own := totals.operations.get(operation.name):
            yield _row(operation.words.done, f"{own.applied:,} of {count(own.wanted, 'picture')}" + _rest(own))
    if line := report.analyses.line:
        yield _row("  ! Form", line)


def _run_figures(run: RunPart) -> Iterator[str]:
    counts, cost = run.counts, run.cost_usd
    aside = counts.superseded + counts.unplaced
    yield _row("Run ID", run.id)
    if run.duration_s is not None:
        yield _row("Duration", duration(run.duration_s))
    yield _row("Tasks", f"{counts.tasks:,} total")
    yield _row("  ✓ Success", f"{counts.applied:,}")
    yield _row("  ✗ Failed", f"{counts.failed + counts.lost:,}")
    if counts.skipped:
        yield _row("  ○ Skipped", f"{counts.skipped:,} (in place already)")
    if aside:
        changed = "its scene had changed" if aside == 1 else "their scenes had changed"
        yield _row("  ! Archived", f"{aside:,} (came after {changed})")
    if counts.passing:
        yield _row("  ! To retry", f"{counts.passing:,} (temporary {'failure' if counts.passing == 1 else 'failures'})")
    nothing_paid = "" if costs_money(run.provider) else f" ({run.provider}: nothing was paid)"
    yield _row("Cost", f"{dollars(cost.actual)} actual, {dollars(cost.estimated)} estimated{nothing_paid}")


def _rest(totals: Totals) -> str:
    numbers = (
        (totals.in_flight, "in flight"),
        (totals.failed, "failed"),
        (totals.missing, "missing"),
        (totals.blocked, "blocked"),
        (totals.stale, "stale"),
        (totals.recomposed, "recomposed"),
    )
    parts = [f"{number:,} {word}" for number, word in numbers if number]
    return f" ({', '.join(parts)})" if parts else ""


def _outputs(report: Report) -> Iterator[str]:
    folders = Counter(
        task.file.rpartition("/")[0] + "/"
        for task in report.tasks
        if report.run and task.run == report.run.id and task.outcome == "applied" and task.file
    )
    if not folders:
        return
    yield "Outputs:"
    shown = sorted(folders)[: SHOWN_FOLDERS if len(folders) > SHOWN_FOLDERS + 1 else SHOWN_FOLDERS + 1]
    for folder in shown:
        yield f"  {folder} ({folders[folder]:,})"
    if len(folders) > len(shown):
        yield f"  … ({len(folders) - len(shown):,} more)"


def _failures(report: Report, inner: int) -> Iterator[str]:
    """Yield the open failures, grouped by reason, the most frequent reason first."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for task in report.open_failures:
        groups[task.reason or task.outcome, task.advice].append(_short(task.key))
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    for (reason, advice), targets in ordered[:SHOWN_REASONS]:
        yield f"✗ {len(targets):,} × {reason}"
        if advice:
            yield f"    {advice}"
        for target in targets[:SHOWN_TARGETS]:
            yield f"    · {clip(target, inner - 6)}"
        if len(targets) > SHOWN_TARGETS:
            yield f"    … ({len(targets) - SHOWN_TARGETS:,} more)"
    if len(ordered) > SHOWN_REASONS:
        yield f"  … ({len(ordered) - SHOWN_REASONS:,} more reasons)"
    for entity in report.broken:
        yield f"✗ {entity} was skipped: its files cannot be read (see the report)"


def _what_next(report: Report, settings: Settings) -> Iterator[str]:
    if report.open_failures:
        yield "Failed: edit the scene and run again, or order it again as it is:"
        yield "    " + command(settings, "order", "scenes=*", "state=failed")
    if report.totals.in_flight:
        yield "In flight: collect later with"
        yield "    " + command(settings, operations.DEFAULT_TARGET)


def _short(key: str) -> str:
    return key.partition("@sha256:")[0]


def _row(name: str, value: str) -> str:
    return f"{name + ':':<15}{value}"


def _wrapped(text: str, inner: int) -> list[str]:
    """Break *text* at spaces so that each line fits; further lines keep its indentation."""
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    if columns(text) <= inner:
        return [text]
    indent = " " * (len(text) - len(text.lstrip()) + (15 if ":" in text[:15] and text[14:15] == " " else 0))
    lines = textwrap.wrap(text, inner, subsequent_indent=indent, drop_whitespace=True, replace_whitespace=False)
    return [piece for line in lines for piece in _cut(line, inner)]


def _cut(line: str, inner: int) -> Iterator[str]:
    """Cut a line that is too wide by its wide signs."""
    piece = ""
    for sign in line:
        if columns(piece + sign) > inner:
            yield piece
            piece = ""
        piece += sign
    yield piece


def _framed(line: str, inner: int, colour: bool) -> str:
    padding = " " * max(0, inner - columns(line))
    if colour:
        for sign, code in _COLOURS.items():
            if line.lstrip().startswith(sign):
                line = line.replace(sign, f"\x1b[{code}m{sign}\x1b[0m", 1)
    return f"│ {line}{padding} │"
