"""Tolerant reading of values from a mapping, with their places in the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from chargen.base.errors import Place, Problem
from chargen.base.frozen import frozen
from chargen.library.yamlio import Map, Seq

Effect = Literal["", "entity skipped", "scene skipped"]

_PLAIN_ROLES = frozenset({"primary", "secondary", "tertiary", "main", "dominant", "accent", "other"})
"""Keys that order a list rather than say something."""


class Problems:
    """Collects the problems of one entity."""

    def __init__(self, entity: str) -> None:
        self.entity = entity
        self.found: list[Problem] = []

    @property
    def entity_is_broken(self) -> bool:
        """Whether anything found leaves out the whole entity."""
        return any(problem.effect == "entity skipped" for problem in self.found)

    def error(
        self,
        code: str,
        message: str,
        place: Place,
        effect: Effect = "entity skipped",
        advice: str = "",
        scene: str = "",
    ) -> None:
        """Note an error."""
        self.found.append(Problem("error", code, message, place, advice, self.entity, scene, effect))

    def warn(self, code: str, message: str, place: Place, advice: str = "", scene: str = "") -> None:
        """Note a warning."""
        self.found.append(Problem("warning", code, message, place, advice, self.entity, scene))


@frozen
class View:
    """A mapping of a file together with its file's name and its key path, like ``scenes[3]``."""

    data: Map
    file: str
    path: str = ""

    def place(self, key: str = "") -> Place:
        """The place of *key*; without one, the start of the mapping."""
        full = f"{self.path}.{key}" if self.path and key else key or self.path
        return Place(self.file, *self.data.position(key), full)

    def value(self, key: str) -> Any:
        """The raw value at *key*, which may be a dotted path; None if there is none."""
        if "." not in key:
            return self.data.get(key)
        first, _, rest = key.partition(".")
        value: Any = self.data.get(first)
        for part in rest.split("."):
            if not isinstance(value, dict):
                return None
            value = value.get(part)
        return value

    def text(self, *keys: str) -> str:
        """The first of *keys* that holds something, as one text; ``""`` if none does."""
        for key in keys:
            value = self.data.get(key) if "." not in key else self.value(key)
            if value is not None and (found := value.strip() if type(value) is str else as_text(value)):
                return found
        return ""

    def texts(self, *keys: str) -> list[str]:
        """Everything that *keys* hold, as one list without repetitions."""
        found: list[str] = []
        for key in keys:
            if (value := self.value(key)) is not None:
                found += as_texts(value)
        return unique(found) if len(found) > 1 else found

    def map(self, key: str) -> View:
        """The mapping at *key* (a dotted path, too); an empty one if there is none."""
        data = self.value(key)
        path = f"{self.path}.{key}" if self.path else key
        return View(data if isinstance(data, Map) else Map(), self.file, path)

    def has(self, key: str) -> bool:
        """Whether *key* holds something."""
        return self.value(key) not in (None, "", [], {})

    def items(self, key: str, problems: Problems) -> Iterator[View]:
        """The mappings in the list at *key*. Anything that is not a list, or an item not a mapping, is an error."""
        value = self.data.get(key)
        if value is None:
            return
        if not isinstance(value, Seq):
            problems.error("bad-type", "must be a list", self.place(key), advice="start each item with '- '")
            return
        path = f"{self.path}.{key}" if self.path else key
        for index, item in enumerate(value):
            if isinstance(item, Map):
                yield View(item, self.file, f"{path}[{index}]")
            elif item is not None:
                place = Place(self.file, *value.position(index), f"{path}[{index}]")
                problems.error("bad-type", "must be a mapping (key: value)", place)


def as_text(value: Any) -> str:
    """*value* as one text: lists joined by commas, mappings as ``key: value``."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.strip()
    return ", ".join(as_texts(value))


def as_texts(value: Any) -> list[str]:
    """*value* as a list of texts: a text is one item, a mapping gives ``key: value`` for keys that say something."""
    if value is None:
        return []
    if isinstance(value, str):
        text = value.strip()
        return [text] if text else []
    if isinstance(value, dict):
        return [
            text if key.lower() in _PLAIN_ROLES else f"{words(key)}: {text}"
            for key, item in value.items()
            if (text := as_text(item))
        ]
    return [text for item in value if (text := as_text(item))]


def values_of(value: Any) -> list[str]:
    """All texts within *value*, without the keys."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in values_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in values_of(item)]
    return as_texts(value)


def split_commas(value: Any) -> list[str]:
    """The parts of *value* between commas."""
    return [part for text in values_of(value) for piece in text.split(",") if (part := piece.strip())]


def as_bool(text: str) -> bool | None:
    """What a word means as yes or no; None if it means neither."""
    word = text.strip().lower()
    if word in {"true", "yes", "on", "1", "y"}:
        return True
    if word in {"false", "no", "off", "0", "n", ""}:
        return False
    return None


def words(key: str) -> str:
    """A key as words."""
    return key.replace("_", " ").strip()


def unique(texts: Iterable[str]) -> list[str]:
    """*texts* without repetitions, whatever their case; the first spelling stays."""
    seen: dict[str, str] = {}
    for text in texts:
        seen.setdefault(text.casefold(), text)
    return list(seen.values())
