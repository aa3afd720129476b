"""Reading the library's YAML: fast, without surprises, and with the place of every value at hand.

Nothing is converted but null: ``16:9``, ``15.5``, ``2025-12-17``, ``on`` and ``01`` stay the text that was written;
whoever reads a field knows its type. Tags are ignored, so no file can make Python do anything. What would let one
value be read in two ways (a key written twice, a second document) is an error, and so is what would cost more memory
or time than a file of its size can be worth.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.scanner import Scanner

from chargen.base.errors import ChargenError, Place
from chargen.pictures.presence import LFS_POINTER, LFS_START

if TYPE_CHECKING:
    _CParser = Any
else:
    try:
        from yaml._yaml import CParser as _CParser
    except ImportError:  # PyYAML was built without libyaml
        _CParser = None

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 100
MAX_EXPANDED = 1_000_000
"""Values that a file may stand for once its aliases are written out."""

_NULL = "tag:yaml.org,2002:null"
_NULL_TEXTS = frozenset({"", "~", "null", "Null", "NULL"})
_DOCUMENT_END = re.compile(rb"^\.\.\.(?:[ \t\r\n]|\Z)", re.MULTILINE)


class InvalidYaml(ChargenError):
    """A file that cannot be read as one mapping; ``place`` says where, ``reason`` what the matter is, and ``problem``
    the same without what the parser was at."""

    def __init__(self, place: Place, reason: str, problem: str = "") -> None:
        super().__init__(f"{place}: {reason}")
        self.place = place
        self.reason = reason
        self.problem = problem or reason


class Map(dict[str, Any]):
    """A mapping as read, which knows where its keys stand."""

    __slots__ = ("node",)

    def __init__(self, node: MappingNode | None = None) -> None:
        super().__init__()
        self.node = node

    @property
    def is_flow(self) -> bool:
        """Whether it is written ``{…}``."""
        return self.node is not None and bool(self.node.flow_style)

    def position(self, key: str = "") -> tuple[int, int]:
        """Line and column (from 1) of *key*; of the mapping itself without one; ``(0, 0)`` for what is not there."""
        if self.node is None:
            return 0, 0
        if not key:
            return _position(self.node)
        return next((_position(k) for k, _ in self.node.value if k.value == key), (0, 0))

    def value_node(self, key: str) -> Node | None:
        """The parser's node of the value of *key*: how it is written, where it starts and ends."""
        if self.node is None:
            return None
        return next((value for k, value in self.node.value if k.value == key), None)


class Seq(list[Any]):
    """A list as read, which knows where its items stand."""

    __slots__ = ("node",)

    def __init__(self, node: SequenceNode) -> None:
        super().__init__()
        self.node = node

    def position(self, index: int) -> tuple[int, int]:
        """Line and column (from 1) of the item at *index*."""
        return _position(self.node.value[index])


def parse(text: str | bytes, file: str) -> Map:
    """Read one YAML document whose top level is a mapping; an empty file is an empty mapping.

    Mappings come as :class:`Map`, lists as :class:`Seq`, every scalar as ``str`` or ``None``. *file* names the text in
    errors. Raises :class:`InvalidYaml` with line and column for whatever cannot be read.
    """
    data = _checked_bytes(text, file)
    root = _compose(data, file)
    if end := _DOCUMENT_END.search(data):
        raise InvalidYaml(_place_of_byte(data, end.start(), file), "the document ends at '...'; remove that line")
    if root is None or (isinstance(root, ScalarNode) and root.tag == _NULL):
        return Map()
    if not isinstance(root, MappingNode):
        what = "a list" if isinstance(root, SequenceNode) else "a text"
        raise InvalidYaml(_place(root, file), f"the top level must be a mapping (key: value), but it is {what}")
    built: Map = _Builder(file).build(root)
    return built


def read(path: Path, file: str) -> Map:
    """Parse the file at *path*; raises :class:`InvalidYaml` also when it is too large, and ``OSError``."""
    return parse(read_bytes(path, file), file)


