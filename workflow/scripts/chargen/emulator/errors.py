"""The errors that the API answers, as values that a request or a single batch line can fail with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STATUS_NAMES: Mapping[int, str] = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
RPC_CODES: Mapping[int, int] = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    409: 6,
    429: 8,
    499: 1,
    500: 13,
    501: 12,
    503: 14,
    504: 4,
}
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
SERVICE = "generativelanguage.googleapis.com"
_LIMITS_PAGE = "https://ai.google.dev/gemini-api/docs/rate-limits"
_QUOTA_MESSAGE = (
    "You exceeded your current quota, please check your plan and billing details. For more information on this error, "
    f"head to: {_LIMITS_PAGE}. To monitor your current usage, head to: https://ai.dev/rate-limit. "
)
_HELP = {
    "@type": f"{_RPC}Help",
    "links": [{"description": "Learn more about Gemini API quotas", "url": _LIMITS_PAGE}],
}


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
    """The answer to a caller without any key."""
    return ApiError(
        403,
        "Method doesn't allow unregistered callers (callers without established identity). "
        "Please use API Key or other form of API consumer identity to call this API.",
    )


def unknown_fields(violations: Sequence[tuple[str, str]]) -> ApiError:
    """400 for JSON bodies with members that the message does not have: (where, name), as the API words them."""
    fields, messages = [], []
    for where, name in violations:
        place = f" at '{where}'" if where else ""
        messages.append(f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.')
        fields.append({"field": where, "description": messages[-1]} if where else {"description": messages[-1]})
    return ApiError(400, "\n".join(messages), ({"@type": f"{_RPC}BadRequest", "fieldViolations": fields},))


def not_implemented(what: str) -> ApiError:
    """501 for a documented call that the emulator does not follow."""
    return ApiError(501, f"{what} is not implemented by the chargen emulator.")


def bad_key() -> ApiError:
    """The answer to an unknown key."""
    message = "API key not valid. Please pass a valid API key."
    info = {
        "@type": f"{_RPC}ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE},
    }
    return ApiError(400, message, (info, {"@type": f"{_RPC}LocalizedMessage", "locale": "en-US", "message": message}))


def no_such_file(file_id: str) -> ApiError:
    """Missing, expired and foreign files get the same answer."""
    return ApiError(403, f"You do not have permission to access the File {file_id} or it may not exist.")


def file_id_too_long(method: str) -> ApiError:
    """Result files have 42 characters in their id, more than files.get and files.delete take."""
    return invalid(f"* {method}.name: File ID (name excluding 'files/') cannot be more than 40 characters.")


def not_found() -> ApiError:
    """A batch that does not exist, or belongs to another key."""
    return ApiError(404, "Requested entity was not found.")


def no_such_model(model: str, version: str, method: str, advice: str = "ListModels") -> ApiError:
    """An unknown model (or that this version of the API does not offer).

    *advice* names the method to call; both ``ListModels`` and ``ModelService.ListModels`` were recorded.
    """
    return ApiError(
        404,
        f"models/{model} is not found for API version {version}, or is not supported for {method}. "
        f"Call {advice} to see the list of available models and their supported methods.",
    )


def retired_model(model: str, successor: str) -> ApiError:
    """A model that was shut down, with the one that replaced it."""
    return ApiError(
        404,
        f"This model models/{model} is no longer available to new users. "
        f"Please update your code to use models/{successor} for the latest features and improvements.",
    )


def quota(what: str, limit: int, model: str, retry_delay_s: float | None, metric: str = "") -> ApiError:
    """429 over the quota *what*, counted by *metric*: help, the violation, and a RetryInfo.

    The message has *retry_delay_s* as it is, RetryInfo its whole seconds; None leaves both out.
    """
    metric = f"{SERVICE}/{metric or what}"
    message = f"{_QUOTA_MESSAGE}\n* Quota exceeded for metric: {metric}, limit: {limit}, model: {model}"
    violation = {
        "quotaMetric": metric,
        "quotaId": what,
        "quotaDimensions": {"location": "global", "model": model},
        "quotaValue": str(limit),
    }
    details: list[Mapping[str, Any]] = [_HELP, {"@type": f"{_RPC}QuotaFailure", "violations": [violation]}]
    if retry_delay_s is not None:
        message += f"\nPlease retry in {retry_delay_s}s."
        details.append({"@type": f"{_RPC}RetryInfo", "retryDelay": f"{int(retry_delay_s)}s"})
    return ApiError(429, message, tuple(details))


def scripted(status: int, message: str = "", retry_delay_s: float | None = None) -> ApiError:
    """An error asked for by a fault: a 429 without a delay has no details, as when prepaid credits are used
    up.
    """
    if status == 429 and retry_delay_s is not None:
        metric = "generate_requests_per_model"
        error = quota("GenerateRequestsPerMinutePerProjectPerModel", 500, "emulated", retry_delay_s, metric)
        return ApiError(429, message or error.message, error.details)
    defaults = {
        429: "Your prepayment credits are depleted. Please go to AI Studio to manage your billing.",
        500: "An internal error has occurred. Please retry.",
        503: "The service is currently unavailable.",
    }
    return ApiError(status, message or defaults.get(status, f"Scripted failure with status {status}."))
