"""The emulated service without HTTP: how jobs live and end, and what their result lines hold."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chargen.emulator import catalogue, fault_plan, picture
from chargen.emulator.clock import LIFETIME_NS, NANO
from chargen.emulator.errors import ApiError
from chargen.emulator.jobs import Job
from chargen.emulator.refusals import REFUSALS
from chargen.emulator.results import Rendering
from chargen.emulator.store import Store
from chargen.emulator.uploaded_files import StoredFile
from chargen.emulator.world import World

OWNER = "0123456789ab"
MODEL = "gemini-nano-banana-2.1"
HOURS_48 = LIFETIME_NS / NANO


class Desk:
    """A World with shorthands."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.open()

    def open(self) -> None:
        """Read the state from disk, as a restarted server does."""
        plan = fault_plan.read({"job": {"seconds": 100, "pending_share": 0.25}})
        served = catalogue.load(also_serve=["gemini-2.5-flash-image", "gemini-3.1-flash-image"])
        self.world = World(Store(self._folder), lambda: served, plan)

    def plan(self, **sections: Any) -> None:
        """Set the fault plan."""
        self.world.trouble.follow(fault_plan.read(sections, self.world.trouble.initial))

    def put(self, content: bytes, mime_type: str = "application/jsonl", owner: str = OWNER) -> StoredFile:
        """Upload."""
        upload = self.world.files.start_upload(owner, {"displayName": "d"}, mime_type, len(content), "http://h/v1beta")
        self.world.store.upload(upload.id).write_bytes(content)
        return self.world.files.finish_upload(upload)

    def create(self, *lines: dict[str, Any], model: str = MODEL, name: str = "job") -> Job:
        """Upload request lines and create a job."""
        stored = self.put("\n".join(json.dumps(line) for line in lines).encode())
        batch = {"displayName": name, "inputConfig": {"fileName": f"files/{stored.id}"}}
        return self.world.batches.create(OWNER, model, "v1beta", batch)

    def state(self, job: Job) -> str:
        """What a look at the job shows."""
        return str(self.world.batches.look(job)["metadata"]["state"]).removeprefix("BATCH_STATE_")

    def results(self, job: Job) -> list[dict[str, Any]]:
        """The result lines, parsed; the job is brought to its end first."""
        self.world.advance(101)
        self.world.batches.settle()
        return [json.loads(line) for line in self.raw(job).splitlines()]

    def raw(self, job: Job) -> bytes:
        """The result file of an ended job."""
        made = self.world.batches.result_of(OWNER, job.id)
        if isinstance(made, Rendering):
            made.done.wait(30)
            made = made.path
        return made.read_bytes()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A World on an empty folder."""
    found = Desk(tmp_path)
    yield found
    found.world.store.close()


def _line(key: str = "k", text: str = "a lamp", *parts: dict[str, Any], **generation: Any) -> dict[str, Any]:
    generation = generation or {"image_config": {"image_size": "1K", "aspect_ratio": "1:1"}}
    generation.setdefault("response_modalities", ["IMAGE"])
    contents = [{"parts": [{"text": text}, *parts]}]
    return {"key": key, "request": {"contents": contents, "generation_config": generation}}


def _small(key: str = "k") -> dict[str, Any]:
    return {"key": key, "request": {"contents": [{"parts": [{"text": f"say {key}"}]}]}}


def _picture_of(line: dict[str, Any]) -> bytes:
    (part,) = line["response"]["candidates"][0]["content"]["parts"]
    return base64.b64decode(part["inlineData"]["data"])


def _png(colour: str = "red") -> bytes:
    from PIL import Image

    target = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(target, "PNG")
    return target.getvalue()


def test_job_by_seconds(desk: Desk) -> None:
    """A job is PENDING, then RUNNING, then SUCCEEDED, by the emulator's clock."""
    job = desk.create(_small(), model="gemini-3.8-flash")
    seen = [desk.state(job)]
    for seconds in (30, 71):
        desk.world.advance(seconds)
        seen.append(desk.state(job))

    assert seen == ["PENDING", "RUNNING", "SUCCEEDED"]


def test_job_by_polls(desk: Desk) -> None:
    """With ``polls`` a job ends after so many looks, however little time passes."""
    desk.plan(job={"seconds": 0, "polls": 3})
    job = desk.create(_small(), model="gemini-3.8-flash")

    assert [desk.state(job) for _ in range(4)] == ["PENDING", "RUNNING", "RUNNING", "SUCCEEDED"]


