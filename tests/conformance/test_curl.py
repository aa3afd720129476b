"""curl against the emulator, as the API's documentation shows it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from emulator_fixture import Emulator

pytestmark = pytest.mark.soak


def _curl(*arguments: str) -> str:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    command = ["curl", "-sS", "--noproxy", "*", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


def test_upload_batch_download(emulator: Emulator, tmp_path: Path) -> None:
    """A resumable upload by hand, a batch from it, and its lines."""
    request = {"contents": [{"parts": [{"text": "say hello"}]}]}
    lines = tmp_path / "requests.jsonl"
    lines.write_text("".join(json.dumps({"key": f"k{n}", "request": request}) + "\n" for n in range(2)))
    size = lines.stat().st_size
    key = ("-H", "x-goog-api-key: curl-key")
    json_body = ("-H", "Content-Type: application/json")
    headers = _curl(
        *(f"{emulator.url}/upload/v1beta/files", "-D", "-", *key, *json_body),
        *("-H", "X-Goog-Upload-Protocol: resumable", "-H", "X-Goog-Upload-Command: start"),
        *("-H", f"X-Goog-Upload-Header-Content-Length: {size}"),
        *("-H", "X-Goog-Upload-Header-Content-Type: application/jsonl"),
        *("-d", json.dumps({"file": {"display_name": "by hand"}})),
    )
    found = re.search(r"x-goog-upload-url: (\S+)", headers, re.IGNORECASE)
    assert found, headers
    uploaded = json.loads(
        _curl(
            *(found[1], "-H", "X-Goog-Upload-Offset: 0", "-H", "X-Goog-Upload-Command: upload, finalize"),
            *("--data-binary", f"@{lines}"),
        )
    )
    batch = {"display_name": "curl", "input_config": {"file_name": uploaded["file"]["name"]}}
    url = f"{emulator.url}/v1beta/models/gemini-3.8-flash:batchGenerateContent"
    operation: dict[str, Any] = json.loads(_curl(url, *key, *json_body, "-d", json.dumps({"batch": batch})))
    for _ in range(2):
        operation = json.loads(_curl(f"{emulator.url}/v1beta/{operation['name']}", *key))
    name = operation["metadata"]["output"]["responsesFile"]

    answered = _curl(f"{emulator.url}/download/v1beta/{name}:download?alt=media", *key).splitlines()

    assert ["k0", "k1"] == [json.loads(line)["key"] for line in answered]
    assert "curl" == operation["metadata"]["displayName"]
