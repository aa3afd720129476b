"""Capabilities of providers, for code that must not depend on one provider.

Two providers are part of chargen. Another one is a package that names its `chargen.providers.protocol.Provider` under
the entry point group ``chargen.providers``; see "Adding a provider" in CONTRIBUTING.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP = "chargen.providers"
"""The entry point group of providers that are installed beside chargen."""


class UnknownProvider(ChargenError):
    """No provider of that name is installed, or its package cannot be imported."""


@frozen
class Capabilities:
    """Facts of one provider.

    ``name`` is the setting ``provider`` and the name of its folder in ``state/``. ``recorded_as`` is the name that goes
    into the records of pictures and analyses; it must never change. ``marks_placeholders`` says that its pictures are
    placeholders, which do not count for any provider that makes real ones.

    ``is_embedded`` says that its server is started here where no ``base_url`` is set. ``default_base_url`` is the
    address that counts otherwise, ``base_url_variable`` the variable of the environment that may name another one.
    ``key_variables`` are those that may hold its API key, the first one
    first; ``key_page`` is where one gets a key.

    ``files_live_s`` is for how long its server keeps uploads, and the results of a job after its end.

    The rest are defaults of the configuration: ``budget_usd`` a day (None for no bound), ``create_timeout_s`` and
    ``grace_s`` of ``submit``.
    """

    name: str
    recorded_as: str
    marks_placeholders: bool = False
    needs_key: bool = True
    costs_money: bool = True
    is_embedded: bool = False
    default_base_url: str = ""
    base_url_variable: str = ""
    key_variables: tuple[str, ...] = ()
    key_page: str = ""
    files_live_s: float = 48 * 3600.0
    budget_usd: float | None = 10.0
    create_timeout_s: float = 120.0
    grace_s: float = 60.0


_GEMINI_KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "MYTHICINDEX_GOOGLE_API_KEY")
_BUILT_IN = {
    known.name: known
    for known in (
        Capabilities(
            name="emulator",
            recorded_as="emulator",
            marks_placeholders=True,
            needs_key=False,
            costs_money=False,
            is_embedded=True,
            key_variables=_GEMINI_KEYS,
            budget_usd=None,
            create_timeout_s=20.0,
            grace_s=2.0,
        ),
        Capabilities(
            name="gemini",
            recorded_as="google",
            default_base_url="https://generativelanguage.googleapis.com",
            base_url_variable="GOOGLE_GEMINI_BASE_URL",
            key_variables=_GEMINI_KEYS,
            key_page="https://aistudio.google.com/apikey",
        ),
    )
}


def capabilities(name: str) -> Capabilities:
    """Return the facts of the provider *name*; raise UnknownProvider, with the names that are known."""
    found: Capabilities = _BUILT_IN.get(name) or load(name).capabilities
    return found


def load(name: str) -> Any:
    """Return the `chargen.providers.protocol.Provider` of an installed package; raise UnknownProvider without one."""
    entry = _installed().get(name)
    if entry is None:
        known = ", ".join([*_BUILT_IN, *sorted(_installed())])
        raise UnknownProvider(
            f"configuration: provider: `{name}` is not installed; known are {known}. Another one is a package with an "
            f"entry point in the group {GROUP}"
        )
    return _loaded(entry)


@cache
def is_placeholder(recorded: str) -> bool:
    """Whether what was *recorded* under this name of a provider is a placeholder. An unknown name is that
    of a provider whose pictures are real: none of them is made again."""
    return any(known.recorded_as == recorded and known.marks_placeholders for known in _known_as(recorded))


def counts(recorded: str, provider: str) -> bool:
    """Whether what was *recorded* under this name counts while *provider* is used: placeholders do only for a provider
    that makes nothing else. ``""`` stands for any provider of real pictures."""
    return not is_placeholder(recorded) or marks_placeholders(provider)


def marks_placeholders(provider: str) -> bool:
    """Whether *provider* makes placeholders; ``""`` stands for any provider of real pictures."""
    return bool(provider) and capabilities(provider).marks_placeholders


def costs_money(provider: str) -> bool:
    """Whether pictures of *provider* cost money, as far as is known here."""
    try:
        return capabilities(provider).costs_money
    except UnknownProvider:
        return True


def _known_as(recorded: str) -> list[Capabilities]:
    found = [known for known in _BUILT_IN.values() if known.recorded_as == recorded]
    for entry in _installed().values() if recorded and not found else ():
        with suppress(UnknownProvider):  # a package that cannot be imported says nothing of anybody's pictures
            found.append(_loaded(entry).capabilities)
    return found


@cache
def _installed() -> Mapping[str, EntryPoint]:
    """The providers that other packages offer, by name; looked for when a name is met that is not built in."""
    from importlib.metadata import entry_points

    return {entry.name: entry for entry in entry_points(group=GROUP) if entry.name not in _BUILT_IN}


@cache
def _loaded(entry: EntryPoint) -> Any:
    try:
        return entry.load()
    except Exception as error:  # whatever a foreign package does when it is imported
        words = f"{type(error).__name__}: {error}"
        raise UnknownProvider(f"provider `{entry.name}`: {entry.value} cannot be imported: {words}") from error
