"""The composer's rules, one by one, with the rules files that ship with chargen."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargen.base.errors import Place
from chargen.library.model import Depicted, Entity, Palette, Scene
from chargen.prompts.composer import Around, CastMember, Finding, Learned, PlaceInfo, Prompt, SentReference, compose
from chargen.prompts.fitting import Budget, Part, fit
from chargen.prompts.lint import lint
from chargen.prompts.rules import Rules, load_rules
from chargen.prompts.text import summary
from chargen.records.library_settings import read_library_settings

ROOT = Path(__file__).resolve().parents[2]
LOOK = read_library_settings(ROOT / "examples" / "saltmere", None, ROOT).look
RULES = load_rules(ROOT / "config" / "prompts.yaml", ROOT / "config" / "styles.yaml", LOOK)
PLAIN = load_rules(ROOT / "config" / "prompts.yaml", ROOT / "config" / "styles.yaml")
SECTIONS = (
    "task and look", "moment", "people", "place", "framing", "light and colour", "mood and finish", "use of images",
    "keep out",
)  # fmt: skip

NELL = CastMember(
    "nell",
    "Nell Harrow",
    "A ferrywoman of fifty with a broken nose. She laughs with her whole face.",
    ("yellow oilskin", "one silver earring"),
    "",
    False,
)
BRAM = CastMember("bram", "Bram Tolley", "A miller.", ("a straw hat", "flour on his sleeves"), "", False)
PORTRAIT = SentReference("character", "Nell Harrow", "character/nell")


def scene(**fields: Any) -> Scene:
    values: dict[str, Any] = {
        "entity": "character/nell",
        "id": "crossing",
        "place": Place("characters/nell/imagery.yaml"),
        "spec": {},
        "prompt": "Nell poles the ferry through reeds.",
    }
    return Scene(**(values | fields))


def entity(kind: Any = "character", **fields: Any) -> Entity:
    return Entity(kind, "nell", Path("nell"), "Nell Harrow", **fields)


def prompt(
    wanted: Scene,
    cast: Sequence[CastMember] = (),
    references: Sequence[SentReference] = (),
    place: PlaceInfo | None = None,
    learned: Learned | None = None,
    owner: Entity | None = None,
    rules: Rules = RULES,
) -> Prompt:
    return compose(rules, wanted, Around(owner or entity(), cast, references, place, learned, (), "16:9"))


def section(result: Prompt, name: str) -> str:
    """The text of one section of *result*."""
    start = 0
    for found, length in result.sections:
        if found == name:
            return result.text[start : start + length]
        start += length + 2
    return ""


def full_scene(**fields: Any) -> Scene:
    values: dict[str, Any] = {
        "description": "Herons take off.",
        "pose": "leaning on the pole",
        "setting": "a tidal creek",
        "zone_text": "Reeds stand higher than a man.",
        "beat": "She hears the bell.",
        "mood": "ominous",
        "mood_reason": "The tide turns early.",
        "composition": ("low angle", "reeds frame the boat"),
        "hook": "a single white feather",
        "time_of_day": "dusk",
        "weather": "drizzle",
        "lighting": (("primary_source", "the western sky"), ("quality", "diffused")),
        "palette": Palette(("olive", "pewter"), ("oilskin yellow",), ("crimson",)),
        "must_include": ("the ferry bell",),
        "avoid": ("motor boats",),
        "characters": (Depicted("nell", "soaked to the knees"), Depicted(text="two anglers")),
        "zone": "reed-creek",
        "theme": ("The river keeps accounts.",),
    }
    return scene(**(values | fields))


def test_sections_stand_in_their_order() -> None:
    """A scene that says everything has every section, in the order of the file, and their lengths add up."""
    result = prompt(full_scene(), [NELL], [PORTRAIT])

    assert SECTIONS == tuple(name for name, _ in result.sections)
    assert len(result.text) == sum(length for _, length in result.sections) + 2 * (len(SECTIONS) - 1)


def test_the_moment_begins_early() -> None:
    """Task and medium take one line each; then come the author's words."""
    assert prompt(full_scene(), [NELL], [PORTRAIT]).text.index("Nell poles the ferry") < 250


def test_labels_name_what_each_picture_shows() -> None:
    """They stand before the pictures; the prompt names people with the numbers."""
    references = [
        PORTRAIT,
        SentReference("location", "the Fens", "location/fens"),
        SentReference("style", "wash.png", "style/wash.png"),
    ]
    result = prompt(scene(characters=(Depicted("nell"),)), [dataclasses.replace(NELL, portrait_sent=True)], references)

    assert (
        "Image 1: Nell Harrow, a person.",
        "Image 2: the Fens, a place.",
        "Image 3: an example of the style.",
    ) == result.labels
    assert "Nell Harrow (Image 1)" in section(result, "people")
    assert 3 == len(section(result, "use of images").splitlines())


