"""Errors of the Gemini API, and what they mean."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from chargen.base.errors import ChargenError
from chargen.base.tolerant import as_count, as_map, as_maps, as_text
from chargen.providers.base import Origin, RemoteError

if TYPE_CHECKING:
    import httpx2

LONGEST_DELAY_S = 3600.0
"""The longest pause that is believed: for a full storage the API has asked for 292 billion years."""

_NOT_FOUND = re.compile(r"Requested entity was not found\.?")
_MAY_NOT_EXIST = re.compile(r"permission to access the \w+ (\S+?) or it may not exist")
"""What the API says of a job, and of a file, that it does not have."""


class GeminiError(RemoteError):
    """An error with the details that the API gives besides its message."""

    def __init__(
        self,
        doing: str,
        status: int,
        message: str,
        details: Any = None,
        *,
        origin: Origin = "api",
        about: str = "",
    ):
        self.details = details or []
        super().__init__(doing, status, message, origin=origin, about=about)

    @property
    def hint(self) -> str:
        refused = self.status in (401, 403) or (self.status == 400 and "api key" in self.message.lower())
        if refused and not self.gone and not self.foreign:
            return " (`snakemake doctor` looks at the key)"
        return super().hint

    @property
    def retry_after_s(self) -> float | None:
        """As it stands in the details, an hour at most."""
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

    def denies_model(self, model: str) -> bool:
        return self.status == 404 and f"models/{model}" in self.message


class sdk_errors:
    """A context manager that turns what the SDK raises into GeminiError."""

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
            message, origin = as_text(error.message), _origin(status, body)
            raise GeminiError(self._doing, status, message, _details(body), origin=origin) from None
        raise from_the_way(self._doing, error) from None


def _details(body: Any) -> list[Any]:
    error = body.get("error", body) if isinstance(body, dict) else {}
    details = error.get("details") if isinstance(error, dict) else None
    return details if isinstance(details, list) else []


def _origin(status: int, body: Any) -> Origin:
    """Whose words *body* has; the API writes an error as ``{"error": {"code", "message", "status"}}``."""
    error = as_map(as_map(body).get("error"))
    said = as_text(error.get("status"))
    is_api = as_count(error.get("code")) == status and bool(said) and said == said.upper() and "message" in error
    return "api" if is_api else "foreign"


def from_answer(doing: str, answer: httpx2.Response, about: str = "") -> GeminiError:
    """Return the error of an *answer* that is not a success; *about* names the file or job that was asked for."""
    from chargen.base import http

    status = answer.status_code
    try:
        body = answer.json()
    except ValueError:
        body = {}
    message = as_text(as_map(as_map(body).get("error")).get("message")) or answer.reason_phrase
    origin = _origin(status, body)
    return GeminiError(
        doing,
        status,
        message + (http.by_way_of(answer) if origin == "foreign" else ""),
        _details(body),
        origin=origin,
        about=about,
    )


def from_the_way(doing: str, error: Exception) -> GeminiError:
    """Return the error of a request that brought back no answer of the API."""
    from chargen.base import http

    status = error.status if isinstance(error, http.Refused) else 0
    return GeminiError(doing, status, http.in_words(error), origin="unsent" if http.never_sent(error) else "api")
