"""A progress bar for local work that takes its time: on a terminal only, and only once it has lasted for a moment."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, TypeVar

from chargen.base import durable, output
from chargen.base.formatting import is_terminal

if TYPE_CHECKING:
    from rich.progress import Progress

T = TypeVar("T")

AFTER_S = 1.0
REDRAWS_PER_S = 5
ONE_AT_A_TIME = Path(".snakemake") / "chargen-bar"
"""A lock: steps run side by side, and one line of the terminal holds one bar."""


def track(items: Iterable[T], doing: str, total: int | None = None) -> Iterator[T]:
    """Yield *items*, with a bar that says what one is *doing* to how many of *total*; None if that is not known."""
    bar = Bar(doing, total)
    try:
        for item in items:
            yield item
            bar.advance()
    finally:
        bar.close()


class Bar:
    """The bar itself, for work that is no loop over items; *counts_bytes* if it is of bytes."""

    def __init__(self, doing: str, total: int | None = None, counts_bytes: bool = False) -> None:
        self._doing = doing
        self._total = total
        self._counts_bytes = counts_bytes
        self._stream = _terminal()
        self._done = 0
        self._since = time.monotonic()
        self._held = ExitStack()
        self._shown: Progress | None = None

    def advance(self, by: int = 1) -> None:
        """Say that so much more is done."""
        if self._stream is None:
            return
        self._done += by
        if self._shown:
            self._shown.update(self._shown.task_ids[0], completed=self._done)
        elif time.monotonic() - self._since >= AFTER_S:
            self._show(self._stream)

    def close(self) -> None:
        """Take it away."""
        self._held.close()
        self._shown = None

    def _show(self, stream: TextIO) -> None:
        self._since = time.monotonic()
        if ONE_AT_A_TIME.parent.is_dir() and not self._held.enter_context(durable.lock(ONE_AT_A_TIME, wait=False)):
            return  # another process shows its bar; tried again after a moment
        from rich.console import Console
        from rich.progress import BarColumn, DownloadColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        count = DownloadColumn() if self._counts_bytes else MofNCompleteColumn()
        console = Console(file=output.drawable(stream))
        self._shown = Progress(
            TextColumn("{task.description}"), BarColumn(30), count, Remaining(compact=True),
            console=console, transient=True, refresh_per_second=REDRAWS_PER_S, redirect_stdout=False,
            redirect_stderr=False,
        )  # fmt: skip
        self._held.enter_context(self._shown)
        self._shown.add_task(self._doing, total=self._total, completed=self._done)


def _terminal() -> TextIO | None:
    """Where a bar may be drawn: a step's standard error is its log, Snakemake's own is the terminal."""
    return next((stream for stream in (sys.stderr, sys.stdout) if is_terminal(stream)), None)
