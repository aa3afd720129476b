"""What a task asks of the API, by operation: the body of its request line, in the documented snake_case shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chargen.analysis.form import form, in_field, in_words, sendable
from chargen.providers.base import SentRequest
from chargen.records.batch import BatchPlan, Task
from chargen.records.extras import AnalysisExtra

Json = dict[str, Any]


def body(plan: BatchPlan, task: Task, pictures: Sequence[Json]) -> Json:
    """Return the request of *task*; *pictures* are the parts of its references, in order, and go first.

    ``store`` stands beside the contents, and outranks what the project is set to
    (https://ai.google.dev/gemini-api/docs/logs-datasets; google-genai writes it there, for batches too).
    """
    if plan.operation == "analyze":
        extra = task.extra_as(AnalysisExtra)
        wanted = sendable(form(extra.kind, len(extra.traits)))
        parts = [*pictures, {"text": f"{task.prompt}\n\n{in_words(wanted)}"}]
        config = _for_text(plan, extra.schema_field, wanted)
    else:
        parts = [*pictures, {"text": task.prompt}]
        config = _for_picture(plan, task)
    request: Json = {
        "contents": [{"role": "user", "parts": parts}],
        "generation_config": config,
        "store": plan.store_requests,
    }
    if plan.safety_settings:
        request["safety_settings"] = list(plan.safety_settings)
    return request


def _for_picture(plan: BatchPlan, task: Task) -> Json:
    return {
        "response_modalities": ["IMAGE"],
        **_parameters(plan),
        "image_config": {"aspect_ratio": task.aspect_ratio, "image_size": task.image_size},
    }


def _for_text(plan: BatchPlan, field: str, wanted: Json) -> Json:
    return {
        "response_mime_type": "application/json",
        field: in_field(field, wanted),
        **_parameters(plan),
    }


def _parameters(plan: BatchPlan) -> Json:
    """The plan's parameters, named and nested as the API has them."""
    config: Json = {}
    for name, value in plan.parameters.items():
        match name:
            case "thinking_level":
                config["thinking_config"] = {"thinking_level": value.upper()}
            case "media_resolution":
                config["media_resolution"] = f"MEDIA_RESOLUTION_{value.upper()}"
            case _:
                config[name] = value
    return config


def file_part(uri: str, mime: str) -> Json:
    """Return the part of a request that names an uploaded file."""
    return {"file_data": {"file_uri": uri, "mime_type": mime}}


def read(line: Mapping[str, Any]) -> SentRequest:
    """Return what a line of a request file says. Raises KeyError or TypeError for what is none."""
    request = line["request"]
    parts = (part for content in request["contents"] for part in content["parts"])
    addresses = frozenset(part["file_data"]["file_uri"] for part in parts if "file_data" in part)
    return SentRequest(line["key"], addresses, request.get("store"))
