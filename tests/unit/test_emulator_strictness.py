"""What the emulator takes, refuses and shows where the real API is stricter, or looser, than its documentation."""

from __future__ import annotations

import argparse
import base64
import dataclasses
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import builders
from chargen import operations
from chargen.emulator import answers, catalogue, cli, fault_plan, relaxed, requests, rows
from chargen.emulator.errors import ApiError
from chargen.emulator.jobs import EMBED, Job
from chargen.emulator.results import Rendering
from chargen.emulator.store import Store
from chargen.emulator.strictness import CHOICES, PRESETS
from chargen.emulator.world import World
from chargen.providers.gemini import requests as own

OWNER = "0123456789ab"
MODEL = "gemini-3.8-flash"
CONTENTS = [{"role": "user", "parts": [{"text": "say it"}]}]


class Desk:
    """A World with jobs that take 100 seconds of its own clock."""

    def __init__(self, folder: Path) -> None:
        plan = fault_plan.read({"job": {"seconds": 100, "pending_share": 0.25}})
        self.world = World(Store(folder), catalogue.ModelsFile(), plan)

    def api(self, **choices: Any) -> None:
        """Choose how the API behaves."""
        self.world.trouble.follow(fault_plan.read({"api": choices}, self.world.trouble.initial))

    def create(self, *lines: Any, kind: str = "", **batch: Any) -> Job:
        """Upload *lines* and create a job from them."""
        content = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines).encode()
        upload = self.world.files.start_upload(OWNER, {}, "application/jsonl", len(content), "http://h/v1beta")
        self.world.store.upload(upload.id).write_bytes(content)
        stored = self.world.files.finish_upload(upload)
        message = {"displayName": "job", "inputConfig": {"fileName": f"files/{stored.id}"}, **batch}
        model = "gemini-embedding-001" if kind == EMBED else MODEL
        return self.world.batches.create(OWNER, model, "v1beta", message, *([kind] if kind else []))

    def refusal(self, *lines: Any, **batch: Any) -> str:
        """What the API says when it does not create the job."""
        with pytest.raises(ApiError) as caught:
            self.create(*lines, **batch)
        assert caught.value.code == 400
        return caught.value.message

    def results(self, job: Job) -> list[dict[str, Any]]:
        """The result lines; the job is brought to its end first."""
        self.world.advance(101)
        self.world.batches.settle()
        made = self.world.batches.result_of(OWNER, job.id)
        if isinstance(made, Rendering):
            made.done.wait(30)
            made = made.path
        return [json.loads(line) for line in made.read_bytes().splitlines()]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A World on an empty folder."""
    found = Desk(tmp_path)
    yield found
    found.world.store.close()


def _row(key: str = "k", **request: Any) -> dict[str, Any]:
    return {"key": key, "request": {"contents": CONTENTS, **request}}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"{'a': 'b'}", {"a": "b"}),
        (b"{'a': 'it\\'s', \"b\": \"don't\"}", {"a": "it's", "b": "don't"}),
        (b"{'say': '\"hi\"'}", {"say": '"hi"'}),
    ],
)
def test_single_quotes(text: bytes, value: Any) -> None:
    """Strings in single quotes are read as those in double ones; quotes inside of either stay."""
    assert value == relaxed.loads(text)


def test_json_that_is_none() -> None:
    """A body that is JSON in neither way of quoting is an error."""
    with pytest.raises(ValueError, match="expected"):
        relaxed.loads(b"{'a': nothing}")


@pytest.mark.parametrize("padded", [True, False])
def test_both_alphabets_of_base64(padded: bool) -> None:
    """A picture in URL-safe base64, as google-genai sends it, is the same picture."""
    target = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(target, "PNG")
    data = base64.urlsafe_b64encode(target.getvalue()).decode()
    assert "-" in data and "_" in data
    blob = {"mime_type": "image/png", "data": data if padded else data.rstrip("=")}
    request = requests.read({"contents": [{"parts": [{"inline_data": blob}]}]})

    (material,) = answers.collect(request, lambda _: b"")

    assert target.getvalue() == material.data


def test_unknown_fields_of_rows(desk: Desk) -> None:
    """A file with fields that do not exist is refused as a whole, each named with its row and column."""
    wrong = '{"key": "b", "request": {"contents": [], "thinking_config": {"thinking_budget": 0}}}'

    said = desk.refusal(_row("a"), wrong, _row("c", generation_config={"negativePrompt": "dull"}))

    column = wrong.index('"thinking_config"') + 1
    first, second = said.splitlines()
    assert first == f"Error on line 2: invalid JSON, near column {column}: no such field: 'thinking_config'"
    assert second.startswith("Error on line 3: ") and second.endswith("no such field: 'negativePrompt'")
    assert not desk.world.batches.jobs


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "Error on line 1: invalid JSON, near column 1: "),
        ("[1]", "near column 1: unexpected character: '['; expected '{'"),
        ('{"key": "k", "requests": {}}', "near column 14: no such field: 'requests'"),
        (
            '{"request": {"system_instruction": [{"text": "x"}]}}',
            "near column 36: unexpected character: '['; expected '{'",
        ),
        (
            '{"request": {"contents": [{"parts": [{"text": "x"}, {"txt": "y"}]}]}}',
            "near column 54: no such field: 'txt'",
        ),
    ],
)
def test_rows_that_do_not_parse(desk: Desk, line: str, words: str) -> None:
    """Rows that are no JSON, or have a value of another kind than the field, are refused with the place."""
    assert words in desk.refusal(line)


@pytest.mark.parametrize("parts", [{"text": ""}, [{"text": ""}], [{"text": "x"}, {}]])
def test_empty_system_text(desk: Desk, parts: Any) -> None:
    """A system instruction without words is refused in a request file."""
    said = desk.refusal(_row(system_instruction={"parts": parts}))

    assert "GenerateContentRequest.system_instruction.parts[" in said
    assert "required oneof field 'data' must have one initialized field" in said


def test_unknown_fields_of_inlined_requests(desk: Desk) -> None:
    """An inlined request is refused with the path of what it should not have; camelCase is as good as snake_case."""
    good = {"request": {"contents": CONTENTS, "generationConfig": {"topP": 1}}, "metadata": {"custom_id": 1}}
    batch = {"displayName": "job", "inputConfig": {"requests": {"requests": [good, {**good, "safetySettings": []}]}}}
    desk.api(rows="snake_case")

    with pytest.raises(ApiError) as caught:
        desk.world.batches.create(OWNER, MODEL, "v1beta", batch)

    assert caught.value.message == (
        "Invalid JSON payload received. Unknown name \"safetySettings\" at 'batch.input_config.requests.requests[1]': "
        "Cannot find field."
    )
    batch["inputConfig"] = {"requests": {"file_name": "files/abc"}}
    with pytest.raises(ApiError, match=r"Unknown name .file_name. at .+batch\.input_config\.requests"):
        desk.world.batches.create(OWNER, MODEL, "v1beta", batch)
    batch["inputConfig"] = {"requests": {"requests": [good]}}
    assert desk.world.batches.create(OWNER, MODEL, "v1beta", batch).count == 1


def test_unknown_fields_may_be_ignored(desk: Desk) -> None:
    """On request a field that does not exist is passed over."""
    desk.api(unknown_fields="ignored")

    (line,) = desk.results(desk.create({**_row(thinking_config={}), "note": 1}))

    assert "response" in line


def test_camel_case_rows(desk: Desk) -> None:
    """Rows in camelCase are answered, or refused as unknown fields, as was chosen."""
    row = {"key": "k", "request": {"contents": CONTENTS, "generationConfig": {"maxOutputTokens": 9}}}

    assert "response" in desk.results(desk.create(row))[0]
    desk.api(rows="snake_case")
    assert desk.refusal(row).endswith("no such field: 'generationConfig'")
    assert "response" in desk.results(desk.create(_row(generation_config={"max_output_tokens": 9}, store=False)))[0]


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("operation", ["generate", "analyze"])
def test_own_requests_pass_everywhere(tmp_path: Path, preset: str, operation: str) -> None:
    """chargen's own request lines are taken however strictly files are read."""
    task = builders.task() if operation == "generate" else builders.analysis()
    request = operations.operation(operation).request(task)
    harassment = {"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}
    plan = builders.plan(task, temperature=1.0, safety_settings=(harassment,))
    pictures = [{"file_data": {"file_uri": "https://h/v1beta/files/abc", "mime_type": "image/png"}}]
    path = tmp_path / "requests.jsonl"
    path.write_text(json.dumps({"key": "k", "request": own.body(plan, request, pictures)}), encoding="utf-8")

    rows.check_file(path, "GenerateContentRequest", PRESETS[preset])

    assert ["k"] == rows.keys(path)


def test_rows_by_custom_id(desk: Desk) -> None:
    """A native row may be named by custom_id; its answer is too."""
    good, bad = desk.results(
        desk.create({"custom_id": "one", "request": {"contents": CONTENTS}}, {"custom_id": "two", "request": {}})
    )

    assert (good["custom_id"], bad["custom_id"]) == ("one", "two")
    assert "candidates" in good["response"] and bad["error"]["code"] == 3
    assert "key" not in good


def test_bare_requests(desk: Desk) -> None:
    """A row that is a request without a key, as a curl example sends it, is answered without one, or refused."""
    bare = {"contents": CONTENTS, "generationConfig": {"temperature": 0.7}}

    (line,) = desk.results(desk.create(bare))

    assert ["response"] == list(line)
    assert desk.refusal({**bare, "note": 1}).endswith("no such field: 'note'")
    desk.api(rows="snake_case")
    assert "no such field: 'contents'" in desk.refusal(bare)


def test_openai_rows(desk: Desk) -> None:
    """A row in OpenAI's shape is answered as a chat completion, with usage in camelCase, or with an error's status."""
    schema = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
    body = {
        "model": MODEL,
        "messages": [{"role": "system", "content": "be brief"}, {"role": "user", "content": "say a colour"}],
        "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}},
    }
    row = {"custom_id": "one", "method": "POST", "url": "/v1/chat/completions", "body": body}

    good, bad = desk.results(desk.create(row, {**row, "custom_id": "two", "body": {"model": MODEL}}))

    assert (good["custom_id"], good["response"]["status_code"]) == ("one", 200)
    completion = good["response"]["body"]
    assert completion["object"] == "chat.completion"
    assert list(json.loads(completion["choices"][0]["message"]["content"])) == ["colour"]
    assert completion["usage"].keys() == {"promptTokens", "completionTokens", "totalTokens"}
    assert (bad["custom_id"], bad["response"]["status_code"]) == ("two", 400)
    assert bad["response"]["body"]["error"]["status"] == "INVALID_ARGUMENT"


def test_display_name(desk: Desk) -> None:
    """A job without a display name is refused, unless it may have none."""
    assert "display_name is not specified" in desk.refusal(_row(), displayName="")
    desk.api(display_name="optional")
    assert desk.create(_row(), displayName="").display_name == ""


@pytest.mark.parametrize(
    ("field", "conforms"),
    [("both", [True, True]), ("response_schema", [True, False]), ("response_json_schema", [None, True])],
)
def test_schema_field(desk: Desk, field: str, conforms: list[bool | None]) -> None:
    """Of the two schema fields both count, or the answers to one do not conform, or one does not exist."""
    schema = {"type": "object", "properties": {"colour": {"type": "string"}}, "required": ["colour"]}
    desk.api(schema_field=field)
    for name, expected in zip(("response_schema", "response_json_schema"), conforms, strict=True):
        row = _row(generation_config={"response_mime_type": "application/json", name: schema})
        if expected is None:
            assert desk.refusal(row).endswith(f"no such field: '{name}'")
            continue
        (line,) = desk.results(desk.create(row))
        answer = json.loads(line["response"]["candidates"][0]["content"]["parts"][0]["text"])
        assert expected == (list(answer) == ["colour"])


@pytest.mark.parametrize("progress", [False, True])
def test_progress_of_a_running_job(desk: Desk, progress: bool) -> None:
    """While a job runs, its statistics and time stand still, as recorded, unless they were asked to move."""
    desk.api(progress=progress)
    job = desk.create(*[_row(f"k{number}") for number in range(10)])
    desk.world.advance(60)

    shown = desk.world.batches.look(job)["metadata"]

    assert shown["state"] == "BATCH_STATE_RUNNING"
    assert progress == (shown["updateTime"] != shown["createTime"])
    assert progress == ("successfulRequestCount" in shown["batchStats"])
    assert ("4" if progress else "10") == shown["batchStats"]["pendingRequestCount"]


@pytest.mark.parametrize("code", CHOICES["cancelled_code"])
def test_code_of_a_cancelled_job(desk: Desk, code: int) -> None:
    """A job cancelled before its start has error code 13 or 1, as was chosen."""
    desk.api(cancelled_code=code)
    job = desk.create(_row())

    desk.world.batches.cancel(OWNER, job.id)

    assert code == desk.world.batches.look(job)["error"]["code"]


def test_what_is_kept_and_changed(desk: Desk) -> None:
    """outputConfig, webhookConfig and priority are shown with the job; name, priority and webhook can be changed."""
    webhook = {"uris": ["https://example.com/hook"], "userMetadata": {"batch_id": "7"}}
    job = desk.create(_row(), webhookConfig=webhook, outputConfig={"fileName": "out"}, priority="5")
    shown = desk.world.batches.look(job)["metadata"]

    desk.world.batches.update(OWNER, job.id, {"displayName": "new", "priority": "-1"}, ["displayName", "webhookConfig"])

    assert (webhook, {"fileName": "out"}, "5") == (shown["webhookConfig"], shown["outputConfig"], shown["priority"])
    changed = desk.world.batches.look(job)["metadata"]
    assert ("new", "5") == (changed["displayName"], changed["priority"])
    assert "webhookConfig" not in changed
    with pytest.raises(ApiError, match="input_config"):
        desk.world.batches.update(OWNER, job.id, {}, ["inputConfig"])


def test_embeddings_in_batches(desk: Desk) -> None:
    """An embedding job answers each row with a unit vector of the wanted length, the same for the same text."""
    requests_ = [{"content": {"parts": [{"text": text}]}, "output_dimensionality": 8} for text in ("a", "b", "a")]
    lines = [{"key": f"k{number}", "request": item} for number, item in enumerate([*requests_, {}])]

    results = {line["key"]: line for line in desk.results(desk.create(*lines, kind=EMBED))}

    vectors = [results[f"k{number}"]["response"]["embedding"]["values"] for number in range(3)]
    assert vectors[0] == vectors[2] != vectors[1]
    assert [8, pytest.approx(1, abs=1e-6)] == [len(vectors[0]), sum(value * value for value in vectors[0])]
    assert results["k0"]["response"]["tokenCount"] == "1"
    assert results["k3"]["error"]["code"] == 3


def test_models_answer_their_own_methods(desk: Desk) -> None:
    """An embedding model is not found for text, nor a text model for embeddings; the advice names either method."""
    for model, method in (("gemini-embedding-001", "generateContent"), (MODEL, "asyncBatchEmbedContent")):
        with pytest.raises(ApiError, match=f"not supported for {method}. Call ListModels to see"):
            desk.world.models.serving(model, "v1beta", method)
    desk.api(list_method="ModelService.ListModels")
    with pytest.raises(ApiError, match=r"Call ModelService\.ListModels to see"):
        desk.world.models.serving("nobody", "v1beta", "generateContent")


def test_models_past_their_shutdown(desk: Desk) -> None:
    """From the day of its shutdown a model answers 404 and names its successor, unless it is answered all the same."""
    served = desk.world.models.catalogue.serving
    model, method = "gemini-3.1-flash-image", "batchGenerateContent"

    assert model == served(model, "v1beta", method, today="2026-10-28").id
    with pytest.raises(ApiError, match=r"no longer available to new users.*models/gemini-nano-banana-2.1"):
        served(model, "v1beta", method, today="2026-10-29")
    assert desk.world.models.today > "2026-10-29"
    desk.api(shut_down="answered")
    assert model == desk.world.models.serving(model, "v1beta", method).id
    again = catalogue.load(also_serve=[model]).serving(model, "v1beta", method, today="2026-10-29")
    assert again.image_tokens["512"] == 747


def test_files_expire_from_the_start_of_the_upload(desk: Desk) -> None:
    """The 48 hours of a file begin when its upload was opened, not when it was complete."""
    upload = desk.world.files.start_upload(OWNER, {}, "text/plain", 1, "http://h/v1beta")
    desk.world.store.upload(upload.id).write_bytes(b"x")
    desk.world.advance(3600)
    stored = desk.world.files.finish_upload(upload)

    desk.world.advance(47 * 3600 - 60)
    assert desk.world.files.get(OWNER, stored.id)
    desk.world.advance(120)

    with pytest.raises(ApiError):
        desk.world.files.get(OWNER, stored.id)


def test_options_of_the_command_line() -> None:
    """--strictness takes a preset; single choices by --api come on top; a choice that does not exist is an error."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)

    plan = fault_plan.read(cli.plan_of(parser.parse_args(["--strictness", "strict", "--api", "progress=true"])))

    assert plan.api == dataclasses.replace(PRESETS["strict"], progress=True)
    for wrong in ("rows=camel", "nothing=1", "progress"):
        with pytest.raises(fault_plan.ChargenError):
            fault_plan.read(cli.plan_of(parser.parse_args(["--api", wrong])))
