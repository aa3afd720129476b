"""A result file is read line by line as a JSON parser would, without ever holding a line."""

from __future__ import annotations

import base64
import gzip
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chargen.pictures.formats import BrokenPicture
from chargen.providers.base import NO_TOKENS, Slice
from chargen.providers.gemini.lines import GeminiLine, LineError
from chargen.providers.gemini.scanner import LONG_STRING, MAX_BASE64, ResultFile

LONG = base64.b64encode(bytes(range(256)) * 39).decode()
SIGNATURE = "x" * (LONG_STRING + 1)


def reply(*parts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "candidates": [{"content": {"parts": list(parts), "role": "model"}, "finishReason": "STOP"}],
        **more,
    }


def image(data: str, **more: Any) -> dict[str, Any]:
    return {"inlineData": {"mimeType": "image/png", "data": data}, **more}


def write(folder: Path, *lines: bytes | dict[str, Any]) -> Path:
    path = folder / "responses.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return path


def read(folder: Path, *lines: bytes | dict[str, Any]) -> list[GeminiLine]:
    with ResultFile(write(folder, *lines)) as results:
        return list(results)


def pictures(folder: Path, line: bytes | dict[str, Any]) -> list[bytes]:
    with ResultFile(write(folder, line)) as results:
        (found,) = results
        return [results.decode(slice_) for slice_ in found.pictures]


def test_a_reply_is_read_with_all_that_matters(tmp_path: Path) -> None:
    """Key, finish, texts, usage, model and id come out, pictures as positions in the file."""
    usage = {"promptTokenCount": 4, "totalTokenCount": 1294}
    response = reply({"text": "Here "}, {"text": "it is"}, image(LONG, thoughtSignature=SIGNATURE))
    line = {
        "key": "a@1",
        "response": {**response, "usageMetadata": usage, "modelVersion": "m", "responseId": "r"},
    }

    (found,) = read(tmp_path, line)

    start = json.dumps(line).index(LONG)
    expected = GeminiLine(
        1,
        "a@1",
        has_response=True,
        finish_reason="STOP",
        text="Here it is",
        tokens=replace(NO_TOKENS, prompt=4, text=1290, total=1294),
        model_version="m",
        response_id="r",
        pictures=(Slice(start, start + len(LONG), "image/png"),),
    )
    assert expected == found


OPENING = '{"key":"k","response":{"candidates":[{"content":{"parts":['
CLOSING = "]}}]}}"


@pytest.mark.parametrize("data", ["iVBORw0KGgo=", LONG, LONG * 400])
@pytest.mark.parametrize(
    "template",
    [
        OPENING + '{"inlineData":{"data":"D","mimeType":"image/png"}}' + CLOSING,
        '{"response" : {"candidates" : [ {"content" : {"parts" : [ '
        '{"inlineData" : {"mimeType" : "image/png" , "data" : "D" } } ] } } ] } , "key" : "k"}',
        OPENING + '{"inline_data":{"mime_type":"image\\/png","data":"D"}}' + CLOSING + "\r",
        OPENING + '{"text":"say {\\"data\\":\\"no\\"}\\\\"},{"inlineData":{"d\\u0061ta":"D"}}' + CLOSING,
        "\ufeff" + OPENING + '{"thoughtSignature":"S","inlineData":{"data":"D"}}' + CLOSING,
    ],
)
def test_shapes_of_a_line(template: str, data: str, tmp_path: Path) -> None:
    """Spaces, order, escapes, snake case, signatures, CR LF and a byte-order mark make no difference."""
    line = template.replace('"D"', f'"{data}"').replace('"S"', f'"{SIGNATURE}"').encode()

    assert "k" == read(tmp_path, line)[0].key
    assert [base64.b64decode(data)] == pictures(tmp_path, line)


@pytest.mark.parametrize("data", ["//79/A==", LONG + "//79/A=="])
@pytest.mark.parametrize(
    "spell",
    [
        lambda text: text.replace("/", "\\/"),
        lambda text: text.replace("=", "\\u003d"),
        lambda text: text.replace("/", "_").replace("+", "-"),
        lambda text: text.rstrip("="),
        lambda text: "\\n".join(text[i : i + 76] for i in range(0, len(text), 76)),
    ],
)
def test_spellings_of_base64(spell: Any, data: str, tmp_path: Path) -> None:
    """Escapes, line breaks, the URL alphabet and missing padding cost no paid picture."""
    line = json.dumps({"key": "k", "response": reply(image("DATA"))}).replace("DATA", spell(data)).encode()

    assert [base64.b64decode(data)] == pictures(tmp_path, line)


