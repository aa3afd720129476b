"""From a scene and what is around it to the words of its request.

What is said, in which order, in which words and how long stands in `prompts.yaml`; this module gathers what its
templates are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chargen.base.frozen import frozen
from chargen.library.model import Entity, Palette, Scene
from chargen.prompts.fitting import Cut, fit
from chargen.prompts.negatives import Asked, without
from chargen.prompts.people import CastMember, Person, SeenAs, ordered_people
from chargen.prompts.rules import PART_END, ArtDirection, Rules, RulesError, Scenario, WeightRule, part_templates
from chargen.prompts.text import Said, normalised, one_line, sentences, shorten, unique, words
from chargen.prompts.vocabulary import (
    Seen,
    is_visible,
    own_techniques,
    says_light,
    says_view,
    seen,
    techniques,
    visible,
)

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["Around", "CastMember", "Finding", "Learned", "PlaceInfo", "Prompt", "SentReference", "compose", "view_of"]

_MOST_IN_MEDIUM = 120
_SHORTEST_CLAUSE = 30
_MATERIALS = 3
_COLOURS = 3
_MAIN_LIGHTS = ("primary_source", "primary", "source", "main_source", "light", "key_light")
_AT_COMMAS = re.compile(r"[,;]\s+")
_WITH_ITS_KEY = ("angle", "lens", "distance", "shot", "view", "camera height", "depth")
_LETTERING = ('"', "“", "«", "lettering", "reads:", "inscription", "written on")


@frozen
class SentReference:
    """A picture that goes along, in the order of the request; ``subject`` as in `model.Reference`."""

    role: str
    name: str
    subject: str


@frozen
class PlaceInfo:
    """Where the scene is set: the location's name and description, and what it says of the scene's zone."""

    name: str
    description: str
    zone: str = ""


@frozen
class Finding:
    """Something seen in existing pictures (``sources``); ``subject`` (``kind/slug``) is what it is about."""

    text: str
    sources: tuple[str, ...]
    subject: str = ""


@frozen
class Learned:
    """What the analysis of existing pictures adds: traits of ``subject``s, and words for the style."""

    traits: tuple[Finding, ...] = ()
    style: tuple[Finding, ...] = ()


@frozen
class Around:
    """What a prompt says besides the scene's own fields.

    ``entity`` is the scene's own; ``cast`` are the known characters in it, ``references`` the pictures sent, both
    in order. ``corrections`` say what was wrong with pictures of the scene that were rejected. A cast member's own
    state counts, else the scene's word for that character. ``aspect_ratio`` is what will be asked for.
    """

    entity: Entity
    cast: Sequence[CastMember] = ()
    references: Sequence[SentReference] = ()
    place: PlaceInfo | None = None
    learned: Learned | None = None
    corrections: Sequence[str] = ()
    aspect_ratio: str = ""


@frozen
class Prompt:
    """The composed words, and the ``labels`` of the pictures that go before them, in their order.

    ``sections`` names each section that is in ``text`` with its length in characters, ``cuts`` what was trimmed to fit.
    ``view`` is what is seen of people, ``people`` those that are named, ``medium`` what the prompt says of the medium.
    """

    text: str
    labels: tuple[str, ...]
    sections: tuple[tuple[str, int], ...]
    cuts: tuple[Cut, ...]
    view: Seen = "faces"
    people: tuple[Person, ...] = ()
    medium: str = ""


def template_fields() -> dict[type, frozenset[str]]:
    """The fields of the objects that templates are given, by class: frozen data without methods that act."""
    classes = (Scene, Palette, Entity, PlaceInfo, Person, ArtDirection, Scenario, WeightRule)
    return {item: frozenset(field.name for field in fields(item)) for item in classes}


def view_of(scene: Scene) -> Seen:
    """What *scene* shows of people."""
    return seen(_own_texts(scene), bool(scene.characters) or scene.entity.startswith("character/"))


def compose(rules: Rules, scene: Scene, around: Around) -> Prompt:
    """Return the prompt of *scene*; equal arguments give equal text.

    Raises `RulesError` where a template fails, naming its file and part.
    """
    given = _given(rules, scene, around)
    parts = tuple(zip(rules.parts, _rendered(rules, given), strict=True))
    fitted = fit(parts, dict(rules.targets), rules.budget)
    labels = tuple(
        f"Image {number}: {_label(rules, item.role, item.name)}."
        for number, item in enumerate(around.references, start=1)
    )
    said = " ".join(filter(None, (given["medium"], given["finish"])))
    return Prompt(fitted.text, labels, fitted.sections, fitted.cuts, given["view"], given["people"], said)


def _own_texts(scene: Scene) -> tuple[str, ...]:
    """What the author says of this very picture."""
    return tuple(
        filter(None, (scene.prompt, scene.description, scene.pose, scene.setting, scene.hook, *scene.composition))
    )


def _given(rules: Rules, scene: Scene, around: Around) -> dict[str, Any]:
    """Everything that templates may use, by name; the list stands at the head of `prompts.yaml`."""
    entity, references, learned = around.entity, around.references, around.learned
    styles, view = rules.styles, view_of(scene)
    people = _people(rules, scene, around, view)
    place = around.place or (PlaceInfo(entity.name, entity.description) if entity.kind == "location" else None)
    own_key, own_traits = ("", ()) if entity.kind == "character" else (entity.key, entity.traits)
    elements = tuple(filter(is_visible, unique(scene.must_include)))
    traits = filter(is_visible, (*elements, *own_traits, *_findings(learned, own_key, own_traits)))
    own_words = " ".join(_own_texts(scene))
    kept = scene.prompt or scene.description  # what is never cut
    framing = tuple(map(_readable, scene.composition))
    medium, finish = _medium(scene, styles.art.medium)
    light, light_more = _light(scene)
    phrases = styles.moods.get(normalised(scene.mood), ())
    images = _images(references)
    crowd = tuple(visible(item.text) for item in scene.characters if item.text and not item.slug)
    left_out = without(
        styles,
        scene.avoid,
        (*scene.palette.avoid, *_forbidden(scene, styles.art.forbidden_colours)),
        Asked(
            (
                own_words,
                *elements,
                *crowd,
                scene.beat,
                scene.mood,
                *scene.palette.dominant,
                *scene.palette.accent,
                *(person.state for person in people),
            ),
            view != "nobody",
            len(people) if view == "faces" else 0,
            any(mark in own_words for mark in _LETTERING),
            f"{medium} {finish}",
        ),
        rules.most_negatives,
    )
    return {
        **rules.globals,
        "said": Said(),
        "scene": scene,
        "entity": entity,
        "view": view,
        "people": people,
        "ordered": len(people) > 1 and not any(word in normalised(own_words).split() for word in ("left", "right")),
        "crowd": tuple(filter(None, crowd)),
        "elements": elements,
        "own_traits": unique(traits)[len(elements) :],
        "images": images,
        "place": place and PlaceInfo(place.name, visible(place.description), place.zone),
        "zone_text": visible(scene.zone_text or (place.zone if place else "")),
        "materials": _materials(scene),
        "frame": _frame(around.aspect_ratio),
        "framing": framing,
        "medium": medium,
        "finish": finish,
        "says_view": says_view(" ".join((kept, *framing))),
        "says_light": says_light(kept) or bool(scene.lighting),
        "style": tuple(item for item in scene.style if not techniques(item)),
        "light": light,
        "light_more": light_more,
        "colours": _plain(scene.palette.dominant)[:_COLOURS]
        or (() if scene.palette.accent else styles.art.signature_colours),
        "accents": _plain(scene.palette.accent)[:1],
        "mood": scene.mood if " " in scene.mood.strip() else words(scene.mood),
        "mood_phrases": tuple(item for item in phrases if not (scene.lighting and says_light(item))),
        "kind_phrase": styles.image_kinds.get(scene.image_type, ""),
        "scenario": styles.scenarios[entity.kind],
        "weight": styles.weights[scene.weight],
        "art": styles.art,
        "learned_style": unique(item.text for item in learned.style) if learned else (),
        "corrections": unique(around.corrections),
        "wanted_state": left_out.wanted_state,
        "without_own": left_out.own,
        "without_more": left_out.more,
    }


def _people(rules: Rules, scene: Scene, around: Around, view: Seen) -> tuple[Person, ...]:
    """The cast, then those the scene names by a slug that is no known character's, as they are to be seen."""
    numbers: dict[str, int] = {}
    for number, reference in enumerate(around.references, start=1):
        if reference.role == "character":
            numbers.setdefault(reference.subject, number)
    learned = {
        member.slug: _findings(around.learned, f"character/{member.slug}", member.traits) for member in around.cast
    }
    return ordered_people(scene, around.cast, SeenAs(numbers, learned, view, rules.people))


