"""Result files of Gemini batches, read line by line without ever holding a line.

One line can be hundreds of megabytes: base64 pictures, and thought signatures that are larger still. The file
is mapped into memory; each line is copied without its long strings into a small skeleton, which an ordinary
JSON parser then reads, and the pictures stay what they are: positions in the file, decoded one at a time.
"""

from __future__ import annotations

import json
import mmap
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import pybase64

from chargen.pictures.formats import BrokenPicture

LONG_STRING = 4096
"""Strings of more bytes than this are left in the file; only pictures and texts are fetched from there."""

MAX_SKELETON = 1 << 20
"""Bytes of a line apart from its long strings; a real one has a few thousand."""

MAX_TEXT = 1 << 18
"""Characters kept of the texts of one reply, and of any other text in a line."""

MAX_BASE64 = 64 << 20
"""Characters of the largest picture that is decoded: 48 MB of bytes."""

NORMAL_ENDS = ("", "STOP", "FINISH_REASON_UNSPECIFIED")
"""The finish reasons of a reply that was not stopped."""

_WINDOW = 8 << 20
_CHUNK = 4 << 20  # a multiple of 4, so that each chunk is base64 by itself
_BOM = b"\xef\xbb\xbf"
_KEY_FIRST = re.compile(rb'\s*\{\s*"key"\s*:\s*("(?:[^"\\]|\\.)*")')
_MENDED = bytes.maketrans(b"-_", b"+/")
_SPACES = b" \t\r\n"

