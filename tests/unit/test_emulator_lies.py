"""The emulator's lies over HTTP: wrong bodies, denials, redirects, jobs that vanish, answers that come inlined."""

from __future__ import annotations

import argparse
import base64
import gzip
import json
from typing import Any
from urllib.parse import urlsplit

import google_crc32c
import httpx2
import pytest

from chargen.base.errors import ChargenError
from chargen.emulator import cli, fault_plan, faults
from chargen.emulator.campaign import LIES
from chargen.emulator.wrong_bodies import CONTROL_CHARACTERS
from emulator_fixture import Emulator

MODEL = "gemini-3.8-flash"
HTTP = httpx2.Client(timeout=30, trust_env=False, headers={"x-goog-api-key": "a-key"})


class Api:
    """A job on the emulator, and the calls that concern it."""

    def __init__(self, emulator: Emulator) -> None:
        self.url = f"{emulator.url}/v1beta"

    def upload(self, count: int) -> str:
        """Upload *count* request lines; returns the file's name."""
        lines = [
            json.dumps({"key": f"k{n}", "request": {"contents": [{"parts": [{"text": f"say {n}"}]}]}})
            for n in range(count)
        ]
        data = "\n".join(lines).encode()
        headers = {"X-Goog-Upload-Protocol": "resumable", "X-Goog-Upload-Command": "start"}
        headers |= {"X-Goog-Upload-Header-Content-Type": "application/jsonl"}
        started = HTTP.post(self.url.replace("/v1beta", "/upload/v1beta/files"), headers=headers, json={"file": {}})
        headers = {"X-Goog-Upload-Command": "upload, finalize", "X-Goog-Upload-Offset": "0"}
        done = HTTP.post(started.headers["x-goog-upload-url"], headers=headers, content=data)
        return str(done.json()["file"]["name"])

    def create(self, file_name: str, name: str = "job") -> httpx2.Response:
        batch = {"displayName": name, "inputConfig": {"fileName": file_name}}
        return HTTP.post(f"{self.url}/models/{MODEL}:batchGenerateContent", json={"batch": batch})

    def succeeded(self, count: int = 4) -> str:
        """A job that has ended; returns its name."""
        name = str(self.create(self.upload(count)).json()["name"])
        while "endTime" not in self.get(name).json()["metadata"]:
            pass
        return name

    def get(self, name: str) -> httpx2.Response:
        return HTTP.get(f"{self.url}/{name}")

    def list(self) -> httpx2.Response:
        return HTTP.get(f"{self.url}/batches")

    def listed(self) -> list[str]:
        return [item["name"] for item in self.list().json().get("operations", [])]

    def download(self, name: str) -> httpx2.Response:
        url = f"{self.url}/files/batch-{name.removeprefix('batches/')}:download?alt=media"
        return HTTP.get(url, follow_redirects=True)


@pytest.fixture
def api(emulator: Emulator) -> Api:
    """The emulator as a client sees it."""
    return Api(emulator)


def _fits(answer: httpx2.Response, content: bytes) -> bool:
    return answer.headers.get("x-goog-hash") == f"crc32c={_hash(content)}"


def _hash(content: bytes) -> str:
    return base64.b64encode(google_crc32c.value(content).to_bytes(4, "big")).decode()


def _keys(content: bytes) -> list[str]:
    return [json.loads(line)["key"] for line in content.splitlines()]


def test_download_has_length_hash_and_disposition(api: Api) -> None:
    """A download says its length, its crc32c and that it is an attachment, as recorded; a part has the whole's hash."""
    name = api.succeeded()
    whole = api.download(name)
    url = f"{api.url}/files/batch-{name.removeprefix('batches/')}:download?alt=media"
    part = HTTP.get(url, headers={"Range": "bytes=5-"}, follow_redirects=True)

    assert str(len(whole.content)) == whole.headers["content-length"]
    assert _fits(whole, whole.content)
    assert "attachment" == whole.headers["content-disposition"]
    assert (206, whole.content[5:]) == (part.status_code, part.content)
    assert _fits(part, whole.content)


