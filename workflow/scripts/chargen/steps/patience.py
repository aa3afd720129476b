"""What a wait for the server keeps in mind: what was denied and for how long, what does not come, what was printed."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from chargen.base import events
from chargen.providers.protocol import Connection
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State

FIRST_PAUSE_S = 1.0
GROWTH = 1.5

LOOKS_UNTIL_LOST = 4
"""How often in a row a job, or its result file, must be denied until it counts as gone, besides the time for which it
must be: a new one may be shown late, and what is lost is only made again by an order, for money."""


@dataclass(slots=True)
class Patience:
    """One wait; it ends when *run* is stopped or its main process is gone.

    ``pause_s`` is the pause before the next look; it grows up to ``poll.interval_s``.
    """

    settings: Settings
    state: State
    remote: Connection
    run: RunFiles | None = None
    pause_s: float = 0.0
    _denials: dict[str, list[float]] = field(default_factory=dict)
    _stuck: dict[str, tuple[float, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.pause_s = min(FIRST_PAUSE_S, self.settings.poll.interval_s)

    def grow(self) -> None:
        """Make the next pause longer."""
        self.pause_s = min(self.pause_s * GROWTH, self.settings.poll.interval_s)

    def is_lost(self, name: str) -> bool:
        """Whether something was denied often enough, and for long enough, to count as gone."""
        times = self._denials.setdefault(name, [])
        times.append(time.monotonic())
        return len(times) >= LOOKS_UNTIL_LOST and times[-1] - times[0] >= self.settings.poll.settle_s

    def forget_denials(self, name: str) -> None:
        """Count from the beginning when *name* is denied again: it was there."""
        self._denials.pop(name, None)

    def note_stuck(self, batch: str, why: str) -> None:
        """Note since when the results of *batch* are missing or incomplete."""
        since, _ = self._stuck.get(batch, (time.monotonic(), ""))
        self._stuck[batch] = (since, f"batch {batch}: {why}")

    def forget_stuck(self, batch: str) -> None:
        """Note that the results of *batch* came, or that its job has not ended yet."""
        self._stuck.pop(batch, None)

    def why_stuck(self, batch: str, for_s: float = 0.0) -> str:
        """Why the results of *batch* have been missing or incomplete for at least *for_s* seconds; ``""`` otherwise."""
        since, words = self._stuck.get(batch, (0.0, ""))
        return words if words and time.monotonic() - since >= for_s else ""

    def print_once(self, news: str, words: str, topic: str = "") -> None:
        """Print *words* unless a waiting step of the run has printed the same *news* last, on this *topic*."""
        if self.run is None:
            return
        last = self.run.printed(topic)
        with self.state.lock("told"):
            if not (last.exists() and last.read_text() == news):
                last.write_text(news)
                events.print_message(words)


def log_trouble(words: str, delay_s: float, **facts: Any) -> None:
    """Log a failure that is retried in *delay_s* seconds."""
    events.log("trouble", words, level="warning", delay_s=round(delay_s, 1), **facts)
