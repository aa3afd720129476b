"""Palette and lighting in the forms that files give them."""

from __future__ import annotations

from typing import Any

from chargen.library.fields import as_text, as_texts, unique, values_of, words

_USES = {
    "dominant": "dominant", "primary": "dominant", "secondary": "dominant", "base": "dominant",
    "accent": "accent", "accents": "accent", "avoid": "avoid", "forbidden": "avoid",
}  # fmt: skip
_LIGHT_ROLES = frozenset({
    "primary", "secondary", "primary_source", "secondary_source", "source", "quality", "direction",
    "color_temperature", "temperature", "shadow_depth", "shadows", "atmospheric", "atmosphere",
})  # fmt: skip


def palette(value: Any) -> dict[str, list[str]]:
    """Colours by use (``dominant``, ``accent``, ``avoid``); a list, a text or named colours are dominant ones."""
    if not isinstance(value, dict):
        return {"dominant": found} if (found := as_texts(value)) else {}
    uses: dict[str, list[str]] = {}
    for key, item in value.items():
        use = _USES.get(key.strip().lower())
        colours = values_of(item) if use else [f"{words(key)}: {text}" for text in values_of(item)]
        uses.setdefault(use or "dominant", []).extend(colours)
    return {use: unique(colours) for use, colours in uses.items() if colours}


def lighting(value: Any) -> dict[str, str]:
    """Light by aspect, in the order written; a mere text is all there is to say about the ``light``."""
    if isinstance(value, dict):
        return {key: text for key, item in value.items() if (text := as_text(item))}
    text = as_text(value)
    return {"light": text} if text else {}


def characteristic_light(value: Any, time_of_day: str) -> dict[str, str]:
    """The light of a place, for a scene that says nothing of its own.

    Keys are roles (``primary``, ``quality``), times of day or states of the place. Roles always apply; of times and
    states only those that the scene's time of day names, or the only one there is.
    """
    lights = lighting(value)
    if roles := {key: text for key, text in lights.items() if key.lower() in _LIGHT_ROLES}:
        return roles
    time = time_of_day.casefold()
    named = {key: text for key, text in lights.items() if time and words(key).casefold() in time}
    return named or (lights if len(lights) == 1 else {})
