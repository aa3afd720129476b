"""Settings as they were typed, whatever Snakemake makes of them.

Snakemake reads each value behind ``--config`` as a number if it can, else as YAML: ``library=Book #2`` becomes
``Book``, ``2024_01`` the number 202401, ``note=!x`` nothing. Files given with ``--configfile`` are YAML 1.1, in which
``007`` is a number and ``2026-01-01`` a date. What is a text by its schema is taken from what was typed instead.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chargen.base.errors import ChargenError
from chargen.base.layers import merged

_QUOTED = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')\s*""", re.DOTALL)
_BRACKETED = re.compile(r"\s*[\[{]")
_KEY = re.compile(r"""\s*(["']?)([a-z_]+)\1\s*:(?:\s+|$|(?=["'{\[]))""")
_NEAR = 0.75

Rule = Mapping[str, Any]


def as_typed(config: Mapping[str, Any], rule: Rule, words: Sequence[str], files: Iterable[Path]) -> dict[str, Any]:
    """Return *config*, which Snakemake read, with the settings that are texts as they were typed.

    *rule* is the schema of the configuration, *words* are those behind ``--config``, *files* the configuration files in
    the order in which they were read. Raises ChargenError for words that are not UTF-8.
    """
    typed = dict(config)
    said = [word.partition("=")[::2] for word in words]
    groups = {key for key, _ in said if rule["properties"].get(key, {}).get("type") == "object"}
    if groups or any(_is_otherwise(value, of) for value, of in _pairs(typed, rule)):
        written: dict[str, Any] = {}
        for path in files:
            written = merged(written, _as_written(path))
        typed = _with_texts(typed, written, rule) | {key: written[key] for key in groups & written.keys()}
    for key, value in said:
        _check_utf8(f"{key}={value}")
        if key in rule["properties"]:
            typed[key] = _typed(value, typed.get(key), rule["properties"][key])
    return typed


def said_by_hand(words: Sequence[str], rule: Rule, files: Iterable[Path]) -> dict[str, Any]:
    """Return what is said behind ``--config`` and in the *files* given with ``--configfile``: which keys, and within
    groups which of theirs. Values may still be texts."""
    said: dict[str, Any] = {}
    for path in files:
        said = merged(said, _as_written(path) or {})
    for key, value in (word.partition("=")[::2] for word in words):
        if key in rule["properties"]:
            said = merged(said, {key: _typed(value, _as_yaml(value), rule["properties"][key])})
    return said


def forgiving(parse: Callable[[Sequence[str]], dict[str, Any]]) -> Callable[[Sequence[str]], dict[str, Any]]:
    """Return Snakemake's *parse* of the words behind ``--config`` so that it does not fail for ``#2`` and ``~``.

    It asserts that YAML reads something else than nothing in each value. What it makes of them does not matter: see
    `as_typed`.
    """

    def parse_all(words: Sequence[str]) -> dict[str, Any]:
        return parse([_safe(word) for word in words or ()])

    def _safe(word: str) -> str:
        try:
            parse([word])
        except AssertionError:
            key, _, value = word.partition("=")
            return f"{key}= {json.dumps(value)} "  # between spaces, as Snakemake takes away quotes at either end
        except ValueError:
            pass  # its own message is clear
        return word

    return parse_all


def unquoted(value: str) -> str:
    """*value*, without its quotes if it is one quoted text and nothing else."""
    if not _QUOTED.fullmatch(value):
        return value
    import yaml  # takes a while, and most processes read no such text

    try:
        return str(yaml.load(value, Loader=yaml.BaseLoader))
    except yaml.YAMLError:
        return value


def _typed(value: str, parsed: Any, rule: Rule) -> Any:
    if _is_text(rule):
        return unquoted(value)
    if rule.get("type") == "array" and not isinstance(parsed, list):
        return unquoted(value)
    if rule.get("type") == "object":
        found = _group(value, rule)
        return merged(parsed, _as_yaml(value) if found is None else found)
    if value == "" and {"const": ""} in rule.get("oneOf", ()):
        return ""
    return parsed


