"""Provenance: said by the picture itself or beside it, always in the same bytes, and no pixel is touched."""

from __future__ import annotations

import io
import json
import re
from dataclasses import replace
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import builders
from chargen.base import schemas as schema
from chargen.pictures import formats as pictures
from chargen.pictures import provenance
from chargen.placing.answers import Answer
from chargen.placing.provenance import describe
from chargen.providers.base import ResultLine, Verdict
from chargen.records.batch import Provenance
from chargen.records.journal import Entry

TASK = builders.task(
    "character/oda/portrait", prompt="Oda, ünder <a> & b", references=(builders.reference("s.png", role="style"),)
)
PLAN = builders.plan(TASK, provider="gemini", model="m", temperature=1.0, provenance=Provenance(store="picture"))
NO_PICTURE = Verdict("failed")
KINDS = ["PNG", "JPEG", "WEBP", "lossless WEBP", "transparent WEBP", "animated WEBP", "odd JPEG"]


def about(**task):
    """What is said of a picture."""
    line = ResultLine(1, model_version="m-1")
    entry = Entry(builders.BATCH, submitted="2026-11-24T04:00:00Z", job="batches/1")
    return describe(PLAN, Answer(replace(TASK, **task), line, NO_PICTURE), entry)


def picture(kind, side=9):
    """The bytes of a small picture of that kind."""
    mode = "RGBA" if "transparent" in kind else "RGB"
    image = Image.linear_gradient("L").resize((side, side + 4)).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.linear_gradient("L").resize(image.size))
    buffer = io.BytesIO()
    more = {"lossless": True} if " WEBP" in kind else {}
    if "animated" in kind:
        more = {"save_all": True, "append_images": [image.rotate(90)], "duration": 100}
    if "odd" in kind:
        more = {"progressive": True, "comment": b"chargen-emulator " * 20, "exif": Image.Exif().tobytes()}
    image.save(buffer, kind.rsplit(" ", 1)[-1], **more)
    return buffer.getvalue()


def said_in(data):
    """What a picture says of itself, as another program reads it."""
    image = Image.open(io.BytesIO(data))
    if image.format == "PNG":
        image.load()
        return json.loads(image.text["chargen"])
    if image.format == "JPEG":
        comments = [body for name, body in image.applist if name == "COM" and body.startswith(b"chargen {")]
        return json.loads(comments[0].removeprefix(b"chargen "))
    return json.loads(unescape(re.search(r"x-default\">(.*)</rdf:li>", image.info["xmp"].decode(), re.S)[1]))


def pixels(data):
    """All frames of a picture."""
    image = Image.open(io.BytesIO(data))
    frames = []
    for number in range(getattr(image, "n_frames", 1)):
        image.seek(number)
        frames.append((image.mode, image.size, image.convert("RGBA").tobytes()))
    return frames


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_says_where_it_comes_from(kind):
    """Other programs read it, the picture is whole, shows the same and says the same when it is made again."""
    plain = picture(kind)
    made = provenance.embed(plain, about())

    assert about() == said_in(made)
    assert pixels(plain) == pixels(made)
    assert pictures.verify(plain) == pictures.verify(made)
    assert made == provenance.embed(plain, about())


@given(prompt=st.text(max_size=300), side=st.integers(1, 40), kind=st.sampled_from(KINDS))
def test_every_other_byte_stays(prompt, side, kind):
    """Taken out again, what was put in leaves the very picture: nothing was re-encoded."""
    plain = picture(kind, side)
    made = provenance.embed(plain, about(prompt=prompt))
    start = next((i for i, pair in enumerate(zip(plain, made, strict=False)) if pair[0] != pair[1]), len(plain))
    added = len(made) - len(plain)

    assert prompt == said_in(made)["prompt"]
    assert pixels(plain) == pixels(made)
    if "WEBP" not in kind:
        assert any(plain == made[:at] + made[at + added :] for at in range(max(0, start - added), start + 1))
    else:
        stream = plain[plain.index(b"VP8L" if b"VP8L" in plain else b"VP8 ") :]
        assert stream in made


def test_an_emulated_picture_is_still_known():
    """Its mark stays where it is looked for, also before a long prompt."""
    made = provenance.embed(picture("odd JPEG"), about(prompt="x" * 10_000))

    assert pictures.is_placeholder(made)


def test_what_does_not_fit_leaves_the_picture_alone():
    """A prompt too long for a JPEG's comment is hashed; a GIF and a WebP with XMP stay as they are."""
    long = said_in(provenance.embed(picture("JPEG"), about(prompt="x" * 70_000)))
    crowded = provenance.embed(picture("JPEG"), about(prompt="x", key="k" * 70_000))
    gif = picture("GIF")
    with_xmp = provenance.embed(picture("WEBP"), about())

    assert long["prompt"].startswith("sha256:")
    assert picture("JPEG") == crowded
    assert gif == provenance.embed(gif, about())
    assert with_xmp == provenance.embed(with_xmp, about(prompt="other"))


def test_the_file_beside_the_picture(tmp_path):
    """The same, with the picture's name and hash; a prompt that is nobody's business is hashed."""
    (tmp_path / "a.jpg").write_bytes(b"")
    plan = replace(PLAN, provenance=Provenance(store="sidecar", prompt="hash"))
    quiet = describe(plan, Answer(TASK, None, NO_PICTURE), Entry(builders.BATCH))
    provenance.write_sidecar(tmp_path / "a.jpg", quiet, "b" * 64)
    read = json.loads((tmp_path / "a.jpg.provenance.json").read_text())

    assert [] == schema.errors("provenance", read)
    assert [] == schema.errors("provenance", about())
    assert ("a.jpg", "b" * 64, "m") == (read["file"], read["sha256"], read["model"])
    assert read["prompt"].startswith("sha256:")
    assert "Oda" not in str(read["prompt"])
