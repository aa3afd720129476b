"""Money that learns: what real answers counted corrects estimates and quotas, with a range; and the budgets."""

from __future__ import annotations

import textwrap
from dataclasses import replace

import pytest
import yaml

import builders
from builders import MODEL
from carrier import Carrier
from chargen.base import durable
from chargen.operations import words as show
from chargen.operations.generate.plan import make_plan
from chargen.planning.estimates import AnswerTokens, Estimates, learned_prices
from chargen.providers.models import load_catalog
from chargen.records import settings as config
from chargen.records.batch import Tokens
from chargen.records.journal import Journal
from chargen.records.learned import KEPT, Learned, better_field, learn, read_learned
from chargen.records.state import State
from chargen.screens import prices
from chargen.screens.screen import plain
from chargen.steps import checks
from chargen.steps.checks import OverBudget, check_budget

ODA = """
    name: Oda
    description: A keeper.
    scenes:
      - {id: lamp, prompt: The lamp burns.}
      - {id: rope, prompt: Oda splices a rope.}
    """


def answer(thoughts=200, image=1120, prompt=400, seen=0, references=0, **more):
    """A receipt's record of an answer that brought a picture."""
    tokens = Tokens(prompt=prompt, image=image, thoughts=thoughts, prompt_image=seen)
    sent = tuple(builders.reference() for _ in range(references))
    return replace(builders.outcome(tokens=tokens, references=sent, characters=1600), **more)


def receipt(batch, *tasks, **more):
    return builders.receipt(*tasks, batch=batch, **more)


class World:
    def __init__(self, home):
        self.home = home
        self.defaults = yaml.safe_load(config.DEFAULT_CONFIG.read_text()) | {"library": "story"}
        entity = home / "story" / "characters" / "oda"
        entity.mkdir(parents=True)
        (home / "story" / "chargen.yaml").write_text("style: Ink.\n")
        (entity / "imagery.yaml").write_text(textwrap.dedent(ODA).lstrip())

    def settings(self, **changed):
        return config.settings(self.defaults | changed, self.home)

    def state(self, **changed):
        return State.of(self.settings(**changed))

    def learned(self, *tasks, **changed):
        """Let a batch with these answers have been applied."""
        learn(self.state(**changed), receipt("a" * 16, *tasks))

    def plan(self, **changed):
        return make_plan(self.settings(**changed))


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


CATALOG = load_catalog(config.schema.ROOT / "config" / "models.yaml")
PICTURE = 0.0336 / 2
THOUGHT = 7.50 / 1e6 / 2


def test_thoughts_of_real_answers_are_in_the_estimate(world):
    """The mean of the answers, and a range from the cheapest tenth to the dearest."""
    before = world.plan()
    world.learned(*(answer(thoughts=100 * number) for number in range(1, 11)))
    after = world.plan()
    low, high = after.cost_range_usd

    assert (before.cost_usd, before.cost_usd) == pytest.approx(before.cost_range_usd)
    assert pytest.approx(before.cost_usd + 2 * 550 * THOUGHT) == after.cost_usd
    assert pytest.approx(after.cost_usd - 2 * 350 * THOUGHT) == low
    assert pytest.approx(after.cost_usd + 2 * 350 * THOUGHT) == high
    assert show.headline(before).endswith(f"about {show.money(before.cost_usd)}")
    assert show.headline(after).endswith(f"about $0.0378, {show.money(low)}–{show.money(high)[1:]}")


def test_few_answers_teach_nothing(world):
    """Four may be chance."""
    before = world.plan().cost_usd
    world.learned(*[answer()] * 4)

    assert before == world.plan().cost_usd


def test_drafts_are_in_the_estimate(world):
    """A model that paints two pictures in every answer is paid for two."""
    before = world.plan().cost_usd
    world.learned(*[answer(thoughts=0, image=2240)] * 5)

    assert pytest.approx(before + 2 * PICTURE) == world.plan().cost_usd


