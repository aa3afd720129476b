"""What one run of Snakemake leaves beside its settings: its plan and its process, as types."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

from chargen.base import durable
from chargen.base.reading import Document
from chargen.records.state import RunFiles

T = TypeVar("T", bound=Document)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCounts(Document):
    """Of the counts of a run's plan, the one that is read again."""

    to_make: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan(Document):
    """What is read again of a run's ``plan.json``: ``batches`` and ``in_flight`` are ids of batches."""

    started: str = ""
    targets: tuple[str, ...] = ()
    counts: PlannedCounts = PlannedCounts()
    batches: tuple[str, ...] = ()
    in_flight: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()

    @classmethod
    def of(cls, run: RunFiles) -> Self:
        """Read the plan of *run*; blank if it is gone or cannot be read."""
        return _read(run.plan, cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProcess(Document):
    """``process.json``: which process runs Snakemake (``main``), for which targets, and since when."""

    main: str = ""
    targets: tuple[str, ...] = ()
    started: str = ""

    @classmethod
    def of(cls, run: RunFiles) -> Self:
        """Read the process of *run*; that of its plan where a run of 0.1.0 left none, blank if neither can be read."""
        return _read(run.process if run.process.exists() else run.plan, cls)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProvider(Document):
    """Of a run's settings, the provider that it worked with."""

    provider: str = ""

    @classmethod
    def of(cls, run: RunFiles) -> Self:
        """Read it; blank if it is gone or cannot be read."""
        return _read(run.settings, cls)


def _read(path: Path, kind: type[T]) -> T:
    try:
        return kind.from_json(durable.read_object(path))
    except (OSError, ValueError):
        return kind.from_json({})
