"""What generate says of its tasks besides what all say: see `chargen.records.batch.Task.extra_as`."""

from __future__ import annotations

from chargen.base.frozen import frozen
from chargen.base.reading import Document, optional


@frozen(kw_only=True)
class GenerationExtra(Document):
    """The version of the composition that wrote the prompt (0: unknown, as of 0.1.0), and the hash over what people
    wrote around the scene."""

    composer: int = optional(0)
    around_hash: str = optional("")
