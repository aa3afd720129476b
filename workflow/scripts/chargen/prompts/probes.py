"""Made-up scenes that touch every value a template is given; rules are tried on them when they are loaded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chargen.base.errors import Place
from chargen.library.model import Depicted, Entity, Kind, Palette, Scene
from chargen.library.scene import SCENE_FIELDS
from chargen.library.scene_field import SceneField, Type
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


def _sample(item: SceneField) -> Any:
    """Something that the field may say, and no other field does: what was said before is not said again."""
    samples: dict[Type, Any] = {
        "texts": (f"{item.name} in brick", f"{item.name} in ink"),
        "light": (("primary_source", "the oven"),),
        "palette": Palette(("brown",), ("orange",), ("green",)),
        "people": (Depicted("ada"), Depicted("bo", "asleep"), Depicted(text="two apprentices")),
    }
    return samples.get(item.type, f"{item.name} of bread")


def _full(kind: Kind) -> tuple[Scene, Around]:
    said = {name: _sample(item) for name, item in SCENE_FIELDS.items() if item.said_in}
    said |= {"mood": "intimate", "image_type": "zone", "weight": "high"}
    scene = Scene(entity=f"{kind}/ada", id="full", place=_PLACE, spec={}, title="Bread", location="bakery", **said)
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
    return scene, Around(entity, cast, references, place, learned, ("too dark",), "16:9")
