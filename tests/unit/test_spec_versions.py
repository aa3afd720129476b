"""What an upgrade and a formatter ask for: nothing. Every promise here comes with its price."""

from __future__ import annotations

from dataclasses import replace

import pytest
from planning_world import World

import builders
from chargen.base.errors import ChargenError
from chargen.library.load import load_library
from chargen.library.spec import spec_hashes
from chargen.planning.same_words import SameWords
from chargen.records.identity import Wish
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.screens.order import order

LONG = """
    name: Oda
    scenes:
      - id: lamp
        prompt: |
          Oda trims the lamp,
          and the storm comes in.
"""
WRAPPED = LONG.replace("the lamp,\n          and the storm", "the lamp, and\n          the storm")


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def state_of(world) -> State:
    return State.of(world.settings())


def scene(world):
    return load_library(world.home / "story").entities["character/oda"].scenes[0]


def v1(world) -> str:
    return spec_hashes(scene(world))[1]


def wanted(world) -> tuple[int, float]:
    plan = world.plan()
    return plan.counts().to_make, plan.cost_usd


def rewrap(world) -> None:
    """Break the lines of the prompt elsewhere, as a formatter does."""
    path = world.home / "story" / "characters" / "oda" / "imagery.yaml"
    before = path.read_text()
    path.write_text(before.replace("the lamp,\n      and the storm", "the lamp, and\n      the storm"))
    assert path.read_text() != before


def test_white_space_orders_no_picture(world):
    """Lines that break elsewhere cost 0 USD; another word costs one picture."""
    world.write("characters/oda", LONG)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png")
    rewrap(world)
    after_formatter = wanted(world)
    path = world.home / "story" / "characters" / "oda" / "imagery.yaml"
    path.write_text(path.read_text().replace("storm", "flood"))

    assert (0, 0) == after_formatter
    assert (1, pytest.approx(0.0168, rel=0.1)) == wanted(world)


@pytest.mark.parametrize("text", [LONG, WRAPPED])
def test_both_versions_read_the_words(world, text):
    """White space counts as one space; the hash that 0.1.0 made, letter by letter, is known too (figures of 0.1.0)."""
    world.write("characters/oda", text)
    newest, first = spec_hashes(scene(world))

    assert "sha256:3e2dc2c99f69cd3b" == newest
    assert {LONG: "sha256:30b40610145194bf", WRAPPED: "sha256:2483acf845d15d0e"}[text] == first


def test_a_text_on_one_line_has_the_hash_that_it_always_had(world):
    """Nothing is renamed that need not be: without line breaks there is one hash (figure of 0.1.0)."""
    world.write("characters/oda", LONG.replace("|\n", ">\n"))

    assert ("sha256:3e2dc2c99f69cd3b",) * 2 == spec_hashes(scene(world))


def test_a_picture_of_the_first_version_is_done(world):
    """A record of 0.1.0 counts, under the id that it always had: 0 USD."""
    world.write("characters/oda", LONG)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", spec=v1(world))
    plan = world.plan()

    assert (0, 0.0) == (plan.counts().to_make, plan.cost_usd)
    assert ["done"] == [item.status for item in plan.items]
    assert [v1(world)] == [item.wish.spec_hash for item in plan.items]


def test_a_formatter_after_the_upgrade_orders_nothing(world):
    """Once a run has kept which words a hash of 0.1.0 stands for, they may be wrapped elsewhere: 0 USD, not 0.017."""
    world.write("characters/oda", LONG)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", spec=v1(world))
    before = world.plan()
    to_keep = before.has_words_to_keep
    before.remember()
    rewrap(world)
    plan = world.plan()

    assert to_keep
    assert (0, 0.0) == (plan.counts().to_make, plan.cost_usd)
    assert not plan.has_words_to_keep
    assert 1 == len(state_of(world).spec_hashes.read_text().splitlines())


def test_planning_alone_keeps_nothing(world):
    """A dry run writes no file."""
    world.write("characters/oda", LONG)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", spec=v1(world))
    world.plan()

    assert not state_of(world).spec_hashes.exists()


def sent_before(world) -> Wish:
    """The wish for the scene as 0.1.0 sent it."""
    return Wish("generate", scene(world).target, 1, v1(world))


