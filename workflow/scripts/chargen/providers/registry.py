"""Which package stands for a provider."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, cast

from chargen.base import capabilities

if TYPE_CHECKING:
    from chargen.providers.protocol import Connection, Provider
    from chargen.records.settings import Settings

BUILT_IN = {
    "emulator": ("chargen.providers.gemini.provider", "EMULATOR"),
    "gemini": ("chargen.providers.gemini.provider", "GEMINI"),
}
"""Module and object of the providers that are part of chargen; imported when they are first used."""


def provider(name: str) -> Provider:
    """Return the provider *name*; raise UnknownProvider if there is none."""
    if name in BUILT_IN:
        module, attribute = BUILT_IN[name]
        return cast("Provider", getattr(import_module(module), attribute))
    return cast("Provider", capabilities.load(name))


def provider_of(settings: Settings) -> Provider:
    """Return the provider that *settings* name."""
    return provider(settings.provider)


def connect(settings: Settings) -> Connection:
    """Return a connection to the server of *settings*; an embedded one is started."""
    return provider_of(settings).connect(settings)
