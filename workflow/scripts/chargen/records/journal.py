"""The durable record of what was asked of the remote side, and what it means.

One append-only file of JSON lines per library (``schemas/journal.schema.json``). Every line is on disk before the act
that it announces, or right after the one that it reports.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import orjson

from chargen.base import durable, failpoints
from chargen.base.reading import WrongShape
from chargen.records import journal_lines as lines
from chargen.records.batch import WITH_PICTURE as WITH_PICTURE
from chargen.records.journal_index import JournalIndex, PastBatch, checksum, whole_lines
from chargen.records.journal_lines import Clock, Created, Event, Intent, Moment, line_of, name_of, read_event
from chargen.records.journal_log import log_event
from chargen.records.state import State

Outcome = tuple[str, str, int]
"""``(outcome, reason, attempt)`` of a wish. Outcomes with a picture: applied, superseded, unplaced. Without one: failed
(for good), passing (worth another try) or lost (paid for, and its result is gone on the server)."""

DENIED_HOURS = 24.0
"""How long a model that the server does not have is not asked for: it may come back, and asking costs nothing."""

LOOKED_FOR_S = 14 * 86400.0
"""How long after its submission each run checks for a lost job again."""

SETTLED_AFTER_S = 48 * 3600.0
"""How long after its receipt a batch is no longer looked for by single steps; the server keeps files as long."""

MONTH_S = 32 * 86400.0
"""How long what was spent is remembered for the budget."""

INDEX_AFTER_BYTES = 256_000
"""By how much the journal must have grown for its index to be written again."""


def now() -> str:
    """The present moment in UTC, like ``2026-11-21T18:04:05Z``."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def seconds_since(moment: str) -> float:
    """Seconds from *moment* (as `now` writes it) to now; negative if the clock went backwards, 0 if not a time."""
    try:
        then = dt.datetime.fromisoformat(moment)
    except ValueError:
        return 0.0
    return (dt.datetime.now(dt.UTC) - (then if then.tzinfo else then.replace(tzinfo=dt.UTC))).total_seconds()


def clock() -> Clock:
    """The machine's own clock, which no correction of the wall clock moves: valid within one boot."""
    return Clock(_boot(), _since_boot_s())


def age_s(moment: Intent | Moment) -> float:
    """Seconds since *moment*; by the machine's own clock within one boot, because the wall clock can jump."""
    return _age_s(moment.time, moment.clock)


def moment() -> Moment:
    """The present moment, by both clocks."""
    return Moment(now(), clock())


def _age_s(time: str, clock: Clock) -> float:
    if clock.boot and clock.boot == _boot():
        return _since_boot_s() - clock.monotonic
    return max(0.0, seconds_since(time))


def _since_boot_s() -> float:
    """Seconds since the machine started, sleep included where the system counts it."""
    counts_sleep = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if counts_sleep is None else time.clock_gettime(counts_sleep)


@cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


@dataclass(slots=True)
class Entry:
    """What the journal knows of one batch."""

    batch: str
    operation: str = ""
    model: str = ""
    display_name: str = ""
    base_url: str = ""
    key: str = ""  # fingerprint of the API key
    job: str = ""  # name on the server
    adopted: bool = False
    sent_elsewhere: bool = False  # asked for by another checkout, another machine, or a state/ that is gone
    request_files: set[str] = field(default_factory=set)  # names on the server of what was, or may have been, sent
    intents: list[Intent] = field(default_factory=list)
    open_intent: Intent | None = None  # announced, neither answered nor found absent
    wishes: dict[str, int] = field(default_factory=dict)  # wish id -> attempt
    cost_usd: float = 0.0
    tokens: int = 0
    submitted: str = ""
    ended: str = ""  # the job's final state
    ended_time: str = ""
    ended_line: int = 0  # in the journal, like the next: what came before what
    created_line: int = 0
    error: str = ""
    fetched: str = ""  # when
    outcomes: dict[str, tuple[str, str]] | None = None  # wish id -> (outcome, reason); None until applied
    applied: str = ""
    actual_usd: float | None = None  # what it cost, once that is certain
    cleaned: bool = False
    refused: str = ""  # why the last create was refused, if it was
    throttled: bool = False  # a quota was used up at the last create, which may have taken effect all the same
    cancelled: bool = False
    withdrawn: bool = False  # cancelled because a person asked for it
    found_again: bool = False  # after it was lost

    @property
    def in_flight(self) -> bool:
        """Asked for, or perhaps asked for, and not yet applied."""
        return (bool(self.job) or self.open_intent is not None) and self.outcomes is None

    @property
    def is_lost(self) -> bool:
        """Whether results of its job were paid for and count as gone from the server."""
        return any(outcome == "lost" for outcome, _ in (self.outcomes or {}).values())

    @property
    def age_s(self) -> float:
        """Seconds since it was submitted; 0 if it never was."""
        return age_s(self.intents[-1]) if self.intents else 0.0


