"""Fields that only tasks of analyses have."""

from __future__ import annotations

from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.records.extras import FIRST_SCHEMA_FIELD


@frozen(kw_only=True)
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
