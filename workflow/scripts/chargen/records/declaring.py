"""Declaring keys that users write: type, default, description and range stand once, in a dataclass field.

`rule_of` makes the JSON Schema of such a class, `defaults_of` its default values. The generated files
(`schemas/config.schema.json`, `config/config.yaml`, `docs/configuration.md`) are written by `docs/build.py`.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from chargen.base.frozen import frozen

_KEY = "key"
_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


@frozen
class Key:
    """What users may write under one key. ``limits`` are keywords of JSON Schema, like ``minimum``; ``group`` is the
    dataclass that declares the keys of a group."""

    description: str
    default: Any
    limits: Mapping[str, Any]
    group: type | None = None


def key(default: Any, description: str, **limits: Any) -> Any:
    """Return a dataclass field that users can set.

    *default* is as users would write it; None is written as an empty text. *limits* are keywords of JSON Schema;
    ``or_empty=True`` also allows ``""``, which stands for a value that depends on other keys, as the description says.
    """
    return field(default=default, metadata={_KEY: Key(description, default, limits)})


def group(of: type, description: str, **defaults: Any) -> Any:
    """Return a field that holds a group of keys, the dataclass *of*; *defaults* replace some of its own."""
    return field(default_factory=lambda: of(**defaults), metadata={_KEY: Key(description, defaults, {}, of)})


def keys_of(declared: type) -> Iterator[tuple[str, Key]]:
    """Yield name and declaration of each key of the dataclass *declared*, in order."""
    for item in dataclasses.fields(declared):
        if declaration := declaration_of(item):
            yield item.name, declaration


def declaration_of(item: dataclasses.Field[Any]) -> Key | None:
    """Return the declaration of a dataclass's field; None if users cannot set it."""
    declaration: Key | None = item.metadata.get(_KEY)
    return declaration


def defaults_of(declared: type, replaced: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the default of every key, as users would write it; *replaced* holds those that a group replaces."""
    values: dict[str, Any] = {}
    for name, declaration in keys_of(declared):
        if declaration.group:
            values[name] = defaults_of(declaration.group, declaration.default)
        else:
            value = (replaced or {}).get(name, declaration.default)
            values[name] = "" if value is None else list(value) if isinstance(value, tuple) else value
    return values


def rule_of(declared: type) -> dict[str, Any]:
    """Return the JSON Schema of the keys of *declared*; no other key is allowed, and none is required."""
    hints = get_type_hints(declared)
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: _rule(hints[name], declaration) for name, declaration in keys_of(declared)},
    }


def _rule(kind: Any, declaration: Key) -> dict[str, Any]:
    about = {"description": declaration.description}
    limits = dict(declaration.limits)
    or_empty = limits.pop("or_empty", False)
    if declaration.group:
        return about | rule_of(declaration.group)
    if get_origin(kind) in (Union, types.UnionType):  # a value or None, which users write as an empty text
        (kind,) = (item for item in get_args(kind) if item is not type(None))
        or_empty = True
    if get_origin(kind) is Literal:
        return about | {"enum": list(get_args(kind))}
    if get_origin(kind) is tuple:
        items = limits.pop("items", None) or {"type": _TYPES[get_args(kind)[0]], "minLength": 1}
        return about | {"type": "array", "items": items, **limits}
    rule = {"type": _TYPES[kind], **limits}
    return about | ({"oneOf": [rule, {"const": ""}]} if or_empty else rule)
