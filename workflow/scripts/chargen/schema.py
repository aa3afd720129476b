"""JSON Schemas of all that crosses a boundary, and errors from them that a person can act on."""

from __future__ import annotations

import difflib
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from chargen.problems import ChargenError

ROOT = Path(__file__).resolve().parents[3]
"""The checkout: the folder that holds schemas/, config/ and examples/."""


@cache
def load_schema(name: str) -> dict[str, Any]:
    """Return ``schemas/<name>.schema.json``."""
    schema: dict[str, Any] = orjson.loads((ROOT / "schemas" / f"{name}.schema.json").read_bytes())
    return schema


@cache
def _validator(name: str) -> Any:
    import jsonschema_rs

    return jsonschema_rs.validator_for(load_schema(name))


def errors(name: str, data: object) -> list[tuple[str, str]]:
    """Return ``(key path, what is wrong)`` for everything in *data* that the schema *name* refuses."""
    found = []
    for error in _validator(name).iter_errors(data):
        path = _dotted(error.instance_path)
        found.append((path, _in_words(error.message, name, path)))
    return found


def check(name: str, data: object, source: str) -> None:
    """Raise ChargenError naming *source*, the keys and what is wrong unless *data* fits the schema *name*."""
    found = errors(name, data)
    if found:
        lines = [f"{source}: {path or 'the whole file'}: {message}" for path, message in found]
        raise ChargenError("\n".join(lines))


def _dotted(path: list[str | int]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def _in_words(message: str, name: str, path: str) -> str:
    unexpected = message.partition("Additional properties are not allowed (")[2]
    if not unexpected:
        return message
    words = []
    known = _known_keys(load_schema(name), path)
    for key in unexpected.partition(" w")[0].split(", "):
        key = key.strip("'\"")
        near = difflib.get_close_matches(key, known, n=1)
        words.append(f"unknown key `{key}`" + (f", did you mean `{near[0]}`?" if near else ""))
    return "; ".join(words)


def _known_keys(schema: dict[str, Any], path: str) -> list[str]:
    for part in filter(None, path.split(".")):
        schema = schema.get("properties", {}).get(part, {})
    return list(schema.get("properties", {}))
