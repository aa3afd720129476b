"""`snakemake cleanup`: cancel jobs, delete jobs and files on the server; said first, done with ``confirm=true``.

What an unfinished batch still needs stays, on this machine's knowledge and on the server's, unless it is forced:
results that are nowhere else, uploads of a batch in flight, uploads that a job of somebody else may be reading.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from fnmatch import fnmatchcase

from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.base.timestamps import age_s, ago
from chargen.providers.base import RemoteError
from chargen.providers.protocol import Connection
from chargen.providers.registry import connect
from chargen.providers.uploads import Uploads
from chargen.records import arguments
from chargen.records.commands import command
from chargen.records.journal import Journal, now
from chargen.records.journal_lines import Cancelled, Cleaned
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.screens.jobs import Job
from chargen.screens.jobs import look as look_at_jobs
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
    size,
    table,
    to_paste,
)
from chargen.screens.storage import StoredFile, whose
from chargen.screens.storage import look as look_at_files

HELP = "cancel and delete on the server (settings: cancel, delete, files, older_than_h, confirm, force)"
READ_ONLY = False
FORCE = "even-if-needed"
CHARGENS = frozenset({"this", "library", "orphan"})


@frozen
class Act(Document):
    """One thing to do on the server. ``kept`` says why it is not done; ``outcome`` is ``""`` before the act.

    Outcomes: ``done``, ``gone`` (it was no longer there), ``busy`` (another process works on it) or ``failed``.
    """

    what: str  # cancel, delete job, delete file
    name: str
    about: str
    library: str
    batch: str
    bytes: int = 0
    kept: str = ""
    outcome: str = ""
    said: str = ""


@frozen(kw_only=True)
class Cleanup(Document):
    """The answer of `snakemake cleanup`: what would be done, or was done if it was ``confirmed``."""

    schema_version: int = 1
    library_id: str
    confirmed: bool
    forced: bool
    acts: tuple[Act, ...]


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Say what would be done, or do it; return the exit status: 1 if something that was to be done failed."""
    remote = connect(settings)
    home = Home.of(state)
    jobs = look_at_jobs(state, remote)
    files = look_at_files(home, remote)
    asked = settings.asked(arguments.Cleanup)
    if not (asked.cancel or asked.delete or asked.files):
        screen.show(_answer(settings, []), lambda width: usage(settings, jobs, files, width))
        return 0
    acts = plan(settings, jobs, files)
    if asked.confirm:
        acts = [act if act.kept else perform(act, home, remote) for act in acts]
    screen.show(_answer(settings, acts), lambda width: lines(settings, acts, width))
    return int(any(act.outcome in ("failed", "busy") for act in acts))


def plan(settings: Settings, jobs: Sequence[Job], files: Sequence[StoredFile]) -> list[Act]:
    """Return what the settings ask for, and of it what is kept and why. Raises ChargenError if a name fits nothing."""
    asked = settings.asked(arguments.Cleanup)
    old = asked.older_than_h * 3600
    acts = [
        *(_cancel(job) for job in _named(asked.cancel, jobs, "cancel") if _is_old(job.created, old)),
        *(_delete_job(job) for job in _named(asked.delete, jobs, "delete") if _is_old(job.created, old)),
    ]
    strangers = [job for job in jobs if job.is_active and not job.known]
    chosen = [file for file in _chosen_files(asked.files, files) if _is_old(file.created, old)]
    acts += [_delete_file(file, jobs, strangers) for file in chosen]
    if asked.force == FORCE:
        return [replace(act, kept="") if act.kept and act.kept not in FINAL_WORDS else act for act in acts]
    return acts


CANCEL_MEANS = (
    "Results that a job has finished still arrive. The rest, and pictures that wait for them, are not sent in the "
    "current run; they are still wanted, and the next generate_all sends them. Other jobs of a run continue: "
    "Ctrl-C in its terminal stops it from sending more."
)
ENDED_ALREADY = "it has already ended"
STILL_RUNNING = "it has not ended; cancel it first"
GOES_WITH_JOB = "results are deleted with their job"
FINAL_WORDS = frozenset({ENDED_ALREADY, STILL_RUNNING, GOES_WITH_JOB})
"""Reasons that no force overrides: the server would refuse."""


