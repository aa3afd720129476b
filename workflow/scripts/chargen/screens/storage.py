"""`snakemake storage`: the uploaded files of the key, their owners, which batch needs them, and storage used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.base.timestamps import ago, ahead
from chargen.base.wording import count
from chargen.providers.base import RemoteFile
from chargen.providers.protocol import Connection
from chargen.providers.registry import connect, provider_of
from chargen.providers.uploads import asking
from chargen.records.commands import command
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.screens.owners import Home, is_ours
from chargen.screens.screen import (
    BAD,
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

HELP = "list the uploaded files"
RESULTS_PREFIX = "files/batch-"
FULL, NEARLY_FULL = 1.0, 0.8
BAR_WIDTH = 30


@frozen(kw_only=True)
class StoredFile(Document):
    """An uploaded file. ``kind``: ``reference``, ``requests`` (a job's input) or ``results`` (a job's output).

    ``owner``: ``this`` library, another ``library`` of this folder, ``orphan`` (chargen's, in no ledger here), ``job``
    (results, which go with their job) or ``foreign``. ``needed_by`` is a batch that still needs its content.
    """

    name: str
    display_name: str
    kind: str
    bytes: int
    created: str
    expires: str
    state: str
    owner: str
    library: str
    needed_by: str


@frozen(kw_only=True)
class Storage(Document):
    """The answer of `snakemake storage`: the files, and how full the account is in bytes."""

    schema_version: int = 1
    provider: str
    base_url: str
    library_id: str
    used_bytes: int
    limit_bytes: int
    tier: int
    files: tuple[StoredFile, ...]


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show the files; return the exit status."""
    remote = connect(settings)
    files = look(Home.of(state), remote)
    found = Storage(
        provider=settings.provider,
        base_url=remote.base_url,
        library_id=settings.library_id,
        used_bytes=sum(file.bytes for file in files),
        limit_bytes=storage_limit(settings),
        tier=settings.limits.tier,
        files=tuple(files),
    )
    screen.show(found, lambda width: lines(found, settings, width))
    return 0


def look(home: Home, remote: Connection) -> list[StoredFile]:
    """Return every uploaded file of the key, the largest first."""
    listed = asking(lambda: list(remote.files()))
    ledger, needed = home.uploads(remote), home.needed()
    found = [_join(file, home.own, ledger, needed) for file in listed]
    return sorted(found, key=lambda file: (-file.bytes, file.name))


def storage_limit(settings: Settings) -> int:
    """Return how many bytes of files the account may hold."""
    limits = settings.limits
    return limits.storage_bytes or provider_of(settings).catalog(settings).limit(limits.tier, "storage_bytes")


def lines(found: Storage, settings: Settings, width: int | None) -> Iterator[Line]:
    """Yield the screen: how full, then a table of files, then what can go."""
    share = found.used_bytes / found.limit_bytes if found.limit_bytes else 0.0
    style = BAD if share >= FULL else WARN if share >= NEARLY_FULL else GOOD
    used = f"{size(found.used_bytes)} of {size(found.limit_bytes)} used"
    yield heading(f"{used} ({share:.1%}, tier {found.tier}), {count(len(found.files), 'file')}")
    if width is not None:
        filled = min(BAR_WIDTH, round(share * BAR_WIDTH))
        yield line(Span("█" * filled, style), Span("░" * (BAR_WIDTH - filled), "dim"))
    yield from table(
        [
            Column("size", right=True),
            Column("file"),
            Column("kind"),
            Column("age", right=True),
            Column("expires", right=True),
            Column("whose", below=True),
        ],
        [
            [
                size(file.bytes),
                file.name,
                file.kind,
                ago(file.created),
                ahead(file.expires),
                Span(whose(file), WARN if file.owner == "orphan" else ""),
            ]
            for file in found.files
        ],
        width,
    )
    yield from _orphans(found.files, settings, width)
    if share >= NEARLY_FULL:
        yield line()
        yield line(Span("! ", WARN), "the storage is nearly full; uploads fail when it is full")
        yield to_paste(command(settings, "cleanup", "files=all"))


def _orphans(files: Sequence[StoredFile], settings: Settings, width: int | None) -> Iterator[Line]:
    orphans = [file for file in files if file.owner == "orphan"]
    if orphans:
        yield line()
        yield line(Span("! ", WARN), f"{count(len(orphans), 'orphan')}, {size(sum(file.bytes for file in orphans))}")
        yield from advice(
            "uploads of chargen that are in no journal here: from another machine, or state/ was lost", width
        )
        yield to_paste(command(settings, "cleanup", "files=orphans"))


def whose(file: StoredFile) -> str:
    """Return the owner in words, and the batch that needs it."""
    words = {
        "this": "ours",
        "library": f"library {file.library}",
        "orphan": "orphan",
        "job": "deleted with its job",
        "foreign": f"not from chargen: {file.display_name}" if file.display_name else "not chargen's",
    }
    return words[file.owner] + (f", needed by batch {file.needed_by}" if file.needed_by else "")


def _join(file: RemoteFile, own: str, ledger: dict[str, tuple[str, str]], needed: dict[str, str]) -> StoredFile:
    library, sha256 = ledger.get(file.name, ("", file.sha256))
    results = file.name.startswith(RESULTS_PREFIX)
    if library:
        owner = "this" if library == own else "library"
    elif results:
        owner = "job"
    else:
        owner = "orphan" if is_ours(file.display_name) else "foreign"
    kind = "results" if results else "requests" if "json" in file.mime else "reference"
    return StoredFile(
        name=file.name,
        display_name=file.display_name,
        kind=kind,
        bytes=file.bytes,
        created=file.created,
        expires=file.expires,
        state=file.state,
        owner=owner,
        library=library,
        needed_by=needed.get(sha256, ""),
    )
