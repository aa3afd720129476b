"""The plan of an operation on picture files."""

from __future__ import annotations

from dataclasses import dataclass, replace

from chargen.base.frozen import frozen
from chargen.library.target import Target
from chargen.planning.fates import Status
from chargen.planning.plan import Plan, Stale
from chargen.planning.tasks import Task
from chargen.records.identity import Wish
from chargen.records.run import LeftOut, RunPlan


@frozen
class FileItem:
    """One wanted result about one file, and where it stands. ``group`` is what it belongs to, for counting."""

    wish: Wish
    status: Status
    group: str
    reason: str = ""
    attempt: int = 1
    batch: str = ""
    cost_usd: float = 0.0
    present: str = ""  # the target under the file's present name, where it may have another one

    @property
    def target(self) -> str:
        return self.wish.target

    @property
    def names(self) -> tuple[str, ...]:
        """The targets by which a person may name it."""
        return (self.target, self.present) if self.present else (self.target,)


@dataclass
class FilePlan(Plan[FileItem]):
    """Where the result for each file stands."""

    def cost_of(self, item: FileItem) -> float:
        """Return about what the result costs."""
        return item.cost_usd

    def add(self, item: FileItem, task: Task, *, stale: bool) -> None:
        """Note *item*, which *task* makes; the task is sent if the item is wanted.

        *stale* says that it would be asked in other words today than it was, if it is done.
        """
        self.items.append(item)
        if stale and item.status == "done":
            self.stale.append(Stale(item, item.cost_usd))
        if item.status == "wanted":
            self.tasks.append(task)

    def leave_out(self, wish: Wish, group: str, why: str, status: Status = "blocked") -> None:
        """Note that nothing is sent for *wish*, and why."""
        self.items.append(FileItem(wish, status, group, why))

    def stored(self) -> RunPlan:
        """Return what is pinned of it besides the batches' own plans."""
        left_out = (LeftOut(target=Target(item.target), why=item.reason) for item in self.of_status("blocked", "twin"))
        return replace(super().stored(), left_out=tuple(left_out))