def test_each_way_of_asking_has_its_own_answers(world):
    """Another size, operation or thinking level is another price; a model at rest is none that thinks hard."""
    world.learned(*[answer(thoughts=9000)] * 5)
    plain, deep = world.plan().cost_usd, world.plan(models=_models(thinking_level="high")).cost_usd
    learn(world.state(), receipt("b" * 16, *[answer(thoughts=90)] * 5, parameters={"thinking_level": "high"}))

    assert plain > deep
    assert deep < world.plan(models=_models(thinking_level="high")).cost_usd < plain


def test_the_emulator_teaches_gemini_nothing(world):
    """Each provider has its state, and learns from that alone."""
    before = world.plan(provider="gemini").cost_usd
    world.learned(*[answer(thoughts=5000)] * 9, provider="emulator")

    assert before == world.plan(provider="gemini").cost_usd


def test_what_goes_in_is_counted_as_answers_count_it(world):
    """A picture that is sent and a character of text, for cost and for the limit on waiting tokens alike."""
    world.learned(*[answer(prompt=400 + 2 * 560, seen=2 * 560, references=2, characters=800)] * 5)
    estimates = Estimates(CATALOG, read_learned(world.state(), Journal(world.state())))
    model = CATALOG.image_model(MODEL)
    (batch,) = world.plan().batches

    assert 1000 // 2 + 3 * 560 == estimates.input_tokens(model, 1000, 3, {})
    assert 1000 // 4 + 3 * 1120 == Estimates(CATALOG, Learned()).input_tokens(model, 1000, 3, {})
    assert sum(len(task.prompt) // 2 for task in batch.tasks) == batch.stored(world.settings(), CATALOG).tokens


def test_text_is_not_learned_where_pictures_are_not_told_apart(world):
    """Without the prompt's details, its tokens are those of text and pictures together."""
    world.learned(*[answer(prompt=3000, references=2)] * 5)
    estimates = Estimates(CATALOG, read_learned(world.state(), Journal(world.state())))

    assert 1000 // 4 + 1120 == estimates.input_tokens(CATALOG.image_model(MODEL), 1000, 1, {})


def test_media_resolution_is_in_the_estimate():
    """A picture that is looked at less closely counts less from the start."""
    model = CATALOG.text_model("gemini-3.8-flash")
    estimates = Estimates(CATALOG, Learned())

    assert [280, 560, 1120, 1120] == [
        estimates.input_tokens(model, 0, 1, {"media_resolution": name}) for name in ("low", "medium", "high", "")
    ]


def test_the_youngest_answers_count(world):
    """A model that thinks less since yesterday costs less soon, and the file does not grow."""
    learned = Learned()
    learned.add(receipt("a" * 16, *[answer(thoughts=900)] * KEPT))
    learned.add(receipt("b" * 16, *[answer(thoughts=100)] * KEPT))
    ((_, samples),) = learned.samples.items()

    assert {100} == {sample.words for sample in samples}
    assert KEPT == len(samples)


def test_a_batch_is_counted_once(world):
    """Applied again after a crash, or found both in the cache and among the receipts."""
    for _ in range(2):
        world.learned(*[answer()] * 3)

    ((_, samples),) = read_learned(world.state(), Journal(world.state())).samples.items()

    assert 3 == len(samples)


@pytest.mark.parametrize("kept", [b"", b"{", b"[]", b'{"samples": {"a": [[1, "x"]]}}', b'{"samples": 3}', None])
def test_a_lost_cache_is_made_again_from_receipts(world, kept, emulator):
    """Whatever stands in learned.json, or does not: the receipts of the youngest batches say it again."""
    carrier = Carrier(world.settings(base_url=emulator.url), emulator)
    for batch in carrier.pin("generate"):
        carrier.carry(batch)
    state = carrier.state
    whole = read_learned(state, Journal(state)).samples
    if kept is None:
        state.learned.unlink()
    else:
        state.learned.write_bytes(kept)

    assert whole == read_learned(state, Journal(state)).samples
    assert 2 == sum(map(len, whole.values()))


def test_answers_of_the_emulator_teach_as_the_apis_do(world, emulator):
    """Through upload, job, download and receipt: tokens by modality arrive, and the next plan goes by them."""
    scenes = "".join(f"  - {{id: s{number}, prompt: Oda counts to {number}.}}\n" for number in range(5))
    path = world.home / "story" / "characters" / "oda" / "imagery.yaml"
    path.write_text(path.read_text() + scenes)
    settings = world.settings(base_url=emulator.url)
    carrier = Carrier(settings, emulator)
    for batch in carrier.pin("generate"):
        done = carrier.carry(batch)
    path.write_text(path.read_text().replace("scenes:\n", "scenes:\n  - {id: later, prompt: Later.}\n", 1))
    (task,) = make_plan(settings).tasks

    words = [record.tokens.text + record.tokens.thoughts for record in done.tasks]
    thought = PICTURE + sum(words) / len(words) * THOUGHT
    assert 7 == len(set(words))
    assert pytest.approx(thought + task.tokens * 1.5 / 1e6 / 2) == task.shape.cost_usd
    assert pytest.approx(PICTURE + min(words) * THOUGHT) == thought - task.shape.less
    assert pytest.approx(PICTURE + max(words) * THOUGHT) == thought + task.shape.more


@pytest.mark.parametrize("odd", [{"tokens": Tokens()}, {"spec_hash": "unknown:1"}, {"outcome": "failed"}])
def test_odd_answers_teach_nothing(odd):
    """An answer that counts nothing, and one of a job whose plan is not known, are passed over."""
    learned = Learned()
    learned.add(receipt("a" * 16, *[answer(**odd)] * 9))

    assert {} == learned.samples


@pytest.mark.parametrize("odd", [{"tokens": {"image": "x"}}, {"references": 3}, {"characters": []}])
def test_odd_receipts_teach_nothing_and_stop_nothing(world, spent, odd):
    """A receipt of another shape is passed over while planning."""
    journal = spent(0.1)
    journal.append(builders.event("applied", f"{0:016x}", outcomes={}))
    data = receipt(f"{0:016x}", answer()).to_json()
    data["tasks"] = [task | odd for task in data["tasks"]] * 9
    durable.write_json(world.state().batch(f"{0:016x}").receipt, data)

    assert {} == read_learned(world.state(), journal).samples


def test_a_cache_that_cannot_be_written_stops_nothing(world, capfd):
    """What was paid for is placed and counted whether or not anything was learned from it."""
    world.state().learned.mkdir(parents=True)

    world.learned(answer())

    assert "estimates do not use it" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("first", "other", "field"),
    [
        ([], [], "response_json_schema"),
        ([0] * 9, [], "response_json_schema"),
        ([0] * 20, [1], "response_schema"),
        ([0] * 20, [0] * 20, "response_json_schema"),
        ([1] * 11 + [0] * 9, [1] * 20, "response_json_schema"),
    ],
)
def test_the_schema_field_that_works_comes_first(first, other, field):
    """Where most answers to one field had no form, and the other did better, analyses begin with the other."""
    assert field == better_field({"response_json_schema": first, "response_schema": other})


