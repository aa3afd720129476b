"""The composer's rules, one by one, with the rules files that ship with chargen."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargen.base.errors import Place
from chargen.library.model import Depicted, Entity, Palette, Scene
from chargen.prompts.composer import Around, CastMember, Finding, Learned, PlaceInfo, Prompt, SentReference, compose
from chargen.prompts.rules import Rules, WeightRule, load_rules
from chargen.prompts.text import sentence_ends, summary
from chargen.records.library_settings import read_library_settings

ROOT = Path(__file__).resolve().parents[2]
LOOK = read_library_settings(ROOT / "examples" / "saltmere", None, ROOT).look
RULES = load_rules(ROOT / "config" / "prompts.yaml", ROOT / "config" / "styles.yaml", LOOK)
SECTIONS = ("references", "must show", "subject", "composition", "light and colour", "style", "avoid")

NELL = CastMember(
    "nell",
    "Nell Harrow",
    "A ferrywoman of fifty with a broken nose. She laughs with her whole face.",
    ("yellow oilskin", "one silver earring"),
    "",
    False,
)


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
    return compose(rules, wanted, Around(owner or entity(), cast, references, place, learned))


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
        "style": ("wet brush",),
        "theme": ("The river keeps accounts.",),
    }
    return scene(**(values | fields))


def test_sections_stand_in_their_order() -> None:
    """A scene that says everything has all seven sections, in the order of the file."""
    result = prompt(full_scene(), [NELL], [SentReference("character", "Nell Harrow", "character/nell")])

    assert SECTIONS == tuple(name for name, _ in result.sections)


def test_section_lengths_add_up_to_the_text() -> None:
    """The reported lengths and the empty lines between sections are the whole text."""
    result = prompt(full_scene(), [NELL])

    assert len(result.text) == sum(size for _, size in result.sections) + 2 * (len(result.sections) - 1)


def test_a_section_without_text_is_left_out() -> None:
    """The smallest scene has no empty sections."""
    result = prompt(scene())

    assert ("subject", "style", "avoid") == tuple(name for name, _ in result.sections)


def test_references_are_numbered_with_the_instruction_of_their_role() -> None:
    """Each picture sent has its line, in the order of the request."""
    sent = [
        SentReference("character", "Nell Harrow", "character/nell"),
        SentReference("location", "Reed Creek", "location/reed-creek"),
        SentReference("style", "images/etching.png", "images/etching.png"),
    ]

    lines = section(prompt(scene(), [NELL], sent), "references").splitlines()

    assert lines[0].startswith("Image 1: Nell Harrow. Keep this person's identity: the same face")
    assert lines[1].startswith("Image 2: Reed Creek. Keep this place recognisable")
    assert lines[2].startswith("Image 3: an example of the style.")


def test_people_are_told_apart_when_two_portraits_go_along() -> None:
    """Two portraits bring the sentence that keeps faces apart, one does not."""
    sent = [SentReference("character", name, f"character/{name}") for name in ("nell", "ivo")]

    assert "different people" in section(prompt(scene(), [NELL], sent), "references")
    assert "different people" not in section(prompt(scene(), [NELL], sent[:1]), "references")


def test_without_portrait_the_whole_description_is_told() -> None:
    """Somebody whose portrait is not sent is described in full, with name and traits."""
    long = dataclasses.replace(NELL, description="She is tall. " * 60)

    printed = section(prompt(scene(), [long]), "must show")

    assert f"Nell Harrow: yellow oilskin, one silver earring. {long.description.strip()}" == printed


def test_with_portrait_the_description_is_shortened_at_a_sentence() -> None:
    """Name and traits stay whole; the description keeps whole sentences of at most 300 characters."""
    long = dataclasses.replace(NELL, description="She is tall. " * 60, portrait_sent=True)

    printed = section(prompt(scene(), [long], [SentReference("character", "Nell", "character/nell")]), "must show")

    assert "Nell Harrow (Image 1): yellow oilskin, one silver earring. " + ("She is tall. " * 23).strip() == printed


def test_states_are_told_from_cast_or_scene() -> None:
    """A cast member's state comes from the member, else from the scene's own word."""
    wanted = scene(characters=(Depicted("nell", "asleep"),))

    assert "Nell Harrow in this moment, over anything said above: asleep." in prompt(wanted, [NELL]).text
    assert "over anything said above: furious." in prompt(wanted, [dataclasses.replace(NELL, state="furious")]).text


def test_people_in_words_and_unknown_slugs_are_told() -> None:
    """Depicted people who are no known characters are named all the same."""
    wanted = scene(characters=(Depicted(text="two anglers"), Depicted("old-bram", "with a lantern")))

    result = prompt(wanted)

    assert "Old Bram: in the picture." in section(result, "must show")
    assert "Also in the picture: two anglers." in section(result, "must show")
    assert "Old Bram in this moment, over anything said above: with a lantern." in section(result, "subject")


def test_texts_that_the_author_prompt_holds_are_not_repeated() -> None:
    """Containment is judged on words: case, punctuation and line breaks make no difference."""
    wanted = scene(
        prompt="At dusk, Nell poles\n  the ferry - leaning on the pole.",
        description="nell poles the FERRY",
        pose="Leaning on the pole",
        setting="a tidal creek",
    )

    printed = section(prompt(wanted), "subject")

    assert "At dusk, Nell poles\nthe ferry - leaning on the pole.\nSetting: a tidal creek." == printed


def test_part_of_a_word_is_not_contained() -> None:
    """A word is not said by a longer one that holds its letters."""
    assert "Setting: art." in prompt(scene(prompt="A cart.", setting="art")).text


def test_the_order_of_the_subject() -> None:
    """Author prompt, action, pose, states, setting, place, zone, story moment."""
    printed = section(prompt(full_scene(), [NELL], place=PlaceInfo("The Fens", "Flat water.")), "subject")

    assert [
        "Nell poles the ferry through reeds.",
        "Herons take off.",
        "Pose: leaning on the pole.",
        "Nell Harrow in this moment, over anything said above: soaked to the knees.",
        "Setting: a tidal creek.",
        "Place: The Fens, reed creek. Flat water.",
        "Reed creek: Reeds stand higher than a man.",
        "The moment in the story: She hears the bell.",
    ] == printed.splitlines()


def test_a_location_is_its_own_place() -> None:
    """A location's scene tells the location's name and description, its traits are to be seen."""
    owner = entity("location", description="A row of stilt houses.", traits=("crooked chimneys",))

    result = prompt(scene(), owner=owner)

    assert "Place: Nell Harrow. A row of stilt houses." in section(result, "subject")
    assert section(result, "must show").endswith("wherever the view allows: crooked chimneys.")


def test_elements_are_listed_once() -> None:
    """What scene and entity both want to be seen is said once."""
    owner = entity("location", traits=("Crooked Chimneys", "a ladder"))

    printed = section(prompt(scene(must_include=("crooked chimneys",)), owner=owner), "must show")

    assert [
        "Clearly visible: crooked chimneys.",
        "Always part of this place, to be seen wherever the view allows: a ladder.",
    ] == printed.splitlines()


@pytest.mark.parametrize("written", ["ominous", "Ominous", " OMINOUS "])
def test_known_moods_bring_their_phrases(written: str) -> None:
    """A mood of the table is said with its phrases, however it is written."""
    assert "light that does not reach the ground" in section(prompt(scene(mood=written)), "style")


def test_unknown_moods_pass_as_plain_words() -> None:
    """A mood that the table does not know is said as written, keys as words."""
    assert "Mood: brine soaked glee." in section(prompt(scene(mood="brine_soaked-glee")), "style")


@pytest.mark.parametrize(
    "mood",
    [
        *("intimate", "ominous", "somber", "triumphant", "tense", "hopeful", "melancholic", "serene"),
        *("contemplative", "mysterious", "desperate", "defiant", "chaotic", "joyful", "tender", "playful"),
    ],
)
def test_common_moods_have_an_entry(mood: str) -> None:
    """The moods that libraries use most are in the table that ships."""
    assert RULES.styles.moods[mood]


def test_moods_in_words_keep_their_dashes() -> None:
    """Only a key is turned into words; what an author wrote as words stays as it is."""
    assert "Mood: half-hearted cheer." in section(prompt(scene(mood="half-hearted cheer")), "style")


def test_a_zone_of_another_entity_is_told() -> None:
    """What the location says of the zone counts where the scene's own file says nothing of it."""
    place = PlaceInfo("The Fens", "Flat water.", "Reeds as high as a house.")

    assert "Reed creek: Reeds as high as a house." in prompt(scene(zone="reed-creek"), place=place).text
    assert "Reed creek: Mown." in prompt(scene(zone="reed-creek", zone_text="Mown."), place=place).text


