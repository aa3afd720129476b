"""The files of the emulated service and their uploads, by owner."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chargen.emulator.clock import LIFETIME_NS, Clock, rfc3339
from chargen.emulator.errors import ApiError, file_id_too_long, invalid, no_such_file, not_found, quota
from chargen.emulator.faults import glob
from chargen.emulator.store import Store
from chargen.emulator.trouble import Trouble

GRANULARITY = 8 * 1024 * 1024
FILE_LIMIT = 2 * 1024**3
_ALPHABET = string.ascii_lowercase + string.digits
_FILE_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
_MIME_FAMILIES = ("text/", "image/", "audio/", "video/")
_MIME_APPLICATIONS = frozenset(
    [
        "json",
        "jsonl",
        "x-ndjson",
        "x-jsonlines",
        "pdf",
        "octet-stream",
        "xml",
        "rtf",
        "x-javascript",
        "x-python",
        "x-ipynb+json",
        "zip",
    ]
)


@dataclass(frozen=True)
class StoredFile:
    """An uploaded (or generated) file; its content lies under ``sha256``."""

    id: str
    owner: str
    display_name: str
    mime_type: str
    size: int
    sha256: str
    created_ns: int
    expires_ns: int
    source: str = "UPLOADED"

    def shown(self, base_url: str) -> dict[str, Any]:
        """The file as the API shows it."""
        body: dict[str, Any] = {"name": f"files/{self.id}"}
        if self.display_name:
            body["displayName"] = self.display_name
        uri = f"{base_url}/files/{self.id}"
        body |= {
            "mimeType": self.mime_type,
            "sizeBytes": str(self.size),
            "createTime": rfc3339(self.created_ns, 6),
            "updateTime": rfc3339(self.created_ns, 6),
            "expirationTime": rfc3339(self.expires_ns),
            "sha256Hash": base64.b64encode(self.sha256.encode()).decode(),
            "uri": uri,
            "state": "ACTIVE",
            "source": self.source,
        }
        if self.source == "GENERATED":
            body["downloadUri"] = f"{uri}:download?alt=media"
        return body


@dataclass
class Upload:
    """A resumable upload; the bytes so far lie in the store. ``file_id`` is set once it is final."""

    id: str
    owner: str
    wanted_id: str
    display_name: str
    mime_type: str
    declared_size: int
    base_url: str
    started_ns: int = 0
    file_id: str = ""
    cancelled: bool = False


class Files:
    """The files that were uploaded, and the uploads that are under way."""

    def __init__(self, store: Store, clock: Clock, trouble: Trouble) -> None:
        self._store = store
        self._clock = clock
        self._trouble = trouble
        self.stored = {name: StoredFile(**body) for name, body in store.all("file").items()}
        self._uploads = {name: Upload(**body) for name, body in store.all("upload").items()}

    def start_upload(self, owner: str, about: Mapping[str, Any], mime_type: str, size: int, base_url: str) -> Upload:
        """Open a resumable upload of *size* bytes (0: not said)."""
        wanted = str(about.get("name") or "").removeprefix("files/")
        mime_type = mime_type or str(about.get("mimeType") or "") or "application/octet-stream"
        if wanted and not _FILE_NAME.fullmatch(wanted):
            raise invalid(
                "* CreateFileRequest.file.name: File ID (name excluding 'files/') may have at most 40 "
                "lowercase alphanumeric characters or dashes, and cannot begin or end with a dash."
            )
        if wanted and self._alive(wanted):
            raise ApiError(409, f"File files/{wanted} already exists.")
        if not _known_mime_type(mime_type):
            raise invalid(f"Unsupported MIME type: {mime_type}")
        if size > FILE_LIMIT:
            raise invalid(f"The file size {size} exceeds the limit of {FILE_LIMIT} bytes.")
        self._check_storage(owner, size)
        upload = Upload(
            id=secrets.token_urlsafe(60),
            owner=owner,
            wanted_id=wanted,
            display_name=str(about.get("displayName") or ""),
            mime_type=mime_type,
            declared_size=size,
            base_url=base_url,
            started_ns=self._clock.now_ns(),
        )
        self._store.upload(upload.id).write_bytes(b"")
        self._put_upload(upload)
        return upload

    def find_upload(self, upload_id: str) -> Upload:
        """The upload, also when it is final or cancelled; ApiError 404."""
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise not_found()
        return upload

    def finish_upload(self, upload: Upload) -> StoredFile:
        """Make the bytes of *upload* a file; its life began with the upload."""
        path = self._store.upload(upload.id)
        with path.open("rb") as source:
            sha256 = hashlib.file_digest(source, "sha256").hexdigest()
        size = path.stat().st_size
        if upload.declared_size and size != upload.declared_size:
            raise invalid(f"The upload has {size} bytes where {upload.declared_size} were announced.")
        self._check_storage(upload.owner, size)
        path.replace(self._store.blob(sha256))
        now = self._clock.now_ns()
        stored = StoredFile(
            id=upload.wanted_id or random_id(12),
            owner=upload.owner,
            display_name=upload.display_name,
            mime_type=upload.mime_type,
            size=size,
            sha256=sha256,
            created_ns=now,
            expires_ns=(upload.started_ns or now) + LIFETIME_NS,
        )
        self.add(stored)
        upload.file_id = stored.id
        self._put_upload(upload)
        return stored

    def cancel_upload(self, upload: Upload) -> None:
        """Give an upload up."""
        self._store.upload(upload.id).unlink(missing_ok=True)
        upload.cancelled = True
        self._put_upload(upload)

    def add(self, stored: StoredFile) -> None:
        """Keep a file whose content is in place."""
        self.stored[stored.id] = stored
        self._store.put("file", stored.id, dataclasses.asdict(stored))

    def get(self, owner: str, file_id: str, method: str = "GetFileRequest") -> StoredFile:
        """The caller's file; ApiError 403 when missing, expired or another's, 400 for a result
        file's name.
        """
        if len(file_id) > 40:
            raise file_id_too_long(method)
        return self.owned(owner, file_id)

    def of_owner(self, owner: str) -> list[StoredFile]:
        """The caller's files, newest first."""
        mine = [item for item in self.stored.values() if item.owner == owner and self._alive(item.id)]
        return sorted(mine, key=lambda item: (item.created_ns, item.id), reverse=True)

    def delete(self, owner: str, file_id: str) -> StoredFile:
        """Delete the caller's file, but not its content; return what it was."""
        stored = self.get(owner, file_id, "DeleteFileRequest")
        del self.stored[file_id]
        self._store.drop("file", file_id)
        return stored

    def expire(self, pattern: str) -> int:
        """Let the files whose id or display name fits the glob expire now; returns how many."""
        now = self._clock.now_ns()
        count = 0
        for stored in list(self.stored.values()):
            if glob(stored.id, pattern) or glob(stored.display_name, pattern):
                self.add(dataclasses.replace(stored, expires_ns=now))
                count += 1
        return count

    def plant(self, owner: str, about: Mapping[str, Any]) -> StoredFile:
        """Put a file of a given id there (admin): ``id``, ``content`` (text) or ``data`` (base64), ``mime_type``,
        ``source``.
        """
        content = base64.b64decode(about["data"]) if "data" in about else str(about.get("content", "")).encode()
        sha256 = hashlib.sha256(content).hexdigest()
        self._store.blob(sha256).write_bytes(content)
        now = self._clock.now_ns()
        stored = StoredFile(
            id=str(about["id"]),
            owner=owner,
            display_name=str(about.get("display_name", "")),
            mime_type=str(about.get("mime_type", "text/plain")),
            size=len(content),
            sha256=sha256,
            created_ns=now,
            expires_ns=now + LIFETIME_NS,
            source=str(about.get("source", "UPLOADED")),
        )
        self.add(stored)
        return stored

    def owned(self, owner: str, file_id: str) -> StoredFile:
        """The caller's file; ApiError 403 when missing, expired or another's."""
        stored = self._alive(file_id)
        if stored is None or stored.owner != owner:
            raise no_such_file(file_id)
        return stored

    def _alive(self, file_id: str) -> StoredFile | None:
        stored = self.stored.get(file_id)
        return stored if stored and stored.expires_ns > self._clock.now_ns() else None

    def _put_upload(self, upload: Upload) -> None:
        self._uploads[upload.id] = upload
        self._store.put("upload", upload.id, dataclasses.asdict(upload))

    def _check_storage(self, owner: str, size: int) -> None:
        limit = self._trouble.plan.quotas.storage_bytes
        used = sum(item.size for item in self.of_owner(owner)) if limit else 0
        if limit and used + size > limit:
            raise quota("file_storage_bytes", limit, "all", None)


def random_id(length: int) -> str:
    """An id of small letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _known_mime_type(mime_type: str) -> bool:
    kind = mime_type.split(";")[0].strip().lower()
    return kind.startswith(_MIME_FAMILIES) or kind.removeprefix("application/") in _MIME_APPLICATIONS
