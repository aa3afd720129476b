"""The plan of any operation, by its name."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from chargen.records.settings import Settings

if TYPE_CHECKING:
    from chargen.operations.generate.plan import Plan
    from chargen.planning.file_plans import FilePlan


def make_any_plan(settings: Settings, operation: str, scope: Collection[str]) -> Plan | FilePlan:
    """Return the plan of *operation*; *scope* as in `chargen.operations.generate.plan.make_plan`."""
    if operation == "analyze":
        from chargen.operations.analyze.plan import make_analysis_plan

        return make_analysis_plan(settings, scope=scope)
    if operation == "enhance":
        from chargen.operations.enhance.plan import make_enhancement_plan

        return make_enhancement_plan(settings)
    from chargen.operations.generate.plan import make_plan

    return make_plan(settings, operation, scope=scope)
