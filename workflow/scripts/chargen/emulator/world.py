"""The emulated service without HTTP: its files, models and batches, on a store, with the trouble that was asked for.

An owner is the fingerprint of an API key; the key itself is never kept.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from chargen.emulator.batches import Batches
from chargen.emulator.catalogue import Catalogue
from chargen.emulator.clock import Clock
from chargen.emulator.fault_plan import Plan
from chargen.emulator.replies import Models
from chargen.emulator.store import Store
from chargen.emulator.trouble import Trouble
from chargen.emulator.uploaded_files import Files

INLINE_LIMIT = 20_971_520


def fingerprint(key: str) -> str:
    """Twelve hex digits that stand for an API key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


class World:
    """All state. Not thread-safe: the server calls it from its event loop only."""

    def __init__(self, store: Store, catalogue: Callable[[], Catalogue], initial: Plan) -> None:
        self.store = store
        self._catalogue = catalogue
        self._initial = initial
        self._load()

    def _load(self) -> None:
        self.clock = Clock(int(self.store.all("meta").get("clock", 0)))
        self.trouble = Trouble(self.store, self.clock, self._initial)
        self.files = Files(self.store, self.clock, self.trouble)
        self.models = Models(self.store, self.clock, self._catalogue, self.trouble, self.files)
        self.batches = Batches(self.store, self.clock, self.trouble, self.files, self.models)
        self.call_counts: Counter[str] = Counter(call["kind"] for call in self.store.calls())

    def advance(self, seconds: float) -> None:
        """Push the clock."""
        self.clock.offset_ns += int(seconds * 1_000_000_000)
        self.store.put("meta", "clock", self.clock.offset_ns)

    def reset(self) -> None:
        """Forget everything and follow the plan of the start again."""
        self.batches.give_up()
        self.store.clear()
        self._load()

    def delete_file(self, owner: str, file_id: str) -> None:
        """Delete the caller's file; its content stays as long as a job needs it."""
        self._forget_content((self.files.delete(owner, file_id).sha256,))

    def delete_batch(self, owner: str, batch_id: str) -> None:
        """Delete the caller's job with its results, and the contents that nothing else needs."""
        self._forget_content(self.batches.delete(owner, batch_id))

    def log(self, entry: dict[str, Any]) -> None:
        """Remember one call."""
        self.call_counts[entry["kind"]] += 1
        self.store.log(entry)

    def _forget_content(self, hashes: Iterable[str]) -> None:
        needed = {item.sha256 for item in self.files.stored.values()}
        needed.update(*(job.contents for job in self.batches.jobs.values()))
        for sha256 in set(hashes) - needed:
            self.store.blob(sha256).unlink(missing_ok=True)
