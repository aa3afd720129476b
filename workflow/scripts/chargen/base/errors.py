"""Problems and errors for the user: where, what is wrong, and what to do."""

from __future__ import annotations

import unicodedata
from typing import Literal

from chargen.base.frozen import frozen

Severity = Literal["error", "warning"]

NO_MEMORY = "out of memory. Nothing is lost; close other programs and run again"

MAX_SHOWN = 400
"""Characters of one message, or of a key's path, that a person is shown."""


@frozen
class Place:
    """A spot in a file of the library.

    ``file`` is relative to the library root with ``/``; ``line`` and ``column`` count from 1, 0 when unknown;
    ``key`` is the path of the value inside the file, like ``scenes[3].aspect_ratio``.
    """

    file: str
    line: int = 0
    column: int = 0
    key: str = ""

    def __str__(self) -> str:
        spot = self.file
        if self.line:
            spot += f":{self.line}"
            if self.column:
                spot += f":{self.column}"
        return spot


@frozen
class Problem:
    """One error or warning about the library, found while planning.

    ``code`` is a stable word like ``invalid-yaml`` or ``unknown-character``; ``entity`` is ``kind/slug``;
    ``scene`` is the scene's id. ``effect`` says what is left out because of it: the entity, the scene, or nothing.
    """

    severity: Severity
    code: str
    message: str
    place: Place
    advice: str = ""
    entity: str = ""
    scene: str = ""
    effect: Literal["", "entity skipped", "scene skipped"] = ""

    def __str__(self) -> str:
        """One line for a terminal, whatever the author's words in it are."""
        text = f"{self.place}: {self.severity}: "
        if self.place.key:
            text += f"{shortened(self.place.key)}: "
        text += shortened(self.message)
        if self.effect:
            text += f"; {self.effect}"
        if self.advice:
            text += f" ({self.advice})"
        return printable(text)


def printable(text: str) -> str:
    """*text* with every sign that could garble a terminal, line breaks among them, written out."""
    return "".join(sign if unicodedata.category(sign)[0] not in "C" else f"\\u{ord(sign):04x}" for sign in text)


def shortened(text: str) -> str:
    """*text* without its middle if that is too long to read; the end often says what is wrong."""
    half = MAX_SHOWN // 2
    return text if len(text) <= MAX_SHOWN else f"{text[:half]}…{text[-half:]}"


def system_trouble(error: OSError) -> str:
    """Return a message on what the system refused: which file, why, and that nothing is lost."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}. Nothing is lost; fix this and run again"


class ChargenError(Exception):
    """Something that the user must know and can act on; printed without a traceback.

    The first argument is the whole message: where, what is wrong, what to do.
    """

    exit_code = 1
    stopped = False
    """Whether it only says that the run was stopped, which is printed once for all steps."""


class CannotPlan(ChargenError):
    """Something of the configuration keeps new tasks of an operation from being planned: models, prices, prompts.

    What was sent does not depend on it, and is collected all the same.
    """
