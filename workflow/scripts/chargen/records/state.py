"""Paths below ``state/<provider>/<library id>/``, where chargen keeps what must not be lost.

Nothing in there is an output of Snakemake, and nothing in results/ is read to decide what is to be done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from chargen.base import durable
from chargen.base.frozen import frozen
from chargen.base.processes import pid_here, process_alive
from chargen.records.batch import BatchEnd, BatchJob, BatchPlan, Receipt
from chargen.records.documents import read_document
from chargen.records.settings import Settings

T = TypeVar("T")
FIRST = "generate"
"""The operation whose files in a run's folder have no name in theirs; those of the others do."""


@frozen
class State:
    """The paths of one library's state."""

    root: Path

    @classmethod
    def of(cls, settings: Settings) -> State:
        """Return the state of the library and provider of *settings*."""
        return cls(Path(settings.home) / "state" / settings.provider / settings.library_id)

    @property
    def provider(self) -> str:
        """The provider whose jobs these are."""
        return self.root.parent.name

    @property
    def journal(self) -> Path:
        """The journal of requests to the server, one JSON line per event."""
        return self.root / "journal.jsonl"

    @property
    def looks(self) -> Path:
        """What was seen of picture files: a cache."""
        return self.root / "looks.json"

    @property
    def journal_index(self) -> Path:
        """The part of the journal that single steps need: a cache."""
        return self.root / "journal-recent.json"

    @property
    def last_look(self) -> Path:
        """The jobs as a run saw them last: a cache."""
        return self.root / "last-look.json"

    @property
    def uploads(self) -> Path:
        """The files on the server, one JSON line per event."""
        return self.root / "uploads.jsonl"

    @property
    def orders(self) -> Path:
        """What was ordered to be made again, one JSON line an order."""
        return self.root / "orders.jsonl"

    @property
    def spec_hashes(self) -> Path:
        """Which older hash of a scene's words stands for the same words as which one of today, one JSON line each."""
        return self.root / "spec-hashes.jsonl"

    @property
    def reported(self) -> Path:
        """Which report was written last, and how much the journal knew then."""
        return self.root / "reported.json"

    @property
    def learned(self) -> Path:
        """What the answers of the past counted in tokens: a cache."""
        return self.root / "learned.json"

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


@frozen
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

    @property
    def lost_receipt(self) -> Path:
        """The receipt from the time when the job was lost; kept after it was found again."""
        return self.folder / "receipt.lost.json"

    @property
    def set_aside(self) -> Path:
        """The folder of downloads that did not account for the job."""
        return self.folder / "set-aside"

    @property
    def due(self) -> Path:
        """When the batch's responses were first found older than they need be kept, in seconds since the epoch."""
        return self.folder / "due"

    def read_plan(self) -> BatchPlan:
        """Return plan.json. Raises UnreadableFile if it is damaged, OSError if it is not there."""
        return read_document(self.plan, BatchPlan)

    def read_receipt(self) -> Receipt:
        """Return receipt.json. Raises UnreadableFile if it is damaged, OSError if it is not there."""
        return read_document(self.receipt, Receipt)

    def read_ended(self) -> BatchEnd:
        """Return ended.json. Raises UnreadableFile if it is damaged, OSError if it is not there."""
        return read_document(self.ended, BatchEnd)

    def read_left_out(self) -> dict[str, str]:
        """Return left-out.json, empty if there is none; it is rewritten whenever the batch is staged."""
        if not self.left_out.exists():
            return {}
        found = durable.read_object(self.left_out)
        return {key: why for key, why in found.items() if isinstance(why, str)}

    def known_plan(self) -> BatchPlan | None:
        """Return plan.json; None if it is not there or cannot be read."""
        return _known(self.read_plan)

    def known_receipt(self) -> Receipt | None:
        """Return receipt.json; None if it is not there or cannot be read."""
        return _known(self.read_receipt)

    def known_job(self) -> str:
        """Return the name of the batch's job as job.json has it; ``""`` if it has none, or cannot be read."""
        found = _known(lambda: read_document(self.job, BatchJob))
        return found.job if found else ""


@frozen
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

    def released_of(self, operation: str) -> Path:
        """Which batches of one operation let which others go out."""
        return self.folder / ("released.json" if operation == FIRST else f"released-{operation}.json")

    def plan_of(self, operation: str) -> Path:
        """The plan of one operation; a run may have several."""
        return self.plan if operation == FIRST else self.folder / f"plan-{operation}.json"

    def plans(self) -> list[Path]:
        """The plans that the run has, one for each operation that it planned."""
        return [path for path in (self.plan, *sorted(self.folder.glob("plan-*.json"))) if path.exists()]

    @property
    def process(self) -> Path:
        """Which process of which machine runs Snakemake, and for which targets."""
        return self.folder / "process.json"

    @property
    def stop(self) -> Path:
        """Exists once the run was stopped: its waiting steps end too."""
        return self.folder / "stop"

    def printed(self, topic: str = "") -> Path:
        """What the waiting steps last printed of the jobs, or of one *topic*: each line is printed once."""
        return self.folder / (f"told-{topic}" if topic else "told")

    def read_settings(self) -> Settings:
        try:
            return Settings.from_json(durable.read_object(self.settings))
        except (KeyError, TypeError) as error:
            raise durable.UnreadableFile(self.settings, f"it does not fit this version ({error})") from None

    def is_alive(self) -> bool:
        """Whether the run is still in progress, as far as this machine knows."""
        try:
            pid = pid_here(str(durable.read_object(self.process)["main"]))
        except (OSError, ValueError, KeyError):
            return False
        return bool(pid) and process_alive(pid)


def _known(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except (OSError, durable.UnreadableFile):
        return None
