"""A running emulator for tests: ``pytest_plugins = ["emulator_fixture"]`` gives the fixture ``emulator``."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chargen.emulator import launch


class Emulator:
    """One emulator with a state folder of its own, and its admin side."""

    def __init__(self, state: Path, args: Sequence[str] = ()) -> None:
        self.state = state
        self.args = ("--idle-exit", "600", *args)
        self.url = ""

    def start(self) -> str:
        """Start it, or find it running; returns the base URL (the same again after a restart)."""
        self.url = launch.ensure(self.state, self.args)
        return self.url

    def stop(self) -> None:
        """Stop it; its state stays."""
        launch.stop(self.state)

    def kill(self) -> None:
        """End it without warning, as a crash would; its state stays."""
        launch.stop(self.state, kill=True)

    def restart(self, *args: str) -> str:
        """Stop and start again, with *args* in place of those it had, if any are given."""
        self.stop()
        if args:
            self.args = ("--idle-exit", "600", *args)
        return self.start()

    def faults(self, *, add: bool = False, **sections: Any) -> dict[str, Any]:
        """Set the fault plan to *sections* (``calls=[…]``, ``lines=[…]``, ``job={…}``, …), or add to it."""
        return self._ask("POST", "/admin/faults?add=1" if add else "/admin/faults", sections)

    def lose_answer(self, call: str, nth: int = 1) -> None:
        """Let the *nth* coming call of a kind take effect and lose its answer."""
        self.faults(add=True, calls=[{"call": call, "nth": [nth], "do": "cut_after"}])

    def seed(self, number: int, **shares: Any) -> dict[str, Any]:
        """Start a campaign of random trouble (``calls=``, ``lines=``, … from 0 to 1, ``lies=`` a share by kind)."""
        return self._ask("POST", "/admin/seed", {"seed": number, **shares})

    def counts(self) -> dict[str, Any]:
        """Calls by kind (``calls``), jobs made by display name (``created``), files and batches."""
        return self._ask("GET", "/admin/counts")

    def count(self, kind: str) -> int:
        """How many calls of *kind* came; ``created`` counts the jobs that were made."""
        counts = self.counts()
        if kind == "created":
            return sum(counts["created"].values())
        return int(counts["calls"].get(kind, 0))

    def log(self, kind: str = "") -> list[dict[str, Any]]:
        """The calls seen, oldest first, of one kind or of all."""
        calls: list[dict[str, Any]] = self._ask("GET", "/admin/log")["calls"]
        return [call for call in calls if not kind or call["kind"] == kind]

    def advance(self, seconds: float) -> None:
        """Push the emulator's clock."""
        self._ask("POST", "/admin/clock", {"advance_s": seconds})

    def end_jobs(self, state: str = "SUCCEEDED", display_name: str = "*", **error: Any) -> list[str]:
        """End the jobs that fit the glob now and return their names; ``code`` and ``message`` go with
        FAILED.
        """
        body = {"state": state, "display_name": display_name, **error}
        ended: list[str] = self._ask("POST", "/admin/jobs", body)["ended"]
        return ended

    def vanish(self, places: Sequence[str], display_name: str = "*", calls: int = 0, seconds: float = 0) -> list[str]:
        """Let jobs not be found at *places* (``get``, ``list``, ``download``; none: bring them back); their names."""
        body = {"from": list(places), "display_name": display_name, "calls": calls, "seconds": seconds}
        vanished: list[str] = self._ask("POST", "/admin/vanish", body)["vanished"]
        return vanished

    def executed(self) -> list[dict[str, Any]]:
        """Every job whose requests were executed, deleted ones too: for each line its key and result."""
        jobs: list[dict[str, Any]] = self._ask("GET", "/admin/executed")["jobs"]
        return jobs

    def expire_files(self, pattern: str = "*") -> int:
        """Let the files whose id or display name fits the glob expire now; returns how many."""
        return int(self._ask("POST", "/admin/expire", {"files": pattern})["expired"])

    def reset(self) -> None:
        """Forget everything: files, jobs, faults, log, clock."""
        self._ask("POST", "/admin/reset", {})

    def _ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None)
            answer = connection.getresponse()
            data: dict[str, Any] = json.loads(answer.read())
        finally:
            connection.close()
        if answer.status >= 400:
            raise ValueError(f"{method} {path}: {data.get('error')}")
        return data


_PLAIN = ("--job-polls", "1")


@pytest.fixture(scope="session")
def _emulator_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    server = Emulator(tmp_path_factory.mktemp("emulator"), _PLAIN)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def emulator(_emulator_server: Emulator) -> Emulator:
    """An emulator that knows nothing yet; jobs are done at the second look unless the test says otherwise.

    One process serves all tests of a session: each starts from a reset.
    """
    server = _emulator_server
    if server.args[2:] != _PLAIN:
        server.restart(*_PLAIN)
    server.start()
    server.reset()
    return server
