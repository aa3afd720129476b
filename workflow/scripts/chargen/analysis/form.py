"""The form of an analysis: what is asked for one entity's picture, and whether an answer fits it.

The one source is ``schemas/analysis.schema.json``. A request narrows it: to the kinds of pictures that make sense for
the entity, and to the entity's own traits, as ``t1``, ``t2``, … because long names tempt a model to shorten them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from chargen import schema

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


@dataclass(frozen=True, slots=True)
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


def read(text: str, kind: str, traits: Sequence[str]) -> Read:
    """Read a model's answer about a picture of an entity with *traits*; those stand by their words in the result."""
    try:
        data = orjson.loads(_unfenced(text))
    except orjson.JSONDecodeError as error:
        return Read(None, (f"the answer is no JSON: {error}",))
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
