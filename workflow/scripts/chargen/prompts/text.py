"""Sentences and words: where a text may be cut, when one text says what another said already.

Thousands of prompts share their entities' and rules' texts: what is worked out for a text is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

_NOT_WORDS = re.compile(r"[\W_]+")
_SPACES = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"[.!?…][\"'”’»)\]]*(?=\s|\Z)")
_CLAUSE_END = re.compile(r"[,;:](?=\s)|\s[-–—](?=\s)")
_CLOSED = re.compile(r"[.!?…:][\"'”’»)\]]*\Z")
_SOME_CLOSERS = tuple(".!?…:\"'”’»)]")
_ABBREVIATION = re.compile(
    r"(?:\A|[\s(\[\"'“‘])(?:[A-Z]|Mrs?|Ms|Dr|St|Capt|Sgt|Lt|Prof|Rev|Jr|Sr|vs|approx|cf|e\.g|i\.e|ca)\.\Z"
)


@lru_cache(maxsize=16384)
def normalised(text: str) -> str:
    """*text* in lower case with every run of other characters than letters and digits as one space."""
    return _NOT_WORDS.sub(" ", text.casefold()).strip()


@lru_cache(maxsize=4096)
def one_line(text: str) -> str:
    """*text* with every run of white space as one space."""
    return _SPACES.sub(" ", text).strip()


def words(key: str) -> str:
    """A slug or key as plain words: ``color_temperature`` is "color temperature"."""
    return one_line(key.replace("_", " ").replace("-", " "))


@lru_cache(maxsize=4096)
def sentence(text: str) -> str:
    """*text* with a full stop where it has no closing mark; ``""`` stays ``""``."""
    text = text.strip()
    if not text or (text.endswith(_SOME_CLOSERS) and _CLOSED.search(text[-4:])):
        return text
    return text.rstrip(",;") + "."


def sentences(items: Iterable[str]) -> str:
    """*items* one after the other as sentences, each with a capital at its beginning and a closing mark."""
    return _sentences(tuple(items))


@lru_cache(maxsize=4096)
def _sentences(items: tuple[str, ...]) -> str:
    return " ".join(f"{text[0].upper()}{text[1:]}" for item in items if (text := sentence(item)))


def series(items: Iterable[str]) -> str:
    """*items* as one list: with commas, or with semicolons where an item holds a comma itself."""
    return _series(tuple(items))


@lru_cache(maxsize=4096)
def _series(items: tuple[str, ...]) -> str:
    cleaned = [text for item in items if (text := item.strip().rstrip(".,;"))]
    return ("; " if any("," in item for item in cleaned) else ", ").join(cleaned)


def pairs(items: Iterable[tuple[str, str]], implied: str = "") -> str:
    """Keys and values as one list: ``quality: hard; direction: left``; the key *implied* is left out."""
    return "; ".join(
        text if key in ("", implied) else f"{words(key)}: {text}"
        for key, value in items
        if (text := one_line(value).rstrip(".,;"))
    )


def unique(items: Iterable[str]) -> tuple[str, ...]:
    """*items* without repeats, case and punctuation aside, the first one of each kept; empty ones dropped."""
    return _unique(tuple(items))


@lru_cache(maxsize=4096)
def _unique(items: tuple[str, ...]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for item in items:
        if (name := normalised(item)) and name not in found:
            found[name] = item.strip()
    return tuple(found.values())


def sentence_ends(text: str) -> list[int]:
    """The positions in *text* just after the end of a sentence, rising, abbreviations left out.

    The end of a line ends a sentence too, unless the line announces what follows with a colon.
    """
    ends = {
        match.end()
        for match in _SENTENCE_END.finditer(text)
        if not _ABBREVIATION.search(text[max(0, match.end() - 12) : match.end()])
    }
    start = 0
    for line in text.splitlines(keepends=True):
        body = line.rstrip()
        if body and body[-1] not in ":,;":
            ends.add(start + len(body))
        start += len(line)
    return sorted(ends)


def cut_at_sentence(text: str, length: int) -> str:
    """The longest beginning of *text* that ends with a sentence within *length* characters, else ``""``."""
    if len(text) <= length:
        return text
    return text[: max((end for end in sentence_ends(text) if end <= length), default=0)].rstrip()


@lru_cache(maxsize=4096)
def shorten(text: str, length: int) -> str:
    """*text* in at most *length* characters: cut after a sentence, else at a clause or a word with "…".

    A text that fits comes back as it is.
    """
    text = one_line(text)
    if len(text) <= length:
        return text
    if whole := cut_at_sentence(text, length):
        return whole
    room = text[:length]
    clauses = [match.start() for match in _CLAUSE_END.finditer(room) if match.start() >= length // 2]
    end = clauses[-1] if clauses else room.rfind(" ")
    return (room[:end] if end > 0 else room[: max(0, length - 1)]).rstrip(" ,;:-–—")[: max(0, length - 1)] + "…"


def summary(text: str, width: int) -> str:
    """*text* on one line of at most *width* characters (1 or more), else cut between words with "…"."""
    line = one_line(text)
    if len(line) <= width:
        return line
    room = line[: width - 1]
    if line[width - 1] != " ":
        room = room[: room.rfind(" ")] if " " in room.strip() else room
    return room.rstrip(" ,;:-–—") + "…"


class Said:
    """What a prompt has said so far, to leave out what would only repeat it."""

    __slots__ = ("_said",)

    def __init__(self) -> None:
        self._said = " "

    def unsaid(self, text: str) -> str:
        """The sentences of *text* that no earlier text holds, remembered as said from now on; ``""`` if none is new."""
        fresh, start = [], 0
        for end in [*sentence_ends(text), len(text)]:
            part = text[start:end]
            start = end
            name = normalised(part)
            if name and f" {name} " not in self._said:
                self._said += f"{name} | "
                fresh.append(part)
        return "".join(fresh).strip()
