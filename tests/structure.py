"""Count what makes the package hard to change: `python tests/structure.py [folder of the package]`.

Long modules and functions, many parameters, stored keys read as text, and imports that run upwards or in circles.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "workflow" / "scripts" / "chargen"
LAYERS = (
    ("cli", "verbs", "__main__"),
    ("snakemake",),
    ("screens",),
    ("report",),
    ("steps",),
    ("operations",),
    ("placing",),
    ("planning",),
    ("providers",),
    ("records",),
    ("analysis",),
    ("prompts",),
    ("library",),
    ("pictures",),
    ("base",),
)
"""The rooms of the package from the top down: each may import from those below it, and from itself."""

MAX_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 6
BESIDE = "emulator"
"""Stands beside the layers: it may import from base alone, and only to start it may others import it."""
STORES_KEYS = ("records", "library", "emulator")
"""Rooms that read stored or foreign files: there a key is text."""


@dataclass
class Findings:
    """What was found, each with its place."""

    long_modules: list[str] = field(default_factory=list)
    long_functions: list[str] = field(default_factory=list)
    many_parameters: list[str] = field(default_factory=list)
    text_keys: list[str] = field(default_factory=list)
    upward: list[str] = field(default_factory=list)
    circles: list[str] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Yield one line per kind."""
        for words, found in (
            (f"modules over {MAX_LINES} lines", self.long_modules),
            (f"functions over {MAX_FUNCTION_LINES} lines", self.long_functions),
            (f"functions with more than {MAX_PARAMETERS} parameters", self.many_parameters),
            (f"keys read as text outside {', '.join(STORES_KEYS)}", self.text_keys),
            ("upward imports", self.upward),
            ("circles of rooms", self.circles),
        ):
            yield f"{len(found):5}  {words}"


def survey(package: Path) -> Findings:
    """Return what is found in *package*, a folder of modules."""
    found = Findings()
    arrows: dict[str, set[str]] = {}
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package).as_posix()
        text = path.read_text()
        tree = ast.parse(text)
        if text.count("\n") > MAX_LINES:
            found.long_modules.append(name)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                _judge_function(node, name, found)
        if room_of(name) not in STORES_KEYS:
            found.text_keys += [f"{name}:{line}" for line in _text_keys(tree)]
        for target in _imports(tree, package):
            arrows.setdefault(room_of(name), set()).add(room_of(target))
            if _is_upward(room_of(name), room_of(target)):
                found.upward.append(f"{name} -> {target}")
    found.circles = sorted(_circles(arrows))
    return found


def room_of(name: str) -> str:
    """Return the room of the module at *name*, relative to the package."""
    return name.split("/")[0].removesuffix(".py")


def _is_upward(room: str, target: str) -> bool:
    if BESIDE in (room, target):
        return room == BESIDE and target not in (BESIDE, "base", "__init__")
    rank = {name: number for number, layer in enumerate(LAYERS) for name in layer}
    return target in rank and room in rank and rank[target] < rank[room]


def _judge_function(node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, found: Findings) -> None:
    place = f"{name}:{node.lineno} {node.name}"
    if (node.end_lineno or node.lineno) - node.lineno + 1 > MAX_FUNCTION_LINES:
        found.long_functions.append(place)
    arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    if len([item for item in arguments if item.arg not in ("self", "cls")]) > MAX_PARAMETERS:
        found.many_parameters.append(place)


def _text_keys(tree: ast.AST) -> Iterator[int]:
    """Yield the lines at which something is read under a key that stands there as text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            key: ast.expr | None = node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            key = node.args[0] if node.args else None
        else:
            continue
        if isinstance(key, ast.Constant) and isinstance(key.value, str) and not _is_type(node):
            yield node.lineno


def _is_type(node: ast.AST) -> bool:
    """Whether a subscript is a type like ``Literal["a"]``."""
    return isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal"


def _imports(tree: ast.AST, package: Path) -> Iterator[str]:
    """Yield the modules of the package that are imported when the program runs, relative to the package."""
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and id(node) not in for_types:
            for alias in node.names:
                yield from _module(f"{node.module}.{alias.name}", node.module, package)


def _module(full: str, outer: str, package: Path) -> Iterator[str]:
    for name in (full, outer):
        first, _, rest = name.partition(".")
        path = rest.replace(".", "/")
        if first == package.name and path and ((package / f"{path}.py").exists() or (package / path).is_dir()):
            yield f"{path}.py" if (package / f"{path}.py").exists() else path
            return


def _circles(arrows: dict[str, set[str]]) -> Iterator[str]:
    """Yield each pair of rooms that reach each other, larger circles by their pairs."""
    reach = {room: _reached(room, arrows) for room in arrows}
    for room in arrows:
        for other in reach[room]:
            if room < other and room in reach.get(other, set()):
                yield f"{room} <-> {other}"


def _reached(room: str, arrows: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    todo = [room]
    while todo:
        for target in arrows.get(todo.pop(), ()):
            if target != room and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def main() -> int:
    """Print the figures; with ``-v`` every place."""
    arguments = [item for item in sys.argv[1:] if item != "-v"]
    found = survey(Path(arguments[0]).resolve() if arguments else PACKAGE)
    print("\n".join(found.lines()))
    if "-v" in sys.argv:
        for name, places in vars(found).items():
            print(f"\n{name}", *places, sep="\n  ")
    return 0


if __name__ == "__main__":
    sys.exit(main())
