"""Submit: the only step that spends money, and it spends it at most once.

The order of things: batch lock, submit lock, look for an earlier job, budget, staging, look, intent on disk, create,
name on disk. The server's list is read right before every create, whatever was waited for until then: an answer that
said no may have made a job all the same, and so may another checkout of the library.
After any answer that leaves open whether a job was made, the list is asked until the answer is certain; the create is
never repeated in the same run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable

from chargen.base import durable, events, failpoints
from chargen.base.errors import ChargenError
from chargen.base.formatting import duration
from chargen.base.wording import count, dollars
from chargen.operations import operation
from chargen.pictures import formats as pictures
from chargen.planning.budget import NEARLY, budgets
from chargen.planning.elsewhere import in_flight_elsewhere
from chargen.planning.orders import read_orders
from chargen.providers.base import RemoteError, RemoteJob
from chargen.providers.protocol import Connection
from chargen.providers.registry import provider_of
from chargen.providers.uploads import InvalidUpload, Uploads, asking, pauses
from chargen.records.batch import NOT_SENT, BatchEnd, BatchPlan
from chargen.records.commands import command
from chargen.records.identity import batch_named
from chargen.records.journal import SETTLED_AFTER_S, Entry, Journal, age_s, clock
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps import account, waiting
from chargen.steps.room import why_full
from chargen.steps.stage import is_staged, needed_life_s, open_uploads, stage

UNSENT_ATTEMPTS = 6
"""How often a create is tried while no connection can be made: what was never sent cannot be paid twice."""


class AmbiguousSubmission(ChargenError):
    """It is not known yet whether a job was created; nothing was sent again."""


class ForeignJob(ChargenError):
    """The server has a job of this library that no journal here knows; it was paid for and must be collected first."""


class LostJobIsBack(ChargenError):
    """A lost job is on the server again, with pictures that are about to be sent again."""


class OverBudget(ChargenError):
    """Sending the batch would spend more than the budget of the last 24 hours allows."""


class Refused(ChargenError):
    """The create was refused, so no job was made; ``error`` is the server's answer."""

    def __init__(self, error: RemoteError, plan: BatchPlan):
        super().__init__(_refusal(error, plan))
        self.error = error


def submit(settings: Settings, state: State, files: BatchFiles, remote: Connection, run: RunFiles | None) -> str:
    """Return the name of the batch's one remote job, creating it if there is none. Call it under the batch's lock.

    Raises ChargenError if it must not or cannot be created now; nothing was sent then, or it is said that
    it cannot be known.
    """
    entry = Journal.recent(state, files.id).entry(files.id)
    if entry.job or entry.open_intent is not None:
        account.check(settings, entry, remote)
    if entry.job:
        return entry.job
    if entry.open_intent is not None:  # it is searched for even if the account is full or the budget is spent
        with state.lock("submit"):
            waiting.check(run)
            job = _reconcile(_Search(settings, state, files, remote), run)
        if job:
            return job
    while True:
        _wait_for_room(settings, state, files, remote, run)
        with state.lock("submit"):
            waiting.check(run)  # the run may have ended while others held the lock
            if not why_full(settings, state, files.read_plan(), remote):  # the place is still free
                return _submit_now(settings, state, files, remote, run)


def _submit_now(settings: Settings, state: State, files: BatchFiles, remote: Connection, run: RunFiles | None) -> str:
    """Find or create the job. Call it under the submit lock, with room for one more job."""
    search = _Search(settings, state, files, remote)
    try:
        check_claims(search.journal, search.plan)
        check_orders(state, search.plan)
        check_elsewhere(settings, state, search.plan)
        check_budget(search.journal, settings, search.plan)
    except ChargenError:
        if job := search.adopt():  # a paid job is searched for first, even if the batch must not be sent
            return job
        raise
    staged = is_staged(settings, state, files, remote)
    if not staged and (job := search.adopt()):  # before anything is uploaded
        return job
    try:
        return _send(search, remote, run, staged)
    except Refused as refusal:
        if not refusal.error.gone or not open_uploads(settings, state, remote).forget_gone():
            raise
        words = f"{refusal.error}: some uploads are missing on the server, uploading them again"
        events.log("trouble", words, level="warning", delay_s=0)
    return _send(search, remote, run, is_staged(settings, state, files, remote))


