"""`snakemake jobs`: every batch job of the key, joined with what the journals here know of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from chargen.base.frozen import frozen
from chargen.base.reading import Document, extend
from chargen.base.timestamps import ago
from chargen.base.wording import count
from chargen.operations import DEFAULT_TARGET
from chargen.providers.base import FINAL_STATES, RemoteJob
from chargen.providers.protocol import Connection
from chargen.providers.registry import connect
from chargen.providers.uploads import asking
from chargen.records.commands import command
from chargen.records.journal import Entry
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.screens.owners import Home
from chargen.screens.screen import (
    BAD,
    BUSY,
    DIM,
    GOOD,
    WARN,
    Column,
    Line,
    Screen,
    Span,
    advice,
    heading,
    line,
    table,
    to_paste,
)
from chargen.steps.cleanup import why_kept

HELP = "list the batch jobs of the key"
STYLES = {
    "SUCCEEDED": GOOD,
    "FAILED": BAD,
    "EXPIRED": BAD,
    "GONE": BAD,
    "CANCELLED": DIM,
    "PENDING": WARN,
    "QUEUED": WARN,
    "UNANSWERED": WARN,
    "RUNNING": BUSY,
}
OUR_OWN_STATES = frozenset({"GONE", "UNANSWERED", "ELSEWHERE"})
"""In no answer of the server: it does not list the job; it is unknown whether it was made; another key made it."""


@frozen(kw_only=True)
class Job(Document):
    """A job as the server and the journal describe it. Counts are of requests, times are ISO 8601.

    ``owner``: ``this`` library, another ``library``, or ``foreign`` where chargen did not name it. ``known``: a journal
    in this folder knows it; one of this library that none knows is an orphan. ``here``: how far its results have come,
    ``in flight``, ``ended``, ``downloaded``, ``lost``, ``applied``, or ``""`` where that is unknown. ``request_file``
    is its input on the server. ``has_results``: whether it says where its results are. ``kept_for`` says why a job that
    a journal knows must not be deleted.
    """

    name: str
    display_name: str
    state: str
    model: str
    created: str
    ended: str
    requests: int
    done: int
    failed: int
    error: str
    owner: str
    library: str
    batch: str
    known: bool
    here: str
    cancelling: bool
    request_file: str
    has_results: bool = False
    kept_for: str = ""

    @property
    def is_active(self) -> bool:
        """Whether the server may still work on it."""
        return self.state not in FINAL_STATES and self.state not in ("GONE", "ELSEWHERE")

    @property
    def is_orphan(self) -> bool:
        """Whether it is this library's and no journal knows it."""
        return self.owner == "this" and not self.known


@frozen(kw_only=True)
class ListedJob(Job):
    """A job as `snakemake jobs` lists it; ``command`` is what to do about it, ``""`` if nothing is."""

    orphan: bool
    active: bool
    command: str


