"""Records appended to an author's ``imagery.yaml`` without touching anything else in it.

The file is never serialised again: libyaml tells where the section's last item ends, the new lines go there,
and the result is parsed and compared with what was there before, event by event, prior to taking the file's
place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import yaml

from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.library import replacing
from chargen.library.access import may_be_written
from chargen.library.locking import writing

Value = str | int | float | bool | None | Mapping[str, Any] | Sequence[Any]
"""What an item may hold: texts, numbers, truth values, null, and maps and lists of these."""

IDENTITY = ("task_key", "file_name")
"""The keys by which two records of ``generated_images`` are the same record."""

GENERATED_IMAGES = "generated_images"

_BOM = b"\xef\xbb\xbf"
# What libyaml takes for the end of a line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_NEWLINES = re.compile(b"\r\n|\n|\r")
_COMMENT_LINE = re.compile("([ \t]*)#")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_UNSAFE = re.compile('["\\\\\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]')
_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t"}
# A file that begins like this, ends with a newline and never names the section takes it at its end.
_PLAIN_START = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\r\n]*)?\r?\n)*[A-Za-z_\"'][^\r\n]*:(?:[ \t]|\r?\n)")
_MARKER_LINE = re.compile(rb"^(?:---|\.\.\.)(?:\s|$)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why nothing can be appended: where (from 1; 0 when unknown), what is there, and what to do about it.

    ``invalid`` says that the file is no YAML at all, rather than YAML of a shape that takes no records.
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


class WriteBackError(ChargenError):
    """Nothing was written; the records are still the caller's. ``obstacle`` says where and why."""

    def __init__(self, path: Path, obstacle: Obstacle) -> None:
        spot = f"{path}:{obstacle.line}:{obstacle.column}" if obstacle.line else str(path)
        advice = f" ({obstacle.advice})" if obstacle.advice else ""
        super().__init__(f"{spot}: {obstacle.what}{advice}")
        self.path = path
        self.obstacle = obstacle


class CannotWriteBack(WriteBackError):
    """The file is valid, but of a shape that records cannot be appended to."""


class InvalidFile(WriteBackError):
    """The file is not valid YAML at this moment: keep the records, and append them once it is mended."""


class BeingSaved(WriteBackError):
    """The file is empty, or a program is writing it, and did not come to rest: keep the records for later."""


def append_items(
    path: Path,
    section: str,
    items: Sequence[Mapping[str, Value]],
    *,
    library: Path,
    same: Sequence[str] = IDENTITY,
) -> int:
    """Append *items* to the top-level list *section* of the YAML file *path*; return how many were added.

    An item whose values under the keys *same* all equal those of a recorded one (or of an earlier one of
    *items*) is left out; with an empty *same* every item is added. A missing file is created, its folder is
    not. Works on the bytes present at this moment, under the lock of *library*, the root folder (see
    `chargen.library.locking`); every old byte, comment and line ending stays, except for an empty value (``[]``,
    ``null``) of the section itself.
    Once this returns the records are on the disk; a file without anything to add is not touched.
    A file that is empty or being written is waited for, a few seconds; an author who saves meanwhile loses nothing,
    and what was saved gets the records (see `chargen.library.replacing`).
    Lone surrogates, which no file can hold, are written as U+FFFD.

    Raises `InvalidFile`, `BeingSaved` or `CannotWriteBack`, all before anything is written, ``TypeError`` or
    ``ValueError`` for items that YAML cannot hold, and what the file system raises (``FileNotFoundError`` for a folder
    that is gone).
    """
    target = Path(os.path.realpath(path))
    with writing(library, target.parent):
        durable.remove_dead_drafts(target)
        for _ in replacing.patiently():
            try:
                with replacing.SettledFile(target) as file:
                    return _append(path, file, section, items, same)
            except replacing.Unsettled as unsettled:
                why = str(unsettled)
    raise BeingSaved(path, Obstacle(0, 0, f"the file {why}", "save it, then run again: the records are added then"))


def _append(
    path: Path, file: replacing.SettledFile, section: str, items: Sequence[Mapping[str, Value]], same: Sequence[str]
) -> int:
    """Add the *items* that *file*, the one at *path*, does not have yet; return how many they are."""
    try:
        new, added = append_to_bytes(file.data or b"", section, items, same=same)
    except Refused as refused:
        kind = InvalidFile if refused.obstacle.invalid else CannotWriteBack
        raise kind(path, refused.obstacle) from None
    if added and not may_be_written(path):
        raise CannotWriteBack(path, Obstacle(0, 0, "the file may not be written", f"chmod u+w {path.name}"))
    if added:
        file.replace(new)
    return added


