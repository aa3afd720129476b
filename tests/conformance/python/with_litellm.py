"""Drives the emulator with litellm's files and batches for Gemini, with OpenAI-shaped rows, and completions."""

from __future__ import annotations

import json
import os
import time
from importlib.metadata import version
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # nothing is fetched from elsewhere

import litellm
from checking import check, report

BASE = os.environ["GEMINI_BASE_URL"]
WHERE: dict[str, Any] = {"custom_llm_provider": "gemini", "api_key": "litellm-key", "api_base": BASE}
TEXT = "gemini-3.8-flash"


def _rows() -> bytes:
    rows = [
        {
            "custom_id": name,
            "method": "POST",
            "url": "/v1/chat/completions",
            "body": {"model": TEXT, "messages": [{"role": "user", "content": f"say {name}"}]},
        }
        for name in ("one", "two")
    ]
    return b"\n".join(json.dumps(row).encode() for row in rows)


def _batch() -> None:
    file = litellm.create_file(file=("rows.jsonl", _rows(), "application/jsonl"), purpose="batch", **WHERE)
    batch = litellm.create_batch(
        completion_window="24h", endpoint="/v1/chat/completions", input_file_id=file.id, model=TEXT, **WHERE
    )
    for _ in range(200):
        batch = litellm.retrieve_batch(batch_id=batch.id, model=TEXT, **WHERE)
        if batch.status == "completed":
            break
        time.sleep(0.05)
    assert "completed" == batch.status, batch
    assert (2, 2) == (batch.request_counts.total, batch.request_counts.completed), batch
    content = litellm.file_content(file_id=batch.output_file_id, **WHERE).content
    lines = [json.loads(line) for line in content.splitlines()]
    assert ["one", "two"] == sorted(line["custom_id"] for line in lines), lines
    for line in lines:
        assert 200 == line["response"]["status_code"], line
        assert line["response"]["body"]["choices"][0]["message"]["content"], line


def _files() -> None:
    file = litellm.create_file(file=("note.txt", b"a note", "text/plain"), purpose="user_data", **WHERE)
    found = litellm.file_retrieve(file_id=file.id, **WHERE)
    assert (6, "note.txt") == (found.bytes, found.filename), found
    assert litellm.file_delete(file_id=file.id, **WHERE).deleted


def _completion() -> None:
    reply = litellm.completion(
        model=f"gemini/{TEXT}",
        messages=[{"role": "user", "content": "say hello"}],
        api_key="litellm-key",
        api_base=f"{BASE}/v1beta",
    )
    assert reply.choices[0].message.content
    assert reply.usage.total_tokens > 0


def _refusal() -> None:
    try:
        litellm.create_batch(
            completion_window="24h", endpoint="/v1/chat/completions", input_file_id="nothing", model=TEXT, **WHERE
        )
    except Exception as error:
        assert "403" in str(error) or getattr(error, "status_code", 0) == 403, error
    else:
        raise AssertionError("a job was made of a file that does not exist")


check("batch: upload, create, retrieve, content", _batch)
check("files: create, retrieve, delete", _files)
check("completion", _completion)
check("a batch of a missing file", _refusal)
report(version=version("litellm"))
