"""Downloading the results of jobs that have ended, and accepting them once they account for what was sent."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import orjson

from chargen.base import durable, events, failpoints
from chargen.base.formatting import duration
from chargen.providers.accounting import Account, account_for
from chargen.providers.base import LOST, RemoteError, RemoteJob
from chargen.providers.protocol import Connection
from chargen.providers.registry import provider_of
from chargen.providers.uploads import pauses
from chargen.records.batch import BatchEnd
from chargen.records.journal import Journal, now
from chargen.records.journal_lines import Ended, Fetched
from chargen.records.ledgers import RequestLine, read_ledger
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps import waiting
from chargen.steps.patience import Patience, log_trouble
from chargen.steps.set_aside import SetAside


class Downloads:
    """Downloads the results of jobs of one library, and stores them with how each job ended."""

    def __init__(self, patience: Patience):
        self._settings = patience.settings
        self._state = patience.state
        self._remote = patience.remote
        self._settle_s = patience.settings.poll.settle_s
        self.patience = patience

    def download_and_record(self, batch: str, operation: RemoteJob) -> bool:
        """Download what the ended job of *batch* left, once; return whether its end is on disk. Call under its lock."""
        files = self._state.batch(batch)
        if is_here(self._state, files):
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
        journal.append(Ended(now(), batch, state=state, error=error))
        journal.append(Fetched(now(), batch, bytes=files.responses.stat().st_size))
        return True

    def download(self, batch: str, operation: RemoteJob) -> str | None:
        """Bring the results of the ended job to the batch's responses, once; nothing is written to the journal.

        A job that did not end well has none, but if it names some they were paid for and are downloaded too. Return
        ``""`` if all that there is to come is there, None if it is to be asked for later, and words if the results are
        gone. What came and does not account for the job is set aside until it does, or has settled.
        """
        files = self._state.batch(batch)
        there = files.responses.exists() and files.responses.stat().st_size  # an empty one may stand for what is gone
        if there and not is_of_before(self._state, files):
            return ""
        if not operation.has_results:
            if operation.state != "SUCCEEDED":
                return ""
            self.patience.note_stuck(batch, "its job succeeded, but the server lists no result file")
            return None
        aside = SetAside(files, self._settle_s)
        if aside.pause_s > 0:
            why = f"the downloaded results of {operation.name} are incomplete: {aside.fault}"
            self.patience.note_stuck(batch, why)
            return None
        part = durable.draft_of(files.responses)
        files.folder.mkdir(parents=True, exist_ok=True)
        try:
            fault = receive_results(self._remote, operation, part, self.patience.run)
            opened = provider_of(self._settings).results(part)
            found = account_for(opened, sent_keys(files), operation.requests, fault)
            if found.fits:
                if aside.accepted:
                    aside.accept("")
                _install(part, files.responses)
                self.patience.forget_stuck(batch)
                return ""
            return self._set_aside(files, operation, aside, part, found)
        except RemoteError as trouble:
            results = operation.responses_file or operation.name
            if trouble.gone and self.patience.is_lost(results) and not self._is_still_named(operation):
                return f"the results of {operation.name} are gone: {trouble.message}"
            words = f"{trouble}; trying again later"
            if not trouble.passing:
                self.patience.note_stuck(batch, str(trouble))
            log_trouble(words, self.patience.pause_s, batch=batch)
            self.patience.print_once(f"{trouble.status} {trouble.message}", f"batch {batch}: {words}", topic=batch)
            return None
        finally:
            part.unlink(missing_ok=True)

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
            self.patience.forget_stuck(files.id)
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
        self.patience.note_stuck(files.id, f"the results of {operation.name} are incomplete: {found.fault}")
        events.log("set-aside", words, level="warning", batch=files.id, bytes=found.bytes, delay_s=round(pause, 1))
        self.patience.print_once(sighting.sha256, words, topic=files.id)
        return None

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
        return not now_said.has_results or _seconds_since(now_said.ended) < self._settings.capabilities.files_live_s


def is_here(state: State, files: BatchFiles) -> bool:
    """Whether the job's end and its results are on disk."""
    return files.responses.exists() and files.ended.exists() and not is_of_before(state, files)


def is_of_before(state: State, files: BatchFiles) -> bool:
    """Whether the files of the batch on disk are from the time when its job was lost."""
    entry = Journal.recent(state, files.id).entry(files.id)
    return entry.found_again and not entry.ended and entry.outcomes is None


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
            log_trouble(f"{error}; starting again in {duration(pause)}", pause)
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
    keys = {line.key for line in read_ledger(files.requests, RequestLine)}
    if not keys and files.plan.exists():
        keys = {task.key for task in files.read_plan().tasks} - files.read_left_out().keys()
    return frozenset(keys) if keys else None


def _seconds_since(moment: str) -> float:
    """Seconds since *moment* as the server writes it; 0 if it is not a time."""
    try:
        return (dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(moment)).total_seconds()
    except (ValueError, TypeError):
        return 0.0
