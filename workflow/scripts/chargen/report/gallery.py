"""The page: every picture of the library with its story, what failed, and what it cost. One file, no server."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chargen.library.model import Entity, Record, Scene
from chargen.planning.reviewing import Shown, pictures_of
from chargen.report.collect import FOLDER_OF, Survey
from chargen.report.history import Fate
from chargen.report.thumbnails import Thumbnail, make_thumbnails
from chargen.report.words import OUTCOMES_IN_WORDS, clip, count, dollars, moment, seconds_between
from chargen.steps.talk import duration

if TYPE_CHECKING:
    from chargen.planning.standing import Standing

THUMBS = "report/thumbs"
SHOWN_BATCHES = 60
ALT_WORDS = 14
DEFAULT_RATIO = 0.75
ROW_HEIGHT, ROW_WIDTH, HEAD_HEIGHT = 330, 1080, 90  # what a section takes until it is drawn, in CSS pixels

VERDICTS = ("approved", "rejected", "picked")
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+:\d+")  # names that neither a shell nor a glob reads otherwise

_HERE = Path(__file__).parent
_KIND_TITLES = {"character": "Characters", "location": "Locations", "chapter": "Chapters"}

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
_TILES = {
    "failed": ("failed", "No picture: it failed"),
    "missing": ("missing", "The picture's file is gone"),
    "put back": ("missing", "The next run puts it back"),
    "in flight": ("waiting", "On its way"),
    "wanted": ("wanted", "Not made yet"),
    "blocked": ("failed", "Cannot be sent"),
}


@dataclass(frozen=True)
class Card:
    """One picture, or the place where one should be. ``path`` is relative to the library root."""

    id: str
    scene: Scene | None
    target: str
    variation: int
    path: str
    badges: tuple[str, ...]
    note: str = ""
    record: Record | None = None
    fate: Fate | None = None

    @property
    def title(self) -> str:
        """The scene's title, or its id in words."""
        scene_id = self.target.rpartition("/")[2]
        written = self.scene.title if self.scene else ""
        return written or scene_id.replace("-", " ").replace("_", " ").capitalize()

    @property
    def author_text(self) -> str:
        """The scene in its author's words."""
        return (self.scene.prompt or self.scene.description) if self.scene else ""

    @property
    def prompt(self) -> str:
        """The whole prompt as sent, where it is known, else the author's words."""
        recorded = str(self.record.data.get("prompt_used") or "") if self.record else ""
        if recorded.startswith("sha256:"):
            recorded = ""
        return (str(self.fate.task["prompt"]) if self.fate else "") or recorded or self.author_text

    @property
    def alt(self) -> str:
        """What the picture shows, for those who do not see it: title and the first words of the prompt."""
        words = (self.author_text or self.prompt).split()
        start = " ".join(words[:ALT_WORDS]) + ("…" if len(words) > ALT_WORDS else "")
        return f"{self.title}: {start}" if start else self.title


@dataclass
class _Shelf:
    """An entity with its scenes; the variations of a scene lie side by side."""

    key: str
    name: str
    kind: str
    file: str
    groups: dict[str, list[Card]] = field(default_factory=lambda: defaultdict(list))

    def cards(self) -> Iterator[Card]:
        for cards in self.groups.values():
            yield from cards


def render(survey: Survey, report: Mapping[str, Any], failures: Sequence[Mapping[str, Any]], results: Path) -> str:
    """Return the page as HTML, to be written to ``report.html`` in *results*; makes the thumbnails that it shows.

    It refers to the pictures in the library by relative addresses. Every text in it is escaped.
    """
    reviewable = _Reviewable(survey)
    shelves = list(_shelves(survey, reviewable))
    cards = [card for shelf in shelves for card in shelf.cards()]
    shown = {card.path for card in cards if card.path} | {
        reference["path"] for card in cards for reference in _references(card)
    }
    root = survey.plan.library.root
    inside = {path for path in shown if _inside(root, path)}
    thumbs = make_thumbnails(results / THUMBS, root, inside)
    links = _Links(root, results, thumbs)
    only_placeholders = all("placeholder" in card.badges for card in cards if card.path)
    unsaid = {"placeholder"} if only_placeholders else set()  # the notice at the top says it for all
    sections = [_section(shelf, links, unsaid) for shelf in shelves]
    numbers = _badge_counts(cards)
    return _template().render(
        css=_source("gallery.css"),
        js=_source("gallery.js"),
        details=_embedded({card.id: _detail(card, links, reviewable) for card in cards if card.path}),
        library=survey.settings.library_id,
        free=survey.settings.provider == "emulator",
        only_placeholders=only_placeholders,
        report=report,
        run=_run(report["run"]),
        totals=report["totals"],
        tally=_tally(report["totals"]),
        kinds=[
            {"kind": kind, "title": title, "sections": [item for item in sections if item["kind"] == kind]}
            for kind, title in _KIND_TITLES.items()
            if any(item["kind"] == kind for item in sections)
        ],
        pictures=len([card for card in cards if card.path]),
        filters=[(badge, BADGES[badge], numbers[badge]) for badge in BADGES if numbers[badge]],
        failures=_failure_groups(failures, links),
        aside=_aside(survey, links),
        broken=report["broken"],
        errors=report["errors"],
        warnings=report["warnings"],
        cost=report["cost_usd"],
        bills=_bills(report, survey),
        batches=_time_line(report["batches"]),
        dollars=dollars,
        count=count,
    )


