"""From a scene and its surroundings to the words of its request.

What is said, in which order and in which words stands in the templates of `prompts.yaml`; this module gathers
what they are given, and keeps the result within the length that the scene's weight allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from chargen.base.frozen import frozen
from chargen.library.model import Entity, Palette, Scene
from chargen.prompts.rules import (
    SECTION_END,
    ArtDirection,
    Rules,
    RulesError,
    Scenario,
    Section,
    Styles,
    WeightRule,
    section_templates,
)
from chargen.prompts.text import Said, cut_at_sentence, normalised, unique, words

if TYPE_CHECKING:
    from jinja2 import Template

_BETWEEN = "\n\n"


@frozen
class CastMember:
    """A known character in the picture. ``portrait_sent``: a reference picture of this person goes along."""

    slug: str
    name: str
    description: str
    traits: tuple[str, ...]
    state: str
    portrait_sent: bool


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
    state counts, else the scene's word for that character.
    """

    entity: Entity
    cast: Sequence[CastMember] = ()
    references: Sequence[SentReference] = ()
    place: PlaceInfo | None = None
    learned: Learned | None = None
    corrections: Sequence[str] = ()


@frozen
class Prompt:
    """The composed words.

    ``sections`` names each part that is in ``text`` with its length in characters; ``cut`` says what was
    trimmed to fit, ``warnings`` what the user should know.
    """

    text: str
    sections: tuple[tuple[str, int], ...]
    cut: tuple[str, ...]
    warnings: tuple[str, ...]


@frozen
class _Person:
    """A cast member as templates see one: ``image`` is the number of the reference picture, 0 without one."""

    name: str
    description: str
    traits: tuple[str, ...]
    state: str
    image: int
    portrait_sent: bool


@frozen
class _SentImage:
    """A reference as templates see one."""

    role: str
    name: str
    subject: str
    instruction: str


def template_fields() -> dict[type, frozenset[str]]:
    """The fields of the objects that templates are given, by class: frozen data without methods that act."""
    classes = (
        Scene, Palette, Entity, PlaceInfo, _Person, _SentImage, ArtDirection, Scenario, WeightRule
    )  # fmt: skip
    return {item: frozenset(field.name for field in fields(item)) for item in classes}


def compose(rules: Rules, scene: Scene, around: Around) -> Prompt:
    """Return the prompt of *scene*; equal arguments give equal text.

    Raises `RulesError` where a template fails, naming its file and section.
    """
    parts = tuple(zip(rules.sections, _rendered(rules, _given(rules, scene, around)), strict=True))
    return _fitted(parts, rules.styles.weights[scene.weight].max_chars, scene.weight)


def _given(rules: Rules, scene: Scene, around: Around) -> dict[str, Any]:
    """Everything that templates may use, by name; the list stands at the head of `prompts.yaml`."""
    entity, references, learned, place = around.entity, around.references, around.learned, around.place
    styles = rules.styles
    people = _people(scene, around.cast, references, learned)
    if place is None and entity.kind == "location":
        place = PlaceInfo(entity.name, entity.description)
    own_key, own_traits = ("", ()) if entity.kind == "character" else (entity.key, entity.traits)
    elements = unique(scene.must_include)
    return {
        **rules.globals,
        "said": Said(),
        "scene": scene,
        "entity": entity,
        "people": people,
        "names": tuple(person.name for person in people),
        "crowd": tuple(item.text for item in scene.characters if item.text and not item.slug),
        "elements": elements,
        "own_traits": unique((*elements, *own_traits, *_findings(learned, own_key, own_traits)))[len(elements) :],
        "references": _images(rules, references),
        "portraits": sum(1 for item in references if item.role == "character"),
        "place": place,
        "mood": scene.mood if " " in scene.mood.strip() else words(scene.mood),
        "mood_phrases": styles.moods.get(normalised(scene.mood), ()),
        "kind_phrase": styles.image_kinds.get(scene.image_type, ""),
        "scenario": styles.scenarios[entity.kind],
        "weight": styles.weights[scene.weight],
        "identity_chars": styles.identity_chars,
        "art": styles.art,
        "learned_style": unique(item.text for item in learned.style) if learned else (),
        "corrections": unique(around.corrections),
        "avoid": _negatives(styles, (*scene.avoid, *styles.negatives)),
        "avoid_colours": _unwanted_colours(styles, scene),
    }


def _people(
    scene: Scene, cast: Sequence[CastMember], references: Sequence[SentReference], learned: Learned | None
) -> tuple[_Person, ...]:
    """The cast, then those the scene names by a slug that is no known character's, with their states."""
    numbers: dict[str, int] = {}
    for number, reference in enumerate(references, start=1):
        if reference.role == "character":
            numbers.setdefault(reference.subject, number)
    states = {item.slug: item.state for item in scene.characters if item.slug}
    known = {member.slug for member in cast}
    people = [
        _Person(
            name=member.name,
            description=member.description,
            traits=unique((*member.traits, *_findings(learned, f"character/{member.slug}", member.traits))),
            state=member.state or states.get(member.slug, ""),
            image=numbers.get(f"character/{member.slug}", 0),
            portrait_sent=member.portrait_sent,
        )
        for member in cast
    ]
    for item in scene.characters:
        if item.slug and item.slug not in known:
            known.add(item.slug)
            people.append(_Person(words(item.slug).title(), item.text, (), item.state, 0, False))
    return tuple(people)


