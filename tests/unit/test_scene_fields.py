"""A field of a scene is one declaration and its words in a template; what is forgotten fails here."""

from __future__ import annotations

import ast
import dataclasses
import re
from collections import Counter
from pathlib import Path
from typing import Any

import library_corpus as corpus
import pytest

from chargen.base.errors import Place
from chargen.base.schemas import ROOT
from chargen.library.load import load_library
from chargen.library.model import Depicted, Entity, Palette, Scene
from chargen.library.scene import SCENE_FIELDS
from chargen.library.scene_field import SceneField
from chargen.library.spec import spec_hash
from chargen.prompts.composer import Around, PlaceInfo, Prompt, compose
from chargen.prompts.rules import load_rules

RULES = load_rules(ROOT / "config" / "prompts.yaml", ROOT / "config" / "styles.yaml")
SCENE = ROOT / "workflow" / "scripts" / "chargen" / "library" / "scene.py"
MARK = "a quincunx of lanterns"
OF_THE_REQUEST = {"location", "aspect_ratio", "image_size", "model", "revision", "references"}
"""Fields that shape the picture and are no words: where it is, its form, what goes along."""
LENGTH_ONLY = {"weight"}
"""What changes a prompt and is not hashed on purpose: how long it may be."""
NOT_AN_AUTHORS = {"zone_text", "beat", "theme"}
"""Fields around a scene: they make pictures stale, not wanted."""
WRITTEN = {
    "number": "3", "weight": "high", "yes or no": "true", "ratio": "3:4", "size": "2K", "palette": "{avoid: [red]}",
    "texts": "[calm]", "references": "[calm]", "people": "[calm sailors]",
}  # fmt: skip


def value_of(item: SceneField) -> Any:
    """A value of the field that is seen where it is said."""
    values = {
        "texts": (MARK,),
        "light": (("light", MARK),),
        "palette": Palette(dominant=(MARK,)),
        "people": (Depicted(text=MARK),),
        "weight": "critical",
    }
    return "hero" if item.name == "image_type" else values.get(item.type, MARK)


def composed(**fields: Any) -> Prompt:
    """The prompt of a scene that says a prompt and *fields*."""
    scene = Scene(entity="character/ada", id="a", place=Place("f"), spec={}, **{"prompt": "Ada bakes.", **fields})
    entity = Entity("character", "ada", Path("ada"), "Ada")
    return compose(RULES, scene, Around(entity, place=PlaceInfo("The bakery", "Brick vaults.")))


def changed_sections(item: SceneField) -> set[str]:
    """The sections of the prompt that are others once the field says something."""
    bare, full = dict(composed().sections), dict(composed(**{item.name: value_of(item)}).sections)
    return {name for name in {*bare, *full} if bare.get(name) != full.get(name)}


@pytest.mark.parametrize("item", [item for item in SCENE_FIELDS.values() if item.said_in], ids=lambda item: item.name)
def test_each_field_is_said_where_it_is_declared(item: SceneField) -> None:
    """A declared field without a template would be paid for without its words."""
    section = f"section {item.said_in!r} of config/prompts.yaml"
    assert item.said_in in changed_sections(item), f"{item.name}: {section} does not say it: add its words there"


def test_no_field_is_declared_twice() -> None:
    """A second declaration would replace the first without a message, with the keys of older files that it reads."""
    (scene,) = (node for node in ast.parse(SCENE.read_text("utf-8")).body if getattr(node, "name", "") == "Scene")
    declared = Counter(ast.unparse(node.target) for node in scene.body if isinstance(node, ast.AnnAssign))
    twice = [name for name, times in declared.items() if times > 1]

    assert set(SCENE_FIELDS) <= set(declared)
    assert [] == twice, f"library/scene.py: {twice} declared twice: keep the first declaration, and take another name"


def test_what_no_template_says_shapes_the_request_in_another_way() -> None:
    """`said_in` is not forgotten: what shapes the picture without words is known by name."""
    silent = {item.name for item in SCENE_FIELDS.values() if not item.said_in and not item.unhashed}

    assert OF_THE_REQUEST == silent, (
        f"{sorted(OF_THE_REQUEST ^ silent)}: give said_in=, the section of config/prompts.yaml that says the field; "
        "one that shapes the request without words is listed in OF_THE_REQUEST"
    )


@pytest.mark.parametrize("name", [name for name in SCENE_FIELDS if name not in ("id", "variations", "skip")])
def test_what_changes_a_prompt_is_hashed(name: str) -> None:
    """An author's word that changes the prompt makes the picture wanted again; with the old hash, the old picture would
    stay."""
    item = SCENE_FIELDS[name]
    counts = not item.unhashed or name in LENGTH_ONLY | NOT_AN_AUTHORS

    changes = bool(changed_sections(item))
    assert changes == (counts and name not in OF_THE_REQUEST), (
        f"{name}: it changes the prompt and is not hashed: remove unhashed="
        if changes
        else f"{name}: no section of config/prompts.yaml says it: add its words to the one that said_in= names"
    )


def test_templates_name_declared_fields_alone() -> None:
    """A field that a template names and nobody declared is in no file and in no hash."""
    named = set(re.findall(r"\bscene\.([a-z_]+)", (ROOT / "config" / "prompts.yaml").read_text("utf-8")))

    unknown = sorted(named - set(SCENE_FIELDS))
    assert [] == unknown, f"config/prompts.yaml names scene.{unknown}: declare it in class Scene of library/scene.py"


def test_every_field_of_a_scene_is_declared() -> None:
    """What is not declared is in no schema, on no page and in no hash."""
    bare = {item.name for item in dataclasses.fields(Scene)} - set(SCENE_FIELDS)
    known = {"entity", "place", "spec", "spec_v1"}
    assert known == bare, f"{sorted(bare ^ known)}: declare it with text(), texts() or scene_field()"


def read_scene(folder: Path, **fields: str) -> Scene:
    """The scene that a character's file with *fields* asks for."""
    corpus.entity(folder, "character/oda", corpus.scene(**{"id": "a", "prompt": "x", **fields}))
    library = load_library(folder)
    assert not library.problems
    return library.entities["character/oda"].scenes[0]


@pytest.mark.parametrize("item", [item for item in SCENE_FIELDS.values() if item.ours], ids=lambda item: item.name)
def test_a_declared_field_is_read_and_hashed(tmp_path: Path, item: SceneField) -> None:
    """What an author writes arrives in the scene, and counts for the hash exactly if it is declared to."""
    bare = read_scene(tmp_path / "bare")
    full = read_scene(tmp_path / "full", **{item.name: WRITTEN.get(item.type, "calm")})

    assert getattr(bare, item.name) != getattr(full, item.name), f"{item.name}: what an author writes is not read"
    assert (spec_hash(bare) != spec_hash(full)) == (not item.unhashed), f"{item.name}: the hash and unhashed= disagree"
