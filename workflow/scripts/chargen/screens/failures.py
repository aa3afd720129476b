"""`snakemake failures`: failed pictures that are still wanted, by reason, with the command that orders them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from chargen import operations
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.base.wording import count
from chargen.records.commands import command
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.report.history import Fate, read_history
from chargen.report.survey import FAILED, Survey, final_outcome
from chargen.screens.screen import BAD, WARN, Line, Screen, Span, advice, heading, line, to_paste

HELP = "list failed pictures that are still wanted, by reason"
SHOWN_TARGETS = 12
NAMED_TARGETS = 20
"""How many scenes a command names one by one; beyond, it names their entities."""
UNKNOWN = "some of these may no longer be wanted: the library cannot be read"


@frozen(kw_only=True)
class FailedPicture(Document):
    """A task that failed for good; ``written_in`` is the file (and line) that asks for it, ``""`` if unknown."""

    target: str
    variation: int
    title: str
    reason: str
    advice: str
    said: str
    written_in: str
    attempts: int
    failed_at: str
    model: str

    @property
    def name(self) -> str:
        """Its target, and which variation if it is not the first."""
        return self.target + (f" (variation {self.variation})" if self.variation > 1 else "")


@frozen(kw_only=True)
class FailureGroup(Document):
    """The failures of one reason and advice; ``command`` orders them again."""

    reason: str
    advice: str
    count: int
    command: str
    tasks: tuple[FailedPicture, ...]


@frozen(kw_only=True)
class Failures(Document):
    """The answer of `snakemake failures`; ``note`` says why it may list more than what is still wanted."""

    schema_version: int = 1
    library_id: str
    failed: int
    note: str
    groups: tuple[FailureGroup, ...]


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show the failures; return the exit status."""
    failed, note = look(settings, state)
    groups = grouped(failed, settings)
    found = Failures(library_id=settings.library_id, failed=len(failed), note=note, groups=tuple(groups))
    screen.show(found, lambda width: lines(found, width))
    return 0


def look(settings: Settings, state: State) -> tuple[list[FailedPicture], str]:
    """Return the failures that are open, and a note if that could not be determined.

    Which are open only the library knows: a scene that was edited or ordered since asks for something else. Where no
    plan can be made of it, everything is returned that failed last.
    """
    try:
        plan = operations.of_scenes().plan(replace(settings, strict=False), ["all"])
    except ChargenError as error:
        fates = [fate for fate in read_history(state).fates.values() if final_outcome(fate, settings) in FAILED]
        failed = [_failed(fate, "") for fate in fates]
        return sorted(failed, key=lambda item: (item.target, item.variation)), f"{UNKNOWN}: {error}"
    survey = Survey(settings, state, plan)
    return [_failed(fate, survey.place_of(fate.task.target)) for _, fate in survey.failures], ""


def _failed(fate: Fate, written_in: str) -> FailedPicture:
    task = fate.task
    return FailedPicture(
        target=task.target,
        variation=task.variation,
        title=task.title,
        reason=task.reason,
        advice=task.advice,
        said=task.said,
        written_in=written_in,
        attempts=fate.attempts,
        failed_at=fate.ended,
        model=task.model or task.model_requested,
    )


def grouped(failed: Sequence[FailedPicture], settings: Settings) -> list[FailureGroup]:
    """Return *failed* by reason and advice, the most frequent first, each group with the command that orders it."""
    groups: dict[tuple[str, str], list[FailedPicture]] = {}
    for item in failed:
        groups.setdefault((item.reason, item.advice), []).append(item)
    return [
        FailureGroup(
            reason=reason,
            advice=text,
            count=len(items),
            command=order_command(settings, [item.target for item in items], everything=len(items) == len(failed)),
            tasks=tuple(items),
        )
        for (reason, text), items in sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    ]


def order_command(settings: Settings, targets: Sequence[str], *, everything: bool) -> str:
    """Return the command that orders the failed pictures of *targets* again."""
    names = list(dict.fromkeys(targets))
    if everything and len(names) > 1:
        names = ["*"]
    elif len(names) > NAMED_TARGETS:
        names = list(dict.fromkeys(name.rpartition("/")[0] + "/*" for name in names))
    return command(settings, "order", "state=failed", f"scenes={' '.join(names)}")


def lines(found: Failures, width: int | None) -> Iterator[Line]:
    """Yield the screen: per reason its advice, its pictures and where they are written, and the command."""
    if not found.failed:
        yield line("Nothing that the library still wants has failed.")
        return
    yield heading(f"{count(found.failed, 'picture')} failed and {'is' if found.failed == 1 else 'are'} still wanted")
    for group in found.groups:
        yield line()
        yield line(Span(f"✗ {group.count} × ", BAD), Span(group.reason or "no reason was given", "bold"))
        if group.advice:
            yield from advice(group.advice, width)
        shown = group.tasks[: SHOWN_TARGETS if width is not None else None]
        for task in shown:
            place = Span(f"  {task.written_in}", "dim")
            fits = width is None or len(task.name) + len(place.text) + 4 <= width
            yield line("  · ", task.name, place if fits else "")
            if not fits:
                yield line("  ", place)
        if len(group.tasks) > len(shown):
            yield line(Span(f"  … and {len(group.tasks) - len(shown)} more", "dim"))
        yield to_paste(group.command)
    yield line()
    yield from advice("The next generate_all makes edited scenes without an order.", width)
    if found.note:
        yield line(Span("! ", WARN), found.note)
