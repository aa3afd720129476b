"""`snakemake doctor`: check key, configuration, models, library, machine and clock.

The key is never printed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from chargen.base.findings import Finding
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.base.wording import count
from chargen.providers.registry import provider_of
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.screens.checks.findings import Check, Subject
from chargen.screens.checks.library import check_library
from chargen.screens.checks.machine import check_disk, check_library_lock, check_locks, check_state
from chargen.screens.checks.models import check_models, models_in_use
from chargen.screens.checks.setup import (
    check_configuration,
    check_key,
    check_look,
    check_profile,
    check_versions,
)
from chargen.screens.screen import BAD, GOOD, WARN, Line, Screen, Span, advice, line

HELP = "check key, configuration, library and machine"
ARGUMENTS = {"--overridden": {"nargs": "*", "default": [], "help": "profile settings that are not used"}}
SIGNS = {"ok": ("✓ ", GOOD), "warning": ("! ", WARN), "error": ("✗ ", BAD)}


def _check_privacy(of: Subject) -> Iterator[Finding]:
    return provider_of(of.settings).check_privacy(of.settings)


def _check_api(of: Subject) -> Iterator[Finding]:
    return provider_of(of.settings).check_api(of.settings, models_in_use(of.settings))


CHECKS = (
    Check("versions", "chargen, Python, Snakemake and google-genai", lambda _: check_versions()),
    Check("profile", "whether profiles/default is used", lambda of: check_profile(of.overridden)),
    Check("config", "provider, budget, files named in it", lambda of: check_configuration(of.settings)),
    Check("look", "what shapes the pictures, and where it is said", lambda of: check_look(of.settings)),
    Check("key", "which variable the API key comes from", lambda of: check_key(of.settings, of.environment)),
    Check(
        "privacy",
        "what is kept where, and for how long",
        _check_privacy,
    ),
    Check(
        "api",
        "whether the API answers and takes the key; its models; the clock",
        _check_api,
    ),
    Check("models", "the configured models in config/models.yaml, and its age", lambda of: check_models(of.settings)),
    Check("library", "the number of entities and scenes, and problems", lambda of: check_library(of.settings)),
    Check("state", "what is in flight", lambda of: check_state(of.settings, of.state)),
    Check("disk", "free space, and whether folders can be written", lambda of: check_disk(of.settings)),
    Check("locks", "whether files can be locked in state/", lambda of: check_locks(of.state)),
    Check(
        "library lock", "whether the library can be locked", lambda of: check_library_lock(Path(of.settings.library))
    ),
)
"""All checks, in the order in which their findings are best fixed. A new one is added here."""


@frozen(kw_only=True)
class Health(Document):
    """The answer of `snakemake doctor`; ``healthy``: no finding is an error."""

    schema_version: int = 1
    healthy: bool
    findings: tuple[Finding, ...]


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen, overridden: Sequence[str] = ()) -> int:
    """Show the findings; return the exit status: 1 if one of them is an error."""
    findings = tuple(look(settings, state, overridden))
    healthy = all(finding.level != "error" for finding in findings)
    screen.show(Health(healthy=healthy, findings=findings), lambda width: lines(findings, width))
    return 0 if healthy else 1


def look(settings: Settings, state: State, overridden: Sequence[str] = ()) -> Iterator[Finding]:
    """Yield the findings of all checks."""
    subject = Subject(settings, state, os.environ, overridden)
    for check in CHECKS:
        yield from check.run(subject)


def lines(findings: Sequence[Finding], width: int | None) -> Iterator[Line]:
    """Yield the screen: a line for each finding, what to do below it, and a verdict."""
    room = max(len(finding.about) for finding in findings)
    for finding in findings:
        sign, style = SIGNS[finding.level]
        level = "" if width is not None or finding.level == "ok" else f"{finding.level}: "
        yield line(Span(sign, style), Span(f"{finding.about:<{room}}  ", "dim"), level, finding.says)
        if finding.advice:
            yield from advice(finding.advice, width)
    errors = sum(finding.level == "error" for finding in findings)
    warnings = sum(finding.level == "warning" for finding in findings)
    yield line()
    if errors:
        rest = f", {count(warnings, 'warning')}" if warnings else ""
        yield line(Span(count(errors, "error") + rest, BAD))
    elif warnings:
        yield line(Span(f"ready, with {count(warnings, 'warning')}", WARN))
    else:
        yield line(Span("no problems found", GOOD))
