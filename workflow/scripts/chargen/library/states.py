"""How a character looks in each scene of a chapter, from text in labelled blocks.

SCENE 03: soaked coat
SCENES 04-06 (Vigil): one hand bandaged
Throughout: brass whistle on a cord
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from chargen.library.people import joined

_LABEL = re.compile(
    r"""(?:^|(?<=\s)) [-–—•*]? \s*
        (?: (?P<scenes> SCENES? \s+ \d+ (?: \s*(?:[-–—,&/+]|to|and)\s* (?:SCENES?\s+)? \d+ )* )
          | (?P<always> THROUGHOUT | Throughout | throughout(?=\s*[(:]) ) )
        \s* (?: \([^)\n]*\) )? \s* (?: : | [-–—](?=\s) )
    """,
    re.VERBOSE,
)
_LINE_LABEL = re.compile(_LABEL.pattern, re.VERBOSE | re.IGNORECASE)
_OTHER_BLOCK = re.compile(r"[-–—•*]\s|[A-Z][\w'’ ,()/–—-]{0,60}:\s")
_SPAN = re.compile(r"(\d+)(?:\s*(?:[-–—]|to)\s*(?:SCENES?\s+)?(\d+))?", re.IGNORECASE)
_LAST_NUMBER = re.compile(r"(\d+)\D*\Z")


def scene_number(scene_id: str) -> int:
    """The last number of a scene id: ``scn-07-03`` is scene 3; -1 without one."""
    found = _LAST_NUMBER.search(scene_id)
    return int(found[1]) if found and len(found[1]) < 9 else -1


def state_in(variations: str, number: int) -> str:
    """What *variations* say for scene *number*: its own blocks, then what holds throughout."""
    own, always = "", ""
    for scenes, text in _blocks(variations):
        if scenes is None:
            always = joined(always, text)
        elif any(first <= number <= last for first, last in scenes):
            own = joined(own, text)
    return joined(own, always)


def _blocks(variations: str) -> Iterator[tuple[list[tuple[int, int]] | None, str]]:
    """Each labelled block with the spans of its scenes; None stands for all of them."""
    spans: list[tuple[int, int]] | None = []
    text: list[str] = []
    is_open = False
    for line in variations.splitlines():
        stripped = line.strip()
        pieces = _pieces(stripped)
        if pieces[0][0] is None and stripped and _OTHER_BLOCK.match(stripped):
            pieces = [(None, ""), *pieces[1:]]
            if is_open:
                yield spans, _tidy(text)
            is_open = False
        for label, piece in pieces:
            if label is not None:
                if is_open:
                    yield spans, _tidy(text)
                spans, text, is_open = _spans(label), [], True
            if is_open and piece:
                text.append(piece)
    if is_open:
        yield spans, _tidy(text)


def _pieces(line: str) -> list[tuple[re.Match[str] | None, str]]:
    """The line cut at its labels; the first piece has none if the line does not start with one."""
    start = _LINE_LABEL.match(line)
    labels = ([start] if start else []) + list(_LABEL.finditer(line, start.end() if start else 0))
    cuts = [label.start() for label in labels] + [len(line)]
    pieces: list[tuple[re.Match[str] | None, str]] = [] if start else [(None, line[: cuts[0]].strip())]
    return pieces + [(label, line[label.end() : cut].strip()) for label, cut in zip(labels, cuts[1:], strict=True)]


def _spans(label: re.Match[str]) -> list[tuple[int, int]] | None:
    if label["always"]:
        return None
    spans = []
    for found in _SPAN.finditer(label["scenes"]):
        first, last = int(found[1][:9]), int((found[2] or found[1])[:9])
        spans.append((first, last) if first <= last else (last, last))  # 07-03 is scene 3 of chapter 7
    return spans


def _tidy(text: list[str]) -> str:
    return " ".join(text).strip(" \t-–—•*;,")