def _send(search: _Search, remote: Connection, run: RunFiles | None, staged: bool) -> str:
    """Upload what is not there, or not for long enough, and create the job."""
    settings, state, files = search.settings, search.state, search.files
    if not staged:
        stage(settings, state, files, remote, run)
    if not files.requests.stat().st_size:
        return _nothing_to_send(files)
    request_file = _upload_requests(settings, state, files, remote, run)
    return _create(search, request_file, remote, run)


def _nothing_to_send(files: BatchFiles) -> str:
    """The API refused a reference of every task: there is no job, and apply says so of each."""
    durable.write(files.responses, b"")
    durable.write_json(files.ended, BatchEnd(state=NOT_SENT).to_json())
    events.log("not-sent", "the API refused a reference of every task, so nothing is sent", level="warning")
    return ""


def check_budget(journal: Journal, settings: Settings, plan: BatchPlan) -> None:
    """Raise OverBudget, with the numbers, if *plan* would break the budget of a day or of a month.

    Print a warning when it takes one of them beyond `NEARLY` of it.
    """
    for budget in budgets(settings):
        spent = journal.spent_usd(budget.hours)
        total = spent + plan.cost_usd
        if total > budget.usd + 1e-9:
            raise OverBudget(
                f"budget: ${spent:.2f} was submitted in the last {budget.period} and batch {plan.batch} "
                f"({len(plan.tasks)} tasks) would add ${plan.cost_usd:.2f}, over {budget.name}="
                f"{budget.usd:.2f}; nothing was sent. Raise it with --config {budget.name}=…, or wait"
            )
        if spent <= budget.usd * NEARLY < total:
            words = f"budget: with batch {plan.batch}, {budget.used(total)}"
            events.log("budget", words, level="warning", on_terminal=True, batch=plan.batch, cost_usd=round(total, 6))


def check_claims(journal: Journal, plan: BatchPlan) -> None:
    """Raise ChargenError if tasks of *plan* were sent in another batch of this library."""
    claimed = journal.claimed()
    others = {
        claimed[task.wish_id, task.attempt]
        for task in plan.tasks
        if claimed.get((task.wish_id, task.attempt), plan.batch) != plan.batch
    }
    if others:
        raise ChargenError(
            f"batch {plan.batch} was not sent: another run has already sent some of its tasks in "
            f"{', '.join(sorted(others))}; run again to plan without them"
        )


def check_orders(state: State, plan: BatchPlan) -> None:
    """Raise ChargenError if an order that *plan* fulfils counts no more: what it asked for has come meanwhile."""
    orders = read_orders(state)
    wishes = [task.wish for task in plan.tasks]
    if any(orders.get((wish.target, wish.variation), 0) < wish.order for wish in wishes):
        raise ChargenError(
            f"batch {plan.batch} was not sent: some of its pictures, which were lost, have arrived meanwhile; "
            "run again to plan without them"
        )


def check_elsewhere(settings: Settings, state: State, plan: BatchPlan) -> None:
    """Raise ChargenError if tasks of *plan* are in flight under another name of the library."""
    found = in_flight_elsewhere(state, {task.wish_id for task in plan.tasks}, Journal.recent)
    if found:
        target = f"{plan.operation}_all"
        raise ChargenError(f"batch {plan.batch}: {found.words(settings, target)}")


def check_not_made(settings: Settings, state: State, plan: BatchPlan) -> None:
    """Raise ChargenError if results of *plan* are already in place: another checkout has collected them and deleted its
    job since they were planned, so that the server's list says nothing of it."""
    made = operation(plan.operation).made_already(settings, state, plan.tasks)
    if made:
        first = next(task.target for task in plan.tasks if task.wish_id == made[0])
        raise ChargenError(
            f"batch {plan.batch} was not sent: {len(made)} of its {count(len(plan.tasks), 'task')} "
            f"{'is' if len(made) == 1 else 'are'} done since they were planned, {first} for one: another checkout made "
            "them; run again to plan without them"
        )


