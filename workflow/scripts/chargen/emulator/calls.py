"""One call on its way through the server, and answers in the API's layout."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from chargen.emulator import relaxed
from chargen.emulator.errors import ApiError, invalid
from chargen.emulator.faults import CallFault
from chargen.emulator.world import World

JSON_TYPE = "application/json; charset=UTF-8"
_FRONT_END = {"x-xss-protection": "0", "x-frame-options": "SAMEORIGIN", "x-content-type-options": "nosniff"}
VARY = (b"Origin", b"Referer", b"X-Origin")


@dataclass
class Call:
    """One request on its way through, and what the log says about it."""

    kind: str
    request: Request
    world: World
    owner: str = ""
    display_name: str = ""
    target: str = ""
    body: bytes = b""
    fault: CallFault | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """``v1``, ``v1beta`` or ``v1alpha``."""
        return str(self.request.path_params.get("version", "v1beta"))

    @property
    def base_url(self) -> str:
        """Scheme, host and version as the caller addressed them: files are named by it."""
        url = self.request.url
        return f"{url.scheme}://{self.request.headers.get('host', url.netloc)}/{self.version}"

    @property
    def cut_at(self) -> int | None:
        """After how many bytes this call is to lose its connection."""
        return self.fault.after_bytes if self.fault and self.fault.do == "cut_at" else None

    def json(self) -> Any:
        """The body as JSON, ``{}`` when empty; ApiError 400."""
        if not self.body:
            return {}
        try:
            return relaxed.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise invalid(f"Invalid JSON payload received. {error}") from None


class Json(Response):
    """JSON in the API's layout: indented, with its content type and the headers of its front end.

    Sent in chunks as the API does, so without a length, unless it ends an upload (``sized``).
    """

    def __init__(
        self, body: Any, status_code: int = 200, headers: dict[str, str] | None = None, *, sized: bool = False
    ) -> None:
        content = orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"
        super().__init__(content, status_code, headers={"content-type": JSON_TYPE, **(headers or {})})
        if not sized:
            del self.headers["content-length"]
            self.headers.update(_FRONT_END)
        self.raw_headers += [(b"vary", name) for name in VARY]

    def pack(self, accepted: str) -> None:
        """Send it in gzip if the caller's ``Accept-Encoding`` has that, as the API does."""
        wanted = any(coding.split(";")[0].strip() == "gzip" for coding in accepted.lower().split(","))
        if wanted and "content-length" not in self.headers:
            self.body = gzip.compress(bytes(self.body), compresslevel=1)
            self.headers["content-encoding"] = "gzip"

    def took(self, seconds: float) -> None:
        """Say in ``Server-Timing`` how long the answer took."""
        if "x-goog-upload-status" not in self.headers:
            self.headers["server-timing"] = f"gfet4t7; dur={max(1, int(seconds * 1000))}"


def error_answer(error: ApiError, headers: dict[str, str] | None = None) -> Json:
    """An ApiError as an HTTP answer."""
    return Json(error.body(), error.code, headers)
