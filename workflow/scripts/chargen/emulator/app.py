"""The HTTP face of the emulated service: routes, headers, paging, and the place where calls go wrong on
purpose.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import google_crc32c
import orjson
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from chargen.emulator import admin, errors, faults, guard, jobs, lies, relaxed
from chargen.emulator.clock import rfc3339
from chargen.emulator.errors import ApiError, invalid
from chargen.emulator.fields import camel, camel_name
from chargen.emulator.lies import Lie
from chargen.emulator.requests import check_fields
from chargen.emulator.results import Rendering
from chargen.emulator.wire import CutConnection, cut
from chargen.emulator.world import GRANULARITY, INLINE_LIMIT, Upload, World, fingerprint

_PIECE = 1024 * 1024
_PATIENCE_S = 10.0
_REDIRECTED = "redirected"
_JSON = "application/json; charset=UTF-8"
_FRONT_END = {"x-xss-protection": "0", "x-frame-options": "SAMEORIGIN", "x-content-type-options": "nosniff"}
_VARY = (b"Origin", b"Referer", b"X-Origin")
_DOWNLOADED = ((b"content-disposition", b"attachment"), (b"cache-control", b"private, max-age=0"))
_CREATES = {"batchGenerateContent": jobs.GENERATE, "asyncBatchEmbedContent": jobs.EMBED}
_MODEL_KINDS = {
    **dict.fromkeys(_CREATES, "create"),
    "countTokens": "count_tokens",
    "embedContent": "embed",
    "batchEmbedContents": "embed",
}
_DOCUMENTED = ("streamGenerateContent", "generateAnswer", "predict", "predictLongRunning")  # not emulated
_OTHER_RESOURCES = ("tunedModels", "cachedContents", "fileSearchStores", "corpora", "interactions", "operations")
Handler = Callable[["Call"], Awaitable[Any]]


@dataclass
class Call:
    """One request on its way through, and what the log says about it."""

    kind: str
    request: Request
    world: World
    owner: str = ""
    display_name: str = ""
    target: str = ""
    body: bytes = b""
    fault: faults.CallFault | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """``v1``, ``v1beta`` or ``v1alpha``."""
        return str(self.request.path_params.get("version", "v1beta"))

    @property
    def base_url(self) -> str:
        """Scheme, host and version as the caller addressed them: files are named by it."""
        url = self.request.url
        return f"{url.scheme}://{self.request.headers.get('host', url.netloc)}/{self.version}"

    @property
    def cut_at(self) -> int | None:
        """After how many bytes this call is to lose its connection."""
        return self.fault.after_bytes if self.fault and self.fault.do == "cut_at" else None

    def json(self) -> Any:
        """The body as JSON, ``{}`` when empty; ApiError 400."""
        if not self.body:
            return {}
        try:
            return relaxed.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise invalid(f"Invalid JSON payload received. {error}") from None


class Json(Response):
    """JSON in the API's layout: indented, with its content type and the headers of its front end.

    Sent in chunks as the API does, so without a length, unless it ends an upload (``sized``).
    """

    def __init__(
        self, body: Any, status_code: int = 200, headers: dict[str, str] | None = None, *, sized: bool = False
    ) -> None:
        content = orjson.dumps(body, option=orjson.OPT_INDENT_2) + b"\n"
        super().__init__(content, status_code, headers={"content-type": _JSON, **(headers or {})})
        if not sized:
            del self.headers["content-length"]
            self.headers.update(_FRONT_END)
        self.raw_headers += [(b"vary", name) for name in _VARY]

    def pack(self, accepted: str) -> None:
        """Send it in gzip if the caller's ``Accept-Encoding`` has that, as the API does."""
        wanted = any(coding.split(";")[0].strip() == "gzip" for coding in accepted.lower().split(","))
        if wanted and "content-length" not in self.headers:
            self.body = gzip.compress(bytes(self.body), compresslevel=1)
            self.headers["content-encoding"] = "gzip"

    def took(self, seconds: float) -> None:
        """Say in ``Server-Timing`` how long the answer took."""
        if "x-goog-upload-status" not in self.headers:
            self.headers["server-timing"] = f"gfet4t7; dur={max(1, int(seconds * 1000))}"


