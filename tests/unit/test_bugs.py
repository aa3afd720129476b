"""An exception that nobody expected: one line for the user, the traceback in a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chargen import cli
from chargen.base import bugs, events, output
from chargen.screens.screen import Screen
from chargen.snakemake import messages

KEY = "AIzaSyA-0123456789_abcdefghijklmnopqrstu"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, in which nothing has happened yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(output, "_secrets", {})
    monkeypatch.setattr(events._log, "path", None)
    monkeypatch.setattr(events._log, "silent", False)
    output.keep_secret(KEY)
    return tmp_path


def broken(*_: Any, **__: Any) -> Any:
    raise KeyError(f"no\x1b[2J such thing\nas {KEY}")


def test_a_bug_in_a_step_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The terminal has what was done, what happened, the file with the traceback and how to report it; the step's log
    and that file have the traceback. None of them has the key."""
    monkeypatch.setattr(cli, "_stage", broken)

    status = cli.main(["stage", "--run", "x", "0123456789abcdef", "out"])
    out, err = capsys.readouterr()

    written = (folder / bugs.FILE).read_text("utf-8")
    assert (1, 1) == (status, len(out.splitlines()))
    assert out.startswith(
        "chargen: unexpected error while running the step `stage` of batch 0123456789abcdef: KeyError: "
    )
    assert "This is a bug in chargen. The traceback is in logs/unexpected.log; docs/troubleshooting.md says how" in out
    for text in (err, written):
        assert "Traceback (most recent call last)" in text and "in broken" in text
    assert err.splitlines()[-1] == out.strip()
    assert not any(part in text for text in (out, err, written) for part in ("AIza", "\x1b"))


def test_json_stays_json_when_there_is_a_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Standard output is one document, whatever kind of exception ended the target."""
    for error in (KeyError("x"), OSError(28, "No space left on device", "f"), cli.ChargenError("words")):
        monkeypatch.setattr(
            cli, "_show_screen", lambda args, error=error: cli._answered(Screen.of("json"), fail(error))
        )
        assert 1 == cli.main(["jobs", "--run", "x"])

    out, _ = capsys.readouterr()
    decoder, documents = json.JSONDecoder(), []
    while out.strip():
        document, end = decoder.raw_decode(out)
        documents.append(document["error"])
        out = out[end:].lstrip()
    assert ["KeyError", "f: No space left on device", "words"] == [text.partition(". ")[0] for text in documents]


def fail(error: Exception) -> Any:
    def act() -> int:
        raise error

    return act


def test_a_bug_while_planning_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What Snakemake asks ends it with a line and a status; its own control flow passes."""
    asked = messages.exit_on_error("planning")(broken)
    with pytest.raises(SystemExit) as ended:
        asked()
    with pytest.raises(SystemExit) as left:
        messages.exit_on_error("planning")(lambda: messages.exit_with("words"))()
    err = capsys.readouterr().err

    assert (1, 1) == (ended.value.code, left.value.code)
    assert 2 == len(err.splitlines()) and err.startswith("chargen: unexpected error while planning: KeyError: ")
    assert "in broken" in (folder / bugs.FILE).read_text("utf-8")


def test_no_memory_is_no_bug(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It says what to do, without a traceback."""

    def exhausted(args: object) -> int:
        raise MemoryError

    monkeypatch.setattr(cli, "_planned", exhausted)

    assert 1 == cli.main(["planned", "--run", "x"])
    assert "out of memory" in capsys.readouterr().err
    assert not bugs.FILE.exists()


def test_a_missing_package_is_no_bug(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """After an update without its packages, it says which one is missing and how to get it."""

    def outdated(args: object) -> int:
        import a_package_that_is_new  # type: ignore[import-not-found]  # noqa: F401

        return 0

    monkeypatch.setattr(cli, "_planned", outdated)

    assert 1 == cli.main(["planned", "--run", "x"])
    assert "the Python package a_package_that_is_new is missing" in capsys.readouterr().out
    assert not bugs.FILE.exists()


def test_a_traceback_that_cannot_be_kept_is_printed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the log cannot be written, the traceback is on the screen, and the line says so."""
    (folder / "logs").write_text("a file")

    try:
        broken()
    except KeyError as error:
        line = bugs.record(error, "planning", folder)

    assert "The traceback is above (logs/unexpected.log cannot be written: " in line
    assert "in broken" in capsys.readouterr().err


def test_the_file_of_tracebacks_does_not_grow_for_ever(folder: Path) -> None:
    """An old one is put aside once it is large."""
    (folder / "logs").mkdir()
    (folder / bugs.FILE).write_bytes(b"x" * (bugs.MAX_BYTES + 1))

    bugs.record(ValueError("new"), "planning", folder)

    assert "new" in (folder / bugs.FILE).read_text() and (folder / "logs" / bugs.OLDER).exists()
