"""The HTTP face of the emulated service: routes, headers, paging, and the place where calls go wrong on
purpose.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chargen.emulator import (
    admin,
    batch_calls,
    errors,
    file_calls,
    guard,
    model_calls,
    wrong_answers,
)
from chargen.emulator.calls import Call, Json, error_answer
from chargen.emulator.clock import rfc3339
from chargen.emulator.errors import ApiError
from chargen.emulator.wire import CutConnection
from chargen.emulator.world import INLINE_LIMIT, World, fingerprint

_OTHER_RESOURCES = ("tunedModels", "cachedContents", "fileSearchStores", "corpora", "interactions", "operations")
Handler = Callable[[Call], Awaitable[Any]]


class Service:
    """Binds a World to routes."""

    def __init__(self, world: World, invalid_keys: frozenset[str]) -> None:
        self.world = world
        self._invalid_keys = invalid_keys
        self.last_call = time.monotonic()
        self.busy = 0

    def app(self) -> ASGIApp:
        """The ASGI application; notes when it was last used, by those who may."""
        routed = self._routed()

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if refused := guard.turned_away(Headers(scope=scope)):
                await error_answer(refused)(scope, receive, send)
                return
            self.busy += 1
            try:
                await routed(scope, receive, send)
            finally:
                self.busy -= 1
                self.last_call = time.monotonic()

        return app

    def _routed(self) -> Starlette:
        call = self._route
        files, batches = "/{version}/files", "/{version}/batches"
        routes = [
            call("/upload/{version}/files", ["POST", "PUT"], file_calls.upload_kind, file_calls.upload),
            call(files, ["GET"], "file_list", file_calls.file_list),
            call(files + ":register", ["POST"], "register", file_calls.file_register),
            call(files + "/{id}", ["GET"], file_calls.file_kind, file_calls.file_get),
            call(files + "/{id}", ["DELETE"], "file_delete", file_calls.file_delete),
            call("/download/{version}/files/{id}", ["GET"], "download", file_calls.file_get),
            call(batches, ["GET"], "list", batch_calls.batch_list),
            call(batches + "/{id}", ["GET"], "get", batch_calls.batch_get),
            call(batches + "/{id}", ["DELETE"], "delete", batch_calls.batch_delete),
            call(batches + "/{id}", ["POST"], "cancel", batch_calls.batch_cancel),
            call(batches + "/{id}", ["PATCH"], "update", batch_calls.batch_update),
            call("/{version}/models", ["GET"], "model_list", model_calls.model_list),
            call("/{version}/models/{id}", ["GET"], "model_get", model_calls.model_get),
            call("/{version}/models/{id}", ["POST"], model_calls.model_kind, model_calls.model_call),
            *admin.routes(self.world),
        ]
        return Starlette(routes=routes, exception_handlers={404: _no_route, 405: _no_route, Exception: _broken})

    # -- the way of every call --

    def _route(self, path: str, methods: list[str], kind: str | Callable[[Request], str], handler: Handler) -> Route:
        async def endpoint(request: Request) -> Any:
            call = Call(kind if isinstance(kind, str) else kind(request), request, self.world)
            return await self._guarded(call, handler)

        return Route(path, endpoint, methods=methods)

    async def _guarded(self, call: Call, handler: Handler) -> Any:
        began, started = self.world.clock.now_ns(), time.monotonic()
        answer: Any
        try:
            if call.kind != "upload_chunk":
                call.body = await call.request.body()
                if call.body and (wrong := guard.wrong_content(call.request.headers)):
                    raise wrong
            self._identify(call)
            answer = await self._troubled(call, handler)
        except ApiError as error:
            answer = error_answer(error, call.notes.pop("headers", None))
        except ClientDisconnect:
            answer = CutConnection()
        if isinstance(answer, Json):
            answer.pack(call.request.headers.get("accept-encoding", ""))
            answer.took(time.monotonic() - started)
        self._log(call, began, answer.status_code)
        return answer

    async def _troubled(self, call: Call, handler: Handler) -> Any:
        fault = call.fault = self.world.trouble.call_fault(call.kind, call.display_name)
        if fault is None or fault.do == "cut_at":
            return await self._handled(call, handler)
        if fault.do == "redirect" and wrong_answers.REDIRECTED in call.request.query_params:
            return await self._handled(call, handler)
        if fault.do in ("status", "deny", "redirect"):
            await _drained(call)
            return wrong_answers.refusal(call, fault)
        if fault.do == "cut_before":
            return CutConnection()
        if fault.do == "hang":
            await asyncio.sleep(fault.seconds)
        answer = await self._handled(call, handler)
        if fault.do == "hang_after":
            await asyncio.sleep(fault.seconds)
        if fault.do == "cut_after":
            return CutConnection()
        if fault.do == "status_after":
            return wrong_answers.refusal(call, fault)
        return wrong_answers.with_wrong_body(answer, fault) if fault.do == "body" else answer

    async def _handled(self, call: Call, handler: Handler) -> Any:
        self.world.batches.settle()
        return await handler(call)

    def _identify(self, call: Call) -> None:
        call.target = str(call.request.path_params.get("id", ""))
        if call.kind in ("upload_chunk", "upload_query"):  # whoever knows the upload's URL may go on with it
            upload = self.world.files.find_upload(call.request.query_params.get("upload_id", ""))
            call.owner, call.display_name = upload.owner, upload.display_name
            return
        key = call.request.headers.get("x-goog-api-key") or call.request.query_params.get("key", "")
        if not key:
            raise errors.no_key()
        if fingerprint(key) in self._invalid_keys:
            raise errors.bad_key()
        call.owner = fingerprint(key)
        if call.kind in ("get", "cancel", "delete", "download"):
            batch_id = call.target.partition(":")[0].removeprefix("batch-")
            call.display_name = self.world.batches.display_name(call.owner, batch_id)
        if call.kind in ("create", "upload_start") and len(call.body) <= INLINE_LIMIT:
            body = call.json()
            about = body.get("batch" if call.kind == "create" else "file") if isinstance(body, dict) else None
            if isinstance(about, dict):
                call.display_name = str(about.get("displayName") or about.get("display_name") or "")

    def _log(self, call: Call, began: int, status: int) -> None:
        entry: dict[str, Any] = {
            "kind": call.kind,
            "time": rfc3339(began),
            "key": call.owner,
            "display_name": call.display_name,
            "target": call.target,
            "status": status,
        }
        if call.fault:
            entry["fault"] = call.fault.do
        self.world.log(entry | call.notes)


async def _drained(call: Call) -> None:
    """Take in what the caller still sends, so that it gets to read the answer."""
    async for _ in call.request.stream():
        pass


async def _broken(request: Request, error: Exception) -> Response:
    return error_answer(ApiError(500, f"The emulator itself failed: {type(error).__name__}: {error}"))


async def _no_route(request: Request, error: Exception) -> Response:
    parts = request.url.path.split("/")
    if len(parts) > 2 and parts[2] in _OTHER_RESOURCES:
        return error_answer(errors.not_implemented(parts[2]))
    return error_answer(ApiError(404, f"The emulator has nothing at {request.method} {request.url.path}."))
