"""The form of an analysis: the fields for one entity's picture, and whether an answer fits it.

The one source is ``schemas/analysis.schema.json``. A request narrows it: to the kinds of pictures that make sense for
the entity, and to the entity's own traits, as ``t1``, ``t2``, … because long names tempt a model to shorten them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson

from chargen.base import schemas as schema
from chargen.base.frozen import frozen

Json = dict[str, Any]

IMAGE_TYPES: Mapping[str, tuple[str, ...]] = {
    "character": ("portrait", "full-body", "scene", "action", "collaborative", "mood"),
    "location": ("establishing", "zone", "detail", "inhabited", "temporal", "perspective", "mood"),
    "chapter": ("scene", "action", "collaborative", "portrait", "establishing", "detail", "mood"),
}
MAX_TRAITS = 40
"""More would make the form longer than the picture is worth."""

_SENT = frozenset(
    {
        "type", "properties", "required", "additionalProperties", "enum", "items", "minItems", "maxItems", "minimum",
        "maximum", "description",
    }
)  # fmt: skip
"""The words of JSON Schema that the API documents for response schemas and that are used here."""


SCHEMA_FIELDS = ("response_json_schema", "response_schema")
"""The fields of a request that may hold the form, the first choice first.

Reports contradict each other on which of them counts in a batch (a client tested live: the first; an issue of another
client: the second). So the prompt describes the form too, and an answer that does not fit is retried with the other
field.
"""


@frozen
class Read:
    """An answer that was read: ``data`` if it fits its form, else None; ``errors`` say what does not fit."""

    data: Json | None
    errors: tuple[str, ...] = ()


@lru_cache(maxsize=256)
def form(kind: str, traits: int) -> Json:
    """Return the JSON Schema for a picture of an entity of *kind* with that many traits. Do not change it."""
    whole: Json = orjson.loads(orjson.dumps(schema.load_schema("analysis")))
    wanted = {key: whole[key] for key in ("type", "required", "properties", "additionalProperties")}
    wanted["properties"]["image_type"]["enum"] = list(IMAGE_TYPES[kind])
    canon = wanted["properties"]["canon_analysis"]
    verdict = canon["properties"]["traits"]["additionalProperties"]
    if traits:
        names = [f"t{number}" for number in range(1, traits + 1)]
        canon["properties"]["traits"] |= {
            "properties": dict.fromkeys(names, verdict),
            "required": names,
            "additionalProperties": False,
        }
    else:
        canon["properties"].pop("traits")
        canon["required"].remove("traits")
    return wanted


def sendable(wanted: Json) -> Json:
    """Return *wanted* in the words that the API takes."""
    kept = {key: value for key, value in wanted.items() if key in _SENT}
    if "properties" in kept:
        kept["properties"] = {name: sendable(rule) for name, rule in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = sendable(kept["items"])
    return kept


def in_field(name: str, wanted: Json) -> Json:
    """Return the form *wanted*, as `sendable` gives it, in the words of the field *name* (of `SCHEMA_FIELDS`)."""
    return wanted if name == SCHEMA_FIELDS[0] else _openapi(wanted)


def other_field(name: str) -> str:
    """Return the field that is tried after *name*."""
    return next(field for field in SCHEMA_FIELDS if field != name)


def _openapi(wanted: Json) -> Json:
    """The API's own ``Schema``: a part of OpenAPI 3.0, with its types in capitals, that knows no closed objects."""
    kept = {_OPENAPI_NAMES.get(key, key): value for key, value in wanted.items() if key != "additionalProperties"}
    kept["type"] = kept["type"].upper()
    if "properties" in kept:
        kept["properties"] = {name: _openapi(rule) for name, rule in kept["properties"].items()}
    if "items" in kept:
        kept["items"] = _openapi(kept["items"])
    return kept


_OPENAPI_NAMES = {"minItems": "min_items", "maxItems": "max_items"}


def in_words(wanted: Json) -> str:
    """Return the form *wanted*, as `sendable` gives it, as text for a prompt: one line for each member."""
    return "\n".join(("The form: one JSON object with these members and no others.", *_members(wanted, "")))


def _members(wanted: Json, indent: str) -> Iterator[str]:
    required = wanted.get("required", ())
    for name, rule in wanted["properties"].items():
        must = "" if name in required else " (may be left out)"
        inner = rule.get("items", {}) if rule["type"] == "array" else rule
        has_members = "properties" in inner
        sentences = [_kind(rule), rule.get("description", "").rstrip("."), "Its members" if has_members else ""]
        yield f'{indent}- "{name}"{must}: {". ".join(filter(None, sentences))}{":" if has_members else "."}'
        if has_members:
            yield from _members(inner, indent + "  ")


def _kind(rule: Json) -> str:
    """What a value is, in words."""
    if "enum" in rule:
        return f"one of {', '.join(map(_quoted, rule['enum']))}"
    match rule["type"]:
        case "array":
            items = rule["items"]
            return {"object": "a list of objects", "string": "a list of texts"}.get(items["type"], "a list")
        case "object":
            return "an object"
        case "integer" if "minimum" in rule and "maximum" in rule:
            return f"a whole number from {rule['minimum']} to {rule['maximum']}"
        case "boolean":
            return "true or false"
        case kind:
            return {"string": "text", "integer": "a whole number", "number": "a number"}[kind]


def _quoted(value: object) -> str:
    return orjson.dumps(value).decode()


def read(text: str, kind: str, traits: Sequence[str]) -> Read:
    """Read a model's answer about a picture of an entity with *traits*; those stand by their words in the result."""
    try:
        data = orjson.loads(_unfenced(text))
    except orjson.JSONDecodeError as error:
        return Read(None, (f"the answer is not JSON: {error}",))
    errors = [f"{path or 'the whole answer'}: {message}" for path, message in _errors(data, kind, len(traits))]
    if errors:
        return Read(None, tuple(errors))
    verdicts = data["canon_analysis"].get("traits", {})
    data["canon_analysis"]["traits"] = {trait: verdicts[f"t{n}"] for n, trait in enumerate(traits, 1)}
    return Read(data)


def _unfenced(text: str) -> str:
    """*text* without the fence of a code block around it."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```"):
        text = text[3:-3].removeprefix("json").strip()
    return text


def _errors(data: object, kind: str, traits: int) -> list[tuple[str, str]]:
    found = []
    for error in _validator(kind, traits).iter_errors(data):
        path = ".".join(str(part) for part in error.instance_path)
        found.append((path, error.message))
    return found


@lru_cache(maxsize=256)
def _validator(kind: str, traits: int) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(form(kind, traits))
