"""Planning enhancements: the pictures of a folder, the prompt of each, and the name of each result."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from chargen.base.errors import CannotPlan, ChargenError, Place, Problem
from chargen.base.progress import track
from chargen.library.access import may_be_written
from chargen.operations.enhance import Enhance
from chargen.operations.enhance.inputs import FOLDER_PROMPT, SIDECAR, Input, inputs
from chargen.operations.enhance.names import Found, Names
from chargen.operations.enhance.submission import Result, Slot, counted, in_place
from chargen.operations.enhance.tasks import OPERATION, asked_for, job_folder, target_of
from chargen.pictures.looks import Look
from chargen.pictures.presence import is_absent
from chargen.planning.file_plans import FileItem, FilePlan
from chargen.planning.picture_tasks import PictureTasks
from chargen.planning.selection import matches
from chargen.planning.sources import Sources
from chargen.records.identity import Wish, digest
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import State


@dataclass(frozen=True)
class _Job:
    """What all tasks of one job share. ``done`` are the records of results that are in place, ``recorded`` is what was
    ever recorded: the hash of what was asked, and the target."""

    sources: Sources
    plan: FilePlan
    maker: PictureTasks
    done: Mapping[Slot, Result]
    recorded: Sequence[tuple[str, str]]

    @property
    def settings(self) -> Settings:
        return self.sources.settings


def make_enhancement_plan(settings: Settings) -> FilePlan:
    """Return the plan for ``enhance.input_dir``.

    Raises ChargenError for what stops everything: no such folder or model, a size that the model cannot do, a picture
    without a prompt.
    """
    source, folder = Path(settings.enhance.input_dir), job_folder(settings)
    if not source.is_dir():
        raise CannotPlan(f"enhance: folder not found: {source}; set enhance.input_dir to the folder of your pictures")
    _check_readable(folder)
    sources = Sources(settings, OPERATION)
    plan = FilePlan(OPERATION, sources.catalog, sources.looker, notices=list(sources.journal.notices))
    maker = PictureTasks(sources, plan, settings.enhance.image_size, Enhance.unsent_temperature)
    known = counted(folder, settings.provider)
    recorded = [(record.spec_hash, target_of(settings, record.input)) for record in known]
    files, hidden = inputs(settings)
    _take_stock(_Job(sources, plan, maker, in_place(folder, known), recorded), files)
    if plan.tasks:
        _check_writable(folder)
    if hidden:
        plan.notices.append(f"{hidden} hidden files or folders in {settings.enhance.input_dir} are skipped")
    sources.note_in_flight(plan)
    sources.finish(plan, strict=False)  # the setting is about libraries
    return plan


def _check_readable(folder: Path) -> None:
    """Raise ChargenError if it cannot be seen which results are in *folder*."""
    try:
        os.scandir(folder).close()
    except OSError as error:
        if not is_absent(error):
            why = f"{folder} cannot be read ({error.strerror})"
            raise ChargenError(f"enhance: {why}; make it readable, or reconnect its disk, then run again") from None


def _check_writable(folder: Path) -> None:
    """Raise ChargenError if no result could be put into *folder*."""
    while not os.path.lexists(folder) and folder != folder.parent:
        folder = folder.parent
    if not folder.is_dir():
        raise ChargenError(f"enhance: {folder} is not a folder; set enhance.output_dir to one for the results")
    if not may_be_written(folder):
        raise ChargenError(f"enhance: {folder} is not writable; make it writable, or set enhance.output_dir")


def _take_stock(job: _Job, items: list[Input]) -> None:
    """Note where the results for the files stand, and make the tasks that are wanted."""
    looked_at = track(items, "looking at pictures", len(items))
    asked = [found for item in looked_at if (found := _asked_for(job, item))]
    names = Names(asked, _known_names(job), job.done, job.settings.enhance.variations)
    for found in asked:
        present = target_of(job.settings, found.item.name)
        if stands_for := names.twin_of.get(found.item.name):
            why = f"is the same picture with the same prompt as {stands_for}"
            job.plan.leave_out(Wish(OPERATION, present, 1, found.spec), found.item.name, why, "twin")
            continue
        for variation in range(1, job.settings.enhance.variations + 1):
            _take_one(job, found, names, variation)


def _asked_for(job: _Job, item: Input) -> Found | None:
    """Look at one file; note it as blocked if it cannot be sent."""
    settings, plan = job.settings, job.plan
    target = target_of(settings, item.name)
    if settings.only and not matches(settings.only, target):
        return None
    look = Look(trouble=item.trouble) if item.trouble else job.sources.looker.look(item.path)
    trouble = look.trouble
    if look.placeholder and not settings.capabilities.marks_placeholders:
        trouble = "is a placeholder of the emulator"
    if trouble:
        plan.leave_out(Wish(OPERATION, target, 1, ""), item.name, trouble)
        message = f"{trouble}, so it is skipped"
        plan.problems.append(Problem("warning", "unreadable-input", message, Place(item.name)))
        return None
    if not item.prompt:
        raise CannotPlan(
            f"enhance: {item.path} has no prompt: set enhance.prompt, or write the prompt into {FOLDER_PROMPT} in "
            f"its folder or into {item.path.stem}{SIDECAR} beside it"
        )
    asked = {"sha256": look.sha256, "prompt": item.prompt, "size": settings.enhance.image_size}
    return Found(item, look, f"sha256:{digest(asked)}")


def _known_names(job: _Job) -> dict[str, list[str]]:
    """The names under which each content was sent before with the same words, by the hash of what was asked."""
    known: dict[str, dict[str, None]] = {}
    start = target_of(job.settings, "")
    for spec, target in chain(job.recorded, _sent(job.sources.state, job.sources.journal)):
        if target.startswith(start):
            known.setdefault(spec, {})[target.removeprefix(start)] = None
    return {spec: list(names) for spec, names in known.items()}


def _sent(state: State, journal: Journal) -> Iterator[tuple[str, str]]:
    """What went out, or may have, as far as its plan is still kept: the hash of what was asked, and the target."""
    for entry in journal.entries.values():
        files = state.batch(entry.batch)
        if entry.operation == OPERATION and (entry.job or entry.open_intent):
            plan = files.known_plan()
            for task in plan.tasks if plan else ():
                yield task.wish.spec_hash, task.target


def _take_one(job: _Job, found: Found, names: Names, variation: int) -> None:
    """Note where one result stands, and make its task if it is wanted."""
    name, output = names.name_of[found.item.name], names.output_of[found.item.name]
    target = target_of(job.settings, name)
    wish = Wish(OPERATION, target, variation, found.spec, job.sources.order(target, variation))
    record = job.done.get((name, variation, found.spec))
    fate = job.sources.stand(wish, "done" if record else None, "")
    asked = asked_for(job.settings, found, name, output, variation)
    task = job.maker.task(wish, fate.attempt, asked)
    item = FileItem(
        wish,
        fate.status,
        found.item.name,
        fate.reason,
        fate.attempt,
        fate.batch,
        job.maker.price.usd,
        target_of(job.settings, found.item.name),
    )
    is_stale = record is not None and not job.maker.is_current(record.task_key, wish, asked)
    job.plan.add(item, task, stale=is_stale)
