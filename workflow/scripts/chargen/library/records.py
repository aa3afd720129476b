"""Records of existing pictures: ``generated_images`` and ``image_reviews``, which the workflow keeps, and
``image_inventory``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from yaml.nodes import ScalarNode, SequenceNode

from chargen.base.errors import Place
from chargen.library.fields import Problems, View, as_bool
from chargen.library.folders import Folders, inside
from chargen.library.model import InventoryItem, Record, Review
from chargen.library.yamlio import Map, Seq, plain
from chargen.pictures.formats import sha256_file
from chargen.pictures.presence import why_unreadable

Spelled = Callable[[str], str]
"""A path below the library root, with its names spelled as on the disk."""

KEPT_SECTIONS = ("generated_images", "image_inventory", "image_reviews")
"""The top-level lists that chargen appends to."""

REVIEW_STATUSES = ("approved", "rejected", "picked", "generated")

_VARIATION = re.compile(r"_c(\d{1,4})(?:@sha256:[0-9a-f]+)?\Z")


def check_write_back(view: View, problems: Problems) -> None:
    """Note as errors the forms of the file to which no record could be appended, before anything is paid for."""
    if view.data.is_flow:
        problems.error(
            "no-write-back", "the whole file is written in braces, so no picture can be recorded in it",
            view.place(), advice="write it as 'key: value' lines",
        )  # fmt: skip
    for section in KEPT_SECTIONS:
        if section in view.data and not _is_appendable(view.data, section):
            message = "must be a list of '- ' items, or [] or nothing, for pictures to be recorded in it"
            problems.error("no-write-back", message, view.place(section))


def read_records(view: View, folder: str, problems: Problems, spelled: Spelled = str) -> list[Record]:
    """The items of ``generated_images`` in the entity's *folder* (relative to the library root).

    *spelled* gives paths below the root as the disk spells them.
    """
    records = []
    for item in _maps(view, "generated_images", problems):
        custom_id, task_key = item.text("custom_id"), item.text("task_key")
        scene = item.text("scene") or _VARIATION.sub("", custom_id)
        if not scene:
            problems.warn("bad-record", "the record has no scene, so it is ignored", item.place())
            continue
        records.append(
            Record(
                scene=scene,
                variation=_variation(task_key) or _variation(custom_id) or 1,
                path=_path(item, folder, problems, spelled),
                status=item.text("status").lower(),
                provider=item.text("provider"),
                sha256=item.text("sha256"),
                task_key=task_key,
                spec_hash=item.text("spec_hash"),
                generated_at=item.text("generated_at"),
                data=plain(item.data),
                place=item.place(),
            )
        )
    return records


def read_reviews(view: View, folder: str, problems: Problems, spelled: Spelled = str) -> list[Review]:
    """The items of ``image_reviews``, in their order: the last one about a picture counts."""
    reviews = []
    for item in _maps(view, "image_reviews", problems):
        path, status = _path(item, folder, problems, spelled), item.text("status").lower()
        if not path or status not in REVIEW_STATUSES:
            message = f"needs a file_path and a status ({', '.join(REVIEW_STATUSES)}), so it is ignored"
            problems.warn("bad-review", message, item.place())
            continue
        scene, variation = item.text("scene"), item.text("variation")
        number = int(variation) if variation.isdecimal() else 1
        reviews.append(Review(path, item.text("sha256"), status, item.text("note"), item.place(), scene, number))
    return reviews


def reviewed(records: Sequence[Record], reviews: Sequence[Review]) -> list[Record]:
    """Return *records* with what the last review of each picture says; of a scene's pictures the last pick counts.

    A review is about a content: it does not follow the file's name to another picture.
    """
    judged = [_judged(record, reviews) for record in records]
    last_pick: dict[str, int] = {}
    for order, record in judged:
        last_pick[record.scene] = max(last_pick.get(record.scene, -1), order)
    return [replace(record, picked=0 <= order == last_pick[record.scene]) for order, record in judged]


def _judged(record: Record, reviews: Sequence[Review]) -> tuple[int, Record]:
    """The record with its status, and the place of its pick in the order of all picks; -1 if it is not picked."""
    found = -1
    for index, review in enumerate(reviews):
        same_content = not (review.sha256 and record.sha256) or review.sha256 == record.sha256
        if review.path == record.path and same_content:
            found = index
    status = reviews[found].status if found >= 0 else record.status
    note = reviews[found].note if found >= 0 else str(record.data.get("note") or "").strip()
    is_pick = status == "picked"
    order = (found + 1 if found >= 0 else 0) if is_pick else -1
    return order, replace(record, status="approved" if is_pick else status, note=note)


def read_inventory(view: View, folder: str, problems: Problems, spelled: Spelled = str) -> list[InventoryItem]:
    """The items of the top-level ``image_inventory``."""
    return [
        InventoryItem(
            id=item.text("id"),
            path=_path(item, folder, problems, spelled, "path"),
            status=item.text("status").lower(),
            is_portrait=bool(as_bool(item.text("is_reference_portrait"))),
            data=plain(item.data),
            place=item.place(),
        )
        for item in _maps(view, "image_inventory", problems)
    ]


def _is_appendable(data: Map, section: str) -> bool:
    """Whether the section's value is nothing, ``[]``, or a list of lines without an anchor or a tag before it."""
    node = data.value_node(section)
    value: Any = data[section]
    if isinstance(value, Seq) and isinstance(node, SequenceNode):
        line = data.position(section)[0] - 1
        if node.flow_style:  # as long as '[ ]': not after an anchor, and not elsewhere, as an alias leads
            return not value and line == node.start_mark.line and node.end_mark.index - node.start_mark.index <= 3
        return bool(node.start_mark.line > line)
    return isinstance(node, ScalarNode) and value is None


