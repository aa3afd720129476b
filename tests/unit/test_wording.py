"""Words that this project does not use: personified files, riddles, and old names of things that the glossary names."""

from __future__ import annotations

import re

import pytest

from chargen.base.schemas import ROOT

BANNED = {
    r"mend(s|ed|ing)?": "fix, repair",
    r"kin": "and similar",
    r"no folder": "not a folder, folder not found",
    r"(?-i:[Ii]n passing)": "temporarily; a temporary failure",
    r"(is|are|was|were|be|been|being) told": "is logged, is printed, gets",
    r"tells of": "describes",
    r"(is|are|to) be had": "is available",
    r"by now": "already, now",
    r"(come|comes|came|become|becomes|became) of (it|them|its)": "the result, the outcome",
    r"how-manieth": "which attempt",
    r"(count|counts|counted) as lost": "is lost",
    r"(bring|brings|brought|bringing) in": "downloads",
    r"without a word": "without a message",
    r"anew": "again",
    r"what of": "which part of",
    r"nobody needs": "is not needed",
    r"(has|have) nobody": "no one has",
    r"quicker": "faster; has already done it",
    r"is no (JSON|YAML|file|picture|list|mapping|number|text|target|entity)": "is not a …",
    r"what surrounds": "style, references or model",
    r"ask(s|ed)? for nothing": "has no scenes",
}
"""Regular expressions for whole words, and what to write instead."""
PATTERN = re.compile(
    "|".join(
        rf"(?<![\w-])(?<!there\x20)(?P<b{number}>{words})(?![\w-])" for number, words in enumerate(BANNED)
    ).replace(" ", r"(?:\s+#?\s*)"),
    re.IGNORECASE,
)
"""Between two words there may be the end of a line, and the beginning of the next one in a comment."""
SEARCHED = (
    "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "Snakefile", "config", "conformance", "docs", "profiles", "report",
    "schemas", "tests", "workflow",
)  # fmt: skip
TEXT = frozenset({"", ".css", ".html", ".j2", ".js", ".json", ".md", ".py", ".rst", ".smk", ".yaml", ".yml"})
NOT_SEARCHED = (
    "tests/fixtures/states",  # written by earlier versions
    "tests/unit/test_wording.py",
    "schemas/analysis.schema.json",  # a part of requests: another word would be another request
)


def texts():
    """Yield the path of every text file that the project has written itself."""
    for name in SEARCHED:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            relative = path.relative_to(ROOT).as_posix()
            generated = "__pycache__" in relative or "node_modules" in relative or ".egg-info" in relative
            if path.is_file() and path.suffix in TEXT and not generated and not relative.startswith(NOT_SEARCHED):
                yield path


def banned(text: str) -> list[tuple[int, str, str]]:
    """The line, the words and the replacement of each banned expression in *text*, also across line ends."""
    found = []
    for match in PATTERN.finditer(text):
        number = next(int(name[1:]) for name, value in match.groupdict().items() if value)
        found.append((text[: match.start()].count("\n") + 1, match.group(), list(BANNED.values())[number]))
    return found


def test_plain_words_are_used():
    """Code, messages, configuration, schemas, tests and documentation are in plain English."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {words!r} (write: {better})"
        for path in texts()
        for line, words, better in banned(path.read_text("utf-8"))
    ]

    assert [] == found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mend it.", ["Mend"]),
        ("The file is\n    told.", ["is told"]),
        ("# The file is\n    # told.", ["is # told"]),
        ("the library is no file", ["is no file"]),
        ("recommend, kindly, there is no file, amended", []),
    ],
)
def test_banned_words_are_found(text, words):
    """Whole words, in any case, and across a line end."""
    assert words == [" ".join(found.split()) for _, found, _ in banned(text)]
