"""Leaving the report under results/: data for programs, lines for failures, a page for people."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson

from chargen.base import durable, failpoints
from chargen.base.frozen import frozen
from chargen.report.build import failure_lines, report_of
from chargen.report.documents import Report
from chargen.report.page import render
from chargen.report.survey import Survey


@frozen
class Written:
    """A report that was written, and the hash of its report.json."""

    report: Report
    sha256: str


def write_report(survey: Survey, results: Path) -> Written:
    """Write report.json, failures.jsonl and report.html into *results*, each whole or not at all.

    The page keeps its thumbnails in ``results/report/thumbs``; everything else it shows lies in the library.
    """
    report = report_of(survey)
    failures = list(failure_lines(survey))
    content = durable.dump(report.to_json())
    durable.write(results / "report.json", content)
    failpoints.reached("report-data")
    lines = b"".join(orjson.dumps(line.to_json(), option=orjson.OPT_APPEND_NEWLINE) for line in failures)
    durable.write(results / "failures.jsonl", lines)
    page = render(survey, report, failures, results)
    durable.write(results / "report.html", page.encode("utf-8", "replace"))
    failpoints.reached("reported")
    return Written(report, hashlib.sha256(content).hexdigest())
