"""What an answer cost: by the tokens that it reports, as the API reported them."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from dataclasses import replace
from pathlib import Path

import pytest

import builders
from chargen.base import schemas as schema
from chargen.placing.answers import Answer, priced, task_record
from chargen.providers.gemini.outcomes import judge
from chargen.providers.gemini.scanner import ResultFile
from chargen.providers.models import load_catalog
from chargen.records.batch import Tokens
from chargen.records.journal import Journal
from chargen.records.state import State

MODELS_FILE = schema.ROOT / "config" / "models.yaml"
DAY = dt.date(2026, 11, 24)
ONE_PICTURE = {
    "promptTokenCount": 22,
    "candidatesTokenCount": 1216,
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 1120}],
    "thoughtsTokenCount": 179,
    "totalTokenCount": 1417,
}
TWO_PICTURES = {
    "promptTokenCount": 615,
    "candidatesTokenCount": 2478,
    "candidatesTokensDetails": [{"modality": "IMAGE", "tokenCount": 2240}],
    "thoughtsTokenCount": 208,
    "totalTokenCount": 3301,
}
REFUSED = {"promptTokenCount": 18, "totalTokenCount": 18}
WITHHELD = {"promptTokenCount": 22, "thoughtsTokenCount": 220, "totalTokenCount": 242}
WORDS = {"promptTokenCount": 18, "candidatesTokenCount": 48, "totalTokenCount": 66}


def record(usage, *, model="gemini-3-pro-image", outcome="applied", tmp_path, parts=(), day=DAY, catalog=True):
    """The priced task record of an answer with *usage*."""
    answer = {"candidates": [{"content": {"parts": list(parts)}}], "usageMetadata": usage}
    path = tmp_path / "responses.jsonl"
    path.write_text(json.dumps({"key": "k", "response": answer}) + "\n")
    with ResultFile(path) as results:
        (line,) = results
    task = builders.task(key="k", aspect_ratio="1:1", image_size="1K", cost_usd=0.07)
    plan = builders.plan(task, model=model)
    made = replace(task_record(plan, Answer(task, line, judge(line))), outcome=outcome)
    return priced(load_catalog(MODELS_FILE, day) if catalog else None, made)


def test_a_picture_costs_its_tokens_and_those_around_it(tmp_path):
    """Picture at the picture's price, prompt as input, words and thoughts as output, all less the discount."""
    made = record(ONE_PICTURE, tmp_path=tmp_path)

    counted = {"prompt": 22, "prompt_image": 0, "image": 1120, "text": 96, "thoughts": 179, "total": 1417}
    assert Tokens(**counted) == made.tokens
    assert pytest.approx((0.134 + (22 * 2 + (96 + 179) * 12) / 1e6) / 2) == made.cost_usd
    assert 0.07 == made.estimated_usd


def test_two_pictures_in_an_answer_are_both_counted(tmp_path):
    """Drafts are billed too: a reply with two pictures costs about twice as much."""
    made = record(TWO_PICTURES, tmp_path=tmp_path)

    assert pytest.approx((2 * 0.134 + (615 * 2 + (238 + 208) * 12) / 1e6) / 2) == made.cost_usd


@pytest.mark.parametrize("usage", [REFUSED, WITHHELD, {}], ids=["refused", "withheld", "silent"])
def test_a_refusal_costs_nothing(usage, tmp_path):
    """Without output nothing is billed, thoughts or not."""
    assert 0 == record(usage, outcome="failed", tmp_path=tmp_path).cost_usd


def test_words_instead_of_a_picture_are_billed_as_words(tmp_path):
    """The API answered, so it is paid: little."""
    made = record(WORDS, outcome="failed", parts=[{"text": "No."}], tmp_path=tmp_path)

    assert pytest.approx((18 * 2 + 48 * 12) / 1e6 / 2) == made.cost_usd


def test_what_cannot_be_counted_costs_the_estimate(tmp_path):
    """A picture whose answer reports no tokens, a model that nobody priced, a models file that cannot be read."""
    silent = record({}, tmp_path=tmp_path)
    unknown = record(ONE_PICTURE, model="gemini-9", tmp_path=tmp_path)
    unread = record(ONE_PICTURE, catalog=False, tmp_path=tmp_path)

    assert [0.07] * 3 == [made.cost_usd for made in (silent, unknown, unread)]


