"""How often analyses had the form that was asked for, by the field of the request that held it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from chargen import operations
from chargen.analysis.form import SCHEMA_FIELDS
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.records.batch import Receipt
from chargen.records.extras import AnalysisOutcome

UNFIT = "unfit-answer"


@frozen(kw_only=True)
class FormCount(Document):
    """Answers that were asked for in one field of the request, and those of them that lacked the form."""

    field: str
    answers: int
    unfit: int


@frozen(kw_only=True)
class FormCounts(Document):
    """Answers of all analyses: ``unfit`` lacked the form, the pictures of ``asked_again`` of them were sent once more,
    and ``fit_again`` of those answers had it then (``analyses`` of report.json)."""

    answers: int
    unfit: int
    asked_again: int
    fit_again: int
    by_field: tuple[FormCount, ...]

    @property
    def line(self) -> str:
        """One line about the answers without the form; ``""`` if all had it."""
        if not self.unfit:
            return ""
        line = f"{self.unfit:,} of {self.answers:,} answers without the form"
        if self.asked_again:
            line += f"; {self.fit_again:,} of {self.asked_again:,} asked again had it"
        return line


def count_forms(receipts: Iterable[Receipt]) -> FormCounts:
    """Return the counts of all *receipts*, which come in the order in which they were applied."""
    asked_for_text = {operation.name for operation in operations.every() if operation.wanted == "text"}
    answers: Counter[str] = Counter()
    unfit: Counter[str] = Counter()
    waiting: set[str] = set()
    asked_again = fit_again = 0
    for receipt in receipts:
        if receipt.operation not in asked_for_text:
            continue
        for task in receipt.tasks:
            field = task.extra_as(AnalysisOutcome).schema_field
            if task.reason == UNFIT:
                answers[field] += 1
                unfit[field] += 1
                if task.outcome == "passing":
                    asked_again += 1
                    waiting.add(task.wish_id)
            elif task.has_picture:
                answers[field] += 1
                fit_again += task.wish_id in waiting
                waiting.discard(task.wish_id)
    return FormCounts(
        answers=answers.total(),
        unfit=unfit.total(),
        asked_again=asked_again,
        fit_again=fit_again,
        by_field=tuple(
            FormCount(field=field, answers=answers[field], unfit=unfit[field])
            for field in SCHEMA_FIELDS
            if answers[field]
        ),
    )
