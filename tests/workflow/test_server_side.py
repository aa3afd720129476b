"""What the server loses, refuses, or has no room for: said in words, and never paid for a second time unasked."""

from __future__ import annotations

import json
import shutil

import pytest
from PIL import Image

from conftest import wait_until

pytestmark = pytest.mark.workflow

ALL = 6


def portraits(project):
    """Give both characters a portrait, which goes along with their scenes."""
    for slug, colour in (("mara-quill", "teal"), ("tobi-ferrow", "olive")):
        images = project.library / "characters" / slug / "images"
        images.mkdir()
        Image.new("RGB", (64, 64), colour).save(images / "portrait.png")


def made(project):
    """The pictures in place that chargen made."""
    return [path for path in project.pictures() if not path.endswith("portrait.png")]


VANISHED = {"vanish_from": ["get", "list", "download"], "vanish_when": "ended"}


@pytest.mark.soak
def test_results_gone_are_made_again_only_by_an_order(project):
    """A job that succeeded and that nobody finds any more: reported; plain runs leave it alone; an order sends it."""
    project.emulator.faults(job=VANISHED)
    first = project.run(check=False)
    project.emulator.faults()
    plain = project.run()
    creates = project.emulator.count("create")
    failures = [json.loads(line) for line in (project.folder / "results/failures.jsonl").read_text().splitlines()]
    ordered = project.run("order", config={"scenes": ["character/mara-quill/*"], "state": "failed"}).stdout
    project.run()
    after = project.dry()

    assert first.returncode != 0
    assert {"lost"} == {line["reason"] for line in failures}
    assert ALL == len(failures)
    assert 1 == creates
    assert "6 failed" in plain.stdout
    assert "1 job lost on the server: checking again" in plain.stdout
    assert "order 1: 4 pictures again" in ordered
    assert 4 == len(made(project))
    assert "0 images to make, 4 done" in after
    assert 2 == project.emulator.count("create")
    assert [False, True] == [bool(job["deleted"]) for job in project.emulator.executed()]
    project.assert_nothing_twice()


def test_a_lost_job_that_comes_back_is_collected_by_the_next_run(project):
    """Denied until it is lost, and there again later: a plain run brings its pictures, and nothing is sent."""
    project.emulator.faults(job=VANISHED)
    first = project.run(check=False)
    looked = project.run()
    between = len(made(project))
    project.emulator.vanish([])
    found = project.run()
    after = project.run()

    assert first.returncode != 0
    assert "checking again" in looked.stdout
    assert 0 == between
    assert "which was lost, is on the server again" in found.stdout
    assert ALL == len(made(project)) == project.report()["totals"]["applied"]
    assert "checking again" not in after.stdout
    assert (1, 1) == (project.emulator.count("create"), project.emulator.count("delete"))
    project.assert_nothing_twice()


@pytest.mark.soak
def test_another_key_collects_nothing_and_loses_nothing(project):
    """A job in flight and another key: the run stops at it, in words, makes what is new, and the first key collects."""
    project.config |= {"provider": "gemini", "budget_usd": 5}
    one, other = {"GEMINI_API_KEY": "AIza-one"}, {"GEMINI_API_KEY": "AIza-other"}
    project.run("submitted", env=one)
    project.entity("characters/new-one", "name: New\nscenes:\n  - {id: lamp, prompt: A lamp.}\n")
    stopped = project.run(check=False, env=other)
    made_then = len(made(project))
    project.run(env=one)

    assert stopped.returncode != 0
    assert "was submitted with another API key" in stopped.stdout
    assert 1 == made_then
    assert ALL + 1 == len(made(project))
    assert 2 == project.emulator.count("create")


@pytest.mark.soak
def test_results_that_are_late_are_not_given_up(project):
    """A result file that answers 403 a few times, as when it is shown before it is there, comes all the same."""
    project.emulator.faults(calls=[{"call": "download", "do": "status", "status": 403, "first": 3}])
    project.run()

    assert ALL == len(made(project))
    assert 4 == project.emulator.count("download")


@pytest.mark.soak
def test_request_file_gone_before_the_create(project):
    """Uploads that expired between staging and submission are sent again, and the batch goes out in the same run."""
    portraits(project)
    project.run(check=False, env={"CHARGEN_KILL_AT": "intent", "CHARGEN_KILL_WHO": "group"})
    before = project.emulator.count("upload_start")
    expired = project.emulator.expire_files("*")
    project.run()

    assert 3 == before == expired
    assert 6 == project.emulator.count("upload_start")
    assert ALL == len(made(project))
    assert 1 == project.emulator.count("created")
    project.assert_nothing_twice()


@pytest.mark.soak
def test_full_storage_is_tidied_by_the_next_upload(project):
    """Uploads of an older run fill the storage: what is not needed is deleted, and the run continues."""
    portraits(project)
    project.config["cleanup"] = {"after_apply": False, "keep_responses_d": 30}
    project.run(config={"only": ["character/mara-quill/*"]})
    held = sum(line["bytes"] for line in uploads(project))
    project.emulator.faults(quotas={"storage_bytes": held + 100})
    project.run()

    assert ALL == len(made(project))
    assert [] != uploads(project, "deleted")
    assert 2 == project.emulator.count("created")


