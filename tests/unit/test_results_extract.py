"""Pictures get from a result file to the disk whole, in order, or not at all."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from chargen.pictures.formats import BrokenPicture
from chargen.placing.extract import ahead, discard, extract, place
from chargen.providers.gemini.scanner import ResultFile


def jpeg(width: int) -> bytes:
    stream = io.BytesIO()
    Image.effect_noise((width, 40), 90).save(stream, "JPEG")
    return stream.getvalue()


def write(path: Path, *pictures: bytes) -> Path:
    def line(number: int, picture: bytes) -> str:
        data = {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(picture).decode()}}
        return json.dumps({"key": str(number), "response": {"candidates": [{"content": {"parts": [data]}}]}})

    path.write_text("\n".join(line(number, picture) for number, picture in enumerate(pictures)))
    return path


def test_pictures_are_extracted_verified_and_hashed(tmp_path: Path) -> None:
    """The type comes from the bytes, not from the declared one; size and hash are those of the bytes."""
    drawn = [jpeg(width) for width in (20, 150, 33)]

    with ResultFile(write(tmp_path / "r.jsonl", *drawn)) as results:
        found = [picture for _, picture in ahead(lambda line: extract(results, line.pictures[0]), results)]

    assert drawn == [picture.data for picture in found]
    assert [(".jpg", width) for width in (20, 150, 33)] == [(p.info.extension, p.info.width) for p in found]
    assert [hashlib.sha256(data).hexdigest() for data in drawn] == [picture.sha256 for picture in found]


def test_a_damaged_picture_is_told(tmp_path: Path) -> None:
    """A picture cut before it was encoded is broken, though its line and its base64 are fine."""
    with ResultFile(write(tmp_path / "r.jsonl", jpeg(150)[:-40])) as results:
        (line,) = results
        with pytest.raises(BrokenPicture, match="cut off"):
            extract(results, line.pictures[0])


@pytest.mark.parametrize("drafted", [True, False])
def test_a_picture_is_placed_whole(tmp_path: Path, drafted: bool) -> None:
    """The file holds the bytes, whether they lay ready as a draft or not, and nothing else is left in the folder."""
    images = tmp_path / "images"
    images.mkdir()
    with ResultFile(write(tmp_path / "r.jsonl", jpeg(20))) as results:
        (line,) = results
        picture = extract(results, line.pictures[0], images / ".draft.part" if drafted else None)

    place(picture, images / "lamp-room.jpg")

    assert picture.data == (images / "lamp-room.jpg").read_bytes()
    assert [images / "lamp-room.jpg"] == list(images.iterdir())


def test_a_draft_that_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    """Doing the same work again writes the same draft, so nothing stays behind."""
    images = tmp_path / "images"
    images.mkdir()
    (images / ".draft.part").write_bytes(b"left by a process that was killed")
    with ResultFile(write(tmp_path / "r.jsonl", jpeg(20))) as results:
        (line,) = results
        picture = extract(results, line.pictures[0], images / ".draft.part")

    discard(picture)

    assert [] == list(images.iterdir())


def test_work_ahead_keeps_order_and_bounds() -> None:
    """Results come in the order of the items, and only a few items are taken beyond the one at hand."""
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(50):
            taken.append(number)
            yield number

    seen = []
    for item, square in ahead(lambda number: number**2, items(), workers=3):
        seen.append((item, square))
        assert len(taken) <= item + 4

    assert [(number, number**2) for number in range(50)] == seen


def test_an_error_is_raised_at_its_item() -> None:
    """What fails does not spoil the items before it, and ends the work behind it."""
    started = threading.Semaphore(0)

    def work(number: int) -> int:
        started.release()
        if number == 2:
            raise BrokenPicture("torn")
        return number

    seen = []
    with pytest.raises(BrokenPicture, match="torn"):
        for item, _ in ahead(work, range(100), workers=2):
            seen.append(item)

    assert [0, 1] == seen


@pytest.mark.skipif(
    not os.environ.get("CHARGEN_SAMPLES"), reason="CHARGEN_SAMPLES does not name a folder of recorded replies"
)
def test_a_recorded_picture_is_whole(tmp_path: Path) -> None:
    """A picture of the real API passes the checks, with the pixels that an imaging library sees."""
    (path,) = Path(os.environ["CHARGEN_SAMPLES"]).glob("generate_content/*.json.gz")
    lines = tmp_path / "responses.jsonl"
    lines.write_bytes(b'{"key": "k", "response": ' + gzip.decompress(path.read_bytes()).replace(b"\n", b" ") + b"}")

    with ResultFile(lines) as results:
        (line,) = results
        picture = extract(results, line.pictures[0])

    with Image.open(io.BytesIO(picture.data)) as opened:
        assert (str(opened.format).lower(), *opened.size) == (
            picture.info.format,
            picture.info.width,
            picture.info.height,
        )
