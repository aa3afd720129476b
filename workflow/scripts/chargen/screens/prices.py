"""`snakemake prices`: config/models.yaml as a table, with its date and source."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from chargen.planning.estimates import summary
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


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen) -> int:
    """Show the prices; return the exit status."""
    today = dt.datetime.now(dt.UTC).date()
    learned = read_learned(state, Journal(state))
    data = price_list(provider_of(settings).catalog(settings, today), settings, today, learned)
    screen.show(data, lambda width: lines(data, width))
    return 0


def price_list(catalog: Catalog, settings: Settings, today: dt.date, learned: Learned) -> dict[str, Any]:
    """Return models and prices in US dollars: per image at each size, per million tokens; standard and batch rate; and
    what the answers so far cost."""
    facts = catalog.facts
    rate = 1 - catalog.batch_discount
    used: dict[str, str] = {}
    for use, choice in settings.models.items():
        used[choice.model] = f"{used[choice.model]}, {use}" if choice.model in used else use
    age = (today - catalog.updated).days
    return {
        "schema_version": 1,
        "file": settings.models_file,
        "updated": catalog.updated.isoformat(),
        "age_days": age,
        "is_old": age > OLD_DAYS,
        "source": facts["source"],
        "batch_discount": catalog.batch_discount,
        "image_models": [
            _model(name, model, used, today)
            | {
                "usd_per_image": dict(model["usd_per_image"]),
                "usd_per_image_batch": _times(model["usd_per_image"], rate),
            }
            | _per_tokens(model, rate)
            for name, model in facts["image_models"].items()
        ],
        "text_models": [
            _model(name, model, used, today) | _per_tokens(model, rate) | {"changes": model.get("changes")}
            for name, model in facts["text_models"].items()
        ],
        "learned": summary(catalog, learned),
        "retired": [
            {"name": name, "since": gone["since"], "successor": gone["successor"]}
            for name, gone in facts["retired"].items()
        ],
    }


def lines(data: Mapping[str, Any], width: int | None) -> Iterator[Line]:
    """Yield the screen: image models by size, text models by million tokens, and how old all this is."""
    sizes = sorted({size for model in data["image_models"] for size in model["usd_per_image"]}, key=_pixels)
    off = f"{data['batch_discount']:.0%} less than the standard rate"
    yield heading(f"US dollars per image, as a batch ({off})")
    yield from table(
        [Column("model"), *(Column(size, right=True) for size in sizes), Column("state", below=True)],
        [
            [
                Span(model["name"], "bold" if model["used_for"] else ""),
                *(_usd(model["usd_per_image_batch"].get(size)) for size in sizes),
                _state(model),
            ]
            for model in data["image_models"]
        ],
        width,
    )
    yield line()
    yield heading("US dollars per million tokens that are no picture, as a batch")
    yield from table(
        [Column("model"), Column("in", right=True), Column("out", right=True), Column("state", below=True)],
        [
            [
                Span(model["name"], "bold" if model["used_for"] else ""),
                _usd(model["usd_per_mtok_in_batch"]),
                _usd(model["usd_per_mtok_out_batch"]),
                _state(model) if "changes" in model else "",
            ]
            for model in (*data["text_models"], *data["image_models"])
        ],
        width,
    )
    if data["learned"]:
        yield line()
        yield heading("US dollars per answer, as they came (without what was sent)")
        yield from table(
            [
                Column("model"),
                Column("for"),
                Column("answers", right=True),
                Column("about", right=True),
                Column("from", right=True),
                Column("to", right=True),
                Column("", below=True),
            ],
            [_answers(row) for row in data["learned"]],
            width,
        )
    yield line()
    yield line(f"as of {data['updated']} ({data['age_days']} days ago), {data['file']}")
    yield from advice(f"source: {data['source']}", width)
    if data["is_old"]:
        yield line(Span("! ", WARN), f"these prices are older than {OLD_DAYS} days: compare them with the source,")
        yield line("  correct the file, and set its `updated` to today")


def _answers(row: Mapping[str, Any]) -> list[str | Span]:
    """One way of asking: what its answers cost, and what they counted."""
    ways = (row["operation"], row["image_size"], row["thinking_level"], row["media_resolution"])
    costs = [_usd(row["cost_usd"][name]) for name in ("about", "low", "high")]
    note = "" if row["counts"] else "too few to estimate by"
    name = Span(row["model"])
    return [name, " ".join(filter(None, ways)), f"{row['answers']:,}", *costs, Span(note, DIM)]


def _per_tokens(model: Mapping[str, Any], rate: float) -> dict[str, Any]:
    """Prices of tokens that are no picture; None where none is known."""
    known = {key: model.get(key) for key in ("usd_per_mtok_in", "usd_per_mtok_out")}
    return known | {f"{key}_batch": None if price is None else round(price * rate, 6) for key, price in known.items()}


def _model(name: str, model: Mapping[str, Any], used: Mapping[str, str], today: dt.date) -> dict[str, Any]:
    shutdown = model.get("shutdown", "")
    gone = bool(shutdown) and dt.date.fromisoformat(shutdown) <= today
    return {
        "name": name,
        "state": "shut down" if gone else model["state"],
        "shutdown": shutdown,
        "successor": model.get("successor", ""),
        "used_for": used.get(name, ""),
    }


def _state(model: Mapping[str, Any]) -> Span:
    text = str(model["state"])
    if model["shutdown"]:
        text += f" {'on' if text == 'shut down' else 'until'} {model['shutdown']}"
    if model["successor"]:
        text += f", use {model['successor']}"
    if model["used_for"]:
        text += f", used for {model['used_for']}"
    changes = model.get("changes")
    if changes:
        text += f", twice as much from {changes['from']}" if _doubles(model) else f", changes on {changes['from']}"
    return Span(text, STYLES.get(model["state"], DIM))


def _doubles(model: Mapping[str, Any]) -> bool:
    changes = model["changes"]
    return all(changes[key] == 2 * model[key] for key in ("usd_per_mtok_in", "usd_per_mtok_out"))


def _usd(amount: float | None) -> str:
    return "–" if amount is None else f"{amount:.4f}"


def _pixels(size: str) -> int:
    return int(size.removesuffix("K")) * (1024 if size.endswith("K") else 1)


def _times(prices: Mapping[str, float], rate: float) -> dict[str, float]:
    return {size: round(price * rate, 6) for size, price in prices.items()}
