"""Patterns of expected answers: plain values must be equal, objects may have more members than are named, lists
must have the same length, and ``$`` operators say the rest.

docs/conformance.md lists the operators.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

_VARIABLE = re.compile(r"\$\{(\w+)\}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?Z")
_SHOWN = 300


class BadPattern(ValueError):
    """A pattern that cannot be followed; ``path`` leads to the place inside it."""

    def __init__(self, message: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.path = tuple(path)


class _Absent:
    def __repr__(self) -> str:
        return "nothing"


ABSENT: Any = _Absent()
"""Stands for a member that is not there."""


class CutString(str):
    """A string whose publisher left its content out: ``length`` characters of unknown content."""

    length: int

    def __new__(cls, text: str, length: int) -> CutString:
        """*text* is what stands in its place."""
        made = super().__new__(cls, text)
        made.length = length
        return made


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One place where a value is not as expected."""

    where: str
    expected: str
    got: str


@dataclass(frozen=True)
class Matcher:
    """Compares values with patterns. ``shapes`` are named patterns.

    With ``lenient`` a ``${variable}`` stands for any text: a recording was made with other names.
    """

    shapes: Mapping[str, Any] = field(default_factory=dict)
    lenient: bool = False

    def match(self, pattern: Any, value: Any, where: str = "$") -> list[Mismatch]:
        """Every place at which *value* is not as *pattern* says."""
        return list(self._match(pattern, value, where))

    def _match(self, pattern: Any, value: Any, where: str) -> Iterator[Mismatch]:
        if isinstance(pattern, dict):
            yield from self._object(pattern, value, where)
        elif value is ABSENT:
            yield _mismatch(where, pattern, value)
        elif isinstance(pattern, list):
            yield from self._list(pattern, value, where)
        elif self.lenient and isinstance(pattern, str) and _VARIABLE.search(pattern):
            if not re.fullmatch(_any_text(re.escape(pattern)), str(value), re.DOTALL):
                yield _mismatch(where, pattern, value)
        elif not _equal(pattern, value):
            yield _mismatch(where, pattern, value)

    def _object(self, pattern: Mapping[str, Any], value: Any, where: str) -> Iterator[Mismatch]:
        members = {name: item for name, item in pattern.items() if not name.startswith("$")}
        operators = {name: item for name, item in pattern.items() if name.startswith("$") and name != "$only"}
        for name, argument in operators.items():
            yield from _OPERATORS[name](self, argument, value, where)
        if not members and "$only" not in pattern:
            if not operators and not isinstance(value, dict):
                yield _mismatch(where, "an object", value)
            return
        if not isinstance(value, dict):
            yield _mismatch(where, "an object", value)
            return
        for name, item in members.items():
            yield from self._match(item, value.get(name, ABSENT), f"{where}.{name}")
        for name in sorted(set(value) - set(members)) if pattern.get("$only") else ():
            yield _mismatch(f"{where}.{name}", ABSENT, value[name])

    def _list(self, pattern: Sequence[Any], value: Any, where: str) -> Iterator[Mismatch]:
        if not isinstance(value, list):
            yield _mismatch(where, "a list", value)
            return
        if len(pattern) != len(value):
            yield Mismatch(where, f"{len(pattern)} items", f"{len(value)} items: {shown(value)}")
        for number, (item, found) in enumerate(zip(pattern, value, strict=False)):
            yield from self._match(item, found, f"{where}[{number}]")


def variables(value: Any) -> set[str]:
    """The names of all ``${variables}`` in *value*."""
    if isinstance(value, str):
        return set(_VARIABLE.findall(value))
    if isinstance(value, dict):
        return set().union(*(variables(item) for item in (*value.keys(), *value.values())))
    return set().union(*(variables(item) for item in value)) if isinstance(value, list) else set()


def filled(value: Any, known: Mapping[str, Any], *, inside_regex: bool = False) -> Any:
    """*value* with its ``${variables}`` replaced; one that is the whole text keeps its type.

    Raises KeyError for an unknown one.
    """
    if isinstance(value, str):
        whole = _VARIABLE.fullmatch(value)
        if whole and not inside_regex:
            return known[whole[1]]
        quote = re.escape if inside_regex else str
        return _VARIABLE.sub(lambda found: quote(str(known[found[1]])), value)
    if isinstance(value, dict):
        return {filled(name, known): filled(item, known, inside_regex=name == "$regex") for name, item in value.items()}
    return [filled(item, known) for item in value] if isinstance(value, list) else value