def test_wrong_downloads(emulator: Emulator, api: Api) -> None:
    """Each wrong body of a download is what its name says, with a length that fits it, and the next one is right."""
    name = api.succeeded()
    right = api.download(name).content
    shown = {}
    for body in faults.DOWNLOAD_BODIES:
        emulator.faults(calls=[{"call": "download", "first": 1, "do": "body", "body": body, "crc32c": "sent"}])
        shown[body] = api.download(name)
        assert right == api.download(name).content, body

    assert {200} == {answer.status_code for answer in shown.values()}
    unsized = {body for body, answer in shown.items() if "content-length" not in answer.headers}
    assert {"half_lines_no_length"} == unsized
    assert b"<html>" in shown["page"].content and "text/html" in shown["page"].headers["content-type"]
    assert b"" == shown["empty"].content
    assert ("gzip", right) == (shown["gzip"].headers["content-encoding"], shown["gzip"].content)
    assert "content-encoding" not in shown["gzip_unmarked"].headers
    assert right == gzip.decompress(shown["gzip_unmarked"].content)
    half = b"".join(right.splitlines(keepends=True)[:2])
    assert half == shown["half_lines"].content == shown["half_lines_no_length"].content
    assert right[: len(right) * 2 // 3] == shown["cut_in_line"].content
    assert not {"k0", "k1", "k2", "k3"} & set(_keys(shown["foreign_keys"].content))
    assert ["k0", "k1", "k2", "k3"] == _keys(shown["foreign_lines"].content)[:4]
    assert 8 == len(_keys(shown["foreign_lines"].content))
    assert right == shown["wrong_hash"].content and not _fits(shown["wrong_hash"], right)
    assert _fits(shown["half_lines"], half)


def test_whose_hash(emulator: Emulator, api: Api) -> None:
    """The hash of a wrong body is the whole file's, its own, or none."""
    name = api.succeeded()
    right = api.download(name).content
    answers = []
    for crc32c in faults.HASHES:
        emulator.faults(calls=[{"call": "download", "do": "body", "body": "half_lines", "crc32c": crc32c}])
        answers.append(api.download(name))

    assert [True, False, False] == [_fits(answer, right) for answer in answers]
    assert [False, True, False] == [_fits(answer, answer.content) for answer in answers]


def test_wrong_answers(emulator: Emulator, api: Api) -> None:
    """Each wrong body of a look at a job is what its name says; the look after it is right."""
    name = api.succeeded()
    right = api.get(name).json()
    shown = {}
    for body in faults.ANSWER_BODIES:
        emulator.faults(calls=[{"call": "get", "first": 1, "do": "body", "body": body}])
        shown[body] = api.get(name)
        assert right == api.get(name).json(), body

    metadata = right["metadata"]
    assert {200} == {answer.status_code for answer in shown.values()}
    assert "text/html" in shown["page"].headers["content-type"]
    assert b"" == shown["empty"].content
    with pytest.raises(ValueError):
        shown["truncated_json"].json()
    assert "metadata" not in shown["other_object"].json()
    assert [right] == shown["json_list"].json()
    assert ("ok", None) == (shown["json_text"].json(), shown["json_null"].json())
    assert [None] * 4 == [
        shown["null_fields"].json()["metadata"][key] for key in ("batchStats", "output", "createTime", "endTime")
    ]
    assert metadata["state"] == shown["null_fields"].json()["metadata"]["state"]
    assert {"@type", "model", "displayName", "state", "name"} == set(shown["missing_fields"].json()["metadata"])
    assert "some" == shown["text_numbers"].json()["metadata"]["batchStats"]["requestCount"]
    assert "True" == shown["text_numbers"].json()["done"]
    assert metadata["displayName"] + CONTROL_CHARACTERS == shown["control_characters"].json()["metadata"]["displayName"]
    assert "displayName" not in shown["no_display_names"].json()["metadata"]


def test_wrong_lists(emulator: Emulator, api: Api) -> None:
    """A list can hold odd members around the right ones, and jobs without display names."""
    name = api.succeeded()
    emulator.faults(calls=[{"call": "list", "nth": [1], "do": "body", "body": "odd_members"}])
    odd = api.list().json()["operations"]
    emulator.faults(calls=[{"call": "list", "do": "body", "body": "no_display_names"}])
    (unnamed,) = api.list().json()["operations"]

    assert [None, 7, "text", [], {}] == odd[:5] == odd[-5:]
    assert name == odd[5]["name"]
    assert (name, False) == (unnamed["name"], "displayName" in unnamed["metadata"])


def test_wrong_body_of_an_error(emulator: Emulator, api: Api) -> None:
    """An error can be of an odd shape too: null, text for numbers, a page, control characters."""
    shown = {}
    for body in ("null_fields", "text_numbers", "page", "control_characters"):
        fault = {"call": "list", "do": "status", "status": 429, "retry_delay_s": 2, "message": "slow", "body": body}
        emulator.faults(calls=[fault])
        shown[body] = api.list()

    assert {429} == {answer.status_code for answer in shown.values()}
    assert {"error": None} == shown["null_fields"].json()
    error = shown["text_numbers"].json()["error"]
    assert "429" == error["code"]
    assert "some" == error["details"][-1]["retryDelay"]
    assert b"<html>" in shown["page"].content
    assert "slow" + CONTROL_CHARACTERS == shown["control_characters"].json()["error"]["message"]


def test_create_that_answers_429_and_took_effect(emulator: Emulator, api: Api) -> None:
    """The job exists although the caller was asked to come again later."""
    file_name = api.upload(1)
    emulator.faults(calls=[{"call": "create", "do": "status_after", "status": 429, "retry_delay_s": 1}])

    answer = api.create(file_name, "paid")

    assert 429 == answer.status_code
    assert "1s" == answer.json()["error"]["details"][-1]["retryDelay"]
    assert {"paid": 1} == emulator.counts()["created"]


def test_wrong_body_of_a_create(emulator: Emulator, api: Api) -> None:
    """A create with an unreadable answer took effect."""
    file_name = api.upload(1)
    emulator.faults(calls=[{"call": "create", "do": "body", "body": "page"}])
    api.create(file_name, "paid")

    assert {"paid": 1} == emulator.counts()["created"]


@pytest.mark.parametrize(
    ("denial", "status", "words"),
    [
        ("firewall", 403, "Access denied"),
        ("proxy", 404, "404 Not Found"),
        ("leaked_key", 403, "Your API key was reported as leaked. Please use another API key."),
        ("unauthorized", 401, "UNAUTHENTICATED"),
        ("gone", 404, "Requested entity was not found."),
    ],
)
def test_denials_that_end(emulator: Emulator, api: Api, denial: str, status: int, words: str) -> None:
    """So many looks are turned down, then all is well; or for so many seconds."""
    name = api.succeeded()
    emulator.faults(calls=[{"call": "get", "do": "deny", "denial": denial, "first": 2}])
    counted = [api.get(name) for _ in range(3)]
    emulator.faults(calls=[{"call": "get", "do": "deny", "denial": denial, "for_s": 100}])
    timed = [api.get(name).status_code, api.get(name).status_code]
    emulator.advance(101)
    timed.append(api.get(name).status_code)

    assert [status, status, 200] == [answer.status_code for answer in counted] == timed
    assert words in counted[0].text
    assert ("text/html" in counted[0].headers["content-type"]) is (denial in ("firewall", "proxy"))


def test_denied_as_gone(emulator: Emulator, api: Api) -> None:
    """A result file that is said to be gone has the API's own words for this very file; a list is empty."""
    name = api.succeeded()
    emulator.faults(calls=[{"call": "*", "do": "deny", "denial": "gone"}])
    download = api.download(name)

    assert 403 == download.status_code
    assert f"access the File batch-{name.removeprefix('batches/')} or" in download.json()["error"]["message"]
    assert {} == api.list().json()


@pytest.mark.parametrize("status", faults.REDIRECTS)
def test_redirects(emulator: Emulator, api: Api, status: int) -> None:
    """A call is sent to the same address once more, to another path, or to another server, and takes no effect."""
    name = api.succeeded()
    places = {}
    for location in ("", "/v1beta/elsewhere", "http://127.0.0.1:9"):
        emulator.faults(calls=[{"call": "get", "do": "redirect", "status": status, "location": location}])
        answer = api.get(name)
        assert status == answer.status_code
        places[location] = answer.headers["location"]

    emulator.faults(calls=[{"call": "get", "do": "redirect", "status": status}])
    assert 200 == HTTP.get(f"{api.url}/{name}", follow_redirects=True).status_code
    host = urlsplit(emulator.url).netloc
    assert (host, f"/v1beta/{name}") == urlsplit(places[""])[1:3]
    assert f"http://{host}/v1beta/elsewhere" == places["/v1beta/elsewhere"]
    assert f"http://127.0.0.1:9/v1beta/{name}" == places["http://127.0.0.1:9"]


def test_redirected_create_makes_nothing(emulator: Emulator, api: Api) -> None:
    """A create that is sent elsewhere has not taken effect here."""
    file_name = api.upload(1)
    emulator.faults(calls=[{"call": "create", "do": "redirect", "status": 307, "location": "http://127.0.0.1:9"}])

    assert 307 == api.create(file_name).status_code
    assert {} == emulator.counts()["created"]


def test_job_that_vanishes_from_its_creation_on(emulator: Emulator, api: Api) -> None:
    """A job is not in the list for so many lists and not found for so many looks, and then it is."""
    vanish = {"seconds": 0, "vanish_from": ["get", "list"], "vanish_calls": 2}
    emulator.faults(job=vanish)
    name = api.create(api.upload(1)).json()["name"]

    assert [404, 404, 200] == [api.get(name).status_code for _ in range(3)]
    assert [[], [], [name]] == [api.listed() for _ in range(3)]


def test_job_that_vanishes_when_it_ends(emulator: Emulator, api: Api) -> None:
    """A result that is ready is not found for a while, by the emulator's clock."""
    vanish = {"vanish_from": ["get", "download"], "vanish_when": "ended", "vanish_seconds": 50}
    emulator.faults(job={"seconds": 0, **vanish})
    name = api.create(api.upload(1)).json()["name"]
    api.listed()

    def seen() -> list[int]:
        return [api.get(name).status_code, api.list().status_code, api.download(name).status_code]

    assert [404, 200, 403] == seen()
    emulator.advance(51)
    assert [200, 200, 200] == seen()


def test_vanish_by_decree(emulator: Emulator, api: Api) -> None:
    """A job that exists can be taken out of sight and brought back, which outlasts a restart."""
    name = api.succeeded()
    assert [name] == emulator.vanish(["get", "list"])
    emulator.restart()
    hidden = (api.get(name).status_code, api.listed())
    emulator.vanish([])

    assert (404, []) == hidden
    assert (200, [name]) == (api.get(name).status_code, api.listed())
    with pytest.raises(ValueError, match="vanish: from"):
        emulator.vanish(["delete"])


def test_inlined_answers_of_a_file_job(emulator: Emulator, api: Api) -> None:
    """A job that was created by file can have its answers in the operation, by metadata.key, and no result file."""
    emulator.faults(job={"seconds": 0}, results={"inlined": True})
    name = api.create(api.upload(3)).json()["name"]
    operation = api.get(name).json()
    answers: list[dict[str, Any]] = operation["response"]["inlinedResponses"]["inlinedResponses"]

    assert "responsesFile" not in operation["response"]
    assert ["k0", "k1", "k2"] == [answer["metadata"]["key"] for answer in answers]
    assert all("response" in answer for answer in answers)
    assert 403 == api.download(name).status_code


def test_executed_requests(emulator: Emulator, api: Api) -> None:
    """What was paid for is known line by line, with its result and when the job was deleted; also after a restart."""
    emulator.faults(
        job={"seconds": 0},
        lines=[{"give": "IMAGE_SAFETY", "nth": [1]}, {"give": "missing", "nth": [2]}, {"give": "error", "nth": [3]}],
    )
    uploaded = api.upload(4)
    name = api.create(uploaded).json()["name"]
    api.get(name)
    HTTP.delete(f"{api.url}/{name}")
    emulator.faults(job={"seconds": 0, "end": "FAILED"})
    api.get(api.create(api.upload(1), "failed").json()["name"])
    emulator.restart()
    (job,) = emulator.executed()

    assert (name, "job") == (job["job"], job["display_name"])
    assert job["created"] <= job["ended"] <= job["deleted"]
    assert [uploaded.removeprefix("files/")] == job["files"]
    came = {line["key"]: line["came"] for line in job["lines"]}
    assert {"k0": "IMAGE_SAFETY", "k1": "missing", "k2": "error", "k3": "answer"} == came
    assert [13] == [line["error"]["code"] for line in job["lines"] if "error" in line]


def test_one_job_is_hit(emulator: Emulator, api: Api) -> None:
    """A fault can be meant for the calls about one job, by its display name."""
    file_name = api.upload(1)
    names = [api.create(file_name, name).json()["name"] for name in ("this", "that")]
    for name in names:
        while "endTime" not in api.get(name).json()["metadata"]:
            pass
    faults_of = [{"call": call, "do": "status", "display_name": "that"} for call in ("get", "download")]
    emulator.faults(calls=faults_of)

    assert [200, 503] == [api.get(name).status_code for name in names]
    assert [200, 503] == [api.download(name).status_code for name in names]


def test_a_campaign_of_lies(emulator: Emulator, api: Api) -> None:
    """A seed with lies turns calls down and bends answers, and the log says which; without them it does not."""
    emulator.seed(5, calls=0.0, lies={"bodies": 0.3, "denials": 0.3}, kinds=["list"])
    for _ in range(60):
        api.list()

    done = {call.get("fault") for call in emulator.log("list")}
    assert {None, "body", "deny"} == done


def test_lies_on_the_command_line() -> None:
    """``--seed`` with ``--lies`` draws every kind with that share; without a seed the option is refused."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)

    plan = fault_plan.read(cli.plan_of(parser.parse_args(["--seed", "7", "--lies", "0.25"])))

    assert (7, dict.fromkeys(LIES, 0.25)) == (plan.campaign.seed, plan.campaign.lies)
    with pytest.raises(ChargenError, match="--lies needs --seed"):
        cli.plan_of(parser.parse_args(["--lies", "0.25"]))
