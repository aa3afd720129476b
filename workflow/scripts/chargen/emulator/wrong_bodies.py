"""Answers that are not what the API would say: bodies of other kinds, denials by somebody on the way, redirects.

Everything here makes a wrong answer of a right one; nothing here knows of HTTP routes or of jobs.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from chargen.emulator.errors import ApiError, no_such_file, not_found

CONTROL_CHARACTERS = (
    "\x1b[31mred\x1b[0m\x1b]0;title\x07 \u202egnp.exe\u202c \r\nforged: a line of its own\x08\x7f\x9b2J"
)
"""Colours, a window title, text that runs backwards, line breaks, backspace, and the one-byte form of ESC [."""
PAGE = b"""<!DOCTYPE html>
<html><head><title>Sign in to the network</title></head>
<body><form action="/login" method="post">Please sign in to continue. <input name="user"></form></body></html>
"""
_DENIED = b"""<html><head><title>403 Forbidden</title></head>
<body><h1>Access denied</h1><p>This address was blocked by the web filter of your network.</p></body></html>
"""
_NO_SUCH_PAGE = b"""<html><head><title>404 Not Found</title></head>
<body><center><h1>404 Not Found</h1></center><hr><center>proxy</center></body></html>
"""
_HTML = "text/html; charset=utf-8"
_JSON = "application/json; charset=UTF-8"
_ODD: tuple[Any, ...] = (None, 7, "text", [], {})
_KEPT = frozenset({"@type", "name", "state", "displayName", "model", "uri"})
_INNER = frozenset({"batchStats", "error", "output", "response", "inputConfig", "details"})


@dataclass(frozen=True, slots=True)
class WrongBody:
    """What is sent in place of the right body. ``has_length``: whether a Content-Length goes with it.

    ``wrong_hash`` says that the checksum that goes with it fits no body at all.
    """

    content: bytes
    media_type: str
    encoding: str = ""
    has_length: bool = True
    wrong_hash: bool = False


def answer(name: str, body: bytes) -> WrongBody:
    """The right JSON *body* made wrong in the way that ``faults.ANSWER_BODIES`` names."""
    if name == "page":
        return WrongBody(PAGE, _HTML)
    if name == "empty":
        return WrongBody(b"", _JSON)
    if name == "truncated_json":
        return WrongBody(body[: max(1, len(body) * 2 // 3)], _JSON)
    data = orjson.loads(body) if body else {}
    wrong = _WRONG[name](data)
    return WrongBody(json.dumps(wrong, indent=2).encode() + b"\n", _JSON)


def download(name: str, body: bytes, media_type: str) -> WrongBody:
    """The right result lines *body* made wrong in the way that ``faults.DOWNLOAD_BODIES`` names."""
    if name == "page":
        return WrongBody(PAGE, _HTML)
    if name == "empty":
        return WrongBody(b"", media_type)
    if name == "gzip":
        return WrongBody(gzip.compress(body, 1), media_type, encoding="gzip")
    if name == "gzip_unmarked":
        return WrongBody(gzip.compress(body, 1), media_type)
    if name in ("half_lines", "half_lines_no_length"):
        lines = body.splitlines(keepends=True)
        return WrongBody(b"".join(lines[: len(lines) // 2]), media_type, has_length=name == "half_lines")
    if name == "cut_in_line":
        return WrongBody(body[: max(1, len(body) * 2 // 3)], media_type)
    if name == "foreign_keys":
        return WrongBody(b"".join(_renamed(line) for line in body.splitlines()), media_type)
    if name == "foreign_lines":
        return WrongBody(body + b"".join(_renamed(line) for line in body.splitlines()), media_type)
    return WrongBody(body, media_type, wrong_hash=True)


def denial(name: str, kind: str, target: str) -> tuple[int, WrongBody]:
    """The status and body with which somebody on the way, or the API itself, turns a call of *kind* down."""
    if name == "firewall":
        return 403, WrongBody(_DENIED, _HTML)
    if name == "proxy":
        return 404, WrongBody(_NO_SUCH_PAGE, _HTML)
    if name == "leaked_key":
        error = ApiError(403, "Your API key was reported as leaked. Please use another API key.")
    elif name == "unauthorized":
        error = ApiError(401, "Request had invalid authentication credentials.")
    elif kind in ("list", "file_list", "model_list"):
        return 200, WrongBody(b"{}\n", _JSON)
    elif kind in ("download", "download_redirect", "file_get", "file_delete"):
        error = no_such_file(target.removesuffix(":download"))
    else:
        error = not_found()
    return error.code, WrongBody(orjson.dumps(error.body(), option=orjson.OPT_INDENT_2) + b"\n", _JSON)


def _renamed(line: bytes) -> bytes:
    """The result line with a key that was not in the request."""
    if not line.strip():
        return b""
    data = orjson.loads(line)
    if "key" in data:
        data["key"] = f"request-{hashlib.sha256(str(data['key']).encode()).hexdigest()[:8]}"
    return orjson.dumps(data) + b"\n"


def _walk(value: Any, leaf: Callable[[str, Any], Any], name: str = "") -> Any:
    """*value* with each leaf replaced by what *leaf* makes of it and the name of the member that holds it."""
    if isinstance(value, dict):
        return {key: _walk(item, leaf, key) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, leaf, name) for item in value]
    return leaf(name, value)


def _null(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            key: item if key in _KEPT else None if key in _INNER or not isinstance(item, dict | list) else _null(item)
            for key, item in data.items()
        }
    return [_null(item) for item in data] if isinstance(data, list) else data


def _missing(data: Any) -> Any:
    if isinstance(data, dict):
        return {
            key: _missing(item)
            for key, item in data.items()
            if key in _KEPT or (isinstance(item, dict | list) and key not in _INNER)
        }
    return [_missing(item) for item in data] if isinstance(data, list) else data


def _text_number(name: str, value: Any) -> Any:
    if isinstance(value, bool | int | float):
        return str(value)
    if isinstance(value, str) and (value.isdigit() or name == "retryDelay"):
        return "some"
    return value


def _odd(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _odd(item) for key, item in data.items()}
    if isinstance(data, list):
        return [*_ODD, *(_odd(item) for item in data), *_ODD]
    return data


def _controlled(name: str, value: Any) -> Any:
    texts = ("message", "displayName", "finishMessage", "text")
    return f"{value}{CONTROL_CHARACTERS}" if name in texts and isinstance(value, str) else value


def _unnamed(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _unnamed(item) for key, item in data.items() if key != "displayName"}
    return [_unnamed(item) for item in data] if isinstance(data, list) else data


_WRONG: Mapping[str, Callable[[Any], Any]] = {
    "other_object": lambda data: {"status": "ok", "data": {"id": 1}},
    "json_list": lambda data: [data],
    "json_text": lambda data: "ok",
    "json_null": lambda data: None,
    "null_fields": _null,
    "missing_fields": _missing,
    "text_numbers": lambda data: _walk(data, _text_number),
    "odd_members": _odd,
    "control_characters": lambda data: _walk(data, _controlled),
    "no_display_names": _unnamed,
}
