"""Whole prompts of every kind for docs/prompts.md, from the example and from a library made up by the benchmarks."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from chargen.base.schemas import ROOT
from chargen.operations.generate.plan import make_plan
from chargen.planning.tasks import Task
from chargen.prompts import COMPOSER
from chargen.records.settings import DEFAULT_CONFIG, settings

HEAD = f"""# What prompts look like

Twenty prompts as they are sent (written by `python docs/build.py`, composed by version {COMPOSER}): seven of the
example `examples/saltmere`, the others of a made-up library in the shapes of older tools. `config/prompts.yaml` says
how they are put together: the sections and their order, lengths, and what is cut first. How a library says what its
pictures look like is described in [How your library looks](look.md).

The pictures that go along come first, each directly behind its label; the text comes last. The task, the medium, the
moment, names with the numbers of images, states and what must be visible are never cut. A plan counts what was:
`cut to fit, in how many prompts: theme in 180, essence in 96`.
"""
OF_EXAMPLE = 7
OF_MADE_UP = {"character": 3, "location": 6, "chapter": 4}


def page() -> str:
    """Return docs/prompts.md."""
    sys.path.insert(0, str(ROOT))
    from benchmarks.support.story_library import SMALL, write_story_library

    with tempfile.TemporaryDirectory() as folder:
        story = Path(folder) / "story"
        write_story_library(story, 1, SMALL, places=True, faults=False)
        made_up = _tasks(story, Path(folder))
        chosen = [*_spread(_tasks(ROOT / "examples" / "saltmere", Path(folder)), OF_EXAMPLE)]
        for kind, number in OF_MADE_UP.items():
            chosen += _spread([task for task in made_up if task.wish.target.kind == kind], number)
    return "\n".join([HEAD, *map(_shown, chosen)])


def _tasks(library: Path, home: Path) -> list[Task]:
    """All tasks of the library: what waits for another picture is planned without it, as a run of its own."""
    config = yaml.safe_load(DEFAULT_CONFIG.read_text("utf-8"))
    checked = settings(config | {"library": str(library), "adopt_existing": False}, home)
    tasks: list[Task] = []
    targets: frozenset[str] | None = None
    while targets is None or targets:
        plan = make_plan(checked, scope=["all"], targets=targets)
        tasks += plan.tasks
        later = frozenset(item.item.target for item in plan.deferred)
        targets = later if later != targets else frozenset()
    return tasks


def _spread(tasks: Sequence[Task], number: int) -> Iterator[Task]:
    """Yield *number* of the tasks, from the first to the last."""
    for index in range(number):
        yield tasks[index * (len(tasks) - 1) // max(1, number - 1)]


def _shown(task: Task) -> str:
    cuts: Iterable[str] = (f"{cut.part} {cut.characters}" for cut in task.cuts)
    about = f"{len(task.prompt):,} characters, cut: {', '.join(cuts) or 'nothing'}."
    labels = "".join(
        f"{label}\n[{reference.path}]\n" for label, reference in zip(task.labels, task.references, strict=True)
    )
    return f"## {task.wish.target}\n\n{about}\n\n```text\n{labels}{task.prompt}\n```\n"
