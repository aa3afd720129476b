"""What reaches screens and logs: no secret, and nothing that a terminal would obey."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from chargen import cli
from chargen.base import events, output
from chargen.providers.gemini.errors import GeminiError
from chargen.screens.screen import Screen, Trouble, line
from chargen.snakemake import log_handler, messages

KEY = "AIzaSy-a-key/that+is 'odd\"\\only here"
EVIL = "a\x1b]0;title\x07\x1b[2Jb\rc\x9bd\u202ee\u2066f\u2028g\ud800h\U000e0041i"
SHOWN = r"a\u001b]0;title\u0007\u001b[2Jb\u000dc\u009bd\u202ee\u2066f\u2028g\ud800h\udb40\udc41i"


@pytest.fixture(autouse=True)
def a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is known for the length of a test."""
    monkeypatch.setattr(output, "_secrets", {})
    output.keep_secret(KEY)


def test_control_characters_are_written_out() -> None:
    """Escape sequences, carriage returns, C1, what turns the direction, halves of characters: seen, not obeyed."""
    assert SHOWN == output.visible(EVIL)
    assert "tabs\tand lines\nstay, and so do umlauts, 東京, 👩‍🚀" == output.visible(
        "tabs\tand lines\nstay, and so do umlauts, 東京, 👩‍🚀"
    )


def test_json_stays_the_same_document() -> None:
    """What is written out in a JSON document is read as what it was."""
    document = json.dumps({"name": EVIL}, ensure_ascii=False)

    assert {"name": EVIL} == json.loads(output.visible(document))


def test_the_key_is_hidden_in_every_form() -> None:
    """As it is, as URLs, JSON and Python write it, and what is left of it where a message was cut."""
    from urllib.parse import quote

    forms = [KEY, quote(KEY), quote(KEY, safe=""), json.dumps(KEY)[1:-1], repr(KEY)[1:-1], KEY[:20], KEY[-11:]]

    shown = [output.redacted(f"x{form}y") for form in forms]

    assert len(forms) * ["x[key]y"] == shown
    assert f"x{KEY[:7]}y" == output.redacted(f"x{KEY[:7]}y")


def test_a_short_key_hides_no_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody's gateway takes any key, a word like `chargen` too: names of jobs stay as they are."""
    output.keep_secret("chargen")

    assert "chargen-story-0123" == output.redacted("chargen-story-0123")


def test_all_that_is_printed_passes_the_filter(capsys: pytest.CaptureFixture[str]) -> None:
    """Print, write, logging and tracebacks, on both streams, whoever calls them."""
    import logging
    import traceback

    with output.guarded():
        print(f"{KEY} {EVIL}")
        sys.stdout.write(f"{KEY}\n")
        logging.StreamHandler().emit(logging.makeLogRecord({"msg": f"{KEY} {EVIL}"}))
        try:
            raise ValueError(f"{KEY} {EVIL}")
        except ValueError:
            traceback.print_exc()
    out, err = capsys.readouterr()

    assert f"[key] {SHOWN}\n[key]\n" == out
    assert err.startswith(f"[key] {SHOWN}\n") and err.endswith(f"ValueError: [key] {SHOWN}\n")
    assert "AIza" not in out + err and "\x1b" not in out + err


def test_errors_of_the_api_are_one_clean_line() -> None:
    """Whatever a server says, also over several lines and with the key in it."""
    error = GeminiError("asking\x1b[31m", 418, f"bad {KEY[:30]}\nchargen: all is well\r{EVIL}")

    assert 1 == len(error.message.splitlines())
    assert error.message.startswith(r"bad [key] chargen: all is well a\u001b]0;title")
    assert "AIza" not in str(error)


def test_errors_and_events_are_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step's error on the terminal, in its log and among the events shows neither key nor control characters."""
    monkeypatch.setattr(events._log, "path", tmp_path / events.FILE)
    monkeypatch.setattr(events._log, "file_level", 0)

    def failing(args: object) -> int:
        events.log("looked", f"{KEY} {EVIL}", on_terminal=True, name=KEY)
        raise GeminiError("asking", 500, f"{KEY} {EVIL}")

    monkeypatch.setattr(cli, "_planned", failing)
    status = cli.main(["planned", "--run", str(tmp_path)])
    out, err = capsys.readouterr()

    assert 1 == status
    for text in (out, err, (tmp_path / events.FILE).read_text("utf-8")):
        assert "[key]" in text and "AIza" not in text
        assert not any(sign in text for sign in "\x1b\x07\r\x9b")
    assert r"\u202e" in out and "\u202e" not in out + err


def test_screens_are_clean_as_lines_and_as_json() -> None:
    """Names of jobs and files from a server, on the screen of an operating target in both forms."""
    shown = []
    for as_json in (False, True):
        stream = io.StringIO()
        Screen(as_json, output.guard(stream)).show(Trouble(error=f"{KEY}{EVIL}"), lambda _: [line(f"{KEY}{EVIL}")])
        shown.append(stream.getvalue())

    assert f"[key]{SHOWN}\n" == shown[0]
    assert "\x1b" not in shown[1] and "\u202e" not in shown[1] and "AIza" not in shown[1]
    assert f"[key]{EVIL}".replace("\ud800", r"\ud800") == json.loads(shown[1])["error"]


def test_what_snakemake_prints_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a step's log, and Snakemake's own messages with names from the library in them."""
    from test_log_handler import Screen as Handler

    handler = Handler(monkeypatch)
    handler.say(f"Missing input files {EVIL}", 40)
    handler.say(f"\x1b[32mdone\x1b[0m {EVIL}", **{log_handler.OUR_OWN: True})

    written = handler.stream.getvalue()
    assert f"Missing input files {SHOWN}" in written
    assert f"\x1b[32mdone\x1b[0m {SHOWN}" in written


def test_errors_while_planning_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    """Names from the library in the error that ends Snakemake."""
    with pytest.raises(SystemExit):
        messages.exit_with(EVIL)

    assert f"chargen: {SHOWN}\n" == capsys.readouterr().err