_RPC_NAMES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""The names of google.rpc.Code by number."""

_RPC_CODES = {name: code for code, name in enumerate(_RPC_NAMES)} | {"CANCELED": 1}
_RPC_OF_HTTP = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 499: 1, 500: 13, 501: 12, 503: 14, 504: 4}


@dataclass(frozen=True, slots=True)
class Slice:
    """A picture's base64: bytes *start* to *end* of the file, or, when it is short, *inline*.

    ``mime`` is what the reply calls it (the bytes decide); ``thought`` marks a draft, as a rule not the answer.
    """

    start: int
    end: int
    mime: str = ""
    thought: bool = False
    inline: bytes = b""

    @property
    def length(self) -> int:
        """The number of base64 characters, escapes included."""
        return len(self.inline) or self.end - self.start


@dataclass(frozen=True, slots=True)
class LineError:
    """What the API put in the place of a reply.

    ``code`` is a google.rpc number (HTTP numbers and names are translated), None if there is none or it is no
    such code; ``name`` is that code's name, or the word that was there instead, like ``SAFETY``.
    """

    code: int | None
    name: str
    message: str


@dataclass(frozen=True, slots=True)
class ResultLine:
    """One line of a result file, without its long strings.

    ``number`` counts lines from 1. ``key`` is None where none can be read. ``problem`` says why a line cannot
    be read; then only ``number`` and perhaps ``key`` mean anything. ``has_response`` tells an empty reply
    from none. ``text`` joins the parts that are not thoughts, ``usage`` is the reply's ``usageMetadata``.
    """

    number: int
    key: str | None = None
    problem: str = ""
    error: LineError | None = None
    has_response: bool = False
    finish_reason: str = ""
    finish_message: str = ""
    block_reason: str = ""
    block_message: str = ""
    text: str = ""
    model_version: str = ""
    response_id: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)
    pictures: tuple[Slice, ...] = ()

    @property
    def picture(self) -> Slice | None:
        """The picture that the reply is about: the last one that is not a thought.

        If all pictures of a reply that ended normally are marked as thoughts, it is the last of them. What a reply had
        drafted before it was stopped is no answer.
        """
        final = next((slice_ for slice_ in reversed(self.pictures) if not slice_.thought), None)
        ended_well = self.error is None and self.finish_reason in NORMAL_ENDS and not self.block_reason
        return self.pictures[-1] if final is None and self.pictures and ended_well else final


class ResultFile:
    """A result file open for reading; iterate over it for its `ResultLine` objects, in constant memory.

    Nothing that a line holds stops the iteration: a line that cannot be read is a line with a ``problem``.
    Blank lines are passed over. Use it in a ``with`` statement; `decode` may be called from several threads.
    """

    def __init__(self, path: Path) -> None:
        self._map: mmap.mmap | None = None
        with path.open("rb") as file:
            if path.stat().st_size:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.size = len(self._map) if self._map else 0

    def __enter__(self) -> ResultFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._map is not None:
            self._map.close()

    def __iter__(self) -> Iterator[ResultLine]:
        if self._map is None:
            return
        start = len(_BOM) if self._map[: len(_BOM)] == _BOM else 0
        number = 0
        while start < self.size:
            number += 1
            end = self._find(b"\n", start, self.size)
            if end < 0:
                end = self.size
            line = _Line(self, number, start, end).read()
            if line is not None:
                yield line
            self.release(start, end)
            start = end + 1

    def decode(self, slice_: Slice) -> bytes:
        """Return the picture's bytes; raise `BrokenPicture` if they are no base64 or absurdly many."""
        if slice_.length > MAX_BASE64:
            raise BrokenPicture(f"the picture is absurdly large: {slice_.length} base64 characters")
        if slice_.inline:
            return _decode_base64(slice_.inline)
        try:
            if slice_.length <= _WINDOW:
                return self._decode_piece(slice_.start, slice_.end)
            return self._decode_in_pieces(slice_)
        except ValueError:  # escaped, spaced, unpadded, or not base64 at all
            return _decode_base64(self._bytes(slice_.start, slice_.end))
        finally:
            self.release(slice_.start, slice_.end)

    def release(self, start: int, end: int) -> None:
        """Give back the memory that the pages from *start* to *end* take; they are read again when needed."""
        if self._map is None or not hasattr(mmap, "MADV_DONTNEED"):
            return
        first = start - start % mmap.PAGESIZE
        if end > first:
            self._map.madvise(mmap.MADV_DONTNEED, first, end - first)

    def _decode_piece(self, start: int, end: int) -> bytes:
        assert self._map is not None
        with memoryview(self._map) as view, view[start:end] as piece:
            return pybase64.b64decode(piece, validate=True)

    def _decode_in_pieces(self, slice_: Slice) -> bytes:
        picture = bytearray()
        for start in range(slice_.start, slice_.end, _CHUNK):
            end = min(start + _CHUNK, slice_.end)
            picture += self._decode_piece(start, end)
            self.release(start, end)
        return bytes(picture)

    def _find(self, needle: bytes, start: int, end: int) -> int:
        """Find one byte, without keeping more than a window of a long search in memory."""
        assert self._map is not None
        while end - start > _WINDOW:
            found = self._map.find(needle, start, start + _WINDOW)
            if found >= 0:
                return found
            self.release(start, start + _WINDOW)
            start += _WINDOW
        return self._map.find(needle, start, end)

    def _bytes(self, start: int, end: int) -> bytes:
        assert self._map is not None
        return self._map[start:end]


class _Unreadable(Exception):
    """A line that is no JSON object; the argument says why."""


