"""Enhancements: which files count, what is asked for each, what is done to them first, and where results go."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
import yaml
from PIL import Image

from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.operations.enhance.plan import make_enhancement_plan
from chargen.operations.enhance.tasks import job_folder
from chargen.pictures import imaging
from chargen.pictures.looks import Looker
from chargen.planning.picture_tasks import nearest_ratio
from chargen.records import settings as config
from chargen.records.state import State
from photographs import HEIC, ORIENTATIONS, make_album, make_folder, photograph, save_turned


@pytest.fixture
def plan(tmp_path):
    """Plans for the folder of photographs, with changed settings."""
    make_folder(tmp_path / "photos")
    (tmp_path / "story").mkdir()
    defaults = yaml.safe_load(config.DEFAULT_CONFIG.read_text())

    def make(**changed):
        enhance = defaults["enhance"] | {"input_dir": "photos", "output_dir": "photos/out"} | changed
        settings = config.settings(defaults | {"library": "story", "enhance": enhance}, tmp_path)
        make.settings = settings
        return make_enhancement_plan(settings)

    return make


def tasks(plan):
    return {task.title: task for task in plan.tasks}


def test_every_file_is_accounted_for(plan):
    """Twelve go out, four are named with the reason, prompts are neither."""
    found = plan()

    assert (12, 4) == (len(found.tasks), len(found.problems))
    assert {"broken.jpg", "empty.png", "notes.md", "pointer.png"} == {problem.place.file for problem in found.problems}


def test_what_is_asked_is_the_nearest_word(plan):
    """Beside the picture, else its folder's, else that of a folder above it, else the configuration's."""
    found = tasks(plan(prompt="never said"))

    assert "Repair the scratches." == found["sea/old/scan.tiff"].prompt
    assert "Make it a woodcut." == found["sea/old/bitmap.bmp"].prompt
    assert "Make it a painting." == found["plain.jpg"].prompt


def test_nothing_asked_is_an_error(plan, tmp_path):
    """A picture without a prompt stops everything before anything is sent."""
    (tmp_path / "photos" / "prompt.txt").unlink()

    with pytest.raises(ChargenError, match=r"has no prompt: .*prompt\.txt"):
        plan()


def test_what_must_change_is_said(plan):
    """Only what the API would see differently is sent as a copy, and the plan says what was done to it."""
    found = tasks(plan())
    notes = {name: [note.removesuffix(" before it was sent") for note in task.notes] for name, task in found.items()}

    assert [] == notes["plain.jpg"] == notes["wide.webp"]
    assert ["turned upright"] == notes["turned.jpg"]
    assert ["placed on a white background"] == notes["glass.png"]
    assert ["converted from CMYK colours"] == notes["print.jpg"]
    assert ["scaled down from 5000x900 to 3072x553"] == notes["huge.jpg"]
    assert ["converted from TIFF"] == notes["sea/old/scan.tiff"]
    assert {name for name, said in notes.items() if said} == {
        name for name, task in found.items() if task.references[0].max_side
    }
    assert "3:4" == found["turned.jpg"].shape.aspect_ratio


def test_two_inputs_of_one_name_have_two_results(plan):
    """pier.jpg and pier.png do not fight for one file."""
    found = tasks(plan())

    assert {"sea/pier-jpg", "sea/pier-png"} == {found[f"sea/pier.{end}"].extra.output for end in ("jpg", "png")}


def test_done_is_by_content_prompt_and_size(plan, tmp_path):
    """A recorded result that is there is done; another picture, prompt or size under the name is wanted."""
    task = tasks(plan())["plain.jpg"]
    folder = job_folder(plan.settings)
    folder.mkdir(parents=True)
    photograph(10, 10).save(folder / "plain.jpg")
    record = {
        "input": "plain.jpg",
        "variation": 1,
        "file": "plain.jpg",
        "spec_hash": task.wish.spec_hash,
        "task_key": task.key,
        "provider": "emulator",
    }
    durable.write_json(folder / "submission.json", {"schema_version": 1, "results": [record]})
    done = plan()
    bigger = plan(image_size="4K")
    photograph(400, 300, seed=77).save(tmp_path / "photos" / "plain.jpg")
    replaced = plan()
    (folder / "plain.jpg").unlink()

    assert "plain.jpg" not in tasks(done)
    assert ["enhance/photos/plain.jpg"] == [item.target for item in done.of_status("done")]
    assert "plain.jpg" in tasks(bigger)
    assert "plain.jpg" in tasks(replaced)


@pytest.mark.parametrize(
    ("name", "size"), [("turned.jpg", (300, 400)), ("glass.png", (300, 300)), ("huge.jpg", (512, 92))]
)
def test_copies_are_upright_opaque_and_small(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    """What is sent is an RGB JPEG as a viewer shows the picture, within the limit."""
    make_folder(tmp_path / "photos")
    imaging.prepare(tmp_path / "photos" / name, tmp_path / "copy.jpg", 512)

    with Image.open(tmp_path / "copy.jpg") as copy:
        assert ("JPEG", "RGB", size) == (copy.format, copy.mode, copy.size)
        assert not copy.getexif().get(0x0112)


def test_nothing_shines_through(tmp_path):
    """What was transparent is white, not black."""
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "clear.png")
    imaging.prepare(tmp_path / "clear.png", tmp_path / "copy.jpg", 512)

    with Image.open(tmp_path / "copy.jpg") as copy:
        assert min(copy.getpixel((4, 4))) > 250


@pytest.mark.parametrize(("size", "ratio"), [((400, 300), "4:3"), ((1000, 990), "1:1"), ((100, 900), "9:16")])
def test_the_nearest_ratio_is_asked_for(size, ratio):
    """A ratio is always set: without one the model chooses."""
    assert ratio == nearest_ratio(*size, ("1:1", "4:3", "3:4", "9:16", "16:9"))


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_each_way_to_hold_a_camera(tmp_path, orientation):
    """Whatever the orientation that EXIF tells, what is sent shows what a viewer shows."""
    upright = photograph(320, 180, seed=4)
    save_turned(upright, tmp_path / "held.jpg", orientation)
    imaging.prepare(tmp_path / "held.jpg", tmp_path / "copy.jpg", 3072)
    header = imaging.header(tmp_path / "held.jpg")

    assert (320, 180) == (header.width, header.height)
    with Image.open(tmp_path / "copy.jpg") as copy:
        assert upright.size == copy.size
        for corner in ((4, 4), (315, 4), (4, 175), (315, 175)):
            assert all(abs(a - b) < 12 for a, b in zip(upright.getpixel(corner), copy.getpixel(corner), strict=True))


def _turned_tiff(path):
    exif = Image.Exif()
    exif[0x0112] = 6
    photograph(320, 180).transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


def _deep_png(path):
    """16 bits for each of three colours, which Pillow can read and cannot write."""
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0" + b"\x80\x01" * 6)), (b"IEND", b"")]
    body = [struct.pack(">I", len(d)) + n + d + struct.pack(">I", zlib.crc32(n + d)) for n, d in chunks]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(body))


def _moving(path):
    photograph(32, 18).save(path, save_all=True, append_images=[photograph(32, 18, seed=3)], duration=80)


@pytest.mark.parametrize(
    ("name", "make", "size", "changes"),
    [
        ("turned.tif", _turned_tiff, (320, 180), ("converted from TIFF", "turned upright")),
        ("deep.png", _deep_png, (2, 1), ("converted from 16 bits",)),
        ("moving.png", _moving, (32, 18), ("reduced to its first frame",)),
        ("moving.webp", _moving, (32, 18), ("reduced to its first frame",)),
    ],
)
def test_what_a_viewer_shows_is_what_is_planned(tmp_path, name, make, size, changes):
    """A format that turns itself is not turned twice; what moves or is deeper than 8 bits goes out as a copy."""
    make(tmp_path / name)
    look = Looker(State(tmp_path / "state").looks).look(tmp_path / name)
    imaging.prepare(tmp_path / name, tmp_path / "copy.jpg", 512)

    assert (size, changes) == ((look.width, look.height), look.changes)
    with Image.open(tmp_path / "copy.jpg") as copy:
        assert size == copy.size


@pytest.mark.parametrize(
    ("mode", "white", "value", "shown"),
    [("F", 1.0, 0.5, 127), ("F", 255.0, 127.0, 127), ("I;16", 65535, 32767, 127), ("I;16", 200, 100, 0)],
)
def test_brightness_of_what_has_many_bits(tmp_path, mode, white, value, shown):
    """White is 1, 255 or 65535 by the kind of picture: neither black for what is bright nor bright for what is dark."""
    deep = Image.new("F" if mode == "F" else "I", (16, 16), value if mode == "F" else int(value))
    deep.paste(white if mode == "F" else int(white), (0, 0, 4, 4))
    (deep if mode == "F" else deep.convert(mode)).save(tmp_path / "deep.tif")
    imaging.prepare(tmp_path / "deep.tif", tmp_path / "copy.jpg", 512)

    with Image.open(tmp_path / "copy.jpg") as copy:
        assert (shown,) * 3 == pytest.approx(copy.getpixel((12, 12)), abs=2)


@pytest.fixture
def album(tmp_path):
    """Plans for an album of mixed files that a test may change."""
    (tmp_path / "story").mkdir()
    defaults = yaml.safe_load(config.DEFAULT_CONFIG.read_text())

    def make(**changed):
        enhance = defaults["enhance"] | {"input_dir": "album", "output_dir": "out", "prompt": "Paint."} | changed
        return make_enhancement_plan(config.settings(defaults | {"library": "story", "enhance": enhance}, tmp_path))

    make.folder = tmp_path / "album"
    return make


def test_an_album_is_accounted_for(album):
    """Every file is a task or is left out with the reason; links, names and half-made files included."""
    good, bad = make_album(album.folder, 50, heic=False)
    found = album()
    left_out = {problem.place.file: problem.message for problem in found.problems}

    assert good == tasks(found).keys()
    assert bad.keys() == left_out.keys()
    assert all(words in left_out[name] for name, words in bad.items())
    assert any("2 hidden files" in notice for notice in found.notices)
    outputs = [task.extra.output.casefold() for task in found.tasks]
    assert len(outputs) == len(set(outputs))
    assert {"Coast-jpg", "coast-jpg-2", "coast-png"} == {
        tasks(found)[name].extra.output for name in ("Coast.jpg", "coast.jpg", "coast.png")
    }


def test_telephone_pictures(album):
    """HEIC is converted where Pillow has been taught to read it."""
    pytest.importorskip("pillow_heif")
    make_album(album.folder, 50, heic=True)
    notes = [task.notes for task in album().tasks if task.title.endswith(HEIC)]

    assert notes
    assert {("converted from HEIF before it was sent",)} == set(notes)


def test_telephone_pictures_without_the_package(album, monkeypatch):
    """The file is left out with what to install, and counted as soon as that is done."""
    pytest.importorskip("pillow_heif")
    make_album(album.folder, 50, heic=True)
    with monkeypatch.context() as without:
        without.setattr(imaging, "_register_heif", lambda: False)
        without.setattr(Image, "ID", [name for name in Image.ID if name != "HEIF"])
        missing = album()
        missing.remember()

    left_out = [problem for problem in missing.problems if problem.place.file.endswith(HEIC)]
    assert left_out
    assert all("pip install pillow-heif" in problem.message for problem in left_out)
    assert not [problem for problem in album().problems if problem.place.file.endswith(HEIC)]


def record(task, folder, file):
    """What submission.json says of a result of *task* in the file *file*."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).parent.mkdir(parents=True, exist_ok=True)
    photograph(10, 10).save(folder / file)
    return {
        "input": task.extra.input,
        "variation": task.wish.variation,
        "file": file,
        "spec_hash": task.wish.spec_hash,
        "task_key": task.key,
        "provider": "emulator",
    }


