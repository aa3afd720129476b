"""Enhance: pictures made from the pictures of a folder, under the same names in the job's folder.

``submission.json`` in that folder records enhancements as ``generated_images`` records scenes: prompt, model, time and
file.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import Path

from chargen.base import durable, failpoints
from chargen.base.capabilities import capabilities
from chargen.base.errors import ChargenError
from chargen.operations.enhance.extra import EnhancementExtra
from chargen.operations.enhance.submission import SUBMISSION, Result, Skipped, Submission, read_submission, results_in
from chargen.operations.enhance.tasks import OPERATION
from chargen.pictures import formats as pictures
from chargen.placing import extract
from chargen.placing.answers import Answer, Delivery, placed_or_kept, task_record
from chargen.placing.extract import Picture
from chargen.placing.loop import Extracted, Outcomes, place_pictures
from chargen.placing.place import Placed
from chargen.providers.base import Verdict
from chargen.records.batch import Outcome, Reference, Task
from chargen.records.documents import read_document
from chargen.records.journal import now
from chargen.records.run import RunPlan
from chargen.records.settings import Settings

ARCHIVE = "archive"


def place_all(delivery: Delivery) -> list[Outcome]:
    """Return what became of each task, every picture placed and recorded in its job's submission.json."""

    def folder_of(folder: str) -> tuple[Path, Path]:
        place = Path(delivery.settings.home) / folder
        durable.make_folder(place)
        return place.parent, place

    def place(folder: str, extracted: Iterable[Extracted]) -> Outcomes:
        durable.sweep(Path(delivery.settings.home) / folder)
        desk = _Desk(delivery, Path(delivery.settings.home) / folder)
        done = {answer.task.key: desk.place(answer, picture) for answer, picture in extracted}
        desk.close()
        return done

    return place_pictures(delivery, lambda task: _extra(task).folder, folder_of, place)


def _extra(task: Task) -> EnhancementExtra:
    return task.extra_as(EnhancementExtra)


def made_already(settings: Settings, tasks: Iterable[Task]) -> list[str]:
    """Return the wish ids of tasks whose result is already in its folder."""
    there: dict[str, Collection[tuple[str, int, str]]] = {}
    made = []
    for task in tasks:
        extra = _extra(task)
        folder = extra.folder
        if folder not in there:
            try:
                there[folder] = results_in(Path(settings.home) / folder, settings.provider).keys()
            except ChargenError:
                there[folder] = ()
        wish = task.wish
        if (extra.input, wish.variation, wish.spec_hash) in there[folder] and not wish.order:
            made.append(task.wish_id)
    return made


def still_wanted(settings: Settings, records: Iterable[Outcome]) -> Iterator[str]:
    """Yield the keys of those task *records* whose picture is still there."""
    for item in records:
        if _is_unchanged(Path(settings.home), item.references[0]):
            yield item.key


