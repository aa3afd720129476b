"""Where the API key is found: the environment, else a ``.env`` file; it is never printed or stored."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path

from chargen.base import schemas as schema
from chargen.base.capabilities import Capabilities
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.output import EMULATOR_KEY, keep_secret


def api_key(provider: Capabilities, home: Path) -> str:
    """Return the key from the environment, else from `dotenv_file`; raise ChargenError if there is none, or if it holds
    what no key holds."""
    if not provider.needs_key:
        return EMULATOR_KEY
    for found in found_keys(provider, home, os.environ):
        if trouble := found.trouble:
            raise ChargenError(trouble)
        return found.value
    raise ChargenError(
        f"no API key: put {provider.key_variables[0]}=… into the file {home / '.env'}, or into the environment"
        + (f" (get one at {provider.key_page})" if provider.key_page else "")
    )


@frozen
class FoundKey:
    """An API key, where it was found, and in which variable."""

    place: str
    name: str
    value: str = field(repr=False)

    @property
    def trouble(self) -> str:
        """Why it cannot be sent, in words that do not show it; empty if it can. It becomes an HTTP header."""
        for number, sign in enumerate(self.value, 1):
            if "!" <= sign <= "~":
                continue
            what = "a line break" if sign in "\r\n" else "a blank" if sign.isspace() else "a control character"
            if sign.isprintable() and not sign.isspace():
                what = "not an ASCII letter, digit or sign"
            return (
                f"{self.name} from {self.place} is not a valid API key: character {number} of {len(self.value)} is "
                f"{what}. Copy the key again; nothing was sent"
            )
        return ""


def found_keys(provider: Capabilities, home: Path, environment: Mapping[str, str]) -> Iterator[FoundKey]:
    """Yield every key of *provider* in the *environment* and in `dotenv_file`, the one that counts first. None of them
    is printed by this process from then on."""
    yield from _keys_in(provider, environment, "the environment")
    if file := dotenv_file(home):
        yield from _keys_in(provider, _dotenv(file), str(file))


def _keys_in(provider: Capabilities, values: Mapping[str, str | None], place: str) -> Iterator[FoundKey]:
    for name in provider.key_variables:
        if value := (values.get(name) or "").strip():
            keep_secret(value)
            yield FoundKey(place, name, value)


def _dotenv(file: Path) -> dict[str, str | None]:
    """Return what the *file* sets; raise ChargenError if it is not text. Windows writes it in UTF-16 at times."""
    import io

    from dotenv import dotenv_values

    content = file.read_bytes()
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ChargenError(f"{file}:{line}: the file is not UTF-8; save it as UTF-8 (the key is not read)") from None
    if "\0" in text:
        raise ChargenError(f"{file}: the file is not UTF-8 text; save it as UTF-8 (the key is not read)")
    return dotenv_values(stream=io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n")))


def dotenv_file(home: Path) -> Path | None:
    """Return the ``.env`` in force: the one in the working directory *home*, else the one beside the Snakefile."""
    return next((folder / ".env" for folder in (home, schema.ROOT) if (folder / ".env").is_file()), None)
