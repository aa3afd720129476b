"""The emulator's memory on disk: documents and a log of calls in SQLite, contents of files by their hash.

Every write is one transaction, so that a killed server finds all it had answered for.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import orjson


class Store:
    """Documents by kind and id, the log, and folders for contents. For one thread at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("blobs", "uploads", "results"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "emulator.db", isolation_level=None, check_same_thread=False)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=OFF")
        self._db.execute("CREATE TABLE IF NOT EXISTS document (kind TEXT, id TEXT, body BLOB, PRIMARY KEY (kind, id))")
        self._db.execute("CREATE TABLE IF NOT EXISTS call (n INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB)")

    def put(self, kind: str, name: str, body: Any) -> None:
        """Write one document."""
        row = (kind, name, orjson.dumps(body))
        self._db.execute("INSERT OR REPLACE INTO document VALUES (?, ?, ?)", row)

    def drop(self, kind: str, name: str) -> None:
        """Remove one document."""
        self._db.execute("DELETE FROM document WHERE kind = ? AND id = ?", (kind, name))

    def all(self, kind: str) -> dict[str, Any]:
        """All documents of a kind by id."""
        rows = self._db.execute("SELECT id, body FROM document WHERE kind = ?", (kind,))
        return {name: orjson.loads(body) for name, body in rows}

    def log(self, entry: dict[str, Any]) -> None:
        """Append one call to the log."""
        self._db.execute("INSERT INTO call (body) VALUES (?)", (orjson.dumps(entry),))

    def calls(self, after: int = 0) -> list[dict[str, Any]]:
        """The calls seen so far with their number ``n``, oldest first; only those after number *after*."""
        rows = self._db.execute("SELECT n, body FROM call WHERE n > ? ORDER BY n", (after,))
        return [{"n": number, **orjson.loads(body)} for number, body in rows]

    def clear(self) -> None:
        """Forget everything, contents included."""
        self._db.execute("DELETE FROM document")
        self._db.execute("DELETE FROM call")
        for name in ("blobs", "uploads", "results"):
            shutil.rmtree(self.folder / name, ignore_errors=True)
            (self.folder / name).mkdir(exist_ok=True)

    def blob(self, sha256: str) -> Path:
        """Where the content of that hash lies."""
        return self.folder / "blobs" / sha256

    def upload(self, upload_id: str) -> Path:
        """Where the bytes of an unfinished upload gather."""
        return self.folder / "uploads" / upload_id

    def result(self, batch_id: str) -> Path:
        """Where the result lines of a batch lie once they are complete."""
        return self.folder / "results" / f"{batch_id}.jsonl"

    def close(self) -> None:
        """Close the database."""
        self._db.close()
