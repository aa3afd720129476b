"""Batches that this folder has sent under another name of the library.

A library that is renamed, moved, or given another `library_id` begins with an empty state. Everything that was asked
for under the old name is in the state of that name: what is on its way would be bought again, and what failed or was
lost would be wanted again. Copies of a library, and pictures of a folder that are enhanced, meet in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from chargen.base import durable
from chargen.base.frozen import frozen
from chargen.records.commands import command
from chargen.records.journal import Journal
from chargen.records.settings import Settings
from chargen.records.state import State


@frozen
class Elsewhere:
    """Wishes that another state of this folder knows. ``library`` is where that one's library was last, None where that
    is unknown; ``in_flight`` says that their results are still to come."""

    state: State
    library: Path | None
    batches: tuple[str, ...]
    wishes: int
    in_flight: bool

    @property
    def library_id(self) -> str:
        return self.state.root.name

    def words(self, settings: Settings, target: str) -> str:
        """Return what a person should know and do; *target* is what was to be made."""
        batches = ", ".join(self.batches[:3]) + (" and others" if len(self.batches) > 3 else "")
        one = self.wishes == 1
        what = f"{'is' if one else 'are'} in flight" if self.in_flight else f"{'was' if one else 'were'} sent before"
        lines = [
            f"{self.wishes} of the tasks {what} under another name: library `{self.library_id}` "
            f"(state/{settings.provider}/{self.library_id}), batch {batches}. Nothing was sent, so nothing is "
            "paid twice"
        ]
        if self._is_another_library(settings):
            other = command(settings, target, f"library={self.library}", f"library_id={self.library_id}")
            lines += [f"That library is at {self.library}. Collect them there first, then run again:\n    {other}"]
        else:
            go_on = command(settings, target, f"library_id={self.library_id}")
            lines += [f"If this is that library, continue under its id, and set it as `library_id`:\n    {go_on}"]
            lines += [] if self.in_flight else [f"To make everything again, move {self.state.root} away first"]
        return "\n".join(lines)

    def _is_another_library(self, settings: Settings) -> bool:
        return self.library is not None and self.library != Path(settings.library) and self.library.is_dir()


def in_flight_elsewhere(
    state: State, wishes: Collection[str], read: Callable[[State], Journal] = Journal
) -> Elsewhere | None:
    """Return which *wishes* (ids) another state beside *state* has in flight, or may have; None if none does."""
    for other in _others(state):
        flying = [entry for entry in read(other).in_flight() if not entry.wishes.keys().isdisjoint(wishes)]
        if flying:
            known = {wish for entry in flying for wish in entry.wishes} & set(wishes)
            batches = tuple(entry.batch for entry in flying)
            return Elsewhere(other, _library_of(other), batches, len(known), in_flight=True)
    return None


def sent_elsewhere(settings: Settings, state: State, wishes: Collection[str]) -> Elsewhere | None:
    """Return which *wishes* another state has in flight, or knows of if it is the state of this same library.

    That it is, is only asked while *state* is new: when it was in the same folder, in one that is gone, or nobody knows
    where.
    """
    if not wishes:
        return None
    found = in_flight_elsewhere(state, wishes)
    if found or state.journal.exists():
        return found
    for other in _others(state):
        library = _library_of(other)
        if library and library != Path(settings.library) and library.is_dir():
            continue
        entries = Journal(other).entries.values()
        sent = [entry for entry in entries if entry.job and not entry.wishes.keys().isdisjoint(wishes)]
        if sent:
            known = {wish for entry in sent for wish in entry.wishes} & set(wishes)
            return Elsewhere(other, library, tuple(entry.batch for entry in sent), len(known), in_flight=False)
    return None


def _others(state: State) -> Iterator[State]:
    """Yield the states of the other libraries with the same provider that have asked for anything."""
    try:
        roots = sorted(state.root.parent.iterdir())
    except FileNotFoundError:
        return
    for root in roots:
        if root.name != state.root.name and State(root).journal.exists():
            yield State(root)


def _library_of(state: State) -> Path | None:
    """Where the library of *state* was when it was last used; None if no run says so."""
    for run in reversed(list(state.runs())):
        try:
            library = durable.read_object(run.settings).get("library")
        except (OSError, durable.UnreadableFile):
            continue
        if isinstance(library, str) and library:
            return Path(library)
    return None
