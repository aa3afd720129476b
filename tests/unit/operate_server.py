"""A server's lists of jobs and files, made by hand, for the tests of the operating targets."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import builders
from chargen.providers.base import RemoteFile, RemoteJob
from chargen.providers.gemini.errors import GeminiError
from chargen.providers.gemini.jobs import read_job
from chargen.records.journal import Journal
from chargen.records.state import State

BATCH = "0123456789abcdef"


GONE = "Requested entity was not found."


@dataclass
class Server:
    """What the API would list; acts are noted in ``acts`` and refused for the names in ``refuses``."""

    base_url: str = "http://server"
    fingerprint: str = "0123456789ab"
    operations: list[RemoteJob] = field(default_factory=list)
    uploads: list[RemoteFile] = field(default_factory=list)
    acts: list[tuple[str, str]] = field(default_factory=list)
    refuses: dict[str, int] = field(default_factory=dict)

    def job_made(self, name: str, display_name: str, state: str = "SUCCEEDED", **more: Any) -> None:
        """Add a job of 4 requests."""
        metadata = {
            "displayName": display_name,
            "state": f"BATCH_STATE_{state}",
            "model": "models/gemini-3-pro-image",
            "createTime": moment(more.get("age_h", 1)),
            "batchStats": {"requestCount": "4", "successfulRequestCount": more.get("done", "4")},
            "inputConfig": {"fileName": more.get("input", "")},
        }
        self.operations.append(read_job({"name": name, "metadata": metadata}))

    def file_made(
        self, name: str, display_name: str, sha256: str, *, mime: str = "image/png", age_h: float = 1
    ) -> None:
        """Add an uploaded file of 1 MB."""
        expires = moment(age_h - 48)
        self.uploads.append(
            RemoteFile(name, f"u/{name}", display_name, mime, 1_000_000, sha256, moment(age_h), expires, "ACTIVE")
        )

    def jobs(self) -> Iterator[RemoteJob]:
        yield from self.operations

    def files(self) -> Iterator[RemoteFile]:
        yield from self.uploads

    def cancel(self, name: str) -> None:
        self._act("cancel", name)

    def delete_job(self, name: str) -> None:
        self._act("delete job", name)

    def delete_file(self, name: str) -> None:
        self._act("delete file", name)

    def _act(self, what: str, name: str) -> None:
        if name in self.refuses:
            raise GeminiError(what, self.refuses[name], GONE if self.refuses[name] == 404 else "no")
        self.acts.append((what, name))


def moment(hours_ago: float) -> str:
    """Return that many hours ago as the server writes it."""
    return (dt.datetime.now(dt.UTC) - dt.timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%S.123456789Z")


def sent(state: State, batch: str, job: str, *, applied: bool = False, key: str = "0123456789ab") -> None:
    """Let the journal of *state* know a batch of one task, its job if it has a name, and its end."""
    journal = Journal(state)
    library = state.root.name
    journal.append(builders.event(
        "intent", batch, operation="generate", model="gemini-3-pro-image", display_name=f"chargen-{library}-{batch}",
        base_url="http://server", key=key, wishes={"w": 1}, cost_usd=0.1, tokens=10, clock={}, pid=1))  # fmt: skip
    if job:
        journal.append(builders.event("created", batch, job=job, adopted=False))
    if applied:
        journal.append(builders.event("ended", batch, state="SUCCEEDED", error=""))
        journal.append(builders.event("applied", batch, outcomes={"w": ["applied", ""]}))


def uploaded(state: State, name: str, sha256: str) -> None:
    """Let the ledger of *state* know an upload."""
    from chargen.base import durable

    line = {"event": "uploaded", "name": name, "uri": "", "mime": "image/png", "bytes": 1, "sha256": sha256}
    more = {"time": moment(1), "key": "0123456789ab", "base_url": "http://server", "expires": moment(-47)}
    durable.append_line(state.uploads, line | more)