def check(pattern: Any, shapes: Mapping[str, Any], path: tuple[str | int, ...] = ()) -> None:
    """Raise BadPattern for an operator that does not exist or an argument that makes no sense."""
    if isinstance(pattern, list):
        for number, item in enumerate(pattern):
            check(item, shapes, (*path, number))
    if not isinstance(pattern, dict):
        return
    for name, argument in pattern.items():
        if not isinstance(name, str):
            raise BadPattern(f"the member name {name!r} must be text", path)
        here = (*path, name)
        if not name.startswith("$") or name in _NESTED:
            check(argument, shapes, here)
        elif name not in _OPERATORS and name != "$only":
            raise BadPattern(f"there is no operator {name}; known are {', '.join(sorted(_OPERATORS))}, $only", here)
        if name in _ARGUMENTS and not _ARGUMENTS[name](argument):
            raise BadPattern(f"{name} cannot have {shown(argument)}", here)
        if name == "$shape" and argument not in shapes:
            raise BadPattern(f"there is no shape {argument!r}; known are {', '.join(sorted(shapes))}", here)
        if name == "$regex":
            try:
                re.compile(_any_text(argument))
            except re.error as error:
                raise BadPattern(f"not a regular expression: {error}", here) from None


def shown(value: Any) -> str:
    """*value* as JSON, shortened."""
    if value is ABSENT:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}…{text[-_SHOWN // 2 :]}"


def _mismatch(where: str, expected: Any, got: Any) -> Mismatch:
    return Mismatch(where, expected if isinstance(expected, str) and " " in expected else shown(expected), shown(got))


def _equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, int | float) and isinstance(other, int | float):
        return one == other
    return (type(one) is type(other) or isinstance(other, CutString)) and one == other


def _any_text(regex: str) -> str:
    return re.sub(r"\\?\$\\?\{\w+\\?\}", ".+", regex)


# -- operators --

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "null": lambda value: value is None,
}


def _type(matcher: Matcher, argument: str, value: Any, where: str) -> Iterator[Mismatch]:
    if value is ABSENT or not _TYPES[argument](value):
        yield Mismatch(where, f"of type {argument}", shown(value))


def _regex(matcher: Matcher, argument: str, value: Any, where: str) -> Iterator[Mismatch]:
    regex = _any_text(argument) if matcher.lenient else argument
    if isinstance(value, CutString):
        return
    if not isinstance(value, str) or not re.search(regex, value, re.DOTALL):
        yield Mismatch(where, f"text that fits /{argument}/", shown(value))


def _contains(matcher: Matcher, argument: str, value: Any, where: str) -> Iterator[Mismatch]:
    if not isinstance(value, str) or argument not in value:
        yield Mismatch(where, f"text with {shown(argument)} in it", shown(value))


def _one_of(matcher: Matcher, argument: Sequence[Any], value: Any, where: str) -> Iterator[Mismatch]:
    found = [matcher.match(item, value, where) for item in argument]
    if all(found):
        nearest = min(found, key=len)
        inside = "; ".join(f"{item.where}: expected {item.expected}, got {item.got}" for item in nearest[:3])
        yield Mismatch(where, f"one of {len(argument)} patterns", f"none of them; nearest: {inside}")


def _not(matcher: Matcher, argument: Any, value: Any, where: str) -> Iterator[Mismatch]:
    if not matcher.match(argument, value, where):
        yield Mismatch(where, f"anything but {shown(argument)}", shown(value))


def _absent(matcher: Matcher, argument: bool, value: Any, where: str) -> Iterator[Mismatch]:
    if value is not ABSENT:
        yield _mismatch(where, ABSENT, value)


def _any(matcher: Matcher, argument: bool, value: Any, where: str) -> Iterator[Mismatch]:
    if value is ABSENT:
        yield Mismatch(where, "anything", "nothing")


def _optional(matcher: Matcher, argument: Any, value: Any, where: str) -> Iterator[Mismatch]:
    if value is not ABSENT:
        yield from matcher.match(argument, value, where)


