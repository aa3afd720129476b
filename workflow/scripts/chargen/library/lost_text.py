"""Text that YAML reads differently than its author meant: cut at `` #``, begun with ``!`` or ``&``.

A plain text ends where a number sign follows a space: what comes then is a comment, and YAML says nothing of it. So is
all of ``prompt: #x``. ``!Look out`` is a tag with the text ``out``, ``&Sons`` a name for what follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from chargen.base.frozen import frozen
from chargen.library.records import KEPT_SECTIONS
from chargen.library.scene import SCENE_FIELDS
from chargen.library.yamlio import Map

_WITHOUT_WORDS = ("number", "weight", "yes or no", "ratio", "size")
WITHOUT_WORDS = frozenset(name for name, item in SCENE_FIELDS.items() if item.type in _WITHOUT_WORDS) | {
    "schema", "kind", "entity_type", "id", "slug", "model", "revision", "status", "provider",
}  # fmt: skip
"""Keys whose values are no sentences: a number sign behind them begins a remark."""

QUOTE = "put the text in quotes"
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # what libyaml takes for the end of a line
_HASH = re.compile(r"(?P<blanks>[ \t]*)#(?P<rest>.*)")
_TAG = re.compile(r"![^\s]*")
_ANCHOR = re.compile(r"&([^\s]+)")
_SHOWN = 30


@frozen
class LostText:
    """Where something was lost (from 1), below which key, and what."""

    line: int
    column: int
    key: str
    message: str


def lost_texts(data: bytes, content: Map) -> Iterator[LostText]:
    """Yield the texts of *content*, read from *data*, that say less than stands on their line."""
    if content.node is None or not _may_lose(data):
        return
    lines = _BREAK.split(data.decode())
    for path, key, node in _texts(content.node):
        if key not in WITHOUT_WORDS and not node.style:
            found = _lost(node, lines)
            if found:
                column, message = found
                yield LostText(node.end_mark.line + 1, column, path, message)


def _may_lose(data: bytes) -> bool:
    """Whether the file may have lost text; most files have none."""
    position = data.find(b"#")
    while position >= 0:
        if position and data[position - 1] in b" \t":
            start = data.rfind(b"\n", 0, position) + 1
            if data[start:position].strip():
                return True
        position = data.find(b"#", position + 1)
    return any(_begins_a_value(data, sign) for sign in (b"!", b"&"))


def _begins_a_value(data: bytes, sign: bytes) -> bool:
    position = data.find(sign)
    while position >= 0:
        if data[max(0, position - 2) : position] in (b": ", b"- "):
            return True
        position = data.find(sign, position + 1)
    return False


def _texts(node: Node, path: str = "", key: str = "") -> Iterator[tuple[str, str, ScalarNode]]:
    """Every scalar below *node* that is no key, with its path and the nearest key; not in what chargen keeps itself."""
    if isinstance(node, ScalarNode):
        yield path, key, node
    elif isinstance(node, MappingNode):
        for name, value in node.value:
            if path or name.value not in KEPT_SECTIONS:
                yield from _texts(value, f"{path}.{name.value}" if path else str(name.value), str(name.value))
    elif isinstance(node, SequenceNode):
        for index, item in enumerate(node.value):
            yield from _texts(item, f"{path}[{index}]", key)


def _lost(node: Any, lines: list[str]) -> tuple[int, str] | None:
    """The column and a description of what *node* lost; None if nothing."""
    start, end = node.start_mark, node.end_mark
    if start.line >= len(lines) or end.line >= len(lines):
        return None
    written = lines[start.line][start.column :]
    tag = _TAG.match(written)
    if tag and node.tag.startswith("!"):
        return start.column + 1, f"'{_short(tag[0])}' at its beginning is a YAML tag, not part of the text"
    anchor = _ANCHOR.match(written)
    if anchor and not any(f"*{anchor[1]}" in line for line in lines):
        return start.column + 1, f"'{_short(anchor[0])}' at its beginning is a YAML anchor, not part of the text"
    rest = lines[end.line][end.column :]
    comment = _HASH.fullmatch(rest)
    if comment and not _is_remark(comment["blanks"], comment["rest"]):
        what = "the text ends before it" if node.value else "so nothing is left of the text"
        return end.column + len(comment["blanks"]) + 1, f"'#{_short(comment['rest'])}' is a YAML comment, {what}"
    return None


def _is_remark(blanks: str, rest: str) -> bool:
    """Whether what follows a number sign was meant as a comment: words after a space, or a line of ornaments."""
    if not any(sign.isalnum() for sign in rest):
        return True
    if rest[0] in " \t":
        return not (blanks == " " and rest.strip()[0].isdigit())
    return False


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
