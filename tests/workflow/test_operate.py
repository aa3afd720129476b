"""The operating targets, as typed: beside a run, with a broken library, and on nothing at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from chargen import screens
from conftest import ROOT, Project
from photographs import photograph

pytestmark = pytest.mark.workflow

BROKEN = "name: Nobody\nscenes: [\n"


def look(project: Project, target: str, **config: Any) -> dict[str, Any]:
    """Return what a target prints on standard output as JSON; nothing else may be there."""
    configfile = project.folder / "look.json"
    configfile.write_text(json.dumps(project.config | {"format": "json"} | config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    done = subprocess.run(
        [*command, "--configfile", str(configfile), "--", target],
        cwd=project.folder, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout, done.stderr
    data: dict[str, Any] = json.loads(done.stdout)
    return data | {"status": done.returncode}


def leave_watching(project: Project) -> subprocess.CompletedProcess[str]:
    """Start `watch`, press Ctrl-C once it shows a batch, and return how it ended; standard output only."""
    configfile = project.folder / "watch.json"
    configfile.write_text(json.dumps(project.config))
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    watching = subprocess.Popen(
        [*command, "--configfile", str(configfile), "--", "watch"],
        cwd=project.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    assert watching.stdout is not None
    first = watching.stdout.readline()
    os.killpg(watching.pid, signal.SIGINT)
    rest, _ = watching.communicate(timeout=60)
    return subprocess.CompletedProcess(watching.args, watching.returncode, first + rest)


def test_looking_beside_a_run(project: Project) -> None:
    """While a run waits, its job is listed as ours, its uploads are kept, and cancelling it is collected by the run."""
    project.emulator.faults(job={"polls": 10_000})
    running = project.start()
    try:
        while not project.journal("created"):
            assert running.poll() is None
            time.sleep(0.05)
        project.entity("characters/nobody", BROKEN)

        (job,) = look(project, "jobs")["jobs"]
        kept = look(project, "cleanup", files=["all"], confirm=True)["acts"]
        left = leave_watching(project)
        (cancelled,) = look(project, "cleanup", cancel=["all"], confirm=True)["acts"]
        output, _ = running.communicate(timeout=120)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)

    assert ("this", project.journal("created")[0]["job"], True) == (job["owner"], job["name"], job["active"])
    assert {True} == {bool(act["kept"]) for act in kept}
    assert (0, "Stopped watching; the run and its jobs continue.") == (left.returncode, left.stdout.splitlines()[-1])
    assert "done" == cancelled["outcome"]
    assert ["asked"] == [line["why"] for line in project.journal("cancelled")]
    assert project.journal("applied"), output
    assert 1 == project.emulator.count("created")


@pytest.mark.soak
def test_nothing_that_follows_from_a_cancelled_job_is_sent_in_the_same_run(project: Project) -> None:
    """Pictures that waited for those of the cancelled job stay for the next run, like the rest of the job itself."""
    project.edit("characters/mara-quill", "scenes:\n", "scenes:\n  - {id: portrait, prompt: Mara's face.}\n")
    project.emulator.faults(job={"polls": 10_000})
    running = project.start()
    try:
        while not project.journal("created"):
            assert running.poll() is None
            time.sleep(0.05)
        look(project, "cleanup", cancel=["all"], confirm=True)
        output, _ = running.communicate(timeout=120)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    sent_then = project.emulator.count("created")
    project.emulator.faults()
    project.run()

    assert 1 == sent_then, output
    assert 7 == len(project.pictures())
    project.assert_nothing_twice()


@pytest.mark.soak
@pytest.mark.parametrize("target", [name for name in screens.names() if name != "watch"])
def test_one_json_document(project: Project, target: str) -> None:
    """With format=json standard output holds one document and nothing else, of a version that is named."""
    assert 1 == look(project, target)["schema_version"]


@pytest.mark.soak
def test_what_failed_and_what_it_was_is_told_afterwards(project: Project) -> None:
    """Failures with their command, the run in the history; who looks leaves no run behind."""
    project.emulator.faults(lines=[{"key": "*tobi*last-lamp*", "give": "IMAGE_SAFETY"}])
    project.run(check=False)

    failures = look(project, "failures")
    history = look(project, "history")

    (group,) = failures["groups"]
    assert ("image-safety", 1) == (group["reason"], group["count"])
    assert group["command"].endswith("--config state=failed scenes=character/tobi-ferrow/last-lamp")
    (run,) = history["runs"]
    assert (["generate_all"], {"applied": 5, "failed": 1}, False) == (run["targets"], run["counts"], run["going_on"])
    assert [run["id"]] == [path.name for path in (project.state / "runs").iterdir()]


def test_the_first_minute(project: Project) -> None:
    """In an empty folder doctor finds no library, init makes one, and doctor has nothing left to find."""
    project.config["library"] = "fresh"

    before = look(project, "doctor")
    made = look(project, "init")
    after = look(project, "doctor")

    assert [("error", "library")] == [(f["level"], f["about"]) for f in before["findings"] if f["level"] != "ok"]
    assert (1, 0, 0) == (before["status"], made["status"], after["status"])
    assert 5 == len(made["made"])


@pytest.mark.soak
def test_snakemakes_own_report(project: Project) -> None:
    """It is made after a run, runs and writes nothing else, and does without results that are gone."""
    project.entity("characters/oda", "name: Oda\nscenes:\n- {id: lamp, prompt: Oda trims the lamp.}\n")
    project.run("generate_all")
    before = project.tree(without=(".snakemake", "story.html"))
    whole = report(project)
    after = project.tree(without=(".snakemake", "story.html"))
    (project.folder / "results" / "report.json").unlink()
    partial = report(project)

    assert before == after
    assert "pictures, costs, batches" in whole
    assert "pictures, costs, batches" not in partial
    assert "failures" in partial


def report(project: Project) -> str:
    """Return Snakemake's report as HTML."""
    project.run("generate_all", options=("--report", "story.html"))
    return (project.folder / "story.html").read_text()


