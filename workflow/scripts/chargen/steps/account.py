"""Whose jobs are asked about: those that were sent with this key to this address, and no others.

With another key a server denies a job that lives. What it says then must never be taken for the job's fate.
"""

from __future__ import annotations

from chargen.base.errors import ChargenError
from chargen.providers.protocol import Connection
from chargen.records.commands import command
from chargen.records.journal import Entry
from chargen.records.settings import Settings


class OtherAccount(ChargenError):
    """The batch was begun with another key or another address; only there can its job be found."""


def knows(settings: Settings, entry: Entry, remote: Connection) -> bool:
    """Whether the job of *entry* is to be found where *remote* asks.

    An embedded server is the same at whatever port it comes back. Where the journal has lost key and address, the
    job is asked for here.
    """
    is_embedded = settings.capabilities.is_embedded and not settings.base_url
    of_this_key = entry.key in ("", remote.fingerprint)
    return of_this_key and (is_embedded or entry.base_url in ("", remote.base_url))


def check(settings: Settings, entry: Entry, remote: Connection) -> None:
    """Raise OtherAccount if the job of *entry*, which was asked for at least, cannot be found where *remote* asks."""
    if knows(settings, entry, remote):
        return
    if entry.key != remote.fingerprint:
        words = (
            f"batch {entry.batch} was submitted with another API key (fingerprint {entry.key}, yours is "
            f"{remote.fingerprint}); use that key until the batch is collected"
        )
        if entry.job:
            words += (
                f". If your key belongs to the same project:\n    {command(settings, 'collect', f'job={entry.job}')}"
            )
        raise OtherAccount(words)
    raise OtherAccount(
        f"batch {entry.batch} was submitted to {entry.base_url}, not to {remote.base_url}; keep that base_url "
        "until the batch is collected"
    )
