"""The library on real disks: what cannot be read, is not downloaded, or is not named as it should be."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import library_corpus as corpus
import pytest
import yaml

from chargen.base.errors import ChargenError
from chargen.library import folders as library_folders
from chargen.library.access import barrier
from chargen.library.load import BrokenEntity, load_entity, load_library
from chargen.library.model import Library
from chargen.library.oddities import copy_of
from chargen.library.references import ReferenceIndex
from chargen.pictures import presence
from chargen.pictures.looks import Looker
from chargen.planning.selection import matches, meant
from chargen.records import settings as config
from chargen.records.identity import Wish
from chargen.records.state import State

SCENE = "name: Oda\nscenes:\n  - {id: lamp-room, prompt: Oda trims the lamp.}\n"
RUNS = "runs:\n  - target_id: oda-lamp-room\n    file_name: scan-7.png\n"


def said(library: Library) -> list[tuple[str, str, str]]:
    """Each problem's code, file and effect."""
    return [(problem.code, problem.place.file, problem.effect) for problem in library.problems]


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that every user can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    for path in sorted(folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(folder)


@contextmanager
def as_nobody() -> Iterator[None]:
    """What is done here is done by a user without rights, also where root runs the tests."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


# ---- unreadable is not empty -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("characters", "unreadable-folder"),
        ("characters/oda", "unreadable-folder"),
        ("characters/oda/images", "unreadable-folder"),
        ("characters/oda/imagery.yaml", "unreadable-file"),
        ("characters/oda/image-ideas.yaml", "unreadable-file"),
        ("characters/oda/image_style.yaml", "unreadable-file"),
        ("characters/oda/imagery.runs.yaml", "unreadable-file"),
    ],
)
def test_what_may_not_be_read_is_not_taken_for_empty(shared: Path, path: str, code: str) -> None:
    """A folder or file without the right to read it is an error that names it, and nothing of its entity is wanted."""
    entity = corpus.entity(shared, "character/oda", SCENE)
    corpus.put(entity, "image-ideas.yaml", "scenes:\n  - {title: At Sea, scene: x}\n")
    corpus.put(entity, "image_style.yaml", "style_overrides: {avoid: [x]}\n")
    corpus.put(entity, "imagery.runs.yaml", RUNS)
    corpus.put(entity, "images/scan-7.png")
    corpus.entity(shared, "location/cove", "name: Cove\n")
    (shared / path).chmod(0)

    with as_nobody():
        library = load_library(shared)

    assert [(code, path, "entity skipped")] == said(library)
    assert "Permission denied" in library.problems[0].message
    assert library.problems[0].advice
    assert ["location/cove"] == list(library.entities)
    assert library.is_broken("character/oda")


@pytest.mark.parametrize("failing", ["characters", "characters/oda", "characters/oda/images"])
def test_a_disk_that_fails_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    """A folder that the disk does not give out is an error, whatever the error is."""
    corpus.put(corpus.entity(tmp_path, "character/oda", SCENE), "images/lamp-room.png")
    scandir = os.scandir

    def broken(path: Path) -> object:
        if Path(path) == tmp_path / failing:
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return scandir(path)

    monkeypatch.setattr(library_folders.os, "scandir", broken)

    library = load_library(tmp_path)

    assert [("unreadable-folder", failing, "entity skipped")] == said(library)
    assert {} == library.entities


def test_a_picture_that_cannot_be_looked_at_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture from before whose disk fails is there all the same: nobody pays for it again."""
    corpus.put(corpus.entity(tmp_path, "character/oda", SCENE), "images/lamp-room.png")
    stat = Path.stat

    def broken(path: Path, **options: bool) -> os.stat_result:
        if path.name == "lamp-room.png":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(path))
        return stat(path, **options)

    monkeypatch.setattr(Path, "stat", broken)

    library = load_library(tmp_path)

    assert ["lamp-room"] == list(library.entities["character/oda"].adopted)


def test_a_loop_of_links_is_not_taken_for_missing(tmp_path: Path) -> None:
    """An entity whose folder is a link that leads to itself, or nowhere, is an error; so is such a file."""
    corpus.entity(tmp_path, "character/tam", "name: Tam\n")
    (tmp_path / "characters/oda").symlink_to("oda")
    (tmp_path / "characters/ria").symlink_to("/nowhere/ria")
    (tmp_path / "characters/kel").mkdir()
    (tmp_path / "characters/kel/imagery.yaml").symlink_to("/nowhere/imagery.yaml")

    library = load_library(tmp_path)

    assert ("character/kel", "character/oda", "character/ria") == library.broken
    assert ["character/tam"] == list(library.entities)


