"""Measures of prompts, each on words in which the fault was put by hand, and on words without it."""

from __future__ import annotations

import pytest

from benchmarks.support import prompt_measures as measures
from benchmarks.support.prompt_measures import Person

GOOD = """\
One single picture filling the frame, wide format. Egg tempera on a rough panel, hatched strokes.

Oda trims the great lamp while a storm builds over the sea. Clearly visible: log book, brass whistle.

Oda Brennick (Image 1): cropped grey hair, patched oilskin coat.

Seen from below, the lamp in the upper third. Light from the lamp alone, warm, with deep shadows.

Image 1 shows a person: take the face from it; take pose and light from the text.

Deserted gallery, calm sea. Also without: lettering, picture frames.
"""
OWN = ("Oda trims the great lamp\n while a storm builds over the sea.",)


def test_a_good_prompt_has_everything() -> None:
    """Medium, light and composition are found, and none of the faults."""
    people = [Person("Oda Brennick", ("cropped grey hair",), True)]

    found = (
        [has(GOOD) for has in (measures.has_style, measures.has_medium, measures.has_light, measures.has_composition)],
        measures.doubled(GOOD) + measures.repeated_negatives(GOOD) + measures.leaked_keys(GOOD, ["quality", "image"]),
        measures.styled_twice(GOOD, OWN),
        measures.foreign_words(GOOD, OWN) + measures.unseen_traits(GOOD) + measures.no_colours(GOOD),
        measures.strangers(GOOD, people) + measures.dangling_images(GOOD, 1),
    )

    assert ([True] * 4, [], False, [], []) == found


@pytest.mark.parametrize(
    "words",
    [
        "A lamp on a table. Avoid: photographic look, gouache, harsh light, wide view.",
        "A table.\nAlso without: brushwork, shadows, foreground clutter.",
        "A table. Image 1: a painting. Take only brushwork, light and framing from Image 1.",
        "A table. Take viewpoint, light and time of day from the text; leave out any people.",
        "The sun-bleached table stands on ink-stained boards.",
    ],
)
def test_bans_and_uses_of_references_say_nothing_of_the_picture(words: str) -> None:
    """What is forbidden, or how to use a picture, is no medium, no light and no composition."""
    words = words.replace("A lamp on", "A cup on")

    assert [False] * 3 == [has(words) for has in (measures.has_medium, measures.has_light, measures.has_composition)]


def test_an_illustration_is_a_style_but_no_medium() -> None:
    """A kind of picture without a technique leaves the technique to the model."""
    words = "Character illustration, the person carries the picture."

    assert (True, False) == (measures.has_style(words), measures.has_medium(words))


def test_the_moment_is_found_across_line_breaks() -> None:
    """The author's first words count, wherever the lines break; without them there is no start."""
    assert GOOD.index("Oda trims") == measures.moment_starts(GOOD, OWN)
    assert measures.moment_starts(GOOD, ["A heron stands between two skies at slack water."]) is None


def test_fixed_wording_is_what_no_text_of_the_library_says() -> None:
    """Runs of three words of a library's text, and whole shorter texts, are the library's own."""
    prompt = "Keep this exactly: Oda trims the great lamp. Colours: slate."

    assert 0 == measures.fixed_share("Oda trims the great lamp, slate.", [*OWN, "slate"])
    assert 1 == measures.fixed_share(prompt, ["a heron between two skies"])
    assert 25 / 47 == pytest.approx(1 - measures.fixed_share(prompt, [*OWN, "slate"]))


def test_a_doubled_sentence_is_found() -> None:
    """Punctuation and case aside; shorter phrases may come back."""
    prompt = "Keep the same face and age. Then a storm.\nkeep the same face, and age!\nThen a storm."

    assert ["keep the same face and age"] == measures.doubled(prompt)


def test_a_doubled_material_is_found() -> None:
    """A material that the place's description says and the list of materials says again."""
    prompt = "A mill. Materials: walls: tarred planks. Materials: tarred planks, pitch, pitch."

    assert ["tarred planks"] == measures.doubled_materials(prompt, ["walls: tarred planks", "pitch"])


