"""Placing: a picture goes into its entity's folder, and nothing that was there is ever lost.

A picture that chargen wrote and that was not edited since moves to ``images/archive/``; all other files stay.
A late result never displaces a newer or approved picture: it is archived, or kept in ``state/…/unplaced/``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, Literal

from chargen.base import durable, failpoints
from chargen.base.capabilities import capabilities, counts
from chargen.base.frozen import frozen
from chargen.library.folders import Folders
from chargen.library.model import KIND_FOLDERS, Entity, Record, Scene
from chargen.library.names import file_stem
from chargen.pictures import formats as pictures
from chargen.pictures.presence import is_present, stands_for, why_unreadable
from chargen.pictures.provenance import sidecar_of
from chargen.placing import extract
from chargen.placing.extract import Picture
from chargen.planning.same_words import SameWords
from chargen.records.batch import BatchPlan, Task
from chargen.records.state import State

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif"})
ARCHIVE = "archive"


@frozen
class Placed:
    """Where a picture went. ``file`` is relative to the library root (to the state folder if unplaced);
    ``needs_record`` says whether imagery.yaml must still learn of it."""

    outcome: Literal["applied", "superseded", "unplaced"]
    file: str
    reason: str = ""
    archived: str = ""
    needs_record: bool = False


class Placer:
    """Places the pictures of one entity. *entity* is as its folder stands now; None if it is gone or broken."""

    def __init__(self, root: Path, state: State, key: str, entity: Entity | None, why_not: str, provider: str):
        self._root = root
        self._unplaced = state.unplaced
        self._words = SameWords(state)
        self._key = key
        self._entity = entity
        self._why_not = why_not
        self._provider = provider
        self._scenes: dict[str, Scene] = {scene.id: scene for scene in entity.scenes} if entity else {}
        # The last record that names a file owns it.
        self._owners: dict[str, Record] = {record.path: record for record in entity.records} if entity else {}
        self._touched: set[Path] = set()

    def place(self, task: Task, picture: Picture, submitted: str, came_back: str = "") -> Placed:
        """Put *picture*, made for *task*, where it belongs. Its bytes are durable then; `finish` makes its name so.

        *came_back* is its batch, if that was lost: the same key may have been ordered and made since.
        """
        stem = file_stem(task.target.scene, task.wish.variation)
        entity = self._entity
        if entity is None:
            return self._keep_unplaced(stem, picture, self._why_not)
        images = entity.folder / "images"
        if not _inside(images, self._root):
            return self._keep_unplaced(stem, picture, "images-outside-library")
        if not came_back and (there := self._is_there(entity, task, picture)):
            extract.discard(picture)
            return Placed("applied", there)
        why_late = self._why_late(entity, task, submitted, came_back)
        if why_late:
            return self._archive_result(images, stem, picture, why_late)
        return self._put(images, stem, task, picture)

    def finish(self) -> None:
        """Make the names of everything placed durable."""
        for folder in self._touched:
            durable.sync_folder(folder)
        self._touched.clear()

    def _is_there(self, entity: Entity, task: Task, picture: Picture) -> str:
        """Where this very picture is in place already, because another checkout collected the job too; else ``""``.

        What was asked for is known from the key alone then, so it must not be taken for a scene that was edited.
        """
        slot = (task.target.scene, task.wish.variation, task.key, picture.sha256)
        for path, owner in self._owners.items():
            if (owner.scene, owner.variation, owner.task_key, owner.sha256) == slot and self._counts(owner):
                found = entity.folder / path
                if found.is_file() and _holds(found, picture):
                    return self._relative(found)
        return ""

    def _why_late(self, entity: Entity, task: Task, submitted: str, came_back: str) -> str:
        """Why this result must not take the scene's place, or ``""``."""
        wish = task.wish
        scene = self._scenes.get(wish.target.scene)
        if scene is None:
            return "scene-gone"
        if wish.variation > scene.variations:
            return "variation-gone"
        if not self._words.asks_for(scene, wish.spec_hash):
            return "scene-edited"
        current = self._current(entity, scene, wish.variation)
        if current is None:
            return ""
        made_since = bool(came_back) and current.data.get("batch_id", "") != came_back
        if current.task_key == task.key and not made_since:
            return ""
        seen, seen_status = (task.replaces.sha256, task.replaces.status) if task.replaces else (None, None)
        if current.status == "approved" and (current.sha256, current.status) != (seen, seen_status):
            return "approved-meanwhile"
        if current.sha256 != seen and current.generated_at > submitted:
            return "newer-picture"
        return ""

    def _current(self, entity: Entity, scene: Scene, variation: int) -> Record | None:
        """The picture that the scene has now, if it was made for its present words or is approved."""
        specs = self._words.hashes(scene)
        for record in reversed(entity.records):
            ours = (record.scene, record.variation) == (scene.id, variation) and self._owners[record.path] is record
            fits = record.spec_hash in specs or record.status == "approved"
            if (
                ours
                and self._counts(record)
                and fits
                and record.status != "rejected"
                and is_present(entity.folder / record.path)
            ):
                return record
        return None

    def _counts(self, record: Record) -> bool:
        """Placeholders of the emulator count only for the emulator."""
        return counts(record.provider, self._provider)

    def _put(self, images: Path, stem: str, task: Task, picture: Picture) -> Placed:
        images.mkdir(exist_ok=True)
        archived = ""
        taken = set()
        for name in sorted(entry.name for entry in images.iterdir()):
            path = images / name
            if Path(stands_for(name)).stem.casefold() == stem.casefold():
                taken.add(stem.casefold())  # what stands there is not downloaded
            if Path(name).suffix.lower() not in SUFFIXES or Path(name).stem.casefold() != stem.casefold():
                continue
            if path.is_file() and _holds(path, picture):
                recorded = self._is_recorded(name, task, picture)
                extract.discard(picture)
                return Placed("applied", self._relative(path), needs_record=not recorded)
            if self._is_ours(path, name) and _inside(images / ARCHIVE, self._root):
                archived = self._relative(self._archive(path))
            else:
                taken.add(stem.casefold())
        name = self._free_name(images, stem, picture, taken)
        extract.place(picture, images / name)
        failpoints.reached("placed")
        self._touched.add(images)
        reason = "name-taken" if Path(name).stem != stem else ""
        recorded = self._is_recorded(name, task, picture)  # a missing one that is restored
        return Placed("applied", self._relative(images / name), reason, archived, needs_record=not recorded)

    def _is_recorded(self, name: str, task: Task, picture: Picture) -> bool:
        owner = self._owners.get(f"images/{name}")
        if owner is None or not self._counts(owner):
            return False
        return (owner.task_key, owner.sha256) == (task.key, picture.sha256)

    def _free_name(self, images: Path, stem: str, picture: Picture, taken: set[str]) -> str:
        if stem.casefold() not in taken:
            return stem + picture.info.extension
        names = [entry.name for entry in images.iterdir()]
        present = {Path(stands_for(name) or name).stem.casefold() for name in names}
        same = f"{stem}-{picture.sha256[:8]}"
        if same.casefold() in present and _holds(images / (same + picture.info.extension), picture):
            return same + picture.info.extension
        number = 2
        while f"{stem}-{number}".casefold() in present:
            number += 1
        return f"{stem}-{number}{picture.info.extension}"

    def _is_ours(self, path: Path, name: str) -> bool:
        """Whether chargen wrote the file and it was not edited since."""
        if why_unreadable(path):
            return False
        owner = self._owners.get(f"images/{name}")
        if owner is None or path.is_symlink() or not path.is_file():
            return path.is_file() and not path.is_symlink() and pictures.is_placeholder(path)
        return bool(owner.sha256) and pictures.sha256_file(path) == owner.sha256

    def _archive(self, path: Path) -> Path:
        """Move a picture of ours to the archive, under a name made from its content."""
        archive = path.parent / ARCHIVE
        archive.mkdir(exist_ok=True)
        sha256 = pictures.sha256_file(path)
        target = archive / f"{path.stem}-{sha256[:8]}{path.suffix}"
        if sidecar_of(path).is_file():  # first: what is left beside the name belongs to the next picture
            sidecar_of(path).replace(sidecar_of(target))
        path.replace(target)
        failpoints.reached("archived")
        self._touched.update({archive, path.parent})
        return target

    def _archive_result(self, images: Path, stem: str, picture: Picture, why: str) -> Placed:
        archive = images / ARCHIVE
        if not _inside(archive, self._root):
            return self._keep_unplaced(stem, picture, why)
        archive.mkdir(parents=True, exist_ok=True)
        target = archive / f"{stem}-{picture.sha256[:8]}{picture.info.extension}"
        if target.is_file() and _holds(target, picture):
            extract.discard(picture)
        else:
            extract.place(picture, target)
            failpoints.reached("placed")
        self._touched.add(archive)
        return Placed("superseded", self._relative(target), why)

    def _keep_unplaced(self, stem: str, picture: Picture, why: str) -> Placed:
        folder = self._unplaced / self._key.replace("/", "-")
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{stem}-{picture.sha256[:8]}{picture.info.extension}"
        extract.place(picture, target)
        failpoints.reached("placed")
        self._touched.add(folder)
        return Placed("unplaced", f"unplaced/{folder.name}/{target.name}", why)

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()


