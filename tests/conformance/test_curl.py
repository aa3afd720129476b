"""curl against the emulator, line by line as the API's guides and reference have it, with their quoting and headers."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clients import Outcome, Table
from emulator_fixture import Emulator

pytestmark = pytest.mark.soak

KEY = '-H "x-goog-api-key: $GEMINI_API_KEY"'
JSON = "-H 'Content-Type: application/json'"
# Lines of the batch guide that its reference, or a recording, contradicts: they are sent, and the answer is checked.
LEFT_OUT = {
    "file_name inside of requests": "the reference has fileName beside requests; answered 400",
    "state JOB_STATE_SUCCEEDED": "the API was recorded saying BATCH_STATE_SUCCEEDED",
    ":cancel by GET": "the reference has POST; answered 404",
    ":delete by GET": "the reference has DELETE; answered 404",
}


class Shell:
    """Runs lines of bash in one folder, with the variables of the documentation."""

    def __init__(self, folder: Path, url: str) -> None:
        for tool in ("bash", "curl", "jq"):
            if not shutil.which(tool):
                pytest.fail(f"{tool} is needed: the documentation's lines use it")
        self.folder = folder
        self.env = {"GEMINI_API_KEY": "curl-key", "BASE_URL": url, "PATH": "/usr/local/bin:/usr/bin:/bin"}
        self.passed: list[str] = []

    def run(self, text: str) -> str:
        """What the lines print; ``curl`` reaches this machine without a proxy."""
        command = ["bash", "-euo", "pipefail", "-c", 'curl() { command curl --noproxy "*" "$@"; }\n' + text]
        done = subprocess.run(
            command, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=60
        )
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        return done.stdout

    def check(self, name: str, text: str, holds: Callable[[Any], bool] = bool) -> Any:
        """Run the lines; what they print, read as JSON, must be as *holds* says."""
        said = json.loads(self.run(text) or "null")
        assert holds(said), f"{name}: {said}"
        self.passed.append(name)
        return said


def test_documentation_by_curl(emulator: Emulator, tmp_path: Path, table: Table) -> None:
    """Every call of the guides on batches, files, pictures, tokens, embeddings and models, as a shell sends it."""
    shell = Shell(tmp_path, emulator.url)
    url = "$BASE_URL/v1beta"
    model = f"{url}/models/gemini-3.8-flash"

    _replies(shell, url, model)
    name = _file_batch(shell, url, model)
    _end_of(shell, url, name)
    _inline_batch(shell, url, model)
    _refusals(shell, url, model)

    version = shell.run("curl --version").split()[1]
    table.add(
        Outcome("curl", version, "each call of the guides and the reference", len(shell.passed), LEFT_OUT, "usual")
    )


def _replies(shell: Shell, url: str, model: str) -> None:
    body = '{"contents": [{"parts": [{"text": "Say what a harbour is"}]}]}'
    shell.check(
        "generateContent",
        f"curl \"{model}:generateContent\" {KEY} {JSON} -X POST -d '{body}' 2> /dev/null",
        lambda said: bool(said["candidates"][0]["content"]["parts"][0]["text"]),
    )
    shell.check(
        "generateContent with ?key=",
        f"curl \"{model}:generateContent?key=$GEMINI_API_KEY\" {JSON} -X POST -d '{body}' 2> /dev/null",
        lambda said: bool(said["usageMetadata"]),
    )
    shell.run(
        f'curl -s -X POST "{url}/models/gemini-nano-banana-2.1:generateContent" {KEY} {JSON} '
        '-d \'{"contents": [{"parts": [{"text": "A lamp on a quay"}]}], '
        '"generationConfig": {"imageConfig": {"aspectRatio": "16:9"}}}\' '
        "| jq -r '.candidates[0].content.parts[] | select(.inlineData) | .inlineData.data' "
        "| base64 --decode > lamp.jpg"
    )
    assert (shell.folder / "lamp.jpg").read_bytes().startswith(b"\xff\xd8")
    shell.passed.append("generateContent of a picture, decoded by base64")
    shell.check(
        "generateContent from a picture",
        'if [[ "$(base64 --version 2>&1)" = *"FreeBSD"* ]]; then B64FLAGS="--input"; else B64FLAGS="-w0"; fi\n'
        'echo \'{"contents": [{"parts": [{"text": "What is this?"}, {"inline_data": {"mime_type": "image/jpeg", '
        '"data": "\'$(base64 $B64FLAGS lamp.jpg)\'"}}]}]}\' > request.json\n'
        f"curl \"{model}:generateContent\" {KEY} {JSON} -X POST -d '@request.json' 2> /dev/null",
        lambda said: said["usageMetadata"]["promptTokensDetails"][-1]["modality"] == "IMAGE",
    )
    shell.check(
        "countTokens",
        f"curl -s \"{model}:countTokens\" {KEY} {JSON} -X POST -d '{body}'",
        lambda said: said["totalTokens"] > 0,
    )
    shell.check(
        "embedContent",
        f'curl -s "{url}/models/gemini-embedding-001:embedContent" {KEY} {JSON} '
        '-d \'{"model": "models/gemini-embedding-001", "content": {"parts": [{"text": "A lamp"}]}}\'',
        lambda said: len(said["embedding"]["values"]) == 3072,
    )
    shell.check("models.list", f"curl -s {url}/models?key=$GEMINI_API_KEY", lambda said: len(said["models"]) > 3)
    shell.check("models.get", f"curl -s {model}?key=$GEMINI_API_KEY", lambda said: said["inputTokenLimit"] > 0)


def _file_batch(shell: Shell, url: str, model: str) -> str:
    """A request file of bare requests, its resumable upload, and the job; the job's name."""
    shell.run(
        'echo -e \'{"contents": [{"parts": [{"text": "A tide?"}]}], "generationConfig": {"temperature": 0.7}}\\n'
        '{"contents": [{"parts": [{"text": "Name the parts of a lamp."}]}]}\' > batch_input.tmp'
    )
    file = shell.check(
        "resumable upload",
        'NUM_BYTES=$(wc -c < "batch_input.tmp")\nDISPLAY_NAME=BatchInput\n'
        f'curl "$BASE_URL/upload/v1beta/files" -D "upload-header.tmp" {KEY} '
        '-H "X-Goog-Upload-Protocol: resumable" -H "X-Goog-Upload-Command: start" '
        '-H "X-Goog-Upload-Header-Content-Length: ${NUM_BYTES}" '
        '-H "X-Goog-Upload-Header-Content-Type: application/jsonl" -H "Content-Type: application/jsonl" '
        "-d \"{'file': {'display_name': '${DISPLAY_NAME}'}}\" 2> /dev/null\n"
        'upload_url=$(grep -i "x-goog-upload-url: " "upload-header.tmp" | cut -d" " -f2 | tr -d "\\r")\n'
        'curl "${upload_url}" -H "Content-Length: ${NUM_BYTES}" -H "X-Goog-Upload-Offset: 0" '
        '-H "X-Goog-Upload-Command: upload, finalize" --data-binary "@batch_input.tmp" 2> /dev/null',
        lambda said: said["file"]["displayName"] == "BatchInput",
    )["file"]["name"]
    nested = shell.run(
        f"curl -s {model}:batchGenerateContent -X POST {KEY} {JSON} "
        f"-d \"{{'batch': {{'display_name': 'nested', 'input_config': {{'requests': {{'file_name': '{file}'}}}}}}}}\""
    )
    assert 400 == json.loads(nested)["error"]["code"]
    job = shell.check(
        "batchGenerateContent by file, in single quotes",
        f"curl {model}:batchGenerateContent -X POST {KEY} {JSON} "
        f"-d \"{{'batch': {{'display_name': 'by-file', 'input_config': {{'file_name': '{file}'}}}}}}\" 2> /dev/null",
        lambda said: said["metadata"]["state"] == "BATCH_STATE_PENDING",
    )
    shell.check("files.list", f"curl -s {url}/files {KEY}", lambda said: said["files"][0]["name"] == file)
    shell.check("files.get", f"curl -s {url}/{file} {KEY}", lambda said: said["state"] == "ACTIVE")
    return str(job["name"])