@pytest.mark.parametrize(
    ("words", "leaks"),
    [
        ("Light: the lamp; quality: soft; color temperature: warm.", ["color temperature", "quality"]),
        ("Composition: Angle: low. Lens: wide.", ["Angle", "Lens"]),
        ("Her coat_state is wet.", ["coat_state"]),
        ("light: the lamp.", ["light"]),
        ("Light: the lamp. Pose: bent. Oda says: no.", []),
    ],
)
def test_keys_of_the_files_are_found(words: str, leaks: list[str]) -> None:
    """Keys before a colon and names with underscores; a label of a section is none."""
    keys = ["light", "pose", "quality", "color_temperature", "angle", "lens", "composition"]

    assert leaks == measures.leaked_keys(words, keys)


def test_keys_come_from_all_depths_of_the_files() -> None:
    """Keys of lists of mappings are keys too."""
    assert {"a", "b", "c", "d"} == measures.keys_of(["a: {b: 1}\n", "c:\n  - d: x\n", "# nothing\n"])


def test_style_twice_needs_two_media() -> None:
    """The author's own medium beside another one, not beside the same."""
    own = ["Woodcut of a lamp room in heavy snow."]

    assert measures.styled_twice(f"{own[0]} Painterly illustration in gouache.", own)
    assert measures.styled_twice("Oil painting of a ford. Gouache, matte.", ["Oil painting of a ford."])
    assert not measures.styled_twice(f"{own[0]} Woodcut, coarse grain, painterly.", own)
    assert not measures.styled_twice("A lamp room. Painterly illustration in gouache.", ["A lamp room."])


def test_the_example_is_recognised_in_another_library() -> None:
    """Also among the bans; but a hacker whose own hair is neon green may have it."""
    prompt = "Rin jumps. Gouache, slate blue. Avoid: the colours neon green, hot pink."

    assert ["gouache", "slate blue", "hot pink"] == measures.foreign_words(prompt, ["hair dyed Neon Green"])


def test_a_stranger_has_neither_picture_nor_looks() -> None:
    """A name alone does not show anybody."""
    people = [Person("Oda", ("cropped grey hair",), False), Person("Tam", (), True), Person("Bo", ("one ear",), False)]

    assert ["Bo"] == measures.strangers("Oda, cropped grey hair, Tam (Image 1) and Bo.", people)


def test_an_image_that_does_not_go_along_is_found() -> None:
    """Numbers above the number of pictures point nowhere."""
    assert [3] == measures.dangling_images("Oda (Image 1), Tam (Image 3).", 2)


def test_negatives_are_counted_from_their_list() -> None:
    """Semicolons separate where there are any; a sentence of bans without a list is none."""
    prompt = "A quay.\nAvoid: text; boats, new or old; the colours neon green, anything modern; Text."

    assert ["text", "boats, new or old", "the colours neon green, anything modern", "Text"] == measures.negatives(
        prompt
    )
    assert ["text"] == measures.repeated_negatives(prompt)
    assert ["anything modern"] == measures.no_colours(prompt)
    assert ["boats", "smoke"] == measures.contradicting("Avoid: boats, red smoke, smoke.", ["Two boats in the smoke"])


def test_what_cannot_be_seen_is_found() -> None:
    """A voice, or a note to oneself, among the traits."""
    assert ["voice", "TBD"] == measures.unseen_traits("Oda: grey hair, voice low, TBD: coat. Avoid: voice.")


def test_hands_alone_need_no_face() -> None:
    """A detail of hands with the words for an identity is a contradiction."""
    own = ["Only the hands of Oda, holding a key."]

    assert measures.asks_for_faces(f"{own[0]} In the picture, each recognisable: Oda.", own)
    assert not measures.asks_for_faces(own[0], own)
    assert not measures.asks_for_faces("Oda, recognisable.", ["Oda holds a key."])


def test_an_inherited_view_is_found() -> None:
    """A camera that only the overview asked for."""
    prompt = "A kitchen. Composition: Angle: high, from the opposite slope."

    assert ["angle: high, from the opposite slope"] == measures.inherited_views(
        prompt, ["angle: high, from the opposite slope", "low"]
    )
