"""Enhancements: which files count, what is asked for each, what is done to them first, and where results go."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from PIL import Image

from chargen import config, durable, imaging
from chargen.planning.enhancements import job_folder, make_enhancement_plan, nearest_ratio
from chargen.problems import ChargenError
from photographs import make_folder, photograph


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

    assert "Mend the scratches." == found["sea/old/scan.tiff"].prompt
    assert "Make it a woodcut." == found["sea/old/bitmap.bmp"].prompt
    assert "Make it a painting." == found["plain.jpg"].prompt


def test_nothing_asked_is_an_error(plan, tmp_path):
    """A picture without a prompt stops everything before anything is sent."""
    (tmp_path / "photos" / "prompt.txt").unlink()

    with pytest.raises(ChargenError, match=r"nothing is asked for .*prompt\.txt"):
        plan()


def test_what_must_change_is_said(plan):
    """Only what the API would see differently is sent as a copy, and the plan says what was done to it."""
    found = tasks(plan())
    notes = {name: [note.removesuffix(" before it was sent") for note in task.notes] for name, task in found.items()}

    assert [] == notes["plain.jpg"] == notes["wide.webp"]
    assert ["turned upright"] == notes["turned.jpg"]
    assert ["put on white"] == notes["glass.png"]
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

    assert {"sea/pier-jpg", "sea/pier-png"} == {found[f"sea/pier.{end}"].extra["output"] for end in ("jpg", "png")}


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
