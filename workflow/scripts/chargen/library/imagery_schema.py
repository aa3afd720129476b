"""The JSON Schema of `imagery.yaml`, made from the declarations, for editors: completion, descriptions, typing errors.

It is no stricter than the reader: numbers and yes or no are texts to it, and a file of an older tool may hold any keys.
"""

from __future__ import annotations

from typing import Any, get_args

from chargen.library.entity_keys import ENTITY_KEYS
from chargen.library.model import KINDS, Weight
from chargen.library.records import REVIEW_STATUSES
from chargen.library.scene import SCENE_FIELDS, Palette
from chargen.library.scene_field import SceneField
from chargen.library.v1 import DEFAULT_KEYS, FOREIGN_KEYS, PERSON_KEYS, SCENE_KEYS

Rule = dict[str, Any]

_TEXT: Rule = {"type": ["string", "number", "boolean", "null"]}
_TEXTS: Rule = {"type": ["string", "number", "boolean", "array", "object", "null"]}
_RATIO: Rule = {"type": ["string", "number", "null"], "pattern": r"^\s*[1-9]\d{0,2}\s*:\s*[1-9]\d{0,2}\s*$"}


def imagery_schema() -> Rule:
    """Return the schema."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "chargen imagery.yaml",
        "description": "Which pictures of a character, a location or a chapter should exist.",
        "type": ["object", "null"],
        "properties": {name: {"description": about, **_of_entity(name)} for name, about in ENTITY_KEYS.items()},
        "if": {"anyOf": [{"required": [key]} for key in sorted(FOREIGN_KEYS)]},
        "then": {"description": "A file of an older tool: it may hold any other keys."},
        "else": {"propertyNames": {"enum": list(ENTITY_KEYS)}},
        "$defs": {"scene": _scene()},
    }


def _of_entity(name: str) -> Rule:
    if name == "schema":
        return {"type": ["string", "integer"], "enum": [1, "1"]}
    if name == "kind":
        return {"enum": list(KINDS)}
    if name == "scenes":
        return {"type": ["array", "null"], "items": {"$ref": "#/$defs/scene"}}
    if name == "defaults":
        properties = {key: _rule(SCENE_FIELDS[key]) for key in DEFAULT_KEYS}
        return {"type": ["object", "null"], "additionalProperties": False, "properties": properties}
    if name == "zones":
        return {"type": ["object", "array", "null"]}
    if name == "generated_images":
        status = {"enum": list(REVIEW_STATUSES), "description": "Yours to change."}
        return {"type": ["array", "null"], "items": {"type": "object", "properties": {"status": status}}}
    if name in ("image_inventory", "image_reviews"):
        return {"type": ["array", "null"], "items": {"type": "object"}}
    if name in SCENE_FIELDS and SCENE_FIELDS[name].level == "entity":
        return _form(SCENE_FIELDS[name])
    return _TEXTS if name == "traits" else _TEXT


def _scene() -> Rule:
    return {
        "type": "object",
        "description": "One picture that should exist.",
        "additionalProperties": False,
        "anyOf": [{"required": ["prompt"]}, {"required": ["description"]}],
        "properties": {name: _rule(SCENE_FIELDS[name]) for name in SCENE_KEYS},
    }


def _rule(item: SceneField) -> Rule:
    return {"description": item.description, **_form(item)}


def _form(item: SceneField) -> Rule:
    """What may be written for a field, as the reader takes it."""
    if item.type == "ratio":
        return _RATIO
    if item.type == "weight":
        return {"enum": [*get_args(Weight), None]}
    if item.type == "number":
        return {"type": ["integer", "string", "null"], "minimum": 1}
    if item.type == "yes or no":
        return {"type": ["boolean", "string", "null"]}
    if item.type == "palette":
        uses = dict.fromkeys(Palette.__dataclass_fields__, _TEXTS)
        return {"type": ["object", "array", "string", "null"], "properties": uses}
    if item.type == "people":
        person = {"type": "object", "properties": dict.fromkeys(PERSON_KEYS, _TEXTS)}
        return {"type": ["array", "object", "string", "null"], "items": {"anyOf": [_TEXT, person]}}
    if item.type in ("texts", "references", "light", "text"):
        return _TEXTS
    return _TEXT