def test_a_renamed_picture_is_done(album, tmp_path):
    """A picture that was made keeps its result under its old name; a new one of that name does not take it away."""
    album.folder.mkdir()
    photograph(40, 30, seed=1).save(album.folder / "a.jpg")
    (task,) = album().tasks
    results = [record(task, tmp_path / "out/album", "a.jpg")]
    durable.write_json(tmp_path / "out/album/submission.json", {"schema_version": 1, "results": results})
    (album.folder / "a.jpg").rename(album.folder / "b.jpg")
    renamed = album()
    photograph(40, 30, seed=2).save(album.folder / "a.jpg")
    (new,) = album().tasks

    assert [] == renamed.tasks
    assert [("enhance/album/a.jpg", "done")] == [(item.target, item.status) for item in renamed.items]
    assert ("enhance/album/a.jpg", "a-jpg") == (new.wish.target, new.extra.output)


def test_the_same_picture_is_made_once(album):
    """Of two files with one content and one prompt only the first is made; with another prompt both are."""
    for place in ("", "copies"):
        (album.folder / place).mkdir()
        photograph(40, 30).save(album.folder / place / "a.jpg")
    once = album()
    (album.folder / "copies/prompt.txt").write_text("Draw.")
    both = album()

    assert ["a.jpg"] == [task.title for task in once.tasks]
    assert [("copies/a.jpg", "is the same picture with the same prompt as a.jpg")] == [
        (item.group, item.reason) for item in once.of_status("twin")
    ]
    assert ["enhance/album/copies/a.jpg"] == [item.target for item in once.stored().left_out]
    assert (1, 2) == (once.counts().wanted, len(both.tasks))


