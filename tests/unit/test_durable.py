"""Files that survive a crash, and a disk that is full."""

from __future__ import annotations

import errno
import os

import pytest

from chargen import durable
from chargen.problems import system_trouble


@pytest.fixture
def full_disk(monkeypatch):
    """A disk that has room for names, and for no byte more."""

    def refuse(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(durable.os, "fsync", refuse)


def test_full_disk_leaves_the_old_file(tmp_path, full_disk):
    """What was there stays whole, no part is left, and the error names the file."""
    path = tmp_path / "receipt.json"
    path.write_bytes(b"old")
    with pytest.raises(OSError, match="No space left") as caught:
        durable.write(path, b"new")

    assert b"old" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
    assert f"{path}: No space left on device. Nothing is lost" in system_trouble(caught.value)


def test_a_line_that_a_full_disk_tore_spoils_no_other(tmp_path, monkeypatch):
    """A journal whose last line was cut takes the next one as before."""
    path = tmp_path / "journal.jsonl"
    durable.append_line(path, {"event": "intent"})
    with path.open("ab") as handle:
        handle.write(b'{"event": "crea')
    durable.append_line(path, {"event": "absent"})

    assert ["intent", "absent"] == [line["event"] for line in durable.read_lines(path)]


def test_appending_to_a_full_disk_names_the_file(tmp_path, full_disk):
    """The journal that cannot be written is named."""
    with pytest.raises(OSError, match=r"journal\.jsonl"):
        durable.append_line(tmp_path / "journal.jsonl", {})
