"""Client for Gemini's Files and Batch APIs through google-genai, with raw HTTP where the SDK hides data.

The SDK drops an operation's error and statistics, so operations are read raw. Nothing here retries by itself, and
the SDK's own retries stay off: whoever calls knows what may be asked twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, closing
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chargen.base import failpoints, transfer
from chargen.base.errors import ChargenError
from chargen.base.progress import Bar
from chargen.base.tolerant import as_count, as_maps, as_text
from chargen.providers.base import RemoteFile, RemoteJob
from chargen.providers.gemini.errors import GeminiError, from_answer, from_the_way, sdk_errors
from chargen.providers.gemini.jobs import read_file, read_job
from chargen.records.settings import Settings, api_key

if TYPE_CHECKING:
    import httpx2
    from google.genai import Client

API_VERSION = "v1beta"  # /v1 lacks preview models and some features
PAGE = 100
QUESTION_TIMEOUT_S = 60.0


class Remote:
    """One API, one key. Cheap to make; connects when first asked."""

    def __init__(self, base_url: str, key: str, create_timeout_s: float, upload_timeout_s: float):
        self.base_url = base_url.rstrip("/")
        self._key = key
        self._create_timeout_s = create_timeout_s
        self._upload_timeout_s = upload_timeout_s

    def __repr__(self) -> str:
        return f"Remote({self.base_url!r})"

    @property
    def fingerprint(self) -> str:
        """12 hex digits that identify the key without revealing it."""
        return hashlib.sha256(b"chargen key " + self._key.encode()).hexdigest()[:12]

    # -- jobs

    def create(self, model: str, request_file: str, display_name: str) -> str:
        """Create a batch job and return its name. Never call it twice for one batch without looking for the first."""
        from google.genai import types

        with sdk_errors(f"creating the job {display_name}"):
            job = self._client.batches.create(
                model=model,
                src=request_file,
                config=types.CreateBatchJobConfig(
                    display_name=display_name,
                    http_options=types.HttpOptions(timeout=int(self._create_timeout_s * 1000)),
                ),
            )
        if not job.name:
            raise GeminiError(f"creating the job {display_name}", 0, "the answer has no job name")
        return job.name

    def jobs(self) -> Iterator[RemoteJob]:
        """Yield every batch job of the key, newest first as the server lists them, to the last page."""
        for page in self._pages("batches", "operations", "listing jobs"):
            found = map(read_job, as_maps(page))
            yield from (job for job in found if job.name)

    def list_jobs(self) -> tuple[list[RemoteJob], bool]:
        """Return every batch job as `jobs` does, and whether the list says so of all: an entry that cannot be read, or
        has no name, may be the very job that somebody misses."""
        found, whole = [], True
        for page in self._pages("batches", "operations", "listing jobs"):
            entries = [read_job(item) for item in as_maps(page)]
            found += [job for job in entries if job.name]
            whole = whole and len(page) == sum(bool(job.name) for job in entries)
        return found, whole

    def job(self, name: str) -> RemoteJob:
        """Return the job *name*."""
        doing = f"looking at {name}"
        data = self._get(name, {}, doing, name)
        if (said := as_text(data.get("name"))) not in ("", name):
            raise GeminiError(doing, 0, f"the answer is about {said[:100]}")
        return read_job(data | {"name": name})

    def cancel(self, name: str) -> None:
        """Cancel the job; finished results still arrive."""
        with sdk_errors(f"cancelling {name}"):
            self._client.batches.cancel(name=name)

    def delete_job(self, name: str) -> None:
        """Delete the job and its result file."""
        self._delete(name)

    # -- files

    def upload(self, path: Path, display_name: str, mime: str) -> RemoteFile:
        """Upload *path*. The SDK gets an open file: a path with non-ASCII letters would not pass as a header."""
        from google.genai import types

        with sdk_errors(f"uploading {path.name}"), path.open("rb") as handle:
            file = self._client.files.upload(
                file=handle, config=types.UploadFileConfig(display_name=display_name, mime_type=mime)
            )
        found = read_file(file.model_dump(mode="json", by_alias=True, exclude_none=True))
        if not (found.name and found.uri):
            raise GeminiError(f"uploading {path.name}", 0, "the answer does not name the file")
        return found

    def files(self) -> Iterator[RemoteFile]:
        """Yield every uploaded file of the key."""
        for page in self._pages("files", "files", "listing files"):
            found = map(read_file, as_maps(page))
            yield from (file for file in found if file.name)

    def delete_file(self, name: str) -> None:
        """Delete an uploaded file."""
        self._delete(name)

    def download(self, name: str, path: Path) -> str:
        """Stream the file *name*, unpacked, into *path*; return what is wrong with what came, ``""`` if nothing is.

        Raises GeminiError if nothing came, or not all of it.
        """
        import httpx2

        doing = f"downloading {name}"
        # The address of the documentation on batches; the one that the SDK asks answers with a redirect to it.
        url = f"{self.base_url}/download/{API_VERSION}/{quote(name)}:download"
        try:
            with (
                self._http.stream("GET", url, params={"alt": "media"}) as answer,
                path.open("wb") as file,
                ExitStack() as stack,
            ):
                if answer.status_code != 200:
                    answer.read()
                    raise from_answer(doing, answer, name)
                expected = as_count(answer.headers.get("content-length"))
                came = 0
                bar = stack.enter_context(closing(Bar("downloading results", expected or None, counts_bytes=True)))

                def each(number: int) -> None:
                    nonlocal came
                    came += number
                    failpoints.reached("chunk")
                    bar.advance(number)

                fault = transfer.store(answer.iter_raw(1 << 20), answer.headers, file, each)
        except httpx2.HTTPError as error:
            raise from_the_way(doing, error) from None
        if expected and expected != came:
            raise GeminiError(doing, 0, f"the connection ended after {came} of {expected} bytes")
        return fault

    # -- beneath

    @cached_property
    def _client(self) -> Client:
        from google import genai

        from chargen.base import http

        options = http.sdk_options(self.base_url, API_VERSION, self._key, self._upload_timeout_s)
        try:
            return genai.Client(api_key=self._key, vertexai=False, http_options=options)
        except (ImportError, ValueError) as error:  # one of its variables asks for what is not there
            raise ChargenError(f"google-genai cannot be used: {error}") from None

    @cached_property
    def _http(self) -> httpx2.Client:
        from chargen.base import http

        headers = {http.KEY_HEADER: self._key, "accept-encoding": "identity"}
        return http.client(self.base_url, self._key, QUESTION_TIMEOUT_S, headers)

    def _delete(self, name: str) -> None:
        """Delete what has that name; the SDK, which would do the same, takes half a second to import."""
        import httpx2

        try:
            answer = self._http.delete(f"{self.base_url}/{API_VERSION}/{quote(name)}")
        except httpx2.HTTPError as error:
            raise from_the_way(f"deleting {name}", error) from None
        if answer.status_code != 200:
            raise from_answer(f"deleting {name}", answer, name)

    def _get(self, path: str, params: dict[str, str | int], doing: str, about: str = "") -> dict[str, Any]:
        import httpx2

        try:
            answer = self._http.get(f"{self.base_url}/{API_VERSION}/{path}", params=params)
        except httpx2.HTTPError as error:
            raise from_the_way(doing, error) from None
        if answer.status_code != 200:
            raise from_answer(doing, answer, about)
        try:
            data = answer.json()
        except ValueError:
            raise GeminiError(doing, 0, "the answer is not JSON") from None
        if not isinstance(data, dict):
            raise GeminiError(doing, 0, "the answer is not a JSON object")
        return data

    def _pages(self, path: str, key: str, doing: str) -> Iterator[list[Any]]:
        """Yield the entries of each page, odd ones too."""
        seen = {""}
        token = ""
        while True:
            params: dict[str, str | int] = {"pageSize": PAGE}
            if token:
                params["pageToken"] = token
            page = self._get(path, params, doing)
            # An empty list is an empty object. Anything else, taken for one, would hide a job that was paid for.
            if (page and not {key, "nextPageToken"} & page.keys()) or not isinstance(page.get(key, []), list):
                raise GeminiError(doing, 0, f"the answer is not a list of {path}")
            if page.get("unreachable"):
                raise GeminiError(doing, 0, f"the list of {path} is incomplete")
            yield page.get(key, [])
            token = as_text(page.get("nextPageToken"))
            if not token:
                return
            if token in seen:
                raise GeminiError(doing, 0, "the list names the same page twice")
            seen.add(token)


def connect(settings: Settings) -> Remote:
    """Return the remote side of *settings*; starts the embedded emulator if that is what is wanted."""
    home = Path(settings.home)
    key = api_key(settings.capabilities, home)
    return Remote(base_url(settings), key, settings.submit.timeout_s, settings.upload.timeout_s)


def base_url(settings: Settings) -> str:
    """Return the address of the API, starting the embedded emulator if no other is named."""
    if settings.capabilities.is_embedded and not settings.base_url:
        import shlex

        from chargen.emulator.launch import ensure

        options = ["--job-seconds", str(settings.emulator.job_s), "--idle-exit", str(settings.emulator.idle_exit_s)]
        options += ["--models", settings.models_file]
        return ensure(server_folder(settings), [*options, *shlex.split(settings.emulator.options)])
    return settings.base_url


def server_folder(settings: Settings) -> Path:
    """Return where the embedded emulator keeps its data."""
    return Path(settings.home) / "state" / "emulator-server"
