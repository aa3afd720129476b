"""Analyze, illustrate, review and enhance through the real Snakemake: once, resumed, and never twice."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal

import pytest
import yaml

from chargen.base import schemas as schema
from conftest import wait_until
from photographs import make_album, make_folder, photograph

pytestmark = pytest.mark.workflow

SCENES = 6


def plans(project, operation):
    """The plans of all batches of an operation that were ever pinned."""
    found = [json.loads(path.read_text()) for path in sorted((project.state / "batches").glob("*/plan.json"))]
    return [plan for plan in found if plan["operation"] == operation]


def inventory(project, entity):
    """The image_inventory of an entity."""
    data = yaml.safe_load((project.library / entity / "imagery.yaml").read_text())
    return data.get("image_inventory", [])


def test_illustrate_learns_and_does_it_once(project):
    """Analyses, pictures whose prompts hold what was learned, analyses of those; killed on the way; nothing twice."""
    images = project.library / "characters/mara-quill/images"
    images.mkdir(parents=True)
    photograph(400, 300).save(images / "old-sketch.png")
    approved = "image_inventory:\n- path: images/old-sketch.png\n  status: approved\nscenes:"
    project.edit("characters/mara-quill", "scenes:", approved)
    foretold = project.dry("illustrate_all")
    project.run("illustrate_all", check=False, env={"CHARGEN_KILL_AT": "written-back:1", "CHARGEN_KILL_WHO": "group"})
    project.run("illustrate_all")
    files = project.tree()
    again = project.run("illustrate_all").stdout
    prompts = {task["wish"]["target"]: task["prompt"] for plan in plans(project, "generate") for task in plan["tasks"]}
    analysed = {item["path"] for item in inventory(project, "characters/mara-quill") if "sha256" in item}

    assert "1 picture to analyse of 1 character in 1 batch" in foretold
    assert "after the analyses: 6 images for 2 characters" in foretold
    assert all("As in the pictures so far" in prompts[t] for t in prompts if "mara-quill" in t)
    assert not any("As in the pictures so far" in prompts[t] for t in prompts if "tobi-ferrow" in t)
    assert {f"images/{name}" for name in ("old-sketch.png", "on-the-stairs.jpg", "at-the-gate.jpg")} <= analysed
    assert 2 == len(inventory(project, "characters/tobi-ferrow"))
    assert "Nothing to be done" in again
    assert files == project.tree()
    for plan in plans(project, "analyze"):
        assert [] == schema.errors("plan", plan)
    project.assert_nothing_twice()


@pytest.mark.soak
def test_an_answer_that_does_not_fit_is_asked_for_once_more(project):
    """The errors are shown to the model; what fits then is recorded, beside the picture where the user wants it so."""
    images = project.library / "characters/tobi-ferrow/images"
    images.mkdir(parents=True)
    photograph(400, 300).save(images / "a.png")
    project.config["analyze"] = {"store": "sidecar"}
    before = (images.parent / "imagery.yaml").read_bytes()
    project.emulator.faults(lines=[{"nth": [1], "give": "STOP_text", "jobs": 1}])
    project.run("analyze_characters")
    again = project.run("analyze_characters").stdout
    tasks = [task for plan in plans(project, "analyze") for task in plan["tasks"]]
    receipts = [json.loads(path.read_text()) for path in (project.state / "batches").glob("*/receipt.json")]
    sidecar = json.loads((images / "a.png.analysis.json").read_text())

    assert {"passing", "applied"} == {task["outcome"] for receipt in receipts for task in receipt["tasks"]}
    assert {"unfit-answer", ""} == {task["reason"] for receipt in receipts for task in receipt["tasks"]}
    assert [1, 2] == sorted(task["attempt"] for task in tasks)
    assert 1 == sum("Your answer to this before did not fit the form:" in task["prompt"] for task in tasks)
    assert 1 == len(list((project.state / "batches").glob("*/answers/*.txt")))
    assert "images/a.png" == sidecar["path"]
    assert before == (images.parent / "imagery.yaml").read_bytes()
    assert "0 pictures to analyse, 1 done" in again
    for receipt in receipts:
        assert [] == schema.errors("receipt", receipt)
    project.assert_nothing_twice()


def test_rejected_is_made_again_once(project):
    """A rejection with a note makes one more picture with the note in its prompt; the old one is archived."""
    project.run()
    first = project.pictures()
    project.run("review", config={"reject": ["character/tobi-ferrow/last-lamp"], "note": "It is noon in it"})
    planned = project.dry()
    project.run()
    project.run()
    second = project.pictures()

    assert "1 image for 1 character in 1 batch, 5 done" in planned
    assert {"characters/tobi-ferrow/images/last-lamp.jpg"} == {name for name in first if first[name] != second[name]}
    assert 1 == len(project.archive())
    assert any("It is noon in it." in task["prompt"] for plan in plans(project, "generate") for task in plan["tasks"])
    assert 2 == project.emulator.count("created")
    project.assert_nothing_twice()


def test_enhance_accounts_for_every_file(project):
    """Mixed formats are made ready and sent, the rest is listed; killed while placing; a second run sends nothing."""
    make_folder(project.folder / "photos")
    project.config["enhance"] = {
        "input_dir": "photos",
        "output_dir": "better",
        "prompt": "",
        "image_size": "1K",
        "variations": 2,
        "job_name": "first",
    }
    project.run("enhance_all", check=False, env={"CHARGEN_KILL_AT": "placed:5", "CHARGEN_KILL_WHO": "group"})
    project.run("enhance_all")
    again = project.run("enhance_all").stdout
    results = {
        path.relative_to(project.folder / "better/first").as_posix() for path in project.folder.glob("better/**/*.jpg")
    }
    submission = json.loads((project.folder / "better/first/submission.json").read_text())
    prompts = {item["input"]: item["prompt"] for item in submission["results"]}

    assert (28, 24, 4) == tuple(
        project.report()["totals"]["operations"]["enhance"][name] for name in ("wanted", "applied", "blocked")
    )
    assert 24 == len(results)
    assert {
        "plain_c1.jpg",
        "plain_c2.jpg",
        "sea/pier-jpg_c1.jpg",
        "sea/pier-png_c2.jpg",
        "sea/old/scan_c1.jpg",
    } <= results
    assert 24 == len({(item["input"], item["variation"]) for item in submission["results"]})
    assert ["broken.jpg", "empty.png", "notes.md", "pointer.png"] == [item["name"] for item in submission["left_out"]]
    assert ("Make it a painting.", "Make it a woodcut.", "Repair the scratches.") == (
        prompts["plain.jpg"],
        prompts["sea/pier.jpg"],
        prompts["sea/old/scan.tiff"],
    )
    assert [] == schema.errors("submission", submission)
    assert "0 pictures to enhance, 24 done" in again
    assert "Nothing to be done" in again
    assert 1 == project.emulator.count("created")
    project.assert_nothing_twice()


@pytest.mark.soak
def test_three_hundred_files(project):
    """Every file of a mixed album is made or left out with the reason, in plan, summary, report and beside the results;
    a second run, and one after renaming a file, send nothing.
    """
    heic = importlib.util.find_spec("pillow_heif") is not None
    album = project.folder / "album"
    good, bad = make_album(album, 300, heic=heic)
    (album / "sea/prompt.txt").write_text("Make it a woodcut.")
    (album / "huge.txt").write_text("Repair the sky.")
    project.config["batch"] = {"max_tasks": 120, "max_bytes": 1_000_000_000}
    project.config["enhance"] = {
        "input_dir": "album",
        "output_dir": "better",
        "prompt": "Make it a painting.",
        "image_size": "1K",
        "variations": 1,
        "job_name": "",
    }
    planned = project.dry("enhance_all")
    first = project.run("enhance_all").stdout
    again = project.run("enhance_all").stdout
    (album / "huge.jpg").rename(album / "enormous.jpg")
    (album / "huge.txt").rename(album / "enormous.txt")
    renamed = project.run("enhance_all").stdout
    submission = json.loads((project.folder / "better/album/submission.json").read_text())
    made = {item["input"]: item for item in submission["results"]}

    assert f"{len(good)} pictures to enhance in 3 batches" in planned
    assert f"{len(bad)} cannot be sent" in planned
    assert f"{len(good):,} total" in first
    for second in (again, renamed):
        assert f"0 pictures to enhance, {len(good)} done" in second
        assert "Nothing to be done" in second
    assert good == made.keys()
    assert bad.keys() == {item["name"] for item in submission["left_out"]}
    assert all(words in str(submission["left_out"]) for words in bad.values())
    assert [] == schema.errors("submission", submission)
    assert len(good) == len(
        {path for path in (project.folder / "better/album").rglob("*") if path.suffix in (".jpg", ".png")}
    )
    assert ["scaled down from 5000x900 to 3072x553 before it was sent"] == made["huge.jpg"]["changes"]
    assert {"Repair the sky.", "Make it a woodcut.", "Make it a painting."} == {
        item["prompt"] for item in made.values()
    }
    assert "Make it a woodcut." == made["sea/huge.png"]["prompt"]
    assert {"16:9"} == {item["aspect_ratio"] for name, item in made.items() if "-held-" in name}
    report = project.report()
    own = report["totals"]["operations"]["enhance"]
    assert [] == schema.errors("report", report)
    assert (len(good) + len(bad), len(good), len(bad)) == (own["wanted"], own["applied"], own["blocked"])
    assert bad.keys() == {item["file"] for item in report["warnings"] if item["code"] == "unreadable-input"}
    assert ["enhance"] == [share["name"] for share in report["cost_usd"]["by_operation"]]
    assert "Enhanced:" in first
    assert 3 == project.emulator.count("created")
    project.assert_nothing_twice()


def lose_state(project):
    """Delete what this machine knows of its jobs."""
    shutil.rmtree(project.folder / "state")
    shutil.rmtree(project.folder / "results")


def leave_job(project, target):
    """Start a run of *target* and let it die with its job ended on the server and nothing known here."""
    project.emulator.faults(job={"polls": 10_000})
    process = project.start(target)
    wait_until(lambda: project.journal("created"))
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    lose_state(project)
    project.emulator.end_jobs()
    project.emulator.faults()
    return project.emulator.log("create")[-1]


@pytest.mark.soak
def test_analyses_of_another_machine_are_collected(project):
    """The very analyses that would be asked for are recorded, also if another model is configured here."""
    images = project.library / "characters/tobi-ferrow/images"
    images.mkdir(parents=True)
    for number in range(2):
        photograph(400, 300, seed=number).save(images / f"{number}.png")
    leave_job(project, "analyze_all")
    photograph(400, 300, seed=7).save(images / "1.png")
    project.config["models"] = {"analyze": {"model": "gemini-3.5-flash-lite", "fallback": "", "temperature": 0.2}}
    stopped = project.run("analyze_all", check=False).stdout
    name = stopped.split(" job=")[1].split()[0]
    said = project.run("collect", config={"job": name}).stdout
    planned = project.dry("analyze_all")

    assert "analyze, 1 applied, 1 superseded" in said
    assert ["images/0.png"] == [item["path"] for item in inventory(project, "characters/tobi-ferrow")]
    assert "1 picture to analyse" in planned
    assert 1 == project.emulator.count("created")


@pytest.mark.soak
def test_enhancements_of_another_machine_are_collected(project):
    """What would be asked for today counts as done; what was asked in other words is placed, and asked for again."""
    (project.folder / "photos").mkdir()
    for name in ("a", "b"):
        photograph(300, 200, seed=ord(name)).save(project.folder / f"photos/{name}.jpg")
    enhance = {"input_dir": "photos", "output_dir": "better", "prompt": "Paint.", "image_size": "1K", "variations": 1}
    project.config["enhance"] = {**enhance, "job_name": "mine"}
    leave_job(project, "enhance_all")
    (project.folder / "photos/b.txt").write_text("Draw.")
    stopped = project.run("enhance_all", check=False).stdout
    name = stopped.split(" job=")[1].split()[0]
    said = project.run("collect", config={"job": name, "enhance": {**enhance, "job_name": "other"}}).stdout
    planned = project.dry("enhance_all")
    submission = json.loads((project.folder / "better/mine/submission.json").read_text())

    assert "enhance, 2 applied" in said
    assert {"a.jpg", "b-jpg.jpg"} == {item["file"] for item in submission["results"]}
    assert [] == schema.errors("submission", submission)
    assert "1 picture to enhance in 1 batch, 1 done" in planned
    assert 1 == project.emulator.count("created")
