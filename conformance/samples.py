"""Recordings of the real API that others published, in the forms in which they published them."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from conformance.patterns import ABSENT, CutString

_CUT = re.compile(r"<(\d+) (?:base64 )?chars\b.*>")
_NO_SAMPLE = ("README.md",)


class BadSample(Exception):
    """A place in the samples that does not exist or cannot be read."""


@dataclass(frozen=True)
class Recorded:
    """One recorded answer or request, as far as it was published. ``text`` is its body as it was."""

    where: str
    value: Any = ABSENT
    text: str = ""
    status: int | None = None
    headers: Mapping[str, str] | None = None


def files(folder: Path) -> list[str]:
    """All recordings, by their path inside *folder*."""
    found = (file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file())
    return sorted(name for name in found if name not in _NO_SAMPLE)


def find(folder: Path, sample: str, *, request: bool = False) -> list[Recorded]:
    """What *sample* names: ``file``, ``file#2`` (exchange, line or item), ``file#*`` (every one); with ``/a/0/b``
    behind the ``#`` a part of it.

    Raises BadSample.
    """
    name, _, selector = sample.partition("#")
    number, *inner = selector.split("/")
    file = folder / name
    if not file.is_file():
        raise BadSample(f"{sample}: there is no such file in {folder}")
    items = _items(file)
    if number == "*":
        chosen = list(enumerate(items))
    elif number:
        if not number.isdigit() or int(number) >= len(items):
            raise BadSample(f"{sample}: has {len(items)} items, from 0")
        chosen = [(int(number), items[int(number)])]
    else:
        return [_part(_whole(file, items), inner, sample)]
    side = "request" if request else "response"
    return [_part(_one(item, side, f"{name}#{at}"), inner, sample) for at, item in chosen]


def _whole(file: Path, items: list[Any]) -> Recorded:
    text = "" if file.suffix == ".gz" else file.read_text(encoding="utf-8")
    if file.suffix == ".jsonl":
        return Recorded(file.name, items, text)
    if _is_exchange(items):
        raise BadSample(f"{file.name}: holds exchanges: name one with #0")
    return Recorded(file.name, _with_cuts(_json(file)), text)


def _one(item: Any, side: str, where: str) -> Recorded:
    if not (isinstance(item, dict) and "response" in item and "request" in item and "key" not in item):
        return Recorded(where, item, json.dumps(item))
    message = item[side]
    body = message.get("body", "")
    text = str(body.get("string", "")) if isinstance(body, dict) else str(body)
    status = message.get("status")
    return Recorded(
        where=where,
        value=_parsed(text),
        text=text,
        status=int(status["code"] if isinstance(status, dict) else status) if status else None,
        headers={name.lower(): _header(value) for name, value in (message.get("headers") or {}).items()},
    )


def _part(recorded: Recorded, inner: list[str], sample: str) -> Recorded:
    value = recorded.value
    for step in inner:
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (KeyError, IndexError, ValueError, TypeError):
            raise BadSample(f"{sample}: there is no {step!r} in it") from None
    if not inner:
        return recorded
    return Recorded(f"{recorded.where}/{'/'.join(inner)}", value, json.dumps(value))


@cache
def _items(file: Path) -> list[Any]:
    """Exchanges, lines or list items; a single document is its only item."""
    if file.suffix in (".yaml", ".yml"):
        import yaml

        data = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
        return list(data["http_interactions"] if isinstance(data, dict) else data)
    if file.suffix == ".jsonl":
        lines = file.read_text(encoding="utf-8").splitlines()
        return [_with_cuts(json.loads(line)) for line in lines if line.strip()]
    data = _json(file)
    return [item if _is_exchange([item]) else _with_cuts(item) for item in data] if isinstance(data, list) else [data]


@cache
def _json(file: Path) -> Any:
    try:
        content = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        return json.loads(content)
    except (OSError, ValueError) as error:
        raise BadSample(f"{file.name}: cannot be read as JSON: {error}") from None


def _is_exchange(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and {"request", "response"} <= set(item) for item in items)


def _header(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)


def _parsed(text: str) -> Any:
    try:
        return _with_cuts(json.loads(text)) if text.strip() else ABSENT
    except ValueError:
        return ABSENT


def _with_cuts(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _with_cuts(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_cuts(item) for item in value]
    found = _CUT.fullmatch(value) if isinstance(value, str) else None
    return CutString(value, int(found[1])) if found else value


def named(samples: Iterable[str]) -> set[str]:
    """The files that *samples* name."""
    return {sample.partition("#")[0] for sample in samples}
