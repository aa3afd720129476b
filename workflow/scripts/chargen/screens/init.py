"""`snakemake init`: a small library to start from, and a .env with comments; nothing is ever overwritten."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.library.model import KIND_FOLDERS
from chargen.records.arguments import Init
from chargen.records.commands import command
from chargen.records.library_settings import NAME
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.screens.screen import DIM, GOOD, Line, Screen, Span, advice, heading, line, to_paste

HELP = "make a small library to start from (setting: library)"
READ_ONLY = False
STARTER = schema.ROOT / "config" / "starter"
ENV = "env"
SCHEMA = "imagery.schema.json"
"""Lies in the library, where the first line of each imagery.yaml names it to editors."""


@frozen(kw_only=True)
class Made(Document):
    """The answer of `snakemake init`: the files that were made in ``library``, and the ``env`` file."""

    schema_version: int = 1
    library: str
    made: tuple[str, ...]
    was_there: bool
    env: str
    env_was_there: bool


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Make what is absent and say what comes next; return the exit status."""
    if settings.source:
        raise ChargenError(
            f"init: {settings.source} is an example; choose a folder for your library: --config library=my-story"
        )
    style = settings.asked(Init).style or _asked_style(Path(settings.library))
    found = make(Path(settings.library), Path(settings.home), style)
    screen.show(found, lambda width: lines(found, settings, width))
    return 0


def make(library: Path, home: Path, style: str = "") -> Made:
    """Make a library at *library* unless one is there, and ``.env`` in *home* unless it is; return what was made.

    *style* goes into the library's ``chargen.yaml``, which is made, too, where a library lacks it.

    Raises ChargenError if *library* is a file, or lies where it would be lost.
    """
    if library.exists() and not library.is_dir():
        raise ChargenError(f"init: {library} is a file; name another folder: --config library=my-story")
    if library == home:
        raise ChargenError(f"init: {library} is the working directory itself; name a folder in it, like my-story")
    present = [folder for folder in KIND_FOLDERS if (library / folder).is_dir()]
    made = [] if present else [_copy(source, library / name) for name, source in _library_files()]
    if not (library / NAME).exists() and (style or not present):
        library.mkdir(parents=True, exist_ok=True)
        _write_new(library / NAME, _with_style(style), mode=0o644)
        made.append(library / NAME)
    elif style:
        raise ChargenError(f"init: {library / NAME} is there: write `style:` into it by hand")
    dotenv = home / ".env"
    has_env = dotenv.exists()
    if not has_env:
        _write_new(dotenv, (STARTER / ENV).read_bytes(), mode=0o600)
    return Made(
        library=str(library),
        made=tuple(str(path.relative_to(library)) for path in made),
        was_there=bool(present),
        env=str(dotenv),
        env_was_there=has_env,
    )


def lines(found: Made, settings: Settings, width: int | None) -> Iterator[Line]:
    """Yield the screen: what was made, what was left alone, and the next steps."""
    library = _relative(found.library, settings.home)
    if found.was_there:
        yield line(Span("○ ", DIM), f"{library} is already a library; nothing was changed")
        for name in found.made:
            yield line(Span("✓ ", GOOD), f"created {library}/{name}")
    else:
        yield line(Span("✓ ", GOOD), f"created {library} with a character, a location and a chapter")
        for name in found.made:
            yield line(Span(f"    {library}/{name}", DIM))
    if found.env_was_there:
        yield line(Span("○ ", DIM), ".env already exists; it was not changed")
    else:
        yield line(Span("✓ ", GOOD), "created .env for your key")
    yield line()
    yield heading("Next")
    for number, (step, what_to_type) in enumerate(
        (
            ("see what would be made (writes nothing, costs nothing):", command(settings, "-n generate_all")),
            (
                "make placeholders with the built-in emulator, without a key:",
                command(settings, "--cores 4 generate_all"),
            ),
            (f"open {library}/characters/ada-thornfield/imagery.yaml, change it, and run the last command again", ""),
            ("put your key into .env and check the setup:", command(settings, "doctor", "provider=gemini")),
            ("make real pictures:", command(settings, "--cores 4 generate_all", "provider=gemini")),
        ),
        1,
    ):
        yield line(f"{number}. {step}")
        if what_to_type:
            yield to_paste(what_to_type)
    yield from advice(f"To type less, write `library: {library}` into config/config.yaml.", width)


def _asked_style(library: Path) -> str:
    """What somebody at a terminal answers to how the pictures shall look; ``""`` where nobody can be asked."""
    if (library / NAME).exists() or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return ""
    print("In a sentence, how should the pictures look? (Enter: decide later) ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip()


def _with_style(style: str) -> bytes:
    text = (STARTER / NAME).read_text("utf-8")
    return (text.replace("# style:\n", f"style: {json.dumps(style, ensure_ascii=False)}\n") if style else text).encode()


def _library_files() -> Iterator[tuple[str, Path]]:
    """Yield what a new library holds: by path in it, the file that is copied."""
    for folder in KIND_FOLDERS:
        for path in sorted((STARTER / folder).rglob("*")):
            if path.is_file():
                yield path.relative_to(STARTER).as_posix(), path
    yield SCHEMA, schema.ROOT / "schemas" / SCHEMA


def _copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    _write_new(target, source.read_bytes(), mode=0o644)
    return target


def _write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that does not exist; FileExistsError if it has come up meanwhile."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _relative(path: str, home: str) -> str:
    short = os.path.relpath(path, home)
    return path if short.startswith("..") else short