def test_late_result_file(desk: Desk) -> None:
    """SUCCEEDED can be visible before the result file's name is."""
    desk.plan(job={"seconds": 0, "late_file_polls": 2})
    job = desk.create(_small(), model="gemini-3.8-flash")

    shown = [desk.world.batches.look(job)["metadata"] for _ in range(3)]

    assert [metadata["state"] for metadata in shown] == ["BATCH_STATE_SUCCEEDED"] * 3
    assert ["output" in metadata for metadata in shown] == [False, False, True]


@pytest.mark.parametrize(("end", "code"), [("FAILED", 8), ("CANCELLED", 13), ("EXPIRED", 4)])
def test_other_ends(desk: Desk, end: str, code: int) -> None:
    """A job can be made to end FAILED, CANCELLED or EXPIRED, with an error and without a result."""
    desk.plan(job={"seconds": 0, "end": end, "code": 8, "message": "Enqueued token quota exceeded for this model."})
    job = desk.create(_small(), model="gemini-3.8-flash")

    operation = desk.world.batches.look(job)

    assert f"BATCH_STATE_{end}" == operation["metadata"]["state"]
    assert code == operation["error"]["code"]
    assert "response" not in operation


def test_states_out_of_order(desk: Desk) -> None:
    """The first looks can be shown any states, also of a job that has ended; none of them has results."""
    desk.plan(job={"seconds": 0, "strays": ["RUNNING", "SUCCEEDED", "PENDING"]})
    job = desk.create(_small(), model="gemini-3.8-flash")

    shown = [desk.world.batches.look(job) for _ in range(4)]

    states = [item["metadata"]["state"].removeprefix("BATCH_STATE_") for item in shown]
    assert ["RUNNING", "SUCCEEDED", "PENDING", "SUCCEEDED"] == states
    assert [False, False, False, True] == ["response" in item for item in shown]


def test_partial_results(desk: Desk) -> None:
    """A job can end with a share of its lines, the rest as after a cancel."""
    desk.plan(job={"seconds": 0, "done_share": 0.5})
    job = desk.create(*[_small(f"k{number}") for number in range(4)], model="gemini-3.8-flash")

    assert "SUCCEEDED" == desk.state(job)
    assert [None, None, {"code": 1}, {"code": 1}] == [line.get("error") for line in desk.results(job)]


def test_a_campaign_of_jobs_outlasts_a_restart(desk: Desk) -> None:
    """How a job of a campaign runs is drawn when it is created and stays so."""
    desk.world.trouble.follow(fault_plan.read({"campaign": {"seed": 3, "jobs": 1.0}}, desk.world.trouble.initial))
    jobs = [desk.create(_small(), name=f"job-{number}", model="gemini-3.8-flash") for number in range(20)]
    drawn = {job.id: job.plan.job for job in jobs}
    desk.open()

    assert drawn == {name: job.plan.job for name, job in desk.world.batches.jobs.items()}
    assert {"SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"} == {plan.end for plan in drawn.values()}


def test_expires_after_48_hours(desk: Desk) -> None:
    """A job that has not ended within 48 hours is EXPIRED."""
    desk.plan(job={"seconds": HOURS_48 * 2})
    job = desk.create(_small(), model="gemini-3.8-flash")
    desk.world.advance(HOURS_48 + 1)

    assert desk.state(job) == "EXPIRED"


def test_cancel_before_the_start(desk: Desk) -> None:
    """Cancelled while PENDING: CANCELLED, no results."""
    job = desk.create(_small(), model="gemini-3.8-flash")

    desk.world.batches.cancel(OWNER, job.id)

    assert desk.state(job) == "CANCELLED"
    with pytest.raises(ApiError):
        desk.world.batches.result_of(OWNER, job.id)


def test_cancel_of_a_running_job(desk: Desk) -> None:
    """Cancelled while RUNNING: SUCCEEDED, with code 1 for the lines that were not through."""
    job = desk.create(*[_small(f"k{number}") for number in range(4)], model="gemini-3.8-flash")
    desk.world.advance(51)

    desk.world.batches.cancel(OWNER, job.id)

    assert desk.state(job) == "SUCCEEDED"
    errors = [line.get("error") for line in desk.results(job)]
    assert errors == [None, None, {"code": 1}, {"code": 1}]
    stats = desk.world.batches.look(job)["metadata"]["batchStats"]
    assert stats == {"requestCount": "4", "successfulRequestCount": "2", "failedRequestCount": "2"}


