"""Tests of the library as a whole: which folders are entities, what is wanted in every shape, what is broken."""

from __future__ import annotations

import os
from pathlib import Path

import library_corpus as corpus
import pytest

from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.library.load import BrokenEntity, load_entity, load_library


def codes(problems):
    """Codes with their places, as a user sees them."""
    return [(problem.code, str(problem.place), problem.effect) for problem in problems]


def one(tmp_path, text, key="character/oda"):
    """The library of a single entity with this imagery.yaml."""
    corpus.entity(tmp_path, key, text)
    return load_library(tmp_path)


def test_every_shape_is_read(tmp_path):
    """All wanted images of all dialects come out, in the order of kinds and names; the broken entity is named."""
    library = load_library(corpus.whole(tmp_path))

    wanted = {key: [scene.id for scene in entity.scenes] for key, entity in library.entities.items()}
    assert {
        "character/empty": [],
        "character/oda-brennick": ["lamp-room", "market-day"],
        "character/tam-fell": ["hauling-nets-at-dun-harbour", "the-long-haul"],
        "location/bell-cove": ["overview", "shingle", "bell-rings"],
        "location/gull-inn": ["overview-primary", "overview-secondary", "taproom", "last-round"],
        "location/net-loft": ["net-loft-overview", "loft-kitchen", "kitchen-at-dawn"],
        "location/rope-walk": ["overview", "tar-pit__wide", "tar-pit__ladle", "burned-hand"],
        "location/saltmere-light": ["lamp-room-night", "old-map"],
        "location/tide-mill": ["mill-establishing", "mill-kitchen", "the-quarrel"],
        "chapter/ch15.5-the-drowned-bell": ["ch15.5-haul-hero"],
    } == wanted
    assert list(wanted) == list(library.entities)
    assert ("location/bad-place",) == library.broken


def test_problems_of_the_corpus(tmp_path):
    """Nothing is warned of but what is wrong, each with its place."""
    library = load_library(corpus.whole(tmp_path))

    assert [
        ("invalid-yaml", "locations/bad-place/imagery.yaml:3:15", "entity skipped"),
        ("ratio-against-size", "locations/net-loft/imagery.yaml:29:5", ""),
        ("missing-reference", "locations/saltmere-light/imagery.yaml:10:1", ""),
        ("ratio-against-size", "chapters/ch15.5-the-drowned-bell/imagery.yaml:50:5", ""),
    ] == codes(library.problems)


def test_one_entity_alone_is_the_same(tmp_path):
    """An entity does not depend on what the others say."""
    library = load_library(corpus.whole(tmp_path))

    alone = [load_entity(tmp_path, entity.kind, entity.slug) for entity in library.entities.values()]

    assert list(library.entities.values()) == alone


def test_broken_entity_alone(tmp_path):
    """Reading one broken entity says where it is broken."""
    corpus.whole(tmp_path)

    with pytest.raises(BrokenEntity, match=r"locations/bad-place/imagery.yaml:3:15"):
        load_entity(tmp_path, "location", "bad-place")


def test_kinds_and_exclude(tmp_path):
    """Only the kinds asked for are read, and patterns leave entities out, broken ones too."""
    corpus.whole(tmp_path)

    library = load_library(tmp_path, kinds=["location"], exclude=["location/b*", "*-loft", "tide-mill"])

    assert ["location/gull-inn", "location/rope-walk", "location/saltmere-light"] == list(library.entities)
    assert () == library.broken


def test_missing_root(tmp_path):
    """A wrong library folder is said in one sentence."""
    with pytest.raises(ChargenError, match="Library folder not found"):
        load_library(tmp_path / "nowhere")


def test_links_out_of_the_library_are_refused(tmp_path):
    """Neither a linked folder nor a linked file is read when it leads out; inside, links are fine."""
    root = tmp_path / "library"
    corpus.entity(tmp_path / "elsewhere", "character/spy", corpus.NEWCOMER)
    corpus.entity(root, "character/oda", corpus.NEWCOMER)
    (root / "characters/twin").symlink_to(root / "characters/oda")
    (root / "characters/spy").symlink_to(tmp_path / "elsewhere/characters/spy")
    (root / "characters/thief").mkdir()
    (root / "characters/thief/imagery.yaml").symlink_to(tmp_path / "elsewhere/characters/spy/imagery.yaml")

    library = load_library(root)

    assert ["character/oda", "character/twin"] == list(library.entities)
    assert ["outside-library", "outside-library"] == [problem.code for problem in library.problems]
    assert ("character/spy", "character/thief") == library.broken


