"""Pictures checked by their bytes: format, size, and whether they are complete.

Nothing here decodes pixels, so nothing here imports an imaging library. The layouts followed are those of the
PNG specification (chunks), ITU-T T.81 (JPEG markers), the WebP container specification and GIF89a.
"""

from __future__ import annotations

import hashlib
import mmap
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from chargen.base.frozen import frozen
from chargen.pictures.presence import LFS_START

Format = Literal["png", "jpeg", "webp", "gif"]

EMULATOR_MARK = b"chargen-emulator"
"""What every picture of the emulator carries near its start: in a PNG ``tEXt`` chunk or a JPEG comment."""

MAX_SIDE = 65_500
MAX_PIXELS = 200_000_000
"""Limits: the largest picture that the API sells has some 20 million pixels."""

_MARK_WINDOW = 4096
_LFS_MAX_BYTES = 1024
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KINDS: dict[Format, tuple[str, str]] = {
    "png": ("image/png", ".png"),
    "jpeg": ("image/jpeg", ".jpg"),
    "webp": ("image/webp", ".webp"),
    "gif": ("image/gif", ".gif"),
}
# Inside a JPEG scan 0xFF is followed by 0 (stuffing) or a restart marker; anything else ends the scan.
_JPEG_SCAN_END = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})
_JPEG_SOS, _JPEG_EOI = 0xDA, 0xD9


@frozen
class PictureInfo:
    """What a picture is: ``extension`` with its dot, ``width`` and ``height`` in pixels as stored."""

    format: Format
    mime: str
    extension: str
    width: int
    height: int


class BrokenPicture(ValueError):
    """Bytes that are not a picture, or not a complete one; ``reason`` says what is wrong with them."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def identify(data: bytes | memoryview) -> PictureInfo | None:
    """Return what the picture is, judged by its signature and header alone, or None if they do not say.

    The type comes from the bytes, never from a name or a declared MIME type. The start of a file is enough
    for PNG, WebP and GIF; a JPEG needs the bytes up to its frame header, which stands behind its metadata.
    """
    view = memoryview(data).cast("B")
    try:
        kind = _kind_of(view)
        return _info(kind, *_SIZES[kind](view))
    except BrokenPicture:
        return None


def verify(data: bytes | memoryview) -> PictureInfo:
    """Return what the picture is once its stream is known to be complete; raise `BrokenPicture` otherwise.

    Complete means: a known signature, plausible dimensions, and an undamaged container to its end marker
    (every PNG checksum and ``IEND``, the JPEG segments and ``EOI``, the WebP chunks, the GIF blocks and
    trailer).
    Bytes after the end marker are tolerated. Pixels are not decoded.
    """
    view = memoryview(data).cast("B")
    kind = _kind_of(view)
    width, height = _SIZES[kind](view)
    if not 0 < width <= MAX_SIDE or not 0 < height <= MAX_SIDE or width * height > MAX_PIXELS:
        raise BrokenPicture(f"the {kind} has impossible dimensions of {width}x{height} pixels")
    _WALKS[kind](view)
    return _info(kind, width, height)


def verify_file(path: Path) -> PictureInfo:
    """`verify` for a file, read through a memory map. Errors of the file system are passed on."""
    with path.open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError as error:  # a map of nothing is refused
            raise BrokenPicture("the file is empty") from error
    # The map is left to its last reference: closing it here would fail while an exception still shows it.
    return verify(memoryview(mapped))


def is_lfs_pointer(path: Path) -> bool:
    """Return whether the file stands in for one that Git LFS has not fetched; a missing file does not."""
    if not path.is_file() or path.stat().st_size > _LFS_MAX_BYTES:
        return False
    with path.open("rb") as file:
        return file.read(len(LFS_START)) == LFS_START


def is_placeholder(picture: Path | bytes | memoryview) -> bool:
    """Return whether the picture was drawn by the emulator, by the mark within its first 4096 bytes."""
    if isinstance(picture, Path):
        with picture.open("rb") as file:
            start = file.read(_MARK_WINDOW)
    else:
        start = bytes(picture[:_MARK_WINDOW])
    return EMULATOR_MARK in start


def sha256_file(path: Path) -> str:
    """Return the SHA-256 of the file's bytes in lower-case hex, in constant memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _info(kind: Format, width: int, height: int) -> PictureInfo:
    mime, extension = _KINDS[kind]
    return PictureInfo(kind, mime, extension, width, height)


