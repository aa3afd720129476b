"""What can be counted in a composed prompt without asking the model: each measure takes the words and what was meant.

Nothing here knows how prompts are composed. Words of a medium, of light and of composition are looked for by vocabulary
in what the picture is to be, not in bans ("Avoid: …") nor in sentences that say how to use a reference picture.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import yaml

MEDIA: Mapping[str, str] = {
    "paint": r"gouache|watercolou?r|tempera|oil[- ]paint\w*|acrylic paint\w*|painterly|brushwork|brushstrokes?|fresco",
    "drawing": r"(?:ink|charcoal|pencil|chalk|pen)(?:[- ]and[- ](?:ink|wash))?[- ](?:drawing|sketch|wash|lines?)|in ink"
    r"|and ink|line ?art|linework|screentones?|cel[- ]shad\w+",
    "print": r"woodcut|linocut|etching|engraving|lithograph|risograph|screen ?print",
    "comic": r"manga|comic(?:[- ]book)?|anime|graphic novel",
    "photo": r"photograph(?:ic|y|s)?|photo|film still|35 ?mm|cinematic still",
    "digital": r"3d[- ]render\w*|digital painting|pixel art|vector art|concept art",
    "picture": r"illustration|storybook|picture[- ]book|collage",
}
"""Words that name a medium, by family; "picture" is one without a technique."""

LIGHT = (
    r"light(?:s|ing)?|lit|(?:sun|moon|day|lamp|candle|fire|back|torch|star)light|backlit|sunlit|moonlit|shadows?|shade"
    r"|glow\w*|gleam\w*|lamps?|lantern|sun(?!-)|moon(?!-)|brazier|overcast|dawn|dusk|monitors|neon sign|headlights"
)
COMPOSITION = (
    r"foreground|middle ground|background|middle distance|close[- ]?up|close view|close on|wide (?:view|shot)|angle"
    r"|eye[- ]level|eye height|viewpoint|vantage|seen from|from above|from below|framed|framing|horizon|vanishing point"
    r"|(?:left|right|upper|lower) (?:third|half)|focus|room to breathe|over the shoulder|perspective|depth of field"
    r"|silhouette|vertical|diagonals?|composition|cut at the waist|medium (?:close )?(?:shot|view)|establishing"
)
EXAMPLE_LOOK = (
    "gouache", "weathered teal", "slate blue", "warm sand", "lamp gold", "neon green", "hot pink", "Saltmere",
    "storybook for grown-ups", "made with care by one hand", "present-day objects and clothing",
    "photographic or 3D-rendered look",
)  # fmt: skip
"""Palette, medium and prohibitions of the example library, which no other library's prompt should carry."""

COLOURS = frozenset(
    word
    for line in (
        "amber aqua beige black blue bone bronze brown charcoal chestnut clay copper cream crimson cyan gold green",
        "grey gray indigo ivory lavender lead lilac magenta maroon mauve mustard navy ochre olive orange pastel",
        "peach pearl pewter pink plum purple red rose rust sand scarlet sepia silver slate straw tan tar teal",
        "turquoise umber verdigris vermilion violet white yellow neon",
    )
    for word in line.split()
)
_VAGUE = frozenset({"painterly", "brushwork", "brushstroke", "brushstrokes", "and ink", "in ink"})
"""Words of several techniques: beside one that the author names they are no second one."""
_LABELS = frozenset({
    "pose", "setting", "place", "materials", "composition", "light", "lighting", "mood", "style", "palette", "image",
    "people", "accents", "colours", "avoid", "overview", "time", "season", "weather", "medium", "moment", "framing",
    "scene",
})  # fmt: skip
"""Keys of the files that are also good labels in a prompt: they are leaks only in lower case."""

_TOKEN = re.compile(r"\w+(?:['’-]\w+)*")
_SENTENCES = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|\n+")
_BAN = re.compile(
    r"\s*(?:avoid|also without|without|keep out|leave out|do not|don't|not in the picture|never|no )\b", re.IGNORECASE
)
_USE = re.compile(
    r"\b(?:from the text|from Images? \d+|the images? above|Images? \d+ (?:is|are|shows?|gives?)|only say what things"
    r"|an example of the style)\b|^\s*Image \d+:|\bImages? \d+\b.*\b(?:only|ignore|keep)\b",
    re.IGNORECASE,
)
_BAN_LIST = re.compile(r"^\s*(?:avoid|also without|keep out|leave out)\s*:\s*(.+)$", re.IGNORECASE | re.MULTILINE)
_UNSEEN = re.compile(r"\b(?:TBD|TODO|tbc|voice|always hums|smells of|speaks)\b")
_FACES = re.compile(
    r"\b(?:recognisable|recognizable|same face|their faces|keep (?:this|the) person|identity|face, age)\b",
    re.IGNORECASE,
)
_HANDS_ONLY = re.compile(
    r"\b(?:only the hands|hands only|no face(?:s)? (?:in view|is seen|visible)|close on the hands)\b", re.IGNORECASE
)
_LABEL = re.compile(r"(?:^|(?<=[.;,(:]))\s*([A-Za-z][A-Za-z _]{0,30}):(?=\s)", re.MULTILINE)
_RUN = 3


