"""The page: every picture of the library with its story, what failed, and what it cost. One file, no server."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from shlex import quote as quote_word
from typing import Any
from urllib.parse import quote

from chargen.analysis.store import Analysis
from chargen.base.formatting import duration
from chargen.base.wording import OUTCOMES_IN_WORDS, clip, count, dollars, in_words, moment, seconds_between
from chargen.library.model import Record
from chargen.records.commands import assignment, command, in_run_folder
from chargen.report import forms
from chargen.report.cards import ENHANCE, Card, Reviewable, Shelf, alt_text, shelves
from chargen.report.collect import Survey
from chargen.report.thumbnails import Thumbnail, make_thumbnails

THUMBS = "report/thumbs"
LARGE = "report/large"
LARGE_BOX = (2400, 2400)
"""Bounds in pixels of the copies of pictures that browsers cannot show."""
STORIES = 50
"""How many pictures' stories the page reads at once, when the first of them is looked at."""

SHOWN_BATCHES = 60
DEFAULT_RATIO = 0.75
ROW_HEIGHT, ROW_WIDTH, HEAD_HEIGHT = 330, 1080, 90  # what a section takes until it is drawn, in CSS pixels

_HERE = Path(__file__).parent
_KIND_TITLES = {"character": "Characters", "location": "Locations", "chapter": "Chapters", ENHANCE: "Enhanced"}

# Badges, with what the filter calls them.
BADGES = {
    "new": "new in this run",
    "approved": "approved",
    "picked": "picked",
    "adopted": "adopted",
    "stale": "stale",
    "rejected": "rejected",
    "placeholder": "placeholder",
    "failed": "failed",
    "missing": "missing",
    "waiting": "in flight",
    "wanted": "wanted",
}
_ON_CARDS = BADGES | {"new": "new"}
_IN_BATCHES = {"passing": "failed in passing", "unplaced": "kept aside", "lost": "lost on the server"}

KEYS = (
    (("←", "→"), "the picture before, the next one"),
    (("+", "−", "0"), "zoom in, out, fit; a click shows every pixel"),
    (("C",), "compare by a slider: with the original, or an earlier version"),
    (("B",), "flip between the two that are compared"),
    (("V",), "all variations side by side"),
    (("A", "R", "P"), "approve, reject, pick this variation"),
    (("N",), "write what is wrong with a rejected picture"),
    (("Enter",), "look at the picture that has the focus"),
    (("Esc",), "close"),
    (("/",), "search"),
    (("?",), "these keys"),
)