def check_writable(data: bytes, section: str = GENERATED_IMAGES) -> Obstacle | None:
    """Return what would keep `append_items` from adding to a file of these bytes, or None if nothing would.

    Meant for planning, behind a loader that has found the file valid: an ordinary one that is still without
    the section is passed without parsing it a second time.
    """
    if _takes_section_at_end(data, section):
        return None
    try:
        append_to_bytes(data, section, [{"probe": ""}], same=())
    except Refused as refused:
        return refused.obstacle
    return None


def append_to_bytes(
    data: bytes, section: str, items: Sequence[Mapping[str, Value]], *, same: Sequence[str] = IDENTITY
) -> tuple[bytes, int]:
    """Return *data* with those *items* added that *section* does not record yet, and how many they are.

    The part of `append_items` that touches no file. Raises `Refused`.
    """
    bom, text = _decode(data)
    document = _Document.parse(text, section)
    fresh = _not_recorded(items, document.recorded(same), same)
    if not fresh:
        return data, 0
    newline = _majority_newline(data)
    added = [_signature(item) for item in fresh]
    for spot in document.spots():
        lead = text[: spot.cut_start] + text[spot.cut_end : spot.insert_at]
        lines = [*spot.heading, *(" " * spot.indent + line for line in _list_lines(fresh))]
        block = "".join(line + newline for line in lines)
        if lead and not _ends_with_break(lead):
            block = newline + block
        new = lead + block + text[spot.insert_at :]
        if _content_signature(new) == spot.expected(document.signature, added):
            return bom + new.encode("utf-8"), len(fresh)
    raise Refused(document.unfit())


