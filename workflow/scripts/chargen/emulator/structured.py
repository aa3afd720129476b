"""JSON that fits a response schema, filled from a picture: what a text model would say about a
placeholder.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_MAX_DEPTH = 12
_BY_FORMAT = {"date-time": "2026-01-01T00:00:00Z", "date": "2026-01-01"}
_PATTERN_GUESSES = ("placeholder", "Placeholder", "placeholder-1", "placeholder_1", "1", "0.5", "1:1")


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to say: size, colours (``#rrggbb``, most frequent first), a sentence, a seed for choices, and
    whether the picture is one of the emulator's own placeholders, which show nothing that was asked for.
    """

    width: int
    height: int
    colours: tuple[str, ...]
    sentence: str
    seed: str
    is_placeholder: bool = False


def answer(schema: Mapping[str, Any], seen: Seen) -> Any:
    """A value that conforms to *schema*: OpenAPI style with upper-case types, or JSON Schema with
    ``$defs``.
    """
    return _Walker(schema, seen).value(schema, "", 0)


class _Walker:
    def __init__(self, root: Mapping[str, Any], seen: Seen) -> None:
        self._root = root
        self._seen = seen

    def value(self, schema: Mapping[str, Any], path: str, depth: int) -> Any:
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if choices := schema.get("enum"):
            return choices[max(0, self._pick(path, 2 * len(choices)) - len(choices))]  # the first one half of the time
        kind = self._kind(schema)
        if kind == "object":
            return self._object(schema, path, depth)
        if kind == "array":
            return self._array(schema, path, depth)
        if kind == "integer":
            return int(self._number(schema, path, whole=True))
        if kind == "number":
            return self._number(schema, path, whole=False)
        if kind == "boolean":
            return not self._seen.is_placeholder or self._pick(path, 8) > 0
        if kind == "null":
            return None
        return self._string(schema, path)

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        for _ in range(_MAX_DEPTH):
            if ref := schema.get("$ref"):
                target: Any = self._root
                for step in str(ref).lstrip("#/").split("/"):
                    target = target.get(step, {}) if isinstance(target, dict) else {}
                schema = target
                continue
            options = schema.get("anyOf") or schema.get("any_of") or schema.get("oneOf")
            if options:
                schema = next((o for o in options if str(o.get("type", "")).lower() != "null"), options[0])
                continue
            if parts := schema.get("allOf"):
                merged: dict[str, Any] = {}
                for part in parts:
                    merged.update(self._resolved(part))
                schema = merged
                continue
            break
        return schema

    def _kind(self, schema: Mapping[str, Any]) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = next((item for item in kind if item != "null"), "null")
        if kind:
            return str(kind).lower()
        if "properties" in schema:
            return "object"
        return "array" if "items" in schema else "string"

    def _object(self, schema: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
        properties: Mapping[str, Any] = schema.get("properties") or {}
        required = set(schema.get("required") or ())
        order = schema.get("propertyOrdering") or schema.get("property_ordering") or list(properties)
        names = [name for name in order if name in properties]
        names += [name for name in properties if name not in names]
        deep = depth >= _MAX_DEPTH
        return {
            name: self.value(properties[name], f"{path}.{name}", depth + 1)
            for name in names
            if not deep or name in required
        }

    def _array(self, schema: Mapping[str, Any], path: str, depth: int) -> list[Any]:
        least = int(schema.get("minItems") or schema.get("min_items") or 0)
        most = int(schema.get("maxItems") or schema.get("max_items") or 1000)
        if depth >= _MAX_DEPTH:
            return []
        items = schema.get("items") or {}
        wanted = len(self._seen.colours) if _about_colour(path) else 2
        count = max(least, min(most, wanted))
        found = [self.value(items, f"{path}[{number}]", depth + 1) for number in range(count)]
        if schema.get("uniqueItems") or self._resolved(items).get("enum"):
            distinct = [item for at, item in enumerate(found) if item not in found[:at]]
            found = distinct if len(distinct) >= least else found
        return found

    def _number(self, schema: Mapping[str, Any], path: str, *, whole: bool) -> float:
        name = path.rsplit(".", 1)[-1].lower()
        low, high = schema.get("minimum"), schema.get("maximum")
        if measured := {"width": self._seen.width, "height": self._seen.height}.get(name.split("_")[-1]):
            return min(max(measured, low if low is not None else measured), high if high is not None else measured)
        if low is None and high is None:
            low, high = (1, 10) if whole else (0, 1)
        low = float(low if low is not None else min(0, high or 0))
        high = float(high if high is not None else low + 10)
        value = low + (high - low) * (self._pick(path, 101) / 100)
        return round(value) if whole else round(value, 2)

    def _string(self, schema: Mapping[str, Any], path: str) -> str:
        least = int(schema.get("minLength") or schema.get("min_length") or 0)
        most = int(schema.get("maxLength") or schema.get("max_length") or 400)
        text = self._text(schema, path).ljust(least, ".")[:most]
        pattern = schema.get("pattern")
        if pattern and not re.search(pattern, text):
            fitting = (option for option in (*self._seen.colours, *_PATTERN_GUESSES) if re.search(pattern, option))
            text = next(fitting, text)
        return text

    def _text(self, schema: Mapping[str, Any], path: str) -> str:
        name = path.rsplit(".", 1)[-1].lower()
        if known := _BY_FORMAT.get(str(schema.get("format"))):
            return known
        if _about_colour(path):
            return self._colour(path)
        if "mime" in name:
            return "image/jpeg"
        label = name.split("[")[0].replace("_", " ").strip()
        short = any(word in label for word in ("name", "tag", "title", "label", "keyword", "id"))
        text = f"placeholder {label}".strip() if short else self._seen.sentence
        return f"{text} {name.split('[')[1].rstrip(']')}" if "[" in name else text

    def _colour(self, path: str) -> str:
        colours = self._seen.colours or ("#808080",)
        digits = path[path.rfind("[") + 1 : path.rfind("]")] if "[" in path else ""
        return colours[(int(digits) if digits.isdigit() else 0) % len(colours)]

    def _pick(self, path: str, count: int) -> int:
        digest = hashlib.sha256(f"{self._seen.seed}|{path}".encode()).digest()
        return int.from_bytes(digest[:4], "big") % count


def _about_colour(path: str) -> bool:
    lowered = path.lower()
    return any(word in lowered for word in ("colour", "color", "palette", "hex"))