def test_state_survives_a_restart(desk: Desk) -> None:
    """Jobs, looks, files, clock and the plan are found again after the process is gone."""
    desk.plan(job={"seconds": 0, "polls": 2})
    job = desk.create(_line())
    desk.world.batches.look(job)
    desk.world.advance(10)
    desk.open()
    again = desk.world.batches.find(OWNER, job.id)

    assert [desk.state(again), desk.state(again)] == ["RUNNING", "SUCCEEDED"]
    assert desk.world.clock.offset_ns == 10 * NANO
    assert desk.world.trouble.plan.job.polls == 2
    assert picture.MARKER.encode() in _picture_of(json.loads(desk.raw(again)))


def test_same_request_same_bytes(desk: Desk) -> None:
    """The same line gives the same picture in another job, with references uploaded under other names."""

    def made() -> bytes:
        stored = desk.put(_png(), "image/png")
        part = {"file_data": {"file_uri": f"https://x/v1beta/files/{stored.id}", "mime_type": "image/png"}}
        return _picture_of(desk.results(desk.create(_line("k", "a lamp", part)))[0])

    assert made() == made()


@pytest.mark.parametrize(
    ("model", "size", "mime_type", "pixels"),
    [
        ("gemini-2.5-flash-image", "1K", "image/png", (1408, 768)),
        ("gemini-nano-banana-2.1", "2K", "image/jpeg", (2816, 1536)),
        ("gemini-3.1-flash-image", "512", "image/jpeg", (704, 384)),
    ],
)
def test_picture_as_asked(desk: Desk, model: str, size: str, mime_type: str, pixels: tuple[int, int]) -> None:
    """Format by model, pixels by ratio and size, tokens in the usage."""
    config = {"image_size": size, "aspect_ratio": "16:9"}
    (line,) = desk.results(desk.create(_line(image_config=config), model=model))

    (part,) = line["response"]["candidates"][0]["content"]["parts"]
    assert mime_type == part["inlineData"]["mimeType"]
    assert pixels == picture.measure(_picture_of(line))
    usage = line["response"]["usageMetadata"]
    image_tokens = usage["candidatesTokensDetails"][0]["tokenCount"]
    assert catalogue.load().models[model].tokens_for(size) == image_tokens
    counted = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount")
    assert sum(usage.get(name, 0) for name in counted) == usage["totalTokenCount"]


def test_references_are_counted(desk: Desk) -> None:
    """Each reference counts the tokens of modality IMAGE that its model has for one."""
    blob = {"inline_data": {"mime_type": "image/png", "data": base64.b64encode(_png()).decode()}}

    (line,) = desk.results(desk.create(_line("k", "a lamp", blob, blob)))

    details = line["response"]["usageMetadata"]["promptTokensDetails"]
    assert {"modality": "IMAGE", "tokenCount": 2240} in details


def _gone(desk: Desk, stored: StoredFile) -> None:
    desk.world.delete_file(OWNER, stored.id)


def _expired(desk: Desk, stored: StoredFile) -> None:
    desk.world.files.expire(stored.id)


@pytest.mark.parametrize("trouble", [_gone, _expired])
def test_reference_lost_while_waiting(desk: Desk, trouble: Callable[[Desk, StoredFile], None]) -> None:
    """A reference that is deleted or expired before the job ends fails its line alone, with code 7."""
    stored = desk.put(_png(), "image/png")
    part = {"file_data": {"file_uri": f"files/{stored.id}", "mime_type": "image/png"}}
    job = desk.create(_line("with", "a lamp", part), _line("without"))
    trouble(desk, stored)

    results = {line["key"]: line for line in desk.results(job)}

    assert results["with"]["error"]["code"] == 7
    assert "response" in results["without"]


def test_reference_that_is_no_picture(desk: Desk) -> None:
    """A picture that is none, an address elsewhere and inline junk fail their lines with code 3."""
    stored = desk.put(b"not a picture", "image/png")
    uploaded = {"file_data": {"file_uri": f"files/{stored.id}", "mime_type": "image/png"}}
    elsewhere = {"file_data": {"file_uri": "https://example.org/a.png", "mime_type": "image/png"}}
    inline = {"inline_data": {"mime_type": "image/png", "data": "bm90IGEgcGljdHVyZQ=="}}
    parts = {"uploaded": uploaded, "elsewhere": elsewhere, "inline": inline}
    job = desk.create(*[_line(key, "a lamp", part) for key, part in parts.items()])

    results = {line["key"]: line["error"]["code"] for line in desk.results(job)}

    assert dict.fromkeys(parts, 3) == results
    assert 3 == job.failed


