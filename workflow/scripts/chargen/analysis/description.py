"""An analysis as texts and lists for people, also from the formats of older tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chargen.analysis.store import Analysis
from chargen.base.frozen import frozen
from chargen.base.reading import Document


@frozen(kw_only=True)
class Description(Document):
    """``alt`` is for those who do not see the picture; ``named`` are colours in words; ``traits`` pairs of a trait and
    whether it is seen; ``matches``: nothing contradicts the entity's description."""

    alt: str
    text: str
    tags: tuple[str, ...]
    colours: tuple[str, ...]
    named: tuple[str, ...]
    traits: tuple[tuple[str, str], ...]
    matches: bool
    notes: str
    facts: tuple[tuple[str, str], ...]
    defects: tuple[str, ...]


def describe(analysis: Analysis) -> Description:
    """Return what *analysis* says."""
    data = analysis.data
    content, palette, canon = (_map(data.get(key)) for key in ("content", "palette", "canon_analysis"))
    traits = canon.get("traits")
    colours = _texts(palette.get("hex"))
    named = dict.fromkeys([*_texts(palette.get("dominant")), *_texts(palette.get("accent"))])
    facts = (
        ("Looks like", analysis.medium),
        ("Quality", f"{analysis.quality} of 5" if data.get("quality") else ""),
        ("Text in it", _text(data.get("text_in_image"))),
    )
    return Description(
        alt=alt_text(analysis),
        text=_text(content.get("description")),
        tags=_texts(content.get("tags")),
        colours=colours,
        named=tuple(name for name in named if name not in colours),
        traits=tuple((str(trait), str(verdict)) for trait, verdict in traits.items())
        if isinstance(traits, Mapping)
        else tuple((trait, "seen") for trait in analysis.seen),
        matches=analysis.matches,
        notes=_text(canon.get("notes")),
        facts=tuple((name, value) for name, value in facts if value),
        defects=_texts(data.get("defects")),
    )


def alt_text(analysis: Analysis) -> str:
    """Return what an analysis says for those who do not see the picture; ``""`` if nothing."""
    return _text(_map(analysis.data.get("content")).get("alt_text"))


def _map(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return str(value).strip() if value is not None else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(text for item in value if (text := _text(item))) if isinstance(value, list | tuple) else ()
