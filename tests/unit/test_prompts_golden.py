"""Whole prompts, word for word: a change of the shipped rules shows here."""

from __future__ import annotations

from test_prompts import NELL, full_scene, prompt, scene

from chargen.library.model import Depicted
from chargen.prompts.composer import PlaceInfo, SentReference

ART = """\
An illustrated storybook for grown-ups, made with care by one hand. Painterly illustration in gouache and ink: \
visible brushwork, matte finish, confident edges at the focus and lost edges elsewhere, detail gathered where the \
story is. Light comes from a source that could be pointed at and models the forms. A limited palette, values planned \
first, one accent that earns its place. One clear focus, foreground, middle and distance kept apart, room to breathe."""
BASE = """\
captions, speech bubbles and watermarks; signatures and picture frames; photographic or 3D-rendered look; extra \
fingers or limbs; the same face on different people; present-day objects and clothing; the colours"""

SMALL = f"""\
Nell Harrow: yellow oilskin, one silver earring. A ferrywoman of fifty with a broken nose. She laughs with her whole \
face.

Nell poles the ferry through reeds.

A picture of a person, who carries it; the surroundings tell of them.
{ART}
Colours of this world: slate blue, warm sand, weathered teal, lamp gold.

Avoid: {BASE} neon green, hot pink."""

FULL = f"""\
Image 1: Nell Harrow. Keep this person's identity: the same face, age, build, hair and distinguishing marks. Take \
pose, expression, light and framing from the text, and clothing where the text says that it differs.
Make one new picture as described below; the images above only say what things look like.

Nell Harrow (Image 1): yellow oilskin, one silver earring. A ferrywoman of fifty with a broken nose. She laughs with \
her whole face.
Also in the picture: two anglers.
Clearly visible: the ferry bell.

Nell poles the ferry through reeds.
Herons take off.
Pose: leaning on the pole.
Nell Harrow in this moment, over anything said above: soaked to the knees.
Setting: a tidal creek.
Place: The Fens, reed creek. Flat water to the horizon.
Reed creek: Reeds stand higher than a man.
The moment in the story: She hears the bell.

What the eye goes to first: a single white feather.
Composition: Low angle. Reeds frame the boat.
Time and weather: dusk, drizzle.

Light: primary source: the western sky; quality: diffused.
Main colours: olive, pewter.
Accents: oilskin yellow.

Mood: ominous (heavy darks, something half hidden at the edge, light that does not reach the ground).
The tide turns early.
Style: Wet brush.
A picture of a person, who carries it; the surroundings tell of them.
{ART}
What the picture is about: The river keeps accounts.

Avoid: motor boats; {BASE} crimson, neon green, hot pink."""


def test_a_small_scene() -> None:
    """A line of text and a character without portrait."""
    result = prompt(scene(characters=(Depicted("nell"),)), [NELL])

    assert SMALL == result.text


def test_a_full_scene() -> None:
    """Everything a scene can say, with a portrait sent."""
    from dataclasses import replace

    result = prompt(
        full_scene(),
        [replace(NELL, portrait_sent=True)],
        [SentReference("character", "Nell Harrow", "character/nell")],
        PlaceInfo("The Fens", "Flat water to the horizon."),
    )

    assert FULL == result.text
