"""Which settings shape the pictures, and where each of them comes from, for people to read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from chargen.base.layers import leaves
from chargen.records.library_settings import NAME
from chargen.records.settings import Settings


class Setting(NamedTuple):
    """A key with its value and the place that says so: a file with its line, or the command line."""

    key: str
    value: str
    place: str


def origins(settings: Settings, styles: Mapping[str, Any]) -> Iterator[Setting]:
    """Yield what shapes the pictures; *styles* is what holds under keys of ``config/styles.yaml``."""
    configured = "config/config.yaml"
    look = dict(leaves({"art_direction": styles.get("art_direction", {})}))
    of_kinds = dict(leaves({"scenarios": styles.get("scenarios", {})}))
    look |= {key: value for key, value in of_kinds.items() if not key.endswith(".phrase")}
    look["negatives.base"] = styles.get("negatives", {}).get("base", [])
    for key, value in look.items():
        if value not in ("", [], None):
            yield Setting(key, _shown(value), settings.sources.get(key) or _short(settings.styles, settings.home))
    model = settings.models["generate"].model
    yield Setting("models.generate.model", model, settings.sources.get("models.generate.model", configured))
    if settings.budget_usd is not None:
        yield Setting("budget_usd", f"{settings.budget_usd:g}", settings.sources.get("budget_usd", configured))
    known = {"models.generate.model", "budget_usd", *look}
    for key, place in settings.sources.items():
        if key not in known and (value := _value(settings, key)) is not None:
            yield Setting(key, _shown(value), place)


def advice_on_style(settings: Settings) -> str:
    """Return what to do where no medium is said."""
    return (
        f"add `style: …` to {_short(str(settings.library_root / NAME), settings.home)}; docs/look.md has styles to copy"
    )


def _value(settings: Settings, key: str) -> Any:
    """The value of a dotted key of the settings or of the look; None if there is none."""
    found: Any = settings.look if key.partition(".")[0] in settings.look else settings
    for part in key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else getattr(found, part, None)
    return found


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _short(path: str, home: str) -> str:
    short = os.path.relpath(path, home)
    return path if short.startswith("..") else short
