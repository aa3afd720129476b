"""A library that gets another name loses nothing that it sent, and buys nothing twice."""

from __future__ import annotations

import pytest

from conftest import Project

pytestmark = pytest.mark.workflow


def test_a_library_is_renamed_while_jobs_are_in_flight(project: Project) -> None:
    """The run stops before it sends or records anything, and says how to go on: under the old name."""
    project.emulator.faults(job={"polls": 10_000})
    project.run("submitted")
    project.library = project.library.rename(project.folder / "tale")
    project.config["library"] = "tale"
    planned = project.run("planned").stdout
    stopped = project.run(check=False)
    begun = list((project.folder / "state/emulator/tale").glob("*/*"))
    project.emulator.end_jobs()
    project.run(config={"library_id": "story"})
    collected = project.pictures()
    again = project.run()

    words = "6 of the tasks are in flight under another name: library `story` (state/emulator/story)"
    assert words in planned
    assert words in stopped.stdout
    assert "library_id=story" in stopped.stdout
    assert stopped.returncode != 0
    assert [] == begun
    assert 6 == len(collected)
    assert "0 images to make, 6 done" in again.stdout
    assert 1 == project.emulator.count("create")