def render(survey: Survey, report: Mapping[str, Any], failures: Sequence[Mapping[str, Any]], results: Path) -> str:
    """Return the page as HTML, to be written to ``report.html`` in *results*; makes the thumbnails that it shows.

    It refers to the pictures in the library by relative addresses. Every text in it is escaped.
    """
    reviewable = Reviewable(survey)
    filled = list(shelves(survey, reviewable))
    cards = [card for shelf in filled for card in shelf.cards()]
    pictured = [card for card in cards if card.path]
    root = survey.plan.library.root
    named = {card.path for card in cards if card.path and not card.before}
    named |= {reference["path"] for card in cards for reference in _references(card)}
    beside = {str(version.path) for card in cards for version in card.versions}
    beside |= {path for card in cards if card.before for path in (card.path, card.before) if path}
    thumbs = make_thumbnails(results / THUMBS, root, {path for path in named if _inside(root, path)} | beside)
    copied = {path for path in beside if path in thumbs and not thumbs[path].shown_by_browsers}
    links = _Links(root, results, thumbs, _copies(results / LARGE, root, copied))
    only_placeholders = all("placeholder" in card.badges for card in cards if card.path)
    unsaid = {"placeholder"} if only_placeholders else set()  # the notice at the top says it for all
    failed = _failure_groups(failures, survey, links)
    blocked = _blocked(survey, links)
    told = {item["id"] for group in failed for item in group["items"]} | {item["id"] for item in blocked}
    sections = [_section(shelf, links, unsaid, told) for shelf in filled]
    numbers = _badge_counts(cards)
    return _template().render(
        css=_source("gallery.css"),
        js=_source("gallery.js"),
        details=_embedded({card.id: _detail(card, links, reviewable) for card in pictured}),
        stories=[
            _embedded({card.id: _story(card, links, survey) for card in pictured[start : start + STORIES]})
            for start in range(0, len(pictured), STORIES)
        ],
        library=survey.settings.library_id,
        review=command(survey.settings, "review") + ("" if survey.settings.given else " --config"),
        reviews_file=quote_word(in_run_folder(survey.settings, "reviews.json")),
        reviews_word=assignment("reviews", in_run_folder(survey.settings, "reviews.json")),
        free=survey.settings.provider == "emulator",
        only_placeholders=only_placeholders,
        report=report,
        run=_run(report["run"], survey),
        totals=report["totals"],
        tally=_tally(report["totals"]),
        kinds=[
            {"kind": kind, "title": title, "sections": [item for item in sections if item["kind"] == kind]}
            for kind, title in _KIND_TITLES.items()
            if any(item["kind"] == kind for item in sections)
        ],
        models=sorted({card.model for card in cards if card.model}),
        arrived=_arrivals(report["batches"], cards),
        pictures=len(pictured),
        filters=[(badge, BADGES[badge], numbers[badge]) for badge in BADGES if numbers[badge] and badge not in unsaid],
        failures=failed,
        blocked=blocked,
        keys=KEYS,
        aside=_aside(survey, links),
        broken=report["broken"],
        errors=report["errors"],
        warnings=report["warnings"],
        cost=report["cost_usd"],
        forms=forms.in_words(report["analyses"]),
        bills=_bills(report, survey),
        batches=_time_line(report["batches"]),
        again=command(survey.settings, "generate_all"),
        send_all=command(survey.settings, "order", "scenes=*", "state=failed"),
        dollars=dollars,
        count=count,
    )


class _Links:
    """Addresses relative to the page."""

    def __init__(self, root: Path, results: Path, thumbs: Mapping[str, Thumbnail], copies: Mapping[str, Thumbnail]):
        self._results = results.resolve()
        self._base = self._relative(root)
        self._thumbs = thumbs
        self._copies = copies

    def file(self, path: str) -> str:
        """Where the page finds a file of the library, or one with an absolute path."""
        if Path(path).is_absolute():
            return self.absolute(Path(path))
        return quote(os.fsencode(f"{self._base}/{path}"))

    def large(self, path: str) -> str:
        """Where the page finds a picture in a form that browsers show, ``""`` if there is none."""
        copy = self._copies.get(path)
        if copy:
            return f"{LARGE}/{copy.name}" if copy.name else ""
        return self.file(path) if self.info(path).name else ""

    def absolute(self, path: Path) -> str:
        """Where the page finds any other file."""
        return quote(os.fsencode(self._relative(path)))

    def _relative(self, path: Path) -> str:
        return Path(os.path.relpath(os.path.realpath(path), self._results)).as_posix()

    def thumb(self, path: str) -> str:
        """Where the page finds the thumbnail of a picture, ``""`` if it has none."""
        name = self.info(path).name
        return f"{THUMBS}/{name}" if name else ""

    def info(self, path: str) -> Thumbnail:
        """What is known of a picture."""
        return self._thumbs.get(path) or Thumbnail(trouble="the file is gone")


def _section(shelf: Shelf, links: _Links, unsaid: Set[str], told: Set[str]) -> dict[str, Any]:
    groups = [
        [_shown(card, _variations(cards), links, unsaid, told) for card in cards] for cards in shelf.groups.values()
    ]
    wanted = [card for card in shelf.cards() if "rejected" not in card.badges]
    width = sum(item["ratio"] for group in groups for item in group) * 250
    return {
        "id": shelf.key,
        "kind": shelf.kind,
        "name": shelf.name,
        "file": shelf.key if Path(shelf.file).is_absolute() else shelf.file,
        "href": links.file(shelf.file) if shelf.file else "",
        "in_place": sum(bool(card.path) for card in wanted),
        "wanted": len(wanted),
        "groups": groups,
        "height": HEAD_HEIGHT + ROW_HEIGHT * max(1, round(width / ROW_WIDTH)),
    }


