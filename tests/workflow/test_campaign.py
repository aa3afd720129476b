"""A campaign of seeded trouble: whatever the server does, nothing is paid twice and no picture is lost.

A seed draws calls that answer 429, 500 or 503, lose their answer, hang, or are cut off anywhere in an upload or a
download; jobs that fail, expire, are cancelled, stop half-way, never end, contradict themselves or name their results
late; lines with errors of all codes and shapes, refusals, and keys that are missing, repeated, unknown or not there.
It also draws some of the kinds of trouble in ``TROUBLES``: a server that lies, and people who do two things at once.

What is counted is money: the emulator knows each request that it executed, and none may be executed again without a
reason. Each DELETE that it got is compared with what was here at that moment.

The seeds of the soak run call the steps themselves, in the order that the graph gives them: five hundred runs through
Snakemake would take hours, and what is tried here is beneath it. ``CHARGEN_CAMPAIGN=500`` sets how many seeds are run,
``CHARGEN_SEED=17`` replays one, ``CHARGEN_TROUBLES=downloads,denials`` lets them draw from these kinds only.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.operations.generate.plan import make_plan
from chargen.operations.pin import pin
from chargen.planning.elsewhere import sent_elsewhere
from chargen.planning.orders import read_orders
from chargen.providers import uploads
from chargen.providers.registry import connect
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.screens.order import order
from chargen.steps import fetch as fetching
from chargen.steps import patience, set_aside
from chargen.steps.apply import apply, put_back
from chargen.steps.cleanup import tidy
from chargen.steps.collect import collect
from chargen.steps.fetch import fetch
from chargen.steps.follow_ups import release
from chargen.steps.lost import look_again
from chargen.steps.search import ForeignJob, LostJobIsBack
from chargen.steps.stage import stage
from chargen.steps.submit import submit
from conftest import Project
from money import deleted_too_early, files_deleted_too_early, hold_no_answer, lost_pictures, paid_twice
from photographs import photograph
from web import Given, site

pytestmark = pytest.mark.workflow

LIES = {
    "downloads": 0.3,
    "bodies": 0.06,
    "names": 0.3,
    "denials": 0.08,
    "redirects": 0.04,
    "took_effect": 0.3,
    "vanish": 0.5,
    "inlined": 0.4,
}
"""The share of each kind of lie in a seed that draws it."""
TROUBLES = (*LIES, "checkouts", "providers", "renames", "orders")
"""Kinds that a seed draws a third of: lies of the server; two checkouts, and two providers, with one library; a library
that is renamed, moved or given another ``library_id`` between two runs; and pictures that are ordered again."""
NOT_WITH_CHECKOUTS = {"names", "vanish"}
"""What hides the jobs of one checkout from the other: nothing could tell the other of them then."""
ON = tuple(filter(None, os.environ.get("CHARGEN_TROUBLES", ",".join(TROUBLES)).split(",")))
MOST_RUNS = 10
QUIET_RUNS = 3
WISHES = 7
MOST_ATTEMPTS = 3
BY_RUN = {"batch_run_id", "batch_id", "generated_at"}
"""What differs in a record between two runs that make the same picture."""
MARAS_PORTRAIT = "characters/mara-quill/images/portrait.jpg"
COUNTS: Counter[str] = Counter()
BY_HAND: list[str] = []
"""Jobs of the present seed that were deleted because a message said how, if they are not needed."""
STOPPED: list[str] = []
"""Why chains of the present seed stopped."""
WITHOUT_TROUBLE: list[dict] = []


@dataclass
class Checkout:
    """A place where somebody runs chargen on a library: a home folder and a configuration."""

    home: Path
    config: dict[str, Any] = field(default_factory=dict)

    @property
    def settings(self) -> config.Settings:
        defaults = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
        return config.settings(defaults | self.config, self.home)

    @property
    def states(self) -> list[Path]:
        """All states of the provider in this home, whatever the library was called."""
        folder = self.home / "state" / self.config["provider"]
        return sorted(folder.iterdir()) if folder.exists() else []

    @property
    def settled(self) -> bool:
        """Whether nothing is in flight and nothing is left to send or to put back."""
        plan = make_plan(self.settings)
        return not (plan.in_flight or plan.batches or plan.put_back or plan.deferred)


def through_snakemake(project, checkout, number):
    """One run as a user starts it."""
    assert checkout.home == project.folder
    project.run(check=False)
    yield


def through_steps(project, checkout, number):
    """One run of the same steps in this process; a chain that fails leaves the others going, as keep-going does."""
    settings = checkout.settings
    state = State.of(settings)
    run = state.run(f"run-{number}")
    plan = make_plan(settings)
    found = sent_elsewhere(settings, state, plan.to_send)
    if found and not Journal(state).in_flight():  # then a run does not start
        COUNTS["runs of a library under another name"] += 1
        STOPPED.append(f"run {number} in {settings.home}: {found.words(settings, 'generate_all')}")
        follow(checkout, found.words(settings, "generate_all"))
        return
    pin(settings, state, run, plan, "", [])
    chains = list(dict.fromkeys([*plan.in_flight, *(batch.id for batch in plan.batches)]))
    for batch, wishes in plan.put_back.items():
        put_back(settings, state, state.batch(batch), run, wishes)
        chains += release(settings, state, run, batch, [])
    remote = connect(settings)
    chains += [batch for batch in plan.lost if look_again(settings, state, state.batch(batch), remote)]
    for at, batch in enumerate(chains):
        assert batch not in chains[:at], f"{batch} follows from itself"
        try:
            chains += yield from one_chain(settings, state, run, batch)
        except ChargenError as error:
            COUNTS["chains that stopped"] += 1
            COUNTS[f"stopped by {type(error).__name__}"] += 1
            STOPPED.append(f"run {number}, {settings.provider} in {settings.home}: {error}")
            if isinstance(error, ForeignJob | LostJobIsBack):
                yield from collected(settings, state, run, str(error))
            elif "under another name" in str(error):
                follow(checkout, str(error))
                return


def follow(checkout, words):
    """Go on under the name that the message says."""
    (checkout.config["library_id"],) = re.findall(r"library_id=([\w-]+)$", words, re.MULTILINE)


def collected(settings, state, run, words):
    """Do what the message says: collect each job that it names."""
    for job in re.findall(r"--config job=(\S+)", words):
        COUNTS["jobs to be collected by hand"] += 1
        try:
            data = collect(settings.asking(job=job), state, run, connect(settings))
            said, advice = str(data), data.why_not
        except ChargenError as error:
            said = advice = str(error)
        STOPPED.append(f"collect {job}, {settings.provider} in {settings.home}: {said}"[:1000])
        for unwanted in re.findall(r"cleanup --config .*delete=(\S+)", advice):
            COUNTS["jobs to be deleted by hand"] += 1
            BY_HAND.append(unwanted)
            with contextlib.suppress(ChargenError):
                connect(settings).delete_job(unwanted)
        yield


def one_chain(settings, state, run, batch):
    """Take one batch from its plan to its receipt, a step at a time; return what follows from it."""
    files = state.batch(batch)
    remote = connect(settings)
    if not Journal(state).entry(batch).in_flight:
        stage(settings, state, files, remote)
        yield
    submit(settings, state, files, remote, run)
    yield
    fetch(settings, state, files, remote, None, run)
    yield
    receipt = apply(settings, state, files, run)
    yield
    tidy(settings, state, files)
    COUNTS.update(f"tasks {outcome}" for outcome, count in receipt.counts.items() for _ in range(count))
    COUNTS[f"jobs {receipt.state or 'never made'}"] += 1
    return [*receipt.follow_ups, *release(settings, state, run, batch, receipt.follow_ups)]


def campaign(project, seed, run, deadline_s, troubles=ON):
    """Run under the trouble of *seed* until everything is settled; check what must always hold."""
    chance = random.Random(f"troubles of {seed}")
    drawn = {trouble for trouble in TROUBLES if chance.random() < 1 / 3} & set(troubles)
    drawn -= NOT_WITH_CHECKOUTS if "checkouts" in drawn else set()
    STOPPED.clear()
    BY_HAND.clear()
    set_up(project, deadline_s)
    authors = {path.relative_to(project.library): path.read_bytes() for path in entities(project)}
    records, pictures = undisturbed(project, deadline_s)
    checkouts = checkouts_of(project, drawn)
    try:
        with site(lambda asked: Given(body=b'{"name": "batches/of-somebody-else"}')) as elsewhere:
            disturbed(project, checkouts, seed, run, drawn, elsewhere.url)
        assert [] == elsewhere.asked, "another server was asked"
        assert [] == lost_pictures(project.emulator, states_of(checkouts), [project.library], BY_HAND)
        check_library(project, authors)
        if not drawn & {"checkouts", "providers", "renames", "orders"}:
            check(project, records, pictures, drawn)
    except BaseException as error:
        error.add_note(f"{', '.join(sorted(drawn)) or 'no'} extra trouble")
        error.add_note("\n".join(STOPPED))
        error.add_note("\n".join(story(checkouts)))
        error.add_note(f"replay: CHARGEN_SEED={seed} pytest -m soak tests/workflow/test_campaign.py")
        raise
    COUNTS["seeds"] += 1
    COUNTS.update(f"seeds with {trouble}" for trouble in drawn)
    COUNTS.update(f"calls {call['fault']}" for call in project.emulator.log() if "fault" in call)


def checkouts_of(project, drawn):
    """The user's own checkout, and those of others that use the same library."""
    found = [Checkout(project.folder, dict(project.config))]
    if "providers" in drawn:
        (project.folder / ".env").write_text("GEMINI_API_KEY=a-key-of-somebody\n")
        found.append(Checkout(project.folder, project.config | {"provider": "gemini", "budget_usd": 1000}))
    if "checkouts" in drawn:
        other = project.folder.with_name("other")
        other.mkdir()
        found.append(Checkout(other, project.config | {"library": str(project.library)}))
    return found


