"""The location shape in its six dialects: an overview, zones, pictures of zones, and beats.

A dialect is recognised by the keys of an item, never by a version number; so one table serves them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from chargen.library.drafts import Draft, Level, combine, filled, inheritable
from chargen.library.fields import Problems, View, as_text, as_texts, unique
from chargen.library.looks import characteristic_light, palette
from chargen.library.people import Person, anonymous, compact, known_or_words, merged, people, with_states
from chargen.library.ratio import ratio_within
from chargen.library.scene import SCENE_FIELDS
from chargen.library.shapes import joined_texts, mapping, negatives, older_fields
from chargen.library.slugs import foreign_id, match_zone
from chargen.library.v1 import Defaults, Head
from chargen.library.yamlio import Map

IsCharacter = Callable[[str], bool]

_NEGATIVE_PROMPTS = SCENE_FIELDS["avoid"].older["location"].with_commas
_DESCRIPTIONS = SCENE_FIELDS["description"].older["location"].keys
_ZONE_IDS = ("slug", "zone_slug", "zone_id")
_ZONE_NAMES = ("name", "zone_name", "title")
_IMAGE_IDS = ("image_slug", "slug", "image_id", "id")
_IMAGE_NAMES = ("title", "name", "image_title")
_BEAT_IDS = ("slug", "beat_slug", "beat_id")
_BEAT_NAMES = ("name", "beat_title", "beat_name", "title")
_ZONE_REFS = ("zone_ref", "zone", "base_zone")
_DEFAULT_RATIOS = ("aspect_ratio", "default_aspect_ratio")
_PICTURE_KEYS = ("path", "portrait", "image", "file", "file_path", "id")
_OF_ONE_VIEW = ("time_of_day", "weather", "season")
"""What the overview says of its own picture alone."""
_HIGH_TYPES = frozenset({"hero", "establishing", "anchor"})


@dataclass(frozen=True)
class _Around:
    """What stands around every item of the file. ``overview`` holds the levels that all inherit, nearest first."""

    defaults: Defaults
    is_character: IsCharacter
    problems: Problems
    overview: tuple[Level, ...] = ()


@dataclass(frozen=True)
class _Zone:
    """A zone with its own words; ``near`` is what it takes over from the zone that it is a variant of."""

    view: View
    id: str
    text: str
    own: Level
    near: tuple[Level, ...]


def read_head(view: View) -> Head:
    """What the file says of the location itself."""
    metadata, anchor = view.map("metadata"), view.map("location_visual_anchor")
    essence = view.text("narrative_soul", "metadata.narrative_soul")
    tag_line = view.text("one_line_essence", "metadata.one_line_essence")
    materials = as_texts(anchor.data.get("materials"))
    defaults = [view.map("generation_defaults"), metadata.map("generation_defaults")]
    surroundings: Level = {
        "theme": unique(text for text in (essence, tag_line) if text),
        "materials": materials,
        "palette": palette(anchor.data.get("color_anchors")),
        "avoid": unique(text for level in defaults for text in negatives(level, (), _NEGATIVE_PROMPTS)),
        "aspect_ratio": next(filter(None, (ratio_within(level.text(*_DEFAULT_RATIOS)) for level in defaults)), ""),
    }
    zones = [View(item, view.file) for item in _listed(view, "zones") if isinstance(item, Map)]
    return Head(
        name=metadata.text("name", "location_name"),
        description=essence or tag_line,
        traits=tuple(anchor.texts("signature_elements")),
        zones={name: joined_texts(zone, *_DESCRIPTIONS) for zone in zones if (name := _zone_id(zone))},
        surroundings=filled(surroundings),
    )


def read_wishes(view: View, defaults: Defaults, is_character: IsCharacter, problems: Problems) -> list[Draft]:
    """Every picture that overview, zones and beats wish for."""
    around = _Around(defaults, is_character, problems)
    drafts, overview = _overviews(view, around)
    around = replace(around, overview=overview)
    zones = _zones(view, around)
    for zone in zones:
        drafts += _zone_drafts(zone, around)
    drafts += _beats(view, zones, around)
    light = view.map("location_visual_anchor").data.get("characteristic_light")
    for draft in drafts:
        _add_light(draft, light)
        if not draft.has_text:
            problems.error(
                "no-text", "the picture has neither a prompt nor a description", draft.place, "scene skipped",
                "describe what it should show", draft.id,
            )  # fmt: skip
    return [draft for draft in drafts if draft.has_text]


def _overviews(view: View, around: _Around) -> tuple[list[Draft], tuple[Level, ...]]:
    """The overview's pictures, and the levels that zones and beats inherit from it."""
    value = view.data.get("overview")
    if not isinstance(value, Map):
        return [], ()
    whole = view.map("overview")
    parts = [key for key, part in value.items() if isinstance(part, Map) and as_text(part.get("image_type"))]
    name = foreign_id(whole.text("slug")) or "overview"
    outer = _own(whole, around, name)
    level = inheritable(outer, _OF_ONE_VIEW)
    if not parts:
        return [_draft(whole, name, outer, around, _ZONE_NAMES)], (level,)
    drafts = []
    for key in parts:
        part = View(value[key], view.file, f"overview.{key}")
        name = foreign_id(part.text("slug")) or foreign_id(f"overview-{key}")
        own = _own(part, around, name)
        drafts.append(_draft(part, name, own, replace(around, overview=(level,)), _ZONE_NAMES))
    return drafts, (inheritable(drafts[0].own, _OF_ONE_VIEW), level)


