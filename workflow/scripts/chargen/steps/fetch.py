"""Fetch: wait for a batch's job politely until its results are on disk.

A waiting step watches all jobs of the library, so that one stuck job never holds up a finished one. A failed question
is not a failed job; only states known to be final end the wait.
"""

from __future__ import annotations

from typing import Any

from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.base.formatting import duration
from chargen.base.wording import progress_of
from chargen.providers.base import RemoteJob
from chargen.providers.protocol import Connection
from chargen.records.journal import Entry, Journal, seconds_since
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps import account
from chargen.steps.downloads import is_here
from chargen.steps.watch import Place, Watch

GIVE_UP_AFTER_S = 1800.0
"""How long a run retries results that are incomplete or missing; the next run continues."""


class ResultsNotHere(ChargenError):
    """The job has ended, but its results have not arrived for a long time; the next run tries again."""


class NeverSubmitted(ChargenError):
    """The batch has no job to wait for."""

    stopped = True


def fetch(
    settings: Settings, state: State, files: BatchFiles, remote: Connection, place: Place | None, run: RunFiles
) -> None:
    """Wait until the batch's job has ended and its responses are on disk.

    Raises StillWaiting if the run that waits is gone, NeverSubmitted if the batch has no job, OtherAccount if its job
    was sent with another key or to another address.
    """
    entry = Journal.recent(state, files.id).entry(files.id)
    if is_here(state, files):
        return
    if not entry.job:
        raise NeverSubmitted(f"batch {files.id} was never submitted; run generate_all again")
    account.check(settings, entry, remote)
    watch = Watch(settings, state, remote, run)
    first = True
    seen: tuple[Any, ...] = ()
    while not is_here(state, files):
        operation = watch.tick(place, first).get(entry.job)
        first = False
        if words := watch.patience.why_stuck(files.id, GIVE_UP_AFTER_S):
            raise ResultsNotHere(f"{words}. Nothing is lost: run again later to collect them")
        if operation and not operation.is_final:
            news = (operation.state, operation.done)
            events.log(
                "state",
                progress(files.id, operation, entry, watch.pause_s),
                level="info" if news != seen else "debug",
                job=operation.name,
                state=operation.state,
                done=operation.done,
                tasks=operation.requests or len(entry.wishes),
                delay_s=round(watch.pause_s, 1),
            )
            seen = news


def progress(batch: str, operation: RemoteJob, entry: Entry, next_s: float) -> str:
    """Return one line on a job: state, how many tasks, how many are done if that is known, for how long, next look."""
    total = operation.requests or len(entry.wishes)
    return (
        f"{entry.operation} {batch}: {operation.state.lower()}, {progress_of(operation.done, total, 'task')}, "
        f"{duration(seconds_since(entry.submitted))} since submission, next check in {duration(next_s)}"
    )