def _end_of(shell: Shell, url: str, name: str) -> None:
    """Look until the job is done, bring its results, delete it."""
    look = f"BATCH_NAME={name}\ncurl {url}/$BATCH_NAME {KEY} {JSON} 2> /dev/null > batch_status.json\n"
    shell.run(look)
    shell.check("batches.get", look + "jq .done batch_status.json", lambda said: said is True)
    assert "BATCH_STATE_SUCCEEDED\n" == shell.run("jq -r '.metadata.state' batch_status.json")
    shell.check(
        "download of the results",
        "responses_file_name=$(jq -r '.response.responsesFile' batch_status.json)\n"
        f"curl $BASE_URL/download/v1beta/$responses_file_name:download?alt=media {KEY} 2> /dev/null | jq -s .",
        lambda said: 2 == len(said) and all(item["response"]["candidates"] for item in said),
    )
    for verb in ("cancel", "delete"):
        by_get = f"curl -s -o /dev/null -w '%{{http_code}}' {url}/{name}:{verb} {KEY}"
        assert "404" == shell.run(by_get)
    shell.check("batches.delete", f"curl -s -X DELETE {url}/{name} {KEY}", lambda said: said == {})


def _inline_batch(shell: Shell, url: str, model: str) -> None:
    request = '{"request": {"contents": [{"parts": [{"text": "Describe %s."}]}]}, "metadata": {"key": "request-%d"}}'
    requests = ", ".join(request % pair for pair in (("a quay", 1), ("a gull", 2)))
    batch = f'{{"display_name": "inlined", "input_config": {{"requests": {{"requests": [{requests}]}}}}}}'
    create = (
        f'curl {model}:batchGenerateContent {KEY} -X POST -H "Content-Type:application/json" '
        f"-d '{{\"batch\": {batch}}}' 2> /dev/null"
    )
    name = shell.check("batchGenerateContent with inlined requests", create, lambda said: bool(said["name"]))["name"]
    shell.run(f"curl -s {url}/{name} {KEY}")
    shell.check(
        "results in the operation",
        f"curl -s {url}/{name} {KEY} | jq '.response.inlinedResponses.inlinedResponses'",
        lambda said: [item["metadata"]["key"] for item in said] == ["request-1", "request-2"],
    )
    waiting = json.loads(shell.run(create))["name"]
    shell.check("batches.cancel", f"curl -s -X POST {url}/{waiting}:cancel {KEY} {JSON}", lambda said: said == {})
    shell.check(
        "batches.list",
        f"curl -s {url}/batches?pageSize=1 {KEY}",
        lambda said: said["operations"][0]["metadata"]["state"] == "BATCH_STATE_CANCELLED" and said["nextPageToken"],
    )


def _refusals(shell: Shell, url: str, model: str) -> None:
    shell.check(
        "a wrong key",
        f"curl -s {url}/files -H 'x-goog-api-key: invalid'",
        lambda said: said["error"]["details"][0]["reason"] == "API_KEY_INVALID",
    )
    shell.check("no key", f"curl -s {url}/batches", lambda said: said["error"]["status"] == "PERMISSION_DENIED")
    shell.check(
        "an unknown field",
        f'curl -s {model}:generateContent {KEY} {JSON} -d \'{{"contents": [], "negativePrompt": "dull"}}\'',
        lambda said: 'Unknown name "negativePrompt"' in said["error"]["message"],
    )
