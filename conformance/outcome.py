"""What the judges found: one outcome per behaviour and judge."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any, Literal

from conformance.document import Behaviour

Verdict = Literal["agrees", "differs", "not judged"]


def printable(text: str) -> str:
    """*text* with every character that could garble a terminal written out: a server may answer anything."""
    return "".join(sign if unicodedata.category(sign)[0] != "C" else f"\\u{ord(sign):04x}" for sign in text)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was not as expected: in which step (from 1), at which call or recording, and where."""

    step: int
    call: str
    where: str
    expected: str
    got: str

    def __str__(self) -> str:
        return printable(f"step {self.step}, {self.call}: {self.where}: expected {self.expected}, got {self.got}")


@dataclass(frozen=True)
class Outcome:
    """A judge's verdict on one behaviour; ``reason`` says why it was not judged."""

    behaviour: Behaviour
    judge: str
    verdict: Verdict
    differences: tuple[Difference, ...] = ()
    reason: str = ""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "id": self.behaviour.id,
            "group": self.behaviour.group,
            "says": self.behaviour.says,
            "file": str(self.behaviour.file),
            "line": self.behaviour.line,
            "judge": self.judge,
            "verdict": self.verdict,
            "reason": self.reason,
            "differences": [
                {"step": d.step, "call": d.call, "where": d.where, "expected": d.expected, "got": d.got}
                for d in self.differences
            ],
        }


@dataclass
class Tally:
    """The outcomes of one judge, with notes; ``spent_usd`` is what a live run cost at most."""

    judge: str
    outcomes: list[Outcome] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: bool = False
    spent_usd: float = 0.0

    def count(self, verdict: Verdict) -> int:
        """How many behaviours have that verdict."""
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    @property
    def differs(self) -> bool:
        """Whether anything was not as expected."""
        return self.count("differs") > 0