def _is_settled(entry: Entry) -> bool:
    """Whether nothing is to be done for a batch any more, for long enough that no run can be about it."""
    return entry.outcomes is not None and not entry.is_lost and seconds_since(entry.applied) > SETTLED_AFTER_S


def _cost(entry: Entry, intent: Intent) -> float:
    """Return what a batch cost in US dollars, or is to cost; 0 if it was never sent."""
    if not entry.job and entry.open_intent is None:
        return 0.0
    return intent.cost_usd if entry.actual_usd is None else entry.actual_usd


class Journal:
    """All entries of a library, read once; `append` writes a line and takes it in.

    Lines that cannot be read are skipped; ``notices`` says which. What they said is then taken from the batches' own
    files, so that nothing is sent again because a line is gone.
    """

    def __init__(self, state: State):
        self._begin(state)
        self._read(0)

    @classmethod
    def recent(cls, state: State, *batches: str) -> Journal:
        """Return the part of the journal that a step on *batches* needs, in a time that does not grow with its history.

        Batches that were settled more than two days ago are left out, but count in `spent_usd`; unless they are named.
        """
        journal = cls.__new__(cls)
        journal._begin(state)
        index = JournalIndex.read(state.journal_index, state.journal)
        for number, line in index.recent:
            journal._lines = number - 1
            journal._take(line)
        journal._lines = index.lines
        journal._past = index.past
        journal._denied = dict(index.denied)
        known = set(journal.entries)
        length = journal._read(index.length)
        mentioned = {batch for batch, entry in journal.entries.items() if batch not in known and not entry.intents}
        if index.length and (
            mentioned or any(state.batch(batch).receipt.exists() for batch in {*batches} - journal.entries.keys())
        ):
            return cls(state)  # it is about a batch that the index has left out
        if length - index.length > INDEX_AFTER_BYTES and not journal.notices:
            journal._write_index(index, length)
        return journal

    def _begin(self, state: State) -> None:
        self._state = state
        self.entries: dict[str, Entry] = {}
        self.notices: list[str] = []
        self._denied: dict[str, str] = {}  # model -> when the server said last that it has none of that name
        self._past: tuple[PastBatch, ...] = ()  # settled batches that have no entry here
        self._lines = 0

    def _read(self, start: int) -> int:
        """Take in the lines from byte *start* on; return how many bytes of the journal are taken in then."""
        unreadable = []
        length = start
        for end, text in whole_lines(self._state.journal, start):
            length = end
            try:
                self._take(orjson.loads(text))
            except (WrongShape, orjson.JSONDecodeError) as error:
                self._lines += 1
                if text.strip():
                    why = f" ({error})" if isinstance(error, WrongShape) else ""
                    unreadable.append(f"{self._lines}{why}")
        if unreadable:
            self.notices.append(durable.unreadable_lines(self._state.journal, unreadable))
        if unreadable or not self._lines:
            self._recover()
        return length

    def _write_index(self, before: JournalIndex, length: int) -> None:
        """Put what the next step needs of the first *length* bytes where it finds it."""
        settled = {batch for batch, entry in self.entries.items() if _is_settled(entry)}
        recent = [(number, line) for number, line in before.recent if line.get("batch") not in settled]
        number = before.lines
        for end, text in whole_lines(self._state.journal, before.length):
            if end > length:
                break
            number += 1
            try:
                line = orjson.loads(text)
            except orjson.JSONDecodeError:
                continue
            if isinstance(line, dict) and line.get("batch") not in settled:
                recent.append((number, line))
        past = [item for item in self._past if _age_s(item.time, item.clock) < MONTH_S]
        for batch in settled:
            past += [
                PastBatch(intent.time, _cost(self.entries[batch], intent), intent.clock)
                for intent in self.entries[batch].intents
                if age_s(intent) < MONTH_S
            ]
        index = JournalIndex(
            length, checksum(self._state.journal, length), number, tuple(recent), tuple(past), self._denied
        )
        with self._state.lock("journal-index", wait=False) as got:
            if got:
                index.write(self._state.journal_index)

    def append(self, event: Event) -> None:
        """Record *event* durably."""
        with self._state.lock("journal"):
            durable.append_line(self._state.journal, line_of(event))
        # A job that was made and a job whose name is known are two moments.
        failpoints.reached("named" if isinstance(event, Created) else name_of(event))
        self._lines += 1
        self._apply(event)
        log_event(event)

    def entry(self, batch: str) -> Entry:
        """Return what is known of *batch*; an empty entry if nothing is."""
        return self.entries.get(batch) or Entry(batch)

    def by_job(self, job: str) -> Entry | None:
        """Return the entry whose job on the server is *job*."""
        return next((entry for entry in self.entries.values() if entry.job == job), None)

    def in_flight(self) -> list[Entry]:
        """Return the entries that are not yet applied, oldest first."""
        return [entry for entry in self.entries.values() if entry.in_flight]

    def lost(self, operation: str) -> list[str]:
        """Return the lost batches of *operation* that each run checks for again for a while."""
        return [
            entry.batch
            for entry in self.entries.values()
            if entry.operation == operation and entry.is_lost and entry.job and entry.age_s < LOOKED_FOR_S
        ]

    def claimed(self) -> dict[tuple[str, int], str]:
        """Return which batch sent, or may have sent, each ``(wish id, attempt)``."""
        return {
            (wish, attempt): entry.batch
            for entry in self.entries.values()
            if entry.job or entry.open_intent is not None
            for wish, attempt in entry.wishes.items()
        }

    def outcomes(self) -> dict[str, Outcome]:
        """Return the last outcome of each wish; an outcome that brought a picture outlasts any later failure."""
        last: dict[str, Outcome] = {}
        for entry in self.entries.values():
            for wish, (outcome, reason) in (entry.outcomes or {}).items():
                attempt = entry.wishes.get(wish, 1)
                before = last.get(wish)
                if before is None or outcome in WITH_PICTURE or before[0] not in WITH_PICTURE:
                    last[wish] = (outcome, reason, attempt)
        return last

    def batch_of(self) -> dict[str, str]:
        """Return the batch that brought each wish its picture."""
        return {
            wish: entry.batch
            for entry in self.entries.values()
            for wish, (outcome, _) in (entry.outcomes or {}).items()
            if outcome in WITH_PICTURE
        }

    def denied_models(self) -> frozenset[str]:
        """Return the models that the server, in its last answer within a day, said it does not have."""
        return frozenset(model for model, when in self._denied.items() if seconds_since(when) < DENIED_HOURS * 3600)

    def spent_usd(self, hours: float) -> float:
        """Return what was submitted within the last *hours* cost, as far as that is certain, or is to cost."""
        here = sum(
            _cost(entry, intent)
            for entry in self.entries.values()
            for intent in entry.intents
            if age_s(intent) < hours * 3600
        )
        return here + sum(item.cost_usd for item in self._past if _age_s(item.time, item.clock) < hours * 3600)

    def _take(self, line: object) -> None:
        """Take in one line. Raises `WrongShape`, having changed nothing, if it is not one."""
        event = read_event(line)
        self._lines += 1
        if event is not None:
            self._apply(event)

    def _apply(self, event: Event) -> None:
        """Take in what *event*, the line that was read last, says."""
        entry = self.entries.setdefault(event.batch, Entry(event.batch))
        match event:
            case lines.Intent():
                entry.intents = [event]
                entry.open_intent = event
                entry.operation, entry.model = event.operation, event.model
                entry.display_name, entry.base_url, entry.key = event.display_name, event.base_url, event.key
                entry.wishes = dict(event.wishes)
                if event.request_file:
                    entry.request_files.add(event.request_file)
                entry.cost_usd, entry.tokens = event.cost_usd, event.tokens
                entry.submitted = event.time
                entry.refused = ""
            case lines.Created():
                entry.throttled = False
                entry.job, entry.adopted, entry.open_intent = event.job, event.adopted, None
                entry.sent_elsewhere = event.sent_elsewhere
                self._denied.pop(entry.model, None)
                entry.created_line = self._lines
            case lines.Refused():
                entry.open_intent, entry.refused = None, event.message
                entry.throttled = event.is_throttled
                if event.denies(entry.model):
                    self._denied[entry.model] = event.time
            case lines.Absent():
                entry.open_intent = None
            case lines.Cancelled():
                entry.cancelled = True
                entry.withdrawn = entry.withdrawn or event.why == "asked"
            case lines.Ended():
                entry.ended, entry.error = event.state, event.error
                entry.ended_time, entry.ended_line = event.time, self._lines
            case lines.Fetched():
                entry.fetched = event.time
            case lines.Applied():
                entry.outcomes, entry.applied = event.outcomes, event.time
                entry.actual_usd = event.cost_usd
            case lines.FoundAgain():
                entry.outcomes, entry.applied, entry.actual_usd = None, "", None
                entry.ended, entry.error, entry.fetched = "", "", ""
                entry.found_again = True
            case lines.Cleaned():
                entry.cleaned = True

    def _recover(self) -> None:
        """Take from the files of each batch what the journal does not say any more."""
        for files in self._state.batches():
            job, plan, receipt = files.known_job(), files.known_plan(), files.known_receipt()
            entry = self.entries.get(files.id)
            if not (job or receipt) and (entry is None or not entry.job):
                continue  # it was never sent, or the server's list of jobs will say that it was
            entry = self.entries.setdefault(files.id, Entry(files.id))
            if plan and not entry.wishes:
                entry.wishes = {task.wish_id: task.attempt for task in plan.tasks}
                entry.operation, entry.model = plan.operation, plan.model
                entry.display_name, entry.cost_usd = plan.display_name, plan.cost_usd
            entry.job = entry.job or job
            if receipt and entry.outcomes is None:
                entry.outcomes = {task.wish_id: (task.outcome, task.reason) for task in receipt.tasks}
                entry.applied = receipt.times.applied
                entry.submitted = entry.submitted or receipt.times.submitted
