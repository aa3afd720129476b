"""Thumbnails are small, follow the content of their pictures, and cost nothing twice."""

from __future__ import annotations

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from report_world import png

from chargen.report import thumbnails
from chargen.report.thumbnails import BOX, make_thumbnails


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "library"
    root.mkdir()
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "thumbs"


def jpegs(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.jpg")}


def test_a_thumbnail_is_a_small_jpeg(root: Path, folder: Path) -> None:
    """It fits the box, keeps the shape, and the picture's own size and hash are returned."""
    (root / "a.png").write_bytes(png(3000, 1500))

    thumb = make_thumbnails(folder, root, ["a.png"])["a.png"]

    with Image.open(folder / thumb.name) as small:
        assert ("JPEG", (BOX[0], BOX[0] // 2)) == (small.format, small.size)
    assert (3000, 1500, f"{thumb.sha256}.jpg") == (thumb.width, thumb.height, thumb.name)


def test_unchanged_pictures_are_not_opened_again(root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second report makes nothing again, also of what cannot be shown."""
    (root / "a.png").write_bytes(png())
    (root / "b.png").write_bytes(b"no picture")
    first = make_thumbnails(folder, root, ["a.png", "b.png"])
    monkeypatch.setattr(thumbnails, "_make", lambda *_: pytest.fail("made again"))

    assert first == make_thumbnails(folder, root, ["a.png", "b.png"])


def test_a_changed_picture_gets_a_new_thumbnail(root: Path, folder: Path) -> None:
    """A picture made again or retouched shows as it is now, and the old thumbnail goes."""
    (root / "a.png").write_bytes(png(colour="red"))
    before = make_thumbnails(folder, root, ["a.png"])["a.png"]
    (root / "a.png").write_bytes(png(90, 80, colour="blue"))

    after = make_thumbnails(folder, root, ["a.png"])["a.png"]

    assert before.name != after.name
    assert {after.name} == jpegs(folder)


def test_a_deleted_thumbnail_is_made_again(root: Path, folder: Path) -> None:
    """`rm` in results/ costs nothing but time."""
    (root / "a.png").write_bytes(png())
    thumb = make_thumbnails(folder, root, ["a.png"])["a.png"]
    (folder / thumb.name).unlink()

    make_thumbnails(folder, root, ["a.png"])

    assert {thumb.name} == jpegs(folder)


def test_equal_pictures_share_one(root: Path, folder: Path) -> None:
    """A moved or copied picture needs no second thumbnail."""
    (root / "a.png").write_bytes(png())
    (root / "b.png").write_bytes(png())

    made = make_thumbnails(folder, root, ["a.png", "b.png"])

    assert made["a.png"] == made["b.png"]
    assert 1 == len(jpegs(folder))


@pytest.mark.parametrize(
    ("data", "trouble"),
    [
        (b"", "cannot be shown"),
        (b"no picture", "cannot be shown"),
        (png()[:60], "cannot be shown"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "git lfs pull"),
    ],
)
def test_what_is_no_picture_has_no_thumbnail(root: Path, folder: Path, data: bytes, trouble: str) -> None:
    """A file that cannot be opened is reported, never an error."""
    (root / "a.png").write_bytes(data)

    thumb = make_thumbnails(folder, root, ["a.png"])["a.png"]

    assert "" == thumb.name
    assert trouble in thumb.trouble


def test_what_would_unpack_to_too_much_is_not_decoded(
    root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small file of many pixels costs the page no memory; its size and hash are still returned."""
    monkeypatch.setattr(thumbnails, "MAX_DECODED", 100 * 99)
    (root / "a.png").write_bytes(png(100, 100))

    thumb = make_thumbnails(folder, root, ["a.png"])["a.png"]

    assert ("", 100, 100, "too large for a thumbnail (100x100)") == (
        thumb.name,
        thumb.width,
        thumb.height,
        thumb.trouble,
    )


def test_a_pipe_is_no_picture(root: Path, folder: Path) -> None:
    """Nobody waits for what may never come out of it."""
    os.mkfifo(root / "a.png")

    assert "the file is gone" == make_thumbnails(folder, root, ["a.png"])["a.png"].trouble


def test_a_picture_that_is_gone_has_no_thumbnail(root: Path, folder: Path) -> None:
    """The page may name a picture that was deleted a moment ago."""
    assert "the file is gone" == make_thumbnails(folder, root, ["a.png"])["a.png"].trouble


def test_a_turned_picture_is_shown_upright(root: Path, folder: Path) -> None:
    """The orientation that a camera wrote into the file is followed, for the size as well."""
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    Image.new("RGB", (200, 100)).save(buffer, "jpeg", exif=exif)
    (root / "a.jpg").write_bytes(buffer.getvalue())

    thumb = make_thumbnails(folder, root, ["a.jpg"])["a.jpg"]

    with Image.open(folder / thumb.name) as small:
        assert (100, 200) == small.size == (thumb.width, thumb.height)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "I;16"])
def test_every_kind_of_pixel_can_be_shown(root: Path, folder: Path, mode: str) -> None:
    """Transparent, paletted, grey and deep pictures become plain JPEG."""
    buffer = io.BytesIO()
    Image.new(mode, (40, 30)).save(buffer, "png")
    (root / "a.png").write_bytes(buffer.getvalue())

    assert make_thumbnails(folder, root, ["a.png"])["a.png"].name in jpegs(folder)


def test_a_spoilt_index_is_made_anew(root: Path, folder: Path) -> None:
    """The index is a cache: whatever is in it, the thumbnails come out right."""
    (root / "a.png").write_bytes(png())
    first = make_thumbnails(folder, root, ["a.png"])
    (folder / "index.json").write_bytes(b'{"a.png": {"stamp": 1}}')

    assert first == make_thumbnails(folder, root, ["a.png"])
