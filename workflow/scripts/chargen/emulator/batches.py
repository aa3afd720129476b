"""The batch jobs of the emulated service, by owner: created, looked at, cancelled, ended, their results."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from chargen.emulator import fields, jobs, rows
from chargen.emulator.clock import Clock, rfc3339
from chargen.emulator.errors import invalid, no_such_file, not_found, quota, unknown_fields
from chargen.emulator.fault_plan import Plan
from chargen.emulator.faults import glob
from chargen.emulator.jobs import Job
from chargen.emulator.replies import Models
from chargen.emulator.results import Lines, Rendering
from chargen.emulator.store import Store
from chargen.emulator.trouble import Trouble
from chargen.emulator.uploaded_files import Files, random_id

_KEPT = ("outputConfig", "webhookConfig")
_METHODS: Mapping[str, tuple[str, str]] = {
    jobs.GENERATE: ("batchGenerateContent", "BatchGenerateContentRequest"),
    jobs.EMBED: ("asyncBatchEmbedContent", "AsyncBatchEmbedContentRequest"),
}


class Batches:
    """All jobs. Their time passes when somebody calls: see `settle`."""

    def __init__(self, store: Store, clock: Clock, trouble: Trouble, files: Files, models: Models) -> None:
        self._store = store
        self._clock = clock
        self._trouble = trouble
        self._files = files
        self._models = models
        self.jobs = {name: Job(**body) for name, body in store.all("job").items()}
        self.created: Counter[str] = Counter(store.all("meta").get("created", {}))
        self._renderings: dict[str, Rendering] = {}
        self._executed: dict[str, dict[str, Any]] = store.all("executed")
        self._last_ns = 0

    def create(self, owner: str, model: str, version: str, batch: Mapping[str, Any], kind: str = jobs.GENERATE) -> Job:
        """Create a job of *kind* from a ``batch`` message (camelCase), in file or inline mode."""
        method, message = _METHODS[kind]
        served = self._models.serving(model, version, method)
        display_name = str(batch.get("displayName") or "")
        if self._trouble.plan.api.display_name == "required" and not display_name:
            raise invalid(f"* {message}.batch.display_name: display_name is not specified\n")
        config = batch.get("inputConfig") or {}
        inline = config.get("requests")
        request = "EmbedContentRequest" if kind == jobs.EMBED else "GenerateContentRequest"
        if inline is not None:
            input_file, sha256 = "", self._keep_inline(inline, request)
        elif config.get("fileName"):
            stored = self._files.owned(owner, str(config["fileName"]).removeprefix("files/"))
            input_file, sha256 = f"files/{stored.id}", stored.sha256
            rows.check_file(self._store.blob(sha256), request, self._trouble.plan.api)
        else:
            raise invalid(f"* {message}.batch.input_config: input_config is not specified\n")
        path = self._store.blob(sha256)
        keys = rows.keys(path)
        if not keys:
            raise invalid(f"* {message}.batch.input_config: the input has no requests\n")
        tokens = path.stat().st_size // 4
        active = [job for job in self.jobs.values() if job.owner == owner and not job.state]
        self._check_job_quotas(served.id, tokens, active)
        now = max(self._clock.now_ns(), self._last_ns + 1)
        self._last_ns = now
        plan = self._trouble.job_plan(display_name, keys, self._over_tokens(served.id, tokens, active))
        job = Job(
            id=random_id(36),
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
        self._store.put("meta", "created", dict(self.created))
        return job

    def plant(self, owner: str, about: Mapping[str, Any]) -> Job:
        """Put a batch of a given id there (admin): ``id``, ``model``, ``display_name``, and ``requests`` (inline) or
        the id of a ``file``.
        """
        config = {"fileName": about["file"]} if "file" in about else {"requests": {"requests": list(about["requests"])}}
        batch = {"displayName": about.get("display_name", "planted"), "inputConfig": config}
        model = str(about["model"])
        embeds = model in self._models.catalogue.models and self._models.catalogue.models[model].embeds
        job = self.create(owner, model, "v1beta", batch, jobs.EMBED if embeds else jobs.GENERATE)
        self._store.drop("job", job.id)
        del self.jobs[job.id]
        job.id = str(about["id"])
        self._put_job(job)
        return job

    def find(self, owner: str, batch_id: str, *, looking: bool = False) -> Job:
        """The caller's job, settled; ApiError 404, also for one that has vanished from the eyes of who is *looking*."""
        job = self.jobs.get(batch_id)
        if job is None or job.owner != owner or (looking and self._hidden(job, "get")):
            raise not_found()
        return job

    def display_name(self, owner: str, batch_id: str) -> str:
        """The display name of the caller's job; ``""`` if there is none."""
        job = self.jobs.get(batch_id)
        return job.display_name if job and job.owner == owner else ""

    def vanish(self, pattern: str, places: Sequence[str], calls: int, seconds: float) -> list[str]:
        """Let the jobs whose display name fits the glob vanish from *places* (none: come back); returns their names."""
        found = [job for job in self.jobs.values() if glob(job.display_name, pattern)]
        for job in found:
            job.vanish(places, calls, seconds, self._clock.now_ns())
            self._put_job(job)
        return [f"batches/{job.id}" for job in found]

    def _hidden(self, job: Job, place: str) -> bool:
        """Whether *job* is not to be found at *place* now; counts the call."""
        hidden = job.hides(place, self._clock.now_ns())
        if hidden:
            self._put_job(job)
        return hidden

    def look(self, job: Job) -> dict[str, Any]:
        """The operation as the caller sees it now; counts as one poll."""
        self.settle()
        operation = job.operation(self._clock.now_ns(), self._inlined(job))
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

    def of_owner(self, owner: str) -> list[Job]:
        """The caller's jobs, newest first."""
        mine = [job for job in self.jobs.values() if job.owner == owner and not self._hidden(job, "list")]
        return sorted(mine, key=lambda job: (job.created_ns, job.id), reverse=True)

    def cancel(self, owner: str, batch_id: str) -> None:
        """Cancel: a waiting job ends CANCELLED, a running one SUCCEEDED with its rest as code 1."""
        job = self.find(owner, batch_id)
        now = self._clock.now_ns()
        phase = job.phase(now)
        if phase == jobs.PENDING:
            job.end("CANCELLED", now, _cancelled(job.plan))
            self._put_job(job)
        elif phase == jobs.RUNNING:
            job.done_lines = int(job.count * min(job.progress(now), 1))
            self._succeed(job, now)

    def update(self, owner: str, batch_id: str, changes: Mapping[str, Any], mask: Iterable[str]) -> Job:
        """Change what may be changed of a job: the members of *changes* (camelCase) that *mask* names."""
        job = self.find(owner, batch_id)
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

    def delete(self, owner: str, batch_id: str) -> set[str]:
        """Delete the job with its results; return the hashes of the contents that it needed."""
        job = self.find(owner, batch_id)
        rendering = self._renderings.pop(batch_id, None)
        if rendering is not None:
            rendering.give_up()
        if batch_id in self._executed:
            self._executed[batch_id]["deleted"] = rfc3339(self._clock.now_ns())
            self._store.put("executed", batch_id, self._executed[batch_id])
        del self.jobs[batch_id]
        self._store.drop("job", batch_id)
        self._store.result(batch_id).unlink(missing_ok=True)
        return job.contents

    def executed(self) -> list[dict[str, Any]]:
        """Every job whose requests were executed, deleted ones too, in the order of their ends; for each line its key
        and result.
        """
        return sorted(self._executed.values(), key=lambda item: str(item["ended"]))

    def end(self, job: Job, state: str, error: Mapping[str, Any] | None = None) -> None:
        """End a job at once (admin)."""
        if job.state:
            return
        if state == "SUCCEEDED":
            self._succeed(job, self._clock.now_ns())
        else:
            job.end(state, self._clock.now_ns(), error)
            self._put_job(job)

    def settle(self) -> None:
        """End the jobs whose time has come."""
        now = self._clock.now_ns()
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
        path = self._store.result(job.id)
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
        self._store.put("executed", job.id, self._executed[job.id])
        job.vanish_as_planned("ended", at_ns)
        self._put_job(job)
        self._rendered(job)

    def _readable(self, job: Job, at_ns: int) -> dict[str, str]:
        found = {}
        for file_id in _mentioned(self._store.blob(job.input_sha)):
            stored = self._files.stored.get(file_id)
            if stored and stored.owner == job.owner and stored.expires_ns > at_ns:
                found[file_id] = stored.sha256
        return found

    def _lines(self, job: Job) -> Lines:
        return Lines(job, self._models.catalogue, self._store.blob(job.input_sha), self._store.blob)

    def _put_job(self, job: Job) -> None:
        self.jobs[job.id] = job
        self._store.put("job", job.id, job.as_json())

    def _keep_inline(self, inline: Any, message: str) -> str:
        if unknown := [name for name in inline if name != "requests"] if isinstance(inline, dict) else []:
            raise unknown_fields([("batch.input_config.requests", name) for name in unknown])
        items = inline.get("requests") if isinstance(inline, dict) else inline
        if not isinstance(items, list):
            raise invalid("* BatchGenerateContentRequest.batch.input_config.requests: a list is needed\n")
        rows.check_inline(items, message, self._trouble.plan.api)
        content = b"".join(orjson.dumps(item) + b"\n" for item in items)
        sha256 = hashlib.sha256(content).hexdigest()
        temporary = self._store.upload(f"inline-{secrets.token_hex(8)}")
        temporary.write_bytes(content)
        temporary.replace(self._store.blob(sha256))
        return sha256

    def _check_job_quotas(self, model: str, tokens: int, active: list[Job]) -> None:
        quotas = self._trouble.plan.quotas
        if quotas.concurrent_jobs and len(active) >= quotas.concurrent_jobs:
            raise quota("BatchConcurrentJobs", quotas.concurrent_jobs, model, quotas.retry_delay_s)
        if self._over_tokens(model, tokens, active) and quotas.refuse == "create":
            raise quota("BatchEnqueuedTokensPerModel", quotas.enqueued_tokens, model, quotas.retry_delay_s)

    def _over_tokens(self, model: str, tokens: int, active: list[Job]) -> bool:
        limit = self._trouble.plan.quotas.enqueued_tokens
        return bool(limit) and tokens + sum(job.tokens for job in active if job.model == model) > limit

    def give_up(self) -> None:
        """Stop writing results."""
        for rendering in self._renderings.values():
            rendering.give_up()


def _cancelled(plan: Plan) -> dict[str, Any]:
    return {"code": plan.api.cancelled_code, "message": "Batch was cancelled."}


def _mentioned(path: Path) -> set[str]:
    found: set[str] = set()
    with path.open("rb") as source:
        for raw in source:
            found.update(match.decode() for match in re.findall(rb"files/([a-z0-9-]{1,40})", raw))
    return found
