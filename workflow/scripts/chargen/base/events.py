"""Logging: each event as a message in the step's log and as a line of JSON in ``logs/events.ndjson``.

Events are for people and their tools (``schemas/event.schema.json``). Nothing in chargen reads them, and an error while
writing them never stops a run: what must not be lost is in the journal.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from chargen.base import output
from chargen.base.formatting import CLEAR_LINE, is_terminal, wrapped

if TYPE_CHECKING:
    from chargen.records.settings import Settings
    from chargen.records.state import State

Level = Literal["debug", "info", "warning", "error"]

FILE = Path("logs") / "events.ndjson"
"""Relative to the folder that holds state/ and results/."""

OLDER = "events.1.ndjson"
"""The name of the file once it has grown too large; the one before it is deleted."""

_LEVELS = ("debug", "info", "warning", "error", "off")


class _Log:
    """Where this process logs, and which levels; until `configure`, everything to the log and nothing to the file."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.log_level = 0
        self.file_level = 0
        self.about: dict[str, Any] = {}
        self.silent = False


_log = _Log()


def configure(settings: Settings, run: str, step: str, batch: str = "") -> None:
    """Set levels and file by *settings*; every event from now on carries *run*, *step* and *batch*."""
    _log.path = Path(settings.home) / FILE
    _log.log_level = _LEVELS.index(settings.logs.level)
    _log.file_level = _LEVELS.index(settings.logs.events)
    _log.about = {"run": run, "step": step} | ({"batch": batch} if batch else {})


def home() -> Path:
    """Return the folder that holds state/ and results/, as far as this process knows it."""
    return _log.path.parents[1] if _log.path else Path.cwd()


def silence() -> None:
    """Print nothing more on standard output: it is to hold data alone. Log and file go on."""
    _log.silent = True


def log(event: str, message: str, /, *, level: Level = "info", on_terminal: bool = False, **facts: Any) -> None:
    """Log *event*: *message* to the log on standard error, the same with *facts* to the file of events.

    With *on_terminal*, the message is also printed on standard output, which stays on the terminal under Snakemake
    while standard error goes to the step's log. Never raises.
    """
    if on_terminal:
        print_message(message)
    if _LEVELS.index(level) >= _log.log_level and not (on_terminal and sys.stderr.isatty()):
        _print(f"{dt.datetime.now():%H:%M:%S} {message}", "stderr")
    write_event(event, message, level=level, **facts)


def print_message(message: str) -> None:
    """Print *message* on the terminal alone. Never raises."""
    if _log.silent:
        return
    clear = CLEAR_LINE if is_terminal(sys.stdout) else ""  # a progress bar may be on the line
    _print(wrapped(message, sys.stdout), "stdout", before=clear)


def write_event(event: str, message: str, /, *, level: Level = "info", **facts: Any) -> None:
    """Write *event* to the file alone, where the message is printed elsewhere. Never raises."""
    if _log.path is None or _LEVELS.index(level) < _log.file_level:
        return
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"time": moment, "level": level, "event": event, **_log.about, **facts, "words": message}
    try:
        _append(_log.path, _json(line | {"pid": os.getpid()}))
    except Exception as error:  # a log must not stop a run
        _log.path = None
        _print(f"{FILE} cannot be written ({error}): the run continues, and this step writes no more events", "stderr")


def rotate(settings: Settings, state: State) -> None:
    """Rename the file of events if it is larger than ``logs.max_bytes``. Never raises."""
    path = Path(settings.home) / FILE
    try:
        with state.lock("events", wait=False) as got:
            if got and path.stat().st_size > settings.logs.max_bytes:
                path.replace(path.with_name(OLDER))
    except FileNotFoundError:
        return
    except OSError as error:
        _print(f"{FILE} is too large and cannot be renamed: {error}", "stderr")


def _json(line: dict[str, Any]) -> bytes:
    """Return *line* as JSON that may also be looked at on a terminal."""
    try:
        text = orjson.dumps(line).decode()
    except orjson.JSONEncodeError:  # a name that is not UTF-8
        text = orjson.dumps(output.encodable(line)).decode()
    return f"{output.clean(text)}\n".encode()


def _append(path: Path, line: bytes) -> None:
    """Add *line* in one write, so that the lines of many processes do not mix."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        if os.write(handle, line) < len(line):
            raise OSError("the disk is full")
    finally:
        os.close(handle)


def _print(text: str, stream: Literal["stdout", "stderr"], before: str = "") -> None:
    """Print a line, with what is to be drawn *before* it; a stream that cannot take it (a full disk) is given up."""
    try:
        print(before + output.clean(text), file=output.drawable(getattr(sys, stream)), flush=True)
    except OSError:
        # What is left in its buffer would fail once more when the interpreter ends.
        setattr(sys, stream, Path(os.devnull).open("w"))  # noqa: SIM115
