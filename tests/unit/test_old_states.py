"""States and libraries that earlier versions left: nothing of them is asked for again, and nothing of them is lost.

How they were made is written in tests/fixtures/states/README.md.
"""

from __future__ import annotations

import base64
import json
import shutil
from pathlib import Path

import orjson
import pytest
import yaml

from chargen.base import durable
from chargen.base import schemas as schema
from chargen.operations import operation as find
from chargen.providers.registry import connect
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.report.build import failure_lines, report_of
from chargen.report.survey import Survey
from chargen.steps.collect import collect
from fixtures.make_states import CHECKOUT, HOME, KEY, URL, merged, seen

STATES = Path(__file__).resolve().parents[1] / "fixtures" / "states"
KINDS = sorted(path.relative_to(STATES).as_posix() for path in STATES.glob("*/*") if path.is_dir())
OPERATIONS = ("generate", "analyze", "enhance")
NEVER_ASKED = "http://127.0.0.1:9"
TEXTS = (".json", ".jsonl", ".yaml", ".txt")

VOLATILE = frozenset(
    {"totals.stale", "totals.operations.generate.stale", "cost_usd.to_make", "cost_usd.stale", "cost_usd.missing"}
)
"""What may change in a report with the version: estimates of what was not sent, by prices and tokens known today."""
WORDING = frozenset({"errors.message", "errors.advice", "warnings.message", "warnings.advice"})
"""Texts in a report that may differ between versions."""


class Left:
    """A copy of what a version left of one provider, moved to a folder of this machine."""

    def __init__(self, kind: str, home: Path, url: str = NEVER_ASKED):
        self.kept = STATES / kind
        self.home = home
        shutil.copytree(self.kept / "home", home)
        self.replace({HOME: str(home), URL: url, CHECKOUT: str(schema.ROOT)})
        defaults = yaml.safe_load(config.DEFAULT_CONFIG.read_text())
        self.config = merged(defaults, json.loads((home / "config.json").read_text()))

    def replace(self, words: dict[str, str]) -> None:
        """Put other words into every text file."""
        for path in self.home.rglob("*"):
            if path.suffix in TEXTS:
                text = before = path.read_text()
                for old, new in words.items():
                    text = text.replace(old, new)
                if text != before:
                    path.write_text(text)

    def settings(self, **changed):
        return config.settings(self.config | changed, self.home)

    @property
    def state(self) -> State:
        return State.of(self.settings())

    def plan(self, operation):
        return find(operation).plan(self.settings(), ["all"])

    def expected(self, name):
        return durable.read_json(self.kept / "expected" / name)


@pytest.fixture(params=KINDS)
def left(request, tmp_path):
    return Left(request.param, tmp_path / "home")


def test_states_of_both_providers_are_kept():
    """There is something to test: the first version's states of the emulator and of the API."""
    assert {"0.1.0/emulator", "0.1.0/gemini"} <= set(KINDS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_planning_asks_for_nothing_new(left, operation):
    """Every picture stands where the version that left it saw it: no wish changed, nothing more is sent or stale."""
    plan = left.plan(operation)
    now, then = seen(plan), left.expected(f"plan-{operation}.json")
    aside = [[item.item.target, item.item.variation] for item in getattr(plan, "recomposed", ())]

    assert _apart(then) == _apart(now)
    # Records of 0.1.0 do not say what stood around their scene: where the composition changed, it is that.
    assert [item for item in then["stale"] if item not in aside] == now["stale"]


def _apart(plan):
    """A plan without what is out of date."""
    counts = {name: number for name, number in plan["counts"].items() if name not in ("stale", "recomposed")}
    return {name: value for name, value in plan.items() if name != "stale"} | {"counts": counts}


def test_every_standing_is_among_them(left):
    """The states hold what they are kept for: each way in which a picture can stand."""
    statuses = {item.status for item in left.plan("generate").items}

    assert {"done", "adopted", "missing", "put back", "in flight", "failed", "wanted"} == statuses


def test_the_report_comes_out_equal(left):
    """Receipts are read, and what is reported of them is what was reported then."""
    survey = _survey(left)

    report = report_of(survey).to_json()
    report["warnings"] = [one for one in report["warnings"] if "says no medium" not in one["message"]]

    assert [] == _differences(left.expected("report.json"), report)
    assert [] == survey.history.troubles
    assert left.expected("failures.json") == [line.to_json() for line in failure_lines(survey)]


def test_settings_of_old_runs_are_read(left):
    """A step that a run of the old version began goes on with that run's settings."""
    read = [run.read_settings() for run in left.state.runs()]

    assert {(left.settings().library, left.settings().provider)} == {(one.library, one.provider) for one in read}


@pytest.mark.parametrize("operation", ["generate", "analyze"])
@pytest.mark.parametrize("kind", KINDS)
def test_the_job_in_flight_is_collected(kind, operation, tmp_path, emulator, monkeypatch):
    """What was sent by the old version comes into the library, is counted once, and is not asked for again."""
    monkeypatch.setenv("GEMINI_API_KEY", KEY)
    left = Left(kind, tmp_path / "home", emulator.url)
    entry = next(entry for entry in Journal(left.state).in_flight() if entry.operation == operation)
    emulator.faults(job={"seconds": 0, "polls": 0})
    job = _on_the_server(left, entry)

    done = collect(left.settings(job=job), left.state, left.state.run("collected"), connect(left.settings()))

    assert (True, {"applied": 3}) == (done.collected, done.counts)
    plan = left.plan(operation)
    before = left.expected(f"plan-{operation}.json")
    assert before["counts"]["applied"] + 3 == plan.counts().applied
    # A picture that is now in place may stand for its place in another's prompt: that makes none wanted.
    assert before["to_send"] == seen(plan)["to_send"]


def _on_the_server(left: Left, entry) -> str:
    """Put the job of *entry* on the emulator as it was sent, and give the state its name there."""
    remote = connect(left.settings())
    lines = []
    for task, line in zip(
        left.state.batch(entry.batch).read_plan().tasks,
        durable.read_lines(left.state.batch(entry.batch).requests),
        strict=True,
    ):
        files = [part for part in line["request"]["contents"][0]["parts"] if "file_data" in part]
        for part, reference in zip(files, task.references, strict=True):
            data = base64.b64encode((left.home / "story" / reference.path).read_bytes()).decode()
            part["inline_data"] = {"mime_type": part.pop("file_data")["mime_type"], "data": data}
        lines.append(orjson.dumps(line))
    requests = left.home / "requests.jsonl"
    requests.write_bytes(b"\n".join(lines))
    file = remote.upload(requests, "requests", "application/jsonl")
    job = remote.create(entry.model, file.name, entry.display_name)
    left.replace({entry.job: job})
    return job


def _survey(left: Left) -> Survey:
    others = {name: left.plan(name) for name in ("analyze", "enhance")}
    return Survey(left.settings(), left.state, left.plan("generate"), others=others)


def _differences(then, now, where=""):
    """Where *now* says something else than *then* did; it may say more."""
    if where in VOLATILE | WORDING:
        return []
    if isinstance(then, dict) and isinstance(now, dict):
        path = f"{where}." if where else ""
        return [
            found
            for key in then
            for found in (_differences(then[key], now[key], f"{path}{key}") if key in now else [f"{path}{key} is gone"])
        ]
    if isinstance(then, list) and isinstance(now, list) and len(then) == len(now):
        return [found for old, new in zip(then, now, strict=True) for found in _differences(old, new, where)]
    return [] if then == now else [f"{where}: {then!r} became {now!r}"]
