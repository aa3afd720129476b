"""Compares a type that is written as JSON with the schema that describes what is written."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from chargen.base.reading import is_optional, stored_key

Rule = Mapping[str, Any]
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}


def differences(kind: Any, schema: Rule) -> list[str]:
    """Return where the dataclass *kind* and *schema* do not say the same: keys, which are required, and types."""
    return list(_differences(kind, schema, schema, ""))


def _differences(kind: Any, rule: Rule, schema: Rule, at: str) -> Iterator[str]:
    rule = _resolved(rule, schema)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        (kind,) = (one for one in arguments if one is not type(None))
        if "null" not in rule["type"]:
            yield f"{at}: null is not allowed by the schema"
        rule = {**rule, "type": next(one for one in rule["type"] if one != "null")}
        origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        yield from _of_object(kind, rule, schema, at)
    elif origin is Literal:
        if set(arguments) != set(rule["enum"]):
            yield f"{at}: {arguments} and {rule['enum']}"
    elif origin is tuple:
        if rule.get("type") != "array":
            yield f"{at}: a list, {rule.get('type')} in the schema"
        yield from _differences(arguments[0], rule["items"], schema, f"{at}[]")
    elif origin is not None and issubclass(origin, Mapping):
        more = rule.get("additionalProperties")
        for name, value in {**rule.get("properties", {}), **({"*": more} if isinstance(more, Mapping) else {})}.items():
            yield from _differences(arguments[1], value, schema, f"{at}.{name}")
    else:
        yield from _of_plain(kind, rule, at)


def _of_object(kind: Any, rule: Rule, schema: Rule, at: str) -> Iterator[str]:
    known = {stored_key(item): item for item in fields(kind)}
    if rule.get("additionalProperties") is not False:
        yield f"{at}: the schema allows unknown keys"
    yield from (f"{at}.{name}: not in the schema" for name in known.keys() - rule["properties"].keys())
    yield from (f"{at}.{name}: only in the schema" for name in rule["properties"].keys() - known.keys())
    hints = get_type_hints(kind)
    for name in known.keys() & rule["properties"].keys():
        item, required = known[name], name in rule.get("required", ())
        if required and is_optional(item):
            yield f"{at}.{name}: required, and not always written"
        if not required and not _has_default(item):
            yield f"{at}.{name}: not required, and cannot be read without it"
        yield from _differences(hints[item.name], rule["properties"][name], schema, f"{at}.{name}")


def _of_plain(kind: Any, rule: Rule, at: str) -> Iterator[str]:
    if "const" in rule or "enum" in rule:
        values = rule.get("enum", (rule.get("const"),))
        if not all(isinstance(value, kind) for value in values):
            yield f"{at}: {kind.__name__} and {values}"
        return
    expected = next((name for one, name in _PLAIN.items() if issubclass(kind, one) and kind is not bool), "boolean")
    if rule.get("type") != expected:
        yield f"{at}: {expected}, {rule.get('type')} in the schema"


def _has_default(item: Field[Any]) -> bool:
    return item.default is not MISSING or item.default_factory is not MISSING


def _resolved(rule: Rule, schema: Rule) -> Rule:
    while "$ref" in rule:
        rule = schema["$defs"][rule["$ref"].rpartition("/")[2]]
    return rule
