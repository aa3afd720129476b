"""`snakemake prices`: config/models.yaml as a table, with its date and source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from chargen.base.frozen import frozen
from chargen.base.image_sizes import pixels
from chargen.base.reading import Document, extend, key
from chargen.base.wording import count
from chargen.planning.estimates import LearnedPrice, learned_prices
from chargen.providers.models import Catalog
from chargen.providers.registry import provider_of
from chargen.records.journal import Journal
from chargen.records.learned import Learned, read_learned
from chargen.records.settings import Settings
from chargen.records.state import RunFiles, State
from chargen.screens.screen import BAD, DIM, GOOD, WARN, Column, Line, Screen, Span, advice, heading, line, table

HELP = "show models and prices"
OLD_DAYS = 90
STYLES = {"current": GOOD, "deprecated": WARN, "shut down": BAD}


@frozen(kw_only=True)
class PriceChange(Document):
    """Prices of a text model from a day on."""

    since: str = key("from")
    usd_per_mtok_in: float
    usd_per_mtok_out: float


@frozen(kw_only=True)
class FiledSize(Document):
    """A size of a model as config/models.yaml has it."""

    usd: float | None = None


@frozen(kw_only=True)
class FiledModel(Document):
    """A model as config/models.yaml has it; prices are None where it names none."""

    state: str
    shutdown: str = ""
    successor: str = ""
    sizes: Mapping[str, FiledSize] = field(default_factory=dict)
    usd_per_mtok_in: float | None = None
    usd_per_mtok_out: float | None = None
    changes: PriceChange | None = None

    @property
    def usd_per_image(self) -> dict[str, float]:
        """The price of a picture by size, as far as it is known."""
        return {size: of.usd for size, of in self.sizes.items() if of.usd is not None}


@frozen(kw_only=True)
class FiledRetirement(Document):
    """A model that no longer answers, as config/models.yaml has it."""

    since: str
    successor: str


@frozen(kw_only=True)
class PriceFile(Document):
    """What the price list needs of config/models.yaml."""

    source: str
    image_models: Mapping[str, FiledModel]
    text_models: Mapping[str, FiledModel]
    retired: Mapping[str, FiledRetirement]


@frozen(kw_only=True)
class PricedModel(Document):
    """A model with its prices in US dollars, standard and as a batch, None where none is known.

    ``used_for`` are the operations that the configuration uses it for.
    """

    name: str
    state: str
    shutdown: str
    successor: str
    used_for: str
    usd_per_mtok_in: float | None
    usd_per_mtok_out: float | None
    usd_per_mtok_in_batch: float | None
    usd_per_mtok_out_batch: float | None


@frozen(kw_only=True)
class PricedImageModel(PricedModel):
    """An image model: prices per image by size, and per million tokens of text."""

    usd_per_image: Mapping[str, float]
    usd_per_image_batch: Mapping[str, float]


@frozen(kw_only=True)
class PricedTextModel(PricedModel):
    """A text model: prices per million tokens, and how they will change."""

    changes: PriceChange | None


@frozen(kw_only=True)
class RetiredModel(Document):
    """A model that no longer answers, and what replaced it."""

    name: str
    since: str
    successor: str


@frozen(kw_only=True)
class PriceList(Document):
    """The answer of `snakemake prices`."""

    schema_version: int = 1
    file: str
    updated: str
    age_days: int
    is_old: bool
    source: str
    batch_discount: float
    image_models: tuple[PricedImageModel, ...]
    text_models: tuple[PricedTextModel, ...]
    learned: tuple[LearnedPrice, ...]
    retired: tuple[RetiredModel, ...]


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show the prices; return the exit status."""
    today = dt.datetime.now(dt.UTC).date()
    learned = read_learned(state, Journal(state))
    found = price_list(provider_of(settings).catalog(settings, today), settings, today, learned)
    screen.show(found, lambda width: lines(found, width))
    return 0


def price_list(catalog: Catalog, settings: Settings, today: dt.date, learned: Learned) -> PriceList:
    """Return models and prices as of *today*, and what the answers so far cost."""
    filed = PriceFile.from_json(catalog.facts)
    rate = 1 - catalog.batch_discount
    used: dict[str, str] = {}
    for use, choice in settings.models.items():
        used[choice.model] = f"{used[choice.model]}, {use}" if choice.model in used else use
    age = (today - catalog.updated).days
    return PriceList(
        file=settings.models_file,
        updated=catalog.updated.isoformat(),
        age_days=age,
        is_old=age > OLD_DAYS,
        source=filed.source,
        batch_discount=catalog.batch_discount,
        image_models=tuple(
            extend(
                PricedImageModel,
                _priced(name, model, used, today, rate),
                usd_per_image=model.usd_per_image,
                usd_per_image_batch={size: round(price * rate, 6) for size, price in model.usd_per_image.items()},
            )
            for name, model in filed.image_models.items()
        ),
        text_models=tuple(
            extend(PricedTextModel, _priced(name, model, used, today, rate), changes=model.changes)
            for name, model in filed.text_models.items()
        ),
        learned=tuple(learned_prices(catalog, learned)),
        retired=tuple(
            RetiredModel(name=name, since=gone.since, successor=gone.successor) for name, gone in filed.retired.items()
        ),
    )