class _Desk:
    """Places the results of one job."""

    def __init__(self, delivery: Delivery, folder: Path):
        self._settings = delivery.settings
        self._folder = folder
        self._plan = delivery.plan
        self._job = delivery.entry.job
        self._came_back = delivery.entry.found_again
        self._run = delivery.run
        self._submission = read_submission(folder)
        self._records: list[Result] = []
        self._touched: set[Path] = set()
        self._when = now()
        # The last record that names a file owns it.
        self._owners = {record.file: record for record in self._submission.results}

    def place(self, answer: Answer, picture: Picture | Verdict) -> Outcome:
        """Put one picture where it belongs and return its task record. `close` makes all of it durable."""
        if isinstance(picture, Verdict):
            return task_record(self._plan, Answer(answer.task, answer.line, picture))
        target = self._folder / _extra(answer.task).output
        placed = placed_or_kept(answer.task.key, partial(self._put, target, answer.task, picture))
        if placed.needs_record:
            record = self._record(answer.task, picture, placed)
            self._records.append(record)
            self._owners[record.file] = record
        return task_record(self._plan, answer, picture, placed)

    def close(self) -> None:
        """Make the names of everything placed durable, and write down what was made."""
        for folder in self._touched:
            durable.sync_folder(folder)
        failpoints.reached("placed-all")
        described = self._described((*self._submission.results, *self._records))
        durable.write_json(self._folder / SUBMISSION, described.to_json())
        failpoints.reached("written-back")

    def _put(self, stem: Path, task: Task, picture: Picture) -> Placed:
        """A result of ours that was not edited is replaced by its successor; any other file stays."""
        stem.parent.mkdir(parents=True, exist_ok=True)
        self._touched.add(stem.parent)
        target = stem.with_name(stem.name + picture.info.extension)
        archived = ""
        if target.exists():
            owner = self._owners.get(self._inside(target))
            present = pictures.sha256_file(target)
            of_another = owner is not None and owner.input != _extra(task).input
            if present == picture.sha256 and not of_another:
                recorded = owner is not None and owner.task_key == task.key
                return Placed("applied", self._from_home(target), needs_record=not recorded)
            if owner is not None and self._was_made_since(owner, task):
                return self._archive_result(stem, picture)
            if owner is not None and owner.sha256 == present and not of_another:
                archived = self._from_home(self._archive(target, present))
            else:
                number = 2
                while target.exists():
                    target = stem.with_name(f"{stem.name}-{number}{picture.info.extension}")
                    number += 1
        extract.place(picture, target)
        failpoints.reached("placed")
        reason = "" if target.stem == stem.name else "name-taken"
        owner = self._owners.get(self._inside(target))  # of a missing result that is restored
        recorded = owner is not None and (owner.task_key, owner.sha256) == (task.key, picture.sha256)
        return Placed("applied", self._from_home(target), reason, archived, needs_record=not recorded)

    def _was_made_since(self, owner: Result, task: Task) -> bool:
        """Whether the same result was ordered and made while this batch was lost."""
        return self._came_back and owner.task_key == task.key and owner.batch != self._plan.batch

    def _archive_result(self, stem: Path, picture: Picture) -> Placed:
        archive = stem.parent / ARCHIVE
        archive.mkdir(exist_ok=True)
        target = archive / f"{stem.name}-{picture.sha256[:8]}{picture.info.extension}"
        extract.place(picture, target)
        failpoints.reached("placed")
        self._touched.add(archive)
        return Placed("superseded", self._from_home(target), "newer-picture")

    def _archive(self, path: Path, sha256: str) -> Path:
        archive = path.parent / ARCHIVE
        archive.mkdir(exist_ok=True)
        target = archive / f"{path.stem}-{sha256[:8]}{path.suffix}"
        path.replace(target)
        failpoints.reached("archived")
        self._touched.add(archive)
        return target

    def _record(self, task: Task, picture: Picture, placed: Placed) -> Result:
        return Result(
            input=_extra(task).input,
            variation=task.wish.variation,
            file=self._inside(Path(self._settings.home) / placed.file),
            sha256=picture.sha256,
            width=picture.info.width,
            height=picture.info.height,
            spec_hash=task.wish.spec_hash,
            task_key=task.key,
            prompt=task.prompt,
            aspect_ratio=task.aspect_ratio,
            image_size=task.image_size,
            model=self._plan.model,
            temperature=self._plan.temperature,
            provider=capabilities(self._plan.provider).recorded_as,
            generated_at=self._when,
            batch=self._plan.batch,
            job=self._job,
            run=self._run.folder.name,
            changes=task.notes,
        )

    def _described(self, results: tuple[Result, ...]) -> Submission:
        """Return the content of submission.json."""
        path = self._run.plan_of(OPERATION)
        known = read_document(path, RunPlan).left_out if path.exists() else ()
        start = f"{OPERATION}/{self._folder.name}/"
        left_out = (item for item in known or () if item.target.startswith(start))
        return Submission(
            job_name=self._folder.name,
            updated=self._when,
            results=results,
            left_out=tuple(Skipped(name=item.target.removeprefix(start), why=item.why) for item in left_out),
        )

    def _inside(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()

    def _from_home(self, path: Path) -> str:
        home = Path(self._settings.home)
        return path.relative_to(home).as_posix() if path.is_relative_to(home) else str(path)


def _is_unchanged(home: Path, reference: Reference) -> bool:
    try:
        return pictures.sha256_file(home / reference.path) == reference.sha256
    except OSError:
        return False
