"""What is on disk below the library root, each folder listed once, and never anything outside it."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
PORTRAIT_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")


class Folders:
    """Answers questions about files by listing their folders with ``os.scandir``, once each.

    Paths are relative to the library root, with ``/``. A symbolic link counts as what it leads to, unless that is
    outside the library.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._real_root = Path(os.path.realpath(root))
        self._listings: dict[str, frozenset[str]] = {}

    def files(self, folder: str) -> frozenset[str]:
        """The names of the files directly in *folder*; empty if it is missing or outside."""
        listing = self._listings.get(folder)
        if listing is None:
            listing = self._listings[folder] = self._list(folder)
        return listing

    def images(self, folder: str) -> list[str]:
        """The names of the image files directly in *folder*, sorted."""
        return sorted(name for name in self.files(folder) if is_image_name(name) and not name.startswith("."))

    def exists(self, path: str) -> bool:
        """Whether *path* is a file inside the library."""
        folder, _, name = path.rpartition("/")
        return name in self.files(folder)

    def is_inside(self, path: str) -> bool:
        """Whether *path*, links followed, stays inside the library."""
        real = Path(os.path.realpath(self._root / path))
        return real == self._real_root or self._real_root in real.parents

    def leads_outside(self, path: str) -> bool:
        """Whether something is at *path* that a link takes out of the library."""
        return os.path.lexists(self._root / path) and not self.is_inside(path)

    def _list(self, folder: str) -> frozenset[str]:
        full = self._root / folder
        try:
            entries = list(os.scandir(full))
        except (OSError, ValueError):
            return frozenset()
        if not self.is_inside(folder):
            return frozenset()
        return frozenset(entry.name for entry in entries if self._is_file(entry, folder))

    def _is_file(self, entry: os.DirEntry[str], folder: str) -> bool:
        try:
            if not entry.is_symlink():
                return entry.is_file(follow_symlinks=False)
            return entry.is_file() and self.is_inside(f"{folder}/{entry.name}")
        except OSError:
            return False


def is_image_name(name: str) -> bool:
    """Whether *name* ends like a picture."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def inside(base: str, written: str) -> str:
    """*written*, relative to *base*, as a clean path relative to the library root; ``""`` if it is absolute or leaves.

    Backslashes of other systems count as ``/``. Links are not looked at: that is for :class:`Folders`.
    """
    path = written.replace("\\", "/").strip()
    if not path or path.startswith(("/", "~")) or "\0" in path or (len(path) > 1 and path[1] == ":"):
        return ""
    parts: list[str] = [part for part in base.split("/") if part]
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)
