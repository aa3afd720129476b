"""What became of every task so far: the receipts of all batches, and what is still on its way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chargen.records.journal import WITH_PICTURE, Entry, Journal
from chargen.records.state import State

Receipt = dict[str, Any]
"""The content of a receipt.json (``schemas/receipt.schema.json``)."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one wish: the task record of its last attempt, and what all attempts together took.

    ``outcome`` is a receipt's, or ``waiting`` while the task is on its way; then ``task`` comes from the batch's plan
    and lacks what only an answer brings. Costs are in US dollars.
    """

    task: Mapping[str, Any]
    outcome: str
    operation: str
    batch: str
    job: str
    run: str
    ended: str
    attempts: int
    estimated_usd: float
    actual_usd: float

    @property
    def has_picture(self) -> bool:
        """Whether it ended with a picture."""
        return self.outcome in WITH_PICTURE


@dataclass
class History:
    """Receipts in the order in which they were applied, batches in flight, and the fate of every wish by its id."""

    receipts: list[Receipt] = field(default_factory=list)
    in_flight: list[Entry] = field(default_factory=list)
    fates: dict[str, Fate] = field(default_factory=dict)
    troubles: list[tuple[str, str]] = field(default_factory=list)  # batch, what is wrong with its files

    def last_run(self) -> str:
        """Return the youngest run that any receipt names, ``""`` if there is none."""
        return max((receipt["run"] for receipt in self.receipts), default="")

    def of_run(self, run: str) -> dict[str, Fate]:
        """Return the fates that the run *run* brought about, by wish id."""
        return {wish: fate for wish, fate in self.fates.items() if fate.run == run}


def read_history(state: State) -> History:
    """Read all receipts and the plans of the batches in flight; what cannot be read is told in ``troubles``."""
    history = History()
    for files in state.batches():
        if not files.receipt.exists():
            continue
        try:
            history.receipts.append(files.receipt_json())
        except (OSError, ValueError) as error:
            history.troubles.append((files.id, f"its receipt cannot be read: {error}"))
    history.receipts.sort(key=lambda receipt: (receipt["times"]["applied"], receipt["batch"]))
    for receipt in history.receipts:
        _take(history.fates, receipt, _estimates(state, receipt))
    applied = {receipt["batch"] for receipt in history.receipts}
    history.in_flight = [entry for entry in Journal(state).in_flight() if entry.batch not in applied]
    for entry in history.in_flight:
        _take_waiting(history, entry, state)
    return history


def _estimates(state: State, receipt: Receipt) -> dict[str, float]:
    """Return the estimate in US dollars of each wish; without the batch's plan, an even share."""
    try:
        return {task["wish_id"]: task["cost_usd"] for task in state.batch(receipt["batch"]).plan_json()["tasks"]}
    except (OSError, ValueError, KeyError):
        tasks = receipt["tasks"]
        return {task["wish_id"]: receipt["cost_usd"]["estimated"] / len(tasks) for task in tasks}


def _take(fates: dict[str, Fate], receipt: Receipt, estimates: Mapping[str, float]) -> None:
    for task in receipt["tasks"]:
        wish = task["wish_id"]
        before = fates.get(wish)
        attempts, estimated, actual = _spent(before)
        totals = (
            max(attempts + 1, task["attempt"]),
            estimated + estimates.get(wish, 0.0),
            actual + task["cost_usd"],
        )
        if before and before.has_picture and task["outcome"] not in WITH_PICTURE:
            last = (before.task, before.outcome, before.operation, before.batch, before.job, before.run, before.ended)
        else:
            last = (
                task, task["outcome"], receipt["operation"], receipt["batch"], receipt["job"], receipt["run"],
                receipt["times"]["applied"],
            )  # fmt: skip
        fates[wish] = Fate(*last, *totals)


def _take_waiting(history: History, entry: Entry, state: State) -> None:
    try:
        tasks: Iterable[dict[str, Any]] = state.batch(entry.batch).plan_json()["tasks"]
    except (OSError, ValueError, KeyError) as error:
        history.troubles.append((entry.batch, f"its plan cannot be read: {error}"))
        return
    for task in tasks:
        attempts, estimated, actual = _spent(history.fates.get(task["wish_id"]))
        wish = task["wish"]
        known = {**task, "target": wish["target"], "variation": wish["variation"]}
        totals = (max(attempts + 1, task["attempt"]), estimated + task["cost_usd"], actual)
        history.fates[task["wish_id"]] = Fate(
            known, "waiting", entry.operation, entry.batch, entry.job, "", "", *totals
        )


def _spent(before: Fate | None) -> tuple[int, float, float]:
    return (before.attempts, before.estimated_usd, before.actual_usd) if before else (0, 0.0, 0.0)