def test_input_deleted_after_the_end(desk: Desk) -> None:
    """Results are available after the request file was deleted."""
    job = desk.create(_small(), model="gemini-3.8-flash")
    desk.results(job)
    desk.world.store.result(job.id).unlink()
    desk.world.delete_file(OWNER, job.input_file.removeprefix("files/"))

    assert json.loads(desk.raw(job))["key"] == "k"


def test_foreign_things_are_not_seen(desk: Desk) -> None:
    """Another key sees neither files nor batches, and cannot use them."""
    job = desk.create(_small(), model="gemini-3.8-flash")
    file_id = job.input_file.removeprefix("files/")

    assert desk.world.batches.of_owner("other") == []
    assert desk.world.files.of_owner("other") == []
    for call in (
        lambda: desk.world.files.get("other", file_id),
        lambda: desk.world.batches.find("other", job.id),
        lambda: desk.world.batches.result_of("other", job.id),
    ):
        with pytest.raises(ApiError):
            call()


def test_line_errors_are_per_line(desk: Desk) -> None:
    """Lines with a request that the model does not take fail alone with code 3 in a job that SUCCEEDED."""
    job = desk.create(_small("good"), {"key": "bad", "request": {}}, {"key": "empty"}, model="gemini-3.8-flash")

    results = desk.results(job)

    assert [line["key"] for line in results] == ["good", "bad", "empty"]
    assert [line.get("error", {}).get("code") for line in results] == [None, 3, 3]
    assert (job.succeeded, job.failed) == (1, 2)


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_refusals(desk: Desk, name: str) -> None:
    """Every refusal is a successful line without a picture."""
    desk.plan(job={"seconds": 0}, lines=[{"give": name}])
    (line,) = desk.results(desk.create(_line()))

    assert "error" not in line
    assert "inlineData" not in json.dumps(line)


def test_broken_lines(desk: Desk) -> None:
    """Missing, repeated, renamed and spoiled lines come out as asked for, by key."""
    gifts = [
        "missing",
        "repeated",
        "unknown_key",
        "no_key",
        "truncated_image",
        "not_an_image",
        "two_images",
        "two_images_thought",
    ]
    desk.plan(job={"seconds": 0}, lines=[{"give": gift, "key": gift} for gift in gifts])
    tiny = {"image_config": {"image_size": "512", "aspect_ratio": "1:1"}}
    job = desk.create(*[_line(gift, **tiny) for gift in gifts], model="gemini-3.1-flash-image")

    results = desk.results(job)

    keys = [line.get("key") for line in results]
    expected = ["repeated", "repeated", "unknown/unknown_key", None, *gifts[4:]]
    assert expected == keys
    parts = {line["key"]: line["response"]["candidates"][0]["content"]["parts"] for line in results[4:]}
    data = {key: base64.b64decode(found[-1]["inlineData"]["data"]) for key, found in parts.items()}
    assert not data["truncated_image"].endswith(b"\xff\xd9") and data["truncated_image"].startswith(b"\xff\xd8")
    assert not data["not_an_image"].startswith(b"\xff\xd8")
    assert [len(parts["two_images"]), len(parts["two_images_thought"])] == [2, 2]
    assert [parts[key][0].get("thought") for key in ("two_images", "two_images_thought")] == [None, True]


def test_error_forms(desk: Desk) -> None:
    """Errors of lines come with code and message, with one of them, or with a word for a code."""
    gifts = ["error", "error_code_only", "error_status_only", "error_code_text"]
    desk.plan(lines=[{"give": gift, "key": gift, "code": 8} for gift in gifts])
    job = desk.create(*[_small(gift) for gift in gifts], model="gemini-3.8-flash")

    errors = {line["key"]: line["error"] for line in desk.results(job)}

    message = "Resource has been exhausted (e.g. check quota)."
    assert {"code": 8, "message": message} == errors["error"]
    assert errors["error_code_only"] == {"code": 8}
    assert {"status": "RESOURCE_EXHAUSTED", "message": message} == errors["error_status_only"]
    assert {"code": "RESOURCE_EXHAUSTED", "message": message} == errors["error_code_text"]


