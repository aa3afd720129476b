"""Tests of pictures from before: which file counts for which scene, and which never does."""

from __future__ import annotations

import library_corpus as corpus
import pytest

from chargen.library.load import load_library

IDEAS = """\
scenes:
  - {title: Hauling Nets at the Harbour Wall in Rain, scene: x}
  - {title: Hauling Nets at the Harbour Wall in Snow, scene: x}
  - {title: Portrait, scene: x}
  - {title: Room, scene: x}
  - {title: Room 02, scene: x}
"""
RAIN, SNOW = "hauling-nets-at-the-harbour-wall-in-rain", "hauling-nets-at-the-harbour-wall-in-snow"


def adopted(root, key="character/tam", **options):
    """What the scenes of *key* adopt: id to file name and why."""
    entity = load_library(root, **options).entities[key]
    return {scene: (item.path.rpartition("/")[2], item.why) for scene, item in entity.adopted.items()}


def tam(root, *names, imagery="name: Tam\n", runs=""):
    """A character with some ideas and these files in images/."""
    folder = corpus.entity(root, "character/tam", imagery)
    corpus.put(folder, "image-ideas.yaml", IDEAS)
    if runs:
        corpus.put(folder, "imagery.runs.yaml", runs)
    for name in names:
        corpus.put(folder, f"images/{name}")
    return folder


@pytest.mark.parametrize(
    ("name", "scene"),
    [
        (f"tam-{RAIN}-1765000000000-2025-12-06.jpg", RAIN),
        (f"tam-{RAIN}-03-1765000000000.png", RAIN),
        ("tam--hauling-nets-at-the-harbour-wall-in-r--1765000000000.jpg", RAIN),
        (f"{SNOW}.webp", SNOW),
        ("portrait.png", "portrait"),
        ("tam-room-01.png", "room"),
        ("tam-room-02.png", "room-02"),
        ("room-1765000000000-1765000000001-20251206.JPG", "room"),
    ],
)
def test_named_after_a_scene(tmp_path, name, scene):
    """The scene's name, then nothing but a number, stamps and a date."""
    tam(tmp_path, name)

    assert {scene: (name, "name")} == adopted(tmp_path)


@pytest.mark.parametrize(
    "name",
    [
        "tam-hauling-nets-at-the-harbour-wall-in-1765000000000.jpg",  # could be either
        "tam-hauling-nets-1765000000000.jpg",  # less than 25 characters
        "room-of-ropes.png",
        "mending_nets_at_the_harbour_wall_in_rain.png",
        "tam-room-17650000000001.png",
        "tam-room-1765000000000-1765000000001-1765000000002.png",
        "room.txt",
        "archive/room.png",
        ".room.png",
    ],
)
def test_not_named_after_a_scene(tmp_path, name):
    """A bare prefix, another spelling, more than two stamps or another folder do not count."""
    tam(tmp_path, name)

    assert {} == adopted(tmp_path)


def test_numbers_count_for_characters_only(tmp_path):
    """In other kinds a number at the end belongs to the name."""
    folder = corpus.entity(tmp_path, "location/cove", "zones:\n  - {slug: pier, description: x}\n")
    corpus.put(folder, "images/pier-02.png")

    assert {} == adopted(tmp_path, "location/cove")

    corpus.put(folder, "images/pier-1765000000000.png")

    assert {"pier": ("pier-1765000000000.png", "name")} == adopted(tmp_path, "location/cove")


def test_newest_stamp_wins(tmp_path):
    """Of several files of one scene the newest by its name is taken."""
    tam(tmp_path, "room-1765000000000.png", "room-1765000000009.png", "room-1765000000004.png")

    assert {"room": ("room-1765000000009.png", "name")} == adopted(tmp_path)


def test_recorded_files_do_not_count_and_pointers_do(tmp_path):
    """Never a file that any record names; what stands for a picture does count, also an empty file, which is said."""
    records = "generated_images:\n- {scene: other, file_path: images/portrait.png}\n"
    folder = tam(tmp_path, "portrait.png", imagery=records)
    corpus.put(folder, "images/room.png", b"")
    corpus.put(folder, "images/room-02.png", b"version https://git-lfs.github.com/spec/v1\n")

    assert {"room": ("room.png", "name"), "room-02": ("room-02.png", "name")} == adopted(tmp_path)
    assert [("empty-picture", "characters/tam/images/room.png")] == [
        (problem.code, str(problem.place)) for problem in load_library(tmp_path).problems
    ]


