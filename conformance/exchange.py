"""Steps over HTTP: send, wait, compare, keep."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import httpx2

from conformance.document import Step
from conformance.outcome import Difference
from conformance.patterns import ABSENT, Matcher, Mismatch, filled, shown

BAD_KEY = "invalid"
OTHER_KEY = "another-key"
_REDIRECTS = 5
_PATIENT = (429, 500, 502, 503, 504)


class NotJudged(Exception):
    """A behaviour cannot be judged now: the server is overloaded, or a price would go over the cap."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait between questions, in seconds: growing from ``first_s`` to ``cap_s``, up to ``patience_s`` or
    ``looks`` questions in all; and how often to ask again what an overloaded server did not answer.
    """

    first_s: float = 0.0
    cap_s: float = 0.0
    patience_s: float = 60.0
    looks: int = 200
    retries: int = 0


@dataclass(frozen=True, slots=True)
class Request:
    """A call with everything filled in."""

    method: str
    url: str
    headers: Mapping[str, str]
    params: Mapping[str, str]
    content: bytes
    json: Any = ABSENT


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; ``status`` 0 when the connection ended before a whole answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    trouble: str = ""

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode("utf-8", errors="replace")

    def json(self) -> Any:
        """The body as JSON, or ABSENT."""
        try:
            return json.loads(self.content)
        except ValueError:
            return ABSENT


class Guard(Protocol):
    """Decides whether a request may be sent, and remembers what it made."""

    def before(self, request: Request) -> None:
        """Raise NotJudged when the request must not be sent."""

    def after(self, request: Request, answer: Answer) -> None:
        """Take note of the answer."""


class _NoGuard:
    def before(self, request: Request) -> None:
        pass

    def after(self, request: Request, answer: Answer) -> None:
        pass


class Session:
    """One server, one key. ``admin``: it is an emulator that takes instructions."""

    def __init__(
        self,
        base_url: str,
        key: str,
        matcher: Matcher,
        *,
        admin: bool = False,
        pace: Pace = Pace(),
        guard: Guard | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self._key = key
        self._matcher = matcher
        self._admin = admin
        self._pace = pace
        self._guard: Guard = guard or _NoGuard()
        self._sleep = sleep
        local = urlsplit(base_url).hostname in ("127.0.0.1", "localhost", "::1")
        self._http = httpx2.Client(timeout=httpx2.Timeout(120, connect=20), trust_env=not local)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def run(self, steps: Sequence[Step], known: dict[str, Any]) -> list[Difference]:
        """Perform *steps* one after the other, adding what they keep to *known*; returns what was not as expected.

        A step whose status differs, or that lacks what it is to keep, is the last one.
        """
        found: list[Difference] = []
        for number, step in enumerate(steps, 1):
            if step.admin and not self._admin:
                continue
            mismatches, usable = self._step(step, known)
            found += [
                Difference(number, str(step), item.where, self.hidden(item.expected), self.hidden(item.got))
                for item in mismatches
            ]
            if not usable:
                break
        return found

    def ask(self, method: str, target: str, body: Any = None, **params: str) -> Answer:
        """One call with the key, outside of any behaviour."""
        content = b"" if body is None else json.dumps(body).encode()
        headers = {"x-goog-api-key": self._key}
        return self._send(Request(method, self._url(target), headers, params, content))

    # -- one step --

    def _step(self, step: Step, known: dict[str, Any]) -> tuple[list[Mismatch], bool]:
        if step.sends is not None:
            sent = filled(step.content, known)
            wrong = [m for value in _sent(step, sent) for m in self._matcher.match(step.sends, value, "the request")]
            if wrong:
                return wrong, False
        request = self._request(step, known)
        answer = self._answered(step, request, known)
        mismatches = self._compared(step, answer, known)
        usable = not any(item.where in ("status", "connection", "until") for item in mismatches)
        for name, place in step.keep.items():
            value = _kept(place, answer)
            if value is ABSENT:
                mismatches.append(Mismatch(f"keep {name}", str(place), shown(answer.text[:200])))
                usable = False
            known[name] = value
        return mismatches, usable

    def _answered(self, step: Step, request: Request, known: Mapping[str, Any]) -> Answer:
        waited, pause = 0.0, self._pace.first_s
        for _ in range(self._pace.looks):
            answer = self._patiently(step, request)
            if step.until is None or answer.status >= 400:
                return answer
            if not self._matcher.match(filled(step.until, known), answer.json()):
                return answer
            if waited >= self._pace.patience_s:
                break
            self._sleep(pause)
            waited += pause
            pause = min(self._pace.cap_s, pause * 1.5)
        return answer

    def _patiently(self, step: Step, request: Request) -> Answer:
        """Send; ask again what an overloaded server did not answer, unless a second call could do harm."""
        answer = self._send(request, follow=step.follow)
        for attempt in range(self._pace.retries):
            if answer.status not in _PATIENT and not answer.trouble:
                return answer
            if not self._matcher.match(step.expected.status, answer.status) or step.expected.cut:
                return answer
            if request.method not in ("GET", "DELETE") and answer.status != 429:
                return answer
            self._sleep(_delay(answer, 2.0**attempt * self._pace.first_s))
            answer = self._send(request, follow=step.follow)
        limited = self._pace.retries and (answer.status == 429 or answer.trouble) and not step.expected.cut
        if limited and self._matcher.match(step.expected.status, answer.status):
            why = self.hidden(answer.trouble) or "the rate limit"
            raise NotJudged(f"{step}: {why}, {self._pace.retries + 1} times")
        return answer

    def _request(self, step: Step, known: Mapping[str, Any]) -> Request:
        headers = {name.lower(): str(filled(value, known)) for name, value in step.headers.items()}
        params = {name: str(filled(value, known)) for name, value in step.query.items()}
        url = self._url(filled(step.target, known))
        own = urlsplit(url).netloc == urlsplit(self.base_url).netloc
        key = {"given": self._key, "in_query": self._key, "bad": BAD_KEY, "other": OTHER_KEY, "none": ""}[step.key]
        if key and own and not step.admin:
            if step.key == "in_query":
                params["key"] = key
            else:
                headers["x-goog-api-key"] = key
        content = b""
        value: Any = ABSENT
        if step.body == "json":
            value = filled(step.content, known)
            content = json.dumps(value, ensure_ascii=False).encode()
            headers.setdefault("content-type", "application/json")
        elif step.body == "text":
            content = filled(step.content, known).encode()
            headers.setdefault("content-type", "application/json")
        elif step.body == "lines":
            content = b"".join(
                json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in filled(step.content, known)
            )
        elif step.body == "filler":
            content = b" " * step.content
        elif step.body == "base64":
            content = base64.b64decode(filled(step.content, known))
        return Request(step.method, url, headers, params, content, value)

    def _url(self, target: str) -> str:
        return target if "://" in target else self.base_url + target

    def _send(self, request: Request, *, follow: bool = False) -> Answer:
        self._guard.before(request)
        answer = self._once(request)
        self._guard.after(request, answer)
        for _ in range(_REDIRECTS if follow else 0):
            location = answer.headers.get("location", "")
            if answer.status not in (301, 302, 303, 307, 308) or not location:
                break
            url = urljoin(request.url, location)
            headers = dict(request.headers)
            if urlsplit(url).netloc != urlsplit(request.url).netloc:
                headers.pop("x-goog-api-key", None)
            answer = self._once(Request("GET", url, headers, {}, b""))
        return answer

    def _once(self, request: Request) -> Answer:
        try:
            response = self._http.request(
                request.method,
                request.url,
                headers=dict(request.headers),
                params=dict(request.params) or None,
                content=request.content or None,
            )
        except httpx2.TransportError as error:
            return Answer(0, trouble=f"{type(error).__name__}: {error}")
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content)

    # -- the comparison --

    def _compared(self, step: Step, answer: Answer, known: Mapping[str, Any]) -> list[Mismatch]:
        expected = step.expected
        if expected.cut or answer.trouble:
            if expected.cut and answer.trouble:
                return []
            got = answer.trouble or f"an answer with status {answer.status}"
            return [Mismatch("connection", "ended early" if expected.cut else "a whole answer", got)]
        found: list[Mismatch] = []
        if step.until is not None and answer.status < 400:
            missing = self._matcher.match(filled(step.until, known), answer.json())
            found += [Mismatch("until", item.expected, f"{item.where}: {item.got}") for item in missing[:1]]
        if expected.status is not None:
            for item in self._matcher.match(filled(expected.status, known), answer.status, "status"):
                found.append(Mismatch("status", item.expected, f"{item.got}: {shown(answer.text)}"))
        for name, pattern in filled(dict(expected.headers), known).items():
            found += self._matcher.match(pattern, answer.headers.get(name.lower(), ABSENT), f"header {name.lower()}")
        if not any(item.where == "status" for item in found):
            found += self._body(expected.body, filled(expected.pattern, known), answer)
        return found

    def _body(self, kind: str, pattern: Any, answer: Answer) -> list[Mismatch]:
        if kind == "empty":
            return self._matcher.match("", answer.text, "body")
        if kind == "text":
            return self._matcher.match(pattern, answer.text, "body")
        if kind == "json":
            value = answer.json()
            if value is ABSENT:
                return [Mismatch("body", "JSON", shown(answer.text[:300]))]
            return self._matcher.match(pattern, value)
        if kind == "lines":
            try:
                lines = [json.loads(line) for line in answer.content.splitlines() if line.strip()]
            except ValueError as error:
                return [Mismatch("body", "lines of JSON", str(error))]
            return self._matcher.match(pattern, lines)
        return []

    def hidden(self, text: str) -> str:
        """*text* without the key, whatever echoed it."""
        return text.replace(self._key, "(the key)") if self._key else text


def _sent(step: Step, content: Any) -> list[Any]:
    return content if step.body == "lines" else [content]


def _kept(place: str | Mapping[str, str], answer: Answer) -> Any:
    if not isinstance(place, str):
        found = re.search(place["regex"], str(_kept(place["from"], answer)))
        return ABSENT if found is None else found[found.re.groups and 1]
    if place.startswith("header "):
        return answer.headers.get(place.removeprefix("header ").lower(), ABSENT)
    value = answer.json()
    for part in place.split(".")[1:]:
        if isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = value.get(part, ABSENT) if isinstance(value, dict) else ABSENT
    return value


def _delay(answer: Answer, otherwise: float) -> float:
    found = re.search(r'"retryDelay":\s*"(\d+(?:\.\d+)?)s"', answer.text)
    return min(60.0, float(found[1]) if found else otherwise)
