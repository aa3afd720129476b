"""Writes a made-up library with the shapes, counts and lengths of a real one.

54 files of ideas, locations in six dialects, chapters with nobody to eight people: 1,754 scenes. What real authors
leave out, say twice or get wrong is in it too: a voice among the visible traits, "TBD", bans of what the scene shows,
people by slugs that do not exist, authors' prompts that name a medium. The same seed writes the same bytes.

python benchmarks/support/story_library.py FOLDER [seed]
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.support.story_chapters import ChapterAuthor
from benchmarks.support.story_parts import MOODS, Data, shares, slug_of, spread
from benchmarks.support.story_places import LocationAuthor, Place
from benchmarks.support.story_words import CITY, UPLAND, Voice, World

PEOPLE_PER_IMAGE = {0: 38, 1: 96, 2: 70, 3: 41, 4: 20, 5: 9, 6: 6, 7: 3, 8: 2}
IMAGE_TYPES = {"beat": 103, "anchor": 62, "hero": 57, "detail": 53, "mood": 10}
WEIGHTS = {"critical": 123, "high": 85, "medium": 3}
ADDED = (
    "plain to see from across a yard and never covered", "older than it looks", "the same in every season of the story",
    "a little worse in each chapter, but always on the same side", "which strangers notice before anything else",
    "kept clean even when nothing else is", "as in the family's other pictures",
)  # fmt: skip
FORGOTTEN_TRAITS = (
    "TBD: which hand wears the ring",
    "voice low and unhurried, with an upland accent",
    "always hums when nervous",
    "TODO describe the coat",
)
UPLAND_LOOK: Data = {
    "art_direction": {
        "medium": "Egg tempera on a rough panel: hatched strokes, chalky finish, bare wood showing at the edges.",
        "light": "One source of light, with open shadows.",
        "composition": "A low horizon, one group in front and empty ground around it.",
        "signature_colours": ["brick red", "ash grey", "slip white"],
    },
    "moods": {"watchful": ["every head turned the same way", "a gap in the middle of the picture"]},
    "negatives": {"base": ["lettering", "picture frames"]},
}
CITY_LOOK: Data = {
    "art_direction": {
        "medium": "Black-and-white manga panel art: crisp pen line, screentone greys, solid blacks, no colour at all.",
        "light": "Hard light from signs and screens, faces cut in two by shadow.",
        "composition": "Tilted views, strong perspective, the figure breaking out of the frame.",
        "signature_colours": ["black", "white", "screentone grey"],
    },
    "negatives": {"base": ["speech bubbles", "panel borders"]},
}


@dataclass(frozen=True)
class Dialect:
    """One way to write a location's file, and how much of it there is."""

    number: int
    files: int
    zones: int
    beats: int = 0
    images: int = 0  # of zones, in place of the zones' own pictures


@dataclass(frozen=True)
class Size:
    """How much a library holds. The default is what was counted in a real one."""

    characters: int = 57
    ideas: int = 54
    scenes: int = 792  # in the files of ideas
    portraits: int = 48
    styles: int = 13
    companions: int = 6
    dialects: tuple[Dialect, ...] = (
        Dialect(1, 4, 57),
        Dialect(2, 4, 74, 16),
        Dialect(3, 5, 92, 21),
        Dialect(4, 5, 58, 18, 62),
        Dialect(5, 6, 135, 24),
        Dialect(6, 5, 113, 31),
    )
    chapters: int = 34
    images: int = 285
    moments: int = 211

    @property
    def wanted(self) -> int:
        """The number of scenes: two overviews in each file of the sixth dialect, one in every other."""
        places = sum(
            item.files * (2 if item.number == 6 else 1) + (item.images or item.zones) + item.beats
            for item in self.dialects
        )
        return self.scenes + places + self.images


WHOLE = Size()
SMALL = Size(
    characters=7, ideas=6, scenes=60, portraits=5, styles=2, companions=2, chapters=4, images=36, moments=24,
    dialects=(
        Dialect(1, 1, 5), Dialect(2, 1, 6, 3), Dialect(3, 1, 5, 3), Dialect(4, 1, 4, 3, 5), Dialect(5, 1, 6, 3),
        Dialect(6, 1, 6, 4),
    ),
)  # fmt: skip


