"""Made-up scenes that touch every value a template is given; rules are tried on them when they are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from chargen.base.errors import Place
from chargen.library.model import Depicted, Entity, Kind, Palette, Scene
from chargen.prompts.composer import Around, CastMember, Finding, Learned, PlaceInfo, SentReference

_PLACE = Place("probe")


def probes() -> Iterator[tuple[Scene, Around]]:
    """Full scenes and nearly empty ones, with what is around them, as `composer.compose` takes them."""
    for kind in ("character", "location", "chapter"):
        yield _full(kind)
        yield _bare(kind)


def _bare(kind: Kind) -> tuple[Scene, Around]:
    scene = Scene(entity=f"{kind}/ada", id="bare", place=_PLACE, spec={}, prompt="A loaf.")
    return scene, Around(Entity(kind, "ada", Path("ada"), "Ada"))


def _full(kind: Kind) -> tuple[Scene, Around]:
    scene = Scene(
        entity=f"{kind}/ada",
        id="full",
        place=_PLACE,
        spec={},
        title="Bread",
        prompt="Ada bakes.",
        description="Flour flies.",
        pose="bent forward",
        setting="a bakery",
        zone_text="The oven glows.",
        beat="The last loaf.",
        mood="intimate",
        mood_reason="It is late.",
        composition=("close",),
        hook="one spark",
        time_of_day="night",
        weather="rain",
        season="autumn",
        lighting=(("primary_source", "the oven"),),
        palette=Palette(("brown",), ("orange",), ("green",)),
        must_include=("peel",),
        avoid=("cake",),
        materials=("brick",),
        characters=(Depicted("ada"), Depicted("bo", "asleep"), Depicted(text="two apprentices")),
        location="bakery",
        zone="oven-room",
        style=("ink",),
        theme=("Bread is patience.",),
        image_type="zone",
    )
    entity = Entity(kind, "ada", Path("ada"), "Ada", description="A baker.", traits=("red scarf",))
    cast = (
        CastMember("ada", "Ada", "A baker.", ("red scarf",), "floury", True),
        CastMember("bo", "Bo", "A cat.", ("one ear",), "", False),
    )
    references = (
        SentReference("character", "Ada", "character/ada"),
        SentReference("location", "the bakery", "location/bakery"),
        SentReference("scene", "the scene before", "character/mira/before"),
        SentReference("other", "a loaf", "images/loaf.png"),
        SentReference("style", "a painting", "images/style.png"),
    )
    learned = Learned((Finding("freckles", ("a.png",), "character/ada"),), (Finding("dry brush", ("a.png",)),))
    place = PlaceInfo("The bakery", "Brick vaults.")
    return scene, Around(entity, cast, references, place, learned, ("too dark",))
