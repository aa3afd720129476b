"""The main job through the real Snakemake: plan, make, skip, make again."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import yaml

pytestmark = pytest.mark.workflow

SCENES = 6


def records(project, entity):
    """The generated_images of an entity."""
    data = yaml.safe_load((project.library / entity / "imagery.yaml").read_text())
    return data.get("generated_images", [])


def test_first_run_makes_everything_and_the_second_does_nothing(project):
    """A dry run lists every job and the cost and writes nothing; a run makes all; the next changes no byte."""
    before = project.tree()
    planned = project.dry()
    after_dry_run = project.tree()
    made = project.run().stdout
    files = project.tree()
    creates = project.emulator.count("create")
    again = project.run().stdout

    assert before | {"config.json": after_dry_run["config.json"]} == after_dry_run
    assert "6 images for 2 characters in 1 batch, 0 done, 0 in flight, about $0.10" in planned
    would_run = planned.split("Would run:\n")[1]
    for rule in ("plan", "stage", "submit", "fetch", "apply", "write_report"):
        assert re.search(rf"^  {rule}\b", would_run, re.MULTILINE), planned
    assert SCENES == len(project.pictures())
    assert "characters/mara-quill/images/by-lamplight_c2.jpg" in project.pictures()
    assert "Success" in made
    assert "Nothing to be done" in again
    assert files == project.tree()
    assert 1 == creates == project.emulator.count("create")
    (receipt,) = project.state.glob("batches/*/receipt.json")
    shown = project.folder / "results" / "generate" / receipt.parent.name / "receipt.json"
    assert receipt.read_bytes() == shown.read_bytes()


def test_a_run_tells_what_happens(project):
    """From its beginning to its end, every picture and every failure, each with run, step and batch."""
    project.emulator.faults(lines=[{"nth": [2], "give": "IMAGE_SAFETY"}])
    project.run(check=False)
    printed = project.events()
    names = [event["event"] for event in printed]
    (run,) = {event["run"] for event in printed}
    (end,) = (event for event in printed if event["event"] == "run-ended")
    logs = project.folder / "logs" / "generate" / printed[1]["batches"][0]
    story = "".join(path.read_text() for path in logs.glob("*.log"))

    assert ["run-started", "planned"] == names[:2]
    order = ["staged", "intent", "created", "ended", "fetched", "applied", "cleaned", "run-ended"]
    assert order == [name for name in names if name in order]
    assert (SCENES - 1, 1) == (names.count("placed"), names.count("failed"))
    assert ("failed", SCENES - 1) == (end["status"], end["counts"]["applied"])
    assert end["cost_usd"] == project.report()["run"]["cost_usd"]["actual"] > 0
    assert 1 == story.count(" failed image-safety ")
    assert SCENES - 1 == story.count(".jpg")
    assert run == project.report()["run"]["id"]


def test_only_what_changed_is_made(project):
    """A comment orders nothing, a new scene one task, a changed prompt that scene, and its old picture is archived."""
    project.run()
    project.edit("characters/mara-quill", "this comment stays", "this comment was edited")
    with_comment = project.dry()
    project.edit("characters/tobi-ferrow", "scenes:\n", "scenes:\n  - {id: new-lamp, prompt: A new lamp arrives.}\n")
    with_scene = project.dry()
    project.edit("characters/tobi-ferrow", "puts out the last lamp", "polishes the last lamp")
    old = project.pictures()["characters/tobi-ferrow/images/last-lamp.jpg"]
    project.run()

    assert "0 images to make" in with_comment
    assert "1 image for 1 character in 1 batch, 6 done" in with_scene
    assert [f"last-lamp-{old[:8]}.jpg"] == project.archive()
    assert SCENES + 1 == len(project.pictures())
    assert 3 == len(project.journal("applied")[-1]["outcomes"]) + 1
    assert ["first-lamp", "last-lamp", "new-lamp", "last-lamp"] == [
        r["scene"] for r in records(project, "characters/tobi-ferrow")
    ]
    project.assert_nothing_twice()


def test_changed_style_is_stale_until_ordered(project):
    """A change around a scene makes it stale: counted and priced, made again once by an order, killed or not."""
    project.run()
    styles = project.folder / "config" / "styles.yaml"
    styles.parent.mkdir()
    from conftest import ROOT  # the tests' root

    text = (ROOT / "config" / "styles.yaml").read_text()
    styles.write_text(text.replace("art_direction:\n", "art_direction:\n  medium: Scratched copper plates.\n", 1))
    stale = project.dry()
    ordered = project.run("order", config={"scenes": ["character/mara-quill/*"], "state": "stale"}).stdout
    project.run(check=False, env={"CHARGEN_KILL_AT": "placed:2", "CHARGEN_KILL_WHO": "group"})
    project.run()
    after = project.dry()

    assert "6 out of date (stale): style, references or model changed; to order them, about $0.11" in stale
    assert "0 images to make" in stale
    assert "order 1: 4 pictures again, about $0.07" in ordered
    assert 2 == project.emulator.count("created")
    assert "0 images to make, 6 done" in after
    assert "2 out of date (stale)" in after
    project.assert_nothing_twice()


def test_forcing_and_deleting_results_costs_nothing(project):
    """-F after a run, in the middle of one, and without results/: no create, no upload, the same pictures."""
    project.emulator.faults(lines=[{"nth": [2], "give": "IMAGE_SAFETY"}])
    project.run(check=False)
    pictures = project.pictures()
    journal = project.journal()
    creates = project.emulator.count("create")
    uploads = project.emulator.count("upload_start")
    project.run(options=("-F",))
    shutil.rmtree(project.folder / "results")
    project.run()
    report = project.report()
    gone = project.library / "characters/tobi-ferrow/images/first-lamp.jpg"
    gone.unlink()
    project.run()

    assert SCENES - 1 == len(pictures)
    assert pictures == project.pictures()
    assert journal == project.journal()
    assert (creates, uploads) == (project.emulator.count("create"), project.emulator.count("upload_start"))
    assert {"applied": 5, "failed": 1} == {key: report["totals"][key] for key in ("applied", "failed")}


def test_submitted_leaves_and_a_later_run_collects(project):
    """`submitted` ends with the job in flight; -F does not send it again; the next run collects it."""
    project.emulator.faults(job={"polls": 3, "seconds": 0})
    project.run("submitted")
    flying = project.dry()
    project.run("submitted", options=("-F",))
    project.run()

    assert "0 images to make, 0 done, 6 in flight" in flying
    assert SCENES == len(project.pictures())
    assert 1 == project.emulator.count("create")


def test_lost_state_finds_its_job_by_name(project):
    """state/ deleted with a job in flight: the same plan adopts it; another plan stops and says how to collect it."""
    project.emulator.faults(job={"polls": 99})
    project.run("submitted")
    shutil.rmtree(project.folder / "state")
    shutil.rmtree(project.folder / "results")
    project.edit("characters/tobi-ferrow", "scenes:\n", "scenes:\n  - {id: new-lamp, prompt: A new lamp arrives.}\n")
    stopped = project.run(check=False)
    job = project.emulator.log("create")
    project.emulator.end_jobs()
    project.emulator.faults()
    command = next(line for line in stopped.stdout.splitlines() if "snakemake collect " in line)
    name = command.rsplit("job=", 1)[1].strip()
    project.run("collect", config={"job": name})
    collected = project.pictures()
    project.run()

    assert 1 == len(job)
    assert stopped.returncode != 0
    assert SCENES == len(collected)
    assert SCENES + 1 == len(project.pictures())
    assert 2 == project.emulator.count("created")


def test_lost_state_adopts_the_same_plan(project):
    """state/ deleted with a job in flight and nothing else changed: the job of that name is taken over."""
    project.emulator.faults(job={"polls": 3, "seconds": 0})
    project.run("submitted")
    shutil.rmtree(project.folder / "state")
    shutil.rmtree(project.folder / "results")
    output = project.run().stdout

    assert "adopted batches/" in output
    assert SCENES == len(project.pictures())
    assert 1 == project.emulator.count("create")


def test_clone_without_pictures_sends_nothing(project):
    """A second clone has the records and not the pictures: they are counted as missing and nothing is sent."""
    project.run()
    shutil.rmtree(project.folder / "state")
    shutil.rmtree(project.folder / "results")
    for images in project.library.glob("*/*/images"):
        shutil.rmtree(images)
    plan = project.dry()
    project.run()

    assert "0 images to make, 0 done" in plan
    assert "6 missing: the file is gone; to order them again, about $0.10" in plan
    assert 1 == project.emulator.count("create")


def test_second_wave_sends_the_first_ones_picture(project):
    """A scene whose reference is wanted in the same run waits for it, and sends it."""
    project.edit("characters/mara-quill", "scenes:\n", "scenes:\n  - {id: portrait, prompt: Mara's face.}\n")
    project.run()

    batches = [line["batch"] for line in project.journal("applied")]
    first, second = (
        json.loads((project.state / "batches" / batch / "plan.json").read_text())["tasks"] for batch in batches
    )
    assert ["portrait"] == [t["wish"]["target"].rsplit("/", 1)[1] for t in first if "mara" in t["key"]]
    assert {"characters/mara-quill/images/portrait.jpg"} == {r["path"] for t in second for r in t["references"]}
    assert SCENES + 1 == len(project.pictures())


@pytest.mark.soak
def test_forcing_in_the_middle_costs_nothing(project):
    """-F with the responses fetched and nothing applied, and again after clean-up: no create, no upload."""
    project.run(check=False, env={"CHARGEN_KILL_AT": "fetched", "CHARGEN_KILL_WHO": "group"})
    creates, uploads = project.emulator.count("create"), project.emulator.count("upload_start")
    project.run(options=("-F",))
    pictures, journal = project.pictures(), project.journal()
    project.run(options=("-F",))

    assert SCENES == len(pictures)
    assert (pictures, journal) == (project.pictures(), project.journal())
    assert (creates, uploads) == (project.emulator.count("create"), project.emulator.count("upload_start"))


@pytest.mark.soak
def test_results_and_a_picture_gone_with_failed_and_in_flight(project):
    """Without results/ what failed stays so, what is in flight is collected, and a lost picture comes back."""
    project.emulator.faults(lines=[{"nth": [1], "give": "IMAGE_SAFETY"}])
    project.run(check=False, config={"only": ["character/mara-quill/*"]})
    project.emulator.faults(job={"polls": 10_000})
    project.run("submitted")
    shutil.rmtree(project.folder / "results")
    next(project.library.glob("characters/mara-quill/images/*.jpg")).unlink()
    project.emulator.end_jobs()
    project.run()

    assert SCENES - 1 == len(project.pictures())
    assert 2 == project.emulator.count("created")


def test_results_of_another_world_do_not_pass_for_these(project):
    """Placeholders first, then the real thing; a second library that asks the same; a state/ that is gone: all made.

    The batches have the same ids each time, and what the first of them left lies under results/.
    """
    sequel = project.folder / "sequel"
    shutil.copytree(project.library, sequel)
    project.run()
    key = {"GEMINI_API_KEY": "a-key"}
    project.config["provider"] = "gemini"
    planned = project.run(options=("-n",), env=key).stdout
    project.run("submitted", env=key)
    project.run(env=key)
    (batch,) = [line["batch"] for line in project.journal("applied")]
    project.config |= {"provider": "emulator", "library": "sequel"}
    made = []
    for _ in range(2):
        project.run()
        made += [path.name for path in sequel.glob("*/*/images/*.jpg")]
        shutil.rmtree(sequel)
        shutil.copytree(project.library, sequel, ignore=shutil.ignore_patterns("images"))
        for path in sequel.glob("*/*/imagery.yaml"):
            path.write_text(path.read_text().split("generated_images:")[0])
        shutil.rmtree(project.folder / "state" / "emulator" / "sequel")

    assert re.search(rf"^  renew +generate/{batch}$", planned, re.MULTILINE)
    assert 2 * SCENES == len(made)
    assert {f"chargen-story-{batch}": 2, f"chargen-sequel-{batch}": 2} == project.emulator.counts()["created"]


@pytest.mark.soak
def test_two_waves_of_another_world_are_made_after_a_run_that_ended_halfway(project):
    """Placeholders in two waves, then the real thing with a key that is refused, then with a good one: all is made."""
    project.entity(
        "characters/tobi-ferrow",
        """
        name: Tobi Ferrow
        description: A lamp lighter of nineteen with soot on his nose.
        scenes:
          - {id: portrait, prompt: Tobi looks at us.}
          - {id: last-lamp, prompt: Tobi puts out the last lamp at dawn.}
        """,
    )
    project.run()
    project.config["provider"] = "gemini"
    project.run(env={"GEMINI_API_KEY": "invalid"}, check=False)
    project.run(env={"GEMINI_API_KEY": "a-key"})

    assert SCENES == len(project.sent())
    assert 4 == project.emulator.count("create")


def test_what_is_gone_again_is_put_back_again(project):
    """Each time that pictures are gone they come back from what was paid for, those of one batch one by one."""
    project.run()
    made = project.pictures()
    for names in (["first-lamp"], ["first-lamp"], ["last-lamp", "first-lamp"]):
        for name in names:
            (project.library / "characters/tobi-ferrow/images" / f"{name}.jpg").unlink()
        project.run()

        assert made == project.pictures()
    assert 1 == project.emulator.count("create")


def test_a_report_on_request_tells_of_the_last_run_that_brought_something(project):
    """Written once more after a review, it still says what that run made and what was new in it."""
    project.run("report")
    before = project.report()["run"]
    project.run()
    made = project.report()["run"]
    project.run("review", config={"reject": ["character/tobi-ferrow/last-lamp"]})
    project.run("report")
    after = project.report()

    assert before is None
    assert made["id"] == after["run"]["id"]
    assert SCENES == made["counts"]["applied"] == after["run"]["counts"]["applied"]
    assert SCENES - 1 == after["totals"]["applied"]


def test_the_report_is_of_this_library_as_it_stands(project):
    """Asked for, it is written and nothing is sent; else it is written when it is another's, or behind the journal."""
    shutil.copytree(project.library, project.folder / "sequel")
    asked = project.run("report").stdout
    planned = project.report()["totals"]
    project.run("submitted")
    project.config["library"] = "sequel"
    project.run("report")
    other = project.report()["totals"]
    project.config["library"] = "story"
    (created,) = project.journal("created")
    project.run("collect", config={"job": created["job"]})
    behind = project.report()["totals"]
    again = project.dry()
    project.run()

    assert "report: results/report.html" in asked
    assert (0, SCENES) == (planned["applied"], planned["wanted"])
    assert (0, 0) == (other["applied"], other["in_flight"])
    assert 0 == behind["applied"]
    assert "  write_report" in again
    assert "submit" not in again.split("Would run:")[1]
    assert SCENES == project.report()["totals"]["applied"]
    assert 1 == project.emulator.count("create")
    assert "Nothing to be done" in project.run().stdout


def test_texts_of_the_command_line_arrive_as_typed(project):
    """A library whose name YAML reads otherwise is the one that is planned, and its step gets the very words."""
    project.library.rename(project.folder / "story #2")
    words = ("library=story #2", "scenes=character/tobi-ferrow/*", "state=")

    said = project.run("order", options=("--config", *words), check=False).stdout

    assert "among the 2 pictures that match character/tobi-ferrow/* can be ordered: 2 wanted" in said


def test_a_target_after_the_settings_is_one_message(project):
    """Snakemake takes it for a setting: the message shows the command line that was meant, and nothing is made."""
    ended = project.run(options=("--config", "exclude=x", "generate_all"), check=False)

    assert 1 == ended.returncode
    assert "chargen: `generate_all` stands after --config" in ended.stdout
    assert "    snakemake generate_all --config exclude=x\n" in ended.stdout and "Traceback" not in ended.stdout
    assert not any((project.folder / name).exists() for name in ("state", "results", "logs"))
