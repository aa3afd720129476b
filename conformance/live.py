"""The third judge: a real server.

It may cost money. So it starts only with a price that is known and agreed to, stays below a cap, touches nothing that
it did not make, and leaves nothing behind.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import signal
import types
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from conformance.asking import Asker
from conformance.document import Behaviour, Collection, Cost, can_cost
from conformance.exchange import Answer, NotJudged, Pace, Request, Session
from conformance.outcome import Tally, printable
from conformance.patterns import ABSENT, Matcher

OFFICIAL = "https://generativelanguage.googleapis.com"
PREFIX = "chargen-prove"
KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "MYTHICINDEX_GOOGLE_API_KEY")
MOST_USD = 0.50
"""No run may cost this much, whatever its options say."""
_FINAL = re.compile(r"_(SUCCEEDED|FAILED|CANCELLED|EXPIRED)$")
Say = Callable[[str], None]


class Refused(Exception):
    """A live run does not start: why, and what to do."""


class Stopped(KeyboardInterrupt):
    """A signal asked the run to stop."""


@dataclass(frozen=True, slots=True)
class Bill:
    """What a run can cost: what is paid for sure at most, and what single calls cost if the API takes what it should
    refuse.
    """

    paid: Mapping[str, float]
    if_taken: Mapping[str, float]
    free: int

    @property
    def total(self) -> float:
        """USD that the run costs at most when the API refuses what it should refuse."""
        return sum(self.paid.values())


def key_from(environment: Mapping[str, str]) -> str:
    """The key. Raises Refused when there is none."""
    key = next((environment[name].strip() for name in KEYS if environment.get(name, "").strip()), "")
    if not key:
        raise Refused(f"a live run needs a key: set {KEYS[0]} in the environment")
    return key


def bill(collection: Collection, behaviours: Sequence[Behaviour], cap_usd: float) -> Bill:
    """What judging *behaviours* can cost. Raises Refused for an unknown price, and for more than *cap_usd*."""
    if not 0 < cap_usd < MOST_USD:
        raise Refused(f"the cap must be above 0 and below {MOST_USD:.2f} USD, not {cap_usd:g}")
    paid: dict[str, float] = {}
    if_taken: dict[str, float] = {}
    free = 0
    shared = {name for item in behaviours for name in item.needs}
    items: list[tuple[str, str, Cost]] = [
        (f"preparation {name}", name, collection.preparations[name].cost) for name in sorted(shared)
    ]
    for item in behaviours:
        items += [(f"{item.id}, preparation {name}", name, collection.preparations[name].cost) for name in item.own]
        items.append((item.id, f"{item.file}:{item.line}", item.cost))
    for label, where, cost in items:
        if cost.kind == "unknown":
            raise Refused(f"{where}: cost: the price of {label} is unknown: give it, or leave it out with --only")
        if cost.kind == "paid":
            paid[label] = cost.usd
        elif cost.kind == "if_taken":
            if_taken[label] = cost.usd
        else:
            free += not label.startswith("preparation ")
    found = Bill(paid, if_taken, free)
    if found.total > cap_usd:
        raise Refused(
            f"the run could cost {found.total:.4f} USD, more than the cap of {cap_usd:.2f}: "
            f"leave some out with --only, or raise the cap (below {MOST_USD:.2f})"
        )
    return found


def show_bill(found: Bill, cap_usd: float, base_url: str, run: str, say: Say) -> None:
    """Print what the run will do and cost."""
    say(f"Live run against {base_url}")
    say(
        f"  {found.free} behaviours are free, {len(found.paid)} cost something, "
        f"{len(found.if_taken)} only if the API takes what it should refuse"
    )
    for label, usd in sorted(found.paid.items(), key=lambda item: -item[1]):
        say(f"    at most {usd:.4f} USD  {label}")
    say(f"  in all at most {found.total:.4f} USD; before a call could bring it above {cap_usd:.2f} USD the run stops")
    say(f"  what it makes is named {run}-… and is deleted at the end")


# -- what was made --


@dataclass
class Ledger:
    """What a run made on the server, kept on disk until it is deleted there, so that a crash leaves no trace."""

    file: Path
    base_url: str
    key: str
    run: str
    made: list[str] = field(default_factory=list)

    def open(self) -> None:
        """Write it down before anything is made."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        self._write()

    def add(self, name: str) -> None:
        """Remember *name*, on disk first."""
        if name not in self.made:
            self.made.append(name)
            self._write()

    def close(self) -> None:
        """Nothing is left."""
        self.file.unlink(missing_ok=True)

    def _write(self) -> None:
        about = {"base_url": self.base_url, "key": self.key, "run": self.run, "made": self.made}
        temporary = self.file.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8") as target:
            json.dump(about, target, indent=1)
            target.flush()
            os.fsync(target.fileno())
        temporary.replace(self.file)

    @classmethod
    def read(cls, file: Path) -> Ledger:
        """One that an earlier run left."""
        about = json.loads(file.read_text(encoding="utf-8"))
        return cls(file, about["base_url"], about["key"], about["run"], list(about["made"]))


