"""Provenance: the origin of a picture, inside the picture or in a file beside it (setting: ``provenance``).

Pixels are never touched; what is put into a picture stands where its format keeps comments.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from chargen.base import durable
from chargen.pictures.formats import identify

SIDECAR = ".provenance.json"
"""What follows a picture's name in the name of the file beside it."""

KEYWORD = b"chargen"
"""What our text in a picture is called: the keyword of a PNG's text chunk, and how a JPEG's comment begins."""

_JPEG_COMMENT = 0xFE
_JPEG_ROOM = 65_533 - len(KEYWORD) - 1


def write_sidecar(picture: Path, about: Mapping[str, Any], sha256: str) -> None:
    """Write *about* beside *picture*, whole or not at all."""
    durable.write_json(sidecar_of(picture), {**about, "file": picture.name, "sha256": sha256})


def sidecar_of(picture: Path) -> Path:
    """Return the file that says where *picture* comes from."""
    return picture.with_name(picture.name + SIDECAR)


def embed(data: bytes, about: Mapping[str, Any]) -> bytes:
    """Return the whole picture *data* with *about* put in: as text of a PNG, comment of a JPEG, XMP of a WebP.

    All other bytes stay as they are. A picture of another kind, or a WebP with XMP of its own, is returned unchanged.
    """
    info = identify(data)
    into = _INTO.get(info.format) if info else None
    return into(data, about) if into else data


def _into_png(data: bytes, about: Mapping[str, Any]) -> bytes:
    """Insert an iTXt chunk before the end chunk."""
    body = b"iTXt" + KEYWORD + b"\0\0\0\0\0" + orjson.dumps(about)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    position = 8
    while data[position + 4 : position + 8] != b"IEND":
        position += 12 + int.from_bytes(data[position : position + 4], "big")
    return data[:position] + chunk + data[position:]


def _into_jpeg(data: bytes, about: Mapping[str, Any]) -> bytes:
    """Insert a comment behind the segments that describe the picture; a prompt that is too long for one is hashed."""
    text = orjson.dumps(about)
    if len(text) > _JPEG_ROOM:
        text = orjson.dumps({**about, "prompt": f"sha256:{hashlib.sha256(about['prompt'].encode()).hexdigest()}"})
    if len(text) > _JPEG_ROOM:
        return data
    position = 2
    while data[position] == 0xFF and (0xE0 <= data[position + 1] <= 0xEF or data[position + 1] == _JPEG_COMMENT):
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
    body = KEYWORD + b" " + text
    segment = bytes((0xFF, _JPEG_COMMENT)) + struct.pack(">H", len(body) + 2) + body
    return data[:position] + segment + data[position:]


def _into_webp(data: bytes, about: Mapping[str, Any]) -> bytes:
    """Append an XMP chunk and announce it; the simple container becomes the extended one."""
    end = 8 + int.from_bytes(data[4:8], "little")
    chunks, flags = data[12:end], 0x04
    if chunks[:4] == b"VP8X":
        if chunks[8] & flags:
            return data
        chunks = chunks[:8] + bytes((chunks[8] | flags,)) + chunks[9:]
    else:
        info = identify(data)
        assert info is not None
        if chunks[:4] == b"VP8L" and chunks[12] & 0x10:
            flags |= 0x10  # has transparency
        sides = (info.width - 1).to_bytes(3, "little") + (info.height - 1).to_bytes(3, "little")
        chunks = b"VP8X" + struct.pack("<I", 10) + bytes((flags, 0, 0, 0)) + sides + chunks
    packet = _xmp(orjson.dumps(about).decode())
    chunks += b"\0" * (len(chunks) & 1)
    chunks += b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) & 1)
    return b"RIFF" + struct.pack("<I", len(chunks) + 4) + b"WEBP" + chunks + data[end:]


def _xmp(text: str) -> bytes:
    from xml.sax.saxutils import escape  # slow to import, and seldom needed

    return (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>'
        f'<rdf:li xml:lang="x-default">{escape(text)}</rdf:li>'
        "</rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>"
    ).encode()


_INTO: dict[str, Callable[[bytes, Mapping[str, Any]], bytes]] = {
    "png": _into_png,
    "jpeg": _into_jpeg,
    "webp": _into_webp,
}
