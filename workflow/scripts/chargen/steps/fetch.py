"""Fetch: wait for remote jobs politely and download their results.

A waiting step asks one question per tick for all jobs of the library and downloads what has ended, so that one stuck
job never holds up a finished one. A failed question is not a failed job; only states known to be final end the wait.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson

from chargen.base import durable, events, failpoints
from chargen.base.errors import ChargenError
from chargen.base.formatting import duration
from chargen.base.wording import count, progress_of
from chargen.providers.accounting import Account, account_for
from chargen.providers.base import LOST, RemoteError, RemoteJob, jobs_read_again
from chargen.providers.protocol import Connection
from chargen.providers.registry import provider_of
from chargen.providers.uploads import pauses
from chargen.records.batch import BatchEnd
from chargen.records.journal import Entry, Journal, seconds_since
from chargen.records.last_look import LastLook
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps import account, waiting
from chargen.steps.set_aside import SetAside

FIRST_PAUSE_S = 1.0
GROWTH = 1.5
STEPS_PRINTED = 20
"""How many times, at most, a run prints the progress of its jobs; each step's log has every check."""
GIVE_UP_AFTER_S = 1800.0
"""How long a run retries results that are incomplete or missing; the next run continues."""

LOOKS_UNTIL_LOST = 4
"""How often in a row a job, or its result file, must be denied until it counts as gone, besides the time for which it
must be: a new one may be shown late, and what is lost is only made again by an order, for money."""
FILES_LIVE_S = 48 * 3600.0
"""How long after a job's end a result file listed by the server outweighs its denial."""

Place = Callable[[BatchFiles], None]


class ResultsNotHere(ChargenError):
    """The job has ended, but its results have not arrived for a long time; the next run tries again."""


class NeverSubmitted(ChargenError):
    """The batch has no job to wait for."""

    stopped = True


