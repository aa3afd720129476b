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
from chargen.emulator import faults, guard
from chargen.emulator.clock import rfc3339
from chargen.emulator.errors import ApiError
from chargen.emulator.world import World, fingerprint

_NO_GUESS = {"x-content-type-options": "nosniff"}
Endpoint = Callable[[Request], Awaitable[Response]]


class BadAdminCall(ChargenError):
    """An admin request that cannot be followed."""


def routes(world: World) -> list[Route]:
    """The admin routes over *world*."""

    async def health(request: Request) -> dict[str, Any]:
        return {"pid": os.getpid(), "version": chargen.__version__, "state": str(world.store.folder)}

    async def log(request: Request) -> dict[str, Any]:
        after = request.query_params.get("after", "0")
        return {"calls": world.store.calls(int(after) if after.isdigit() else 0)}

    async def counts(request: Request) -> dict[str, Any]:
        active = sum(1 for job in world.jobs.values() if not job.state)
        return {
            "calls": dict(world.call_counts),
            "created": dict(world.created),
            "files": len(world.files),
            "batches": len(world.jobs),
            "batches_not_ended": active,
        }

    async def executed(request: Request) -> dict[str, Any]:
        return {"jobs": world.executed()}

    async def show_faults(request: Request) -> dict[str, Any]:
        return world.plan.as_json()

    async def set_faults(request: Request) -> dict[str, Any]:
        data = await _json(request)
        if request.query_params.get("add"):
            world.set_plan(faults.joined(world.plan, faults.read(data, _without_lists(world.plan))))
        else:
            world.set_plan(faults.read(data, world.initial))
        return world.plan.as_json()

    async def seed(request: Request) -> dict[str, Any]:
        campaign = {"calls": 0.1, "lines": 0.05, **await _json(request)}
        world.set_plan(faults.read({"campaign": campaign}, world.plan))
        return world.plan.as_json()

    async def clock(request: Request) -> dict[str, Any]:
        data = await _json(request)
        seconds = data.get("advance_s", 0)
        if not isinstance(seconds, int | float) or seconds < 0:
            raise BadAdminCall("clock: advance_s must be a number of seconds, not negative")
        world.settle()
        world.advance(seconds)
        world.settle()
        return {"now": rfc3339(world.clock.now_ns()), "ahead_s": world.clock.offset_ns / 1e9}

    async def end_jobs(request: Request) -> dict[str, Any]:
        data = await _json(request)
        state = str(data.get("state", "SUCCEEDED"))
        if state not in faults.ENDS:
            raise BadAdminCall(f"jobs: state must be one of {', '.join(faults.ENDS)}, not {state!r}")
        pattern = str(data.get("display_name", "*"))
        error = None
        if state != "SUCCEEDED":
            error = {"code": data.get("code", 13), "message": data.get("message", "internal error")}
        world.settle()
        ended = []
        for job in list(world.jobs.values()):
            if not job.state and faults.glob(job.display_name, pattern):
                world.end_batch(job, state, error)
                ended.append(f"batches/{job.id}")
        return {"ended": ended}

    async def vanish(request: Request) -> dict[str, Any]:
        data = await _json(request)
        places, calls, seconds = data.get("from", []), data.get("calls", 0), data.get("seconds", 0)
        if not isinstance(places, list) or not set(places) <= set(faults.PLACES):
            raise BadAdminCall(f"vanish: from must be a list of {', '.join(faults.PLACES)}")
        if not isinstance(calls, int) or not isinstance(seconds, int | float) or min(calls, seconds) < 0:
            raise BadAdminCall("vanish: calls and seconds must be numbers, not negative")
        return {"vanished": world.vanish(str(data.get("display_name", "*")), places, calls, seconds)}

    async def expire(request: Request) -> dict[str, Any]:
        data = await _json(request)
        return {"expired": world.expire_files(str(data.get("files", "*")))}

    async def plant(request: Request) -> dict[str, Any]:
        data = await _json(request)
        owner = fingerprint(str(data.get("key", "")))
        for item in data.get("files", []):
            world.plant_file(owner, item)
        for item in data.get("batches", []):
            world.plant_batch(owner, item)
        return {}

    async def reset(request: Request) -> dict[str, Any]:
        world.reset()
        return {}

    return [
        _route("/admin/health", "GET", health),
        _route("/admin/log", "GET", log),
        _route("/admin/counts", "GET", counts),
        _route("/admin/executed", "GET", executed),
        _route("/admin/faults", "GET", show_faults),
        _route("/admin/faults", "POST", set_faults),
        _route("/admin/seed", "POST", seed),
        _route("/admin/clock", "POST", clock),
        _route("/admin/jobs", "POST", end_jobs),
        _route("/admin/vanish", "POST", vanish),
        _route("/admin/expire", "POST", expire),
        _route("/admin/plant", "POST", plant),
        _route("/admin/reset", "POST", reset),
    ]


def _route(path: str, method: str, answer: Callable[[Request], Awaitable[dict[str, Any]]]) -> Route:
    async def endpoint(request: Request) -> Response:
        try:
            if wrong := guard.wrong_content(request.headers, curl=True):
                raise wrong
            return _answer(await answer(request))
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


def _without_lists(plan: faults.Plan) -> faults.Plan:
    return dataclasses.replace(plan, calls=(), lines=())