@pytest.mark.parametrize(
    "make",
    [
        os.mkfifo,
        Path.mkdir,
        lambda path: path.symlink_to("nowhere.yaml"),
        lambda path: path.symlink_to("imagery.yaml"),
        lambda path: path.symlink_to("/dev/zero"),
    ],
    ids=["pipe", "folder", "dead link", "link to itself", "device"],
)
def test_what_is_no_file_is_said(tmp_path, make):
    """Where imagery.yaml is something that cannot be read as a file, nobody waits for it and the entity is broken."""
    folder = tmp_path / "characters" / "oda"
    folder.mkdir(parents=True)
    make(folder / "imagery.yaml")

    library = load_library(tmp_path)

    assert ("character/oda",) == library.broken
    assert ["entity skipped"] == [problem.effect for problem in library.problems]


def test_words_of_the_author_garble_no_terminal(tmp_path):
    """Whatever is said about a file is one line of visible signs, and not as long as the author's text."""
    corpus.entity(tmp_path, "character/a", corpus.scene(id="a" * 5000, prompt="x"))
    corpus.entity(tmp_path, "character/b", corpus.scene(id='"x\\u202e\\e[2Jy"', prompt="x"))

    said = [str(problem) for problem in load_library(tmp_path).problems if problem.code == "bad-id"]

    assert [True, True] == [line.isprintable() and len(line) < 700 for line in said]
    assert "an id is 1 to 80 of" in said[0]


@pytest.mark.parametrize("slug", [".hidden", "a\nb", "x" * 101, "a\u202eb", b"a\xffb"])
def test_unusable_folder_names(tmp_path, slug):
    """A folder whose name could garble keys or terminals is a problem, never a crash."""
    folder = os.path.join(os.fsencode(tmp_path), b"characters", os.fsencode(slug))  # noqa: PTH118
    os.makedirs(folder)  # noqa: PTH103
    with open(os.path.join(folder, b"imagery.yaml"), "w") as file:  # noqa: PTH118, PTH123
        file.write(corpus.NEWCOMER)

    library = load_library(tmp_path)

    assert {} == library.entities
    assert ["invalid-slug"] == [problem.code for problem in library.problems]
    assert str(library.problems[0]).isprintable()


def test_emoji_folder_is_an_entity(tmp_path):
    """Names in any script are names."""
    corpus.entity(tmp_path, "character/灯台🔥", corpus.NEWCOMER)

    assert ["character/灯台🔥"] == list(load_library(tmp_path).entities)


def test_both_ideas_files(tmp_path):
    """Which of two ideas files counts cannot be guessed."""
    folder = corpus.entity(tmp_path, "character/tam", "name: Tam\n")
    corpus.put(folder, "image-ideas.yaml", corpus.IDEAS)
    corpus.put(folder, "image_ideas.yaml", corpus.IDEAS)

    library = load_library(tmp_path)

    assert [("two-ideas-files", "characters/tam/image_ideas.yaml", "entity skipped")] == codes(library.problems)


def test_ideas_file_alone_is_an_entity(tmp_path):
    """A character may have its wishes only, under either name of the file."""
    corpus.put(tmp_path, "characters/tam/image_ideas.yaml", corpus.IDEAS)

    library = load_library(tmp_path)

    assert 2 == len(library.entities["character/tam"].scenes)


def test_invalid_style_file_is_a_warning(tmp_path):
    """Without its style file a character can still be drawn."""
    folder = corpus.entity(tmp_path, "character/tam", corpus.NEWCOMER)
    corpus.put(folder, "image_style.yaml", 'a: "x", "y"\n')

    library = load_library(tmp_path)

    assert [("invalid-yaml", "characters/tam/image_style.yaml:1:7", "")] == codes(library.problems)
    assert 2 == len(library.entities["character/tam"].scenes)


