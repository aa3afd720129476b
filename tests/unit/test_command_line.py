"""Mistakes on Snakemake's command line are one message, and nothing is run."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest

from chargen.base.errors import ChargenError
from chargen.snakemake.command_line import check_before, check_files, check_settings, in_one_line


@pytest.mark.parametrize(
    ("words", "message", "line"),
    [
        (
            ["exclude=a b", "generate_all"],
            "`generate_all` stands after --config",
            "generate_all --config 'exclude=a b'",
        ),
        (["generate_all", "jobs"], "`generate_all jobs` stands after --config", "snakemake generate_all jobs"),
        (["format"], "--config format: the value is missing, as in `--config format=…`", ""),
        (["9x=1"], "--config 9x=1: unknown key `9x`", ""),
    ],
)
def test_words_that_are_no_settings(words: list[str], message: str, line: str) -> None:
    """The message names the word, and for a target the command line that was meant."""
    with pytest.raises(ChargenError) as error:
        check_settings(words)

    assert str(error.value).startswith(message) and str(error.value).endswith(line)


def test_settings_pass() -> None:
    """Values may be empty, hold spaces and equals signs; unknown keys are left to the check of the configuration."""
    check_settings(["library=my = story", "state=", "librry=x"])


def test_configuration_files_that_cannot_be_read(tmp_path: Path) -> None:
    """The message names the file and what is wrong with it; a readable one passes."""
    fine, latin = tmp_path / "fine.yaml", tmp_path / "latin.yaml"
    fine.write_text("library: story")
    latin.write_bytes(b"library: caf\xe9")
    messages = []
    for path in (tmp_path / "absent.yaml", tmp_path, latin):
        with pytest.raises(ChargenError) as error:
            check_files([fine, path])
        messages.append(str(error.value).partition(": ")[2])

    assert ["file not found", "Is a directory", "not UTF-8 at byte 12; save it as UTF-8"] == messages


def test_snakemake_is_not_asked_after_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """The wrapped function runs only with arguments in order; the exit status reports the mistake."""
    called: list[str] = []
    run = check_before(lambda args, parser: called.append(parser))
    run(Namespace(config=None, configfile=None), "fine")
    with pytest.raises(SystemExit) as ended:
        run(Namespace(config=["generate_all"], configfile=None), "wrong")

    assert (["fine"], 1) == (called, ended.value.code)
    assert capsys.readouterr().err.startswith("chargen: `generate_all` stands after --config")


def test_a_bad_value_of_an_option_is_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    """Snakemake raises ValueError while it reads options; other exceptions stay its own business."""
    printed: list[Exception] = []
    report = in_one_line(printed.append)
    report(KeyError("x"))
    with pytest.raises(SystemExit):
        report(ValueError("no number"))

    assert ["KeyError"] == [type(error).__name__ for error in printed]
    assert "chargen: Snakemake cannot read the value of an option: no number" in capsys.readouterr().err