def test_a_chapter_tells_what_it_is_about() -> None:
    """A chapter's description is the theme of its pictures, once."""
    owner = entity("chapter", description="Rivers keep accounts.")

    printed = section(prompt(scene(theme=("Rivers keep accounts.",)), owner=owner), "style")

    assert printed.endswith("What the picture is about: Rivers keep accounts.")
    assert 1 == printed.count("Rivers")


def test_negatives_are_one_paragraph_without_repeats() -> None:
    """Scene, palette and base negatives make one paragraph; repeats differ in case or a leading "no" only."""
    wanted = scene(avoid=("Motor boats", "no motor boats", "Captions, speech bubbles and watermarks."))

    printed = section(prompt(wanted), "avoid")

    assert "\n" not in printed
    assert printed.startswith("Avoid: Motor boats; Captions, speech bubbles and watermarks; signatures")
    assert 1 == printed.lower().count("motor boats")
    assert 1 == printed.lower().count("watermarks")


def test_colours_to_avoid_are_named_as_colours() -> None:
    """Palette colours to avoid are negatives; a forbidden colour that the scene paints with is none."""
    wanted = scene(palette=Palette(("hot pink",), (), ("crimson",)))

    printed = section(prompt(wanted), "avoid")

    assert printed.endswith("the colours crimson, neon green.")


