"""One process at a time writes into an entity, whichever checkout or provider it works for."""

from __future__ import annotations

import os
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import yaml

from chargen.library import locking
from chargen.library.locking import LOCK_FILE, writing

TRY = """
import fcntl, sys
from pathlib import Path
from chargen.library import locking
root, folder = Path(sys.argv[1]), Path(sys.argv[2])
place = locking._place(folder.relative_to(root).as_posix())
with (root / locking.LOCK_FILE).open("r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
    except OSError:
        print("held")
"""
TRY_FOLDER = """
import fcntl, os, sys
handle = os.open(sys.argv[2], os.O_RDONLY)
try:
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print("held")
"""
COUNT = """
import sys
from pathlib import Path
from chargen.library.locking import writing
root = Path(sys.argv[1])
folder, counter = root / "characters" / "oda", root / "counter"
for _ in range(int(sys.argv[2])):
    with writing(root, folder):
        counter.write_text(str(int(counter.read_text()) + 1))
"""
APPEND = """
import sys
from pathlib import Path
from chargen.library.writeback import append_items
root, name = Path(sys.argv[1]), sys.argv[3]
for number in range(int(sys.argv[2])):
    item = {"task_key": f"{name} {number}", "file_name": "a.png"}
    append_items(root / "characters" / "oda" / "imagery.yaml", "generated_images", [item], library=root)
"""
DIE = """
import os, signal, sys
from pathlib import Path
from chargen.library.locking import writing
with writing(Path(sys.argv[1]), Path(sys.argv[2])):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library of one character."""
    root = tmp_path / "story"
    (root / "characters" / "oda").mkdir(parents=True)
    return root


@pytest.fixture
def oda(library: Path) -> Path:
    return library / "characters" / "oda"


def run(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run *script* in a process of its own to its end."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def is_held(library: Path, folder: Path, how: str = TRY) -> bool:
    """Whether another process would have to wait."""
    done = run(how, library, folder)
    assert not done.returncode, done.stderr
    return done.stdout == "held\n"


def together(script: str, *calls: tuple[object, ...]) -> None:
    """Run *script* once for each of *calls*, all at once, to their ends."""
    running = [subprocess.Popen([sys.executable, "-c", script, *map(str, call)]) for call in calls]
    assert [0] * len(running) == [process.wait() for process in running]


def test_what_two_checkouts_write_at_once_is_all_there(library: Path) -> None:
    """Read, decide and write are one act, whoever else does the same; the checkouts share nothing but the library."""
    (library / "counter").write_text("0")
    together(COUNT, (library, 300), (library, 300))

    assert "600" == (library / "counter").read_text()


def test_two_checkouts_lose_no_record(library: Path, oda: Path) -> None:
    """Each record that two processes append to one imagery.yaml at once is there once; nothing is left over."""
    path = oda / "imagery.yaml"
    path.write_text("name: Oda\n")
    together(APPEND, (library, 60, "emulator"), (library, 60, "gemini"))
    records = [item["task_key"] for item in yaml.safe_load(path.read_bytes())["generated_images"]]

    assert sorted(f"{name} {number}" for name in ("emulator", "gemini") for number in range(60)) == sorted(records)
    assert [path] == list(oda.iterdir())
    assert {LOCK_FILE, "characters"} == {item.name for item in library.iterdir()}


def test_each_entity_has_a_lock_of_its_own(library: Path, oda: Path) -> None:
    """While one entity is written the others are free; afterwards it is free too."""
    tobi = library / "characters" / "tobi"
    tobi.mkdir()
    with writing(library, oda):
        during = is_held(library, oda), is_held(library, tobi)

    assert (True, False) == during
    assert not is_held(library, oda)


def test_the_lock_may_be_taken_again_by_who_holds_it(library: Path, oda: Path) -> None:
    """Placing pictures holds it and adds records under it; it is free when the outer one ends."""
    with writing(library, oda):
        with writing(library, oda):
            pass
        inside = is_held(library, oda)

    assert inside
    assert not is_held(library, oda)


def test_the_lock_of_a_killed_process_is_free(library: Path, oda: Path) -> None:
    """The system releases it."""
    killed = run(DIE, library, oda)

    assert killed.returncode < 0
    assert not is_held(library, oda)


def test_two_ways_to_a_library_are_one_lock(library: Path, oda: Path, tmp_path: Path) -> None:
    """A checkout may reach it through a link, under whatever composition or case of an entity's name."""
    link = tmp_path / "link"
    link.symlink_to(library)
    with writing(link, link / "characters" / "oda"):
        held = is_held(library, oda)
    composed, decomposed = (unicodedata.normalize(form, "characters/Zoë") for form in ("NFC", "NFD"))

    assert held
    assert locking._place(composed) == locking._place(decomposed) == locking._place(composed.upper())


def test_a_lock_file_that_was_deleted_is_made_again(library: Path, oda: Path) -> None:
    """`git clean` takes it away: the next writer makes it again, and holds what the others look at."""
    with writing(library, oda):
        pass
    (library / LOCK_FILE).unlink()
    with writing(library, oda):
        held = is_held(library, oda)

    assert held


def test_whoever_may_write_into_the_library_may_lock_it(library: Path, oda: Path) -> None:
    """The lock file takes the rights of the folder, whatever the first writer's umask is."""
    library.chmod(0o775)
    before = os.umask(0o077)
    try:
        with writing(library, oda):
            pass
    finally:
        os.umask(before)

    assert 0o664 == (library / LOCK_FILE).stat().st_mode & 0o777
    assert b"" == (library / LOCK_FILE).read_bytes()


def test_a_library_whose_root_is_read_only_is_locked_by_its_folders(
    library: Path, oda: Path, monkeypatch, capsys
) -> None:
    """No file can be made there: the entity's folder is locked instead, which holds on this machine, and is said."""
    opened = os.open

    def refused(path, *arguments):
        if Path(path).name == LOCK_FILE:
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments)

    monkeypatch.setattr(locking.os, "open", refused)
    with writing(library, oda):
        held = is_held(library, oda, TRY_FOLDER)

    assert held
    assert not is_held(library, oda, TRY_FOLDER)
    words = (
        "Permission denied: the library can be locked only on this machine; let no other machine write to it meanwhile"
    )
    assert words in capsys.readouterr().err


def test_a_disk_without_locks_is_written_all_the_same(library: Path, oda: Path, monkeypatch) -> None:
    """What was paid for has its place in the library, also where nothing can be locked."""

    def refused(*arguments):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(locking.fcntl, "lockf", refused)
    monkeypatch.setattr(locking.fcntl, "flock", refused)
    with writing(library, oda):
        (oda / "written").touch()

    assert (oda / "written").exists()


def test_a_library_that_is_gone_is_not_made(tmp_path: Path) -> None:
    """Nothing can be written there, so nothing is locked, and nothing is created."""
    with writing(tmp_path / "gone", tmp_path / "gone" / "characters" / "oda"):
        pass

    assert [] == list(tmp_path.iterdir())
