"""The arguments of single commands, like ``scenes`` of `snakemake order`: who takes which, and what they mean.

They are typed behind ``--config`` like settings, but say what one command shall do, not how chargen works.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from chargen.base.errors import ChargenError
from chargen.records.declaring import Key, defaults_of, key, keys_of, rule_of


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a command was asked to do. Subclasses declare the arguments of one command."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return the arguments among those that were *given*, with defaults for the others."""
        names = {name for name, _, _ in keys_of(cls)}
        return cls(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in given.items()
                if name in names
            }
        )


@dataclass(frozen=True, slots=True)
class Screen(Arguments):
    """A command that shows something."""

    format: Literal["text", "json"] = key(
        "text", "How the command answers: as a screen, or as JSON on standard output."
    )


@dataclass(frozen=True, slots=True)
class Order(Arguments):
    scenes: tuple[str, ...] = key((), "Globs over kind/entity/scene: what is made again.")
    state: Literal["", "stale", "failed", "missing", "done", "adopted"] = key(
        "", "Only scenes in this state; empty: in any."
    )


@dataclass(frozen=True, slots=True)
class Collect(Screen):
    job: str = key("", "A job's name, display name or batch id.")


@dataclass(frozen=True, slots=True)
class History(Screen):
    run_id: str = key("", "The run that is shown in detail; empty: all runs.", pattern="^[0-9TZ-]*$")


@dataclass(frozen=True, slots=True)
class Cleanup(Screen):
    cancel: tuple[str, ...] = key((), "Running jobs to cancel: `all` of this library, or names, ids and globs.")
    delete: tuple[str, ...] = key(
        (), "Ended jobs to delete with their results: `all` of this library, or names, ids and globs."
    )
    files: tuple[str, ...] = key(
        (), "Uploaded files to delete: `all` that chargen sent, `orphans`, or names and globs."
    )
    older_than_h: float = key(0, "Only jobs and files that are at least this many hours old.", minimum=0)
    confirm: bool = key(False, "Do it; without it, the command only shows what it would do.")
    force: Literal["", "even-if-needed"] = key("", "Also delete what an unfinished batch still needs.")


@dataclass(frozen=True, slots=True)
class Review(Arguments):
    approve: tuple[str, ...] = key((), "Globs over kind/entity/scene or kind/entity/scene:variation to approve.")
    reject: tuple[str, ...] = key((), "Globs over pictures to reject.")
    pick: tuple[str, ...] = key((), "The preferred variation of scenes, kind/entity/scene:variation.")
    note: str = key("", "What is wrong with the pictures that are rejected; it goes into the next prompt.")
    reviews: str = key("", "A file with many reviews (schemas/reviews.schema.json), as the report page exports it.")


COMMANDS: Mapping[str, type[Arguments]] = {
    "order": Order,
    "collect": Collect,
    "jobs": Screen,
    "storage": Screen,
    "history": History,
    "failures": Screen,
    "watch": Screen,
    "prices": Screen,
    "doctor": Screen,
    "init": Screen,
    "cleanup": Cleanup,
    "review": Review,
}
"""Every target that takes arguments."""


def all_arguments() -> dict[str, Key]:
    """Return every argument with its declaration."""
    return {name: declaration for command in COMMANDS.values() for name, _, declaration in keys_of(command)}


def default_arguments() -> dict[str, Any]:
    """Return every argument with its default."""
    return {name: value for command in COMMANDS.values() for name, value in defaults_of(command).items()}


def rule_of_arguments() -> dict[str, Any]:
    """Return the JSON Schema of all arguments."""
    rules = {name: rule for command in COMMANDS.values() for name, rule in rule_of(command)["properties"].items()}
    return {"type": "object", "additionalProperties": False, "properties": rules}


def commands_that_take(name: str) -> list[str]:
    """Return the commands that take the argument *name*."""
    return [command for command, of in COMMANDS.items() if name in {taken for taken, _, _ in keys_of(of)}]


def check_arguments(words: Sequence[str], targets: Collection[str]) -> None:
    """Raise ChargenError for an argument among *words*, typed behind ``--config``, that no one of *targets* takes."""
    known = all_arguments()
    typed = [word.partition("=")[0] for word in words]
    faults = [_not_taken(name, targets) for name in typed if name in known and not _is_taken(name, targets)]
    if faults:
        raise ChargenError("\n".join(faults))


def _is_taken(name: str, targets: Collection[str]) -> bool:
    return not set(commands_that_take(name)).isdisjoint(targets)


def _not_taken(name: str, targets: Collection[str]) -> str:
    what = " and ".join(sorted(targets))
    taken = list(dict.fromkeys(_arguments_of(targets)))
    takes = f"It takes {', '.join(f'`{item}`' for item in taken)}" if taken else "It takes no arguments"
    near = difflib.get_close_matches(name, taken, n=1)
    question = f"; did you mean `{near[0]}`?" if near else f". Take it away, or give it to: {_owners(name)}"
    return f"--config {name}: {what} does not take `{name}`. {takes}{question}"


def _owners(name: str) -> str:
    return ", ".join(commands_that_take(name))


def _arguments_of(targets: Collection[str]) -> Iterator[str]:
    for target in targets:
        if command := COMMANDS.get(target):
            yield from (name for name, _, _ in keys_of(command))
