"""Jobs and files as the Gemini API writes them, read as the neutral types."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from chargen.base.tolerant import as_count, as_map, as_maps, as_text
from chargen.providers.base import RemoteFile, RemoteJob

_INLINED = "inlinedResponses"


def read_job(data: dict[str, Any]) -> RemoteJob:
    """Read an operation as ``GET /v1beta/batches/{id}`` answers it, whatever is missing, null or odd in it."""
    metadata = as_map(data.get("metadata"))
    stats = as_map(metadata.get("batchStats"))
    error = as_map(data.get("error"))
    successful, failed = as_count(stats.get("successfulRequestCount")), as_count(stats.get("failedRequestCount"))
    output = as_map(metadata.get("output")) or as_map(data.get("response"))
    return RemoteJob(
        name=as_text(data.get("name")) or as_text(metadata.get("name")),
        display_name=as_text(metadata.get("displayName")),
        state=as_text(metadata.get("state")).removeprefix("BATCH_STATE_").removeprefix("JOB_STATE_"),
        model=as_text(metadata.get("model")).removeprefix("models/"),
        created=as_text(metadata.get("createTime")),
        updated=as_text(metadata.get("updateTime")),
        ended=as_text(metadata.get("endTime")),
        requests=as_count(stats.get("requestCount")),
        done=successful + failed,
        failed=failed,
        request_file=as_text(as_map(metadata.get("inputConfig")).get("fileName")),
        responses_file=as_text(output.get("responsesFile")),
        inlined=output.get(_INLINED) is not None,
        error_code=as_count(error.get("code")),
        error=as_text(error.get("message")),
        raw=_without_answers(data),
        answers=tuple(_answers(output)),
    )


def _answers(output: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield inlined answers, as small jobs have them at times, in the form of a result file's lines."""
    answers = output.get(_INLINED)
    for answer in as_maps(answers.get(_INLINED) if isinstance(answers, dict) else answers):
        key = as_map(answer.get("metadata")).get("key")
        yield {name: item for name, item in answer.items() if name != "metadata"} | ({"key": key} if key else {})


def _without_answers(data: dict[str, Any]) -> dict[str, Any]:
    """Return *data* without inlined answers, which can be large."""
    raw = dict(data)
    metadata = as_map(raw.get("metadata"))
    if as_map(metadata.get("output")).get(_INLINED) is not None:
        raw["metadata"] = metadata | {"output": metadata["output"] | {_INLINED: {}}}
    if as_map(raw.get("response")).get(_INLINED) is not None:
        raw["response"] = raw["response"] | {_INLINED: {}}
    return raw


def read_file(data: dict[str, Any]) -> RemoteFile:
    """Read a file as the Files API answers it; its hash is base64 of the hex digest's text."""
    try:
        sha256 = base64.b64decode(as_text(data.get("sha256Hash"))).decode("ascii", "replace")
    except (binascii.Error, ValueError):
        sha256 = ""
    return RemoteFile(
        name=as_text(data.get("name")),
        uri=as_text(data.get("uri")),
        display_name=as_text(data.get("displayName")),
        mime=as_text(data.get("mimeType")),
        bytes=as_count(data.get("sizeBytes")),
        sha256=sha256,
        created=as_text(data.get("createTime")),
        expires=as_text(data.get("expirationTime")),
        state=as_text(data.get("state")),
    )
