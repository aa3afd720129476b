"""The status of each wanted picture, before prompts are composed: done, missing, in flight, failed, or wanted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from chargen.base.capabilities import counts
from chargen.base.frozen import frozen
from chargen.library.folders import Folders
from chargen.library.model import Entity, Record, Scene
from chargen.planning.fates import Fate, Fates, Status
from chargen.planning.same_words import SameWords
from chargen.records.identity import Wish


@frozen
class Standing:
    """One variation of a scene and its status.

    ``path`` is its picture, relative to the library root, where there is one; ``record`` what describes it.
    ``reason`` says why, where the status alone does not. ``attempt`` is the number of the next sending.
    ``batch`` is the batch that has it in flight, or that has the answer to restore it from.
    ``corrections`` are the notes on pictures of this very wish that were rejected, for the next prompt.
    """

    scene: Scene
    variation: int
    wish: Wish
    status: Status
    path: str = ""
    record: Record | None = None
    reason: str = ""
    attempt: int = 1
    batch: str = ""
    corrections: tuple[str, ...] = ()

    @property
    def target(self) -> str:
        return self.scene.target

    @property
    def names(self) -> tuple[str, ...]:
        """The targets by which a person may name it."""
        return (self.target,)


class Pictures:
    """The files in the entities' folders, each folder listed once."""

    def __init__(self, root: Path):
        self._root = root
        self._folders = Folders(root)

    def exists(self, entity: Entity, path: str) -> bool:
        """Whether *path*, relative to the entity's folder, is there. What cannot be looked at counts as being there."""
        return self._folders.stands(f"{entity.folder.relative_to(self._root).as_posix()}/{path}")


class Ledger:
    """What library, journal and orders together say of wishes."""

    def __init__(
        self,
        root: Path,
        provider: str,
        fates: Fates,
        orders: Mapping[tuple[str, int], int],
        words: SameWords,
    ):
        self._pictures = Pictures(root)
        self._root = root
        self._provider = provider
        self._orders = orders
        self._fates = fates
        self._words = words

    def standings(self, entity: Entity, operation: str) -> list[Standing]:
        """Return where every variation of every wanted scene of *entity* stands."""
        owners = {record.path: record for record in entity.records}  # the last record that names a file owns it
        by_scene: dict[tuple[str, int], list[Record]] = {}
        for record in entity.records:
            by_scene.setdefault((record.scene, record.variation), []).append(record)
        return [
            self._standing(entity, scene, variation, by_scene.get((scene.id, variation), []), owners, operation)
            for scene in entity.scenes
            if not scene.skip
            for variation in range(1, scene.variations + 1)
        ]

    def _standing(
        self,
        entity: Entity,
        scene: Scene,
        variation: int,
        records: list[Record],
        owners: Mapping[str, Record],
        operation: str,
    ) -> Standing:
        ours = [record for record in records if self._counts(record)]
        wish = self._wish(scene, variation, ours, operation)
        rejected = [record for record in ours if record.spec_hash == wish.spec_hash and record.status == "rejected"]
        standing = self._stand(entity, scene, variation, wish, ours, owners)
        corrections = (
            *_turned_down_before(entity, scene, variation),
            *(record.note for record in rejected if record.note),
        )
        return replace(standing, corrections=corrections) if corrections else standing

    def _wish(self, scene: Scene, variation: int, records: list[Record], operation: str) -> Wish:
        """Return the wish for the scene's words under the hash by which they are known, else under the newest one."""
        order = self._orders.get((scene.target, variation), 0)
        newest = None
        for spec in self._words.hashes(scene):
            of_spec = [record for record in records if record.spec_hash == spec]
            rejections = sum(record.status == "rejected" for record in of_spec)
            wish = Wish(operation, scene.target, variation, spec, order, rejections)
            if of_spec or self._fates.knows(wish):
                return wish
            newest = newest or wish
        assert newest is not None
        return newest

    def _stand(
        self,
        entity: Entity,
        scene: Scene,
        variation: int,
        wish: Wish,
        ours: list[Record],
        owners: Mapping[str, Record],
    ) -> Standing:
        fate = self._fates.in_flight(wish)
        if fate:
            return _standing(scene, variation, wish, fate)
        if not wish.order or self._fates.came(wish):
            found = self._in_place(entity, scene, variation, wish, ours, owners)
            if found:
                return found
        fate = self._fates.without_result(wish, _why(wish, ours))
        path, record = self._present(entity, ours, owners)
        if record and self._fates.stood_back(wish):  # what the author approved meanwhile is what the author wants
            return Standing(scene, variation, wish, "done", path, record)
        return replace(_standing(scene, variation, wish, fate), path=path, record=record)

    def _present(
        self, entity: Entity, records: list[Record], owners: Mapping[str, Record]
    ) -> tuple[str, Record | None]:
        """Return the picture that the scene has now, from whatever words it was made."""
        for record in reversed(records):
            ours = owners.get(record.path) is record and record.status != "rejected"
            if ours and self._pictures.exists(entity, record.path):
                return self._from_root(entity, record.path), record
        return "", None

    def _in_place(
        self,
        entity: Entity,
        scene: Scene,
        variation: int,
        wish: Wish,
        records: list[Record],
        owners: Mapping[str, Record],
    ) -> Standing | None:
        gone = None
        for record in reversed(records):
            if record.spec_hash not in ("", wish.spec_hash) or record.status == "rejected":
                continue
            if owners.get(record.path) is not record:
                continue
            path = self._from_root(entity, record.path)
            if self._pictures.exists(entity, record.path):
                status: Status = "done" if record.spec_hash else "adopted"
                return Standing(scene, variation, wish, status, path, record)
            gone = gone or (path, record)
        if gone:
            batch = self._fates.kept_in(wish)
            if batch:
                return Standing(scene, variation, wish, "put back", *gone, reason="its file is gone", batch=batch)
            return Standing(scene, variation, wish, "missing", *gone, reason="its file is gone")
        adopted = entity.adopted.get(scene.id)
        if adopted and variation == 1 and not records and scene.spec.get("revision", "1") in ("", "1"):
            return Standing(scene, variation, wish, "adopted", adopted.path, reason=f"by {adopted.why}")
        return None

    def _counts(self, record: Record) -> bool:
        """Placeholders of the emulator count only for the emulator."""
        return counts(record.provider, self._provider)

    def _from_root(self, entity: Entity, path: str) -> str:
        return (entity.folder / path).relative_to(self._root).as_posix()


def _turned_down_before(entity: Entity, scene: Scene, variation: int) -> tuple[str, ...]:
    """What was said against pictures from before chargen, whose scene only their reviews name."""
    recorded = {record.path for record in entity.records}
    return tuple(
        review.note
        for review in entity.reviews
        if review.status == "rejected"
        and review.note
        and review.path not in recorded
        and (review.scene, review.variation) == (scene.id, variation)
    )


def _standing(scene: Scene, variation: int, wish: Wish, fate: Fate) -> Standing:
    return Standing(scene, variation, wish, fate.status, reason=fate.reason, attempt=fate.attempt, batch=fate.batch)


def _why(wish: Wish, records: list[Record]) -> str:
    if wish.order:
        return f"order {wish.order}"
    if wish.rejections:
        return "the last picture was rejected"
    return "its text changed" if records else ""
