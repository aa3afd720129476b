"""Reading the fields of other tools' files under our names, as `chargen.library.scene` declares them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from chargen.library.drafts import Level, filled
from chargen.library.fields import Problems, View, as_text, split_commas, unique, values_of
from chargen.library.looks import lighting, palette
from chargen.library.ratio import ratio_of_orientation, ratio_of_pixels, ratio_within, same_shape
from chargen.library.scene import SCENE_FIELDS
from chargen.library.scene_field import Dialect, SceneField

_SPECIAL = ("people", "references")
"""Types that each dialect reads in its own way."""


def older_fields(view: View, dialect: Dialect, problems: Problems, scene: str) -> Level:
    """What an item of an older tool says itself, under our names: every declared field but people and references."""
    level: Level = {}
    for item in _fields_of(dialect):
        names = item.older[dialect]
        if item.type == "ratio":
            level[item.name] = own_ratio(view, problems, scene)
        elif item.type == "light":
            level[item.name] = lighting(_first_value(view, names.keys))
        elif item.type == "palette":
            level[item.name] = palette(_first_value(view, names.keys))
        elif item.type == "texts" and names.with_commas:
            level[item.name] = negatives(view, names.keys, names.with_commas)
        elif item.type == "texts":
            level[item.name] = view.texts(*names.keys)
        else:
            level[item.name] = joined_texts(view, *names.keys) if names.joined else view.text(*names.keys)
    return filled(level)


@cache
def _fields_of(dialect: Dialect) -> tuple[SceneField, ...]:
    return tuple(item for item in SCENE_FIELDS.values() if dialect in item.older and item.type not in _SPECIAL)


def _first_value(view: View, keys: Sequence[str]) -> Any:
    return next((value for key in keys if (value := view.value(key))), None)


def joined_texts(view: View, *fields: str) -> str:
    """What several fields say, each once, as paragraphs."""
    return "\n".join(unique(text for field in fields if (text := as_text(view.value(field)))))


def negatives(view: View, listed: tuple[str, ...], with_commas: tuple[str, ...]) -> list[str]:
    """What to avoid: the items of lists as they are, texts split at their commas."""
    items = [text for field in listed for text in values_of(view.value(field))]
    return unique([*items, *(text for field in with_commas for text in split_commas(view.value(field)))])


def own_ratio(view: View, problems: Problems, scene: str) -> str:
    """The aspect ratio of an item: as written, else from its pixels, else from its orientation; ``""`` for none.

    Pixels that have another shape than the ratio are warned of; the ratio counts.
    """
    written, size = view.text("aspect_ratio", "technical.aspect_ratio", "image_spec.aspect_ratio"), view.text("size")
    found, of_size = ratio_within(written), ratio_of_pixels(size)
    if written and not found:
        problems.warn(
            "bad-ratio", f"'{written}' is not an aspect ratio, so it is ignored", view.place("aspect_ratio"),
            "write it like 3:4 or 16:9", scene,
        )  # fmt: skip
    if found and of_size and not same_shape(found, of_size):
        problems.warn(
            "ratio-against-size",
            f"the size {size} does not match {found}; the ratio is used",
            view.place("size"),
            scene=scene,
        )
    return found or of_size or ratio_of_orientation(view.text("orientation"))


def by_key(views: list[View], key: Callable[[View], str]) -> dict[str, View]:
    """*views* by what *key* finds in them; the first of a name stays."""
    result: dict[str, View] = {}
    for view in views:
        if name := key(view):
            result.setdefault(name, view)
    return result


def mapping(value: Any) -> Mapping[str, Any]:
    """*value* if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}