def test_who_needs_what_could_not_be_read_is_said_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Characters that could not be listed are not unknown: the warning says why they are missing."""
    corpus.entity(tmp_path, "location/cove", "scenes:\n  - {id: a, prompt: x, characters: [oda]}\n")
    (tmp_path / "characters").symlink_to("characters")

    library = load_library(tmp_path)
    _, problems = ReferenceIndex(library).for_scene(library.entities["location/cove"].scenes[0])

    assert ["skipped-entity"] == [problem.code for problem in problems]
    assert "Too many levels of symbolic links" in problems[0].message


def test_a_library_that_is_a_loop_of_links_is_said(tmp_path: Path) -> None:
    """A path that leads in a circle is an error with the path, also where the settings name it."""
    (tmp_path / "story").symlink_to("story")
    defaults = yaml.safe_load(config.DEFAULT_CONFIG.read_text())
    settings = config.settings(defaults | {"library": "story"}, tmp_path)

    with pytest.raises(ChargenError, match="Too many levels of symbolic links"):
        load_library(settings.library_root)


# ---- not downloaded is not missing -----------------------------------------------------------------------


@pytest.mark.parametrize("stub", presence.placeholders("lamp-room.png"))
def test_a_picture_that_is_not_downloaded_counts(tmp_path: Path, stub: str) -> None:
    """What a sync program leaves in the place of a picture stands for it; the plan says so, and it is never sent."""
    corpus.put(corpus.entity(tmp_path, "character/oda", SCENE), f"images/{stub}")

    library = load_library(tmp_path)
    look = Looker(State(tmp_path / "state").looks).look(tmp_path / "characters/oda/images/lamp-room.png")

    assert {"lamp-room"} == library.entities["character/oda"].adopted.keys()
    assert "1 pictures are not downloaded, like characters/oda/images/lamp-room.png" in library.notices[0]
    assert presence.NOT_DOWNLOADED == look.trouble


def test_a_dead_link_counts_as_a_picture(tmp_path: Path) -> None:
    """What git-annex leaves is a broken link."""
    folder = corpus.entity(tmp_path, "character/oda", SCENE)
    (folder / "images").mkdir()
    (folder / "images/lamp-room.png").symlink_to("../../../.git/annex/objects/x.png")

    library = load_library(tmp_path)

    assert {"lamp-room"} == library.entities["character/oda"].adopted.keys()


def test_a_picture_outside_the_library_counts_and_is_not_read(tmp_path: Path) -> None:
    """A link that leads out stands for a picture, so that nobody pays for it; what it leads to is never sent."""
    root = tmp_path / "story"
    secret = corpus.put(tmp_path, "secret.png")
    folder = corpus.entity(root, "character/oda", SCENE)
    corpus.entity(root, "location/cove", "scenes:\n  - {id: a, prompt: x, references: [lamp-room]}\n")
    (folder / "images").mkdir()
    (folder / "images/lamp-room.png").symlink_to(secret)

    library = load_library(root)
    references, _ = ReferenceIndex(library).for_scene(library.entities["location/cove"].scenes[0])

    assert {"lamp-room"} == library.entities["character/oda"].adopted.keys()
    assert ["character/oda/lamp-room"] == [item.target for found in references for item in found.candidates]
    assert [""] == [item.path for found in references for item in found.candidates]


@pytest.mark.parametrize(
    ("status", "is_here"),
    [
        (SimpleNamespace(), True),
        (SimpleNamespace(st_flags=0x20), True),
        (SimpleNamespace(st_flags=0x40000020), False),
        (SimpleNamespace(st_file_attributes=0x20), True),
        (SimpleNamespace(st_file_attributes=0x1020), False),
        (SimpleNamespace(st_file_attributes=0x400020), False),
    ],
)
def test_flags_say_that_contents_are_elsewhere(status: SimpleNamespace, is_here: bool) -> None:
    """SF_DATALESS of macOS, OFFLINE and RECALL_ON_DATA_ACCESS of Windows: known by the status, without reading."""
    assert is_here == (presence.not_here(status) == "")


@pytest.mark.parametrize("name", ["imagery.yaml", "image-ideas.yaml"])
def test_an_entity_that_is_not_downloaded_is_skipped(tmp_path: Path, name: str) -> None:
    """Without its file nothing is known of an entity: it is an error, not an entity without wishes."""
    folder = tmp_path / "characters" / "oda"
    corpus.put(folder, f".{name}.icloud", b"bplist00")

    library = load_library(tmp_path)

    assert [("not-downloaded", f"characters/oda/{name}", "entity skipped")] == said(library)
    assert "download" in library.problems[0].advice


def test_an_entity_that_is_a_pointer_is_skipped(tmp_path: Path) -> None:
    """An imagery.yaml that Git LFS has not fetched is said to be one."""
    corpus.entity(tmp_path, "character/oda", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")

    library = load_library(tmp_path)

    assert [("not-downloaded", "characters/oda/imagery.yaml", "entity skipped")] == said(library)
    assert "git lfs pull" in library.problems[0].message


def test_an_empty_file_is_warned_of(tmp_path: Path) -> None:
    """A file of 0 bytes has no scenes, and may be one that is not downloaded or just being saved: that is said."""
    corpus.entity(tmp_path, "character/oda", "")

    library = load_library(tmp_path)

    assert [("empty-file", "characters/oda/imagery.yaml", "")] == said(library)
    assert () == library.entities["character/oda"].scenes


@pytest.mark.parametrize(
    "name",
    [
        "imagery (conflicted copy 2026-11-20).yaml",
        "imagery (Anna's conflicted copy 2026-11-20).yaml",
        "imagery (1).yaml",
        "imagery 2.yaml",
        "imagery copy.yaml",
        "imagery - Copy.yaml",
        "Copy of imagery.yaml",
        "imagery-LAPTOP-7F3K.yaml",
        "imagery.sync-conflict-20261120-101112-ABCDEFG.yaml",
        "image-ideas (conflicted copy 2026-11-20).yaml",
    ],
)
def test_conflicted_copies_are_warned_of(tmp_path: Path, name: str) -> None:
    """A second version of an entity's file is not read, and said to be there."""
    corpus.put(corpus.entity(tmp_path, "character/oda", SCENE), name, SCENE)

    assert [("conflicted-copy", f"characters/oda/{name}", "")] == said(load_library(tmp_path))