def error_answer(error: ApiError, headers: dict[str, str] | None = None) -> Json:
    """An ApiError as an HTTP answer."""
    return Json(error.body(), error.code, headers)


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
            call("/upload/{version}/files", ["POST", "PUT"], self._upload_kind, self._upload),
            call(files, ["GET"], "file_list", self._file_list),
            call(files + ":register", ["POST"], "register", self._file_register),
            call(files + "/{id}", ["GET"], self._file_kind, self._file_get),
            call(files + "/{id}", ["DELETE"], "file_delete", self._file_delete),
            call("/download/{version}/files/{id}", ["GET"], "download", self._file_get),
            call(batches, ["GET"], "list", self._batch_list),
            call(batches + "/{id}", ["GET"], "get", self._batch_get),
            call(batches + "/{id}", ["DELETE"], "delete", self._batch_delete),
            call(batches + "/{id}", ["POST"], "cancel", self._batch_cancel),
            call(batches + "/{id}", ["PATCH"], "update", self._batch_update),
            call("/{version}/models", ["GET"], "model_list", self._model_list),
            call("/{version}/models/{id}", ["GET"], "model_get", self._model_get),
            call("/{version}/models/{id}", ["POST"], self._model_kind, self._model_call),
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
        fault = call.fault = self.world.call_fault(call.kind, call.display_name)
        if fault is None or fault.do == "cut_at":
            return await self._handled(call, handler)
        if fault.do == "redirect" and _REDIRECTED in call.request.query_params:
            return await self._handled(call, handler)
        if fault.do in ("status", "deny", "redirect"):
            await _drained(call)
            return _turned_down(call, fault)
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
            return _turned_down(call, fault)
        return _bent(answer, fault) if fault.do == "body" else answer

    async def _handled(self, call: Call, handler: Handler) -> Any:
        self.world.settle()
        return await handler(call)

    def _identify(self, call: Call) -> None:
        call.target = str(call.request.path_params.get("id", ""))
        if call.kind in ("upload_chunk", "upload_query"):  # whoever knows the upload's URL may go on with it
            upload = self.world.find_upload(call.request.query_params.get("upload_id", ""))
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
            call.display_name = self.world.name_of_job(call.owner, batch_id)
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

    # -- uploads and files --

    def _upload_kind(self, request: Request) -> str:
        command = request.headers.get("x-goog-upload-command", "").lower()
        if "query" in command:
            return "upload_query"
        return "upload_chunk" if "upload_id" in request.query_params else "upload_start"

    async def _upload(self, call: Call) -> Any:
        if call.kind == "upload_start":
            return self._upload_start(call)
        upload = self.world.find_upload(call.request.query_params.get("upload_id", ""))
        call.target = upload.file_id
        commands = [item.strip() for item in call.request.headers.get("x-goog-upload-command", "").lower().split(",")]
        if "query" in commands:
            return self._upload_status(upload)
        if "cancel" in commands:
            self.world.cancel_upload(upload)
            return _upload_answer("cancelled")
        return await self._upload_chunk(call, upload, commands)

    def _upload_start(self, call: Call) -> Response:
        headers = call.request.headers
        if headers.get("x-goog-upload-protocol", "").lower() != "resumable":
            raise invalid("The emulator takes resumable uploads only: send X-Goog-Upload-Protocol: resumable.")
        body = camel(call.json())
        about = body.get("file") if isinstance(body, dict) else None
        announced = headers.get("x-goog-upload-header-content-length", "")
        upload = self.world.start_upload(
            call.owner,
            about if isinstance(about, dict) else {},
            headers.get("x-goog-upload-header-content-type", ""),
            int(announced) if announced.isdigit() else 0,
            call.base_url,
        )
        origin = call.base_url.rsplit("/", 1)[0]
        url = f"{origin}/upload/{call.version}/files?upload_id={upload.id}&upload_protocol=resumable"
        return Response(
            status_code=200,
            media_type="text/plain",
            headers={
                "x-goog-upload-chunk-granularity": str(GRANULARITY),
                "x-goog-upload-control-url": url,
                "x-goog-upload-header-content-type": _JSON,
                "x-goog-upload-status": "active",
                "x-goog-upload-url": url,
                "x-guploader-uploadid": upload.id,
            },
        )

    def _upload_status(self, upload: Upload) -> Response:
        if upload.cancelled:
            return _upload_answer("cancelled")
        if upload.file_id:
            stored = self.world.files.get(upload.file_id)
            size = str(stored.size) if stored else ""
            return _upload_answer("final", {"x-goog-upload-size-received": size} if size else {})
        received = self.world.store.upload(upload.id).stat().st_size
        return _upload_answer("active", {"x-goog-upload-size-received": str(received)})

    async def _upload_chunk(self, call: Call, upload: Upload, commands: list[str]) -> Any:
        if upload.file_id or upload.cancelled:
            call.notes["headers"] = {"x-goog-upload-status": "final" if upload.file_id else "cancelled"}
            raise invalid("Upload has already been terminated.")
        path = self.world.store.upload(upload.id)
        received = path.stat().st_size
        offset = call.request.headers.get("x-goog-upload-offset", "")
        if "upload" in commands:
            if offset.isdigit() and int(offset) != received:
                call.notes["headers"] = {"x-goog-upload-status": "active"}
                raise invalid(f"Offset {offset} does not continue the {received} bytes received.")
            whole = await _append(call, path)
            if not whole:
                return CutConnection()
            size = path.stat().st_size
            if "finalize" not in commands and (size - received) % GRANULARITY:
                with path.open("r+b") as target:
                    target.truncate(received)
                call.notes["headers"] = {"x-goog-upload-status": "active"}
                raise invalid(f"A chunk that is not the last must be a multiple of {GRANULARITY} bytes.")
        if "finalize" not in commands:
            return _upload_answer("active", {"x-goog-upload-chunk-granularity": str(GRANULARITY)})
        try:
            stored = self.world.finish_upload(upload)
        except ApiError:
            call.notes["headers"] = {"x-goog-upload-status": "final"}
            raise
        call.target = stored.id
        shown = {"file": stored.shown(upload.base_url)}
        headers = {"x-goog-upload-status": "final", "x-guploader-uploadid": upload.id}
        return Json(shown, headers=headers, sized=True)

    def _file_kind(self, request: Request) -> str:
        return "download_redirect" if str(request.path_params["id"]).endswith(":download") else "file_get"

    async def _file_get(self, call: Call) -> Any:
        file_id = str(call.request.path_params["id"])
        if call.kind == "file_get":
            return Json(self.world.get_file(call.owner, file_id).shown(call.base_url))
        if call.kind == "download_redirect":
            return _see_download(call, file_id)
        file_id = file_id.removesuffix(":download")
        call.target = file_id
        if file_id.startswith("batch-") and len(file_id) == 42:
            made = self.world.result_of(call.owner, file_id.removeprefix("batch-"))
            return Download(made, call.request.headers.get("range", ""), call.cut_at, "application/octet-stream")
        stored = self.world.get_file(call.owner, file_id)
        if stored.source != "GENERATED":
            raise ApiError(400, f"File {file_id} is not a generated file and cannot be downloaded.")
        path = self.world.store.blob(stored.sha256)
        return Download(path, call.request.headers.get("range", ""), call.cut_at, stored.mime_type)

    async def _file_list(self, call: Call) -> Any:
        found, following = _page(call, self.world.list_files(call.owner), lambda item: item.created_ns, 10, 100)
        body: dict[str, Any] = {}
        if found:
            body["files"] = [item.shown(call.base_url) for item in found]
        return Json(body | following)

    async def _file_register(self, call: Call) -> Any:
        raise errors.not_implemented("files.register")

    async def _file_delete(self, call: Call) -> Any:
        self.world.delete_file(call.owner, str(call.request.path_params["id"]))
        return Json({})

    # -- batches --

    async def _batch_list(self, call: Call) -> Any:
        jobs = self.world.list_batches(call.owner)
        found, following = _page(call, jobs, lambda job: job.created_ns, 10, 1000)
        body: dict[str, Any] = {}
        if found:
            body["operations"] = [self.world.look(job) for job in found]
        return Json(body | following)

    async def _batch_get(self, call: Call) -> Any:
        job = self.world.find_batch(call.owner, str(call.request.path_params["id"]), looking=True)
        return Json(self.world.look(job))

    async def _batch_delete(self, call: Call) -> Any:
        batch_id = str(call.request.path_params["id"])
        self.world.delete_batch(call.owner, batch_id)
        return Json({})

    async def _batch_update(self, call: Call) -> Any:
        batch_id, _, verb = str(call.request.path_params["id"]).partition(":")
        job = self.world.find_batch(call.owner, batch_id)
        if verb != f"update{job.kind}":
            raise errors.not_found()
        call.target = batch_id
        raw = call.json()
        changes = _batch_message(raw) if isinstance(raw, dict) else {}
        query = call.request.query_params
        asked = query.get("updateMask") or query.get("update_mask") or ",".join(raw if isinstance(raw, dict) else ())
        mask = [camel_name(name.strip()) for name in asked.split(",") if name.strip()]
        job = self.world.update_batch(call.owner, batch_id, changes, mask)
        call.display_name = job.display_name
        metadata = self.world.look(job)["metadata"]
        return Json({name: item for name, item in metadata.items() if name != "@type"})

    async def _batch_cancel(self, call: Call) -> Any:
        batch_id, _, verb = str(call.request.path_params["id"]).partition(":")
        if verb != "cancel":
            raise errors.not_found()
        call.target = batch_id
        self.world.cancel_batch(call.owner, batch_id)
        return Json({})

    # -- models --

    def _model_kind(self, request: Request) -> str:
        verb = str(request.path_params["id"]).partition(":")[2]
        return _MODEL_KINDS.get(verb, "generate")

    async def _model_call(self, call: Call) -> Any:
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
            job = self.world.create_batch(call.owner, model, call.version, _batch_message(batch), _CREATES[verb])
            call.target = job.id
            call.notes["took_effect"] = True
            return Json(job.operation(job.created_ns))
        if verb == "generateContent":
            body = self.world.reply(call.owner, model, call.version, call.json())
            return Json(body, headers={"x-gemini-service-tier": body["usageMetadata"]["serviceTier"]})
        if verb == "countTokens":
            return Json(self.world.count_tokens(model, call.version, call.json()))
        if verb in ("embedContent", "batchEmbedContents"):
            return Json(self.world.embed(model, call.version, call.json(), verb))
        if verb in _DOCUMENTED:
            raise errors.not_implemented(f"models.{verb}")
        raise errors.no_such_model(model, call.version, verb or "this method", self.world.plan.api.list_method)

    async def _model_list(self, call: Call) -> Any:
        served = (model for model in self.world.catalogue.models.values() if not model.is_shut_down(self.world.today))
        models = sorted(served, key=lambda model: model.id)
        found, following = _page(call, models, lambda _: 0, 50, 1000)
        return Json({"models": [model.listing() for model in found]} | following)

    async def _model_get(self, call: Call) -> Any:
        model = self.world.serving(str(call.request.path_params["id"]), call.version, "getModel")
        return Json(model.listing())


