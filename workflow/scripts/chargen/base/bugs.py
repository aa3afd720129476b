"""Unexpected errors: one line for the user, and the traceback in a file for a bug report."""

from __future__ import annotations

import datetime as dt
import platform
import sys
import traceback
from pathlib import Path

from chargen import __version__
from chargen.base import output

FILE = Path("logs") / "unexpected.log"
"""Relative to the folder that holds state/ and results/."""
OLDER = "unexpected.1.log"
MAX_BYTES = 1_000_000
LONGEST_WORDS = 300
"""Characters of the exception's own words in the line for the user."""


def in_words(error: Exception, doing: str, home: Path) -> str:
    """Return the line for the user about an *error* without a message of its own: a package that is not installed,
    or of a bug, see `record`."""
    if isinstance(error, ModuleNotFoundError) and not (error.name or "").startswith("chargen"):
        return (
            f"the Python package {error.name or output.one_line(str(error))} is missing in {sys.prefix}: chargen was "
            "updated without its dependencies. In its folder: pip install -c constraints.txt -e ."
        )
    return record(error, doing, home)


def record(error: BaseException, doing: str, home: Path) -> str:
    """Write the traceback of *error* to `FILE` below *home*, and return the line for the user.

    It says what chargen was *doing*, what happened, where the traceback is, and what to do. Never raises: where the
    file cannot be written, the traceback goes to standard error.
    """
    words = output.one_line(str(error))[:LONGEST_WORDS]
    what = f"{type(error).__name__}: {words}" if words else type(error).__name__
    written = output.clean(_page(error, doing))
    where = f"The traceback is in {FILE}"
    try:
        _append(home / FILE, written)
    except Exception as trouble:
        print(written, file=sys.stderr, flush=True)
        where = f"The traceback is above ({FILE} cannot be written: {type(trouble).__name__})"
    return (
        f"unexpected error while {doing}: {what}. This is a bug in chargen. {where}; docs/troubleshooting.md says how "
        "to report it"
    )


def _page(error: BaseException, doing: str) -> str:
    now = dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = f"chargen {__version__}, Python {platform.python_version()}, {platform.platform()}"
    return f"{now} while {doing} ({about})\n" + "".join(traceback.format_exception(error))


def _append(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > MAX_BYTES:
        path.replace(path.with_name(OLDER))
    with path.open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{text}\n")
