"""The emulator over HTTP: what real clients see, compared with recordings, and what happens when calls go wrong."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chargen.emulator import launch
from emulator_fixture import Emulator

MODEL = "gemini-3.8-flash"
HTTP = httpx2.Client(timeout=30, trust_env=False)
KEY = {"x-goog-api-key": "a-key"}
SERVED_BY_GOOGLE = {  # front-end headers that say nothing about the API
    "alt-svc",
    "x-goog-upload-header-vary",
    "x-goog-upload-header-x-google-backends",
    "x-goog-upload-header-x-google-esf-cloud-client-params",
    "x-goog-upload-header-x-google-gfe-backend-request-cost",
    "x-goog-upload-header-x-google-security-signals",
    "x-goog-upload-header-x-google-session-info",
}

UNPACKED = {"content-encoding"}  # the recorders took answers out of their gzip


def _samples() -> Path:
    folder = os.environ.get("CHARGEN_SAMPLES")
    if not folder:
        pytest.skip("CHARGEN_SAMPLES does not name the folder of recorded replies")
    return Path(folder)


def _start_upload(emulator: Emulator, size: int, mime_type: str = "application/jsonl", **file: Any) -> httpx2.Response:
    headers = {
        **KEY,
        "X-Goog-Upload-Protocol": "resumable",
        "X-Goog-Upload-Command": "start",
        "X-Goog-Upload-Header-Content-Length": str(size),
        "X-Goog-Upload-Header-Content-Type": mime_type,
    }
    return HTTP.post(f"{emulator.url}/upload/v1beta/files", headers=headers, json={"file": file})


def _chunk(url: str, data: bytes, offset: int = 0, command: str = "upload, finalize") -> httpx2.Response:
    headers = {"X-Goog-Upload-Command": command, "X-Goog-Upload-Offset": str(offset)}
    return HTTP.post(url, headers=headers, content=data)


def _upload(emulator: Emulator, data: bytes, **file: Any) -> dict[str, Any]:
    started = _start_upload(emulator, len(data), **file)
    stored: dict[str, Any] = _chunk(started.headers["x-goog-upload-url"], data).json()["file"]
    return stored


def _lines(count: int = 1) -> bytes:
    requests = [{"contents": [{"parts": [{"text": f"say {number}"}]}]} for number in range(count)]
    lines = [json.dumps({"key": f"k{number}", "request": request}) for number, request in enumerate(requests)]
    return "\n".join(lines).encode()


def _create(emulator: Emulator, name: str = "job", count: int = 1) -> httpx2.Response:
    stored = _upload(emulator, _lines(count), display_name="in")
    return _post_batch(emulator, stored["name"], name)


def _post_batch(emulator: Emulator, file_name: str, name: str = "job") -> httpx2.Response:
    batch = {"displayName": name, "inputConfig": {"fileName": file_name}}
    url = f"{emulator.url}/v1beta/models/{MODEL}:batchGenerateContent"
    return HTTP.post(url, headers=KEY, json={"batch": batch})


def _inline(emulator: Emulator, count: int) -> httpx2.Response:
    requests = [
        {"request": {"contents": [{"parts": [{"text": f"say {number}"}]}]}, "metadata": {"key": f"k{number}"}}
        for number in range(count)
    ]
    batch = {"displayName": "job", "inputConfig": {"requests": {"requests": requests}}}
    url = f"{emulator.url}/v1beta/models/{MODEL}:batchGenerateContent"
    return HTTP.post(url, headers=KEY, json={"batch": batch})


def _get(emulator: Emulator, path: str, **options: Any) -> httpx2.Response:
    return HTTP.get(f"{emulator.url}/v1beta/{path}", headers=KEY, **options)


def _succeeded(emulator: Emulator, count: int = 1) -> dict[str, Any]:
    name = _create(emulator, count=count).json()["name"]
    _get(emulator, name)
    operation: dict[str, Any] = _get(emulator, name).json()
    return operation


def _shape(value: Any) -> Any:
    """Member names and types, without the values."""
    if isinstance(value, dict):
        return {name: _shape(item) for name, item in value.items()}
    return [_shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def test_upload_as_recorded(emulator: Emulator) -> None:
    """Both answers of a resumable upload have the recorded headers and the recorded members."""
    yaml = pytest.importorskip("yaml")
    text = (_samples() / "files_api/ellmer_google-upload.real_http.yaml").read_text(encoding="utf-8")
    start, final = (exchange["response"] for exchange in yaml.safe_load(text))

    started = _start_upload(emulator, 3, "application/pdf", display_name="apples.pdf")
    finished = _chunk(started.headers["x-goog-upload-url"], b"pdf")

    assert set(start["headers"]) - SERVED_BY_GOOGLE <= set(started.headers.keys())
    assert set(final["headers"]) - SERVED_BY_GOOGLE <= set(finished.headers.keys())
    for name in ("x-goog-upload-status", "x-goog-upload-chunk-granularity", "content-type", "content-length"):
        assert start["headers"][name] == started.headers[name]
    assert finished.headers["x-goog-upload-status"] == "final"
    recorded = json.loads(final["body"]["string"])
    assert _shape(recorded) == _shape(finished.json())
    assert list(recorded["file"]) == list(finished.json()["file"])


def test_uploaded_file(emulator: Emulator) -> None:
    """Size is a string, the hash is base64 of the hex digest's text, and the file is found by get and list."""
    stored = _upload(emulator, b"content", display_name="shown")

    digest = hashlib.sha256(b"content").hexdigest()
    assert stored["sizeBytes"] == "7"
    assert digest == base64.b64decode(stored["sha256Hash"]).decode()
    assert f"{emulator.url}/v1beta/{stored['name']}" == stored["uri"]
    assert stored == _get(emulator, stored["name"]).json()
    assert [stored] == _get(emulator, "files").json()["files"]