@pytest.mark.parametrize(
    "name", ["imagery.regen-input.yaml", "location-imagery.yaml", "image_style.yaml", "zones.yaml", "imagery.yaml.bak"]
)
def test_other_files_of_an_entity_are_no_copies(tmp_path: Path, name: str) -> None:
    """What older tools and authors keep beside the file is nothing to warn of."""
    corpus.put(corpus.entity(tmp_path, "location/cove", SCENE), name, "")

    assert [] == said(load_library(tmp_path))


@pytest.mark.parametrize(
    ("name", "original"),
    [
        ("oda copy", "oda"),
        ("oda copy 2", "oda"),
        ("oda (1)", "oda"),
        ("oda 2", "oda"),
        ("oda - Copy", "oda"),
        ("Copy of oda", "oda"),
        ("oda (Anna's conflicted copy 2026-11-20)", "oda"),
        ("oda (young)", ""),
        ("oda-brennick", ""),
        ("tam copy", ""),
    ],
)
def test_copies_of_folders(name: str, original: str) -> None:
    """A folder is a copy by its name only if the original stands beside it."""
    assert original == copy_of(name, {"oda", name})


def test_copied_folders_are_warned_of(tmp_path: Path) -> None:
    """A copied folder is an entity whose pictures would be paid for: that is said."""
    corpus.entity(tmp_path, "character/oda", SCENE)
    corpus.entity(tmp_path, "character/oda copy", SCENE)

    library = load_library(tmp_path)

    assert [("copied-folder", "characters/oda copy", "")] == said(library)
    assert "exclude='characters/oda copy'" in library.problems[0].advice


