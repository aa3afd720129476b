"""Tests of how somebody looks in which scene of a chapter."""

from __future__ import annotations

import pytest

from chargen.library.states import scene_number, state_in

LINES = """\
SCENE 03: cap lost, hair wet
  and one boot gone
SCENES 04-06 (Vigil): wrapped in a blanket
After the storm: calm
Throughout: rope burn on both palms
"""


@pytest.mark.parametrize(
    ("variations", "number", "expected"),
    [
        (LINES, 3, "cap lost, hair wet and one boot gone; rope burn on both palms"),
        (LINES, 5, "wrapped in a blanket; rope burn on both palms"),
        (LINES, 9, "rope burn on both palms"),
        ("- SCENE 03: oilskin buttoned wrong - SCENE 05: asleep", 5, "asleep"),
        ("- SCENE 03: oilskin buttoned wrong - SCENE 05: asleep", 3, "oilskin buttoned wrong"),
        ("SCENES 1, 3 and 5 - tired — THROUGHOUT: limping", 3, "tired; limping"),
        ("SCENE 07-03: soaked", 3, "soaked"),
        ("Before the fire: proud. After: broken.", 1, ""),
        ("", 1, ""),
    ],
)
def test_block_of_scene(variations, number, expected):
    """The scene's own block counts, then what holds throughout; other labels do not."""
    assert expected == state_in(variations, number)


@pytest.mark.parametrize(("scene_id", "expected"), [("scn-07-03", 3), ("scn-07-12b", 12), ("prologue", -1), ("", -1)])
def test_scene_number(scene_id, expected):
    """The last number of a scene's id is its number in the chapter."""
    assert expected == scene_number(scene_id)
