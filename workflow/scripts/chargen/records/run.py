"""What one run of Snakemake leaves beside its settings: its plan and its process, as types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Self, TypeVar

from chargen.base import durable
from chargen.base.frozen import frozen
from chargen.base.reading import Document, optional
from chargen.library.target import Target
from chargen.records.identity import NO_TARGET
from chargen.records.state import RunFiles

T = TypeVar("T", bound=Document)


@frozen(kw_only=True)
class Waiting(Document):
    """A picture that is sent once those of its ``needs`` are in place. US dollars."""

    target: Target = NO_TARGET
    variation: int = 1
    needs: tuple[Target, ...] = ()
    cost_usd: float = 0.0


@frozen(kw_only=True)
class LeftOut(Document):
    """A file that nothing is sent for, and why."""

    target: Target = NO_TARGET
    why: str = ""


@frozen(kw_only=True)
class RunPlan(Document):
    """``plan.json`` of a run, or ``plan-<operation>.json``: what was planned for one operation, besides those of its
    batches.

    ``counts`` says how many results stand where, ``batches`` are the ids of new ones, ``in_flight`` of others;
    ``put_back`` has the wishes to restore by the batch that brought them. Plans of scenes have ``kinds`` (of entities),
    plans of files ``left_out``.
    """

    schema_version: int = 1
    operation: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    cost_usd: float = 0.0
    batches: tuple[str, ...] = ()
    in_flight: tuple[str, ...] = ()
    put_back: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    deferred: tuple[Waiting, ...] = ()
    broken: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    kinds: tuple[str, ...] | None = optional()
    left_out: tuple[LeftOut, ...] | None = optional()
    started: str = ""
    targets: tuple[str, ...] = ()

    @property
    def to_make(self) -> int:
        """How many results were to be made."""
        return self.counts.get("to_make", 0)

    @classmethod
    def all_of(cls, run: RunFiles) -> tuple[Self, ...]:
        """Read the plans of all operations of *run*; one that cannot be read is blank."""
        return tuple(_read(path, cls) for path in run.plans())


@frozen(kw_only=True)
class RunProcess(Document):
    """``process.json``: which process runs Snakemake (``main``), for which targets, and since when."""

    main: str = ""
    targets: tuple[str, ...] = ()
    started: str = ""

    @classmethod
    def of(cls, run: RunFiles) -> Self:
        """Read the process of *run*; that of its plan where a run of 0.1.0 left none, blank if neither can be read."""
        return _read(run.process if run.process.exists() else run.plan, cls)


@frozen(kw_only=True)
class Released(Document):
    """``released.json``: which batch released which others, the targets released so far, and the batches that are over.

    Releasing again makes the same batches, so that a file that cannot be read counts as an empty one.
    """

    batches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    over: tuple[str, ...] = ()

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what *path* says; nothing if it is gone or cannot be read."""
        return _read(path, cls)


@frozen(kw_only=True)
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
