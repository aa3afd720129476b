"""The made-up library of the benchmarks: real proportions, the same bytes for the same seed, no error while reading."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.prompts import planned, table, written_keys
from benchmarks.support import prompt_measures as measures
from benchmarks.support.story_library import SMALL, WHOLE, write_manga_library, write_story_library
from chargen.library.load import load_library


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small library of every shape."""
    folder: Path = tmp_path_factory.mktemp("made") / "story"
    write_story_library(folder, 1, SMALL)
    return folder


def contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_it_has_the_proportions_of_a_real_one() -> None:
    """As counted in one: 1,754 scenes, 54 files of ideas, six dialects, 0 to 8 people in 285 images of 34 chapters."""
    dialects = {item.number: item.files for item in WHOLE.dialects}

    assert (1754, 54, 285, 34) == (WHOLE.wanted, WHOLE.ideas, WHOLE.images, WHOLE.chapters)
    assert {1: 4, 2: 4, 3: 5, 4: 5, 5: 6, 6: 5} == dialects
    assert (529, 62, 110) == tuple(
        sum(getattr(item, of) for item in WHOLE.dialects) for of in ("zones", "images", "beats")
    )


def test_it_is_read_without_an_error(root: Path) -> None:
    """Every scene that was written is read; all that is said against it are pixels of another shape."""
    library = load_library(root)

    kinds = Counter(entity.kind for entity in library.entities.values() for _ in entity.scenes)
    assert {"character": SMALL.scenes, "location": 56, "chapter": SMALL.images} == dict(kinds)
    assert SMALL.wanted == kinds.total()
    assert ({"ratio-against-size"}, ()) == ({problem.code for problem in library.problems}, library.broken)


def test_the_same_seed_writes_the_same_bytes(root: Path, tmp_path: Path) -> None:
    """And another seed writes others."""
    write_story_library(tmp_path / "same", 1, SMALL)
    write_story_library(tmp_path / "other", 2, SMALL)

    assert contents(root) == contents(tmp_path / "same")
    assert contents(root).keys() != contents(tmp_path / "other").keys()


def test_it_holds_what_real_authors_write(root: Path) -> None:
    """What prompts must cope with: people, hands alone, media of the author's, forgotten traits, Windows line ends."""
    text = b"\n".join(contents(root).values()).decode(errors="replace")
    library = load_library(root)
    crowds = {len(scene.characters) for entity in library.entities.values() for scene in entity.scenes}

    assert {0, 1, 2, 3} <= crowds
    for part in ("Only the hands of", "TBD", "a-cousin-nobody-wrote-about", "\r\n", "zone_id", "zone_slug", "primary:"):
        assert part in text
    assert any(measures.media(scene.prompt) for entity in library.entities.values() for scene in entity.scenes)


def test_it_can_be_had_without_the_faults_that_authors_must_correct(root: Path, tmp_path: Path) -> None:
    """The same scenes, but nobody unknown, no notes among the traits and no pixels that differ from the ratio."""
    write_story_library(tmp_path, 1, SMALL, faults=False)

    text = b"\n".join(contents(tmp_path).values()).decode(errors="replace")
    scenes = [sorted(s.target for e in load_library(of).entities.values() for s in e.scenes) for of in (root, tmp_path)]
    assert scenes[0] == scenes[1]
    assert [] == [part for part in ("a-cousin", "a-valley-not", "TBD", "voice low", "1024x768") if part in text]


def test_ordinary_sentences_say_nothing_of_light_or_framing(root: Path) -> None:
    """So that a measure that finds such a word has found a field of its own, not the filling."""
    library = load_library(root)
    people = [entity.description for entity in library.entities.values() if entity.kind == "character"]

    assert [] == [text for text in people if measures.has_light(text) or measures.has_composition(text)]
    assert [] == [text for text in people if measures.has_style(text)]


def test_every_scene_is_measured_once(root: Path, tmp_path: Path) -> None:
    """Also what waits for a picture of the same run."""
    cases = planned(root, tmp_path)

    library = load_library(root)
    assert sorted(scene.target for entity in library.entities.values() for scene in entity.scenes) == [
        case.target for case in cases
    ]
    assert "| prompts | 2 | 1 | 1 |" in table([cases[0], cases[-1]], written_keys(root))
    assert [] == [case.target for case in cases if measures.moment_starts(case.prompt, case.own) is None]


def test_the_manga_library_says_its_own_look(tmp_path: Path) -> None:
    """Its hacker's hair has a colour that the example forbids."""
    write_manga_library(tmp_path)

    everything = b"".join(contents(tmp_path).values()).decode(errors="replace")
    assert "manga" in (tmp_path / "chargen.yaml").read_text(encoding="utf-8")
    assert "hair dyed neon green" in everything
    assert "gouache" not in everything
