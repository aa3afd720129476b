"""What a check of the set-up found."""

from __future__ import annotations

from typing import Literal

from chargen.base.frozen import frozen
from chargen.base.reading import Document

Level = Literal["ok", "warning", "error"]


@frozen
class Finding(Document):
    """One line: what was checked, the result, and what to do about a problem."""

    level: Level
    about: str
    says: str
    advice: str = ""
