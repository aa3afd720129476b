"""What the targets of a run ask for: which operations, for which folders of the library, or nothing but a screen.

The rules with these names are in the Snakefile and in workflow/rules; every screen is a target too. Nothing here
depends on Snakemake.
"""

from __future__ import annotations

from dataclasses import dataclass

from chargen import operations
from chargen.operations import SCENES
from chargen.operations.illustrate import ILLUSTRATE
from chargen.screens import find, is_screen

PLANNED = "planned"
"""The target that shows the plan of the targets beside it. Nothing is made then, and the run keeps no record."""
REPORT = "report"
ORDER = "order"
WATCH = "watch"
MAKING_NOTHING = frozenset({PLANNED, REPORT, ORDER, "collect", "review"})
"""Targets that plan nothing, beside the screens."""


@dataclass(frozen=True)
class Targets:
    """The targets that Snakemake was called with. Without any, it makes `generate_all`."""

    names: frozenset[str]

    def __str__(self) -> str:
        return " ".join(self.sorted())

    def __contains__(self, name: str) -> bool:
        return name in self.names

    def sorted(self) -> list[str]:
        """Return the names in order."""
        return sorted(self.names)

    def operations(self) -> list[str]:
        """Return the operations that these targets make, or show; generate for files that are asked for by name."""
        named = [item.name for item in operations.every() if self.names & item.targets]
        return named or ([] if self._not_screens() <= MAKING_NOTHING else [SCENES])

    def shown_operations(self) -> list[str]:
        """Return the operations whose plans `planned` shows, in the order in which they would be done."""
        named = self.operations() or ([] if ORDER in self.names else [SCENES])
        return sorted(named) if self.illustrate else named

    def scopes(self, operation: str, scope: str) -> list[str]:
        """Return the parts of the library that *operation* covers; *scope* is the one that the settings name."""
        folders = [folder for folder in operations.FOLDERS if f"{operation}_{folder}" in self.names]
        if folders and not self.names & operations.operation(operation).whole_targets:
            return folders
        return [scope, *folders]

    @property
    def illustrate(self) -> bool:
        """Whether pictures are made with what analyses of this run find."""
        return ILLUSTRATE.target in self.names

    @property
    def only_show_plan(self) -> bool:
        """Whether the plan of the other targets is shown and nothing is made."""
        return PLANNED in self.names

    @property
    def not_allowed_with_planned(self) -> list[str]:
        """The targets whose plan cannot be shown: they would really run."""
        shown = operations.targets() | {PLANNED, ORDER}
        return sorted(
            name for name in self.names - shown if not (is_screen(name) and getattr(find(name), "READ_ONLY", True))
        )

    @property
    def keep_no_record(self) -> bool:
        """Whether this run leaves nothing in the list of runs, as it makes nothing for the library."""
        return self.only_show_plan or not self._not_screens()

    @property
    def only_report(self) -> bool:
        """Whether the report is written, and nothing is made."""
        return REPORT in self.names and not self.operations()

    @property
    def only_watch(self) -> bool:
        """Whether nothing but the live screen is shown."""
        return self.names == {WATCH}

    def recorded(self) -> list[str]:
        """Return the names by which the run is listed: without the screens beside what it makes."""
        return sorted(self._not_screens() or self.names)

    def _not_screens(self) -> frozenset[str]:
        return frozenset(name for name in self.names if not is_screen(name))
