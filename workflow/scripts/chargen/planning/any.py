"""The plan of any operation, by its name."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from chargen.config import Settings

if TYPE_CHECKING:
    from chargen.planning.files import FilePlan
    from chargen.planning.plan import Plan


def make_any_plan(settings: Settings, operation: str, scope: Collection[str]) -> Plan | FilePlan:
    """Return the plan of *operation*; *scope* as in `chargen.planning.plan.make_plan`."""
    if operation == "analyze":
        from chargen.planning.analyses import make_analysis_plan

        return make_analysis_plan(settings, scope=scope)
    if operation == "enhance":
        from chargen.planning.enhancements import make_enhancement_plan

        return make_enhancement_plan(settings)
    from chargen.planning.plan import make_plan

    return make_plan(settings, operation, scope=scope)