def test_line_faults_for_the_next_job_only(desk: Desk) -> None:
    """``jobs: 1`` spends a fault on the first job that holds the line, so that sending it again succeeds."""
    desk.plan(lines=[{"give": "error", "key": "k", "jobs": 1}])
    jobs = [desk.create(_small(key), model="gemini-3.8-flash") for key in ("other", "k", "k")]

    assert ["error" in desk.results(job)[0] for job in jobs] == [False, True, False]


def test_result_file_as_a_whole(desk: Desk) -> None:
    """Lines can be shuffled and the last one cut; all others stay whole."""
    desk.plan(results={"shuffle": 3, "cut_last_line": 20})
    keys = [f"k{number}" for number in range(8)]
    job = desk.create(*[_small(key) for key in keys], model="gemini-3.8-flash")
    desk.world.advance(101)
    desk.world.batches.settle()

    lines = desk.raw(job).splitlines()

    found = [json.loads(line)["key"] for line in lines[:-1]]
    assert keys[:7] != found and set(found) < set(keys)
    with pytest.raises(json.JSONDecodeError):
        json.loads(lines[-1])


def test_models_that_misbehave(desk: Desk) -> None:
    """Another model answers, the size is ignored, the signature is bulky."""
    plan = {"reroute": {MODEL: "other"}, "ignore_image_size": True, "signature_bytes": 90_000}
    desk.plan(models=plan)
    (line,) = desk.results(desk.create(_line(image_config={"image_size": "2K", "aspect_ratio": "1:1"})))

    assert line["response"]["modelVersion"] == "other"
    assert picture.measure(_picture_of(line)) == (1024, 1024)
    assert len(line["response"]["candidates"][0]["content"]["parts"][0]["thoughtSignature"]) >= 120_000


@pytest.mark.parametrize("quotas", [{"concurrent_jobs": 1}, {"enqueued_tokens": 50}, {"storage_bytes": 150}])
def test_quotas_answer_429(desk: Desk, quotas: dict[str, int]) -> None:
    """Over the number of jobs, the enqueued tokens or the storage the next step answers 429."""
    desk.plan(quotas=quotas)
    desk.create(_small(), model="gemini-3.8-flash")

    with pytest.raises(ApiError) as caught:
        desk.create(_small("x" * 50), model="gemini-3.8-flash")

    assert caught.value.code == 429


def test_quota_that_fails_the_job(desk: Desk) -> None:
    """Over the enqueued tokens a job can also be taken and end FAILED with code 8."""
    desk.plan(quotas={"enqueued_tokens": 1, "refuse": "job"}, job={"seconds": 0})
    job = desk.create(_small(), model="gemini-3.8-flash")

    assert desk.world.batches.look(job)["error"]["code"] == 8


def test_inline_job(desk: Desk) -> None:
    """Inline requests are answered inside the operation, with their metadata."""
    requests = {"requests": [{"request": _small()["request"], "metadata": {"key": "a"}}]}
    batch = {"displayName": "inline", "inputConfig": {"requests": requests}}
    job = desk.world.batches.create(OWNER, "gemini-3.8-flash", "v1beta", batch)
    desk.world.advance(101)

    operation = desk.world.batches.look(job)

    (answered,) = operation["response"]["inlinedResponses"]["inlinedResponses"]
    assert answered["metadata"] == {"key": "a"}
    assert "candidates" in answered["response"]
    assert "inputConfig" not in operation["metadata"]


def test_analysis_is_driven_by_the_picture(desk: Desk) -> None:
    """A text model with a schema answers JSON about the picture it was shown."""
    schema = {"type": "OBJECT", "properties": {"colors": {"type": "ARRAY", "items": {"type": "STRING"}}}}
    blob = {"inline_data": {"mime_type": "image/png", "data": base64.b64encode(_png("#00ff00")).decode()}}
    line = _line("k", "Describe.", blob, response_mime_type="application/json", response_schema=schema)
    line["request"]["generation_config"]["response_modalities"] = ["TEXT"]

    (result,) = desk.results(desk.create(line, model="gemini-3.8-flash"))

    text = result["response"]["candidates"][0]["content"]["parts"][0]["text"]
    assert json.loads(text) == {"colors": ["#00ff00"]}
