"""Whether a result file accounts for its job: every request has its line, or it is said what is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargen.providers.accounting import Account, account_for
from chargen.providers.gemini.scanner import ResultFile

KEYS = frozenset({"a", "b", "c"})


def line(key: str | None, **more: object) -> bytes:
    named = {} if key is None else {"key": key}
    return json.dumps(named | {"response": {}} | more).encode() + b"\n"


WHOLE = b"".join(line(key) for key in sorted(KEYS))


def account(folder: Path, body: bytes, expected: frozenset[str] | None = KEYS, requests: int = 0) -> Account:
    path = folder / "responses.jsonl"
    path.write_bytes(body)
    return account_for(ResultFile(path), expected, requests)


@pytest.mark.parametrize(
    "body",
    [
        WHOLE,
        WHOLE.rstrip(b"\n"),
        b"\xef\xbb\xbf" + WHOLE,
        b"\n".join(reversed(WHOLE.splitlines())),
        WHOLE + line("a"),  # twice
        WHOLE + line("z") + line(None),  # and lines that nobody asked for
        WHOLE + b"half a line",
        line("a", error={"code": 13}) + line("b", error={"code": 1}) + line("c"),
    ],
)
def test_every_request_has_its_line(tmp_path: Path, body: bytes) -> None:
    """In any order, whatever the lines say, and whatever stands beside them."""
    found = account(tmp_path, body)

    assert (True, "") == (found.fits, found.fault)


@pytest.mark.parametrize(
    ("body", "fault", "is_json", "is_part"),
    [
        (b"", "it is empty; 3 of 3 requests have no readable line", True, False),
        (b"\n\n", "3 of 3 requests have no readable line", True, False),
        (b"<!DOCTYPE html>\n<p>Sign in</p>", "it is not a result file", False, False),
        (gzip.compress(WHOLE, mtime=0), "it is not a result file", False, False),
        (b"[1, 2]\n" + WHOLE, "", False, True),
        (line("a") + line("b"), "1 of 3 requests have no readable line", True, True),
        (line("a") + line("b") + line("c")[:9], "; lines that cannot be read: 1", True, True),
        (line("x\x1b[31m") * 2, "keys that were not asked for: 1, like 'x\\u001b[31m'", True, False),
        (line(None) * 3, "lines without a key: 3", True, False),
        (b'{"error": {"code": 500, "message": "oh", "status": "INTERNAL"}}', "lines without a key: 1", True, False),
        (line("a")[:12], "lines that cannot be read: 1", True, True),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, body: bytes, fault: str, is_json: bool, is_part: bool) -> None:
    """Words without signs that could garble a terminal; a web page is distinguished from an incomplete file."""
    found = account(tmp_path, body)

    assert fault in found.fault
    assert (not fault) is found.fits
    assert (is_json, is_part) == (found.is_json, found.is_part)


@pytest.mark.parametrize(
    ("body", "requests", "fits"),
    [(WHOLE, 3, True), (WHOLE, 0, True), (WHOLE, 4, False), (b"", 0, False), (WHOLE + b"half", 0, False)],
)
def test_without_a_request_file_the_servers_count_is_what_there_is(
    tmp_path: Path, body: bytes, requests: int, fits: bool
) -> None:
    """A job from elsewhere: as many lines as the server counts, or at least nothing that is damaged."""
    assert fits is account(tmp_path, body, None, requests).fits


def test_a_damaged_transfer_never_fits(tmp_path: Path) -> None:
    """Although every line is there."""
    path = tmp_path / "responses.jsonl"
    path.write_bytes(WHOLE)

    assert "its checksum" == account_for(ResultFile(path), KEYS, damage="its checksum").fault


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_file_that_was_cut_anywhere_does_not_fit(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Whatever is missing at the end, but for the last line break."""
    cut = data.draw(st.integers(0, len(WHOLE) - 2))

    assert not account(tmp_path_factory.mktemp("cut"), WHOLE[:cut]).fits
