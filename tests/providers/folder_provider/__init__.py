"""A provider whose server is a folder: the smallest one that makes every picture of a library.

It shows that nothing outside a provider's package depends on Gemini, and is an example to start from. A job takes a
moment; its result file has lines of its own kind, `{"key": …, "picture": <hexadecimal>}`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from types import TracebackType
from typing import Any

from chargen.base import durable
from chargen.base.capabilities import Capabilities
from chargen.base.findings import Finding
from chargen.pictures.formats import BrokenPicture
from chargen.providers.base import (
    RemoteError,
    RemoteFile,
    RemoteJob,
    Request,
    ResultLine,
    SentFile,
    SentRequest,
    Slice,
    Verdict,
    Wanted,
)
from chargen.providers.models import Catalog, load_catalog
from chargen.providers.protocol import Provider
from chargen.providers.verdicts import failed
from chargen.records.batch import BatchPlan
from chargen.records.settings import Settings

JOB_TAKES = dt.timedelta(seconds=0.3)


class Gone(RemoteError):
    """The folder has no such file or job."""

    @property
    def gone(self) -> bool:
        return True


class Folder:
    """A connection: jobs and files are files below *root*.

    Several processes use it at the same time. A job's name never comes again, a job is there as a whole or not at all,
    and one that is deleted while others list the jobs is passed over.
    """

    fingerprint = "no-key"

    def __init__(self, root: Path) -> None:
        self.base_url = root.as_uri()
        self._jobs, self._files = root / "jobs", root / "files"
        self._jobs.mkdir(parents=True, exist_ok=True)
        self._files.mkdir(exist_ok=True)

    def create(self, model: str, request_file: str, display_name: str) -> str:
        name = f"job-{uuid.uuid4().hex}"
        requests = [json.loads(line) for line in (self._files / request_file).read_text().splitlines()]
        lines = [{"key": request["key"], "picture": draw(request["prompt"]).hex()} for request in requests]
        results = self._files / f"results-of-{name}"
        results.write_text("".join(json.dumps(line) + "\n" for line in lines))
        job = RemoteJob(
            name=name,
            display_name=display_name,
            state="RUNNING",
            model=model,
            created=dt.datetime.now(dt.UTC).isoformat(),
            requests=len(lines),
            done=0,
            request_file=request_file,
            responses_file=results.name,
        )
        durable.write_json(self._jobs / name, job.to_json())
        return name

    def jobs(self) -> Iterator[RemoteJob]:
        found = []
        for path in self._jobs.glob("job-*"):
            with suppress(FileNotFoundError):  # another process has deleted it
                found.append(as_it_is_now(RemoteJob.from_json(json.loads(path.read_text()))))
        yield from sorted(found, key=lambda job: job.created, reverse=True)

    def list_jobs(self) -> tuple[list[RemoteJob], bool]:
        return list(self.jobs()), True

    def job(self, name: str) -> RemoteJob:
        for job in self.jobs():
            if job.name == name:
                return job
        raise Gone(f"looking at {name}", 404, "there is no such job")

    def cancel(self, name: str) -> None:
        self.job(name)

    def delete_job(self, name: str) -> None:
        job = self.job(name)
        with suppress(Gone):
            self.delete_file(job.responses_file)
        (self._jobs / name).unlink(missing_ok=True)

    def upload(self, path: Path, display_name: str, mime: str) -> RemoteFile:
        content = path.read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        durable.write(self._files / sha256, content)
        now = dt.datetime.now(dt.UTC)
        expires = (now + dt.timedelta(days=30)).isoformat()
        uri = f"{self.base_url}/{sha256}"
        return RemoteFile(sha256, uri, display_name, mime, len(content), sha256, now.isoformat(), expires, "ACTIVE")

    def files(self) -> Iterator[RemoteFile]:
        yield from ()

    def delete_file(self, name: str) -> None:
        try:
            (self._files / name).unlink()
        except FileNotFoundError:
            raise Gone(f"deleting {name}", 404, "there is no such file") from None

    def download(self, name: str, path: Path) -> str:
        path.write_bytes((self._files / name).read_bytes())
        return ""


class FolderResults:
    """A result file, read as a whole."""

    is_plausible = True

    def __init__(self, path: Path) -> None:
        self._content = path.read_bytes()
        self.size = len(self._content)

    def __enter__(self) -> FolderResults:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __iter__(self) -> Iterator[ResultLine]:
        for number, text in enumerate(self._content.splitlines(), 1):
            try:
                line = json.loads(text)
                picture = Slice(0, 0, inline=line["picture"].encode())
                yield ResultLine(number, line["key"], has_response=True, pictures=(picture,))
            except (ValueError, KeyError, TypeError) as error:
                yield ResultLine(number, problem=f"the line cannot be read: {error}")

    def decode(self, slice_: Slice) -> bytes:
        try:
            return bytes.fromhex(slice_.inline.decode())
        except ValueError as error:
            raise BrokenPicture(str(error)) from None


class FolderProvider:
    """What the entry point names."""

    capabilities = Capabilities(
        "folder", recorded_as="a-folder", needs_key=False, costs_money=False, budget_usd=None, grace_s=0.1
    )
    request_types = ("application/jsonl",)

    def connect(self, settings: Settings) -> Folder:
        return Folder(Path(settings.home) / "folder-server")

    def check_privacy(self, settings: Settings) -> Iterator[Finding]:
        yield Finding("ok", "privacy", "nothing leaves this machine")

    def check_api(self, settings: Settings, models: Mapping[str, str]) -> Iterator[Finding]:
        yield Finding("ok", "api", "a folder is always there")

    def catalog(self, settings: Settings, today: dt.date | None = None) -> Catalog:
        return load_catalog(Path(settings.models_file), today)

    def request_line(self, plan: BatchPlan, request: Request, pictures: Sequence[SentFile]) -> bytes:
        line = {"key": request.key, "prompt": request.text, "pictures": [asdict(item) for item in pictures]}
        return json.dumps(line | {"stored": plan.store_requests}).encode() + b"\n"

    def read_request(self, line: Mapping[str, Any]) -> SentRequest:
        return SentRequest(line["key"], frozenset(item["uri"] for item in line["pictures"]), line["stored"])

    def results(self, path: Path) -> FolderResults:
        return FolderResults(path)

    def judge(self, line: ResultLine | None, wanted: Wanted) -> Verdict:
        if line is None:
            return failed("missing-line")
        if line.problem:
            return failed("unreadable-line", line.problem)
        if wanted == "picture" and line.picture:
            return Verdict("picture", picture=line.picture)
        return failed("empty-reply")

    def judge_job(self, error_code: int, error: str) -> Verdict:
        return failed("internal", error)

    def is_over_quota(self, error_code: int) -> bool:
        return False


def as_it_is_now(job: RemoteJob) -> RemoteJob:
    """Return *job* with its end, once its time is over."""
    is_over = dt.datetime.now(dt.UTC) - dt.datetime.fromisoformat(job.created) >= JOB_TAKES
    return replace(job, state="SUCCEEDED", done=job.requests) if is_over else job


def draw(prompt: str) -> bytes:
    """Return a picture in the colour of its prompt."""
    from PIL import Image

    digest = hashlib.sha256(prompt.encode()).digest()
    file = io.BytesIO()
    Image.new("RGB", (1024, 1024), (digest[0], digest[1], digest[2])).save(file, "PNG")
    return file.getvalue()


PROVIDER: Provider = FolderProvider()
