"""Who may talk to the emulator: programs on this machine, and no web page.

Any page that a browser on this machine shows can send requests to a port of it. Three things keep them out: the name
that was called must be one of the loopback, or else a page could let its own name lead here (DNS rebinding); what a
browser adds to the requests of pages (``Origin``, ``Sec-Fetch-Site``) must not say that the page is another's; and what
commands something is JSON, which no form can send. No answer carries a header that lets a page read it.
"""

from __future__ import annotations

from starlette.datastructures import Headers

from chargen.base.hosts import is_loopback
from chargen.emulator.errors import ApiError

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
"""The content types that a page's form can send to anybody without asking first."""
CURL = FORMS[0]
"""What curl says of ``-d``, and urllib of any body."""


def turned_away(headers: Headers) -> ApiError | None:
    """Return the error for a request that does not come from a program of this machine, None if it may pass."""
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_loopback(_name(hosts[0])):
        called = ", ".join(hosts) or "no name"
        return ApiError(
            403, f"The emulator answers to localhost and 127.0.0.1 alone, and was called by {called[:200]}."
        )
    origins = headers.getlist("origin")
    if any(origin != f"http://{hosts[0]}" for origin in origins):
        return ApiError(403, f"The emulator answers no web page of another origin, and {origins[0][:200]} is one.")
    if headers.get("sec-fetch-site", "none").lower() not in ("none", "same-origin"):
        return ApiError(403, "The emulator answers no web page of another origin.")
    return None


def wrong_content(headers: Headers, *, curl: bool = False) -> ApiError | None:
    """Return the error for a body that says it is none of JSON, None if it may pass. It may also say nothing, and with
    *curl* be what ``curl -d`` calls it."""
    said = headers.get("content-type", "").partition(";")[0].strip().lower()
    if said not in FORMS or (curl and said == CURL):
        return None
    return ApiError(400, f"The body must be JSON, and Content-Type says {said}. Send Content-Type: application/json.")


def _name(host: str) -> str:
    """Return *host* without its port."""
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.rpartition(":")[0] if ":" in host else host