class _Line:
    """One line on its way to a `ResultLine`: its skeleton, and the long strings that were left out of it."""

    def __init__(self, file: ResultFile, number: int, start: int, end: int) -> None:
        self.file = file
        self.number = number
        self.start = start
        self.end = end
        self.long: list[tuple[int, int]] = []
        # A string of the line itself that looks like a placeholder must not be taken for one.
        self.mark = secrets.token_hex(8)

    def read(self) -> ResultLine | None:
        """Return what the line says, or None for a blank one."""
        try:
            skeleton = self._skeleton()
            if not skeleton.strip(_SPACES):
                return None
            content = _parse(skeleton)
            if not isinstance(content, dict):
                raise _Unreadable("the line is no JSON object")
        except _Unreadable as reason:
            return ResultLine(self.number, self._key_at_start(), problem=str(reason))
        return self._line(content)

    def _skeleton(self) -> bytes:
        """Return the line with every long string replaced by a placeholder."""
        file, position, end = self.file, self.start, self.end
        skeleton = bytearray()
        while True:
            opening = file._find(b'"', position, end)
            stop = end if opening < 0 else opening
            if len(skeleton) + stop - position > MAX_SKELETON:
                raise _Unreadable("the line holds too much apart from its long texts")
            skeleton += file._bytes(position, stop)
            if opening < 0:
                return bytes(skeleton)
            closing = self._closing_quote(opening)
            if closing - opening > LONG_STRING:
                skeleton += f'"{self.mark}:{len(self.long)}"'.encode()
                self.long.append((opening + 1, closing))
            else:
                skeleton += file._bytes(opening, closing + 1)
            position = closing + 1

    def _closing_quote(self, opening: int) -> int:
        position = opening + 1
        while True:
            found = self.file._find(b'"', position, self.end)
            if found < 0:
                raise _Unreadable("the line is cut off inside a text")
            if not self._is_escaped(found, position):
                return found
            position = found + 1

    def _is_escaped(self, quote: int, start: int) -> bool:
        """Return whether an odd number of backslashes stands between *start* and the quote."""
        size = 64
        while True:
            first = max(start, quote - size)
            before = self.file._bytes(first, quote)
            backslashes = len(before) - len(before.rstrip(b"\\"))
            if backslashes < len(before) or first == start:
                return backslashes % 2 == 1
            size *= 16

    def _key_at_start(self) -> str | None:
        found = _KEY_FIRST.match(self.file._bytes(self.start, min(self.end, self.start + LONG_STRING)))
        try:
            return _plain(_parse(found[1])) if found else None
        except _Unreadable:
            return None

    def _line(self, content: dict[str, Any]) -> ResultLine:
        response = content.get("response")
        error = content.get("error")
        if error is None and not (isinstance(response, dict) and response):
            error = content.get("status")
        if error is None and isinstance(response, dict):
            error = response.get("error")
        line_error = self._error(error)
        key = content.get("key")
        key = self._text(key) if isinstance(key, str) else str(key) if isinstance(key, int) else None
        if not isinstance(response, dict) or (line_error is not None and not response.get("candidates")):
            return ResultLine(self.number, key, error=line_error)
        return self._response(key, response, line_error)

    def _response(self, key: str | None, response: dict[str, Any], error: LineError | None) -> ResultLine:
        candidates = [c for c in _list(response.get("candidates")) if isinstance(c, dict)]
        parts = [
            part
            for candidate in candidates
            for part in _list(_dict(candidate.get("content")).get("parts"))
            if isinstance(part, dict)
        ]
        feedback = _dict(_member(response, "promptFeedback", "prompt_feedback"))
        return ResultLine(
            self.number,
            key,
            error=error,
            has_response=True,
            finish_reason=self._first_text(candidates, "finishReason", "finish_reason"),
            finish_message=self._first_text(candidates, "finishMessage", "finish_message"),
            block_reason=self._text(_member(feedback, "blockReason", "block_reason")),
            block_message=self._text(_member(feedback, "blockReasonMessage", "block_reason_message")),
            text=self._texts(parts),
            model_version=self._text(_member(response, "modelVersion", "model_version")),
            response_id=self._text(_member(response, "responseId", "response_id")),
            usage=_dict(_member(response, "usageMetadata", "usage_metadata")),
            pictures=tuple(self._pictures(parts)),
        )

    def _error(self, error: object) -> LineError | None:
        if isinstance(error, str):
            text = self._text(error)
            error = {"message": text} if _rpc_code(text) is None else {"code": text}
        if not isinstance(error, dict):
            return None
        said = error.get("code")
        status = error.get("status")
        code = _rpc_code(self._text(said) if isinstance(said, str) else said)
        if code is None and isinstance(status, str):
            code = _rpc_code(self._text(status))
        if code == 0:
            return None
        words = [self._text(word) for word in (status, said) if isinstance(word, str)]
        if code is not None:
            name = _RPC_NAMES[code]
        else:
            name = words[0].upper() if words else "" if said is None else str(said)[:100]
        return LineError(code, name, self._text(error.get("message")))

    def _pictures(self, parts: list[dict[str, Any]]) -> Iterator[Slice]:
        for part in parts:
            blob = _dict(_member(part, "inlineData", "inline_data"))
            data = blob.get("data")
            if not isinstance(data, str):
                continue
            mime = self._text(_member(blob, "mimeType", "mime_type"))
            if mime and not mime.startswith("image/") and mime != "application/octet-stream":
                continue
            thought = part.get("thought") is True
            span = self._span(data)
            if span:
                yield Slice(*span, mime, thought)
            else:
                yield Slice(0, 0, mime, thought, data.encode("utf-8", "replace"))

    def _texts(self, parts: list[dict[str, Any]]) -> str:
        texts, room = [], MAX_TEXT
        for part in parts:
            if part.get("thought") is not True and room > 0:
                texts.append(self._text(part.get("text"))[:room])
                room -= len(texts[-1])
        return "".join(texts)

    def _first_text(self, objects: list[dict[str, Any]], *names: str) -> str:
        return next(filter(None, (self._text(_member(item, *names)) for item in objects)), "")

    def _text(self, value: object) -> str:
        """Return a string of the skeleton, from the file if it was left there; "" for anything else."""
        if not isinstance(value, str):
            return ""
        span = self._span(value)
        if not span:
            return _plain(value)
        start, end = span
        raw = self.file._bytes(start, min(end, start + 6 * MAX_TEXT))
        for length in range(len(raw), max(len(raw) - 6, 0), -1):  # the cut may have halved an escape
            try:
                return _plain(_parse(b'"' + raw[:length] + b'"'))
            except _Unreadable:
                continue
        return _plain(raw.decode("utf-8", "replace"))

    def _span(self, value: str) -> tuple[int, int] | None:
        mark, _, index = value.partition(":")
        return self.long[int(index)] if mark == self.mark else None


