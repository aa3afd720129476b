"""``learned.json``: the tokens of past answers. A cache made from receipts.

Prices stand in ``config/models.yaml``; how many tokens an answer takes is only known from answers. Each way of asking
(for which operation, which model, at which size, with which parameters) has its own samples, the youngest ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

from chargen.analysis.form import SCHEMA_FIELDS
from chargen.base import durable, events
from chargen.base.frozen import frozen
from chargen.base.reading import build
from chargen.records.batch import Outcome, Receipt
from chargen.records.extras import AnalysisOutcome
from chargen.records.identity import UNKNOWN
from chargen.records.journal import Journal
from chargen.records.state import State

KEPT = 200
"""Samples of one way of asking: enough for a tenth of them to mean something, few enough to follow a model's changes.
"""
KEPT_BATCHES = 500
READ_RECEIPTS = 8
"""How many of the youngest receipts are read while planning if the cache does not have them."""


class Sample(NamedTuple):
    """One answer. Tokens of its pictures, of its words and thoughts, of the prompt's text and of the pictures sent;
    the characters and pictures that were sent. ``characters`` is 0 where they are not known."""

    image: int
    words: int
    prompt_text: int
    prompt_image: int
    characters: int
    references: int


@dataclass
class Learned:
    """Samples by way of asking (`way`), the youngest last; ``fits`` by model and schema field: 1 for an answer with the
    form that was asked for, 0 for one without. ``batches`` names those that are in it."""

    samples: dict[str, list[Sample]] = field(default_factory=dict)
    fits: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    batches: list[str] = field(default_factory=list)

    def add(self, receipt: Receipt) -> None:
        """Take in what the answers of one batch say, once."""
        if receipt.batch in self.batches:
            return
        self.batches = [*self.batches, receipt.batch][-KEPT_BATCHES:]
        for task in receipt.tasks:
            model = task.model_requested
            if task.spec_hash.startswith(UNKNOWN):  # collected without its plan: the request is unknown
                continue
            if task.has_picture and (sample := _sample(task)):
                name = way(receipt.operation, model, task.image_size, receipt.parameters)
                self.samples[name] = [*self.samples.get(name, ()), sample][-KEPT:]
            if not task.image_size and (fits := _fits(task)) is not None:  # an answer in words
                known = self.fits.setdefault(model, {})
                of_field = task.extra_as(AnalysisOutcome).schema_field
                known[of_field] = [*known.get(of_field, ()), fits][-KEPT:]

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `read` takes back."""
        samples = {name: [list(sample) for sample in rows] for name, rows in self.samples.items()}
        return {"schema_version": 1, "samples": samples, "fits": self.fits, "batches": self.batches}


def way(operation: str, model: str, size: str, parameters: Mapping[str, Any]) -> str:
    """Return the name of a way of asking, as far as it shapes how many tokens an answer takes."""
    thinks, looks = parameters.get("thinking_level", ""), parameters.get("media_resolution", "")
    return f"{operation}/{model}/{size}/{thinks}/{looks}"


def read_learned(state: State, journal: Journal) -> Learned:
    """Return what is known, with the youngest receipts that the cache lacks; it writes nothing."""
    learned = _cached(state)
    applied = (entry.batch for entry in reversed(journal.entries.values()) if entry.outcomes is not None)
    youngest = [batch for batch, _ in zip(applied, range(READ_RECEIPTS), strict=False)]
    for batch in reversed(youngest):
        if batch not in learned.batches and (receipt := state.batch(batch).known_receipt()):
            learned.add(receipt)
    return learned


def learn(state: State, receipt: Receipt) -> None:
    """Add a receipt that has just been written to the cache. If that cannot be written, planning reads the receipt."""
    try:
        with state.lock("learned"):
            learned = _cached(state)
            learned.add(receipt)
            durable.write(state.learned, orjson.dumps(learned.to_json()))
    except OSError as error:
        events.log("problem", f"{state.learned}: {error.strerror}: estimates do not use it", level="warning")


def _cached(state: State) -> Learned:
    try:
        kept = build(_Kept, durable.read_json(state.learned))
    except (OSError, ValueError):
        return Learned()
    samples = {name: [Sample(*numbers) for numbers in rows] for name, rows in kept.samples.items()}
    fits = {model: {name: list(rows) for name, rows in known.items()} for model, known in kept.fits.items()}
    return Learned(samples, fits, list(kept.batches))


@frozen
class _Kept:
    """The file as it is read: anything of another shape is as good as no file."""

    samples: dict[str, tuple[tuple[int, int, int, int, int, int], ...]]
    fits: dict[str, dict[str, tuple[int, ...]]] = field(default_factory=dict)
    batches: tuple[str, ...] = ()


def _sample(task: Outcome) -> Sample | None:
    """What one answer counted; None if it reports nothing."""
    tokens = task.tokens
    if not (tokens.image or tokens.text):
        return None
    seen, references = tokens.prompt_image or 0, len(task.references)
    characters = task.characters or 0
    # Without the prompt's details it is unknown which of its tokens are those of pictures.
    return Sample(
        tokens.image,
        tokens.text + tokens.thoughts,
        tokens.prompt - seen,
        seen,
        characters if seen or not references else 0,
        references,
    )


def _fits(task: Outcome) -> int | None:
    if task.has_picture:
        return 1
    return 0 if task.reason == "unfit-answer" else None


def better_field(fits: Mapping[str, Iterable[int]]) -> str:
    """Return the schema field to begin with: the first choice, unless most answers to it had no form and those to the
    other did better."""
    first, other = (list(fits.get(name, ())) for name in SCHEMA_FIELDS)
    shares = [sum(rows) / len(rows) if rows else 0.0 for rows in (first, other)]
    is_bad = len(first) >= LEAST_ANSWERS and shares[0] < 0.5
    return SCHEMA_FIELDS[1] if is_bad and shares[1] > shares[0] else SCHEMA_FIELDS[0]


LEAST_ANSWERS = 10
"""So many answers show that a schema field does not work."""
