"""How a field of a scene is declared: what it means, where authors and older tools write it, and what it does."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal

from chargen.base.frozen import frozen

Type = Literal[
    "text",
    "long text",
    "texts",
    "light",
    "palette",
    "people",
    "references",
    "ratio",
    "size",
    "number",
    "weight",
    "yes or no",
]
Dialect = Literal["idea", "location", "chapter"]
"""The lists of older tools: `scenes` of image-ideas.yaml, the pictures of a location, `images` of a chapter."""
Level = Literal["", "entity", "defaults"]

_DECLARED = "scene field"


@frozen
class Names:
    """The keys under which an older tool writes a field; a dotted one is a key within a mapping.

    Of a text counts the first key that says something, or all of them if ``joined``. A list takes what all keys hold,
    and the parts of the texts in ``with_commas``.
    """

    keys: tuple[str, ...] = ()
    joined: bool = False
    with_commas: tuple[str, ...] = ()


@frozen
class SceneField:
    """A declared field of `Scene`.

    ``said_in``: the section of config/prompts.yaml that says it, ``""`` for what shapes the request in other ways.
    ``unhashed``: why it is no part of the spec hash, ``""`` if it is. ``ours``: whether authors may write it in a scene
    of our own format. ``level``: where an entity may say it for all its scenes. ``adds_up``: every level adds to it;
    of other fields the nearest level that has one counts. ``inherited``: pictures of a zone take it over.
    """

    name: str
    type: Type
    description: str
    said_in: str = ""
    unhashed: str = ""
    ours: bool = True
    level: Level = ""
    adds_up: bool = False
    inherited: bool = False
    older: Mapping[Dialect, Names] = field(default_factory=dict)


def scene_field(
    description: str, *, type: Type = "text", said_in: str = "", default: Any = dataclasses.MISSING, **more: Any
) -> Any:
    """Return a dataclass field that declares a field of a scene; *more* are the other values of `SceneField`.

    *older* maps dialects to `Names`, or to the keys alone.
    """
    return field(
        default=default, metadata={_DECLARED: {"type": type, "description": description, "said_in": said_in, **more}}
    )


def text(description: str, *, said_in: str, type: Type = "text", **more: Any) -> Any:
    """Declare a text, empty by default; *said_in* is the section of config/prompts.yaml that says it."""
    return scene_field(description, said_in=said_in, type=type, default="", **more)


def texts(description: str, *, said_in: str, **more: Any) -> Any:
    """Declare a list of texts, empty by default."""
    return scene_field(description, said_in=said_in, type="texts", default=(), **more)


def declared_fields(scene: type) -> dict[str, SceneField]:
    """Return the declared fields of the dataclass *scene* by name, in order."""
    return {
        item.name: _declared(item.name, **item.metadata[_DECLARED])
        for item in dataclasses.fields(scene)
        if _DECLARED in item.metadata
    }


def _declared(name: str, **given: Any) -> SceneField:
    older = {of: keys if isinstance(keys, Names) else Names(keys) for of, keys in given.pop("older", {}).items()}
    return SceneField(name=name, older=older, **given)