def test_analyses_learn_which_field_works(world):
    """Analyses with and without the form are counted by field and model."""
    first, other = ({"schema_field": name} for name in ("response_json_schema", "response_schema"))
    unfit = answer(outcome="passing", reason="unfit-answer", image_size="", extra=first)
    fit = answer(image=0, image_size="", extra=other)
    refused = answer(outcome="failed", reason="safety", image_size="", extra=other)
    learned = Learned()
    learned.add(receipt("a" * 16, unfit, unfit, fit, refused, operation="analyze"))

    assert {MODEL: {"response_json_schema": [0, 0], "response_schema": [1]}} == learned.fits


def test_what_was_learned_is_shown(world):
    """`prices` and the report say from how many answers, and whether they are enough."""
    world.learned(*[answer(prompt=1520, seen=1120, references=1)] * 5, answer(image_size="2K", image=1680))
    learned = read_learned(world.state(), Journal(world.state()))
    (small, large) = learned_prices(CATALOG, learned)
    data = prices.price_list(CATALOG, world.settings(), CATALOG.updated, learned)
    screen = "\n".join(plain(line) for line in prices.lines(data, 100))

    assert ("1K", 5, True) == (small.image_size, small.answers, small.counts)
    assert ("2K", 1, False) == (large.image_size, large.answers, large.counts)
    assert pytest.approx(PICTURE + 200 * THOUGHT) == small.cost_usd.about
    assert AnswerTokens(image=1120, words=200, prompt=1520, input_image=1120) == small.tokens
    assert "too few for an estimate" in screen and "generate 1K" in screen