class _Search:
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
            _created(self.journal, batch, job.name, adopted=True)
        else:
            words = f"adopted {job.name}: it is batch {batch}, sent earlier; nothing is sent again"
            take_over(self.journal, self.plan, job, self._remote)
        events.log("found", words, on_terminal=True, job=job.name)
        return job.name

    def intend(self, request_file: str) -> None:
        """Record durably that the job is about to be created."""
        _intent(self.journal, self.plan, self._remote, request_file)

    def _look(self) -> RemoteJob | None:
        """Read the server's list to its end: return the batch's job; stop at unknown jobs of this library."""
        known = {entry.job for entry in self.journal.entries.values()}
        lost = {
            entry.job: entry.batch
            for entry in self.journal.entries.values()
            if entry.is_lost or (entry.found_again and entry.in_flight)
        }
        own: list[RemoteJob] = []
        unknown: list[RemoteJob] = []
        back: list[RemoteJob] = []
        listed, whole = asking(self._remote.list_jobs)
        jobs = [job if job.name in known or _says_whose(job) else self._looked_at(job) for job in listed]
        for job in jobs:
            if self._is_own(job):
                own.append(job)
            elif job.name not in known and self._is_of_this_library(job) and _is_worth_having(job):
                unknown.append(job)
            elif job.name in lost and _is_worth_having(job) and self._asks_for_the_same(lost[job.name]):
                back.append(job)
        if own:
            return _preferred(self.settings, own)
        mute = [job.name for job in jobs if job.name not in known and not _says_whose(job)]
        if mute or not whole:
            which = f" ({mute[0]} has neither a name nor a request file)" if mute else ""
            raise RemoteError("listing jobs", 0, f"the list of jobs has an unreadable entry{which}; run again later")
        if unknown:
            all_known = {entry.job for entry in Journal(self.state).entries.values()}
            unknown = [job for job in unknown if job.name not in all_known]
        back = [job for job in back if self._has_something(lost[job.name], job)]
        if back:
            raise LostJobIsBack(
                f"batch {self.files.id} was not sent: {back[0].name}, which was lost, is on the server again "
                "with pictures of this batch. Collect it first, then run again:\n    "
                + command(self.settings, "collect", f"job={back[0].name}")
            )
        foreign = self._without_planned(unknown)
        if foreign:
            lines = "\n".join(
                f"  {job.name} ({job.state.lower()}, {job.requests} requests, created {job.created[:19]}): "
                + command(self.settings, "collect", f"job={job.name}")
                for job in foreign
            )
            raise ForeignJob(
                "the server has jobs of this library that were sent from another machine, or before state/ was lost. "
                f"Nothing was sent, so nothing is paid twice. Collect them first:\n{lines}"
            )
        return None

    def _looked_at(self, job: RemoteJob) -> RemoteJob:
        """Return *job* as the server shows it alone; as it was listed if it shows nothing."""
        try:
            return asking(lambda: self._remote.job(job.name))
        except RemoteError:
            return job

    def _has_something(self, batch: str, job: RemoteJob) -> bool:
        """Whether there is something to collect of a lost job. One that is only listed, and whose
        results are gone or answer nothing, does not keep an order from being sent."""
        from chargen.steps.lost import has_come_back

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


def _reconcile(search: _Search, run: RunFiles | None) -> str:
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
            search.journal.append("absent", entry.batch)
            return ""
        waiting.pause(min(2.0, max(0.2, left)), run)