def test_results_never_share_a_file(album):
    """Names that would meet in the results folder go apart, by ending or number, variations included."""
    album.folder.mkdir()
    for number, name in enumerate(("pier.jpg", "pier.png", "pier-jpg.png", "pier_c1.png")):
        photograph(40, 30, seed=number).save(album.folder / name)
    for variations in (1, 2):
        outputs = [task.extra.output for task in album(variations=variations).tasks]

        assert 4 * variations == len(set(outputs))


def test_names_as_long_as_a_file_system_takes(album):
    """A long name neither stops the plan nor the placing: its results have shorter ones, which never meet."""
    album.folder.mkdir()
    for number, end in enumerate(("a", "b")):
        photograph(40, 30, seed=number).save(album.folder / f"{'海' * 82}{end}.jpg")
    outputs = [task.extra.output for task in album(variations=2).tasks]

    assert 4 == len(set(outputs))
    assert all(len(f".{output}-01234567.jpeg.part".encode()) <= 255 for output in outputs)


def test_an_empty_prompt_is_an_error(album):
    """A prompt file without words is named; nothing else is asked in its place."""
    album.folder.mkdir()
    photograph(40, 30).save(album.folder / "a.jpg")
    (album.folder / "a.txt").write_text(" \n")

    with pytest.raises(ChargenError, match=r"a\.txt: the prompt is empty"):
        album()