class Watch:
    """Looks at all jobs of a library in flight, with pauses that grow up to ``poll.interval_s``."""

    def __init__(
        self,
        settings: Settings,
        state: State,
        remote: Connection,
        run: RunFiles | None = None,
    ):
        """*run* is the waiting run: the wait ends when the run is stopped or its main process is gone."""
        self._settings = settings
        self._state = state
        self._remote = remote
        self._run = run
        self._pause_s = min(FIRST_PAUSE_S, settings.poll.interval_s)
        self._settle_s = settings.poll.settle_s
        self._denials: dict[str, list[float]] = {}
        self._stuck: dict[str, tuple[float, str]] = {}

    @property
    def pause_s(self) -> float:
        return self._pause_s

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
                    self._stuck.pop(entry.batch, None)
                self._mind_deadline(journal, entry)
                continue
            with self._state.lock(f"batch-{entry.batch}", wait=False) as got:
                if got and self.download_and_record(entry.batch, operation) and place:
                    place(self._state.batch(entry.batch))
        return seen

    def download_and_record(self, batch: str, operation: RemoteJob) -> bool:
        """Download what the ended job of *batch* left, once; return whether its end is on disk. Call under its lock."""
        files = self._state.batch(batch)
        if _is_here(self._state, files):
            return True
        journal = Journal.recent(self._state)
        left = self.download(batch, operation)
        if left is None:
            return False
        state, error = operation.state, operation.error
        if left:
            state, error = LOST, left
        if not files.responses.exists():
            durable.write(files.responses, b"")
        end = BatchEnd(
            state=state,
            error=error,
            error_code=operation.error_code,
            accepted=SetAside(files, self._settle_s).accepted,
            operation=operation.raw,
        )
        durable.write_json(files.ended, end.to_json())
        failpoints.reached("end-stored")
        journal.append("ended", batch, state=state, error=error)
        journal.append("fetched", batch, bytes=files.responses.stat().st_size)
        return True

    def download(self, batch: str, operation: RemoteJob) -> str | None:
        """Bring the results of the ended job to the batch's responses, once; nothing is written to the journal.

        A job that did not end well has none, but if it names some they were paid for and are downloaded too. Return
        ``""`` if all that there is to come is there, None if it is to be asked for later, and words if the results are
        gone. What came and does not account for the job is set aside until it does, or has settled.
        """
        files = self._state.batch(batch)
        there = files.responses.exists() and files.responses.stat().st_size  # an empty one may stand for what is gone
        if there and not _is_of_before(self._state, files):
            return ""
        if not operation.has_results:
            if operation.state != "SUCCEEDED":
                return ""
            self._is_stuck(batch, "its job succeeded, but the server lists no result file")
            return None
        aside = SetAside(files, self._settle_s)
        if aside.pause_s > 0:
            self._is_stuck(batch, f"the downloaded results of {operation.name} are incomplete:  {aside.fault}")
            return None
        part = durable.draft_of(files.responses)
        files.folder.mkdir(parents=True, exist_ok=True)
        try:
            fault = receive_results(self._remote, operation, part, self._run)
            opened = provider_of(self._settings).results(part)
            found = account_for(opened, sent_keys(files), operation.requests, fault)
            if found.fits:
                if aside.accepted:
                    aside.accept("")
                _install(part, files.responses)
                self._stuck.pop(batch, None)
                return ""
            return self._set_aside(files, operation, aside, part, found)
        except RemoteError as trouble:
            results = operation.responses_file or operation.name
            if trouble.gone and self._is_lost(results) and not self._is_still_named(operation):
                return f"the results of {operation.name} are gone: {trouble.message}"
            words = f"{trouble}; trying again later"
            if not trouble.passing:
                self._is_stuck(batch, str(trouble))
            _trouble(words, self._pause_s, batch=batch)
            self._print_once(f"{trouble.status} {trouble.message}", f"batch {batch}: {words}", topic=batch)
            return None
        finally:
            part.unlink(missing_ok=True)

    def why_stuck(self, batch: str, for_s: float = 0.0) -> str:
        """Why the results of *batch* have been missing or incomplete for at least *for_s* seconds; ``""`` otherwise."""
        since, words = self._stuck.get(batch, (0.0, ""))
        return words if words and time.monotonic() - since >= for_s else ""

    def is_paused(self, batch: str) -> bool:
        """Whether the results of *batch* were set aside recently, and are not requested again yet."""
        return SetAside(self._state.batch(batch), self._settle_s).pause_s > 0

    def _set_aside(
        self, files: BatchFiles, operation: RemoteJob, aside: SetAside, part: Path, found: Account
    ) -> str | None:
        """Keep a download that does not account for the job, or accept it if settled; return as `download` does."""
        sighting = aside.saw(part, found)
        came = f"{found.bytes:,} bytes"
        if sighting.times > 1:
            came = f"the same {came} were received {sighting.times} times within {duration(sighting.lasted_s)}"
        if aside.has_settled(sighting) and found.is_part:
            why = f"the server's results are incomplete: {found.fault}; {came}"
            aside.accept(why)
            _install(part, files.responses)
            self._stuck.pop(files.id, None)
            events.log("set-aside", why, level="warning", batch=files.id, bytes=found.bytes)
            return ""
        path = aside.keep(part, sighting, is_json=found.is_json)
        if aside.has_settled(sighting) and found.is_json:
            if operation.state != "SUCCEEDED":
                return ""
            return f"the server's results answer none of the requests: {found.fault}; {came}"
        pause = aside.pause_after(sighting.times)
        kept = f"They are kept as {path}" if path.exists() else "There is no space to keep them"
        words = (
            f"batch {files.id}: the downloaded results of {operation.name} are incomplete: {found.fault} ({came}). "
            f"{kept}, and will be downloaded again in {duration(pause)}. Until they are complete, the batch is not "
            "sent again and nothing is deleted on the server"
        )
        self._is_stuck(files.id, f"the results of {operation.name} are incomplete: {found.fault}")
        events.log("set-aside", words, level="warning", batch=files.id, bytes=found.bytes, delay_s=round(pause, 1))
        self._print_once(sighting.sha256, words, topic=files.id)
        return None

    def _flying(self, journal: Journal) -> list[Entry]:
        """The batches whose jobs this key at this address can see."""
        return [
            entry for entry in journal.in_flight() if entry.job and account.knows(self._settings, entry, self._remote)
        ]

    def _sleep(self) -> None:
        waiting.pause(self._pause_s, self._run)
        self._pause_s = min(self._pause_s * GROWTH, self._settings.poll.interval_s)

    def _look(self) -> dict[str, RemoteJob]:
        """Return the operations of all jobs in flight: as somebody saw them last if that is fresh, else asked."""
        snapshot = self._state.last_look
        wanted = {entry.job for entry in self._flying(Journal.recent(self._state))}
        with self._state.lock("look"):
            last = LastLook.read(snapshot)
            known = jobs_read_again(last.operations)
            age = time.time() - last.time
            if not (0 <= age < min(self._pause_s, self._settings.poll.interval_s) * 0.9 and wanted <= known.keys()):
                try:
                    known = {operation.name: operation for operation in self._ask(wanted)}
                except RemoteError as trouble:
                    if not trouble.passing:
                        raise
                    self._pause_s = max(self._pause_s, trouble.retry_after_s or 0)
                    words = f"{trouble}; trying again in {duration(self._pause_s)}"
                    _trouble(words, self._pause_s)
                    self._print_once(f"trouble {trouble.status}", f"waiting: {words}, and for the server to answer")
                    return {}
                jobs = tuple(job.to_json() for job in known.values())
                look = LastLook(time=time.time(), pause_s=self._pause_s, operations=jobs)
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
        self._print_once(news, f"{line}, next check in {duration(self._pause_s)}")

    def _print_once(self, news: str, words: str, topic: str = "") -> None:
        """Print *words* unless a waiting step of the run has printed the same *news* last, on this *topic*."""
        if self._run is None:
            return
        last = self._run.printed(topic)
        with self._state.lock("told"):
            if not (last.exists() and last.read_text() == news):
                last.write_text(news)
                events.print_message(words)

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
                    self._is_stuck(entry.batch if entry else "", str(trouble))
                    _trouble(f"{trouble}; trying again later", self._pause_s, job=name)
                    continue
                if not self._is_lost(name):
                    _trouble(f"{trouble}; searching for it again", self._pause_s, job=name)
                    continue
                found[name] = RemoteJob(name, state=LOST, error=trouble.message)
        for name in found:
            if found[name].state != LOST:
                self._denials.pop(name, None)
        return list(found.values())

    def _is_lost(self, name: str) -> bool:
        """Whether something was denied often enough, and for long enough, to count as gone."""
        times = self._denials.setdefault(name, [])
        times.append(time.monotonic())
        return len(times) >= LOOKS_UNTIL_LOST and times[-1] - times[0] >= self._settle_s

    def _is_still_named(self, operation: RemoteJob) -> bool:
        """Whether the server itself, asked again, contradicts that the result file is gone, or does not say."""
        try:
            now_said = self._remote.job(operation.name)
        except RemoteError as trouble:
            if not trouble.gone:
                return True
            try:
                return any(job.name == operation.name for job in self._remote.jobs())
            except RemoteError:
                return True
        return not now_said.has_results or _seconds_since(now_said.ended) < FILES_LIVE_S

    def _is_stuck(self, batch: str, why: str) -> None:
        """Note since when the results of *batch* are missing or incomplete."""
        since, _ = self._stuck.get(batch, (time.monotonic(), ""))
        self._stuck[batch] = (since, f"batch {batch}: {why}")

    def _mind_deadline(self, journal: Journal, entry: Entry) -> None:
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
                _trouble(f"{trouble}; trying again later", self._pause_s, batch=entry.batch)
                return
            journal.append("cancelled", entry.batch, why="deadline")