def perform(act: Act, home: Home, remote: Connection) -> Act:
    """Do *act* and record it where the steps would; return it with its outcome."""
    state = home.states.get(act.library)
    deeds: dict[str, Callable[[str], None]] = {
        "cancel": remote.cancel,
        "delete job": remote.delete_job,
        "delete file": remote.delete_file,
    }
    known = state is not None and bool(act.batch)
    guard = state.lock(f"batch-{act.batch}", wait=False) if state and known and act.what != "delete file" else None
    with guard or nullcontext(True) as got:
        if not got:
            return replace(act, outcome="busy", said="another process is working on its batch; try again")
        try:
            deeds[act.what](act.name)
            done = replace(act, outcome="done")
        except RemoteError as error:
            if not error.gone or act.what == "cancel":
                return replace(act, outcome="failed", said=error.message or str(error))
            done = replace(act, outcome="gone")
        if state:
            _record(act, state, remote)
    return done


def _record(act: Act, state: State, remote: Connection) -> None:
    if act.what == "delete file":
        Uploads(state, remote).forget(act.name)
        return
    journal = Journal(state)
    entry = journal.entries.get(act.batch)
    if entry and act.what == "cancel":
        journal.append(Cancelled(now(), entry.batch, why="asked"))
    elif entry and entry.outcomes is not None and not entry.cleaned:
        journal.append(Cleaned(now(), entry.batch))


def _cancel(job: Job) -> Act:
    kept = "" if job.is_active else ENDED_ALREADY
    return _of_job("cancel", job, kept)


def _delete_job(job: Job) -> Act:
    may_have_results = job.state == "SUCCEEDED" or job.has_results
    kept = ""
    if job.is_active:
        kept = STILL_RUNNING
    elif job.owner == "foreign":
        kept = ""
    elif job.known:
        kept = job.kept_for
    elif job.owner == "this" and may_have_results:
        kept = "its results are stored nowhere else; `snakemake jobs` shows the command that downloads them"
    elif may_have_results:
        kept = f"it is unknown here whether library {job.library} has its results"
    return _of_job("delete job", job, kept)


def _of_job(what: str, job: Job, kept: str) -> Act:
    about = f"{job.state.lower()}, {job.done}/{job.requests}, {ago(job.created)} old"
    if job.owner == "foreign":
        about += f", not from chargen{': ' + job.display_name if job.display_name else ''}"
    elif job.owner == "library":
        about += f", library {job.library}"
    return Act(what, job.name, about, job.library, job.batch if job.known else "", kept=kept)


def _delete_file(file: StoredFile, jobs: Iterable[Job], strangers: Sequence[Job]) -> Act:
    reader = next((job for job in jobs if job.is_active and job.request_file == file.name), None)
    may_read = [job for job in strangers if file.owner == "foreign" or (file.owner == "orphan" and job.batch)]
    kept = ""
    if file.owner == "job":
        kept = GOES_WITH_JOB
    elif file.needed_by:
        kept = f"batch {file.needed_by} still needs it"
    elif reader:
        kept = f"{reader.name} is reading it"
    elif may_read:
        kept = f"{may_read[0].name}, which is in no journal here, may be reading it"
    about = f"{file.kind}, {size(file.bytes)}, {ago(file.created)} old"
    about += "" if file.owner in ("this", "job") else f", {whose(file)}"
    return Act("delete file", file.name, about, file.library, "", file.bytes, kept)


def _named(words: Iterable[str], jobs: Sequence[Job], key: str) -> list[Job]:
    """Return the jobs that *words* name, each once; ``all`` are those of this library that the act can touch."""
    listed = [job for job in jobs if job.name and job.state not in ("GONE", "ELSEWHERE")]
    chosen: dict[str, Job] = {}
    for word in words:
        if word == "all":
            fits = [job for job in listed if job.owner == "this" and job.is_active == (key == "cancel")]
        else:
            fits = [job for job in listed if _fits(word, job.name, job.display_name, job.batch)]
            if not fits:
                raise ChargenError(f"cleanup: {key}: job not found on the server: {word}; `snakemake jobs` lists them")
        chosen.update((job.name, job) for job in fits)
    return list(chosen.values())


def _chosen_files(words: Iterable[str], files: Sequence[StoredFile]) -> list[StoredFile]:
    chosen: dict[str, StoredFile] = {}
    for word in words:
        if word == "all":
            fits = [file for file in files if file.owner in CHARGENS]
        elif word == "orphans":
            fits = [file for file in files if file.owner == "orphan"]
        else:
            fits = [file for file in files if _fits(word, file.name, file.display_name)]
            if not fits:
                raise ChargenError(
                    f"cleanup: files: file not found on the server: {word}; `snakemake storage` lists them"
                )
        chosen.update((file.name, file) for file in fits)
    return list(chosen.values())


def _fits(word: str, *names: str) -> bool:
    short = [name.partition("/")[2] for name in names if "/" in name]
    return any(fnmatchcase(name, word) for name in [*names, *short] if name)


