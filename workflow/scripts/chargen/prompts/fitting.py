"""Keeping a prompt within its length: what gives way first, and what never does, is said by the parts themselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial

from chargen.base.frozen import frozen
from chargen.prompts.text import cut_at_sentence

BETWEEN_SECTIONS = "\n\n"
BETWEEN_PARTS = "\n"
_CLAUSE_END = re.compile(r"[,;.](?=\s|\Z)|\s[-–—](?=\s)")
_SHORTEST_CLAUSE = 60
_NEVER = 10**6


@frozen
class Budget:
    """Lengths in characters; ``ours`` is the greatest share of words that are not the author's."""

    aim: int
    warn: int
    most: int
    ours: float


@frozen
class Part:
    """A part of a section as `prompts.yaml` declares it; ``cut`` 0 is never cut, ``max`` 0 is no limit."""

    name: str
    section: str
    source: str
    max: int = 0
    cut: int = 0
    least: int = 0
    beside: str = ""
    ours: bool = False
    last: bool = False


@frozen
class Cut:
    """A part that lost so many characters."""

    part: str
    characters: int


@frozen
class Fitted:
    """The text, its sections with their lengths, and what was cut."""

    text: str
    sections: tuple[tuple[str, int], ...]
    cuts: tuple[Cut, ...]


def fit(parts: Sequence[tuple[Part, str]], targets: dict[str, int], budget: Budget) -> Fitted:
    """Return *parts* as one text. Equal parts give equal texts; what has no ``cut`` stays whole.

    A section gives way to its target first, then all to the aim: by ``cut``, at the ends of sentences. Only what is
    ``last`` is shortened, at the very end, if the text is longer than the most that is sent.
    """
    work = _Work(parts)
    for part in work.parts:
        if part.max:
            work.shorten(part, part.max)
    for section, target in targets.items():
        of_section = [part for part in work.parts if part.section == section]
        work.give_way(of_section, partial(_over, partial(work.length_of, section), target))
    while work.share_of_ours() > budget.ours and (ours := work.first_of_ours()):
        work.shorten(ours, 0)
    work.give_way(work.parts, partial(_over, work.length, budget.aim))
    if work.length() > budget.most:
        work.shorten_lines(partial(_over, work.length, budget.most))
    return work.result()


def _over(length: Callable[[], int], limit: int) -> int:
    return length() - limit


class _Work:
    def __init__(self, parts: Sequence[tuple[Part, str]]):
        self.parts = [part for part, text in parts if text]
        self._full = {part.name: text for part, text in parts if text}
        self._texts = dict(self._full)

    def shorten(self, part: Part, length: int) -> None:
        text = self._texts[part.name]
        if len(text) > length:
            self._texts[part.name] = cut_at_sentence(text, length)

    def give_way(self, parts: Sequence[Part], over: Callable[[], int]) -> None:
        """Shorten *parts* by rank until nothing is over."""
        for part in sorted((part for part in parts if part.cut), key=lambda part: part.cut):
            too_much = over()
            if too_much <= 0:
                return
            if part.beside and not self._texts.get(part.beside):
                continue
            text = self._texts[part.name]
            keeps = max(len(text) - too_much, 0)
            self.shorten(part, keeps if keeps >= part.least or not part.least else 0)

    def shorten_lines(self, over: Callable[[], int]) -> None:
        """Shorten the lines of what is ``last``, the longest first, to their first clause."""
        for part in (part for part in self.parts if part.last):
            lines = self._texts[part.name].split("\n")
            for index in sorted(range(len(lines)), key=lambda index: -len(lines[index])):
                if over() <= 0:
                    return
                lines[index] = _first_clause(lines[index])
                self._texts[part.name] = "\n".join(lines)

    def first_of_ours(self) -> Part | None:
        left = [part for part in self.parts if part.ours and self._texts[part.name]]
        return min(left, key=lambda part: part.cut or _NEVER, default=None)

    def share_of_ours(self) -> float:
        ours = sum(len(self._texts[part.name]) for part in self.parts if part.ours)
        return ours / max(1, self.length())

    def section(self, name: str) -> str:
        texts = (self._texts[part.name] for part in self.parts if part.section == name)
        return BETWEEN_PARTS.join(filter(None, texts))

    def length_of(self, section: str) -> int:
        return len(self.section(section))

    def length(self) -> int:
        lengths = [
            length for name in dict.fromkeys(part.section for part in self.parts) if (length := self.length_of(name))
        ]
        return sum(lengths) + len(BETWEEN_SECTIONS) * max(0, len(lengths) - 1)

    def result(self) -> Fitted:
        names = dict.fromkeys(part.section for part in self.parts)
        sections = [(name, text) for name in names if (text := self.section(name))]
        return Fitted(
            BETWEEN_SECTIONS.join(text for _, text in sections),
            tuple((name, len(text)) for name, text in sections),
            tuple(
                Cut(name, len(text) - len(self._texts[name]))
                for name, text in self._full.items()
                if len(self._texts[name]) < len(text)
            ),
        )


def _first_clause(line: str) -> str:
    """The beginning of *line* up to the first end of a clause that leaves something worth saying."""
    end = next((found.start() for found in _CLAUSE_END.finditer(line) if found.start() >= _SHORTEST_CLAUSE), len(line))
    return line if end >= len(line) - 1 else line[:end].rstrip(" ,;.-–—") + "."