def test_union_of_lists_and_repeated_id(tmp_path):
    """Our scenes may be added to any real file; an id that comes twice leaves the entity out."""
    text = corpus.DIALECT_5 + "scenes:\n  - {id: extra, prompt: x}\n"
    corpus.entity(tmp_path, "location/good", text)
    corpus.entity(tmp_path, "location/twice", text.replace("id: extra", "id: shingle"))

    library = load_library(tmp_path)

    assert {"extra", "overview", "shingle", "bell-rings"} == {s.id for s in library.entities["location/good"].scenes}
    assert [("duplicate-id", "locations/twice/imagery.yaml:14:5", "entity skipped")] == codes(library.problems)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (corpus.scene(id="a"), [("no-text", "scene skipped")]),
        (corpus.scene(prompt="x"), [("no-id", "scene skipped")]),
        (corpus.scene(id="A b", prompt="x"), [("bad-id", "scene skipped")]),
        (corpus.scene(id="a_c2", prompt="x"), [("bad-id", "scene skipped")]),
        (corpus.scene(id="a", prompt="[x]"), [("bad-type", "entity skipped")]),
        (corpus.scene(id="a", prompt="x", aspect_ratio="wide"), [("bad-ratio", "scene skipped")]),
        (corpus.scene(id="a", prompt="x", image_size="2k"), [("bad-size", "scene skipped")]),
        (corpus.scene(id="a", prompt="x", image_size="8 K"), [("bad-size", "scene skipped")]),
        (corpus.scene(id="a", prompt="x", variations="0"), [("bad-variations", "scene skipped")]),
        (corpus.scene(id="a", prompt="x", weight="huge"), [("bad-weight", "")]),
        (corpus.scene(id="a", promt="x", prompt="y"), [("unknown-key", "")]),
        ("scenes: text\n", [("bad-type", "entity skipped")]),
        ("scenes: [text]\n", [("bad-type", "entity skipped")]),
        ("schema: 2\n", [("unknown-schema", "entity skipped")]),
        ("kind: location\n", [("wrong-kind", "entity skipped")]),
        ("entity_type: chapter-imagery\n", [("wrong-kind", "")]),
        ("slug: another\nentity_type: character\n", [("wrong-slug", "entity skipped")]),
        ("scens: []\n", [("unknown-key", "")]),
        ("defaults: {aspect_ratio: 3x2}\n", [("bad-ratio", "entity skipped")]),
        ("{name: Oda}\n", [("no-write-back", "entity skipped")]),
        ("generated_images: {}\n", [("no-write-back", "entity skipped")]),
        ("generated_images: [{scene: a}]\n", [("no-write-back", "entity skipped")]),
        ("generated_images: text\n", [("no-write-back", "entity skipped")]),
        ("generated_images: &a\n- scene: a\n", [("no-write-back", "entity skipped")]),
        ("generated_images: ~\n", []),
        ("generated_images: []\n", []),
        ("generated_images:\n", []),
        ("generated_images:\n- scene: a\n", []),
    ],
)
def test_faults_and_their_effects(tmp_path, text, expected):
    """Each fault has its stable code and leaves out no more than it must."""
    assert expected == [(problem.code, problem.effect) for problem in one(tmp_path, text).problems]


def test_advice_names_what_was_meant(tmp_path):
    """A misspelt key comes with the nearest known one, a small k with the capital."""
    library = one(tmp_path, corpus.scene(id="a", prompt="x", aspekt_ratio="3:4", image_size="2k"))

    near, size = library.problems
    assert (
        "characters/oda/imagery.yaml:4:5: warning: scenes[0].aspekt_ratio: unknown key 'aspekt_ratio' is ignored "
        "(did you mean 'aspect_ratio'?)"
    ) == str(near)
    assert (
        "characters/oda/imagery.yaml:5:5: error: scenes[0].image_size: '2k' must be 2K, with a capital K; scene skipped"
    ) == str(size)


