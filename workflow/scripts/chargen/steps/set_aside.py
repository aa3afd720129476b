"""Downloads that do not account for their job: kept, and remembered, so that repeated identical ones count.

What comes once may be a page of the network or half of a file. What comes again and again, byte by byte and for long
enough, is what the server has. ``set-aside/`` in the batch's folder holds a few of these files and ``seen.json``, which
outlasts the process.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

from chargen.base import durable, events, failpoints
from chargen.base.frozen import frozen
from chargen.pictures.formats import sha256_file
from chargen.providers.accounting import Account
from chargen.records import WrongShape, build
from chargen.records.journal import age_s, moment
from chargen.records.journal_lines import Moment
from chargen.records.state import BatchFiles

SIGHTINGS = 3
"""How often the same bytes must have come, at least, before they count as all that the server has."""
FIRST_PAUSE_S = 5.0
"""The pause before such a download is asked for again; each one after it is twice as long."""
SHARE_OF_TIME = 4
"""The longest pause is this part of the time for which the bytes must stay the same."""
KEPT_FILES = 3
KEPT_BYTES = 1 << 30


@frozen
class Sighting:
    """The same bytes, come once or more in a row from ``first`` to ``last``; ``known`` requests have a line in them."""

    sha256: str
    bytes: int
    known: int
    fault: str
    first: Moment
    last: Moment
    times: int = 1
    file: str = ""

    @property
    def lasted_s(self) -> float:
        """For how many seconds the same bytes have been received."""
        return _age_s(self.first)


@frozen
class _Seen:
    """The content of seen.json: the bytes that came last, and the files kept of others, oldest first."""

    last: Sighting | None = None
    kept: tuple[Sighting, ...] = ()
    accepted: str = ""


class SetAside:
    """What was set aside of one batch. *settle_s* is for how long the same bytes must come. Call it under its lock."""

    def __init__(self, files: BatchFiles, settle_s: float):
        self._batch = files.id
        self.folder = files.set_aside
        self._settle_s = settle_s
        self._seen = self._read()

    @property
    def pause_s(self) -> float:
        """Seconds until the results are to be asked for again; 0 if now."""
        last = self._seen.last
        return max(0.0, self.pause_after(last.times) - _age_s(last.last)) if last else 0.0

    @property
    def fault(self) -> str:
        """What is wrong with what came last."""
        return self._seen.last.fault if self._seen.last else ""

    @property
    def accepted(self) -> str:
        """Why results that do not account for the job were accepted, ``""`` if they were not."""
        return self._seen.accepted

    def saw(self, part: Path, account: Account) -> Sighting:
        """Remember that the bytes in *part* came, durably."""
        sha256, this = sha256_file(part), moment()
        sighting = Sighting(sha256, account.bytes, account.known, account.fault, this, this)
        last = self._seen.last
        if last and last.sha256 == sha256:
            sighting = replace(sighting, first=last.first, times=last.times + 1)
        self._write(_Seen(sighting, self._seen.kept))
        failpoints.reached("sighted")
        return sighting

    def has_settled(self, sighting: Sighting) -> bool:
        """Whether these bytes were received often enough, and for long enough, to be all that the server has."""
        return sighting.times >= SIGHTINGS and sighting.lasted_s >= self._settle_s

    def keep(self, part: Path, sighting: Sighting, *, is_json: bool) -> Path:
        """Move *part* to the files that are kept, unless it is there; return where it is, if there was room."""
        path = self.folder / f"{sighting.sha256[:16]}{'.jsonl' if is_json else '.body'}"
        if path.exists():
            return path
        part.replace(path)
        failpoints.reached("set-aside")
        kept = [item for item in self._seen.kept if item.sha256 != sighting.sha256]
        kept.append(replace(sighting, file=path.name))
        while len(kept) > 1 and (len(kept) > KEPT_FILES or sum(item.bytes for item in kept) > KEPT_BYTES):
            # The one with the most results stays, whatever it takes; of equal ones the youngest.
            least = min(kept, key=lambda item: item.known)
            kept.remove(least)
            (self.folder / least.file).unlink(missing_ok=True)
            words = f"{self.folder / least.file} is deleted to free space: {least.bytes:,} bytes; {least.fault}"
            events.log("set-aside", words, batch=self._batch, bytes=least.bytes)
        self._write(_Seen(self._seen.last, tuple(kept)))
        return path

    def accept(self, why: str) -> None:
        """Remember *why* incomplete results are taken, ``""`` if they are not; call it before they are put in place."""
        self._write(_Seen(self._seen.last, self._seen.kept, why))

    def pause_after(self, times: int) -> float:
        """Seconds to wait when the same bytes have come so many *times*."""
        longest = self._settle_s / SHARE_OF_TIME
        return float(min(longest, min(FIRST_PAUSE_S, longest) * 2 ** min(times - 1, 30)))

    def _read(self) -> _Seen:
        try:
            return build(_Seen, durable.read_json(self.folder / "seen.json"))
        except (OSError, ValueError, WrongShape):  # then it starts again: results only wait longer
            return _Seen()

    def _write(self, seen: _Seen) -> None:
        durable.write_json(self.folder / "seen.json", asdict(seen))
        self._seen = seen


def _age_s(then: Moment) -> float:
    """Seconds since *then*; 0 if it is not a time."""
    try:
        return age_s(then)
    except ValueError:
        return 0.0
