"""Planning analyses: which pictures of the library nobody has looked at, and what is asked about them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargen.analysis.form import MAX_TRAITS, SCHEMA_FIELDS, form, in_words, other_field, sendable
from chargen.analysis.store import Analysis, read_analyses, unreadable_sidecar
from chargen.base.durable import canonical
from chargen.base.errors import ChargenError, Place, Problem
from chargen.base.wording import count
from chargen.library.folders import Folders
from chargen.library.load import load_library
from chargen.library.model import KIND_FOLDERS, Entity, Kind
from chargen.library.target import Target
from chargen.operations.analyze.question import Question, load_question
from chargen.operations.generate.plan import SCOPES, matches, not_writable
from chargen.pictures.looks import Look, Looker
from chargen.planning import budget
from chargen.planning.batches import fill
from chargen.planning.estimates import Estimates
from chargen.planning.fates import Fate, Fates, Status, stored_batches
from chargen.planning.file_plans import FileItem, FilePlan, group_put_back, stand
from chargen.planning.orders import read_orders
from chargen.planning.picking import SentPicture
from chargen.planning.tasks import Task, TextShape
from chargen.providers.base import Reason
from chargen.providers.models import Catalog, usable
from chargen.providers.parameters import hashed, not_sent, sent_to
from chargen.providers.registry import provider_of
from chargen.records.identity import Wish, digest, task_key
from chargen.records.journal import Journal
from chargen.records.learned import better_field, read_learned
from chargen.records.settings import Settings
from chargen.records.state import State

OPERATION = "analyze"
LONGEST_TRAIT = 500
UNFIT: Reason = "unfit-answer"
FOLDER_OF = {kind: folder for folder, kind in KIND_FOLDERS.items()}


@dataclass(frozen=True, slots=True)
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


def make_analysis_plan(settings: Settings, *, scope: Collection[str] = ()) -> FilePlan:
    """Return the plan for *scope* (names of SCOPES; the configured one by default).

    Raises ChargenError for what stops everything: no such model, an unusable question, a strict library with problems.
    """
    state = State.of(settings)
    kinds: frozenset[Kind] = frozenset().union(*(SCOPES[name] for name in scope or [settings.scope]))
    library = load_library(
        settings.library_root,
        exclude=settings.exclude,
        adopt_existing=settings.adopt_existing,
        provider=settings.provider,
    )
    if library.mistake:
        raise ChargenError("\n".join(library.notices))
    catalog = provider_of(settings).catalog(settings)
    plan = FilePlan(OPERATION, catalog, Looker(state.looks), broken=library.broken, notices=list(library.notices))
    plan.problems += [problem for problem in library.problems if problem.effect == "entity skipped"]
    journal = Journal(state)
    plan.notices += journal.notices
    maker = _Maker(settings, library.root, catalog, plan, state, journal)
    fates = Fates(journal, settings.retry_max_attempts, stored_batches(state))
    orders = read_orders(state)
    folders = Folders(library.root)
    for entity in library.entities.values():
        if entity.kind in kinds:
            for picture, known in _pictures(entity, settings, folders):
                _take_stock(plan, settings, maker, fates, orders, picture, known, _Receipts(state, journal))
    for entry in journal.in_flight():
        if entry.operation == OPERATION:
            plan.in_flight[entry.batch] = len(entry.wishes)
    plan.lost = journal.lost(OPERATION)
    plan.put_back = group_put_back(plan.items)
    plan.batches = list(fill(plan.tasks, settings, catalog, OPERATION))
    plan.notices += budget.notices(settings, journal, plan.cost_usd)
    if settings.strict and plan.problems:
        lines = "\n".join(str(problem) for problem in plan.problems)
        found = count(len(plan.problems), "problem")
        raise ChargenError(f"{lines}\nstrict: nothing was started, because the library has {found}")
    return plan


def _pictures(entity: Entity, settings: Settings, folders: Folders) -> Iterator[tuple[Picture, Analysis | None]]:
    """Every picture directly in ``images/`` that nobody rejected, with what is known of it."""
    analyses = read_analyses(entity, settings.provider)
    folder = f"{FOLDER_OF[entity.kind]}/{entity.slug}/images"
    names = [name for name in folders.images(folder) if folders.exists(f"{folder}/{name}")]
    owners = {record.path: record for record in entity.records}
    unwanted = entity.rejected | {item.path for item in entity.inventory if item.status == "archived"}
    for name in names:
        picture = Picture(entity, f"images/{name}")
        record = owners.get(picture.path)
        scene = record.scene if record else Path(name).stem
        names_of_it = (picture.target, f"{entity.key}/{scene}")
        wanted = not settings.only or any(matches(settings.only, name) for name in names_of_it)
        if wanted and picture.path not in unwanted:
            yield picture, analyses.get(picture.path)


def _take_stock(
    plan: FilePlan,
    settings: Settings,
    maker: _Maker,
    fates: Fates,
    orders: dict[tuple[str, int], int],
    picture: Picture,
    known: Analysis | None,
    receipts: _Receipts,
) -> None:
    """Note where the analysis of *picture* stands, and make its task if it is wanted."""
    look = plan.looker.look(picture.entity.folder / picture.path)
    trouble = look.trouble
    if look.placeholder and settings.provider != "emulator":
        trouble = "is a placeholder of the emulator"
    order = orders.get((picture.target, 1), 0)
    in_place: Status | None = None
    if known and not known.sha256:
        in_place = "adopted"
    elif known and known.sha256 == look.sha256:
        in_place = "done"
    wish = wish_for(picture.target, look.sha256, order)
    if trouble and not (in_place and not order):
        plan.items.append(FileItem(wish, "blocked", picture.entity.key, trouble))
        plan.problems.append(_unsendable(picture, trouble))
        return
    fate = stand(fates, wish, in_place, "its content changed" if known else "")
    if fate.status == "wanted":
        entity = picture.entity
        why, unreadable = maker.why_not_writable(entity), unreadable_sidecar(entity.folder, picture.path)
        if unreadable:
            plan.problems.append(_unsendable(picture, f"its analysis {unreadable}"))
        if why or unreadable:
            plan.items.append(FileItem(wish, "blocked", entity.key, why or unreadable))
            return
    again = fate.status == "wanted" and fate.reason.endswith(UNFIT)
    errors, asked_in = receipts.unfit(wish) if again else ((), "")
    task = maker.task(picture, look, wish, fate, errors, other_field(asked_in) if asked_in else "")
    stale = fate.status == "done" and known is not None and known.version != maker.question.version
    plan.items.append(
        FileItem(
            wish,
            fate.status,
            picture.entity.key,
            fate.reason,
            fate.attempt,
            fate.batch,
            stale,
            task.shape.cost_usd,
        )
    )
    if fate.status == "wanted":
        plan.tasks.append(task)


class _Maker:
    """Makes tasks from pictures."""

    def __init__(
        self, settings: Settings, root: Path, catalog: Catalog, plan: FilePlan, state: State, journal: Journal
    ):
        self._settings = settings
        self._root = root
        self._plan = plan
        self._catalog = catalog
        self.question: Question = load_question(Path(settings.analysis))
        choice = settings.models[OPERATION]
        self._model, notice = usable(catalog.text_model, choice.model, choice.fallback, journal.denied_models())
        plan.notices += [notice] if notice else []
        plan.notices += not_sent(OPERATION, self._model, choice)
        self._sent = sent_to(self._model.takes, choice)
        learned = read_learned(state, journal)
        self._estimates = Estimates(catalog, learned)
        self._answer = self._estimates.answer(OPERATION, self._model, self._sent, self.question.output_tokens)
        self._first_field = better_field(learned.fits.get(self._model.name, {}))
        self._forms: dict[tuple[str, int], tuple[int, str]] = {}
        self._barriers: dict[str, Problem | None] = {}

    def task(
        self, picture: Picture, look: Look, wish: Wish, fate: Fate, errors: tuple[str, ...], field: str = ""
    ) -> Task:
        """Return the request for one analysis; *errors* say what was wrong with the answer before, *field* where the
        form goes this time."""
        field = field or self._first_field
        entity = picture.entity
        traits = traits_of(entity)
        prompt = self.question.ask(entity, traits, Path(picture.path).name, errors)
        changes = look.prepared(self._catalog.input_image_side)
        sent = SentPicture(
            "input",
            entity.key,
            entity.name,
            picture.from_root,
            look.sha256,
            look.mime,
            look.bytes,
            self._catalog.input_image_side if changes else 0,
        )
        size, fingerprint = self._form(entity.kind, len(traits))
        tokens = self._estimates.input_tokens(self._model, len(prompt) + size, 1, self._sent)
        cost = round(self._answer.usd + self._catalog.text_cost(self._model, tokens, 0), 8)
        return Task(
            wish=wish,
            attempt=fate.attempt,
            key=analysis_key(
                self._settings, wish.target, prompt, self._model.name, self._sent, fingerprint, look.sha256, field
            ),
            title=Path(picture.path).name,
            prompt=prompt,
            references=(sent,),
            shape=TextShape(self._model, cost, less=self._answer.less, more=self._answer.more),
            replaces=None,
            notes=tuple(f"{change} before it was sent" for change in changes),
            weight="medium",
            tokens=tokens,
            characters=len(prompt) + size,
            extra={
                "kind": entity.kind,
                "traits": list(traits),
                "form": fingerprint,
                "corrections": list(errors),
                "schema_field": field,
                "version": self.question.version,
            },
        )

    def why_not_writable(self, entity: Entity) -> str:
        """Why no analysis could be written for *entity*, which the plan tells once; ``""`` if nothing is known."""
        if entity.key not in self._barriers:
            in_imagery = self._settings.analyze.store == "imagery"
            problem = not_writable(self._root, entity, pictures=not in_imagery, records=in_imagery)
            self._barriers[entity.key] = problem
            self._plan.problems += [problem] if problem else []
        found = self._barriers[entity.key]
        return found.message if found else ""

    def _form(self, kind: str, traits: int) -> tuple[int, str]:
        """How many characters the form that is sent along has, with its words, and its fingerprint."""
        if (kind, traits) not in self._forms:
            wanted = sendable(form(kind, traits))
            self._forms[kind, traits] = (len(canonical(wanted)) + len(in_words(wanted)), digest(wanted))
        return self._forms[kind, traits]


def analysis_key(
    settings: Settings,
    target: str,
    prompt: str,
    model: str,
    sent: Mapping[str, Any],
    fingerprint: str,
    sha256: str,
    field: str,
) -> str:
    """Return the task key of an analysis: its hash covers everything that shapes the answer.

    *sent* are the parameters that the model gets, *fingerprint* is the form's. It stands for what is said of it in
    words, too, so that keys are those of 0.1.0, which did not say it. *field* holds the form; the first choice is not
    hashed.
    """
    return task_key(
        target,
        1,
        {
            "prompt": prompt,
            "model": model,
            **hashed(OPERATION, sent),
            "safety_settings": list(settings.safety_settings),
            "form": fingerprint,
            "references": [["input", sha256]],
            **({} if field == SCHEMA_FIELDS[0] else {"schema_field": field}),
        },
    )


def errors_in(record: dict[str, object]) -> tuple[str, ...]:
    """Return what a receipt's record says did not fit in an answer."""
    return tuple(line for line in str(record["said"]).splitlines() if line)


class _Receipts:
    """Finds what was wrong with answers that did not fit."""

    def __init__(self, state: State, journal: Journal):
        self._state = state
        self._journal = journal

    def unfit(self, wish: Wish) -> tuple[tuple[str, ...], str]:
        """Return the errors of the last answer to *wish*, and the field in which the form was sent."""
        for entry in reversed(self._journal.entries.values()):
            if wish.id in (entry.outcomes or {}):
                receipt = self._state.batch(entry.batch).known_receipt_json()
                tasks = receipt["tasks"] if receipt else ()
                record = next((task for task in tasks if task["wish_id"] == wish.id), None)
                return (errors_in(record), record.get("schema_field", SCHEMA_FIELDS[0])) if record else ((), "")
        return (), ""


def _unsendable(picture: Picture, trouble: str) -> Problem:
    return Problem(
        "warning",
        "unreadable-picture",
        f"{trouble}, so it is not analysed",
        Place(picture.from_root),
        entity=picture.entity.key,
    )
