"""What gallery.js knows of each picture: `Detail` from the start, `Story` once somebody looks at it.

They are embedded in the page as JSON, each by the id of its card; gallery.js describes the same types.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chargen.analysis.description import Description, describe
from chargen.analysis.store import Analysis
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.base.wording import dollars, moment
from chargen.records.commands import command
from chargen.report.badges import BADGES, STALE
from chargen.report.cards import Card
from chargen.report.links import Links
from chargen.report.reviewable import Reviewable, ReviewData
from chargen.report.survey import Survey
from chargen.report.thumbnails import Thumbnail

Pair = tuple[str, str]


@frozen(kw_only=True)
class Detail(Document):
    """A picture before anybody looks at it. ``width`` and ``height`` are pixels, 0 if unknown; ``review`` is None where
    it cannot be reviewed."""

    title: str
    alt: str
    target: str
    href: str
    trouble: str
    width: int
    height: int
    badges: tuple[Pair, ...]
    review: ReviewData | None


@frozen(kw_only=True)
class Other(Document):
    """A picture to compare with: what this one was made from, or an earlier version."""

    name: str
    when: str
    thumb: str
    href: str
    note: str


@frozen(kw_only=True)
class ReferenceLink(Document):
    """A picture that was sent along; ``changed``: its file has changed since."""

    name: str
    role: str
    thumb: str
    href: str
    changed: bool


@frozen(kw_only=True)
class Story(Document):
    """What else the large view shows. ``renew`` is the command that makes a stale picture again."""

    facts: tuple[Pair, ...]
    notes: tuple[str, ...]
    prompt: str
    words: str
    renew: str
    seen: Description | None
    others: tuple[Other, ...]
    references: tuple[ReferenceLink, ...]


def detail(card: Card, links: Links, reviewable: Reviewable) -> Detail:
    """Return what the page needs of a picture before anybody looks at it."""
    info = links.info(card.path)
    return Detail(
        title=card.title,
        alt=card.alt,
        target=card.target,
        href=links.large(card.path),
        trouble=info.trouble,
        width=info.width,
        height=info.height,
        badges=tuple((badge, BADGES[badge]) for badge in card.badges),
        review=reviewable.data(card.path, info),
    )


def story(card: Card, links: Links, survey: Survey) -> Story:
    """Return what else the large view shows of a picture."""
    info = links.info(card.path)
    return Story(
        facts=tuple((name, value) for name, value in _facts(card, info) if value),
        notes=card.fate.task.notes if card.fate else (),
        prompt=card.prompt,
        words=card.author_text if card.author_text != card.prompt else "",
        renew=command(survey.settings, "order", f"scenes={card.target}") if STALE in card.badges else "",
        seen=_seen(card.analysis, info) if card.analysis else None,
        others=tuple(_others(card, links)),
        references=() if card.before else tuple(_references(card, links)),
    )


def _references(card: Card, links: Links) -> Iterator[ReferenceLink]:
    for reference in card.references:
        thumb = links.thumb(reference.path)
        yield ReferenceLink(
            name=reference.name,
            role=reference.role,
            thumb=thumb,
            href=links.file(reference.path) if thumb else "",
            changed=links.info(reference.path).sha256 not in ("", reference.sha256),
        )


def _others(card: Card, links: Links) -> Iterator[Other]:
    """What the picture can be compared with: what it was made from, and its predecessors, the youngest first."""
    if card.before and (large := links.large(card.before)):
        yield Other(name="Original", when="", thumb=links.thumb(card.before), href=large, note="")
    for version in card.versions:
        path, record = str(version.path), version.record
        if large := links.large(path):
            yield Other(
                name="Earlier",
                when=moment(record.generated_at) if record else "",
                thumb=links.thumb(path),
                href=large,
                note=record.note if record else "",
            )


def _seen(analysis: Analysis, info: Thumbnail) -> Description | None:
    """What an analysis says; None if it is of another picture than the one in place."""
    if analysis.sha256 and info.sha256 and analysis.sha256 != info.sha256:
        return None
    return describe(analysis)


def _facts(card: Card, info: Thumbnail) -> Iterator[Pair]:
    record, fate = card.record, card.fate
    task = fate.task if fate else None
    ratio = (task.aspect_ratio if task else "") or (record.aspect_ratio if record else "")
    asked = " ".join(filter(None, (ratio, task.image_size if task else "")))
    pixels = f"{info.width:,} × {info.height:,}" if info.width else ""
    yield "Model", card.model
    yield "Size", f"{pixels} ({asked})" if pixels and asked else pixels or asked
    yield "Made", moment(record.generated_at if record else fate.ended if fate and card.before else "")
    if fate:
        yield "Cost", dollars(fate.actual_usd)
        yield "Attempts", str(fate.attempts)
        yield "Tokens", f"{fate.task.tokens.total:,}" if fate.task.tokens.total else ""
    yield "File", (task.file if task else "") or card.path if card.before else card.path
    yield "Made from", Path(card.before).name
    yield "Replaced", task.archived if task else ""
    yield "Written in", str(card.scene.place) if card.scene else ""
    retouched = bool(record and record.sha256 and info.sha256 and record.sha256 != info.sha256)
    yield "Retouched", "yes, the file was changed after it was made" if retouched else ""
    yield "Task", record.task_key if record else ""