def _variations(cards: Sequence[Card]) -> int:
    return sum("rejected" not in card.badges for card in cards)


def _shown(card: Card, of: int, links: _Links, unsaid: Set[str], told: Set[str]) -> dict[str, Any]:
    """A card as the wall shows it; *told* are the ids of what the page says of failures."""
    info = links.info(card.path) if card.path else Thumbnail()
    reasons = (f"failure/{card.id}", f"failure/{card.target}") if "failed" in card.badges else ()
    return {
        "id": card.id,
        "target": card.target,
        "title": card.title,
        "variation": card.variation if of > 1 and "rejected" not in card.badges else 0,
        "alt": card.alt,
        "href": links.file(card.path) if card.path else "",
        "thumb": links.thumb(card.path) if card.path else "",
        "trouble": info.trouble if card.path else "",
        "ratio": round(_ratio(card, info), 4),
        "model": card.model,
        "batch": card.batch,
        "earlier": len(card.versions),
        "badges": card.badges,
        "pills": [(badge, _ON_CARDS[badge]) for badge in card.badges if badge not in unsaid],
        "note": clip(card.note, 160),
        "why": next((id for id in reasons if id in told), ""),
        "text": clip(card.author_text or card.prompt, 140),
    }


def _ratio(card: Card, info: Thumbnail) -> float:
    """Width over height, from the picture, else as asked for; bounded so that no card is a stripe."""
    ratio = info.width / info.height if info.height else 0.0
    asked = str(card.fate.task["aspect_ratio"]) if card.fate else (card.scene.aspect_ratio if card.scene else "")
    if not ratio and ":" in asked:
        across, _, down = asked.partition(":")
        ratio = float(across) / float(down)
    return min(3.0, max(0.5, ratio or DEFAULT_RATIO))


def _detail(card: Card, links: _Links, reviewable: Reviewable) -> dict[str, Any]:
    """What the page needs of a picture before anybody looks at it, as plain data."""
    info = links.info(card.path)
    return {
        "title": card.title,
        "alt": card.alt,
        "target": card.target,
        "href": links.large(card.path),
        "trouble": info.trouble,
        "width": info.width,
        "height": info.height,
        "badges": [[badge, BADGES[badge]] for badge in card.badges],
        "review": reviewable.data(card, info),
    }


def _story(card: Card, links: _Links, survey: Survey) -> dict[str, Any]:
    """What else the large view shows of a picture."""
    info = links.info(card.path)
    return {
        "facts": [[name, value] for name, value in _facts(card, info) if value],
        "notes": list(card.fate.task["notes"]) if card.fate else [],
        "prompt": card.prompt,
        "words": card.author_text if card.author_text != card.prompt else "",
        "renew": command(survey.settings, "order", f"scenes={card.target}") if "stale" in card.badges else "",
        "seen": _seen(card.analysis, info) if card.analysis else None,
        "others": list(_others(card, links)),
        "references": [
            {
                "name": reference["name"],
                "role": reference["role"],
                "thumb": links.thumb(reference["path"]),
                "href": links.file(reference["path"]) if links.thumb(reference["path"]) else "",
                "changed": links.info(reference["path"]).sha256 not in ("", reference["sha256"]),
            }
            for reference in _references(card)
            if not card.before
        ],
    }


def _others(card: Card, links: _Links) -> Iterator[dict[str, Any]]:
    """What the picture can be compared with: what it was made from, and its predecessors, the youngest first."""
    if card.before and (large := links.large(card.before)):
        yield {"name": "Original", "when": "", "thumb": links.thumb(card.before), "href": large, "note": ""}
    for version in card.versions:
        path, record = str(version.path), version.record
        if large := links.large(path):
            yield {
                "name": "Earlier",
                "when": moment(record.generated_at) if record else "",
                "thumb": links.thumb(path),
                "href": large,
                "note": record.note if record else "",
            }


