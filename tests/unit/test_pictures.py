"""A picture is known by its bytes, and a damaged one is distinguished from a complete one without decoding it."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from chargen.pictures.formats import (
    EMULATOR_MARK,
    BrokenPicture,
    PictureInfo,
    identify,
    is_lfs_pointer,
    is_placeholder,
    sha256_file,
    verify,
    verify_file,
)

KINDS = {
    "png": ("PNG", "image/png", ".png", {}),
    "jpeg": ("JPEG", "image/jpeg", ".jpg", {}),
    "progressive": ("JPEG", "image/jpeg", ".jpg", {"progressive": True}),
    "restarts": ("JPEG", "image/jpeg", ".jpg", {"restart_marker_rows": 1}),
    "webp": ("WEBP", "image/webp", ".webp", {}),
    "lossless": ("WEBP", "image/webp", ".webp", {"lossless": True}),
    "extended": ("WEBP", "image/webp", ".webp", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}),
    "gif": ("GIF", "image/gif", ".gif", {}),
}


def draw(kind: str, width: int = 70, height: int = 46) -> bytes:
    encoder, _, _, options = KINDS[kind]
    picture = Image.effect_noise((width, height), 90).convert("RGB")
    stream = io.BytesIO()
    picture.save(stream, encoder, **options)
    return stream.getvalue()


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    return {kind: draw(kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_type_and_size_come_from_the_bytes(kind: str, drawn: dict[str, bytes]) -> None:
    """Each format is named with its MIME type, extension and pixels, by header and by full check alike."""
    encoder, mime, extension, _ = KINDS[kind]
    expected = PictureInfo(encoder.lower(), mime, extension, 70, 46)

    assert expected == identify(drawn[kind])
    assert expected == verify(memoryview(drawn[kind]))


@pytest.mark.parametrize("kind", KINDS)
def test_every_cut_is_found(kind: str, drawn: dict[str, bytes]) -> None:
    """A picture that lost its end, by one byte or by nearly all, is broken."""
    data = drawn[kind]

    for length in [0, 5, *range(8, len(data) - 1, max(1, len(data) // 97)), len(data) - 1]:
        with pytest.raises(BrokenPicture):
            verify(data[:length])


@pytest.mark.parametrize("kind", ["png", "jpeg", "progressive", "gif", "webp"])
def test_bytes_after_the_end_are_tolerated(kind: str, drawn: dict[str, bytes]) -> None:
    """Trailing bytes, as cameras and some services add them, do not spoil a whole picture."""
    info = verify(drawn[kind] + b"\0trailing\xff")

    assert (70, 46) == (info.width, info.height)


def test_a_flipped_bit_in_a_png_is_found(drawn: dict[str, bytes]) -> None:
    """Wherever a bit of a PNG flips, a checksum, the signature or a length gives it away."""
    data = drawn["png"]

    for position in range(0, len(data), 41):
        damaged = bytearray(data)
        damaged[position] ^= 0x10
        with pytest.raises(BrokenPicture):
            verify(bytes(damaged))


def test_a_thumbnail_inside_metadata_is_not_the_end() -> None:
    """An end marker inside a JPEG's metadata neither completes a cut picture nor ends a whole one."""
    data = draw("jpeg")
    metadata = b"Exif\0\0" + draw("jpeg", 8, 8)
    whole = data[:2] + b"\xff\xe1" + struct.pack(">H", len(metadata) + 2) + metadata + data[2:]

    assert 70 == verify(whole).width
    with pytest.raises(BrokenPicture, match="cut off"):
        verify(whole[:-2])


@pytest.mark.parametrize("size", [(0, 5), (70_000, 2), (60_000, 60_000)])
def test_absurd_dimensions_are_refused(size: tuple[int, int]) -> None:
    """A header that claims nothing, or billions of pixels, is refused before anybody decodes it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"x") + chunk(b"IEND", b"")

    with pytest.raises(BrokenPicture, match="impossible dimensions"):
        verify(data)


@pytest.mark.parametrize("data", [b"", b"<html>502</html>", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF____WEBP"])
def test_what_is_no_picture_is_said_so(data: bytes) -> None:
    """Text, nothing and mere signatures are no pictures."""
    assert identify(data) is None
    with pytest.raises(BrokenPicture):
        verify(data)


@settings(max_examples=150)
@given(
    st.sampled_from([b"", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", b"\xff\xd8\xff", b"RIFF\xff\0\0\0WEBPVP8 ", b"GIF89a"]),
    st.binary(max_size=200),
)
def test_any_bytes_are_judged_without_a_crash(start: bytes, rest: bytes) -> None:
    """Whatever the bytes are, the answer is a picture or `BrokenPicture`."""
    try:
        answer = verify(start + rest)
    except BrokenPicture as broken:
        answer = broken

    assert isinstance(answer, BrokenPicture) or answer == identify(start + rest)


def test_files_are_verified_and_hashed(tmp_path: Path, drawn: dict[str, bytes]) -> None:
    """A file is judged like its bytes; an empty one is broken."""
    path, empty = tmp_path / "a.jpg", tmp_path / "b.jpg"
    path.write_bytes(drawn["png"])
    empty.touch()

    assert ".png" == verify_file(path).extension
    assert hashlib.sha256(drawn["png"]).hexdigest() == sha256_file(path)
    with pytest.raises(BrokenPicture, match="empty"):
        verify_file(empty)


def test_pointers_of_git_lfs_are_known(tmp_path: Path, drawn: dict[str, bytes]) -> None:
    """A pointer is distinguished from a picture and from a missing file."""
    pointer, picture = tmp_path / "p.png", tmp_path / "q.png"
    pointer.write_text(f"version https://git-lfs.github.com/spec/v1\noid sha256:{'0' * 64}\nsize 12345\n")
    picture.write_bytes(drawn["png"])

    assert [True, False, False] == [is_lfs_pointer(p) for p in (pointer, picture, tmp_path / "none.png")]


def test_pictures_of_the_emulator_are_known(tmp_path: Path, drawn: dict[str, bytes]) -> None:
    """The mark is found in a PNG's text and in a JPEG's comment, in bytes and in files."""
    picture = Image.new("RGB", (9, 9))
    text = PngInfo()
    text.add_text("Software", EMULATOR_MARK.decode())
    png, jpeg = io.BytesIO(), tmp_path / "a.jpg"
    picture.save(png, "PNG", pnginfo=text)
    picture.save(jpeg, "JPEG", comment=EMULATOR_MARK)

    assert is_placeholder(png.getvalue())
    assert is_placeholder(memoryview(png.getvalue()))
    assert is_placeholder(jpeg)
    assert not is_placeholder(drawn["png"])