def test_upload_in_chunks_resumed_by_query(emulator: Emulator) -> None:
    """After a lost connection the query tells how much arrived, and the upload goes on from there."""
    size = 8 * 1024 * 1024
    data = bytes(range(256)) * (size // 256) + b"tail"
    url = _start_upload(emulator, len(data)).headers["x-goog-upload-url"]
    emulator.faults(calls=[{"call": "upload_chunk", "nth": [1], "do": "cut_at", "after_bytes": 1000}])
    with pytest.raises(httpx2.TransportError):
        _chunk(url, data[:size], 0, "upload")

    query = HTTP.post(url, headers={"X-Goog-Upload-Command": "query"})

    received = int(query.headers["x-goog-upload-size-received"])
    assert (query.headers["x-goog-upload-status"], received) == ("active", 1000)
    stored = _chunk(url, data[received:], received).json()["file"]
    assert str(len(data)) == stored["sizeBytes"]


def test_upload_whose_last_answer_is_lost(emulator: Emulator) -> None:
    """The file exists although its name was never sent: it is found in the list by display name."""
    url = _start_upload(emulator, 4, display_name="orphan").headers["x-goog-upload-url"]
    emulator.lose_answer("upload_chunk")
    with pytest.raises(httpx2.TransportError):
        _chunk(url, b"data")

    assert [item["displayName"] for item in _get(emulator, "files").json()["files"]] == ["orphan"]
    query = HTTP.post(url, headers={"X-Goog-Upload-Command": "query"})
    assert query.headers["x-goog-upload-status"] == "final"


@pytest.mark.parametrize(
    ("sample", "state"),
    [
        ("real_file_2026-01-06_pending", "PENDING"),
        ("real_2026-03-14_pending", "PENDING"),
        ("real_file_2026-01-06_succeeded", "SUCCEEDED"),
        ("real_ellmer_2026-07-02_file_succeeded", "SUCCEEDED"),
    ],
)
def test_operations_as_recorded(emulator: Emulator, sample: str, state: str) -> None:
    """An operation has the members, types and forms of the recorded one, in the recorded order."""
    recorded = json.loads((_samples() / f"operations/{sample}.json").read_text(encoding="utf-8"))
    recorded["metadata"].setdefault("inputConfig", {"fileName": "in this one the publisher left it out"})

    operation = _create(emulator).json() if state == "PENDING" else _succeeded(emulator)

    assert _shape(recorded) == _shape(operation)
    assert len(recorded["name"]) == len(operation["name"])
    assert recorded["metadata"]["@type"] == operation["metadata"]["@type"]
    assert len(recorded["metadata"]["createTime"]) == len(operation["metadata"]["createTime"])


@pytest.mark.parametrize(
    ("sample", "job"),
    [
        ("op_failed_code13", {"end": "FAILED", "code": 13, "message": "internal error"}),
        (
            "op_failed_quota_code8",
            {"end": "FAILED", "code": 8, "message": "Enqueued token quota exceeded for this model."},
        ),
        ("op_cancelled_before_start", {"end": "CANCELLED"}),
    ],
)
def test_bad_ends_as_recorded(emulator: Emulator, sample: str, job: dict[str, Any]) -> None:
    """A job that ended badly is done, in its state, with the recorded error and without a response."""
    recorded = json.loads((_samples() / f"operations/live_shaped/{sample}.json").read_text(encoding="utf-8"))
    emulator.faults(job={"seconds": 0, **job})

    operation = _get(emulator, _create(emulator).json()["name"]).json()

    assert recorded["metadata"]["state"] == operation["metadata"]["state"]
    assert (recorded["done"], recorded["error"]) == (operation["done"], operation["error"])
    assert "response" not in operation


def test_cancelled_while_running_as_recorded(emulator: Emulator) -> None:
    """It ends SUCCEEDED with the same statistics as recorded, and a bare code 1 for what was not through."""
    sample = "operations/live_shaped/op_cancelled_after_start_ends_SUCCEEDED.json"
    recorded = json.loads((_samples() / sample).read_text(encoding="utf-8"))
    emulator.faults(job={"seconds": 100})
    name = _inline(emulator, 2).json()["name"]
    emulator.advance(60)
    HTTP.post(f"{emulator.url}/v1beta/{name}:cancel", headers=KEY)

    operation = _get(emulator, name).json()

    for member in ("state", "batchStats"):
        assert recorded["metadata"][member] == operation["metadata"][member]
    theirs, ours = (
        item["metadata"]["output"]["inlinedResponses"]["inlinedResponses"] for item in (recorded, operation)
    )
    assert theirs[1]["error"] == ours[1]["error"]
    assert [item.keys() for item in theirs] == [item.keys() for item in ours]


@pytest.mark.parametrize(("state", "after_s"), [("pending", 0), ("running", 30), ("succeeded", 101)])
def test_inline_operations_as_recorded(emulator: Emulator, state: str, after_s: int) -> None:
    """An inline job has the recorded members in its course, and its answers in the operation itself."""
    recorded = json.loads((_samples() / f"operations/real_inline_2025-12-10_{state}.json").read_text(encoding="utf-8"))
    emulator.faults(job={"seconds": 100})
    name = _inline(emulator, 3).json()["name"]
    emulator.advance(after_s)

    operation = _get(emulator, name).json()

    for shown in (recorded, operation):
        for output in filter(None, (shown["metadata"].get("output"), shown.get("response"))):
            for item in output["inlinedResponses"]["inlinedResponses"]:
                item["response"] = sorted(item["response"])  # what was thought and said differs
    assert _shape(recorded) == _shape(operation)
    assert list(recorded["metadata"]) == list(operation["metadata"])
    assert recorded["metadata"]["batchStats"] == operation["metadata"]["batchStats"]


def test_too_large_a_body_as_recorded(emulator: Emulator) -> None:
    """More than 20 MiB in one request are refused in the recorded words."""
    recorded = json.loads((_samples() / "errors/400_payload_20MiB.json").read_text(encoding="utf-8"))
    url = f"{emulator.url}/v1beta/models/{MODEL}:generateContent"

    refused = HTTP.post(url, headers=KEY, content=b" " * (20 * 1024 * 1024 + 1), timeout=30)

    assert (400, recorded) == (refused.status_code, refused.json())


def test_reply_as_recorded(emulator: Emulator) -> None:
    """A picture's reply has the members of a recorded one of the same model."""
    sample = "TestImageGenerationCapability.test_image_generation_local_fallback_google.0.response.json"
    recorded = json.loads((_samples() / "generate_content" / sample).read_text(encoding="utf-8"))
    body = {
        "contents": [{"parts": [{"text": "an axolotl"}]}],
        "generationConfig": {"responseModalities": ["IMAGE"], "imageConfig": {"imageSize": "1K"}},
    }
    url = f"{emulator.url}/v1beta/models/gemini-3-pro-image:generateContent"

    reply = HTTP.post(url, headers=KEY, json=body, timeout=30).json()

    assert _shape(recorded) == _shape(reply)
    assert recorded["usageMetadata"]["candidatesTokensDetails"] == reply["usageMetadata"]["candidatesTokensDetails"]


def test_unmodified_client_end_to_end(emulator: Emulator) -> None:
    """google-genai uploads, creates, waits, downloads, lists, cancels and deletes without knowing."""
    genai = pytest.importorskip("google.genai")
    options = genai.types.HttpOptions(base_url=emulator.url, api_version="v1beta")
    client = genai.Client(api_key="a-key", http_options=options)
    config = {"display_name": "in", "mime_type": "application/jsonl"}
    stored = client.files.upload(file=io.BytesIO(_lines(3)), config=config)
    job = client.batches.create(model=MODEL, src=stored.name, config={"display_name": "mine"})
    while not job.done:
        job = client.batches.get(name=job.name)
    lines = client.files.download(file=job.dest.file_name).splitlines()

    assert [json.loads(line)["key"] for line in lines] == ["k0", "k1", "k2"]
    assert [item.display_name for item in client.batches.list()] == ["mine"]
    client.batches.cancel(name=job.name)
    client.batches.delete(name=job.name)
    client.files.delete(name=stored.name)
    assert list(client.batches.list()) + list(client.files.list()) == []


def test_headers_as_recorded(emulator: Emulator) -> None:
    """Answers in JSON have the recorded headers, those of the front end's address apart, and come in chunks."""
    yaml = pytest.importorskip("yaml")
    for sample, answer in (
        ("errors/ruby_llm_400_api_key.yml", HTTP.get(f"{emulator.url}/v1beta/files", params={"key": "invalid"})),
        ("operations/ruby_llm_inline_batch_28_exchanges.yml", _inline(emulator, 2)),
    ):
        text = (_samples() / sample).read_text(encoding="utf-8")
        recorded = yaml.safe_load(text)["http_interactions"][0]["response"]["headers"]
        recorded.pop("Alt-Svc")

        assert {name.lower() for name in recorded} == set(answer.headers.keys()) - UNPACKED
        for name in ("Vary", "X-Xss-Protection", "X-Frame-Options", "X-Content-Type-Options", "Transfer-Encoding"):
            assert recorded[name] == answer.headers.get_list(name)
        assert answer.headers["server-timing"].startswith("gfet4t7; dur=")


def test_gzip_for_those_who_take_it(emulator: Emulator) -> None:
    """An answer is packed only for a caller that says so."""
    url = f"{emulator.url}/v1beta/models"
    packed, plain = (HTTP.get(url, headers={**KEY, "accept-encoding": it}) for it in ("gzip, br", "identity"))

    assert ("gzip", None) == (packed.headers.get("content-encoding"), plain.headers.get("content-encoding"))
    assert packed.json() == plain.json()


@pytest.mark.parametrize(("asked", "served"), [({}, "standard"), ({"serviceTier": "flex"}, "flex")])
def test_service_tier(emulator: Emulator, asked: dict[str, Any], served: str) -> None:
    """A reply says in a header and in its usage which tier served it."""
    url = f"{emulator.url}/v1beta/models/{MODEL}:generateContent"

    reply = HTTP.post(url, headers=KEY, json={"contents": [{"parts": [{"text": "say it"}]}], **asked})

    assert served == reply.headers["x-gemini-service-tier"] == reply.json()["usageMetadata"]["serviceTier"]


def test_keys(emulator: Emulator) -> None:
    """No key: 403. A refused key: 400. Another key than the maker's: as if there were nothing. No key in the log."""
    stored = _upload(emulator, b"x")
    url = f"{emulator.url}/v1beta/{stored['name']}"

    statuses = [
        HTTP.get(url).status_code,
        HTTP.get(url, headers={"x-goog-api-key": "invalid"}).status_code,
        HTTP.get(url, headers={"x-goog-api-key": "other"}).status_code,
        HTTP.get(url, params={"key": "a-key"}).status_code,
    ]

    assert statuses == [403, 400, 403, 200]
    assert "a-key" not in json.dumps(emulator.log())
    written = [path.read_bytes() for path in emulator.state.rglob("*") if path.is_file()]
    assert not any(b"a-key" in content for content in written)


def test_download_is_elsewhere_as_recorded(emulator: Emulator) -> None:
    """A file's own address answers 302, with the recorded body and headers; where that leads, the key is needed."""
    recorded = json.loads((_samples() / "download" / "ruby_llm_generated_video_302.json").read_text(encoding="utf-8"))
    first, second = (exchange["response"] for exchange in recorded)
    name = _succeeded(emulator)["response"]["responsesFile"]

    answer = _get(emulator, f"{name}:download?alt=media")
    without_key = HTTP.get(answer.headers["location"])
    with_key = HTTP.get(answer.headers["location"], headers=KEY)

    assert (first["status"]["code"], json.loads(first["body"])) == (answer.status_code, answer.json())
    assert f"{emulator.url}/download/v1beta/{name}:download?alt=media" == answer.headers["location"]
    # The recording also holds the request's own headers, and one of the front end's address.
    echoed = {"x-goog-api-key", "accept", "host", "accept-encoding", "user-agent", "alt-svc"}
    assert {item.lower() for item in first["headers"]} - echoed == set(answer.headers.keys()) - UNPACKED
    assert [403, 200] == [without_key.status_code, with_key.status_code]
    for item in ("Content-Disposition", "Cache-Control", "Vary"):
        assert second["headers"][item] == with_key.headers.get_list(item)
    assert [302, 403, 200] == [call["status"] for call in emulator.log() if call["kind"].startswith("download")]


def test_result_file_is_downloadable_only(emulator: Emulator) -> None:
    """The result file's name is too long for get and delete; both download addresses work; it goes with the batch."""
    operation = _succeeded(emulator)
    name = operation["response"]["responsesFile"]
    recorded = json.loads((_samples() / "errors/400_file_id_40_chars.json").read_text(encoding="utf-8"))

    assert recorded == _get(emulator, name).json()
    assert HTTP.delete(f"{emulator.url}/v1beta/{name}", headers=KEY).status_code == 400
    first = _get(emulator, f"{name}:download?alt=media", follow_redirects=True).content
    second = HTTP.get(f"{emulator.url}/download/v1beta/{name}:download?alt=media", headers=KEY).content
    assert first == second and b'"k0"' in first
    HTTP.delete(f"{emulator.url}/v1beta/{operation['name']}", headers=KEY)
    assert _get(emulator, f"{name}:download?alt=media", follow_redirects=True).status_code == 403


def test_files_expire(emulator: Emulator) -> None:
    """After 48 hours a file is gone, for get, list and create."""
    stored = _upload(emulator, _lines())
    emulator.advance(48 * 3600 + 1)

    assert _get(emulator, stored["name"]).status_code == 403
    assert _get(emulator, "files").json() == {}
    assert _post_batch(emulator, stored["name"]).status_code == 403


def test_bodies_in_single_quotes(emulator: Emulator) -> None:
    """The documentation's own curl sends JSON in single quotes, and it is answered."""
    url = f"{emulator.url}/v1beta/models/{MODEL}:generateContent"

    reply = HTTP.post(url, headers=KEY, content=b"{'contents': [{'parts': [{'text': 'it\\'s late'}]}]}")

    assert reply.status_code == 200


def test_changing_a_batch(emulator: Emulator) -> None:
    """PATCH changes the members named by updateMask and answers with the batch."""
    name = _create(emulator, "old").json()["name"]
    url = f"{emulator.url}/v1beta/{name}:updateGenerateContentBatch"

    answer = HTTP.patch(
        url, headers=KEY, params={"updateMask": "display_name,priority"}, json={"displayName": "new", "priority": "3"}
    )

    assert ("new", "3", name) == tuple(answer.json()[member] for member in ("displayName", "priority", "name"))
    assert "new" == _get(emulator, name).json()["metadata"]["displayName"]
    wrong = HTTP.patch(url.replace("Generate", "Embed"), headers=KEY, json={"displayName": "newer"})
    assert 404 == wrong.status_code


@pytest.mark.parametrize("path", ["files:register", f"models/{MODEL}:streamGenerateContent", "tunedModels"])
def test_documented_and_not_emulated(emulator: Emulator, path: str) -> None:
    """What is documented and not emulated answers 501 in the API's form."""
    answer = HTTP.post(f"{emulator.url}/v1beta/{path}", headers=KEY, json={})

    assert (501, "UNIMPLEMENTED") == (answer.status_code, answer.json()["error"]["status"])


def test_embedding_at_once_and_in_a_batch(emulator: Emulator) -> None:
    """embedContent, batchEmbedContents and an inline asyncBatchEmbedContent give the same vector."""
    url = f"{emulator.url}/v1beta/models/gemini-embedding-001"
    item = {"content": {"parts": [{"text": "a lamp"}]}, "outputDimensionality": 4}
    batch = {"displayName": "job", "inputConfig": {"requests": {"requests": [{"request": item, "metadata": {"n": 1}}]}}}

    one = HTTP.post(f"{url}:embedContent", headers=KEY, json=item).json()["embedding"]
    (several,) = HTTP.post(f"{url}:batchEmbedContents", headers=KEY, json={"requests": [item]}).json()["embeddings"]
    name = HTTP.post(f"{url}:asyncBatchEmbedContent", headers=KEY, json={"batch": batch}).json()["name"]
    _get(emulator, name)
    output = _get(emulator, name).json()["metadata"]["output"]

    (answered,) = output["inlinedEmbedContentResponses"]["inlinedResponses"]
    assert one == several == answered["response"]["embedding"]
    assert {"n": 1} == answered["metadata"]


def test_paging(emulator: Emulator) -> None:
    """Batches come newest first, page by page, each once, also when one is deleted on the way."""
    stored = _upload(emulator, _lines())
    names = [_post_batch(emulator, stored["name"], f"job{number}").json()["name"] for number in range(5)]
    first = _get(emulator, "batches?pageSize=2").json()
    HTTP.delete(f"{emulator.url}/v1beta/{names[3]}", headers=KEY)
    second = _get(emulator, "batches", params={"pageSize": "2", "pageToken": first["nextPageToken"]}).json()
    third = _get(emulator, "batches", params={"pageSize": "2", "pageToken": second["nextPageToken"]}).json()

    shown = [[item["name"] for item in page["operations"]] for page in (first, second, third)]
    assert [[names[4], names[3]], [names[2], names[1]], [names[0]]] == shown
    assert "nextPageToken" not in third


def test_lost_answer_of_a_create(emulator: Emulator) -> None:
    """The job exists, once, although the caller saw the connection end."""
    stored = _upload(emulator, _lines())
    emulator.lose_answer("create")
    with pytest.raises(httpx2.TransportError):
        _post_batch(emulator, stored["name"], "paid")

    assert emulator.counts()["created"] == {"paid": 1}
    assert len(_get(emulator, "batches").json()["operations"]) == 1


@pytest.mark.parametrize(
    ("fault", "status", "made"),
    [
        ({"do": "status", "status": 503}, 503, 0),
        ({"do": "status_after", "status": 500}, 500, 1),
        ({"do": "status", "status": 429, "retry_delay_s": 7}, 429, 0),
        ({"do": "hang", "seconds": 0.01}, 200, 1),
        ({"do": "cut_before"}, None, 0),
        ({"do": "cut_after"}, None, 1),
    ],
)
def test_trouble_with_the_nth_call(emulator: Emulator, fault: dict[str, Any], status: int | None, made: int) -> None:
    """Only the second create is hit; whether it took effect is counted."""
    stored = _upload(emulator, _lines())
    emulator.faults(calls=[{"call": "create", "nth": [2], **fault}])

    answers: list[int | None] = []
    for _ in range(3):
        try:
            answers.append(_post_batch(emulator, stored["name"]).status_code)
        except httpx2.TransportError:
            answers.append(None)

    assert [200, status, 200] == answers
    assert 2 + made == emulator.count("created")
    assert emulator.count("create") == 3


def test_download_cut_and_resumed(emulator: Emulator) -> None:
    """A download can be cut after so many bytes; the rest is available by Range, or all of it again."""
    name = _succeeded(emulator, 5)["response"]["responsesFile"]
    path = f"../download/v1beta/{name}:download?alt=media"
    whole = _get(emulator, path).content
    emulator.faults(calls=[{"call": "download", "nth": [1], "do": "cut_at", "after_bytes": 100}])
    with pytest.raises(httpx2.TransportError):
        _get(emulator, path)

    rest = HTTP.get(f"{emulator.url}/v1beta/{path}", headers={**KEY, "Range": "bytes=100-"})

    assert rest.status_code == 206
    assert whole[100:] == rest.content
    assert whole == _get(emulator, path).content


def test_killed_and_restarted(emulator: Emulator) -> None:
    """After SIGKILL the server comes back at the same address with its jobs, files and log."""
    operation = _create(emulator).json()
    url = emulator.url
    emulator.kill()

    assert url == emulator.start()
    assert _get(emulator, operation["name"]).json()["metadata"]["state"] == "BATCH_STATE_PENDING"
    assert _get(emulator, operation["name"]).json()["metadata"]["state"] == "BATCH_STATE_SUCCEEDED"
    assert emulator.count("create") == 1


def test_two_callers_get_one_server(tmp_path: Path) -> None:
    """Starting from two threads at once gives the same address; when stopped it is gone."""
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(launch.ensure(tmp_path))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(found)) == 1 and len(found) == 2
    assert launch.stop(tmp_path)
    assert launch.running(tmp_path) == ""


