"""Reviews: what somebody thinks of a picture decides what is wanted, what is said next time, and what is sent along."""

from __future__ import annotations

import hashlib
import json

import pytest
from review_world import ReviewWorld

from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.library.references import ReferenceIndex
from chargen.operations.generate.plan import make_plan

ODA = """\
# a comment that stays
name: Oda
description: A keeper.
scenes:
- {id: lamp, prompt: Oda trims the lamp., variations: 2}
- {id: rope, prompt: Oda buys rope., references: [lamp]}
"""


@pytest.fixture
def world(tmp_path):
    world = ReviewWorld(tmp_path, ODA)
    world.record("lamp", 1, "lamp.png")
    world.record("lamp", 2, "lamp_c2.png")
    world.record("rope", 1, "rope.png")
    return world


def statuses(world):
    return {(r.scene, r.variation): r.status for r in world.read().records}


def test_approving_appends_a_record_and_nothing_else(world):
    """The old bytes stay, the section is added once, and saying the same again adds nothing."""
    before = (world.entity / "imagery.yaml").read_bytes()
    said = world.review(approve=["character/oda/lamp"])
    after = (world.entity / "imagery.yaml").read_bytes()
    again = world.review(approve="character/oda/lamp:1 character/oda/lamp:2")

    assert after.startswith(before)
    assert {("lamp", 1): "approved", ("lamp", 2): "approved", ("rope", 1): "generated"} == statuses(world)
    assert "2 approved" in said
    assert "nothing new" in again
    assert after == (world.entity / "imagery.yaml").read_bytes()


def test_rejected_is_wanted_once_with_its_note(world):
    """A rejection wishes for one more picture, says why in its prompt, and has another task key than the first."""
    key = {task.wish.target: task.key for task in make_plan(world.settings()).tasks}
    world.review(reject=["character/oda/rope"], note="The rope is blue")
    (task,) = world.plan().tasks

    assert {} == key
    assert ("character/oda/rope", 1) == (task.wish.target, task.wish.rejections)
    assert "Different from the picture before: The rope is blue." in task.prompt


def test_review_is_of_a_content(world):
    """A new picture under the same name is not touched by what was said of the old one, and is in place."""
    world.review(reject=["character/oda/rope"])
    (task,) = world.plan().tasks
    world.record("rope", 1, "rope.png", task_key=task.key)

    assert ["rejected", "generated"] == [r.status for r in world.read().records if r.scene == "rope"]
    assert [] == world.plan().tasks
    assert task.key not in {item.item.record.task_key for item in world.plan().stale}


def test_last_review_wins(world):
    """A later review of the same picture replaces an earlier one, also one written by hand."""
    world.review(reject=["character/oda/rope"], note="too dark")
    world.review(approve=["character/oda/rope"])

    assert ("approved", "") == next((r.status, r.note) for r in world.read().records if r.scene == "rope")
    assert [] == world.plan().tasks


def test_approved_is_never_stale(world):
    """The records above have a key of another day: all stale, but for what is approved."""
    world.review(approve=["character/oda/lamp:1"])

    assert {("lamp", 2), ("rope", 1)} == {(s.item.scene.id, s.item.variation) for s in world.plan().stale}


def test_picked_is_the_reference(world):
    """Of several variations the picked one is sent along, before an approved one; a later pick takes its place."""

    def sent():
        library = world.plan().library
        (scene,) = [s for s in library.entities["character/oda"].scenes if s.id == "rope"]
        references, _ = ReferenceIndex(library, provider="emulator").for_scene(scene)
        return references[0].candidates[0].path.rsplit("/", 1)[1]

    world.review(approve=["character/oda/lamp:1"])
    approved = sent()
    world.review(pick=["character/oda/lamp:2"])
    picked = sent()
    world.review(pick=["character/oda/lamp:1"])

    assert ["lamp.png", "lamp_c2.png", "lamp.png"] == [approved, picked, sent()]
    assert [True, False] == [r.picked for r in world.read().records if r.scene == "lamp"]


def test_rejected_adopted_picture_is_wanted(world):
    """A picture from before chargen that is rejected no longer counts, and the next prompt says why; one that takes its
    name later counts.
    """
    text = (world.entity / "imagery.yaml").read_text()
    (world.entity / "imagery.yaml").write_text(text.replace("scenes:\n", "scenes:\n- {id: pier, prompt: The pier.}\n"))
    (world.entity / "images" / "pier.png").write_bytes(b"old")
    adopted = world.plan().tasks
    world.review(reject=["character/oda/pier"], note="It is noon")
    (task,) = world.plan().tasks
    (world.entity / "images" / "pier.png").write_bytes(b"another")

    assert [] == adopted
    assert "character/oda/pier" == task.wish.target
    assert "Different from the picture before: It is noon." in task.prompt
    assert [] == world.plan().tasks


def test_file_of_reviews(world):
    """A file's reviews count where the picture is still the one that was looked at; the rest is said."""
    sha = hashlib.sha256((world.entity / "images" / "lamp.png").read_bytes()).hexdigest()
    reviews = [
        {"target": "character/oda/lamp", "status": "approved", "sha256": sha},
        {"target": "character/oda/rope", "status": "rejected", "sha256": "0" * 64},
        {"target": "character/oda/none", "status": "approved"},
    ]
    (world.home / "r.json").write_text(json.dumps({"schema_version": 1, "reviews": reviews}))
    said = world.review(reviews="r.json")

    assert [] == schema.errors("reviews", {"schema_version": 1, "reviews": reviews})
    assert "character/oda/rope:1 has another picture now" in said
    assert "character/oda/none:1 has no picture" in said
    assert {("lamp", 1): "approved", ("lamp", 2): "generated", ("rope", 1): "generated"} == statuses(world)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "name pictures"),
        ({"approve": ["character/ida/*"]}, "matches no picture"),
        ({"pick": ["character/oda/lamp"]}, "matches several pictures"),
        ({"approve": ["character/oda/rope"], "reject": ["character/oda/*"]}, "two different verdicts"),
    ],
)
def test_mistakes_are_named(world, asked, words):
    """What fits nothing, or says two things, is an error in words, and nothing is recorded."""
    before = (world.entity / "imagery.yaml").read_bytes()
    with pytest.raises(ChargenError, match=words):
        world.review(**asked)

    assert before == (world.entity / "imagery.yaml").read_bytes()


def test_a_glob_picks_one_picture_of_each_scene(world):
    """A glob that names two variations of a scene is refused in words; one that names a variation picks it."""
    before = (world.entity / "imagery.yaml").read_bytes()
    with pytest.raises(
        ChargenError, match=r"matches several pictures: character/oda/lamp:1, character/oda/lamp:2; nothing"
    ):
        world.review(pick=["character/oda/*"])

    assert before == (world.entity / "imagery.yaml").read_bytes()
    assert "1 picked" in world.review(pick=["character/oda/la*:2"])
