"""A server that stores files, in this process."""

from __future__ import annotations

import datetime as dt
import hashlib
import threading

from chargen.providers.base import RemoteError, RemoteFile
from chargen.providers.gemini.errors import GeminiError

FOREVER = [
    {"violations": [{"quotaMetric": "generativelanguage.googleapis.com/file_storage_bytes"}]},
    {"retryDelay": "9223372036854775807s"},
]
"""What the API's details say of a full storage; its message speaks of plan and billing alone."""


class Server:
    """A server that stores files up to *room* bytes; *troubles* are raised by the coming uploads, one each.

    So many of the coming ones as *lost_answers* says arrive and are not answered.
    """

    base_url = "http://server"
    fingerprint = "0123456789ab"

    def __init__(self, room: int = 1_000_000):
        self.room = room
        self.stored: dict[str, RemoteFile] = {}
        self.troubles: list[RemoteError] = []
        self.lost_answers = 0
        self.sent: list[str] = []
        self._lock = threading.Lock()

    def upload(self, path, display_name, mime):
        with self._lock:
            if self.troubles:
                raise self.troubles.pop(0)
            data = path.read_bytes()
            if sum(file.bytes for file in self.stored.values()) + len(data) > self.room:
                raise GeminiError("uploading", 429, "You exceeded your current quota, see plan and billing", FOREVER)
            self.sent.append(path.name)
            name = f"files/{len(self.sent)}"
            sha256 = hashlib.sha256(data).hexdigest()
            self.stored[name] = RemoteFile(
                name, f"u/{name}", display_name, mime, len(data), sha256, in_hours(0), in_hours(48), "ACTIVE"
            )
            if self.lost_answers:
                self.lost_answers -= 1
                raise GeminiError("uploading", 0, "the connection ended")
            return self.stored[name]

    def files(self):
        yield from list(self.stored.values())

    def delete_file(self, name):
        if self.stored.pop(name, None) is None:
            raise GeminiError("deleting", 403, "You do not have permission, or it may not exist")


def in_hours(hours):
    return (dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)).isoformat()
