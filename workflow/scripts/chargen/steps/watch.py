"""Watching: one question per tick for all jobs of a library, and what has ended is downloaded."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping

from chargen.base import durable, events
from chargen.base.formatting import duration
from chargen.base.wording import count, progress_of
from chargen.providers.base import LOST, RemoteError, RemoteJob, jobs_read_again
from chargen.providers.protocol import Connection
from chargen.records.journal import Entry, Journal, now
from chargen.records.journal_lines import Cancelled
from chargen.records.last_look import LastLook
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps import account, waiting
from chargen.steps.downloads import Downloads
from chargen.steps.patience import Patience, log_trouble

STEPS_PRINTED = 20
"""How many times, at most, a run prints the progress of its jobs; each step's log has every check."""

Place = Callable[[BatchFiles], None]


class Watch:
    """Looks at all jobs of a library in flight, with pauses that grow up to ``poll.interval_s``."""

    def __init__(self, settings: Settings, state: State, remote: Connection, run: RunFiles | None = None):
        """*run* is the waiting run: the wait ends when the run is stopped or its main process is gone."""
        self._settings = settings
        self._state = state
        self._remote = remote
        self._run = run
        self.patience = Patience(settings, state, remote, run)
        self.downloads = Downloads(self.patience)

    @property
    def pause_s(self) -> float:
        """Seconds until the next look."""
        return self.patience.pause_s

    def tick(self, place: Place | None = None, first: bool = False) -> dict[str, RemoteJob]:
        """Pause, check once, download what has ended (and pass it to *place*); return the operations seen, by name."""
        if not first:
            self._sleep()
        seen = self._look()
        journal = Journal.recent(self._state)
        self._print_progress(journal, seen)
        for entry in self._flying(journal):
            operation = seen.get(entry.job)
            if operation is None or not operation.is_final:
                if operation:
                    self.patience.forget_stuck(entry.batch)
                self._cancel_overdue(journal, entry)
                continue
            with self._state.lock(f"batch-{entry.batch}", wait=False) as got:
                if got and self.downloads.download_and_record(entry.batch, operation) and place:
                    place(self._state.batch(entry.batch))
        return seen

    def _flying(self, journal: Journal) -> list[Entry]:
        """The batches whose jobs this key at this address can see."""
        return [
            entry for entry in journal.in_flight() if entry.job and account.knows(self._settings, entry, self._remote)
        ]

    def _sleep(self) -> None:
        waiting.pause(self.patience.pause_s, self._run)
        self.patience.grow()

    def _look(self) -> dict[str, RemoteJob]:
        """Return the operations of all jobs in flight: as somebody saw them last if that is fresh, else asked."""
        snapshot = self._state.last_look
        wanted = {entry.job for entry in self._flying(Journal.recent(self._state))}
        with self._state.lock("look"):
            last = LastLook.read(snapshot)
            known = jobs_read_again(last.operations)
            age = time.time() - last.time
            is_fresh = 0 <= age < min(self.pause_s, self._settings.poll.interval_s) * 0.9
            if not (is_fresh and wanted <= known.keys()):
                try:
                    known = {operation.name: operation for operation in self._ask(wanted)}
                except RemoteError as trouble:
                    if not trouble.passing:
                        raise
                    self.patience.pause_s = max(self.patience.pause_s, trouble.retry_after_s or 0)
                    words = f"{trouble}; trying again in {duration(self.patience.pause_s)}"
                    log_trouble(words, self.patience.pause_s)
                    shown = f"waiting: {words}, and for the server to answer"
                    self.patience.print_once(f"trouble {trouble.status}", shown)
                    return {}
                jobs = tuple(job.to_json() for job in known.values())
                look = LastLook(time=time.time(), pause_s=self.patience.pause_s, operations=jobs)
                durable.write_json(snapshot, look.to_json())
        return known

    def _print_progress(self, journal: Journal, seen: Mapping[str, RemoteJob]) -> None:
        """Print the progress of the run's jobs once for all its waiting steps, when it has changed enough."""
        entries = {entry.job: entry for entry in self._flying(journal) if entry.job in seen}
        unended = [seen[job] for job in entries if not seen[job].is_final]
        if not unended:
            return
        states = Counter(operation.state.lower() for operation in unended)
        done = sum(operation.done for operation in unended)
        total = sum(operation.requests or len(entries[operation.name].wishes) for operation in unended)
        kinds = next(iter(states)) if len(states) == 1 else ", ".join(f"{n} {state}" for state, n in states.items())
        line = f"waiting: {count(len(unended), 'job')} ({kinds}), {progress_of(done, total, 'task')}"
        news = f"{kinds}, {done * STEPS_PRINTED // max(1, total)} of {STEPS_PRINTED}"
        self.patience.print_once(news, f"{line}, next check in {duration(self.patience.pause_s)}")

    def _ask(self, wanted: set[str]) -> list[RemoteJob]:
        """One request for all: page the list until every wanted job was seen; request the rest by name."""
        found: dict[str, RemoteJob] = {}
        for operation in self._remote.jobs():
            if operation.name in wanted:
                found[operation.name] = operation
                if len(found) == len(wanted):
                    break
        for name in wanted - found.keys():
            try:
                found[name] = self._remote.job(name)
            except RemoteError as trouble:
                if trouble.passing:
                    raise
                if not trouble.gone:  # this concerns only this job: the list was answered
                    entry = Journal.recent(self._state).by_job(name)
                    self.patience.note_stuck(entry.batch if entry else "", str(trouble))
                    log_trouble(f"{trouble}; trying again later", self.patience.pause_s, job=name)
                    continue
                if not self.patience.is_lost(name):
                    log_trouble(f"{trouble}; searching for it again", self.patience.pause_s, job=name)
                    continue
                found[name] = RemoteJob(name, state=LOST, error=trouble.message)
        for name in found:
            if found[name].state != LOST:
                self.patience.forget_denials(name)
        return list(found.values())

    def _cancel_overdue(self, journal: Journal, entry: Entry) -> None:
        """Cancel a job that is older than ``poll.deadline_h``; its finished results still arrive."""
        if entry.cancelled or entry.age_s < self._settings.poll.deadline_h * 3600:
            return
        with self._state.lock(f"batch-{entry.batch}", wait=False) as got:
            if not got:
                return
            words = f"{entry.job} has not ended within {self._settings.poll.deadline_h:g} h: cancelling"
            events.log("overdue", words, level="warning", batch=entry.batch, job=entry.job)
            try:
                self._remote.cancel(entry.job)
            except RemoteError as trouble:
                log_trouble(f"{trouble}; trying again later", self.patience.pause_s, batch=entry.batch)
                return
            journal.append(Cancelled(now(), entry.batch, why="deadline"))
