"""What a check of the set-up found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from chargen.base.reading import Document

Level = Literal["ok", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding(Document):
    """One line: what was looked at, how it is, and what to do if it is not well."""

    level: Level
    about: str
    says: str
    advice: str = ""
