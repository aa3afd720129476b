"""``chargen.yaml`` in a library's root: how the library wants to look, and what it sets for every run.

It travels with the story. What is typed at a command, or stands in a file given with ``--configfile``, goes before it;
it goes before ``config/config.yaml`` and ``config/styles.yaml``. Files are merged key by key.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chargen.base import schemas as schema
from chargen.base.layers import leaves, merged, without
from chargen.base.yaml_text import InvalidYaml, lines_of, read_plain

NAME = "chargen.yaml"
MISNAMED = ("chargen.yml", "Chargen.yaml", "Chargen.yml", "chargen.yaml.txt")
SETTINGS = (
    "models", "budget_usd", "budget_month_usd", "exclude", "adopt_existing", "missing_references",
    "unreadable_references", "record_prompt", "provenance", "analyze",
)  # fmt: skip
"""Keys of the configuration that a library may set: none that leads elsewhere, to another address, key or file."""
LOOK = ("art_direction", "moods", "image_kinds", "scenarios", "negatives")
"""Keys of ``config/styles.yaml`` that a library may set."""
TYPED = "the command line"
LOWER_ONLY = ("budget_usd", "budget_month_usd")
"""A story that somebody downloads must not raise what may be spent."""


@dataclass(frozen=True, slots=True)
class LibrarySettings:
    """What the file says, as plain data under the keys of the configuration, and the ``look`` apart.

    ``lines`` has the line of each key, like ``art_direction.medium``. ``fault`` says why nothing of it can be used.
    """

    shown: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    look: Mapping[str, Any] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict)
    fault: str = ""

    def place(self, key: str) -> str:
        """Return where *key* stands: ``story/chargen.yaml:4``."""
        known = self.lines.get(key) or (self.lines.get("style") if key == "art_direction.medium" else None)
        return f"{self.shown}:{known}" if known else self.shown

    def over(self, data: Mapping[str, Any], typed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the configuration *data* with what the library says, and where the values of its keys come from.

        What is *typed* stays. Limits are only ever lowered.
        """
        wanted = {key: value for key, value in self.data.items() if key not in LOWER_ONLY}
        taken = without(wanted, typed)
        result: dict[str, Any] = merged(data, taken)
        sources = {key: self.place(key) for key, _ in leaves({**self.look, **taken})}
        sources |= {key: TYPED for key, _ in leaves(wanted) if key not in sources}
        for key in LOWER_ONLY:
            limit, configured = self.data.get(key), data.get(key)
            if limit not in ("", None) and (configured in ("", None) or limit < float(configured)):
                result[key] = float(limit)
                sources[key] = self.place(key)
        return result, sources


NOTHING = LibrarySettings()


def read_library_settings(root: Path, source: Path | None, home: Path) -> LibrarySettings:
    """Read the file of the library at *root*; of a working copy that has none, that of its *source*."""
    path = next((folder / NAME for folder in (root, source) if folder and (folder / NAME).is_file()), None)
    if path is None:
        return NOTHING
    shown = path.relative_to(home).as_posix() if path.is_relative_to(home) else str(path)
    try:
        content = path.read_bytes()
        data = read_plain(content) or {}
    except InvalidYaml as error:
        return LibrarySettings(shown, fault=f"{shown}{error}")
    except OSError as error:
        return LibrarySettings(shown, fault=f"{shown}: cannot be read: {error.strerror or error}")
    lines = lines_of(content)
    if faults := [*schema.errors("library", data), *_doubled(data)]:
        return LibrarySettings(shown, fault="\n".join(_fault(shown, lines, *fault) for fault in faults))
    look = {key: value for key, value in data.items() if key in LOOK}
    if style := data.get("style"):
        look["art_direction"] = {**look.get("art_direction", {}), "medium": style}
    rest = {key: value for key, value in data.items() if key not in {*LOOK, "style", "schema"}}
    return LibrarySettings(shown, rest, look, lines)


def _doubled(data: Any) -> Iterator[tuple[str, str]]:
    if isinstance(data, Mapping) and data.get("style") and data.get("art_direction", {}).get("medium"):
        yield "style", "it says the same as art_direction.medium: keep one of the two"


def _fault(shown: str, lines: Mapping[str, int], key: str, message: str) -> str:
    line = lines.get(key) or next((lines[name] for name in lines if f"unknown key `{name}`" in message), 0)
    return f"{shown}{f':{line}' if line else ''}: {key or 'the whole file'}: {message}"


def misnamed(root: Path) -> str:
    """Return a file that is probably meant to be ``chargen.yaml`` and is not read; ``""`` if there is none."""
    if (root / NAME).is_file() or not root.is_dir():
        return ""
    names = [path.name for path in root.iterdir() if path.is_file()]
    near = [name for name in names if name in MISNAMED] or difflib.get_close_matches(NAME, names, n=1, cutoff=0.9)
    return near[0] if near else ""
