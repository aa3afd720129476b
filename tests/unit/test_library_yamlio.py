"""Tests of reading YAML: texts stay texts, places are known, and no file can hang or crash the reader."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargen.library import yamlio
from chargen.library.yamlio import InvalidYaml


def error_of(text: str | bytes) -> str:
    """The error that reading *text* ends with."""
    with pytest.raises(InvalidYaml) as caught:
        yamlio.parse(text, "x.yaml")
    return str(caught.value)


def test_scalars_stay_texts():
    """Nothing is converted but null, and a quoted null is a text."""
    text = "a: 16:9\nb: 15.5\nc: 2025-12-17\nd: on\ne: 01\nf: ~\ng: null\nh:\ni: 'null'\nj: ''\nk: !!int 7\n"

    data = yamlio.parse(text, "x.yaml")

    expected = {"a": "16:9", "b": "15.5", "c": "2025-12-17", "d": "on", "e": "01", "f": None, "g": None, "h": None}
    assert {**expected, "i": "null", "j": "", "k": "7"} == data


@pytest.mark.parametrize("text", ["", "# nothing\n", "\ufeff", "---\n", "~\n"])
def test_empty_file_is_empty_mapping(text):
    """A file without a value is an empty mapping."""
    assert {} == yamlio.parse(text, "x.yaml")


def test_places_count_from_one():
    """Keys and items know line and column, also with CRLF and non-ASCII text before them."""
    data = yamlio.parse("é: û\r\nlist:\r\n  - a\r\n  - {k: v}\r\n", "x.yaml")

    assert [(2, 1), (3, 5), (4, 5), (4, 6)] == [
        data.position("list"),
        data["list"].position(0),
        data["list"].position(1),
        data["list"][1].position("k"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a: "x", "y"\n', "x.yaml:1:7: while parsing a block mapping: did not find expected key"),
        ("a: 1\nb:\n  c: 1\n  c: 2\n", "x.yaml:4:3: the key 'c' appears again (first in line 3)"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2:1: expected a single document in the stream: but found another document"),
        ("a: 1\n...\n", "x.yaml:2:1: the document ends at '...'; remove that line"),
        ("- a\n", "x.yaml:1:1: the top level must be a mapping (key: value), but it is a list"),
        ("hello\n", "x.yaml:1:1: the top level must be a mapping (key: value), but it is a text"),
        ("a: *b\n", "x.yaml:1:4: found undefined alias"),
        ("a: &a [*a]\n", "x.yaml:1:4: the value contains itself through an alias"),
        ("? [a]\n: b\n", "x.yaml:1:3: a key must be plain text, not a list or a mapping"),
        (b"a: b\nc: \xff\n", "x.yaml:2:4: the file is not UTF-8; save it as UTF-8"),
        (b"a: b\0\n", "x.yaml:1:5: the file contains a NUL byte"),
        (b"a: \x01\n", "x.yaml:1:4: control characters are not allowed"),
    ],
)
def test_faults_are_named_with_their_place(text, expected):
    """What cannot be read in one way only is an error with line and column."""
    assert expected == error_of(text)


@pytest.mark.parametrize("text", ["[" * 100_000, "- " * 50_000, "{a: " * 1000, "? " * 5000])
def test_deep_nesting_is_an_error(text):
    """Neither the parser's stack nor ours ends the process."""
    assert "nested more than 100 deep" in error_of(text)


def test_alias_bomb_is_an_error():
    """A few lines that stand for billions of values are refused."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]

    assert "aliases make the value too large" in error_of("\n".join(lines))


def test_alias_is_the_same_value():
    """Honest use of aliases works."""
    assert {"a": ["x"], "b": ["x"]} == yamlio.parse("a: &n [x]\nb: *n\n", "x.yaml")


def test_large_file_is_not_read(tmp_path):
    """A file beyond the limit ends as an error, not as memory."""
    file = tmp_path / "x.yaml"
    file.write_bytes(b"a: b\n" + b"#" * yamlio.MAX_BYTES)

    with pytest.raises(InvalidYaml, match="larger than 16 MiB"):
        yamlio.read(file, "x.yaml")


def test_syntax_check_agrees_with_parse():
    """The check that builds nothing finds the same fault."""
    with pytest.raises(InvalidYaml) as caught:
        yamlio.check_syntax(b'a: "x", "y"\n', "x.yaml")

    assert error_of('a: "x", "y"\n') == str(caught.value)


@pytest.mark.parametrize("text", ["a: [1, {b: ~}]\nc: |\n  x\n", 'a: "x", "y"\n', "a: 1\na: 2\n", "[" * 500])
def test_pure_python_loader_reads_the_same(monkeypatch, text):
    """Without libyaml the values are the same, and what is refused is refused."""

    def outcome() -> object:
        try:
            return yamlio.parse(text, "x.yaml")
        except InvalidYaml as error:
            return error.place.line

    expected = outcome()
    monkeypatch.setattr(yamlio, "_Loader", yamlio._PureLoader)

    assert expected == outcome()


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | st.text(alphabet="a:-[]{}&*!|>'\"#?~ \n\r\t,.%@`", max_size=60))
def test_any_bytes_end_as_data_or_error(data):
    """Whatever a file holds, the reader answers with a mapping or with InvalidYaml."""
    try:
        found = yamlio.parse(data, "x.yaml")
    except InvalidYaml as error:
        found = error.place

    assert isinstance(found, dict) or "x.yaml" == found.file
