"""Plain data, as JSON gives it, made into frozen dataclasses, and dataclasses made into plain data.

The libraries that do this (msgspec, mashumaro, cattrs) were measured at 30 to 70 ms of import time, and most steps
start in less than 80 ms. What they would do for us is done here: nested types, defaults, optional values, literals,
and errors that name the key. Reading is tolerant, because files of earlier versions are read; writing is strict: the
keys are the fields, in their order.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, Self, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
_Reader = Callable[[Any, str], Any]

_OPTIONAL = "optional"
_REST = "rest"
_KEY = "key"


def key(name: str, default: Any = MISSING) -> Any:
    """Return a field that is stored under the key *name*: one that is no name in Python, or another's."""
    return field(default=default, metadata={_KEY: name})


def optional(default: Any = None) -> Any:
    """Return a field that is written only where it differs from its *default*: a key that not every file has."""
    return field(default=default, metadata={_OPTIONAL: True})


def rest() -> Any:
    """Return a field, a mapping, that takes all keys no other field has; they are written after those of the others."""
    return field(default_factory=dict, metadata={_REST: True})


class WrongShape(ValueError):
    """Data that does not fit its type; the message has the key and the value."""


class Document:
    """What is stored as a JSON object."""

    __slots__ = ()

    @classmethod
    def from_json(cls, data: object) -> Self:
        """Return *data* as this document. Raises `WrongShape`, which names the key, for what does not fit."""
        return build(cls, data)

    def to_json(self) -> dict[str, Any]:
        """Return plain data, its keys in the order in which they are stored."""
        return plain_object(self)


def build(kind: type[T], data: object) -> T:
    """Return *data* as *kind*, a frozen dataclass.

    Keys that *kind* does not know are ignored, unless it has a field for them (`rest`). A key that is missing, or null
    where null means nothing, takes its default. Raises `WrongShape` for everything else that does not fit.
    """
    whole: Any = kind
    value: T = _reader(whole)(data, "")
    return value


def extend(kind: type[T], base: Any, **more: Any) -> T:
    """Return the dataclass *base* as *kind*, a subclass of its type, with the fields that it has *more*."""
    return kind(**{item.name: getattr(base, item.name) for item in fields(base)}, **more)


def plain(value: Any) -> Any:
    """Return *value* as plain data that `build` takes back."""
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, int | float):
        return value
    if is_dataclass(value):
        return plain_object(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value]


def plain_object(value: Any) -> dict[str, Any]:
    """Return the dataclass *value* as a plain object, its keys in the order of its fields."""
    result: dict[str, Any] = {}
    kind: Any = type(value)
    for name, stored, is_rest, is_optional, default in _written(kind):
        item = getattr(value, name)
        if is_rest:
            result |= plain(item)
        elif not (is_optional and item == default):
            result[stored] = plain(item)
    return result


@cache
def _written(kind: Any) -> list[tuple[str, str, bool, bool, Any]]:
    return [
        (item.name, stored_key(item), _REST in item.metadata, is_optional(item), item.default)
        for item in fields(kind)
        if item.init
    ]


def is_optional(item: Field[Any]) -> bool:
    """Whether the field *item* is written only where it differs from its default."""
    return _OPTIONAL in item.metadata


def stored_key(item: Field[Any]) -> str:
    """Return the key that the field *item* is stored under."""
    name: str = item.metadata.get(_KEY, item.name)
    return name


