"""Where chargen keeps what must not be lost: ``state/<provider>/<library id>/``.

Nothing in there is an output of Snakemake, and nothing in results/ is read to decide what is to be done.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargen import durable
from chargen.config import Settings


@dataclass(frozen=True, slots=True)
class State:
    """The paths of one library's state."""

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> State:
        """Return the state of the library and provider of *settings*."""
        return cls(Path(settings.home) / "state" / settings.provider / settings.library_id)

    @property
    def journal(self) -> Path:
        """What was asked of the remote side, one JSON line an event."""
        return self.root / "journal.jsonl"

    @property
    def uploads(self) -> Path:
        """Which files lie on the server, one JSON line an event."""
        return self.root / "uploads.jsonl"

    @property
    def orders(self) -> Path:
        """What was ordered to be made again, one JSON line an order."""
        return self.root / "orders.jsonl"

    @property
    def reported(self) -> Path:
        """Which report was written last, and how much the journal knew then."""
        return self.root / "reported.json"

    @property
    def unplaced(self) -> Path:
        """Pictures that were paid for and have no place in the library."""
        return self.root / "unplaced"

    def batch(self, batch: str) -> BatchFiles:
        """Return the files of one batch."""
        return BatchFiles(self.root / "batches" / batch)

    def batches(self) -> Iterator[BatchFiles]:
        """Yield every batch that has files here, in order of id."""
        folder = self.root / "batches"
        if folder.is_dir():
            yield from (BatchFiles(path) for path in sorted(folder.iterdir()) if path.is_dir())

    def runs(self) -> Iterator[RunFiles]:
        """Yield every run that has files here, oldest first."""
        folder = self.root / "runs"
        if folder.is_dir():
            yield from (RunFiles(path) for path in sorted(folder.iterdir()) if path.is_dir())

    def run(self, run: str) -> RunFiles:
        """Return the files of one run."""
        return RunFiles(self.root / "runs" / run)

    @contextmanager
    def lock(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        """Hold one of this library's locks: ``submit``, ``journal``, ``batch-<id>``, ``upload-<hash>``, …"""
        with durable.lock(self.root / "locks" / name, wait=wait) as got:
            yield got


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """What is kept of one batch."""

    folder: Path

    @property
    def id(self) -> str:
        return self.folder.name

    @property
    def plan(self) -> Path:
        return self.folder / "plan.json"

    @property
    def requests(self) -> Path:
        return self.folder / "requests.jsonl"

    @property
    def left_out(self) -> Path:
        """Why tasks have no request line, by key; absent if all have one."""
        return self.folder / "left-out.json"

    @property
    def job(self) -> Path:
        return self.folder / "job.json"

    @property
    def responses(self) -> Path:
        return self.folder / "responses.jsonl"

    @property
    def ended(self) -> Path:
        """How the remote job ended: state, error, statistics."""
        return self.folder / "ended.json"

    @property
    def receipt(self) -> Path:
        return self.folder / "receipt.json"

    def read_plan(self) -> dict[str, Any]:
        data: dict[str, Any] = durable.read_json(self.plan)
        return data

    def read_left_out(self) -> dict[str, str]:
        data: dict[str, str] = durable.read_json(self.left_out) if self.left_out.exists() else {}
        return data


@dataclass(frozen=True, slots=True)
class RunFiles:
    """What is kept of one run of Snakemake."""

    folder: Path

    @property
    def settings(self) -> Path:
        return self.folder / "settings.json"

    @property
    def plan(self) -> Path:
        """The counts, problems and deferred tasks of the run's plan."""
        return self.folder / "plan.json"

    def plan_of(self, operation: str) -> Path:
        """The plan of one operation; a run may have several."""
        return self.plan if operation == "generate" else self.folder / f"plan-{operation}.json"

    @property
    def remote_checked(self) -> Path:
        """Present once the remote list was looked through for jobs that no journal here knows."""
        return self.folder / "remote-checked"

    @property
    def process(self) -> Path:
        """Which process of which machine runs Snakemake, and for which targets."""
        return self.folder / "process.json"

    @property
    def stop(self) -> Path:
        """Present once the run was asked to end: whoever waits for it ends too."""
        return self.folder / "stop"

    @property
    def told(self) -> Path:
        """What the run's waiters last told of its jobs, so that each news is told once."""
        return self.folder / "told"

    def read_settings(self) -> Settings:
        return Settings.from_json(durable.read_json(self.settings))

    def is_alive(self) -> bool:
        """Whether the run is still going on, as far as this machine can tell."""
        try:
            pid = _pid_here(str(durable.read_json(self.process)["main"]))
        except (OSError, ValueError, KeyError):
            return False
        return bool(pid) and durable.process_alive(pid)


MAIN_VARIABLE = "CHARGEN_MAIN"


def announce_main_process() -> None:
    """Let every process that this one starts know that it runs Snakemake."""
    os.environ[MAIN_VARIABLE] = f"{socket.gethostname()}:{os.getpid()}"


def main_process() -> int:
    """Return the number of Snakemake's main process if it runs on this machine, else 0."""
    return _pid_here(os.environ.get(MAIN_VARIABLE, ""))


def _pid_here(main: str) -> int:
    """Return the number in ``host:number`` if it is of this machine, else 0."""
    host, _, pid = main.rpartition(":")
    return int(pid) if host == socket.gethostname() and pid.isdigit() else 0
