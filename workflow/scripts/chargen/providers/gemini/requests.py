"""The body of a request line, in the documented snake_case shape."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chargen.analysis.form import in_field
from chargen.providers.base import Request, SentRequest
from chargen.records.batch import BatchPlan

Json = dict[str, Any]


def body(plan: BatchPlan, request: Request, pictures: Sequence[Json]) -> Json:
    """Return the body of *request*; *pictures* are the parts of what is sent along, in order, and go first.

    ``store`` stands beside the contents, and outranks what the project is set to
    (https://ai.google.dev/gemini-api/docs/logs-datasets; google-genai writes it there, for batches too).
    """
    content: Json = {
        "contents": [{"role": "user", "parts": [*_labelled(request.labels, pictures), {"text": request.text}]}],
        "generation_config": _config(plan, request),
        "store": plan.store_requests,
    }
    if plan.safety_settings:
        content["safety_settings"] = list(plan.safety_settings)
    return content


def _labelled(labels: Sequence[str], pictures: Sequence[Json]) -> Iterator[Json]:
    """Yield the pictures, each behind its label."""
    for index, picture in enumerate(pictures):
        if index < len(labels):
            yield {"text": labels[index]}
        yield picture


def _config(plan: BatchPlan, request: Request) -> Json:
    if request.form is not None:
        form = in_field(request.form_field, dict(request.form))
        return {"response_mime_type": "application/json", request.form_field: form, **_parameters(plan)}
    return {
        "response_modalities": ["IMAGE"],
        **_parameters(plan),
        "image_config": {"aspect_ratio": request.aspect_ratio, "image_size": request.image_size},
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
