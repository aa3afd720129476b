"""What the models can do and what they cost: ``config/models.yaml`` with questions answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chargen import schema
from chargen.problems import ChargenError


@dataclass(frozen=True, slots=True)
class ImageModel:
    """An image model: sizes and ratios it takes, how many references, US dollars per image at the standard rate."""

    name: str
    deprecated: bool
    successor: str
    sizes: tuple[str, ...]
    ratios: tuple[str, ...]
    references: int
    usd_per_image: Mapping[str, float]
    quota: str


class RetiredModel(ChargenError):
    """The model no longer answers; the message names what replaced it."""


class Catalog:
    """The facts of one models file as of a day."""

    def __init__(self, data: Mapping[str, Any], source: str, today: dt.date):
        self._data = data
        self._source = source
        self._today = today
        self.updated = dt.date.fromisoformat(data["updated"])
        self.batch_discount = float(data["batch_discount"])
        self.input_image_tokens = int(data["input_image_tokens"])
        self.input_file_bytes = int(data["input_file_bytes"])

    @property
    def facts(self) -> Mapping[str, Any]:
        """The whole file, as ``schemas/models.schema.json`` describes it."""
        return self._data

    def image_model(self, name: str) -> ImageModel:
        """Return the image model *name*; RetiredModel if it was shut down, ChargenError if nobody knows it."""
        if name in self._data["retired"]:
            gone = self._data["retired"][name]
            raise RetiredModel(_retired(name, gone["since"], gone["successor"]))
        facts = self._data["image_models"].get(name)
        if facts is None:
            known = ", ".join(self._data["image_models"])
            raise ChargenError(
                f"unknown image model `{name}`: {self._source} has {known}; add it there with sizes, ratios and price"
            )
        shutdown = facts.get("shutdown")
        if shutdown and dt.date.fromisoformat(shutdown) <= self._today:
            raise RetiredModel(_retired(name, shutdown, facts.get("successor", "")))
        return ImageModel(
            name=name,
            deprecated=facts["state"] == "deprecated",
            successor=facts.get("successor", ""),
            sizes=tuple(facts["sizes"]),
            ratios=tuple(self._data["ratio_sets"][facts["ratios"]]),
            references=facts["references"],
            usd_per_image=facts["usd_per_image"],
            quota=facts["quota"],
        )

    def image_cost(self, model: ImageModel, size: str) -> float | None:
        """Return US dollars for one batch image of *size*, or None where no price is known."""
        price = model.usd_per_image.get(size)
        return None if price is None else price * (1 - self.batch_discount)

    def quota(self, name: str) -> str:
        """Return which of a tier's token quotas the model *name* draws on."""
        models = self._data["image_models"] | self._data["text_models"]
        return str(models[name]["quota"])

    def limit(self, tier: int, what: str) -> int:
        """Return a tier's ``concurrent_jobs`` or ``storage_bytes``."""
        return int(self._data["tiers"][str(tier)][what])

    def enqueued_tokens(self, tier: int, quota: str) -> int:
        """Return how many tokens a tier's waiting jobs of one model may hold."""
        return int(self._data["tiers"][str(tier)]["enqueued_tokens"][quota])


def load_catalog(path: Path, today: dt.date | None = None) -> Catalog:
    """Read a models file; ChargenError names the file and key of what is wrong."""
    import yaml

    try:
        data = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise ChargenError(f"{path}: {error}") from None
    schema.check("models", data, str(path))
    return Catalog(data, str(path), today or dt.datetime.now(dt.UTC).date())


def _retired(name: str, since: str, successor: str) -> str:
    where = "config: models.generate.model, or the scene's `model`"
    return f"model `{name}` was shut down on {since}; use `{successor}` instead ({where})"