@cache
def _reader(kind: Any) -> _Reader:
    """Return what reads a value of type *kind*; it takes the value and the key's path."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any or kind is object:
        return lambda value, at: value
    if kind is float:
        return _number
    if kind in (str, int, bool):
        return _plain(kind)
    if kind is type(None):
        return _nothing
    if origin is Literal:
        return _literal(arguments)
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return _many(arguments[0], tuple)
    if origin is tuple:
        return _row(arguments)
    if origin is list:
        return _many(arguments[0], list)
    if origin in (dict, Mapping):
        return _mapping(arguments[1])
    if kind in (dict, Mapping):
        return _mapping(Any)
    if is_dataclass(kind):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, str):
        return _text_of(kind)
    raise TypeError(f"no reader for {kind!r}")


def _plain(kind: type) -> _Reader:
    def read(value: Any, at: str) -> Any:
        if type(value) is kind:
            return value
        if kind is int and type(value) is float and value.is_integer():
            return int(value)
        raise _wrong(value, at, {str: "text", int: "a whole number", bool: "true or false"}[kind])

    return read


def _text_of(kind: type[str]) -> _Reader:
    read_text = _plain(str)
    return lambda value, at: kind(read_text(value, at))


def _number(value: Any, at: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise _wrong(value, at, "a number")


def _nothing(value: Any, at: str) -> None:
    if value is not None:
        raise _wrong(value, at, "null")


def _literal(values: tuple[Any, ...]) -> _Reader:
    def read(value: Any, at: str) -> Any:
        if value in values:
            return value
        raise _wrong(value, at, "one of " + ", ".join(map(str, values)))

    return read


def _union(kinds: tuple[Any, ...]) -> _Reader:
    readers = [_reader(kind) for kind in kinds]

    def read(value: Any, at: str) -> Any:
        wrong: WrongShape | None = None
        for reader in readers:
            try:
                return reader(value, at)
            except WrongShape as error:
                wrong = wrong or error
        assert wrong is not None
        raise wrong

    return read


def _many(kind: Any, collect: Callable[[list[Any]], Any]) -> _Reader:
    reader = _reader(kind)

    def read(value: Any, at: str) -> Any:
        if not isinstance(value, list | tuple):
            raise _wrong(value, at, "a list")
        return collect([reader(item, f"{at}[{number}]") for number, item in enumerate(value)])

    return read


def _row(kinds: tuple[Any, ...]) -> _Reader:
    readers = [_reader(kind) for kind in kinds]

    def read(value: Any, at: str) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(readers):
            raise _wrong(value, at, f"a list of {len(readers)}")
        pairs = enumerate(zip(readers, value, strict=True))
        return tuple(reader(item, f"{at}[{number}]") for number, (reader, item) in pairs)

    return read


def _mapping(kind: Any) -> _Reader:
    reader = _reader(kind)

    def read(value: Any, at: str) -> Any:
        if not isinstance(value, Mapping):
            raise _wrong(value, at, "an object")
        return {str(key): reader(item, f"{at}.{key}" if at else str(key)) for key, item in value.items()}

    return read


def _record(kind: Any) -> _Reader:
    hints = get_type_hints(kind)
    read_from = [item for item in fields(kind) if item.init]
    members = [
        (item.name, stored_key(item), _reader(hints[item.name]), _default(item))
        for item in read_from
        if _REST not in item.metadata
    ]
    others = next((item.name for item in read_from if _REST in item.metadata), "")
    known = frozenset(stored for _, stored, _, _ in members)

    def read(value: Any, at: str) -> Any:
        if isinstance(value, kind):
            return value
        if not isinstance(value, Mapping):
            raise _wrong(value, at, "an object")
        found = {}
        for name, stored, reader, default in members:
            item = value.get(stored)
            if item is None and default is not None:
                continue
            if item is None and stored not in value:
                raise WrongShape(f"{at}.{stored} is missing" if at else f"{stored} is missing")
            found[name] = reader(item, f"{at}.{stored}" if at else stored)
        if others:
            found[others] = {str(key): item for key, item in value.items() if key not in known}
        return kind(**found)

    return read


def _default(field: Field[Any]) -> Callable[[], Any] | None:
    """Return what makes the default of *field*; None if it has none, or if null is a value of its own."""
    if field.default_factory is not MISSING:
        return field.default_factory
    return None if field.default is MISSING else (lambda: field.default)


def _wrong(value: Any, at: str, wanted: str) -> WrongShape:
    shown = repr(value)
    return WrongShape(f"{at or 'it'} should be {wanted}, not {shown if len(shown) <= 60 else shown[:57] + '…'}")
