"""Parameters of a model: which of the configured ones are sent to it, and which a task key covers.

A model gets only what its entry in ``config/models.yaml`` says it takes, and a key covers what is sent. Version 0.1.0
sent the temperature to every model and hashed it. That must not make its pictures out of date now that Gemini 3 is
called without one: for such a model the key still hashes the default of 0.1.0 (`unsent_temperature`), and a recorded
key is also the present one if it was made with the configured temperature, or with one that any run of this library had
(`Temperatures`). The version in the hash stays 1: with the defaults, keys are those of 0.1.0, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from chargen.base import durable
from chargen.providers.models import ImageModel, Takes, TextModel
from chargen.records.setting_groups import ModelChoice
from chargen.records.state import State


def sent_to(takes: Takes, choice: ModelChoice) -> dict[str, Any]:
    """Return the parameters of *choice* that are sent to a model that *takes* them, by name."""
    sent: dict[str, Any] = {}
    if "temperature" in takes.parameters:
        sent["temperature"] = choice.temperature
    if choice.thinking_level in takes.thinking_levels:
        sent["thinking_level"] = choice.thinking_level
    if choice.media_resolution in takes.media_resolution:
        sent["media_resolution"] = choice.media_resolution
    return sent


def hashed(sent: Mapping[str, Any], unsent_temperature: float | None) -> dict[str, Any]:
    """Return what a task key covers of the parameters: those that are *sent*, and *unsent_temperature* where none is.

    None stands for an operation that version 0.1.0 did not have.
    """
    return dict(sent) if unsent_temperature is None else {"temperature": unsent_temperature, **sent}


def not_sent(operation: str, model: ImageModel | TextModel, choice: ModelChoice) -> list[str]:
    """Return messages on configured settings that the *model* does not take; not on the default temperature."""
    takes = model.takes
    wanted = (
        ("thinking_level", choice.thinking_level, takes.thinking_levels),
        ("media_resolution", choice.media_resolution, tuple(takes.media_resolution)),
    )
    return [
        f"models.{operation}.{name}: {value} is not sent, because {model.name} "
        + (f"takes {', '.join(known)}" if known else "takes none")
        for name, value, known in wanted
        if value and value not in known
    ]


class Temperatures:
    """The temperatures that keys of one operation may have been made with although none is sent to the model."""

    def __init__(self, state: State, operation: str, choice: ModelChoice):
        self._state = state
        self._operation = operation
        self._choice = choice

    def others(self, takes: Takes) -> tuple[float, ...]:
        """Return them without the one that is hashed now; none for a model that is sent its temperature."""
        return () if "temperature" in takes.parameters else self._known

    @cached_property
    def _known(self) -> tuple[float, ...]:
        """Read from the settings of the runs when a key differs for the first time; most plans never need them."""
        found: dict[str, float] = {repr(self._choice.temperature): self._choice.temperature}
        for run in self._state.runs():
            try:
                then = durable.read_json(run.settings)["models"][self._operation]["temperature"]
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if isinstance(then, int | float):
                found[repr(then)] = then  # 1 and 1.0 are hashed differently
        return tuple(found.values())