# -- budgets


@pytest.fixture
def spent(world):
    """Lets batches of a dollar each have been sent so many days ago; returns the journal."""

    def send(*days):
        intent = {
            "event": "intent", "operation": "generate", "model": "m", "display_name": "n", "base_url": "", "key": "",
            "wishes": {}, "cost_usd": 1.0, "tokens": 0, "clock": {}, "pid": 1,
        }  # fmt: skip
        for number, ago in enumerate(days):
            line = intent | {"time": _moment(ago), "batch": f"{number:016x}"}
            durable.append_line(world.state().journal, line)
        return Journal(world.state())

    return send


BATCH = builders.plan(*(builders.task(f"character/oda/s-{n}") for n in range(3)), batch="f" * 16, cost_usd=1.0)


def test_a_month_has_a_budget_too(world, spent):
    """What was sent in the last 30 days counts, what is older does not; the day's budget stands beside it."""
    journal = spent(0.1, 5, 29, 31)

    check_budget(journal, world.settings(budget_usd=2, budget_month_usd=4), BATCH)
    with pytest.raises(OverBudget, match=r"\$3\.00 was submitted in the last 30 days .* budget_month_usd=3\.50"):
        check_budget(journal, world.settings(budget_month_usd=3.5), BATCH)
    with pytest.raises(OverBudget, match=r"in the last 24 hours .* budget_usd=1\.50"):
        check_budget(journal, world.settings(budget_usd=1.5, budget_month_usd=9), BATCH)


@pytest.mark.parametrize(("limit", "said"), [(10, 0), (2.6, 0), (2.4, 1), (1.2, 0)])
def test_the_batch_that_crosses_80_percent_says_so(world, spent, monkeypatch, limit, said):
    """Once, not with each batch after it: one dollar was spent, this batch is another one."""
    printed = []
    monkeypatch.setattr(checks.events, "log", lambda event, words, **facts: printed.append(words))
    journal = spent(0.1)
    settings = world.settings(budget_usd=limit)

    if limit < 2:
        with pytest.raises(OverBudget):
            check_budget(journal, settings, BATCH)
    else:
        check_budget(journal, settings, BATCH)

    assert said == len(printed)
    assert all("$2.00 of budget_usd=2.40 for 24 hours used (83%)" in words for words in printed)


def test_a_plan_says_what_it_does_to_a_budget(world, spent):
    """Before anything is sent: nearly used up, or more than there is; nothing where there is nothing to send."""
    spent(0.1)
    cost = world.plan().cost_usd

    near = world.plan(budget_usd=round((1 + cost) / 0.9, 4)).notices
    over = world.plan(budget_usd=1.01, budget_month_usd=100).notices

    assert [] == world.plan(budget_usd=10).notices
    assert ["budget: with this run, $1.03 of budget_usd=1.15 for 24 hours used (90%)"] == near
    assert 1 == len(over) and over[0].endswith("batches over the budget are not sent")
    assert "budget_month_usd" not in over[0]


def test_a_budget_that_is_not_set_bounds_nothing(world, spent):
    """The month has none unless asked for; under gemini the day has ten dollars."""
    assert (None, None) == (world.settings().budget_usd, world.settings().budget_month_usd)
    assert (10.0, None) == (world.settings(provider="gemini").budget_usd, world.settings().budget_month_usd)
    check_budget(spent(*[0.1] * 30), replace(world.settings(), budget_usd=None), BATCH)


def _moment(days_ago):
    import datetime as dt

    return (dt.datetime.now(dt.UTC) - dt.timedelta(days=days_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _models(**generate):
    models = yaml.safe_load(config.DEFAULT_CONFIG.read_text())["models"]
    return models | {"generate": models["generate"] | generate}