def _zones(view: View, around: _Around) -> list[_Zone]:
    value = view.data.get("zones")
    if value is None or isinstance(value, Map):  # a mapping is ours, and holds texts only
        return []
    found: dict[str, tuple[View, Level]] = {}
    zones = []
    for item in view.items("zones", around.problems):
        name = _zone_id(item)
        if not name:
            around.problems.error("no-id", "the zone has no slug", item.place(), "scene skipped", "give it a slug")
            continue
        own = _own(item, around, name)
        found.setdefault(name, (item, own))
        zones.append(_Zone(item, name, joined_texts(item, *_DESCRIPTIONS), own, ()))
    names = tuple(found)
    return [replace(zone, near=_base_levels(zone, names, found)) for zone in zones]


def _base_levels(zone: _Zone, names: tuple[str, ...], found: Mapping[str, tuple[View, Level]]) -> tuple[Level, ...]:
    base = match_zone(_zone_ref(zone.view), names)
    return (inheritable(found[base][1]),) if base and base != zone.id else ()


def _zone_drafts(zone: _Zone, around: _Around) -> list[Draft]:
    """The zone's own picture or, where it lists images, each of those instead."""
    if not _listed(zone.view, "images"):
        draft = _draft(zone.view, zone.id, zone.own, around, _ZONE_NAMES, zone.near)
        draft.zone = zone.id
        return [draft]
    drafts = []
    for image in zone.view.items("images", around.problems):
        written = foreign_id(image.text(*_IMAGE_IDS))
        if not written:
            message = "the image has no image_slug"
            around.problems.error("no-id", message, image.place(), "scene skipped", "give it an image_slug")
            continue
        name = foreign_id(f"{zone.id}__{written}")
        near = (inheritable(zone.own), *zone.near)
        draft = _draft(image, name, _own(image, around, name), around, _IMAGE_NAMES, near)
        draft.zone, draft.zone_text = zone.id, zone.text
        drafts.append(draft)
    return drafts


def _beats(view: View, zones: Sequence[_Zone], around: _Around) -> list[Draft]:
    by_id = {zone.id: zone for zone in zones}
    drafts = []
    for item in view.items("beat_images", around.problems):
        name = foreign_id(item.text(*_BEAT_IDS))
        if not name:
            around.problems.error("no-id", "the beat has no slug", item.place(), "scene skipped", "give it a slug")
            continue
        written = _zone_ref(item)
        zone = by_id.get(match_zone(written, tuple(by_id)))
        own = filled({**_own(item, around, name), "zone": written})
        near = (inheritable(zone.own), *zone.near) if zone else ()
        draft = _draft(item, name, own, around, _BEAT_NAMES, near)
        draft.zone, draft.zone_text = (zone.id, zone.text) if zone else (written, "")
        drafts.append(draft)
    return drafts