def test_start_that_fails_says_why(tmp_path: Path) -> None:
    """A server that cannot start is reported with the end of its log."""
    with pytest.raises(launch.EmulatorDidNotStart, match="absent"):
        launch.ensure(tmp_path, ["--faults", str(tmp_path / "absent.json")])


def test_leaves_when_idle(tmp_path: Path) -> None:
    """With --idle-exit the server goes away by itself and takes its server.json along."""
    launch.ensure(tmp_path, ["--idle-exit", "0.2"])
    about = tmp_path / launch.SERVER_FILE
    waited = threading.Event()
    for _ in range(500):
        if not about.exists():
            break
        waited.wait(0.02)

    assert not about.exists()


def test_campaign_hits_some_calls(emulator: Emulator) -> None:
    """A campaign drawn from a seed troubles some calls, and the log says which."""
    emulator.seed(4, calls=0.5, kinds=["file_list"])
    for _ in range(12):
        try:
            _get(emulator, "files")
        except httpx2.TransportError:
            continue

    troubled = [call for call in emulator.log("file_list") if "fault" in call]
    assert 0 < len(troubled) < 12


def test_admin_refuses_nonsense(emulator: Emulator) -> None:
    """A wrong plan is refused in words and changes nothing."""
    before = HTTP.get(f"{emulator.url}/admin/faults").json()
    with pytest.raises(ValueError, match="explode"):
        emulator.faults(calls=[{"call": "create", "do": "explode"}])

    assert before == HTTP.get(f"{emulator.url}/admin/faults").json()
