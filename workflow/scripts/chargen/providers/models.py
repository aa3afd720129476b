"""What the models can do and what they cost: ``config/models.yaml`` with questions answered."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any, TypeVar

from chargen.base import schemas as schema
from chargen.base.errors import CannotPlan, ChargenError
from chargen.base.frozen import frozen
from chargen.base.image_sizes import size_table
from chargen.records.batch import Tokens


@frozen
class Takes:
    """Which settings a model takes; others are not sent to it.

    ``image_tokens`` are those of one picture that is sent to it, ``media_resolution`` the same by resolution.
    """

    parameters: frozenset[str] = frozenset()
    thinking_levels: tuple[str, ...] = ()
    image_tokens: int = 0
    media_resolution: Mapping[str, int] = field(default_factory=dict)

    def tokens_of_image(self, resolution: str = "") -> int:
        """Return the tokens of one picture that is sent at a media *resolution*, the model's own if empty."""
        return self.media_resolution.get(resolution, self.image_tokens)


TAKES_NOTHING = Takes()


@frozen
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
    usd_per_mtok_in: float = 0.0  # prompt and references; 0 where no price is known
    takes: Takes = TAKES_NOTHING
    best_references: int = 0  # the number up to which it does well; 0 where none is known

    @property
    def most_references(self) -> int:
        """How many references are sent to it."""
        return min(self.references, self.best_references or self.references)


@frozen
class TextModel:
    """A text model: US dollars per million tokens at the standard rate, as of the catalog's day."""

    name: str
    usd_per_mtok_in: float
    usd_per_mtok_out: float
    quota: str
    deprecated: bool = False
    successor: str = ""
    takes: Takes = TAKES_NOTHING


class RetiredModel(CannotPlan):
    """The model no longer answers; the message names what replaced it."""


Model = TypeVar("Model", ImageModel, TextModel)


def usable(find: Callable[[str], Model], name: str, fallback: str, denied: Collection[str] = ()) -> tuple[Model, str]:
    """Return the model *name* as *find* knows it, or the *fallback* where it was shut down, or is *denied* by the
    server; and what the user should know about that, if anything."""
    notice = ""
    try:
        if name in denied and fallback:
            raise RetiredModel(f"the server has no model `{name}`")
        model = find(name)
    except RetiredModel as retired:
        if not fallback:
            raise
        notice = f"{retired}; the fallback `{fallback}` is used"
        model = find(fallback)
    if model.deprecated:
        notice = notice or f"model `{model.name}` is deprecated; `{model.successor}` replaces it"
    return model, notice


