"""Tests of references: which pictures a scene asks for, in which order, and what is never sent."""

from __future__ import annotations

import library_corpus as corpus
import pytest

from chargen.library.load import load_library
from chargen.library.model import Candidate
from chargen.library.references import ReferenceIndex

TAM = "name: Tam\nscenes:\n  - {id: market, prompt: x}\n"
COVE = """\
name: Cove
overview: {image_type: establishing, description: x}
zones:
  - {slug: cove-pier, description: x}
  - {slug: shed, description: x}
beat_images:
  - {slug: storm, zone_ref: cove-pier, description: x}
"""


def records(*items):
    """A generated_images section; each item is (scene, file, more fields)."""
    lines = [f"- {{scene: {scene}, file_path: images/{file}, {more}}}\n" for scene, file, more in items]
    return "generated_images:\n" + "".join(lines)


def ask(root, target, **options):
    """The references of a scene as (role, subject, candidates), and the codes of the warnings."""
    library = load_library(root)
    kind, slug, name = target.split("/")
    scene = next(scene for scene in library.entities[f"{kind}/{slug}"].scenes if scene.id == name)
    references, problems = ReferenceIndex(library, **options).for_scene(scene)
    found = [(r.role, r.subject, [(c.path, c.target) for c in r.candidates]) for r in references]
    return found, [problem.code for problem in problems]


def chapter(root, **fields):
    """A chapter with one scene of these fields."""
    corpus.entity(root, "chapter/ch1", corpus.scene(id="a", prompt="x", **fields))
    return "chapter/ch1/a"


def test_order_and_names(tmp_path):
    """Characters as listed, the location, those named explicitly, style images last."""
    target = chapter(tmp_path, characters="[tam, oda]", location="cove", references="[images/extra.png]")
    for slug in ("tam", "oda"):
        folder = corpus.entity(tmp_path, f"character/{slug}", TAM.replace("Tam", slug.title()))
        corpus.put(folder, "images/portrait.png")
    corpus.put(corpus.entity(tmp_path, "location/cove", COVE), "images/overview.jpg")
    corpus.put(tmp_path, "chapters/ch1/images/extra.png")
    corpus.put(tmp_path, "style/gouache.png")

    found, problems = ask(tmp_path, target, style_images=["style/gouache.png"])

    assert [
        ("character", "character/tam", [("characters/tam/images/portrait.png", "")]),
        ("character", "character/oda", [("characters/oda/images/portrait.png", "")]),
        ("location", "location/cove", [("locations/cove/images/overview.jpg", "location/cove/overview")]),
        ("other", "chapters/ch1/images/extra.png", [("chapters/ch1/images/extra.png", "")]),
        ("style", "style/gouache.png", [("style/gouache.png", "")]),
    ] == found
    assert [] == problems


@pytest.mark.parametrize(
    ("text", "files", "expected"),
    [
        (TAM, [], []),
        (TAM, ["portrait.webp"], [("portrait.webp", "")]),
        (TAM + "portrait: images/face.png\n", ["portrait.png", "face.png"], [("face.png", ""), ("portrait.png", "")]),
        (TAM + "portrait: images/market.jpg\n", [], [("", "market")]),
        (TAM + "portrait: market\n", ["market.png"], [("market.png", "market")]),
        (TAM.replace("market", "portrait"), [], [("", "portrait")]),
        (TAM.replace("market", "portrait"), ["portrait.png"], [("portrait.png", "portrait")]),
        (
            TAM + "image_inventory:\n- {id: i, path: images/i.png, is_reference_portrait: true}\n",
            ["portrait.png", "i.png"],
            [("i.png", "")],
        ),
        (
            TAM + "image_inventory:\n- {id: i, path: images/gone.png, is_reference_portrait: true}\n",
            ["portrait.png"],
            [("portrait.png", "")],
        ),
    ],
)
def test_portrait_rule(tmp_path, text, files, expected):
    """Declared, else flagged in the inventory, else images/portrait.*, else the scene that would make it."""
    target = chapter(tmp_path, characters="[tam]")
    folder = corpus.entity(tmp_path, "character/tam", text)
    for name in files:
        corpus.put(folder, f"images/{name}")

    found, problems = ask(tmp_path, target)

    paths = [(f"characters/tam/images/{n}" if n else "", f"character/tam/{s}" if s else "") for n, s in expected]
    assert [paths] * bool(expected) == [candidates for _, _, candidates in found]
    assert ([] if expected else ["no-portrait"]) == problems


def test_own_picture_is_never_a_reference(tmp_path):
    """The scene that makes the portrait asks for none; the entity's others wait for it."""
    text = "name: Tam\nscenes:\n  - {id: portrait, prompt: x}\n  - {id: market, prompt: x}\n"
    corpus.put(corpus.entity(tmp_path, "character/tam", text), "images/portrait.png")

    assert ([], []) == ask(tmp_path, "character/tam/portrait")
    assert [("character", "character/tam", [("characters/tam/images/portrait.png", "character/tam/portrait")])] == ask(
        tmp_path, "character/tam/market"
    )[0]


