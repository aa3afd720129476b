"""Fetch: wait for remote jobs politely and bring their results to disk.

Whoever waits asks one question per tick for all jobs of the library and brings in whatever has ended, so that one stuck
job never holds up a finished one. A failed question is not a failed job; only states known to be final end the wait.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from chargen import durable, events, failpoints
from chargen.config import Settings
from chargen.journal import Entry, Journal, seconds_since
from chargen.problems import ChargenError
from chargen.records.look import LastLook
from chargen.remote import LOST, Operation, Remote, RemoteError
from chargen.report.words import count
from chargen.state import BatchFiles, RunFiles, State
from chargen.steps import account, waiting
from chargen.steps.talk import duration
from chargen.uploads import pauses

FIRST_PAUSE_S = 1.0
GROWTH = 1.5
STEPS_TOLD = 20
"""In how many steps, at most, a run tells how far its jobs are; each step's log has every look."""
LATE_RESULT_S = 900.0
"""How long a job that ended well may lack the name of its result file."""

LOOKS_UNTIL_LOST = 4
"""How often in a row a job, or its result file, must be denied until it counts as gone: a new one may be shown late."""
LOST_AFTER_S = 120.0
"""For how long it must have been denied besides: what counts as lost is only made again by an order, for money."""

Place = Callable[[BatchFiles], None]


class NeverSubmitted(ChargenError):
    """The batch has no job to wait for."""

    stopped = True


