"""The page: every picture of the library with its details, failures and costs. One file, no server."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from shlex import quote as quote_word
from typing import TYPE_CHECKING

from chargen import operations
from chargen.base.formatting import duration
from chargen.base.frozen import frozen
from chargen.base.reading import plain
from chargen.base.wording import count, dollars, moment
from chargen.records.commands import assignment, command, in_run_folder
from chargen.report.badges import BADGES, PLACEHOLDER, count_badges
from chargen.report.cards import Card, shelves
from chargen.report.documents import Costs, Failure, LibraryTotals, Note, Report, RunPart
from chargen.report.links import Links
from chargen.report.page_costs import Arrival, Bill, TimeLine, arrivals, bills, time_line
from chargen.report.page_failures import (
    BlockedItem,
    FailedGroup,
    KeptItem,
    blocked_items,
    failed_groups,
    kept_items,
)
from chargen.report.picture_data import detail, story
from chargen.report.reviewable import Reviewable
from chargen.report.survey import Survey
from chargen.report.wall import KindOfSections, by_kind, section

if TYPE_CHECKING:
    import jinja2
    from markupsafe import Markup

STORIES = 50
"""How many pictures' stories gallery.js parses at once, when the first of them is looked at."""
KIND_TITLES = (
    ("character", "Characters"),
    ("location", "Locations"),
    ("chapter", "Chapters"),
)
KEYS = (
    (("←", "→"), "previous picture, next picture"),
    (("+", "−", "0"), "zoom in, out, fit; click for full size"),
    (("C",), "compare with the original or an earlier version (slider)"),
    (("B",), "switch between the two compared pictures"),
    (("V",), "all variations side by side"),
    (("A", "R", "P"), "approve, reject, pick this variation"),
    (("N",), "write a note on a rejected picture"),
    (("Enter",), "open the focused picture"),
    (("Esc",), "close"),
    (("/",), "search"),
    (("?",), "these keys"),
)
_HERE = Path(__file__).parent


@frozen(kw_only=True)
class RunLine:
    """What the head of the page says of the last run; blank fields are left out."""

    when: str
    took: str
    cost: str
    made: str


@frozen(kw_only=True)
class TallyPart:
    """A part of all wanted pictures, in the bar at the top; ``style`` is its class in gallery.css."""

    style: str
    label: str
    count: int
    share: float


@frozen(kw_only=True)
class Filter:
    """A button that shows only the pictures with one badge."""

    badge: str
    label: str
    count: int


@frozen(kw_only=True)
class ReviewCommand:
    """How reviews are handed in: the command, the file that it reads, and the word that names that file."""

    program: str
    file: str
    word: str


@frozen(kw_only=True)
class Page:
    """All that gallery.html.j2 uses, by the names that it uses."""

    css: Markup
    js: Markup
    details: Markup
    stories: Sequence[Markup]
    library: str
    review: ReviewCommand
    free: bool
    only_placeholders: bool
    run: RunLine | None
    totals: LibraryTotals
    tally: Sequence[TallyPart]
    kinds: Sequence[KindOfSections]
    models: Sequence[str]
    arrived: Sequence[Arrival]
    arrived_data: Markup
    pictures: int
    filters: Sequence[Filter]
    failures: Sequence[FailedGroup]
    blocked: Sequence[BlockedItem]
    keys: Sequence[tuple[Sequence[str], str]]
    aside: Sequence[KeptItem]
    broken: Sequence[str]
    errors: Sequence[Note]
    warnings: Sequence[Note]
    cost: Costs
    forms: str
    bills: Sequence[Bill]
    batches: TimeLine
    again: str
    send_all: str


def render(survey: Survey, report: Report, failures: Sequence[Failure], results: Path) -> str:
    """Return the page as HTML, to be written to ``report.html`` in *results*; makes the thumbnails that it shows.

    It refers to the pictures in the library by relative addresses. Every text in it is escaped.
    """
    page = make_page(survey, report, failures, results)
    names = {field.name: getattr(page, field.name) for field in fields(page)}
    return template().render(names, dollars=dollars, count=count)