def test_picture_that_the_inventory_rejects_is_not_adopted(tmp_path):
    """What the author rejected in the inventory is not a picture of the scene."""
    tam(tmp_path, "room.png", imagery="image_inventory:\n- {id: i, path: images/room.png, status: rejected}\n")

    assert {} == adopted(tmp_path)


def test_placeholder_is_not_adopted(tmp_path, monkeypatch):
    """A file that says it is the emulator's is not a picture from before."""
    import chargen.pictures.formats

    tam(tmp_path, "room.png")
    monkeypatch.setattr(chargen.pictures.formats, "is_placeholder", lambda path: True)

    assert {} == adopted(tmp_path)


def test_scene_with_a_record_adopts_nothing(tmp_path):
    """Once a first picture was recorded, what came before counts no more; the emulator's records say nothing."""
    record = "generated_images:\n- {scene: room, file_path: images/new.png, provider: PROVIDER}\n"
    tam(tmp_path / "real", "room.png", imagery=record.replace("PROVIDER", "google"))
    tam(tmp_path / "drawn", "room.png", imagery=record.replace("PROVIDER", "emulator"))

    assert {} == adopted(tmp_path / "real")
    assert {"room": ("room.png", "name")} == adopted(tmp_path / "drawn")
    assert {} == adopted(tmp_path / "drawn", provider="emulator")


def test_can_be_switched_off(tmp_path):
    """With adopt_existing: false nothing is adopted."""
    tam(tmp_path, "room.png")

    assert {} == adopted(tmp_path, adopt_existing=False)


RUNS = """\
entity_type: chapter
runs:
  - run_id: one
    target_id: tam-hauling-nets-at-the-harbour-wall-in-rain-07
    timestamp: '2025-12-01T10:00:00.000Z'
    file_name: older.jpg
    file_path: C:\\\\stories\\\\tam\\\\images\\\\older.jpg
    prompt_used: |
      target_id: tam-room
      file_name: wrong.jpg
  - run_id: two
    target_id: tam-hauling-nets-at-the-harbour-wall-in-rain-07
    timestamp: '2025-12-02T10:00:00.000Z'
    file_name: newer.jpg
    file_path: /home/somebody/images/newer.jpg
  - run_id: three
    target_id: tam-room
    file_name: gone.jpg
"""


@pytest.mark.parametrize(
    "runs",
    [
        RUNS,
        RUNS.replace("\n", "\r\n"),
        RUNS.replace("    ", "  ").replace("  - ", "- "),
        RUNS.replace("target_id: tam-m", "target_id: >-\n      tam-m"),
    ],
)
def test_last_run_whose_file_exists(tmp_path, runs):
    """The newest run for a scene counts if its file is in images/, however the list is written."""
    tam(tmp_path, "older.jpg", "newer.jpg", "wrong.jpg", runs=runs)

    assert {RAIN: ("newer.jpg", "runs")} == adopted(tmp_path)


def test_invalid_runs_are_a_warning(tmp_path):
    """A runs file that is not YAML is warned of; names still count."""
    tam(tmp_path, "room.png", runs='runs:\n  - run_id: "a", "b"\n')

    library = load_library(tmp_path)

    assert [("warning", "invalid-runs", 2)] == [(p.severity, p.code, p.place.line) for p in library.problems]
    assert {"room": ("room.png", "name")} == adopted(tmp_path)


def test_invalid_runs_stop_what_they_may_be_about(tmp_path):
    """Pictures without a telling name may belong to scenes that have none: nothing of the entity is paid for."""
    tam(tmp_path, "room.png", "scan-7.png", runs='runs:\n  - run_id: "a", "b"\n')

    library = load_library(tmp_path)

    assert [("error", "invalid-runs", "entity skipped")] == [(p.severity, p.code, p.effect) for p in library.problems]
    assert ("character/tam",) == library.broken


@pytest.mark.parametrize(
    ("written", "file", "expected"),
    [
        ("images/hero.png", "chapters/ch1/images/hero.png", {"ch1-a": ("hero.png", "file_path")}),
        ("art/hero.png", "art/hero.png", {"ch1-a": ("hero.png", "file_path")}),
        ("images/hero.png", "chapters/ch1/hero.png", {}),
        ("../../../hero.png", "hero.png", {}),
    ],
)
def test_filled_slot(tmp_path, written, file, expected):
    """A slot that an older tool filled counts if the file exists in the entity or below the library root."""
    corpus.entity(tmp_path, "chapter/ch1", f"images:\n- {{custom_id: ch1-a, prompt_used: x, file_path: {written}}}\n")
    corpus.put(tmp_path, file)

    assert expected == adopted(tmp_path, "chapter/ch1")