def disturbed(project, checkouts, seed, run, drawn, elsewhere):
    """Run until everything is settled, under trouble that passes at last.

    Nobody renames the library in the last runs: following what each message then says takes a run of its own.
    """
    chance = random.Random(f"runs of {seed}")
    lies = {kind: share for kind, share in LIES.items() if kind in drawn}
    project.emulator.seed(seed, calls=0.15, lines=0.2, refusals=0.05, jobs=0.4, lies=lies, elsewhere=elsewhere)
    ordered: list[str] = []
    for number in range(MOST_RUNS):
        if number == MOST_RUNS - QUIET_RUNS:
            project.emulator.seed(seed, calls=0.0, lines=0.0)
        if 0 < number < MOST_RUNS - QUIET_RUNS and "renames" in drawn and chance.random() < 0.4:
            rename(project, checkouts, number, chance)
        if number in (1, 2) and "orders" in drawn:
            ordered += order_again(chance.choice(checkouts), chance)
        together([run(project, checkout, f"{number}-{n}") for n, checkout in enumerate(checkouts)], chance)
        check_money(project, checkouts, ordered)
        if (number or not drawn & {"orders", "renames"}) and all(checkout.settled for checkout in checkouts):
            return
    plans = [make_plan(checkout.settings) for checkout in checkouts]
    left = [(p.in_flight, [batch.id for batch in p.batches], p.put_back, len(p.deferred)) for p in plans]
    pytest.fail(f"not settled after {MOST_RUNS} runs: {left}")