def make_page(survey: Survey, report: Report, failures: Sequence[Failure], results: Path) -> Page:
    """Return all that the page says; makes the thumbnails that it shows."""
    settings = survey.settings
    reviewable = Reviewable(survey)
    filled = list(shelves(survey, reviewable))
    cards = [card for shelf in filled for card in shelf.cards()]
    pictured = [card for card in cards if card.path]
    links = _links(cards, survey, results)
    only_placeholders = all(PLACEHOLDER in card.badges for card in pictured)
    implied = {PLACEHOLDER} if only_placeholders else set()  # the notice at the top says it for all
    failed = failed_groups(failures, survey, links)
    blocked = blocked_items(survey, links)
    explained = {item.id for group in failed for item in group.items} | {item.id for item in blocked}
    arrived = arrivals(report.batches, {card.batch for card in cards})
    titles = [*KIND_TITLES, *((item.name, item.words.done) for item in operations.of_files())]
    stories = [pictured[start : start + STORIES] for start in range(0, len(pictured), STORIES)]
    return Page(
        css=_source("gallery.css"),
        js=_source("gallery.js"),
        details=embedded({card.id: detail(card, links, reviewable) for card in pictured}),
        stories=[embedded({card.id: story(card, links, survey) for card in some}) for some in stories],
        library=settings.library_id,
        review=ReviewCommand(
            program=command(settings, "review") + ("" if settings.given else " --config"),
            file=quote_word(in_run_folder(settings, "reviews.json")),
            word=assignment("reviews", in_run_folder(settings, "reviews.json")),
        ),
        free=not settings.capabilities.costs_money,
        only_placeholders=only_placeholders,
        run=_run(report.run, survey) if report.run else None,
        totals=report.totals,
        tally=_tally(report.totals),
        kinds=by_kind([section(shelf, links, implied, explained) for shelf in filled], titles),
        models=sorted({card.model for card in cards if card.model}),
        arrived=arrived,
        arrived_data=embedded(arrived),
        pictures=len(pictured),
        filters=_filters(cards, implied),
        failures=failed,
        blocked=blocked,
        keys=KEYS,
        aside=kept_items(survey, links),
        broken=report.broken,
        errors=report.errors,
        warnings=report.warnings,
        cost=report.cost_usd,
        forms=report.analyses.line,
        bills=bills(report, survey),
        batches=time_line(report.batches),
        again=command(settings, operations.DEFAULT_TARGET),
        send_all=command(settings, "order", "scenes=*", "state=failed"),
    )


def _links(cards: Sequence[Card], survey: Survey, results: Path) -> Links:
    """Make the thumbnails of every picture on *cards*, of those sent along, and of those to compare with."""
    in_library = {card.path for card in cards if card.path and not card.before}
    in_library |= {reference.path for card in cards for reference in card.references}
    elsewhere = {str(version.path) for card in cards for version in card.versions}
    elsewhere |= {path for card in cards if card.before for path in (card.path, card.before) if path}
    return Links.make(survey.plan.library.root, results, in_library, elsewhere)


def _run(run: RunPart, survey: Survey) -> RunLine:
    brought = survey.history.of_run(run.id).values()
    words = {item.name: item.words.done.lower() for item in operations.every() if item.wanted == "text"}
    answered = Counter(fate.operation for fate in brought if fate.outcome == "applied" and fate.operation in words)
    made = run.counts.applied - answered.total()
    parts = [count(made, "new picture")] if made or not answered else []
    parts += [f"{number:,} {words[name]}" for name, number in answered.items()]
    return RunLine(
        when=moment(run.started),
        took=duration(run.duration_s) if run.duration_s is not None else "",
        cost=dollars(run.cost_usd.actual),
        made=", ".join(parts),
    )


def _tally(totals: LibraryTotals) -> list[TallyPart]:
    parts = (
        ("place", "up to date", totals.applied - totals.stale),
        ("stale", "stale", totals.stale),
        ("waiting", "in flight", totals.in_flight),
        ("wanted", "to make", totals.to_make),
        ("missing", "missing", totals.missing + totals.put_back),
        ("failed", "failed", totals.failed + totals.blocked),
    )
    wanted = max(1, totals.wanted)
    return [
        TallyPart(style=style, label=label, count=number, share=round(100 * number / wanted, 3))
        for style, label, number in parts
        if number > 0
    ]


def _filters(cards: Sequence[Card], implied: set[str]) -> list[Filter]:
    numbers = count_badges(card.badges for card in cards)
    return [
        Filter(badge=badge, label=label, count=numbers[badge])
        for badge, label in BADGES.items()
        if numbers[badge] and badge not in implied
    ]


def embedded(data: object) -> Markup:
    """Return *data* as JSON that may stand inside a script element."""
    from markupsafe import Markup

    text = json.dumps(plain(data), separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # nothing in it can end the element any more


def template() -> jinja2.Template:
    """Return gallery.html.j2, which escapes every text and refuses names that it does not get."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("gallery.html.j2")


def _source(name: str) -> Markup:
    from markupsafe import Markup

    return Markup((_HERE / name).read_text("utf-8"))