def test_one_sentence_for_each_role_not_for_each_picture() -> None:
    """Two portraits are spoken of once, and told apart."""
    references = [PORTRAIT, SentReference("character", "Bram Tolley", "character/bram")]
    used = section(prompt(scene(), [NELL, BRAM], references), "use of images")

    assert 1 == used.count("From a person's image")
    assert "different people, each seen once" in used


def test_people_come_from_left_to_right_as_the_author_names_them() -> None:
    """The first-named is the first in the list; where the author says left or right, nothing is added."""
    told = section(prompt(scene(prompt="Bram waves at Nell."), [NELL, BRAM]), "people")
    own = section(prompt(scene(prompt="Bram waves at Nell, on his left."), [NELL, BRAM]), "people")

    assert told.startswith("In the picture, from left to right: Bram Tolley, Nell Harrow.")
    assert own.startswith("In the picture: Bram Tolley, Nell Harrow.")


def test_with_a_portrait_features_are_enough() -> None:
    """Without one, the description goes along."""
    sent = section(prompt(scene(), [dataclasses.replace(NELL, portrait_sent=True)], [PORTRAIT]), "people")
    alone = section(prompt(scene(), [NELL]), "people")

    assert "yellow oilskin, one silver earring" in sent
    assert "broken nose" not in sent
    assert "broken nose" in alone


def test_a_state_takes_back_a_feature() -> None:
    """A hat that is gone is not asked for."""
    told = section(prompt(scene(characters=(Depicted("bram", "the hat gone"),)), [BRAM]), "people")

    assert "Bram Tolley now: the hat gone." in told
    assert "straw hat" not in told
    assert "flour on his sleeves" in told


def test_only_what_can_be_seen_is_said() -> None:
    """No voice, no smell, nothing that is still to be decided."""
    owl = CastMember("owl", "Owl", "Tall and grey. Her voice is low. Hair: TBD.", ("a limp", "scar TBD"), "", False)
    text = prompt(scene(), [owl]).text

    assert "Tall and grey" in text
    assert not {"voice", "TBD"} & set(text.replace(".", " ").split())


def test_hands_only_asks_for_no_face() -> None:
    """Neither the description nor a feature of the face is sent."""
    scarred = dataclasses.replace(NELL, traits=("a scar through the brow", "ink on her fingers"))
    result = prompt(scene(prompt="Only the hands are seen, splicing a rope."), [scarred])

    assert "hands" == result.view
    assert "ink on her fingers" in result.text
    assert "brow" not in result.text
    assert "nose" not in result.text


def test_from_behind_face_features_are_left_out() -> None:
    """What cannot be seen is not asked for; hair and coat stay."""
    result = prompt(
        scene(prompt="Nell from behind, at the pole."), [dataclasses.replace(NELL, traits=("red nose", "oilskin"))]
    )

    assert "backs" == result.view
    assert "red nose" not in result.text
    assert "oilskin" in result.text


def test_unknown_people_and_crowds_are_named() -> None:
    """A slug that nobody knows becomes a name; people in words follow."""
    wanted = scene(characters=(Depicted("old-tom", "asleep"), Depicted(text="two anglers")))
    told = section(prompt(wanted), "people")

    assert "In the picture: Old Tom." in told
    assert "Old Tom now: asleep." in told
    assert "Also there: two anglers." in told


def test_no_sentence_is_said_twice() -> None:
    """Neither a whole text nor one of its sentences."""
    wanted = full_scene(description="Nell poles the ferry through reeds. Herons take off.", beat="Herons take off.")
    text = prompt(wanted).text

    assert 1 == text.count("Nell poles the ferry through reeds")
    assert 1 == text.count("Herons take off")


def test_part_of_a_word_is_not_contained() -> None:
    """ "Reed" is not said by "reeds"."""
    assert "Pose: reed." in prompt(scene(pose="reed")).text


def test_keys_of_the_files_are_not_said() -> None:
    """Light, materials, named colours and cameras are values; a lens and an angle keep what they are."""
    wanted = full_scene(
        lighting=(("primary_source", "a lamp"), ("color_temperature", "warm"), ("atmospheric", "haze")),
        materials=("walls: tarred planks", "roof: slate"),
        palette=Palette(("the gap: plum",)),
        composition=("angle: low", "focus: the feather", "camera: wide"),
    )
    text = prompt(wanted).text

    assert not [
        key
        for key in ("primary", "temperature:", "atmospheric", "walls:", "the gap", "focus:", "camera:")
        if key in text
    ]
    assert all(
        words in text for words in ("Light: a lamp.", "Warm, haze.", "tarred planks, slate", "plum", "Low angle.")
    )


