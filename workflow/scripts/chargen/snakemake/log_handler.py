"""The log handler that decides what is printed while Snakemake runs; the default profile switches it on as a plugin.

The steps print what they do themselves. Of Snakemake's own messages, those known to be bookkeeping are left out; a
failed step is reported in a few lines with its log; everything else, and whatever is not known here, is printed as it
comes. The log under `.snakemake/log/` has all of it, and ``--logger-chargen-full`` prints all of it.
"""

# No postponed annotations here: Snakemake takes the type of an option from the field's annotation itself.

import copy
import difflib
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent
from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase

from chargen.base import bugs, output
from chargen.base.formatting import CLEAR_LINE, is_terminal, wrapped

OUR_OWN = "chargen"
"""The attribute of a log record that chargen itself wrote: plan and summary."""
STOPPED = "Nothing is lost: "
"""In the message of a stopped step; at the end of the run it is printed once for all of them."""
ANSWERS_BY_STATUS = frozenset({"doctor", "cleanup"})
"""Rules whose answer is on the screen, and whose exit status only repeats that it is not good."""
MOST_LISTED = 30
"""A dry run lists its jobs if they are no more than this, else counts them."""
DRY = "This was a dry run: nothing was sent and nothing was written. `snakemake planned` shows each picture's prompt."
TAIL_LINES = 10
"""How many of a log's last lines are shown when a step failed without words of its own."""
TAIL_BYTES = 20_000
BOOKKEEPING_EVENTS = frozenset(
    {
        LogEvent.WORKFLOW_STARTED,
        LogEvent.RESOURCES_INFO,
        LogEvent.JOB_STARTED,
        LogEvent.JOB_FINISHED,
        LogEvent.PROGRESS,
        LogEvent.RULEGRAPH,
    }
)
BOOKKEEPING = re.compile(
    r"Assuming unrestricted shared filesystem|Building DAG of jobs|Using shell: |Group jobs: inactive"
    r"|Conda environments: |Singularity containers: |Select jobs to execute|DAG of jobs will be updated"
    r"|Updating checkpoint dependencies"
    r"|Reasons:\n|This was a dry-run|The run involves checkpoint jobs|Complete log\(s\): |Elapsed time: "
    r"|Config file \S+ is extended by additional config|Terminating processes on user request|Shutting down, this might"
)
"""Messages without an event that say nothing about pictures. Only of level INFO: warnings are never left out."""
AFTERMATH = re.compile(
    r"Exiting because a job execution failed|WorkflowError:\nAt least one job did not complete successfully"
    r"|Cancelling snakemake on user request|RuleException:\nCalledProcessError in file"
)
"""Errors that only repeat that something failed: each failure was reported with its log, the exit status stays."""
NO_RULE = re.compile(r"MissingRuleException:\nNo rule to produce (\S+) \(if you use input functions")


def known_rules() -> Iterable[str]:
    """Return the names of all rules. Whoever has read the Snakefile puts its own function here."""
    return ()


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """The options of this plugin on the command line."""

    full: bool = field(
        default=False, metadata={"help": "Print Snakemake's own messages too: each job, its files and reason."}
    )


