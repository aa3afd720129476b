"""Output of the screens: coloured on a terminal, plain lines elsewhere, or one JSON document.

A screen is a list of lines, a line is a list of spans; what is data stays data, so that both answers say the same.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TextIO

from chargen.base import output
from chargen.base.formatting import is_terminal
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.base.wording import columns

if TYPE_CHECKING:
    from rich.text import Text

GAP = "  "
INDENT = "    "

GOOD, BAD, WARN, BUSY, DIM, STRONG = "green", "bold red", "yellow", "cyan", "dim", "bold"


@frozen
class Span:
    """A piece of a line; ``style`` is one of this module's colours, or ``""``.

    Texts come from servers and folders: nothing in them ends a line or is obeyed by a terminal.
    """

    text: str
    style: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", output.clean(self.text.replace("\n", " ").replace("\t", " ")))


Line = tuple[Span, ...]
Cell = Span | str


@frozen
class Column:
    """A column of a table. ``below``: where the terminal is too narrow, it moves to a line under its row."""

    title: str
    right: bool = False
    below: bool = False


def line(*parts: Cell) -> Line:
    """Return one line; text without a style is plain."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def plain(of: Line) -> str:
    """Return the line's text."""
    return "".join(span.text for span in of).rstrip()


def heading(text: str) -> Line:
    """Return a title's line."""
    return line(Span(text, STRONG))


def advice(text: str, width: int | None) -> list[Line]:
    """Return *text*, wrapped to the terminal, indented like what belongs to the line above it."""
    if width is None:
        return [line(INDENT + text)]
    return [
        line(Span(piece, DIM))
        for piece in textwrap.wrap(
            text, max(width, 30), initial_indent=INDENT, subsequent_indent=INDENT, break_long_words=False
        )
    ]


def to_paste(text: str) -> Line:
    """Return the line of a command to be copied: never broken."""
    return line(INDENT, Span(text, BUSY))


def table(header: Sequence[Column], rows: Iterable[Sequence[Cell]], width: int | None) -> list[Line]:
    """Return *rows* in aligned columns below their titles; nothing without rows.

    On a terminal of *width* columns that is too narrow for all of them, those marked ``below`` go to a line of their
    own under each row. Without a terminal (None), every row is one line.
    """
    spans = [[cell if isinstance(cell, Span) else Span(cell) for cell in row] for row in rows]
    if not spans:
        return []
    widths = [
        max(columns(column.title), *(columns(row[number].text) for row in spans))
        for number, column in enumerate(header)
    ]
    shown = list(range(len(header)))
    if width is not None and sum(widths) + len(GAP) * (len(widths) - 1) > width:
        shown = [number for number in shown if not header[number].below]
    below = [number for number in range(len(header)) if number not in shown]
    titles = [Span(column.title, DIM) for column in header]
    lines = [_row(titles, header, widths, shown)]
    for row in spans:
        lines.append(_row(row, header, widths, shown))
        rest = " · ".join(row[number].text for number in below if row[number].text)
        lines += advice(rest, width) if rest else []
    return lines


def _row(cells: Sequence[Span], header: Sequence[Column], widths: Sequence[int], shown: Sequence[int]) -> Line:
    spans: list[Span] = []
    for number in shown:
        cell = cells[number]
        padding = " " * (widths[number] - columns(cell.text))
        last = number == shown[-1]
        spans.append(Span(GAP) if spans else Span(""))
        if header[number].right:
            spans += [Span(padding), cell]
        else:
            spans += [cell, Span("" if last else padding)]
    return tuple(spans)


def size(number: int) -> str:
    """Return a number of bytes like ``1.2 MB``."""
    amount = float(number)
    for unit in ("B", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("unreachable: GB ends the loop")


@frozen(kw_only=True)
class Trouble(Document):
    """The answer of a target that failed, where JSON is wanted."""

    schema_version: int = 1
    error: str


@frozen
class Screen:
    """Where answers go: *stream* as JSON, as coloured lines if it is a terminal, else as plain lines."""

    as_json: bool
    stream: TextIO

    @classmethod
    def of(cls, form: str) -> Screen:
        """Return the screen for the setting ``format``, on standard output."""
        return cls(form == "json", sys.stdout)

    @property
    def on_terminal(self) -> bool:
        """Whether lines go to a terminal that can show colours and be drawn over."""
        return not self.as_json and is_terminal(self.stream)

    @property
    def width(self) -> int | None:
        """The columns of the terminal; None if there is none."""
        return shutil.get_terminal_size((100, 24)).columns if self.on_terminal else None

    def show(self, data: Document, lines: Callable[[int | None], Iterable[Line]]) -> None:
        """Write *data* as JSON, or what *lines* makes of it for the terminal's width."""
        if self.as_json:
            from chargen.base import durable

            self.stream.write(durable.dump(output.encodable(data.to_json())).decode())
        elif self.on_terminal:
            from rich.console import Console

            console = Console(file=output.drawable(self.stream), highlight=False, soft_wrap=True)
            for item in lines(self.width):
                console.print(as_text(item))
        else:
            self.stream.write("".join(f"{plain(item)}\n" for item in lines(None)))
        self.stream.flush()


def as_text(of: Line) -> Text:
    """Return the line as rich prints it."""
    from rich.text import Text

    return Text.assemble(*((span.text, span.style) for span in of))
