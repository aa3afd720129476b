"""What one line of a Gemini result file says, once its long strings are left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from chargen.base.frozen import frozen
from chargen.providers.base import ResultLine, Slice, last_picture
from chargen.records.batch import Tokens

MAX_TEXT = 1 << 18
"""Characters kept of the texts of one reply, and of any other text in a line."""

MAX_DIGITS = 12
"""Of a number of tokens that is believed."""

NORMAL_ENDS = ("", "STOP", "FINISH_REASON_UNSPECIFIED")
"""The finish reasons of a reply that was not stopped."""

_RPC_NAMES = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)
"""The names of google.rpc.Code by number."""

_RPC_CODES = {name: code for code, name in enumerate(_RPC_NAMES)} | {"CANCELED": 1}
_RPC_OF_HTTP = {400: 3, 401: 16, 403: 7, 404: 5, 409: 10, 429: 8, 499: 1, 500: 13, 501: 12, 503: 14, 504: 4}


@frozen
class LineError:
    """What the API put in the place of a reply.

    ``code`` is a google.rpc number (HTTP numbers and names are translated), None if there is none or it is no
    such code; ``name`` is that code's name, or the word that was there instead, like ``SAFETY``.
    """

    code: int | None
    name: str
    message: str


@frozen
class GeminiLine(ResultLine):
    """A line with what `chargen.providers.gemini.outcomes` judges it by."""

    error: LineError | None = None
    finish_message: str = ""
    block_reason: str = ""
    block_message: str = ""
    response_id: str = ""

    @property
    def picture(self) -> Slice | None:
        """The picture that the reply is about: the last one that is not a thought.

        If all pictures of a reply that ended normally are marked as thoughts, it is the last of them. What a reply had
        drafted before it was stopped is no answer.
        """
        final = last_picture(self.pictures)
        ended_well = self.error is None and self.finish_reason in NORMAL_ENDS and not self.block_reason
        return self.pictures[-1] if final is None and self.pictures and ended_well else final

    @property
    def end_reason(self) -> str:
        return self.finish_reason or self.block_reason


class Strings(Protocol):
    """The strings of one line, long ones in the file among them."""

    def text(self, value: object) -> str:
        """Return a string of the line; "" for anything else."""

    def span(self, value: str) -> tuple[int, int] | None:
        """Return where a long string stands in the file; None for one that was not left there."""


class Content:
    """The JSON object of one line, to be read as a `GeminiLine`."""

    def __init__(self, number: int, strings: Strings) -> None:
        self._number = number
        self._strings = strings

    def read(self, content: dict[str, Any]) -> GeminiLine:
        """Return what *content* says."""
        response = content.get("response")
        error = content.get("error")
        if error is None and not (isinstance(response, dict) and response):
            error = content.get("status")
        if error is None and isinstance(response, dict):
            error = response.get("error")
        line_error = self._error(error)
        key = content.get("key")
        key = self._strings.text(key) if isinstance(key, str) else str(key) if isinstance(key, int) else None
        if not isinstance(response, dict) or (line_error is not None and not response.get("candidates")):
            return GeminiLine(self._number, key, error=line_error)
        return self._response(key, response, line_error)

    def _response(self, key: str | None, response: dict[str, Any], error: LineError | None) -> GeminiLine:
        candidates = [c for c in _list(response.get("candidates")) if isinstance(c, dict)]
        parts = [
            part
            for candidate in candidates
            for part in _list(_dict(candidate.get("content")).get("parts"))
            if isinstance(part, dict)
        ]
        feedback = _dict(_member(response, "promptFeedback", "prompt_feedback"))
        return GeminiLine(
            self._number,
            key,
            error=error,
            has_response=True,
            finish_reason=self._first_text(candidates, "finishReason", "finish_reason"),
            finish_message=self._first_text(candidates, "finishMessage", "finish_message"),
            block_reason=self._strings.text(_member(feedback, "blockReason", "block_reason")),
            block_message=self._strings.text(_member(feedback, "blockReasonMessage", "block_reason_message")),
            text=self._texts(parts),
            model_version=self._strings.text(_member(response, "modelVersion", "model_version")),
            response_id=self._strings.text(_member(response, "responseId", "response_id")),
            tokens=count_tokens(_dict(_member(response, "usageMetadata", "usage_metadata"))),
            pictures=tuple(self._pictures(parts)),
        )

    def _error(self, error: object) -> LineError | None:
        if isinstance(error, str):
            text = self._strings.text(error)
            error = {"message": text} if _rpc_code(text) is None else {"code": text}
        if not isinstance(error, dict):
            return None
        said = error.get("code")
        status = error.get("status")
        code = _rpc_code(self._strings.text(said) if isinstance(said, str) else said)
        if code is None and isinstance(status, str):
            code = _rpc_code(self._strings.text(status))
        if code == 0:
            return None
        words = [self._strings.text(word) for word in (status, said) if isinstance(word, str)]
        if code is not None:
            name = _RPC_NAMES[code]
        else:
            name = words[0].upper() if words else "" if said is None else str(said)[:100]
        return LineError(code, name, self._strings.text(error.get("message")))

    def _pictures(self, parts: list[dict[str, Any]]) -> Iterator[Slice]:
        for part in parts:
            blob = _dict(_member(part, "inlineData", "inline_data"))
            data = blob.get("data")
            if not isinstance(data, str):
                continue
            mime = self._strings.text(_member(blob, "mimeType", "mime_type"))
            if mime and not mime.startswith("image/") and mime != "application/octet-stream":
                continue
            thought = part.get("thought") is True
            span = self._strings.span(data)
            if span:
                yield Slice(*span, mime, thought)
            else:
                yield Slice(0, 0, mime, thought, data.encode("utf-8", "replace"))

    def _texts(self, parts: list[dict[str, Any]]) -> str:
        texts, room = [], MAX_TEXT
        for part in parts:
            if part.get("thought") is not True and room > 0:
                texts.append(self._strings.text(part.get("text"))[:room])
                room -= len(texts[-1])
        return "".join(texts)

    def _first_text(self, objects: list[dict[str, Any]], *names: str) -> str:
        return next(filter(None, (self._strings.text(_member(item, *names)) for item in objects)), "")


def count_tokens(usage: Mapping[str, Any]) -> Tokens:
    """Return what ``usageMetadata`` counts. Its output details list pictures alone: the rest of the total is text."""
    prompt, thoughts, total, candidates = (
        _count(usage.get(name))
        for name in ("promptTokenCount", "thoughtsTokenCount", "totalTokenCount", "candidatesTokenCount")
    )
    image = _of_images(usage.get("candidatesTokensDetails"))
    return Tokens(
        prompt=prompt,
        image=image,
        text=max(0, (total - prompt - thoughts if total else candidates) - image),
        thoughts=thoughts,
        total=total,
        prompt_image=min(prompt, _of_images(usage.get("promptTokensDetails"))),
    )


def _of_images(details: object) -> int:
    """Return the tokens of pictures in a list of tokens by modality."""
    return sum(_count(item.get("tokenCount")) for item in map(_dict, _list(details)) if item.get("modality") == "IMAGE")


def _count(said: object) -> int:
    """Return a number of tokens; 0 for what is none: no picture is held up by how it was counted."""
    try:
        number = int(said) if isinstance(said, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0
    return number if 0 <= number < 10**MAX_DIGITS else 0


def _rpc_code(said: object) -> int | None:
    """Return the google.rpc code that a number, a number in words or a name stands for."""
    if isinstance(said, str):
        if said.upper() in _RPC_CODES:
            return _RPC_CODES[said.upper()]
        said = int(said) if said.isascii() and said.isdigit() and len(said) < 5 else None
    if isinstance(said, float) and said.is_integer():
        said = int(said)
    if not isinstance(said, int) or isinstance(said, bool):
        return None
    code = _RPC_OF_HTTP.get(said, said)
    return code if 0 <= code < len(_RPC_NAMES) else None


def plain(text: str) -> str:
    """Return *text* without what is no valid Unicode, cut to `MAX_TEXT`."""
    return text.encode("utf-8", "replace").decode()[:MAX_TEXT]


def _member(content: dict[str, Any], *names: str) -> Any:
    return next((content[name] for name in names if name in content), None)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