def test_records_and_inventory(tmp_path):
    """Records know their variation and a clean path; what leaves the entity's folder does not count."""
    text = """\
generated_images:
  - scene: a
    file_path: images/a.png
    task_key: character/oda/a_c3@sha256:0123456789abcdef
    provider: google
  - custom_id: b_c2
    file_name: b--v2.png
    status: Rejected
  - scene: c
    file_path: ../tam/images/c.png
  - file_path: images/d.png
image_inventory:
  - id: one
    path: images\\one.jpg
    is_reference_portrait: true
"""
    library = one(tmp_path, text)

    oda = library.entities["character/oda"]
    assert [("a", 3, "images/a.png", ""), ("b", 2, "images/b--v2.png", "rejected"), ("c", 1, "", "")] == [
        (record.scene, record.variation, record.path, record.status) for record in oda.records
    ]
    assert [("images/one.jpg", True)] == [(item.path, item.is_portrait) for item in oda.inventory]
    assert ["outside-library", "bad-record"] == [problem.code for problem in library.problems]


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("name: Oda\nscenes:\n\t- id: a\n", "3:1", "with tabs"),
        ("name: Oda\nscenes:\n  - id: a\n    prompt: x\n   weight: low\n", "5:4", "each key like its neighbours"),
        ("name: Oda\nscenes:\n  - id: a\n     prompt: x\n", "4:12", "each key like its neighbours"),
        ("name: Oda: a keeper\n", "1:10", "quote text that contains ': '"),
        ("name: *x\n", "1:7", "begins with *"),
        ("prompt: *Emphasis* on light\n", "1:18", "begins with *"),
        ("prompt: & more\n", "1:10", "begins with &"),
        ("prompt: %50 more\n", "1:9", "begins with %"),
        ("prompt: @home\n", "1:9", "begins with @"),
        ("prompt: `x`\n", "1:9", "begins with `"),
        ("prompt: - Oda\n", "1:9", "begins with '- '"),
        ("prompt: ? what\n", "1:9", "begins with '? '"),
        ("prompt: > text\n", "1:11", "on the next line"),
        ("prompt: |text\n", "1:10", "on the next line"),
        ("prompt: [Oda] at the gate\n", "1:15", "begins with ["),
        ("prompt: 'It's raining'\n", "1:13", "write '' for an apostrophe"),
        ('prompt: "Stop" she said\n', "1:16", "the whole text in quotes"),
        ('prompt: "a \\d"\n', "1:12", "for a backslash"),
        ('name: "Oda\nmood: x\n', "1:7", "not closed"),
        ("name: “Oda: the keeper”\n", "1:11", "typographic quotes"),
        ("palette: [#fff, red]\n", "2:1", "in quotes"),
        ("description: The owner of\n  house #7 and\n  more\nname: x\n", "3:3", "the text of line 2 ends at ' #'"),
        ("name:Oda\nmood: dark\n", "2:5", "put a space after 'name:' in line 1"),
        ("name: Oda\nmood:dark\nstyle: x\n", "3:1", "put a space after 'mood:' in line 2"),
        ("scenes:\n  - id:a\n    prompt: x\n", "3:11", "put a space after 'id:' in line 2"),
        ("name:Oda\n", "1:1", "put a space after 'name:' in line 1"),
        ("name = Oda\n", "1:1", "write lines like 'name: Oda'"),
        ("name\uff1a Oda\nmood: x\n", "2:5", "instead of the wide colon"),
        ("name:\u00a0Oda\nmood: dark\n", "2:5", "U+00A0 (no-break space)"),
        ("name: Oda\n\ufeffmood: dark\n", "2:2", "U+FEFF"),
        ("name: Oda\n<<<<<<< HEAD\nmood: a\n=======\nmood: b\n>>>>>>> other\n", "2:1", "keep one side"),
        ("---\nname: Oda\n---\n\nShe keeps the light.\n", "3:1", "between the two '---' lines"),
        ("name: Oda\n---\nmood: x\n", "2:1", "remove the line '---'"),
        ("```yaml\nname: Oda\n```\n", "1:1", "remove the lines with ```"),
        ("<!DOCTYPE html>\n<html>\n", "1:1", "web page"),
    ],
)  # fmt: skip
def test_what_yaml_cannot_read_comes_with_advice(tmp_path, text, place, advice):
    """What people really paste and save: the place is where to look, the advice says what to do."""
    corpus.entity(tmp_path, "character/oda", text)

    (problem,) = load_library(tmp_path).problems

    assert ("invalid-yaml", f"characters/oda/imagery.yaml:{place}") == (problem.code, str(problem.place))
    assert advice in problem.advice


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("scenes:\n\u00a0\u00a0- id: a\n".encode(), "2:1: error: the line begins with U+00A0 (no-break space)"),
        ("scenes:\n\u3000- id: a\n".encode(), "2:1: error: the line begins with U+3000 (ideographic space)"),
        ("scenes:\n  \u2013 id: a\n".encode(), "2:3: error: the line begins with U+2013 (en dash); write '- '"),
        ("name: Oda\n".encode("utf-16"), "the file is UTF-16; save it as UTF-8"),
        (rb"{\rtf1\ansi name: Oda}", "the file is rich text (RTF); save it as plain text"),
    ],
)
def test_what_only_looks_like_yaml_is_an_error(tmp_path, data, words):
    """What YAML would read as other keys, or not at all, is said by its name."""
    corpus.put(tmp_path, "characters/oda/imagery.yaml", data)

    (problem,) = load_library(tmp_path).problems

    assert words in str(problem)
    assert "entity skipped" == problem.effect


