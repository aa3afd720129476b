"""JSON for response schemas: it conforms, it is driven by the picture, and it is the same each time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import jsonschema
from hypothesis import given, settings
from hypothesis import strategies as st

from chargen.emulator.structured import Seen, answer

SEEN = Seen(1408, 768, ("#102030", "#405060", "#708090"), "Shows a placeholder landscape.", "seed")
SCALARS = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "maxLength": 5},
        {"type": "string", "enum": ["a", "b", "c"]},
        {"type": "integer", "minimum": 3, "maximum": 9},
        {"type": "number", "minimum": 0, "maximum": 1},
        {"type": "boolean"},
        {"type": ["string", "null"]},
        {"anyOf": [{"type": "null"}, {"type": "integer"}]},
    ]
)
NAMES = st.sampled_from(["colour", "alt_text", "width", "tags", "score", "kind"])


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    arrays = st.builds(
        lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 4)
    )
    objects = st.dictionaries(NAMES, inner, max_size=4).map(
        lambda members: {
            "type": "object",
            "properties": members,
            "required": sorted(members),
            "additionalProperties": False,
        }
    )
    return arrays | objects


@given(st.recursive(SCALARS, _nested, max_leaves=8))
@settings(max_examples=60, deadline=None)
def test_conforms(schema: dict[str, Any]) -> None:
    """Whatever the schema asks for, the answer validates against it, and a second answer is the same."""
    value = answer(schema, SEEN)

    jsonschema.validate(value, schema)
    assert value == answer(schema, SEEN)


def test_driven_by_the_picture() -> None:
    """Size, colours and sentence of the picture are found where the schema has a place for them."""
    schema = {
        "type": "OBJECT",
        "properties": {
            "width": {"type": "INTEGER"},
            "height": {"type": "INTEGER"},
            "dominant_colors": {"type": "ARRAY", "items": {"type": "STRING"}},
            "alt_text": {"type": "STRING"},
        },
        "required": ["width", "height", "dominant_colors", "alt_text"],
    }

    expected = {
        "width": 1408,
        "height": 768,
        "dominant_colors": ["#102030", "#405060", "#708090"],
        "alt_text": "Shows a placeholder landscape.",
    }
    assert expected == answer(schema, SEEN)


def test_references_and_recursion() -> None:
    """``$defs`` are followed, and a schema that contains itself comes to an end."""
    schema: dict[str, Any] = {
        "$ref": "#/$defs/node",
        "$defs": {
            "node": {
                "type": "object",
                "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/node"}},
                "required": ["name"],
            }
        },
    }

    jsonschema.validate(answer(schema, SEEN), schema)


def test_only_placeholders_are_denied_anything() -> None:
    """Yes or no is yes of a picture that somebody made; of the emulator's own, now and then no."""
    names = [str(number) for number in range(64)]
    schema = {"type": "object", "properties": {name: {"type": "boolean"} for name in names}, "required": names}

    assert {True} == set(answer(schema, SEEN).values())
    assert {True, False} == set(answer(schema, replace(SEEN, is_placeholder=True)).values())