# ---- what the file says ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place for new items: offsets into the text, and the same in terms of the document's events.

    The text from ``cut_start`` to ``cut_end`` goes (an empty value), the lines go in at ``insert_at``;
    the events from ``event`` to ``event_end`` give way to ``opening``, the items' events and ``closing``.
    """

    cut_start: int
    cut_end: int
    insert_at: int
    indent: int
    event: int
    event_end: int
    heading: tuple[str, ...] = ()
    opening: tuple[_Mark, ...] = ()
    closing: tuple[_Mark, ...] = ()

    def expected(self, signature: Sequence[_Mark], items: Iterable[Sequence[_Mark]]) -> list[_Mark]:
        added = [mark for item in items for mark in item]
        return [
            *signature[: self.event],
            *self.opening,
            *added,
            *self.closing,
            *signature[self.event_end :],
        ]


@dataclass(frozen=True, slots=True)
class _Document:
    """The events of a file's only document, and where among them the section's key and value are."""

    text: str
    section: str
    events: Sequence[yaml.Event]
    signature: Sequence[_Mark]
    keys: Sequence[int]  # indices of the events that start top-level keys
    key: int  # index of the section's key, -1 without the section
    value: int  # indices of the section's value: first event and the one after its last
    value_end: int

    @classmethod
    def parse(cls, text: str, section: str) -> _Document:
        """Read the document, or raise `Refused` for one that takes no records."""
        events = _content(text)
        if events and isinstance(events[0], yaml.ScalarEvent) and _is_empty_scalar(events[0]):
            events = []
        if events and not isinstance(events[0], yaml.MappingStartEvent):
            raise _refused(events[0], "the top level is not a mapping", "write it as `key: value` lines")
        if events and _is_flow(events[0]):
            raise _refused(events[0], "the top level is written in braces", "write it as `key: value` lines")
        keys, key, value, value_end = [], -1, -1, -1
        position = 1
        while position < len(events) - 1:
            keys.append(position)
            start = _span_end(events, position)
            end = _span_end(events, start)
            name = events[position]
            if isinstance(name, yaml.ScalarEvent) and name.value == section:
                if key >= 0:
                    raise _refused(name, f"`{section}` stands here a second time", "merge the two lists")
                key, value, value_end = position, start, end
            position = end
        signature = [_mark_of(event) for event in events]
        return cls(text, section, events, signature, keys, key, value, value_end)

    def recorded(self, same: Sequence[str]) -> set[tuple[str, ...]]:
        """Return the identities of the items that the section holds; missing values count as empty."""
        if self.key < 0 or not isinstance(self.events[self.value], yaml.SequenceStartEvent):
            return set()
        found = set()
        position = self.value + 1
        while position < self.value_end - 1:
            end = _span_end(self.events, position)
            if isinstance(self.events[position], yaml.MappingStartEvent):
                texts = self._texts(position + 1, end - 1)
                found.add(tuple(texts.get(name, "") for name in same))
            position = end
        return found

    def _texts(self, position: int, end: int) -> dict[str, str]:
        texts = {}
        while position < end:
            value = _span_end(self.events, position)
            name, content = self.events[position], self.events[value]
            if isinstance(name, yaml.ScalarEvent) and isinstance(content, yaml.ScalarEvent):
                texts[name.value] = content.value
            position = _span_end(self.events, value)
        return texts

    def spots(self) -> Iterator[_Spot]:
        """Yield the places where items can go, best first; the caller checks what becomes of the document.

        Raises `Refused` if the section's value is no list that can be continued.
        """
        if self.key < 0:
            yield from self._spots_for_new_section()
            return
        value = self.events[self.value]
        plain = not getattr(value, "anchor", None) and not getattr(value, "tag", None)
        if plain and isinstance(value, yaml.SequenceStartEvent) and not _is_flow(value):
            yield from self._spots_after_last_item(_column(value))
        elif plain and self._is_empty(value):
            yield self._spot_for_empty_value(value)
        else:
            raise _refused(
                value,
                f"`{self.section}` is neither empty nor a list of lines that start with a dash",
                f"write it as a list, or as `{self.section}: []`",
            )

    def _is_empty(self, value: yaml.Event) -> bool:
        if isinstance(value, yaml.ScalarEvent):
            return _is_empty_scalar(value)
        if not isinstance(value, yaml.SequenceStartEvent) or self.value_end != self.value + 2:
            return False
        closing = self.events[self.value + 1]
        return not self.text[_start(value) + 1 : _end(closing) - 1].strip()

    def _spots_for_new_section(self) -> Iterator[_Spot]:
        end = len(self.text)
        if not self.events:
            whole = (_MAP, _key_mark(self.section), _LIST)
            yield _Spot(end, end, end, 2, 0, 0, (f"{self.section}:",), whole, (_LIST_END, _MAP_END))
            return
        column = _column(self.events[0])
        heading = (" " * column + f"{self.section}:",)
        opening, closing = (_key_mark(self.section), _LIST), (_LIST_END,)
        last = len(self.events) - 1
        yield _Spot(end, end, end, column + 2, last, last, heading, opening, closing)
        # A block scalar that ends the file without a newline would change if anything came after it.
        key = self.keys[-1]
        start = self._line_start(_start(self.events[key]))
        yield _Spot(start, start, start, column + 2, key, key, heading, opening, closing)

    def _spot_for_empty_value(self, value: yaml.Event) -> _Spot:
        start, end = _start(value), _end(self.events[self.value_end - 1])
        indent = _column(self.events[self.key]) + 2
        insert_at = self._line_end(end)
        return _Spot(start, end, insert_at, indent, self.value, self.value_end, (), (_LIST,), (_LIST_END,))

    def _spots_after_last_item(self, column: int) -> Iterator[_Spot]:
        closing = self.value_end - 1
        for end in self._ends_of_content(closing):
            at = self._after_own_comments(end, column)
            yield _Spot(at, at, at, column, closing, closing)

    def _ends_of_content(self, closing: int) -> Iterator[int]:
        """Yield where the last line of the last item may end, the likeliest first."""
        last = closing - 1  # the events that close a block carry the mark of whatever comes behind it
        while _closes_block(self.events, last):
            last -= 1
        event = self.events[last]
        start, end = _start(event), _end(event)
        if isinstance(event, yaml.ScalarEvent) and event.style in ("|", ">"):
            # Empty lines behind a block scalar belong to it only if it keeps them or they hold enough spaces.
            yield self._line_end(start + len(self.text[start:end].rstrip()))
            yield end if _ends_with_break(self.text[:end]) else self._line_end(end)
            return
        yield self._line_end(end)
        if start == end and last > 0:  # nothing at all after a `?` key is placed behind the comments that follow
            yield self._line_end(_end(self.events[last - 1]))

    def _after_own_comments(self, position: int, column: int) -> int:
        """Return the end of the comment lines that follow and are indented deeper than the list's dashes."""
        end = position
        while position < len(self.text):
            line_end = self._line_end(position)
            line = self.text[position:line_end]
            comment = _COMMENT_LINE.match(line)
            if comment and len(comment[1]) > column:
                end = line_end
            elif line.strip():
                break
            position = line_end
        return end

    def _line_end(self, position: int) -> int:
        found = _BREAK.search(self.text, position)
        return found.end() if found else len(self.text)

    def _line_start(self, position: int) -> int:
        start = 0
        for found in _BREAK.finditer(self.text, 0, position):
            start = found.end()
        return start

    def unfit(self) -> Obstacle:
        """Return what to say when no spot left the document's content as it was."""
        return Obstacle(
            *(_place(self.events[self.value]) if self.key >= 0 else (0, 0)),
            f"nothing can be added to `{self.section}` without changing what the file says",
            "end the file with a newline, and the list with an item in plain lines",
        )


