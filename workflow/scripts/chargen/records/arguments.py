"""The arguments of single commands, like ``scenes`` of `snakemake order`: who takes which, and what they mean.

They are typed behind ``--config`` like settings, but say what one command shall do, not how chargen works.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any, Literal, Self

from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.records.declaring import Key, defaults_of, key, keys_of, rule_of


@frozen
class Arguments:
    """What a command was asked to do. Subclasses declare the arguments of one command."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """Return the arguments among those that were *given*, with defaults for the others."""
        names = {name for name, _ in keys_of(cls)}
        return cls(
            **{
                name: tuple(value) if isinstance(value, list) else value
                for name, value in given.items()
                if name in names
            }
        )


@frozen
class Screen(Arguments):
    """A command that shows something."""

    format: Literal["text", "json"] = key(
        "text", "How the command answers: as a screen, or as JSON on standard output."
    )


@frozen
class Order(Arguments):
    scenes: tuple[str, ...] = key((), "Globs over kind/entity/scene: what is made again.")
    state: Literal["", "stale", "recomposed", "failed", "missing", "done", "adopted"] = key(
        "", "Only scenes in this state; empty: in any."
    )


@frozen
class Collect(Screen):
    job: str = key("", "A job's name, display name or batch id.")


@frozen
class History(Screen):
    run_id: str = key("", "The run that is shown in detail; empty: all runs.", pattern="^[0-9TZ-]*$")


@frozen
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


@frozen
class Init(Screen):
    style: str = key("", "How the pictures of the new library look, in a sentence; it goes into its chargen.yaml.")


@frozen
class Review(Arguments):
    approve: tuple[str, ...] = key((), "Globs over kind/entity/scene or kind/entity/scene:variation to approve.")
    reject: tuple[str, ...] = key((), "Globs over pictures to reject.")
    pick: tuple[str, ...] = key((), "The preferred variation of scenes, kind/entity/scene:variation.")
    note: str = key("", "What is wrong with the pictures that are rejected; it goes into the next prompt.")
    reviews: str = key("", "A file with many reviews (schemas/reviews.schema.json), as the report page exports it.")


COMMANDS: Mapping[str, type[Arguments]] = {
    "order": Order,
    "collect": Collect,
    "history": History,
    "init": Init,
    "cleanup": Cleanup,
    "review": Review,
}
"""The targets that take arguments of their own. Every other screen takes those of `Screen`."""


def all_arguments() -> dict[str, Key]:
    """Return every argument with its declaration."""
    return {name: declaration for command in COMMANDS.values() for name, declaration in keys_of(command)}


def default_arguments() -> dict[str, Any]:
    """Return every argument with its default."""
    return {name: value for command in COMMANDS.values() for name, value in defaults_of(command).items()}


def rule_of_arguments() -> dict[str, Any]:
    """Return the JSON Schema of all arguments."""
    rules = {name: rule for command in COMMANDS.values() for name, rule in rule_of(command)["properties"].items()}
    return {"type": "object", "additionalProperties": False, "properties": rules}


def check_arguments(words: Sequence[str], targets: Collection[str], screens: Callable[[], Iterable[str]]) -> None:
    """Raise ChargenError for an argument among *words*, typed behind ``--config``, that no one of *targets* takes.

    *screens* returns the names of all screens.
    """
    known = all_arguments()
    typed = [name for name in (word.partition("=")[0] for word in words) if name in known]
    if not typed:
        return
    commands: dict[str, type[Arguments]] = {**dict.fromkeys(screens(), Screen), **COMMANDS}
    takes = {command: [name for name, _ in keys_of(of)] for command, of in commands.items()}
    faults = [_not_taken(name, targets, takes) for name in typed if not _takers(name, takes) & set(targets)]
    if faults:
        raise ChargenError("\n".join(faults))


def _takers(name: str, takes: Mapping[str, Sequence[str]]) -> set[str]:
    return {command for command, names in takes.items() if name in names}


def _not_taken(name: str, targets: Collection[str], takes: Mapping[str, Sequence[str]]) -> str:
    what = " and ".join(sorted(targets))
    taken = list(dict.fromkeys(item for target in targets for item in takes.get(target, ())))
    words = f"It takes {', '.join(f'`{item}`' for item in taken)}" if taken else "It takes no arguments"
    near = difflib.get_close_matches(name, taken, n=1)
    takers = ", ".join(sorted(_takers(name, takes)))
    question = f"; did you mean `{near[0]}`?" if near else f". Take it away, or give it to: {takers}"
    return f"--config {name}: {what} does not take `{name}`. {words}{question}"
