"""Folders and files that do not take what came: nothing is lost, and the next run puts it where it belongs."""

from __future__ import annotations

import os
import shutil

import pytest

from conftest import wait_until
from photographs import photograph

pytestmark = pytest.mark.workflow


def test_imagery_broken_and_folder_renamed_meanwhile(project):
    """An author's typing error and a renamed folder while the job runs: pictures are kept, and placed after the fix."""
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


@pytest.mark.soak
def test_a_folder_that_cannot_be_made_for_enhanced_pictures(project):
    """One result has no place: the others are placed, it is kept and said, and placed once there is room."""
    for number, name in enumerate(("a.jpg", "sea/b.jpg")):
        (project.folder / "photos" / name).parent.mkdir(parents=True, exist_ok=True)
        photograph(300, 200, seed=number).save(project.folder / "photos" / name)
    (project.folder / "better/photos").mkdir(parents=True)
    (project.folder / "better/photos/sea").write_text("in the way")
    project.config["enhance"] = {
        "input_dir": "photos",
        "output_dir": "better",
        "prompt": "Paint.",
        "image_size": "1K",
        "variations": 1,
        "job_name": "",
    }
    first = project.run("enhance_all", check=False)
    placed = sorted(path.name for path in (project.folder / "better").rglob("*.jpg"))
    (project.folder / "better/photos/sea").unlink()
    project.run("enhance_all")

    assert first.returncode != 0
    assert "better/photos/sea: File exists: enhance/photos/sea/b.jpg@" in first.stdout
    assert ["a.jpg"] == placed
    assert (project.folder / "better/photos/sea/b.jpg").is_file()
    assert "Nothing to be done" in project.run("enhance_all").stdout
    assert 1 == project.emulator.count("created")


def test_what_cannot_be_put_back_ends_the_run_with_an_error(project):
    """Each time, until its folder takes it: nothing is sent again, and the picture is kept."""
    project.run()
    images = project.library / "characters/tobi-ferrow/images"
    shutil.rmtree(images)
    images.write_text("in the way")
    blocked = [project.run(check=False).returncode for _ in range(2)]
    images.unlink()
    project.run()

    assert [1, 1] == blocked
    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("create")


def test_a_library_that_a_sync_program_left_half_here(project):
    """Pictures that are elsewhere are not bought, an entity that is elsewhere is left out, odd names stop nobody."""
    images = project.library / "characters/mara-quill/images"
    images.mkdir()
    for stub in (".on-the-stairs.png.icloud", "at-the-gate.png.nextcloud"):
        (images / stub).write_bytes(b"bplist00")
    (project.library / "characters/tobi-ferrow/imagery.yaml").rename(
        project.library / "characters/tobi-ferrow/.imagery.yaml.icloud"
    )
    with open(os.path.join(os.fsencode(images), b"by-lamplight-\xff.png"), "wb"):  # noqa: PTH118, PTH123
        pass
    done = project.run(check=False)

    assert done.returncode != 0
    assert "characters/tobi-ferrow/imagery.yaml: error: is not downloaded" in done.stdout
    assert "2 pictures are not downloaded" in done.stdout
    assert "by-lamplight-\\xff.png: warning: its name is not UTF-8" in done.stdout
    assert "Traceback" not in done.stdout
    assert {"character/mara-quill/by-lamplight"} == {task["target"] for task in project.report()["tasks"]}