def test_what_is_in_flight_is_not_sent_again(world):
    """A wish that 0.1.0 sent is on its way, whichever hash is the newest and wherever lines break: 0 USD."""
    world.write("characters/oda", LONG)
    wish = sent_before(world)
    journal = Journal(state_of(world))
    about = {"operation": "generate", "model": "m", "display_name": "chargen-story-b1", "base_url": "u", "key": "k"}
    journal.append(builders.event("intent", "b1", **about, wishes={wish.id: 1}, cost_usd=0, tokens=0, clock={}, pid=1))
    journal.append(builders.event("created", "b1", job="batches/1", adopted=False))
    plan = world.plan()
    flying = [item.status for item in plan.items]
    plan.remember()
    world.write("characters/oda", WRAPPED)
    flying_after_formatter = [item.status for item in world.plan().items]
    journal.append(builders.event("applied", "b1", outcomes={wish.id: ["failed", "SAFETY"]}))

    assert ["in flight"] == flying == flying_after_formatter
    assert ["failed"] == [item.status for item in world.plan().items]


def test_an_order_makes_it_again_once_under_the_known_hash(world):
    """An order for a picture of 0.1.0 prices one picture, and keeps the hash by which it is known."""
    world.write("characters/oda", LONG)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", spec=v1(world))
    order(world.settings(scenes=["character/oda/*"]), state_of(world))
    plan = world.plan()

    assert 1 == plan.counts().to_make
    assert [v1(world)] == [task.wish.spec_hash for task in plan.tasks]


def test_rejections_of_the_first_version_still_count(world):
    """A picture that was rejected under the old hash asks for one more, and its note is heard."""
    world.write("characters/oda", LONG)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", spec=v1(world), status="rejected")
    wishes = [item.wish for item in world.plan().items]

    assert [replace(sent_before(world), rejections=1)] == wishes


def test_a_result_that_comes_after_a_formatter_has_its_place(world):
    """What 0.1.0 sent is not archived as edited because lines broke elsewhere meanwhile."""
    world.write("characters/oda", LONG)
    old = v1(world)
    words = SameWords(state_of(world))
    words.keep([(scene(world), sent_before(world))])
    rewrap(world)

    assert old not in spec_hashes(scene(world))
    assert SameWords(state_of(world)).asks_for(scene(world), old)


def recorded(world, **said) -> None:
    """A picture of the scene whose record says *said*."""
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png")
    path = world.home / "story" / "characters" / "oda" / "imagery.yaml"
    path.write_text(path.read_text() + "".join(f'    {key}: "{value}"\n' for key, value in said.items()))


def standing_of(world) -> tuple[int, int]:
    counts = world.plan().counts()
    return counts.stale, counts.recomposed


@pytest.fixture
def composed_otherwise(monkeypatch):
    """Let the pictures there are be of an earlier composition."""
    monkeypatch.setattr("chargen.planning.staleness.COMPOSER", 1001)


@pytest.fixture
def now(world):
    """What a record of today says of model and shape."""
    world.write("characters/oda", LONG)
    task = world.plan().tasks[0]
    return {
        "model": task.shape.model.name,
        "aspect_ratio": task.shape.aspect_ratio,
        "composer": task.extra.composer,
        "around_hash": task.extra.around_hash,
    }


def test_only_composed_otherwise_is_counted_apart(world, now, composed_otherwise):
    """Another version of the composition alone makes nothing stale."""
    recorded(world, **now)

    assert (0, 1) == standing_of(world)


def test_what_changed_around_it_is_stale(world, now, composed_otherwise):
    """The author changed the description since: out of date, whatever wrote the prompt."""
    recorded(world, **now)
    path = world.home / "story" / "characters" / "oda" / "imagery.yaml"
    path.write_text("description: A keeper in a red coat.\n" + path.read_text())

    assert (1, 0) == standing_of(world)


def test_a_record_of_the_first_version_is_compared_by_what_it_says(world, now, composed_otherwise):
    """Records of 0.1.0 name model, shape and references; as long as these are the same, only the words are others."""
    recorded(world, model=now["model"], aspect_ratio=now["aspect_ratio"])
    same = standing_of(world)
    path = world.home / "story" / "characters" / "oda" / "imagery.yaml"
    path.write_text(path.read_text().replace(now["model"], "gemini-2.0-image"))

    assert ((0, 1), (1, 0)) == (same, standing_of(world))


def test_stale_does_not_order_what_is_only_recomposed(world, now, composed_otherwise):
    """`state=stale` finds nothing; `state=recomposed` orders the picture, for its price, once."""
    recorded(world, **now)
    asked = {"scenes": ["*"], "state": "stale"}
    with pytest.raises(ChargenError, match="nothing that is stale"):
        order(world.settings(**asked), state_of(world))
    said = order(world.settings(**asked | {"state": "recomposed"}), state_of(world))

    assert "1 picture again, about $0.0168" in said
    assert 1 == world.plan().counts().to_make


def test_the_same_composition_has_only_stale_pictures(world, now):
    """Within one version whatever changes the request is something around the scene."""
    recorded(world, **now)

    assert (1, 0) == standing_of(world)