class Download:
    """Bytes of a file, or of one that is still being written; can be cut after ``cut_at`` bytes."""

    def __init__(self, source: Path | Rendering, wanted: str, cut_at: int | None, media_type: str) -> None:
        self.status_code = 200
        self.lie: Callable[[bytes, str], Lie] | None = None
        self.crc32c = "whole"
        self._source = source
        self._range = wanted
        self._cut_at = cut_at
        self._media_type = media_type

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        await self._completed()
        if self.lie is not None:
            await self._send_lie(self.lie, send)
            return
        start, length, headers = await self._extent()
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        sent = 0
        async for piece in self._pieces(start, length):
            if self._cut_at is not None and sent + len(piece) >= self._cut_at:
                piece = piece[: max(0, self._cut_at - sent)]
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await cut(scope, flush=True)
                return
            sent += len(piece)
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        if isinstance(self._source, Rendering) and self._source.failure:
            await cut(scope)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _completed(self) -> None:
        """Wait until the file is complete, so that its length and checksum are known; not for ever, unless a part
        or a wrong body is asked for.
        """
        made = self._source
        if isinstance(made, Path):
            return
        deadline = time.monotonic() + _PATIENCE_S
        while not made.done.is_set() and (self._range or self.lie or time.monotonic() < deadline):
            await asyncio.sleep(0.01)
        if made.done.is_set() and not made.failure:
            self._source = made.path

    async def _send_lie(self, lie: Callable[[bytes, str], Lie], send: Send) -> None:
        whole = self._source.read_bytes() if isinstance(self._source, Path) else b""
        told = lie(whole, self._media_type)
        headers = [(b"content-type", told.media_type.encode())]
        if told.encoding:
            headers.append((b"content-encoding", told.encoding.encode()))
        if told.has_length:
            headers.append((b"content-length", str(len(told.content)).encode()))
        if self.crc32c != "none":
            body = b"another body" if told.wrong_hash else told.content if self.crc32c == "sent" else whole
            headers.append((b"x-goog-hash", _goog_hash(google_crc32c.value(body))))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": told.content, "more_body": not told.has_length})
        if not told.has_length:
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _extent(self) -> tuple[int, int | None, list[tuple[bytes, bytes]]]:
        headers = [(b"content-type", self._media_type.encode()), *_DOWNLOADED, *((b"vary", name) for name in _VARY)]
        if isinstance(self._source, Rendering):
            return 0, None, headers
        size = self._source.stat().st_size
        headers.append((b"x-goog-hash", _goog_hash(await asyncio.to_thread(_crc32c, self._source))))
        start, length = 0, size
        if asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self._range):
            start = min(int(asked[1]), size)
            length = (min(int(asked[2]), size - 1) if asked[2] else size - 1) - start + 1
            self.status_code = 206
            headers.append((b"content-range", f"bytes {start}-{start + length - 1}/{size}".encode()))
        headers += [(b"accept-ranges", b"bytes"), (b"content-length", str(length).encode())]
        return start, length, headers

    async def _pieces(self, start: int, length: int | None) -> AsyncIterator[bytes]:
        source = self._source
        growing = source if isinstance(source, Rendering) else None
        opened = source.open() if isinstance(source, Rendering) else source.open("rb")
        with opened as content:  # renamed or deleted meanwhile: the open file stays readable
            content.seek(start)
            left = length
            while left is None or left > 0:
                finished = growing is None or growing.done.is_set()
                piece = content.read(_PIECE if left is None else min(_PIECE, left))
                if piece:
                    left = None if left is None else left - len(piece)
                    yield piece
                elif finished:
                    return
                else:
                    await asyncio.sleep(0.01)