def read_bytes(path: Path, file: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes of *path*, never more than *limit*; raises :class:`InvalidYaml` for a larger file, and ``OSError``."""
    with path.open("rb") as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        raise InvalidYaml(Place(file), f"the file is larger than {limit // 2**20} MiB; files this large are not read")
    return data


def check_syntax(data: bytes, file: str) -> None:
    """Raise :class:`InvalidYaml` if libyaml cannot parse *data*; builds nothing and costs a tenth of :func:`parse`.

    Neither duplicate keys nor depth nor aliases are looked at. Without libyaml this is :func:`parse`.
    """
    if _CParser is None:
        parse(data, file)
        return
    data = _checked_bytes(data, file)
    with _parser_errors(data, file):
        _CParser(data).raw_parse()


def plain(value: Any) -> Any:
    """*value* as ordinary dicts and lists, without the memory that positions take."""
    if isinstance(value, dict):
        return {key: item if type(item) is str else plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [item if type(item) is str else plain(item) for item in value]
    return value


class _NoTypes:
    """What the parser asks a resolver: only null is a type, and depth is counted on the way down."""

    depth = 0

    def descend_resolver(self, parent: Node | None, index: object) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = parent.start_mark if parent is not None else None
            raise yaml.MarkedYAMLError(problem=f"values are nested more than {MAX_DEPTH} deep", problem_mark=mark)

    def ascend_resolver(self) -> None:
        self.depth -= 1

    def resolve(self, kind: type[Node], value: str | None, implicit: tuple[bool, bool]) -> str:
        return _NULL if value in _NULL_TEXTS and implicit[0] else ""


class _PureLoader(_NoTypes, Reader, Scanner, Parser, Composer):
    def __init__(self, data: bytes) -> None:
        Reader.__init__(self, data)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)


if _CParser is None:
    _Loader: Any = _PureLoader
else:

    class _CLoader(_NoTypes, _CParser):
        def __init__(self, data: bytes) -> None:
            _CParser.__init__(self, data)

    _Loader = _CLoader


def _compose(data: bytes, file: str) -> Node | None:
    with _parser_errors(data, file):
        root: Node | None = _Loader(data).get_single_node()
    return root


class _Builder:
    """Turns nodes into data; a node that aliases share becomes one shared object."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._done: dict[int, tuple[Any, int, int]] = {}
        self._open: set[int] = set()

    def build(self, node: MappingNode | SequenceNode) -> Any:
        """The data of the whole document."""
        return self._build(node)[0]

    def _build(self, node: MappingNode | SequenceNode) -> tuple[Any, int, int]:
        """The value, how many values it stands for, and how deep it goes."""
        key = id(node)
        if key in self._done:
            return self._done[key]
        if key in self._open:
            raise InvalidYaml(_place(node, self._file), "the value contains itself through an alias")
        self._open.add(key)
        data, children = self._collection(node)
        size, depth = len(data) + 1, 0
        for child in children:
            size += child[1]
            depth = max(depth, child[2])
        if size > MAX_EXPANDED or depth >= MAX_DEPTH:
            raise InvalidYaml(_place(node, self._file), "aliases make the value too large or too deep; write it out")
        self._open.discard(key)
        self._done[key] = result = (data, size, depth + 1)
        return result

    def _collection(self, node: MappingNode | SequenceNode) -> tuple[Any, list[tuple[Any, int, int]]]:
        return self._map(node) if isinstance(node, MappingNode) else self._seq(node)

    def _map(self, node: MappingNode) -> tuple[Map, list[tuple[Any, int, int]]]:
        data = Map(node)
        children = []
        for key_node, value in node.value:
            if not isinstance(key_node, ScalarNode):
                raise InvalidYaml(_place(key_node, self._file), "a key must be plain text, not a list or a mapping")
            key = key_node.value
            if key in data:
                line = data.position(key)[0]
                message = f"the key '{key}' appears again (first in line {line})"
                raise InvalidYaml(_place(key_node, self._file), message)
            if key[:1] > "\x7f":
                self._check_start(key, key_node)
            if isinstance(value, ScalarNode):
                data[key] = None if value.tag == _NULL else value.value
            else:
                built = self._build(value)
                data[key] = built[0]
                children.append(built)
        return data, children

    def _check_start(self, key: str, node: Node) -> None:
        """Refuse a key that begins with what only looks like indentation or like the dash of a list."""
        sign = key[0]
        name = f"U+{ord(sign):04X} ({unicodedata.name(sign, 'an invisible character').lower()})"
        if sign.isspace() or unicodedata.category(sign)[0] == "C":
            raise InvalidYaml(_place(node, self._file), f"the line begins with {name}; indent with ordinary spaces")
        if (unicodedata.category(sign) == "Pd" or sign in "•·−") and key[1:2].isspace():
            raise InvalidYaml(
                _place(node, self._file), f"the line begins with {name}; write '- ' for an item of a list"
            )

    def _seq(self, node: SequenceNode) -> tuple[Seq, list[tuple[Any, int, int]]]:
        data = Seq(node)
        children = []
        for value in node.value:
            if isinstance(value, ScalarNode):
                data.append(None if value.tag == _NULL else value.value)
            else:
                built = self._build(value)
                data.append(built[0])
                children.append(built)
        return data, children


def _checked_bytes(text: str | bytes, file: str) -> bytes:
    if isinstance(text, str):
        try:
            data = text.encode()
        except UnicodeEncodeError as error:
            raise InvalidYaml(Place(file), "the text contains half a surrogate pair") from error
    else:
        data = text
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise InvalidYaml(Place(file), "the file is UTF-16; save it as UTF-8")
        if data.startswith(b"{\\rtf"):
            raise InvalidYaml(Place(file), "the file is rich text (RTF); save it as plain text in UTF-8")
        if data.startswith(LFS_START):
            raise InvalidYaml(Place(file), LFS_POINTER)
        try:
            data.decode()
        except UnicodeDecodeError as error:
            place = _place_of_byte(data, error.start, file)
            raise InvalidYaml(place, "the file is not UTF-8; save it as UTF-8") from None
    if len(data) > MAX_BYTES:
        raise InvalidYaml(
            Place(file), f"the file is larger than {MAX_BYTES // 2**20} MiB; files this large are not read"
        )
    if (nul := data.find(b"\0")) >= 0:
        raise InvalidYaml(_place_of_byte(data, nul, file), "the file contains a NUL byte")
    return data


@contextmanager
def _parser_errors(data: bytes, file: str) -> Iterator[None]:
    """Whatever the parser raises, as :class:`InvalidYaml`."""
    try:
        yield
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        if error.problem == "found unexpected end of stream":
            mark = error.context_mark or mark  # where the quote was opened
        place = Place(file, mark.line + 1, mark.column + 1) if mark else Place(file)
        reason = error.problem or "not readable"
        raise InvalidYaml(place, f"{error.context}: {reason}" if error.context else reason, reason) from None
    except ReaderError as error:
        raise InvalidYaml(_place_of_byte(data, error.position, file), error.reason) from None
    except yaml.YAMLError as error:
        raise InvalidYaml(Place(file), str(error)) from None


def _position(node: Node) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1


def _place(node: Node, file: str) -> Place:
    return Place(file, *_position(node))


def _place_of_byte(data: bytes, offset: int, file: str) -> Place:
    before = data[:offset].decode(errors="replace")
    return Place(file, before.count("\n") + 1, len(before) - before.rfind("\n"))
