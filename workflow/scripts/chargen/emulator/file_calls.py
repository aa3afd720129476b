"""Calls on files: resumable uploads, get, list, delete and download."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from chargen.emulator import errors
from chargen.emulator.calls import JSON_TYPE, Call, Json
from chargen.emulator.downloads import Download
from chargen.emulator.errors import ApiError, invalid
from chargen.emulator.fields import camel
from chargen.emulator.paging import page
from chargen.emulator.uploaded_files import GRANULARITY, Upload
from chargen.emulator.wire import CutConnection
from chargen.emulator.world import World


def upload_kind(request: Request) -> str:
    """Which of the three calls of a resumable upload this is."""
    command = request.headers.get("x-goog-upload-command", "").lower()
    if "query" in command:
        return "upload_query"
    return "upload_chunk" if "upload_id" in request.query_params else "upload_start"


async def upload(call: Call) -> Any:
    """Start, continue, query or cancel a resumable upload."""
    if call.kind == "upload_start":
        return _upload_start(call)
    upload = call.world.files.find_upload(call.request.query_params.get("upload_id", ""))
    call.target = upload.file_id
    commands = [item.strip() for item in call.request.headers.get("x-goog-upload-command", "").lower().split(",")]
    if "query" in commands:
        return _upload_status(call.world, upload)
    if "cancel" in commands:
        call.world.files.cancel_upload(upload)
        return _upload_answer("cancelled")
    return await _upload_chunk(call, upload, commands)


def _upload_start(call: Call) -> Response:
    headers = call.request.headers
    if headers.get("x-goog-upload-protocol", "").lower() != "resumable":
        raise invalid("The emulator takes resumable uploads only: send X-Goog-Upload-Protocol: resumable.")
    body = camel(call.json())
    about = body.get("file") if isinstance(body, dict) else None
    announced = headers.get("x-goog-upload-header-content-length", "")
    upload = call.world.files.start_upload(
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
            "x-goog-upload-header-content-type": JSON_TYPE,
            "x-goog-upload-status": "active",
            "x-goog-upload-url": url,
            "x-guploader-uploadid": upload.id,
        },
    )


def _upload_status(world: World, upload: Upload) -> Response:
    if upload.cancelled:
        return _upload_answer("cancelled")
    if upload.file_id:
        stored = world.files.stored.get(upload.file_id)
        size = str(stored.size) if stored else ""
        return _upload_answer("final", {"x-goog-upload-size-received": size} if size else {})
    received = world.store.upload(upload.id).stat().st_size
    return _upload_answer("active", {"x-goog-upload-size-received": str(received)})


async def _upload_chunk(call: Call, upload: Upload, commands: list[str]) -> Any:
    if upload.file_id or upload.cancelled:
        call.notes["headers"] = {"x-goog-upload-status": "final" if upload.file_id else "cancelled"}
        raise invalid("Upload has already been terminated.")
    path = call.world.store.upload(upload.id)
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
        stored = call.world.files.finish_upload(upload)
    except ApiError:
        call.notes["headers"] = {"x-goog-upload-status": "final"}
        raise
    call.target = stored.id
    shown = {"file": stored.shown(upload.base_url)}
    headers = {"x-goog-upload-status": "final", "x-guploader-uploadid": upload.id}
    return Json(shown, headers=headers, sized=True)


def file_kind(request: Request) -> str:
    """A file's own address, or that of its download."""
    return "download_redirect" if str(request.path_params["id"]).endswith(":download") else "file_get"


async def file_get(call: Call) -> Any:
    """files.get, and the bytes of a generated file or of a job's results."""
    file_id = str(call.request.path_params["id"])
    if call.kind == "file_get":
        return Json(call.world.files.get(call.owner, file_id).shown(call.base_url))
    if call.kind == "download_redirect":
        return _see_download(call, file_id)
    file_id = file_id.removesuffix(":download")
    call.target = file_id
    if file_id.startswith("batch-") and len(file_id) == 42:
        made = call.world.batches.result_of(call.owner, file_id.removeprefix("batch-"))
        return Download(made, call.request.headers.get("range", ""), call.cut_at, "application/octet-stream")
    stored = call.world.files.get(call.owner, file_id)
    if stored.source != "GENERATED":
        raise ApiError(400, f"File {file_id} is not a generated file and cannot be downloaded.")
    path = call.world.store.blob(stored.sha256)
    return Download(path, call.request.headers.get("range", ""), call.cut_at, stored.mime_type)


async def file_list(call: Call) -> Any:
    """files.list."""
    found, following = page(call, call.world.files.of_owner(call.owner), lambda item: item.created_ns, 10, 100)
    body: dict[str, Any] = {}
    if found:
        body["files"] = [item.shown(call.base_url) for item in found]
    return Json(body | following)


async def file_register(call: Call) -> Any:
    """files.register, which is not emulated."""
    raise errors.not_implemented("files.register")


async def file_delete(call: Call) -> Any:
    """files.delete."""
    call.world.delete_file(call.owner, str(call.request.path_params["id"]))
    return Json({})


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