def rename(project, checkouts, number, chance):
    """Give the library another name or place, or another id, as its author may at any time."""
    how = chance.choice(("renamed", "moved", "id"))
    COUNTS[f"libraries {how}"] += 1
    if how == "id":
        for checkout in checkouts:  # jobs do not show that they are of the same library where people give it two ids
            checkout.config["library_id"] = f"id-{number}"
        return
    new = (
        project.folder / f"tale-{number}"
        if how == "renamed"
        else project.folder / f"in-{number}" / project.library.name
    )
    new.parent.mkdir(exist_ok=True)
    project.library = project.library.rename(new)
    for checkout in checkouts:
        checkout.config["library"] = str(project.library)


def order_again(checkout, chance):
    """Order some pictures once more, in words; return whose requests may be executed again for it."""
    scenes = (chance.choice(["character/*/on*", "character/tobi*/*", "*portrait*"]),)
    settings = checkout.settings.asking(scenes=scenes)
    state = State.of(settings)
    before = read_orders(state)
    try:
        order(settings, state)
    except ChargenError as error:  # nothing that fits is in place or has failed
        STOPPED.append(f"order in {settings.home}: {error}")
        return []
    placed = [item for item, number in read_orders(state).items() if number != before.get(item, 0)]
    COUNTS["pictures ordered again"] += len(placed)
    return [target + (f"_c{variation}" if variation > 1 else "") for target, variation in placed]