def fingerprint(key: str) -> str:
    """Twelve hex digits that stand for a key."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def new_run() -> str:
    """The name of a run, which begins the display name of everything that it makes."""
    return f"{PREFIX}-{secrets.token_hex(4)}"


def left_over(folder: Path) -> list[Ledger]:
    """What earlier runs did not get round to deleting."""
    return [Ledger.read(file) for file in sorted(folder.glob(f"{PREFIX}-*.json"))]


def clean_up(session: Session, ledger: Ledger, say: Say) -> bool:
    """Cancel and delete what the run made, by name and by its own display names, and only that; whether all is gone."""
    jobs = {name for name in ledger.made if name.startswith("batches/")}
    files = {name for name in ledger.made if name.startswith("files/")}
    whole = True
    for path, member, found in (("/v1beta/batches", "operations", jobs), ("/v1beta/files", "files", files)):
        listed = _listed(session, path, member, ledger.run)
        whole = whole and listed is not None
        found |= listed or set()
    for name in sorted(jobs):
        whole = _delete_job(session, name, say) and whole
    for name in sorted(files):
        whole = _gone(session, name, say) and whole
    if whole:
        ledger.close()
        say(f"Deleted what {ledger.run} had made: {len(jobs)} jobs, {len(files)} files")
    else:
        say(f"Not everything of {ledger.run} could be deleted. Try again with --clean-up; {ledger.file} names it")
    return whole


def _delete_job(session: Session, name: str, say: Say) -> bool:
    operation = session.ask("GET", f"/v1beta/{name}").json()
    state = operation.get("metadata", {}).get("state", "") if isinstance(operation, dict) else ""
    if state and not _FINAL.search(state):
        session.ask("POST", f"/v1beta/{name}:cancel")
    return _gone(session, name, say)


def _gone(session: Session, name: str, say: Say) -> bool:
    """Delete *name*; whether it is gone, or was before."""
    answer = session.ask("DELETE", f"/v1beta/{name}")
    if answer.status in (200, 204, 403, 404):
        return True
    why = session.hidden(answer.trouble or answer.text[:200].strip())
    say(f"{name} could not be deleted: {printable(why)}")
    return False


def _listed(session: Session, path: str, member: str, run: str) -> set[str] | None:
    """The names of what carries the run's display name; None when the list could not be read to its end."""
    names: set[str] = set()
    token = ""
    for _ in range(200):
        page = session.ask("GET", path, pageSize="100", **({"pageToken": token} if token else {})).json()
        if not isinstance(page, dict) or "error" in page:
            return None
        for item in page.get(member, ()):
            shown = item.get("metadata", item).get("displayName", "")
            if shown.startswith(f"{run}-"):
                names.add(item["name"])
        token = page.get("nextPageToken", "")
        if not token:
            return names
    return None


# -- what may be sent --

_ALLOWED = (
    re.compile(r"GET /(download/)?v1\w*/(files|batches|models)\b"),
    re.compile(r"(POST|PUT) /upload/v1\w*/files$"),
    re.compile(r"POST /v1\w*/models/[^/]+:(generateContent|batchGenerateContent|countTokens|asyncBatchEmbedContent)$"),
    re.compile(r"POST /v1\w*/files:register$"),
    re.compile(r"(POST|PATCH) /v1\w*/batches/[^/]+:(cancel|updateGenerateContentBatch)$"),
    re.compile(r"DELETE /v1\w*/(files|batches)/[^/]+$"),
)
_TOUCHES = re.compile(r"/v1\w*/((?:files|batches)/[^/:]+)(?::|$)")


