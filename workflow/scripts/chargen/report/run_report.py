"""Writing the report, from the receipts and the library as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chargen import operations
from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.pictures.formats import sha256_file
from chargen.records.journal import Journal
from chargen.records.run import RunProcess
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State

if TYPE_CHECKING:
    from chargen.planning.plan import Plan
    from chargen.report.documents import Report


@frozen(kw_only=True)
class WrittenReport(Document):
    """Which report was written last: its content, and how long the journal was then. Not its time, because Snakemake
    sets the times of what it makes."""

    report: str
    journal_bytes: int


def report(settings: Settings, state: State, run: RunFiles, folder: Path) -> Report:
    """Write report.json, failures.jsonl and report.html into *folder* and return the report.

    The run apart is *run*; if that was only about the report, it is the last one that applied anything.
    """
    from chargen.report.survey import CurrentRun, Survey
    from chargen.report.write import write_report

    process = RunProcess.of(run)
    only_reports = process.targets == ("report",)
    current = None if only_reports else CurrentRun(run.folder.name, process.started, process.targets)
    plan = operations.of_scenes().plan(settings, ["all"])
    known = _journal_bytes(state)
    written = write_report(Survey(settings, state, plan, current, _others(settings, state, process.targets)), folder)
    # by what was written: a second run in the same folder may have removed the file to write its own
    durable.write_json(state.reported, WrittenReport(report=written.sha256, journal_bytes=known).to_json())
    return written.report


def is_outdated(state: State, report_json: Path) -> bool:
    """Whether *report_json* is another library's report, or one from before the last that happened."""
    try:
        last = WrittenReport.from_json(durable.read_json(state.reported))
        return last != WrittenReport(report=sha256_file(report_json), journal_bytes=_journal_bytes(state))
    except (OSError, ValueError):
        return True


def _journal_bytes(state: State) -> int:
    return state.journal.stat().st_size if state.journal.exists() else 0


def _others(settings: Settings, state: State, targets: Sequence[str]) -> dict[str, Plan[Any]]:
    """Return the plans of the operations on files that this run is about, or that were ever used and can be planned."""
    used = {entry.operation for entry in Journal(state).entries.values()}
    whole = replace(settings, only=(), strict=False)
    found = {}
    for operation in operations.of_files():
        if operation.name in used or operation.targets & set(targets):
            with suppress(ChargenError):  # its folder may be gone: then only the journal is counted
                found[operation.name] = operation.plan(whole, ["all"])
    return found