@pytest.mark.parametrize("start", ["\ufeff", ""])
def test_a_byte_order_mark_is_no_matter(tmp_path, start):
    """What some editors put before the text changes nothing."""
    assert [] == list(one(tmp_path, start + corpus.NEWCOMER).problems)


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("description: Owner of house #7, red coat\n", "1:29", "'#7, red coat' is a YAML comment, the text ends"),
        ("description: Owner of house # 7, red coat\n", "1:29", "'# 7, red coat' is a YAML comment"),
        ("description: Owner of\n  house #7\n", "2:9", "'#7' is a YAML comment"),
        (corpus.scene(id="a", prompt="#x"), "3:13", "nothing is left of the text"),
        (corpus.scene(id="a", prompt="!Look out"), "3:13", "'!Look' at its beginning is a YAML tag"),
        (corpus.scene(id="a", prompt="&c Tom"), "3:13", "'&c' at its beginning is a YAML anchor"),
        ("traits:\n  - coat #3\n", "2:10", "'#3' is a YAML comment"),
        ("traits:\n  - #red coat\n", "2:5", "nothing is left"),
        ("zones: {hall: door #2\n  }\n", "1:20", "'#2' is a YAML comment"),
        ("appearance: Tall #1 of his kind\nslug: oda\n", "1:18", "'#1 of his kind' is a YAML comment"),
    ],
)
def test_texts_that_yaml_cuts_are_warned_of(tmp_path, text, place, words):
    """A text that says less than stands on its line comes with a warning, its line, and what to do."""
    library = one(tmp_path, text)

    (lost,) = [problem for problem in library.problems if problem.code == "lost-text"]
    assert f"characters/oda/imagery.yaml:{place}" == str(lost.place)
    assert words in lost.message
    assert "put the text in quotes" == lost.advice


@pytest.mark.parametrize(
    "text",
    [
        "# banner\nname: Oda  # a remark\n",
        "name: Oda # a remark\n",
        "name: Oda #\n",
        "name: Oda ####\n",
        "# ───── #1 ─────\nname: Oda\n",
        "  # indented #2\nname: Oda\n",
        'name: "Oda #7"\n',
        "name: 'Oda #7' #remark\n",
        "name: Oda#7\n",
        "description: |\n  House #7.\n  # no comment\n",
        "description: >\n  House #7.\n",
        "schema: 1 #first\nkind: character #x\n",
        "defaults: {weight: high} #x\n",
        "scenes: # the pictures\n  - {id: a, prompt: x} #1\n",
        "description: &d A keeper.\nscenes: [{id: a, prompt: *d}]\n",
        "name: !!str Oda\n",
        "name: Oda!\n",
        "generated_images: [] #kept\n",
        "name: # none yet\n",
    ],
)
def test_remarks_are_no_lost_texts(tmp_path, text):
    """Comments, quoted texts and blocks are what they are meant to be."""
    assert [] == [problem.code for problem in one(tmp_path, text).problems]


def test_no_example_loses_a_text(tmp_path):
    """The libraries that come with chargen, and every shape of file, are free of such warnings."""
    roots = [path for path in sorted((schema.ROOT / "examples").iterdir()) if path.is_dir()]

    found = [load_library(root) for root in (*roots, corpus.whole(tmp_path))]

    assert roots
    assert [] == [str(problem) for library in found for problem in library.problems if problem.code == "lost-text"]


def test_a_title_is_a_name(tmp_path):
    """What others call title is name here, and said so."""
    corpus.entity(tmp_path, "chapter/ch1", "title: First Light\n" + corpus.scene(id="a", prompt="x"))

    (problem,) = load_library(tmp_path).problems

    assert "did you mean 'name'?" == problem.advice