class Catalog:
    """The facts of one models file as of a day."""

    def __init__(self, data: Mapping[str, Any], source: str, today: dt.date):
        self._data = data
        self._source = source
        self._today = today
        self.updated = dt.date.fromisoformat(data["updated"])
        self.batch_discount = float(data["batch_discount"])
        self.input_image_tokens = int(data["input_image_tokens"])
        self.input_image_side = int(data["input_image_side"])
        self.input_file_bytes = int(data["input_file_bytes"])

    @property
    def facts(self) -> Mapping[str, Any]:
        """The whole file, as ``schemas/models.schema.json`` describes it."""
        return self._data

    def entry(self, name: str) -> Mapping[str, Any]:
        """Return what the file says of the image or text model *name*, shut down or not, with its tokens of an image;
        ChargenError if it says nothing."""
        facts = self._data["image_models"].get(name) or self._data["text_models"].get(name)
        if facts is None:
            raise ChargenError(f"{self._source} has no model `{name}`")
        return {"input_image_tokens": self.input_image_tokens, **facts}

    def image_model(self, name: str) -> ImageModel:
        """Return the image model *name*; RetiredModel if it was shut down, ChargenError if it is unknown."""
        facts = self._facts("image", name, "sizes, ratios and price")
        return ImageModel(
            name=name,
            deprecated=facts["state"] == "deprecated",
            successor=facts.get("successor", ""),
            sizes=tuple(facts["sizes"]),
            ratios=tuple(self._data["ratio_sets"][facts["ratios"]]),
            references=facts["references"],
            usd_per_image={size: of["usd"] for size, of in facts["sizes"].items() if "usd" in of},
            quota=facts["quota"],
            usd_per_mtok_in=float(facts.get("usd_per_mtok_in", 0.0)),
            takes=self._takes(facts),
            best_references=facts.get("best_references", 0),
        )

    def text_model(self, name: str) -> TextModel:
        """Return the text model *name* with today's prices; raises as `image_model` does."""
        facts = self._at_todays_price(self._facts("text", name, "prices"))
        return TextModel(
            name=name,
            usd_per_mtok_in=float(facts["usd_per_mtok_in"]),
            usd_per_mtok_out=float(facts["usd_per_mtok_out"]),
            quota=facts["quota"],
            deprecated=facts["state"] == "deprecated",
            successor=facts.get("successor", ""),
            takes=self._takes(facts),
        )

    def text_cost(self, model: TextModel, tokens_in: int, tokens_out: int) -> float:
        """Return US dollars for one batch answer; thoughts count as output."""
        standard = tokens_in * model.usd_per_mtok_in + tokens_out * model.usd_per_mtok_out
        return standard / 1e6 * (1 - self.batch_discount)

    def input_cost(self, model: ImageModel, tokens: int) -> float:
        """Return US dollars for the prompt and the references of one batch image."""
        return tokens * model.usd_per_mtok_in / 1e6 * (1 - self.batch_discount)

    def answer_cost(self, name: str, size: str, tokens: Tokens) -> float | None:
        """Return US dollars for an answer of the batch model *name* by the *tokens* that it reports, or None where
        the file does not say.

        Also for a model that was shut down since. Tokens of pictures cost their share of what a picture of *size* does.
        """
        thought = tokens.text + tokens.thoughts
        facts = self._data["image_models"].get(name)
        if facts is None:
            facts = self._data["text_models"].get(name)
            if facts is None or tokens.image:
                return None
            facts = self._at_todays_price(facts)
            pictures = 0.0
        else:
            of_size = facts["sizes"].get(size, {})
            price, held = of_size.get("usd"), of_size.get("tokens")
            if price is None or not held:
                return None
            pictures = tokens.image * price / held
        words = tokens.prompt * facts.get("usd_per_mtok_in", 0.0) + thought * facts.get("usd_per_mtok_out", 0.0)
        return (pictures + words / 1e6) * (1 - self.batch_discount)

    def _takes(self, facts: Mapping[str, Any]) -> Takes:
        return Takes(
            frozenset(facts.get("parameters", ())),
            tuple(facts.get("thinking_levels", ())),
            int(facts.get("input_image_tokens", self.input_image_tokens)),
            facts.get("media_resolution", {}),
        )

    def _at_todays_price(self, facts: dict[str, Any]) -> dict[str, Any]:
        changes = facts.get("changes")
        return facts | changes if changes and dt.date.fromisoformat(changes["from"]) <= self._today else facts

    def _facts(self, use: str, name: str, needs: str) -> dict[str, Any]:
        """What the models file says of the ``image`` or ``text`` model *name*."""
        if name in self._data["retired"]:
            gone = self._data["retired"][name]
            raise RetiredModel(_retired(name, gone["since"], gone["successor"]))
        models: dict[str, dict[str, Any]] = self._data[f"{use}_models"]
        facts = models.get(name)
        if facts is None:
            raise CannotPlan(
                f"unknown {use} model `{name}`: {self._source} has {', '.join(models)}; add it there with {needs}"
            )
        shutdown = facts.get("shutdown")
        if shutdown and dt.date.fromisoformat(shutdown) <= self._today:
            raise RetiredModel(_retired(name, shutdown, facts.get("successor", "")))
        return facts

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
    """Read a models file; raise ChargenError with the file and key of an error."""
    import yaml

    try:
        data = yaml.load(path.read_bytes(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (OSError, yaml.YAMLError) as error:
        raise CannotPlan(f"{path}: {error}") from None
    data = _with_size_tables(_quoted(data))
    try:
        schema.check("models", data, str(path))
    except ChargenError as error:
        raise CannotPlan(str(error)) from None
    return Catalog(data, str(path), today or dt.datetime.now(dt.UTC).date())


def _with_size_tables(data: Any) -> Any:
    """*data* with the sizes of each image model as a table, also where a file of version 0.1.0 lists them."""
    models = data.get("image_models") if isinstance(data, dict) else None
    if not isinstance(models, dict):
        return data
    flat = ("usd_per_image", "image_tokens")
    entries = {
        name: {key: value for key, value in entry.items() if key not in flat} | {"sizes": size_table(entry)}
        if isinstance(entry, dict) and isinstance(entry.get("sizes"), list)
        else entry
        for name, entry in models.items()
    }
    return data | {"image_models": entries}


def _quoted(data: Any) -> Any:
    """Dates, and keys like 512, that were written without quotes, as if they had them."""
    if isinstance(data, dict):
        return {str(key): _quoted(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_quoted(value) for value in data]
    return data.isoformat() if isinstance(data, dt.date) else data


def _retired(name: str, since: str, successor: str) -> str:
    where = "config: models, or the scene's `model`"
    return f"model `{name}` was shut down on {since}; use `{successor}` instead ({where})"
