"""The table at the end of the kill tests: how often each point was killed, and the result."""

from __future__ import annotations

from collections import Counter
from typing import Any

PROPERTY = "killed"
"""A test says with it who died where: ``(scenario, point, who)``."""


def table(ends: Counter[tuple[str, str, str, bool]]) -> list[str]:
    """Return the lines of a table of *ends*: how many kills of (scenario, point, who) ended well, and how many not."""
    rows = sorted({(scenario, point) for scenario, point, _, _ in ends})
    columns = sorted({who for _, _, who, _ in ends})
    width = max(len(f"{scenario} {point}") for scenario, point in rows)
    lines = [" " * width + "".join(f"  {who:>12}" for who in columns)]
    for scenario, point in rows:
        cells = [_cell(ends[scenario, point, who, True], ends[scenario, point, who, False]) for who in columns]
        lines.append(f"{f'{scenario} {point}':{width}}" + "".join(f"  {cell:>12}" for cell in cells))
    good, bad = (sum(count for end, count in ends.items() if end[3] is well) for well in (True, False))
    return [*lines, f"{good + bad} kills: {good} ok, {bad} failed"]


def _cell(good: int, bad: int) -> str:
    return ", ".join([f"{good} ok"] * bool(good) + [f"{bad} failed"] * bool(bad)) or "-"


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the matrix, if there was one; the reports say it, so that it works for tests in other processes too."""
    ends: Counter[tuple[str, str, str, bool]] = Counter()
    for category in ("passed", "failed", "error"):
        for report in terminalreporter.stats.get(category, ()):
            for name, value in getattr(report, "user_properties", ()):  # a file that cannot be read has none
                if name == PROPERTY and report.when == "call":
                    ends[(*value, category == "passed")] += 1
    if ends:
        terminalreporter.section("the kill matrix")
        for line in table(ends):
            terminalreporter.write_line(line)