class Watch:
    """Looks at all jobs of a library in flight, with pauses that grow up to ``poll.interval_s``."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        remote: Remote,
        run: RunFiles | None = None,
        lost_after_s: float = LOST_AFTER_S,
    ):
        """*run* is the run that waits: when it is asked to end, or its main process is gone, so does the wait."""
        self._settings = settings
        self._state = state
        self._remote = remote
        self._run = run
        self._pause_s = min(FIRST_PAUSE_S, settings.poll.interval_s)
        self._late: dict[str, float] = {}
        self._denials: dict[str, list[float]] = {}
        self._lost_after_s = lost_after_s

    @property
    def pause_s(self) -> float:
        return self._pause_s

    def tick(self, place: Place | None = None, first: bool = False) -> dict[str, Operation]:
        """Pause, look once, bring in what has ended (and hand it to *place*); return the operations seen, by name."""
        if not first:
            self._sleep()
        seen = self._look()
        journal = Journal(self._state)
        self._tell_news(journal, seen)
        for entry in self._flying(journal):
            operation = seen.get(entry.job)
            if operation is None or not operation.is_final:
                self._mind_deadline(journal, entry)
                continue
            with self._state.lock(f"batch-{entry.batch}", wait=False) as got:
                if got and self.bring_in(entry.batch, operation) and place:
                    place(self._state.batch(entry.batch))
        return seen

    def bring_in(self, batch: str, operation: Operation) -> bool:
        """Download what the ended job of *batch* left, once; return whether its end is on disk. Call under its lock."""
        files = self._state.batch(batch)
        journal = Journal(self._state)
        if files.responses.exists() and files.ended.exists():
            return True
        left = self.download(batch, operation)
        if left is None:
            return False
        state, error = operation.state, operation.error
        if left:
            state, error = LOST, left
        if not files.responses.exists():
            durable.write(files.responses, b"")
        end = {"state": state, "error": error, "error_code": operation.error_code, "operation": operation.raw}
        durable.write_json(files.ended, end)
        failpoints.reached("end-stored")
        journal.append("ended", batch, state=state, error=error)
        journal.append("fetched", batch, bytes=files.responses.stat().st_size)
        return True

    def download(self, batch: str, operation: Operation) -> str | None:
        """Bring the results of the ended job to the batch's responses, once; the journal is told nothing.

        A job that did not end well has none, but if it names some they were paid for and are brought in too. Return
        ``""`` if all that there is to come is there, None if it is to be asked for later, and words if the results are
        gone.
        """
        files = self._state.batch(batch)
        there = files.responses.exists() and files.responses.stat().st_size  # an empty one may stand for what is gone
        if there:
            return ""
        if not operation.responses_file:
            if operation.state != "SUCCEEDED":
                return ""
            self._mind_lateness(batch)
            return None
        try:
            download(self._remote, operation.responses_file, files.responses, self._run)
        except RemoteError as trouble:
            if not (trouble.gone and self._is_lost(operation.responses_file)):
                _trouble(f"{trouble}; trying again later", self._pause_s, batch=batch)
                return None
            return f"the result file {operation.responses_file} is gone: {trouble.message}"
        return ""

    def _flying(self, journal: Journal) -> list[Entry]:
        """The batches whose jobs this key at this address can speak of."""
        return [
            entry for entry in journal.in_flight() if entry.job and account.knows(self._settings, entry, self._remote)
        ]

    def _sleep(self) -> None:
        waiting.pause(self._pause_s, self._run)
        self._pause_s = min(self._pause_s * GROWTH, self._settings.poll.interval_s)

    def _look(self) -> dict[str, Operation]:
        """Return the operations of all jobs in flight: as somebody saw them last if that is fresh, else asked."""
        snapshot = self._state.root / "last-look.json"
        wanted = {entry.job for entry in self._flying(Journal(self._state))}
        with self._state.lock("look"):
            last = LastLook.read(snapshot)
            known = last.by_name
            age = time.time() - last.time
            if not (0 <= age < min(self._pause_s, self._settings.poll.interval_s) * 0.9 and wanted <= known.keys()):
                try:
                    known = {operation.name: operation.raw for operation in self._ask(wanted)}
                except RemoteError as trouble:
                    if not trouble.passing:
                        raise
                    self._pause_s = max(self._pause_s, trouble.retry_after_s or 0)
                    words = f"{trouble}; asking again in {duration(self._pause_s)}"
                    _trouble(words, self._pause_s)
                    self._tell_once(f"trouble {trouble.status}", f"waiting: {words}, and until it answers")
                    return {}
                look = {"time": time.time(), "pause_s": self._pause_s, "operations": list(known.values())}
                durable.write(snapshot, durable.dump(look))
        return {name: Operation.from_json(raw) for name, raw in known.items()}

    def _tell_news(self, journal: Journal, seen: Mapping[str, Operation]) -> None:
        """Tell the run once, for all its waiters, how its jobs stand, whenever that has changed worth a line."""
        entries = {entry.job: entry for entry in self._flying(journal) if entry.job in seen}
        unended = [seen[job] for job in entries if not seen[job].is_final]
        if not unended:
            return
        states = Counter(operation.state.lower() for operation in unended)
        done = sum(operation.done for operation in unended)
        total = sum(operation.requests or len(entries[operation.name].wishes) for operation in unended)
        kinds = next(iter(states)) if len(states) == 1 else ", ".join(f"{n} {state}" for state, n in states.items())
        line = f"waiting: {count(len(unended), 'job')} ({kinds}), {done:,} of {count(total, 'task')} done"
        news = f"{kinds}, {done * STEPS_TOLD // max(1, total)} of {STEPS_TOLD}"
        self._tell_once(news, f"{line}, next look in {duration(self._pause_s)}")

    def _tell_once(self, news: str, words: str) -> None:
        """Show *words* unless one of the run's waiters has shown the same *news* last."""
        if self._run is None:
            return
        with self._state.lock("told"):
            if not (self._run.told.exists() and self._run.told.read_text() == news):
                self._run.told.write_text(news)
                events.show(words)

    def _ask(self, wanted: set[str]) -> list[Operation]:
        """One question for all: page the list until every wanted job was seen; ask for stragglers by name."""
        found: dict[str, Operation] = {}
        for operation in self._remote.jobs():
            if operation.name in wanted:
                found[operation.name] = operation
                if len(found) == len(wanted):
                    break
        for name in wanted - found.keys():
            try:
                found[name] = self._remote.job(name)
            except RemoteError as trouble:
                if not trouble.gone:
                    raise
                if not self._is_lost(name):
                    _trouble(f"{trouble}; looking for it again", self._pause_s, job=name)
                    continue
                lost = {"state": LOST}
                found[name] = Operation.from_json(
                    {"name": name, "metadata": lost, "error": {"message": trouble.message}}
                )
        for name in found:
            if found[name].state != LOST:
                self._denials.pop(name, None)
        return list(found.values())

    def _is_lost(self, name: str) -> bool:
        """Whether what was denied just now has been denied often enough, and for long enough, to be gone."""
        times = self._denials.setdefault(name, [])
        times.append(time.monotonic())
        return len(times) >= LOOKS_UNTIL_LOST and times[-1] - times[0] >= self._lost_after_s

    def _mind_lateness(self, batch: str) -> None:
        """Give up waiting for the name of a result file after a while."""
        since = self._late.setdefault(batch, time.monotonic())
        if time.monotonic() - since > LATE_RESULT_S:
            raise ChargenError(
                f"batch {batch}: its job succeeded, but the server has not named a result file for "
                f"{duration(LATE_RESULT_S)}; run again later to collect it"
            )

    def _mind_deadline(self, journal: Journal, entry: Entry) -> None:
        """Cancel a job that has outlived ``poll.deadline_h``; what it has done by then still comes."""
        if entry.cancelled or entry.age_s < self._settings.poll.deadline_h * 3600:
            return
        with self._state.lock(f"batch-{entry.batch}", wait=False) as got:
            if not got:
                return
            words = f"{entry.job} has not ended within {self._settings.poll.deadline_h:g} h: cancelling it"
            events.tell("overdue", words, level="warning", batch=entry.batch, job=entry.job)
            try:
                self._remote.cancel(entry.job)
            except RemoteError as trouble:
                _trouble(f"{trouble}; trying again later", self._pause_s, batch=entry.batch)
                return
            journal.append("cancelled", entry.batch, why="deadline")