def _decode(data: bytes) -> tuple[bytes, str]:
    bom = _BOM if data.startswith(_BOM) else b""
    body = data[len(bom) :]
    try:
        return bom, body.decode("utf-8")
    except UnicodeDecodeError as error:
        line, column = _position(body, error.start)
        raise Refused(Obstacle(line, column, "the file is not UTF-8", "save it as UTF-8", invalid=True)) from None


def _content(text: str) -> list[yaml.Event]:
    """Return the events of the file's only document, without those of document and stream themselves."""
    content: list[yaml.Event] = []
    documents = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _refused(event, "a second document starts here", "keep one document per file")
            elif isinstance(event, yaml.DocumentEndEvent):
                if event.explicit:
                    raise _refused(event, "the document is closed by `...`", "remove that line")
            elif not isinstance(event, yaml.StreamStartEvent | yaml.StreamEndEvent):
                content.append(event)
    except yaml.YAMLError as error:
        raise Refused(_invalid(error, text)) from None
    return content


def _content_signature(text: str) -> list[_Mark] | None:
    try:
        return [_mark_of(event) for event in _content(text)]
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
    return Obstacle(line, column, f"invalid YAML: {what}", "mend the file and run again", invalid=True)


def _position(data: bytes, offset: int) -> tuple[int, int]:
    before = data[:offset]
    line_start = before.rfind(b"\n") + 1
    return before.count(b"\n") + 1, len(before[line_start:].decode("utf-8", "replace")) + 1


def _refused(event: yaml.Event, what: str, advice: str) -> Refused:
    return Refused(Obstacle(*_place(event), what, advice))


def _place(event: yaml.Event) -> tuple[int, int]:
    mark: Any = event.start_mark
    return mark.line + 1, mark.column + 1


def _column(event: yaml.Event) -> int:
    mark: Any = event.start_mark
    return int(mark.column)


def _start(event: yaml.Event) -> int:
    mark: Any = event.start_mark
    return int(mark.index)


def _end(event: yaml.Event) -> int:
    mark: Any = event.end_mark
    return int(mark.index)


def _is_flow(event: yaml.Event) -> bool:
    return bool(getattr(event, "flow_style", False))


def _is_empty_scalar(event: yaml.ScalarEvent) -> bool:
    return event.value in ("", "~", "null", "Null", "NULL") and not event.style and not event.tag and not event.anchor


def _span_end(events: Sequence[yaml.Event], start: int) -> int:
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


def _closes_block(events: Sequence[yaml.Event], position: int) -> bool:
    """Return whether the event closes a block collection, whose mark is wherever the next token starts."""
    event = events[position]
    return isinstance(event, yaml.CollectionEndEvent) and _start(event) == _end(event)


def _takes_section_at_end(data: bytes, section: str) -> bool:
    return (
        data.endswith(b"\n")
        and section.encode() not in data
        and _PLAIN_START.match(data) is not None
        and _MARKER_LINE.search(data) is None
    )


# ---- what is added -----------------------------------------------------------------------------------------

_Mark = tuple[Any, ...]
"""An event reduced to what it means: its kind, and for scalars value, style, tag and anchor."""

_MAP: _Mark = ("map", False, None, None)
_LIST: _Mark = ("list", False, None, None)
_MAP_END: _Mark = ("end of map",)
_LIST_END: _Mark = ("end of list",)