def states_of(checkouts):
    """The states of all checkouts, each once."""
    return list(dict.fromkeys(state for checkout in checkouts for state in checkout.states))


def story(checkouts):
    """What the journals say, in the order of time, for whoever looks into a failed seed."""
    lines = []
    for state in states_of(checkouts):
        name = "/".join((state.parents[2].name, state.parent.name, state.name))
        journal = state / "journal.jsonl"
        for text in journal.read_text().splitlines() if journal.exists() else ():
            line = json.loads(text)
            wishes = {wish[:4]: it for wish, it in (line.get("wishes") or line.get("outcomes") or {}).items()}
            facts = (line.get("job", ""), "adopted" * line.get("adopted", False), line.get("state", ""), wishes or "")
            lines.append(f"{line['time']} {name} {line['event']} {line['batch']} {' '.join(map(str, facts))}")
    return sorted(lines, key=lambda line: line.split()[0])


def together(runs: list[Iterator[None]], chance):
    """Take all *runs* to their ends, a step of one, then a step of another; each alone as often as not."""
    if chance.random() < 0.5:
        chance.shuffle(runs)
        for run in runs:
            for _ in run:
                pass
        return
    while runs:
        run = chance.choice(runs)
        try:
            next(run)
        except StopIteration:
            runs.remove(run)


def check_money(project, checkouts, ordered):
    """Nothing was executed twice without a reason or an order, and nothing was deleted that is not here."""
    states = states_of(checkouts)

    assert [] == paid_twice(project.emulator, MOST_ATTEMPTS, states, ordered), "paid twice"
    assert [] == deleted_too_early(project.emulator, states, BY_HAND), "deleted too early"
    assert [] == files_deleted_too_early(project.emulator), "a file was deleted too early"


def check_library(project, authors):
    """Every picture is what its last record says, and the authors' lines are as they were."""
    last = {}
    for path in entities(project):
        for item in yaml.safe_load(path.read_text()).get("generated_images") or []:
            last[(path.parent / item["file_path"]).relative_to(project.library).as_posix()] = item["sha256"]
    pictures = project.pictures()
    del pictures["characters/tobi-ferrow/images/portrait.png"]

    assert pictures == last, "a picture is not as its last record says"
    for path, text in authors.items():
        assert (project.library / path).read_bytes().startswith(text), f"{path}: the author's lines changed"


def entities(project):
    """The imagery.yaml of each entity."""
    return sorted(project.library.glob("*/*/imagery.yaml"))


def check(project, records, pictures, drawn):
    """Everything that came is what comes without trouble, once, and everything else is a failure for good."""
    journal = Journal(State(project.state))
    made = {entry.display_name for entry in journal.entries.values() if entry.job}
    outcomes = journal.outcomes().values()
    brought = sum(outcome == "applied" for outcome, _, _ in outcomes)
    came = recorded(project)
    placed = project.pictures()
    if MARAS_PORTRAIT not in placed:  # then her other pictures are made without it
        came, placed, records, pictures = (
            {name: item for name, item in items.items() if "tobi-ferrow" in name}
            for items in (came, placed, records, pictures)
        )

    assert made == set(project.emulator.counts()["created"]), "a job that nobody here knows"
    assert WISHES == len(outcomes)
    ends = {"failed" if o == "passing" and a == MOST_ATTEMPTS else o for o, _, a in outcomes}
    assert {"applied", "failed"} >= ends - {"lost"}
    lost = {entry.job for entry in journal.entries.values() if entry.is_lost}
    assert "vanish" in drawn or hold_no_answer(project.emulator) >= lost
    assert brought == len(project.pictures()) - 1 == len(recorded(project)), "a picture that was paid for is not there"
    assert {key: records[key] for key in came} == came, "a record is not as without trouble"
    assert {path: pictures[path] for path in placed} == placed, "a picture is not as without trouble"
    assert [] == project.archive()
    assert not State(project.state).unplaced.exists()


