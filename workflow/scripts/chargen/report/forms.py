"""How often analyses had the form that was asked for, by the field of the request that held it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from chargen.analysis.form import SCHEMA_FIELDS
from chargen.records.journal import WITH_PICTURE

UNFIT = "unfit-answer"


def counted(receipts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the counts of all *receipts*, in the order in which they were applied (``analyses`` of report.json).

    ``unfit`` are answers without the form, ``asked_again`` those of them whose picture went out once more, and
    ``fit_again`` those that then had it.
    """
    answers: Counter[str] = Counter()
    unfit: Counter[str] = Counter()
    waiting: set[str] = set()
    asked_again = fit_again = 0
    for receipt in receipts:
        if receipt["operation"] != "analyze":
            continue
        for task in receipt["tasks"]:
            field, wish = task.get("schema_field", SCHEMA_FIELDS[0]), task["wish_id"]
            if task["reason"] == UNFIT:
                answers[field] += 1
                unfit[field] += 1
                if task["outcome"] == "passing":
                    asked_again += 1
                    waiting.add(wish)
            elif task["outcome"] in WITH_PICTURE:
                answers[field] += 1
                fit_again += wish in waiting
                waiting.discard(wish)
    return {
        "answers": answers.total(),
        "unfit": unfit.total(),
        "asked_again": asked_again,
        "fit_again": fit_again,
        "by_field": [
            {"field": field, "answers": answers[field], "unfit": unfit[field]}
            for field in SCHEMA_FIELDS
            if answers[field]
        ],
    }


def in_words(counts: Mapping[str, Any]) -> str:
    """Return one line about answers that did not have the form; empty if all had it."""
    if not counts["unfit"]:
        return ""
    line = f"{counts['unfit']:,} of {counts['answers']:,} answers without the form"
    if counts["asked_again"]:
        line += f"; {counts['fit_again']:,} of {counts['asked_again']:,} asked again had it"
    return line
