"""The cards of the page: one for each picture, in place or wanted, and one for each enhanced picture."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from chargen import operations
from chargen.analysis.description import alt_text
from chargen.analysis.store import Analysis, read_analyses
from chargen.base.capabilities import is_placeholder
from chargen.base.wording import OUTCOMES_IN_WORDS, in_words
from chargen.library.model import Entity, Record, Scene
from chargen.records.batch import Reference
from chargen.report.badges import (
    ADOPTED,
    APPROVED,
    NEW,
    PICKED,
    PLACEHOLDER,
    REJECTED,
    STALE,
    TILES,
)
from chargen.report.history import Fate
from chargen.report.reviewable import Reviewable
from chargen.report.survey import FOLDER_OF, Survey
from chargen.report.versions import Archive, Version

if TYPE_CHECKING:
    from chargen.planning.standing import Standing

ALT_WORDS = 14
_WITHOUT_PICTURE = {"waiting": "in flight", "passing": "wanted"}
"""How an enhancement stands by its outcome, where that is no failure."""


@dataclass(frozen=True)
class Card:
    """One picture, or the place where one should be.

    ``path`` is relative to the library root, or absolute for an enhanced picture; ``before`` is the absolute path of
    what that one was made from. ``analysis`` is what was seen on the picture, ``versions`` are its predecessors.
    """

    id: str
    scene: Scene | None
    target: str
    variation: int
    path: str
    badges: tuple[str, ...]
    note: str = ""
    record: Record | None = None
    fate: Fate | None = None
    before: str = ""
    analysis: Analysis | None = None
    versions: Sequence[Version] = ()

    @property
    def title(self) -> str:
        """The scene's title, or its id in words."""
        scene_id = self.target.rpartition("/")[2]
        if self.before and self.fate:
            return self.fate.task.title
        written = self.scene.title if self.scene else ""
        return written or in_words(scene_id)

    @property
    def author_text(self) -> str:
        """The scene in its author's words."""
        return (self.scene.prompt or self.scene.description) if self.scene else ""

    @property
    def prompt(self) -> str:
        """The whole prompt as sent, where it is known, else the author's words."""
        recorded = self.record.prompt_used if self.record else ""
        if recorded.startswith("sha256:"):
            recorded = ""
        return (self.fate.task.prompt if self.fate else "") or recorded or self.author_text

    @property
    def batch(self) -> str:
        """The batch that brought it, ``""`` if none did."""
        return self.fate.batch if self.fate else ""

    @property
    def model(self) -> str:
        """The model that made it, or that it was asked of."""
        task = self.fate.task if self.fate else None
        recorded = self.record.model if self.record else ""
        return (task.model if task else "") or recorded or (task.model_requested if task else "")

    @property
    def references(self) -> Sequence[Reference]:
        """The pictures that were sent along, where it is in place."""
        return self.fate.task.references if self.fate and self.path else ()

    @property
    def alt(self) -> str:
        """What the picture shows, for those who do not see it: what was seen on it, else the prompt's first words."""
        if self.analysis and (seen := alt_text(self.analysis)):
            return seen
        words = (self.author_text or self.prompt).split()
        start = " ".join(words[:ALT_WORDS]) + ("…" if len(words) > ALT_WORDS else "")
        return f"{self.title}: {start}" if start else self.title


@dataclass
class Shelf:
    """An entity with its scenes, or an enhancement job with its pictures; variations lie side by side. ``file`` is
    where it is written, relative to the library root or absolute."""

    key: str
    name: str
    kind: str
    file: str
    groups: dict[str, list[Card]] = field(default_factory=lambda: defaultdict(list))

    def cards(self) -> Iterator[Card]:
        for cards in self.groups.values():
            yield from cards


def shelves(survey: Survey, reviewable: Reviewable) -> Iterator[Shelf]:
    by_entity: dict[str, list[Standing]] = defaultdict(list)
    for standing in survey.plan.items:
        by_entity[standing.scene.entity].append(standing)
    stale = {(item.item.target, item.item.variation) for item in survey.plan.stale}
    by_key = {fate.task.key: fate for fate in survey.history.fates.values() if fate.has_picture}
    for key, entity in survey.plan.library.entities.items():
        standings = by_entity.get(key, [])
        if not standings:
            continue
        shelf = Shelf(key, entity.name, entity.kind, f"{FOLDER_OF[entity.kind]}/{entity.slug}/imagery.yaml")
        more = _PictureFiles(entity, survey.settings.provider)
        for standing in standings:
            shelf.groups[standing.target].append(more.added_to(_card(standing, survey, reviewable, stale, by_key)))
        for card in _rejected(entity, {standing.path for standing in standings}, by_key, survey):
            shelf.groups[card.target].append(more.added_to(card))
        yield shelf
    yield from _enhanced(survey)


class _PictureFiles:
    """What lies beside the pictures of one entity: analyses and earlier versions."""

    def __init__(self, entity: Entity, provider: str):
        self._folder = f"{FOLDER_OF[entity.kind]}/{entity.slug}/"
        self._analyses = read_analyses(entity, provider)
        self._archive = Archive(entity.folder / "images", entity.records)

    def added_to(self, card: Card) -> Card:
        """Return *card* with what is known of its picture."""
        own = card.path.removeprefix(self._folder)
        if not card.path or own == card.path:
            return card
        versions = () if REJECTED in card.badges else self._archive.of(own)
        analysis = self._analyses.get(own)
        if analysis and analysis.sha256 and card.record and card.record.sha256 not in ("", analysis.sha256):
            analysis = None  # it was made of a predecessor
        return replace(card, analysis=analysis, versions=versions)