def test_planned_shows_each_picture_once_and_leaves_no_run(project: Project) -> None:
    """The plan's headline stands there once, no summary follows, and history knows nothing of it."""
    text = project.run("planned").stdout

    assert 1 == text.count("6 images for 2 characters")
    assert 1 == text.count("  character/tobi-ferrow/last-lamp\n")
    assert "complete" not in text
    assert [] == list(project.state.glob("runs/*"))


def test_collecting_as_data(project: Project) -> None:
    """What became of each task, and nothing else on standard output; so of a job that is not done, or not known."""
    project.emulator.faults(job={"polls": 10_000})
    project.run("submitted")
    (job,) = project.emulator.counts()["created"]
    early = look(project, "collect", job=job)
    nobody = look(project, "collect", job="nobody")
    project.emulator.end_jobs()
    late = look(project, "collect", job=job)

    assert (0, False) == (early["status"], early["collected"])
    assert "collect it later" in early["why_not"]
    assert nobody["status"] != 0
    assert "knows no job nobody" in nobody["error"]
    assert (0, True, {"applied": 6}) == (late["status"], late["collected"], late["counts"])
    assert len(project.pictures()) == len({task["file"] for task in late["tasks"]}) == 6


def test_planned_sends_nothing_beside_what_sends(project: Project) -> None:
    """The plans of the targets beside it are printed; the server hears of nothing, and nothing is written."""
    images = project.library / "characters" / "mara-quill" / "images"
    images.mkdir()
    photograph(400, 300, seed=1).save(images / "sketch.png")
    before = project.tree(without=(".snakemake", "logs", "config.json"))
    text = project.run("planned", "analyze_all", "generate_characters", "submitted").stdout
    after = project.tree(without=(".snakemake", "logs", "config.json"))

    assert "  character/mara-quill/images/sketch.png\n" in text
    assert "  character/tobi-ferrow/last-lamp\n" in text
    assert before == after
    assert {} == project.emulator.counts()["calls"]


def test_planned_shows_an_order_and_records_none(project: Project) -> None:
    """What would be ordered, and for about how much."""
    project.run()
    text = project.run("planned", "order", config={"scenes": ["character/tobi-ferrow/*"], "state": "done"}).stdout

    assert "would order 2 pictures again, about $0.03" in text
    assert not (project.state / "orders.jsonl").exists()
    assert "Nothing to be done" in project.run().stdout