def _goog_hash(crc: int) -> bytes:
    return b"crc32c=" + base64.b64encode(crc.to_bytes(4, "big"))


def _crc32c(path: Path) -> int:
    """The checksum of a complete file."""
    made = 0
    with path.open("rb") as content:
        while piece := content.read(_PIECE):
            made = google_crc32c.extend(made, piece)
    return int(made)


def _turned_down(call: Call, fault: faults.CallFault) -> Any:
    """The answer of a call that is not let through, or is said not to have been."""
    if fault.do == "deny":
        status, lie = lies.denial(fault.denial, call.kind, call.target)
        return Response(lie.content, status, media_type=lie.media_type)
    if fault.do == "redirect":
        error = ApiError(fault.status, "Unknown Error.")
        return error_answer(error, {"location": _location(call.request, fault.location)})
    answer = error_answer(errors.scripted(fault.status, fault.message, fault.retry_delay_s))
    return _bent(answer, fault) if fault.body else answer


def _bent(answer: Any, fault: faults.CallFault) -> Any:
    """*answer* with the wrong body of *fault*; one that has no such shape stays as it is."""
    if isinstance(answer, Download):
        if fault.body in faults.DOWNLOAD_BODIES:
            answer.lie, answer.crc32c = partial(lies.download, fault.body), fault.crc32c
        return answer
    if not isinstance(answer, Response) or fault.body not in faults.ANSWER_BODIES:
        return answer
    if fault.body != "page" and not bytes(answer.body):
        return answer
    lie = lies.answer(fault.body, bytes(answer.body))
    kept = {} if fault.body == "page" else {k: v for k, v in answer.headers.items() if k.startswith("x-goog")}
    return Response(lie.content, answer.status_code, headers=kept, media_type=lie.media_type)


