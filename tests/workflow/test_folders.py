"""Folders and files that do not take what came: nothing is lost, and the next run puts it where it belongs."""

from __future__ import annotations

import pytest

from conftest import wait_until

pytestmark = pytest.mark.workflow


def test_imagery_broken_and_folder_renamed_meanwhile(project):
    """An author's typing error and a renamed folder while the job runs: pictures are kept, and placed after mending."""
    project.emulator.faults(job={"polls": 10_000})
    process = project.start()
    wait_until(lambda: project.journal("created"))
    project.edit("characters/tobi-ferrow", "name: Tobi Ferrow", "name: [Tobi Ferrow")
    (project.library / "characters/mara-quill").rename(project.library / "characters/mara-quell")
    project.emulator.end_jobs()
    output, _ = process.communicate(timeout=200)
    first = project.pictures()
    kept = sorted(path.name for path in (project.state / "unplaced").rglob("*.jpg"))
    (project.library / "characters/mara-quell").rename(project.library / "characters/mara-quill")
    project.edit("characters/tobi-ferrow", "name: [Tobi Ferrow", "name: Tobi Ferrow")
    project.run()

    assert process.returncode != 0, output
    assert {} == first
    assert 6 == len(kept)
    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("create")
