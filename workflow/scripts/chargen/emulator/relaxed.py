"""JSON as Google's parser takes it: strings may stand in single quotes, as in curl examples of its documentation."""

from __future__ import annotations

import re
from typing import Any

import orjson

_STRING = re.compile(rb"\"(?:[^\"\\]|\\.)*\"|'((?:[^'\\]|\\.)*)'", re.DOTALL)


def loads(text: bytes) -> Any:
    """The value of *text*. Raises orjson.JSONDecodeError (a ValueError) with the place of the first error."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        if b"'" not in text:
            raise
        return orjson.loads(_STRING.sub(_in_double_quotes, text))


def _in_double_quotes(found: re.Match[bytes]) -> bytes:
    inside = found[1]
    if inside is None:
        return found[0]
    return b'"' + inside.replace(b"\\'", b"'").replace(b'"', b'\\"') + b'"'