def _kind_of(view: memoryview) -> Format:
    start = bytes(view[:16])
    if start.startswith(_PNG_SIGNATURE):
        return "png"
    if start.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "webp"
    if start[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if not start:
        raise BrokenPicture("there are no bytes")
    raise BrokenPicture(f"unknown picture format, starting with the bytes {start[:8].hex(' ')}")


def _big(view: memoryview, start: int, size: int) -> int:
    return int.from_bytes(_take(view, start, size), "big")


def _little(view: memoryview, start: int, size: int) -> int:
    return int.from_bytes(_take(view, start, size), "little")


def _take(view: memoryview, start: int, size: int) -> bytes:
    if start + size > len(view):
        raise BrokenPicture(f"the picture is cut off after {len(view)} bytes")
    return bytes(view[start : start + size])


def _png_size(view: memoryview) -> tuple[int, int]:
    if _take(view, 8, 8) != b"\x00\x00\x00\x0dIHDR":
        raise BrokenPicture("the PNG does not start with its header chunk")
    return _big(view, 16, 4), _big(view, 20, 4)


def _walk_png(view: memoryview) -> None:
    """Check every chunk's checksum up to ``IEND``."""
    position, has_pixels = 8, False
    while True:
        length, name = _big(view, position, 4), _take(view, position + 4, 4)
        end = position + 8 + length
        expected = _big(view, end, 4)
        if zlib.crc32(view[position + 4 : end]) != expected:
            raise BrokenPicture(f"the PNG's {_printable(name)} chunk at byte {position} fails its checksum")
        if name == b"IEND":
            break
        has_pixels = has_pixels or (name == b"IDAT" and length > 0)
        position = end + 4
    if not has_pixels:
        raise BrokenPicture("the PNG has no pixels")


def _printable(name: bytes) -> str:
    return name.decode("ascii", "backslashreplace")


def _jpeg_size(view: memoryview) -> tuple[int, int]:
    position = 2
    while True:
        marker, position = _jpeg_marker(view, position)
        if marker in _JPEG_FRAMES:
            return _big(view, position + 5, 2), _big(view, position + 3, 2)
        if marker in (_JPEG_SOS, _JPEG_EOI):
            raise BrokenPicture("the JPEG has no frame header")
        position = _jpeg_segment_end(view, marker, position)


def _walk_jpeg(view: memoryview) -> None:
    """Follow the segments and scans up to the end marker."""
    position, scans = 2, 0
    while True:
        marker, position = _jpeg_marker(view, position)
        if marker == _JPEG_EOI:
            break
        position = _jpeg_segment_end(view, marker, position)
        if marker == _JPEG_SOS:
            scans += 1
            ending = _JPEG_SCAN_END.search(view, position)
            if ending is None:
                raise BrokenPicture(f"the JPEG is cut off after {len(view)} bytes: no end marker")
            position = ending.start()
    if not scans:
        raise BrokenPicture("the JPEG has no pixels")


def _jpeg_marker(view: memoryview, position: int) -> tuple[int, int]:
    """Return the marker at *position* and the position behind it; fill bytes before it are skipped."""
    if _take(view, position, 1) != b"\xff":
        raise BrokenPicture(f"the JPEG is damaged at byte {position}: a marker was expected")
    while True:
        position += 1
        marker = _take(view, position, 1)[0]
        if marker != 0xFF:
            return marker, position + 1


def _jpeg_segment_end(view: memoryview, marker: int, position: int) -> int:
    if marker in _JPEG_BARE:
        return position
    length = _big(view, position, 2)
    if length < 2:
        raise BrokenPicture(f"the JPEG is damaged at byte {position}: a segment is too short")
    if position + length > len(view):
        raise BrokenPicture(f"the picture is cut off after {len(view)} bytes")
    return position + length


def _webp_size(view: memoryview) -> tuple[int, int]:
    name = _take(view, 12, 4)
    if name == b"VP8X":
        return _little(view, 24, 3) + 1, _little(view, 27, 3) + 1
    if name == b"VP8L":
        if _take(view, 20, 1) != b"\x2f":
            raise BrokenPicture("the WebP's lossless stream lacks its signature")
        bits = _little(view, 21, 4)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if name == b"VP8 ":
        if _take(view, 23, 3) != b"\x9d\x01\x2a":
            raise BrokenPicture("the WebP's stream does not start with a key frame")
        return _little(view, 26, 2) & 0x3FFF, _little(view, 28, 2) & 0x3FFF
    raise BrokenPicture(f"the WebP starts with an unknown chunk {_printable(name)}")


def _walk_webp(view: memoryview) -> None:
    """Check that the container and each of its chunks end inside the bytes."""
    end = 8 + _little(view, 4, 4)
    if end > len(view):
        raise BrokenPicture(f"the WebP is cut off: {len(view)} of {end} bytes")
    position, has_pixels = 12, False
    while position + 8 <= end:
        name, length = _take(view, position, 4), _little(view, position + 4, 4)
        position += 8 + length
        if position > end:
            raise BrokenPicture(f"the WebP's {_printable(name)} chunk reaches beyond its container")
        position += length & 1
        has_pixels = has_pixels or (name in (b"VP8 ", b"VP8L", b"ANMF") and length > 0)
    if not has_pixels:
        raise BrokenPicture("the WebP has no pixels")


def _gif_size(view: memoryview) -> tuple[int, int]:
    return _little(view, 6, 2), _little(view, 8, 2)


def _walk_gif(view: memoryview) -> None:
    """Follow the blocks up to the trailer."""
    position = 13 + _gif_colours(_take(view, 10, 1)[0])
    frames = 0
    while (block := _take(view, position, 1)) != b";":
        if block == b"!":
            position = _gif_sub_blocks(view, position + 2)
        elif block == b",":
            frames += 1
            colours = _gif_colours(_take(view, position + 9, 1)[0])
            position = _gif_sub_blocks(view, position + 11 + colours)
        else:
            raise BrokenPicture(f"the GIF is damaged at byte {position}: a block was expected")
    if not frames:
        raise BrokenPicture("the GIF has no pixels")


def _gif_colours(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _gif_sub_blocks(view: memoryview, position: int) -> int:
    while length := _take(view, position, 1)[0]:
        position += 1 + length
    return position + 1


_SIZES: dict[Format, Callable[[memoryview], tuple[int, int]]] = {
    "png": _png_size,
    "jpeg": _jpeg_size,
    "webp": _webp_size,
    "gif": _gif_size,
}
_WALKS: dict[Format, Callable[[memoryview], None]] = {
    "png": _walk_png,
    "jpeg": _walk_jpeg,
    "webp": _walk_webp,
    "gif": _walk_gif,
}
