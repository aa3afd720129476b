"""Placeholder pictures: their size, their marks, and that they depend on nothing but the request."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from chargen.emulator import picture


def _encoded(mime_type: str, **changes: object) -> bytes:
    settings = {"size": (256, 256), "key": "character/oda/portrait@sha256:00", "prompt": "a lamp", "seed": "s"}
    settings |= changes
    references = settings.pop("references", [])
    return picture.encode(
        picture.draw(settings.pop("size"), settings.pop("key"), settings.pop("prompt"), references, **settings),
        mime_type,
    )


@pytest.mark.parametrize(
    ("ratio", "size", "expected"),
    [
        ("16:9", "1K", (1408, 768)),
        ("1:1", "", (1024, 1024)),
        ("1:1", "512", (512, 512)),
        ("9:16", "2K", (1536, 2816)),
        ("1:1", "4K", (4096, 4096)),
    ],
)
def test_pixel_size(ratio: str, size: str, expected: tuple[int, int]) -> None:
    """Ratio and size give the pixels that the models really send, which differ a little from the documented ones."""
    assert expected == picture.pixel_size(ratio, size)


@pytest.mark.parametrize(("mime_type", "form"), [("image/png", "PNG"), ("image/jpeg", "JPEG")])
def test_marker_and_format(mime_type: str, form: str) -> None:
    """The file has the asked format and names the emulator within its first 4 KiB."""
    data = _encoded(mime_type)

    assert form == Image.open(io.BytesIO(data)).format
    assert b"chargen-emulator" in data[:4096]


def test_same_inputs_same_bytes() -> None:
    """Drawing twice gives the same bytes; another key gives another picture."""
    assert _encoded("image/jpeg") == _encoded("image/jpeg")
    assert _encoded("image/jpeg") != _encoded("image/jpeg", key="another")


def test_references_are_shown() -> None:
    """The reference's own colour is found in the lower left of the picture."""
    red = io.BytesIO()
    Image.new("RGB", (64, 64), (255, 0, 0)).save(red, "PNG")

    data = _encoded("image/png", references=[red.getvalue()])

    assert Image.open(io.BytesIO(data)).convert("RGB").getpixel((25, 230)) == (255, 0, 0)


@pytest.mark.parametrize("size", [(192, 1536), (1536, 192), (64, 64)])
def test_extreme_shapes(size: tuple[int, int]) -> None:
    """Narrow, flat and tiny pictures are drawn like others, with references and a long prompt."""
    reference = _encoded("image/png")

    data = _encoded("image/jpeg", size=size, prompt="word " * 500, references=[reference] * 8)

    assert size == picture.measure(data)


def test_dominant_colours() -> None:
    """The most frequent colour comes first."""
    image = Image.new("RGB", (10, 10), (0, 0, 255))
    image.paste((255, 255, 0), (0, 0, 10, 3))
    target = io.BytesIO()
    image.save(target, "PNG")

    assert picture.dominant_colours(target.getvalue())[0] == "#0000ff"
