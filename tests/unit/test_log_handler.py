"""What is printed of Snakemake's messages: no bookkeeping, but every failure and whatever is not known."""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from snakemake.logging import DefaultFilter, DefaultFormatter
from snakemake_interface_logger_plugins.common import LogEvent

from chargen.snakemake import log_handler


@dataclass
class Common:
    """Snakemake's output settings as far as a handler needs them."""

    dryrun: bool = False
    stdout: bool = False
    nocolor: bool = False
    verbose: bool = False


class Screen:
    """A handler and what it has printed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, full: bool = False, dryrun: bool = False) -> None:
        self.stream = io.StringIO()
        monkeypatch.setattr("sys.stderr", self.stream)
        self.handler = log_handler.LogHandler(Common(dryrun=dryrun), log_handler.LogHandlerSettings(full=full))
        self.handler.setFormatter(DefaultFormatter())
        self.handler.addFilter(DefaultFilter(None, False, False, dryrun, False))

    def say(self, text: str, level: int = logging.INFO, event: LogEvent | None = None, **about: Any) -> None:
        record = logging.LogRecord("snakemake", level, "", 0, text, None, None)
        record.__dict__.update(about | ({"event": event} if event else {}))
        self.handler.handle(record)

    @property
    def lines(self) -> list[str]:
        return self.stream.getvalue().splitlines()


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of one step, relative to the working directory as Snakemake names it."""
    monkeypatch.chdir(tmp_path)
    path = Path("logs/generate/0123456789abcdef/submit.log")
    path.parent.mkdir(parents=True)
    return path


def job(log: Path, rule: str = "submit") -> dict[str, Any]:
    """What Snakemake knows of a failed job."""
    return {"rule_name": rule, "log": [str(log)], "shellcmd": "python -m chargen submit", "rule_msg": None, "aux": {}}


def test_bookkeeping_is_left_out_and_the_unknown_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only messages known to say nothing are dropped; a warning never is, whatever it says."""
    screen = Screen(monkeypatch)

    screen.say("Building DAG of jobs...")
    screen.say("Execute 1 jobs...", event=LogEvent.JOB_STARTED)
    screen.say("Nothing to be done (all requested files are present and up to date).")
    screen.say("Building DAG of jobs took long", logging.WARNING)
    screen.say("MissingRuleException:\nNo rule to produce nonsense", logging.ERROR, LogEvent.ERROR)
    screen.say("the plan\nin lines", **{log_handler.OUR_OWN: True})

    assert [
        "Nothing to be done (all requested files are present and up to date).",
        "Building DAG of jobs took long",
        "MissingRuleException:",
        "No rule to produce nonsense",
        "the plan",
        "in lines",
    ] == screen.lines


def test_all_of_it_is_one_flag_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """With full, nothing is left out."""
    screen = Screen(monkeypatch, full=True)

    screen.say("Building DAG of jobs...")
    screen.say("Execute 1 jobs...", event=LogEvent.JOB_STARTED)

    assert ["Building DAG of jobs...", "Execute 1 jobs..."] == screen.lines


def test_failure_without_words_shows_the_end_of_its_log(log: Path) -> None:
    """A traceback, or whatever the log ends with, is shown; the log is named."""
    log.write_text("".join(f"line {number}\n" for number in range(40)) + "Traceback (most recent call last):\n  boom\n")

    lines = log_handler.failure(job(log))

    assert "✗ submit failed: generate 0123456789abcdef" == lines[0]
    assert ["    | Traceback (most recent call last):", "    |   boom", f"    log: {log}"] == lines[-3:]
    assert 1 + log_handler.TAIL_LINES + 1 == len(lines)


def test_failure_in_words_is_not_said_twice(log: Path) -> None:
    """The step has told the reason itself: which step, and where its log is."""
    log.write_text("12:00:00 working\nchargen: no API key: put it there\n  and run again\n")

    assert [
        "✗ submit failed: generate 0123456789abcdef (the reason is above)",
        f"    log: {log}",
    ] == log_handler.failure(job(log))


def test_a_step_that_died_silently_is_named_with_its_command(log: Path) -> None:
    """An empty log says nothing, so the command does; a screen whose status is its answer says it without alarm."""
    log.write_text("")

    assert "    it ended without a message: python -m chargen submit" in log_handler.failure(job(log))
    assert ["doctor ended with a non-zero exit status: see above"] == log_handler.failure(job(log, "doctor"))


def test_steps_that_were_stopped_say_nothing(log: Path) -> None:
    """A stopped run is reported once, not by each step."""
    log.write_text("chargen: stopped. Nothing is lost: the next run continues\n")

    assert [] == log_handler.failure(job(log))


@pytest.mark.parametrize(("total", "shown"), [(2, "  submit           generate abc"), (1000, "Job stats:")])
def test_dry_run_lists_its_jobs_or_counts_them(monkeypatch: pytest.MonkeyPatch, total: int, shown: str) -> None:
    """Few jobs have a line each, many a table of their kinds; the table comes once."""
    screen = Screen(monkeypatch, dryrun=True)

    for _ in range(2):
        screen.say("Job stats:\nsubmit 2\n", event=LogEvent.RUN_INFO, stats={"total": total})
    screen.say("", event=LogEvent.JOB_INFO, rule_name="submit", wildcards={"operation": "generate", "batch": "abc"})
    screen.say("This was a dry-run (flag -n). The order of jobs does not reflect the order of execution.")

    assert 1 == screen.lines.count(shown)
    assert log_handler.DRY == screen.lines[-1]


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("generat_all", "unknown target `generat_all`, did you mean `generate_all`? `snakemake -l` lists them"),
        ("xyz", "unknown target `xyz`. `snakemake -l` lists them"),
        ("only=a/b", "`only=a/b` is not a target: settings go after --config, as in `--config only=a/b`"),
    ],
)
def test_a_misspelt_target_is_told_in_a_line(monkeypatch: pytest.MonkeyPatch, target: str, words: str) -> None:
    """With the rule that was probably meant."""
    monkeypatch.setattr(log_handler, "known_rules", lambda: ["generate_all", "jobs"])
    screen = Screen(monkeypatch)

    said = "(if you use input functions make sure that they don't raise unexpected exceptions)."
    screen.say(f"MissingRuleException:\nNo rule to produce {target} {said}", logging.ERROR, LogEvent.ERROR)

    assert [f"chargen: {words}"] == screen.lines