def _findings(learned: Learned | None, subject: str, texts: Iterable[str]) -> tuple[str, ...]:
    """The learned traits of *subject* that none of the *texts* says already."""
    if learned is None:
        return ()
    said = Said()
    for text in texts:
        said.unsaid(text)
    return tuple(item.text for item in learned.traits if item.subject == subject and said.unsaid(item.text))


def _medium(scene: Scene, of_library: str) -> tuple[str, str]:
    """The first clause of the medium, and the rest of it.

    The scene's or its entity's own style replaces the library's, if it names a medium. An author's prompt that names a
    medium of its own is joined by none.
    """
    if own_techniques(scene.prompt or scene.description):
        return "", ""
    medium = one_line(sentences(filter(techniques, scene.style)) or of_library)
    if len(medium) <= _MOST_IN_MEDIUM:
        return medium, ""
    first = shorten(medium, _MOST_IN_MEDIUM).rstrip("…").rstrip(" ,;:")
    ends = [first.find(sign) for sign in (":", ";", ". ") if first.find(sign) >= _SHORTEST_CLAUSE]
    if ends:
        first = first[: min(ends)]
    rest = medium[len(first) :].lstrip(" ,;:.")
    return first, f"{rest[:1].upper()}{rest[1:]}"


def _light(scene: Scene) -> tuple[str, tuple[str, ...]]:
    """The main source, and the other things that are said of the light, without their keys."""
    said = [(key.casefold(), one_line(value)) for key, value in scene.lighting if is_visible(value)]
    main = next((key for wanted in _MAIN_LIGHTS for key, _ in said if key == wanted), said[0][0] if said else "")
    return next((value for key, value in said if key == main), ""), tuple(value for key, value in said if key != main)


