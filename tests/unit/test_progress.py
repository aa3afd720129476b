"""A bar on a terminal and only there, once work lasts; never in what is written to a file."""

from __future__ import annotations

import io
import os
import pty
import select
from collections.abc import Iterator
from pathlib import Path

import pytest

from chargen.base import durable, progress


class Terminal:
    """A terminal of its own: ``stream`` writes to it, `written` is what came."""

    def __init__(self) -> None:
        self._master, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w")

    def written(self) -> str:
        data = b""
        while select.select([self._master], [], [], 0.5)[0]:
            data += os.read(self._master, 100_000)
        return data.decode()

    def close(self) -> None:
        self.stream.close()
        os.close(self._master)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal, in an empty working directory, and bars that come at once."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(progress, "AFTER_S", 0.0)
    its = Terminal()
    yield its
    its.close()


def test_bar_on_a_terminal(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what is done, to how many, and every item comes through."""
    monkeypatch.setattr("sys.stderr", terminal.stream)

    assert [0, 1, 2] == list(progress.track(range(3), "planning pictures", 3))

    written = terminal.written()
    assert "planning pictures" in written
    assert "3/3" in written


def test_one_bar_at_a_time(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process shows its bar, work goes on without one."""
    monkeypatch.setattr("sys.stderr", terminal.stream)
    progress.ONE_AT_A_TIME.parent.mkdir()

    with durable.lock(progress.ONE_AT_A_TIME):
        assert [0, 1] == list(progress.track(range(2), "planning pictures", 2))

    assert "" == terminal.written()


def test_nothing_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a pipe or a log there is no trace of it."""
    monkeypatch.setattr(progress, "AFTER_S", 0.0)
    streams = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stderr", streams[0])
    monkeypatch.setattr("sys.stdout", streams[1])

    assert ["a", "b"] == list(progress.track("ab", "planning", 2))

    assert ["", ""] == [stream.getvalue() for stream in streams]