@frozen
class Making:
    """When and in which run a picture was put in place, what its record says of the prompt, and what ``more``."""

    run: str
    when: str
    prompt: str
    more: Mapping[str, Any] = field(default_factory=dict)


def record(plan: BatchPlan, task: Task, placed: Placed, picture: Picture, making: Making) -> dict[str, str]:
    """Return the item for ``generated_images``; all values are text."""
    wish = task.wish
    scene = wish.target.scene
    name = placed.file.rpartition("/")[2]
    sent = ", ".join(f"{item.path}@sha256:{item.sha256[:16]}" for item in task.references)
    return {
        "scene": scene,
        "custom_id": file_stem(scene, wish.variation),
        "file_name": name,
        "file_path": f"images/{name}",
        "status": "generated",
        "provider": capabilities(plan.provider).recorded_as,
        "model": plan.model,
        "aspect_ratio": task.aspect_ratio,
        "size": f"{picture.info.width}x{picture.info.height}",
        "sha256": picture.sha256,
        "generated_at": making.when,
        "batch_run_id": making.run,
        "batch_id": plan.batch,
        "task_key": task.key,
        "spec_hash": wish.spec_hash,
        **{name: str(said) for name, said in making.more.items()},
        "prompt_used": making.prompt,
    } | ({"references_used": sent} if sent else {})


def prompt_hash(prompt: str) -> str:
    """Return what stands for a prompt that the author does not want in the file."""
    return "sha256:" + hashlib.sha256(prompt.encode()).hexdigest()


def entity_folder(root: Path, key: str) -> Path:
    """Return the folder of the entity ``kind/slug``."""
    kind, slug = key.split("/", 1)
    of_kind = root / next(folder for folder, name in KIND_FOLDERS.items() if name == kind)
    return of_kind / (slug if slug.isascii() else Folders(of_kind).listing("").spelled(slug))


def _holds(path: Path, picture: Picture) -> bool:
    return (
        not why_unreadable(path)
        and path.stat().st_size == len(picture.data)
        and pictures.sha256_file(path) == picture.sha256
    )


def _inside(path: Path, root: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))
