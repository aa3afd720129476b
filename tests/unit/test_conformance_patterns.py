"""Patterns: what fits, what does not, and where."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from conformance.patterns import ABSENT, OPERATORS, BadPattern, CutString, Matcher, check, filled, variables


def _picture(kind: str, width: int, height: int) -> str:
    content = io.BytesIO()
    Image.new("RGB", (width, height)).save(content, kind)
    return base64.b64encode(content.getvalue()).decode()


MATCHER = Matcher({"size": {"$regex": r"^\d+$"}})
FITS: list[tuple[Any, Any]] = [
    ({"a": 1}, {"a": 1, "b": 2}),
    ({"$only": True, "a": 1}, {"a": 1}),
    ({}, {"anything": 1}),
    ([1, {"a": 2}], [1, {"a": 2, "b": 3}]),
    (1, 1.0),
    (None, None),
    ({"a": {"$absent": True}}, {}),
    ({"a": {"$any": True}}, {"a": None}),
    ({"a": {"$optional": 1}}, {}),
    ({"$at_least": 2, "$at_most": 3}, "2"),
    ({"$base64": {"$contains": "word"}}, base64.b64encode(b"a word").decode()),
    ({"$each": {"$type": "string"}}, ["a", "b"]),
    ({"$each": 1}, []),
    ({"$image": {"type": "png", "ratio": "16:9", "long_side": [1400, 1410]}}, _picture("PNG", 1408, 768)),
    ({"$json": {"colour": "red"}}, '{"colour": "red"}'),
    ({"$length": 2}, "ab"),
    ({"$length": {"at_least": 1}}, CutString("<9 chars>", 9)),
    ({"$not": 1}, 2),
    ({"$one_of": [1, {"$type": "string"}]}, "x"),
    ({"$regex": "^a.c$"}, "a\nc"),
    ({"$shape": "size"}, "12"),
    ({"$some": {"k": 1}}, [{"k": 2}, {"k": 1}]),
    ({"$span": {"from": "a", "to": "b", "at_least_s": 1.5, "at_most_s": 1.6}},
     {"a": "2026-11-25T10:00:00Z", "b": "2026-11-25T10:00:01.55Z"}),
    ({"$sum": {"total": "t", "of": ["a", "b"]}}, {"t": 3, "a": 3}),
    ({"$time": 6}, "2026-11-25T10:00:00.123456Z"),
    ({"$type": "null"}, None),
    ({"$unordered": [{"k": 1}, {"k": 2}]}, [{"k": 2}, {"k": 1}]),
]  # fmt: skip
DIFFERS: list[tuple[Any, Any, str]] = [
    ({"a": {"b": 1}}, {"a": {"b": 2}}, "$.a.b"),
    ({"a": 1}, {}, "$.a"),
    ({"$only": True, "a": 1}, {"a": 1, "b": 2}, "$.b"),
    ({}, [], "$"),
    ([1], [1, 2], "$"),
    (1, True, "$"),
    (1, "1", "$"),
    ({"a": {"$absent": True}}, {"a": None}, "$.a"),
    ({"a": {"$any": True}}, {}, "$.a"),
    ({"a": {"$optional": 1}}, {"a": 2}, "$.a"),
    ({"$at_least": 2}, "one", "$"),
    ({"$at_most": 2}, 3, "$"),
    ({"$base64": {}}, "no base64!", "$"),
    ({"$contains": "x"}, "abc", "$"),
    ({"$each": {"k": 1}}, [{"k": 1}, {"k": 2}], "$[1].k"),
    ({"$image": {"type": "jpeg"}}, _picture("PNG", 8, 8), "$"),
    ({"$image": {"ratio": "1:1"}}, _picture("PNG", 16, 9), "$"),
    ({"$image": {}}, base64.b64encode(b"no picture").decode(), "$"),
    ({"$json": {"a": 1}}, '{"a": 2}', "$:json.a"),
    ({"$length": {"at_most": 1}}, [1, 2], "$"),
    ({"$not": {"$type": "string"}}, "x", "$"),
    ({"$one_of": [1, 2]}, 3, "$"),
    ({"$regex": "^a$"}, 1, "$"),
    ({"$shape": "size"}, 12, "$"),
    ({"$some": {"k": 1}}, [{"k": 2}], "$"),
    ({"$span": {"from": "a", "to": "b", "at_most_s": 1}},
     {"a": "2026-11-25T10:00:00Z", "b": "2026-11-25T10:00:02Z"}, "$"),
    ({"$sum": {"total": "t", "of": ["a"]}}, {"t": 3, "a": 2}, "$.t"),
    ({"$time": 9}, "2026-11-25T10:00:00.123456Z", "$"),
    ({"$time": True}, "yesterday", "$"),
    ({"$type": "integer"}, True, "$"),
    ({"$unordered": [1, 1]}, [1, 2], "$"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "value"), FITS)
def test_fits(pattern: Any, value: Any) -> None:
    """The value is as the pattern says."""
    check(pattern, MATCHER.shapes)

    assert [] == MATCHER.match(pattern, value)


@pytest.mark.parametrize(("pattern", "value", "where"), DIFFERS)
def test_differs(pattern: Any, value: Any, where: str) -> None:
    """The value is not as the pattern says, and the place is named."""
    check(pattern, MATCHER.shapes)

    assert [where] == [mismatch.where for mismatch in MATCHER.match(pattern, value)]


def test_every_operator_is_tried() -> None:
    """No operator is without a value that fits and one that differs."""
    fits = {name for pattern, _ in FITS for name in OPERATORS if name in repr(pattern)}
    differs = {name for pattern, *_ in DIFFERS for name in OPERATORS if name in repr(pattern)}

    assert (set(OPERATORS), set(OPERATORS)) == (fits | {"$contains"}, differs)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ({"a": {"$nothing": 1}}, r"there is no operator \$nothing"),
        ({"$one_of": [1]}, r"\$one_of cannot have"),
        ({"$type": "text"}, r"\$type cannot have"),
        ({"$regex": "("}, "not a regular expression"),
        ({"$shape": "none"}, "there is no shape 'none'"),
        ([{"$length": "long"}], r"\$length cannot have"),
    ],
)
def test_bad_patterns(pattern: Any, message: str) -> None:
    """A pattern that cannot be followed is refused before anything is asked."""
    with pytest.raises(BadPattern, match=message):
        check(pattern, MATCHER.shapes)


def test_variables_are_filled_in() -> None:
    """A variable that is the whole text keeps its type; in a regular expression it stands for itself."""
    pattern = {"a": "${number}", "b": "x-${word}", "c": {"$regex": "^${word}$"}}

    assert {"number", "word"} == variables(pattern)
    done = filled(pattern, {"number": 7, "word": "a.b"})
    assert {"a": 7, "b": "x-a.b", "c": {"$regex": r"^a\.b$"}} == done


def test_recordings_have_other_names() -> None:
    """Against a recording a variable stands for any text."""
    lenient = Matcher({}, lenient=True)

    assert [] == lenient.match({"name": "files/${id}", "x": {"$regex": "^${id}$"}}, {"name": "files/abc", "x": "abc"})
    assert ["$.name"] == [m.where for m in lenient.match({"name": "files/${id}"}, {"name": "batches/abc"})]
    assert ["$.name"] == [m.where for m in lenient.match({"name": "files/${id}"}, {"name": ABSENT})]
