"""Searching the server's list for the job that a batch has already, so that nothing is sent twice."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from chargen.base import events
from chargen.base.errors import ChargenError
from chargen.base.formatting import duration
from chargen.pictures import formats as pictures
from chargen.providers.base import RemoteError, RemoteJob
from chargen.providers.protocol import Connection
from chargen.providers.uploads import Uploads, asking
from chargen.records.batch import BatchPlan
from chargen.records.commands import command
from chargen.records.identity import batch_named
from chargen.records.journal import SETTLED_AFTER_S, Entry, Journal, age_s, clock, now
from chargen.records.journal_lines import Absent, Created, Intent
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps import waiting
from chargen.steps.checks import check_claims
from chargen.steps.lost import has_come_back


class ForeignJob(ChargenError):
    """The server has a job of this library that no journal here knows; it was paid for and must be collected first."""


class LostJobIsBack(ChargenError):
    """A lost job is on the server again, with pictures that are about to be sent again."""


@dataclass(slots=True)
class _Listed:
    """The jobs of the server's list that matter to one batch.

    ``own`` are jobs of the batch, ``unknown`` others of this library that no journal here knows, ``back`` lost jobs
    that were asked for the same; ``mute`` has the names of jobs that do not show whose they are.
    """

    own: list[RemoteJob] = field(default_factory=list)
    unknown: list[RemoteJob] = field(default_factory=list)
    back: list[RemoteJob] = field(default_factory=list)
    mute: list[str] = field(default_factory=list)


class Search:
    """Looks for the job that one batch has on the server already. Use it under the submit lock."""

    def __init__(self, settings: Settings, state: State, files: BatchFiles, remote: Connection):
        self.settings = settings
        self.state = state
        self.files = files
        self.plan = files.read_plan()
        # A plan that is older than what the index leaves out is checked against the whole journal.
        is_old = time.time() - files.plan.stat().st_mtime > SETTLED_AFTER_S / 2
        self.journal = Journal(state) if is_old else Journal.recent(state, files.id)
        self._remote = remote
        self._request_files: set[str] | None = None

    @property
    def entry(self) -> Entry:
        return self.journal.entry(self.files.id)

    def adopt(self) -> str:
        """Return the batch's job if the server lists it, known to the journal from then on; ``""`` if it does not.

        Raises ForeignJob if it lists none, but others of this library that no journal here knows.
        """
        job = self._look()
        if job is None:
            return ""
        batch = self.files.id
        if self.entry.open_intent is not None:
            words = f"adopted {job.name}: it is batch {batch}, whose submission got no answer; nothing is sent again"
            record_created(self.journal, batch, job.name, adopted=True)
        else:
            words = f"adopted {job.name}: it is batch {batch}, sent earlier; nothing is sent again"
            take_over(self.journal, self.plan, job, self._remote)
        events.log("found", words, on_terminal=True, job=job.name)
        return job.name

    def intend(self, request_file: str) -> None:
        """Record durably that the job is about to be created."""
        record_intent(self.journal, self.plan, self._remote, request_file)

    def _look(self) -> RemoteJob | None:
        """Read the server's list to its end: return the batch's job; stop at unknown jobs of this library."""
        lost = {
            entry.job: entry.batch
            for entry in self.journal.entries.values()
            if entry.is_lost or (entry.found_again and entry.in_flight)
        }
        jobs, whole = asking(self._remote.list_jobs)
        listed = self._sorted(jobs, lost)
        if listed.own:
            return _preferred(self.settings, listed.own)
        if listed.mute or not whole:
            which = f" ({listed.mute[0]} has neither a name nor a request file)" if listed.mute else ""
            raise RemoteError("listing jobs", 0, f"the list of jobs has an unreadable entry{which}; run again later")
        unknown = listed.unknown
        if unknown:
            all_known = {entry.job for entry in Journal(self.state).entries.values()}
            unknown = [job for job in unknown if job.name not in all_known]
        back = [job for job in listed.back if self._has_something(lost[job.name], job)]
        if back:
            raise LostJobIsBack(
                f"batch {self.files.id} was not sent: {back[0].name}, which was lost, is on the server again "
                "with pictures of this batch. Collect it first, then run again:\n    "
                + command(self.settings, "collect", f"job={back[0].name}")
            )
        self._check_foreign(self._without_planned(unknown))
        return None

    def _sorted(self, jobs: Iterable[RemoteJob], lost: Mapping[str, str]) -> _Listed:
        """Return what the listed *jobs* are to this batch; *lost* has the batches of lost jobs by their names."""
        known = {entry.job for entry in self.journal.entries.values()}
        listed = _Listed()
        for job in [job if job.name in known or _says_whose(job) else self._looked_at(job) for job in jobs]:
            if self._is_own(job):
                listed.own.append(job)
            elif job.name not in known and self._is_of_this_library(job) and _is_worth_having(job):
                listed.unknown.append(job)
            elif job.name in lost and _is_worth_having(job) and self._asks_for_the_same(lost[job.name]):
                listed.back.append(job)
            if job.name not in known and not _says_whose(job):
                listed.mute.append(job.name)
        return listed

    def _check_foreign(self, jobs: Collection[RemoteJob]) -> None:
        """Raise ForeignJob, with the commands that collect them, if there are any *jobs*."""
        if not jobs:
            return
        lines = "\n".join(
            f"  {job.name} ({job.state.lower()}, {job.requests} requests, created {job.created[:19]}): "
            + command(self.settings, "collect", f"job={job.name}")
            for job in jobs
        )
        raise ForeignJob(
            "the server has jobs of this library that were sent from another machine, or before state/ was lost. "
            f"Nothing was sent, so nothing is paid twice. Collect them first:\n{lines}"
        )

    def _looked_at(self, job: RemoteJob) -> RemoteJob:
        """Return *job* as the server shows it alone; as it was listed if it shows nothing."""
        try:
            return asking(lambda: self._remote.job(job.name))
        except RemoteError:
            return job

    def _has_something(self, batch: str, job: RemoteJob) -> bool:
        """Whether there is something to collect of a lost job. One that is only listed, and whose
        results are gone or answer nothing, does not keep an order from being sent."""
        if not self.journal.entry(batch).is_lost:  # it is in flight again
            return True
        return has_come_back(self.settings, self.state.batch(batch), self._remote, job)

    def _asks_for_the_same(self, batch: str) -> bool:
        """Whether a batch was asked for pictures that this one asks for, in an order, say."""
        plan = self.state.batch(batch).known_plan()
        theirs = {(task.target, task.wish.variation) for task in plan.tasks} if plan else set()
        return any((task.target, task.wish.variation) in theirs for task in self.plan.tasks)

    def _is_own(self, job: RemoteJob) -> bool:
        """Whether *job* is this batch: by its name, also under another name of the library, whose jobs end in the same
        id if they hold the same requests; without a name that chargen gives, by its request file.

        Another attempt of the same tasks has the same requests, and so the same file: a job that another batch has is
        not this one.
        """
        if job.display_name and job.display_name in (self.plan.display_name, self.entry.display_name):
            return True
        if named := batch_named(job.display_name):
            return named == self.files.id and _is_worth_having(job)
        if any(entry.job == job.name and entry.batch != self.files.id for entry in self.journal.entries.values()):
            return False
        return bool(job.request_file) and job.request_file in self._uploaded_as()

    def _is_of_this_library(self, job: RemoteJob) -> bool:
        prefix = f"chargen-{self.settings.library_id}"
        if job.display_name.rpartition("-")[0] != prefix or not batch_named(job.display_name):
            return False
        entry = self.journal.entries.get(batch_named(job.display_name))
        return entry is None or entry.open_intent is None  # a batch with an open intent searches for its job itself

    def _uploaded_as(self) -> set[str]:
        """The names under which the batch's request file was ever uploaded."""
        if self._request_files is None:
            self._request_files = set(self.entry.request_files)
            if self.files.requests.exists():
                sha256 = pictures.sha256_file(self.files.requests)
                self._request_files |= Uploads(self.state, self._remote).names_of(sha256)
        return self._request_files

    def _without_planned(self, jobs: Iterable[RemoteJob]) -> list[RemoteJob]:
        """Take over those of *jobs* whose batch is planned here too, and return the others.

        Another checkout has sent them. A job whose batch another process is working on is left to that process.
        """
        foreign = []
        for job in jobs:
            files = self.state.batch(batch_named(job.display_name))
            if not files.plan.exists():
                foreign.append(job)
                continue
            plan = files.read_plan()
            with self.state.lock(f"batch-{files.id}", wait=False) as got:
                if got:
                    take_over(self.journal, plan, job, self._remote)
                    words = f"adopted {job.name}: it is batch {files.id}, which another checkout sent"
                    events.log("found", words, on_terminal=True, job=job.name)
                elif {task.wish_id for task in plan.tasks} & {task.wish_id for task in self.plan.tasks}:
                    raise ChargenError(
                        f"batch {self.files.id} was not sent: some of its tasks are in {job.name}, which another "
                        "checkout sent; run again to plan without them"
                    )
        check_claims(self.journal, self.plan)
        return foreign


