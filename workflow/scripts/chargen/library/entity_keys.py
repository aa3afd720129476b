"""The keys at the top level of `imagery.yaml`, version 1, with their descriptions."""

from __future__ import annotations

from collections.abc import Mapping

from chargen.library.scene import SCENE_FIELDS

_DEFAULTS = ", ".join(f"`{name}`" for name, item in SCENE_FIELDS.items() if item.level == "defaults")

_DESCRIBED = {
    "schema": "Version of the format; 1 is the only one. May be left out.",
    "kind": "`character`, `location` or `chapter`; must match the folder. May be left out.",
    "name": "The name in prompts. Without it, the folder's name as words.",
    "description": "What it looks like. A character's description is used in each scene with the character, a "
    "location's in each scene set there, a chapter's in its own scenes. It is shortened, if a portrait is sent, to "
    "`identity_chars` (`config/styles.yaml`); traits are never shortened.",
    "traits": "What must be seen: of a character wherever the character is, of a location or chapter in its own "
    "scenes.",
    "style": "Added to the style of each scene.",
    "mood": "For scenes without one. A mood listed in `config/styles.yaml` is replaced by the text there, any other is "
    "sent as you wrote it.",
    "palette": "`dominant`, `accent` and `avoid`; for scenes without their own. Colours to avoid are added up.",
    "avoid": "Added to what each scene avoids.",
    "portrait": "The reference picture of this entity: a path in its folder or in the library, or the id of one of its "
    "scenes. Without it see [references](#references).",
    "references": "Pictures sent with each of its scenes.",
    "defaults": f"{_DEFAULTS} for scenes without their own.",
    "zones": "Parts of a location with a text for each.",
    "scenes": "The pictures that should exist.",
    "generated_images": "Written by chargen, see [records](#records).",
    "image_inventory": "Written by chargen, see [records](#records).",
    "image_reviews": "Written by chargen, see [records](#records).",
}

ENTITY_KEYS: Mapping[str, str] = _DESCRIBED | {
    name: f"For all its scenes: {item.description}"
    for name, item in SCENE_FIELDS.items()
    if item.level == "entity" and name not in _DESCRIBED
}
"""Every key with what it does, in the order in which a file usually has them."""
