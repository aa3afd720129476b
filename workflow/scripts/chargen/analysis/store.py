"""Storage of analyses: items of ``image_inventory`` in imagery.yaml, or ``<picture>.analysis.json`` beside it.

Both are read, whatever the configuration says; the youngest one about a picture counts. Items that an older tool wrote
count if they say something of light, palette or canon; they do not say of which content.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from chargen.base import durable
from chargen.base.capabilities import counts
from chargen.base.frozen import frozen
from chargen.library.model import Entity
from chargen.pictures.presence import is_present, why_unreadable

Json = dict[str, Any]
SECTION = "image_inventory"
SIDECAR = ".analysis.json"
_SIGNS = ("lighting", "palette", "canon_analysis")


@frozen
class Analysis:
    """What is known of the picture at ``path`` (relative to the entity's folder). All scalars of ``data`` may be text.

    ``sha256`` is the content that was looked at, ``""`` where an older tool did not say.
    """

    path: str
    sha256: str
    data: Mapping[str, Any]

    @property
    def version(self) -> str:
        """The version of the prompt; ``""`` for an older tool."""
        return str(_map(self.data, "provenance").get("prompt_version") or "")

    @property
    def task_key(self) -> str:
        """The key of the task; ``""`` for an older tool."""
        return str(_map(self.data, "provenance").get("task_key") or "")

    @property
    def matches(self) -> bool:
        """False if the picture contradicts the entity's description."""
        return str(_map(self.data, "canon_analysis").get("matches_description", "true")).lower() != "false"

    @property
    def seen(self) -> tuple[str, ...]:
        """The entity's traits that the picture shows; free words where an older tool looked."""
        canon = _map(self.data, "canon_analysis")
        traits = canon.get("traits")
        if isinstance(traits, Mapping):
            return tuple(str(trait) for trait, verdict in traits.items() if verdict == "seen")
        return _texts(canon.get("verified_features"))

    @property
    def medium(self) -> str:
        medium = str(self.data.get("style_medium") or "").strip()
        return "" if medium == "other" else medium

    @property
    def colours(self) -> tuple[str, ...]:
        """Its main colours in words."""
        return _texts(_map(self.data, "palette").get("dominant"))

    @property
    def image_type(self) -> str:
        return str(self.data.get("image_type") or "")

    @property
    def quality(self) -> int:
        """1 to 5; 3 if unknown."""
        written = str(self.data.get("quality") or "")
        return int(written) if written in ("1", "2", "3", "4", "5") else 3


def read_analyses(entity: Entity, provider: str) -> dict[str, Analysis]:
    """Return the analysis of each picture of *entity* that has one, by path; whether it is still of the picture that
    is there is not looked at. What a provider of placeholders says counts only for such a provider.
    """
    found: dict[str, Analysis] = {}
    for item in entity.inventory:
        if item.path and any(item.data.get(sign) for sign in _SIGNS) and _counts(item.data, provider):
            found[item.path] = Analysis(item.path, str(item.data.get("sha256") or ""), item.data)
    for path, data in _sidecars(entity.folder / "images"):
        if not _counts(data, provider):
            continue
        ours = Analysis(path, str(data.get("sha256") or ""), data)
        other = found.get(path)
        if other is None or _when(ours) >= _when(other):
            found[path] = ours
    return found


def sidecar_path(entity_folder: Path, path: str) -> Path:
    """Return where the sidecar of the picture *path* lies."""
    return entity_folder / (path + SIDECAR)


def write_sidecar(entity_folder: Path, item: Mapping[str, Any]) -> Path:
    """Write *item* beside its picture, whole or not at all; return where."""
    target = sidecar_path(entity_folder, item["path"])
    durable.write(target, orjson.dumps(item, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return target


def unreadable_sidecar(entity_folder: Path, path: str) -> str:
    """Why a sidecar of the picture *path* cannot be read; ``""`` if it can."""
    target = sidecar_path(entity_folder, path)
    if not is_present(target):
        return ""
    try:
        if why := why_unreadable(target):
            return f"{target.name} {why}"
        orjson.loads(target.read_bytes())
    except OSError as error:
        return f"{target.name} cannot be read ({error.strerror})"
    except orjson.JSONDecodeError:
        return f"{target.name} is not JSON: fix it, or remove it to analyse the picture again"
    return ""


def _sidecars(images: Path) -> Iterator[tuple[str, Json]]:
    """Every readable sidecar, by the path of its picture; foreign files are skipped."""
    try:
        files = sorted(path for path in images.iterdir() if path.name.endswith(SIDECAR))
    except OSError:
        return
    for file in files:
        try:
            data = orjson.loads(file.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            continue
        if isinstance(data, dict) and any(data.get(sign) for sign in _SIGNS):
            yield f"images/{file.name.removesuffix(SIDECAR)}", data


def _counts(data: Mapping[str, Any], provider: str) -> bool:
    return counts(str(_map(data, "provenance").get("provider") or ""), provider)


def _when(analysis: Analysis) -> str:
    return str(_map(analysis.data, "provenance").get("analysis_timestamp") or "")


def _map(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key)
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(text for item in items if item is not None and (text := str(item).strip()))