def _location(request: Request, wanted: str) -> str:
    """Where a redirect leads: to the same address once more, to another path here, or to another server."""
    url = request.url
    query = f"?{url.query}" if url.query else ""
    if not wanted:
        return str(url.include_query_params(**{_REDIRECTED: 1}))
    if wanted.startswith("/"):
        return f"{url.scheme}://{url.netloc}{wanted}{query}"
    return f"{wanted.rstrip('/')}{url.path}{query}"


async def _drained(call: Call) -> None:
    """Take in what the caller still sends, so that it gets to read the answer."""
    async for _ in call.request.stream():
        pass


async def _append(call: Call, path: Path) -> bool:
    """Add the body to *path*; False when the connection is to be cut on the way."""
    kept = 0
    limit = call.cut_at
    with path.open("ab", buffering=0) as target:
        async for piece in call.request.stream():
            if limit is not None and kept + len(piece) >= limit:
                target.write(piece[: limit - kept])
                return False
            target.write(piece)
            kept += len(piece)
    return limit is None


def _see_download(call: Call, file_id: str) -> Json:
    """The API's answer at a file's own address: the bytes are at another one, where the key is needed again."""
    query = f"?{call.request.url.query}" if call.request.url.query else ""
    location = f"{call.base_url.rsplit('/', 1)[0]}/download/{call.version}/files/{file_id}{query}"
    return Json(ApiError(302, "Unknown Error.").body(), 302, {"location": location})


