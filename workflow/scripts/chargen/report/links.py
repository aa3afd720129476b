"""Where the page finds pictures and files: addresses relative to it, thumbnails, and copies that browsers can show."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from urllib.parse import quote

from chargen.report.thumbnails import Thumbnail, make_thumbnails

THUMBS = "report/thumbs"
LARGE = "report/large"
LARGE_BOX = (2400, 2400)
"""Bounds in pixels of the copies of pictures that browsers cannot show."""


class Links:
    """Addresses relative to the page in *results*, with the thumbnails of all pictures that it shows.

    Paths are relative to the library's *root*, or absolute.
    """

    def __init__(self, root: Path, results: Path, thumbs: Mapping[str, Thumbnail], copies: Mapping[str, Thumbnail]):
        self._results = results.resolve()
        self._base = self._relative(root)
        self._thumbs = thumbs
        self._copies = copies

    @classmethod
    def make(cls, root: Path, results: Path, in_library: Collection[str], elsewhere: Collection[str]) -> Links:
        """Make the thumbnails of the pictures *in_library* (what leads out of it is left out) and *elsewhere*."""
        inside = {path for path in in_library if _inside(root, path)}
        thumbs = make_thumbnails(results / THUMBS, root, inside | set(elsewhere))
        copied = {path for path in elsewhere if path in thumbs and not thumbs[path].shown_by_browsers}
        return cls(root, results, thumbs, _copies(results / LARGE, root, copied))

    def file(self, path: str) -> str:
        """Where the page finds a file of the library, or one with an absolute path."""
        if Path(path).is_absolute():
            return self.absolute(Path(path))
        return quote(os.fsencode(f"{self._base}/{path}"))

    def large(self, path: str) -> str:
        """Where the page finds a picture in a form that browsers show, ``""`` if there is none."""
        copy = self._copies.get(path)
        if copy:
            return f"{LARGE}/{copy.name}" if copy.name else ""
        return self.file(path) if self.info(path).name else ""

    def absolute(self, path: Path) -> str:
        """Where the page finds any other file."""
        return quote(os.fsencode(self._relative(path)))

    def thumb(self, path: str) -> str:
        """Where the page finds the thumbnail of a picture, ``""`` if it has none."""
        name = self.info(path).name
        return f"{THUMBS}/{name}" if name else ""

    def info(self, path: str) -> Thumbnail:
        """What is known of a picture."""
        return self._thumbs.get(path) or Thumbnail(trouble="the file is gone")

    def _relative(self, path: Path) -> str:
        return Path(os.path.relpath(os.path.realpath(path), self._results)).as_posix()


def _copies(folder: Path, root: Path, paths: Collection[str]) -> dict[str, Thumbnail]:
    """Return copies for browsers of pictures that they cannot show; those that nothing shows any more are deleted."""
    return make_thumbnails(folder, root, paths, LARGE_BOX) if paths or folder.is_dir() else {}


def _inside(root: Path, path: str) -> bool:
    """Whether *path* stays in the library: receipts may be older than the rules of their reader."""
    return bool(path) and Path(os.path.realpath(root / path)).is_relative_to(os.path.realpath(root))