@pytest.mark.parametrize("data", ["no base64!", LONG + "!", "A", "\\uD83D"])
def test_damaged_base64_is_a_broken_picture(data: str, tmp_path: Path) -> None:
    """What is no base64 raises `BrokenPicture` and nothing else."""
    line = json.dumps({"key": "k", "response": reply(image("DATA"))}).replace("DATA", data).encode()

    with pytest.raises(BrokenPicture):
        pictures(tmp_path, line)


def test_an_absurdly_large_picture_is_refused(tmp_path: Path) -> None:
    """A picture beyond any that the API makes is refused before memory is spent on it."""
    with ResultFile(write(tmp_path, b"x")) as results, pytest.raises(BrokenPicture, match="too large"):
        results.decode(Slice(0, MAX_BASE64 + 1))


def test_the_last_picture_that_is_no_thought_counts(tmp_path: Path) -> None:
    """Drafts come first and may be marked; other media and empty parts are no pictures."""
    sound = {"inlineData": {"mimeType": "audio/wav", "data": LONG}}
    parts = (
        image("AAAA"),
        image("BBBB"),
        image("CCCC", thought=True),
        {"text": "thinking", "thought": True},
        sound,
    )

    (line,) = read(tmp_path, {"key": "k", "response": reply(*parts, {}, {"inlineData": None})})

    assert [b"AAAA", b"BBBB", b"CCCC"] == [slice_.inline for slice_ in line.pictures]
    assert line.picture is not None
    assert b"BBBB" == line.picture.inline
    assert "" == line.text


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ({"code": 13, "message": "oh"}, LineError(13, "INTERNAL", "oh")),
        ({"code": "13"}, LineError(13, "INTERNAL", "")),
        ({"code": 429, "message": "slow"}, LineError(8, "RESOURCE_EXHAUSTED", "slow")),
        ({"status": "UNAVAILABLE", "message": "x"}, LineError(14, "UNAVAILABLE", "x")),
        ({"code": "SAFETY", "message": "x"}, LineError(None, "SAFETY", "x")),
        ({"code": 999, "message": "x"}, LineError(None, "999", "x")),
        ({"message": SIGNATURE}, LineError(None, "", SIGNATURE)),
        ({}, LineError(None, "", "")),
        ("INTERNAL", LineError(13, "INTERNAL", "")),
        ("it broke", LineError(None, "", "it broke")),
    ],
)
@pytest.mark.parametrize("member", ["error", "status"])
def test_errors_are_normalised(member: str, error: Any, expected: LineError, tmp_path: Path) -> None:
    """Numbers of both kinds, names, words and nothing at all become one shape, under either member."""
    assert [expected] == [line.error for line in read(tmp_path, {"key": "k", member: error})]


def test_a_status_beside_a_reply_is_no_error(tmp_path: Path) -> None:
    """A reply with a status that says OK, or nothing, stays a reply."""
    lines = read(tmp_path, {"key": "a", "status": "OK", "response": reply()}, {"key": "b", "error": {"code": 0}})

    assert [None, None] == [line.error for line in lines]


