"""What is on disk below the library root, each folder listed once, and never anything outside it."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import field
from pathlib import Path, PurePosixPath

from chargen.base.frozen import frozen
from chargen.pictures.presence import DEAD_LINK, FOLDER_SUFFIX, NOT_DOWNLOADED, is_absent, stands_for

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
PORTRAIT_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp")
LEADS_OUT = "is a link to a place outside the library"


@frozen
class Listing:
    """What a folder holds, by name.

    ``files`` are those that count as being there; ``away`` says of some of them why they cannot be read. ``others`` are
    neither files nor folders of the library: pipes, and links that lead out of it (``away`` says so). ``trouble`` says
    why the folder could not be listed: nothing is known of it then. A folder that does not exist is empty.
    ``unreadable_names`` are those that are not UTF-8; they are in none of the others. ``links`` are those of symbolic
    links.
    """

    files: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    away: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""
    unreadable_names: tuple[str, ...] = ()
    links: frozenset[str] = frozenset()
    spellings: Mapping[str, str] = field(default_factory=dict)  # composed (NFC) -> as on the disk, where they differ

    def spelled(self, name: str) -> str:
        """*name* as the folder spells it: composed and decomposed letters are the same."""
        if name.isascii() or self._has(name):
            return name
        composed = same_name(name)
        return self.spellings.get(composed, composed if self._has(composed) else name)

    def _has(self, name: str) -> bool:
        return name in self.files or name in self.folders or name in self.others


class Folders:
    """Answers questions about files by listing their folders with ``os.scandir``, once each.

    Paths are relative to the library root, with ``/``. A symbolic link counts as what it leads to, unless that is
    outside the library. Names in composed and decomposed letters (NFC, NFD) are the same.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._real_root = Path(os.path.realpath(root))
        self._listings: dict[str, Listing] = {}

    def listing(self, folder: str) -> Listing:
        """What *folder* holds; nothing if it is missing or outside."""
        listing = self._listings.get(folder)
        if listing is None:
            listing = self._listings[folder] = self._list(folder)
        return listing

    def files(self, folder: str) -> frozenset[str]:
        """The names of the files directly in *folder*, those that are not downloaded too."""
        return self.listing(folder).files

    def images(self, folder: str) -> list[str]:
        """The names of the image files directly in *folder*, sorted: also of those that cannot be read."""
        listing = self.listing(folder)
        names = listing.files | (listing.others & listing.away.keys())
        return sorted(name for name in names if is_image_name(name) and not name.startswith("."))

    def exists(self, path: str) -> bool:
        """Whether *path* is a file inside the library. A file that cannot be checked counts as present."""
        listing, name = self._at(path)
        return name in listing.files or bool(listing.trouble)

    def stands(self, path: str) -> bool:
        """Whether anything at all is at *path*."""
        listing, name = self._at(path)
        return name in listing.files or name in listing.others or name in listing.folders or bool(listing.trouble)

    def away(self, path: str) -> str:
        """Why the file at *path* cannot be read; ``""`` if it can, as far as is known."""
        listing, name = self._at(path)
        return listing.away.get(name, "") or listing.trouble

    def spelled(self, path: str) -> str:
        """*path* with its names spelled as on the disk."""
        if path.isascii():
            return path
        found = ""
        for part in path.split("/"):
            name = self.listing(found).spelled(part)
            found = f"{found}/{name}" if found else name
        return found

    def is_inside(self, path: str) -> bool:
        """Whether *path*, links followed, stays inside the library."""
        if self._is_plain_folder(path):
            return True
        real = Path(os.path.realpath(self.root / path))
        return real == self._real_root or self._real_root in real.parents

    def _is_plain_folder(self, path: str) -> bool:
        """Whether *path* is known to be a folder to which no link leads; saves asking the system."""
        parent, _, name = path.rpartition("/")
        listing = self._listings.get(parent)
        return listing is not None and name in listing.folders and name not in listing.links

    def is_same(self, one: str, other: str) -> bool:
        """Whether two names lead to one folder, as where the disk ignores upper and lower case."""
        try:
            return (self.root / one).samefile(self.root / other)
        except OSError:
            return False

    def leads_outside(self, path: str) -> bool:
        """Whether something is at *path* that a link takes out of the library."""
        return os.path.lexists(self.root / path) and not self.is_inside(path)

    def _at(self, path: str) -> tuple[Listing, str]:
        folder, _, name = self.spelled(path).rpartition("/")
        return self.listing(folder), name

    def _list(self, folder: str) -> Listing:
        try:
            with os.scandir(self.root / folder) as found:
                entries = list(found)
        except OSError as error:
            return Listing() if is_absent(error) else Listing(trouble=f"cannot be read ({error.strerror or error})")
        except ValueError:  # a name that no file system takes
            return Listing()
        return self._sorted_out(entries, folder) if self.is_inside(folder) else Listing()

    def _sorted_out(self, entries: Sequence[os.DirEntry[str]], folder: str) -> Listing:
        files: set[str] = set()
        folders: set[str] = set()
        others: set[str] = set()
        away: dict[str, str] = {}
        unreadable, odd = [], []
        for entry in entries:
            name = entry.name
            if not name.isascii():
                if not is_utf8(name):
                    unreadable.append(name)
                    continue
                odd.append(name)
            kind, why = self._kind(entry, folder)
            (files if kind == "file" else folders if kind == "folder" else others).add(name)
            if why:
                away[name] = why
            elif kind == "file" and (meant := stands_for(name)):
                files.add(meant)
                away[meant] = NOT_DOWNLOADED
            elif kind == "file" and name.endswith(FOLDER_SUFFIX):
                away[name] = NOT_DOWNLOADED
        for name in files & away.keys():  # what was downloaded while its placeholder is still there
            if away[name] == NOT_DOWNLOADED and any(entry.name == name for entry in entries):
                del away[name]
        spellings = {composed: name for name in odd if (composed := same_name(name)) != name}
        return Listing(
            frozenset(files),
            frozenset(folders),
            frozenset(others),
            away,
            unreadable_names=tuple(sorted(unreadable)),
            links=frozenset(entry.name for entry in entries if entry.is_symlink()),
            spellings=spellings,
        )

    def _kind(self, entry: os.DirEntry[str], folder: str) -> tuple[str, str]:
        """Whether *entry* counts as a file, a folder or neither, and why it cannot be read."""
        try:
            if not entry.is_symlink():
                if entry.is_file(follow_symlinks=False):
                    return "file", ""
                return ("folder" if entry.is_dir(follow_symlinks=False) else "other"), ""
            entry.stat()
        except FileNotFoundError:
            return "file", DEAD_LINK
        except OSError as error:
            return "file", f"cannot be read ({error.strerror or error})"
        if not self.is_inside(f"{folder}/{entry.name}"):
            return "other", LEADS_OUT
        return ("file" if entry.is_file() else "folder" if entry.is_dir() else "other"), ""


def is_image_name(name: str) -> bool:
    """Whether *name* ends like a picture."""
    return PurePosixPath(name).suffix.lower() in IMAGE_SUFFIXES


def is_utf8(name: str) -> bool:
    """Whether *name*, as the system gives it, is UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown_name(name: str) -> str:
    """*name* as it can be printed: bytes that are not UTF-8 as ``\\xff``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def same_name(name: str) -> str:
    """The one form of *name* in which composed and decomposed letters are equal."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def forms(name: str) -> tuple[str, ...]:
    """*name* first as it is, then with its letters composed and decomposed, each form once."""
    if name.isascii():
        return (name,)
    return tuple(dict.fromkeys([name, unicodedata.normalize("NFC", name), unicodedata.normalize("NFD", name)]))


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
