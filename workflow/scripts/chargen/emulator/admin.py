"""``/admin``: look at what was called, script trouble, move the clock. No key needed, JSON in and out."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import chargen
from chargen.base.errors import ChargenError
from chargen.emulator import fault_plan, faults, guard
from chargen.emulator.clock import rfc3339
from chargen.emulator.errors import ApiError
from chargen.emulator.world import World, fingerprint

_NO_GUESS = {"x-content-type-options": "nosniff"}
Endpoint = Callable[[World, Request], Awaitable[dict[str, Any]]]


class BadAdminCall(ChargenError):
    """An admin request that cannot be followed."""


def routes(world: World) -> list[Route]:
    """The admin routes over *world*."""
    return [_route(world, path, method, answer) for path, method, answer in ENDPOINTS]


async def _health(world: World, request: Request) -> dict[str, Any]:
    return {"pid": os.getpid(), "version": chargen.__version__, "state": str(world.store.folder)}


async def _log(world: World, request: Request) -> dict[str, Any]:
    after = request.query_params.get("after", "0")
    return {"calls": world.store.calls(int(after) if after.isdigit() else 0)}


async def _counts(world: World, request: Request) -> dict[str, Any]:
    active = sum(1 for job in world.batches.jobs.values() if not job.state)
    return {
        "calls": dict(world.call_counts),
        "created": dict(world.batches.created),
        "files": len(world.files.stored),
        "batches": len(world.batches.jobs),
        "batches_not_ended": active,
    }


async def _executed(world: World, request: Request) -> dict[str, Any]:
    return {"jobs": world.batches.executed()}


async def _show_faults(world: World, request: Request) -> dict[str, Any]:
    return world.trouble.plan.as_json()


async def _set_faults(world: World, request: Request) -> dict[str, Any]:
    data = await _json(request)
    if request.query_params.get("add"):
        world.trouble.follow(
            fault_plan.joined(world.trouble.plan, fault_plan.read(data, _without_lists(world.trouble.plan)))
        )
    else:
        world.trouble.follow(fault_plan.read(data, world.trouble.initial))
    return world.trouble.plan.as_json()


async def _seed(world: World, request: Request) -> dict[str, Any]:
    campaign = {"calls": 0.1, "lines": 0.05, **await _json(request)}
    world.trouble.follow(fault_plan.read({"campaign": campaign}, world.trouble.plan))
    return world.trouble.plan.as_json()


async def _clock(world: World, request: Request) -> dict[str, Any]:
    data = await _json(request)
    seconds = data.get("advance_s", 0)
    if not isinstance(seconds, int | float) or seconds < 0:
        raise BadAdminCall("clock: advance_s must be a number of seconds, not negative")
    world.batches.settle()
    world.advance(seconds)
    world.batches.settle()
    return {"now": rfc3339(world.clock.now_ns()), "ahead_s": world.clock.offset_ns / 1e9}


async def _end_jobs(world: World, request: Request) -> dict[str, Any]:
    data = await _json(request)
    state = str(data.get("state", "SUCCEEDED"))
    if state not in faults.ENDS:
        raise BadAdminCall(f"jobs: state must be one of {', '.join(faults.ENDS)}, not {state!r}")
    pattern = str(data.get("display_name", "*"))
    error = None
    if state != "SUCCEEDED":
        error = {"code": data.get("code", 13), "message": data.get("message", "internal error")}
    world.batches.settle()
    ended = []
    for job in list(world.batches.jobs.values()):
        if not job.state and faults.glob(job.display_name, pattern):
            world.batches.end(job, state, error)
            ended.append(f"batches/{job.id}")
    return {"ended": ended}


async def _vanish(world: World, request: Request) -> dict[str, Any]:
    data = await _json(request)
    places, calls, seconds = data.get("from", []), data.get("calls", 0), data.get("seconds", 0)
    if not isinstance(places, list) or not set(places) <= set(faults.PLACES):
        raise BadAdminCall(f"vanish: from must be a list of {', '.join(faults.PLACES)}")
    if not isinstance(calls, int) or not isinstance(seconds, int | float) or min(calls, seconds) < 0:
        raise BadAdminCall("vanish: calls and seconds must be numbers, not negative")
    return {"vanished": world.batches.vanish(str(data.get("display_name", "*")), places, calls, seconds)}


async def _expire(world: World, request: Request) -> dict[str, Any]:
    data = await _json(request)
    return {"expired": world.files.expire(str(data.get("files", "*")))}


async def _plant(world: World, request: Request) -> dict[str, Any]:
    data = await _json(request)
    owner = fingerprint(str(data.get("key", "")))
    for item in data.get("files", []):
        world.files.plant(owner, item)
    for item in data.get("batches", []):
        world.batches.plant(owner, item)
    return {}


async def _reset(world: World, request: Request) -> dict[str, Any]:
    world.reset()
    return {}


ENDPOINTS: tuple[tuple[str, str, Endpoint], ...] = (
    ("/admin/health", "GET", _health),
    ("/admin/log", "GET", _log),
    ("/admin/counts", "GET", _counts),
    ("/admin/executed", "GET", _executed),
    ("/admin/faults", "GET", _show_faults),
    ("/admin/faults", "POST", _set_faults),
    ("/admin/seed", "POST", _seed),
    ("/admin/clock", "POST", _clock),
    ("/admin/jobs", "POST", _end_jobs),
    ("/admin/vanish", "POST", _vanish),
    ("/admin/expire", "POST", _expire),
    ("/admin/plant", "POST", _plant),
    ("/admin/reset", "POST", _reset),
)


def _route(world: World, path: str, method: str, answer: Endpoint) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            if wrong := guard.wrong_content(request.headers, curl=True):
                raise wrong
            return _answer(await answer(world, request))
        except ChargenError as error:
            return _answer({"error": str(error)}, 400)
        except ApiError as error:
            return _answer({"error": error.message}, error.code)

    return Route(path, endpoint, methods=[method])


def _answer(body: Any, status: int = 200) -> Response:
    return Response(orjson.dumps(body, option=orjson.OPT_INDENT_2), status, _NO_GUESS, "application/json")


async def _json(request: Request) -> dict[str, Any]:
    body = await request.body()
    try:
        data = orjson.loads(body) if body else {}
    except orjson.JSONDecodeError as error:
        raise BadAdminCall(f"admin: the body is not JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadAdminCall("admin: the body must be a JSON object")
    return data


def _without_lists(plan: fault_plan.Plan) -> fault_plan.Plan:
    return dataclasses.replace(plan, calls=(), lines=())
