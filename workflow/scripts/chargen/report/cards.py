"""What stands on the page: a card for each picture, in place or wanted, and one for each enhanced picture."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargen.analysis.store import Analysis, read_analyses
from chargen.base.wording import OUTCOMES_IN_WORDS, in_words
from chargen.library.model import Entity, Record, Scene
from chargen.library.shown import Shown, pictures_of
from chargen.report.collect import FOLDER_OF, Survey
from chargen.report.history import Fate
from chargen.report.thumbnails import Thumbnail
from chargen.report.versions import Archive, Version

if TYPE_CHECKING:
    from chargen.planning.standing import Standing

ENHANCE = "enhance"
ALT_WORDS = 14
VERDICTS = ("approved", "rejected", "picked")
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+:\d+")  # names that neither a shell nor a glob reads otherwise
_TILES = {
    "failed": ("failed", "No picture: it failed"),
    "missing": ("missing", "The picture's file is gone"),
    "put back": ("missing", "The next run puts it back"),
    "in flight": ("waiting", "On its way"),
    "wanted": ("wanted", "Not made yet"),
    "blocked": ("failed", "Cannot be sent"),
}
_ENDS = {"applied": "", "superseded": "", "waiting": "in flight", "passing": "wanted"}


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
            return str(self.fate.task["title"])
        written = self.scene.title if self.scene else ""
        return written or in_words(scene_id)

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
    def batch(self) -> str:
        """The batch that brought it, ``""`` if none did."""
        return self.fate.batch if self.fate else ""

    @property
    def model(self) -> str:
        """The model that made it, or that it was asked of."""
        task: Mapping[str, Any] = self.fate.task if self.fate else {}
        data: Mapping[str, Any] = self.record.data if self.record else {}
        return str(task.get("model") or data.get("model") or task.get("model_requested") or "")

    @property
    def alt(self) -> str:
        """What the picture shows, for those who do not see it: what was seen on it, else the prompt's first words."""
        if self.analysis and (seen := alt_text(self.analysis)):
            return seen
        words = (self.author_text or self.prompt).split()
        start = " ".join(words[:ALT_WORDS]) + ("…" if len(words) > ALT_WORDS else "")
        return f"{self.title}: {start}" if start else self.title


def alt_text(analysis: Analysis) -> str:
    """Return what an analysis says for those who do not see the picture."""
    content = analysis.data.get("content")
    return str(content.get("alt_text") or "").strip() if isinstance(content, Mapping) else ""


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


class Reviewable:
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


def shelves(survey: Survey, reviewable: Reviewable) -> Iterator[Shelf]:
    by_entity: dict[str, list[Standing]] = defaultdict(list)
    for standing in survey.plan.standings:
        by_entity[standing.scene.entity].append(standing)
    stale = {(item.standing.target, item.standing.variation) for item in survey.plan.stale}
    by_key = {fate.task["key"]: fate for fate in survey.history.fates.values() if fate.has_picture}
    for key, entity in survey.plan.library.entities.items():
        standings = by_entity.get(key, [])
        if not standings:
            continue
        shelf = Shelf(key, entity.name, entity.kind, f"{FOLDER_OF[entity.kind]}/{entity.slug}/imagery.yaml")
        more = _More(entity, survey.settings.provider)
        for standing in standings:
            shelf.groups[standing.target].append(more.told(_card(standing, survey, reviewable, stale, by_key)))
        for card in _rejected(entity, {standing.path for standing in standings}, by_key, survey):
            shelf.groups[card.target].append(more.told(card))
        yield shelf
    yield from _enhanced(survey)


class _More:
    """What lies beside the pictures of one entity: analyses and earlier versions."""

    def __init__(self, entity: Entity, provider: str):
        self._folder = f"{FOLDER_OF[entity.kind]}/{entity.slug}/"
        self._analyses = read_analyses(entity, provider)
        self._archive = Archive(entity.folder / "images", entity.records)

    def told(self, card: Card) -> Card:
        """Return *card* with what is known of its picture."""
        own = card.path.removeprefix(self._folder)
        if not card.path or own == card.path:
            return card
        versions = () if "rejected" in card.badges else self._archive.of(own)
        analysis = self._analyses.get(own)
        if analysis and analysis.sha256 and card.record and card.record.sha256 not in ("", analysis.sha256):
            analysis = None  # it was made of a predecessor
        return replace(card, analysis=analysis, versions=versions)


def _enhanced(survey: Survey) -> Iterator[Shelf]:
    """Yield one shelf for each job of enhancements, with what became of every picture that was sent."""
    home = Path(survey.settings.home)
    jobs: dict[str, Shelf] = {}
    archives: dict[Path, Archive] = {}
    fates = [(wish, fate) for wish, fate in survey.history.fates.items() if fate.operation == ENHANCE]
    for wish, fate in sorted(fates, key=lambda item: (item[1].task["target"], item[1].task["variation"])):
        task = fate.task
        if survey.settled(wish, fate) or not task["references"]:
            continue
        name = task["target"].split("/")[1]
        shelf = jobs.setdefault(name, Shelf(f"{ENHANCE}/{name}", name, ENHANCE, ""))
        card_id = f"{task['target']}:{task['variation']}"
        before = str(home / task["references"][0]["path"])
        tile = _ENDS.get(fate.outcome, "failed")
        path = home / task["file"] if not tile else None
        if path and not path.is_file():
            tile = "missing"
        if tile:
            badge, note = _TILES[tile]
            why = task.get("reason") or (OUTCOMES_IN_WORDS[fate.outcome] if fate.outcome == "lost" else "")
            card = Card(
                card_id, None, task["target"], task["variation"], "", (badge,), f"{note} ({why})" if why else note,
                fate=fate, before=before,
            )  # fmt: skip
        else:
            assert path is not None
            marks = {
                "new": fate.outcome == "applied" and fate.run == survey.run,
                "placeholder": survey.settings.provider == "emulator",
            }
            archive = archives.setdefault(path.parent, Archive(path.parent))
            card = Card(
                card_id, None, task["target"], task["variation"], str(path),
                tuple(badge for badge, holds in marks.items() if holds), fate=fate, before=before,
                versions=archive.of(path.name),
            )  # fmt: skip
            shelf.file = shelf.file or str(_job_folder(path, name))
        shelf.groups[task["target"]].append(card)
    yield from (jobs[name] for name in sorted(jobs))


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
