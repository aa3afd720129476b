"""Resolves the levels of a file into one scene.

A level is a dict under our own key names: texts, lists of texts, and maps for ``lighting`` and ``palette``. The
nearest level is what the author wrote for this very scene, and is the scene's spec.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

from chargen.base.errors import Place
from chargen.library.fields import unique
from chargen.library.model import Palette, Scene, Weight
from chargen.library.people import Person, depicted, merged
from chargen.library.scene import SCENE_FIELDS

Level = dict[str, Any]

_OF_DRAFT = frozenset({"id", "title", "location", "zone", "zone_text", "beat", "tags"})
"""Texts and lists that a draft holds itself, beside its levels."""
TEXTS = tuple(
    name
    for name, item in SCENE_FIELDS.items()
    if item.type in ("text", "long text", "ratio", "size") and name not in _OF_DRAFT
)
LISTS = tuple(
    name for name, item in SCENE_FIELDS.items() if item.type in ("texts", "references") and name not in _OF_DRAFT
)
_UNITED = frozenset(name for name, item in SCENE_FIELDS.items() if item.adds_up)
SURROUNDINGS = frozenset(name for name, item in SCENE_FIELDS.items() if item.inherited)
"""What a picture takes over from the zone or overview that it belongs to."""
WEIGHTS: tuple[Weight, ...] = get_args(Weight)


@dataclass
class Draft:
    """A scene while it is read. ``levels`` go from the nearest level to the farthest."""

    id: str
    place: Place
    own: Level
    levels: list[Level] = field(default_factory=list)
    unhashed: Level = field(default_factory=dict)  # what the author wrote for this scene besides ``own``
    own_v1: Level | None = None  # ``own`` as 0.1.0 read it, where that differs
    people: list[Person] | None = None  # who is in the picture, where that is more than ``own`` says
    title: str = ""
    zone_text: str = ""
    beat: str = ""
    zone: str = ""
    location: str = ""
    weight: Weight = "medium"
    variations: int = 1
    tags: tuple[str, ...] = ()
    skip: bool = False
    file_path: str = ""  # the slot that an older tool filled

    @property
    def has_text(self) -> bool:
        """Whether there is anything to draw."""
        return bool(self.own.get("prompt") or self.own.get("description"))

    def scene(self, entity: str, surroundings: Level, first: Sequence[Person] = ()) -> Scene:
        """The finished scene; *surroundings* is what the entity says for all, *first* who comes before the others."""
        level = combine([self.own, self.unhashed, *self.levels, surroundings])
        people = self.own.get("characters", []) if self.people is None else self.people
        texts: dict[str, Any] = {name: level.get(name, "") for name in TEXTS}
        lists: dict[str, Any] = {name: tuple(level.get(name, ())) for name in LISTS}
        palette: Mapping[str, Sequence[str]] = level.get("palette", {})
        return Scene(
            entity=entity,
            id=self.id,
            place=self.place,
            spec=self.own,
            title=self.title,
            zone_text=self.zone_text,
            beat=self.beat,
            lighting=tuple(level.get("lighting", {}).items()),
            palette=Palette(*(tuple(palette.get(use, ())) for use in ("dominant", "accent", "avoid"))),
            characters=depicted(merged([*first, *people])),
            location=self.location or level.get("location", ""),
            zone=self.zone or level.get("zone", ""),
            weight=self.weight,
            variations=self.variations,
            tags=self.tags,
            skip=self.skip,
            spec_v1=self.own_v1,
            **texts,
            **lists,
        )


def combine(levels: Sequence[Level]) -> Level:
    """One level out of several, nearest first.

    Lists of things to show and to avoid unite, without regard to case; the uses of a palette are looked for one by
    one; everything else, the whole lighting too, is taken from the nearest level that has it.
    """
    result: Level = {}
    for level in levels:
        for name, value in level.items():
            if name == "palette":
                result[name] = _combined_palettes(result.get(name, {}), value)
            elif name in _UNITED:
                result[name] = unique([*result.get(name, []), *value])
            elif value:
                result.setdefault(name, value)
    return result


def inheritable(level: Level, without: Sequence[str] = ()) -> Level:
    """The part of a zone's or overview's own level that its pictures take over."""
    return {name: value for name, value in level.items() if name in SURROUNDINGS and name not in without}


def filled(level: Level) -> Level:
    """*level* without what is empty."""
    return {name: value for name, value in level.items() if value}


def as_weight(text: str) -> Weight | None:
    """*text* as a weight; None if it is none."""
    word = text.strip().lower()
    return next((weight for weight in WEIGHTS if weight == word), None)


def _combined_palettes(near: Mapping[str, list[str]], far: Mapping[str, list[str]]) -> dict[str, list[str]]:
    united = {use: near.get(use) or far.get(use) or [] for use in ("dominant", "accent")}
    united["avoid"] = unique([*near.get("avoid", []), *far.get("avoid", [])])
    return {use: colours for use, colours in united.items() if colours}
