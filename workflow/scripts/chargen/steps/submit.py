"""Submit: the only step that spends money, and it spends it at most once.

The order of things: batch lock, submit lock, look for an earlier job, budget, staging, look, intent on disk, create,
name on disk. The server's list is read right before every create, whatever was waited for until then: an answer that
said no may have made a job all the same, and so may another checkout of the library.
After any answer that leaves open whether a job was made, the list is asked until the answer is certain; the create is
never repeated in the same run.
"""

from __future__ import annotations

import time

from chargen.base import durable, events, failpoints
from chargen.base.errors import ChargenError
from chargen.base.formatting import duration
from chargen.base.wording import count, dollars
from chargen.pictures import formats as pictures
from chargen.providers.base import RemoteError
from chargen.providers.protocol import Connection
from chargen.providers.registry import provider_of
from chargen.providers.uploads import InvalidUpload, pauses
from chargen.records.batch import NOT_SENT, BatchEnd, BatchJob, BatchPlan
from chargen.records.journal import Journal, now
from chargen.records.journal_lines import Refused
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps import account, waiting
from chargen.steps.checks import check_budget, check_claims, check_elsewhere, check_not_made, check_orders
from chargen.steps.room import why_full
from chargen.steps.search import Search, reconcile, record_created
from chargen.steps.stage import is_staged, needed_life_s, open_uploads, stage

UNSENT_ATTEMPTS = 6
"""How often a create is tried while no connection can be made: what was never sent cannot be paid twice."""


class AmbiguousSubmission(ChargenError):
    """It is not known yet whether a job was created; nothing was sent again."""


class SubmissionRefused(ChargenError):
    """The create was refused, so no job was made; ``error`` is the server's answer."""

    def __init__(self, error: RemoteError, plan: BatchPlan):
        super().__init__(_refusal(error, plan))
        self.error = error


def submit(settings: Settings, state: State, files: BatchFiles, remote: Connection, run: RunFiles | None) -> BatchJob:
    """Return the batch's one remote job, creating it if there is none. Call it under the batch's lock.

    Raises ChargenError if it must not or cannot be created now; nothing was sent then, or it is said that
    it cannot be known.
    """
    entry = Journal.recent(state, files.id).entry(files.id)
    if entry.job or entry.open_intent is not None:
        account.check(settings, entry, remote)
    if entry.job:
        return BatchJob(batch=files.id, job=entry.job)
    if entry.open_intent is not None:  # it is searched for even if the account is full or the budget is spent
        with state.lock("submit"):
            waiting.check(run)
            job = reconcile(Search(settings, state, files, remote), run)
        if job:
            return BatchJob(batch=files.id, job=job)
    while True:
        _wait_for_room(settings, state, files, remote, run)
        with state.lock("submit"):
            waiting.check(run)  # the run may have ended while others held the lock
            if not why_full(settings, state, files.read_plan(), remote):  # the place is still free
                return _submit_now(settings, state, files, remote, run)


def _submit_now(
    settings: Settings, state: State, files: BatchFiles, remote: Connection, run: RunFiles | None
) -> BatchJob:
    """Find or create the job. Call it under the submit lock, with room for one more job."""
    search = Search(settings, state, files, remote)
    try:
        check_claims(search.journal, search.plan)
        check_orders(state, search.plan)
        check_elsewhere(settings, state, search.plan)
        check_budget(search.journal, settings, search.plan)
    except ChargenError:
        if job := search.adopt():  # a paid job is searched for first, even if the batch must not be sent
            return BatchJob(batch=files.id, job=job)
        raise
    staged = is_staged(settings, state, files, remote)
    if not staged and (job := search.adopt()):  # before anything is uploaded
        return BatchJob(batch=files.id, job=job)
    try:
        return _send(search, remote, run, staged)
    except SubmissionRefused as refusal:
        if not refusal.error.gone or not open_uploads(settings, state, remote).forget_gone():
            raise
        words = f"{refusal.error}: some uploads are missing on the server, uploading them again"
        events.log("trouble", words, level="warning", delay_s=0)
    return _send(search, remote, run, is_staged(settings, state, files, remote))


def _send(search: Search, remote: Connection, run: RunFiles | None, staged: bool) -> BatchJob:
    """Upload what is not there, or not for long enough, and create the job."""
    settings, state, files = search.settings, search.state, search.files
    if not staged:
        stage(settings, state, files, remote, run)
    if not files.requests.stat().st_size:
        return _nothing_to_send(files)
    request_file = _upload_requests(settings, state, files, remote, run)
    return BatchJob(batch=files.id, job=_create(search, request_file, remote, run))


def _nothing_to_send(files: BatchFiles) -> BatchJob:
    """The API refused a reference of every task: there is no job, and apply says so of each."""
    durable.write(files.responses, b"")
    durable.write_json(files.ended, BatchEnd(state=NOT_SENT).to_json())
    events.log("not-sent", "the API refused a reference of every task, so nothing is sent", level="warning")
    return BatchJob(batch=files.id, state="not-needed")


def _create(search: Search, request_file: str, remote: Connection, run: RunFiles | None) -> str:
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
                Refused(
                    now(),
                    batch,
                    status=error.status,
                    message=error.message,
                    throttled=error.throttled or error.out_of_credits,
                    no_model=error.denies_model(plan.model),
                )
            )
            if error.unsent and (pause := next(unsent)) is not None:
                words = f"{error}: nothing was sent; trying again in {duration(pause)}"
                events.log("waiting", words, level="warning", delay_s=round(pause, 1))
                waiting.pause(pause, run)
                continue
            if not error.throttled or time.monotonic() > end:
                raise SubmissionRefused(error, plan) from None
            # It may have taken effect all the same, and the list may lag as it may after an unclear answer.
            pause = max(error.retry_after_s or settings.poll.interval_s, settings.submit.grace_s)
            words = f"the server requests a pause of {duration(pause)} before this job: {error.message[:200]}"
            events.log("waiting", words, level="warning", delay_s=pause)
            waiting.pause(pause, run)
        else:
            failpoints.reached("created")
            record_created(journal, batch, job, adopted=False)
            size, price = count(len(plan.tasks), "task"), dollars(plan.cost_usd)
            events.print_message(f"{plan.operation} {batch}: submitted, {size}, about {price}")
            return job


def _after_unclear_answer(search: Search, error: RemoteError, run: RunFiles | None) -> str:
    batch, settings = search.files.id, search.settings
    events.log("unclear", f"{error}: it is unknown whether the job was created; searching for it", level="warning")
    try:
        job = reconcile(search, run)
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
    from chargen.steps.watch import Watch

    plan = files.read_plan()
    watch: Watch | None = None
    while why := why_full(settings, state, plan, remote):
        if watch is None:
            words = f"{plan.operation} {files.id} is waiting to be submitted: {why}"
            events.log("waiting", words, on_terminal=True, delay_s=settings.poll.interval_s)
            watch = Watch(settings, state, remote, run)
        watch.tick()