@dataclass
class LiveGuard:
    """Lets only known calls through, only on things that this run made, and only below the cap."""

    ledger: Ledger
    cap_usd: float
    spent_usd: float = 0.0
    reserved_usd: float = 0.0

    def before(self, request: Request) -> None:
        """Raise NotJudged for what a live run may not do."""
        path = self._path(request)
        if urlsplit(request.url).netloc != urlsplit(self.ledger.base_url).netloc:
            raise NotJudged(f"{urlsplit(request.url).netloc} is another server than {self.ledger.base_url}")
        if not any(known.match(f"{request.method} {path}") for known in _ALLOWED):
            raise NotJudged(f"{request.method} {path} is not among the calls that a live run may make")
        touched = _TOUCHES.search(path)
        if request.method != "GET" and touched and not self._own(touched[1]):
            raise NotJudged(f"{touched[1]} was not made by this run: it is not touched")
        shown = _display_name(request)
        if shown and not shown.startswith(f"{self.ledger.run}-"):
            raise NotJudged(f"the display name {shown!r} does not begin with {self.ledger.run}-")
        if can_cost(request.method, path) and self.spent_usd + self.reserved_usd > self.cap_usd:
            raise NotJudged(f"{request.method} {path} could bring the cost above the cap of {self.cap_usd:.2f} USD")

    def after(self, request: Request, answer: Answer) -> None:
        """Remember what was made, and what it may have cost."""
        path = self._path(request)
        body = answer.json() if answer.status == 200 else ABSENT
        if isinstance(body, dict) and request.method in ("POST", "PUT"):
            name = body["file"].get("name") if isinstance(body.get("file"), dict) else body.get("name")
            if isinstance(name, str) and name.startswith(("files/", "batches/")):
                self.ledger.add(name)
        refused = 400 <= answer.status < 500
        if can_cost(request.method, path) and not refused:
            self.spent_usd += self.reserved_usd
            self.reserved_usd = 0.0

    @contextmanager
    def reserving(self, cost: Cost) -> Iterator[None]:
        """Set the price of what comes next aside: it counts as spent unless all that could cost is refused."""
        self.reserved_usd = cost.usd
        if cost.usd and self.spent_usd + cost.usd > self.cap_usd:
            raise NotJudged(
                f"it could cost {cost.usd:.4f} USD; with the {self.spent_usd:.4f} already spent "
                f"that is above the cap of {self.cap_usd:.2f}"
            )
        try:
            yield
        finally:
            self.reserved_usd = 0.0

    def _path(self, request: Request) -> str:
        """The path below the base URL, which may have one of its own: a gateway's."""
        return urlsplit(request.url).path.removeprefix(urlsplit(self.ledger.base_url).path.rstrip("/"))

    def _own(self, name: str) -> bool:
        """Whether this run made it, its result file included, or made its name up."""
        of_a_job = name.replace("files/batch-", "batches/")
        return {name, of_a_job} & set(self.ledger.made) != set() or self.ledger.run.removeprefix(f"{PREFIX}-") in name


def _display_name(request: Request) -> str:
    body = request.json
    about = (body.get("batch") or body.get("file")) if isinstance(body, dict) else None
    if not isinstance(about, dict):
        return ""
    return str(about.get("displayName") or about.get("display_name") or "")


# -- the run --


def judge(
    collection: Collection,
    behaviours: Sequence[Behaviour],
    *,
    base_url: str,
    key: str,
    cap_usd: float,
    ledgers: Path,
    run: str,
    pace: Pace,
    say: Say,
) -> Tally:
    """Ask the server about *behaviours*, what is free first; delete what that made, also after Ctrl-C or an error."""
    tally = Tally("live")
    ledger = Ledger(ledgers / f"{run}.json", base_url, fingerprint(key), run)
    ledger.open()
    guard = LiveGuard(ledger, cap_usd)
    matcher = Matcher(collection.shapes)
    session = Session(base_url, key, matcher, pace=pace, guard=guard)
    sweeper = Session(base_url, key, matcher)
    asker = Asker(collection, session, "live", run, guard.reserving, say)
    rank = {"free": 0, "if_taken": 1, "paid": 2, "unknown": 3}
    ordered = sorted(behaviours, key=lambda item: (bool(item.needs or item.own), rank[item.cost.kind]))
    try:
        with _signals():
            for behaviour in ordered:
                tally.outcomes.append(asker.outcome(behaviour))
    except KeyboardInterrupt:
        tally.stopped = True
        tally.notes.append(f"stopped after {len(tally.outcomes)} of {len(ordered)} behaviours")
    finally:
        session.close()
        try:
            clean_up(sweeper, ledger, say)
        except KeyboardInterrupt:
            say(f"The clean-up was stopped. {ledger.file} names what is left: run again with --clean-up")
            raise
        finally:
            sweeper.close()
    tally.spent_usd = guard.spent_usd
    tally.notes.append(f"cost at most {guard.spent_usd:.4f} USD")
    return tally


@contextmanager
def _signals() -> Iterator[None]:
    """Turn the signals that end a program into Stopped, so that what was made is deleted first."""

    def stop(number: int, frame: types.FrameType | None) -> None:
        raise Stopped(signal.Signals(number).name)

    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.signal(name, stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def behaviours_of(collection: Collection, chosen: Iterable[Behaviour]) -> list[Behaviour]:
    """Those that a real server can be asked about."""
    return [item for item in chosen if "live" in item.judges]
