"""The neutral types that pass between chargen and a provider; a provider makes them from what its API answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.output import one_line
from chargen.base.reading import WrongShape, build
from chargen.records.batch import Tokens

if TYPE_CHECKING:
    from types import TracebackType

LOST = "LOST"
"""chargen's state for a paid job that is gone from the server, or whose results are."""

FINAL_STATES = frozenset({"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED", LOST})
"""Only these end a job; an unknown state is never final."""

LONGEST_MESSAGE = 2000
"""Maximum length of a kept message; a page of a firewall is longer."""

Wanted = Literal["picture", "text"]
"""What a task's answer must contain to be valid."""


Origin = Literal["api", "foreign", "unsent"]
"""Whose words an error has: the API's (or nobody's, where no answer came), those of somebody else on the way, or our
own because nothing was sent."""


class RemoteError(ChargenError):
    """The provider refused, or the request did not get through.

    ``status`` is the HTTP status, 0 without an answer; ``message`` is one line, without the key and without control
    characters. ``unsent`` says that no connection was made, so that the server certainly never heard of it; ``foreign``
    that what answered was not the API, but a firewall, a proxy or the page of a network on the way. ``about`` is the
    name of the file or job that was asked for.

    The properties say what follows. A provider raises a subclass that overrides those of which its API says more than
    the HTTP status does.
    """

    def __init__(
        self,
        doing: str,
        status: int,
        message: str,
        *,
        origin: Origin = "api",
        about: str = "",
    ):
        message = one_line(message)[:LONGEST_MESSAGE]
        self.status = status
        self.message = message
        self.unsent = origin == "unsent"
        self.foreign = origin == "foreign"
        self.about = about
        said = f"{status} {message}" if status else message
        super().__init__(f"{doing}: {said}{self.hint}")

    @property
    def hint(self) -> str:
        """What the user can do about it, in words to follow the message; ``""`` if nothing is known."""
        if self.foreign:
            return " (this answer is not from the API, but from a proxy, a firewall or a login page)"
        return ""

    @property
    def retry_after_s(self) -> float | None:
        """The pause that the API asks for, in seconds; None if it names none."""
        return None

    @property
    def storage_full(self) -> bool:
        """Whether the account's file storage has no room."""
        return False

    @property
    def out_of_credits(self) -> bool:
        """Whether the account cannot pay, so that no waiting helps."""
        return False

    @property
    def throttled(self) -> bool:
        """Whether a quota is used up for now: the same call may succeed after a pause."""
        return self.status == 429 and not self.out_of_credits

    @property
    def invalid(self) -> bool:
        """Whether the API itself says that what was sent is not acceptable; sending it again would change nothing."""
        return self.status == 400 and not self.foreign

    @property
    def unclear(self) -> bool:
        """Whether the request may have taken effect anyway.

        There was no answer, or none of the API, a redirect, a time-out, or the server failed.
        """
        status = self.status
        no_answer = (status == 0 and not self.unsent) or self.foreign
        return no_answer or 300 <= status < 400 or status in (408, 499) or status >= 500

    @property
    def passing(self) -> bool:
        """Whether the same call may well succeed a little later."""
        return self.unclear or self.unsent or self.throttled

    @property
    def gone(self) -> bool:
        """Whether the API itself says that the file or job does not exist, or not for this key."""
        return False

    def denies_model(self, model: str) -> bool:
        """Whether the API itself says that it has no model of that name."""
        return False