def _enhanced(survey: Survey) -> Iterator[Shelf]:
    """Yield one shelf for each job of enhancements, with what became of every picture that was sent."""
    jobs: dict[str, Shelf] = {}
    archives: dict[Path, Archive] = {}
    made_of_files = {item.name for item in operations.of_files() if item.wanted == "picture"}
    fates = [(wish, fate) for wish, fate in survey.history.fates.items() if fate.operation in made_of_files]
    for wish, fate in sorted(fates, key=lambda item: (item[1].task.target, item[1].task.variation)):
        if survey.settled(wish, fate) or not fate.task.references:
            continue
        name = fate.task.target.slug
        shelf = jobs.setdefault(name, Shelf(f"{fate.operation}/{name}", name, fate.operation, ""))
        card = _enhancement(fate, survey, archives)
        if card.path:
            shelf.file = shelf.file or str(_job_folder(Path(card.path), name))
        shelf.groups[fate.task.target].append(card)
    yield from (jobs[name] for name in sorted(jobs))


def _enhancement(fate: Fate, survey: Survey, archives: dict[Path, Archive]) -> Card:
    """Return the card of an enhanced picture, or the place where it should be; *archives* are those seen so far."""
    task, home = fate.task, Path(survey.settings.home)
    sent_from = operations.operation(fate.operation).base_folder(survey.settings)
    blank = Card(
        f"{task.target}:{task.variation}", None, task.target, task.variation, "", (),
        fate=fate, before=str(sent_from / task.references[0].path),
    )  # fmt: skip
    path = home / task.file
    if fate.outcome not in ("applied", "superseded"):
        status = _WITHOUT_PICTURE.get(fate.outcome, "failed")
        why = task.reason or (OUTCOMES_IN_WORDS[fate.outcome] if fate.outcome == "lost" else "")
        return _without_picture(blank, status, why)
    if not path.is_file():
        return _without_picture(blank, "missing", task.reason)
    marks = {
        NEW: fate.outcome == "applied" and fate.run == survey.run,
        PLACEHOLDER: survey.settings.capabilities.marks_placeholders,
    }
    archive = archives.setdefault(path.parent, Archive(path.parent))
    return replace(blank, path=str(path), badges=_holding(marks), versions=archive.of(path.name))


def _without_picture(card: Card, status: str, why: str) -> Card:
    """Return *card* with the badge and note of its *status*, one of `TILES`."""
    badge, note = TILES[status]
    return replace(card, badges=(badge,), note=f"{note} ({why})" if why else note)


def _holding(marks: Mapping[str, bool]) -> tuple[str, ...]:
    return tuple(badge for badge, holds in marks.items() if holds)


def _job_folder(path: Path, name: str) -> Path:
    return next((folder for folder in path.parents if folder.name == name), path.parent)


def _card(
    standing: Standing,
    survey: Survey,
    reviewable: Reviewable,
    stale: set[tuple[str, int]],
    by_key: Mapping[str, Fate],
) -> Card:
    record = standing.record
    fate = by_key.get(record.task_key) if record else survey.history.fates.get(standing.wish.id)
    status = "blocked" if standing.target in survey.plan.blocked else standing.status
    card = Card(
        f"{standing.target}:{standing.variation}", standing.scene, standing.target, standing.variation, "", (),
        record=record, fate=fate,
    )  # fmt: skip
    if status in TILES:
        return _without_picture(card, status, survey.plan.blocked.get(standing.target) or standing.reason)
    marks = {
        NEW: fate is not None and fate.outcome == "applied" and fate.run == survey.run,
        APPROVED: reviewable.status(standing.path) == "approved",
        PICKED: reviewable.status(standing.path) == "picked",
        ADOPTED: status == "adopted",
        STALE: (standing.target, standing.variation) in stale,
        PLACEHOLDER: record is not None and is_placeholder(record.provider),
    }
    return replace(card, path=standing.path, badges=_holding(marks))


def _rejected(entity: Entity, in_place: set[str], by_key: Mapping[str, Fate], survey: Survey) -> Iterator[Card]:
    """Yield the pictures that the author rejected and that are still there."""
    owners = {record.path: record for record in entity.records}  # the last record that names a file owns it
    scenes = {scene.id: scene for scene in entity.scenes}
    root = survey.plan.library.root
    for number, (path, record) in enumerate(owners.items()):
        full = f"{FOLDER_OF[entity.kind]}/{entity.slug}/{path}"
        if record.status != "rejected" or full in in_place or not (root / full).is_file():
            continue
        marks = (REJECTED, PLACEHOLDER) if is_placeholder(record.provider) else (REJECTED,)
        target = f"{entity.key}/{record.scene}"
        yield Card(
            f"{target}:rejected-{number}", scenes.get(record.scene), target, record.variation, full, marks,
            record=record, fate=by_key.get(record.task_key),
        )  # fmt: skip
