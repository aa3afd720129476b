"""The loop by which every operation places what came: folder by folder, each under its lock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from chargen.base import durable
from chargen.base.progress import track
from chargen.library.locking import writing
from chargen.pictures.formats import BrokenPicture
from chargen.placing.answers import Answer, Delivery, task_record
from chargen.placing.extract import Picture, ahead, extract
from chargen.placing.provenance import describe, finisher
from chargen.providers.base import Verdict
from chargen.providers.verdicts import broken_picture
from chargen.records.batch import Outcome, Task

Extracted = tuple[Answer, Picture | Verdict]
"""An answer with its picture, or why what came is none."""
Outcomes = dict[str, Outcome]
"""What became of tasks, by their keys."""
GroupOf = Callable[[Task], str]
FolderOf = Callable[[str], tuple[Path, Path]]
"""Returns where a group's results go: the folder that is locked, and the one in it that is written."""


def place_answers(
    answers: Sequence[Answer], group_of: GroupOf, folder_of: FolderOf, place: Callable[[str, list[Answer]], Outcomes]
) -> list[Outcome]:
    """Return what became of *answers*, in their order; *place* is called for one group after the other, under the lock
    of its folder."""
    groups: dict[str, list[Answer]] = {}
    for answer in answers:
        groups.setdefault(group_of(answer.task), []).append(answer)
    done: Outcomes = {}
    for key, group in groups.items():
        with writing(*folder_of(key)):
            done |= place(key, group)
    return [done[answer.task.key] for answer in answers]


def place_pictures(
    delivery: Delivery,
    group_of: GroupOf,
    folder_of: FolderOf,
    place: Callable[[str, Iterable[Extracted]], Outcomes],
    draft_folder: Callable[[str], Path | None] = lambda key: None,
) -> list[Outcome]:
    """The same for the pictures of *delivery*, which are decoded and checked ahead; a task without one has failed.

    *place* takes every picture that it is given. *draft_folder* returns where a group's pictures may be written before
    they have a name, None for nowhere.
    """
    failed = {item.task.key: task_record(delivery.plan, item) for item in delivery.answers if not item.verdict.picture}
    answers = [item for item in delivery.answers if item.task.key not in failed]
    ordered = sorted(answers, key=_by_first(answers, group_of))
    drafts = {key: draft_folder(key) for key in dict.fromkeys(group_of(item.task) for item in ordered)}
    decode = partial(_decoded, delivery, lambda task: drafts[group_of(task)])
    extracted = track(ahead(decode, ordered), "placing pictures", len(ordered))
    placed = place_answers(ordered, group_of, folder_of, lambda key, group: place(key, islice(extracted, len(group))))
    done = failed | {item.key: item for item in placed}
    return [done[answer.task.key] for answer in delivery.answers]


def _by_first(answers: Sequence[Answer], group_of: GroupOf) -> Callable[[Answer], int]:
    """Return the key that sorts answers by their groups, in the order in which these come first."""
    order = {key: number for number, key in enumerate(dict.fromkeys(group_of(item.task) for item in answers))}
    return lambda answer: order[group_of(answer.task)]


def _decoded(delivery: Delivery, draft_folder: Callable[[Task], Path | None], answer: Answer) -> Picture | Verdict:
    assert answer.verdict.picture is not None
    folder = draft_folder(answer.task)
    draft = durable.draft_of(folder / answer.task.wish_id) if folder else None
    finish = finisher(delivery.plan, partial(describe, delivery.plan, answer, delivery.entry))
    try:
        return extract(delivery.results, answer.verdict.picture, draft, finish)
    except BrokenPicture as broken:
        return broken_picture(broken.reason)
