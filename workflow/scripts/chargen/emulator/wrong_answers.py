"""Answers that go wrong on purpose: turned down, redirected elsewhere, or with another body than the right one."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chargen.emulator import errors, faults, wrong_bodies
from chargen.emulator.calls import Call, error_answer
from chargen.emulator.downloads import Download
from chargen.emulator.errors import ApiError

REDIRECTED = "redirected"


def refusal(call: Call, fault: faults.CallFault) -> Any:
    """The answer of a call that is not let through, or is said not to have been."""
    if fault.do == "deny":
        status, body = wrong_bodies.denial(fault.denial, call.kind, call.target)
        return Response(body.content, status, media_type=body.media_type)
    if fault.do == "redirect":
        error = ApiError(fault.status, "Unknown Error.")
        return error_answer(error, {"location": _location(call.request, fault.location)})
    answer = error_answer(errors.scripted(fault.status, fault.message, fault.retry_delay_s))
    return with_wrong_body(answer, fault) if fault.body else answer


def with_wrong_body(answer: Any, fault: faults.CallFault) -> Any:
    """*answer* with the wrong body of *fault*; one that has no such shape stays as it is."""
    if isinstance(answer, Download):
        if fault.body in faults.DOWNLOAD_BODIES:
            answer.wrong_body, answer.crc32c = partial(wrong_bodies.download, fault.body), fault.crc32c
        return answer
    if not isinstance(answer, Response) or fault.body not in faults.ANSWER_BODIES:
        return answer
    if fault.body != "page" and not bytes(answer.body):
        return answer
    body = wrong_bodies.answer(fault.body, bytes(answer.body))
    kept = {} if fault.body == "page" else {k: v for k, v in answer.headers.items() if k.startswith("x-goog")}
    return Response(body.content, answer.status_code, headers=kept, media_type=body.media_type)


def _location(request: Request, wanted: str) -> str:
    """Where a redirect leads: to the same address once more, to another path here, or to another server."""
    url = request.url
    query = f"?{url.query}" if url.query else ""
    if not wanted:
        return str(url.include_query_params(**{REDIRECTED: 1}))
    if wanted.startswith("/"):
        return f"{url.scheme}://{url.netloc}{wanted}{query}"
    return f"{wanted.rstrip('/')}{url.path}{query}"
