"""What the journal says of a wish without a result in place: in flight, to be restored, missing, failed, or open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from chargen.base.frozen import frozen
from chargen.library.folders import forms
from chargen.library.target import Target
from chargen.records.identity import Wish
from chargen.records.journal import WITH_PICTURE, Journal, Outcome
from chargen.records.state import State

Status = Literal["done", "adopted", "missing", "put back", "in flight", "failed", "wanted", "blocked", "twin"]
"""``twin``: another file with the same content and words stands for it."""


@frozen
class Fate:
    """Where a wish stands; ``attempt`` and ``batch`` as in Standing."""

    status: Status
    reason: str = ""
    attempt: int = 1
    batch: str = ""


class Fates:
    """The journal's answers about wishes. *stored* names the batches whose raw responses are still kept."""

    def __init__(self, journal: Journal, max_attempts: int, stored: frozenset[str]):
        self._max_attempts = max_attempts
        self._stored = stored
        self._outcomes = journal.outcomes()
        self._brought_by = journal.batch_of()
        self._flying = {wish: entry.batch for entry in journal.in_flight() for wish in entry.wishes}

    def knows(self, wish: Wish) -> bool:
        """Whether the journal has ever heard of the wish."""
        return any(id_ in self._flying or id_ in self._outcomes or id_ in self._brought_by for id_ in _ids(wish))

    def in_flight(self, wish: Wish) -> Fate | None:
        """The wish as in flight, or None if it is not."""
        batch = next((self._flying[id_] for id_ in _ids(wish) if id_ in self._flying), "")
        return Fate("in flight", batch=batch) if batch else None

    def came(self, wish: Wish) -> bool:
        """Whether a result of this very wish came once."""
        return self._outcome(wish)[0] in WITH_PICTURE

    def stood_back(self, wish: Wish) -> bool:
        """Whether the wish's result came late, and stood back for a picture that was approved or made meanwhile."""
        outcome, reason, _ = self._outcome(wish)
        return outcome == "superseded" and reason in ("approved-meanwhile", "newer-picture")

    def kept_in(self, wish: Wish) -> str:
        """The batch whose stored responses hold the wish's result; ``""`` if none does."""
        batch = next((self._brought_by[id_] for id_ in _ids(wish) if id_ in self._brought_by), "")
        return batch if batch in self._stored else ""

    def without_result(self, wish: Wish, why: str) -> Fate:
        """The status of a wish without a result in place; *why* it would be made now."""
        outcome, reason, attempt = self._outcome(wish)
        if outcome in WITH_PICTURE:
            batch = self.kept_in(wish)
            if batch:
                return Fate("put back", "its picture was paid for", batch=batch)
            return Fate("missing", "its picture was paid for, and is missing")
        if outcome == "passing" and attempt < self._max_attempts:
            return Fate("wanted", f"temporary failure: {reason}", attempt + 1)
        if outcome:
            return Fate("failed", reason, attempt)
        return Fate("wanted", why)

    def _outcome(self, wish: Wish) -> Outcome:
        return next((self._outcomes[id_] for id_ in _ids(wish) if id_ in self._outcomes), ("", "", 0))


def _ids(wish: Wish) -> tuple[str, ...]:
    """The ids that *wish* may have been sent under: a copied library may spell its folders in another form."""
    if wish.target.isascii():
        return (wish.id,)
    return tuple(replace(wish, target=Target(target)).id for target in forms(wish.target))


def stored_batches(state: State) -> frozenset[str]:
    """Return the batches whose raw responses are still kept."""
    return frozenset(_stored(state))


def _stored(state: State) -> Iterator[str]:
    return (batch.id for batch in state.batches() if batch.responses.exists())
