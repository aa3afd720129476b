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
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import orjson
import pybase64

from chargen.pictures.formats import BrokenPicture
from chargen.providers.base import Slice
from chargen.providers.gemini.lines import MAX_TEXT, Content, GeminiLine, plain

LONG_STRING = 4096
"""Strings of more bytes than this are left in the file; only pictures and texts are fetched from there."""

MAX_SKELETON = 1 << 20
"""Bytes of a line apart from its long strings; a real one has a few thousand."""

MAX_BASE64 = 64 << 20
"""Characters of the largest picture that is decoded: 48 MB of bytes."""

_WINDOW = 8 << 20
_CHUNK = 4 << 20  # a multiple of 4, so that each chunk is base64 by itself
_BOM = b"\xef\xbb\xbf"
_OPENING_BYTES = 1024
_KEY_FIRST = re.compile(rb'\s*\{\s*"key"\s*:\s*("(?:[^"\\]|\\.)*")')
_MENDED = bytes.maketrans(b"-_", b"+/")
_SPACES = b" \t\r\n"


class ResultFile:
    """A result file open for reading; iterate over it for its `GeminiLine` objects, in constant memory.

    Nothing that a line holds stops the iteration: a line that cannot be read is a line with a ``problem``.
    Blank lines are passed over. Use it in a ``with`` statement; `decode` may be called from several threads.
    """

    def __init__(self, path: Path) -> None:
        self._map: mmap.mmap | None = None
        with path.open("rb") as file:
            if path.stat().st_size:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self.size = len(self._map) if self._map else 0

    @property
    def is_plausible(self) -> bool:
        """False for what can be no result file, a web page for one; an empty file is one."""
        opening = self._map[:_OPENING_BYTES].removeprefix(_BOM).lstrip() if self._map else b""
        return not opening or opening.startswith(b"{")

    def __enter__(self) -> ResultFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._map is not None:
            self._map.close()

    def __iter__(self) -> Iterator[GeminiLine]:
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
            raise BrokenPicture(f"the picture is too large: {slice_.length} base64 characters")
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
    """A line that is not a JSON object; the argument says why."""


class _Line:
    """One line on its way to a `GeminiLine`: its skeleton, and the long strings that were left out of it."""

    def __init__(self, file: ResultFile, number: int, start: int, end: int) -> None:
        self.file = file
        self.number = number
        self.start = start
        self.end = end
        self.long: list[tuple[int, int]] = []
        # A string of the line itself that looks like a placeholder must not be taken for one.
        self.mark = secrets.token_hex(8)

    def read(self) -> GeminiLine | None:
        """Return what the line says, or None for a blank one."""
        try:
            skeleton = self._skeleton()
            if not skeleton.strip(_SPACES):
                return None
            content = _parse(skeleton)
            if not isinstance(content, dict):
                raise _Unreadable("the line is not a JSON object")
        except _Unreadable as reason:
            return GeminiLine(self.number, self._key_at_start(), problem=str(reason))
        return Content(self.number, self).read(content)

    def _skeleton(self) -> bytes:
        """Return the line with every long string replaced by a placeholder."""
        file, position, end = self.file, self.start, self.end
        skeleton = bytearray()
        while True:
            opening = file._find(b'"', position, end)
            stop = end if opening < 0 else opening
            if len(skeleton) + stop - position > MAX_SKELETON:
                raise _Unreadable("the line has too much data beside its long texts")
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
                raise _Unreadable("the line is cut off inside a string")
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
            return plain(_parse(found[1])) if found else None
        except _Unreadable:
            return None

    def text(self, value: object) -> str:
        """Return a string of the skeleton, from the file if it was left there; "" for anything else."""
        if not isinstance(value, str):
            return ""
        span = self.span(value)
        if not span:
            return plain(value)
        start, end = span
        raw = self.file._bytes(start, min(end, start + 6 * MAX_TEXT))
        for length in range(len(raw), max(len(raw) - 6, 0), -1):  # the cut may have halved an escape
            try:
                return plain(_parse(b'"' + raw[:length] + b'"'))
            except _Unreadable:
                continue
        return plain(raw.decode("utf-8", "replace"))

    def span(self, value: str) -> tuple[int, int] | None:
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
        raise _Unreadable(f"the line is not JSON, or is cut off: {error}") from None


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