@frozen(kw_only=True)
class Jobs(Document):
    """The answer of `snakemake jobs`."""

    schema_version: int = 1
    provider: str
    base_url: str
    library_id: str
    jobs: tuple[ListedJob, ...]


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show the jobs; return the exit status."""
    remote = connect(settings)
    found = look(state, remote)
    answer = Jobs(
        provider=settings.provider,
        base_url=remote.base_url,
        library_id=settings.library_id,
        jobs=tuple(listed(job, settings) for job in found),
    )
    screen.show(answer, lambda width: lines(found, settings, width))
    return 0


def listed(job: Job, settings: Settings) -> ListedJob:
    """Return *job* as it is listed."""
    return extend(
        ListedJob,
        job,
        orphan=job.is_orphan,
        active=job.is_active,
        command=what_to_do(job, settings)[1],
    )


def look(state: State, remote: Connection) -> list[Job]:
    """Return every job of the key, active ones first, then the youngest; and those in flight that it does not list."""
    operations = asking(lambda: list(remote.jobs()))
    home = Home.of(state)  # read after the list, so that what was just made is known
    found = [_join(operation, home) for operation in operations]
    listed = {job.name for job in found}
    answered = {job.display_name for job in found}
    for entry in home.journals[home.own].in_flight():
        if (entry.job or entry.display_name) not in (listed if entry.job else answered):
            found.append(_unlisted(entry, home, remote))
    return sorted(sorted(found, key=lambda job: job.created, reverse=True), key=lambda job: not job.is_active)


def what_to_do(job: Job, settings: Settings) -> tuple[str, str]:
    """Return what a person should know about *job*, and the command that goes with it; ``""`` where all is well."""
    go_on = command(settings, DEFAULT_TARGET)
    if job.state == "GONE":
        return "the server no longer lists it; the next run checks whether its results are lost", go_on
    if job.state == "ELSEWHERE":
        return "sent with another key or to another address; use those until it is collected", ""
    if job.state == "UNANSWERED":
        return "submitted without an answer; the next run checks whether it was created", go_on
    collect = command(settings, "collect", f"job={job.name}")
    if job.is_orphan and job.state == "SUCCEEDED":
        return "it is in no journal here, and it was paid for", collect
    if job.is_orphan and not job.is_active:
        return "it is in no journal here, and it has no results", command(settings, "cleanup", f"delete={job.name}")
    if job.is_orphan:
        return "it is in no journal here; collect it when it has ended", collect
    if job.owner == "this" and job.here == "lost":
        return "it was lost and is on the server again; the next run collects it", go_on
    if job.owner == "this" and job.here in ("ended", "downloaded"):
        return "ended, and its pictures are not in place yet", go_on
    return "", ""


def lines(found: list[Job], settings: Settings, width: int | None) -> Iterator[Line]:
    """Yield the screen: a table of jobs, and what to do about those that need somebody."""
    if not found:
        yield line(f"No batch jobs with this key ({settings.provider}).")
        return
    active = sum(job.is_active for job in found)
    states = Counter(job.state.lower() for job in found if not job.is_active)
    counts = [f"{active} active", *(f"{number} {state}" for state, number in states.most_common())]
    yield heading(f"{count(len(found), 'batch job')}: {', '.join(counts)}")
    yield from table(
        [
            Column("state"),
            Column("job"),
            Column("done", right=True),
            Column("age", right=True),
            Column("whose", below=True),
            Column("model", below=True),
        ],
        [_row(job) for job in found],
        width,
    )
    yield from _to_do(found, settings, width)


def _row(job: Job) -> list[Span | str]:
    known = job.done or not job.is_active  # the API shows no counts while a job runs
    done = f"{job.done if known else '–'}/{job.requests}" + (f", {job.failed} failed" if job.failed else "")
    state = "CANCELLING" if job.cancelling and job.is_active else job.state
    return [
        Span("● " + state.lower(), STYLES.get(job.state, "")),
        job.name.removeprefix("batches/") or job.display_name,
        done,
        ago(job.created),
        Span(_whose(job), WARN if job.is_orphan else ""),
        job.model,
    ]


def _whose(job: Job) -> str:
    if job.owner == "foreign":
        return f"not from chargen: {job.display_name}" if job.display_name else "not chargen's"
    if job.is_orphan:
        return f"orphan of this library, batch {job.batch}"
    whose = f"ours, batch {job.batch}" if job.owner == "this" else f"library {job.library}, batch {job.batch}"
    return whose + (f", {job.here}" if job.here and not job.is_active else "")


def _to_do(found: Iterable[Job], settings: Settings, width: int | None) -> Iterator[Line]:
    groups: dict[tuple[str, str], list[str]] = {}
    for job in found:
        trouble, fix = what_to_do(job, settings)
        if trouble:
            groups.setdefault((trouble, fix), []).append(job.name or job.display_name)
    for (trouble, fix), names in groups.items():
        yield line()
        yield line(Span("! ", WARN), ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else ""))
        yield from advice(trouble, width)
        if fix:
            yield to_paste(fix)


def _join(operation: RemoteJob, home: Home) -> Job:
    library, batch, known = home.library_of_job(operation.name, operation.display_name)
    entry = home.journals[library].entry(batch) if known else None
    return Job(
        name=operation.name,
        display_name=operation.display_name,
        state=operation.state,
        model=operation.model,
        created=operation.created,
        ended=operation.ended,
        requests=operation.requests,
        done=operation.done,
        failed=operation.failed,
        error=operation.error,
        owner="this" if library == home.own else "library" if library else "foreign",
        library=library,
        batch=batch,
        known=known,
        here=_here(entry, operation, home.states[library]) if entry else "",
        cancelling=bool(entry and entry.cancelled),
        has_results=operation.has_results,
        kept_for=why_kept(entry) if entry else "",
        request_file=operation.request_file,
    )


def _here(entry: Entry, operation: RemoteJob, state: State) -> str:
    files = state.batch(entry.batch)
    if entry.is_lost:
        return "lost"
    if entry.outcomes is not None:
        return "applied"
    if files.responses.exists() and files.ended.exists():
        return "downloaded"
    return "ended" if operation.is_final else "in flight"


def _unlisted(entry: Entry, home: Home, remote: Connection) -> Job:
    """A job of this library that the server does not list."""
    files = home.states[home.own].batch(entry.batch)
    downloaded = files.responses.exists() and files.ended.exists()
    if (entry.key, entry.base_url) != (remote.fingerprint, remote.base_url):
        state = "ELSEWHERE"
    elif not entry.job:
        state = "UNANSWERED"
    else:
        state = entry.ended or "GONE"
    return Job(
        name=entry.job,
        display_name=entry.display_name,
        state=state,
        model=entry.model,
        created=entry.submitted,
        ended="",
        requests=len(entry.wishes),
        done=0,
        failed=0,
        error=entry.error,
        owner="this",
        library=home.own,
        batch=entry.batch,
        known=True,
        here="downloaded" if downloaded else "in flight",
        cancelling=entry.cancelled,
        request_file="",
    )
