"""Who is in a picture, in the order and with the words in which a prompt names them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from chargen.base.frozen import frozen
from chargen.library.model import Scene
from chargen.prompts.rules import PeopleRule
from chargen.prompts.text import Said, normalised, one_line, shorten, unique, words
from chargen.prompts.vocabulary import Seen, visible

_LEAST_LOOKS = 120
_LOSSES = frozenset({"no", "not", "without", "gone", "lost", "off", "missing", "bare", "removed", "shaved", "torn"})
_FACE = frozenset({
    "face", "eye", "eyes", "eyed", "nose", "mouth", "lips", "brow", "brows", "eyebrows", "cheek", "cheeks", "jaw",
    "chin", "smile", "teeth", "freckles", "freckled", "beard", "moustache", "stubble", "scar",
})  # fmt: skip


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
class Person:
    """Somebody as templates see them: ``image`` is the number of the portrait that goes along, 0 without one."""

    name: str
    features: tuple[str, ...]
    looks: str
    state: str
    image: int
    portrait_sent: bool


class SeenAs(NamedTuple):
    """The numbers of portraits by subject, learned traits by slug, what is to be seen, and the rules for words."""

    numbers: Mapping[str, int]
    learned: Mapping[str, tuple[str, ...]]
    view: Seen
    rule: PeopleRule


def ordered_people(scene: Scene, cast: Sequence[CastMember], seen_as: SeenAs) -> tuple[Person, ...]:
    """Return the people of *scene*: as the author's prompt names them from left to right, the others behind."""
    states = {item.slug: item.state for item in scene.characters if item.slug}
    known = {member.slug for member in cast}
    people = [_person(member, member.state or states.get(member.slug, ""), seen_as) for member in cast]
    for item in scene.characters:
        if item.slug and item.slug not in known:
            known.add(item.slug)
            people.append(Person(words(item.slug).title(), (), visible(item.text), item.state, 0, False))
    text = normalised(f"{scene.prompt} {scene.description}")
    places = {person.name: _position(person.name, text) for person in people}
    return _within(sorted(people, key=lambda person: places[person.name]), seen_as.rule.all)


def _person(member: CastMember, state: str, seen_as: SeenAs) -> Person:
    rule = seen_as.rule
    traits = unique((*member.traits, *seen_as.learned.get(member.slug, ())))
    state = visible(one_line(state))
    traits = tuple(trait for trait in map(visible, traits) if trait and not _contradicted(trait, state))
    if seen_as.view in ("hands", "backs"):
        traits = tuple(trait for trait in traits if _FACE.isdisjoint(normalised(trait).split()))
    room = rule.with_portrait if member.portrait_sent else rule.without
    features: list[str] = []
    for trait in traits[: rule.features]:
        if features and sum(map(len, features)) + len(trait) > room:
            break
        features.append(shorten(trait, room))
    left = room - sum(len(feature) + 2 for feature in features)
    looks = _unsaid(visible(one_line(member.description)), features)
    if seen_as.view == "hands" or (member.portrait_sent and features):
        looks = ""
    if looks and not features and not member.portrait_sent:  # what is left of somebody when looks are cut
        features = [shorten(looks, _LEAST_LOOKS)]
        looks = _unsaid(looks, features)
    return Person(
        member.name,
        tuple(features),
        shorten(looks, left) if left > 40 else "",
        state,
        seen_as.numbers.get(f"character/{member.slug}", 0),
        member.portrait_sent,
    )


def _unsaid(text: str, features: Sequence[str]) -> str:
    said = Said()
    for feature in features:
        said.unsaid(feature)
    return said.unsaid(text)


def _contradicted(trait: str, state: str) -> bool:
    """Whether *state* takes away what *trait* names: "a straw hat" and "the hat gone"."""
    found = normalised(state).split()
    head = normalised(trait).split()[-1:]
    return bool(head) and head[0] in found and not _LOSSES.isdisjoint(_around(found, head[0]))


def _around(said: Sequence[str], word: str) -> Sequence[str]:
    at = said.index(word)
    return said[max(0, at - 3) : at + 4]


def _position(name: str, text: str) -> int:
    """Where *text* names somebody: by the whole name, else by its first word; behind all others if nowhere."""
    for called in (normalised(name), normalised(name).partition(" ")[0]):
        if called and (at := f" {text} ".find(f" {called} ")) >= 0:
            return at
    return len(text) + 1


def _within(people: Sequence[Person], room: int) -> tuple[Person, ...]:
    """*people* with shorter looks, those of the last ones first, until all words fit."""
    result = list(people)

    def length() -> int:
        return sum(len(person.looks) + sum(len(item) + 2 for item in person.features) for person in result)

    for index in reversed(range(len(result))):
        over = length() - room
        if over <= 0:
            break
        person = result[index]
        keeps = max(len(person.looks) - over, 0 if person.features or person.portrait_sent else 80)
        looks = shorten(person.looks, keeps) if keeps > 40 else ""
        result[index] = Person(person.name, person.features, looks, person.state, person.image, person.portrait_sent)
    return tuple(result)
