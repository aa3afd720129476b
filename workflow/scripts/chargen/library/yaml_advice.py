"""What to do about a file that is not YAML: by what people really paste and save, else by what the parser says."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from chargen.base.errors import Place
from chargen.library.yamlio import InvalidYaml

_NEIGHBOURS = "indent each key like its neighbours"
_TABS = "indent with spaces, not with tabs"
_BY_PROBLEM = {
    "block sequence entries are not allowed in this context": "begin a list on a line of its own; quote a text that "
    "begins with '- '",
    "could not find expected ':'": "a key needs ': ' after it",
    "did not find expected ',' or ']'": "a '[' is not closed",
    "did not find expected ',' or '}'": "a '{' is not closed",
    "did not find expected '-' indicator": f"{_NEIGHBOURS}, and each '- ' like the other items of its list",
    "did not find expected comment or line break": "begin the text on the next line, or put it in quotes",
    "did not find expected key": f"one quoted text per key; quote texts that contain ': '; {_NEIGHBOURS}",
    "did not find expected node content": "put the text in quotes",
    "found a tab character that violates indentation": _TABS,
    "found character that cannot start any token": f"{_TABS}; quote a text that begins with @, % or `",
    "found unexpected end of stream": "a quote is not closed",
    "found unknown escape character": r"within \"…\" write \\ for a backslash, or use '…'".replace('\\"', '"'),
    "mapping keys are not allowed in this context": "quote a text that begins with '? '",
    "mapping values are not allowed in this context": f"quote text that contains ': '; {_NEIGHBOURS}",
}
"""What to do, by what the parser says of it."""

_MARKER = re.compile(r"(?:<{7}|>{7}|={7}|\|{7})(?: |$)")
_WITHOUT_SPACE = re.compile(r"\s*(?:- +)*[A-Za-z_][\w-]*:(?=[^\s/])")
_CUT = re.compile(r"\S[ \t]+#\S")
_FLOW_HASH = re.compile(r"[\[{,:] *#\S")
_BAD_START = re.compile(r"^\s*(?:- +)*(?:[\w -]+: +)?(?P<sign>[@`%*&])")
_QUOTED_VALUE = re.compile(r"^\s*(?:- +)*[\w -]+: +(?P<sign>[\"'\[{])")
_ODD_SPACES = (
    "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u202f\u205f\u3000\ufeff"
)


def advised(error: InvalidYaml, data: bytes) -> tuple[Place, str, str]:
    """Return where *error* in the file of these bytes really is, what it is, and what to do about it."""
    lines = data.decode("utf-8", "replace").splitlines()
    file = error.place.file
    markers = [number for number, line in enumerate(lines, 1) if _MARKER.match(line)]
    if markers and any(lines[number - 1].startswith("<<<<<<<") for number in markers):
        what = "a git merge conflict starts here"
        return Place(file, markers[0], 1), what, "keep one side, and remove the lines with <<<<<<<, ======= and >>>>>>>"
    return error.place, error.reason, next(_advice(error, lines), "")


def _advice(error: InvalidYaml, lines: list[str]) -> Iterator[str]:
    """Yield advice, the most fitting first."""
    number = error.place.line
    here = lines[number - 1] if 0 < number <= len(lines) else ""
    numbered = [(n, line) for n, line in enumerate(lines[:number], 1) if line.strip() or n == number]
    suspects = [(number, here), *numbered[-2:-1]]  # the line of the error and the one before it
    before = suspects[-1][1]
    if lines and lines[0].lower().lstrip("\ufeff").startswith(("<!doctype", "<html", "<?xml")):
        yield "this is a web page, not YAML: save the text itself"
    if "another document" in error.reason:
        opened = lines[0].strip() == "---"
        yield "keep only the lines between the two '---' lines" if opened else "remove the line '---'"
    if any(line.lstrip().startswith("```") for line in (here, before)):
        yield "remove the lines with ```"
    for line in (here, before):
        yield from _odd_signs(line)
    if "tab" in error.problem or "\t" in here[: len(here) - len(here.lstrip())]:
        yield _TABS
    for n, line in suspects:
        if key := _WITHOUT_SPACE.match(line):
            yield f"put a space after '{key[0].strip().removeprefix('- ').strip()}' in line {n}"
    if "top level" in error.reason:
        yield "write lines like 'name: Oda'"
    if any(_FLOW_HASH.search(line) for line in (here, before)) and "node content" in error.problem:
        yield "'#' starts a comment: quote texts and colours that start with it"
    for n, line in suspects:
        if _CUT.search(line):
            yield f"the text of line {n} ends at ' #': put it in quotes"
    yield from _signs(error, here)
    yield _BY_PROBLEM.get(error.problem, "")


def _odd_signs(line: str) -> Iterator[str]:
    """Yield what to do about signs that only look like spaces, colons or quotes."""
    odd = next((sign for sign in line if sign in _ODD_SPACES), "")
    if odd:
        name = unicodedata.name(odd, "an invisible character").lower()
        yield f"line '{line.strip()[:20]}' contains U+{ord(odd):04X} ({name}), which looks like a space: retype it"
    if "\uff1a" in line:
        yield "write ': ' instead of the wide colon"


def _signs(error: InvalidYaml, here: str) -> Iterator[str]:
    """Yield what to do about the sign with which a text begins."""
    bad = _BAD_START.match(here)
    if bad and ("token" in error.problem or "alphabetic" in error.problem or "alias" in error.problem):
        yield f"quote a text that begins with {bad['sign']}"
    if any(sign in here for sign in "“”„‘‚") and "mapping values" in error.problem:
        yield "typographic quotes do not work in YAML: use \" or '"
    quoted = _QUOTED_VALUE.match(here)
    if quoted and error.problem == "did not find expected key":
        if quoted["sign"] == "'":
            yield "within '…' write '' for an apostrophe, or use \"…\"; one quoted text per key"
        elif quoted["sign"] == '"':
            yield 'put the whole text in quotes, and write \\" for a quote within; one quoted text per key'
        else:
            yield f"quote a text that begins with {quoted['sign']}"
