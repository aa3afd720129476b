"""Owners of jobs and files on the server: by the names that chargen gives, and by the journals of this folder.

One key serves many libraries, on many machines; what no ledger here knows may well be needed elsewhere.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from chargen.base.capabilities import capabilities
from chargen.pictures.formats import sha256_file
from chargen.providers.protocol import Connection
from chargen.records.journal import Journal
from chargen.records.ledgers import UploadLine, read_ledger
from chargen.records.state import BatchFiles, State
from chargen.steps.sending import uploaded_contents

_JOB_NAME = re.compile(r"chargen-([a-z0-9][a-z0-9-]*)-([0-9a-f]{16})")
_FILE_NAME = re.compile(r"chargen-[0-9a-f]{32}")


@dataclass
class Home:
    """All libraries with one provider in this folder: their states and journals by library id, *own* among them."""

    own: str
    states: dict[str, State] = field(default_factory=dict)
    journals: dict[str, Journal] = field(default_factory=dict)

    @classmethod
    def of(cls, state: State) -> Home:
        """Read the journals of the library of *state* and of its neighbours."""
        home = cls(state.root.name)
        for root in [state.root, *(item for item in _folders(state) if item.name != state.root.name)]:
            home.states[root.name] = State(root)
            home.journals[root.name] = Journal(State(root))
        return home

    def library_of_job(self, job: str, display_name: str) -> tuple[str, str, bool]:
        """Return library id and batch of a job, and whether a journal here knows it; ``""`` where that is unknown."""
        for library, journal in self.journals.items():
            if entry := journal.by_job(job):
                return library, entry.batch, True
        match = _JOB_NAME.fullmatch(display_name)
        if not match:
            return "", "", False
        library, batch = match.groups()
        journal_here = self.journals.get(library)
        entry = journal_here.entries.get(batch) if journal_here else None
        return library, batch, entry is not None and entry.open_intent is not None

    def unfinished(self) -> Iterator[tuple[str, BatchFiles]]:
        """Yield library and files of every batch whose uploads are still needed.

        It is in flight, about to be sent, or is lost while its job may still be waiting for its turn.
        """
        for library, state in self.states.items():
            journal = self.journals[library]
            lives_s = capabilities(state.provider).files_live_s
            for files in state.batches():
                entry = journal.entry(files.id)
                flying = (entry.in_flight and not entry.ended) or (entry.is_lost and entry.age_s < lives_s)
                if files.plan.exists() and (
                    flying or (not entry.job and not entry.intents and _is_fresh(files, lives_s))
                ):
                    yield library, files

    def needed(self) -> dict[str, str]:
        """Return the contents (sha256) that unfinished batches need, with one batch that needs each."""
        needed: dict[str, str] = {}
        for library, files in self.unfinished():
            contents = uploaded_contents(self.states[library], files.read_plan().tasks)
            if files.requests.exists():
                contents.add(sha256_file(files.requests))
            needed.update(dict.fromkeys(contents, files.id))
        return needed

    def uploads(self, remote: Connection) -> dict[str, tuple[str, str]]:
        """Return library and content (sha256) of each uploaded file that a ledger here knows, by the file's name."""
        known: dict[str, tuple[str, str]] = {}
        for library, state in self.states.items():
            for line in read_ledger(state.uploads, UploadLine):
                if line.key != remote.fingerprint or line.base_url != remote.base_url:
                    continue
                if line.event == "deleted":
                    known.pop(line.name, None)
                else:
                    known[line.name] = (library, line.sha256)
        return known


def is_ours(display_name: str) -> bool:
    """Whether chargen named an uploaded file so."""
    return _FILE_NAME.fullmatch(display_name) is not None


def _folders(state: State) -> list[Path]:
    """Return the folders of all libraries beside *state*, its own included."""
    try:
        return sorted(item for item in state.root.parent.iterdir() if item.is_dir())
    except FileNotFoundError:
        return []


def _is_fresh(files: BatchFiles, lives_s: float) -> bool:
    """Whether a batch was staged so lately that its uploads are still there, and no receipt says that it is done."""
    return (
        files.requests.exists()
        and not files.receipt.exists()
        and time.time() - files.requests.stat().st_mtime < lives_s
    )
