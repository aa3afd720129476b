"""Downloads: bytes of a file, also of one that is still being written, and cut or wrong if a fault says so."""

from __future__ import annotations

import asyncio
import base64
import re
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import google_crc32c
from starlette.types import Receive, Scope, Send

from chargen.emulator.calls import VARY
from chargen.emulator.results import Rendering
from chargen.emulator.wire import cut
from chargen.emulator.wrong_bodies import WrongBody

_PIECE = 1024 * 1024
_PATIENCE_S = 10.0
_DOWNLOADED = ((b"content-disposition", b"attachment"), (b"cache-control", b"private, max-age=0"))


class Download:
    """Bytes of a file, or of one that is still being written; can be cut after ``cut_at`` bytes."""

    def __init__(self, source: Path | Rendering, wanted: str, cut_at: int | None, media_type: str) -> None:
        self.status_code = 200
        self.wrong_body: Callable[[bytes, str], WrongBody] | None = None
        self.crc32c = "whole"
        self._source = source
        self._range = wanted
        self._cut_at = cut_at
        self._media_type = media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self._completed()
        if self.wrong_body is not None:
            await self._send_wrong_body(self.wrong_body, send)
            return
        start, length, headers = await self._extent()
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        sent = 0
        async for piece in self._pieces(start, length):
            if self._cut_at is not None and sent + len(piece) >= self._cut_at:
                piece = piece[: max(0, self._cut_at - sent)]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await cut(scope, flush=True)
                return
            sent += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if isinstance(self._source, Rendering) and self._source.failure:
            await cut(scope)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _completed(self) -> None:
        """Wait until the file is complete, so that its length and checksum are known; not for ever, unless a part
        or a wrong body is asked for.
        """
        made = self._source
        if isinstance(made, Path):
            return
        deadline = time.monotonic() + _PATIENCE_S
        while not made.done.is_set() and (self._range or self.wrong_body or time.monotonic() < deadline):
            await asyncio.sleep(0.01)
        if made.done.is_set() and not made.failure:
            self._source = made.path

    async def _send_wrong_body(self, wrong: Callable[[bytes, str], WrongBody], send: Send) -> None:
        whole = self._source.read_bytes() if isinstance(self._source, Path) else b""
        answer = wrong(whole, self._media_type)
        headers = [(b"content-type", answer.media_type.encode())]
        if answer.encoding:
            headers.append((b"content-encoding", answer.encoding.encode()))
        if answer.has_length:
            headers.append((b"content-length", str(len(answer.content)).encode()))
        if self.crc32c != "none":
            body = b"another body" if answer.wrong_hash else answer.content if self.crc32c == "sent" else whole
            headers.append((b"x-goog-hash", _goog_hash(google_crc32c.value(body))))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer.content, "more_body": not answer.has_length})
        if not answer.has_length:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _extent(self) -> tuple[int, int | None, list[tuple[bytes, bytes]]]:
        headers = [(b"content-type", self._media_type.encode()), *_DOWNLOADED, *((b"vary", name) for name in VARY)]
        if isinstance(self._source, Rendering):
            return 0, None, headers
        size = self._source.stat().st_size
        headers.append((b"x-goog-hash", _goog_hash(await asyncio.to_thread(_crc32c, self._source))))
        start, length = 0, size
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self._range):
            start = min(int(asked[1]), size)
            length = (min(int(asked[2]), size - 1) if asked[2] else size - 1) - start + 1
            self.status_code = 206
            headers.append((b"content-range", f"bytes {start}-{start + length - 1}/{size}".encode()))
        headers += [(b"accept-ranges", b"bytes"), (b"content-length", str(length).encode())]
        return start, length, headers

    async def _pieces(self, start: int, length: int | None) -> AsyncIterator[bytes]:
        source = self._source
        growing = source if isinstance(source, Rendering) else None
        opened = source.open() if isinstance(source, Rendering) else source.open("rb")
        with opened as content:  # renamed or deleted meanwhile: the open file stays readable
            content.seek(start)
            left = length
            while left is None or left > 0:
                finished = growing is None or growing.done.is_set()
                piece = content.read(_PIECE if left is None else min(_PIECE, left))
                if piece:
                    left = None if left is None else left - len(piece)
                    yield piece
                elif finished:
                    return
                else:
                    await asyncio.sleep(0.01)


def _goog_hash(crc: int) -> bytes:
    return b"crc32c=" + base64.b64encode(crc.to_bytes(4, "big"))


def _crc32c(path: Path) -> int:
    """The checksum of a complete file."""
    made = 0
    with path.open("rb") as content:
        while piece := content.read(_PIECE):
            made = google_crc32c.extend(made, piece)
    return int(made)
