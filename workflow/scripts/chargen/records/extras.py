"""What single operations say of their tasks besides what all say: see `chargen.records.batch.Task.extra_as`."""

from __future__ import annotations

from dataclasses import dataclass

from chargen.base.reading import Document

FIRST_SCHEMA_FIELD = "response_json_schema"
"""The field of a request that holds the form where a task does not say which: tasks of 0.1.0 name none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisExtra(Document):
    """A picture to be looked at: its entity's ``kind``, the ``traits`` that are asked about, the hashes of the ``form``
    and of the question (``version``), what was wrong with the answer before, and which field of the request holds the
    form."""

    kind: str = ""
    traits: tuple[str, ...] = ()
    form: str = ""
    corrections: tuple[str, ...] = ()
    schema_field: str = FIRST_SCHEMA_FIELD
    version: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisOutcome(Document):
    """Which field of the request held the form of an analysis."""

    schema_field: str = FIRST_SCHEMA_FIELD


@dataclass(frozen=True, slots=True, kw_only=True)
class EnhancementExtra(Document):
    """A picture to be enhanced: ``input`` is its name below the input folder, ``folder`` that of the job's results,
    relative to the home folder, and ``output`` where in it this one goes, without its ending."""

    input: str = ""
    folder: str = ""
    output: str = ""
