"""What a request will cost and count: by the tokens of real answers, and by config/models.yaml until there are some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.providers.models import Catalog, ImageModel, TextModel
from chargen.records.batch import Tokens
from chargen.records.learned import Learned, Sample, way

if TYPE_CHECKING:
    from chargen.planning.tasks import Shape, TextShape

CHARS_PER_TOKEN = 4
"""A rule of thumb for English text."""
LEAST = 5
"""So many answers say more than the models file."""


@frozen
class Price:
    """US dollars of one answer: what is expected, and how much less and more the cheapest and dearest tenth cost.

    Without real answers there is no range: ``less`` and ``more`` are 0.
    """

    usd: float
    less: float = 0.0
    more: float = 0.0


@frozen
class _Input:
    """Tokens that go in."""

    per_character: float
    per_image: float


class Estimates:
    """Prices and tokens of requests; what was *learned* is looked through once for each way of asking."""

    def __init__(self, catalog: Catalog, learned: Learned):
        self._catalog = catalog
        self._learned = learned
        self._prices: dict[str, Price] = {}
        self._inputs: dict[tuple[str, str], _Input] = {}

    def picture(self, operation: str, model: ImageModel, size: str, parameters: Mapping[str, Any]) -> Price | None:
        """Return the price of one picture with the words and thoughts around it, or None where none is known."""
        usual = self._catalog.image_cost(model, size)
        if usual is None:
            return None

        return self._price(way(operation, model.name, size, parameters), model.name, size, usual)

    def answer(self, operation: str, model: TextModel, parameters: Mapping[str, Any], usual_tokens: int) -> Price:
        """Return the price of one text answer; *usual_tokens* long as long as there is no other."""
        usual = self._catalog.text_cost(model, 0, usual_tokens)
        return self._price(way(operation, model.name, "", parameters), model.name, "", usual)

    def input_tokens(
        self, model: ImageModel | TextModel, characters: int, images: int, parameters: Mapping[str, Any]
    ) -> int:
        """Return the tokens of a request with so many *characters* and *images*."""
        rates = self._input(model, str(parameters.get("media_resolution", "")))
        return int(characters * rates.per_character + images * rates.per_image)

    def with_input(self, shape: Shape, tokens: int) -> Shape:
        """Return *shape* with the cost of so many input *tokens* added to that of the picture."""
        return replace(shape, cost_usd=round(shape.cost_usd + self._catalog.input_cost(shape.model, tokens), 8))

    def _price(self, name: str, model: str, size: str, usual: float) -> Price:
        if name not in self._prices:
            samples = self._learned.samples.get(name, [])
            costs = sorted(usd for sample in samples if (usd := _cost(self._catalog, model, size, sample)) is not None)
            self._prices[name] = _spread(costs) if len(costs) >= LEAST else Price(usual)
        return self._prices[name]

    def _input(self, model: ImageModel | TextModel, resolution: str) -> _Input:
        key = model.name, resolution
        if key not in self._inputs:
            self._inputs[key] = self._look_at_input(model, resolution)
        return self._inputs[key]

    def _look_at_input(self, model: ImageModel | TextModel, resolution: str) -> _Input:
        """Over all operations and sizes: what goes in counts the same for each."""
        found = [
            sample
            for name, samples in self._learned.samples.items()
            if name.split("/")[1] == model.name and name.rsplit("/", 1)[1] == resolution
            for sample in samples
        ]
        texts = [sample for sample in found if sample.characters]
        seen = [sample for sample in found if sample.references and sample.prompt_image]
        per_character, per_image = 1 / CHARS_PER_TOKEN, float(model.takes.tokens_of_image(resolution))
        if len(texts) >= LEAST:
            per_character = sum(item.prompt_text for item in texts) / sum(item.characters for item in texts)
        if len(seen) >= LEAST:
            per_image = sum(item.prompt_image for item in seen) / sum(item.references for item in seen)
        return _Input(per_character, per_image)


def _spread(costs: Sequence[float]) -> Price:
    """Return the mean of sorted *costs*, and how far away their tenths are."""
    mean = sum(costs) / len(costs)
    tenth = len(costs) // 10
    return Price(mean, max(0.0, mean - costs[tenth]), max(0.0, costs[-1 - tenth] - mean))


def range_of(shapes: Sequence[Shape | TextShape]) -> tuple[float, float]:
    """Return the least and the most that *shapes* may cost together, in US dollars."""
    return sum(shape.cost_usd - shape.less for shape in shapes), sum(shape.cost_usd + shape.more for shape in shapes)


@frozen(kw_only=True)
class AnswerCost(Document):
    """US dollars of one answer without its input: the mean, and the cheapest and dearest tenth."""

    about: float
    low: float
    high: float


@frozen(kw_only=True)
class AnswerTokens(Document):
    """Mean tokens of one answer: its pictures, its words, what was sent, and each picture that was sent."""

    image: float
    words: float
    prompt: float
    input_image: float


@frozen(kw_only=True)
class LearnedPrice(Document):
    """What the answers to one way of asking have taught; ``counts``: they are enough to estimate by."""

    operation: str
    model: str
    image_size: str
    thinking_level: str
    media_resolution: str
    answers: int
    counts: bool
    cost_usd: AnswerCost
    tokens: AnswerTokens


def learned_prices(catalog: Catalog, learned: Learned) -> list[LearnedPrice]:
    """Return what answers have taught, by way of asking (``learned`` of report.json and of `snakemake prices`)."""
    found = []
    for name, samples in sorted(learned.samples.items()):
        operation, model, size, thinks, looks = name.split("/")
        costs = sorted(usd for sample in samples if (usd := _cost(catalog, model, size, sample)) is not None)
        price = _spread(costs) if costs else Price(0.0)
        seen = [sample for sample in samples if sample.references and sample.prompt_image]
        found.append(
            LearnedPrice(
                operation=operation,
                model=model,
                image_size=size,
                thinking_level=thinks,
                media_resolution=looks,
                answers=len(samples),
                counts=len(costs) >= LEAST,
                cost_usd=AnswerCost(
                    about=round(price.usd, 6),
                    low=round(price.usd - price.less, 6),
                    high=round(price.usd + price.more, 6),
                ),
                tokens=AnswerTokens(
                    image=_mean(sample.image for sample in samples),
                    words=_mean(sample.words for sample in samples),
                    prompt=_mean(sample.prompt_text + sample.prompt_image for sample in samples),
                    input_image=_mean(sample.prompt_image / sample.references for sample in seen),
                ),
            )
        )
    return found


def _cost(catalog: Catalog, model: str, size: str, sample: Sample) -> float | None:
    """What one answer cost without what went in, at today's prices; None where none is known."""
    return catalog.answer_cost(model, size, Tokens(image=sample.image, text=sample.words))


def _mean(numbers: Iterable[float]) -> float:
    counted = list(numbers)
    return round(sum(counted) / len(counted), 1) if counted else 0.0
