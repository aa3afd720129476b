"""What chargen asks of a provider.

A provider is one package with an object that is a `Provider`; `chargen.providers.registry` finds it by the setting
``provider``. Nothing outside that package knows what its API calls things, or reads the prose of its messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from chargen.base.capabilities import Capabilities
    from chargen.base.findings import Finding
    from chargen.providers.base import (
        RemoteFile,
        RemoteJob,
        Request,
        ResultLine,
        Results,
        SentFile,
        SentRequest,
        Verdict,
        Wanted,
    )
    from chargen.providers.models import Catalog
    from chargen.records.batch import BatchPlan
    from chargen.records.settings import Settings


class Connection(Protocol):
    """One server, one key. Cheap to make; connects when first asked. Nothing in it retries by itself.

    Every method may raise `RemoteError`.
    """

    @property
    def base_url(self) -> str:
        """The address of the server; journal and ledgers keep it, because only there a job is found again."""

    @property
    def fingerprint(self) -> str:
        """A short text that differs from key to key and says nothing of the key."""

    def create(self, model: str, request_file: str, display_name: str) -> str:
        """Create a batch job of an uploaded request file and return its name. This spends money: it is never called
        twice for one batch without looking for the first job."""

    def jobs(self) -> Iterator[RemoteJob]:
        """Yield every batch job of the key, newest first, to the last page."""

    def list_jobs(self) -> tuple[list[RemoteJob], bool]:
        """Return every batch job as `jobs` does, and whether the list says so of all: an entry that cannot be read, or
        has no name, may be the very job that somebody misses."""

    def job(self, name: str) -> RemoteJob:
        """Return the job *name*, with its answers if they are inlined."""

    def cancel(self, name: str) -> None:
        """Cancel the job; finished results still arrive."""

    def delete_job(self, name: str) -> None:
        """Delete the job and its results."""

    def upload(self, path: Path, display_name: str, mime: str) -> RemoteFile:
        """Upload the file *path*."""

    def files(self) -> Iterator[RemoteFile]:
        """Yield every uploaded file of the key."""

    def delete_file(self, name: str) -> None:
        """Delete an uploaded file."""

    def download(self, name: str, path: Path) -> str:
        """Write the file *name* to *path*; return what is wrong with what came, ``""`` if nothing is.

        Raises RemoteError if nothing came, or not all of it.
        """


class Provider(Protocol):
    """One provider. Everything but `connect` works without a connection."""

    @property
    def capabilities(self) -> Capabilities:
        """What sets it apart from other providers."""

    @property
    def request_types(self) -> tuple[str, ...]:
        """The MIME types by which a request file may be uploaded, the preferred one first."""

    def connect(self, settings: Settings) -> Connection:
        """Return a connection; an embedded server is started if it is not running. Raises ChargenError without a key
        that can be sent."""

    def check_privacy(self, settings: Settings) -> Iterator[Finding]:
        """Yield for `snakemake doctor` what is kept where, and for how long."""

    def check_api(self, settings: Settings, models: Mapping[str, str]) -> Iterator[Finding]:
        """Yield for `snakemake doctor` how the server is, whether it takes the key and has the *models* in use, each
        with what for. Nothing is raised for what is not well."""

    def catalog(self, settings: Settings, today: dt.date | None = None) -> Catalog:
        """Return models, prices and limits as of *today*, the present day if None.

        Raises CannotPlan, naming file and key, if they cannot be read.
        """

    def request_line(self, plan: BatchPlan, request: Request, pictures: Sequence[SentFile]) -> bytes:
        """Return one line of the request file with its newline; *pictures* are sent along, in order."""

    def read_request(self, line: Mapping[str, Any]) -> SentRequest:
        """Return what a line says that `request_line` wrote."""

    def results(self, path: Path) -> Results:
        """Open a result file."""

    def judge(self, line: ResultLine | None, wanted: Wanted) -> Verdict:
        """Return what *line* means for its task; None stands for a line that did not come."""

    def judge_job(self, error_code: int, error: str) -> Verdict:
        """Return what a job that failed as a whole, with this error, means for each of its tasks."""

    def is_over_quota(self, error_code: int) -> bool:
        """Whether a job failed with this error because the account had no room for it, so that it never ran."""
