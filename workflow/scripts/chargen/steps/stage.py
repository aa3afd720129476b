"""Stage: upload each distinct reference once and write the request lines."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from chargen.base import durable, events, failpoints
from chargen.base.errors import ChargenError
from chargen.base.progress import track
from chargen.operations import operation
from chargen.pictures import formats as pictures
from chargen.pictures.imaging import Unreadable
from chargen.providers.base import SentFile
from chargen.providers.protocol import Connection
from chargen.providers.registry import provider_of
from chargen.providers.uploads import InvalidUpload, Upload, Uploads
from chargen.records.batch import Reference, Task
from chargen.records.settings import Settings
from chargen.records.state import BatchFiles, RunFiles, State
from chargen.steps import waiting
from chargen.steps.cleanup import make_room
from chargen.steps.sending import distinct_references, make_ready, uploaded_contents

SPARE_S = 3600.0
"""How much longer than the wait for its job a reference must live."""


def stage(settings: Settings, state: State, files: BatchFiles, remote: Connection, run: RunFiles | None = None) -> None:
    """Write ``requests.jsonl`` of a planned batch, with every reference uploaded and alive for the job's whole wait.

    Tasks whose reference the API refuses are left out and named in ``left-out.json``. Call it under the batch's lock.
    """
    plan = files.read_plan()
    references = distinct_references(plan.tasks)
    does = operation(plan.operation)
    base = does.base_folder(settings)
    uploads, refused = _upload_all(settings, state, remote, references, base, run)
    provider = provider_of(settings)
    lines: list[bytes] = []
    left_out = {}
    for task in plan.tasks:
        why = next((refused[item.sha256] for item in task.references if item.sha256 in refused), "")
        if why:
            left_out[task.key] = why
            events.log("left-out", f"{task.key} is not sent: {why}", level="warning", key=task.key, reason=why)
        else:
            lines.append(provider.request_line(plan, does.request(task), _references(task, uploads)))
    # Lines and what is left out of them belong together: while one of them is old, there are no lines.
    files.requests.unlink(missing_ok=True)
    files.left_out.unlink(missing_ok=True)
    if left_out:
        durable.write_json(files.left_out, left_out)
        failpoints.reached("left-out")
    durable.write(files.requests, b"".join(lines))
    failpoints.reached("staged")
    events.log(
        "staged",
        f"{len(lines)} requests written, {len(references) - len(refused)} reference pictures on the server",
        tasks=len(lines),
        references=len(references) - len(refused),
        left_out=len(left_out),
        bytes=files.requests.stat().st_size,
    )


def is_staged(settings: Settings, state: State, files: BatchFiles, remote: Connection) -> bool:
    """Whether the request lines are there and all references that they name live long enough."""
    if not files.requests.exists():
        return False
    live = {
        sha256: upload
        for sha256, upload in Uploads(state, remote).live().items()
        if upload.lives_for_s() > needed_life_s(settings)
    }
    left_out = files.read_left_out()
    plan = files.read_plan()
    sent = [task for task in plan.tasks if task.key not in left_out]
    contents = uploaded_contents(state, sent)
    # They were written by another version, or before the setting was changed.
    read = provider_of(settings).read_request
    if any(read(line).stored != plan.store_requests for line in _first_line(files)):
        return False
    # Another batch may have uploaded a picture again since these lines were written, which then name the old upload.
    return contents <= live.keys() and _addresses(settings, files) == {live[sha256].uri for sha256 in contents}


def _first_line(files: BatchFiles) -> Iterator[dict[str, Any]]:
    """Yield the first of the request lines; nothing if there is none."""
    return islice(durable.read_lines(files.requests), 1)


def _addresses(settings: Settings, files: BatchFiles) -> set[str]:
    """Return the addresses of uploads that the request lines name."""
    read = provider_of(settings).read_request
    return {address for line in durable.read_lines(files.requests) for address in read(line).addresses}


def needed_life_s(settings: Settings) -> float:
    """How long an upload must live from now on to outlast the wait for its job."""
    return min(settings.poll.deadline_h * 3600 + SPARE_S, settings.capabilities.files_live_s - SPARE_S)


def _references(task: Task, uploads: Mapping[str, Upload]) -> list[SentFile]:
    """Return the uploads that the request of *task* names, in order."""
    found = [uploads[reference.sha256] for reference in task.references]
    return [SentFile(upload.uri, upload.mime) for upload in found]


def open_uploads(settings: Settings, state: State, remote: Connection, run: RunFiles | None = None) -> Uploads:
    """Return the ledger of uploads, with the account's limit and a way to make room; it waits no longer than *run*."""
    limit = settings.limits.storage_bytes
    limit = limit or provider_of(settings).catalog(settings).limit(settings.limits.tier, "storage_bytes")
    rest = partial(waiting.pause, run=run) if run else None
    return Uploads(state, remote, limit, partial(make_room, state, remote), rest)


def _upload_all(
    settings: Settings,
    state: State,
    remote: Connection,
    references: Mapping[str, Reference],
    base: Path,
    run: RunFiles | None,
) -> tuple[dict[str, Upload], dict[str, str]]:
    """Return the uploads by content, and why the others could not be sent; paths are relative to *base*."""
    ledger = open_uploads(settings, state, remote, run)
    found: dict[str, Upload] = {}
    refused: dict[str, str] = {}
    stop = threading.Event()

    def send(item: tuple[str, Reference]) -> None:
        sha256, reference = item
        if stop.is_set():
            return
        path = base / reference.path
        try:
            waiting.check(run)
            _check_unchanged(path, sha256)
            ready = make_ready(state, path, reference)
            found[sha256] = ledger.ensure(
                ready.path,
                ready.sha256,
                ready.mime,
                must_live_s=needed_life_s(settings),
                attempts=settings.upload.attempts,
            )
        except InvalidUpload as error:
            refused[sha256] = f"the API refused the picture {reference.path}: {error.message}"
        except Unreadable as error:
            refused[sha256] = f"the picture {reference.path} {error}"
        except ChargenError:
            stop.set()
            raise

    pool = ThreadPoolExecutor(settings.upload.concurrency)
    patient = True
    try:
        sent = [pool.submit(send, item) for item in references.items()]
        for future in track(sent, "uploading references", len(sent)):
            future.result()
    except KeyboardInterrupt:  # do not wait for slow uploads after Ctrl-C
        stop.set()
        patient = False
        raise
    finally:
        pool.shutdown(wait=patient, cancel_futures=True)
    return found, refused


def _check_unchanged(path: Path, sha256: str) -> None:
    try:
        present = pictures.sha256_file(path)
    except OSError as error:
        raise ChargenError(f"{path}: the reference is missing since planning ({error.strerror}); run again") from None
    if present != sha256:
        raise ChargenError(f"{path}: the reference changed since planning; run again to use the new one")
