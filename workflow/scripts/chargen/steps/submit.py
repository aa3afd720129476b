"""Submit: the only step that spends money, and it spends it at most once.

The order of things: batch lock, library lock, budget, look for an earlier job, intent on disk, create, name on disk.
After any answer that leaves open whether a job was made, the server's list is asked until the answer is certain;
the create is never repeated in the same breath.
"""

from __future__ import annotations

import os
import time
from typing import Any

from chargen import durable, events, failpoints, pictures
from chargen.commands import command
from chargen.config import Settings
from chargen.journal import Entry, Journal, age_s, clock
from chargen.problems import ChargenError
from chargen.remote import Operation, Remote, RemoteError
from chargen.report.words import count, dollars
from chargen.state import BatchFiles, RunFiles, State
from chargen.steps import account, waiting
from chargen.steps.room import why_full
from chargen.steps.stage import is_staged, needed_life_s, open_uploads, stage
from chargen.steps.talk import duration
from chargen.uploads import InvalidUpload, asking, pauses

BUDGET_HOURS = 24.0

REQUEST_TYPES = ("application/jsonl", "application/json", "text/plain")
"""What a request file may be called, the documented type first."""

UNSENT_ATTEMPTS = 6
"""How often a create is tried while no connection can be made: what was never sent cannot be paid twice."""

NOT_SENT = "NOT_SENT"
"""The state of a batch that never became a job, because none of its tasks could be sent."""


class AmbiguousSubmission(ChargenError):
    """It cannot be known yet whether a job was made; nothing was sent again."""


class ForeignJob(ChargenError):
    """The server has a job of this library that no journal here knows; it was paid for and must be collected first."""


class OverBudget(ChargenError):
    """Sending the batch would spend more than the budget of the last 24 hours allows."""


class Refused(ChargenError):
    """The create was refused, so no job was made; ``error`` is the server's answer."""

    def __init__(self, error: RemoteError, plan: dict[str, Any]):
        super().__init__(_refusal(error, plan))
        self.error = error


def submit(settings: Settings, state: State, files: BatchFiles, remote: Remote, run: RunFiles | None) -> str:
    """Return the name of the batch's one remote job, creating it if there is none. Call it under the batch's lock.

    Raises ChargenError in words if it must not or cannot be created now; nothing was sent then, or it is said that
    it cannot be known.
    """
    journal = Journal(state)
    entry = journal.entry(files.id)
    if entry.job or entry.open_intent is not None:
        account.check(settings, entry, remote)
    if entry.job:
        return entry.job
    while True:
        _wait_for_room(settings, state, files, remote, run)
        with state.lock("submit"):
            waiting.check(run)  # the run may have ended while others held the lock
            if not why_full(settings, state, files.read_plan(), remote):  # nobody took the place meanwhile
                return _submit_now(settings, state, files, remote, run)


def _submit_now(settings: Settings, state: State, files: BatchFiles, remote: Remote, run: RunFiles | None) -> str:
    """Find or create the job. Call it under the library's lock, with room for one more job."""
    journal = Journal(state)
    plan = files.read_plan()
    entry = journal.entry(files.id)
    _check_claims(journal, plan)
    if entry.open_intent is None:
        check_budget(journal, settings, plan)
    job = _find_earlier(settings, journal, entry, plan, remote, run)
    if job:
        if entry.open_intent is None:
            _intent(journal, plan, remote)
        return _created(journal, files.id, job, adopted=True)
    try:
        return _send(settings, state, files, journal, plan, remote, run)
    except Refused as refusal:
        if not refusal.error.gone or not open_uploads(settings, state, remote).forget_gone():
            raise
        words = f"{refusal.error}: some uploads are gone from the server, sending them again"
        events.tell("trouble", words, level="warning", delay_s=0)
    return _send(settings, state, files, journal, plan, remote, run)


def _send(
    settings: Settings,
    state: State,
    files: BatchFiles,
    journal: Journal,
    plan: dict[str, Any],
    remote: Remote,
    run: RunFiles | None,
) -> str:
    """Upload what is not there, or not for long enough, and create the job."""
    if not is_staged(settings, state, files, remote):
        stage(settings, state, files, remote, run)
    if not files.requests.stat().st_size:
        return _nothing_to_send(files)
    request_file = _upload_requests(settings, state, files, remote, run)
    return _create(settings, journal, files.id, plan, request_file, remote, run)


def _nothing_to_send(files: BatchFiles) -> str:
    """The API refused a reference of every task: there is no job, and apply says so of each."""
    durable.write(files.responses, b"")
    durable.write_json(files.ended, {"state": NOT_SENT, "error": "", "error_code": 0, "operation": {}})
    events.tell("not-sent", "the API refused a reference of every task: there is nothing to send", level="warning")
    return ""


