"""The wall of the page: sections with cards, by entity."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from chargen.base.frozen import frozen
from chargen.base.wording import clip
from chargen.report.badges import FAILED, ON_CARDS, REJECTED
from chargen.report.cards import Card, Shelf
from chargen.report.links import Links
from chargen.report.thumbnails import Thumbnail

DEFAULT_RATIO = 0.75
ROW_HEIGHT, ROW_WIDTH, HEAD_HEIGHT = 330, 1080, 90  # what a section takes until it is drawn, in CSS pixels


@frozen(kw_only=True)
class Tile:
    """A card as the template draws it. ``why`` is the id of what the page says of its failure; ``ratio`` is width over
    height; ``variation`` is 0 where it is the only one."""

    id: str
    target: str
    title: str
    variation: int
    alt: str
    href: str
    thumb: str
    trouble: str
    ratio: float
    model: str
    batch: str
    earlier: int
    badges: tuple[str, ...]
    pills: tuple[tuple[str, str], ...]
    note: str
    why: str
    text: str


@frozen(kw_only=True)
class Section:
    """An entity, or an enhancement job, with its groups of variations; ``height`` is a guess in CSS pixels."""

    id: str
    kind: str
    name: str
    file: str
    href: str
    in_place: int
    wanted: int
    groups: tuple[tuple[Tile, ...], ...]
    height: int


@frozen(kw_only=True)
class KindOfSections:
    """The sections of one kind of entity, with a title."""

    kind: str
    title: str
    sections: tuple[Section, ...]


def section(shelf: Shelf, links: Links, implied: Collection[str], explained: Collection[str]) -> Section:
    """Return a shelf as the template draws it.

    The badges *implied* by the whole page are not shown; *explained* are the ids of what the page says of failures.
    """
    groups = []
    for cards in shelf.groups.values():
        several = sum(REJECTED not in card.badges for card in cards) > 1
        groups.append(tuple(_tile(card, several, links, implied, explained) for card in cards))
    wanted = [card for card in shelf.cards() if REJECTED not in card.badges]
    width = sum(tile.ratio for group in groups for tile in group) * 250
    return Section(
        id=shelf.key,
        kind=shelf.kind,
        name=shelf.name,
        file=shelf.key if Path(shelf.file).is_absolute() else shelf.file,
        href=links.file(shelf.file) if shelf.file else "",
        in_place=sum(bool(card.path) for card in wanted),
        wanted=len(wanted),
        groups=tuple(groups),
        height=HEAD_HEIGHT + ROW_HEIGHT * max(1, round(width / ROW_WIDTH)),
    )


def by_kind(sections: Sequence[Section], titles: Sequence[tuple[str, str]]) -> tuple[KindOfSections, ...]:
    """Return *sections* by kind, in the order of *titles* (kind and title); kinds without any are left out."""
    found = []
    for kind, title in titles:
        if own := tuple(item for item in sections if item.kind == kind):
            found.append(KindOfSections(kind=kind, title=title, sections=own))
    return tuple(found)


def _tile(card: Card, several: bool, links: Links, implied: Collection[str], explained: Collection[str]) -> Tile:
    info = links.info(card.path) if card.path else Thumbnail()
    reasons = (f"failure/{card.id}", f"failure/{card.target}") if FAILED in card.badges else ()
    return Tile(
        id=card.id,
        target=card.target,
        title=card.title,
        variation=card.variation if several and REJECTED not in card.badges else 0,
        alt=card.alt,
        href=links.file(card.path) if card.path else "",
        thumb=links.thumb(card.path) if card.path else "",
        trouble=info.trouble if card.path else "",
        ratio=round(_ratio(card, info), 4),
        model=card.model,
        batch=card.batch,
        earlier=len(card.versions),
        badges=card.badges,
        pills=tuple((badge, ON_CARDS[badge]) for badge in card.badges if badge not in implied),
        note=clip(card.note, 160),
        why=next((id for id in reasons if id in explained), ""),
        text=clip(card.author_text or card.prompt, 140),
    )


def _ratio(card: Card, info: Thumbnail) -> float:
    """Width over height, from the picture, else as asked for; bounded so that no card is a stripe."""
    ratio = info.width / info.height if info.height else 0.0
    asked = card.fate.task.aspect_ratio if card.fate else (card.scene.aspect_ratio if card.scene else "")
    if not ratio and ":" in asked:
        across, _, down = asked.partition(":")
        ratio = float(across) / float(down)
    return min(3.0, max(0.5, ratio or DEFAULT_RATIO))