def _is_old(created: str, seconds: float) -> bool:
    """What has no date counts as new."""
    if not seconds:
        return True
    age = age_s(created)
    return age is not None and age >= seconds


def _answer(settings: Settings, acts: Sequence[Act]) -> Cleanup:
    return Cleanup(
        library_id=settings.library_id,
        confirmed=settings.asked(arguments.Cleanup).confirm,
        forced=settings.asked(arguments.Cleanup).force == FORCE,
        acts=tuple(acts),
    )


def usage(settings: Settings, jobs: Sequence[Job], files: Sequence[StoredFile], width: int | None) -> Iterator[Line]:
    """Yield what there is to clean up, and how to ask for it."""
    ours = [job for job in jobs if job.owner == "this"]
    uploads = [file for file in files if file.owner in CHARGENS]
    orphans = [file for file in uploads if file.owner == "orphan"]
    active = sum(job.is_active for job in ours)
    yield heading("Nothing was selected. On the server:")
    yield from table(
        [Column("what"), Column("number", right=True), Column("size", right=True), Column("to clean up")],
        [
            ["running jobs", str(active), "", Span("cancel=all", BUSY)],
            ["ended jobs", str(len(ours) - active), "", Span("delete=all", BUSY)],
            ["files", str(len(uploads)), size(sum(file.bytes for file in uploads)), Span("files=all", BUSY)],
            ["  orphans", str(len(orphans)), size(sum(file.bytes for file in orphans)), Span("files=orphans", BUSY)],
        ],
        width,
    )
    yield line()
    yield line("Names, ids and globs work too; older_than_h=24 narrows the selection. For example:")
    yield to_paste(command(settings, "cleanup", "files=orphans", "older_than_h=24"))
    yield from advice("This only shows what would be done; add confirm=true to do it.", width)


def lines(settings: Settings, acts: Sequence[Act], width: int | None) -> Iterator[Line]:
    """Yield what was done, or would be, and what is kept and why."""
    doing = [act for act in acts if not act.kept]
    kept = [act for act in acts if act.kept]
    if not acts:
        yield line("Nothing on the server matches; nothing to do.")
        return
    if doing:
        yield heading(_headline(doing, settings.asked(arguments.Cleanup).confirm))
        yield from table(
            [Column("act"), Column("name"), Column("what it is", below=True)], [_row(act) for act in doing], width
        )
        for act in doing:
            if act.said:
                yield line(Span("✗ ", BAD), act.name)
                yield from advice(act.said, width)
    if kept:
        yield line() if doing else line(Span("Nothing can be deleted or cancelled:", "bold"))
        yield from _kept(kept, width)
        if any(act.kept not in FINAL_WORDS for act in kept):
            yield line()
            yield from advice(
                f"force={FORCE} deletes needed items too; anything lost this way has to be paid for again.", width
            )
    if any(act.what == "cancel" for act in doing):
        yield from advice(CANCEL_MEANS, width)
    if doing and not settings.asked(arguments.Cleanup).confirm:
        yield line()
        yield line(Span("Nothing was done. ", WARN), "To do it, add ", Span("confirm=true", "cyan"))


def _headline(doing: Sequence[Act], confirmed: bool) -> str:
    counts = Counter(act.what for act in doing)
    parts = []
    for what, number in counts.items():
        verb, _, noun = what.partition(" ")
        noun = (noun or "job") + ("" if number == 1 else "s")
        parts.append(f"{verb} {number} {noun}")
    room = sum(act.bytes for act in doing)
    done = sum(act.outcome in ("done", "gone") for act in doing)
    text = ", ".join(parts) + (f" ({size(room)})" if room else "")
    return f"Asked to {text}: {done} of {len(doing)} done" if confirmed else f"Would {text}"


KEPT = {"cancel": "not cancelled", "delete job": "job kept", "delete file": "file kept"}


def _row(act: Act) -> list[Span | str]:
    signs = {"": ("", ""), "done": ("✓ ", GOOD), "gone": ("✓ ", DIM), "busy": ("! ", WARN), "failed": ("✗ ", BAD)}
    sign, style = signs[act.outcome]
    note = ", was gone already" if act.outcome == "gone" else ""
    return [Span(sign + act.what, style), act.name, act.about + note]


def _kept(kept: Sequence[Act], width: int | None) -> Iterator[Line]:
    groups: dict[tuple[str, str], list[str]] = {}
    for act in kept:
        groups.setdefault((act.what, act.kept), []).append(act.name)
    for (what, why), names in groups.items():
        shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
        yield line(Span("○ ", DIM), f"{KEPT[what]}: {shown}")
        yield from advice(why, width)
