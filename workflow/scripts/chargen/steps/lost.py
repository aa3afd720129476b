"""Lost jobs: each run checks for them again for a while; once found, they are in flight again.

A denial can end: an account is repaired, a list was late, a result file came back. What was paid for is collected
then, as if it had never been lost, and nothing of it is sent again by itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from chargen.base import durable, events, failpoints
from chargen.planning.orders import read_orders, withdraw
from chargen.providers.accounting import account_for
from chargen.providers.base import RemoteError, RemoteJob
from chargen.providers.protocol import Connection
from chargen.providers.registry import provider_of
from chargen.records.batch import Outcome
from chargen.records.identity import Wish
from chargen.records.journal import Journal, now
from chargen.records.journal_lines import FoundAgain
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, State
from chargen.steps import account
from chargen.steps.downloads import receive_results, sent_keys


def look_again(settings: Settings, state: State, files: BatchFiles, remote: Connection) -> bool:
    """Ask the server once for the job of a lost batch; return whether it is in flight again.

    Call it under the batch's lock. What the server says or does not say is never an error.
    """
    entry = Journal.recent(state, files.id).entry(files.id)
    if not entry.is_lost:
        return entry.in_flight
    if not account.knows(settings, entry, remote):
        words = f"{entry.job} was sent with another key or to another address, so it is not checked"
        events.log("still-lost", words, batch=files.id, job=entry.job)
        return False
    why = f"{entry.job} is still lost on the server"
    try:
        operation = _find(remote, entry.job)
        is_back = operation is not None and has_come_back(settings, files, remote, operation)
    except RemoteError as trouble:
        is_back, why = False, str(trouble)
    if not is_back:
        if files.lost_receipt.exists() and not files.receipt.exists():  # killed before it could be taken back
            files.lost_receipt.replace(files.receipt)
        words = f"{why}; the next run checks again"
        events.log("still-lost", words, level="warning", batch=files.id, job=entry.job)
        return False
    put_in_flight(state, files)
    return True


def put_in_flight(state: State, files: BatchFiles) -> None:
    """Put a lost batch in flight again. Call it under the batch's lock."""
    journal = Journal.recent(state, files.id)
    job = journal.entry(files.id).job
    # What ended.json and the responses say does not matter from the second step on, and is rewritten.
    if files.receipt.exists():
        files.receipt.replace(files.lost_receipt)
        durable.sync_folder(files.folder)
        failpoints.reached("lost-receipt")
    journal.append(FoundAgain(now(), files.id, job=job))
    events.print_message(f"{job}, which was lost, is on the server again: collecting its results")


def _find(remote: Connection, job: str) -> RemoteJob | None:
    try:
        return remote.job(job)
    except RemoteError as trouble:
        if not trouble.gone:
            raise
    return next((operation for operation in remote.jobs() if operation.name == job), None)


def has_come_back(settings: Settings, files: BatchFiles, remote: Connection, operation: RemoteJob) -> bool:
    """Whether there is something to wait for, or to collect: results that answer none of the requests are nothing.

    Raises RemoteError if that cannot be found out; results that the server does not have are nothing.
    """
    if not operation.is_final:
        return True
    if not operation.has_results:
        return operation.state != "SUCCEEDED"
    part = durable.draft_of(files.responses)
    try:
        fault = receive_results(remote, operation, part)
        return account_for(provider_of(settings).results(part), sent_keys(files), operation.requests, fault).is_part
    except RemoteError as trouble:
        if trouble.gone:
            return False
        raise
    finally:
        part.unlink(missing_ok=True)


def withdraw_orders(state: State, journal: Journal, batch: str, tasks: Iterable[tuple[Outcome, Wish]]) -> None:
    """Cancel orders that were placed because the job of *batch* was lost, and are not sent yet.

    *tasks* are the records of its tasks, with their wishes, once their pictures are in place.
    """
    orders = read_orders(state)
    came = {
        (task.target, task.variation): wish.order
        for task, wish in tasks
        if task.has_picture and orders.get((task.target, task.variation), 0) > wish.order
    }
    for files in state.batches() if came else ():
        entry = journal.entry(files.id)
        if files.id == batch or not (entry.job or entry.open_intent):
            continue
        plan = files.known_plan()
        for wish in (task.wish for task in (plan.tasks if plan else ())):
            if wish.order == orders.get((wish.target, wish.variation)):
                came.pop((wish.target, wish.variation), None)
    for number in sorted(set(came.values())):
        withdraw(state, [item for item, order in came.items() if order == number], number)