@pytest.mark.parametrize(
    ("made", "provider", "expected"),
    [
        ([("market", "a.png", "generated_at: '1'"), ("market", "b.png", "generated_at: '2'")], "gemini", "b.png"),
        ([("market", "a.png", "status: approved"), ("market", "b.png", "generated_at: '2'")], "gemini", "a.png"),
        (
            [("market", "a.png", ""), ("market", "b.png", ""), ("market", "b.png", "status: rejected")],
            "gemini",
            "a.png",
        ),
        ([("market", "a.png", ""), ("market", "gone.png", "generated_at: '2'")], "gemini", "a.png"),
        ([("market", "a.png", "provider: google"), ("market", "b.png", "provider: emulator")], "gemini", "a.png"),
        ([("market", "a.png", "provider: google"), ("market", "b.png", "provider: emulator")], "emulator", "b.png"),
    ],
)
def test_pick_of_a_scenes_pictures(tmp_path, made, provider, expected):
    """Approved before newer; never a rejected one, one that is gone, or the emulator's under another provider."""
    target = chapter(tmp_path, references="[market]")
    folder = corpus.entity(tmp_path, "character/tam", TAM + records(*made))
    corpus.put(folder, "images/a.png")
    corpus.put(folder, "images/b.png")

    found, _ = ask(tmp_path, target, provider=provider)

    assert [(f"characters/tam/images/{expected}", "character/tam/market")] == found[0][2]


@pytest.mark.parametrize(
    ("zone", "expected", "problems"),
    [
        ("cove-pier", ["cove-pier", "overview"], []),
        ("pier", ["cove-pier", "overview"], []),
        ("cellar", ["overview"], ["unknown-zone"]),
        ("", ["overview"], []),
    ],
)
def test_zone_still_to_be_made(tmp_path, zone, expected, problems):
    """A zone is found by id or unique ending; without it the whole place has to do."""
    target = chapter(tmp_path, location="cove" + f"/{zone}" * bool(zone))
    corpus.entity(tmp_path, "location/cove", COVE)

    found, warned = ask(tmp_path, target)

    assert [[("", f"location/cove/{name}") for name in expected]] == [candidates for _, _, candidates in found]
    assert problems == warned


def test_places_reference_themselves_without_circles(tmp_path):
    """A beat asks for its zone, a zone for the overview, the overview for nothing."""
    folder = corpus.entity(tmp_path, "location/cove", COVE)
    corpus.put(folder, "images/cove-pier.png")
    pier = ("locations/cove/images/cove-pier.png", "location/cove/cove-pier")
    overview = ("", "location/cove/overview")

    assert [[pier, overview]] == [candidates for _, _, candidates in ask(tmp_path, "location/cove/storm")[0]]
    assert [[overview]] == [candidates for _, _, candidates in ask(tmp_path, "location/cove/cove-pier")[0]]
    assert ([], []) == ask(tmp_path, "location/cove/overview")


def test_own_waiting_never_goes_in_a_circle(tmp_path):
    """Whatever an entity declares, its scenes wait for each other in one direction only."""
    text = """\
name: Light
portrait: images/lamp-night.jpg
zones: {lamp: Brass.}
scenes:
  - {id: lamp, zone: lamp, prompt: x}
  - {id: lamp-night, zone: lamp, prompt: x}
  - {id: lamp-day, zone: lamp, prompt: x}
  - {id: overview, zone: lamp, prompt: x}
"""
    corpus.entity(tmp_path, "location/light", text)
    corpus.entity(tmp_path, "location/cove", COVE)
    library = load_library(tmp_path)
    index = ReferenceIndex(library)

    waits = {
        scene.target: {item.target for reference in index.for_scene(scene)[0] for item in reference.candidates}
        for entity in library.entities.values()
        for scene in entity.scenes
    }

    placed: set[str] = set()
    while ready := {target for target, needs in waits.items() if target not in placed and needs <= placed}:
        placed |= ready
    assert set(waits) == placed


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"characters": "[nobody]"}, "unknown-character"),
        ({"location": "nowhere"}, "unknown-location"),
        ({"characters": "[broken]"}, "skipped-entity"),
        ({"references": "[no-such-thing]"}, "missing-reference"),
        ({"references": "[../../../secret.png]"}, "outside-library"),
        ({"references": "[/etc/hostname]"}, "outside-library"),
        ({"references": "[images/link.png]"}, "outside-library"),
        ({"references": "['C:\\\\x.png']"}, "outside-library"),
    ],
)
def test_what_cannot_be_sent_is_a_warning(tmp_path, fields, code):
    """The scene goes on without it, and nothing outside the library is named as a picture."""
    root = tmp_path / "library"
    corpus.put(tmp_path, "secret.png")
    target = chapter(root, **fields)
    corpus.entity(root, "character/broken", corpus.TWO_QUOTED)
    (root / "chapters/ch1/images").mkdir()
    (root / "chapters/ch1/images/link.png").symlink_to(tmp_path / "secret.png")

    assert ([], [code]) == ask(root, target)