@dataclass(frozen=True)
class Person:
    """Somebody who is to be in the picture, with the words of the library about the looks."""

    name: str
    looks: tuple[str, ...]
    is_sent: bool


@dataclass(frozen=True)
class Case:
    """A prompt and what it was made of.

    ``own`` are the texts that the author wrote for the scene, ``library`` all texts of the library that belong into its
    prompt. ``roles`` are those of the pictures sent. ``wanted`` is what the scene asks to see; ``inherited`` are texts
    on camera and composition that the scene has only from what surrounds it.
    """

    target: str
    kind: str
    prompt: str
    own: tuple[str, ...]
    library: tuple[str, ...]
    people: tuple[Person, ...] = ()
    roles: tuple[str, ...] = ()
    materials: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()
    inherited: tuple[str, ...] = ()


def sentences(text: str) -> list[str]:
    """The sentences and lines of *text*."""
    return [part.strip() for part in _SENTENCES.split(text) if part.strip()]


def words(text: str) -> list[str]:
    """The words of *text* in lower case."""
    return [match[0] for match in _TOKEN.finditer(text.casefold())]


@lru_cache(maxsize=8192)
def said(prompt: str) -> str:
    """The part of *prompt* that says what the picture is: no bans, and not how to use the references."""
    return "\n".join(part for part in sentences(prompt) if not _BAN.match(part) and not _USE.search(part))


@lru_cache(maxsize=8192)
def media(text: str) -> frozenset[str]:
    """The families of media that *text* names."""
    return frozenset(family for family, pattern in MEDIA.items() if _has(pattern, text))


def has_style(prompt: str) -> bool:
    """Whether the prompt says a word about the kind of picture, be it only "illustration"."""
    return bool(media(said(prompt)))


def has_medium(prompt: str) -> bool:
    """Whether the prompt names the technique in which the picture is made."""
    return bool(media(said(prompt)) - {"picture"})


def has_light(prompt: str) -> bool:
    """Whether the prompt says a word about light."""
    return _has(LIGHT, said(prompt))


def has_composition(prompt: str) -> bool:
    """Whether the prompt says a word about viewpoint or framing."""
    return _has(COMPOSITION, said(prompt))


def moment_starts(prompt: str, own: Iterable[str]) -> int | None:
    """The position of the first of the author's texts for this scene; None if none of them is there.

    A text is found by its first six words, whatever the white space and punctuation between them.
    """
    starts = [found.start() for text in own if (found := _opening(text).search(prompt))]
    return min(starts, default=None)


def fixed_share(prompt: str, library: Iterable[str]) -> float:
    """The share of the prompt's characters that come from no text of the library.

    What stands in a run of three words of such a text, or is a whole shorter text, is the library's.
    """
    spans = _covered(prompt, library)
    own = sum(end - start for start, end in spans)
    total = sum(len(match[0]) for match in _TOKEN.finditer(prompt))
    return 1 - own / total if total else 0.0


def doubled(prompt: str) -> list[str]:
    """The sentences of four words or more that stand in the prompt more than once."""
    counted = Counter(" ".join(found) for part in sentences(prompt) if len(found := words(part)) >= 4)
    return [sentence for sentence, times in counted.items() if times > 1]


def doubled_materials(prompt: str, materials: Iterable[str]) -> list[str]:
    """The *materials*, of two words or more without their key, that the prompt says more than once."""
    text = " ".join(words(prompt))
    values = {" ".join(words(item.rpartition(":")[2])) for item in materials}
    return sorted(value for value in values if " " in value and len(re.findall(rf"\b{value}\b", text)) > 1)


def leaked_keys(prompt: str, keys: Iterable[str]) -> list[str]:
    """The *keys* of the library's files that stand before a colon, as written or as words, and names_with_underscores.

    A key that is a good label too, like "Light:", counts in lower case only.
    """
    plain = {key.replace("_", " ").casefold() for key in keys}
    found = set(re.findall(r"\b[a-z]+(?:_[a-z]+)+\b", prompt))
    for label in _LABEL.findall(prompt):
        name = " ".join(label.split())
        if name.casefold() in plain and (name.islower() or name.casefold() not in _LABELS):
            found.add(name)
    return sorted(found)


def styled_twice(prompt: str, own: Sequence[str]) -> bool:
    """Whether the author's words for the scene name a technique, and the rest of the prompt only others."""
    theirs = _techniques(" ".join(own))
    others = _techniques(_without(said(prompt), own))
    return bool(theirs and others) and not theirs & others


def foreign_words(prompt: str, library: Iterable[str], phrases: Iterable[str] = EXAMPLE_LOOK) -> list[str]:
    """The *phrases* that the prompt carries, bans included, although no text of its own library holds them."""
    theirs = " ".join(library).casefold()
    return [phrase for phrase in phrases if phrase.casefold() in prompt.casefold() and phrase.casefold() not in theirs]


