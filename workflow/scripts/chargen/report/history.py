"""The outcome of every task so far: the receipts of all batches, and the batches in flight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from chargen.base.frozen import frozen
from chargen.records.batch import Outcome, Receipt, Task
from chargen.records.journal import Entry, Journal
from chargen.records.state import State

APPLIED = "applied"
"""The outcome of a task whose result is in place."""
WAITING = "waiting"
"""The outcome of a task without a receipt."""


@frozen(kw_only=True)
class Fate:
    """The outcome of one wish: its last attempt, and what all attempts together took, in US dollars.

    While the server still has it, ``task`` comes from the batch's plan and lacks what only an answer brings.
    """

    task: Outcome
    operation: str
    batch: str
    job: str
    run: str = ""
    ended: str = ""
    attempts: int = 0
    estimated_usd: float = 0.0
    actual_usd: float = 0.0

    @property
    def outcome(self) -> str:
        """The receipt's word, or `WAITING`."""
        return self.task.outcome

    @property
    def has_picture(self) -> bool:
        """Whether it ended with a picture."""
        return self.task.has_picture

    @property
    def is_waiting(self) -> bool:
        """Whether the server still has it."""
        return self.outcome == WAITING


@dataclass
class History:
    """Receipts in the order in which they were applied, batches in flight, and the fate of every wish by its id."""

    receipts: list[Receipt] = field(default_factory=list)
    in_flight: list[Entry] = field(default_factory=list)
    fates: dict[str, Fate] = field(default_factory=dict)
    troubles: list[tuple[str, str]] = field(default_factory=list)  # batch, what is wrong with its files

    def last_run(self) -> str:
        """Return the youngest run that any receipt names, ``""`` if there is none."""
        return max((receipt.run for receipt in self.receipts), default="")

    def of_run(self, run: str) -> dict[str, Fate]:
        """Return the fates that the run *run* brought about, by wish id."""
        return {wish: fate for wish, fate in self.fates.items() if fate.run == run}


def read_history(state: State) -> History:
    """Read all receipts and the plans of the batches in flight; ``troubles`` name what cannot be read."""
    history = History()
    for files in state.batches():
        if not files.receipt.exists():
            continue
        try:
            history.receipts.append(files.read_receipt())
        except (OSError, ValueError) as error:
            history.troubles.append((files.id, f"its receipt cannot be read: {error}"))
    history.receipts.sort(key=lambda receipt: (receipt.times.applied, receipt.batch))
    for receipt in history.receipts:
        _add_receipt(history.fates, receipt, _estimates(state, receipt))
    applied = {receipt.batch for receipt in history.receipts}
    history.in_flight = [entry for entry in Journal(state).in_flight() if entry.batch not in applied]
    for entry in history.in_flight:
        _add_waiting(history, entry, state)
    return history


def _estimates(state: State, receipt: Receipt) -> dict[str, float]:
    """Return the estimate in US dollars of each wish; without the batch's plan, an even share."""
    try:
        return {task.wish_id: task.cost_usd for task in state.batch(receipt.batch).read_plan().tasks}
    except (OSError, ValueError):
        return {task.wish_id: receipt.cost_usd.estimated / len(receipt.tasks) for task in receipt.tasks}


def _add_receipt(fates: dict[str, Fate], receipt: Receipt, estimates: Mapping[str, float]) -> None:
    for task in receipt.tasks:
        before = fates.get(task.wish_id)
        fate = Fate(
            task=task,
            operation=receipt.operation,
            batch=receipt.batch,
            job=receipt.job,
            run=receipt.run,
            ended=receipt.times.applied,
        )
        last = before if before and before.has_picture and not task.has_picture else fate
        estimated = estimates.get(task.wish_id, 0.0)
        fates[task.wish_id] = _with_totals(last, before, task.attempt, estimated, task.cost_usd)


def _add_waiting(history: History, entry: Entry, state: State) -> None:
    try:
        tasks = state.batch(entry.batch).read_plan().tasks
    except (OSError, ValueError) as error:
        history.troubles.append((entry.batch, f"its plan cannot be read: {error}"))
        return
    for task in tasks:
        fate = Fate(task=_without_answer(task), operation=entry.operation, batch=entry.batch, job=entry.job)
        before = history.fates.get(task.wish_id)
        history.fates[task.wish_id] = _with_totals(fate, before, task.attempt, task.cost_usd, 0.0)


def _with_totals(last: Fate, before: Fate | None, attempt: int, estimated: float, actual: float) -> Fate:
    """Return *last* with one more attempt than *before*, and what that took."""
    return replace(
        last,
        attempts=max((before.attempts if before else 0) + 1, attempt),
        estimated_usd=(before.estimated_usd if before else 0.0) + estimated,
        actual_usd=(before.actual_usd if before else 0.0) + actual,
    )


def _without_answer(task: Task) -> Outcome:
    """Return what a receipt will say of *task*, as far as it is known before the answer."""
    return Outcome(
        outcome=WAITING,
        key=task.key,
        wish_id=task.wish_id,
        target=task.wish.target,
        variation=task.wish.variation,
        attempt=task.attempt,
        title=task.title,
        prompt=task.prompt,
        references=task.references,
        aspect_ratio=task.aspect_ratio,
        image_size=task.image_size,
        notes=task.notes,
    )
