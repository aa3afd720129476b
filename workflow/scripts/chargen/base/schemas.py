"""JSON Schemas of all that crosses a boundary, and errors from them that a person can act on."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from chargen.base.errors import ChargenError

ROOT = Path(__file__).resolve().parents[4]
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


def errors(name: str, data: object, also: Collection[str] = ()) -> list[tuple[str, str]]:
    """Return ``(key path, what is wrong)`` for everything in *data* that the schema *name* refuses.

    *also* are other keys that users may have meant at the top level.
    """
    found = []
    for error in _validator(name).iter_errors(data):
        path = _dotted(error.instance_path)
        found.append((path, _in_words(error.message, name, path, () if path else also)))
    return found


def check(name: str, data: object, source: str) -> None:
    """Raise ChargenError naming *source*, the keys and what is wrong unless *data* fits the schema *name*."""
    refuse(errors(name, data), source)


def refuse(found: Sequence[tuple[str, str]], source: str) -> None:
    """Raise ChargenError naming *source* if *found*, as `errors` returns them, are any."""
    if found:
        lines = [f"{source}: {path}: {message}" if path else f"{source}: {message}" for path, message in found]
        raise ChargenError("\n".join(lines))


def _dotted(path: list[str | int]) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else part)
    return text


def _in_words(message: str, name: str, path: str, also: Collection[str]) -> str:
    rule = _rule(load_schema(name), path)
    if message.endswith("'oneOf' keyword"):
        return f"{message.partition(' is not valid')[0]} is neither {' nor '.join(map(_wanted, rule['oneOf']))}"
    unexpected = message.partition("Additional properties are not allowed (")[2]
    if not unexpected:
        return message
    words = []
    known = [*rule.get("properties", {}), *also]
    for key in unexpected.partition(" w")[0].split(", "):
        key = key.strip("'\"")
        near = difflib.get_close_matches(key, known, n=1)
        words.append(f"unknown key `{key}`" + (f", did you mean `{near[0]}`?" if near else ""))
    return "; ".join(words)


def _rule(schema: dict[str, Any], path: str) -> dict[str, Any]:
    for part in filter(None, path.split(".")):
        schema = schema.get("properties", {}).get(part, {})
    return schema


def _wanted(rule: dict[str, Any]) -> str:
    """One of several things that a value may be, in words."""
    if "const" in rule:
        return "empty" if rule["const"] == "" else str(rule["const"])
    least = f" of at least {rule['minimum']}" if "minimum" in rule else ""
    return f"a {rule['type']}{least}"