def fetch(
    settings: Settings, state: State, files: BatchFiles, remote: Connection, place: Place | None, run: RunFiles
) -> None:
    """Wait until the batch's job has ended and its responses are on disk.

    Raises StillWaiting if the run that waits is gone, NeverSubmitted if the batch has no job, OtherAccount if its job
    was sent with another key or to another address.
    """
    entry = Journal.recent(state, files.id).entry(files.id)
    if _is_here(state, files):
        return
    if not entry.job:
        raise NeverSubmitted(f"batch {files.id} was never submitted; run generate_all again")
    account.check(settings, entry, remote)
    watch = Watch(settings, state, remote, run)
    first = True
    seen: tuple[Any, ...] = ()
    while not _is_here(state, files):
        operation = watch.tick(place, first).get(entry.job)
        first = False
        if words := watch.why_stuck(files.id, GIVE_UP_AFTER_S):
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


def _is_here(state: State, files: BatchFiles) -> bool:
    """Whether the job's end and its results are on disk."""
    return files.responses.exists() and files.ended.exists() and not _is_of_before(state, files)


def _is_of_before(state: State, files: BatchFiles) -> bool:
    """Whether the files of the batch on disk are from the time when its job was lost."""
    entry = Journal.recent(state, files.id).entry(files.id)
    return entry.found_again and not entry.ended and entry.outcomes is None


