"""Planning analyses: which pictures of the library have no analysis yet, and the request for each."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from chargen.analysis.store import Analysis, read_analyses, unreadable_sidecar
from chargen.base.errors import Place, Problem
from chargen.library.folders import Folders
from chargen.library.model import Entity
from chargen.operations.analyze.tasks import FOLDER_OF, OPERATION, UNFIT, Picture, TaskMaker, last_unfit, wish_for
from chargen.planning.fates import Status
from chargen.planning.file_plans import FileItem, FilePlan
from chargen.planning.selection import kinds_of, matches
from chargen.planning.sources import Sources
from chargen.planning.writable import not_writable
from chargen.records.settings import Settings


def make_analysis_plan(settings: Settings, *, scope: Collection[str] = ()) -> FilePlan:
    """Return the plan for *scope* (names of SCOPES; the configured one by default).

    Raises ChargenError for what stops everything: no such model, an unusable question, a strict library with problems.
    """
    kinds = kinds_of(settings, scope)
    sources = Sources(settings, OPERATION)
    library = sources.library()
    plan = FilePlan(
        OPERATION,
        sources.catalog,
        sources.looker,
        problems=[problem for problem in library.problems if problem.effect == "entity skipped"],
        notices=[*library.notices, *sources.journal.notices],
        broken=library.broken,
    )
    desk = _Desk(sources, plan, library.root)
    folders = Folders(library.root)
    for entity in library.entities.values():
        if entity.kind in kinds:
            for picture, known in _pictures(entity, settings, folders):
                desk.take_stock(picture, known)
    sources.note_in_flight(plan)
    sources.finish(plan, strict=settings.strict)
    return plan


def _pictures(entity: Entity, settings: Settings, folders: Folders) -> Iterator[tuple[Picture, Analysis | None]]:
    """Every picture directly in ``images/`` that is not rejected, with what is known of it."""
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


class _Desk:
    """Finds out the status of each picture's analysis, and makes the tasks of those that are wanted."""

    def __init__(self, sources: Sources, plan: FilePlan, root: Path):
        self._sources = sources
        self._plan = plan
        self._root = root
        self._maker = TaskMaker(sources, plan)
        self._barriers: dict[str, str] = {}

    def take_stock(self, picture: Picture, known: Analysis | None) -> None:
        """Note where the analysis of *picture* stands; *known* is the one that it has."""
        plan, key = self._plan, picture.entity.key
        look = self._sources.looker.look(picture.entity.folder / picture.path)
        trouble = look.trouble
        if look.placeholder and not self._sources.settings.capabilities.marks_placeholders:
            trouble = "is a placeholder of the emulator"
        order = self._sources.order(picture.target, 1)
        in_place = _in_place(known, look.sha256)
        wish = wish_for(picture.target, look.sha256, order)
        if trouble and not (in_place and not order):
            plan.leave_out(wish, key, trouble)
            plan.problems.append(_unsendable(picture, trouble))
            return
        fate = self._sources.stand(wish, in_place, "its content changed" if known else "")
        if fate.status == "wanted" and (why := self._why_not(picture)):
            plan.leave_out(wish, key, why)
            return
        again = fate.status == "wanted" and fate.reason.endswith(UNFIT)
        before = last_unfit(self._sources.state, self._sources.journal, wish) if again else None
        task = self._maker.task(picture, look, wish, fate.attempt, before)
        item = FileItem(wish, fate.status, key, fate.reason, fate.attempt, fate.batch, task.shape.cost_usd)
        plan.add(item, task, stale=known is not None and known.version != self._maker.question.version)

    def _why_not(self, picture: Picture) -> str:
        """Why no analysis of *picture* could be written, which the plan notes; ``""`` if nothing is known."""
        entity = picture.entity
        if entity.key not in self._barriers:
            in_imagery = self._sources.settings.analyze.store == "imagery"
            problem = not_writable(self._root, entity, pictures=not in_imagery, records=in_imagery)
            self._barriers[entity.key] = self._plan.note_problem(problem)
        unreadable = unreadable_sidecar(entity.folder, picture.path)
        if unreadable:
            self._plan.problems.append(_unsendable(picture, f"its analysis {unreadable}"))
        return self._barriers[entity.key] or unreadable


def _in_place(known: Analysis | None, sha256: str) -> Status | None:
    """How the analysis counts that is there; one that names no content is of whatever stands there."""
    if known and not known.sha256:
        return "adopted"
    return "done" if known and known.sha256 == sha256 else None


def _unsendable(picture: Picture, trouble: str) -> Problem:
    return Problem(
        "warning",
        "unreadable-picture",
        f"{trouble}, so it is not analysed",
        Place(picture.from_root),
        entity=picture.entity.key,
    )