def _each(matcher: Matcher, argument: Any, value: Any, where: str) -> Iterator[Mismatch]:
    if not isinstance(value, list):
        yield _mismatch(where, "a list", value)
        return
    for number, item in enumerate(value):
        yield from matcher.match(argument, item, f"{where}[{number}]")


def _some(matcher: Matcher, argument: Any, value: Any, where: str) -> Iterator[Mismatch]:
    if not isinstance(value, list) or not any(not matcher.match(argument, item) for item in value):
        yield Mismatch(where, f"a list with an item that fits {shown(argument)}", shown(value))


def _unordered(matcher: Matcher, argument: Sequence[Any], value: Any, where: str) -> Iterator[Mismatch]:
    if not isinstance(value, list) or len(value) != len(argument):
        yield Mismatch(where, f"a list of {len(argument)} items", shown(value))
        return
    left = list(value)
    for item in argument:
        at = next((number for number, found in enumerate(left) if not matcher.match(item, found)), None)
        if at is None:
            yield Mismatch(where, f"an item that fits {shown(item)}, in any place", shown(value))
        else:
            del left[at]


def _length(matcher: Matcher, argument: Any, value: Any, where: str) -> Iterator[Mismatch]:
    if isinstance(value, CutString):
        size = value.length
    elif isinstance(value, str | list | dict):
        size = len(value)
    else:
        yield Mismatch(where, "something with a length", shown(value))
        return
    bounds = {"at_least": argument, "at_most": argument} if isinstance(argument, int) else argument
    if not bounds.get("at_least", 0) <= size <= bounds.get("at_most", size):
        yield Mismatch(where, f"length {shown(argument)}", f"length {size}")


def _number(value: Any) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?", value):
        return float(value)
    return float(value) if _TYPES["number"](value) else None


def _at_least(matcher: Matcher, argument: float, value: Any, where: str) -> Iterator[Mismatch]:
    number = _number(value)
    if number is None or number < argument:
        yield Mismatch(where, f"at least {argument}", shown(value))


def _at_most(matcher: Matcher, argument: float, value: Any, where: str) -> Iterator[Mismatch]:
    number = _number(value)
    if number is None or number > argument:
        yield Mismatch(where, f"at most {argument}", shown(value))


def _json(matcher: Matcher, argument: Any, value: Any, where: str) -> Iterator[Mismatch]:
    try:
        inner = json.loads(value)
    except (TypeError, ValueError):
        yield Mismatch(where, "JSON in a text", shown(value))
        return
    yield from matcher.match(argument, inner, f"{where}:json")


def _base64(matcher: Matcher, argument: Any, value: Any, where: str) -> Iterator[Mismatch]:
    if isinstance(value, CutString):
        return
    try:
        text = base64.b64decode(value, validate=True).decode(errors="replace")
    except (TypeError, ValueError, binascii.Error):
        yield Mismatch(where, "base64", shown(value))
        return
    yield from matcher.match(argument, text, f"{where}:decoded")


def _image(matcher: Matcher, argument: Mapping[str, Any], value: Any, where: str) -> Iterator[Mismatch]:
    """Base64 of a picture: ``type`` (png, jpeg, webp), ``ratio`` like "16:9" within ``tolerance`` (0.06),
    ``long_side`` as [least, most] pixels.
    """
    if isinstance(value, CutString):
        return
    from PIL import Image

    try:
        with Image.open(io.BytesIO(base64.b64decode(value, validate=True))) as picture:
            kind, (width, height) = str(picture.format).lower(), picture.size
            picture.load()
    except (TypeError, ValueError, OSError) as error:
        yield Mismatch(where, "base64 of a picture", f"{shown(value)}: {error}")
        return
    if kind != argument.get("type", kind):
        yield Mismatch(where, f"a picture of type {argument['type']}", kind)
    if "ratio" in argument:
        across, down = (int(side) for side in argument["ratio"].split(":"))
        if abs(width / height / (across / down) - 1) > argument.get("tolerance", 0.06):
            yield Mismatch(where, f"a picture of ratio {argument['ratio']}", f"{width}×{height}")
    least, most = argument.get("long_side", (0, max(width, height)))
    if not least <= max(width, height) <= most:
        yield Mismatch(where, f"a longer side of {least} to {most} pixels", f"{width}×{height}")


