"""Checks of config/models.yaml: whether the configured models are in it and current, and how old it is."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator

from chargen import operations
from chargen.base.errors import ChargenError
from chargen.base.findings import Finding
from chargen.base.wording import count
from chargen.providers.models import Catalog
from chargen.providers.parameters import not_sent
from chargen.providers.registry import provider_of
from chargen.records.setting_groups import ModelChoice
from chargen.records.settings import Settings
from chargen.screens.prices import OLD_DAYS, FiledModel

SHUTDOWN_DAYS = 60
"""So many days before a model's shutdown it is warned of."""


def check_models(settings: Settings, today: dt.date | None = None) -> Iterator[Finding]:
    """Yield how the configured models stand in the models file as of *today*, and how old that is."""
    today = today or dt.datetime.now(dt.UTC).date()
    try:
        catalog = provider_of(settings).catalog(settings, today)
    except ChargenError as error:
        yield Finding("error", "models", str(error), "correct the file")
        return
    for use, choice in settings.models.items():
        yield from _model(catalog, use, choice, choice.model, today)
        if choice.fallback:
            fallback = _model(catalog, f"{use}, fallback", choice, choice.fallback, today)
            yield from (finding for finding in fallback if finding.level != "ok")
    age = (today - catalog.updated).days
    if age > OLD_DAYS:
        text = "compare it with its source, correct it, and set its `updated`; `snakemake prices` shows it"
        yield Finding("warning", "prices", f"{settings.models_file} is {age} days old", text)
    else:
        yield Finding("ok", "prices", f"as of {catalog.updated.isoformat()}")


def _model(catalog: Catalog, use: str, choice: ModelChoice, name: str, today: dt.date) -> Iterator[Finding]:
    """Yield how the model *name*, used for *use*, stands in the models file."""
    key = use.partition(",")[0]
    operation = next(item for item in operations.every() if item.use == key)
    find = catalog.text_model if operation.wanted == "text" else catalog.image_model
    try:
        model = find(name)
    except ChargenError as error:
        yield Finding("error", "models", f"{use}: {error}")
        return
    instead = f"use {model.successor} instead" if model.successor else "choose another; `snakemake prices` lists them"
    shutdown = FiledModel.from_json(catalog.entry(name)).shutdown
    days = (dt.date.fromisoformat(shutdown) - today).days if shutdown else SHUTDOWN_DAYS + 1
    if days <= SHUTDOWN_DAYS:
        says = f"{use}: {name} is shut down on {shutdown}, in {count(days, 'day')}"
        yield Finding("warning", "models", says, instead)
    elif model.deprecated:
        yield Finding("warning", "models", f"{use}: {name} is deprecated", instead)
    else:
        yield Finding("ok", "models", f"{use}: {name}")
    usual = operation.unsent_temperature
    if usual is not None and choice.temperature != usual and "temperature" not in model.takes.parameters:
        says = f"models.{key}.temperature: {choice.temperature:g} is not sent, because {name} does not accept it"
        yield Finding("warning", "models", says, f"remove it, or set it to {usual:g}, the default; nothing changes")
    for says in not_sent(key, model, choice):
        yield Finding("warning", "models", says, "set one of those, or leave it empty")


def models_in_use(settings: Settings) -> dict[str, str]:
    """Return the models that a run may ask, each with what for: those configured, and those that scenes name."""
    found: dict[str, list[str]] = {}
    for use, choice in settings.models.items():
        found.setdefault(choice.model, []).append(use)
        if choice.fallback:
            found.setdefault(choice.fallback, []).append(f"{use}, fallback")
    for name, scenes in _named_by_scenes(settings).items():
        found.setdefault(name, []).append(count(scenes, "scene"))
    return {name: "; ".join(uses) for name, uses in found.items()}


def _named_by_scenes(settings: Settings) -> Counter[str]:
    """Return the models that scenes name, with how many do; none where the library cannot be read."""
    from chargen.library.load import load_library

    try:
        found = load_library(settings.library_root, exclude=settings.exclude, adopt_existing=False)
    except (OSError, ChargenError):  # `library` says why
        return Counter()
    return Counter(scene.model for entity in found.entities.values() for scene in entity.scenes if scene.model)