def _seen(analysis: Analysis, info: Thumbnail) -> dict[str, Any] | None:
    """What an analysis says, for the large view; None if it is of another picture than the one in place."""
    if analysis.sha256 and info.sha256 and analysis.sha256 != info.sha256:
        return None
    content, palette, canon = (_map(analysis.data.get(key)) for key in ("content", "palette", "canon_analysis"))
    traits = canon.get("traits")
    colours = _texts(palette.get("hex"))
    named = dict.fromkeys([*_texts(palette.get("dominant")), *_texts(palette.get("accent"))])
    return {
        "alt": alt_text(analysis),
        "text": _text(content.get("description")),
        "tags": _texts(content.get("tags")),
        "colours": colours,
        "named": [name for name in named if name not in colours],
        "traits": [[str(trait), str(verdict)] for trait, verdict in traits.items()]
        if isinstance(traits, Mapping)
        else [[trait, "seen"] for trait in analysis.seen],
        "matches": analysis.matches,
        "notes": _text(canon.get("notes")),
        "facts": [
            [name, value]
            for name, value in (
                ("Looks like", analysis.medium),
                ("Quality", f"{analysis.quality} of 5" if analysis.data.get("quality") else ""),
                ("Writing in it", _text(analysis.data.get("text_in_image"))),
            )
            if value
        ],
        "defects": _texts(analysis.data.get("defects")),
    }


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return str(value).strip() if value is not None else ""


def _texts(value: object) -> list[str]:
    return [text for item in value if (text := _text(item))] if isinstance(value, list | tuple) else []


def _arrivals(batches: Sequence[Mapping[str, Any]], cards: Iterable[Card]) -> list[dict[str, str]]:
    """The batches that cards came with, the youngest first, as the page calls them."""
    used = {card.batch for card in cards}
    known = sorted(batches, key=_sent, reverse=True)
    named = [(batch["id"], batch["operation"].capitalize(), _sent(batch)) for batch in known if batch["id"] in used]
    return [{"id": id, "name": f"{operation}, {moment(sent)}"} for id, operation, sent in named]


def _sent(batch: Mapping[str, Any]) -> str:
    return str(batch["times"]["submitted"] or batch["times"]["applied"])


def _facts(card: Card, info: Thumbnail) -> Iterator[tuple[str, str]]:
    record, fate = card.record, card.fate
    task: Mapping[str, Any] = fate.task if fate else {}
    data: Mapping[str, Any] = record.data if record else {}
    yield "Model", card.model
    asked = " ".join(filter(None, (task.get("aspect_ratio") or data.get("aspect_ratio"), task.get("image_size"))))
    pixels = f"{info.width:,} × {info.height:,}" if info.width else ""
    yield "Size", f"{pixels} ({asked})" if pixels and asked else pixels or asked
    yield "Made", moment(record.generated_at if record else fate.ended if fate and card.before else "")
    if fate:
        yield "Cost", dollars(fate.actual_usd)
        yield "Attempts", str(fate.attempts)
        yield "Tokens", f"{task['tokens']['total']:,}" if task.get("tokens", {}).get("total") else ""
    yield "File", str(task.get("file") or card.path) if card.before else card.path
    yield "Made from", Path(card.before).name
    yield "Replaced", str(task.get("archived") or "")
    yield "Written in", str(card.scene.place) if card.scene else ""
    yield "Retouched", "yes, the file is not as it was made" if _retouched(record, info) else ""
    yield "Task", record.task_key if record else ""


def _retouched(record: Record | None, info: Thumbnail) -> bool:
    return bool(record and record.sha256 and info.sha256 and record.sha256 != info.sha256)


def _references(card: Card) -> Sequence[Mapping[str, Any]]:
    return card.fate.task["references"] if card.fate and card.path else ()


def _badge_counts(cards: Iterable[Card]) -> dict[str, int]:
    numbers = dict.fromkeys(BADGES, 0)
    for card in cards:
        for badge in card.badges:
            numbers[badge] += 1
    return numbers


