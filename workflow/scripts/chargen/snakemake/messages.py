"""What chargen itself prints while Snakemake runs: messages through Snakemake's logging, and one line for an error that
ends it.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import NoReturn, ParamSpec, TextIO, TypeVar

from chargen.base import output
from chargen.base.errors import NO_MEMORY, ChargenError, system_trouble
from chargen.base.formatting import is_terminal
from chargen.snakemake.log_handler import OUR_OWN

P = ParamSpec("P")
R = TypeVar("R")


def print_message(text: str) -> None:
    """Print through Snakemake's logging, which has a thread of its own: so that lines keep their order."""
    from snakemake.logging import logger

    logger.info(output.clean(text, colours=True), extra={OUR_OWN: True})


def exit_with(message: str) -> NoReturn:
    """End Snakemake with status 1 and one message on standard error."""
    print(output.clean(f"chargen: {message}"), file=sys.stderr, flush=True)
    sys.exit(1)


def exit_on_error(doing: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function that Snakemake calls end Snakemake with one message, whatever goes wrong in it: no traceback for
    the user. *doing* says what it does, for the message about a bug."""

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def called_by_snakemake(*args: P.args, **kwargs: P.kwargs) -> R:
            try:
                return function(*args, **kwargs)
            except ChargenError as error:
                exit_with(str(error))
            except OSError as error:
                exit_with(system_trouble(error))
            except MemoryError:
                exit_with(NO_MEMORY)
            except Exception as error:
                from chargen.base import bugs

                exit_with(bugs.in_words(error, doing, Path.cwd()))

        return called_by_snakemake

    return decorate


def has_colours(stream: TextIO) -> bool:
    """Whether *stream* is a terminal on which colours are wanted."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")
