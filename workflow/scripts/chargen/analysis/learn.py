"""What prompts use from analyses; the rules are listed here, and the plan shows the results.

- Only pictures count that are still those that were looked at, that nobody rejected, and that match the description:
  what contradicts it teaches nothing, whatever anybody thinks of it.
- A trait counts once at least two pictures show it, and at least a quarter of them.
- Medium and colours come from approved pictures alone: the medium that most of them have, and their three main colours.
- A picture that contradicts the description is no reference, unless its author approved it in a review or a record, or
  named it. Older tools called everything in their inventory approved: that was no judgement of the picture.
- Who has no portrait is sent as the best picture there is: a picked one first, then an approved one, a portrait before
  a full figure, the better made before the worse.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from chargen.analysis.store import Analysis, read_analyses
from chargen.base.capabilities import marks_placeholders
from chargen.base.frozen import frozen
from chargen.library.model import KIND_FOLDERS, Entity, Library, Scene
from chargen.pictures.looks import Looker
from chargen.prompts.composer import Finding, Learned

LEAST_PICTURES = 2
LEAST_SHARE = 0.25
MOST_COLOURS = 3
PORTRAITS = {"character": ("portrait", "full-body"), "location": ("establishing",), "chapter": ()}
_FOLDER_OF = {kind: folder for folder, kind in KIND_FOLDERS.items()}


@frozen
class Lesson:
    """What the pictures of one entity teach; paths are relative to the library root."""

    traits: tuple[Finding, ...] = ()
    style: tuple[Finding, ...] = ()
    portraits: tuple[tuple[str, str], ...] = ()  # path and why, best first
    contradicting: frozenset[str] = frozenset()


class Lessons:
    """Answers for any entity or scene of a library what was learned; an entity's pictures are looked at when needed."""

    def __init__(self, library: Library, looker: Looker, provider: str):
        self._library = library
        self._looker = looker
        self._provider = provider
        self._known: dict[str, Lesson] = {}

    def of_entity(self, entity: Entity) -> Lesson:
        """What the pictures of *entity* teach."""
        lesson = self._known.get(entity.key)
        if lesson is None:
            lesson = self._known[entity.key] = _learn(entity, self._valid(entity))
        return lesson

    def of_scene(self, scene: Scene) -> Learned | None:
        """What goes into the prompt of *scene*: traits of those it shows and its entity's style; None if nothing."""
        keys = [f"character/{person.slug}" for person in scene.characters if person.slug]
        keys += [scene.entity, f"location/{scene.location}"]
        shown = [entity for key in dict.fromkeys(keys) if (entity := self._library.entity(key))]
        traits = tuple(finding for entity in shown for finding in self.of_entity(entity).traits)
        style = self.of_entity(self._library.entities[scene.entity]).style
        return Learned(traits, style) if traits or style else None

    def best_portraits(self, entity: Entity) -> Sequence[tuple[str, str]]:
        """The pictures that may stand for *entity*, best first, each with the reason."""
        return self.of_entity(entity).portraits

    def contradicts(self, entity: Entity, path: str) -> bool:
        """Whether the picture at *path* contradicts the description of *entity* and is not approved."""
        return path in self.of_entity(entity).contradicting

    def _valid(self, entity: Entity) -> list[Analysis]:
        """The analyses of pictures that are still those that were looked at, in the order of their paths."""
        found = []
        for path, analysis in sorted(read_analyses(entity, self._provider).items()):
            if not (entity.folder / path).is_file():
                continue
            look = self._looker.look(entity.folder / path)
            real = not look.placeholder or marks_placeholders(self._provider)
            if not look.trouble and real and analysis.sha256 in ("", look.sha256):
                found.append(analysis)
        return found


def _learn(entity: Entity, analyses: Sequence[Analysis]) -> Lesson:
    folder = f"{_FOLDER_OF[entity.kind]}/{entity.slug}"
    opinions = _Opinions(entity, {item.path: item.sha256 for item in analyses})
    wanted = [item for item in analyses if item.path not in opinions.rejected]
    matching = [item for item in wanted if item.matches]
    return Lesson(
        traits=tuple(_traits(entity.key, folder, matching)),
        style=tuple(_style(folder, [item for item in matching if item.path in opinions.approved])),
        portraits=tuple(
            (f"{folder}/{item.path}", opinions.said_of(item)) for item in _portraits(entity, matching, opinions)
        ),
        contradicting=frozenset(
            f"{folder}/{item.path}" for item in wanted if not item.matches and item.path not in opinions.reviewed
        ),
    )


class _Opinions:
    """What the author thinks of an entity's pictures, by path; a review of another content than *sha256* is of another
    picture.
    """

    def __init__(self, entity: Entity, sha256: Mapping[str, str]):
        owners = {record.path: record for record in entity.records}
        last = {
            review.path: review.status
            for review in entity.reviews
            if review.path not in owners and review.sha256 in ("", sha256.get(review.path, ""))
        }
        stands = {item.path: item.status for item in entity.inventory if item.path and item.status}
        own = {path: record.status for path, record in owners.items()} | last
        stands |= own
        self.approved = {path for path, status in stands.items() if status in ("approved", "picked")}
        self.reviewed = {path for path, status in own.items() if status in ("approved", "picked")}
        self.rejected = entity.rejected | {path for path, status in stands.items() if status == "archived"}
        self.picked = {path for path, record in owners.items() if record.picked}

    def said_of(self, item: Analysis) -> str:
        """Why the picture was chosen, as a text."""
        opinion = "picked" if item.path in self.picked else ("approved" if item.path in self.approved else "")
        return ", ".join(filter(None, (item.image_type, f"quality {item.quality} of 5", opinion)))


def _traits(key: str, folder: str, analyses: Sequence[Analysis]) -> Iterable[Finding]:
    sources: dict[str, list[str]] = {}
    words: dict[str, str] = {}
    for item in analyses:
        for trait in dict.fromkeys(item.seen):
            name = " ".join(trait.casefold().split())
            words.setdefault(name, trait)
            sources.setdefault(name, []).append(f"{folder}/{item.path}")
    for name, paths in sources.items():
        if len(paths) >= LEAST_PICTURES and len(paths) >= LEAST_SHARE * len(analyses):
            yield Finding(words[name], tuple(paths), key)


def _style(folder: str, approved: Sequence[Analysis]) -> Iterable[Finding]:
    media: dict[str, list[str]] = {}
    colours: dict[str, list[str]] = {}
    for item in approved:
        path = f"{folder}/{item.path}"
        if item.medium:
            media.setdefault(item.medium, []).append(path)
        for colour in dict.fromkeys(colour.casefold() for colour in item.colours):
            colours.setdefault(colour, []).append(path)
    if media:
        medium, paths = max(media.items(), key=lambda found: len(found[1]))
        yield Finding(medium, tuple(paths))
    main = sorted(colours.items(), key=lambda found: -len(found[1]))[:MOST_COLOURS]
    if main:
        paths = [path for _, where in main for path in where]
        yield Finding("colours like " + " and ".join(colour for colour, _ in main), tuple(dict.fromkeys(paths)))


def _portraits(entity: Entity, analyses: Sequence[Analysis], opinions: _Opinions) -> list[Analysis]:
    kinds = PORTRAITS[entity.kind]
    fitting = [item for item in analyses if item.image_type in kinds]
    return sorted(
        fitting,
        key=lambda item: (
            item.path not in opinions.picked,
            item.path not in opinions.approved,
            kinds.index(item.image_type),
            -item.quality,
            item.path,
        ),
    )
