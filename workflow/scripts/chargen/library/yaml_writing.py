"""Records as lines of YAML, and the events that they read back as."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard

from chargen.library.yaml_events import LIST_END, MAP_END, Mark

Value = str | int | float | bool | None | Mapping[str, Any] | Sequence[Any]
"""What an item may hold: texts, numbers, truth values, null, and maps and lists of these."""

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_UNSAFE = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}


def signature_of(value: Value) -> list[Mark]:
    """Return the events that *value* must read back as."""
    if isinstance(value, Mapping):
        inner = [mark for key, item in value.items() for mark in (key_mark(key), *signature_of(item))]
        return [("map", not value, None, None), *inner, MAP_END]
    if _is_list(value):
        inner = [mark for item in value for mark in signature_of(item)]
        return [("list", not value, None, None), *inner, LIST_END]
    if isinstance(value, str):
        return [("scalar", encodable(value), '"', None, None)]
    return [("scalar", scalar(value), "", None, None)]


def key_mark(key: str) -> Mark:
    return ("scalar", key, "" if _is_plain_key(key) else '"', None, None)


def _is_plain_key(key: str) -> bool:
    return bool(_PLAIN_KEY.match(key)) and key.lower() not in _YAML_WORDS


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _map_lines(value: Mapping[str, Value]) -> Iterator[str]:
    for key, item in value.items():
        name = key if _is_plain_key(key) else _quoted(key)
        nested = _nested_lines(item)
        if nested:
            yield f"{name}:"
            yield from ("  " + line for line in nested)
        else:
            yield f"{name}: {scalar(item)}"


def list_lines(value: Iterable[Value]) -> Iterator[str]:
    for item in value:
        lines = _nested_lines(item) or [scalar(item)]
        yield "- " + lines[0]
        yield from ("  " + line for line in lines[1:])


def _nested_lines(value: Value) -> list[str]:
    """Return the lines of a map or list that has any, relative to their own indentation."""
    if isinstance(value, Mapping):
        return list(_map_lines(value))
    return list(list_lines(value)) if _is_list(value) else []


def scalar(value: Value) -> str:
    """Return what fits on one line: a quoted text, a number, a truth value, null, or an empty map or list."""
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping) and not value:
        return "{}"
    if _is_list(value) and not value:
        return "[]"
    raise TypeError(f"a record cannot hold a {type(value).__name__}")


def _float(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("a record cannot hold a number that is not finite")
    text = repr(value)
    digits, exponent, power = text.partition("e")
    return text if "." in digits or not exponent else f"{digits}.0e{power}"  # YAML 1.1 wants the point


def _quoted(text: str) -> str:
    return f'"{_UNSAFE.sub(_escape, encodable(text))}"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}"


def encodable(text: str) -> str:
    """Return the text with lone surrogates, which no file can hold, replaced by U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)
