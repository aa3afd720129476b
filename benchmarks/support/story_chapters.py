"""A made-up chapter with its moments and pictures."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.support.story_parts import BANS, MEDIA, MOODS, PIXELS, RATIOS, Data, lighting, palette, slug_of, state
from benchmarks.support.story_places import Place
from benchmarks.support.story_words import Voice


class ChapterAuthor:
    """Writes the file of one chapter."""

    def __init__(
        self, voice: Voice, slug: str, number: int, people: Sequence[str], places: Sequence[Place], *, faults: bool
    ):
        self._has_faults = faults
        self._voice = voice
        self._world = voice.world
        self._slug = slug
        self._number = number
        self._cast = voice.some(people, min(8, len(people)), min(9, len(people)))
        self._places = voice.some(places, 1, 4)

    def file(self, images: Sequence[tuple[str, int]], weights: Sequence[str]) -> Data:
        """The whole file: *images* by type and number of people, and one moment for each of *weights*."""
        voice = self._voice
        moments = [self._moment(number, weight) for number, weight in enumerate(weights)]
        return {
            "metadata": {
                "entity_type": "chapter-imagery",
                "slug": self._slug,
                "chapter_number": self._number + 1 if self._number != 15 else 15.5,
                "chapter_title": voice.thing().title(),
                "visual_thesis": voice.text(111, 247),
                "color_palette": {
                    "primary": voice.some(self._world.colours, 2, 3),
                    "accent": [voice.one(self._world.colours)],
                },
                "generation_defaults": {"provider": "elsewhere", "model": "another"},
            },
            "characters": [self._member(name) for name in self._cast],
            "locations": [self._location(place) for place in self._places],
            "moments": moments,
            "images": [
                self._image(number, kind, count, moments[number * len(moments) // len(images)])
                for number, (kind, count) in enumerate(images)
            ],
        }  # fmt: skip

    def _member(self, name: str) -> Data:
        voice = self._voice
        lines = [f"SCENE {number:02d}: {state(voice, 40, 200)}" for number in voice.some(range(1, 9), 2, 4)]
        lines.append(f"SCENES 02-04 (Vigil): {state(voice, 30, 160)}")
        if voice.chance(0.75):
            lines.append(f"Throughout: {state(voice, 30, 120)}")
        member: Data = {"ref": slug_of(name), "name": name, "scene_variations": "\n".join(lines) + "\n"}
        if voice.chance(0.5):
            member["reference_images"] = [f"{slug_of(name)}-portrait"]
        return member

    def _location(self, place: Place) -> Data:
        voice = self._voice
        zones = voice.some(place.zones, 1, 3)
        return {"ref": place.slug, "zones": [{"id": zone, "chapter_context": voice.text(120, 420)} for zone in zones]}

    def _moment(self, number: int, weight: str) -> Data:
        voice = self._voice
        place = voice.one(self._places)
        return {
            "id": f"m{number + 1}",
            "scene_id": f"scn-{self._number + 1:02d}-{number + 1:02d}",
            "title": voice.thing().title(),
            "narrative_beat": voice.text(60, 220),
            "visual_weight": weight,
            "characters_present": list(map(slug_of, voice.some(self._cast, 1, 3))),
            "location_zone": f"{place.slug}/{voice.one(place.zones)}",
            "transformation_state": voice.one(("before", "during", "after")),
            "recommended_images": 1,
        }

    def _image(self, number: int, kind: str, count: int, moment: Data) -> Data:
        voice = self._voice
        who = voice.some(self._cast, count, count)
        slugs = list(map(slug_of, who))
        if voice.chance(0.05) and self._has_faults:
            slugs.append("a-cousin-nobody-wrote-about")
        location, _, zone = moment["location_zone"].partition("/")
        ratio = number % len(RATIOS)
        hands = kind == "detail" and bool(who) and voice.chance(0.6)
        image: Data = {
            "custom_id": f"{self._slug}-{kind}-{number + 1}",
            "source_moment": moment["id"],
            "prompt_used": self._hands(who[0]) if hands else self._prompt(who),
            "visual_description": voice.text(300, 1000),
            "composition_notes": "Close on the hands, no face in view." if hands else self._composition(),
            "visual_hook": f"{voice.thing()} {voice.one(self._world.wheres)}",
            "mood_rationale": f"{voice.one(self._world.feelings).capitalize()}; {voice.text(60, 180)}",
            "depicts_characters": slugs,
            "character_states": self._states(who),
            "location": "a-valley-not-written-yet" if voice.chance(0.06) and self._has_faults else location,
            "zone": zone,
            "lighting": lighting(voice),
            "palette": palette(voice),
            "aspect_ratio": RATIOS[ratio],
            "orientation": "portrait" if RATIOS[ratio] == "3:4" else "landscape",
            "size": PIXELS[ratio if self._has_faults else ratio % 4],
            "image_type": kind,
            "scene_mood": voice.one(MOODS),
            "negative_prompt": ", ".join([*voice.some(BANS, 3, 8), *voice.some(self._world.things, 0, 2)]),
            "tags": ["chapter", kind],
            "category": "plot",
        }
        return image | dict.fromkeys(("generated_at", "file_name", "file_path", "provider", "model"))

    def _prompt(self, who: Sequence[str]) -> str:
        voice = self._voice
        acts = " ".join(voice.act(name) for name in who[:4]) or voice.sentence()
        medium = f"{voice.one(MEDIA)}. " if voice.chance(0.06) else ""
        light = f" The scene is lit by {voice.one(self._world.lamps)}." if voice.chance(0.15) else ""
        return f"{medium}{acts} {voice.text(250, 1250)}{light}"

    def _hands(self, name: str) -> str:
        voice = self._voice
        return f"Only the hands of {name}, holding a {voice.thing()} over a {voice.thing()}. {voice.text(150, 400)}"

    def _composition(self) -> str:
        voice = self._voice
        view = voice.one(("Low angle", "Eye level", "From above", "Over the shoulder", "Wide view from the far wall"))
        return f"{view}; the {voice.thing()} fills the foreground, empty ground behind. {voice.sentence()}"

    def _states(self, who: Sequence[str]) -> Data:
        voice = self._voice
        states: Data = {slug_of(name): state(voice, 80, 480) for name in who if voice.chance(0.95)}
        if who and voice.chance(0.1):
            states[who[0].partition(" ")[0].lower()] = states.pop(slug_of(who[0]), state(voice, 21, 60))
        if voice.chance(0.15):
            states["others"] = f"a dozen carriers, {voice.one(self._world.states)}"
        return states
