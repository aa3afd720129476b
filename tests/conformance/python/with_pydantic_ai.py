"""Drives the emulator with pydantic-ai's batches (``direct.model_request_batch`` and ``GoogleModel.batch_*``)."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from datetime import timedelta
from importlib.metadata import version

from checking import check, report
from google.genai import Client
from google.genai.types import HttpOptions
from pydantic_ai import BinaryContent, ModelHTTPError, ModelRequest, UserPromptPart
from pydantic_ai.direct import model_request, model_request_batch
from pydantic_ai.models import ModelRequestParameters
from pydantic_ai.models.batch import BatchRequest
from pydantic_ai.models.google import GoogleModel
from pydantic_ai.providers.google import GoogleProvider

POLL = timedelta(seconds=0.05)


def _model(name: str) -> GoogleModel:
    options = HttpOptions(base_url=os.environ["GEMINI_BASE_URL"], api_version="v1beta")
    return GoogleModel(name, provider=GoogleProvider(client=Client(api_key="pydantic-ai-key", http_options=options)))


def _request(name: str, *content: object) -> BatchRequest:
    return BatchRequest(custom_id=name, messages=[ModelRequest(parts=[UserPromptPart(content=[*content])])])


async def _answers() -> None:
    model = _model("gemini-3.8-flash")
    requests = [_request(name, f"say {name}") for name in ("one", "two")]
    answers = await model_request_batch(model, requests, poll_interval=POLL, max_poll_interval=POLL)
    assert [True, True] == [bool(answer.text) for answer in answers], answers


async def _pictures() -> None:
    model = _model("gemini-3-pro-image")
    wanted = ModelRequestParameters(allow_image_output=True)
    drawn = await model_request(model, [ModelRequest.user_text_prompt("a lamp")], model_request_parameters=wanted)
    (picture,) = drawn.images
    assert "image/jpeg" == picture.media_type
    data = BinaryContent(data=picture.data, media_type=picture.media_type)
    request = replace(_request("night", data, "the same at night"), model_request_parameters=wanted)
    (answer,) = await model_request_batch(model, [request], poll_interval=POLL, max_poll_interval=POLL)
    assert ["image/jpeg"] == [image.media_type for image in answer.images], answer


async def _submit_now_collect_later() -> None:
    model = _model("gemini-3.8-flash")
    encoded = [await model.batch_encode(_request(name, f"say {name}")) for name in ("one", "two")]
    batch = await model.batch_create(encoded)
    for _ in range(200):
        batch = await model.batch_status(batch)
        if batch.status == "ended":
            break
        await asyncio.sleep(0.05)
    results = await model.batch_results(batch)
    assert {"one": "succeeded", "two": "succeeded"} == {item.custom_id: item.status for item in results}, results


async def _cancel() -> None:
    model = _model("gemini-3.8-flash")
    batch = await model.batch_create([await model.batch_encode(_request("one", "say one"))])
    batch = await model.batch_cancel(batch)
    assert ("ended", "JOB_STATE_CANCELLED") == (batch.status, batch.provider_details["state"]), batch


async def _errors() -> None:
    model = _model("gemini-3.8-flash")
    (answer,) = await model_request_batch(
        model, [_request("nothing", "")], max_resubmissions=0, poll_interval=POLL, max_poll_interval=POLL
    )
    assert isinstance(answer, ModelHTTPError), answer
    assert 400 == answer.status_code, answer


check("answers of a batch", _answers)
check("a picture, and a batch that sends it", _pictures)
check("create, status, results", _submit_now_collect_later)
check("cancel", _cancel)
check("a request that fails alone", _errors)
report(version=version("pydantic-ai-slim"))
