"""What every check gets, and what it returns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from chargen.base.findings import Finding
from chargen.base.frozen import frozen
from chargen.records.settings import Settings
from chargen.records.state import State


@frozen
class Subject:
    """What is checked; ``overridden`` names the settings of the default profile that are not used."""

    settings: Settings
    state: State
    environment: Mapping[str, str]
    overridden: Sequence[str] = ()


@frozen
class Check:
    """A check: its name, what it looks at, and the function that yields its findings.

    The function never raises for what it checks, and never puts the key into a finding. Each finding that is not ``ok``
    carries the advice that goes with it.
    """

    name: str
    looks_at: str
    run: Callable[[Subject], Iterator[Finding]]
