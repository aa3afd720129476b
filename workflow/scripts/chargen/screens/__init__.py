"""Screens: commands for a person, separate from a run. Each is a module here, a verb and a target of the same name.

A module is a screen if it has `HELP`, one line about it, and ``run(settings, state, run_files, screen)``, which prints
and returns the exit status. It may have `ARGUMENTS`, what `add_argument` takes for each further argument of the verb,
which `run` takes by name; and ``READ_ONLY = False`` if it changes something. Its run is not recorded.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any


def find(name: str) -> Any:
    """Return the module of the screen *name*. Raises ModuleNotFoundError if there is none."""
    return import_module(f"{__name__}.{name}")


def is_screen(name: str) -> bool:
    """Whether there is a screen called *name*."""
    return name.isidentifier() and find_spec(f"{__name__}.{name}") is not None and hasattr(find(name), "HELP")


def names() -> list[str]:
    """Return the names of all screens."""
    import pkgutil  # not needed where a screen is named

    return [module.name for module in pkgutil.iter_modules(__path__) if is_screen(module.name)]
