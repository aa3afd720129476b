"""Small YAML files that people write: what they hold as plain data, and in which line each key stands."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import yaml


class InvalidYaml(ValueError):
    """The text is invalid YAML; the message starts with line and column: ``:3:7: invalid YAML: …``."""


def read_plain(content: bytes) -> Any:
    """Return the data of a YAML text. ``16:9``, ``on`` and dates are text, and a repeated key is an error.

    Raises InvalidYaml.
    """
    import yaml

    try:
        return yaml.load(content, Loader=_loader())  # a subclass of the safe loader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        spot = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
        raise InvalidYaml(f"{spot}: invalid YAML: {getattr(error, 'problem', None) or error}") from error


def lines_of(content: bytes) -> dict[str, int]:
    """Return the line of every value of a YAML text, by the path of its key like ``sections[2].trim``."""
    import yaml

    def walk(node: yaml.Node, path: str) -> Iterator[tuple[str, int]]:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                deeper = f"{path}.{key.value}" if path else key.value
                yield deeper, key.start_mark.line + 1
                yield from walk(value, deeper)
        elif isinstance(node, yaml.SequenceNode):
            for index, value in enumerate(node.value):
                yield f"{path}[{index}]", value.start_mark.line + 1
                yield from walk(value, f"{path}[{index}]")

    root = yaml.compose(content, Loader=yaml.SafeLoader)
    return dict(walk(root, "")) if root else {}


@cache
def _loader() -> type[yaml.SafeLoader]:
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        yaml_implicit_resolvers: dict[str, list[tuple[str, Any]]] = {}  # noqa: RUF012 - as in the base class

        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
            seen: set[Any] = set()
            for key_node, _ in node.value:
                key = self.construct_object(key_node, deep=True)
                if key in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"the key {key!r} appears twice in one mapping", key_node.start_mark
                    )
                seen.add(key)
            mapping: dict[Hashable, Any] = super().construct_mapping(node, deep)
            return mapping

    import re

    Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"\A-?\d+\Z"), list("-0123456789"))
    Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"\A-?\d+\.\d+\Z"), list("-0123456789"))
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"\A(?:true|false)\Z"), ["t", "f"])
    Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"\A(?:~|null|)\Z"), ["~", "n", ""])
    return Loader
