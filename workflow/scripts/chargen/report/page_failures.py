"""What the page says of pictures that failed, cannot be sent, or are kept aside."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from chargen.base.frozen import frozen
from chargen.base.wording import OUTCOMES_IN_WORDS, dollars, in_words
from chargen.records.commands import command
from chargen.report.documents import Failure
from chargen.report.links import Links
from chargen.report.survey import Survey


@frozen(kw_only=True)
class FailedItem:
    """A failure as the page lists it; ``again`` is the command that orders it, ``words`` what the author wrote."""

    id: str
    title: str
    target: str
    variation: int
    written_in: str
    href: str
    said: str
    attempts: int
    model: str
    cost: str
    words: str
    prompt: str
    again: str


@frozen(kw_only=True)
class FailedGroup:
    """The failures of one reason and advice."""

    reason: str
    advice: str
    items: tuple[FailedItem, ...]


@frozen(kw_only=True)
class BlockedItem:
    """A scene that cannot be sent: why, and where it is written."""

    id: str
    title: str
    target: str
    written_in: str
    href: str
    why: str
    advice: str


@frozen(kw_only=True)
class KeptItem:
    """A picture that was paid for and is not in its place; ``href`` is ``""`` if its file is gone."""

    title: str
    target: str
    file: str
    why: str
    href: str


def failed_groups(failures: Sequence[Failure], survey: Survey, links: Links) -> tuple[FailedGroup, ...]:
    """Return failures by reason and advice, the most frequent first."""
    groups: dict[tuple[str, str], list[FailedItem]] = defaultdict(list)
    for failure in failures:
        reason = failure.reason or OUTCOMES_IN_WORDS[failure.outcome]
        groups[reason, failure.advice].append(_failed_item(failure, survey, links))
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return tuple(FailedGroup(reason=reason, advice=advice, items=tuple(items)) for (reason, advice), items in ordered)


def _failed_item(failure: Failure, survey: Survey, links: Links) -> FailedItem:
    file = failure.written_in.partition(":")[0]
    return FailedItem(
        id=f"failure/{failure.target}:{failure.variation}",
        title=in_words(failure.title),
        target=failure.target,
        variation=failure.variation,
        written_in=failure.written_in,
        href=links.file(file) if file else "",
        said=failure.said,
        attempts=failure.attempts,
        model=failure.model,
        cost=dollars(failure.cost_usd) if failure.cost_usd else "",
        words=survey.author_text(failure.target),
        prompt=failure.prompt,
        again=command(survey.settings, "order", f"scenes={failure.target}"),
    )


def blocked_items(survey: Survey, links: Links) -> tuple[BlockedItem, ...]:
    """Return the scenes that cannot be sent, with what is wrong with them and where."""
    advice = {(problem.entity, problem.scene, problem.message): problem.advice for problem in survey.plan.problems}
    titles = {standing.target: standing.scene.title for standing in survey.plan.items}
    rows = []
    for target, why in sorted(survey.plan.blocked.items()):
        entity, _, scene = target.rpartition("/")
        place = survey.place_of(target)
        rows.append(
            BlockedItem(
                id=f"failure/{target}",
                title=titles.get(target) or in_words(scene),
                target=target,
                written_in=place,
                href=links.file(place.partition(":")[0]) if place else "",
                why=why,
                advice=advice.get((entity, scene, why), ""),
            )
        )
    return tuple(rows)


def kept_items(survey: Survey, links: Links) -> tuple[KeptItem, ...]:
    """Return pictures that were paid for and are not in their place, the youngest first; those still there have a
    link."""
    root = survey.plan.library.root
    fates = [fate for fate in survey.history.fates.values() if fate.outcome in ("superseded", "unplaced")]
    rows = []
    for fate in sorted(fates, key=lambda fate: fate.ended, reverse=True):
        task = fate.task
        path = Path(task.file) if fate.outcome == "superseded" else survey.kept_in / task.file
        file = root / path  # a kept picture's path is absolute
        rows.append(
            KeptItem(
                title=task.title,
                target=task.target,
                file=task.file,
                why=task.advice or task.reason or OUTCOMES_IN_WORDS[fate.outcome],
                href=links.absolute(file) if file.is_file() else "",
            )
        )
    return tuple(rows)
