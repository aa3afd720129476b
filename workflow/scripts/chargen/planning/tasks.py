"""Tasks: one request line to be, with all that was decided while planning."""

from __future__ import annotations

from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.prompts.fitting import Cut
from chargen.prompts.lint import Finding
from chargen.providers.models import ImageModel, TextModel
from chargen.records import batch
from chargen.records.batch import Replaced
from chargen.records.identity import Wish

LINE_OVERHEAD = 600  # bytes of a request line besides prompt and references
REFERENCE_OVERHEAD = 220  # bytes that one reference adds to it


@frozen
class Shape:
    """What a scene asks of the model, besides words and references."""

    model: ImageModel
    aspect_ratio: str
    image_size: str
    cost_usd: float
    less: float = 0.0  # US dollars by which it may come out cheaper, and dearer
    more: float = 0.0


@frozen
class TextShape:
    """What a question to a text model is besides words and pictures."""

    model: TextModel
    cost_usd: float
    aspect_ratio: str = ""
    image_size: str = ""
    less: float = 0.0
    more: float = 0.0


@frozen
class Task:
    """One request line to be."""

    wish: Wish
    attempt: int
    key: str
    title: str
    prompt: str
    references: tuple[batch.Reference, ...]
    shape: Shape | TextShape
    replaces: Replaced | None  # the picture that the author has now
    notes: tuple[str, ...]
    weight: str
    tokens: int  # that go in, estimated
    characters: int  # of text that go in
    extra: Document | None = None  # what only this operation says
    labels: tuple[str, ...] = ()  # of the references
    cuts: tuple[Cut, ...] = ()  # parts of the prompt that were trimmed to fit
    findings: tuple[Finding, ...] = ()  # what is odd about the prompt

    @property
    def line_bytes(self) -> int:
        """About how long its request line will be."""
        text = sum(len(text.encode()) + text.count("\n") + text.count('"') for text in (self.prompt, *self.labels))
        return text + LINE_OVERHEAD + REFERENCE_OVERHEAD * len(self.references)

    def stored(self) -> batch.Task:
        """Return the task as it stands in a batch's plan.json."""
        return batch.Task(
            wish=self.wish,
            wish_id=self.wish.id,
            attempt=self.attempt,
            key=self.key,
            title=self.title,
            prompt=self.prompt,
            references=self.references,
            labels=self.labels,
            aspect_ratio=self.shape.aspect_ratio,
            image_size=self.shape.image_size,
            cost_usd=self.shape.cost_usd,
            characters=self.characters,
            replaces=self.replaces,
            notes=self.notes,
            extra=self.extra.to_json() if self.extra else {},
        )