@pytest.mark.parametrize(
    "written",
    ["tam", "tam-portrait", "characters/tam/images/portrait.png", "../../characters/tam/images/portrait.png", "face"],
)
def test_ways_to_name_a_picture(tmp_path, written):
    """A path from here or from the root, an inventory id, a character, its portrait."""
    target = chapter(tmp_path, references=f"[{written}]")
    text = TAM + "image_inventory:\n- {id: face, path: images/portrait.png}\n"
    corpus.put(corpus.entity(tmp_path, "character/tam", text), "images/portrait.png")

    found, problems = ask(tmp_path, target)

    assert [("characters/tam/images/portrait.png", "")] == found[0][2]
    assert [] == problems


def test_chapter_names_a_better_picture_of_somebody(tmp_path):
    """A picture that the chapter names for a person comes before the portrait; one that is gone is warned of."""
    corpus.whole(tmp_path)
    corpus.put(tmp_path, "characters/tam-fell/images/portrait.png")

    found, problems = ask(tmp_path, "location/bell-cove/bell-rings")

    paths = [path for path, _ in found[0][2]]
    assert ["cap.png", "tam-fell-portrait-1.jpg"] == [path.rpartition("/")[2] for path in paths]
    assert [] == problems


def test_same_picture_is_asked_for_once(tmp_path):
    """A character who is also named as a reference goes out once."""
    target = chapter(tmp_path, characters="[tam]", references="[tam, characters/tam/images/portrait.png]")
    corpus.put(corpus.entity(tmp_path, "character/tam", TAM), "images/portrait.png")

    assert 1 == len(ask(tmp_path, target)[0])


def test_folders_are_listed_once(tmp_path, monkeypatch):
    """However many scenes ask, each folder is listed once."""
    import os

    library = load_library(corpus.whole(tmp_path))
    index = ReferenceIndex(library)
    scenes = [scene for entity in library.entities.values() for scene in entity.scenes]
    listed: list[str] = []
    scandir = os.scandir
    monkeypatch.setattr(os, "scandir", lambda path: listed.append(str(path)) or scandir(path))

    for scene in scenes * 2:
        index.for_scene(scene)

    assert sorted(set(listed)) == sorted(listed)
    assert listed


def test_candidate_of_a_rejected_picture_is_its_scene(tmp_path):
    """What was rejected will be made again, so whoever wants it waits."""
    target = chapter(tmp_path, characters="[tam]")
    text = TAM.replace("market", "portrait") + records(("portrait", "portrait.png", "status: rejected"))
    corpus.put(corpus.entity(tmp_path, "character/tam", text), "images/portrait.png")

    found, _ = ask(tmp_path, target)

    assert [Candidate(target="character/tam/portrait")] == [Candidate(*item) for item in found[0][2]]


@pytest.mark.parametrize(
    "written",
    ["market", "tam/market", "character/tam/market", "characters/tam/images/market.png"],
)
def test_a_picture_still_to_be_made_can_be_named(tmp_path, written):
    """By the scene's id if only one entity has it, with its entity, or by the path where it will stand."""
    target = chapter(tmp_path, references=f"[{written}]")
    corpus.entity(tmp_path, "character/tam", TAM)

    found, problems = ask(tmp_path, target)

    assert [[("", "character/tam/market")]] == [candidates for _, _, candidates in found]
    assert [] == problems


def test_an_id_that_two_entities_have_names_no_scene_to_come(tmp_path):
    """Which of two scenes is meant is unknown until one has a picture."""
    target = chapter(tmp_path, references="[market]")
    corpus.entity(tmp_path, "character/tam", TAM)
    corpus.entity(tmp_path, "character/oda", TAM)

    assert ([], ["missing-reference"]) == ask(tmp_path, target)


def test_a_misspelt_name_comes_with_the_one_that_was_meant(tmp_path):
    """Characters and places that nearly fit are named, also those whose own file is broken."""
    target = chapter(tmp_path, characters="[tam-fel]", location="saltmer")
    corpus.entity(tmp_path, "character/tam-fell", "name: [Tam\n")
    corpus.entity(tmp_path, "location/saltmere", COVE)
    library = load_library(tmp_path)
    scene = library.entities[target.rpartition("/")[0]].scenes[0]

    _, problems = ReferenceIndex(library).for_scene(scene)

    assert ["did you mean 'tam-fell'?", "did you mean 'saltmere'?"] == [problem.advice for problem in problems]


def test_a_place_without_a_picture_says_how_to_have_one(tmp_path):
    """A scene of the place that is no overview of it does not count, so the advice names what does."""
    target = chapter(tmp_path, location="hall")
    corpus.entity(tmp_path, "location/hall", TAM)
    library = load_library(tmp_path)

    _, (problem,) = ReferenceIndex(library).for_scene(library.entities[target.rpartition("/")[0]].scenes[0])

    assert "locations/hall/images/overview.png, or a scene with the id 'overview'" in problem.advice