@pytest.mark.parametrize(
    ("line", "key", "word"),
    [
        (
            b'{"key":"k","response":{"candidates":[{"content":{"parts":[{"inlineData":{"data":"AAAA',
            "k",
            "cut off",
        ),
        (b'{"key":"k\\u0061","response":{"candidates":', "ka", "cut off"),
        (b'{"response":{}, "key":"k', None, "cut off"),
        (b'["key"]', None, "not a JSON object"),
        (b"nonsense", None, "not JSON"),
        (b'{"key":"k","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "k", "deeply"),
        (b'{"key":"k","x":' + b'{"a":' * 100_000, "k", ""),
        (b'{"key":"k","x":[' + b"1," * 1_000_000 + b"1]}", "k", "too much"),
        (b"\x00\xff", None, "not JSON"),
    ],
)
def test_a_line_that_cannot_be_read_is_said_so(line: bytes, key: str | None, word: str, tmp_path: Path) -> None:
    """Cut off, no JSON, nested or long beyond measure: a line with a problem, and the next one is read."""
    first, second = read(tmp_path, line, {"key": "next", "response": {}})

    assert key == first.key
    assert word in first.problem
    assert first.problem
    assert ("next", 2, "") == (second.key, second.number, second.problem)


def test_bad_characters_do_not_cost_the_picture(tmp_path: Path) -> None:
    """Invalid UTF-8, lone surrogates and raw control characters in a text are replaced or passed."""
    line = json.dumps({"key": "k", "response": reply({"text": "TEXT"}, image(LONG))}).encode()
    spoilt = line.replace(b"TEXT", b"a\xff\\ud83d\x01" + b"\xfe" * LONG_STRING)

    (found,) = read(tmp_path, spoilt)

    assert found.text.startswith("a\ufffd")
    assert [base64.b64decode(LONG)] == pictures(tmp_path, spoilt)


def test_blank_lines_and_empty_files_hold_nothing(tmp_path: Path) -> None:
    """Blank lines are passed over but counted; an empty file has no lines."""
    assert [] == read(tmp_path, b"")
    assert [(3, "k")] == [(line.number, line.key) for line in read(tmp_path, b"", b" \r", {"key": "k"}, b"", b"  ")]


@pytest.mark.parametrize(
    "response",
    [
        {"candidates": None},
        {"candidates": [None, {"content": None}]},
        {"candidates": [{"content": {"parts": [None, 1, {"inlineData": {"data": 3}}]}}]},
        {"promptFeedback": {"blockReason": "OTHER"}, "usageMetadata": None},
        {"tokenCount": "1", "embedding": {"values": [0.1, 1e-9]}},
    ],
)
def test_odd_replies_are_read(response: dict[str, Any], tmp_path: Path) -> None:
    """Nulls and values of the wrong type where others stand are no crash."""
    (line,) = read(tmp_path, {"key": "k", "response": response})

    assert (True, ()) == (line.has_response, line.pictures)
    assert response.get("promptFeedback", {}).get("blockReason", "") == line.block_reason


# ---- the same as an ordinary parser ------------------------------------------------------------------------

WORDS = st.text(max_size=8) | st.sampled_from(
    ['"', "\\", '\\"data":"', "\u2028", "é", "🜂", "x" * (LONG_STRING - 1) + '"', '\\"' * LONG_STRING, ""]
)
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 500) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)
DATA = st.sampled_from([b"", b"\xff\xef", bytes(3000), bytes(range(256)) * 16]).map(
    lambda data: base64.b64encode(data).decode()
)
BLOBS = st.fixed_dictionaries({"mimeType": st.just("image/png"), "data": DATA})
PARTS = st.one_of(
    st.fixed_dictionaries({"text": WORDS}, optional={"thought": st.booleans(), "thoughtSignature": WORDS}),
    st.fixed_dictionaries({"inlineData": BLOBS}, optional={"thought": st.booleans(), "extra": ODD}),
)
CONTENTS = st.fixed_dictionaries({"parts": st.lists(PARTS, max_size=4)})
CANDIDATES = st.fixed_dictionaries({"content": CONTENTS, "finishReason": WORDS})
RESPONSES = st.fixed_dictionaries(
    {"candidates": st.lists(CANDIDATES, max_size=2)},
    optional={
        "usageMetadata": st.dictionaries(st.sampled_from(["promptTokenCount", "totalTokenCount"]), st.integers(0, 9)),
        "extra": ODD,
    },
)
LINES = st.fixed_dictionaries({"key": WORDS, "response": RESPONSES}, optional={"extra": ODD})


@st.composite
def shuffled(draw: st.DrawFn, value: Any) -> Any:
    """The same value with the members of its objects in another order."""
    if isinstance(value, dict):
        return {key: draw(shuffled(value[key])) for key in draw(st.permutations(list(value)))}
    return [draw(shuffled(item)) for item in value] if isinstance(value, list) else value


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data(), st.lists(LINES, max_size=3), st.booleans(), st.sampled_from(["\n", "\r\n"]))
def test_any_line_is_read_as_by_a_json_parser(
    tmp_path: Path, data: st.DataObject, lines: list[dict[str, Any]], ascii_only: bool, newline: str
) -> None:
    """Key, texts, finish, usage and pictures are what an ordinary parser finds in the same bytes."""
    separators = data.draw(st.sampled_from([(",", ":"), (" , ", " : ")]))
    written = [json.dumps(data.draw(shuffled(line)), ensure_ascii=ascii_only, separators=separators) for line in lines]
    path = tmp_path / "responses.jsonl"
    path.write_bytes(newline.join(written).encode())

    with ResultFile(path) as results:
        found = [
            (line.key, line.finish_reason, line.text, (line.tokens.prompt, line.tokens.total), [
                (results.decode(slice_), slice_.thought) for slice_ in line.pictures
            ])
            for line in results
        ]  # fmt: skip

    assert [plainly(json.loads(line)) for line in written] == found