def _trouble(words: str, delay_s: float, **facts: Any) -> None:
    """Log a failure that is retried in *delay_s* seconds."""
    events.log("trouble", words, level="warning", delay_s=round(delay_s, 1), **facts)


def progress(batch: str, operation: RemoteJob, entry: Entry, next_s: float) -> str:
    """Return one line on a job: state, how many tasks, how many are done if that is known, for how long, next look."""
    total = operation.requests or len(entry.wishes)
    return (
        f"{entry.operation} {batch}: {operation.state.lower()}, {progress_of(operation.done, total, 'task')}, "
        f"{duration(seconds_since(entry.submitted))} since submission, next check in {duration(next_s)}"
    )


def receive_results(remote: Connection, operation: RemoteJob, part: Path, run: RunFiles | None = None) -> str:
    """Write the results of *operation* to *part*; return what is wrong with the transfer, ``""`` if nothing is."""
    if not operation.responses_file:
        operation = remote.job(operation.name)  # a list, or what was noted of one, need not have the answers
    if operation.responses_file:
        return receive(remote, operation.responses_file, part, run)
    with durable.naming(part), part.open("wb") as file:
        for line in operation.answers:
            file.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    return ""


def receive(remote: Connection, name: str, part: Path, run: RunFiles | None = None) -> str:
    """Download the result file *name* to *part*, again if the connection breaks.

    Return what is wrong with the download, ``""`` if nothing is. Raises StillWaiting if *run* ends during a pause.
    """
    for pause in pauses(5):
        try:
            with durable.naming(part):
                return remote.download(name, part)
        except RemoteError as error:
            # The caller retries a denied file: it may appear a moment after its name.
            if pause is None or not error.passing:
                raise
            pause = max(pause, error.retry_after_s or 0)
            _trouble(f"{error}; starting again in {duration(pause)}", pause)
            waiting.pause(pause, run)
    raise AssertionError("unreachable: the last pause is None")


def _install(part: Path, responses: Path) -> None:
    """Put the download in its place, durably."""
    with part.open("rb+") as file:
        os.fsync(file.fileno())
    failpoints.reached("downloaded")
    part.replace(responses)
    durable.sync_folder(responses.parent)
    failpoints.reached("stored")


def sent_keys(files: BatchFiles) -> frozenset[str] | None:
    """Return the keys of the requests that were sent; None where nothing here says which those were."""
    keys = {line["key"] for line in durable.read_lines(files.requests) if isinstance(line.get("key"), str)}
    if not keys and files.plan.exists():
        keys = {task.key for task in files.read_plan().tasks} - files.read_left_out().keys()
    return frozenset(keys) if keys else None


def _seconds_since(moment: str) -> float:
    """Seconds since *moment* as the server writes it; 0 if it is not a time."""
    try:
        return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