def write_story_library(
    root: Path,
    seed: int = 1,
    size: Size = WHOLE,
    *,
    places: bool = False,
    world: World = UPLAND,
    faults: bool = True,
) -> int:
    """Write a library below *root* and return the number of scenes that it asks for.

    Portraits are there as small pictures; with *places*, so is one of every location. Without *faults* it has none of
    those that only the author can correct: unknown slugs, notes among the traits, pixels of another shape.
    """
    look = CITY_LOOK if world is CITY else UPLAND_LOOK
    (root / "chargen.yaml").parent.mkdir(parents=True, exist_ok=True)
    (root / "chargen.yaml").write_text(_yaml(look), encoding="utf-8")
    writer = _Writer(root, seed, size, world, places, faults)
    writer.write()
    return size.wanted


def write_manga_library(root: Path, seed: int = 1) -> int:
    """Write the small library of a city of hackers, drawn in black and white; return its number of scenes."""
    return write_story_library(root, seed, SMALL, world=CITY)


class _Writer:
    """Writes entity by entity; each has a voice of its own, so that one more leaves the others as they are."""

    def __init__(self, root: Path, seed: int, size: Size, world: World, places: bool, faults: bool):
        self._has_faults = faults
        self._root = root
        self._seed = seed
        self._size = size
        self._world = world
        self._has_places = places
        first, last = world.first_names, world.last_names
        self._people = [
            f"{first[number % len(first)]} {last[(number * 5 + number // len(first)) % len(last)]}"
            for number in range(size.characters)
        ]
        self._places: list[Place] = []

    def write(self) -> None:
        """Write characters, locations and chapters, in this order: the later ones name the earlier ones."""
        ideas = shares(self._size.scenes, self._size.ideas)
        for number, name in enumerate(self._people):
            self._character(number, name, ideas[number] if number < len(ideas) else 0)
        number = 0
        for dialect in self._size.dialects:
            zones, beats = shares(dialect.zones, dialect.files), shares(dialect.beats, dialect.files)
            images = shares(dialect.images, dialect.files)
            for index in range(dialect.files):
                self._location(number, dialect.number, zones[index], beats[index], images[index])
                number += 1
        self._chapters()

    def _voice(self, key: str) -> Voice:
        return Voice(self._world, f"{self._seed}/{key}")

    def _put(
        self, key: str, name: str, data: Data, *, crlf: bool = False, banner: str = "", plain: bool = False
    ) -> None:
        """Write *data* as a file of the entity *key*; *plain* leaves ratios unquoted, as newcomers do."""
        text = banner + _yaml(data)
        if plain:
            text = re.sub(r"'(\d+:\d+)'", r"\1", text)
        path = self._root / key / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.replace("\n", "\r\n").encode() if crlf else text.encode())

    def _picture(self, path: str, number: int, shape: tuple[int, int]) -> None:
        """A small picture whose bytes no other has."""
        file = self._root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", shape, (number * 3 % 256, number * 7 % 256, 90)).save(file)

    # Characters

    def _character(self, number: int, name: str, scenes: int) -> None:
        key = f"characters/{slug_of(name)}"
        voice = self._voice(key)
        looks = _looks(voice)
        data: Data = {
            "entity_type": "character",
            "slug": slug_of(name),
            "appearance": _appearance(voice, name, looks),
            "prompts": [],
        }
        if number < self._size.portraits:
            path = f"images/{slug_of(name)}-portrait.jpg"
            self._picture(f"{key}/{path}", number, (48, 64))
            data["image_inventory"] = [
                {"id": f"{slug_of(name)}-portrait", "path": path, "status": "approved", "is_reference_portrait": True}
            ]
        self._put(key, "imagery.yaml", data)
        if scenes:
            self._put(key, "image-ideas.yaml", self._ideas(voice, number, name, looks, scenes))
        if number % 4 == 0 and number // 4 < self._size.styles:
            self._put(key, "image_style.yaml", _overrides(voice))

    def _ideas(self, voice: Voice, number: int, name: str, looks: Sequence[str], count: int) -> Data:
        scenes = [_idea(voice, name, index) for index in range(count)]
        if number < self._size.companions:
            scenes[0]["depicts_characters"] = [slug_of(self._people[number + 1])]
        said = [f"{look}, {voice.one(ADDED)}" if voice.chance(0.7) else look for look in looks]
        traits = [*said, *voice.some(self._world.states, 0, 3)]
        if number % 5 == 1 and self._has_faults:
            traits.append(FORGOTTEN_TRAITS[number // 5 % len(FORGOTTEN_TRAITS)])
        return {
            "character": {"name": name, "summary": voice.text(195, 424)},
            "visual_consistency": traits,
            "scenes": scenes,
        }

    # Locations

    def _location(self, number: int, dialect: int, zones: int, beats: int, images: int) -> None:
        count = len(self._world.places)
        name = self._world.places[number % count] + ("" if number < count else f" {'I' * (number // count + 1)}")
        place = Place(slug_of(name), name)
        key = f"locations/{place.slug}"
        author = LocationAuthor(self._voice(key), self._world, place, dialect, self._people, faults=self._has_faults)
        data = author.file(zones, beats, images)
        self._places.append(place)
        banner = f"# {'═' * 12} {name} {'═' * 12}\n" if number % 3 else ""
        self._put(key, "imagery.yaml", data, crlf=True, banner=banner, plain=number % 7 == 0)
        if self._has_places:
            self._picture(f"{key}/images/overview.jpg", 100 + number, (64, 36))

    # Chapters

    def _chapters(self) -> None:
        size = self._size
        casts = cycle(spread(PEOPLE_PER_IMAGE, self._voice("casts")))
        types = cycle(spread(IMAGE_TYPES, self._voice("types")))
        weights = cycle(spread(WEIGHTS, self._voice("weights")))
        images, moments = shares(size.images, size.chapters), shares(size.moments, size.chapters)
        for number in range(size.chapters):
            key = f"chapters/ch{number + 1:02d}-{slug_of(self._voice(f'title/{number}').thing())}"
            author = ChapterAuthor(
                self._voice(key), key.partition("/")[2], number, self._people, self._places, faults=self._has_faults
            )
            drafts = [(next(types), next(casts)) for _ in range(images[number])]
            data = author.file(drafts, [next(weights) for _ in range(max(1, moments[number]))])
            self._put(key, "imagery.yaml", data, crlf=number % 2 == 1, plain=number % 9 == 4)


def _looks(voice: Voice) -> list[str]:
    """The lasting features of a person, said in the description and as traits."""
    world = voice.world
    return [*voice.some(world.marks, 2, 4), *voice.some(world.garments, 2, 3), *voice.some(world.carried, 1, 2)]


def _appearance(voice: Voice, name: str, looks: Sequence[str]) -> str:
    world = voice.world
    text = (
        f"{name} is {voice.one(world.ages)}, {voice.one(world.builds)}, with {', '.join(looks[:-1])} and {looks[-1]}."
    )
    while len(text) < 540:
        text += f" {voice.text(120, 400)}"
    return text


def _idea(voice: Voice, name: str, number: int) -> Data:
    world = voice.world
    scene: Data = {
        "title": f"{voice.thing()} {number + 1}".title(),
        "scene": voice.act(name),
        "pose": f"{voice.one(('crouched', 'on tiptoe', 'leaning back', 'half turned'))}, {voice.one(world.states)}",
        "setting": f"{voice.one(world.zones)} {voice.one(world.wheres)}",
        "mood": voice.one((voice.one(MOODS), voice.one(world.feelings))),
        "tags": voice.some(("work", "night", "alone", "friends", "weather", "trade"), 3, 5),
    }  # fmt: skip
    if voice.chance(0.03):
        del scene["setting"]
    return scene


def _overrides(voice: Voice) -> Data:
    return {
        "style_overrides": {
            "magic_level": "none, only craft",
            "fantasy_grounding": [f"tools of {voice.one(voice.world.materials)}"],
            "signature_props": voice.some(voice.world.carried, 1, 2),
            "avoid": ["clean clothes", "armour"],
        }
    }


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks, like people do, and the same object twice in full."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _block(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _block)


def _yaml(data: Data) -> str:
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=118)


if __name__ == "__main__":
    folder, seed = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1
    print(f"{write_story_library(folder, seed):,} scenes in {folder}")