def _intent(journal: Journal, plan: BatchPlan, remote: Connection, request_file: str = "") -> None:
    journal.append(
        "intent",
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


def _created(journal: Journal, batch: str, job: str, *, adopted: bool) -> str:
    journal.append("created", batch, job=job, adopted=adopted)
    return job


def take_over(journal: Journal, plan: BatchPlan, job: RemoteJob, remote: Connection) -> None:
    """Record durably that *job* is the batch of *plan*, and whether it was asked for elsewhere.

    A create that was refused here and took effect all the same made its job of a request file that was uploaded here.
    """
    ours = bool(job.request_file) and job.request_file in journal.entry(plan.batch).request_files
    _intent(journal, plan, remote, job.request_file)
    journal.append("created", plan.batch, job=job.name, adopted=True, sent_elsewhere=not ours)


def _create(search: _Search, request_file: str, remote: Connection, run: RunFiles | None) -> str:
    settings, journal, plan, batch = search.settings, search.journal, search.plan, search.files.id
    end = time.monotonic() + settings.poll.deadline_h * 3600
    unsent = pauses(UNSENT_ATTEMPTS)
    while True:
        if found := search.adopt():
            return found
        if search.entry.throttled:  # it may have taken effect all the same, and one look at the list may be wrong
            waiting.pause(settings.submit.grace_s, run)
            if found := search.adopt():
                return found
        check_not_made(settings, search.state, plan)
        search.intend(request_file)
        try:
            job = remote.create(plan.model, request_file, plan.display_name)
        except RemoteError as error:
            if error.unclear:
                return _after_unclear_answer(search, error, run)
            journal.append(
                "refused",
                batch,
                status=error.status,
                message=error.message,
                throttled=error.throttled or error.out_of_credits,
                no_model=error.denies_model(plan.model),
            )
            if error.unsent and (pause := next(unsent)) is not None:
                words = f"{error}: nothing was sent; trying again in {duration(pause)}"
                events.log("waiting", words, level="warning", delay_s=round(pause, 1))
                waiting.pause(pause, run)
                continue
            if not error.throttled or time.monotonic() > end:
                raise Refused(error, plan) from None
            # It may have taken effect all the same, and the list may lag as it may after an unclear answer.
            pause = max(error.retry_after_s or settings.poll.interval_s, settings.submit.grace_s)
            words = f"the server requests a pause of {duration(pause)} before this job: {error.message[:200]}"
            events.log("waiting", words, level="warning", delay_s=pause)
            waiting.pause(pause, run)
        else:
            failpoints.reached("created")
            _created(journal, batch, job, adopted=False)
            size, price = count(len(plan.tasks), "task"), dollars(plan.cost_usd)
            events.print_message(f"{plan.operation} {batch}: submitted, {size}, about {price}")
            return job


def _after_unclear_answer(search: _Search, error: RemoteError, run: RunFiles | None) -> str:
    batch, settings = search.files.id, search.settings
    events.log("unclear", f"{error}: it is unknown whether the job was created; searching for it", level="warning")
    try:
        job = _reconcile(search, run)
    except RemoteError as trouble:
        raise AmbiguousSubmission(
            f"batch {batch}: {error}, and the list of jobs cannot be read ({trouble.message}). Nothing was sent again; "
            "run again when the server answers"
        ) from None
    if job:
        return job
    raise AmbiguousSubmission(
        f"batch {batch}: {error}. No job of its name appeared within "
        f"{duration(settings.submit.timeout_s + settings.submit.grace_s)}, so none was made. Run again to send it"
    )


def _refusal(error: RemoteError, plan: BatchPlan) -> str:
    if error.out_of_credits:
        return f"prepaid credits used up, nothing was sent: {error.message}"
    if error.unsent:
        return f"cannot reach the server, nothing was sent: {error}. Check the connection and run again"
    batch = f"{plan.batch} ({plan.model}, {len(plan.tasks)} tasks)"
    words = f"the server refused batch {batch}, nothing was sent: {error}"
    if error.denies_model(plan.model):
        setting = f"models.{plan.operation}"
        words = f"{words.rstrip('.')}. The next run uses {setting}.fallback, if there is one; else set {setting}.model"
    return words


def _upload_requests(
    settings: Settings, state: State, files: BatchFiles, remote: Connection, run: RunFiles | None
) -> str:
    """Upload the request file and return its name; some servers know JSON lines only by another type."""
    uploads = open_uploads(settings, state, remote, run)
    sha256 = pictures.sha256_file(files.requests)
    refusal: InvalidUpload | None = None
    for mime in provider_of(settings).request_types:
        try:
            life = needed_life_s(settings)
            upload = uploads.ensure(files.requests, sha256, mime, must_live_s=life, attempts=settings.upload.attempts)
        except InvalidUpload as error:
            refusal = refusal or error
        else:
            return upload.name
    assert refusal is not None
    raise refusal


def _wait_for_room(
    settings: Settings, state: State, files: BatchFiles, remote: Connection, run: RunFiles | None
) -> None:
    """Wait until the account has room for the batch; download what ends meanwhile."""
    from chargen.steps.fetch import Watch

    plan = files.read_plan()
    watch: Watch | None = None
    while why := why_full(settings, state, plan, remote):
        if watch is None:
            words = f"{plan.operation} {files.id} is waiting to be submitted: {why}"
            events.log("waiting", words, on_terminal=True, delay_s=settings.poll.interval_s)
            watch = Watch(settings, state, remote, run)
        watch.tick()