def _is_text(rule: Rule) -> bool:
    return rule.get("type") == "string" or all(isinstance(item, str) for item in rule.get("enum", (None,)))


def _group(text: str, rule: Rule) -> dict[str, Any] | None:
    """What ``{key: value, …}`` says, its texts as they were typed; None if it is no such group of known keys."""
    text = text.strip()
    if not (text.startswith("{") and text.endswith("}")):
        return None
    keys = list(rule.get("properties", {}))
    inner, at = text[1:-1], 0
    found: dict[str, Any] = {}
    while inner[at:].strip():
        head = _KEY.match(inner, at)
        if head is None or head[2] not in keys:
            return None
        end = _end_of_value(inner, head.end(), keys)
        found[head[2]] = _in_group(inner[head.end() : end].strip(), rule["properties"][head[2]])
        at = end + 1
    return found


def _end_of_value(text: str, at: int, keys: Sequence[str]) -> int:
    """Where the value that begins at *at* ends: at the comma before the next of *keys*, or with the text.

    What is nearly a key is taken for one, so that it can be said to be misspelt.
    """
    quoted = _QUOTED.match(text, at)
    if quoted and text[quoted.end() : quoted.end() + 1] in ("", ","):
        return quoted.end()
    position = _end_of_brackets(text, at) if _BRACKETED.match(text, at) else at
    while (comma := text.find(",", position)) >= 0:
        head = _KEY.match(text, comma + 1)
        if (head and difflib.get_close_matches(head[2], keys, 1, _NEAR)) or not text[comma + 1 :].strip():
            return comma
        position = comma + 1
    return len(text)


def _end_of_brackets(text: str, at: int) -> int:
    depth = 0
    for position in range(at, len(text)):
        depth += (text[position] in "[{") - (text[position] in "]}")
        if depth == 0 and text[position] in "]}":
            return position
    return at


def _in_group(text: str, rule: Rule) -> Any:
    if _is_text(rule):
        return unquoted(text)
    inner = _group(text, rule) if rule.get("type") == "object" else None
    return _as_yaml(text) if inner is None else inner


def _as_yaml(text: str) -> Any:
    import yaml

    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError:
        return text


def _pairs(config: Mapping[str, Any], rule: Rule) -> Iterator[tuple[Any, Rule]]:
    """Each value below *config* that is no group, with its rule."""
    rules = rule.get("properties", {})
    for key, value in config.items():
        of = rules.get(key, {})
        if isinstance(value, Mapping):
            yield from _pairs(value, of)
        else:
            yield value, of


def _is_otherwise(value: Any, rule: Rule) -> bool:
    """Whether a text was read as something else."""
    if rule.get("type") == "array" and isinstance(value, list):
        return any(_is_otherwise(item, rule.get("items", {})) for item in value)
    return _is_text(rule) and not isinstance(value, str | Mapping | list)


def _with_texts(config: Mapping[str, Any], written: Any, rule: Rule) -> dict[str, Any]:
    """*config* with texts that were read otherwise as a file has *written* them."""
    if not isinstance(written, Mapping):
        return dict(config)
    rules = rule.get("properties", {})
    result = dict(config)
    for key, value in config.items():
        of, said = rules.get(key, {}), written.get(key)
        if isinstance(value, Mapping):
            result[key] = _with_texts(value, said, of)
        elif (
            said is not None and type(said) is (list if of.get("type") == "array" else str) and _is_otherwise(value, of)
        ):
            result[key] = said
    return result


def _as_written(path: Path) -> Any:
    """A configuration file with every value as the text that it is written as; None if it cannot be read so."""
    import yaml

    try:
        return yaml.load(path.read_bytes(), Loader=yaml.BaseLoader)
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return None


def _check_utf8(word: str) -> None:
    try:
        word.encode()
    except UnicodeEncodeError:
        shown = word.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        raise ChargenError(
            f"--config {shown}: the value is not UTF-8; rename the file, or use another terminal"
        ) from None
