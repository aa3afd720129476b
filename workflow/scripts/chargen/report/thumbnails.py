"""Small pictures for the gallery: made once per content, in a few threads, kept beside the page."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from chargen.base import durable, failpoints
from chargen.base.frozen import frozen
from chargen.base.reading import Document, build, extend, plain
from chargen.pictures import formats as pictures
from chargen.pictures.imaging import TURNED, orientation_of
from chargen.pictures.presence import why_unreadable

BOX = (860, 480)
"""Bounds of a thumbnail in pixels: twice what the page shows, for dense screens."""

QUALITY = 80
THREADS = 4
MAX_DECODED = 40_000_000
"""Pixels of the largest picture that is decoded for the page; a JPEG is decoded at a fraction of its size."""

SHOWN_BY_BROWSERS = frozenset({"JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP"})
INDEX = "index.json"

_TRANSPARENT_ON = (246, 244, 240)


@frozen
class Thumbnail(Document):
    """What the page shows of a picture: the thumbnail's file ``name`` (``""`` if there is none, then ``trouble`` says
    why), ``width`` and ``height`` of the picture itself in pixels as seen (0 if unknown), its ``sha256``, and whether
    browsers can show the picture itself."""

    name: str = ""
    width: int = 0
    height: int = 0
    sha256: str = ""
    trouble: str = ""
    shown_by_browsers: bool = True


@frozen(kw_only=True)
class IndexEntry(Thumbnail):
    """A thumbnail as the index keeps it, with size in bytes and time of change (ns) of the picture that it shows."""

    stamp: tuple[int, int]

    @property
    def thumbnail(self) -> Thumbnail:
        """The thumbnail itself."""
        return Thumbnail(self.name, self.width, self.height, self.sha256, self.trouble, self.shown_by_browsers)


def make_thumbnails(
    folder: Path, root: Path, paths: Collection[str], box: tuple[int, int] = BOX
) -> dict[str, Thumbnail]:
    """Return a thumbnail within *box* for each of *paths* (relative to *root*), their files in *folder*.

    Pictures whose size and time of change are as before are not opened again; thumbnails that nothing shows any more
    are deleted. A picture that cannot be opened has a thumbnail without a file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = _read_index(folder)
    present = {entry.name for entry in os.scandir(folder)}
    found: dict[str, Thumbnail] = {}
    stamps: dict[str, tuple[int, int]] = {}
    to_make: list[str] = []
    for path in sorted(set(paths)):
        stamp = _stamp(root / path)
        if stamp is None:
            found[path] = Thumbnail(trouble="the file is gone")
            continue
        stamps[path] = stamp
        item = known.get(path)
        if item and item.stamp == stamp and (item.trouble or item.name in present):
            found[path] = item.thumbnail
        else:
            to_make.append(path)
    if to_make:
        from PIL import Image

        Image.preinit()  # the plug-ins' registry is not safe to fill from several threads
        with ThreadPoolExecutor(THREADS) as pool:
            found |= zip(to_make, pool.map(lambda path: _make(root / path, folder, box), to_make), strict=True)
    _prune(folder, present, found)
    index = {path: extend(IndexEntry, found[path], stamp=stamp) for path, stamp in stamps.items()}
    if index != known:
        durable.write_json(folder / INDEX, plain(index))
    return found


def _read_index(folder: Path) -> dict[str, IndexEntry]:
    """Return the index; nothing if there is none, or one of another version."""
    try:
        return build(dict[str, IndexEntry], durable.read_json(folder / INDEX))
    except (OSError, ValueError):
        return {}


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_size, found.st_mtime_ns) if stat.S_ISREG(found.st_mode) else None


def _make(path: Path, folder: Path, box: tuple[int, int]) -> Thumbnail:
    """Return the thumbnail of the picture *path*; whatever is wrong with the picture becomes its trouble."""
    from PIL import Image, ImageOps

    try:
        if why := why_unreadable(path):  # reading it might download it
            return Thumbnail(trouble=why)
        if pictures.is_lfs_pointer(path):
            return Thumbnail(trouble="not downloaded yet: run git lfs pull")
        sha256 = pictures.sha256_file(path)
        name = f"{sha256}.jpg"
        with Image.open(path) as picture:
            width, height = picture.size
            shown = picture.format in SHOWN_BY_BROWSERS and picture.mode != "CMYK"
            turned = orientation_of(picture) in TURNED
            if turned:
                width, height = height, width
                box = box[1], box[0]
            if not (folder / name).exists():
                scale = min(1.0, box[0] / picture.width, box[1] / picture.height)
                picture.draft("RGB", (int(picture.width * scale), int(picture.height * scale)))
                if picture.width * picture.height > MAX_DECODED:
                    trouble = f"too large for a thumbnail ({width}x{height})"
                    return Thumbnail("", width, height, sha256, trouble, shown)
                picture.thumbnail(box)
                _save(_opaque(ImageOps.exif_transpose(picture)), folder / name)
    except Exception as error:  # a decoder may raise nearly anything on a file that is not a picture
        return Thumbnail(trouble=f"cannot be shown ({type(error).__name__})")
    return Thumbnail(name, width, height, sha256, shown_by_browsers=shown)


def _opaque(picture: Any) -> Any:
    from PIL import Image

    if picture.mode not in ("RGBA", "LA", "PA") and "transparency" not in picture.info:
        return picture.convert("RGB")
    picture = picture.convert("RGBA")
    ground = Image.new("RGB", picture.size, _TRANSPARENT_ON)
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground


def _save(picture: Any, target: Path) -> None:
    temporary = durable.draft_of(target)
    try:
        picture.save(temporary, "jpeg", quality=QUALITY)
        temporary.replace(target)
        failpoints.reached("thumbnail")
    finally:
        temporary.unlink(missing_ok=True)


def _prune(folder: Path, present: Collection[str], found: dict[str, Thumbnail]) -> None:
    wanted = {thumbnail.name for thumbnail in found.values()}
    for name in present:
        if name.endswith(".part"):
            durable.remove_if_dead(folder / name)
        elif name.endswith(".jpg") and name not in wanted:
            (folder / name).unlink(missing_ok=True)
