"""Which process runs Snakemake, and whether a process of this machine still works."""

from __future__ import annotations

import os
import socket
from pathlib import Path

MAIN_VARIABLE = "CHARGEN_MAIN"


def announce_main_process() -> None:
    """Let every process that this one starts know that it runs Snakemake."""
    os.environ[MAIN_VARIABLE] = f"{socket.gethostname()}:{os.getpid()}"


def main_process() -> int:
    """Return the number of Snakemake's main process if it runs on this machine, else 0."""
    return pid_here(os.environ.get(MAIN_VARIABLE, ""))


def pid_here(main: str) -> int:
    """Return the number in ``host:number`` if it is of this machine, else 0."""
    host, _, pid = main.rpartition(":")
    return int(pid) if host == socket.gethostname() and pid.isdigit() else 0


def process_alive(pid: int) -> bool:
    """Whether a process with that number runs on this machine; a zombie process does not count."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:  # no such folder on this system
        return True