ODD = float("nan"), float("inf"), -5, 10**30, "x", "1" * 5000, [1], {}, None


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:9])
@pytest.mark.parametrize("member", ["promptTokenCount", "totalTokenCount", "candidatesTokensDetails"])
def test_odd_counts_hold_up_no_picture(member, odd, tmp_path):
    """Numbers of tokens that are none count as nothing; the receipt can be written all the same."""
    made = record(ONE_PICTURE | {member: odd}, tmp_path=tmp_path)
    nested = record(ONE_PICTURE | {"candidatesTokensDetails": [None, odd, {"tokenCount": odd}]}, tmp_path=tmp_path)

    assert 0 == getattr(made.tokens, {"promptTokenCount": "prompt", "totalTokenCount": "total"}.get(member, "image"))
    assert 0 == nested.tokens.image
    assert 0 <= made.cost_usd < 1


def test_a_model_that_was_shut_down_meanwhile_is_still_priced(tmp_path):
    """What was paid for is applied and counted also on the day after."""
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 1290, "totalTokenCount": 1300}
    usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": 1290}]
    made = record(usage, model="gemini-2.5-flash-image", tmp_path=tmp_path, day=dt.date(2027, 1, 1))

    assert pytest.approx((0.039 + 10 * 0.30 / 1e6) / 2) == made.cost_usd


def test_a_text_model_is_priced_as_of_the_day(tmp_path):
    """Announced prices hold from their day on."""
    usage = {"promptTokenCount": 1000, "candidatesTokenCount": 80, "thoughtsTokenCount": 20, "totalTokenCount": 1100}
    before = record(usage, model="gemini-3.8-flash", tmp_path=tmp_path)
    after = record(usage, model="gemini-3.8-flash", tmp_path=tmp_path, day=dt.date(2027, 1, 1))

    assert pytest.approx((1000 * 0.75 + 100 * 3.75) / 1e6 / 2) == before.cost_usd
    assert pytest.approx(2 * before.cost_usd) == after.cost_usd


def test_the_budget_counts_what_is_certain(tmp_path):
    """Of a batch whose answers were all counted it takes their cost, of others the estimate."""
    intent = {
        "operation": "generate", "model": "m", "display_name": "n", "base_url": "", "key": "", "wishes": {"w": 1},
        "cost_usd": 1.0, "tokens": 0, "clock": {}, "pid": 1,
    }  # fmt: skip
    journal = Journal(State(tmp_path))
    for batch in ("a", "b", "c"):
        journal.append(builders.event("intent", batch, **intent))
        journal.append(builders.event("created", batch, job=f"batches/{batch}", adopted=False))
    journal.append(builders.event("applied", "a", outcomes={"w": ["applied", ""]}, cost_usd=0.25))
    journal.append(builders.event("applied", "b", outcomes={"w": ["lost", "lost"]}))

    assert 2.25 == Journal(State(tmp_path)).spent_usd(24)


@pytest.mark.skipif(
    "CHARGEN_SAMPLES" not in os.environ, reason="CHARGEN_SAMPLES is not set to a folder of recorded replies"
)
def test_recorded_usage_adds_up(tmp_path):
    """In every recorded reply pictures and words are all of the output, so that nothing billed is overlooked."""
    samples = sorted(Path(os.environ["CHARGEN_SAMPLES"]).glob("generate_content/*.json"))
    usages = [data["usageMetadata"] for data in map(_read, samples) if "usageMetadata" in data]
    counted = [record(usage, tmp_path=tmp_path).tokens for usage in usages]

    assert len(counted) > 5
    assert [usage.get("candidatesTokenCount", 0) for usage in usages] == [
        tokens.image + tokens.text for tokens in counted
    ]


def _read(path: Path):
    data = json.loads(path.read_text())
    return data if isinstance(data, dict) else {}


def test_dates_may_stand_without_quotes(tmp_path):
    """Whoever corrects the prices writes the date as it comes; it is read like one in quotes."""
    written = (schema.ROOT / "config" / "models.yaml").read_text("utf-8")
    path = tmp_path / "models.yaml"
    path.write_text(re.sub(r"^updated: .*$", "updated: 2026-08-01", written, flags=re.MULTILINE), "utf-8")

    assert dt.date(2026, 8, 1) == load_catalog(path).updated
