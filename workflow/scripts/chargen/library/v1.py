"""Our own format, version 1: what the top level of ``imagery.yaml`` and its ``scenes`` say, for any kind of entity."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Any

from chargen.library.drafts import WEIGHTS, Draft, Level, as_weight, filled
from chargen.library.entity_keys import ENTITY_KEYS
from chargen.library.fields import Effect, Problems, View, as_bool, as_text, as_texts, unique
from chargen.library.looks import lighting, palette
from chargen.library.model import Kind, Weight
from chargen.library.people import people_by_state
from chargen.library.ratio import ratio, size_fault
from chargen.library.scene import SCENE_FIELDS
from chargen.library.scene_field import SceneField
from chargen.library.slugs import id_fault, match_zone, title_id
from chargen.library.yamlio import Map, Seq

SCHEMA = "1"
MAX_VARIATIONS = 100

DEFAULT_KEYS = tuple(name for name, item in SCENE_FIELDS.items() if item.level == "defaults")
SCENE_KEYS = tuple(name for name, item in SCENE_FIELDS.items() if item.ours)
_WRITTEN = tuple(
    item
    for item in SCENE_FIELDS.values()
    if item.ours and item.type not in ("number", "weight", "yes or no") and item.name not in ("id", "title", "tags")
)
"""The fields of a scene that `_field` reads; the others are read one by one."""
_MEANT = {"title": "name", "ratio": "aspect_ratio", "size": "image_size"}
"""Keys that others would have, and what they are called here."""
PALETTE_KEYS = ("dominant", "accent", "avoid")
PERSON_KEYS = ("slug", "state", "text")

FOREIGN_KEYS = frozenset({
    "entity_type", "slug", "appearance", "prompts", "metadata", "location_visual_anchor", "overview", "beat_images",
    "generation_defaults", "narrative_soul", "one_line_essence", "images", "moments",
})  # fmt: skip
"""Keys of files that older tools wrote. Such a file may hold any others, too, so unknown ones are no mistake there."""


@dataclass(frozen=True)
class Defaults:
    """What the entity says for scenes that do not say it themselves."""

    variations: int = 1
    weight: Weight = "medium"


@dataclass(frozen=True)
class Head:
    """The top level of a file: the entity's own keys, and the defaults of its scenes."""

    name: str = ""
    description: str = ""
    traits: tuple[str, ...] = ()
    portrait: str = ""
    zones: dict[str, str] = field(default_factory=dict)
    surroundings: Level = field(default_factory=dict)
    defaults: Defaults = Defaults()


def read_head(view: View, kind: Kind, problems: Problems) -> Head:
    """Read the keys of 1.0 at the top level of *view*."""
    _check_header(view, kind, problems)
    if not FOREIGN_KEYS.intersection(view.data):
        warn_unknown(view, ENTITY_KEYS, problems)
    zones = view.data.get("zones")
    defaults = view.map("defaults")
    warn_unknown(defaults, DEFAULT_KEYS, problems)
    surroundings = {name: _of_all_scenes(view, defaults, item, problems) for name, item in SCENE_FIELDS.items()}
    weight = read_weight(defaults, problems)
    return Head(
        name=view.text("name"),
        description=_required_text(view, "description", problems),
        traits=tuple(view.texts("traits")),
        portrait=view.text("portrait"),
        zones={key: as_text(text) for key, text in zones.items()} if isinstance(zones, Map) else {},
        surroundings=filled(surroundings),
        defaults=Defaults(read_variations(defaults, 1, problems, "entity skipped"), weight or "medium"),
    )


def read_scenes(view: View, key: str, head: Head, problems: Problems) -> list[Draft]:
    """Read the list of scenes at *key*; faulty ones are noted and left out."""
    drafts = []
    for item in view.items(key, problems):
        warn_unknown(item, SCENE_KEYS, problems)
        before = len(problems.found)
        draft = _scene(item, head, problems)
        _name_scene(problems, before, draft.id)
        if draft.id and not any(problem.effect for problem in problems.found[before:]):
            drafts.append(draft)
    return drafts


def warn_unknown(view: View, known: Collection[str], problems: Problems) -> None:
    """Warn of every unknown key, and name the one that was probably meant."""
    for key in view.data:
        if key not in known:
            meant = _MEANT.get(key, "")
            near = [meant] if meant in known else difflib.get_close_matches(key, known, 1, 0.6)
            advice = f"did you mean '{near[0]}'?" if near else f"known keys: {', '.join(known)}"
            problems.warn("unknown-key", f"unknown key '{key}' is ignored", view.place(key), advice)


def read_ratio(view: View, key: str, problems: Problems, effect: Any = "scene skipped") -> str:
    """The aspect ratio at *key*, checked for its form; ``""`` if there is none or it is wrong."""
    written = view.text(key)
    found = ratio(written)
    if written and not found:
        problems.error(
            "bad-ratio", f"'{written}' is not an aspect ratio", view.place(key), effect, "write it like 3:4 or 16:9"
        )
    return found


def read_size(view: View, problems: Problems, effect: Any = "scene skipped") -> str:
    """The ``image_size``, checked for its form; ``""`` if there is none or it is wrong."""
    written = view.text("image_size")
    fault = size_fault(written) if written else ""
    if fault:
        problems.error("bad-size", fault, view.place("image_size"), effect)
        return ""
    return written


def read_variations(view: View, default: int, problems: Problems, effect: Any = "scene skipped") -> int:
    """How many pictures of one scene are wanted."""
    written = view.text("variations")
    if not written:
        return default
    if written.isascii() and written.isdigit() and len(written) <= 4 and 1 <= int(written) <= MAX_VARIATIONS:
        return int(written)
    problems.error(
        "bad-variations", f"'{written}' is not a number of variations", view.place("variations"), effect,
        f"write a number from 1 to {MAX_VARIATIONS}",
    )  # fmt: skip
    return default


