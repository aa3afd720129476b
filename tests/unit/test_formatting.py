"""Messages are wrapped to the width of the terminal."""

from __future__ import annotations

import io

import pytest

from chargen.base.formatting import wrapped


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm")
    return Terminal()


def test_long_lines_are_broken_at_spaces(narrow: Terminal) -> None:
    """No word is torn, and what follows is indented below its beginning; a word that is too long stays whole."""
    path = "characters/somebody-with-a-very-long-name/imagery.yaml:5:5:"

    broken = wrapped(f"{path} warning: there is no portrait of her\nshort", narrow)

    assert [path, "    warning: there is no portrait of her", "short"] == broken.split("\n")


def test_commands_stay_whole(narrow: Terminal) -> None:
    """What is to be copied is one line, and so is one of a frame whose colours are not seen."""
    command = "    snakemake order --config library=../somewhere scenes='*' state=stale"
    framed = "│ \x1b[32m✓\x1b[0m Success:   0                       │"

    assert f"{command}\n{framed}" == wrapped(f"{command}\n{framed}", narrow)


def test_a_pipe_gets_lines_as_they_are() -> None:
    """Without a terminal nothing is broken."""
    text = "word " * 40

    assert text == wrapped(text, io.StringIO())
