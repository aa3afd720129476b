"""What is odd about a composed prompt, told from what it was made of. It changes nothing."""

from __future__ import annotations

import re
from collections import Counter
from typing import Literal, NamedTuple

from chargen.library.model import Scene
from chargen.prompts.composer import Prompt
from chargen.prompts.rules import Rules
from chargen.prompts.text import normalised, sentence_ends
from chargen.prompts.vocabulary import is_visible, needs, own_techniques, says_light, says_view, techniques

Code = Literal[
    "over-limit", "long-prompt", "no-style", "no-light", "no-view", "style-twice", "contradiction", "leaked-key",
    "doubled", "no-identity", "late-moment", "many-negatives", "not-visible",
]  # fmt: skip

MEANINGS: dict[Code, str] = {
    "over-limit": "longer than what is ever sent",
    "long-prompt": "longer than what is read well",
    "no-style": "no word of a medium",
    "no-light": "no word of light",
    "no-view": "no word of viewpoint or framing",
    "style-twice": "the author names one medium, the rest another",
    "contradiction": "something is wanted and left out, or seen and not seen",
    "leaked-key": "a key of the YAML in the text",
    "doubled": "a sentence twice",
    "no-identity": "a person with neither portrait nor described looks, or an image that is not sent along",
    "late-moment": "the moment begins late",
    "many-negatives": "too many things to leave out, or one of them twice",
    "not-visible": "something that no picture shows",
}
LATEST_MOMENT = 250
_UNDERSCORED = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")
_KEYS = frozenset({
    "atmospheric", "quality", "direction", "color temperature", "shadow depth", "primary source", "secondary source",
    "dominant", "accent", "lens", "angle", "primary", "secondary", "temperature", "shadows", "depth",
    "camera", "distance",
})  # fmt: skip
"""Keys of lights, palettes and cameras in the files of libraries."""
_LABEL = re.compile(r"(?:^|(?<=[.;,(:]))\s*([a-z][a-z ]{2,30}):(?=\s)", re.MULTILINE)
_BANS = re.compile(r"^Also without: (.+)$", re.MULTILINE)
_FACES = re.compile(r"\b(?:recognisable|face, age|same face)\b", re.IGNORECASE)


class Finding(NamedTuple):
    """What was found, and the words that it is about."""

    code: Code
    words: str


def lint(rules: Rules, scene: Scene, prompt: Prompt) -> tuple[Finding, ...]:
    """Return what is odd about the *prompt* of *scene*, each kind once."""
    text, found = prompt.text, []
    size = len(text)
    if size > rules.budget.most:
        found.append(Finding("over-limit", f"{size:,} characters, {rules.budget.most:,} at most"))
    elif size > rules.budget.warn:
        found.append(Finding("long-prompt", f"{size:,} characters"))
    own = f"{scene.prompt} {scene.description}"
    of_author = own_techniques(scene.prompt or scene.description)
    if rules.styles.art.medium and not prompt.medium and not of_author:
        found.append(Finding("no-style", scene.id))
    if of_author and prompt.medium and not of_author & techniques(prompt.medium):
        found.append(Finding("style-twice", prompt.medium[:60]))
    if not says_light(text):
        found.append(Finding("no-light", scene.id))
    if not says_view(text):
        found.append(Finding("no-view", scene.id))
    found += _contradictions(scene, prompt)
    if keys := _leaked(text, own):
        found.append(Finding("leaked-key", ", ".join(keys)))
    if doubled := _doubled(text, own):
        found.append(Finding("doubled", doubled[0][:80]))
    found += _identities(prompt, normalised(own))
    first = " ".join(normalised(scene.prompt or scene.description).split()[:6])
    if first and not 0 <= normalised(text).find(first) <= LATEST_MOMENT:
        found.append(Finding("late-moment", first))
    bans = _bans(text)
    if len(bans) > rules.most_negatives or len({normalised(ban) for ban in bans}) < len(bans):
        found.append(Finding("many-negatives", f"{len(bans)}"))
    return tuple(found)


def _contradictions(scene: Scene, prompt: Prompt) -> list[Finding]:
    wanted = (scene.prompt, scene.description, *scene.must_include, *(person.state for person in prompt.people))
    both = [ban for ban in _bans(prompt.text) if needs(wanted, ban)]
    if prompt.view == "hands" and _FACES.search(prompt.text):
        both.append("faces, though only hands are seen")
    return [Finding("contradiction", ", ".join(both))] if both else []


def _bans(text: str) -> list[str]:
    found = []
    for line in _BANS.findall(text):
        found += [item.strip().rstrip(".") for item in line.split(";" if ";" in line else ",")]
    return found


def _leaked(text: str, own: str) -> list[str]:
    """Names with underscores, and keys before a colon, that the author's words do not hold."""
    labels = {" ".join(label.split()) for label in _LABEL.findall(text)}
    names = {*_UNDERSCORED.findall(text), *(label for label in labels if label in _KEYS)}
    return sorted(name for name in names if name not in own)


def _doubled(text: str, own: str) -> list[str]:
    sentences, start = [], 0
    for end in sentence_ends(text):
        sentences.append(normalised(text[start:end]))
        start = end
    author = normalised(own)
    counted = Counter(sentence for sentence in sentences if len(sentence.split()) >= 4)
    return [sentence for sentence, times in counted.items() if times > max(1, author.count(sentence))]


def _identities(prompt: Prompt, own: str) -> list[Finding]:
    found = []
    for person in prompt.people:
        looks = (*person.features, person.looks, person.state)
        if not person.image and prompt.view != "hands" and not any(looks):
            found.append(Finding("no-identity", person.name))
    numbers = {int(number) for number in re.findall(r"\bImage (\d+)\b", prompt.text)}
    if dangling := sorted(number for number in numbers if number > len(prompt.labels)):
        found.append(Finding("no-identity", f"Image {dangling[0]}"))
    unseen = [line for line in prompt.text.splitlines() if not is_visible(line) and normalised(line) not in own]
    return found[:1] + ([Finding("not-visible", unseen[0][:80])] if unseen else [])