def read_weight(view: View, problems: Problems) -> Weight | None:
    """The weight; None if there is none or it is none of the four words, which is warned of."""
    written = view.text("weight")
    weight = as_weight(written)
    if written and not weight:
        problems.warn(
            "bad-weight", f"'{written}' is not a weight, so it is ignored", view.place("weight"),
            f"write one of {', '.join(WEIGHTS)}",
        )  # fmt: skip
    return weight


def _check_header(view: View, kind: Kind, problems: Problems) -> None:
    schema = view.text("schema")
    if schema and schema != SCHEMA:
        problems.error(
            "unknown-schema", f"schema {schema} is not supported by this version of chargen", view.place("schema"),
            advice=f"set schema: {SCHEMA}, or update chargen",
        )  # fmt: skip
    written = view.text("kind")
    if written and written != kind:
        problems.error(
            "wrong-kind", f"the kind is {written}, but the folder is for a {kind}", view.place("kind"),
            advice="remove the line or move the folder",
        )  # fmt: skip


def _of_all_scenes(view: View, defaults: View, item: SceneField, problems: Problems) -> Any:
    """What the entity says of a field for all its scenes, itself or in its *defaults*; nothing of most fields."""
    if item.level == "defaults":
        if item.type in ("number", "weight"):
            return None  # see `Defaults`
        return _field(defaults, item, problems, "entity skipped")
    if item.level != "entity" or (item.type == "references" and isinstance(view.data.get(item.name), dict)):
        return None
    if item.type in ("texts", "references"):
        return as_texts(view.data.get(item.name))
    if item.type == "palette":
        return palette(view.data.get(item.name))
    return _field(view, item, problems, "entity skipped")


def _field(view: View, item: SceneField, problems: Problems, effect: Effect = "scene skipped") -> Any:
    """What *view* says of a field, in the form of a level."""
    name, value = item.name, view.data.get(item.name)
    if item.type == "long text":
        return _required_text(view, name, problems)
    if item.type in ("texts", "references"):
        return unique(as_texts(value))
    if item.type == "ratio":
        return read_ratio(view, name, problems, effect)
    if item.type == "size":
        return read_size(view, problems, effect)
    if item.type == "light":
        return lighting(value)
    if item.type == "people":
        return _people(view, problems)
    if item.type == "palette":
        if isinstance(value, Map):
            warn_unknown(view.map(name), PALETTE_KEYS, problems)
        return palette(value)
    return view.text(name)


def _scene(view: View, head: Head, problems: Problems) -> Draft:
    said = {item.name: _field(view, item, problems) for item in _WRITTEN}
    own = {name: value for name, value in said.items() if not SCENE_FIELDS[name].unhashed}
    unhashed = filled({name: value for name, value in said.items() if name not in own})
    location, zone = split_location(own["location"], own["zone"])
    own = filled(own)
    draft = Draft(
        id=_id(view, problems),
        place=view.place(),
        own=own,
        unhashed=unhashed,
        title=view.text("title"),
        location=location,
        zone=zone,
        zone_text=head.zones.get(match_zone(zone, tuple(head.zones)), ""),
        weight=read_weight(view, problems) or head.defaults.weight,
        variations=read_variations(view, head.defaults.variations, problems),
        tags=tuple(view.texts("tags")),
        skip=_skip(view, problems),
    )
    if not view.text("prompt", "description"):
        problems.error(
            "no-text",
            "the scene has no text to draw from",
            draft.place,
            "scene skipped",
            "give it a prompt or a description",
        )
    return draft


def split_location(location: str, zone: str) -> tuple[str, str]:
    """Location and zone apart, also where one of the two is written ``location/zone``."""
    if not location and "/" in zone:
        location, zone = zone, ""
    if "/" in location:
        location, _, rest = location.partition("/")
        zone = zone or rest
    return location, zone.removeprefix(f"{location}/") if location else zone


def _people(view: View, problems: Problems) -> list[dict[str, Any]]:
    value = view.data.get("characters")
    if isinstance(value, Seq):
        for index, item in enumerate(value):
            if isinstance(item, Map):
                warn_unknown(View(item, view.file, f"{view.path}.characters[{index}]"), PERSON_KEYS, problems)
    return people_by_state(value)


def _id(view: View, problems: Problems) -> str:
    written = _required_text(view, "id", problems)
    if written:
        if fault := id_fault(written):
            problems.error("bad-id", f"'{written}': {fault}", view.place("id"), "scene skipped")
            return ""
        return written
    title = _required_text(view, "title", problems)
    found = title_id(title)
    if not found:
        problems.error(
            "no-id", "the scene has neither an id nor a title to make one from", view.place(), "scene skipped",
            "give it an id like lamp-room",
        )  # fmt: skip
    return found


def _required_text(view: View, key: str, problems: Problems) -> str:
    value = view.data.get(key)
    if isinstance(value, (Map, Seq)):
        problems.error("bad-type", "must be text", view.place(key), advice="put it in quotes, or after '>'")
        return ""
    return as_text(value)


def _skip(view: View, problems: Problems) -> bool:
    skip = as_bool(view.text("skip"))
    if skip is None:
        problems.warn("bad-skip", "is not true or false, so it is ignored", view.place("skip"))
    return bool(skip)


def _name_scene(problems: Problems, since: int, scene: str) -> None:
    problems.found[since:] = [replace(problem, scene=scene) for problem in problems.found[since:]]
