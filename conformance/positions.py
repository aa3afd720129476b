"""YAML with the place of every value, so that an error can name file, line and key."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Path_ = tuple[str | int, ...]


class BadFile(Exception):
    """A file that cannot be used: where, what is wrong, what to do."""


class _Loader(yaml.CSafeLoader):
    """Plain YAML in which a date stays the text that was written."""


_Loader.yaml_implicit_resolvers = {
    sign: [(tag, regex) for tag, regex in found if tag != "tag:yaml.org,2002:timestamp"]
    for sign, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


@dataclass(frozen=True)
class Document:
    """A parsed file: its data, the line (from 1) of every key and item, and where each plain value stands in the text.

    ``spans`` holds the first and last character (from 0, the last one not included) of plain values by path.
    """

    file: Path
    text: str
    data: Any
    lines: dict[Path_, int] = field(default_factory=dict)
    spans: dict[Path_, tuple[int, int]] = field(default_factory=dict)

    def error(self, path: Sequence[str | int], message: str) -> BadFile:
        """What to raise for something wrong at *path*."""
        return BadFile(self.complaint(path, message))

    def complaint(self, path: Sequence[str | int], message: str) -> str:
        """File, line, key and *message* in one line."""
        known = tuple(path)
        while known and known not in self.lines:
            known = known[:-1]
        key = dotted(path)
        return f"{self.file}:{self.lines.get(known, 1)}: {f'{key}: ' if key else ''}{message}"


def dotted(path: Sequence[str | int]) -> str:
    """``behaviours[3].steps[0].call``."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part}"
    return text


def read(file: Path) -> Document:
    """Parse *file*. Raises BadFile for what is not YAML, for a key that is there twice, and for a file out of reach."""
    try:
        text = file.read_bytes().decode("utf-8")
    except OSError as error:
        raise BadFile(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise BadFile(f"{file}: is not UTF-8 at byte {error.start}") from None
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            document = Document(file, text, None)
            data = _value(loader, node, (), document)
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise BadFile(f"{file}:{line}: is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise BadFile(f"{file}: is not YAML: {error}") from None
    return Document(file, text, data, document.lines, document.spans)


def _value(loader: _Loader, node: yaml.Node | None, path: Path_, document: Document) -> Any:
    if node is None:
        return None
    document.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _mapping(loader, node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_value(loader, item, (*path, number), document) for number, item in enumerate(node.value)]
    document.spans[path] = (node.start_mark.index, node.end_mark.index)
    return loader.construct_object(node)


def _mapping(loader: _Loader, node: yaml.MappingNode, path: Path_, document: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for name_node, item in node.value:
        name = loader.construct_object(name_node)
        document.lines[(*path, str(name))] = name_node.start_mark.line + 1
        if not isinstance(name, str):
            raise document.error((*path, str(name)), "a key must be text: put it in quotes")
        if name in result:
            raise document.error((*path, name), "this key is here twice: keep one")
        result[name] = _value(loader, item, (*path, name), document)
    return result
