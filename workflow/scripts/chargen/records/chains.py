"""What the verbs of the command line leave for Snakemake: which chains of steps follow from a step."""

from __future__ import annotations

from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.records.batch import Outcome


@frozen(kw_only=True)
class FollowUps(Document):
    """``follow-ups.json``: the batches of the same operation that must be settled before this one is.

    They retry temporary failures, or send pictures that waited for those of this batch; or it is the batch
    itself, whose job was lost and has been found.
    """

    batch: str
    operation: str
    follow_ups: tuple[str, ...] = ()


@frozen(kw_only=True)
class Restored(Document):
    """What became of the pictures that were restored from the stored answers of a batch, and what follows from that."""

    batch: str
    operation: str
    tasks: tuple[Outcome, ...] = ()
    follow_ups: tuple[str, ...] = ()


@frozen(kw_only=True)
class PlannedLater(Document):
    """What was planned while the run went on: batches to settle, those with pictures to restore, and lost ones."""

    operation: str
    batches: tuple[str, ...] = ()
    put_back: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