def test_the_authors_own_medium_is_joined_by_none() -> None:
    """A prompt that names woodcut is not called gouache, too."""
    text = prompt(scene(prompt="A woodcut of the ferry.")).text

    assert "gouache" not in text
    assert "brushwork" not in text


def test_a_scenes_style_replaces_the_librarys_medium() -> None:
    """Words that name a medium stand in its place; words that name none stand with the finish."""
    other = prompt(scene(style=("Charcoal drawing on grey paper",))).text
    added = prompt(scene(style=("wide calm washes",))).text

    assert "Charcoal drawing on grey paper." in other
    assert "gouache" not in other
    assert "gouache" in added
    assert "Wide calm washes." in added


def test_light_and_framing_are_always_said() -> None:
    """What the scene does not say the look says; what it says is not said twice."""
    bare = prompt(scene(), rules=PLAIN).text
    own = prompt(full_scene(), rules=PLAIN).text

    assert "One clear main source of light." in bare
    assert "One clear focus, read at a glance." in bare
    assert "main source" not in own
    assert "One clear focus" not in own


@pytest.mark.parametrize("written", ["ominous", "Ominous", " OMINOUS "])
def test_known_moods_bring_their_phrases(written: str) -> None:
    """Whatever their case; what speaks of light gives way to the scene's own light."""
    told = section(prompt(scene(mood=written)), "mood and finish")
    with_light = section(prompt(full_scene(mood=written)), "mood and finish")

    assert "light that does not reach the ground" in told
    assert "light that does not reach the ground" not in with_light


def test_unknown_moods_pass_as_plain_words() -> None:
    """A key in the form of a slug is written as words; words of one's own stay as they are."""
    assert "Mood: half remembered." in prompt(scene(mood="half_remembered")).text
    assert "Mood: quiet - then loud." in prompt(scene(mood="quiet - then loud")).text


def test_negatives_are_few_and_the_scenes_own_come_first() -> None:
    """Six nouns at most, none twice, whatever opens them."""
    own = ["no motor boats", "Motor Boats", "avoid radios", "plastic", "cranes", "phones", "tyres", "drones"]
    told = section(prompt(scene(avoid=tuple(own))), "keep out")

    assert "Also without: motor boats, radios, plastic, cranes, phones, tyres." == told


def test_nothing_is_left_out_that_the_picture_needs() -> None:
    """Neither by the scene's words, nor by a state, nor by its colours."""
    wanted = full_scene(
        avoid=("ferries", "reeds", "knees", "lamps"), palette=Palette(("crimson",), (), ("crimson", "neon green"))
    )
    told = section(prompt(wanted, rules=PLAIN), "keep out")

    assert "Also without: ferries, lamps, neon green, captions and watermarks, extra fingers or limbs." == told


def test_an_empty_place_is_said_as_a_state() -> None:
    """ "No people" becomes what is wanted; where people are in the picture it is dropped."""
    quay = {"entity": "location/quay", "avoid": ("people", "cars")}
    empty = prompt(scene(prompt="The quay at low tide.", **quay), rules=PLAIN)
    peopled = prompt(scene(prompt="Dockers on the quay.", **quay), rules=PLAIN)

    assert section(empty, "keep out").startswith("Deserted, nobody in view.")
    assert "limbs" not in empty.text
    assert "Also without: cars, captions and watermarks, extra fingers or limbs." == section(peopled, "keep out")


def test_lettering_lifts_the_ban_on_text() -> None:
    """A sign with words in quotes needs letters."""
    text = prompt(scene(prompt='A sign reads "Ferry".', avoid=("text", "captions")), rules=PLAIN).text

    assert "captions" not in text


@pytest.mark.parametrize("ban", ["no magic", "magic", "No Magic!"])
def test_blanket_bans_become_milder(ban: str) -> None:
    """A ban that would break the world is said as what is meant."""
    told = section(prompt(scene(avoid=(ban,))), "keep out")

    assert re.match(r"Also without: showy spell effects[,;] glowing runes in the air", told)


def test_learned_traits_and_style_join_what_the_library_says() -> None:
    """What was seen in pictures is added once, and not what the library says already."""
    learned = Learned(
        (Finding("freckles", ("a.png",), "character/nell"), Finding("Yellow oilskin", ("a.png",), "character/nell")),
        (Finding("dry brush", ("a.png",)),),
    )
    text = prompt(scene(), [NELL], learned=learned).text

    assert "yellow oilskin, one silver earring, freckles" in text
    assert "As in the pictures so far: dry brush." in text


