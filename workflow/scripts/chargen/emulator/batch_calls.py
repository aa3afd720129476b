"""Calls on batches: list, get, delete, update and cancel, and the message that creates one."""

from __future__ import annotations

from typing import Any

from chargen.emulator import errors
from chargen.emulator.calls import Call, Json
from chargen.emulator.fields import camel, camel_name
from chargen.emulator.paging import page


async def batch_list(call: Call) -> Any:
    """batches.list; each job shown counts as looked at."""
    jobs = call.world.batches.of_owner(call.owner)
    found, following = page(call, jobs, lambda job: job.created_ns, 10, 1000)
    body: dict[str, Any] = {}
    if found:
        body["operations"] = [call.world.batches.look(job) for job in found]
    return Json(body | following)


async def batch_get(call: Call) -> Any:
    """batches.get."""
    job = call.world.batches.find(call.owner, str(call.request.path_params["id"]), looking=True)
    return Json(call.world.batches.look(job))


async def batch_delete(call: Call) -> Any:
    """batches.delete."""
    batch_id = str(call.request.path_params["id"])
    call.world.delete_batch(call.owner, batch_id)
    return Json({})


async def batch_update(call: Call) -> Any:
    """batches.updateGenerateContentBatch and its like for embeddings."""
    batch_id, _, verb = str(call.request.path_params["id"]).partition(":")
    job = call.world.batches.find(call.owner, batch_id)
    if verb != f"update{job.kind}":
        raise errors.not_found()
    call.target = batch_id
    raw = call.json()
    changes = batch_message(raw) if isinstance(raw, dict) else {}
    query = call.request.query_params
    asked = query.get("updateMask") or query.get("update_mask") or ",".join(raw if isinstance(raw, dict) else ())
    mask = [camel_name(name.strip()) for name in asked.split(",") if name.strip()]
    job = call.world.batches.update(call.owner, batch_id, changes, mask)
    call.display_name = job.display_name
    metadata = call.world.batches.look(job)["metadata"]
    return Json({name: item for name, item in metadata.items() if name != "@type"})


async def batch_cancel(call: Call) -> Any:
    """batches.cancel."""
    batch_id, _, verb = str(call.request.path_params["id"]).partition(":")
    if verb != "cancel":
        raise errors.not_found()
    call.target = batch_id
    call.world.batches.cancel(call.owner, batch_id)
    return Json({})


def batch_message(batch: dict[str, Any]) -> dict[str, Any]:
    """The message in camelCase without touching the requests inside (they may be large)."""
    config = batch.get("inputConfig") or batch.get("input_config") or {}
    plain = camel({name: item for name, item in batch.items() if name not in ("inputConfig", "input_config")})
    named = {
        "fileName": config.get("fileName") or config.get("file_name"),
        "requests": config.get("requests"),
    }
    return {**plain, "inputConfig": named}