def _plain(items: Iterable[str]) -> tuple[str, ...]:
    """*items* without a key in front: ``walls: tarred planks`` is "tarred planks"."""
    return unique(item.partition(": ")[2] or item for item in items)


def _readable(item: str) -> str:
    """A camera's or a composition's ``key: value`` as words: "low angle", "wide lens"."""
    key, _, value = item.partition(": ")
    if not value or key != key.lower() or len(key.split()) > 2:
        return item
    return f"{value} {key}" if key in _WITH_ITS_KEY and key not in value and len(value.split()) <= 3 else value


def _materials(scene: Scene) -> tuple[str, ...]:
    """The first materials, each on its own."""
    return _plain(part for item in scene.materials for part in _AT_COMMAS.split(item))[:_MATERIALS]


def _forbidden(scene: Scene, colours: Iterable[str]) -> tuple[str, ...]:
    """The library's forbidden *colours* without those that the scene itself has."""
    wanted = {normalised(colour) for colour in (*scene.palette.dominant, *scene.palette.accent)}
    return tuple(colour for colour in colours if normalised(colour) not in wanted)


def _images(references: Sequence[SentReference]) -> dict[str, tuple[int, ...]]:
    """The numbers of the pictures that go along, by role."""
    roles = ("character", "location", "scene", "other", "style")
    numbered = list(enumerate(references, start=1))
    return {role: tuple(number for number, item in numbered if item.role == role) for role in roles}


def _frame(ratio: str) -> str:
    """A ratio with a word for its shape."""
    width, _, height = ratio.partition(":")
    if not (width.isdecimal() and height.isdecimal()):
        return ""
    shape = "square" if width == height else "wide" if int(width) > int(height) else "upright"
    return f"{ratio}, {shape}"


@lru_cache(maxsize=4096)
def _label(rules: Rules, role: str, name: str) -> str:
    try:
        return one_line(_run(rules.roles[role], {**rules.globals, "name": name})).rstrip(".")
    except Exception as error:
        raise _failure(rules, f"reference_roles.{role}", error) from error


def _rendered(rules: Rules, given: Mapping[str, Any]) -> list[str]:
    """The text of every part, in order."""
    try:
        text = _run(rules.template, given)
    except Exception as error:  # a template is the user's program: it may fail in any way
        raise _blamed(rules, given, error) from error
    parts = text.split(PART_END)[:-1]
    if len(parts) != len(rules.parts):  # a text of the library holds the mark
        variables = {**given, "said": Said()}
        parts = [_run(template, variables) for _, template in part_templates(rules)]
    return list(map(_without_blank_lines, parts))


def _blamed(rules: Rules, given: Mapping[str, Any], error: Exception) -> RulesError:
    for part, template in part_templates(rules):
        try:
            _run(template, {**given, "said": Said()})
        except Exception as found:
            return _failure(rules, f"part {part.name!r}", found)
    return _failure(rules, "sections", error)


def _failure(rules: Rules, where: str, error: Exception) -> RulesError:
    return RulesError(f"{rules.prompts_path}: {where}: {error or type(error).__name__}")


def _run(template: Template, given: Mapping[str, Any]) -> str:
    context = template.new_context(given, shared=True)  # type: ignore[arg-type]  # it is only read
    return "".join(template.root_render_func(context))


def _without_blank_lines(text: str) -> str:
    return "\n".join(filter(None, map(str.strip, text.split("\n"))))
