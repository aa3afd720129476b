"""The hash of a scene's own text: when it changes, the picture is wanted again.

White space inside a text counts as one space, so that a changed line break makes nothing wanted. 0.1.0 took
every text letter by letter: of texts without line breaks both make the same hash, and what is known by the hash of
0.1.0 keeps it, as it is part of what identifies a wish.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from chargen.library.scene import Scene

SPEC_VERSION = 1
"""Part of the hashed bytes. Raising it makes every recorded picture wanted again: never do so for tidiness."""


def spec_hash(scene: Scene) -> str:
    """``sha256:`` and 16 hex digits over the version and ``scene.spec`` as JSON with sorted keys."""
    return _hash(_collapsed(scene.spec))


def spec_hashes(scene: Scene) -> tuple[str, ...]:
    """Return the hash of *scene*, and the one that 0.1.0 made of it."""
    first = scene.spec if scene.spec_v1 is None else scene.spec_v1
    return spec_hash(scene), _hash(first)


def _hash(spec: Mapping[str, Any]) -> str:
    data = orjson.dumps({"v": SPEC_VERSION, "spec": spec}, option=orjson.OPT_SORT_KEYS)
    return f"sha256:{hashlib.sha256(data).hexdigest()[:16]}"


def _collapsed(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(value.split())
    if isinstance(value, Mapping):
        return {key: _collapsed(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_collapsed(item) for item in value]
    return value
