"""The emulated service without HTTP: files, uploads, batches and replies, by owner, on a store.

An owner is the fingerprint of an API key; the key itself is never kept.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import secrets
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from chargen.emulator import answers, embeddings, faults, fields, jobs, requests, rows
from chargen.emulator.catalogue import Catalogue, Model
from chargen.emulator.clock import LIFETIME_NS, NANO, Clock, rfc3339
from chargen.emulator.errors import ApiError, file_id_too_long, invalid, no_such_file, not_found, quota, unknown_fields
from chargen.emulator.jobs import Job
from chargen.emulator.results import Lines, Rendering
from chargen.emulator.store import Store

GRANULARITY = 8 * 1024 * 1024
INLINE_LIMIT = 20_971_520
FILE_LIMIT = 2 * 1024**3
_ALPHABET = string.ascii_lowercase + string.digits
_FILE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_MIME_FAMILIES = ("text/", "image/", "audio/", "video/")
_MIME_APPLICATIONS = frozenset(
    [
        "json",
        "jsonl",
        "x-ndjson",
        "x-jsonlines",
        "pdf",
        "octet-stream",
        "xml",
        "rtf",
        "x-javascript",
        "x-python",
        "x-ipynb+json",
        "zip",
    ]
)


_KEPT = ("outputConfig", "webhookConfig")
_METHODS: Mapping[str, tuple[str, str]] = {
    jobs.GENERATE: ("batchGenerateContent", "BatchGenerateContentRequest"),
    jobs.EMBED: ("asyncBatchEmbedContent", "AsyncBatchEmbedContentRequest"),
}


@dataclass(frozen=True)
class StoredFile:
    """An uploaded (or generated) file; its content lies under ``sha256``."""

    id: str
    owner: str
    display_name: str
    mime_type: str
    size: int
    sha256: str
    created_ns: int
    expires_ns: int
    source: str = "UPLOADED"

    def shown(self, base_url: str) -> dict[str, Any]:
        """The file as the API shows it."""
        body: dict[str, Any] = {"name": f"files/{self.id}"}
        if self.display_name:
            body["displayName"] = self.display_name
        uri = f"{base_url}/files/{self.id}"
        body |= {
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size),
            "createTime": rfc3339(self.created_ns, 6),
            "updateTime": rfc3339(self.created_ns, 6),
            "expirationTime": rfc3339(self.expires_ns),
            "sha256Hash": base64.b64encode(self.sha256.encode()).decode(),
            "uri": uri,
            "state": "ACTIVE",
            "source": self.source,
        }
        if self.source == "GENERATED":
            body["downloadUri"] = f"{uri}:download?alt=media"
        return body


@dataclass
class Upload:
    """A resumable upload; the bytes so far lie in the store. ``file_id`` is set once it is final."""

    id: str
    owner: str
    wanted_id: str
    display_name: str
    mime_type: str
    declared_size: int
    base_url: str
    started_ns: int = 0
    file_id: str = ""
    cancelled: bool = False


def fingerprint(key: str) -> str:
    """Twelve hex digits that stand for an API key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


