"""Where in a YAML text items can be added to a top-level list, without a change to anything else."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import yaml

from chargen.base.frozen import frozen
from chargen.library.yaml_events import (
    LIST,
    LIST_END,
    MAP,
    MAP_END,
    Mark,
    Obstacle,
    closes_block,
    column_of,
    content_events,
    end_of,
    is_empty_scalar,
    is_flow,
    mark_of,
    place_of,
    refused,
    span_end,
    start_of,
)  # fmt: skip
from chargen.library.yaml_writing import key_mark

# What libyaml takes for the end of a line.
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_COMMENT_LINE = re.compile("([ \t]*)#")


@frozen
class Spot:
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
    opening: tuple[Mark, ...] = ()
    closing: tuple[Mark, ...] = ()

    def expected(self, signature: Sequence[Mark], items: Iterable[Sequence[Mark]]) -> list[Mark]:
        added = [mark for item in items for mark in item]
        return [
            *signature[: self.event],
            *self.opening,
            *added,
            *self.closing,
            *signature[self.event_end :],
        ]


@frozen
class Document:
    """The events of a file's only document, and where among them the section's key and value are."""

    text: str
    section: str
    events: Sequence[yaml.Event]
    signature: Sequence[Mark]
    keys: Sequence[int]  # indices of the events that start top-level keys
    key: int  # index of the section's key, -1 without the section
    value: int  # indices of the section's value: first event and the one after its last
    value_end: int

    @classmethod
    def parse(cls, text: str, section: str) -> Document:
        """Read the document, or raise `Refused` for one that takes no records."""
        events = content_events(text)
        if events and isinstance(events[0], yaml.ScalarEvent) and is_empty_scalar(events[0]):
            events = []
        if events and not isinstance(events[0], yaml.MappingStartEvent):
            raise refused(events[0], "the top level is not a mapping", "write it as `key: value` lines")
        if events and is_flow(events[0]):
            raise refused(events[0], "the top level is written in braces", "write it as `key: value` lines")
        keys, key, value, value_end = [], -1, -1, -1
        position = 1
        while position < len(events) - 1:
            keys.append(position)
            start = span_end(events, position)
            end = span_end(events, start)
            name = events[position]
            if isinstance(name, yaml.ScalarEvent) and name.value == section:
                if key >= 0:
                    raise refused(name, f"`{section}` appears a second time", "merge the two lists")
                key, value, value_end = position, start, end
            position = end
        signature = [mark_of(event) for event in events]
        return cls(text, section, events, signature, keys, key, value, value_end)

    def recorded(self, same: Sequence[str]) -> set[tuple[str, ...]]:
        """Return the identities of the items that the section holds; missing values count as empty."""
        if self.key < 0 or not isinstance(self.events[self.value], yaml.SequenceStartEvent):
            return set()
        found = set()
        position = self.value + 1
        while position < self.value_end - 1:
            end = span_end(self.events, position)
            if isinstance(self.events[position], yaml.MappingStartEvent):
                texts = self._texts(position + 1, end - 1)
                found.add(tuple(texts.get(name, "") for name in same))
            position = end
        return found

    def _texts(self, position: int, end: int) -> dict[str, str]:
        texts = {}
        while position < end:
            value = span_end(self.events, position)
            name, content = self.events[position], self.events[value]
            if isinstance(name, yaml.ScalarEvent) and isinstance(content, yaml.ScalarEvent):
                texts[name.value] = content.value
            position = span_end(self.events, value)
        return texts

    def spots(self) -> Iterator[Spot]:
        """Yield the places where items can go, best first; the caller checks what becomes of the document.

        Raises `Refused` if the section's value is not a list that can be continued.
        """
        if self.key < 0:
            yield from self._spots_for_new_section()
            return
        value = self.events[self.value]
        plain = not getattr(value, "anchor", None) and not getattr(value, "tag", None)
        if plain and isinstance(value, yaml.SequenceStartEvent) and not is_flow(value):
            yield from self._spots_after_last_item(column_of(value))
        elif plain and self._is_empty(value):
            yield self._spot_for_empty_value(value)
        else:
            raise refused(
                value,
                f"`{self.section}` is neither empty nor a list of lines that start with a dash",
                f"write it as a list, or as `{self.section}: []`",
            )

    def _is_empty(self, value: yaml.Event) -> bool:
        if isinstance(value, yaml.ScalarEvent):
            return is_empty_scalar(value)
        if not isinstance(value, yaml.SequenceStartEvent) or self.value_end != self.value + 2:
            return False
        closing = self.events[self.value + 1]
        return not self.text[start_of(value) + 1 : end_of(closing) - 1].strip()

    def _spots_for_new_section(self) -> Iterator[Spot]:
        end = len(self.text)
        if not self.events:
            whole = (MAP, key_mark(self.section), LIST)
            yield Spot(end, end, end, 2, 0, 0, (f"{self.section}:",), whole, (LIST_END, MAP_END))
            return
        column = column_of(self.events[0])
        heading = (" " * column + f"{self.section}:",)
        opening, closing = (key_mark(self.section), LIST), (LIST_END,)
        last = len(self.events) - 1
        yield Spot(end, end, end, column + 2, last, last, heading, opening, closing)
        # A block scalar that ends the file without a newline would change if anything came after it.
        key = self.keys[-1]
        start = self._line_start(start_of(self.events[key]))
        yield Spot(start, start, start, column + 2, key, key, heading, opening, closing)

    def _spot_for_empty_value(self, value: yaml.Event) -> Spot:
        start, end = start_of(value), end_of(self.events[self.value_end - 1])
        indent = column_of(self.events[self.key]) + 2
        insert_at = self._line_end(end)
        return Spot(start, end, insert_at, indent, self.value, self.value_end, (), (LIST,), (LIST_END,))

    def _spots_after_last_item(self, column: int) -> Iterator[Spot]:
        closing = self.value_end - 1
        for end in self._ends_of_content(closing):
            at = self._after_own_comments(end, column)
            yield Spot(at, at, at, column, closing, closing)

    def _ends_of_content(self, closing: int) -> Iterator[int]:
        """Yield where the last line of the last item may end, the likeliest first."""
        last = closing - 1  # the events that close a block carry the mark of whatever comes behind it
        while closes_block(self.events, last):
            last -= 1
        event = self.events[last]
        start, end = start_of(event), end_of(event)
        if isinstance(event, yaml.ScalarEvent) and event.style in ("|", ">"):
            # Empty lines behind a block scalar belong to it only if it keeps them or they hold enough spaces.
            yield self._line_end(start + len(self.text[start:end].rstrip()))
            yield end if ends_with_break(self.text[:end]) else self._line_end(end)
            return
        yield self._line_end(end)
        if start == end and last > 0:  # nothing at all after a `?` key is placed behind the comments that follow
            yield self._line_end(end_of(self.events[last - 1]))

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
            *(place_of(self.events[self.value]) if self.key >= 0 else (0, 0)),
            f"nothing can be added to `{self.section}` without changing the rest of the file",
            "end the file with a newline, and write the last list item on lines of its own",
        )


def ends_with_break(text: str) -> bool:
    return text[-1:] in ("\n", "\r", "\x85", "\u2028", "\u2029")
