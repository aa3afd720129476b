"""Leaving the report under results/: data for programs, lines for failures, a page for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from chargen.base import durable, failpoints
from chargen.records.settings import Settings
from chargen.records.state import State
from chargen.report.build import failure_lines, report_of
from chargen.report.documents import Report
from chargen.report.page import render
from chargen.report.survey import Survey

if TYPE_CHECKING:
    from chargen.planning.plan import Plan
    from chargen.planning.scene_plans import ScenePlan


def write_report(
    settings: Settings,
    state: State,
    plan: ScenePlan,
    results: Path,
    run_id: str | None,
    started: str,
    targets: Sequence[str],
    others: Mapping[str, Plan[Any]] | None = None,
) -> Report:
    """Write report.json, failures.jsonl and report.html into *results*, each whole or not at all; return the report.

    The page keeps its thumbnails in ``results/report/thumbs``; everything else it shows lies in the library. For the
    other arguments see `chargen.report.build.build_report` and `Survey`.
    """
    survey = Survey(settings, state, plan, run_id, others)
    report = report_of(survey, run_id is not None, started, targets)
    failures = list(failure_lines(survey))
    durable.write_json(results / "report.json", report.to_json())
    failpoints.reached("report-data")
    lines = b"".join(orjson.dumps(line.to_json(), option=orjson.OPT_APPEND_NEWLINE) for line in failures)
    durable.write(results / "failures.jsonl", lines)
    page = render(survey, report, failures, results)
    durable.write(results / "report.html", page.encode("utf-8", "replace"))
    failpoints.reached("reported")
    return report
