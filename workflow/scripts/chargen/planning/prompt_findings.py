"""What is odd about the prompts of a plan: one problem for each kind, with the scenes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from chargen.base.errors import Place, Problem
from chargen.base.wording import count
from chargen.planning.tasks import Task
from chargen.prompts.lint import MEANINGS, Code

SHOWN = 3


def by_code(tasks: Iterable[Task]) -> dict[Code, dict[str, str]]:
    """Return what was found in the prompts of *tasks*: the words by target, by kind, the most frequent kind first."""
    found: dict[Code, dict[str, str]] = {}
    for task in tasks:
        for code, words in task.findings:
            found.setdefault(code, {})[task.wish.target] = words
    return dict(sorted(found.items(), key=lambda item: -len(item[1])))


def grouped_findings(tasks: Iterable[Task]) -> Iterator[Problem]:
    """Yield one warning for each kind of finding, with the first scenes; `planned` lists them all."""
    for code, scenes in by_code(tasks).items():
        first = [f"{target} ({words})" for target, words in list(scenes.items())[:SHOWN]]
        more = f" and {len(scenes) - SHOWN} more" if len(scenes) > SHOWN else ""
        message = f"{count(len(scenes), 'prompt')}: {MEANINGS[code]}: {', '.join(first)}{more}"
        yield Problem("warning", f"prompt-{code}", message, Place(""), "`snakemake planned` lists them all")
