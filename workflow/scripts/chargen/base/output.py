"""Cleans text for screens and logs: no secrets, and no control characters.

Texts come from servers, from files of a library, from names of folders, and from exceptions. `guarded` puts a filter
before standard output and standard error, so that whatever is printed passes it: our own lines, warnings, tracebacks,
what libraries print. What is drawn on purpose (colours, progress bars) goes round the filter by `drawable`, and cleans
the texts in it by `visible`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast
from urllib.parse import quote

EMULATOR_KEY = "emulator-needs-no-key"
"""The placeholder for a key under the emulator: not a secret."""


HIDDEN = "[key]"
SHORTEST_SECRET = 8
"""Characters. What is shorter is no key of the API, and may be a word of its own in what is printed."""
SHORTEST_PART = 8
"""How many characters from the start or the end of a secret are hidden too: a message may have been cut."""

_CONTROLS = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL and C1: escape sequences, carriage returns, bells
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # what turns the direction of writing
    "\u2028\u2029\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb"  # other line ends, and invisible characters
    "\ud800-\udfff\U000e0000-\U000e007f"  # halves of characters (names that are not UTF-8), invisible letters
)
_OBEYED = re.compile(f"[{_CONTROLS}]")
_COLOUR = re.compile(r"(\x1b\[[0-9;]*m)")
_secrets: dict[str, Callable[[str], str]] = {}


def keep_secret(secret: str) -> None:
    """Remember *secret*: from now on, this process shows ``[key]`` in its place."""
    if len(secret) >= SHORTEST_SECRET and secret not in _secrets:
        _secrets[secret] = _hiding(secret)


def redacted(text: str) -> str:
    """Return *text* without the secrets, as they are, in parts from either end, and as JSON, Python or URLs write
    them."""
    for hide in _secrets.values():
        text = hide(text)
    return text


def visible(text: str) -> str:
    """Return *text* with every control character written out, line feeds and tabs apart; as JSON would, so that a
    JSON document still says the same."""
    return _OBEYED.sub(_escaped, text) if _OBEYED.search(text) else text


def clean(text: str, *, colours: bool = False) -> str:
    """Return *text* as it may be printed: `redacted` and `visible`. With *colours*, codes that only change the colour
    stay."""
    text = redacted(text)
    if not colours:
        return visible(text)
    return "".join(piece if _COLOUR.fullmatch(piece) else visible(piece) for piece in _COLOUR.split(text))


def one_line(text: str) -> str:
    """Return *text* as one `clean` line, for a message that quotes what somebody else wrote."""
    return clean(" ".join(text.split()))


def encodable(data: Any) -> Any:
    """Return JSON's *data* with every text such that UTF-8 can hold it: names of files are not always."""
    if isinstance(data, str):
        return data.encode("utf-8", "backslashreplace").decode()
    if isinstance(data, dict):
        return {encodable(key): encodable(value) for key, value in data.items()}
    return [encodable(item) for item in data] if isinstance(data, list | tuple) else data


@contextmanager
def guarded() -> Iterator[None]:
    """Clean all that this process prints while the context lasts."""
    before = sys.stdout, sys.stderr
    ours = guard(before[0]), guard(before[1])
    sys.stdout, sys.stderr = ours
    try:
        yield
    finally:
        # A stream that was given up meanwhile (the disk is full) stays given up.
        if sys.stdout is ours[0]:
            sys.stdout = before[0]
        if sys.stderr is ours[1]:
            sys.stderr = before[1]


def guard(stream: TextIO, *, colours: bool = False) -> TextIO:
    """Return *stream* with the filter before it; with *colours*, codes that only change the colour pass."""
    return cast(TextIO, _Guard(stream, colours))


def drawable(stream: TextIO) -> TextIO:
    """Return the stream behind the guard, for what is drawn on a terminal and has cleaned its texts."""
    return stream.drawn_on if isinstance(stream, _Guard) else stream


class _Guard:
    """A text stream that cleans what is written to it; with *colours*, codes of colours pass."""

    def __init__(self, stream: TextIO, colours: bool = False) -> None:
        self.drawn_on = stream
        self._colours = colours

    def write(self, text: str) -> int:
        self.drawn_on.write(clean(text, colours=self._colours))
        return len(text)

    def writelines(self, lines: Iterator[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.drawn_on, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.drawn_on)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    if number <= 0xFFFF:
        return f"\\u{number:04x}"
    number -= 0x10000
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"


def _hiding(secret: str) -> Callable[[str], str]:
    """Return what takes *secret* out of a text."""
    forms = {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    whole = re.compile("|".join(re.escape(form) for form in sorted(forms, key=len, reverse=True)))
    if len(secret) < 2 * SHORTEST_PART:
        return lambda text: whole.sub(HIDDEN, text)

    def hide(text: str) -> str:
        text = _without_start(whole.sub(HIDDEN, text), secret, HIDDEN)
        return _without_start(text[::-1], secret[::-1], HIDDEN[::-1])[::-1] if secret[-SHORTEST_PART:] in text else text

    return hide


def _without_start(text: str, secret: str, instead: str) -> str:
    """Return *text* without what begins like *secret*, as far as it goes on like it."""
    found = text.find(secret[:SHORTEST_PART])
    while found >= 0:
        end = found + SHORTEST_PART
        while end < min(len(text), found + len(secret)) and text[end] == secret[end - found]:
            end += 1
        text = text[:found] + instead + text[end:]
        found = text.find(secret[:SHORTEST_PART], found + len(instead))
    return text