# ---- nothing read, nothing said --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("imagery.yml", "rename it to imagery.yaml"),
        ("Imagery.yaml", "rename it to imagery.yaml"),
        ("imagery.yaml.txt", "rename it to imagery.yaml"),
        ("imagery.txt", "rename it to imagery.yaml"),
        ("imagery", "rename it to imagery.yaml"),
        ("imagry.yaml", "rename it to imagery.yaml"),
        ("imagery.json", "rename it to imagery.yaml"),
        ("imagery.rtf", "plain text"),
        ("imagery.yaml.docx", "plain text"),
        ("imagery.gdoc", "Google document"),
        ("imagery (1).yaml", "rename it"),
        ("image-ideas.yml", "rename it to image-ideas.yaml"),
    ],
)
def test_a_misnamed_file_is_an_error(tmp_path: Path, name: str, advice: str) -> None:
    """A folder whose file has nearly the right name is not an entity, and the error says what to call it."""
    corpus.put(tmp_path / "characters/oda", name, SCENE)

    library = load_library(tmp_path)

    assert [("wrong-name", f"characters/oda/{name}", "entity skipped")] == said(library)
    assert advice in library.problems[0].advice
    assert ("character/oda",) == library.broken


def test_a_misnamed_file_beside_the_right_one_is_a_warning(tmp_path: Path) -> None:
    """Two files of nearly the same name: the right one counts, the other one is said not to be read."""
    corpus.put(corpus.entity(tmp_path, "character/oda", SCENE), "imagery.yml", SCENE)

    library = load_library(tmp_path)

    assert [("wrong-name", "characters/oda/imagery.yml", "")] == said(library)
    assert ["character/oda"] == list(library.entities)


@pytest.mark.parametrize("name", ["Characters", "character", "CHARACTERS", "charcters"])
def test_a_misnamed_folder_is_an_error(tmp_path: Path, name: str) -> None:
    """Entities in a folder of nearly the right name are named with what to call it."""
    corpus.put(tmp_path / name / "oda", "imagery.yaml", SCENE)
    corpus.entity(tmp_path, "location/cove", SCENE)

    library = load_library(tmp_path)

    assert [("wrong-name", name, "entity skipped")] == said(library)
    assert "rename it to characters" == library.problems[0].advice
    assert library.is_broken("character/oda")


def test_pictures_in_a_misnamed_folder_stop_the_entity(tmp_path: Path) -> None:
    """Where Images/ is not images/, the pictures in it are not seen: they are not bought again."""
    corpus.put(corpus.entity(tmp_path, "character/oda", SCENE), "Images/lamp-room.png")

    library = load_library(tmp_path)

    assert [("wrong-name", "characters/oda/Images", "entity skipped")] == said(library)


def test_folders_without_the_file_are_named(tmp_path: Path) -> None:
    """Drafts are no mistake, but whoever waits for their pictures should know; deeper folders are pointed at."""
    corpus.entity(tmp_path, "character/oda", SCENE)
    corpus.put(tmp_path, "characters/drafts/notes.md", "x")
    corpus.put(tmp_path, "characters/heroes/tam/imagery.yaml", SCENE)
    corpus.put(tmp_path, "characters/kel.yaml", SCENE)

    library = load_library(tmp_path)

    assert [] == said(library)
    assert (
        "characters/ has 2 folders without imagery.yaml: drafts, heroes",
        "characters/heroes/ holds 1 folder with imagery.yaml (tam), but entities are looked for directly under "
        "characters/",
        "characters/ contains kel.yaml outside of a folder: an entity is a folder, like characters/kel/imagery.yaml",
    ) == library.notices


@pytest.mark.parametrize(
    ("make", "root", "words"),
    [
        ("characters/oda/imagery.yaml", "characters", "it is itself a folder of entities"),
        ("characters/oda/imagery.yaml", "characters/oda", "it is a folder of one entity"),
        ("story/characters/oda/imagery.yaml", "", "there is a library in story"),
    ],
)
def test_a_library_at_the_wrong_level_is_said(tmp_path: Path, make: str, root: str, words: str) -> None:
    """Setting a folder above or below the library is an error that names the right one."""
    corpus.put(tmp_path, make, SCENE)

    library = load_library(tmp_path / root)

    assert words in library.mistake
    right = tmp_path / "story" if make.startswith("story") else tmp_path
    assert library.mistake.endswith(f"set 'library' to {right}")
    assert library.notices[0] == f"found 0 entities in {tmp_path / root}: {library.mistake}"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        ("", "the folder is empty"),
        ("characters/drafts/notes.md", "characters/ has 1 folder without imagery.yaml: drafts"),
        ("notes/plot.md", "it has no characters/, locations/ or chapters/, but notes"),
        ("oda/imagery.yaml", "oda have imagery.yaml, but are not in characters/"),
    ],
)
def test_a_library_without_entities_says_what_it_holds(tmp_path: Path, make: str, words: str) -> None:
    """Where nothing is found, the plan says what was found instead."""
    if make:
        corpus.put(tmp_path, make, SCENE)

    library = load_library(tmp_path)

    assert library.notices[0].startswith(f"found 0 entities in {tmp_path}: ")
    assert any(words in notice for notice in library.notices)


