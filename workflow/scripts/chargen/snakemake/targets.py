"""What the targets of a run ask for: which operations, for which folders of the library, or nothing but a screen.

The rules with these names are in the Snakefile and in workflow/rules; nothing here depends on Snakemake.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT = "generate_all"
ILLUSTRATE = "illustrate_all"
PLANNED = "planned"
"""The target that shows the plan of the targets beside it. Nothing is made then, and the run keeps no record."""
REPORT = "report"
ORDER = "order"
WATCH = "watch"
WHOLE_TARGETS = {
    "generate": frozenset({"generate_all", "submitted", ILLUSTRATE}),
    "analyze": frozenset({"analyze_all", ILLUSTRATE}),
    "enhance": frozenset({"enhance_all"}),
}
"""By operation, the targets that cover everything that the setting `scope` names."""
FOLDERS = ("characters", "locations", "chapters")
MAKING_TARGETS = frozenset().union(*WHOLE_TARGETS.values()) | {
    f"{operation}_{folder}" for operation in ("generate", "analyze") for folder in FOLDERS
}
SCREENS = frozenset({"jobs", "storage", "history", "failures", "cleanup", WATCH, "prices", "doctor", "init"})
"""Targets that make nothing for the library: their runs keep no record, and no example is copied for them."""
MAKING_NOTHING = SCREENS | {PLANNED, REPORT, ORDER, "collect", "review"}
ALLOWED_WITH_PLANNED = MAKING_TARGETS | {PLANNED, ORDER} | SCREENS - {"cleanup", "init"}
"""What may stand beside `planned`: targets whose plan it can show, and screens that only read."""


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
        named = [
            operation
            for operation, whole in WHOLE_TARGETS.items()
            if self.names & {*whole, *(f"{operation}_{folder}" for folder in FOLDERS)}
        ]
        return named or ([] if self.names <= MAKING_NOTHING else ["generate"])

    def shown_operations(self) -> list[str]:
        """Return the operations whose plans `planned` shows, in the order in which they would be done."""
        named = self.operations() or ([] if ORDER in self.names else ["generate"])
        return sorted(named) if ILLUSTRATE in self.names else named

    def scopes(self, operation: str, scope: str) -> list[str]:
        """Return the parts of the library that *operation* covers; *scope* is the one that the settings name."""
        folders = [folder for folder in FOLDERS if f"{operation}_{folder}" in self.names]
        if folders and not self.names & WHOLE_TARGETS[operation]:
            return folders
        return [scope, *folders]

    @property
    def illustrate(self) -> bool:
        """Whether pictures are made with what analyses of this run find."""
        return ILLUSTRATE in self.names

    @property
    def only_show_plan(self) -> bool:
        """Whether the plan of the other targets is shown and nothing is made."""
        return PLANNED in self.names

    @property
    def not_allowed_with_planned(self) -> list[str]:
        """The targets whose plan cannot be shown: they would be carried out."""
        return sorted(self.names - ALLOWED_WITH_PLANNED)

    @property
    def keep_no_record(self) -> bool:
        """Whether this run leaves nothing in the list of runs, as it makes nothing for the library."""
        return self.only_show_plan or self.names <= SCREENS

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
        return sorted(self.names - SCREENS or self.names)
