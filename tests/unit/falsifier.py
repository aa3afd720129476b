"""A server between client and emulator that changes answers and requests on their way."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from web import Asked, Given, site

_HOP = {"transfer-encoding", "connection", "content-length", "keep-alive", "accept-encoding"}


@dataclass
class Exchange:
    """A call on its way through: what was asked, and what the emulator answered."""

    method: str
    path: str
    asked: bytes
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The answer's JSON, or None."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    def put(self, value: Any) -> None:
        """Answer *value* instead."""
        self.body = json.dumps(value).encode()


@dataclass
class Falsifier:
    """Where to ask, and how often each change was made."""

    url: str = ""
    made: dict[str, int] = field(default_factory=dict)


Change = Callable[[Exchange], object]
"""Changes an answer in place; anything but None says that it did."""
Rewrite = Callable[[Asked], Asked]


@contextmanager
def falsifier(
    target: str, changes: Sequence[tuple[str, Change]] = (), rewrite: Rewrite | None = None
) -> Iterator[Falsifier]:
    """Serve the emulator at *target* with *changes*, each with a name; *rewrite* changes requests on their way."""
    found = Falsifier()

    def answer(asked: Asked) -> Given:
        asked = rewrite(asked) if rewrite else asked
        connection = http.client.HTTPConnection(urlsplit(target).netloc, timeout=60)
        try:
            headers = {name: value for name, value in asked.headers.items() if name not in _HOP}
            connection.request(asked.method, asked.path, asked.body, headers)
            got = connection.getresponse()
            given = Exchange(
                asked.method,
                asked.path,
                asked.body,
                got.status,
                {name.lower(): value for name, value in got.getheaders() if name.lower() not in _HOP},
                got.read(),
            )
        finally:
            connection.close()
        for name, change in changes:
            if change(given) is not None:
                found.made[name] = found.made.get(name, 0) + 1
        return Given(given.status, given.headers, given.body)

    with site(answer) as served:
        found.url = served.url
        yield found