class _Links:
    """Addresses relative to the page."""

    def __init__(self, root: Path, results: Path, thumbs: Mapping[str, Thumbnail]):
        self._results = results.resolve()
        self._base = self._relative(root)
        self._thumbs = thumbs

    def file(self, path: str) -> str:
        """Where the page finds a file of the library."""
        return quote(os.fsencode(f"{self._base}/{path}"))

    def absolute(self, path: Path) -> str:
        """Where the page finds any other file."""
        return quote(os.fsencode(self._relative(path)))

    def _relative(self, path: Path) -> str:
        return Path(os.path.relpath(path.resolve(), self._results)).as_posix()

    def thumb(self, path: str) -> str:
        """Where the page finds the thumbnail of a picture, ``""`` if it has none."""
        name = self.info(path).name
        return f"{THUMBS}/{name}" if name else ""

    def info(self, path: str) -> Thumbnail:
        """What is known of a picture."""
        return self._thumbs.get(path) or Thumbnail(trouble="the file is gone")


class _Reviewable:
    """The pictures that `snakemake review` takes, by their path relative to the library."""

    def __init__(self, survey: Survey):
        every = list(pictures_of(survey.plan.library, survey.settings.provider))
        self._count = Counter(shown.name for shown in every)
        named = {shown.name: shown for shown in every}  # of several of one name, the review means the last
        self._by_path = {_path_of(shown): shown for shown in named.values()}
        self._in_scene = Counter(shown.scene.target for shown in named.values())

    def status(self, path: str) -> str:
        """What is recorded of a picture: one of VERDICTS, or ``""``."""
        shown = self._by_path.get(path)
        return shown.status if shown and shown.status in VERDICTS else ""

    def data(self, card: Card, info: Thumbnail) -> dict[str, Any] | None:
        """What the page needs to review a picture, None if that cannot be: there is nothing to see, or no record.

        ``sha256`` is what the review names, ``pick`` whether there is a choice, and ``simple`` whether the picture's
        name alone says on a command line which one is meant.
        """
        shown = self._by_path.get(card.path)
        sha256 = (shown.sha256 or info.sha256) if shown else ""
        if not shown or not info.name or not sha256:
            return None
        return {
            "target": shown.scene.target,
            "variation": shown.variation,
            "sha256": sha256,
            "status": self.status(card.path),
            "note": shown.note,
            "pick": self._in_scene[shown.scene.target] > 1,
            "simple": self._count[shown.name] == 1 and bool(_PLAIN.fullmatch(shown.name)),
        }


def _path_of(shown: Shown) -> str:
    return f"{FOLDER_OF[shown.entity.kind]}/{shown.entity.slug}/{shown.path}"


def _shelves(survey: Survey, reviewable: _Reviewable) -> Iterator[_Shelf]:
    by_entity: dict[str, list[Standing]] = defaultdict(list)
    for standing in survey.plan.standings:
        by_entity[standing.scene.entity].append(standing)
    stale = {(item.standing.target, item.standing.variation) for item in survey.plan.stale}
    by_key = {fate.task["key"]: fate for fate in survey.history.fates.values() if fate.has_picture}
    for key, entity in survey.plan.library.entities.items():
        standings = by_entity.get(key, [])
        if not standings:
            continue
        shelf = _Shelf(key, entity.name, entity.kind, f"{FOLDER_OF[entity.kind]}/{entity.slug}/imagery.yaml")
        for standing in standings:
            shelf.groups[standing.target].append(_card(standing, survey, reviewable, stale, by_key))
        for card in _rejected(entity, {standing.path for standing in standings}, by_key, survey):
            shelf.groups[card.target].append(card)
        yield shelf


