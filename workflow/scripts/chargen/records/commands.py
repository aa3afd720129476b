"""Command lines for people to paste: they reach the same library with the same pictures as the run that shows them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from chargen.records.settings import Settings, configuration_rule
from chargen.records.typed import as_typed, said_by_hand, unquoted

WHICH_LIBRARY = frozenset({"library", "library_id", "provider", "base_url", "exclude", "adopt_existing"})
"""The settings that say which pictures there are; given on the command line, they must be given again."""


def command(settings: Settings, target: str, *words: str) -> str:
    """Return a line for the shell that makes *target* of the same library, with *words* (``key=value``) for
    ``--config``. Options may go before the target: ``-n generate_all``."""
    program, *options = settings.snakemake or ("snakemake",)
    said = {word.partition("=")[0] for word in words}
    given = [_quoted(word) for word in settings.given if word.partition("=")[0] not in said]
    given += [assignment(*word.split("=", 1)) for word in words]
    return " ".join([*map(quote, [program, *target.split(), *options]), *(["--config", *given] if given else [])])


def assignment(key: str, value: str) -> str:
    """Return a word for ``--config`` that a shell, and then `chargen.records.typed`, read as *key* being *value*."""
    if unquoted(value) != value or value.startswith("["):
        value = json.dumps(value, ensure_ascii=False)
    return _quoted(f"{key}={value}")


def _quoted(word: str) -> str:
    key, sign, value = word.partition("=")
    return f"{key}{sign}{quote(value)}" if sign else quote(word)


def in_run_folder(settings: Settings, name: str) -> str:
    """Return how the shell in which `command`'s line is pasted names the file *name* of the run's folder."""
    return str(Path(settings.home) / name) if "--directory" in settings.snakemake else name


def called(workflow: Any, home: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return how Snakemake was called, as far as a later call has to say it again: program and options, and words of
    ``--config``. Both are for `Settings`."""
    options: list[str] = []
    snakefile = Path(workflow.main_snakefile).resolve()
    if snakefile.parent != home.resolve():
        options += ["--snakefile", str(snakefile), "--directory", str(home)]
    files = [_relative(Path(file), home) for file in workflow.config_settings.configfiles]
    options += ["--configfile", *files] if files else []
    words: Sequence[str] = workflow.config_settings.config_args or ()
    given = [word for word in words if word.partition("=")[0] in WHICH_LIBRARY]
    return (_program(home), *options), tuple(given)


def typed_settings(snakemake_config: Mapping[str, Any], workflow: Any) -> dict[str, Any]:
    """Return Snakemake's configuration with all texts as they were typed (see `chargen.records.typed`)."""
    files = [*workflow.configfiles, *workflow.config_settings.configfiles]
    words: Sequence[str] = workflow.config_settings.config_args or ()
    return as_typed(snakemake_config, configuration_rule(), words, [Path(file) for file in files])


def said_at_command(workflow: Any) -> dict[str, Any]:
    """Return the settings that are typed in the command, or are in files that it names."""
    words: Sequence[str] = workflow.config_settings.config_args or ()
    return said_by_hand(words, configuration_rule(), [Path(file) for file in workflow.config_settings.configfiles])


def _program(home: Path) -> str:
    """Snakemake as it is found from the shell: by its bare name only if that is the one that runs."""
    ours = Path(sys.executable).with_name("snakemake")
    found = shutil.which("snakemake")
    if not ours.exists() or (found and os.path.realpath(found) == os.path.realpath(ours)):
        return "snakemake"
    return _relative(ours, home)


def _relative(path: Path, home: Path) -> str:
    return os.path.relpath(path, home) if path.is_relative_to(home) else str(path)
