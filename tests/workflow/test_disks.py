"""Disks that are full or take nothing: no torn file, a message that names the file, and the next run completes."""

from __future__ import annotations

import os
import subprocess

import pytest
import yaml

pytestmark = [pytest.mark.workflow, pytest.mark.soak]


class Disk:
    """A small disk of its own below the project."""

    def __init__(self, folder):
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self, leave):
        """Take all room but *leave* bytes."""
        status = os.statvfs(self.folder)
        room = status.f_bavail * status.f_frsize
        with self._ballast.open("wb") as handle:
            handle.write(b"\0" * max(0, room - leave))

    def free(self):
        """Give the room back."""
        self._ballast.unlink()


def mount(*arguments):
    """Mount something, or skip the test where this machine does not let us."""
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine mounts no disks for tests: {done.stderr.strip()}")


@pytest.fixture(params=["state", "story"])
def disk(project, request):
    """The project's state/, or its library, on a disk of 16 MB."""
    folder = project.folder / request.param
    folder.mkdir(exist_ok=True)
    texts = {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    mount("-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder))
    for path, text in texts.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(text)
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("leave", [0, 24_000, 64_000, 160_000])
def test_a_full_disk(project, disk, leave):
    """However little room is left: what fits is whole, what does not is said with its file, and nothing goes twice."""
    disk.fill(leave)
    done = project.run(check=False)
    cut_short = len(project.pictures()) < 6
    disk.free()
    project.run()

    if cut_short:
        assert done.returncode != 0
        assert "No space left on device. Nothing is lost" in done.stdout
    assert "Traceback" not in done.stdout
    assert f"{disk.folder.name}/" in done.stdout
    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("created")
    project.assert_nothing_twice()
    assert not list(project.folder.rglob("*.part"))
    for path in project.library.glob("*/*/imagery.yaml"):
        recorded = [record["file_name"] for record in yaml.safe_load(path.read_text())["generated_images"]]
        assert sorted(set(recorded)) == sorted(recorded)


def test_a_library_that_may_only_be_read(project):
    """Nothing could be placed: that is said before anything is sent, and the next run makes the pictures."""
    library = str(project.library)
    mount("--bind", library, library)
    try:
        mount("-o", "remount,ro,bind", library)
        done = project.run(check=False)
    finally:
        subprocess.run(["umount", library], check=True)
    before = project.emulator.count("create")
    project.run()

    assert 0 == before
    assert "Read-only file system" in done.stdout
    assert "Traceback" not in done.stdout
    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("create")


def test_a_library_that_may_only_be_read_once_its_pictures_come(project):
    """What was paid for and finds no place is kept and said; the next run puts it in place without a create."""
    project.run("submitted")
    library = str(project.library)
    mount("--bind", library, library)
    try:
        mount("-o", "remount,ro,bind", library)
        done = project.run(check=False)
    finally:
        subprocess.run(["umount", library], check=True)
    before = project.pictures()
    project.run()

    assert {} == before
    assert "Read-only file system" in done.stdout
    assert "Traceback" not in done.stdout
    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("create")