class World:
    """All state. Not thread-safe: the server calls it from its event loop only."""

    @property
    def catalogue(self) -> Catalogue:
        """The models that are served at this moment."""
        return self._models()

    def __init__(self, store: Store, models: Callable[[], Catalogue], initial: faults.Plan) -> None:
        self.store = store
        self._models = models
        self.initial = initial
        self._load()

    def _load(self) -> None:
        self._meta: dict[str, Any] = self.store.all("meta")
        self.clock = Clock(int(self._meta.get("clock", 0)))
        self.plan = faults.read(self._meta["plan"]) if "plan" in self._meta else self.initial
        self._plan_ns = int(self._meta.get("plan_ns", self.clock.now_ns()))
        self._seen: Counter[str] = Counter(self._meta.get("seen", {}))
        self.files = {name: StoredFile(**body) for name, body in self.store.all("file").items()}
        self.uploads = {name: Upload(**body) for name, body in self.store.all("upload").items()}
        self.jobs = {name: Job(**body) for name, body in self.store.all("job").items()}
        self.created: Counter[str] = Counter(self._meta.get("created", {}))
        self.call_counts: Counter[str] = Counter(call["kind"] for call in self.store.calls())
        self._renderings: dict[str, Rendering] = {}
        self._executed: dict[str, dict[str, Any]] = self.store.all("executed")
        self._last_ns = 0

    # -- trouble --

    def set_plan(self, plan: faults.Plan) -> None:
        """Follow *plan* from now on; its counters start at zero."""
        self.plan = plan
        self._plan_ns = self.clock.now_ns()
        self._seen.clear()
        self._keep("plan", plan.as_json())
        self._keep("plan_ns", self._plan_ns)
        self._keep("seen", {})

    def call_fault(self, kind: str, display_name: str) -> faults.CallFault | None:
        """The trouble that the present call of *kind* is to have; counts the call."""
        found = None
        for number, fault in enumerate(self.plan.calls):
            if fault.call not in (kind, "*") or not faults.glob(display_name, fault.display_name):
                continue
            self._seen[f"call-{number}"] += 1
            over = fault.for_s and self.clock.now_ns() >= self._plan_ns + fault.for_s * NANO
            if found is None and not over and fault.hits(self._seen[f"call-{number}"]):
                found = fault
        campaign = self.plan.campaign
        if campaign.calls or campaign.lies:
            self._seen[f"kind-{kind}"] += 1
            self._seen["all"] += 1
            found = found or self._lie(campaign, kind, display_name)
            found = found or campaign.call_fault(kind, self._seen[f"kind-{kind}"])
        if self.plan.calls or campaign.calls or campaign.lies:
            self._keep("seen", dict(self._seen))
        return found

    def _lie(self, campaign: faults.Campaign, kind: str, display_name: str) -> faults.CallFault | None:
        if kind != "download":
            return campaign.lie(kind, self._seen[f"kind-{kind}"], self._seen["all"])
        self._seen[f"download-{display_name}"] += 1
        return campaign.lie(kind, self._seen[f"download-{display_name}"], self._seen["all"], display_name)

    def name_of_job(self, owner: str, batch_id: str) -> str:
        """The display name of the caller's job; ``""`` if there is none."""
        job = self.jobs.get(batch_id)
        return job.display_name if job and job.owner == owner else ""

    def advance(self, seconds: float) -> None:
        """Push the clock."""
        self.clock.offset_ns += int(seconds * 1_000_000_000)
        self._keep("clock", self.clock.offset_ns)

    def reset(self) -> None:
        """Forget everything and follow the plan of the start again."""
        for rendering in self._renderings.values():
            rendering.give_up()
        self.store.clear()
        self._load()

    def _keep(self, name: str, value: Any) -> None:
        self.store.put("meta", name, value)

    # -- files --

    def start_upload(self, owner: str, about: Mapping[str, Any], mime_type: str, size: int, base_url: str) -> Upload:
        """Open a resumable upload of *size* bytes (0: not said)."""
        wanted = str(about.get("name") or "").removeprefix("files/")
        mime_type = mime_type or str(about.get("mimeType") or "") or "application/octet-stream"
        if wanted and not _FILE_NAME.fullmatch(wanted):
            raise invalid(
                "* CreateFileRequest.file.name: File ID (name excluding 'files/') may have at most 40 "
                "lowercase alphanumeric characters or dashes, and cannot begin or end with a dash."
            )
        if wanted and self._alive(wanted):
            raise ApiError(409, f"File files/{wanted} already exists.")
        if not _known_mime_type(mime_type):
            raise invalid(f"Unsupported MIME type: {mime_type}")
        if size > FILE_LIMIT:
            raise invalid(f"The file size {size} exceeds the limit of {FILE_LIMIT} bytes.")
        self._check_storage(owner, size)
        upload = Upload(
            id=secrets.token_urlsafe(60),
            owner=owner,
            wanted_id=wanted,
            display_name=str(about.get("displayName") or ""),
            mime_type=mime_type,
            declared_size=size,
            base_url=base_url,
            started_ns=self.clock.now_ns(),
        )
        self.store.upload(upload.id).write_bytes(b"")
        self._put_upload(upload)
        return upload

    def find_upload(self, upload_id: str) -> Upload:
        """The upload, also when it is final or cancelled; ApiError 404."""
        upload = self.uploads.get(upload_id)
        if upload is None:
            raise not_found()
        return upload

    def finish_upload(self, upload: Upload) -> StoredFile:
        """Make the bytes of *upload* a file; its life began with the upload."""
        path = self.store.upload(upload.id)
        with path.open("rb") as source:
            sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        size = path.stat().st_size
        if upload.declared_size and size != upload.declared_size:
            raise invalid(f"The upload has {size} bytes where {upload.declared_size} were announced.")
        self._check_storage(upload.owner, size)
        path.replace(self.store.blob(sha256))
        now = self.clock.now_ns()
        stored = StoredFile(
            id=upload.wanted_id or _random_id(12),
            owner=upload.owner,
            display_name=upload.display_name,
            mime_type=upload.mime_type,
            size=size,
            sha256=sha256,
            created_ns=now,
            expires_ns=(upload.started_ns or now) + LIFETIME_NS,
        )
        self.add_file(stored)
        upload.file_id = stored.id
        self._put_upload(upload)
        return stored

    def cancel_upload(self, upload: Upload) -> None:
        """Give an upload up."""
        self.store.upload(upload.id).unlink(missing_ok=True)
        upload.cancelled = True
        self._put_upload(upload)

    def add_file(self, stored: StoredFile) -> None:
        """Keep a file whose content is in place."""
        self.files[stored.id] = stored
        self.store.put("file", stored.id, dataclasses.asdict(stored))

    def get_file(self, owner: str, file_id: str, method: str = "GetFileRequest") -> StoredFile:
        """The caller's file; ApiError 403 when missing, expired or another's, 400 for a result
        file's name.
        """
        if len(file_id) > 40:
            raise file_id_too_long(method)
        return self._owned(owner, file_id)

    def list_files(self, owner: str) -> list[StoredFile]:
        """The caller's files, newest first."""
        mine = [item for item in self.files.values() if item.owner == owner and self._alive(item.id)]
        return sorted(mine, key=lambda item: (item.created_ns, item.id), reverse=True)

    def delete_file(self, owner: str, file_id: str) -> None:
        """Delete the caller's file; its content stays as long as a job needs it."""
        stored = self.get_file(owner, file_id, "DeleteFileRequest")
        del self.files[file_id]
        self.store.drop("file", file_id)
        self._forget_content((stored.sha256,))

    def expire_files(self, pattern: str) -> int:
        """Let the files whose id or display name fits the glob expire now; returns how many."""
        now = self.clock.now_ns()
        count = 0
        for stored in list(self.files.values()):
            if faults.glob(stored.id, pattern) or faults.glob(stored.display_name, pattern):
                self.add_file(dataclasses.replace(stored, expires_ns=now))
                count += 1
        return count

    def plant_file(self, owner: str, about: Mapping[str, Any]) -> StoredFile:
        """Put a file of a given id there (admin): ``id``, ``content`` (text) or ``data`` (base64), ``mime_type``,
        ``source``.
        """
        content = base64.b64decode(about["data"]) if "data" in about else str(about.get("content", "")).encode()
        sha256 = hashlib.sha256(content).hexdigest()
        self.store.blob(sha256).write_bytes(content)
        now = self.clock.now_ns()
        stored = StoredFile(
            id=str(about["id"]),
            owner=owner,
            display_name=str(about.get("display_name", "")),
            mime_type=str(about.get("mime_type", "text/plain")),
            size=len(content),
            sha256=sha256,
            created_ns=now,
            expires_ns=now + LIFETIME_NS,
            source=str(about.get("source", "UPLOADED")),
        )
        self.add_file(stored)
        return stored

    def _owned(self, owner: str, file_id: str) -> StoredFile:
        stored = self._alive(file_id)
        if stored is None or stored.owner != owner:
            raise no_such_file(file_id)
        return stored

    def _alive(self, file_id: str) -> StoredFile | None:
        stored = self.files.get(file_id)
        return stored if stored and stored.expires_ns > self.clock.now_ns() else None

    def _put_upload(self, upload: Upload) -> None:
        self.uploads[upload.id] = upload
        self.store.put("upload", upload.id, dataclasses.asdict(upload))

    def _check_storage(self, owner: str, size: int) -> None:
        limit = self.plan.quotas.storage_bytes
        used = sum(item.size for item in self.list_files(owner)) if limit else 0
        if limit and used + size > limit:
            raise quota("file_storage_bytes", limit, "all", None)

    def _forget_content(self, hashes: Iterable[str]) -> None:
        needed = {item.sha256 for item in self.files.values()}
        for job in self.jobs.values():
            needed.add(job.input_sha)
            needed.update(job.refs.values())
        for sha256 in set(hashes) - needed:
            self.store.blob(sha256).unlink(missing_ok=True)

    # -- batches --

    def create_batch(
        self, owner: str, model: str, version: str, batch: Mapping[str, Any], kind: str = jobs.GENERATE
    ) -> Job:
        """Create a job of *kind* from a ``batch`` message (camelCase), in file or inline mode."""
        method, message = _METHODS[kind]
        served = self.serving(model, version, method)
        display_name = str(batch.get("displayName") or "")
        if self.plan.api.display_name == "required" and not display_name:
            raise invalid(f"* {message}.batch.display_name: display_name is not specified\n")
        config = batch.get("inputConfig") or {}
        inline = config.get("requests")
        request = "EmbedContentRequest" if kind == jobs.EMBED else "GenerateContentRequest"
        if inline is not None:
            input_file, sha256 = "", self._keep_inline(inline, request)
        elif config.get("fileName"):
            stored = self._owned(owner, str(config["fileName"]).removeprefix("files/"))
            input_file, sha256 = f"files/{stored.id}", stored.sha256
            rows.check_file(self.store.blob(sha256), request, self.plan.api)
        else:
            raise invalid(f"* {message}.batch.input_config: input_config is not specified\n")
        path = self.store.blob(sha256)
        keys = rows.keys(path)
        if not keys:
            raise invalid(f"* {message}.batch.input_config: the input has no requests\n")
        tokens = path.stat().st_size // 4
        active = [job for job in self.jobs.values() if job.owner == owner and not job.state]
        self._check_job_quotas(served.id, tokens, active)
        now = max(self.clock.now_ns(), self._last_ns + 1)
        self._last_ns = now
        plan = self._job_plan(display_name, keys, self._over_tokens(served.id, tokens, active))
        job = Job(
            id=_random_id(36),
            owner=owner,
            model=served.id,
            display_name=display_name,
            input_file=input_file,
            input_sha=sha256,
            count=len(keys),
            tokens=tokens,
            created_ns=now,
            plan_json=plan.as_json(),
            inline=inline is not None,
            priority=str(batch.get("priority") or ""),
            kind=kind,
            extras={name: batch[name] for name in _KEPT if batch.get(name)},
        )
        job.vanish_as_planned("created", now)
        self._put_job(job)
        self.created[display_name] += 1
        self._keep("created", dict(self.created))
        return job

    def plant_batch(self, owner: str, about: Mapping[str, Any]) -> Job:
        """Put a batch of a given id there (admin): ``id``, ``model``, ``display_name``, and ``requests`` (inline) or
        the id of a ``file``.
        """
        config = {"fileName": about["file"]} if "file" in about else {"requests": {"requests": list(about["requests"])}}
        batch = {"displayName": about.get("display_name", "planted"), "inputConfig": config}
        model = str(about["model"])
        embeds = model in self.catalogue.models and self.catalogue.models[model].embeds
        job = self.create_batch(owner, model, "v1beta", batch, jobs.EMBED if embeds else jobs.GENERATE)
        self.store.drop("job", job.id)
        del self.jobs[job.id]
        job.id = str(about["id"])
        self._put_job(job)
        return job

    def find_batch(self, owner: str, batch_id: str, *, looking: bool = False) -> Job:
        """The caller's job, settled; ApiError 404, also for one that has vanished from the eyes of who is *looking*."""
        job = self.jobs.get(batch_id)
        if job is None or job.owner != owner or (looking and self._hidden(job, "get")):
            raise not_found()
        return job

    def vanish(self, pattern: str, places: Sequence[str], calls: int, seconds: float) -> list[str]:
        """Let the jobs whose display name fits the glob vanish from *places* (none: come back); returns their names."""
        found = [job for job in self.jobs.values() if faults.glob(job.display_name, pattern)]
        for job in found:
            job.vanish(places, calls, seconds, self.clock.now_ns())
            self._put_job(job)
        return [f"batches/{job.id}" for job in found]

    def _hidden(self, job: Job, place: str) -> bool:
        """Whether *job* is not to be found at *place* now; counts the call."""
        hidden = job.hides(place, self.clock.now_ns())
        if hidden:
            self._put_job(job)
        return hidden

    def look(self, job: Job) -> dict[str, Any]:
        """The operation as the caller sees it now; counts as one poll."""
        self.settle()
        operation = job.operation(self.clock.now_ns(), self._inlined(job))
        plan = job.plan.job
        if not job.state and plan.polls > 0:
            job.looks += 1
            self._put_job(job)
        elif job.state == "SUCCEEDED" and job.late_looks < plan.late_file_polls:
            job.late_looks += 1
            self._put_job(job)
        if job.strayed < len(plan.strays):
            operation = jobs.astray(operation, plan.strays[job.strayed])
            job.strayed += 1
            self._put_job(job)
        return operation

    def list_batches(self, owner: str) -> list[Job]:
        """The caller's jobs, newest first."""
        mine = [job for job in self.jobs.values() if job.owner == owner and not self._hidden(job, "list")]
        return sorted(mine, key=lambda job: (job.created_ns, job.id), reverse=True)

    def cancel_batch(self, owner: str, batch_id: str) -> None:
        """Cancel: a waiting job ends CANCELLED, a running one SUCCEEDED with its rest as code 1."""
        job = self.find_batch(owner, batch_id)
        now = self.clock.now_ns()
        phase = job.phase(now)
        if phase == jobs.PENDING:
            job.end("CANCELLED", now, _cancelled(job.plan))
            self._put_job(job)
        elif phase == jobs.RUNNING:
            job.done_lines = int(job.count * min(job.progress(now), 1))
            self._succeed(job, now)

    def update_batch(self, owner: str, batch_id: str, changes: Mapping[str, Any], mask: Iterable[str]) -> Job:
        """Change what may be changed of a job: the members of *changes* (camelCase) that *mask* names."""
        job = self.find_batch(owner, batch_id)
        for name in mask:
            if name == "displayName":
                job.display_name = str(changes.get(name) or "")
            elif name == "priority":
                job.priority = str(changes.get(name) or "")
            elif name in _KEPT:
                others = {other: value for other, value in job.extras.items() if other != name}
                job.extras = others | ({name: changes[name]} if changes.get(name) else {})
            else:
                raise invalid(f"Invalid field mask provided: field {fields.snake_name(name)} cannot be updated.")
        self._put_job(job)
        return job

    def delete_batch(self, owner: str, batch_id: str) -> None:
        """Delete the job with its results."""
        job = self.find_batch(owner, batch_id)
        rendering = self._renderings.pop(batch_id, None)
        if rendering is not None:
            rendering.give_up()
        if batch_id in self._executed:
            self._executed[batch_id]["deleted"] = rfc3339(self.clock.now_ns())
            self.store.put("executed", batch_id, self._executed[batch_id])
        del self.jobs[batch_id]
        self.store.drop("job", batch_id)
        self.store.result(batch_id).unlink(missing_ok=True)
        self._forget_content({job.input_sha, *job.refs.values()})

    def executed(self) -> list[dict[str, Any]]:
        """Every job whose requests were executed, deleted ones too, in the order of their ends; for each line its key
        and what came of it.
        """
        return sorted(self._executed.values(), key=lambda item: str(item["ended"]))

    def end_batch(self, job: Job, state: str, error: Mapping[str, Any] | None = None) -> None:
        """End a job by decree (admin)."""
        if job.state:
            return
        if state == "SUCCEEDED":
            self._succeed(job, self.clock.now_ns())
        else:
            job.end(state, self.clock.now_ns(), error)
            self._put_job(job)

    def settle(self) -> None:
        """End the jobs whose time has come."""
        now = self.clock.now_ns()
        for job in [job for job in self.jobs.values() if job.due(now)]:
            at = job.end_ns(now)
            plan = job.plan.job
            if job.overdue(now):
                job.end("EXPIRED", at, {"code": 4, "message": "Batch expired before it could complete."})
                self._put_job(job)
            elif plan.end == "SUCCEEDED":
                if plan.done_share < 1:
                    job.done_lines = int(job.count * plan.done_share)
                self._succeed(job, at)
            else:
                errors = {
                    "FAILED": {"code": plan.code, "message": plan.message},
                    "CANCELLED": _cancelled(job.plan),
                    "EXPIRED": {"code": 4, "message": "Batch expired before it could complete."},
                }
                job.end(plan.end, at, errors[plan.end])
                self._put_job(job)

    def result_of(self, owner: str, batch_id: str) -> Path | Rendering:
        """The caller's result lines: a complete file, or one that is being written. ApiError 403."""
        job = self.jobs.get(batch_id)
        if job is None or job.owner != owner or not job.shows_output or job.answers_inlined:
            raise no_such_file(f"batch-{batch_id}")
        if self._hidden(job, "download"):
            raise no_such_file(f"batch-{batch_id}")
        return self._rendered(job)

    def _rendered(self, job: Job) -> Path | Rendering:
        path = self.store.result(job.id)
        running = self._renderings.get(job.id)
        if running is not None and not running.done.is_set():
            return running
        if path.exists():
            return path
        rendering = Rendering(self._lines(job), path)
        self._renderings[job.id] = rendering
        return rendering

    def _inlined(self, job: Job) -> list[Any] | None:
        if not job.answers_inlined or not job.shows_output:
            return None
        made = self._rendered(job)
        if isinstance(made, Rendering):
            made.done.wait()
            made = made.path
        return [orjson.loads(line) for line in made.read_bytes().splitlines()]

    def _succeed(self, job: Job, at_ns: int) -> None:
        job.refs = self._readable(job, at_ns)
        job.succeeded = job.failed = 0
        executed = []
        for verdict in self._lines(job).verdicts(load=False):
            if verdict.failed:
                job.failed += 1
            else:
                job.succeeded += 1
            error = {"error": verdict.error} if verdict.failed else {}
            executed.append({"key": verdict.key, "came": verdict.came} | error)
        job.end("SUCCEEDED", at_ns)
        self._executed[job.id] = {
            "job": f"batches/{job.id}",
            "display_name": job.display_name,
            "model": job.model,
            "owner": job.owner,
            "created": rfc3339(job.created_ns),
            "ended": rfc3339(job.ended_ns),
            "deleted": "",
            "files": sorted({job.input_file.removeprefix("files/"), *job.refs} - {""}),
            "lines": executed,
        }
        self.store.put("executed", job.id, self._executed[job.id])
        job.vanish_as_planned("ended", at_ns)
        self._put_job(job)
        self._rendered(job)

    def _readable(self, job: Job, at_ns: int) -> dict[str, str]:
        found = {}
        for file_id in _mentioned(self.store.blob(job.input_sha)):
            stored = self.files.get(file_id)
            if stored and stored.owner == job.owner and stored.expires_ns > at_ns:
                found[file_id] = stored.sha256
        return found

    def _lines(self, job: Job) -> Lines:
        return Lines(job, self.catalogue, self.store.blob(job.input_sha), self.store.blob)

    def _put_job(self, job: Job) -> None:
        self.jobs[job.id] = job
        self.store.put("job", job.id, job.as_json())

    def _keep_inline(self, inline: Any, message: str) -> str:
        if unknown := [name for name in inline if name != "requests"] if isinstance(inline, dict) else []:
            raise unknown_fields([("batch.input_config.requests", name) for name in unknown])
        items = inline.get("requests") if isinstance(inline, dict) else inline
        if not isinstance(items, list):
            raise invalid("* BatchGenerateContentRequest.batch.input_config.requests: a list is needed\n")
        rows.check_inline(items, message, self.plan.api)
        content = b"".join(orjson.dumps(item) + b"\n" for item in items)
        sha256 = hashlib.sha256(content).hexdigest()
        temporary = self.store.upload(f"inline-{secrets.token_hex(8)}")
        temporary.write_bytes(content)
        temporary.replace(self.store.blob(sha256))
        return sha256

    def _check_job_quotas(self, model: str, tokens: int, active: list[Job]) -> None:
        quotas = self.plan.quotas
        if quotas.concurrent_jobs and len(active) >= quotas.concurrent_jobs:
            raise quota("BatchConcurrentJobs", quotas.concurrent_jobs, model, quotas.retry_delay_s)
        if self._over_tokens(model, tokens, active) and quotas.refuse == "create":
            raise quota("BatchEnqueuedTokensPerModel", quotas.enqueued_tokens, model, quotas.retry_delay_s)

    def _over_tokens(self, model: str, tokens: int, active: list[Job]) -> bool:
        limit = self.plan.quotas.enqueued_tokens
        return bool(limit) and tokens + sum(job.tokens for job in active if job.model == model) > limit

    def _job_plan(self, display_name: str, keys: list[str], over_quota: bool) -> faults.Plan:
        lines = []
        for number, fault in enumerate(self.plan.lines):
            if fault.jobs:
                hit = any(fault.hits(display_name, at, key) for at, key in enumerate(keys, 1))
                if not hit or self._seen[f"line-{number}"] >= fault.jobs:
                    continue
                self._seen[f"line-{number}"] += 1
                self._keep("seen", dict(self._seen))
            lines.append(fault)
        campaign = self.plan.campaign
        job = campaign.job_plan(display_name, self.plan.job)
        results = campaign.results(display_name, self.plan.results)
        if over_quota:
            message = "Enqueued token quota exceeded for this model."
            job = dataclasses.replace(job, end="FAILED", code=8, message=message, seconds=0.0, polls=0)
        return dataclasses.replace(self.plan, calls=(), lines=tuple(lines), job=job, results=results)

    # -- replies --

    def serving(self, model: str, version: str, method: str) -> Model:
        """The model of that name that *method* can be called for; ApiError 404."""
        method_named = self.plan.api.list_method
        return self.catalogue.serving(model, version, method, today=self.today, list_method=method_named)

    @property
    def today(self) -> str:
        """The emulated day from which models count as shut down; empty if they are answered all the same."""
        return rfc3339(self.clock.now_ns())[:10] if self.plan.api.shut_down == "refused" else ""

    def reply(self, owner: str, model: str, version: str, raw: Any) -> dict[str, Any]:
        """Answer one generateContent request at once."""
        served = self.serving(model, version, "generateContent")
        requests.check_fields(raw)
        request = requests.read(raw)
        requests.check(request, served)

        def read_file(file_id: str) -> bytes:
            return self.store.blob(self._owned(owner, file_id).sha256).read_bytes()

        materials = answers.collect(request, read_file)
        plan = self.plan.models
        manners = answers.Manners(plan.ignore_image_size, plan.ignore_schema, plan.reroute, plan.signature_bytes)
        return answers.reply(served, request, "", materials, manners)

    def count_tokens(self, model: str, version: str, raw: Any) -> dict[str, Any]:
        """The tokens of a countTokens request, by the same rule as in usageMetadata."""
        served = self.serving(model, version, "countTokens")
        requests.check_fields(raw, "CountTokensRequest")
        body = fields.camel(raw)
        return answers.counted(served, requests.read(body.get("generateContentRequest") or body))

    def embed(self, model: str, version: str, raw: Any, method: str) -> dict[str, Any]:
        """Answer embedContent or batchEmbedContents at once."""
        self.serving(model, version, method)
        several = method == "batchEmbedContents"
        items = (raw.get("requests") or []) if several and isinstance(raw, dict) else [raw]
        for item in items:
            requests.check_fields(item, "EmbedContentRequest")
        vectors = [embeddings.embedding(item) for item in items]
        return {"embeddings": vectors} if several else {"embedding": vectors[0]}

    def log(self, entry: dict[str, Any]) -> None:
        """Remember one call."""
        self.call_counts[entry["kind"]] += 1
        self.store.log(entry)


def _random_id(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _known_mime_type(mime_type: str) -> bool:
    kind = mime_type.split(";")[0].strip().lower()
    return kind.startswith(_MIME_FAMILIES) or kind.removeprefix("application/") in _MIME_APPLICATIONS


def _cancelled(plan: faults.Plan) -> dict[str, Any]:
    return {"code": plan.api.cancelled_code, "message": "Batch was cancelled."}


def _mentioned(path: Path) -> set[str]:
    found: set[str] = set()
    with path.open("rb") as source:
        for raw in source:
            found.update(match.decode() for match in re.findall(rb"files/([a-z0-9-]{1,40})", raw))
    return found
