"""What a picture says of where it comes from (``schemas/provenance.schema.json``).

It depends on the batch's plan, its journal and the answer alone, never on the present: whatever is done again makes the
same bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

from chargen.pictures.provenance import embed
from chargen.placing.answers import Answer
from chargen.records.batch import BatchPlan, Reference
from chargen.records.journal import Entry


def describe(plan: BatchPlan, answer: Answer, entry: Entry) -> dict[str, Any]:
    """Return what is known of the picture that came as *answer*, without its own hash."""
    task = answer.task
    prompt = task.prompt
    if plan.provenance.prompt == "hash":
        prompt = f"sha256:{hashlib.sha256(prompt.encode()).hexdigest()}"
    return {
        "schema_version": 1,
        "key": task.key,
        "target": str(task.target),
        "variation": task.wish.variation,
        "attempt": task.attempt,
        "provider": plan.provider,
        "model": answer.model or plan.model,
        "model_requested": plan.model,
        "temperature": plan.temperature,
        "aspect_ratio": task.aspect_ratio,
        "image_size": task.image_size,
        "prompt": prompt,
        "references": [_described(reference) for reference in task.references],
        "batch": plan.batch,
        "job": entry.job,
        "submitted": entry.submitted,
    }


def _described(reference: Reference) -> dict[str, str]:
    return {"role": reference.role, "path": reference.path, "sha256": reference.sha256}


def finisher(plan: BatchPlan, about: Callable[[], dict[str, Any]]) -> Callable[[bytes], bytes] | None:
    """Return what makes the final bytes of a picture of the batch *plan*; None where they stay as they came."""
    return partial(embed, about=about()) if plan.provenance.store == "picture" else None