def _card(
    standing: Standing,
    survey: Survey,
    reviewable: _Reviewable,
    stale: set[tuple[str, int]],
    by_key: Mapping[str, Fate],
) -> Card:
    record = standing.record
    fate = by_key.get(record.task_key) if record else survey.history.fates.get(standing.wish.id)
    status = "blocked" if standing.target in survey.plan.blocked else standing.status
    id = f"{standing.target}:{standing.variation}"
    if status in _TILES:
        badge, note = _TILES[status]
        why = survey.plan.blocked.get(standing.target) or standing.reason
        note = f"{note} ({why})" if why else note
        return Card(id, standing.scene, standing.target, standing.variation, "", (badge,), note, record, fate)
    marks = {
        "new": fate is not None and fate.outcome == "applied" and fate.run == survey.run,
        "approved": reviewable.status(standing.path) == "approved",
        "picked": reviewable.status(standing.path) == "picked",
        "adopted": status == "adopted",
        "stale": (standing.target, standing.variation) in stale,
        "placeholder": record is not None and record.provider == "emulator",
    }
    badges = tuple(badge for badge, holds in marks.items() if holds)
    return Card(
        id, standing.scene, standing.target, standing.variation, standing.path, badges, record=record, fate=fate
    )


def _rejected(entity: Entity, in_place: set[str], by_key: Mapping[str, Fate], survey: Survey) -> Iterator[Card]:
    """Yield the pictures that the author rejected and that are still there."""
    owners = {record.path: record for record in entity.records}  # the last record that names a file owns it
    scenes = {scene.id: scene for scene in entity.scenes}
    root = survey.plan.library.root
    for number, (path, record) in enumerate(owners.items()):
        full = f"{FOLDER_OF[entity.kind]}/{entity.slug}/{path}"
        if record.status != "rejected" or full in in_place or not (root / full).is_file():
            continue
        marks = ("rejected", "placeholder") if record.provider == "emulator" else ("rejected",)
        target = f"{entity.key}/{record.scene}"
        yield Card(
            f"{target}:rejected-{number}", scenes.get(record.scene), target, record.variation, full, marks,
            record=record, fate=by_key.get(record.task_key),
        )  # fmt: skip


def _section(shelf: _Shelf, links: _Links, unsaid: Set[str]) -> dict[str, Any]:
    groups = [[_shown(card, _variations(cards), links, unsaid) for card in cards] for cards in shelf.groups.values()]
    wanted = [card for card in shelf.cards() if "rejected" not in card.badges]
    width = sum(item["ratio"] for group in groups for item in group) * 250
    return {
        "id": shelf.key,
        "kind": shelf.kind,
        "name": shelf.name,
        "file": shelf.file,
        "href": links.file(shelf.file),
        "in_place": sum(bool(card.path) for card in wanted),
        "wanted": len(wanted),
        "groups": groups,
        "height": HEAD_HEIGHT + ROW_HEIGHT * max(1, round(width / ROW_WIDTH)),
    }


def _variations(cards: Sequence[Card]) -> int:
    return sum("rejected" not in card.badges for card in cards)


def _shown(card: Card, of: int, links: _Links, unsaid: Set[str]) -> dict[str, Any]:
    info = links.info(card.path) if card.path else Thumbnail()
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
        "badges": card.badges,
        "pills": [(badge, _ON_CARDS[badge]) for badge in card.badges if badge not in unsaid],
        "note": clip(card.note, 160),
        "failed": "failed" in card.badges and card.fate is not None,
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