def _says_whose(job: RemoteJob) -> bool:
    """Whether a listed job can be identified: by its display name, or its request file."""
    return bool(job.display_name or job.request_file)


def _is_worth_having(job: RemoteJob) -> bool:
    """Whether *job* has results, or may still have some."""
    return job.state == "SUCCEEDED" or not job.is_final


def _preferred(settings: Settings, jobs: Collection[RemoteJob]) -> RemoteJob:
    """Return the job to take of those that are all the same batch: a succeeded one, else one that may succeed, and of
    equals the oldest, which any other checkout takes too. Warns of the others."""

    def order(job: RemoteJob) -> tuple[bool, bool, str, str]:
        return job.state != "SUCCEEDED", job.is_final, job.created, job.name

    best, *others = sorted(jobs, key=order)
    for job in others:
        what = "cancel" if not job.is_final else "delete"
        words = (
            f"{job.name} ({job.state.lower()}) is a duplicate: it has the same batch as {best.name}, which is used. "
            "If it is not needed elsewhere:\n    " + command(settings, "cleanup", f"{what}={job.name}")
        )
        events.log("problem", words, level="warning", on_terminal=True, job=job.name)
    return best


def reconcile(search: Search, run: RunFiles | None) -> str:
    """Find out whether the batch's open intent made a job; return its name, or ``""`` once there is none."""
    settings, entry = search.settings, search.entry
    if entry.open_intent is None:  # another process found out meanwhile
        return entry.job
    wait_s = settings.submit.timeout_s + settings.submit.grace_s - age_s(entry.open_intent)
    end = time.monotonic() + max(0.0, wait_s)
    if wait_s > 0:
        words = f"an earlier submission of this batch got no answer: searching for its job for {duration(wait_s)}"
        events.log("waiting", words, level="warning", delay_s=round(wait_s, 1))
    while True:
        if job := search.adopt():
            return job
        left = end - time.monotonic()
        if left <= 0:
            search.journal.append(Absent(now(), entry.batch))
            return ""
        waiting.pause(min(2.0, max(0.2, left)), run)


def record_intent(journal: Journal, plan: BatchPlan, remote: Connection, request_file: str = "") -> None:
    journal.append(
        Intent(
            now(),
            plan.batch,
            operation=plan.operation,
            model=plan.model,
            display_name=plan.display_name,
            base_url=remote.base_url,
            key=remote.fingerprint,
            request_file=request_file,
            wishes={task.wish_id: task.attempt for task in plan.tasks},
            cost_usd=plan.cost_usd,
            tokens=plan.tokens,
            clock=clock(),
            pid=os.getpid(),
        )
    )


def record_created(journal: Journal, batch: str, job: str, *, adopted: bool) -> str:
    journal.append(Created(now(), batch, job=job, adopted=adopted))
    return job


def take_over(journal: Journal, plan: BatchPlan, job: RemoteJob, remote: Connection) -> None:
    """Record durably that *job* is the batch of *plan*, and whether it was asked for elsewhere.

    A create that was refused here and took effect all the same made its job of a request file that was uploaded here.
    """
    ours = bool(job.request_file) and job.request_file in journal.entry(plan.batch).request_files
    record_intent(journal, plan, remote, job.request_file)
    journal.append(Created(now(), plan.batch, job=job.name, adopted=True, sent_elsewhere=not ours))
