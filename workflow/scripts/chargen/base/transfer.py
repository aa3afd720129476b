"""Writes the body of a download to disk: decoded, and compared with its headers."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import BinaryIO

_GZIP = b"\x1f"
READ = "gzip and deflate"
_PIECE = 4 << 20
"""Bytes that one step of unpacking gives at most: a small body can hold a huge one."""


class Undecodable(ValueError):
    """A body that is not what its Content-Encoding says, or in an encoding that is not read here."""


def store(chunks: Iterable[bytes], headers: Mapping[str, str], file: BinaryIO, each: Callable[[int], None]) -> str:
    """Write the decoded body to *file* and return what is wrong with it, ``""`` if nothing is.

    *chunks* are the bytes as they came; *each* is called with the number of those in every chunk. What cannot be
    decoded is written as it came. Nothing is raised for what a server sent.
    """
    promised = _promised_crc32c(headers.get("x-goog-hash", ""))
    came, held = _Checksum(promised), _Checksum(promised)
    unpackers, fault = _unpackers(headers.get("content-encoding", ""))
    for chunk in chunks:
        came.add(chunk)
        try:
            for piece in _through(unpackers, chunk):
                if unpackers:
                    held.add(piece)
                file.write(piece)
        except Undecodable as error:
            unpackers, fault = (), str(error)
            file.write(chunk)
        each(len(chunk))
    if not all(unpacker.is_whole for unpacker in unpackers):
        fault = "its compressed body ends too early"
    # A server may pack on the way what it stores as it is; its checksum can be of either form.
    if not fault and promised is not None and promised not in (came.value, held.value):
        fault = "its checksum (X-Goog-Hash) does not match the bytes received"
    return fault


class _Checksum:
    """The CRC-32C of all that was added; None if nothing is to be compared with it."""

    def __init__(self, promised: int | None) -> None:
        self.value: int | None = None
        self._extend: Callable[[int, bytes], int] | None = None
        if promised is not None:
            import google_crc32c

            self.value, self._extend = 0, google_crc32c.extend

    def add(self, data: bytes) -> None:
        if self._extend is not None:
            self.value = self._extend(self.value or 0, data)


class _Unpacker:
    """Unpacks one layer of gzip or deflate, piece by piece; a gzip body may have several members."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._unpack: zlib._Decompress | None = None

    @property
    def is_whole(self) -> bool:
        """Whether the body is at an end; one without a byte is no packed body, and empty."""
        return self._unpack is None or self._unpack.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        has_more = bool(data)
        while has_more:
            if self._unpack is None:
                self._unpack = self._begin(data)
            elif self._unpack.eof:
                if self._encoding != "gzip" or not data.startswith(_GZIP):
                    return  # padding
                self._unpack = self._begin(data)
            try:
                piece = self._unpack.decompress(data, _PIECE)
            except zlib.error as error:
                raise Undecodable(f"it is not {self._encoding}, as its Content-Encoding says: {error}") from None
            if piece:
                yield piece
            data = self._unpack.unused_data if self._unpack.eof else self._unpack.unconsumed_tail
            has_more = bool(data) or len(piece) == _PIECE

    def _begin(self, data: bytes) -> zlib._Decompress:
        if self._encoding == "gzip":
            return zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        # "deflate" is zlib's format by the book, and bare deflate with some servers.
        is_zlib = data[0] & 0x0F == 8 and data[0] >> 4 <= 7
        return zlib.decompressobj(wbits=zlib.MAX_WBITS if is_zlib else -zlib.MAX_WBITS)


def _unpackers(written: str) -> tuple[tuple[_Unpacker, ...], str]:
    """Return what unpacks a body of that Content-Encoding, outermost first, and what is wrong with that."""
    names = [name.strip().lower().removeprefix("x-") for name in written.split(",")]
    names = [name for name in names if name not in ("", "identity")]
    strange = [name for name in names if name not in ("gzip", "deflate")]
    if strange:
        return (), f"its Content-Encoding is {strange[0][:40]}; only {READ} are read"
    return tuple(_Unpacker(name) for name in reversed(names)), ""


def _through(unpackers: tuple[_Unpacker, ...], data: bytes) -> Iterator[bytes]:
    if not unpackers:
        yield data
        return
    for piece in unpackers[0].feed(data):
        yield from _through(unpackers[1:], piece)


def _promised_crc32c(written: str) -> int | None:
    """Return the checksum in an ``X-Goog-Hash`` like ``crc32c=elXSmQ==,md5=…``; None if there is none to compare."""
    for entry in written.split(","):
        name, _, value = entry.strip().partition("=")
        if name.lower() == "crc32c":
            try:
                digest = base64.b64decode(value, validate=True)
            except binascii.Error:
                return None
            return int.from_bytes(digest, "big") if len(digest) == 4 else None
    return None
