"""Files that survive a crash, what a crash leaves beside them, and a full disk."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys

import pytest

from chargen.base import durable
from chargen.base.errors import system_trouble


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


def test_what_the_dead_left_half_written_is_swept_away(tmp_path):
    """The draft of a process that died goes; that of one at work, of another machine or of somebody else stays."""
    target = tmp_path / "deep" / "a name.with-signs.json"
    target.parent.mkdir()
    die = "import pathlib, sys; from chargen.base import durable; durable.draft_of(pathlib.Path(sys.argv[1])).touch()"
    subprocess.run([sys.executable, "-c", die, str(target)], check=True)
    (of_the_dead,) = target.parent.iterdir()
    ours = durable.draft_of(target)
    of_a_container = ours.with_name(re.sub("chargen-[0-9a-f]{10}", "chargen-0123456789", of_the_dead.name))
    of_others = [target.with_name(f".{name}.part") for name in ("a.elsewhere-1", "wish", "0123456789abcdef")]
    kept = [ours, of_a_container, *of_others, target.with_name("b.part")]
    for path in kept:
        path.touch()

    durable.sweep(tmp_path)

    assert of_the_dead not in kept
    assert sorted(kept) == sorted(target.parent.iterdir())


def test_what_nobody_has_touched_for_days_is_swept_away(tmp_path):
    """Drafts of another machine, container or start of this one, and of 0.1.0; never what is somebody else's."""
    ours = durable.draft_of(tmp_path / "a.json")
    left = [
        ours.with_name(re.sub("chargen-[0-9a-f]{10}", "chargen-0123456789", ours.name)),
        *(tmp_path / f".{name}.part" for name in ("a.json.host-1", "imagery.yaml.4711", "0123456789abcdef")),
    ]
    kept = [ours, tmp_path / "film.part", tmp_path / ".film.part", tmp_path / ".film.720.part", tmp_path / ".notes"]
    for path in [*left, *kept]:
        path.touch()
        os.utime(path, (0, 0))

    durable.sweep(tmp_path)

    assert sorted(kept) == sorted(tmp_path.iterdir())


def test_no_two_drafts_have_one_name(tmp_path):
    """Also in threads of one process, for one file."""
    assert durable.draft_of(tmp_path / "a.json") != durable.draft_of(tmp_path / "a.json")


def test_a_folder_that_is_not_there_is_swept_too(tmp_path):
    """A first run has nothing to sweep."""
    durable.sweep(tmp_path / "nowhere")

    assert not (tmp_path / "nowhere").exists()