class LogHandler(LogHandlerBase):
    """Prints on standard error, in a dry run on standard output, as Snakemake does. Called in a thread of its own."""

    def __post_init__(self) -> None:
        from snakemake.logging import ColorizingTextHandler

        common = self.common_settings
        stream = sys.stdout if common.stdout else sys.stderr
        no_colour = common.nocolor or bool(os.environ.get("NO_COLOR"))
        self._plain = ColorizingTextHandler(nocolor=no_colour, stream=output.guard(stream, colours=True))
        self._coloured = not self._plain.nocolor
        self._full = (isinstance(self.settings, LogHandlerSettings) and self.settings.full) or common.verbose
        self._counted = self._lists_jobs = False

    @property
    def writes_to_stream(self) -> bool:
        return True

    @property
    def writes_to_file(self) -> bool:
        return False

    @property
    def has_filter(self) -> bool:
        return False

    @property
    def has_formatter(self) -> bool:
        return False

    @property
    def needs_rulegraph(self) -> bool:
        return False

    def setFormatter(self, formatter: logging.Formatter | None) -> None:
        super().setFormatter(formatter)
        self._plain.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if getattr(record, OUR_OWN, False):
                self._write(wrapped(str(record.msg), self._plain.stream).split("\n"))
                return
            record = _cleaned(record)
            if self._full:
                self._plain.emit(record)
            else:
                self._emit_selected(record)
        except Exception as error:  # an exception would end the thread, and with it all output
            self._write([f"chargen: {bugs.record(error, 'printing what Snakemake says', Path.cwd())}"])

    def _emit_selected(self, record: logging.LogRecord) -> None:
        event, text, about = getattr(record, "event", None), str(record.msg or ""), record.__dict__
        if event == LogEvent.JOB_ERROR:
            self._write(failure(about))
        elif event == LogEvent.RUN_INFO:
            if self.common_settings.dryrun and not self._counted:
                self._count(about.get("stats") or {}, text)
        elif event == LogEvent.JOB_INFO:
            if self._lists_jobs:
                self._write([would_run(about)])
        elif text.startswith("This was a dry-run"):
            self._write([DRY])
        elif missing := NO_RULE.match(text):
            self._write([no_target(missing[1])])
        elif record.levelno >= logging.WARNING:
            if not AFTERMATH.match(text):
                self._write([], clear=True)
                self._plain.emit(record)
        elif event not in BOOKKEEPING_EVENTS and not BOOKKEEPING.match(text):
            self._write([], clear=True)
            self._plain.emit(record)

    def _count(self, stats: Mapping[str, int], table: str) -> None:
        """Begin what a dry run says: each job in a line, or the table of their kinds if they are many."""
        self._counted = True
        self._lists_jobs = stats.get("total", 0) <= MOST_LISTED
        self._write(["Would run:"] if self._lists_jobs else ["", table.rstrip()])

    def _write(self, lines: Iterable[str], clear: bool = False) -> None:
        stream = self._plain.stream
        written = "".join(f"{self._with_colour(line)}\n" for line in lines)
        if is_terminal(stream) and (written or clear):  # a step's progress bar may be on the line
            output.drawable(stream).write(CLEAR_LINE)
        stream.write(written)
        stream.flush()

    def _with_colour(self, line: str) -> str:
        return f"\x1b[31m{line}\x1b[0m" if self._coloured and line.startswith("✗") else line


def _cleaned(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy of a message of Snakemake's without control characters, those that set colours among them."""
    copied = copy.copy(record)
    copied.msg, copied.args = output.clean(record.getMessage() if record.msg else ""), None
    return copied


def would_run(job: Mapping[str, Any]) -> str:
    """Return the line of a dry run on one job: its rule and what it is about; of which run goes without saying."""
    about = (str(value) for name, value in (job.get("wildcards") or {}).items() if name != "run")
    return f"  {job['rule_name']:<16} {' '.join(about)}".rstrip()


def no_target(target: str) -> str:
    """Return the line on a target that no rule makes, with what was probably meant."""
    if "=" in target:
        return f"chargen: `{target}` is not a target: settings go after --config, as in `--config {target}`"
    near = difflib.get_close_matches(target, known_rules(), 1)
    meant = f", did you mean `{near[0]}`?" if near else "."
    return f"chargen: unknown target `{target}`{meant} `snakemake -l` lists them"


def failure(job: Mapping[str, Any]) -> list[str]:
    """Return the lines on a failed job: which, why as far as it has not been said, and where its log is.

    Of a run that somebody stopped, that is printed once, not for each job.
    """
    rule, logs = str(job["rule_name"]), [str(path) for path in job.get("log") or ()]
    lines = [line for path in logs for line in tail(Path(path))]
    message = _final_message(lines)
    if STOPPED in message:
        return []
    if not lines and rule in ANSWERS_BY_STATUS:
        return [f"{rule} ended with a non-zero exit status: see above"]
    batch = next((" ".join(Path(path).parts[1:3]) for path in logs if len(Path(path).parts) == 4), "")
    said = [f"✗ {rule} failed{': ' + batch if batch else ''}" + (" (the reason is above)" if message else "")]
    if job.get("rule_msg"):
        said.append(f"    {job['rule_msg']}")
    if not message and lines:
        said += [f"    | {line}" for line in lines[-TAIL_LINES:]]
    if not lines and job.get("shellcmd"):
        said.append(f"    it ended without a message: {job['shellcmd']}")
    said += [f"    {name}: {value}" for name, value in (job.get("aux") or {}).items()]
    return [*said, *(f"    log: {path}" for path in logs)]


def tail(path: Path) -> list[str]:
    """Return the last lines of a log, nothing if it cannot be read."""
    try:
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - TAIL_BYTES))
            text = handle.read().decode(errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def _final_message(lines: list[str]) -> str:
    """Return the error message at the end of a step's log; steps print it on the terminal themselves."""
    for number in range(len(lines) - 1, -1, -1):
        if lines[number].startswith("chargen: "):
            return "\n".join(lines[number:])
        if lines[number].startswith("Traceback "):
            break
    return ""
