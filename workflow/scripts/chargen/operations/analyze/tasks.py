"""The task of analysing one picture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chargen.analysis.form import MAX_TRAITS, SCHEMA_FIELDS, form, in_words, other_field, sendable
from chargen.base.durable import canonical
from chargen.base.frozen import frozen
from chargen.library.model import KIND_FOLDERS, Entity
from chargen.library.target import Target
from chargen.operations.analyze import Analyze
from chargen.operations.analyze.extra import AnalysisExtra
from chargen.operations.analyze.question import Question, load_question
from chargen.pictures.looks import Look
from chargen.planning.file_plans import FilePlan
from chargen.planning.picking import sent_picture
from chargen.planning.sources import Sources
from chargen.planning.tasks import Task, TextShape
from chargen.providers.base import Reason, Request
from chargen.providers.parameters import hashed, sent_to
from chargen.records import batch
from chargen.records.batch import Outcome
from chargen.records.extras import AnalysisOutcome
from chargen.records.identity import Wish, digest, task_key
from chargen.records.journal import Journal
from chargen.records.learned import better_field
from chargen.records.settings import Settings
from chargen.records.state import State

OPERATION = Analyze.name
LONGEST_TRAIT = 500
UNFIT: Reason = "unfit-answer"
FOLDER_OF = {kind: folder for folder, kind in KIND_FOLDERS.items()}


@frozen
class Picture:
    """A picture file of an entity; ``path`` is relative to the entity's folder."""

    entity: Entity
    path: str

    @property
    def target(self) -> Target:
        """``kind/entity/images/file``."""
        return Target.of(self.entity.key, self.path)

    @property
    def from_root(self) -> str:
        """Relative to the library root."""
        return f"{FOLDER_OF[self.entity.kind]}/{self.entity.slug}/{self.path}"


def wish_for(target: Target, sha256: str, order: int = 0) -> Wish:
    """Return the wish to have the picture *target* analysed as it is now: another content is another wish."""
    return Wish(OPERATION, target, 1, f"sha256:{digest({'sha256': sha256})}", order)


def traits_of(entity: Entity) -> tuple[str, ...]:
    """Return the traits that are asked about, in the order of the form."""
    return tuple(trait for trait in entity.traits if len(trait) <= LONGEST_TRAIT)[:MAX_TRAITS]


@frozen
class Unfit:
    """What did not fit in an answer, and the field in which the form had been sent."""

    errors: tuple[str, ...]
    field: str


class TaskMaker:
    """Makes tasks from pictures."""

    def __init__(self, sources: Sources, plan: FilePlan):
        """*plan* notes what is to be known of the model."""
        settings = sources.settings
        self._settings = settings
        self._catalog = sources.catalog
        self.question: Question = load_question(Path(settings.analysis))
        self._model = sources.model(sources.catalog.text_model, plan)
        self._sent = sent_to(self._model.takes, sources.choice)
        self._estimates = sources.estimates
        self._answer = self._estimates.answer(OPERATION, self._model, self._sent, self.question.output_tokens)
        self._first_field = better_field(sources.learned.fits.get(self._model.name, {}))
        self._forms: dict[tuple[str, int], tuple[int, str]] = {}

    def task(self, picture: Picture, look: Look, wish: Wish, attempt: int, before: Unfit | None = None) -> Task:
        """Return the request for one analysis; *before* is what was wrong with the answer before this one."""
        errors = before.errors if before else ()
        field = other_field(before.field) if before else self._first_field
        entity = picture.entity
        traits = traits_of(entity)
        prompt = self.question.ask(entity, traits, Path(picture.path).name, errors)
        most = self._catalog.input_image_side
        sent = sent_picture("input", (entity.key, entity.name), picture.from_root, look, most)
        size, fingerprint = self._form(entity.kind, len(traits))
        asked = Asked(prompt, self._model.name, self._sent, fingerprint, look.sha256, field)
        tokens = self._estimates.input_tokens(self._model, len(prompt) + size, 1, self._sent)
        cost = round(self._answer.usd + self._catalog.text_cost(self._model, tokens, 0), 8)
        return Task(
            wish=wish,
            attempt=attempt,
            key=asked.key(self._settings, wish.target),
            title=Path(picture.path).name,
            prompt=prompt,
            references=(sent,),
            shape=TextShape(self._model, cost, less=self._answer.less, more=self._answer.more),
            replaces=None,
            notes=tuple(f"{change} before it was sent" for change in look.prepared(most)),
            weight="medium",
            tokens=tokens,
            characters=len(prompt) + size,
            extra=AnalysisExtra(
                kind=entity.kind,
                traits=traits,
                form=fingerprint,
                corrections=errors,
                schema_field=field,
                version=self.question.version,
            ),
        )

    def _form(self, kind: str, traits: int) -> tuple[int, str]:
        """How many characters the form that is sent along has, with its words, and its fingerprint."""
        if (kind, traits) not in self._forms:
            wanted = sendable(form(kind, traits))
            self._forms[kind, traits] = (len(canonical(wanted)) + len(in_words(wanted)), digest(wanted))
        return self._forms[kind, traits]


@frozen
class Asked:
    """Everything that shapes an answer: *parameters* are what the model gets, ``form`` is the form's fingerprint,
    ``sha256`` that of the picture, and ``field`` holds the form in the request."""

    prompt: str
    model: str
    parameters: Mapping[str, Any]
    form: str
    sha256: str
    field: str

    def key(self, settings: Settings, target: Target) -> str:
        """Return the task key of the analysis of *target*.

        The form's fingerprint stands for what is said of it in words, too, so that keys are those of 0.1.0, which did
        not say it. The field that is the first choice is not hashed.
        """
        shape = {
            "prompt": self.prompt,
            "model": self.model,
            **hashed(self.parameters, Analyze.unsent_temperature),
            "safety_settings": list(settings.safety_settings),
            "form": self.form,
            "references": [["input", self.sha256]],
            **({} if self.field == SCHEMA_FIELDS[0] else {"schema_field": self.field}),
        }
        return task_key(target, 1, shape)


def errors_in(record: Outcome) -> tuple[str, ...]:
    """Return what a receipt's record says did not fit in an answer."""
    return tuple(line for line in record.said.splitlines() if line)


def last_unfit(state: State, journal: Journal, wish: Wish) -> Unfit | None:
    """Return what was wrong with the last answer to *wish*; None if its receipt does not say it."""
    for entry in reversed(journal.entries.values()):
        if wish.id in (entry.outcomes or {}):
            receipt = state.batch(entry.batch).known_receipt()
            tasks = receipt.tasks if receipt else ()
            record = next((task for task in tasks if task.wish_id == wish.id), None)
            return Unfit(errors_in(record), record.extra_as(AnalysisOutcome).schema_field) if record else None
    return None


def request_of(task: batch.Task) -> Request:
    """Return what *task* asks: a description of its picture, in the form of its entity's kind and traits."""
    extra = task.extra_as(AnalysisExtra)
    wanted = sendable(form(extra.kind, len(extra.traits)))
    text = f"{task.prompt}\n\n{in_words(wanted)}"
    return Request(task.key, text, form=wanted, form_field=extra.schema_field)
