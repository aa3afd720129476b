"""Whether a result file accounts for its job: a 200 is not yet the result.

A web page, an empty body, half of the lines with a clean end or the lines of another job all arrive as a success.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from chargen.base.errors import printable
from chargen.base.frozen import frozen
from chargen.providers.base import Results

_SHOWN = 60


@frozen
class Account:
    """A result file compared with its job's requests.

    ``expected`` is how many lines there should be, 0 if nothing says so. ``known`` counts the keys that were asked for
    and have a readable line, ``damaged`` those with only a damaged line, ``unreadable`` all lines that are no
    whole JSON objects, ``keyless`` the readable ones without a key, ``unknown`` the keys that were not requested.
    ``is_json`` is false for what can be no result file: a web page, say. ``damage`` says what was wrong with the
    transfer.
    """

    bytes: int
    expected: int
    known: int
    damaged: int = 0
    unreadable: int = 0
    keyless: int = 0
    unknown: int = 0
    stranger: str = ""
    is_json: bool = True
    damage: str = ""

    @property
    def fits(self) -> bool:
        """Whether every request has its line, as the server sent it. Lines that are there besides do not matter."""
        has_all = self.known >= self.expected if self.expected else self.known > 0 and not self.unreadable
        return has_all and not self.damage

    @property
    def is_part(self) -> bool:
        """Whether it has a line, if only a damaged one, for any of the requests."""
        return self.known + self.damaged > 0

    @property
    def fault(self) -> str:
        """What is wrong with it; ``""`` if it fits."""
        return "" if self.fits else "; ".join(self._faults())

    def _faults(self) -> Iterator[str]:
        if self.damage:
            yield self.damage
        if not self.is_json:
            yield "it is not a result file"
            return
        if not self.bytes:
            yield "it is empty"
        if self.known < self.expected:
            yield f"{self.expected - self.known:,} of {self.expected:,} requests have no readable line"
        if self.unreadable:
            yield f"lines that cannot be read: {self.unreadable:,}"
        if self.keyless:
            yield f"lines without a key: {self.keyless:,}"
        if self.unknown:
            yield f"keys that were not asked for: {self.unknown:,}, like '{self.stranger}'"


def account_for(opened: Results, expected: Collection[str] | None, requests: int = 0, damage: str = "") -> Account:
    """Read a result file once, in constant memory, and compare it with the keys that were sent.

    Without a request file *expected* is None and any key counts; *requests* is how many the server counts then, 0 if it
    does not say.
    """
    known: set[str] = set()
    damaged: set[str] = set()
    unknown: dict[str, None] = {}
    unreadable = keyless = 0
    with opened as results:
        size, is_plausible = results.size, results.is_plausible
        for line in results:
            if line.problem:
                unreadable += 1
                if line.key is not None and (expected is None or line.key in expected):
                    damaged.add(line.key)
            elif line.key is None:
                keyless += 1
            elif expected is None or line.key in expected:
                known.add(line.key)
            else:
                unknown[line.key] = None
    return Account(
        bytes=size,
        expected=requests if expected is None else len(expected),
        known=len(known),
        damaged=len(damaged - known),
        unreadable=unreadable,
        keyless=keyless,
        unknown=len(unknown),
        stranger=printable(next(iter(unknown), "")[:_SHOWN]),
        is_json=is_plausible,
        damage=damage,
    )