def check_budget(journal: Journal, settings: Settings, plan: dict[str, Any]) -> None:
    """Raise OverBudget, with the numbers, if *plan* would break the budget of the last 24 hours."""
    if settings.budget_usd is None:
        return
    spent = journal.spent_usd(BUDGET_HOURS)
    if spent + plan["cost_usd"] > settings.budget_usd + 1e-9:
        raise OverBudget(
            f"budget: ${spent:.2f} were submitted in the last 24 hours and batch {plan['batch']} "
            f"({len(plan['tasks'])} tasks) would add ${plan['cost_usd']:.2f}, which is more than budget_usd="
            f"{settings.budget_usd:.2f}; nothing was sent. Raise it with --config budget_usd=…, or wait"
        )


def _check_claims(journal: Journal, plan: dict[str, Any]) -> None:
    claimed = journal.claimed()
    others = {
        claimed[task["wish_id"], task["attempt"]]
        for task in plan["tasks"]
        if claimed.get((task["wish_id"], task["attempt"]), plan["batch"]) != plan["batch"]
    }
    if others:
        raise ChargenError(
            f"batch {plan['batch']} was not sent: another run has sent some of its tasks in "
            f"{', '.join(sorted(others))}; run again, the plan will leave them out"
        )


def _find_earlier(
    settings: Settings, journal: Journal, entry: Entry, plan: dict[str, Any], remote: Remote, run: RunFiles | None
) -> str:
    """Return the job that an earlier life of this batch made, or ``""`` once it is certain that there is none."""
    if entry.open_intent is None and run is not None and run.remote_checked.exists():
        return ""
    if entry.open_intent is not None:
        return _reconcile(settings, journal, entry, remote, run)
    found = _look(settings, journal, plan["display_name"], remote)
    if run is not None and run.folder.is_dir():
        durable.write(run.remote_checked, b"")
        failpoints.reached("checked")
    if found:
        events.tell(
            "found",
            f"adopted {found.name}: it is batch {plan['batch']}, sent earlier; nothing is sent",
            shown=True,
            job=found.name,
        )
        return found.name
    return ""


def _look(settings: Settings, journal: Journal, display_name: str, remote: Remote) -> Operation | None:
    """Page the server's list to its end: return the job of that name; stop at a job of this library nobody knows."""
    known = {entry.job for entry in journal.entries.values()}
    own = None
    foreign = []
    for job in asking(lambda: list(remote.jobs())):
        if job.display_name == display_name:
            own = own or job
        elif job.display_name.rpartition("-")[0] == f"chargen-{settings.library_id}" and job.name not in known:
            entry = journal.entries.get(job.display_name.rsplit("-", 1)[1])
            unanswered = entry is not None and entry.open_intent is not None
            worth = job.state == "SUCCEEDED" or not job.is_final
            if worth and not unanswered:
                foreign.append(job)
    if own is None and foreign:
        lines = "\n".join(
            f"  {job.name} ({job.state.lower()}, {job.requests} requests, created {job.created[:19]}): "
            + command(settings, "collect", f"job={job.name}")
            for job in foreign
        )
        raise ForeignJob(
            "the server has jobs of this library that were sent from elsewhere, or before state/ was lost. Nothing was "
            f"sent, so that nothing is paid twice. Collect them first:\n{lines}"
        )
    return own


def _reconcile(settings: Settings, journal: Journal, entry: Entry, remote: Remote, run: RunFiles | None) -> str:
    """Find out whether the open intent of *entry* made a job; return its name, or ``""`` once there is none."""
    assert entry.open_intent is not None
    wait_s = settings.submit.timeout_s + settings.submit.grace_s - age_s(entry.open_intent)
    end = time.monotonic() + max(0.0, wait_s)
    if wait_s > 0:
        words = f"an earlier attempt to send this batch got no answer: looking for its job for {duration(wait_s)}"
        events.tell("waiting", words, level="warning", delay_s=round(wait_s, 1))
    while True:
        found = _look(settings, journal, entry.display_name, remote)
        if found:
            words = f"adopted {found.name}: it is batch {entry.batch}, whose submission got no answer; nothing is sent"
            events.tell("found", words, shown=True, job=found.name)
            return found.name
        left = end - time.monotonic()
        if left <= 0:
            journal.append("absent", entry.batch)
            return ""
        waiting.pause(min(2.0, max(0.2, left)), run)


def _intent(journal: Journal, plan: dict[str, Any], remote: Remote) -> None:
    journal.append(
        "intent",
        plan["batch"],
        operation=plan["operation"],
        model=plan["model"],
        display_name=plan["display_name"],
        base_url=remote.base_url,
        key=remote.fingerprint,
        wishes={task["wish_id"]: task["attempt"] for task in plan["tasks"]},
        cost_usd=plan["cost_usd"],
        tokens=plan["tokens"],
        clock=clock(),
        pid=os.getpid(),
    )


