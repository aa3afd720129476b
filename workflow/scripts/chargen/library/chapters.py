"""The chapter shape: ``images`` that hang on ``moments``, with the chapter's characters and places around them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chargen.library.drafts import Draft, Level, as_weight, filled
from chargen.library.fields import Problems, View, as_text, as_texts
from chargen.library.looks import palette
from chargen.library.model import Weight
from chargen.library.people import Person, compact, joined, merged, people, with_states
from chargen.library.shapes import by_key, mapping, older_fields
from chargen.library.slugs import foreign_id, match_zone
from chargen.library.states import scene_number, state_in
from chargen.library.v1 import Defaults, Head, split_location


@dataclass(frozen=True)
class _Cast:
    """Somebody as the chapter presents them."""

    slug: str
    variations: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class _Around:
    """The chapter's defaults for all its images."""

    members: Mapping[str, _Cast]
    zones: Mapping[str, str]
    defaults: Defaults
    problems: Problems


def read_head(view: View) -> Head:
    """What the file says of the chapter itself."""
    metadata = view.map("metadata")
    thesis = metadata.text("visual_thesis")
    surroundings: Level = {
        "theme": [thesis] if thesis else [],
        "palette": palette(metadata.data.get("color_palette")),
    }
    return Head(
        name=metadata.text("chapter_title"),
        description=thesis,
        zones=_zone_contexts(view),
        surroundings=filled(surroundings),
    )


def read_images(view: View, defaults: Defaults, problems: Problems) -> list[Draft]:
    """The scenes that ``images`` wishes for."""
    moments = by_key(_maps(view, "moments"), lambda moment: moment.text("id"))
    members = {member.slug: member for member in _cast(view)}
    around = _Around(members, _zone_contexts(view), defaults, problems)
    drafts = []
    for item in view.items("images", problems):
        name = foreign_id(item.text("custom_id", "id", "title"))
        if not name:
            problems.error("no-id", "the image has no custom_id", item.place(), "scene skipped", "give it a custom_id")
            continue
        moment = moments.get(item.text("source_moment"), View(item.map("-").data, view.file))
        draft = _draft(item, name, moment, around)
        if draft.has_text:
            drafts.append(draft)
        else:
            problems.error(
                "no-text", "the image has no text to draw from", draft.place, "scene skipped",
                "give it a prompt_used or a visual_description", name,
            )  # fmt: skip
    return drafts


def _draft(item: View, name: str, moment: View, around: _Around) -> Draft:
    own = older_fields(item, "chapter", around.problems, name)
    own["references"] = as_texts(item.data.get("references"))
    depicted = people(item.data.get("depicts_characters"))
    states = mapping(item.data.get("character_states"))
    own["characters"] = merged(with_states(depicted, states))
    present = depicted if "depicts_characters" in item.data else people(moment.data.get("characters_present"))
    number = scene_number(item.text("scene_id") or moment.text("scene_id"))
    location, zone = _where(item, moment)
    return Draft(
        id=name,
        place=item.place(),
        own=filled(own),
        people=[_fill(person, around.members, number) for person in merged(with_states(present, states))],
        title=item.text("title") or moment.text("title"),
        location=location,
        zone=zone,
        zone_text=_zone_text(around.zones, location, zone),
        beat=moment.text("narrative_beat"),
        weight=_weight(moment, around.defaults),
        variations=around.defaults.variations,
        tags=tuple(item.texts("tags")),
        file_path=item.text("file_path"),
    )


def _fill(person: Person, members: Mapping[str, _Cast], number: int) -> Person:
    """*person* with the chapter's state for this scene, if the image gives none, and the chapter's pictures of them."""
    member = members.get(person.get("slug", ""))
    if member is None:
        return person
    state = person.get("state") or state_in(member.variations, number)
    return {**person, **compact(state=state, references=[*person.get("references", []), *member.references])}


def _where(item: View, moment: View) -> tuple[str, str]:
    location, zone = split_location(item.text("location"), item.text("zone"))
    of_location, of_zone = split_location(moment.text("location_zone"), "")
    if not location:
        return of_location, zone or of_zone
    return location, zone or (of_zone if of_location == location else "")


def _cast(view: View) -> list[_Cast]:
    return [
        _Cast(
            slug,
            _block_text(member.data.get("scene_variations")),
            tuple(as_texts(member.data.get("reference_images"))),
        )
        for member in _maps(view, "characters")
        if (slug := member.text("ref", "slug"))
    ]


def _block_text(value: Any) -> str:
    """The blocks as lines, also where they are written as a list or as a mapping of labels."""
    if isinstance(value, dict):
        return "\n".join(f"{key}: {as_text(text)}" for key, text in value.items())
    return "\n".join(as_texts(value))


def _zone_contexts(view: View) -> dict[str, str]:
    """What the chapter says of zones, by ``location/zone``."""
    contexts: dict[str, str] = {}
    for place in _maps(view, "locations"):
        location = place.text("ref", "slug")
        for zone in _maps(place, "zones"):
            if name := zone.text("id", "slug"):
                key = "/".join(filter(None, split_location(location, name)))
                contexts[key] = joined(contexts.get(key, ""), zone.text("chapter_context"))
    return contexts


def _zone_text(zones: Mapping[str, str], location: str, zone: str) -> str:
    here = tuple(key.removeprefix(f"{location}/") for key in zones if key.startswith(f"{location}/"))
    return zones.get(f"{location}/{match_zone(zone, here)}", "")


def _weight(moment: View, defaults: Defaults) -> Weight:
    return as_weight(moment.text("visual_weight")) or defaults.weight


def _maps(view: View, key: str) -> list[View]:
    """The mappings in an optional list; other items are skipped."""
    return list(view.items(key, Problems(""))) if isinstance(view.data.get(key), list) else []
