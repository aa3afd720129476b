"""The errors that the API answers, as values that a request or a single batch line can fail with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATUS_NAMES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
RPC_CODES: Mapping[int, int] = {400: 3, 403: 7, 404: 5, 409: 6, 429: 8, 499: 1, 500: 13, 503: 14, 504: 4}
RPC_MESSAGES: Mapping[int, str] = {
    1: "",
    3: "Request contains an invalid argument.",
    4: "Deadline expired before operation could complete.",
    7: "The caller does not have permission",
    8: "Resource has been exhausted (e.g. check quota).",
    13: "Internal error encountered.",
    14: "The service is currently unavailable.",
}
_RPC = "type.googleapis.com/google.rpc."


@dataclass(eq=False)
class ApiError(Exception):
    """An HTTP status with the body ``{"error": {"code", "message", "status", "details"}}``."""

    code: int
    message: str
    details: tuple[Mapping[str, Any], ...] = ()

    def body(self) -> dict[str, Any]:
        """The JSON body as the API words it."""
        error: dict[str, Any] = {
            "code": self.code,
            "message": self.message,
            "status": STATUS_NAMES.get(self.code, "UNKNOWN"),
        }
        if self.details:
            error["details"] = [dict(detail) for detail in self.details]
        return {"error": error}

    def line(self) -> dict[str, Any]:
        """The same error as the ``error`` member of a result line: a google.rpc code number."""
        return {"code": RPC_CODES.get(self.code, 2), "message": self.message}


def invalid(message: str) -> ApiError:
    """400 INVALID_ARGUMENT."""
    return ApiError(400, message)


def no_key() -> ApiError:
    """What a caller without any key is told."""
    return ApiError(
        403,
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
    )


def bad_key() -> ApiError:
    """What a caller with an unknown key is told."""
    detail = {"@type": f"{_RPC}ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"}
    return ApiError(400, "API key not valid. Please pass a valid API key.", (detail,))


def no_such_file(file_id: str) -> ApiError:
    """Missing, expired and foreign files are not told apart."""
    return ApiError(403, f"You do not have permission to access the File {file_id} or it may not exist.")


def file_id_too_long(method: str) -> ApiError:
    """Result files have 42 characters in their id, more than files.get and files.delete take."""
    return invalid(f"* {method}.name: File ID (name excluding 'files/') cannot be more than 40 characters.")


def not_found() -> ApiError:
    """A batch that does not exist, or belongs to another key."""
    return ApiError(404, "Requested entity was not found.")


def no_such_model(model: str, version: str, method: str) -> ApiError:
    """A model that nobody knows (or that this version of the API does not offer)."""
    return ApiError(
        404,
        f"models/{model} is not found for API version {version}, or is not supported for {method}. "
        "Call ListModels to see the list of available models and their supported methods.",
    )


def retired_model(model: str, successor: str) -> ApiError:
    """A model that was shut down, with the one that replaced it."""
    return ApiError(
        404,
        f"This model models/{model} is no longer available to new users. "
        f"Please update your code to use models/{successor} for the latest features and improvements.",
    )


def quota(what: str, limit: int, model: str, retry_delay_s: float | None) -> ApiError:
    """429 over a quota; *retry_delay_s* puts a RetryInfo into the details, None leaves it out."""
    message = f"You exceeded your current quota. Quota exceeded for: {what}, limit: {limit}, model: {model}"
    violation = {
        "quotaId": what,
        "quotaValue": str(limit),
        "quotaDimensions": {"model": model, "location": "global"},
    }
    details: list[Mapping[str, Any]] = [{"@type": f"{_RPC}QuotaFailure", "violations": [violation]}]
    if retry_delay_s is not None:
        message += f"\nPlease retry in {retry_delay_s}s."
        details.append(retry_info(retry_delay_s))
    return ApiError(429, message, tuple(details))


def retry_info(seconds: float) -> dict[str, Any]:
    """The ``details`` entry that carries the delay to wait (there is no Retry-After header)."""
    return {"@type": f"{_RPC}RetryInfo", "retryDelay": f"{seconds:g}s"}


def scripted(status: int, message: str = "", retry_delay_s: float | None = None) -> ApiError:
    """An error asked for by a fault: a 429 without a delay has no details, as when prepaid credits are used
    up.
    """
    if status == 429 and retry_delay_s is not None:
        error = quota("GenerateRequestsPerMinutePerProjectPerModel", 500, "emulated", retry_delay_s)
        return ApiError(429, message or error.message, error.details)
    defaults = {
        429: "Your prepayment credits are depleted. Please go to AI Studio to manage your billing.",
        500: "An internal error has occurred. Please retry.",
        503: "The service is currently unavailable.",
    }
    return ApiError(status, message or defaults.get(status, f"Scripted failure with status {status}."))
