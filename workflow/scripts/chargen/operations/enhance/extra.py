"""Fields that only tasks of enhancements have."""

from __future__ import annotations

from chargen.base.frozen import frozen
from chargen.base.reading import Document


@frozen(kw_only=True)
class EnhancementExtra(Document):
    """A picture to be enhanced: ``input`` is its name below the input folder, ``folder`` that of the job's results,
    relative to the home folder, and ``output`` where in it this one goes, without its ending."""

    input: str = ""
    folder: str = ""
    output: str = ""