@pytest.mark.soak
def test_storage_that_cannot_be_tidied_is_said(project):
    """Nothing of chargen's to delete: a message with the way out, no traceback, nothing sent; room makes it go on."""
    project.emulator.faults(quotas={"storage_bytes": 10})
    done = project.run(check=False)
    created = project.emulator.count("create")
    project.emulator.faults()
    project.run()

    assert done.returncode != 0
    assert "storage: the account has no room for requests.jsonl" in done.stdout
    assert "snakemake storage" in done.stdout
    assert "Traceback" not in done.stdout
    assert 0 == created
    assert ALL == len(made(project))


def test_refused_reference_leaves_out_only_its_tasks(project):
    """The API takes one of two portraits: the other's scenes are failures that name the file, the rest is made."""
    portraits(project)
    project.emulator.faults(calls=[{"call": "upload_start", "do": "status", "status": 400, "first": 1}])
    project.config["upload"] = {"concurrency": 1, "timeout_s": 30, "attempts": 4}
    done = project.run(check=False)
    again = project.run()
    failures = [json.loads(line) for line in (project.folder / "results/failures.jsonl").read_text().splitlines()]

    assert done.returncode != 0
    assert {"reference-refused"} == {line["reason"] for line in failures}
    assert len({line["target"].split("/")[1] for line in failures}) == 1
    assert all("/images/portrait.png" in line["said"] for line in failures)
    assert ALL == len(failures) + len(made(project))
    assert "failed" in again.stdout
    assert 1 == project.emulator.count("create")


@pytest.mark.soak
def test_429_on_create_is_waited_out_and_credits_are_not(project):
    """With a delay the create is repeated after it; without details the run stops and says why, and nothing is lost."""
    project.emulator.faults(calls=[{"call": "create", "do": "status", "status": 429}])
    broke = project.run(check=False)
    asked = project.emulator.count("create")
    project.emulator.faults(calls=[{"call": "create", "do": "status", "status": 429, "retry_delay_s": 0.3, "first": 2}])
    project.run()

    assert broke.returncode != 0
    assert "prepaid credits used up, nothing was sent" in broke.stdout
    assert 1 == asked
    assert 4 == project.emulator.count("create")
    assert 1 == project.emulator.count("created")
    assert ALL == len(made(project))


@pytest.mark.soak
def test_jobs_that_fail_for_a_quota_cost_no_picture(project):
    """A server that takes jobs and fails them at once for waiting tokens: what it has room for goes, the rest waits."""
    project.config["batch"] = {"max_tasks": 2, "max_bytes": 1_000_000}
    project.emulator.faults(quotas={"enqueued_tokens": 900, "refuse": "job"}, job={"seconds": 12, "polls": 1})
    done = project.run()

    assert ALL == len(made(project))
    assert "FAILED" in [line["state"] for line in project.journal("ended")]
    assert "is waiting to be submitted: the token queue of" in done.stdout
    project.assert_nothing_twice()


@pytest.mark.soak
def test_a_hundred_and_twenty_batches_through_ten_places(project):
    """More batches than the account may have at once, and fewer cores: each goes out once, and what ended is placed
    while others still wait."""
    for number in range(20):
        scenes = "".join(f"  - {{id: s-{scene}, prompt: 'Lamp {number}-{scene}.'}}\n" for scene in range(6))
        project.entity(f"locations/house-{number}", f"name: House {number}\nscenes:\n{scenes}")
    project.config |= {
        "scope": "locations",
        "batch": {"max_tasks": 1, "max_bytes": 1_000_000},
        "limits": {"tier": 1, "concurrent_jobs": 10, "enqueued_tokens": 0, "storage_bytes": 0},
    }
    project.emulator.faults(quotas={"concurrent_jobs": 10}, job={"seconds": 5, "polls": 1})
    process = project.start()
    wait_until(lambda: project.journal("applied"), 200)
    flying_then = 120 - len(project.journal("created"))
    output, _ = process.communicate(timeout=3000)

    assert process.returncode == 0, output[-3000:]
    assert flying_then > 0
    assert 120 == len(made(project)) == project.emulator.count("create") == project.emulator.count("created")
    project.assert_nothing_twice()


def uploads(project, event="uploaded"):
    """The lines of the ledger of uploads."""
    lines = [json.loads(line) for line in (project.state / "uploads.jsonl").read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


def test_what_was_paid_is_collected_though_nothing_can_be_planned(project):
    """The models file is broken and the budget spent: what is in flight comes, by a run or by name, and the run says
    what is to be corrected."""
    project.emulator.faults(job={"polls": 10_000})
    project.run("submitted")
    (created,) = project.journal("created")
    project.emulator.end_jobs()
    (project.folder / "models.yaml").write_text("image_models: {")
    broken = {"models_file": "models.yaml", "budget_usd": 0, "cleanup": {"after_apply": False}}
    done = project.run(check=False, config=broken)
    placed = project.pictures()
    shutil.rmtree(project.state)
    collected = project.run("collect", config=broken | {"job": created["job"]}).stdout

    assert done.returncode != 0
    assert "models.yaml: " in done.stdout
    assert "Nothing new can be planned until this is fixed; 1 batch in flight will be collected" in done.stdout
    assert ALL == len(placed)
    assert f"{created['job']}: generate, {ALL} applied" in collected
    assert 1 == project.emulator.count("created")
