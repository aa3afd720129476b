"""The hash over what an author wrote for one scene: what makes a picture wanted again."""

from __future__ import annotations

import hashlib

import orjson

from chargen.library.model import Scene

SPEC_VERSION = 1
"""Part of the hashed bytes. Raising it makes every recorded picture wanted again: never do so for tidiness."""


def spec_hash(scene: Scene) -> str:
    """``sha256:`` and 16 hex digits over the version and ``scene.spec`` as JSON with sorted keys."""
    data = orjson.dumps({"v": SPEC_VERSION, "spec": scene.spec}, option=orjson.OPT_SORT_KEYS)
    return f"sha256:{hashlib.sha256(data).hexdigest()[:16]}"