def _run(run: Mapping[str, Any] | None, survey: Survey) -> dict[str, str]:
    if run is None:
        return {}
    brought = survey.history.of_run(run["id"]).values()
    looked_at = sum(fate.outcome == "applied" and fate.operation == "analyze" for fate in brought)
    made = run["counts"]["applied"] - looked_at
    told = [count(made, "new picture")] if made or not looked_at else []
    told += [f"{looked_at:,} analysed"] if looked_at else []
    return {
        "id": run["id"],
        "when": moment(run["started"]),
        "took": duration(run["duration_s"]) if run["duration_s"] is not None else "",
        "targets": " ".join(run["targets"]),
        "cost": dollars(run["cost_usd"]["actual"]),
        "made": ", ".join(told),
    }


def _tally(totals: Mapping[str, int]) -> list[dict[str, Any]]:
    """The parts of all wanted pictures, for the bar at the top."""
    in_place = totals["applied"] - totals["stale"]
    parts = (
        ("place", "up to date", in_place),
        ("stale", "stale", totals["stale"]),
        ("waiting", "in flight", totals["in_flight"]),
        ("wanted", "to make", totals["to_make"]),
        ("missing", "missing", totals["missing"] + totals["put_back"]),
        ("failed", "failed", totals["failed"] + totals["blocked"]),
    )
    wanted = max(1, totals["wanted"])
    return [
        {"class": name, "label": label, "count": number, "share": round(100 * number / wanted, 3)}
        for name, label, number in parts
        if number > 0
    ]


def _failure_groups(failures: Sequence[Mapping[str, Any]], survey: Survey, links: _Links) -> list[dict[str, Any]]:
    """Failures by reason and advice, the most frequent first."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for failure in failures:
        file = failure["written_in"].partition(":")[0]
        item = {
            **failure,
            "id": f"failure/{failure['target']}:{failure['variation']}",
            "title": in_words(failure["title"]),
            "href": links.file(file) if file else "",
            "cost": dollars(failure["cost_usd"]) if failure["cost_usd"] else "",
            "words": survey.words_of(failure["target"]),
            "again": command(survey.settings, "order", f"scenes={failure['target']}"),
        }
        groups[failure["reason"] or OUTCOMES_IN_WORDS[failure["outcome"]], failure["advice"]].append(item)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [{"reason": reason, "advice": advice, "items": items} for (reason, advice), items in ordered]


def _blocked(survey: Survey, links: _Links) -> list[dict[str, str]]:
    """Scenes that cannot be sent, with what is wrong with them and where."""
    advice = {(problem.entity, problem.scene, problem.message): problem.advice for problem in survey.plan.problems}
    titles = {standing.target: standing.scene.title for standing in survey.plan.standings}
    rows = []
    for target, why in sorted(survey.plan.blocked.items()):
        entity, _, scene = target.rpartition("/")
        place = survey.place_of(target)
        rows.append(
            {
                "id": f"failure/{target}",
                "title": titles.get(target) or in_words(scene),
                "target": target,
                "written_in": place,
                "href": links.file(place.partition(":")[0]) if place else "",
                "why": why,
                "advice": advice.get((entity, scene, why), ""),
            }
        )
    return rows


def _aside(survey: Survey, links: _Links) -> list[dict[str, str]]:
    """Pictures that were paid for and are not in their place, the youngest first; those still there are linked."""
    root = survey.plan.library.root
    fates = [fate for fate in survey.history.fates.values() if fate.outcome in ("superseded", "unplaced")]
    rows = []
    for fate in sorted(fates, key=lambda fate: fate.ended, reverse=True):
        path = Path(fate.task["file"]) if fate.outcome == "superseded" else survey.kept_in / fate.task["file"]
        file = root / path  # a kept picture's path is absolute
        rows.append(
            {
                "title": fate.task["title"],
                "target": fate.task["target"],
                "file": fate.task["file"],
                "why": fate.task["advice"] or fate.task["reason"] or OUTCOMES_IN_WORDS[fate.outcome],
                "href": links.absolute(file) if file.is_file() else "",
            }
        )
    return rows


def _bills(report: Mapping[str, Any], survey: Survey) -> list[dict[str, Any]]:
    """The tables of costs: rows with the share of the dearest one."""
    names = {key: entity.name for key, entity in survey.plan.library.entities.items()}
    bills = []
    for title, head, rows in (
        ("By model", "Model", report["cost_usd"]["by_model"]),
        ("By entity", "Entity", report["cost_usd"]["by_entity"]),
    ):
        most = max((max(row["actual"], row["estimated"]) for row in rows), default=0.0) or 1.0
        shares = [
            {
                **row,
                "name": names.get(row["name"], row["name"]),
                "actual_share": round(100 * row["actual"] / most, 2),
                "estimated_share": round(100 * row["estimated"] / most, 2),
            }
            for row in rows
        ]
        digits = 2 if most >= 1 else 3  # the same for all rows, so that they can be compared
        bills.append({"title": title, "head": head, "rows": shares, "digits": digits})
    return bills


def _time_line(batches: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The youngest batches by the run that brought them, each run with a time axis of its own.

    ``wait`` and ``work`` say where on that axis, in percent, the server had a batch and its results were put in place.
    """
    ordered = sorted(batches, key=_sent, reverse=True)
    by_run: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for batch in ordered[:SHOWN_BATCHES]:
        by_run[batch["run"]].append(batch)
    runs = [_run_line(run, group) for run, group in by_run.items()]
    return {"runs": runs, "left_out": max(0, len(batches) - SHOWN_BATCHES)}


