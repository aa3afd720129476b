"""What words mean for a picture: media, light, viewpoints, what is seen of people, what no picture shows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Literal

from chargen.prompts.text import normalised, sentence_ends

Seen = Literal["faces", "backs", "hands", "nobody"]

_TECHNIQUES: Mapping[str, str] = {
    "painted": r"gouache|watercolou?r|tempera|oil[- ]paint\w*|acrylic paint\w*|painterly|fresco"
    r"|brush(?:work|strokes?)",
    "drawn": r"(?:ink|charcoal|pencil|chalk|pen)(?:[- ]and[- ]\w+)?[- ](?:drawing|sketch|wash|lines?|painting)"
    r"|line ?art|linework|screentones?|cel[- ]shad\w+|manga|comic(?:[- ]book)? (?:style|art|panel)|anime",
    "printed": r"woodcut|wood engraving|linocut|etching|engraving|lithograph|risograph|screen ?print",
    "photographed": r"photograph(?:ic|y)?|photo(?:real\w*)?|film still|cinematic still|35 ?mm",
    "rendered": r"3d[- ]render\w*|digital painting|pixel art|vector art|concept art",
}
_MADE_BY_HAND = frozenset({"painted", "drawn", "printed"})
_VIEW = (
    r"foreground|middle ground|background|middle distance|close[- ]?up|close view|close on|wide (?:view|shot)|angle"
    r"|eye[- ]level|eye height|viewpoint|vantage|seen from|from above|from below|framed|framing|horizon"
    r"|vanishing point|(?:left|right|upper|lower) (?:third|half)|focus|over the shoulder|perspective|depth of field"
    r"|silhouette|medium (?:close )?(?:shot|view)"
)
_LIGHT = (
    r"lights?|lit|lighting|(?:sun|moon|day|lamp|candle|fire|back|torch|star)light|backlit|sunlit|moonlit|shadows?"
    r"|glow\w*|gleam\w*|lamps?|lantern|overcast"
)
_HANDS = (
    r"(?:only|just) (?:the |their |his |her )?hands|hands only|no faces?\b|close on (?:\w+ ){0,3}hands"
    r"|faces? (?:out of|outside|beyond) (?:the )?frame|faces? (?:is |are )?not (?:seen|visible|shown)"
)
_BACKS = (
    r"from behind|from the back|in silhouette|as silhouettes?|backs? (?:to|towards?) (?:us|the viewer|the camera)"
    r"|turned away from (?:us|the viewer)"
)
_PEOPLE = (
    r"people|persons?|m[ae]n|wom[ae]n|child(?:ren)?|boys?|girls?|crowds?|figures?|workers?|sailors?|fishers?|dockers?"
    r"|guards?|passers-by|strangers?|visitors?|villagers?|porters?|vendors?|neighbours?|neighbors?|somebody|someone|he|she|they"
)
_UNSEEN = (
    r"\b(?:TBD|TODO|tbc|to be (?:decided|done|determined)|voices?|speaks|(?:always|often) hums|smells?(?: of)?|scent of"
    r"|perfume"
    r"|(?:northern|southern|eastern|western|foreign|thick|soft|heavy|broad|faint|slight|strong) (?:\w+ )?accent"
    r"|laugh like|sounds? like)\b"
)


@lru_cache(maxsize=64)
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{source})\b", re.IGNORECASE)


@lru_cache(maxsize=16384)
def techniques(text: str) -> frozenset[str]:
    """The kinds of media that *text* names."""
    return frozenset(kind for kind, source in _TECHNIQUES.items() if _pattern(source).search(text))


@lru_cache(maxsize=16384)
def own_techniques(text: str) -> frozenset[str]:
    """The kinds of media in which *text*, an author's prompt, says that the picture is made.

    A photograph on the wall is a thing in the picture: a medium stands at the beginning of a sentence ("A woodcut
    of …"), behind "in" or "as" ("in gouache"), or before "style".
    """
    return frozenset(kind for kind, source in _TECHNIQUES.items() if _own_medium(source).search(text))


@lru_cache(maxsize=64)
def _own_medium(source: str) -> re.Pattern[str]:
    named = rf"(?:{source})\b"
    follows = r"(?=\s*(?:of|in|on|with|style|stud(?:y|ies)|sketch\w*|illustration|painting|drawing|print|[,.:;]|\Z))"
    begins = rf"(?:\A|[.!?]\s+)(?:an? |the )?(?:[\w-]+[- ]){{0,2}}{named}{follows}"
    within = rf"\b(?:in|as)\s+(?!(?:the|his|her|their|an?|its)\b)(?:[\w-]+[- ]){{0,2}}{named}"
    style = rf"\b{named}[\w -]{{0,12}}\b(?:style|illustration)\b"
    return re.compile(rf"{begins}|{within}|{style}", re.IGNORECASE)


def is_made_by_hand(medium: str) -> bool:
    """Whether *medium* names painting, drawing or printing, and no photograph."""
    found = techniques(medium)
    return bool(found & _MADE_BY_HAND) and "photographed" not in found


def is_of_a_camera(text: str) -> bool:
    """Whether *text* speaks of photographs or renderings."""
    return bool(re.search(r"photo|3d|render|cgi", text, re.IGNORECASE))


@lru_cache(maxsize=16384)
def says_view(text: str) -> bool:
    """Whether *text* has a word about viewpoint or framing."""
    return bool(_pattern(_VIEW).search(text))


@lru_cache(maxsize=16384)
def says_light(text: str) -> bool:
    """Whether *text* has a word about light."""
    return bool(_pattern(_LIGHT).search(text))


@lru_cache(maxsize=16384)
def names_people(text: str) -> bool:
    """Whether *text* speaks of people."""
    return bool(_pattern(_PEOPLE).search(text))


def seen(texts: Iterable[str], has_people: bool) -> Seen:
    """What a scene with these *texts* shows of people."""
    said = " ".join(texts)
    if _pattern(_HANDS).search(said):
        return "hands"
    if not has_people and not names_people(said):
        return "nobody"
    return "backs" if _pattern(_BACKS).search(said) else "faces"


@lru_cache(maxsize=16384)
def is_visible(text: str) -> bool:
    """Whether a picture could show it: no voice, no smell, nothing that is still to be decided."""
    return not re.search(_UNSEEN, text)


@lru_cache(maxsize=16384)
def visible(text: str) -> str:
    """*text* without the sentences and clauses of what no picture shows."""
    if is_visible(text):
        return text
    parts, start = [], 0
    for end in [*sentence_ends(text), len(text)]:
        part = text[start:end].strip()
        start = end
        if part and is_visible(part):
            parts.append(part)
        elif part:
            clauses = [clause for clause in re.split(r"[,;]\s+|\s+and\s+", part.rstrip(".")) if is_visible(clause)]
            parts += [", ".join(clauses) + "."] if len(clauses) > 1 else []
    return " ".join(parts)


@lru_cache(maxsize=65536)
def content(text: str) -> frozenset[str]:
    """The words of *text* for comparing: in lower case, without an s at their end."""
    return frozenset(word.removesuffix("s") if len(word) > 3 else word for word in normalised(text).split())


def needs(wanted: Iterable[str], thing: str) -> bool:
    """Whether the texts that say what is *wanted* ask for *thing*: all of its words stand in them."""
    asked: frozenset[str] = frozenset().union(*map(content, wanted))
    words = content(thing)
    return bool(words) and words <= asked
