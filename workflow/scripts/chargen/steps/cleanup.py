"""Tidying up after a batch: what the server need not keep, and what state/ need not keep any longer."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

from chargen.base import durable, events, failpoints
from chargen.base.errors import ChargenError
from chargen.providers.base import RemoteError
from chargen.providers.protocol import Connection
from chargen.providers.registry import connect
from chargen.providers.uploads import Uploads
from chargen.records.batch import UNSEEN, WAITS_IN_RESPONSES, BatchPlan, Receipt
from chargen.records.journal import Entry, Journal, now, seconds_since
from chargen.records.journal_lines import Cleaned
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, State
from chargen.steps.sending import distinct_references, drop_copy, sent_sha256, uploaded_contents

SURE_AFTER_S = 86400.0
"""How long after its first sight a batch must still look old for its raw responses to be deleted."""

_NOT_HERE = UNSEEN | {"broken-picture"}
"""Reasons of tasks whose result the server may still have in a better state than it came."""


def tidy(settings: Settings, state: State, files: BatchFiles) -> None:
    """Delete the batch's job, its request file and references that no unfinished batch needs from the server.

    Only once the receipt is durable here, and never in the way of anything: what cannot be deleted is said and left to
    expire, and so is a job of which not every result is here. Sees to batches whose process died before it came to
    that, too.

    Call it under the batch's lock.
    """
    journal = Journal.recent(state, files.id)
    untidy = _untidy(settings, journal, files.id)
    try:
        remote = connect(settings) if untidy else None
        for batch in untidy:
            ours = batch == files.id
            with nullcontext(True) if ours else state.lock(f"batch-{batch}", wait=False) as got:
                if got and remote:
                    _tidy_server(settings, state, state.batch(batch), remote)
    except ChargenError as error:
        events.log("left", f"{error}; files on the server will expire by themselves", level="warning")


def _untidy(settings: Settings, journal: Journal, own: str) -> list[str]:
    """Return the batches to tidy up after: *own*, and those applied lately whose process died before that."""
    forgets_s = settings.capabilities.files_live_s  # what was left behind longer ago is not worth asking for
    return [
        entry.batch
        for entry in journal.entries.values()
        if entry.job
        and entry.outcomes is not None
        and not (entry.cleaned or entry.is_lost)
        and (entry.batch == own or (settings.cleanup.after_apply and seconds_since(entry.applied) < forgets_s))
    ]


def _tidy_server(settings: Settings, state: State, files: BatchFiles, remote: Connection) -> None:
    journal = Journal.recent(state, files.id)
    entry = journal.entry(files.id)
    if entry.cleaned or (entry.key, entry.base_url) != (remote.fingerprint, remote.base_url):
        return
    if entry.outcomes is None or not files.receipt.exists():  # another process found the job meanwhile
        return
    forget_gone_references(state, files.read_receipt(), files.read_plan(), remote)
    if settings.cleanup.after_apply:
        # A job of another checkout is left to that one: it may not have the results yet.
        why = why_kept(entry) or ("it was requested by another checkout" if entry.sent_elsewhere else "")
        if why:
            events.log("left", f"{entry.job} stays on the server: {why}", batch=files.id, job=entry.job)
        _delete_remote(state, files, "" if why else entry.job, remote)
        journal.append(Cleaned(now(), files.id))


def why_kept(entry: Entry) -> str:
    """Why the job of *entry* stays on the server; ``""`` if it may be deleted.

    It may once every result is here and has a receipt, and never while it is lost.
    """
    if entry.outcomes is None:
        return "its results are not downloaded yet; the next generate_all downloads them"
    if entry.is_lost:
        return "its results are lost; the next generate_all checks for them again"
    if any(reason in _NOT_HERE for _, reason in entry.outcomes.values()):
        return "some of its results are incomplete"
    return ""


def forget_gone_references(state: State, receipt: Receipt, plan: BatchPlan, remote: Connection) -> None:
    """Forget uploads that the server no longer has, so that the next submission uploads them again."""
    gone = {task.key for task in receipt.tasks if task.reason == "reference-gone"}
    uploads = Uploads(state, remote)
    live = uploads.live()
    for sha256 in uploaded_contents(state, [task for task in plan.tasks if task.key in gone]):
        if sha256 in live:
            uploads.forget(live[sha256].name)


def make_room(state: State, remote: Connection) -> int:
    """Delete uploads of this library that no unfinished batch needs; return how many bytes that frees."""
    try:
        needed = _needed(state)
    except durable.UnreadableFile as error:
        events.log("left", f"{error}; nothing is deleted, because it is unknown what is needed", level="warning")
        return 0
    uploads = Uploads(state, remote)
    freed = 0
    for sha256, upload in uploads.live().items():
        if sha256 not in needed and _quietly(partial(remote.delete_file, upload.name)):
            uploads.forget(upload.name)
            freed += upload.bytes
    return freed


def drop_old_responses(settings: Settings, state: State, journal: Journal) -> None:
    """Delete raw responses whose receipt is older than ``cleanup.keep_responses_d`` days, once that is certain.

    Those that hold a picture which has not found its place yet are kept.
    """
    keep_s = settings.cleanup.keep_responses_d * 86400
    for files in state.batches():
        if files.responses.exists() and _is_old(files, journal.entry(files.id), keep_s) and not _holds_pictures(files):
            files.responses.unlink()
            files.due.unlink(missing_ok=True)
            shutil.rmtree(files.set_aside, ignore_errors=True)
            failpoints.reached("dropped")
            words = f"deleted the raw answers of batch {files.id}, older than cleanup.keep_responses_d"
            events.log("answers-dropped", words, batch=files.id)


def _is_old(files: BatchFiles, entry: Entry, keep_s: float) -> bool:
    """Whether a batch was applied longer ago than *keep_s* seconds, by more than one look at the clock.

    The wall clock of one run may be wrong by months, so it must say the same again a day later. Within one boot the
    machine's own clock decides.
    """
    if entry.outcomes is None or not files.receipt.exists():
        return False
    now = time.time()
    if now - files.receipt.stat().st_mtime < keep_s or (entry.intents and entry.age_s < keep_s):
        files.due.unlink(missing_ok=True)
        return False
    try:
        since_s = now - float(files.due.read_text())
    except (OSError, ValueError):
        since_s = -1.0
    if since_s < 0:  # never seen before, or seen by a clock that was ahead
        durable.write(files.due, str(now).encode())
    return since_s >= SURE_AFTER_S


def _holds_pictures(files: BatchFiles) -> bool:
    """Whether the responses have paid pictures that are stored nowhere else."""
    receipt = files.known_receipt()
    return receipt is None or any(task.reason in WAITS_IN_RESPONSES for task in receipt.tasks)


def _delete_remote(state: State, files: BatchFiles, job: str, remote: Connection) -> None:
    if job:
        _quietly(partial(remote.delete_job, job))
    uploads = Uploads(state, remote)
    live = uploads.live()
    unneeded = uploaded_contents(state, files.read_plan().tasks) - _needed(state)
    if files.requests.exists():
        from chargen.pictures.formats import sha256_file

        unneeded.add(sha256_file(files.requests))
    for sha256 in sorted(unneeded & live.keys()):
        if _quietly(partial(remote.delete_file, live[sha256].name)):
            uploads.forget(live[sha256].name)
    for reference in distinct_references(files.read_plan().tasks).values():
        if sent_sha256(state, reference) in unneeded:
            drop_copy(state, reference)


def _needed(state: State) -> set[str]:
    """Return the contents that batches without a receipt refer to, their request files included.

    A job that waits for its turn may not have read its request file yet, and a lost one may be waiting.
    """
    from chargen.pictures.formats import sha256_file

    needed: set[str] = set()
    lost = {entry.batch for entry in Journal.recent(state).entries.values() if entry.is_lost}
    for files in state.batches():
        if files.plan.exists() and (not files.receipt.exists() or files.id in lost):
            needed.update(uploaded_contents(state, files.read_plan().tasks))
            if files.requests.exists():
                needed.add(sha256_file(files.requests))
    return needed


def _quietly(delete: Callable[[], None]) -> bool:
    """Delete something; what is already gone counts as deleted."""
    try:
        delete()
    except RemoteError as error:
        if not error.gone:
            events.log("left", f"{error}; it will expire by itself", level="warning")
            return False
    failpoints.reached("deleted")
    return True
