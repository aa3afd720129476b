"""The remote side: Gemini's Files and Batch APIs through google-genai, raw HTTP where the SDK hides what is needed.

The SDK drops an operation's error and statistics, so operations are read raw. Nothing here retries by itself, and
the SDK's own retries stay off: whoever calls knows what may be asked twice.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chargen.base import failpoints, transfer
from chargen.base.errors import ChargenError
from chargen.base.output import one_line
from chargen.base.progress import Bar
from chargen.base.tolerant import as_count, as_map, as_maps, as_text
from chargen.records.settings import API_VERSION, Settings, api_key

if TYPE_CHECKING:
    import httpx2
    from google.genai import Client

PAGE = 100
QUESTION_TIMEOUT_S = 60.0
LONGEST_DELAY_S = 3600.0
"""The longest pause that is believed: for a full storage the API has asked for 292 billion years."""
LONGEST_MESSAGE = 2000
"""Characters of what somebody said that are kept; a page of a firewall is longer."""
LOST = "LOST"
"""Our own word for a job that was paid for and is gone from the server, or whose results are."""

_INLINED = "inlinedResponses"

_NOT_FOUND = re.compile(r"Requested entity was not found\.?")
_MAY_NOT_EXIST = re.compile(r"permission to access the \w+ (\S+?) or it may not exist")
"""What the API says of a job, and of a file, that it does not have."""

FINAL_STATES = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", LOST})
"""Only these end a job; a state that nobody knows is never final."""


class RemoteError(ChargenError):
    """The API said no, or the question did not get through. ``status`` is the HTTP status, 0 without an answer.

    ``unsent`` says that no connection was made, so that the server certainly never heard of it; ``foreign`` that what
    answered was not the API, but a firewall, a proxy or the page of a network on the way. ``about`` is the name of the
    file or job that was asked for. The message is one line, without the key and without control characters.
    """

    def __init__(
        self,
        doing: str,
        status: int,
        message: str,
        details: Any = None,
        *,
        unsent: bool = False,
        foreign: bool = False,
        about: str = "",
    ):
        message = one_line(message)[:LONGEST_MESSAGE]
        self.status = status
        self.message = message
        self.details = details or []
        self.unsent = unsent
        self.foreign = foreign
        self.about = about
        said = f"{status} {message}" if status else message
        refused = status in (401, 403) or (status == 400 and "api key" in message.lower())
        hint = " (`snakemake doctor` looks at the key)" if refused and not self.gone else ""
        if foreign:
            hint = " (this is not an answer of the API: a proxy, a firewall or a login page on the way said it)"
        super().__init__(f"{doing}: {said}{hint}")

    @property
    def retry_after_s(self) -> float | None:
        """The pause that the API asks for, in seconds, an hour at most; None if it names none."""
        for detail in as_maps(self.details):
            delay = as_text(detail.get("retryDelay"))
            try:
                seconds = float(delay.removesuffix("s"))
            except ValueError:
                continue
            if delay.endswith("s") and seconds >= 0:  # false for what is not a number, too
                return min(seconds, LONGEST_DELAY_S)
        return None

    @property
    def storage_full(self) -> bool:
        """The account's file storage has no room; the API says so in the message or only in the details."""
        return self.status == 429 and "storage" in f"{self.message} {self.details}".lower()

    @property
    def out_of_credits(self) -> bool:
        """A 429 without details: prepaid credits are used up, and no waiting helps."""
        return self.status == 429 and not self.details and not self.foreign

    @property
    def unclear(self) -> bool:
        """Whether the act may have taken effect all the same.

        There was no answer, or none of the API, a redirect, a time-out, or the server failed.
        """
        status = self.status
        no_answer = (status == 0 and not self.unsent) or self.foreign
        return no_answer or 300 <= status < 400 or status in (408, 499) or status >= 500

    @property
    def passing(self) -> bool:
        """Whether the same call may well succeed a little later."""
        return self.unclear or self.unsent or (self.status == 429 and not self.out_of_credits)

    @property
    def gone(self) -> bool:
        """Whether the API itself says that the file or job does not exist, or not for this key.

        What it says of the key, the project or a model is something else, and so is what anybody on the way says.
        """
        if self.foreign or self.status not in (403, 404):
            return False
        if self.status == 404 and _NOT_FOUND.fullmatch(self.message):
            return True
        named = _MAY_NOT_EXIST.search(self.message)
        return named is not None and self.about.rpartition("/")[2] in ("", named[1])


