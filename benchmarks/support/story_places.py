"""A made-up location in any of the six dialects."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.support.story_parts import BANS, MEDIA, MOODS, RATIOS, Data, lighting, palette, shares, slug_of
from benchmarks.support.story_words import Voice, World


@dataclass
class Place:
    """A location as chapters know it."""

    slug: str
    name: str
    zones: list[str] = field(default_factory=list)


class LocationAuthor:
    """Writes the file of one location in one of the six dialects."""

    def __init__(self, voice: Voice, world: World, place: Place, dialect: int, people: Sequence[str], *, faults: bool):
        self._sizes = ("1792x1024", "1792x1024", "1024x768" if faults else "1792x1008")
        self._voice = voice
        self._world = world
        self._place = place
        self._dialect = dialect
        self._people = people

    def file(self, zones: int, beats: int, images: int) -> Data:
        """The whole file."""
        voice, dialect = self._voice, self._dialect
        named = {"slug": self._place.slug, "name": self._place.name}
        if dialect != 1:
            named = {f"location_{key}": text for key, text in named.items()}
        essence = {"narrative_soul": voice.text(400, 1200), "one_line_essence": voice.text(40, 140)}
        defaults: Data = {"default_aspect_ratio" if dialect == 4 else "aspect_ratio": "16:9", "provider": "elsewhere"}
        if dialect in (2, 4):
            defaults["negative_prompts"] = ", ".join(voice.some(BANS, 4, 8))
        general = {**essence, "generation_defaults": defaults}
        data: Data = {"metadata": {**named, **(general if dialect == 1 else {}), "zones_count": zones + 1}}
        if dialect == 3:
            data["metadata"]["zones_defined"] = zones
        data |= {} if dialect == 1 else general
        data["location_visual_anchor"] = self._anchor()
        data["overview"] = self._overview()
        names = self._zone_names(zones)
        self._place.zones = [self._zone_slug(name) for name in names]
        counts = shares(images, zones) if images else [0] * zones
        data["zones"] = [self._zone(name, count) for name, count in zip(names, counts, strict=True)]
        if dialect != 1:
            data["beat_images"] = [self._beat(number) for number in range(beats)]
        return data

    def _anchor(self) -> Data:
        voice, world = self._voice, self._world
        materials: Any = {f"{part}": f"{voice.one(world.adjectives)} {voice.one(world.materials)}"
                          for part in voice.some(("walls", "floor", "roof", "primary", "fittings"), 2, 5)}  # fmt: skip
        colours: Any = {"dominant": voice.some(world.colours, 2, 4), "accent": voice.one(world.colours),
                        "avoid": [*voice.some(world.colours, 1, 2), "anything modern"]}  # fmt: skip
        light: Any = {
            "primary": voice.one(world.lamps),
            "quality": "soft and even",
            "atmospheric": voice.one(world.air),
        }
        if self._dialect in (3, 5):
            materials = {part: voice.some(world.materials, 1, 3) for part in ("structure", "surfaces", "details")}
            light = {"dawn": f"{voice.one(world.lamps)}", "night": voice.one(world.lamps)}
        if self._dialect == 1:
            materials = voice.some(world.materials, 2, 4)
        if self._dialect == 4:
            colours = {"old brick": voice.one(world.colours), "the mended half": voice.one(world.colours)}
        if self._dialect == 6:
            colours = voice.some(world.colours, 3, 4)
        return {
            "signature_elements": [f"{voice.thing()} {voice.one(world.wheres)}" for _ in range(voice.number(4, 10))],
            "materials": materials,
            "color_anchors": colours,
            "characteristic_light": light,
        }

    def _overview(self) -> Data:
        voice, dialect = self._voice, self._dialect
        whole: Data = {
            "image_type": "establishing",
            "camera": {"angle": "high, from the opposite slope", "lens": "wide"},
            "time_of_day": voice.one(("dawn", "late afternoon", "night")),
            "key_elements": [voice.thing() for _ in range(3)],
            "lighting": lighting(self._voice),
            "palette": palette(self._voice),
        }
        if dialect in (1, 3):
            prompt = {"prompt_used": self._prompt(), "negative_prompt": ", ".join(voice.some(BANS, 3, 7))}
            return {"slug": f"{self._place.slug}-overview", "description": voice.text(150, 500), **whole, **prompt}
        if dialect == 2:
            part = {"narrative_context": voice.text(150, 400), "prompt_used": self._prompt()}
            return {"establishing": {"slug": f"{self._place.slug}-establishing", **part, **whole}}
        if dialect == 4:
            return {"description": voice.text(200, 500), "prompt_template": self._prompt(), **whole}
        if dialect == 5:
            return {"description": voice.text(200, 600), **whole}
        second = {"image_type": "mood", "description": voice.text(150, 350), "mood": voice.one(MOODS)}
        return {"primary": {"description": voice.text(200, 500), **whole}, "secondary": second, "notes": "two views"}

    def _zone_names(self, count: int) -> list[str]:
        base = self._world.zones
        names = [base[n % len(base)] + ("" if n < len(base) else f" {n // len(base) + 1}") for n in range(count)]
        if self._dialect in (2, 6) and count > 2:
            names[2] = "overview"  # a zone may be called so beside an overview in parts
        return names

    def _zone_slug(self, name: str) -> str:
        return slug_of(name) if self._dialect != 2 or name == "overview" else f"{self._place.slug}-{slug_of(name)}"

    def _zone(self, name: str, images: int) -> Data:
        voice, dialect = self._voice, self._dialect
        slug, title = self._zone_slug(name), name.title()
        if dialect == 4:
            return self._zone_of_images(slug, title, images)
        mood = "scene_mood" if dialect in (1, 2) else "mood"
        common: Data = {"zone_type": "works", mood: voice.one(MOODS), "lighting": lighting(self._voice),
                        "palette": palette(self._voice)}  # fmt: skip
        if voice.chance(0.3):
            common["time_of_day"] = voice.one(("before dawn", "noon", "dusk, rain coming", "night"))
        if voice.chance(0.3):
            common["references"] = [{"source": "notes/places.md", "anchor": slug}]
        if dialect >= 5:
            key = "zone_id" if dialect == 5 else "slug"
            zone = {key: slug, "zone_name" if dialect == 5 else "name": title, "description": voice.text(120, 700),
                    "key_elements": [voice.thing() for _ in range(voice.number(3, 7))], **common}  # fmt: skip
            if dialect == 5 and voice.chance(0.17):
                zone["camera"] = {"angle": "low", "lens": "normal", "focus": voice.thing()}
            if voice.chance(0.25):
                zone["character_interaction"] = self._anonymous()
            return zone
        bans = voice.some(BANS, 3, 9)
        asked = {"prompt_used": self._prompt(), "negative_prompt": ", ".join(bans), "aspect_ratio": "16:9",
                 "orientation": "landscape", "size": voice.one(self._sizes)}  # fmt: skip
        zone = {"slug": slug, "name": title, "image_type": voice.one(("zone", "zone", "detail", "inhabited")), **common}
        if dialect == 1:
            return zone | asked | {
                "visual_description": voice.text(200, 800),
                "required_elements": [voice.thing() for _ in range(voice.number(3, 6))],
                "composition_notes": f"Seen from the door, the {voice.thing()} in the left third.",
                "mood_rationale": voice.one(self._world.feelings),
                "narrative_significance": voice.text(60, 200),
                "symbolic_elements": [voice.thing()],
            }  # fmt: skip
        return zone | asked | {"narrative_context": voice.text(200, 700)}

    def _zone_of_images(self, slug: str, title: str, images: int) -> Data:
        voice = self._voice
        return {
            "zone_slug": slug,
            "zone_name": title,
            "narrative_role": voice.text(80, 300),
            "time_of_day": "after dark",
            "weather": voice.one(self._world.air),
            "default_prompt_elements": {
                "must_include": [voice.thing() for _ in range(3)],
                "must_avoid": ["people", *voice.some(BANS, 2, 5)],
            },
            "zone_visual_anchor": {
                "defining_features": [voice.thing() for _ in range(3)],
                "materials": voice.some(self._world.materials, 1, 3),
                "color_signature": voice.one(self._world.colours),
                "light_character": voice.one(self._world.lamps),
            },
            "images": [self._zone_image(number) for number in range(images)],
        }

    def _zone_image(self, number: int) -> Data:
        voice = self._voice
        image: Data = {
            "image_slug": f"view-{number + 1}",
            "image_type": voice.one(("zone", "detail", "perspective", "essence")),
            "prompt": self._prompt(),
            "lighting": lighting(self._voice),
            "technical": {"aspect_ratio": voice.one(RATIOS)},
        }
        if voice.chance(0.15):
            image["depicts_characters"] = [
                {"slug": slug_of(voice.one(self._people)), "role": "the one who pays"},
                {"generic_count": 3, "description": f"carriers, {voice.one(self._world.states)}"},
            ]
        return image

    def _beat(self, number: int) -> Data:
        voice, dialect = self._voice, self._dialect
        zone, who = voice.one(self._place.zones), voice.some(self._people, 1, 3)
        slug, title = f"{self._place.slug}-beat-{number + 1}", f"{voice.thing()}".title()
        told = f"{voice.act(who[0])} {voice.text(120, 400)}"
        common: Data = {"chapter_ref": f"ch{number + 1:02d}", "emotional_beat": voice.one(self._world.feelings)}
        if dialect == 4:
            spec = {"prompt": f"{voice.act(who[0])} {self._prompt()}", "lighting": lighting(self._voice),
                    "palette": palette(self._voice), "character_refs": list(map(slug_of, who))}  # fmt: skip
            return {"beat_slug": slug, "beat_title": title, "zone": f"{self._place.slug}/{zone}",
                    "narrative_context": told, "image_spec": spec, **common}  # fmt: skip
        common |= {"zone_ref": zone, "lighting": lighting(self._voice), "palette": palette(self._voice)}
        if dialect in (2, 3):
            return {"slug": slug, "name": title, "image_type": "beat", "narrative_context": told,
                    "prompt_used": f"{voice.act(who[0])} {self._prompt()}", "mood": voice.one(MOODS),
                    "negative_prompt": ", ".join(voice.some(BANS, 3, 8)), "aspect_ratio": voice.one(RATIOS),
                    "characters_present": [*map(slug_of, who), "two carriers in aprons"], **common}  # fmt: skip
        if dialect == 5:
            portraits = [
                {"slug": name, "portrait": f"characters/{name}/images/{name}-portrait.jpg"}
                for name in (slug_of(name) for name in who if name in self._people[:5])
            ]
            return {"beat_id": slug, "beat_name": title, "description": told, "mood": voice.one(MOODS),
                    "composition": {"focus": voice.thing(), "depth": "three planes"},
                    "key_elements": [voice.thing() for _ in range(2)], "characters_present": list(map(slug_of, who)),
                    "character_portrait_refs": portraits,
                    "character_states": {slug_of(who[0]): voice.one(self._world.states)}, **common}  # fmt: skip
        return {"slug": slug, "title": title, "description": told, "scene_mood": voice.one(MOODS),
                "composition_notes": "Across the table, cut at the waist.", "framing": "medium close view",
                "key_visual_elements": [voice.thing() for _ in range(3)], "characters_present": list(map(slug_of, who)),
                **common}  # fmt: skip

    def _prompt(self) -> str:
        voice = self._voice
        medium = f"{voice.one(MEDIA)} of {self._place.name}: " if voice.chance(0.08) else ""
        return medium + voice.text(190, 960 - len(medium))

    def _anonymous(self) -> Data:
        voice = self._voice
        return {"positions": [f"two carriers {voice.one(self._world.wheres)}"],
                "activities": [f"one {voice.one(self._world.acts)}"]}  # fmt: skip