def fetch(
    settings: Settings, state: State, files: BatchFiles, remote: Remote, place: Place | None, run: RunFiles
) -> None:
    """Wait until the batch's job has ended and its responses are on disk.

    Raises StillWaiting if the run that waits is gone, NeverSubmitted if the batch has no job, OtherAccount if its job
    was sent with another key or to another address.
    """
    entry = Journal(state).entry(files.id)
    if files.responses.exists() and files.ended.exists():
        return
    if not entry.job:
        raise NeverSubmitted(f"batch {files.id} was never submitted; run generate_all again")
    account.check(settings, entry, remote)
    watch = Watch(settings, state, remote, run)
    first = True
    seen: tuple[Any, ...] = ()
    while not (files.responses.exists() and files.ended.exists()):
        operation = watch.tick(place, first).get(entry.job)
        first = False
        if operation and not operation.is_final:
            news = (operation.state, operation.done)
            events.tell(
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


def _trouble(words: str, delay_s: float, **facts: Any) -> None:
    """Tell that something failed that is tried again in *delay_s* seconds."""
    events.tell("trouble", words, level="warning", delay_s=round(delay_s, 1), **facts)


def progress(batch: str, operation: Operation, entry: Entry, next_s: float) -> str:
    """Return one line on a job: state, how many of how many are done, for how long, when it is looked at next."""
    total = operation.requests or len(entry.wishes)
    return (
        f"{entry.operation} {batch}: {operation.state.lower()}, {operation.done} of {total} done, "
        f"{duration(seconds_since(entry.submitted))} since submission, next look in {duration(next_s)}"
    )


def download(remote: Remote, name: str, target: Path, run: RunFiles | None = None) -> None:
    """Bring the result file *name* to *target*: whole or not at all, asked for again if the connection breaks.

    Raises StillWaiting if *run* ends during a pause.
    """
    part = durable.draft_of(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        for pause in pauses(5):
            try:
                with durable.naming(target):
                    fault = remote.download(name, part)
                if fault:
                    raise RemoteError(f"downloading {name}", 0, fault)
                break
            except RemoteError as error:
                # What looks gone is for the caller to ask for again: the file may be there a moment after its name.
                if pause is None or error.gone:
                    raise
                pause = max(pause, error.retry_after_s or 0)
                _trouble(f"{error}; starting again in {duration(pause)}", pause)
                waiting.pause(pause, run)
        with part.open("rb+") as handle:
            os.fsync(handle.fileno())
        failpoints.reached("downloaded")
        part.replace(target)
        durable.sync_folder(target.parent)
        failpoints.reached("stored")
    finally:
        part.unlink(missing_ok=True)