def _detail(card: Card, links: _Links, reviewable: _Reviewable) -> dict[str, Any]:
    """What the large view shows of a picture, as plain data."""
    info = links.info(card.path)
    return {
        "title": card.title,
        "alt": card.alt,
        "entity": card.target.rpartition("/")[0],
        "target": card.target,
        "href": links.file(card.path) if info.name else "",
        "trouble": info.trouble,
        "width": info.width,
        "height": info.height,
        "badges": [[badge, BADGES[badge]] for badge in card.badges],
        "facts": [[name, value] for name, value in _facts(card, info) if value],
        "notes": list(card.fate.task["notes"]) if card.fate else [],
        "prompt": card.prompt,
        "review": reviewable.data(card, info),
        "references": [
            {
                "name": reference["name"],
                "role": reference["role"],
                "thumb": links.thumb(reference["path"]),
                "href": links.file(reference["path"]) if links.thumb(reference["path"]) else "",
                "changed": links.info(reference["path"]).sha256 not in ("", reference["sha256"]),
            }
            for reference in _references(card)
        ],
    }


def _facts(card: Card, info: Thumbnail) -> Iterator[tuple[str, str]]:
    record, fate = card.record, card.fate
    task: Mapping[str, Any] = fate.task if fate else {}
    data: Mapping[str, Any] = record.data if record else {}
    yield "Model", str(task.get("model") or data.get("model") or "")
    asked = " ".join(filter(None, (task.get("aspect_ratio") or data.get("aspect_ratio"), task.get("image_size"))))
    pixels = f"{info.width:,} × {info.height:,}" if info.width else ""
    yield "Size", f"{pixels} ({asked})" if pixels and asked else pixels or asked
    yield "Made", moment(record.generated_at) if record else ""
    if fate:
        yield "Cost", dollars(fate.actual_usd)
        yield "Attempts", str(fate.attempts)
        yield "Tokens", f"{task['tokens']['total']:,}" if task.get("tokens", {}).get("total") else ""
    yield "File", card.path
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


def _run(run: Mapping[str, Any] | None) -> dict[str, str]:
    if run is None:
        return {}
    return {
        "id": run["id"],
        "when": moment(run["started"]),
        "took": duration(run["duration_s"]) if run["duration_s"] is not None else "",
        "targets": " ".join(run["targets"]),
        "cost": dollars(run["cost_usd"]["actual"]),
        "made": count(run["counts"]["applied"], "new picture"),
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


def _failure_groups(failures: Sequence[Mapping[str, Any]], links: _Links) -> list[dict[str, Any]]:
    """Failures by reason and advice, the most frequent first."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for failure in failures:
        file = failure["written_in"].partition(":")[0]
        item = {
            **failure,
            "id": f"failure/{failure['target']}:{failure['variation']}",
            "href": links.file(file) if file else "",
            "cost": dollars(failure["cost_usd"]) if failure["cost_usd"] else "",
        }
        groups[failure["reason"] or OUTCOMES_IN_WORDS[failure["outcome"]], failure["advice"]].append(item)
    ordered = sorted(groups.items(), key=lambda group: (-len(group[1]), group[0]))
    return [{"reason": reason, "advice": advice, "items": items} for (reason, advice), items in ordered]


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
    """The youngest batches first, each with how long the server had it as a share of the longest."""
    ordered = sorted(batches, key=lambda batch: batch["times"]["submitted"] or batch["times"]["applied"], reverse=True)
    waits = [seconds_between(batch["times"]["submitted"], batch["times"]["fetched"]) for batch in ordered]
    longest = max((wait or 0.0 for wait in waits[:SHOWN_BATCHES]), default=0.0) or 1.0
    rows = [
        {
            **batch,
            "when": moment(batch["times"]["submitted"] or batch["times"]["applied"]),
            "took": wait is not None,
            "share": round(100 * (wait or 0.0) / longest, 2),
            "told": list(_told(batch, wait)),
        }
        for batch, wait in zip(ordered[:SHOWN_BATCHES], waits, strict=False)
    ]
    return {"rows": rows, "left_out": max(0, len(batches) - SHOWN_BATCHES)}


def _told(batch: Mapping[str, Any], wait: float | None) -> Iterator[str]:
    """What a batch's line says, part by part."""
    yield f"{batch['operation']} with {batch['model']}"
    if batch["counts"]:
        yield ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(batch["counts"].items()))
    if wait is not None:
        yield duration(wait)
    estimated = f"{dollars(batch['cost_usd']['estimated'])} estimated"
    in_flight = batch["state"] == "IN_FLIGHT"
    yield estimated if in_flight else f"{dollars(batch['cost_usd']['actual'])}, {estimated}"


def _inside(root: Path, path: str) -> bool:
    """Whether *path* stays in the library: receipts may be older than the rules of their reader."""
    return bool(path) and (root / path).resolve().is_relative_to(root.resolve())


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
