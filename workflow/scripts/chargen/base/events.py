"""What happens, told once: in words to the step's log, and as a line of JSON to ``logs/events.ndjson``.

Events are for people and their tools (``schemas/event.schema.json``). Nothing in chargen reads them, and nothing that
goes wrong with them stops a run: what must not be lost is in the journal.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import orjson

from chargen.base import output
from chargen.base.formatting import CLEAR_LINE, fitted, on_terminal

if TYPE_CHECKING:
    from chargen.records.settings import Settings
    from chargen.records.state import State

Level = Literal["debug", "info", "warning", "error"]

FILE = Path("logs") / "events.ndjson"
"""Relative to the folder that holds state/ and results/."""

OLDER = "events.1.ndjson"
"""What the file is called once it has grown too large; the one before it goes."""

_LEVELS = ("debug", "info", "warning", "error", "off")


class _Teller:
    """What this process tells of, and where; until `begin`, everything to the log and nothing to the file."""

    def __init__(self) -> None:
        self.path: Path | None = None
        self.to_log = 0
        self.to_file = 0
        self.about: dict[str, Any] = {}
        self.hushed = False


_teller = _Teller()


def begin(settings: Settings, run: str, step: str, batch: str = "") -> None:
    """Say for whom this process works: all that it tells from now on carries *run*, *step* and *batch*."""
    _teller.path = Path(settings.home) / FILE
    _teller.to_log = _LEVELS.index(settings.logs.level)
    _teller.to_file = _LEVELS.index(settings.logs.events)
    _teller.about = {"run": run, "step": step} | ({"batch": batch} if batch else {})


def home() -> Path:
    """Return the folder that holds state/ and results/, as far as this process knows it."""
    return _teller.path.parents[1] if _teller.path else Path.cwd()


def hush() -> None:
    """Show nothing more from now on: whoever reads standard output wants data alone. Log and file go on."""
    _teller.hushed = True


def tell(event: str, words: str, *, level: Level = "info", shown: bool = False, **facts: Any) -> None:
    """Tell of *event*: *words* to the log on standard error, the same with *facts* to the file of events.

    With *shown*, the words also reach the person in front of the terminal when standard error goes to a log: standard
    output stays on the terminal under Snakemake. Never raises.
    """
    if shown:
        show(words)
    if _LEVELS.index(level) >= _teller.to_log and not (shown and _same_terminal()):
        _print(f"{dt.datetime.now():%H:%M:%S} {words}", "stderr")
    note(event, words, level=level, **facts)


def show(words: str) -> None:
    """Say *words* to the person in front of the terminal alone. Never raises."""
    if _teller.hushed:
        return
    clear = CLEAR_LINE if on_terminal(sys.stdout) else ""  # a progress bar may be on the line
    _print(fitted(words, sys.stdout), "stdout", before=clear)


def note(event: str, words: str, *, level: Level = "info", **facts: Any) -> None:
    """Write *event* to the file alone, for those who say the words in their own way. Never raises."""
    if _teller.path is None or _LEVELS.index(level) < _teller.to_file:
        return
    moment = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"time": moment, "level": level, "event": event, **_teller.about, **facts, "words": words}
    try:
        _append(_teller.path, _json(line | {"pid": os.getpid()}))
    except Exception as error:  # a log is never worth a run
        _teller.path = None
        _print(f"{FILE} cannot be written ({error}): the run goes on, and this step writes no more events", "stderr")


def make_room(settings: Settings, state: State) -> None:
    """Put a file of events aside that has outgrown ``logs.max_bytes``. Never raises."""
    path = Path(settings.home) / FILE
    try:
        with state.lock("events", wait=False) as got:
            if got and path.stat().st_size > settings.logs.max_bytes:
                path.replace(path.with_name(OLDER))
    except FileNotFoundError:
        return
    except OSError as error:
        _print(f"{FILE} is too large and cannot be put aside: {error}", "stderr")


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


def _same_terminal() -> bool:
    return sys.stderr.isatty()


def _print(text: str, stream: Literal["stdout", "stderr"], before: str = "") -> None:
    """Print a line, with what is to be drawn *before* it; a stream that cannot take it (a full disk) is given up."""
    try:
        print(before + output.clean(text), file=output.drawable(getattr(sys, stream)), flush=True)
    except OSError:
        # What is left in its buffer would fail once more when the interpreter ends.
        setattr(sys, stream, Path(os.devnull).open("w"))  # noqa: SIM115