def _created(journal: Journal, batch: str, job: str, *, adopted: bool) -> str:
    journal.append("created", batch, job=job, adopted=adopted)
    return job


def _create(
    settings: Settings,
    journal: Journal,
    batch: str,
    plan: dict[str, Any],
    request_file: str,
    remote: Remote,
    run: RunFiles | None,
) -> str:
    end = time.monotonic() + settings.poll.deadline_h * 3600
    unsent = pauses(UNSENT_ATTEMPTS)
    while True:
        _intent(journal, plan, remote)
        try:
            job = remote.create(plan["model"], request_file, plan["display_name"])
        except RemoteError as error:
            if error.unclear:
                return _after_unclear_answer(settings, journal, batch, error, remote, run)
            journal.append("refused", batch, status=error.status, message=error.message)
            if error.unsent and (pause := next(unsent)) is not None:
                words = f"{error}: nothing was sent, trying again in {duration(pause)}"
                events.tell("waiting", words, level="warning", delay_s=round(pause, 1))
                waiting.pause(pause, run)
                continue
            if error.status != 429 or error.out_of_credits or time.monotonic() > end:
                raise Refused(error, plan) from None
            pause = error.retry_after_s or settings.poll.interval_s
            words = f"the server asks to wait {duration(pause)} before this job: {error.message[:200]}"
            events.tell("waiting", words, level="warning", delay_s=pause)
            waiting.pause(pause, run)
        else:
            failpoints.reached("created")
            _created(journal, batch, job, adopted=False)
            size, price = count(len(plan["tasks"]), "task"), dollars(plan["cost_usd"])
            events.show(f"{plan['operation']} {batch}: submitted, {size}, about {price}")
            return job


def _after_unclear_answer(
    settings: Settings, journal: Journal, batch: str, error: RemoteError, remote: Remote, run: RunFiles | None
) -> str:
    events.tell("unclear", f"{error}: whether a job was made is not known; looking for it", level="warning")
    try:
        job = _reconcile(settings, journal, journal.entry(batch), remote, run)
    except RemoteError as trouble:
        raise AmbiguousSubmission(
            f"batch {batch}: {error}, and the list of jobs cannot be read ({trouble.message}). Nothing was sent again; "
            "run again when the server answers"
        ) from None
    if job:
        return _created(journal, batch, job, adopted=True)
    raise AmbiguousSubmission(
        f"batch {batch}: {error}. No job of its name appeared within "
        f"{duration(settings.submit.timeout_s + settings.submit.grace_s)}, so none was made. Run again to send it"
    )


def _refusal(error: RemoteError, plan: dict[str, Any]) -> str:
    if error.out_of_credits:
        return f"the prepaid credits are used up, nothing was sent: {error.message}"
    if error.unsent:
        return f"the server cannot be reached, nothing was sent: {error}. Run again when there is a connection"
    batch = f"{plan['batch']} ({plan['model']}, {len(plan['tasks'])} tasks)"
    words = f"the server refuses batch {batch}, nothing was sent: {error}"
    if error.status == 404 and f"models/{plan['model']}" in error.message:
        setting = f"models.{plan['operation']}"
        words = f"{words.rstrip('.')}. The next run uses {setting}.fallback, if there is one; else set {setting}.model"
    return words


def _upload_requests(settings: Settings, state: State, files: BatchFiles, remote: Remote, run: RunFiles | None) -> str:
    """Upload the request file and return its name; some servers know JSON lines only by another type."""
    uploads = open_uploads(settings, state, remote, run)
    sha256 = pictures.sha256_file(files.requests)
    refusal: InvalidUpload | None = None
    for mime in REQUEST_TYPES:
        try:
            life = needed_life_s(settings)
            upload = uploads.ensure(files.requests, sha256, mime, must_live_s=life, attempts=settings.upload.attempts)
        except InvalidUpload as error:
            refusal = refusal or error
        else:
            return upload.name
    assert refusal is not None
    raise refusal


def _wait_for_room(settings: Settings, state: State, files: BatchFiles, remote: Remote, run: RunFiles | None) -> None:
    """Wait until the account has room for the batch; bring in what ends meanwhile."""
    from chargen.steps.fetch import Watch

    plan = files.read_plan()
    watch: Watch | None = None
    while why := why_full(settings, state, plan, remote):
        if watch is None:
            words = f"{plan['operation']} {files.id} waits for a place: {why}"
            events.tell("waiting", words, shown=True, delay_s=settings.poll.interval_s)
            watch = Watch(settings, state, remote, run)
        watch.tick()
