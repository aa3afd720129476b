"""The verbs of the command line as data, and the parser that is made of them."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chargen import __version__, screens

Arguments = Mapping[str, Mapping[str, Any]]
"""What `add_argument` takes for each argument, by its name."""


@dataclass(frozen=True)
class Verb:
    """One verb: its name, what it runs, one line of help, and its arguments besides ``--run``."""

    name: str
    run: Callable[[argparse.Namespace], int | None]
    help: str
    arguments: Arguments = field(default_factory=dict)
    is_step: bool = True
    """Whether its start and end are logged; a screen is none."""


def parser(
    called_with: Sequence[str], steps: Sequence[Verb], show_screen: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """Return the parser for *called_with*, which knows no more verbs than that call needs: it is made in each process.

    *steps* are all verbs but those of the screens, whose verbs run *show_screen*.
    """
    name = called_with[0] if called_with else ""
    made = argparse.ArgumentParser(
        prog="python -m chargen",
        description="The steps of chargen, one by one. Usually Snakemake calls them: see `snakemake -l`.",
    )
    made.add_argument("--version", action="version", version=f"chargen {__version__}")
    commands = made.add_subparsers(title="verbs", metavar="verb", required=True)
    if name != "emulator":
        for verb in _verbs(name, steps, show_screen):
            _add(commands, verb)
    emulator = commands.add_parser("emulator", help="run the embedded emulator of the Gemini API alone")
    if name == "emulator":
        from chargen.emulator import cli as emulator_cli

        emulator_cli.add_arguments(emulator)
        emulator.set_defaults(run_verb=emulator_cli.run, is_step=False)
    return made


def _verbs(name: str, steps: Sequence[Verb], show_screen: Callable[[argparse.Namespace], int]) -> list[Verb]:
    """Return the verb called *name*; all of them, to choose from, if there is none."""
    if found := [verb for verb in steps if verb.name == name]:
        return found
    shown = [name] if screens.is_screen(name) else screens.names()
    verbs = [_verb_of(screen, show_screen) for screen in shown]
    return verbs if shown == [name] else [*steps, *verbs]


def _verb_of(screen: str, show_screen: Callable[[argparse.Namespace], int]) -> Verb:
    module = screens.find(screen)
    return Verb(screen, show_screen, module.HELP, getattr(module, "ARGUMENTS", {}), is_step=False)


def _add(commands: argparse._SubParsersAction[argparse.ArgumentParser], verb: Verb) -> None:
    description = verb.help[0].upper() + verb.help[1:] + "."
    command = commands.add_parser(verb.name, help=verb.help, description=description)
    command.add_argument(
        "--run", type=Path, required=True, metavar="FOLDER", help="state/<provider>/<library>/runs/<run>"
    )
    for name, options in verb.arguments.items():
        command.add_argument(name, **options)
    command.set_defaults(run_verb=verb.run, verb=verb.name, is_step=verb.is_step)