def _findings(learned: Learned | None, subject: str, texts: Iterable[str]) -> tuple[str, ...]:
    """The learned traits of *subject* that none of the *texts* says already."""
    if learned is None:
        return ()
    said = Said()
    for text in texts:
        said.unsaid(text)
    return tuple(item.text for item in learned.traits if item.subject == subject and said.unsaid(item.text))


def _images(rules: Rules, references: Sequence[SentReference]) -> tuple[_SentImage, ...]:
    return tuple(
        _SentImage(item.role, item.name, item.subject, _instruction(rules, item.role, item.name)) for item in references
    )


@lru_cache(maxsize=4096)
def _instruction(rules: Rules, role: str, name: str) -> str:
    try:
        return _without_blank_lines(_run(rules.roles[role], {**rules.globals, "name": name}))
    except Exception as error:
        raise _failure(rules, f"reference_roles.{role}", error) from error


def _negatives(styles: Styles, items: Iterable[str]) -> tuple[str, ...]:
    """*items* once each, without a leading "no", and with the table's milder words for blanket bans."""
    return unique(thing for item in items for thing in _negative(styles, item))


@lru_cache(maxsize=4096)
def _negative(styles: Styles, item: str) -> tuple[str, ...]:
    item = item.strip().rstrip(".,;")
    thing = _without_opening(item, styles.openings)
    milder = styles.milder.get(normalised(item), styles.milder.get(normalised(thing)))
    return (thing,) if milder is None else milder


def _without_opening(item: str, openings: Iterable[str]) -> str:
    folded = item.casefold()
    for opening in openings:
        if folded.startswith(f"{opening} "):
            return item[len(opening) + 1 :].lstrip()
    return item


def _unwanted_colours(styles: Styles, scene: Scene) -> tuple[str, ...]:
    """The colours to avoid of scene and art direction; what the scene itself paints with stays allowed."""
    wanted = {normalised(colour) for colour in (*scene.palette.dominant, *scene.palette.accent)}
    forbidden = (colour for colour in styles.art.forbidden_colours if normalised(colour) not in wanted)
    return unique((*scene.palette.avoid, *forbidden))


def _rendered(rules: Rules, given: Mapping[str, Any]) -> list[str]:
    """The text of every section, in order."""
    try:
        text = _run(rules.template, given)
    except Exception as error:  # a template is the user's program: it may fail in any way
        raise _blamed(rules, given, error) from error
    parts = text.split(SECTION_END)[:-1]
    if len(parts) != len(rules.sections):  # a text of the library holds the mark
        variables = {**given, "said": Said()}
        parts = [_run(template, variables) for _, template in section_templates(rules)]
    return list(map(_without_blank_lines, parts))


def _blamed(rules: Rules, given: Mapping[str, Any], error: Exception) -> RulesError:
    for section, template in section_templates(rules):
        try:
            _run(template, {**given, "said": Said()})
        except Exception as found:
            return _failure(rules, f"section {section.name!r}", found)
    return _failure(rules, "sections", error)


def _failure(rules: Rules, where: str, error: Exception) -> RulesError:
    return RulesError(f"{rules.prompts_path}: {where}: {error or type(error).__name__}")


def _run(template: Template, given: Mapping[str, Any]) -> str:
    context = template.new_context(given, shared=True)  # type: ignore[arg-type]  # it is only read
    return "".join(template.root_render_func(context))


def _without_blank_lines(text: str) -> str:
    return "\n".join(filter(None, map(str.strip, text.split("\n"))))


def _fitted(parts: Sequence[tuple[Section, str]], limit: int, weight: str) -> Prompt:
    """Trim *parts* at sentence ends, in the order of ``trim``, until together they fit *limit* characters."""
    texts = {section.name: text for section, text in parts if text}
    full = dict(texts)
    for section, text in parts:
        if section.max_chars and len(text) > section.max_chars:
            _replace(texts, section.name, cut_at_sentence(text, section.max_chars))
    for section in sorted((section for section, _ in parts if section.trim), key=lambda item: item.trim):
        over = _length(texts) - limit
        if over <= 0:
            break
        if text := texts.get(section.name, ""):
            _replace(texts, section.name, cut_at_sentence(text, max(0, len(text) - over)))
    return Prompt(
        text=_BETWEEN.join(texts.values()),
        sections=tuple((name, len(text)) for name, text in texts.items()),
        cut=tuple(
            f"{name}: {len(text) - len(texts.get(name, ''))} of {len(text)} characters"
            for name, text in full.items()
            if len(texts.get(name, "")) < len(text)
        ),
        warnings=_warnings(_length(texts), limit, weight),
    )


def _replace(texts: dict[str, str], name: str, text: str) -> None:
    if text:
        texts[name] = text
    else:
        texts.pop(name, None)


def _length(texts: Mapping[str, str]) -> int:
    return sum(map(len, texts.values())) + len(_BETWEEN) * max(0, len(texts) - 1)


def _warnings(length: int, limit: int, weight: str) -> tuple[str, ...]:
    if length <= limit:
        return ()
    return (
        f"the parts of the prompt that cannot be shortened take {length} characters, {length - limit} more than "
        f"weight {weight!r} allows: shorten the scene's texts or give it more weight",
    )
