"""How strictly requests are read and how much is shown, where reports of the API contradict each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ApiPlan:
    """Each member chooses between behaviours that were both reported of the real API; docs/emulator.md has the sources.

    ``rows``: spelling of fields in request files, ``any`` (and bare requests without a key are taken) or ``snake_case``
    (others are unknown fields).
    ``unknown_fields`` in request files: ``refused`` when the job is created, or ``ignored``.
    ``display_name`` of a new job: ``required`` or ``optional``.
    ``schema_field`` of request files: ``both`` count; ``response_json_schema``: the other one is an unknown field;
    ``response_schema``: the other one is taken, and the answers do not conform to it.
    ``progress``: whether ``batchStats`` and ``updateTime`` of a running job move.
    ``cancelled_code``: the error of a job that was cancelled before it started, 13 or 1.
    ``shut_down`` models, from the day that ``config/models.yaml`` gives: ``refused`` or ``answered``.
    ``list_method``: the method that a 404 for a model advises, ``ListModels`` or ``ModelService.ListModels``.
    """

    rows: str = "any"
    unknown_fields: str = "refused"
    display_name: str = "required"
    schema_field: str = "both"
    progress: bool = False
    cancelled_code: int = 13
    shut_down: str = "refused"
    list_method: str = "ListModels"


CHOICES: Mapping[str, tuple[str | int, ...]] = {
    "rows": ("any", "snake_case"),
    "unknown_fields": ("refused", "ignored"),
    "display_name": ("required", "optional"),
    "schema_field": ("both", "response_schema", "response_json_schema"),
    "cancelled_code": (1, 13),
    "shut_down": ("refused", "answered"),
    "list_method": ("ListModels", "ModelService.ListModels"),
}
"""What each member may be; ``progress`` is true or false."""

USUAL = ApiPlan()
PRESETS: Mapping[str, ApiPlan] = {
    "usual": USUAL,
    "strict": ApiPlan(
        rows="snake_case",
        schema_field="response_json_schema",
        cancelled_code=1,
        list_method="ModelService.ListModels",
    ),
    "loose": ApiPlan(unknown_fields="ignored", display_name="optional", progress=True, shut_down="answered"),
}
"""By name: ``usual`` is what most reports say, ``strict`` refuses what any report has refused, ``loose`` takes what any
report has taken."""
