"""Invented words for made-up libraries: two worlds, and a voice that makes plain sentences of either.

The sentences mean little; they have the lengths and the shapes of an author's. Ordinary ones hold no word of light, of
framing or of a medium, so that what a measure finds of these in a prompt comes from the field that is for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True)
class World:
    """The words of one made-up world, by what they are for."""

    adjectives: tuple[str, ...]
    things: tuple[str, ...]
    verbs: tuple[str, ...]
    wheres: tuple[str, ...]
    acts: tuple[str, ...]  # what a person does
    ages: tuple[str, ...]
    builds: tuple[str, ...]
    marks: tuple[str, ...]  # what is lasting in somebody's look
    garments: tuple[str, ...]
    carried: tuple[str, ...]
    states: tuple[str, ...]  # how somebody looks at one moment
    places: tuple[str, ...]
    zones: tuple[str, ...]
    materials: tuple[str, ...]
    colours: tuple[str, ...]
    lamps: tuple[str, ...]
    air: tuple[str, ...]
    feelings: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]


UPLAND = World(
    adjectives=(
        "chipped", "soot-stained", "rope-worn", "sun-bleached", "crooked", "patched", "hollow", "narrow", "moss-grown",
        "limewashed", "dented", "three-legged", "mud-splashed", "half-finished", "hand-turned", "cracked", "squat",
        "long-handled", "cloth-wrapped", "tilting", "twice-mended", "weatherproof", "bulky", "repainted",
    ),
    things=(
        "kiln door", "glaze bucket", "cable drum", "drying frame", "clay barrow", "ferry basket", "goat bell",
        "wash line", "stone trough", "brick stack", "wicker crate", "water wheel", "grain hatch", "plank stair",
        "chimney pot", "counterweight", "tally board", "mule harness", "sieve rack", "bee skep", "weir gate",
    ),
    verbs=(
        "leans against", "hangs over", "blocks the way to", "half hides", "stands beside", "rests on", "points toward",
        "drips onto", "creaks over", "has been chained to", "rises behind", "was dragged up to", "still belongs to",
        "props open", "has sunk into", "is roped to",
    ),
    wheres=(
        "between two terraces", "at the ferry landing", "under the cable mast", "along the retaining wall",
        "in the kiln yard", "on the goat path", "beside the weir", "over the sorting tables", "near the toll hut",
        "behind the brick stacks", "at the turn of the stair", "in the lee of the granary", "across the drying floor",
        "by the mule ramp", "below the upper village", "where the two ropes cross",
    ),
    acts=(
        "counts the cracked jars twice", "hauls on the brake rope", "wipes slip from both forearms",
        "argues over a short measure", "carries a sleeping goat kid", "ties a message to the basket",
        "kneels to look into the flue", "weighs a handful of ash", "sets a stone under the wheel",
        "signals to the far bank", "hides a sealed letter in the straw", "splits kindling without looking",
        "lifts the lid off a cooling pot", "measures the gap with a cord", "listens at the closed hatch",
        "shares out the last of the bread", "steps over a broken plank", "turns away from the crowd",
    ),
    ages=("barely sixteen", "in his twenties", "in her thirties", "past forty", "in her fifties", "near seventy"),
    builds=(
        "lean and long in the leg", "short and broad", "heavy in the shoulder", "slight, quick and upright",
        "stooped from carrying", "tall, with large hands",
    ),
    marks=(
        "a burn scar across the left palm", "one grey eye and one brown", "a gap between the front teeth",
        "freckles down to the collarbone", "a nose broken and badly set", "black hair in a single plait",
        "white hair cropped to the skull", "a chin beard tied with thread", "deep lines beside the mouth",
        "ears that stand out", "red knuckles and bitten nails", "a birthmark shaped like a leaf on the neck",
        "eyebrows that nearly meet", "curly copper hair under a kerchief", "a missing ring finger",
    ),
    garments=(
        "a felt waistcoat with bone buttons", "leather gaiters grey with clay", "a quilted jacket the colour of rust",
        "a sleeveless linen smock", "a striped sash wound three times", "wooden-soled boots", "a hooded goat cloak",
        "canvas trousers rolled at the knee", "an apron stiff with dried slip", "a wide straw hat without a ribbon",
    ),
    carried=(
        "a cord of clay tokens at the belt", "a short brake hook", "a flat slate on a string", "a wax-sealed satchel",
        "a pair of iron calipers", "a reed whistle behind the ear", "a folding measure", "a horn-handled clasp knife",
    ),
    states=(
        "sleeves soaked to the elbow", "a strip of linen tied round the brow", "ash on one cheek",
        "hair come loose from its plait", "boots unlaced", "the jacket buttoned wrong", "one arm in a sling",
        "clay dried white on both hands", "the hat gone", "a fresh cut over the eye", "asleep on their feet",
        "laughing with the mouth closed", "jaw set, looking past everyone",
    ),
    places=(
        "Kiln Terrace", "Upper Ferry", "Weir Court", "Mule Stair", "Ash Granary", "Brickmaker's Row", "Toll Gallery",
        "Goat Chapel", "Rope Loft", "Potter's Exchange", "Long Cistern", "Slip House", "Gate of Jars", "Counting Barn",
    ),
    zones=(
        "firing room", "landing stage", "sorting hall", "upper stair", "well house", "drying loft", "back kitchen",
        "counting room", "rope walk", "cellar", "chapel yard", "weigh house", "mule stable", "wood store", "tile roof",
        "wash place", "gate passage", "watch post", "kitchen", "office", "glaze store", "clay pit",
    ),
    materials=(
        "fired brick", "limewashed rubble", "split chestnut", "braided hemp", "unglazed tile", "hammered tin",
        "packed clay", "river stone", "tarred canvas", "sheep felt", "beaten straw", "cast iron",
    ),
    colours=(
        "brick red", "ash grey", "slip white", "moss green", "copper brown", "straw", "iron black", "plum",
        "pale ochre", "smoke blue", "chestnut", "bone", "lichen yellow", "clay pink",
    ),
    lamps=(
        "the open kiln mouth", "a low sun over the ridge", "two tallow lamps", "a gap in the roof tiles",
        "overcast noon", "a brazier on the floor", "the moon on wet tiles", "a lantern held waist-high",
        "dawn through smoke", "a single window to the north",
    ),
    air=("dust", "kiln smoke", "fine drizzle", "steam", "cold mist", "chaff", "wood ash", "a dry wind"),
    feelings=(
        "patience wearing thin", "relief that nobody trusts", "the quiet after a quarrel", "pride with a price",
        "work done for its own sake", "a promise kept too late", "fear of the next rope", "small kindness",
    ),
    first_names=(
        "Marit", "Oskel", "Brannoc", "Tilde", "Jorun", "Pell", "Sanna", "Ruvo", "Ketil", "Ansa", "Dovrin", "Hesper",
        "Lutz", "Mirel", "Nadda", "Orrin", "Pavla", "Quill", "Rasmin", "Selka", "Torvald", "Una", "Vesna", "Wolmar",
    ),
    last_names=(
        "Olver", "Tannhout", "Kessary", "Brickell", "Varga-Lind", "Mosswright", "Eddergate", "Hollin", "Szaboth",
        "Quarrow", "Underhay", "Petticoe", "Rûnfeld", "Aldervane", "Crole", "Dagmarsson",
    ),
)  # fmt: skip

CITY = World(
    adjectives=("cracked", "taped-up", "humming", "second-hand", "rain-slick", "narrow", "stickered", "half-dead",
                "stacked", "rewired", "magnetic", "folding"),
    things=("vending machine", "server rack", "rooftop aerial", "delivery drone", "keyboard", "moving stair",
            "billboard", "fire door", "cable tray", "motor scooter", "data tape"),
    verbs=("hums beside", "hangs over", "blocks", "is wired to", "stands against", "spills onto", "half hides",
           "is bolted to", "rolls past"),
    wheres=("on the fourth level", "above the noodle bar", "at the edge of the roof", "under the monorail",
            "between two server halls", "in the flooded car park", "behind the arcade", "at the taxi rank"),
    acts=("types with one hand", "pulls the plug on the alarm", "jumps the turnstile", "holds a data tape in her teeth",
          "counts the cameras again", "kicks the machine until it answers", "hides under the cable tray",
          "laughs at the locked screen", "traces the wire back to the wall", "throws the phone off the roof"),
    ages=("eighteen", "in her twenties", "in his thirties", "of no guessable age"),
    builds=("small and wiry", "long-limbed", "round-shouldered", "built like a wardrobe"),
    marks=("hair dyed neon green and shaved at one side", "hot pink hair in two bunches", "a socket behind the ear",
           "a scar through the lip", "a barcode on the wrist", "mirrored contact lenses", "a chipped front tooth",
           "fingers stained by solder"),
    garments=("a transparent raincoat", "a present-day tracksuit", "a bomber jacket full of badges",
              "fingerless gloves", "platform trainers", "a courier's reflective vest"),
    carried=("a folding keyboard", "a ring of copied key cards", "a soldering pen", "a cracked tablet"),
    states=("hood up", "soaked through", "one lens missing", "a plaster across the nose", "asleep over the keys",
            "grinning"),
    places=("Server Hall Nine", "Kowa Arcade", "Monorail Yard", "Roof of the Exchange"),
    zones=("control room", "back alley", "lift shaft", "noodle counter", "cable floor", "loading bay", "roof edge"),
    materials=("brushed steel", "wet concrete", "scratched acrylic", "rubber matting", "wired glass"),
    colours=("neon green", "hot pink", "black", "white", "screen blue"),
    lamps=("a wall of monitors", "one neon sign", "a phone screen", "headlights from below", "a broken strip lamp"),
    air=("rain", "steam", "static", "exhaust"),
    feelings=("too awake to sleep", "a dare nobody took back", "the calm before the alarm", "friends by accident"),
    first_names=("Rin", "Kaz", "Mio", "Dex", "Yuna", "Jun"),
    last_names=("Null", "Takeda", "Vireo", "Sable"),
)  # fmt: skip


class Voice:
    """Makes texts of a `World`; the same seed gives the same texts."""

    def __init__(self, world: World, seed: str):
        self.world = world
        self._random = Random(seed)
        self._said: set[str] = set()

    def one(self, items: Sequence[Item]) -> Item:
        """One of *items*."""
        return self._random.choice(items)

    def some(self, items: Sequence[Item], low: int, high: int) -> list[Item]:
        """Between *low* and *high* different ones of *items*."""
        return self._random.sample(items, min(len(items), self._random.randint(low, high)))

    def number(self, low: int, high: int) -> int:
        """A whole number from *low* to *high*."""
        return self._random.randint(low, high)

    def chance(self, share: float) -> bool:
        """True in *share* of all cases."""
        return self._random.random() < share

    def thing(self) -> str:
        """A thing with an adjective, like "chipped goat bell"."""
        return f"{self.one(self.world.adjectives)} {self.one(self.world.things)}"

    def sentence(self) -> str:
        """A sentence about the world that this voice has not said before."""
        world, one = self.world, self.one
        forms: tuple[Callable[[], str], ...] = (
            lambda: f"A {self.thing()} {one(world.verbs)} the {self.thing()} {one(world.wheres)}.",
            lambda: f"{one(world.wheres).capitalize()} the {self.thing()} {one(world.verbs)} a {one(world.things)}.",
            lambda: f"Somebody {one(world.acts)} {one(world.wheres)}, next to a {self.thing()}.",
            lambda: (
                f"The {one(world.things)} is {one(world.materials)}, the {one(world.things)} beside it "
                f"{one(world.materials)}."
            ),
            lambda: f"Two {one(world.adjectives)} steps lead to the {self.thing()}; {one(world.air)} hangs about them.",
            lambda: f"Nobody has moved the {self.thing()} since the {one(world.things)} broke.",
        )
        while (text := one(forms)()) in self._said:
            pass
        self._said.add(text)
        return text

    def text(self, low: int, high: int) -> str:
        """Sentences of *low* to *high* characters in all, or one sentence if that is longer."""
        wanted = self.number(low, high)
        text = self.sentence()
        while len(text) < wanted:
            more = f"{text} {self.sentence()}"
            if len(more) > high:
                break
            text = more
        return text

    def act(self, who: str) -> str:
        """A sentence in which *who* does something."""
        return f"{who} {self.one(self.world.acts)} {self.one(self.world.wheres)}."