def set_up(project, deadline_s):
    """Seven pictures: Tobi has a portrait that is sent along; Mara's is wanted, and her other scenes wait for it."""
    project.edit("characters/mara-quill", "scenes:\n", "scenes:\n  - {id: portrait, prompt: Mara's face.}\n")
    images = project.library / "characters" / "tobi-ferrow" / "images"
    images.mkdir()
    photograph(640, 480).save(images / "portrait.png")
    project.config |= {
        "submit": {"timeout_s": 1.0, "grace_s": 0.4},
        "poll": {"interval_s": 0.1, "deadline_h": deadline_s / 3600, "settle_s": 0.2},
        "batch": {"max_tasks": 4, "max_bytes": 1_000_000},
        "retry": {"max_attempts": MOST_ATTEMPTS},
    }


def undisturbed(project, deadline_s):
    """Return the records and pictures of a run without trouble; made once."""
    if not WITHOUT_TROUBLE:
        folder = project.folder.with_name("undisturbed")
        folder.mkdir()
        calm = Project(folder, project.emulator)
        set_up(calm, deadline_s)
        for _ in through_steps(calm, Checkout(calm.folder, calm.config), 0):
            pass
        WITHOUT_TROUBLE.extend((recorded(calm), calm.pictures()))
        project.emulator.reset()
        COUNTS.clear()
    records, pictures = WITHOUT_TROUBLE
    assert WISHES == len(records) == len(pictures) - 1
    return records, pictures


def recorded(project):
    """The records of all pictures by task key, without what differs from run to run; each once, each with its file."""
    found = {}
    for path in entities(project):
        for item in yaml.safe_load(path.read_text()).get("generated_images") or []:
            assert item["task_key"] not in found, f"{item['task_key']} is recorded twice"
            assert (path.parent / item["file_path"]).is_file(), f"{item['file_path']} is gone"
            found[item["task_key"]] = {name: value for name, value in item.items() if name not in BY_RUN}
    return found


def hurry(monkeypatch):
    """Make every pause short."""
    monkeypatch.setattr(patience, "FIRST_PAUSE_S", 0.05)
    monkeypatch.setattr(fetching, "GIVE_UP_AFTER_S", 5.0)
    monkeypatch.setattr(uploads, "FIRST_PAUSE_S", 0.02)
    monkeypatch.setattr(set_aside, "FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr("google.genai._api_client.INITIAL_RETRY_DELAY", 0.02)
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # nobody pulls the plug here


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_a_seed_of_the_campaign(project, seed, monkeypatch):
    """A few sequences of refused, lost and cut calls, bad jobs and bad lines."""
    hurry(monkeypatch)
    campaign(project, seed, through_steps, deadline_s=1.5)


@pytest.mark.soak
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_seed_through_snakemake(project, seed):
    """The same through the real Snakemake; the server lies, and nobody else uses the library."""
    campaign(project, seed, through_snakemake, deadline_s=20, troubles=tuple(LIES))


@pytest.mark.soak
@pytest.mark.parametrize(
    "seed",
    [int(os.environ["CHARGEN_SEED"])]
    if "CHARGEN_SEED" in os.environ
    else range(1, int(os.environ.get("CHARGEN_CAMPAIGN", "500")) + 1),
)
def test_the_campaign(project, seed, monkeypatch):
    """Every seed on its own; a failing one is named and can be replayed."""
    hurry(monkeypatch)
    campaign(project, seed, through_steps, deadline_s=1.5)


@pytest.mark.soak
def test_the_campaign_adds_up(capsys):
    """Print what the campaign of this process met."""
    with capsys.disabled():
        print("\ncampaign:", ", ".join(f"{count} {what}" for what, count in sorted(COUNTS.items())))

    assert COUNTS["seeds"] > 0 or "CHARGEN_SEED" in os.environ
