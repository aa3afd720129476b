"""Small HTTP servers for tests: each answers as its function says and remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


@dataclass
class Asked:
    """A request that a server got."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Given:
    """An answer."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"


@dataclass
class Site:
    """A running server."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def site(answer: Callable[[Asked], Given], host: str = "127.0.0.1") -> Iterator[Site]:
    """Serve *answer* on a free port of *host*."""
    found = Site("")

    class Handler(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            asked = Asked(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body)
            found.asked.append(asked)
            given = answer(asked)
            self.send_response(given.status)
            for name, value in {"Content-Length": str(len(given.body)), **given.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(given.body)

        do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = _serve

        def log_message(self, *about: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    found.url = f"http://{host}:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