def _upload_answer(status: str, headers: dict[str, str] | None = None) -> Response:
    all_headers = {"x-goog-upload-status": status, **(headers or {})}
    return Response(status_code=200, media_type="text/plain", headers=all_headers)


def _batch_message(batch: dict[str, Any]) -> dict[str, Any]:
    """The message in camelCase without touching the requests inside (they may be large)."""
    config = batch.get("inputConfig") or batch.get("input_config") or {}
    plain = camel({name: item for name, item in batch.items() if name not in ("inputConfig", "input_config")})
    named = {
        "fileName": config.get("fileName") or config.get("file_name"),
        "requests": config.get("requests"),
    }
    return {**plain, "inputConfig": named}


def _page(
    call: Call, items: list[Any], moment: Callable[[Any], int], default: int, most: int
) -> tuple[list[Any], dict[str, str]]:
    """One page of *items* and what to add to the answer for the next one."""
    asked = call.request.query_params.get("pageSize") or call.request.query_params.get("page_size") or ""
    size = min(int(asked), most) if asked.isdigit() and int(asked) > 0 else default
    token = call.request.query_params.get("pageToken") or call.request.query_params.get("page_token") or ""
    ids = [f"{moment(item)}|{item.id}" for item in items]
    start = 0
    if token:
        last = _untoken(token)
        newer = [at for at, name in enumerate(ids) if name == last]
        start = newer[0] + 1 if newer else _after(last, ids)
    found = items[start : start + size]
    more = start + size < len(items)
    return found, {"nextPageToken": _token(ids[start + size - 1])} if more else {}


def _after(last: str, ids: list[str]) -> int:
    """Where to go on when the last item shown is gone: at the first older one."""
    moment = int(last.split("|")[0])
    return next((at for at, name in enumerate(ids) if int(name.split("|")[0]) < moment), len(ids))


def _token(name: str) -> str:
    return base64.urlsafe_b64encode(name.encode()).decode()


def _untoken(token: str) -> str:
    try:
        name = base64.urlsafe_b64decode(token).decode()
        int(name.split("|")[0])
    except ValueError:
        raise invalid("Invalid page token.") from None
    return name


async def _broken(request: Request, error: Exception) -> Response:
    return error_answer(ApiError(500, f"The emulator itself failed: {type(error).__name__}: {error}"))


async def _no_route(request: Request, error: Exception) -> Response:
    parts = request.url.path.split("/")
    if len(parts) > 2 and parts[2] in _OTHER_RESOURCES:
        return error_answer(errors.not_implemented(parts[2]))
    return error_answer(ApiError(404, f"The emulator has nothing at {request.method} {request.url.path}."))
