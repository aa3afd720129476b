"""Who is in a picture, in the forms that authors and older tools give it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from chargen.library.fields import as_text, as_texts
from chargen.library.model import Depicted
from chargen.library.slugs import is_slug_like

Person = dict[str, Any]
"""``slug``, ``state``, ``text``, ``references`` as in Depicted; only what is not empty, so that it can be hashed."""

_SLUGS = ("slug", "character", "ref")
_STATES = ("state", "role")


def people(value: Any) -> list[Person]:
    """The people in a list of slugs, of ``{slug, state}`` or ``{generic_count, description}``, or of words."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    return [person for item in items if (person := _person(item))]


def people_by_state(value: Any) -> list[Person]:
    """The people in a mapping of slugs to states, or in whatever :func:`people` takes."""
    if isinstance(value, dict) and not any(key in value for key in (*_SLUGS, "generic_count", "description")):
        return [compact(slug=slug.strip(), state=as_text(state)) for slug, state in value.items()]
    return people(value)


def with_states(persons: Iterable[Person], states: Mapping[str, Any]) -> list[Person]:
    """*persons* with the states that are given by slug or by first name.

    What names nobody in the picture (``others``, say) becomes people in words.
    """
    left = {key.strip(): text for key, value in states.items() if (text := as_text(value))}
    result = []
    for person in persons:
        slug = person.get("slug", "")
        state = left.pop(slug, "") or left.pop(_first_name(slug, left), "")
        result.append({**person, "state": joined(state, person.get("state", ""))} if state else person)
    result += [{"text": text if _is_anybody(key) else f"{key}: {text}"} for key, text in left.items()]
    return result


def known_or_words(value: Any, is_known: Callable[[str], bool]) -> list[Person]:
    """People in a list of slugs that may hold free words: a slug that is not known stays a text."""
    return [
        {"text": person["slug"]} if "slug" in person and not is_known(person["slug"]) else person
        for person in people(value)
    ]


def anonymous(value: Any) -> list[Person]:
    """People in words, from ``{positions: […], activities: […]}``."""
    text = "; ".join(text for item in value.values() for text in as_texts(item)) if isinstance(value, dict) else ""
    return [{"text": text}] if text else []


def merged(persons: Iterable[Person]) -> list[Person]:
    """*persons*, each slug once: what is said of somebody twice is put together."""
    by_slug: dict[str, Person] = {}
    result: list[Person] = []
    for person in persons:
        slug = person.get("slug", "")
        if slug and slug in by_slug:
            known = by_slug[slug]
            if state := joined(known.get("state", ""), person.get("state", "")):
                known["state"] = state
            if references := list(dict.fromkeys([*known.get("references", []), *person.get("references", [])])):
                known["references"] = references
            continue
        copy = dict(person)
        if slug:
            by_slug[slug] = copy
        if copy not in result:
            result.append(copy)
    return result


def depicted(persons: Iterable[Person]) -> tuple[Depicted, ...]:
    """The model's objects for *persons*."""
    return tuple(
        Depicted(
            person.get("slug", ""), person.get("state", ""), person.get("text", ""), tuple(person.get("references", ()))
        )
        for person in persons
    )


def compact(**fields: Any) -> Person:
    """The fields that hold something."""
    return {key: value for key, value in fields.items() if value}


def joined(first: str, second: str) -> str:
    """Both texts, each once."""
    return "; ".join(dict.fromkeys(text for text in (first, second) if text))


def _person(item: Any) -> Person:
    if not isinstance(item, dict):
        text = as_text(item)
        return ({"slug": text} if is_slug_like(text) else {"text": text}) if text else {}
    slug = next((text for key in _SLUGS if (text := as_text(item.get(key)))), "")
    state = next((text for key in _STATES if (text := as_text(item.get(key)))), "")
    if slug:
        references = as_texts(item.get("portrait"))
        return compact(slug=slug, state=state, references=references)
    parts = (as_text(item.get(key)) for key in ("generic_count", "text", "description", "role", "state"))
    text = " ".join(part for part in parts if part)
    return {"text": text} if text else {}


def _first_name(slug: str, states: Mapping[str, Any]) -> str:
    first = slug.partition("-")[0]
    return next((key for key in states if key.casefold() == first), "") if first else ""


def _is_anybody(key: str) -> bool:
    return key.casefold() in {"others", "other", "crowd", "background", "everyone", "all"}
