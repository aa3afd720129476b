"""Identity of wishes, tasks and batches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargen.base.durable import canonical
from chargen.library.slugs import folder_fault, id_fault
from chargen.records.identity import Wish, batch_id, display_name, split_key, task_key

slugs = st.from_regex(r"[a-z0-9][a-z0-9.-]{0,12}", fullmatch=True)
folders = st.text(min_size=1, max_size=12).filter(lambda name: not folder_fault(name))
scenes = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,12}", fullmatch=True).filter(lambda name: not id_fault(name))
values = st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5)
shapes = st.dictionaries(st.text(max_size=5), values | st.lists(values, max_size=3), max_size=4)


def test_a_wish_is_the_same_everywhere_and_changes_with_each_of_its_parts():
    """The id is a constant of its content: a change of it would order every picture again."""
    wish = Wish("generate", "character/oda/lamp", 1, "sha256:0123456789abcdef")

    assert "b0f1f37e20e58112" == wish.id
    others = {
        wish.id,
        Wish("generate", "character/oda/lamp", 2, "sha256:0123456789abcdef").id,
        Wish("generate", "character/oda/lamp", 1, "sha256:0123456789abcdee").id,
        Wish("generate", "character/oda/lamp", 1, "sha256:0123456789abcdef", order=1).id,
        Wish("generate", "character/oda/lamp", 1, "sha256:0123456789abcdef", rejections=1).id,
        Wish("enhance", "character/oda/lamp", 1, "sha256:0123456789abcdef").id,
    }
    assert 6 == len(others)


@given(folders, scenes, st.integers(1, 40))
def test_task_keys_name_target_and_variation(entity, scene, variation):
    """A key can be taken apart again, whatever entity and scene are called."""
    target = f"character/{entity}/{scene}"
    key = task_key(target, variation, {"prompt": "x"})

    assert (target, variation) == split_key(key)


@given(st.tuples(folders, scenes, st.integers(1, 3), shapes), st.tuples(folders, scenes, st.integers(1, 3), shapes))
def test_different_tasks_have_different_keys(one, other):
    """Two keys are equal only if target, variation and everything that shapes the result are; order tells nothing."""

    def key(entity, scene, variation, shape):
        return task_key(f"character/{entity}/{scene}", variation, shape)

    backwards = dict(reversed(one[3].items()))

    assert (one[:3] == other[:3] and canonical(one[3]) == canonical(other[3])) == (key(*one) == key(*other))
    assert key(*one) == key(*one[:3], backwards)


def test_task_key_covers_everything_that_shapes_the_result():
    """Another prompt, model, reference or order of references is another key."""
    base = {"prompt": "a", "model": "m", "references": [["character", "1"], ["style", "2"]]}
    keys = {
        task_key("character/a/b", 1, base),
        task_key("character/a/b", 1, base | {"prompt": "b"}),
        task_key("character/a/b", 1, base | {"model": "n"}),
        task_key("character/a/b", 1, base | {"references": base["references"][::-1]}),
        task_key("character/a/b", 1, base | {"references": [["style", "1"], ["style", "2"]]}),
    }

    assert 5 == len(keys)


def test_no_task_key():
    """What another tool put into a job is not taken for one of ours."""
    with pytest.raises(ValueError, match="not a task key"):
        split_key("request_1")


@given(st.lists(st.tuples(slugs, slugs, st.integers(1, 3)), min_size=1, max_size=8, unique=True), st.randoms())
def test_batch_id_depends_on_content_and_not_on_order(tasks, random):
    """The same tasks make the same batch on every machine."""
    shuffled = tasks[:]
    random.shuffle(shuffled)

    assert batch_id(tasks) == batch_id(shuffled)
    assert batch_id(tasks) != batch_id([*tasks, ("more", "than", 1)])


def test_display_name_carries_library_and_batch():
    """It is how a job is found again on the server."""
    assert "chargen-saltmere-0123456789abcdef" == display_name("saltmere", "0123456789abcdef")
