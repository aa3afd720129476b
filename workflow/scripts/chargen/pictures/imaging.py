"""Everything that needs an imaging library: reading pictures of any kind, and converting them for the API.

Pillow is imported when a picture is looked at, not with this module.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from chargen.base import durable
from chargen.base.frozen import frozen
from chargen.pictures.formats import MAX_PIXELS

if TYPE_CHECKING:
    from PIL import Image

JPEG_QUALITY = 95
TURNED = frozenset({5, 6, 7, 8})
"""Values of the EXIF orientation that swap width and height."""

_ORIENTATION = 0x0112
_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")


class Unreadable(ValueError):
    """A file that is not a picture, or cannot be read here; the message follows the file's name."""


@frozen
class Header:
    """What a picture says of itself: size as a viewer shows it, and what must change before the API sees the same.

    ``turned`` says that width and height trade places when it is shown.
    """

    format: str
    mime: str
    width: int
    height: int
    turned: bool
    changes: tuple[str, ...]


def header(path: Path, *, whole: bool = False) -> Header:
    """Return what the picture at *path* is, by its header; with *whole* it is decoded too. Raises Unreadable."""
    from PIL import Image

    with _opened(path) as image:
        orientation = orientation_of(image)
        if whole:
            image.load()
        turned = orientation_of(image) in TURNED  # a format may have been turned while it was loaded
        width, height = (image.height, image.width) if turned else (image.width, image.height)
        changes = []
        if orientation in range(2, 9):
            changes.append("turned upright")
        if image.format in ("PNG", "WEBP") and getattr(image, "is_animated", False):
            changes.append("reduced to its first frame")
        if image.format == "PNG" and _is_deep(path) and not image.mode.startswith("I"):
            changes.append("converted from 16 bits")
        if image.mode in ("CMYK", "YCCK", "LAB", "HSV") or image.mode.startswith(("I", "F")):
            changes.append(f"converted from {image.mode} colours")
        if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
            changes.append("placed on a white background")
        name = image.format or "?"
        return Header(name, Image.MIME.get(name, "image/x-unknown"), width, height, turned, tuple(changes))


def orientation_of(image: Image.Image) -> int:
    """Return how the picture is turned, as EXIF counts it, without decoding it; 1 where nothing is said."""
    from PIL import Image

    with suppress(Exception):  # damaged EXIF says nothing
        # A PNG's own method would decode all pixels first.
        return int(Image.Image.getexif(image).get(_ORIENTATION, 1))
    return 1


def _is_deep(png: Path) -> bool:
    """Whether a PNG has 16 bits for each colour; Pillow keeps 8 of them."""
    with png.open("rb") as file:
        return file.read(25)[24:] == b"\x10"


def prepare(source: Path, target: Path, max_side: int) -> None:
    """Write the picture *source* to *target* as an upright JPEG on white, no side longer than *max_side* pixels.

    Whole or not at all. Raises Unreadable.
    """
    from PIL import Image, ImageOps

    with _opened(source) as image:
        if image.format == "JPEG":
            image.draft("RGB", (max_side, max_side))  # decodes large ones at a fraction of their size
        profile = image.info.get("icc_profile")
        upright = ImageOps.exif_transpose(image)
        plain = _on_white(upright)
        if max(plain.size) > max_side:
            plain.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        keep = {"icc_profile": profile} if profile and image.mode == "RGB" else {}
        plain.save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=0, **keep)
    durable.write(target, buffer.getvalue())


def _on_white(image: Image.Image) -> Image.Image:
    from PIL import Image

    if image.mode.startswith(("I", "F")):
        top = _white(image)
        return image.convert("F").point(lambda value: value * (255.0 / top)).convert("L").convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        seen = image.convert("RGBA")
        ground = Image.new("RGBA", seen.size, "white")
        return Image.alpha_composite(ground, seen).convert("RGB")
    return image if image.mode == "RGB" else image.convert("RGB")


def _white(image: Image.Image) -> float:
    """The value that is white in a picture whose mode does not bound its values."""
    if image.mode.startswith("I;16"):
        return 65535.0
    _, high = image.getextrema()
    scales = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    return next((top for top in scales if high <= top), high)  # type: ignore[operator,return-value]


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture; any error, also later while it is open, is raised as Unreadable."""
    from PIL import Image, UnidentifiedImageError

    _register_heif()
    try:
        with warnings.catch_warnings(), Image.open(path) as image:
            warnings.simplefilter("ignore")
            if image.format == "EPS":  # a program, which another program would have to run
                raise Unreadable("is PostScript, not a raster picture")
            if image.width * image.height > MAX_PIXELS:
                raise Unreadable(f"has {image.width}x{image.height} pixels, more than can be handled")
            yield image
    except UnidentifiedImageError:
        raise Unreadable(_unknown(path)) from None
    except Image.DecompressionBombError:
        raise Unreadable("has more pixels than can be handled") from None
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError) as error:
        if isinstance(error, Unreadable):
            raise
        raise Unreadable(f"is not a complete picture ({error})") from None


def _unknown(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(12)
    if start[4:8] == b"ftyp" and start[8:12] in _HEIF_BRANDS and not _register_heif():
        return "is a HEIC picture, which needs the package pillow-heif (pip install pillow-heif)"
    return "is not a picture"


@cache
def _register_heif() -> bool:
    """Let Pillow read HEIC if it can be taught to."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True