@dataclass(frozen=True, slots=True)
class Operation:
    """A batch job as the server describes it. ``state`` lacks its prefix; counts are of requests.

    ``inlined`` says that the answers stand in the operation itself, as small jobs have it at times.
    """

    name: str
    display_name: str
    state: str
    model: str
    created: str
    updated: str
    ended: str
    requests: int
    done: int
    failed: int
    request_file: str
    responses_file: str
    inlined: bool
    error_code: int
    error: str
    raw: dict[str, Any]

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def has_results(self) -> bool:
        """Whether it says where its results are."""
        return bool(self.responses_file) or self.inlined

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield the inlined answers in the form of a result file's lines."""
        answers = self._output(self.raw).get(_INLINED)
        for answer in as_maps(answers.get(_INLINED) if isinstance(answers, dict) else answers):
            key = as_map(answer.get("metadata")).get("key")
            yield {name: item for name, item in answer.items() if name != "metadata"} | ({"key": key} if key else {})

    def without_answers(self) -> dict[str, Any]:
        """Return the operation as the server described it, but for inlined answers, which can be large."""
        raw = dict(self.raw)
        metadata = as_map(raw.get("metadata"))
        if as_map(metadata.get("output")).get(_INLINED) is not None:
            raw["metadata"] = metadata | {"output": metadata["output"] | {_INLINED: {}}}
        if as_map(raw.get("response")).get(_INLINED) is not None:
            raw["response"] = raw["response"] | {_INLINED: {}}
        return raw

    @staticmethod
    def _output(data: dict[str, Any]) -> dict[str, Any]:
        return as_map(as_map(data.get("metadata")).get("output")) or as_map(data.get("response"))

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Operation:
        """Read an operation as ``GET /v1beta/batches/{id}`` answers it, whatever is missing, null or odd in it."""
        metadata = as_map(data.get("metadata"))
        stats = as_map(metadata.get("batchStats"))
        error = as_map(data.get("error"))
        successful, failed = as_count(stats.get("successfulRequestCount")), as_count(stats.get("failedRequestCount"))
        output = cls._output(data)
        return cls(
            name=as_text(data.get("name")) or as_text(metadata.get("name")),
            display_name=as_text(metadata.get("displayName")),
            state=as_text(metadata.get("state")).removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_"),
            model=as_text(metadata.get("model")).removeprefix("models/"),
            created=as_text(metadata.get("createTime")),
            updated=as_text(metadata.get("updateTime")),
            ended=as_text(metadata.get("endTime")),
            requests=as_count(stats.get("requestCount")),
            done=successful + failed,
            failed=failed,
            request_file=as_text(as_map(metadata.get("inputConfig")).get("fileName")),
            responses_file=as_text(output.get("responsesFile")),
            inlined=output.get(_INLINED) is not None,
            error_code=as_count(error.get("code")),
            error=as_text(error.get("message")),
            raw=data,
        )


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """An uploaded file; times as the server writes them, ``sha256`` in hex."""

    name: str
    uri: str
    display_name: str
    mime: str
    bytes: int
    sha256: str
    created: str
    expires: str
    state: str

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> RemoteFile:
        """Read a file as the Files API answers it; its hash is base64 of the hex digest's text."""
        import base64
        import binascii

        try:
            sha256 = base64.b64decode(as_text(data.get("sha256Hash"))).decode("ascii", "replace")
        except (binascii.Error, ValueError):
            sha256 = ""
        return cls(
            name=as_text(data.get("name")),
            uri=as_text(data.get("uri")),
            display_name=as_text(data.get("displayName")),
            mime=as_text(data.get("mimeType")),
            bytes=as_count(data.get("sizeBytes")),
            sha256=sha256,
            created=as_text(data.get("createTime")),
            expires=as_text(data.get("expirationTime")),
            state=as_text(data.get("state")),
        )


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
        """12 hex digits that tell keys apart and tell nothing of the key."""
        return hashlib.sha256(b"chargen key " + self._key.encode()).hexdigest()[:12]

    # -- jobs

    def create(self, model: str, request_file: str, display_name: str) -> str:
        """Create a batch job and return its name. Never call it twice for one batch without looking for the first."""
        from google.genai import types

        with _sdk_errors(f"creating the job {display_name}"):
            job = self._client.batches.create(
                model=model,
                src=request_file,
                config=types.CreateBatchJobConfig(
                    display_name=display_name,
                    http_options=types.HttpOptions(timeout=int(self._create_timeout_s * 1000)),
                ),
            )
        if not job.name:
            raise RemoteError(f"creating the job {display_name}", 0, "the answer holds no job name")
        return job.name

    def jobs(self) -> Iterator[Operation]:
        """Yield every batch job of the key, newest first as the server lists them, to the last page."""
        for page in self._pages("batches", "operations", "listing jobs"):
            found = map(Operation.from_json, as_maps(page))
            yield from (operation for operation in found if operation.name)

    def list_jobs(self) -> tuple[list[Operation], bool]:
        """Return every batch job as `jobs` does, and whether the list says so of all: an entry that cannot be read, or
        has no name, may be the very job that somebody misses."""
        found, whole = [], True
        for page in self._pages("batches", "operations", "listing jobs"):
            entries = [Operation.from_json(item) for item in as_maps(page)]
            found += [operation for operation in entries if operation.name]
            whole = whole and len(page) == sum(bool(operation.name) for operation in entries)
        return found, whole

    def job(self, name: str) -> Operation:
        """Return the job *name*."""
        doing = f"looking at {name}"
        data = self._get(name, {}, doing, name)
        if (said := as_text(data.get("name"))) not in ("", name):
            raise RemoteError(doing, 0, f"the answer is about {said[:100]}")
        return Operation.from_json(data | {"name": name})

    def cancel(self, name: str) -> None:
        """Ask for the job's end; what is done by then still comes."""
        with _sdk_errors(f"cancelling {name}"):
            self._client.batches.cancel(name=name)

    def delete_job(self, name: str) -> None:
        """Delete the job and its result file."""
        self._delete(name)

    # -- files

    def upload(self, path: Path, display_name: str, mime: str) -> RemoteFile:
        """Upload *path*. The SDK gets an open file: a path with non-ASCII letters would not pass as a header."""
        from google.genai import types

        with _sdk_errors(f"uploading {path.name}"), path.open("rb") as handle:
            file = self._client.files.upload(
                file=handle, config=types.UploadFileConfig(display_name=display_name, mime_type=mime)
            )
        found = RemoteFile.from_json(file.model_dump(mode="json", by_alias=True, exclude_none=True))
        if not (found.name and found.uri):
            raise RemoteError(f"uploading {path.name}", 0, "the answer does not name the file")
        return found

    def files(self) -> Iterator[RemoteFile]:
        """Yield every uploaded file of the key."""
        for page in self._pages("files", "files", "listing files"):
            found = map(RemoteFile.from_json, as_maps(page))
            yield from (file for file in found if file.name)

    def delete_file(self, name: str) -> None:
        """Delete an uploaded file."""
        self._delete(name)

    def download(self, name: str, path: Path) -> str:
        """Stream the file *name*, unpacked, into *path*; return what is wrong with what came, ``""`` if nothing is.

        Raises RemoteError if nothing came, or not all of it.
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
                    raise _from_answer(doing, answer, name)
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
            raise _from_the_way(doing, error) from None
        if expected and expected != came:
            raise RemoteError(doing, 0, f"the connection ended after {came} of {expected} bytes")
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
            raise _from_the_way(f"deleting {name}", error) from None
        if answer.status_code != 200:
            raise _from_answer(f"deleting {name}", answer, name)

    def _get(self, path: str, params: dict[str, str | int], doing: str, about: str = "") -> dict[str, Any]:
        import httpx2

        try:
            answer = self._http.get(f"{self.base_url}/{API_VERSION}/{path}", params=params)
        except httpx2.HTTPError as error:
            raise _from_the_way(doing, error) from None
        if answer.status_code != 200:
            raise _from_answer(doing, answer, about)
        try:
            data = answer.json()
        except ValueError:
            raise RemoteError(doing, 0, "the answer is no JSON") from None
        if not isinstance(data, dict):
            raise RemoteError(doing, 0, "the answer is no JSON object")
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
                raise RemoteError(doing, 0, f"the answer is no list of {path}")
            if page.get("unreachable"):
                raise RemoteError(doing, 0, f"the list of {path} is not complete")
            yield page.get(key, [])
            token = as_text(page.get("nextPageToken"))
            if not token:
                return
            if token in seen:
                raise RemoteError(doing, 0, "the list names the same page twice")
            seen.add(token)


def connect(settings: Settings) -> Remote:
    """Return the remote side of *settings*; starts the embedded emulator if that is what is wanted."""
    home = Path(settings.home)
    key = api_key(settings.provider, home)
    return Remote(base_url(settings), key, settings.submit.timeout_s, settings.upload.timeout_s)


def base_url(settings: Settings) -> str:
    """Return the address of the API, starting the embedded emulator if no other is named."""
    if settings.provider == "emulator" and not settings.base_url:
        import shlex

        from chargen.emulator.launch import ensure

        options = ["--job-seconds", str(settings.emulator.job_s), "--idle-exit", str(settings.emulator.idle_exit_s)]
        return ensure(
            Path(settings.home) / "state" / "emulator-server", [*options, *shlex.split(settings.emulator.options)]
        )
    return settings.base_url


class _sdk_errors:
    """Turn what the SDK raises into RemoteError."""

    def __init__(self, doing: str):
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None or not isinstance(error, Exception) or isinstance(error, ChargenError):
            return
        from google.genai import errors

        if isinstance(error, errors.APIError):
            status, body = int(error.code or 0), error.details
            foreign = not _is_of_the_api(status, body)
            raise RemoteError(self._doing, status, as_text(error.message), _details(body), foreign=foreign) from None
        raise _from_the_way(self._doing, error) from None


def _details(body: Any) -> list[Any]:
    error = body.get("error", body) if isinstance(body, dict) else {}
    details = error.get("details") if isinstance(error, dict) else None
    return details if isinstance(details, list) else []


def _is_of_the_api(status: int, body: Any) -> bool:
    """Whether *body* is an error as the API writes it: ``{"error": {"code", "message", "status"}}``."""
    error = as_map(as_map(body).get("error"))
    said = as_text(error.get("status"))
    return as_count(error.get("code")) == status and bool(said) and said == said.upper() and "message" in error


def _from_answer(doing: str, answer: httpx2.Response, about: str = "") -> RemoteError:
    from chargen.base import http

    status = answer.status_code
    try:
        body = answer.json()
    except ValueError:
        body = {}
    message = as_text(as_map(as_map(body).get("error")).get("message")) or answer.reason_phrase
    foreign = not _is_of_the_api(status, body)
    return RemoteError(
        doing,
        status,
        message + (http.by_way_of(answer) if foreign else ""),
        _details(body),
        foreign=foreign,
        about=about,
    )


def _from_the_way(doing: str, error: Exception) -> RemoteError:
    """Return the error of a request that brought back no answer of the API."""
    from chargen.base import http

    status = error.status if isinstance(error, http.Refused) else 0
    return RemoteError(doing, status, http.in_words(error), unsent=http.never_sent(error))
