"""Report: what a person and what a program want to know, from the receipts and the library as they are now."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from chargen import durable
from chargen.config import Settings
from chargen.state import RunFiles, State


def report(settings: Settings, state: State, run: RunFiles, folder: Path) -> dict[str, Any]:
    """Write report.json, failures.jsonl and report.html into *folder* and return the report."""
    from chargen.planning.plan import make_plan
    from chargen.report.write import write_report

    told = run.process if run.process.exists() else run.plan
    pinned = durable.read_json(told) if told.exists() else {}
    plan = make_plan(settings, scope=["all"])
    return write_report(
        settings, state, plan, folder, run.folder.name, pinned.get("started", ""), pinned.get("targets", [])
    )