@pytest.mark.parametrize("ban", ["no magic", "magic", "No Magic!"])
def test_blanket_bans_become_milder(ban: str) -> None:
    """A ban that would break the world is replaced by what the table says."""
    printed = section(prompt(scene(avoid=(ban,))), "avoid")

    assert printed.startswith("Avoid: showy spell effects; glowing runes in the air; captions")
    assert "magic" not in printed.lower()


def test_learned_traits_and_style_join_what_the_library_says() -> None:
    """Findings about a person join the traits, those about style the style section, known ones once."""
    learned = Learned(
        traits=(
            Finding("freckled hands", ("images/a.png", "images/b.png"), "character/nell"),
            Finding("Yellow oilskin", ("images/a.png", "images/b.png"), "character/nell"),
            Finding("red beard", ("images/c.png", "images/d.png"), "character/ivo"),
        ),
        style=(Finding("dry brush", ("images/a.png", "images/b.png")),),
    )

    result = prompt(scene(), [NELL], learned=learned)

    assert "Nell Harrow: yellow oilskin, one silver earring, freckled hands." in section(result, "must show")
    assert "dry brush" in section(result, "style")
    assert "red beard" not in result.text


def test_theme_is_said_last_of_the_style() -> None:
    """Essence and thesis close the section that is trimmed first."""
    printed = section(prompt(full_scene()), "style")

    assert printed.endswith("What the picture is about: The river keeps accounts.")


def test_equal_input_gives_equal_text() -> None:
    """Composing again, also with rules loaded afresh, gives the same bytes."""
    again = load_rules(ROOT / "config" / ".." / "config" / "prompts.yaml", ROOT / "config" / "styles.yaml", LOOK)

    assert prompt(full_scene(), [NELL]) == prompt(full_scene(), [NELL], rules=again)


def test_braces_in_author_texts_stay_text() -> None:
    """What looks like a template in a scene's text is never run."""
    assert "{{ scene.id }} {% raw %}." in prompt(scene(prompt="{{ scene.id }} {% raw %}")).text


def long_scene(**fields: Any) -> Scene:
    """A scene whose trimmable sections take more than a low weight allows."""
    many = tuple(f"Line {number} of the grey water runs on and on to the east." for number in range(30))
    return full_scene(composition=many, style=many, mood_reason=" ".join(many), weight="low", **fields)