def _maps(view: View, section: str, problems: Problems) -> Iterator[View]:
    value = view.data.get(section)
    if not isinstance(value, Seq):
        return
    for index, item in enumerate(value):
        path = f"{section}[{index}]"
        if isinstance(item, Map):
            yield View(item, view.file, path)
        else:
            place = Place(view.file, *value.position(index), path)
            problems.warn("bad-record", "is not a mapping (key: value), so it is ignored", place)


def _path(item: View, folder: str, problems: Problems, spelled: Spelled, key: str = "file_path") -> str:
    """The picture's path relative to the entity's folder; ``""`` if it has none or names one outside."""
    written = item.text(key).replace("\\", "/")
    if not written:
        name = item.text("file_name")
        written = f"images/{name}" if name else ""
    if not written:
        return ""
    if written.startswith(f"{folder}/"):
        written = written.removeprefix(f"{folder}/")
    path = inside(folder, written)
    if not path.startswith(f"{folder}/"):
        message = f"'{written}' is not in the entity's folder, so it is ignored"
        problems.warn("outside-library", message, item.place(key))
        return ""
    return spelled(path).removeprefix(f"{folder}/")


def _variation(identifier: str) -> int:
    found = _VARIATION.search(identifier)
    return int(found[1]) if found else 0


def rejected_pictures(
    folders: Folders,
    folder: str,
    records: Sequence[Record],
    inventory: Sequence[InventoryItem],
    reviews: Sequence[Review],
) -> frozenset[str]:
    """The pictures that the author does not want: by the last record of each, else by the last review of what is
    there now, else by the inventory.
    """
    status = {item.path: item.status for item in inventory if item.path and item.status}
    recorded = {record.path: record.status for record in records if record.path}
    last = {review.path: review for review in reviews if review.path not in recorded}
    for path, review in last.items():
        if review.status != "rejected" or _is_present(folders, folder, review):
            status[path] = review.status
    return frozenset(path for path, said in (status | recorded).items() if said == "rejected")


def _is_present(folders: Folders, folder: str, review: Review) -> bool:
    """Whether the picture that was reviewed is still the one under its name, as far as it can be read."""
    path = f"{folder}/{review.path}"
    if not folders.exists(path) or not review.sha256:
        return folders.exists(path)
    try:
        return not why_unreadable(folders.root / path) and sha256_file(folders.root / path) == review.sha256
    except OSError:
        return False