def _parse(text: bytes) -> Any:
    """Parse bounded JSON; bad UTF-8 and lone surrogates, which the strict parser refuses, are passed."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        pass
    try:
        return json.loads(text.decode("utf-8", "replace"), strict=False)
    except RecursionError:
        raise _Unreadable("the line is nested too deeply") from None
    except ValueError as error:
        raise _Unreadable(f"the line is no JSON, or cut off: {error}") from None


def _decode_base64(raw: bytes) -> bytes:
    """Decode base64 that may be escaped as in JSON, broken into lines, of the URL alphabet, or unpadded."""
    if b"\\" in raw:
        try:
            raw = orjson.loads(b'"' + raw + b'"').encode()
        except orjson.JSONDecodeError as error:
            raise BrokenPicture(f"the base64 is damaged: {error}") from None
    raw = raw.translate(_MENDED, _SPACES).rstrip(b"=")
    raw += b"=" * (-len(raw) % 4)
    try:
        return pybase64.b64decode(raw, validate=True)
    except ValueError as error:
        raise BrokenPicture(f"the base64 is damaged: {error}") from None


def _rpc_code(said: object) -> int | None:
    """Return the google.rpc code that a number, a number in words or a name stands for."""
    if isinstance(said, str):
        if said.upper() in _RPC_CODES:
            return _RPC_CODES[said.upper()]
        said = int(said) if said.isascii() and said.isdigit() and len(said) < 5 else None
    if isinstance(said, float) and said.is_integer():
        said = int(said)
    if not isinstance(said, int) or isinstance(said, bool):
        return None
    code = _RPC_OF_HTTP.get(said, said)
    return code if 0 <= code < len(_RPC_NAMES) else None


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()[:MAX_TEXT]


def _member(content: dict[str, Any], *names: str) -> Any:
    return next((content[name] for name in names if name in content), None)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
