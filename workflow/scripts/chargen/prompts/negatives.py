"""What is not in the picture: the wanted state first, then few nouns, none of which the picture needs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from chargen.prompts.rules import Styles
from chargen.prompts.text import normalised, unique
from chargen.prompts.vocabulary import is_made_by_hand, is_of_a_camera, needs

_PEOPLE = frozenset(
    {"people", "humans", "persons", "characters", "crowds", "crowd", "figures", "human figures", "person"}
)
_OF_BODIES = ("finger", "limb", "face", "hand")
_OF_TEXT = ("text", "caption", "lettering", "letters", "words")
DESERTED = "Deserted, nobody in view"


class Without(NamedTuple):
    """The state that is wanted instead, and the nouns: of the scene, and of the look."""

    wanted_state: str
    own: tuple[str, ...]
    more: tuple[str, ...]


class Asked(NamedTuple):
    """What the picture needs: its texts, whether people are in it, how many faces are seen of those that are named, and
    whether words are to be read in it."""

    texts: Sequence[str]
    has_people: bool
    faces: int
    has_lettering: bool
    medium: str


def without(styles: Styles, own: Iterable[str], colours: Iterable[str], asked: Asked, most: int) -> Without:
    """Return what is to be left out of a picture: at most *most* nouns, the scene's *own* before those of the look."""
    said = [thing for item in own for thing in _milder(styles, item)]
    state = ""
    if any(_bans_people(item) for item in own) and not asked.has_people:
        state = DESERTED
    allowed = [item for item in unique((*said, *colours)) if not _contradicts(item, asked)]
    first = _distinct(allowed)[:most]
    general = [thing for item in styles.negatives for thing in _milder(styles, item)]
    rest = [item for item in unique(general) if not _contradicts(item, asked)]
    both = _distinct([*first, *rest])
    return Without(state, tuple(first), tuple(both[len(first) : most]))


def _contradicts(item: str, asked: Asked) -> bool:
    """Whether the picture needs *item*, or cannot have it anyway."""
    low = normalised(item)
    if low in _PEOPLE or low.startswith("people whom"):
        return True  # said as a state, or wanted
    if "same face" in low and asked.faces < 2:
        return True
    if not asked.has_people and any(word in low for word in _OF_BODIES):
        return True
    if asked.has_lettering and any(word in low.split() or f"{word}s" in low.split() for word in _OF_TEXT):
        return True
    if is_of_a_camera(item) and is_made_by_hand(asked.medium):
        return True
    return needs(asked.texts, item)


def _bans_people(item: str) -> bool:
    low = normalised(item)
    return any(low == word or low.endswith(f" {word}") for word in _PEOPLE)


def _distinct(items: Iterable[str]) -> list[str]:
    """*items* without those whose words all stand in an earlier one."""
    kept: list[str] = []
    for item in items:
        if not any(needs([other], item) for other in kept):
            kept.append(item)
    return kept


@lru_cache(maxsize=4096)
def _milder(styles: Styles, item: str) -> tuple[str, ...]:
    """*item* without a leading "no", or the table's milder words for a blanket ban."""
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
