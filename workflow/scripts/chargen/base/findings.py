"""What a check of the set-up found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chargen.base.reading import Document

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding(Document):
    """One line: what was checked, the result, and what to do about a problem."""

    level: Level
    about: str
    says: str
    advice: str = ""