def _priced(name: str, model: FiledModel, used: Mapping[str, str], today: dt.date, rate: float) -> PricedModel:
    gone = bool(model.shutdown) and dt.date.fromisoformat(model.shutdown) <= today
    tokens_in, tokens_out = model.usd_per_mtok_in, model.usd_per_mtok_out
    return PricedModel(
        name=name,
        state="shut down" if gone else model.state,
        shutdown=model.shutdown,
        successor=model.successor,
        used_for=used.get(name, ""),
        usd_per_mtok_in=tokens_in,
        usd_per_mtok_out=tokens_out,
        usd_per_mtok_in_batch=None if tokens_in is None else round(tokens_in * rate, 6),
        usd_per_mtok_out_batch=None if tokens_out is None else round(tokens_out * rate, 6),
    )


def lines(found: PriceList, width: int | None) -> Iterator[Line]:
    """Yield the screen: image models by size, text models by million tokens, and how old all this is."""
    yield heading(f"US dollars per image, as a batch ({found.batch_discount:.0%} less than the standard rate)")
    yield from _per_image(found.image_models, width)
    yield line()
    yield heading("US dollars per million text tokens, as a batch")
    yield from _per_tokens([*found.text_models, *found.image_models], width)
    if found.learned:
        yield line()
        yield heading("US dollars per answer so far, without its input")
        yield from _learned(found.learned, width)
    yield line()
    age = f"{count(found.age_days, 'day')} ago" if found.age_days > 0 else "today"
    yield line(f"as of {found.updated} ({age}), {found.file}")
    yield from advice(f"source: {found.source}", width)
    if found.is_old:
        yield line(Span("! ", WARN), f"these prices are older than {OLD_DAYS} days: compare them with the source,")
        yield line("  correct the file, and set its `updated` to today")


def _per_image(models: Sequence[PricedImageModel], width: int | None) -> list[Line]:
    sizes = sorted({size for model in models for size in model.usd_per_image}, key=pixels)
    return table(
        [Column("model"), *(Column(size, right=True) for size in sizes), Column("state", below=True)],
        [
            [_name(model), *(_usd(model.usd_per_image_batch.get(size)) for size in sizes), _state(model)]
            for model in models
        ],
        width,
    )


def _per_tokens(models: Sequence[PricedModel], width: int | None) -> list[Line]:
    return table(
        [Column("model"), Column("in", right=True), Column("out", right=True), Column("state", below=True)],
        [
            [
                _name(model),
                _usd(model.usd_per_mtok_in_batch),
                _usd(model.usd_per_mtok_out_batch),
                _state(model) if isinstance(model, PricedTextModel) else "",
            ]
            for model in models
        ],
        width,
    )


def _learned(prices: Sequence[LearnedPrice], width: int | None) -> list[Line]:
    return table(
        [
            Column("model"),
            Column("for"),
            Column("answers", right=True),
            Column("about", right=True),
            Column("from", right=True),
            Column("to", right=True),
            Column("", below=True),
        ],
        [
            [
                price.model,
                " ".join(
                    filter(None, (price.operation, price.image_size, price.thinking_level, price.media_resolution))
                ),
                f"{price.answers:,}",
                *(_usd(amount) for amount in (price.cost_usd.about, price.cost_usd.low, price.cost_usd.high)),
                Span("" if price.counts else "too few for an estimate", DIM),
            ]
            for price in prices
        ],
        width,
    )


def _name(model: PricedModel) -> Span:
    return Span(model.name, "bold" if model.used_for else "")


def _state(model: PricedModel) -> Span:
    text = model.state
    if model.shutdown:
        text += f" {'on' if text == 'shut down' else 'until'} {model.shutdown}"
    if model.successor:
        text += f", use {model.successor}"
    if model.used_for:
        text += f", used for {model.used_for}"
    if isinstance(model, PricedTextModel) and (changes := model.changes):
        doubles = (changes.usd_per_mtok_in, changes.usd_per_mtok_out) == (
            2 * (model.usd_per_mtok_in or 0),
            2 * (model.usd_per_mtok_out or 0),
        )
        text += f", twice as much from {changes.since}" if doubles else f", changes on {changes.since}"
    return Span(text, STYLES.get(model.state, DIM))


def _usd(amount: float | None) -> str:
    return "–" if amount is None else f"{amount:.4f}"
