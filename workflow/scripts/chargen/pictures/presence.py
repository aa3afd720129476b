"""Files that are known on this machine but whose contents are not here: what sync programs and Git LFS leave behind.

Such a file counts as present, so it is not paid for again. It cannot be read or sent until it has been downloaded.

- iCloud Drive up to macOS 13 put a hidden ``.portrait.png.icloud`` (once ``-tef.icloud``) in its place; since macOS 14
  the file keeps its name and size and has the flag ``SF_DATALESS``, as with every program that uses Apple's File
  Provider (Dropbox, OneDrive, Google Drive). Reading it would download it, or fail without a network.
- OneDrive and others on Windows set the attributes ``OFFLINE`` or ``RECALL_ON_…``.
- Dropbox before File Provider left an empty file with an extended attribute; a download that broke off leaves an empty
  file too. No picture is empty.
- Nextcloud, ownCloud and odrive put ``portrait.png.nextcloud``, ``.owncloud`` or ``.cloud`` in its place; Syncthing
  writes ``.syncthing.portrait.png.tmp`` while it downloads.
- Git LFS and git-annex leave a pointer: a small text, or a link that leads nowhere.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

NOT_DOWNLOADED = "is not downloaded: a sync program keeps it in the cloud"
EMPTY = "is empty (0 bytes): not downloaded yet, or damaged"
DEAD_LINK = "is a broken link"
LFS_POINTER = "is a Git LFS pointer; run `git lfs pull`"
LFS_START = b"version https://git-lfs.github.com/spec/"

_HIDDEN = ((".", "-tef.icloud"), (".", ".icloud"), (".syncthing.", ".tmp"), ("~syncthing~", ".tmp"))
_SUFFIXES = (".nextcloud", ".owncloud", ".cloud")
FOLDER_SUFFIX = ".cloudf"
"""odrive's for a folder that is not downloaded."""
_OFFLINE = stat.FILE_ATTRIBUTE_OFFLINE | 0x40000 | 0x400000  # RECALL_ON_OPEN, RECALL_ON_DATA_ACCESS
_DATALESS = 0x40000000  # SF_DATALESS of <sys/stat.h>
_NOBODY = frozenset({errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG})
"""Errors that say that there is nothing of that name."""


def stands_for(name: str) -> str:
    """The name of the file that a placeholder called *name* stands for; ``""`` if it is none."""
    for start, end in _HIDDEN:
        if name.startswith(start) and name.endswith(end) and len(name) > len(start) + len(end):
            return name[len(start) : -len(end)]
    end = next((end for end in _SUFFIXES if name.endswith(end)), "")
    return name.removesuffix(end) if end else ""


def placeholders(name: str) -> tuple[str, ...]:
    """The names under which a file called *name* may be represented."""
    return (*(f"{start}{name}{end}" for start, end in _HIDDEN), *(f"{name}{end}" for end in _SUFFIXES))


def not_here(status: os.stat_result) -> str:
    """Why the contents of a file with this *status* are not on this machine, as a message; ``""`` if they are."""
    flags, attributes = getattr(status, "st_flags", 0), getattr(status, "st_file_attributes", 0)
    return NOT_DOWNLOADED if flags & _DATALESS or attributes & _OFFLINE else ""


def is_absent(error: OSError) -> bool:
    """Whether *error* says that there is nothing of that name, rather than that it cannot be looked at."""
    return error.errno in _NOBODY


def is_present(path: Path) -> bool:
    """Whether there is a file at *path*, be it only a placeholder or one that cannot be looked at."""
    try:
        os.lstat(path)
    except OSError as error:
        if not is_absent(error):
            return True
        return any(os.path.lexists(path.with_name(name)) for name in placeholders(path.name))
    return True


def why_unreadable(path: Path) -> str:
    """Why the file at *path* cannot be read here; ``""`` if it can, as far as is known, or is absent."""
    try:
        status = path.stat()
    except OSError as error:
        if any(os.path.lexists(path.with_name(name)) for name in placeholders(path.name)):
            return NOT_DOWNLOADED
        if is_absent(error):
            return DEAD_LINK if path.is_symlink() else ""
        return f"cannot be read ({error.strerror or error})"
    return not_here(status)
