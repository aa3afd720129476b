"""What files of locations and of chapters have in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from benchmarks.support.story_words import Voice

Data = dict[str, Any]

MOODS = (
    "intimate", "ominous", "tense", "contemplative", "triumphant", "somber", "hopeful", "mysterious", "urgent",
    "melancholic", "reverent", "bustling", "watchful", "bittersweet",
)  # fmt: skip
RATIOS = ("16:9", "16:9", "3:4", "21:9", "16:9")
PIXELS = ("1792x1024", "1792x1024", "1024x1365", "2048x878", "1024x768")  # the last is no 16:9, as in real files
MEDIA = ("Ink and wash drawing", "Loose charcoal drawing", "Watercolour study", "Oil painting")
BANS = (
    "people", "text", "watermark", "no modern objects", "bright colours", "lens flare", "crowds", "fantasy glow",
    "blurry", "extra limbs", "no magic", "photo look", "smoke",
)  # fmt: skip


def state(voice: Voice, low: int, high: int) -> str:
    """How somebody looks at one moment, in *low* to *high* characters or a little more."""
    text = ", ".join(voice.some(voice.world.states, 1, 3))
    wanted = voice.number(low, high)
    while len(text) + 40 < wanted:
        text += f"; a {voice.thing()} in one hand, {voice.one(voice.world.air)} on the {voice.one(voice.world.things)}"
    return text


def lighting(voice: Voice) -> Data:
    world = voice.world
    aspects = {
        "secondary_source": voice.one(world.lamps),
        "quality": voice.one(("soft", "hard", "diffused")),
        "direction": voice.one(("from the left", "from behind", "from above")),
        "color_temperature": voice.one(("warm", "cool", "mixed")),
        "shadow_depth": voice.one(("deep", "shallow")),
        "atmospheric": voice.one(world.air),
    }
    kept = voice.some(sorted(aspects), 2, 6)
    return {"primary_source": voice.one(world.lamps), **{key: text for key, text in aspects.items() if key in kept}}


def palette(voice: Voice) -> Data:
    colours = voice.some(voice.world.colours, 5, 5)
    avoid = [voice.one(("harsh daylight", "pure black", "anything modern"))] if voice.chance(0.4) else []
    return {"dominant": colours[:3], "accent": colours[3:4], "avoid": [colours[4], *avoid]}


def shares(total: int, parts: int) -> list[int]:
    """*total* in *parts* whole numbers that differ a little from each other."""
    if not parts:
        return []
    shares = [total // parts + (1 if number < total % parts else 0) for number in range(parts)]
    for number in range(0, parts - 1, 2):
        moved = min(number % 4, shares[number] // 4)
        shares[number] -= moved
        shares[number + 1] += moved
    return shares


def spread(counts: Mapping[Any, int], voice: Voice) -> list[Any]:
    """Each key as often as its count says, in a mixed order."""
    items = [key for key, count in counts.items() for _ in range(count)]
    return voice.some(items, len(items), len(items))


def slug_of(text: str) -> str:
    bare = text.lower().replace("û", "u")
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")