def _run_line(run: str, group: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    moments = [text for batch in group for text in batch["times"].values() if text]
    start, end = min(moments, default=""), max(moments, default="")
    span = seconds_between(start, end) or 0.0

    def stretch(batch: Mapping[str, Any], first: str, last: str) -> tuple[float, float] | None:
        lead, took = (
            seconds_between(start, batch["times"][first]),
            seconds_between(batch["times"][first], batch["times"][last]),
        )
        if lead is None or took is None or span <= 0:
            return None
        return round(100 * lead / span, 2), round(100 * took / span, 2)

    rows = [
        {
            **batch,
            "when": moment(_sent(batch)),
            "wait": stretch(batch, "submitted", "fetched"),
            "work": stretch(batch, "fetched", "applied"),
            "told": list(_told(batch, seconds_between(batch["times"]["submitted"], batch["times"]["fetched"]))),
        }
        for batch in reversed(group)
    ]
    actual, estimated = (sum(batch["cost_usd"][name] for batch in group) for name in ("actual", "estimated"))
    return {
        "name": f"Run of {moment(start)}" if run else "In flight",
        "took": duration(span) if run and span else "",
        "cost": f"{dollars(actual)} of {dollars(estimated)} estimated" if run else f"{dollars(estimated)} estimated",
        "rows": rows,
    }


def _told(batch: Mapping[str, Any], wait: float | None) -> Iterator[str]:
    """What a batch's line says, part by part."""
    yield f"{batch['operation']} with {batch['model']}"
    if batch["counts"]:
        yield ", ".join(f"{number:,} {_IN_BATCHES.get(name, name)}" for name, number in sorted(batch["counts"].items()))
    if wait is not None:
        yield duration(wait)
    estimated = f"{dollars(batch['cost_usd']['estimated'])} estimated"
    in_flight = batch["state"] == "IN_FLIGHT"
    yield estimated if in_flight else f"{dollars(batch['cost_usd']['actual'])}, {estimated}"


def _copies(folder: Path, root: Path, paths: Collection[str]) -> dict[str, Thumbnail]:
    """Return copies for browsers of pictures that they cannot show; those that nothing shows any more are deleted."""
    return make_thumbnails(folder, root, paths, LARGE_BOX) if paths or folder.is_dir() else {}


def _inside(root: Path, path: str) -> bool:
    """Whether *path* stays in the library: receipts may be older than the rules of their reader."""
    return bool(path) and Path(os.path.realpath(root / path)).is_relative_to(os.path.realpath(root))


def _embedded(data: object) -> Any:
    """Return *data* as JSON that may stand inside a script element."""
    import json

    from markupsafe import Markup

    text = json.dumps(data, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # nothing in it can end the element any more


def _source(name: str) -> Any:
    from markupsafe import Markup

    return Markup((_HERE / name).read_text("utf-8"))


def _template() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template("gallery.html.j2")