def strangers(prompt: str, people: Iterable[Person]) -> list[str]:
    """The names of people for whom neither a picture goes nor a word about their looks is in the prompt."""
    return [person.name for person in people if not person.is_sent and not _covered(prompt, person.looks)]


def dangling_images(prompt: str, sent: int) -> list[int]:
    """The numbers of images that the prompt names although only *sent* pictures go along."""
    return sorted({int(number) for number in re.findall(r"\bImage (\d+)\b", prompt) if int(number) > sent})


def negatives(prompt: str) -> list[str]:
    """The items of the prompt's lists of what to avoid."""
    found = []
    for line in _BAN_LIST.findall(prompt):
        parts = line.split(";") if ";" in line else line.split(",")
        found += [text for part in parts if (text := part.strip().rstrip("."))]
    return found


def contradicting(prompt: str, wanted: Iterable[str]) -> list[str]:
    """The negatives whose words all stand in what the scene asks for."""
    asked = set(words(" ".join(wanted)))
    return [item for item in negatives(prompt) if (found := words(item)) and asked.issuperset(found)]


def no_colours(prompt: str) -> list[str]:
    """What is called a colour in the list of what to avoid, and holds no word of a colour."""
    listed = [item.removeprefix("the colours ") for item in negatives(prompt) if item.startswith("the colours ")]
    items = [part.strip() for item in listed for part in item.split(",")]
    return [item for item in items if item and not COLOURS & set(words(item))]


def unseen_traits(prompt: str) -> list[str]:
    """Words for what no picture can show: a voice, a smell, or "TBD"."""
    return _UNSEEN.findall(said(prompt))


def asks_for_faces(prompt: str, own: Iterable[str]) -> bool:
    """Whether a scene in which only hands are to be seen asks for recognisable people."""
    return bool(_HANDS_ONLY.search(" ".join(own))) and bool(_FACES.search(prompt))


def inherited_views(prompt: str, inherited: Iterable[str]) -> list[str]:
    """The texts on camera and composition in the prompt that the scene did not write itself."""
    text = f" {' '.join(words(prompt))} "
    return [item for item in inherited if words(item) and f" {' '.join(words(item))} " in text]


def repeated_negatives(prompt: str) -> list[str]:
    """The negatives that are listed more than once."""
    return [item for item, times in Counter(map(str.casefold, negatives(prompt))).items() if times > 1]


def _has(pattern: str, text: str) -> bool:
    return re.search(rf"\b(?:{pattern})\b", text, re.IGNORECASE) is not None


def _techniques(text: str) -> frozenset[str]:
    """The words in *text* that name a technique, and not only the look of several."""
    named = "|".join(pattern for family, pattern in MEDIA.items() if family != "picture")
    found = {match[0].casefold() for match in re.finditer(rf"\b(?:{named})\b", text, re.IGNORECASE)}
    return frozenset(found - _VAGUE)


def _opening(text: str) -> re.Pattern[str]:
    first = _TOKEN.findall(text)[:6]
    return re.compile(r"\W+".join(map(re.escape, first)) if first else r"(?!)")


def _covered(prompt: str, texts: Iterable[str]) -> list[tuple[int, int]]:
    """The words of *prompt* that are among the *texts*, as spans without what is between them."""
    tokens = [(match.start(), match.end()) for match in _TOKEN.finditer(prompt)]
    said_words = [prompt[start:end].casefold() for start, end in tokens]
    runs: frozenset[tuple[str, ...]] = frozenset().union(*map(_runs, texts))
    mine = [False] * len(tokens)
    for length in range(1, _RUN + 1):
        for index in range(len(tokens) - length + 1):
            run = tuple(said_words[index : index + length])
            if not all(mine[index : index + length]) and run in runs:
                mine[index : index + length] = [True] * length
    return [span for span, is_mine in zip(tokens, mine, strict=True) if is_mine]


@lru_cache(maxsize=65536)
def _runs(text: str) -> frozenset[tuple[str, ...]]:
    """The runs of three words in *text*; all of it, if it is shorter."""
    found = words(text)
    if len(found) < _RUN:
        return frozenset({tuple(found)} if found else ())
    return frozenset(tuple(found[index : index + _RUN]) for index in range(len(found) - _RUN + 1))


def _without(prompt: str, texts: Iterable[str]) -> str:
    """*prompt* with the words of *texts* blotted out."""
    signs = list(prompt)
    for start, end in _covered(prompt, texts):
        signs[start:end] = "_" * (end - start)
    return "".join(signs)


def keys_of(texts: Iterable[str]) -> frozenset[str]:
    """Every key of a mapping in YAML *texts*."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: set[str] = set()

    def walk(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                found.add(str(key.value))
                walk(value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                walk(item)

    for text in texts:
        if node := yaml.compose(text, Loader=loader):
            walk(node)
    return frozenset(found)
