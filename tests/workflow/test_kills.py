"""Whatever is killed, the next plain run goes on: nothing is paid twice, no picture is lost."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.workflow

# Every durable effect, with how often it happens before the one that is followed by death.
POINTS = [
    "uploaded",
    "upload-recorded",
    "staged",
    "intent",
    "created",
    "named",
    "downloaded",
    "fetched",
    "placed",
    "placed:2",
    "archived",
    "written-back",
    "follow-up",
    "receipt",
    "applied",
    "released",
]
SAMPLE = [("created", "group")]
MATRIX = [(point, who) for point in POINTS for who in ("group", "main")]


def prepare(project):
    """Two batches and a second wave, one task that fails in passing once, one picture that will be replaced."""
    project.config["batch"] = {"max_tasks": 3, "max_bytes": 1_000_000}
    project.edit("characters/mara-quill", "scenes:\n", "scenes:\n  - {id: portrait, prompt: Mara's face.}\n")
    project.run(config={"only": ["character/tobi-ferrow/first-lamp"]})
    project.edit("characters/tobi-ferrow", "lights the first lamp", "lights the very first lamp")
    project.emulator.faults(lines=[{"give": "error", "code": 13, "key": "*at-the-gate*", "jobs": 1}])


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, _emulator_server):
    """What a run that nobody disturbs leaves."""
    from conftest import Project

    folder = tmp_path_factory.mktemp("undisturbed")
    _emulator_server.reset()
    project = Project(folder, _emulator_server)
    prepare(project)
    project.run()
    return project.pictures(), project.archive()


def wait_for_orphans(project):
    """Wait until nobody of a run whose main process was killed is left."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = False
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_text()
                at_home = (process / "cwd").readlink() == project.folder
                found |= at_home and "chargen" in command and "emulator" not in command
        if not found:
            return
        time.sleep(0.2)
    pytest.fail("jobs of a killed run went on for more than a minute")


def check_after_kill(project, undisturbed, point, who, edit=False):
    prepare(project)
    project.run(check=False, env={"CHARGEN_KILL_AT": point, "CHARGEN_KILL_WHO": who})
    if who == "main":
        wait_for_orphans(project)
    if edit:
        project.edit("characters/tobi-ferrow", "puts out the last lamp", "puts out the very last lamp")
    project.run()

    pictures, archive = undisturbed
    if not edit:
        assert pictures == project.pictures()
        assert archive == project.archive()
    assert pictures.keys() == project.pictures().keys()
    project.assert_nothing_twice()
    for path in project.library.glob("*/*/imagery.yaml"):
        recorded = [(r["task_key"], r["file_name"]) for r in yaml.safe_load(path.read_text())["generated_images"]]
        assert len(set(recorded)) == len(recorded)
    assert "Nothing to be done" in project.run().stdout
    assert not list(project.library.rglob("*.part"))


@pytest.mark.xdist_group("kills")  # one worker makes the undisturbed run that they are compared with
@pytest.mark.parametrize(("point", "who"), SAMPLE)
def test_killed_and_run_again(project, undisturbed, point, who):
    """SIGKILL right after a durable effect: the next run leaves what an undisturbed one leaves."""
    check_after_kill(project, undisturbed, point, who)


@pytest.mark.soak
def test_killed_with_a_scene_edited_between_the_runs(project, undisturbed):
    """An edit while a batch is in flight: its own result comes to the archive, the new words get a picture."""
    check_after_kill(project, undisturbed, "named:2", "group", edit=True)


@pytest.mark.soak
@pytest.mark.xdist_group("kills")
@pytest.mark.parametrize(("point", "who"), MATRIX)
def test_the_whole_matrix(project, undisturbed, point, who):
    """Every point, the process group and the main process alone."""
    check_after_kill(project, undisturbed, point, who)


@pytest.mark.soak
@pytest.mark.parametrize(
    ("store", "point"), [("picture", "placed:2"), ("sidecar", "placed:2"), ("sidecar", "told-beside")]
)
def test_killed_while_pictures_say_where_they_come_from(project, store, point):
    """Doing it again makes the same bytes: nothing is paid, archived or recorded twice, and what is lost comes back."""
    project.config["provenance"] = store
    project.run(check=False, env={"CHARGEN_KILL_AT": point, "CHARGEN_KILL_WHO": "group"})
    project.run()
    made = project.pictures()
    records = [
        record["sha256"]
        for path in project.library.glob("*/*/imagery.yaml")
        for record in yaml.safe_load(path.read_text())["generated_images"]
    ]
    beside = sorted(project.library.glob("*/*/images/*.provenance.json"))
    for path in [*project.library.glob("*/*/images/*.jpg"), *beside]:
        path.unlink()
    project.run()

    pictures = {name: sha256 for name, sha256 in made.items() if name.endswith(".jpg")}
    assert made == project.pictures()
    assert sorted(pictures.values()) == sorted(records)
    assert 6 == len(pictures)
    assert [] == project.archive()
    assert (6 if store == "sidecar" else 0) == len(beside)
    embedded = [b"chargen {" in (project.library / name).read_bytes() for name in pictures]
    assert [store == "picture"] * 6 == embedded
    project.assert_nothing_twice()
    assert "Nothing to be done" in project.run().stdout


def test_ctrl_c_while_waiting(project):
    """Ctrl-C ends a waiting run in words, and the next run collects the job."""
    project.emulator.faults(job={"polls": 10_000})
    process = project.start()
    deadline = time.monotonic() + 60
    while not project.journal("created") and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    project.emulator.end_jobs()
    project.run()

    assert process.returncode != 0
    assert "Traceback" not in output
    assert "Nothing is lost" in output
    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("create")