def test_trimming_begins_with_style_then_light_then_composition() -> None:
    """Style goes before light and light before composition; the rest stays whole."""
    whole = prompt(dataclasses.replace(long_scene(), weight="critical"), [NELL])

    result = prompt(long_scene(), [NELL])

    assert len(result.text) <= 3000
    assert [item.split(":")[0] for item in result.cut] == ["style"]
    for name in ("must show", "subject", "composition", "light and colour", "avoid"):
        assert section(whole, name) == section(result, name)


def test_a_section_is_cut_after_a_sentence() -> None:
    """What is left of a trimmed section is a beginning of it that ends with a sentence."""
    before = section(prompt(dataclasses.replace(long_scene(), weight="critical"), [NELL]), "style")

    after = section(prompt(long_scene(), [NELL]), "style")

    assert before.startswith(after)
    assert len(after) in sentence_ends(before)


def test_what_is_never_cut_stays_and_warns() -> None:
    """Author prompt, people and negatives stay whole even where they alone are too long, with a warning."""
    words = "The tide comes in over the flats. " * 120

    result = prompt(full_scene(prompt=words, weight="low"), [NELL])

    assert words.strip() in result.text
    assert ("must show", "subject", "avoid") == tuple(name for name, _ in result.sections)
    assert 1 == len(result.warnings)
    assert "weight 'low'" in result.warnings[0]


def with_weight(weight: Any, rule: WeightRule) -> Rules:
    """The rules with another rule for one weight."""
    styles = dataclasses.replace(RULES.styles, weights={**RULES.styles.weights, weight: rule})
    return dataclasses.replace(RULES, styles=styles)


_TEXT = st.text(st.characters(codec="utf-8"), max_size=900)
_WORDS = st.lists(st.sampled_from(["Salt wind. ", " Hm ", " a, b ", "St. Ives is far ", "\n", "“Go!” "]), max_size=60)
_PROSE = st.one_of(_TEXT, _WORDS.map(" ".join))


@settings(max_examples=60, deadline=None)
@given(_PROSE, _PROSE, _PROSE, _PROSE, st.sampled_from(["low", "medium", "high", "critical"]))
def test_trimming_property(author: str, framing: str, light: str, style: str, weight: Any) -> None:
    """Whatever the texts: it fits or warns, kept sections are whole, trimmed ones are beginnings."""
    many = 4
    wanted = scene(
        prompt=author,
        composition=(framing,) * many,
        lighting=(("note", light), ("quality", light)),
        mood_reason=style * many,
        style=(style, framing + style),
        weight=weight,
    )
    roomy = dataclasses.replace(RULES.styles, weights={weight: type(RULES.styles.weights["low"])(10**9, "")})
    limit = RULES.styles.weights[weight].max_chars
    phrase = RULES.styles.weights[weight].phrase
    plain = dataclasses.replace(RULES.styles, weights={weight: type(RULES.styles.weights["low"])(limit, "")})
    assert isinstance(phrase, str)

    whole = prompt(wanted, [NELL], rules=dataclasses.replace(RULES, styles=roomy))
    result = prompt(wanted, [NELL], rules=dataclasses.replace(RULES, styles=plain))

    assert len(result.text) <= limit or result.warnings
    assert bool(result.cut) == (len(whole.text) > limit and result.text != whole.text)
    for name in ("must show", "subject", "avoid"):
        assert section(whole, name) == section(result, name)
    for name in ("composition", "light and colour", "style"):
        assert section(whole, name).startswith(section(result, name))
    if section(result, "style"):
        assert section(whole, "light and colour") == section(result, "light and colour")
        assert section(whole, "composition") == section(result, "composition")


def test_summary_fits_and_breaks_between_words() -> None:
    """A listing shows one line of the given width."""
    assert "Nell poles the…" == summary("Nell poles\n the ferry", 16)
    assert "Nell poles the ferry" == summary("Nell poles\n the ferry", 20)
    assert "…" == summary("Nell", 1)


@given(st.text(max_size=60), st.integers(1, 40))
def test_summary_property(text: str, width: int) -> None:
    """Never longer than asked for, never more than one line."""
    line = summary(text, width)

    assert len(line) <= width
    assert len(line.splitlines()) <= 1
