"""Checks of this machine: state/, disk space, network drives, locks."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from chargen.base.findings import Finding, Level
from chargen.base.timestamps import age_s
from chargen.base.wording import count
from chargen.library.locking import LOCK_FILE
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import State
from chargen.screens.screen import size

LEAST_FREE_BYTES, LOW_FREE_BYTES = 200_000_000, 2_000_000_000
NETWORK_DRIVES = ("nfs", "cifs", "smb", "fuse.sshfs", "fuse.rclone", "9p", "afs", "ceph", "lustre", "glusterfs")


def check_state(settings: Settings, state: State) -> Iterator[Finding]:
    """Yield what is in flight, and what state/ itself suffers from."""
    try:
        journal = Journal(state)
    except (OSError, KeyError, ValueError) as error:
        text = "restore state/ from a backup, or move it away and use `snakemake collect` to download the server's jobs"
        yield Finding("error", "state", f"{state.journal} cannot be read: {error!r}", text)
        return
    flying = journal.in_flight()
    unnamed = [entry for entry in flying if not entry.job]
    if unnamed:
        says = f"{count(len(unnamed), 'batch', 'batches')} submitted without an answer"
        yield Finding("warning", "state", says, "the next generate_all checks whether the job was created")
    late = [entry for entry in flying if _hours(entry.submitted) > settings.poll.deadline_h]
    if late:
        says = f"{count(len(late), 'batch', 'batches')} in flight for longer than {settings.poll.deadline_h:g} h"
        yield Finding("warning", "state", says, "snakemake generate_all cancels and collects them; snakemake jobs")
    if not (unnamed or late):
        counted = f"{len(flying)} in flight" if flying else "nothing in flight"
        yield Finding("ok", "state", f"{count(len(journal.entries), 'batch', 'batches')} known, {counted}")


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Yield how much room there is for state and library, and whether they can be written."""
    seen: set[int] = set()
    for name, path in (("state", Path(settings.home)), ("library", Path(settings.library))):
        folder = _existing(path)
        device = folder.stat().st_dev
        if not os.access(folder, os.W_OK):
            yield Finding("error", "disk", f"{folder} cannot be written", f"make the {name} writable for you")
        if device in seen:
            continue
        seen.add(device)
        yield from drive(name, folder, mounts())
        free = shutil.disk_usage(folder).free
        level: Level = "error" if free < LEAST_FREE_BYTES else "warning" if free < LOW_FREE_BYTES else "ok"
        text = "" if level == "ok" else "a result line takes about 4 MB: 500 pictures need 2 GB while they are applied"
        yield Finding(level, "disk", f"{size(free)} free for the {name}", text)


def drive(name: str, folder: Path, mounted: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is special about the drive that *folder* is on; *mounted* is the file system by mount point."""
    points = [point for point in mounted if folder == Path(point) or Path(point) in folder.parents]
    kind = mounted[max(points, key=len)] if points else ""
    if kind.startswith(NETWORK_DRIVES):
        text = (
            "locks may not work between machines there: use one machine at a time for this library, or start "
            "snakemake in a folder on a local disk"
        )
        yield Finding("warning", "disk", f"{folder} is on a network drive ({kind})", text)
    twin = folder.with_name(folder.name.swapcase())
    if twin.name != folder.name and twin.exists() and twin.samefile(folder):
        text = "scenes or folders whose names differ only in case overwrite each other; rename one of them"
        yield Finding("ok", "disk", f"the {name}'s disk ignores upper and lower case", text)


def check_locks(state: State) -> Iterator[Finding]:
    """Yield whether files can be locked where the state is: that is what keeps two runs from paying twice."""
    try:
        with state.lock("doctor"):
            return
    except (OSError, NotImplementedError) as error:
        text = "start snakemake in a folder on a local disk: without locks two runs may block each other"
        yield Finding("error", "disk", f"files cannot be locked in {state.root}: {error}", text)


def check_library_lock(library: Path) -> Iterator[Finding]:
    """Yield whether this user may take the library's own lock, which all its checkouts share."""
    path = library / LOCK_FILE
    if path.exists() and not os.access(path, os.W_OK):
        text = "make that file writable for you, or delete it while chargen is not running"
        yield Finding("warning", "disk", f"{path} cannot be locked, so other users can write at the same time", text)


def mounts() -> dict[str, str]:
    """Return the file system by mount point, nothing where the system does not say."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return {}
    # A blank in a mount point is written as an octal number.
    return {fields[1].replace("\\040", " "): fields[2] for line in lines if len(fields := line.split()) > 2}


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _hours(moment: str) -> float:
    return (age_s(moment) or 0.0) / 3600
