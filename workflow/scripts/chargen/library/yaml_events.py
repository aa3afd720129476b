"""A YAML text as libyaml's events: what they mean, where they stand, and why a text cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import yaml

from chargen.base.frozen import frozen

_BOM = b"\xef\xbb\xbf"

Mark = tuple[Any, ...]
"""An event reduced to what it means: its kind, and for scalars value, style, tag and anchor."""

MAP: Mark = ("map", False, None, None)
LIST: Mark = ("list", False, None, None)
MAP_END: Mark = ("end of map",)
LIST_END: Mark = ("end of list",)


@frozen
class Obstacle:
    """Why nothing can be appended: where (from 1; 0 when unknown), what is there, and what to do about it.

    ``invalid`` says that the file is not YAML at all, rather than YAML of a shape that takes no records.
    """

    line: int
    column: int
    what: str
    advice: str = ""
    invalid: bool = False


class Refused(Exception):
    """Bytes that take no records; ``obstacle`` says why. With a path it becomes a `WriteBackError`."""

    def __init__(self, obstacle: Obstacle) -> None:
        super().__init__(obstacle.what)
        self.obstacle = obstacle


def decode(data: bytes) -> tuple[bytes, str]:
    bom = _BOM if data.startswith(_BOM) else b""
    body = data[len(bom) :]
    try:
        return bom, body.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _position(body, error.start)
        raise Refused(Obstacle(line, column, "the file is not UTF-8", "save it as UTF-8", invalid=True)) from None


def content_events(text: str) -> list[yaml.Event]:
    """Return the events of the file's only document, without those of document and stream themselves."""
    content: list[yaml.Event] = []
    documents = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise refused(event, "a second document starts here", "keep one document per file")
            elif isinstance(event, yaml.DocumentEndEvent):
                if event.explicit:
                    raise refused(event, "the document is closed by `...`", "remove that line")
            elif not isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent):
                content.append(event)
    except yaml.YAMLError as error:
        raise Refused(_invalid(error, text)) from None
    return content


def content_signature(text: str) -> list[Mark] | None:
    try:
        return [mark_of(event) for event in content_events(text)]
    except Refused:
        return None


def _invalid(error: yaml.YAMLError, text: str) -> Obstacle:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        what = " ".join(filter(None, (error.context, error.problem)))
    elif isinstance(error, yaml.reader.ReaderError):
        line, column = _position(text.encode("utf-8"), error.position)
        what = str(error.reason)
    else:
        line, column, what = 0, 0, str(error)
    return Obstacle(line, column, f"invalid YAML: {what}", "fix the file and run again", invalid=True)


def _position(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode("utf-8", "replace")) + 1


def refused(event: yaml.Event, what: str, advice: str) -> Refused:
    return Refused(Obstacle(*place_of(event), what, advice))


def place_of(event: yaml.Event) -> tuple[int, int]:
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1


def column_of(event: yaml.Event) -> int:
    mark: Any = event.start_mark
    return int(mark.column)


def start_of(event: yaml.Event) -> int:
    mark: Any = event.start_mark
    return int(mark.index)


def end_of(event: yaml.Event) -> int:
    mark: Any = event.end_mark
    return int(mark.index)


def is_flow(event: yaml.Event) -> bool:
    return bool(getattr(event, "flow_style", False))


def is_empty_scalar(event: yaml.ScalarEvent) -> bool:
    return event.value in ("", "~", "null", "Null", "NULL") and not event.style and not event.tag and not event.anchor


def span_end(events: Sequence[yaml.Event], start: int) -> int:
    """Return the index behind the node that starts at *start*."""
    depth = 0
    for position in range(start, len(events)):
        event = events[position]
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth == 0:
            return position + 1
    return len(events)


def closes_block(events: Sequence[yaml.Event], position: int) -> bool:
    """Return whether the event closes a block collection, whose mark is wherever the next token starts."""
    event = events[position]
    return isinstance(event, yaml.CollectionEndEvent) and start_of(event) == end_of(event)


def mark_of(event: yaml.Event) -> Mark:
    if isinstance(event, yaml.ScalarEvent):
        return ("scalar", event.value, event.style or "", event.tag, event.anchor)
    if isinstance(event, yaml.AliasEvent):
        return ("alias", event.anchor)
    if isinstance(event, yaml.MappingStartEvent):
        return ("map", bool(event.flow_style), event.tag, event.anchor)
    if isinstance(event, yaml.SequenceStartEvent):
        return ("list", bool(event.flow_style), event.tag, event.anchor)
    return MAP_END if isinstance(event, yaml.MappingEndEvent) else LIST_END
