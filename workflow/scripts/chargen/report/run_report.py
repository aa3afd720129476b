"""Report: what a person and what a program want to know, from the receipts and the library as they are now."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.pictures.formats import sha256_file
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State

if TYPE_CHECKING:
    from chargen.planning.file_plans import FilePlan


def report(settings: Settings, state: State, run: RunFiles, folder: Path) -> dict[str, Any]:
    """Write report.json, failures.jsonl and report.html into *folder* and return the report.

    It tells of *run* apart; if that was only about the report, of the last one that brought anything.
    """
    from chargen.operations.generate.plan import make_plan
    from chargen.report.write import write_report

    told = run.process if run.process.exists() else run.plan
    pinned = durable.read_json(told) if told.exists() else {}
    only_tells = pinned.get("targets") == ["report"]
    plan = make_plan(settings, scope=["all"])
    known = _known(state)
    data = write_report(
        settings,
        state,
        plan,
        folder,
        None if only_tells else run.folder.name,
        "" if only_tells else pinned.get("started", ""),
        [] if only_tells else pinned.get("targets", []),
        _others(settings, state, pinned.get("targets", [])),
    )
    # by what was written: a second run in the same folder may have removed the file to write its own
    durable.write_json(state.reported, _mark(hashlib.sha256(durable.dump(data)).hexdigest(), known))
    return data


def is_outdated(state: State, report_json: Path) -> bool:
    """Whether *report_json* is another library's report, or one from before the last that happened."""
    try:
        reported = durable.read_json(state.reported)
        return bool(reported != _mark(sha256_file(report_json), _known(state)))
    except (OSError, ValueError):
        return True


def _mark(report_sha256: str, known: int) -> dict[str, Any]:
    """Return what tells a report from others; by its content, because Snakemake sets the times of what it makes."""
    return {"report": report_sha256, "journal_bytes": known}


def _known(state: State) -> int:
    """How much the journal knows, in bytes."""
    return state.journal.stat().st_size if state.journal.exists() else 0


def _others(settings: Settings, state: State, targets: Sequence[str]) -> dict[str, FilePlan]:
    """Return the plans of the operations on files that this run is about, or that were ever used and can be planned."""
    from chargen.operations.plans import make_any_plan

    used = {entry.operation for entry in Journal(state).entries.values()}
    whole = replace(settings, only=(), strict=False)
    found = {}
    for operation, words in (("analyze", ("analyze_", "illustrate_")), ("enhance", ("enhance_",))):
        if operation in used or any(target.startswith(words) for target in targets):
            with suppress(ChargenError):  # its folder may be gone by now: then the journal alone is counted
                found[operation] = cast("FilePlan", make_any_plan(whole, operation, ["all"]))
    return found
