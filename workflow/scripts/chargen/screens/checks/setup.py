"""Checks of the installation and the configuration: versions, profile, settings, key, privacy."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from chargen.base.errors import ChargenError
from chargen.base.findings import Finding
from chargen.planning.budget import budgets
from chargen.records import settings as config
from chargen.records.library_settings import NAME, misnamed
from chargen.records.origins import advice_on_style, origins
from chargen.records.settings import Settings

NEEDS = {"snakemake": (9, 27), "google-genai": (3, 4)}
NEEDS_PYTHON = (3, 11)


def check_versions() -> Iterator[Finding]:
    """Yield what Python, Snakemake, google-genai and chargen are installed."""
    from importlib import metadata

    from chargen import __version__

    yield Finding("ok", "chargen", __version__)
    here = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] >= NEEDS_PYTHON
    text = "" if good else "chargen needs Python 3.11 or newer: make PYTHON=python3.12"
    yield Finding("ok" if good else "error", "python", here, text)
    for name, needed in NEEDS.items():
        least = ".".join(map(str, needed))
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding("error", name, "is not installed", f"pip install '{name}>={least}'")
            continue
        if _numbers(found) >= needed:
            yield Finding("ok", name, found)
        else:
            yield Finding("error", name, f"{found} is too old", f"pip install --upgrade '{name}>={least}'")


def check_profile(overridden: Sequence[str]) -> Iterator[Finding]:
    """Yield whether the default profile is used; *overridden* names its settings that are not."""
    if overridden:
        yield Finding(
            "warning",
            "profile",
            f"not used: {', '.join(overridden)}",
            "profiles/default has what chargen expects of Snakemake. Without it nothing is paid twice, but runs in "
            "two terminals may block each other; remove --workflow-profile, or copy these settings to your own",
        )
    else:
        yield Finding("ok", "profile", "profiles/default is used")


def check_configuration(settings: Settings) -> Iterator[Finding]:
    """Yield provider, budget and what seems meant otherwise."""
    bounds = [f"budget ${budget.usd:g} in {budget.period}" for budget in budgets(settings)] or ["no budget"]
    yield Finding(
        "ok", "config", ", ".join([f"provider {settings.provider}, library id {settings.library_id}", *bounds])
    )
    if settings.budget_usd == 0:
        yield Finding(
            "warning",
            "config",
            "budget_usd is 0: nothing will be sent",
            "set budget_usd to the most that a day may cost",
        )
    for name in config.FILE_KEYS:
        path = Path(getattr(settings, name))
        if not path.is_file():
            yield Finding("error", "config", f"{name}: file not found: {path}", f"correct `{name}`, or remove it")


def check_look(settings: Settings) -> Iterator[Finding]:
    """Yield what shapes the pictures, and where it is said."""
    if settings.library_fault:
        yield Finding("error", "look", settings.library_fault, "correct chargen.yaml; see docs/look.md")
        return
    from chargen.prompts.rules import RulesError, load_rules

    try:
        rules = load_rules(Path(settings.prompts), Path(settings.styles), settings.look)
    except RulesError as error:
        yield Finding("error", "look", str(error), "correct the file")
        return
    if wrong := misnamed(settings.library_root):
        yield Finding("warning", "look", f"{wrong} is not read", f"rename it to {NAME}")
    if not rules.styles.art.medium and settings.library_root.is_dir():  # without a library there is nobody to say it
        yield Finding("warning", "look", "the library says no medium", advice_on_style(settings))
    for key, value, place in origins(settings, rules.look):
        yield Finding("ok", "look", f"{key}: {value} ({place})")


def check_key(settings: Settings, environment: Mapping[str, str]) -> Iterator[Finding]:
    """Yield which variable the API key comes from, and what is odd about it; never the key."""
    home = Path(settings.home)
    try:
        found = list(config.found_keys(settings.capabilities, home, environment))
    except ChargenError as error:
        yield Finding("error", "key", str(error), "or put it into the environment")
        return
    provider = settings.capabilities
    needed, unneeded = provider.needs_key, f"{provider.name} does not need one"
    if not found:
        says = "none found" if needed else f"not found; {unneeded}"
        text = (
            f"put GEMINI_API_KEY=… into {home / '.env'} (`snakemake init` writes one with comments); "
            "keys: https://aistudio.google.com/apikey"
        )
        yield Finding("error" if needed else "ok", "key", says, text if needed else "")
    else:
        used = found[0]
        if used.trouble:
            yield Finding("error" if needed else "warning", "key", used.trouble)
        else:
            yield Finding("ok", "key", f"{used.name} from {used.place}" + ("" if needed else f"; {unneeded}"))
        odd = [f"{other.name} ({other.place})" for other in found[1:] if other.value != used.value]
        if odd:
            yield Finding("warning", "key", f"{', '.join(odd)} has another key and is not used", "keep one of them")
        if used.value != used.value.strip("\"'"):
            yield Finding("warning", "key", "it is in quotes", f"write {used.name}=… without them")
    dotenv = config.dotenv_file(home)
    if dotenv and dotenv.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding("warning", "key", f"{dotenv} is readable by other users of this machine", f"chmod 600 {dotenv}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