def _mark_of(event: yaml.Event) -> _Mark:
    if isinstance(event, yaml.ScalarEvent):
        return ("scalar", event.value, event.style or "", event.tag, event.anchor)
    if isinstance(event, yaml.AliasEvent):
        return ("alias", event.anchor)
    if isinstance(event, yaml.MappingStartEvent):
        return ("map", bool(event.flow_style), event.tag, event.anchor)
    if isinstance(event, yaml.SequenceStartEvent):
        return ("list", bool(event.flow_style), event.tag, event.anchor)
    return _MAP_END if isinstance(event, yaml.MappingEndEvent) else _LIST_END


def _signature(value: Value) -> list[_Mark]:
    """Return the events that *value* must read back as."""
    if isinstance(value, Mapping):
        inner = [mark for key, item in value.items() for mark in (_key_mark(key), *_signature(item))]
        return [("map", not value, None, None), *inner, _MAP_END]
    if _is_list(value):
        inner = [mark for item in value for mark in _signature(item)]
        return [("list", not value, None, None), *inner, _LIST_END]
    if isinstance(value, str):
        return [("scalar", _encodable(value), '"', None, None)]
    return [("scalar", _scalar(value), "", None, None)]


def _key_mark(key: str) -> _Mark:
    return ("scalar", key, "" if _is_plain_key(key) else '"', None, None)


def _is_plain_key(key: str) -> bool:
    return bool(_PLAIN_KEY.match(key)) and key.lower() not in _YAML_WORDS


def _is_list(value: object) -> TypeGuard[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes | bytearray)


def _map_lines(value: Mapping[str, Value]) -> Iterator[str]:
    for key, item in value.items():
        name = key if _is_plain_key(key) else _quoted(key)
        nested = _nested_lines(item)
        if nested:
            yield f"{name}:"
            yield from ("  " + line for line in nested)
        else:
            yield f"{name}: {_scalar(item)}"


def _list_lines(value: Iterable[Value]) -> Iterator[str]:
    for item in value:
        lines = _nested_lines(item) or [_scalar(item)]
        yield "- " + lines[0]
        yield from ("  " + line for line in lines[1:])


def _nested_lines(value: Value) -> list[str]:
    """Return the lines of a map or list that has any, relative to their own indentation."""
    if isinstance(value, Mapping):
        return list(_map_lines(value))
    return list(_list_lines(value)) if _is_list(value) else []


def _scalar(value: Value) -> str:
    """Return what fits on one line: a quoted text, a number, a truth value, null, or an empty map or list."""
    if isinstance(value, str):
        return _quoted(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping) and not value:
        return "{}"
    if _is_list(value) and not value:
        return "[]"
    raise TypeError(f"a record cannot hold a {type(value).__name__}")


def _float(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):
        raise ValueError("a record cannot hold a number that is not finite")
    text = repr(value)
    digits, exponent, power = text.partition("e")
    return text if "." in digits or not exponent else f"{digits}.0e{power}"  # YAML 1.1 wants the point


def _quoted(text: str) -> str:
    return f'"{_UNSAFE.sub(_escape, _encodable(text))}"'


def _escape(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[0]) or f"\\u{ord(found[0]):04X}"


def _encodable(text: str) -> str:
    """Return the text with lone surrogates, which no file can hold, replaced by U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)


def _not_recorded(
    items: Sequence[Mapping[str, Value]], recorded: set[tuple[str, ...]], same: Sequence[str]
) -> list[Mapping[str, Value]]:
    if not same:
        return list(items)
    seen = set(recorded)
    fresh = []
    for item in items:
        identity = tuple(_identity_text(item.get(name, "")) for name in same)
        if identity not in seen:
            seen.add(identity)
            fresh.append(item)
    return fresh


def _identity_text(value: Value) -> str:
    return _encodable(value) if isinstance(value, str) else _scalar(value)


def _ends_with_break(text: str) -> bool:
    return text[-1:] in ("\n", "\r", "\x85", "\u2028", "\u2029")


def _majority_newline(data: bytes) -> str:
    counts: dict[bytes, int] = {}
    for newline in _NEWLINES.findall(data):
        counts[newline] = counts.get(newline, 0) + 1
    return max(counts, key=lambda newline: counts[newline]).decode() if counts else "\n"
