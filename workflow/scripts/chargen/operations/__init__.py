"""The operations, one package each: what is requested from the API, and what is done with its answers.

Each package of this folder is one; its ``__init__`` holds it as ``OPERATION``. Nothing else needs to name it.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chargen.operations.base import Operation
    from chargen.operations.generate import Generate

SCENES = "generate"
"""The operation that makes the pictures of scenes: the default target, and the page of the report."""
DEFAULT_TARGET = f"{SCENES}_all"
FOLDERS = ("characters", "locations", "chapters")
"""The folders of a library, as targets name them."""


def names() -> list[str]:
    """Return the names of all operations, that of SCENES first; none of them is imported."""
    found = {path.parent.name for folder in __path__ for path in Path(folder).glob("*/__init__.py")}
    return [SCENES, *sorted(found - {SCENES})]


def operation(name: str) -> Operation:
    """Return the operation *name*; its package is imported when it is first needed."""
    if name not in names():
        raise ValueError(f"no operation {name!r}")
    found: Operation = import_module(f"{__name__}.{name}").OPERATION
    return found


def named(name: str) -> Operation:
    """The same for a *name* typed by the user. Raises ChargenError for an unknown operation."""
    from chargen.base.errors import ChargenError

    try:
        return operation(name)
    except ValueError:
        raise ChargenError(f"no operation {name}; there are {', '.join(names())}") from None


def every() -> list[Operation]:
    """Return all operations, that of SCENES first."""
    return [operation(name) for name in names()]


def targets() -> frozenset[str]:
    """Return the targets of all operations."""
    return frozenset().union(*(item.targets for item in every()))


def of_scenes() -> Generate:
    """Return the operation of SCENES."""
    from chargen.operations.generate import OPERATION

    return OPERATION


def of_files() -> list[Operation]:
    """Return all operations but that of SCENES."""
    return every()[1:]
