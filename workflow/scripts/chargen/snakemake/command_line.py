"""Mistakes on Snakemake's command line for which Snakemake itself prints a traceback, found before it reads them."""

from __future__ import annotations

import difflib
import re
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from shlex import quote
from typing import Any

from chargen.base import output
from chargen.base.errors import ChargenError

Function = Callable[..., Any]
_KEY = re.compile(r"[a-zA-Z_][\w-]*\w")
"""What Snakemake takes for the key of a setting."""


def check_before(function: Function) -> Function:
    """Return Snakemake's *function* of the parsed arguments, which is called only if there is no mistake in them."""

    def checked(args: Namespace, *more: Any) -> Any:
        try:
            check_settings(args.config or ())
            check_files(args.configfile or ())
        except ChargenError as error:
            _exit(str(error))
        return function(args, *more)

    return checked


def in_one_line(print_exception: Function) -> Function:
    """Return Snakemake's *print_exception* so that an option with a value it cannot read is reported in one line."""

    def printed(error: Exception, *more: Any) -> Any:
        if isinstance(error, ValueError):
            _exit(f"Snakemake cannot read the value of an option: {error}. `snakemake --help` describes them")
        return print_exception(error, *more)

    return printed


def check_settings(words: Sequence[str]) -> None:
    """Raise ChargenError if one of the *words* after ``--config`` is no setting; most often it is a target."""
    from chargen.records.settings import configuration_rule

    known = list(configuration_rule()["properties"])
    targets = []
    for word in words:
        key, sign, _ = word.partition("=")
        if sign and not _KEY.fullmatch(key):
            near = difflib.get_close_matches(key, known, 1)
            raise ChargenError(
                f"--config {word}: unknown key `{key}`" + (f", did you mean `{near[0]}`?" if near else "")
            )
        if not sign and key in known:
            raise ChargenError(f"--config {key}: the value is missing, as in `--config {key}=…`")
        if not sign:
            targets.append(word)
    if targets:
        settings = [quote(word) for word in words if word not in targets]
        line = " ".join(["snakemake", *map(quote, targets), *(["--config", *settings] if settings else [])])
        raise ChargenError(
            f"`{' '.join(targets)}` stands after --config, where Snakemake expects settings (key=value). Nothing was "
            f"done. Put targets first:\n    {line}"
        )


def check_files(paths: Sequence[Path]) -> None:
    """Raise ChargenError if one of the configuration files is not text that can be read."""
    for path in map(Path, paths):
        try:
            path.read_bytes().decode()
        except FileNotFoundError:
            raise ChargenError(f"--configfile {path}: file not found") from None
        except OSError as error:
            raise ChargenError(f"--configfile {path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise ChargenError(f"--configfile {path}: not UTF-8 at byte {error.start}; save it as UTF-8") from None


def _exit(message: str) -> None:
    print(output.clean(f"chargen: {message}"), file=sys.stderr, flush=True)
    sys.exit(1)
