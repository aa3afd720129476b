"""Waiting, quotas, expiry and two runs at once."""

from __future__ import annotations

import os
import signal
import time

import pytest

from chargen.records.state import State
from conftest import wait_until
from photographs import photograph

pytestmark = pytest.mark.workflow


def test_sigterm_to_the_main_process_alone(project):
    """Those that only wait end by themselves; the next run collects the job."""
    project.emulator.faults(job={"polls": 10_000})
    process = project.start()
    wait_until(lambda: project.journal("created"))
    time.sleep(2)
    os.kill(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    project.emulator.end_jobs()
    project.run()

    assert "Nothing is lost" in output
    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("create")


@pytest.mark.soak
@pytest.mark.parametrize("moment", ["upload", "create", "download", "apply"])
@pytest.mark.parametrize("signalled", ["the group", "the main process alone"])
def test_stopped_in_the_middle_of_work(project, moment, signalled):
    """Ctrl-C, and SIGTERM to the main process: the run ends in words, and the next one goes on."""
    alone = signalled == "the main process alone"
    photograph(64, 64).save(project.library / "characters/tobi-ferrow/portrait.png")
    # What a process that nobody interrupts is in the middle of, it may end; whoever is interrupted leaves at once.
    slow_s = 4 if alone else 120
    call = {"upload": "upload_chunk", "create": "create", "download": "download"}.get(moment)
    if call:
        project.emulator.faults(calls=[{"call": call, "first": 1, "do": "hang", "seconds": slow_s}])
        process = project.start()
        # The emulator counts a call when it answers, and a create's answer is not waited for that long.
        wait_until(lambda: project.journal("intent") if moment == "create" else project.emulator.count(call))
        tell(process, alone)
    else:
        locks = State(project.state)
        with locks.lock("entity-character-mara-quill"):
            process = project.start()
            wait_until(lambda: project.journal("fetched"))
            time.sleep(1)
            tell(process, alone)
            if not alone:
                process.wait(timeout=60)
    output, _ = process.communicate(timeout=60)
    project.emulator.faults()
    project.run()

    assert process.returncode != 0
    assert "Traceback" not in output
    assert "Nothing is lost" in output
    assert 6 == len(project.pictures())
    project.assert_nothing_twice()


def tell(process, alone):
    """Ask Snakemake to end as a service manager would, or as Ctrl-C does."""
    if alone:
        os.kill(process.pid, signal.SIGTERM)
    else:
        os.killpg(process.pid, signal.SIGINT)


@pytest.mark.soak
def test_whoever_waits_to_submit_leaves_with_its_main_process(project):
    """A server that has no room for a job makes a submission wait: not beyond the run's end, which was killed."""
    busy = {"call": "create", "do": "status", "status": 429, "retry_delay_s": 600}
    project.emulator.faults(calls=[busy])
    process = project.start()
    wait_until(lambda: project.journal("refused"))
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=60)  # until nobody holds the other end
    project.emulator.faults()
    project.run()

    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("created")


def test_a_job_beyond_its_deadline_is_cancelled_and_harvested(project):
    """What the job had done by then is placed, the rest goes out again in the same run, in two smaller batches."""
    project.config["poll"] = {"interval_s": 0.3, "deadline_h": 0.002}
    project.emulator.faults(job={"seconds": 20})
    process = project.start()
    wait_until(lambda: project.journal("cancelled"))
    project.emulator.faults(job={"polls": 1, "seconds": 0})
    output, _ = process.communicate(timeout=200)

    assert process.returncode == 0, output
    assert ["deadline"] == [line["why"] for line in project.journal("cancelled")]
    assert "SUCCEEDED" == project.journal("ended")[0]["state"]
    whole, *rest = (len(line["wishes"]) for line in project.journal("intent"))
    assert (6, 2) == (whole, len(rest))
    assert sum(rest) < whole
    assert 6 == len(project.pictures())
    project.assert_nothing_twice()


def test_two_runs_at_once_share_the_work(project):
    """Two main processes on one library: each batch is created once, both end well."""
    project.config["batch"] = {"max_tasks": 2, "max_bytes": 1_000_000}
    runs = [project.start(), project.start()]
    outputs = [run.communicate(timeout=200)[0] for run in runs]
    project.run()

    assert [0, 0] == [run.returncode for run in runs], "\n".join(outputs)
    assert 6 == len(project.pictures())
    project.assert_nothing_twice()


def test_more_batches_than_jobs_are_allowed(project):
    """Three batches and one job at a time: the others wait their turn."""
    project.config |= {
        "batch": {"max_tasks": 2, "max_bytes": 1_000_000},
        "limits": {"tier": 1, "concurrent_jobs": 1, "enqueued_tokens": 0, "storage_bytes": 0},
    }
    project.emulator.faults(quotas={"concurrent_jobs": 1})
    project.run()

    assert 6 == len(project.pictures())
    assert 3 == project.emulator.count("create") == project.emulator.count("created")


def test_reference_that_the_server_lost_is_uploaded_anew(project):
    """A file that is gone fails its lines temporarily; the next sending uploads it again."""
    from PIL import Image

    images = project.library / "characters/tobi-ferrow/images"
    images.mkdir()
    Image.new("RGB", (64, 64), "teal").save(images / "portrait.png")
    project.emulator.faults(job={"polls": 4, "seconds": 0})
    process = project.start()
    wait_until(lambda: project.journal("created"))
    project.emulator.expire_files("*")
    process.communicate(timeout=200)
    project.run()

    pictures = project.pictures().keys() - {"characters/tobi-ferrow/images/portrait.png"}
    assert 6 == len(pictures)
    project.assert_nothing_twice()
