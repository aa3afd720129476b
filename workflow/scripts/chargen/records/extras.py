"""What analyses say of their outcomes besides what all say: see `chargen.records.batch.Outcome.extra_as`."""

from __future__ import annotations

from chargen.base.frozen import frozen
from chargen.base.reading import Document

FIRST_SCHEMA_FIELD = "response_json_schema"
"""The field of a request that holds the form where a task does not say which: tasks of 0.1.0 name none."""


@frozen(kw_only=True)
class AnalysisOutcome(Document):
    """Which field of the request held the form of an analysis."""

    schema_field: str = FIRST_SCHEMA_FIELD