def _draft(
    view: View, name: str, own: Level, around: _Around, names: tuple[str, ...], near: tuple[Level, ...] = ()
) -> Draft:
    far = around.overview
    if any(level.get("must_include") for level in (own, *near)):  # a kitchen need not show the pier
        far = tuple({key: value for key, value in level.items() if key != "must_include"} for level in far)
    return Draft(
        id=name,
        place=view.place(),
        own=own,
        levels=[*near, *far],
        people=_everybody(view, around.is_character),
        own_v1=_as_read_by_0_1_0(view, own),
        title=view.text(*names),
        weight="high" if own.get("image_type") in _HIGH_TYPES else around.defaults.weight,
        variations=around.defaults.variations,
        tags=tuple(view.texts("tags")),
        file_path=view.text("file_path"),
    )


def _own(view: View, around: _Around, name: str) -> Level:
    """What the item itself says."""
    own = older_fields(view, "location", around.problems, name)
    own["characters"] = _everybody(view, lambda slug: True)
    own["references"] = _explicit_references(view)
    return filled(own)


def _everybody(view: View, is_character: IsCharacter) -> list[Person]:
    """Who is in the picture, by the item and by its ``image_spec``."""
    return merged([*_people(view, is_character), *_people(view.map("image_spec"), is_character)])


def _as_read_by_0_1_0(view: View, own: Level) -> Level | None:
    """*own* without the people of the ``image_spec``, which 0.1.0 did not read; None if there are none."""
    people_then = _people(view, lambda slug: True)
    return filled({**own, "characters": people_then}) if people_then != own.get("characters", []) else None


def _people(view: View, is_character: IsCharacter) -> list[Person]:
    """Who is in the picture; of ``characters_present`` only those that *is_character* knows are taken for names."""
    refs = [item for item in _listed(view, "references") if isinstance(item, dict) and _is_portrait(item)]
    persons = [
        *people(view.data.get("depicts_characters")),
        *known_or_words(view.data.get("characters_present"), is_character),
        *people(view.data.get("character_refs")),
        *people(view.data.get("character_portrait_refs")),
        *(compact(slug=as_text(item.get("slug") or item.get("character"))) for item in refs),
    ]
    states = mapping(view.data.get("character_states"))
    everybody = [*with_states(merged(persons), states), *anonymous(view.data.get("character_interaction"))]
    return merged(person for person in everybody if person)


def _explicit_references(view: View) -> list[str]:
    """The pictures that the item names; what cites a text (a source with an anchor, a plan) is not a picture."""
    found = []
    for item in _listed(view, "references"):
        if isinstance(item, str):
            found.append(item.strip())
        elif isinstance(item, dict) and not _is_portrait(item):
            found.append(next((text for key in _PICTURE_KEYS if (text := as_text(item.get(key)))), ""))
    return unique(text for text in found if text)


def _is_portrait(item: Mapping[str, object]) -> bool:
    return as_text(item.get("type")) in {"character_portrait", "character"}


def _add_light(draft: Draft, light: object) -> None:
    """Give the place's own light to a picture that neither says nor inherits any."""
    level = combine([draft.own, *draft.levels])
    if not level.get("lighting") and (found := characteristic_light(light, level.get("time_of_day", ""))):
        draft.levels.append({"lighting": found})


def _zone_id(view: View) -> str:
    return foreign_id(view.text(*_ZONE_IDS))


def _zone_ref(view: View) -> str:
    """The zone that an item belongs to, as written, without the location before a slash."""
    return view.text(*_ZONE_REFS).rpartition("/")[2].strip()


def _listed(view: View, key: str) -> list[object]:
    value = view.data.get(key)
    return value if isinstance(value, list) else []