def _time(matcher: Matcher, argument: bool | int, value: Any, where: str) -> Iterator[Mismatch]:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if not found or (argument is not True and len(found[1] or "") != argument):
        digits = "" if argument is True else f" with {argument} digits after the point"
        yield Mismatch(where, f"a time in UTC{digits}", shown(value))


def _seconds(text: Any) -> float:
    found = _TIME.fullmatch(text)
    if not found:
        raise ValueError(text)
    whole = datetime.strptime(text[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp()
    return whole + float(f"0.{found[1] or 0}")


def _span(matcher: Matcher, argument: Mapping[str, Any], value: Any, where: str) -> Iterator[Mismatch]:
    """The time between two members, in seconds."""
    try:
        span = _seconds(value[argument["to"]]) - _seconds(value[argument["from"]])
    except (TypeError, KeyError, ValueError):
        yield Mismatch(where, f"the times {argument['from']} and {argument['to']}", shown(value))
        return
    if not argument.get("at_least_s", span) <= span <= argument.get("at_most_s", span):
        bounds = f"from {argument.get('at_least_s', '-∞')} to {argument.get('at_most_s', '∞')} s"
        yield Mismatch(where, f"{bounds} between {argument['from']} and {argument['to']}", f"{span:.6f} s")


def _sum(matcher: Matcher, argument: Mapping[str, Any], value: Any, where: str) -> Iterator[Mismatch]:
    """One member is the sum of others; absent ones count as 0."""
    try:
        total, parts = value[argument["total"]], sum(value.get(name, 0) for name in argument["of"])
    except (TypeError, KeyError, AttributeError):
        yield Mismatch(where, f"the members {argument['total']} and {', '.join(argument['of'])}", shown(value))
        return
    if total != parts:
        yield Mismatch(f"{where}.{argument['total']}", f"the sum of {', '.join(argument['of'])}: {parts}", shown(total))


def _shape(matcher: Matcher, argument: str, value: Any, where: str) -> Iterator[Mismatch]:
    yield from matcher.match(matcher.shapes[argument], value, where)


_Operator = Callable[[Matcher, Any, Any, str], Iterator[Mismatch]]
_OPERATORS: Mapping[str, _Operator] = {
    "$absent": _absent,
    "$any": _any,
    "$at_least": _at_least,
    "$at_most": _at_most,
    "$base64": _base64,
    "$contains": _contains,
    "$each": _each,
    "$image": _image,
    "$json": _json,
    "$length": _length,
    "$not": _not,
    "$one_of": _one_of,
    "$optional": _optional,
    "$regex": _regex,
    "$shape": _shape,
    "$some": _some,
    "$span": _span,
    "$sum": _sum,
    "$time": _time,
    "$type": _type,
    "$unordered": _unordered,
}
OPERATORS = (*_OPERATORS, "$only")
"""The names of all operators."""
_NESTED = frozenset(["$base64", "$each", "$json", "$not", "$one_of", "$optional", "$some", "$unordered"])


def _is_bounds(argument: Any) -> bool:
    return isinstance(argument, int) or (isinstance(argument, dict) and set(argument) <= {"at_least", "at_most"})


def _has(names: set[str], needed: set[str]) -> Callable[[Any], bool]:
    return lambda argument: isinstance(argument, dict) and needed <= set(argument) <= names


_ARGUMENTS: Mapping[str, Callable[[Any], bool]] = {
    "$absent": lambda argument: argument is True,
    "$any": lambda argument: argument is True,
    "$only": lambda argument: argument is True,
    "$at_least": _TYPES["number"],
    "$at_most": _TYPES["number"],
    "$contains": _TYPES["string"],
    "$regex": _TYPES["string"],
    "$type": lambda argument: isinstance(argument, str) and argument in _TYPES,
    "$time": lambda argument: argument is True or argument in range(10),
    "$length": _is_bounds,
    "$one_of": lambda argument: isinstance(argument, list) and len(argument) > 1,
    "$unordered": _TYPES["array"],
    "$image": _has({"type", "ratio", "tolerance", "long_side"}, set()),
    "$span": _has({"from", "to", "at_least_s", "at_most_s"}, {"from", "to"}),
    "$sum": _has({"total", "of"}, {"total", "of"}),
}
