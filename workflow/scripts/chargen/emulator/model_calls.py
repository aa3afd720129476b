"""Calls on models: the list, what they answer at once, and the creation of batches."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request

from chargen.emulator import errors, jobs
from chargen.emulator.batch_calls import batch_message
from chargen.emulator.calls import Call, Json
from chargen.emulator.errors import invalid
from chargen.emulator.paging import page
from chargen.emulator.requests import check_fields
from chargen.emulator.world import INLINE_LIMIT

_CREATES = {"batchGenerateContent": jobs.GENERATE, "asyncBatchEmbedContent": jobs.EMBED}
_MODEL_KINDS = {
    **dict.fromkeys(_CREATES, "create"),
    "countTokens": "count_tokens",
    "embedContent": "embed",
    "batchEmbedContents": "embed",
}
_DOCUMENTED = ("streamGenerateContent", "generateAnswer", "predict", "predictLongRunning")  # not emulated


def model_kind(request: Request) -> str:
    """The kind of a call on a model, by its verb."""
    verb = str(request.path_params["id"]).partition(":")[2]
    return _MODEL_KINDS.get(verb, "generate")


async def model_call(call: Call) -> Any:
    """Create a batch, or answer at once."""
    model, _, verb = str(call.request.path_params["id"]).partition(":")
    call.target = model
    if len(call.body) > INLINE_LIMIT:
        raise invalid(f"Request payload size exceeds the limit: {INLINE_LIMIT} bytes.")
    if verb in _CREATES:
        body = call.json()
        batch = body.get("batch") if isinstance(body, dict) else None
        if not isinstance(batch, dict):
            raise invalid(f"* {verb[0].upper()}{verb[1:]}Request.batch: batch is not specified\n")
        check_fields(body, "BatchRequest")
        job = call.world.batches.create(call.owner, model, call.version, batch_message(batch), _CREATES[verb])
        call.target = job.id
        call.notes["took_effect"] = True
        return Json(job.operation(job.created_ns))
    if verb == "generateContent":
        body = call.world.models.reply(call.owner, model, call.version, call.json())
        return Json(body, headers={"x-gemini-service-tier": body["usageMetadata"]["serviceTier"]})
    if verb == "countTokens":
        return Json(call.world.models.count_tokens(model, call.version, call.json()))
    if verb in ("embedContent", "batchEmbedContents"):
        return Json(call.world.models.embed(model, call.version, call.json(), verb))
    if verb in _DOCUMENTED:
        raise errors.not_implemented(f"models.{verb}")
    raise errors.no_such_model(model, call.version, verb or "this method", call.world.trouble.plan.api.list_method)


async def model_list(call: Call) -> Any:
    """models.list."""
    today, known = call.world.models.today, call.world.models.catalogue.models.values()
    models = sorted((model for model in known if not model.is_shut_down(today)), key=lambda model: model.id)
    found, following = page(call, models, lambda _: 0, 50, 1000)
    return Json({"models": [model.listing() for model in found]} | following)


async def model_get(call: Call) -> Any:
    """models.get."""
    model = call.world.models.serving(str(call.request.path_params["id"]), call.version, "getModel")
    return Json(model.listing())