def plainly(line: dict[str, Any]) -> tuple[Any, ...]:
    response = line["response"]
    parts = [part for candidate in response["candidates"] for part in candidate["content"]["parts"]]
    finish = next((c["finishReason"] for c in response["candidates"] if c["finishReason"]), "")
    text = "".join(part["text"] for part in parts if "text" in part and not part.get("thought"))
    drawn = [
        (base64.b64decode(part["inlineData"]["data"]), part.get("thought", False))
        for part in parts
        if "inlineData" in part
    ]
    usage = response.get("usageMetadata", {})
    return line["key"], finish, text, (usage.get("promptTokenCount", 0), usage.get("totalTokenCount", 0)), drawn


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(LINES, st.integers(0, 10**6), st.binary(max_size=3))
def test_any_damage_is_survived(tmp_path: Path, line: dict[str, Any], where: int, junk: bytes) -> None:
    """However a line is cut or spoilt, reading and decoding end in results or in `BrokenPicture`."""
    whole = json.dumps(line).encode()
    cut = where % (len(whole) + 1)
    path = tmp_path / "responses.jsonl"
    path.write_bytes(whole[:cut] + junk + whole[cut + (where % 2) * len(whole) :])

    with ResultFile(path) as results:
        for found in results:
            for slice_ in found.pictures:
                try:
                    results.decode(slice_)
                except BrokenPicture as broken:
                    assert broken.reason


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's account of memory")
def test_memory_does_not_grow_with_the_line(tmp_path: Path) -> None:
    """A line of 200 MB, whole or cut off in its picture, is read in less than 100 MB of memory."""
    path = tmp_path / "responses.jsonl"
    with path.open("wb") as file:
        file.write(b'{"key":"a","response":{"candidates":[{"content":{"parts":[{"inlineData":{"data":"AAAA"},')
        file.write(b'"thoughtSignature":"')
        for _ in range(100):
            file.write(b"A" * (1 << 20))
        file.write(b'"}]}}]}}\n{"key":"b","response":{"candidates":[{"content":{"parts":[{"inlineData":{"data":"')
        for _ in range(100):
            file.write(b"A" * (1 << 20))
    program = (
        "import re, sys, pathlib\n"
        "from chargen.providers.gemini.scanner import ResultFile\n"
        "with ResultFile(pathlib.Path(sys.argv[1])) as lines:\n"
        "    print([(line.key, len(line.pictures), bool(line.problem)) for line in lines])\n"
        "status = pathlib.Path('/proc/self/status').read_text()\n"
        "print(re.search(r'VmHWM:\\s+(\\d+) kB', status)[1])\n"
    )

    run = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)

    lines, peak = run.stdout.splitlines()
    assert "[('a', 1, False), ('b', 0, True)]" == lines
    assert int(peak) < 100_000


# ---- recordings --------------------------------------------------------------------------------------------


def samples(pattern: str) -> list[Path]:
    folder = os.environ.get("CHARGEN_SAMPLES")
    return sorted(Path(folder).glob(pattern)) if folder else []


needs_samples = pytest.mark.skipif(
    not os.environ.get("CHARGEN_SAMPLES"), reason="CHARGEN_SAMPLES does not name a folder of recorded replies"
)


@needs_samples
@pytest.mark.parametrize("path", samples("results_jsonl/*.jsonl"), ids=lambda path: path.name)
def test_recorded_result_files_are_read(path: Path) -> None:
    """Each recorded line has its key, and a reply or an error."""
    expected = [json.loads(line)["key"] for line in path.read_text().splitlines()]

    with ResultFile(path) as results:
        lines = list(results)

    assert expected == [line.key for line in lines]
    assert all(line.has_response or line.error for line in lines)


@needs_samples
@pytest.mark.parametrize("path", samples("generate_content/*.json.gz"), ids=lambda path: path.name)
def test_a_recorded_picture_comes_out_whole(path: Path, tmp_path: Path) -> None:
    """A complete reply of the real API, wrapped as a result line, gives its picture byte by byte."""
    response = json.loads(gzip.decompress(path.read_bytes()))
    part = response["candidates"][0]["content"]["parts"][-1]

    assert [base64.b64decode(part["inlineData"]["data"])] == pictures(tmp_path, {"key": "k", "response": response})


@needs_samples
@pytest.mark.parametrize("path", samples("generate_content/*.response.json"), ids=lambda path: path.name)
def test_recorded_replies_are_read(path: Path, tmp_path: Path) -> None:
    """Replies of all image models give model, finish and as many pictures as they have."""
    response = json.loads(path.read_text())
    parts = response["candidates"][0]["content"]["parts"]

    (line,) = read(tmp_path, {"response": response, "key": "k"})

    assert response["modelVersion"] == line.model_version
    assert sum("inlineData" in part for part in parts) == len(line.pictures)
    assert response["usageMetadata"]["totalTokenCount"] == line.tokens.total