def test_what_is_not_downloaded_is_left_out_and_said(album):
    """A photograph that a sync program keeps elsewhere is named; it is neither hidden nor sent."""
    album.folder.mkdir()
    (album.folder / ".sea.png.icloud").write_bytes(b"bplist00")

    found = album()

    assert ["sea.png"] == [problem.place.file for problem in found.problems if "not downloaded" in problem.message]


def test_a_prompt_that_is_not_downloaded_stops_everything(plan, tmp_path):
    """Pictures are not made after other words than were written for them."""
    (tmp_path / "photos" / "prompt.txt").rename(tmp_path / "photos" / ".prompt.txt.icloud")

    with pytest.raises(ChargenError, match="the prompt is not downloaded"):
        plan(prompt="other words")


def test_a_result_that_is_not_downloaded_is_done(album, tmp_path):
    """What is recorded and only not here is not made again; without the record nothing is known, and nothing made."""
    album.folder.mkdir()
    photograph(40, 30).save(album.folder / "a.jpg")
    folder = tmp_path / "out/album"
    results = [record(album().tasks[0], folder, "a.jpg")]
    durable.write_json(folder / "submission.json", {"schema_version": 1, "results": results})
    (folder / "a.jpg").rename(folder / ".a.jpg.icloud")

    assert [] == album().tasks

    (folder / "submission.json").rename(folder / ".submission.json.icloud")

    with pytest.raises(ChargenError, match="is not downloaded"):
        album()


def test_results_that_cannot_be_put_anywhere_are_said_while_planning(album, tmp_path):
    """An output folder that is none, or is not writable, stops everything before anything is sent."""
    album.folder.mkdir()
    photograph(40, 30).save(album.folder / "a.jpg")
    folder = tmp_path / "out"
    folder.mkdir()
    folder.chmod(0o555)

    with pytest.raises(ChargenError, match="is not writable"):
        album()

    folder.chmod(0o755)
    folder.rmdir()
    folder.write_text("")

    with pytest.raises(ChargenError, match="is not a folder"):
        album()