def test_equal_input_gives_equal_text() -> None:
    """Rules from the same contents make the same prompt."""
    again = load_rules(ROOT / "config" / ".." / "config" / "prompts.yaml", ROOT / "config" / "styles.yaml", LOOK)

    assert prompt(full_scene(), [NELL]) == prompt(full_scene(), [NELL], rules=again)


def test_braces_in_author_texts_stay_text() -> None:
    """What looks like a template is none."""
    assert "{{ scene.id }} {% if %}" in prompt(scene(prompt="A sign: {{ scene.id }} {% if %}")).text


def test_what_a_long_scene_loses_and_keeps() -> None:
    """Theme and reason go first, the description beside the author's prompt before features; the rest stays."""
    states = tuple(Depicted(f"p{number}", f"state {number}, holding a lantern") for number in range(4))
    long = " ".join(f"Sentence {number} is about nothing in particular." for number in range(60))
    said = " ".join(f"Nell poles the ferry past post {number}." for number in range(20))
    wanted = full_scene(prompt=said, description=long, characters=states)
    result = prompt(wanted, [])
    cut = {item.part for item in result.cuts}

    assert len(result.text) <= 2800
    assert {"description", "theme", "mood reason"} <= cut
    assert "gouache" in result.text
    assert "Clearly visible: the ferry bell." in result.text
    assert all(f"P{number} now: state {number}, holding a lantern." in result.text for number in range(4))


def test_states_are_shortened_only_as_the_very_last_step() -> None:
    """Eight people with long states stay below the most that is sent; each state keeps its first clause."""
    mud = ", ".join(f"with mud on place {number} of the coat" for number in range(16))
    people = tuple(
        Depicted(f"p{number}", f"{number} in a borrowed coat much too wide for the shoulders and wet, {mud}")
        for number in range(8)
    )
    result = prompt(
        full_scene(
            prompt=" ".join(f"They wait {number} hours." for number in range(60)), description="", characters=people
        )
    )

    assert len(result.text) <= 4000
    assert "states" in {item.part for item in result.cuts}
    assert 8 == result.text.count("in a borrowed coat much too wide for the shoulders")
    assert () == tuple(found for found in lint(RULES, full_scene(), result) if found.code == "over-limit")


PARTS = st.lists(st.tuples(st.text("ab .", max_size=120), st.integers(0, 4), st.booleans()), min_size=1, max_size=8)


@given(PARTS, st.integers(50, 300))
def test_fitting_property(parts: list[tuple[str, int, bool]], aim: int) -> None:
    """What is never cut survives whole, what is cut is counted exactly, and equal parts give equal texts."""
    made = [
        (Part(f"p{number}", f"s{number % 3}", "", cut=cut, ours=ours and bool(cut)), text.strip())
        for number, (text, cut, ours) in enumerate(parts)
    ]
    budget = Budget(aim, aim, 10**6, 1.0)
    result = fit(made, {}, budget)
    lost = {item.part: item.characters for item in result.cuts}

    assert result == fit(made, {}, budget)
    assert all(text in result.text for part, text in made if not part.cut)
    assert all(0 < lost[name] <= len({part.name: text for part, text in made}[name]) for name in lost)


@pytest.mark.parametrize(("length", "words"), [(40, "a b"), (3, "a b"), (2, "a…")])
def test_summary_fits_and_breaks_between_words(length: int, words: str) -> None:
    """A line for a table is cut between words."""
    assert words == summary("a b", length)


@given(st.text(max_size=200), st.integers(1, 80))
def test_summary_property(text: str, width: int) -> None:
    """It is never longer than asked, and has no line break."""
    result = summary(text, width)

    assert len(result) <= width
    assert "\n" not in result


@pytest.mark.parametrize(
    ("text", "is_own"),
    [
        ("A woodcut of the ferry.", True),
        ("Watercolour study of the quay.", True),
        ("Loose ink drawing, two figures.", True),
        ("The ferry at dawn, in gouache.", True),
        ("The ferry, manga style.", True),
        ("She holds a photograph of her brother.", False),
        ("A screen of scratched acrylic beside the counter.", False),
        ("An engraving hangs in the photograph's frame.", False),
    ],
)
def test_a_thing_in_the_picture_is_no_medium(text: str, is_own: bool) -> None:
    """A photograph in somebody's hand does not take the library's medium away."""
    assert is_own == ("gouache and ink" not in prompt(scene(prompt=text)).text)
