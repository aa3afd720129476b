"""Places where a test can make the process die, to prove that the next run continues.

``CHARGEN_KILL_AT=<point>[:<n>]`` kills at the n-th time (1 by default) that the point is reached in this process;
``CHARGEN_KILL_WHO`` says who dies: this process (``self``, the default), its whole process group (``group``), or
Snakemake's main process alone (``main``). ``CHARGEN_KILL_ONCE=<file>`` arms it for one death only: the file is created
just before. ``CHARGEN_KILL_COUNT=<file>`` makes the n-th time that of all processes that share the file, in which every
point is noted as it is reached, with the number of the process and whether that is Snakemake's main one. Without the
first variable a point costs one dictionary look-up.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections import Counter
from pathlib import Path

from chargen.base.processes import main_process

LOOKED = "(looked)"
_reached: Counter[str] = Counter()


def reached(point: str) -> None:
    """Say that *point* was reached: its durable effect has just happened."""
    armed = os.environ.get("CHARGEN_KILL_AT")
    if not armed:
        return
    times = _times(point)
    name, _, count = armed.partition(":")
    if name != point or times != int(count or 1):
        return
    once = os.environ.get("CHARGEN_KILL_ONCE")
    if once:
        try:
            Path(once).open("x").close()
        except FileExistsError:
            return
    match os.environ.get("CHARGEN_KILL_WHO", "self"):
        case "group":
            os.killpg(os.getpgrp(), signal.SIGKILL)
        case "main":
            os.kill(main_process(), signal.SIGKILL)
        case _:
            os.kill(os.getpid(), signal.SIGKILL)


def _times(point: str) -> int:
    """Count this time in; return how many there were."""
    shared = os.environ.get("CHARGEN_KILL_COUNT")
    if not shared:
        _reached[point] += 1
        return _reached[point]
    return _noted(shared, point)


def looked() -> None:
    """Note that this process has just looked whether the main one is alive: between two looks its death changes
    nothing for this one.
    """
    if shared := os.environ.get("CHARGEN_KILL_COUNT"):
        _noted(shared, LOOKED)


def _noted(shared: str, point: str) -> int:
    where = "main" if main_process() == os.getpid() else "other"
    with Path(shared).open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write(f"{point}\t{os.getpid()}\t{where}\n")
        file.flush()
        file.seek(0)
        return sum(line.startswith(f"{point}\t") for line in file)