def test_a_library_of_which_everything_is_excluded_says_so(tmp_path: Path) -> None:
    """Who leaves out all entities is not told to look for them."""
    corpus.entity(tmp_path, "character/oda", SCENE)

    library = load_library(tmp_path, exclude=["*"])

    assert (f"found 0 entities in {tmp_path}: 'exclude' skips all 1",) == library.notices


def test_a_missing_library_is_said_with_what_is_there(tmp_path: Path) -> None:
    """A misspelt path names the folder that was probably meant."""
    (tmp_path / "My Story").mkdir()

    with pytest.raises(ChargenError, match="did you mean"):
        load_library(tmp_path / "my story" / "")


# ---- names -----------------------------------------------------------------------------------------------

COMPOSED = unicodedata.normalize("NFC", "zoë")
DECOMPOSED = unicodedata.normalize("NFD", "zoë")


@pytest.mark.parametrize(("on_disk", "written"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_composed_and_decomposed_names_are_the_same(tmp_path: Path, on_disk: str, written: str) -> None:
    """Folders, references, records and pictures find each other in either form, as the disk spells them."""
    folder = corpus.entity(
        tmp_path,
        f"character/{on_disk}",
        "image_inventory:\n"
        f"- {{id: p, path: images/{written}-portrait.png, is_reference_portrait: true}}\n"
        f"generated_images:\n- {{scene: a, file_path: images/{written}.png}}\n",
    )
    corpus.put(folder, f"images/{on_disk}-portrait.png")
    corpus.put(folder, f"images/{on_disk}.png")
    scene = f"scenes:\n  - {{id: a, prompt: x, characters: [{written}], references: [images/{written}.png]}}\n"
    cove = corpus.entity(tmp_path, "location/cove", scene)
    corpus.put(cove, f"images/{on_disk}.png")

    library = load_library(tmp_path)
    references, problems = ReferenceIndex(library).for_scene(library.entities["location/cove"].scenes[0])

    assert [] == list(problems)
    assert [f"characters/{on_disk}/images/{on_disk}-portrait.png", f"locations/cove/images/{on_disk}.png"] == [
        found.candidates[0].path for found in references
    ]
    assert [f"images/{on_disk}.png"] == [record.path for record in library.entities[f"character/{on_disk}"].records]


def test_two_folders_of_one_name_are_an_error(tmp_path: Path) -> None:
    """Where both forms of a name stand side by side, neither is drawn until its author has decided."""
    corpus.entity(tmp_path, f"character/{COMPOSED}", SCENE)
    corpus.entity(tmp_path, f"character/{DECOMPOSED}", SCENE)

    library = load_library(tmp_path)

    assert ["same-name", "same-name"] == [problem.code for problem in library.problems]
    assert {} == library.entities


def test_globs_take_names_in_either_form() -> None:
    """only, scenes and exclude fit a name however its letters are composed."""
    assert matches([f"character/{DECOMPOSED}/*"], f"character/{COMPOSED}/a")
    assert matches([f"character/{COMPOSED}"], f"character/{DECOMPOSED}/a")


def test_what_was_sent_under_one_form_is_in_flight_under_the_other() -> None:
    """A library that was copied to another disk sends nothing again because its folders are spelled otherwise there."""
    from chargen.planning.fates import _ids

    wish = Wish("generate", f"character/{COMPOSED}/a", 1, "sha256:0")

    assert {wish.id} & set(_ids(replace(wish, target=f"character/{DECOMPOSED}/a")))


@pytest.mark.parametrize(
    ("glob", "question"),
    [
        ("character/Oda-Brennick/*", ", did you mean character/oda-brennick/lamp-room?"),
        ("CHARACTER/ODA-BRENNICK/LAMP-ROOM", ", did you mean character/oda-brennick/lamp-room?"),
        ("character/oda-brenick", ", did you mean character/oda-brennick?"),
        ("chapter/*", ""),
    ],
)
def test_globs_in_another_case_are_asked_about(glob: str, question: str) -> None:
    """Who writes a name in other letter case is asked for the one that was meant."""
    assert question == meant(glob, ["character/oda-brennick/lamp-room", "location/cove/a"])


def test_references_in_another_case_are_asked_about(tmp_path: Path) -> None:
    """A character, a zone or a file in other letter case is not found, and the warning names it."""
    corpus.put(
        corpus.entity(
            tmp_path,
            "location/cove",
            "zones: {Lamp-Room: x}\nscenes:\n"
            "  - {id: a, prompt: x, characters: [ODA], zone: lamp-room, references: [images/Rope.PNG, B]}\n"
            "  - {id: b, prompt: x, skip: true}\n",
        ),
        "images/rope.png",
    )
    corpus.entity(tmp_path, "character/oda", SCENE)

    library = load_library(tmp_path)
    _, problems = ReferenceIndex(library).for_scene(library.entities["location/cove"].scenes[0])

    assert [
        ("unknown-character", "did you mean 'oda'?"),
        ("unknown-zone", "did you mean 'Lamp-Room'?"),
        ("missing-reference", "did you mean 'images/rope.png'?"),
        ("missing-reference", "did you mean 'b'?"),
    ] == [(problem.code, problem.advice) for problem in problems]


def test_names_that_are_not_utf8_are_left_out(tmp_path: Path) -> None:
    """Such a folder is skipped, such a file passed over; both are named in visible signs, and the rest goes on."""
    folder = corpus.entity(tmp_path, "character/oda", SCENE)
    corpus.put(folder, "images/lamp-room.png")
    for name in (b"images/lamp-room-\xff.png", b"note-\xfe.txt"):
        with open(os.path.join(os.fsencode(folder), name), "wb"):  # noqa: PTH118, PTH123
            pass
    os.mkdir(os.path.join(os.fsencode(tmp_path), b"characters", b"t\xffm"))  # noqa: PTH102, PTH118
    with open(os.path.join(os.fsencode(tmp_path), b"characters", b"t\xffm", b"imagery.yaml"), "wb"):  # noqa: PTH118, PTH123
        pass

    library = load_library(tmp_path)

    assert [
        ("invalid-name", "characters/oda/note-\\xfe.txt", ""),
        ("invalid-name", "characters/oda/images/lamp-room-\\xff.png", ""),
        ("invalid-slug", "characters/t\\xffm", "entity skipped"),
    ] == said(library)
    assert "its name is not UTF-8" in str(library.problems[0])
    assert ["lamp-room"] == list(library.entities["character/oda"].adopted)
    assert all(str(problem).isprintable() and str(problem).encode() for problem in library.problems)


# ---- where pictures would go -----------------------------------------------------------------------------


def test_images_that_lead_out_are_said_while_planning(tmp_path: Path) -> None:
    """Where no picture could be put, nothing is bought; what has come already is placed as far as it can be."""
    corpus.entity(tmp_path / "story", "character/oda", SCENE)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "story/characters/oda/images").symlink_to(tmp_path / "elsewhere")

    library = load_library(tmp_path / "story")

    assert [("outside-library", "characters/oda/images", "entity skipped")] == said(library)
    assert load_entity(tmp_path / "story", "character", "oda").scenes


@pytest.mark.parametrize("make", [lambda path: path.write_text(""), lambda path: path.symlink_to("nowhere")])
def test_images_that_are_no_folder_take_no_picture(tmp_path: Path, make: Callable[[Path], object]) -> None:
    """A file or a dead link in the place of images/ is found before anything is paid."""
    folder = corpus.entity(tmp_path, "character/oda", SCENE)
    make(folder / "images")

    found = barrier(folder)

    assert found is not None
    assert (folder / "images", "is not a folder, so no picture can be saved there") == (found.path, found.why)


def test_a_single_entity_that_cannot_be_read(shared: Path) -> None:
    """Who places a picture learns that the folder cannot be read, and does not take it for gone."""
    corpus.entity(shared, "character/oda", SCENE).chmod(0)

    with as_nobody(), pytest.raises(BrokenEntity, match="Permission denied"):
        load_entity(shared, "character", "oda")
