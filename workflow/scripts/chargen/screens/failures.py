"""`snakemake failures`: what failed and is still wanted, by reason, with the command that orders it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from chargen.base.errors import ChargenError
from chargen.records.commands import command
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.report.collect import FAILED, Survey, failure_lines
from chargen.report.history import read_history
from chargen.screens.screen import BAD, WARN, Line, Screen, Span, advice, heading, line, to_paste

HELP = "list what failed and is still wanted, by reason"
SHOWN_TARGETS = 12
NAMED_TARGETS = 20
"""How many scenes a command names one by one; beyond, it names their entities."""


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show the failures; return the exit status."""
    failed, note = look(settings, state)
    groups = grouped(failed, settings)
    data = {
        "schema_version": 1,
        "library_id": settings.library_id,
        "failed": len(failed),
        "note": note,
        "groups": groups,
    }
    screen.show(data, lambda width: lines(groups, len(failed), note, width))
    return 0


def look(settings: Settings, state: State) -> tuple[list[dict[str, Any]], str]:
    """Return the failures that are open, and a note where that cannot be told from the library.

    Which are open only the library knows: a scene that was edited or ordered since asks for something else. Where no
    plan can be made of it, everything is returned that failed last.
    """
    from chargen.operations.generate.plan import make_plan

    try:
        plan = make_plan(replace(settings, strict=False), scope=["all"])
    except ChargenError as error:
        return _last_failed(settings, state), f"what of it is still wanted cannot be told: {error}"
    survey = Survey(settings, state, plan, None)
    names = ("target", "variation", "title", "reason", "advice", "said", "written_in", "attempts", "failed_at", "model")
    return [{name: item[name] for name in names} for item in failure_lines(survey)], ""


def grouped(failed: Sequence[dict[str, Any]], settings: Settings) -> list[dict[str, Any]]:
    """Return *failed* by reason and advice, the most frequent first, each group with the command that orders it."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for item in failed:
        groups.setdefault((item["reason"], item["advice"]), []).append(item)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [
        {
            "reason": reason,
            "advice": text,
            "count": len(items),
            "command": order_command(
                settings, [item["target"] for item in items], everything=len(items) == len(failed)
            ),
            "tasks": items,
        }
        for (reason, text), items in ordered
    ]


def order_command(settings: Settings, targets: Sequence[str], *, everything: bool) -> str:
    """Return the command that orders the failed pictures of *targets* again."""
    names = list(dict.fromkeys(targets))
    if everything and len(names) > 1:
        names = ["*"]
    elif len(names) > NAMED_TARGETS:
        names = list(dict.fromkeys(name.rpartition("/")[0] + "/*" for name in names))
    return command(settings, "order", "state=failed", f"scenes={' '.join(names)}")


def lines(groups: Sequence[dict[str, Any]], failed: int, note: str, width: int | None) -> Iterator[Line]:
    """Yield the screen: per reason its advice, its pictures and where they are written, and the command."""
    if not failed:
        yield line("Nothing has failed that the library still asks for.")
    else:
        words = "1 picture has failed and is" if failed == 1 else f"{failed} pictures have failed and are"
        yield heading(f"{words} still wanted")
    for group in groups:
        yield line()
        yield line(Span(f"✗ {group['count']} × ", BAD), Span(group["reason"] or "no reason was given", "bold"))
        if group["advice"]:
            yield from advice(group["advice"], width)
        tasks = group["tasks"]
        for task in tasks[:SHOWN_TARGETS] if width is not None else tasks:
            name = task["target"] + (f" (variation {task['variation']})" if task["variation"] > 1 else "")
            place = Span(f"  {task['written_in']}", "dim")
            fits = width is None or len(name) + len(place.text) + 4 <= width
            yield line("  · ", name, place if fits else "")
            if not fits:
                yield line("  ", place)
        if width is not None and len(tasks) > SHOWN_TARGETS:
            yield line(Span(f"  … and {len(tasks) - SHOWN_TARGETS} more", "dim"))
        yield to_paste(group["command"])
    if failed:
        yield line()
        yield from advice("A scene that you edit is made by the next generate_all without an order.", width)
    if note and failed:
        yield line(Span("! ", WARN), note)


def _last_failed(settings: Settings, state: State) -> list[dict[str, Any]]:
    items = []
    for fate in read_history(state).fates.values():
        given_up = fate.outcome == "passing" and fate.task["attempt"] >= settings.retry_max_attempts
        if fate.outcome in FAILED or given_up:
            task = fate.task
            items.append(
                {name: task[name] for name in ("target", "variation", "title", "reason", "advice", "said")}
                | {"written_in": "", "attempts": fate.attempts, "failed_at": fate.ended}
                | {"model": task["model"] or task["model_requested"]}
            )
    return sorted(items, key=lambda item: (item["target"], item["variation"]))
