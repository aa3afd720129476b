"""A campaign of seeded trouble: whatever the server does, nothing is paid twice and no picture is lost.

The seeds of the soak run call the steps themselves, in the order that the graph gives them: five hundred runs through
Snakemake would take hours, and what is tried here is beneath it. ``CHARGEN_CAMPAIGN=500`` sets how many seeds are run,
``CHARGEN_SEED=17`` replays one.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
import yaml

from chargen import config, schema
from chargen.config import EMULATOR_KEY
from chargen.journal import Journal
from chargen.planning.pin import pin
from chargen.planning.plan import make_plan
from chargen.problems import ChargenError
from chargen.remote import Remote
from chargen.state import State
from chargen.steps import fetch as fetching
from chargen.steps.again import release
from chargen.steps.apply import apply, put_back
from chargen.steps.cleanup import tidy
from chargen.steps.fetch import fetch
from chargen.steps.stage import stage
from chargen.steps.submit import submit

pytestmark = pytest.mark.workflow

MOST_RUNS = 8
COUNTS: Counter[str] = Counter()


def through_snakemake(project, number):
    """One run as a user starts it."""
    project.run(check=False)


def through_steps(project, number):
    """One run of the same steps in this process; a chain that fails leaves the others going, as keep-going does."""
    defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
    settings = config.settings(defaults | project.config, project.folder)
    state = State.of(settings)
    run = state.run(f"run-{number}")
    plan = make_plan(settings)
    pin(settings, state, run, plan, "", [])
    for batch, wishes in plan.put_back.items():
        put_back(settings, state, state.batch(batch), run, wishes)
    chains = list(dict.fromkeys([*plan.in_flight, *(batch.id for batch in plan.batches)]))
    for batch in chains:
        try:
            chains += one_chain(settings, state, run, batch)
        except ChargenError:
            COUNTS["chains that stopped"] += 1


def one_chain(settings, state, run, batch):
    """Take one batch from its plan to its receipt; return what follows from it."""
    files = state.batch(batch)
    remote = Remote(settings.base_url, EMULATOR_KEY, settings.submit.timeout_s, 10)
    if not Journal(state).entry(batch).in_flight:
        stage(settings, state, files, remote)
    submit(settings, state, files, remote, run)
    fetch(settings, state, files, remote, None, run)
    receipt = apply(settings, state, files, run)
    tidy(settings, state, files)
    COUNTS.update(receipt["counts"])
    return [*receipt["follow_ups"], *release(settings, state, run, batch, receipt["follow_ups"])]


def campaign(project, seed, run):
    """Run under the trouble of *seed* until everything is settled; check what must always hold."""
    project.config["submit"] = {"timeout_s": 1.0, "grace_s": 0.1}
    project.config["poll"] = {"interval_s": 0.1, "deadline_h": 24}
    project.config["batch"] = {"max_tasks": 4, "max_bytes": 1_000_000}
    project.emulator.seed(seed, calls=0.15, lines=0.2, refusals=0.05)
    for number in range(MOST_RUNS):
        if number == MOST_RUNS - 2:  # the trouble passes at last
            project.emulator.seed(seed, calls=0.0, lines=0.0)
        run(project, number)
        project.assert_nothing_twice()
        if settled(project):
            break

    left = [line["batch"] for line in project.journal("intent")]
    assert settled(project), f"seed {seed}: not settled after {MOST_RUNS} runs: {left}"
    outcomes = Journal(State(project.state)).outcomes().values()
    assert 6 == len(outcomes), f"seed {seed}"
    brought = sum(outcome == "applied" for outcome, _, _ in outcomes)
    assert brought == len(project.pictures()), f"seed {seed}: a picture that was paid for is not in place"
    for path in project.library.glob("*/*/imagery.yaml"):
        recorded = yaml.safe_load(path.read_text()).get("generated_images") or []
        assert len({(r["task_key"], r["file_name"]) for r in recorded}) == len(recorded), f"seed {seed}"
        for item in recorded:
            assert (path.parent / item["file_path"]).is_file(), f"seed {seed}: {item['file_path']} is gone"
    COUNTS["seeds"] += 1


def settled(project):
    """Whether nothing is in flight and nothing is left to send."""
    journal = Journal(State(project.state))
    outcomes = journal.outcomes()
    again = [1 for outcome, _, attempt in outcomes.values() if outcome == "passing" and attempt < 3]
    return not journal.in_flight() and len(outcomes) == 6 and not again


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_a_seed_of_the_campaign(project, seed, monkeypatch):
    """A few sequences of refused, lost and cut calls and bad lines."""
    monkeypatch.setattr(fetching, "FIRST_PAUSE_S", 0.05)
    campaign(project, seed, through_steps)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_through_snakemake(project, seed):
    """The same through the real Snakemake."""
    campaign(project, seed, through_snakemake)


@pytest.mark.soak
@pytest.mark.parametrize(
    "seed",
    [int(os.environ["CHARGEN_SEED"])]
    if "CHARGEN_SEED" in os.environ
    else range(1, int(os.environ.get("CHARGEN_CAMPAIGN", "500")) + 1),
)
def test_the_campaign(project, seed, monkeypatch):
    """Every seed on its own; a failing one is named and can be replayed."""
    monkeypatch.setattr(fetching, "FIRST_PAUSE_S", 0.05)
    campaign(project, seed, through_steps)


@pytest.mark.soak
def test_the_campaign_adds_up(capsys):
    """Print what the campaign of this process met."""
    with capsys.disabled():
        print("\ncampaign:", ", ".join(f"{count} {what}" for what, count in sorted(COUNTS.items())))

    assert COUNTS["seeds"] > 0 or "CHARGEN_SEED" in os.environ
