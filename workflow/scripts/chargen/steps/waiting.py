"""Waiting on behalf of a run: a step that waits for the server ends when its run does."""

from __future__ import annotations

import time

from chargen.base.errors import ChargenError
from chargen.base.processes import main_process, process_alive
from chargen.records.state import RunFiles

LOOK_S = 1.0


class StillWaiting(ChargenError):
    """The wait ended early, because the run is gone or was stopped."""

    stopped = True


class StateRemoved(ChargenError):
    """The state folder of a running run was removed."""


def check(run: RunFiles | None) -> None:
    """Raise StillWaiting if *run* was asked to end, or its main process is gone; StateRemoved if its state is."""
    if run is None:
        return
    if not run.folder.is_dir():
        raise StateRemoved(
            f"{run.folder} was removed while this run was waiting, so its records of its jobs are gone. The jobs "
            "continue on the server and nothing is sent again: restore state/ from a backup, or collect each job with "
            "`snakemake collect --config job=…` (`snakemake jobs` lists them)"
        )
    main = main_process()
    if run.stop.exists() or (main and not process_alive(main)):
        raise StillWaiting("the run has ended. Nothing is lost: `snakemake generate_all` collects its jobs")


def pause(seconds: float, run: RunFiles | None) -> None:
    """Sleep so many *seconds*; raise StillWaiting as soon as the run has ended."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        check(run)
        time.sleep(min(left, LOOK_S))
    check(run)  # what happened during the last pause
