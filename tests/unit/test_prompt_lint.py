"""The linter of prompts: nothing on sound libraries in all dialects, and everything that is planted."""

from __future__ import annotations

import dataclasses
import sys

import pytest
from test_prompts import BRAM, PLAIN, PORTRAIT, RULES, full_scene, prompt, scene

from chargen.base.schemas import ROOT
from chargen.library.model import Depicted
from chargen.planning.prompt_findings import by_code
from chargen.prompts.lint import MEANINGS, lint

sys.path.insert(0, str(ROOT))

LONG = " ".join(f"The ferry passes post number {number} of the long mole." for number in range(80))


def codes(wanted, composed, rules=RULES):
    return {found.code for found in lint(rules, wanted, composed)}


def altered(wanted, *more, **changes):
    """The prompt of *wanted* with other words than it was composed of."""
    made = prompt(wanted)
    return dataclasses.replace(made, text="\n\n".join((made.text, *more)), **changes)


def test_a_sound_prompt_has_no_finding():
    """A full scene and a nearly empty one."""
    assert set() == codes(full_scene(), prompt(full_scene(), [], [PORTRAIT]))
    assert set() == codes(scene(), prompt(scene()))


@pytest.mark.parametrize(
    ("code", "more"),
    [
        ("over-limit", LONG),
        ("leaked-key", "Light: color_temperature warm; atmospheric: haze."),
        ("doubled", "Herons take off over the water. Herons take off over the water."),
        ("contradiction", "Also without: the ferry bell."),
        ("many-negatives", "Also without: a1, a2, a3, a4, a5, a6, a7."),
        ("many-negatives", "Also without: cars, Cars."),
        ("no-identity", "Nell (Image 9) waves."),
        ("not-visible", "Her voice carries."),
    ],
)
def test_what_is_planted_is_found(code, more):
    """Each kind, in a prompt that is sound otherwise."""
    assert code in codes(full_scene(), altered(full_scene(), more))


def test_what_is_missing_is_found():
    """No medium, no light, no framing, nobody's looks, and a moment that comes late."""
    bare = scene(characters=(Depicted("old-tom"),))
    made = prompt(bare)
    stripped = dataclasses.replace(made, text="x " * 200 + "Nell poles the ferry through reeds.", medium="")

    assert {"no-style", "no-light", "no-view", "no-identity", "late-moment"} <= codes(bare, stripped)


def test_two_media_and_faces_in_hands_are_found():
    """A woodcut in gouache, and a face where only hands are seen."""
    woodcut = scene(prompt="A woodcut of the ferry.")
    hands = scene(prompt="Only the hands are seen.")
    of_hands = prompt(hands, [BRAM])

    assert "style-twice" in codes(woodcut, dataclasses.replace(prompt(woodcut), medium="Gouache."))
    asked = dataclasses.replace(of_hands, text=f"{of_hands.text}\n\nEach is recognisable.")
    assert "contradiction" in codes(hands, asked)


def test_a_long_prompt_is_warned_of():
    """Above what is read well, below what is never sent."""
    words = LONG[: RULES.budget.warn]

    assert "long-prompt" in codes(full_scene(), altered(full_scene(), words))


def test_without_a_look_no_style_is_no_finding():
    """That a library says no medium is said once, not for each scene."""
    assert "no-style" not in codes(scene(), prompt(scene(), rules=PLAIN), PLAIN)


def test_every_kind_has_its_meaning():
    """What is found is explained."""
    assert all(MEANINGS.values())


@pytest.mark.parametrize("library", ["example", "story", "manga"])
def test_sound_libraries_have_no_finding(tmp_path, library):
    """The example, a made-up library in all dialects, and one of neon-haired hackers in black and white: every prompt
    names medium, light and framing, its moment begins early, it fits, and no word of the example is in it."""
    import yaml

    from benchmarks.support import prompt_measures as measures
    from benchmarks.support.story_library import SMALL, write_manga_library, write_story_library
    from chargen.operations.generate.plan import make_plan
    from chargen.records.settings import DEFAULT_CONFIG, settings

    root = ROOT / "examples" / "saltmere" if library == "example" else tmp_path / "story"
    if library == "story":
        write_story_library(root, 1, SMALL, faults=False)
    elif library == "manga":
        write_manga_library(root, 1)
    config = yaml.safe_load(DEFAULT_CONFIG.read_text("utf-8")) | {"library": str(root), "adopt_existing": False}
    own = [path.read_text("utf-8") for path in root.rglob("*.yaml")]
    tasks = make_plan(settings(config, tmp_path), scope=["all"]).tasks
    found = by_code(tasks)

    assert tasks
    # The manga library has people that nobody wrote, as real ones do.
    assert {} == {code: scenes for code, scenes in found.items() if (library, code) != ("manga", "no-identity")}
    for task in tasks:
        assert measures.has_light(task.prompt), task.prompt
        assert measures.has_composition(task.prompt), task.prompt
        assert measures.has_medium(task.prompt), task.prompt
        assert len(task.prompt) <= 4000
        assert library == "example" or [] == measures.foreign_words(task.prompt, own)