@frozen
class RemoteJob:
    """A batch job as the server describes it. Counts are of requests, times as the server writes them.

    ``state`` is one of `FINAL_STATES`, ``PENDING``, ``RUNNING``, or any other word for a job that has not ended.
    ``responses_file`` names the file of its results. ``inlined`` says that the results come with the job itself
    instead; where the job was asked for by name, ``answers`` are its lines then, as JSON objects. ``error_code`` is the
    provider's number for ``error``; ``raw`` is what the server said, without answers.
    """

    name: str
    display_name: str = ""
    state: str = ""
    model: str = ""
    created: str = ""
    updated: str = ""
    ended: str = ""
    requests: int = 0
    done: int = 0
    failed: int = 0
    request_file: str = ""
    responses_file: str = ""
    inlined: bool = False
    error_code: int = 0
    error: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    answers: tuple[dict[str, Any], ...] = ()

    @property
    def is_final(self) -> bool:
        return self.state in FINAL_STATES

    @property
    def has_results(self) -> bool:
        """Whether it says where its results are."""
        return bool(self.responses_file) or self.inlined

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads back, without the answers, which can be large."""
        return {**asdict(self), "answers": ()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RemoteJob:
        """Return the job that `to_json` wrote. Raises WrongShape for what is none."""
        return build(cls, data)


def jobs_read_again(stored: Iterable[Mapping[str, Any]]) -> dict[str, RemoteJob]:
    """Return the jobs that `RemoteJob.to_json` wrote, by name, without those that another version wrote."""
    found = []
    for item in stored:
        with suppress(WrongShape):
            found.append(RemoteJob.from_json(item))
    return {job.name: job for job in found if job.name and job.state}


@frozen
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


@frozen
class Slice:
    """Where a picture stands in a result file: bytes *start* to *end* of it, or, when it is short, *inline*.

    ``mime`` is what the reply calls it (the bytes decide); ``thought`` marks a draft, as a rule not the answer.
    """

    start: int
    end: int
    mime: str = ""
    thought: bool = False
    inline: bytes = b""

    @property
    def length(self) -> int:
        """The number of encoded bytes."""
        return len(self.inline) or self.end - self.start


NO_TOKENS = Tokens(prompt_image=0)
"""What a line counts that reports no tokens."""


@frozen
class ResultLine:
    """One line of a result file, without its pictures.

    ``number`` counts lines from 1. ``key`` is None where none can be read. ``problem`` says why a line cannot
    be read; then only ``number`` and perhaps ``key`` mean anything. ``has_response`` distinguishes an empty reply
    from none. ``finish_reason`` is the provider's own word for why the reply ended.
    """

    number: int
    key: str | None = None
    problem: str = ""
    has_response: bool = False
    finish_reason: str = ""
    text: str = ""
    model_version: str = ""
    tokens: Tokens = NO_TOKENS
    pictures: tuple[Slice, ...] = ()

    @property
    def picture(self) -> Slice | None:
        """The picture that the reply is about: the last one that is not a thought."""
        return last_picture(self.pictures)

    @property
    def end_reason(self) -> str:
        """The provider's own word for why the reply ended, or why there is none; receipts keep it."""
        return self.finish_reason


def last_picture(pictures: Sequence[Slice]) -> Slice | None:
    """Return the last of *pictures* that is not a thought."""
    return next((slice_ for slice_ in reversed(pictures) if not slice_.thought), None)


class Results(Protocol):
    """A result file open for reading, in a ``with`` statement; `decode` may be called from several threads.

    Nothing that a line holds stops the iteration: a line that cannot be read is a line with a ``problem``.
    """

    @property
    def size(self) -> int:
        """Bytes of the file."""

    @property
    def is_plausible(self) -> bool:
        """False for what can be no result file, a web page for one."""

    def __enter__(self) -> Results: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def __iter__(self) -> Iterator[ResultLine]: ...

    def decode(self, slice_: Slice) -> bytes:
        """Return a picture's bytes; raise `chargen.pictures.formats.BrokenPicture` if they cannot be decoded."""


Reason = Literal[
    "no-image",
    "image-safety",
    "image-other",
    "safety",
    "prohibited-content",
    "recitation",
    "blocklist",
    "personal-data",
    "blocked-prompt",
    "text-only",
    "empty-reply",
    "max-tokens",
    "language",
    "malformed-response",
    "other",
    "cancelled",
    "invalid-argument",
    "deadline",
    "not-found",
    "permission-denied",
    "reference-gone",
    "quota",
    "billing",
    "account-limited",
    "internal",
    "unavailable",
    "unauthenticated",
    "error",
    "missing-line",
    "unreadable-line",
    "broken-picture",
    "reference-refused",
    "lost",
    "unfit-answer",
]
"""Why a task failed; stable words that receipts and reports are searched by."""


@frozen
class Verdict:
    """What a line is worth.

    ``picture`` is set for ``kind`` "picture", ``text`` for "text", and the rest for "failed": ``reason``,
    ``passing`` (the same request may well succeed if it is sent again), ``said`` (what the API answered, if
    anything), and ``advice`` (what it means and what to do).
    """

    kind: Literal["picture", "text", "failed"]
    picture: Slice | None = None
    text: str = ""
    reason: Reason | Literal[""] = ""
    passing: bool = False
    said: str = ""
    advice: str = ""


@frozen
class SentFile:
    """An uploaded reference as a request names it."""

    uri: str
    mime: str


@frozen
class Request:
    """What one task asks of a model: about the pictures that are sent along, in order, then *text*.

    The answer is a picture of that ``aspect_ratio`` (like ``16:9``) and ``image_size`` (like ``2K``). With a ``form``,
    a JSON Schema, it is a JSON object of that form instead; ``form_field`` says where in the request the form goes,
    for a provider that has several places for it. ``labels`` say what each picture shows, in order; each stands
    directly before its picture. There are none for requests of 0.1.0.
    """

    key: str
    text: str
    aspect_ratio: str = ""
    image_size: str = ""
    form: Mapping[str, Any] | None = None
    form_field: str = ""
    labels: tuple[str, ...] = ()


@frozen
class SentRequest:
    """What a written request line says: its key, the addresses of the uploads that it names, and whether the provider
    may store it; None where the line does not say."""

    key: str
    addresses: frozenset[str]
    stored: bool | None
