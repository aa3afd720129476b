"""Whatever is killed, the next plain run goes on: nothing is paid twice, no picture is lost.

A scenario is a command and what it starts from. It is run undisturbed once, which notes every failure point that it
reaches; then it is killed at each of them, and what the next plain run leaves is compared.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from chargen.base import failpoints
from chargen.records.journal import Journal
from chargen.records.journal_lines import EVENTS
from chargen.records.state import State
from conftest import ROOT, Project
from kill_matrix import PROPERTY
from photographs import photograph
from preloaded import Server

pytestmark = pytest.mark.workflow

WHO = ("group", "main")
NOWHERE = "nowhere"
VOLATILE = {
    "generated_at",
    "batch_run_id",
    "analysis_timestamp",
    "reviewed_at",
    "updated",
    "batch",
    "job",
    "run",
    "skipped",
}
"""What differs from run to run."""
ONCE_IS_ENOUGH = re.compile("done-.*|drafted|pinned|thumbnail|ended|end-stored|stored")
"""Points that are tried at their first and last time only: they are many, or lie between two that are tried always."""


@dataclass(frozen=True)
class Scenario:
    """A command that is killed. *before* prepares a project once, *arm* the server and what it holds each time."""

    target: str
    before: Callable[[Project], None]
    arm: Callable[[Project], None]
    points: Mapping[str, int]
    """How often an undisturbed run reaches each point."""
    config: Callable[[Project], Mapping[str, Any]] = lambda project: {}
    then: str = ""
    """What is run afterwards, and in place of the killed command; the command itself if empty."""
    repeated: bool = False
    """Whether the killed command is given once more before that: what it had recorded by then is left out."""

    @property
    def kills(self) -> list[str]:
        """Every ``point:n`` at which it is killed."""
        return [
            f"{point}:{n}"
            for point, times in self.points.items()
            for n in range(1, times + 1)
            if n in (1, times) or not ONCE_IS_ENOUGH.fullmatch(point)
        ]


# ---- generate: two waves, a task that fails temporarily once, a picture that is replaced


def generate_before(project: Project) -> None:
    project.config["batch"] = {"max_tasks": 3, "max_bytes": 1_000_000}
    project.entity(
        "characters/mara-quill",
        """
        # Mara's pictures; this comment stays.
        name: Mara Quill
        description: A letter carrier with a copper braid and a patched green cloak.
        scenes:
          - {id: portrait, prompt: Mara's face.}
          - {id: at-the-gate, prompt: 'Mara waits at the tide gate.', aspect_ratio: 16:9}
          - {id: by-lamplight, prompt: Mara sorts letters by lamplight., variations: 2}
        """,
    )
    project.run(config={"only": ["character/tobi-ferrow/first-lamp"]})
    project.edit("characters/tobi-ferrow", "lights the first lamp", "lights the very first lamp")


def generate_arm(project: Project) -> None:
    project.emulator.faults(
        lines=[{"give": "error", "code": 13, "key": "*last-lamp*", "jobs": 1}], models={"signature_bytes": 400_000}
    )


def no_trouble(project: Project) -> None:
    project.emulator.faults()


GENERATE = Scenario(
    "generate_all",
    generate_before,
    generate_arm,
    {
        "pinned": 3,
        "planned": 1,
        "done-plan": 3,
        "staged": 3,
        "done-stage": 3,
        "uploaded": 4,
        "upload-recorded": 4,
        "intent": 3,
        "created": 3,
        "named": 3,
        "done-submit": 3,
        "chunk": 5,
        "downloaded": 3,
        "stored": 3,
        "end-stored": 3,
        "ended": 3,
        "fetched": 3,
        "drafted": 6,
        "placed": 6,
        "written-back": 4,
        "archived": 1,
        "follow-up": 1,
        "receipt": 3,
        "applied": 3,
        "done-fetch": 3,
        "deleted": 7,
        "forgotten": 4,
        "cleaned": 3,
        "released": 3,
        "done-apply": 3,
        "report-data": 2,
        "thumbnail": 6,
        "reported": 2,
        "done-report": 1,
    },
)


# ---- analyze: two entities, an answer that does not fit and a task that fails temporarily, once each


def analyze_before(project: Project) -> None:
    for number, name in enumerate(("characters/mara-quill/images/a", "characters/mara-quill/images/b")):
        picture(project, name, number)
    picture(project, "characters/tobi-ferrow/images/c", 2, ".bmp")


def analyze_arm(project: Project) -> None:
    project.emulator.faults(
        lines=[
            {"give": "STOP_text", "key": "*images/a.png*", "jobs": 1},
            {"give": "error", "code": 13, "key": "*images/b.png*", "jobs": 1},
        ]
    )


def picture(project: Project, name: str, seed: int, suffix: str = ".png") -> None:
    path = project.library / (name + suffix)
    path.parent.mkdir(parents=True, exist_ok=True)
    photograph(400, 300, seed=seed).save(path)


def sidecar_before(project: Project) -> None:
    analyze_before(project)
    project.config["analyze"] = {"store": "sidecar"}


ANALYZE = Scenario(
    "analyze_all",
    analyze_before,
    analyze_arm,
    {
        "planned": 1,
        "uploaded": 4,
        "upload-recorded": 4,
        "intent": 2,
        "created": 2,
        "named": 2,
        "chunk": 2,
        "downloaded": 2,
        "fetched": 2,
        "answer-kept": 1,
        "written-back": 2,
        "follow-up": 1,
        "receipt": 2,
        "applied": 2,
        "cleaned": 2,
    },
)
SIDECAR = Scenario(
    "analyze_all",
    sidecar_before,
    no_trouble,
    {
        "placed": 2,
        "written-back": 1,
        "receipt": 1,
    },
)


# ---- enhance: a copy that must be made, a task that fails temporarily once, a result that is replaced


def enhance_before(project: Project) -> None:
    photos = project.folder / "photos"
    photos.mkdir()
    photograph(400, 300).save(photos / "plain.jpg")
    (photos / "prompt.txt").write_text("Make it a painting.")
    project.config["enhance"] = {
        "input_dir": "photos",
        "output_dir": "better",
        "prompt": "",
        "image_size": "1K",
        "variations": 1,
        "job_name": "first",
    }
    project.run("enhance_all")
    (photos / "prompt.txt").write_text("Make it a woodcut.")
    photograph(300, 200, seed=1).save(photos / "bitmap.bmp")
    photograph(300, 300, "RGBA", 2).save(photos / "glass.png")


def enhance_arm(project: Project) -> None:
    project.emulator.faults(lines=[{"give": "error", "code": 13, "key": "*glass*", "jobs": 1}])


ENHANCE = Scenario(
    "enhance_all",
    enhance_before,
    enhance_arm,
    {
        "planned": 1,
        "prepared": 2,
        "uploaded": 5,
        "upload-recorded": 5,
        "intent": 2,
        "created": 2,
        "named": 2,
        "chunk": 2,
        "downloaded": 2,
        "fetched": 2,
        "placed": 3,
        "archived": 1,
        "placed-all": 2,
        "written-back": 2,
        "follow-up": 1,
        "receipt": 2,
        "applied": 2,
        "dropped": 2,
        "cleaned": 2,
    },
)


# ---- illustrate: an analysis, what is generated with what it taught, and analyses of that


def illustrate_before(project: Project) -> None:
    project.entity(
        "characters/mara-quill",
        """
        name: Mara Quill
        description: A letter carrier with a copper braid and a patched green cloak.
        image_inventory:
        - path: images/old-sketch.png
          status: approved
        scenes:
          - {id: on-the-stairs, prompt: Mara climbs the harbour stairs with a heavy satchel.}
        """,
    )
    project.entity(
        "characters/tobi-ferrow",
        """
        name: Tobi Ferrow
        description: A lamp lighter of nineteen with soot on his nose.
        scenes:
          - {id: last-lamp, prompt: Tobi puts out the last lamp at dawn.}
        """,
    )
    picture(project, "characters/mara-quill/images/old-sketch", 0)


ILLUSTRATE = Scenario(
    "illustrate_all",
    illustrate_before,
    no_trouble,
    {
        "planned": 3,
        "uploaded": 7,
        "intent": 3,
        "created": 3,
        "named": 3,
        "chunk": 3,
        "fetched": 3,
        "written-back": 5,
        "receipt": 3,
        "applied": 3,
        "cleaned": 3,
        "done-next": 2,
        "placed": 2,
    },
)


# ---- what stands beside: pictures put back, orders, reviews, collecting after state/ was lost


def put_back_before(project: Project) -> None:
    project.run()
    for name in ("on-the-stairs.jpg", "at-the-gate.jpg"):
        (project.library / "characters/mara-quill/images" / name).unlink()


def collect_arm(project: Project) -> None:
    project.emulator.faults()
    project.run("submitted")
    project.emulator.end_jobs()
    shutil.rmtree(project.state)
    shutil.rmtree(project.folder / "results")


def the_job(project: Project) -> Mapping[str, Any]:
    (name,) = project.emulator.counts()["created"]
    return {"job": name}


PUT_BACK = Scenario(
    "generate_all",
    put_back_before,
    no_trouble,
    {
        "placed": 2,
        "written-back": 1,
        "released": 1,
        "done-put-back": 1,
    },
)
ORDER = Scenario(
    "order",
    Project.run,
    no_trouble,
    {"ordered": 1, "done-order": 1},
    lambda project: {"scenes": ["character/tobi-ferrow/last-lamp"]},
    "generate_all",
)
REVIEW = Scenario(
    "review",
    Project.run,
    no_trouble,
    {"reviewed": 2, "done-review": 1},
    lambda project: {"reject": ["character/tobi-ferrow/*", "character/mara-quill/at-the-gate"], "note": "It is noon"},
    "generate_all",
    repeated=True,
)
COLLECT = Scenario(
    "collect",
    lambda project: None,
    collect_arm,
    {
        "intent": 1,
        "named": 1,
        "chunk": 1,
        "stored": 1,
        "fetched": 1,
        "placed": 6,
        "written-back": 2,
        "receipt": 1,
        "applied": 1,
    },
    the_job,
    "generate_all",
)

# ---- results that are not complete at first, and a job that was lost and is there again


def strange_arm(project: Project) -> None:
    project.emulator.faults(
        calls=[{"call": "download", "nth": [1], "do": "body", "body": "half_lines", "crc32c": "none"}]
    )


STRANGE = Scenario(
    "generate_all",
    lambda project: None,
    strange_arm,
    {
        "sighted": 1,
        "set-aside": 1,
        "downloaded": 1,
        "stored": 1,
    },
)


def lost_arm(project: Project) -> None:
    project.emulator.faults(job={"vanish_from": ["get", "list", "download"], "vanish_when": "ended"})
    project.run(check=False)
    project.emulator.vanish([])


LOST = Scenario(
    "generate_all",
    lambda project: None,
    lost_arm,
    {
        "lost-receipt": 1,
        "found-again": 1,
        "done-look-again": 1,
        "end-stored": 1,
        "placed": 6,
        "receipt": 1,
        "applied": 1,
        "deleted": 2,
    },
)


SCENARIOS = {
    "generate": GENERATE,
    "analyze": ANALYZE,
    "sidecar": SIDECAR,
    "enhance": ENHANCE,
    "illustrate": ILLUSTRATE,
    "put-back": PUT_BACK,
    "order": ORDER,
    "review": REVIEW,
    "collect": COLLECT,
    "strange": STRANGE,
    "lost": LOST,
}


# ---- what is compared


class World:
    """A scenario prepared once, to be copied for each kill, and what it leaves when nobody disturbs it."""

    def __init__(self, scenario: Scenario, folder: Path, emulator: Any, server: Server):
        self.scenario = scenario
        self._emulator = emulator
        self._server = server
        self._template = folder / "template"
        self._template.mkdir()
        emulator.reset()
        template = Project(self._template, emulator)
        template.server = server
        scenario.before(template)
        self._config = template.config
        project = self.fresh(folder / "undisturbed")
        reached = folder / "reached"
        project.run(
            scenario.target,
            config=scenario.config(project),
            env={"CHARGEN_KILL_AT": NOWHERE, "CHARGEN_KILL_COUNT": str(reached)},
        )
        if scenario.then:
            project.run(scenario.then)
        trace = [line.split("\t") for line in reached.read_text().splitlines()]
        self.reached = Counter(point for point, *_ in trace if point != failpoints.LOOKED)
        self.alike = alike(trace, scenario.kills)
        self.left = left(project)

    def fresh(self, folder: Path) -> Project:
        """Return a copy of the prepared project in *folder*, with the server armed."""
        folder.mkdir()
        project = Project(folder, self._emulator)
        project.server = self._server
        shutil.rmtree(project.library)
        shutil.copytree(self._template, folder, dirs_exist_ok=True)
        project.config = dict(self._config)
        self._emulator.reset()
        self.scenario.arm(project)
        return project


def alike(trace: list[list[str]], kills: list[str]) -> dict[str, str]:
    """Return for each of *kills* (``point:n``) the one whose kill of the main process alone leaves the same.

    A job that outlives the main process goes on to its end, or to where it next looks whether the main process is
    alive: it is the same wherever before that the main process died. Of such points the last one stands for all.
    """
    times: Counter[str] = Counter()
    looks: Counter[str] = Counter()
    groups: dict[tuple[str, int | str], list[str]] = {}
    for point, process, where in trace:
        if point == failpoints.LOOKED:
            looks[process] += 1
            continue
        times[point] += 1
        name = f"{point}:{times[point]}"
        if name in kills:
            groups.setdefault((process, name if where == "main" else looks[process]), []).append(name)
    return {name: group[-1] for group in groups.values() for name in group}


def left(project: Project) -> dict[str, Any]:
    """Return what a run leaves, without the times and names of runs."""
    report = project.report()
    pictures = {name: sha256 for name, sha256 in project.pictures().items() if not name.endswith(".json")}
    return {
        "pictures": pictures | hashes(project, "better/**/*.jpg"),
        "archive": project.archive(),
        "unplaced": hashes(project, "state/**/unplaced/**/*"),
        "library": {
            path.relative_to(project.folder).as_posix(): settled(yaml.safe_load(path.read_text()))
            for path in sorted(project.library.rglob("imagery.yaml"))
        },
        "sidecars": [settled(json.loads(p.read_text())) for p in sorted(project.library.rglob("*.analysis.json"))],
        "submission": [settled(json.loads(p.read_text())) for p in sorted(project.folder.rglob("submission.json"))],
        "outcomes": Journal(State(project.state)).outcomes(),
        "sent": sorted(project.sent()),
        "totals": settled(report["totals"]),
        "tasks": sorted((task["key"], task["outcome"], task["file"], task["sha256"]) for task in report["tasks"]),
    }


def hashes(project: Project, glob: str) -> dict[str, str]:
    tree = project.tree()
    names = (path.relative_to(project.folder).as_posix() for path in project.folder.glob(glob) if path.is_file())
    return {name: tree[name] for name in sorted(names)}


def settled(data: Any) -> Any:
    """Return *data* without what differs from run to run; records in an order of their own."""
    if isinstance(data, dict):
        return {key: settled(value) for key, value in data.items() if key not in VOLATILE}
    if isinstance(data, list):
        return sorted((settled(item) for item in data), key=lambda item: json.dumps(item, sort_keys=True))
    return data


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Starts Snakemake three times per kill, without importing it each time."""
    made = Server()
    yield made
    made.close()


@pytest.fixture(scope="session")
def worlds(tmp_path_factory, _emulator_server, server) -> Callable[[str], World]:
    """Every scenario, prepared when it is first asked for."""
    known: dict[str, World] = {}

    def world(name: str) -> World:
        if name not in known:
            known[name] = World(SCENARIOS[name], tmp_path_factory.mktemp(name), _emulator_server, server)
        return known[name]

    return world


def wait_for_orphans(project):
    """Wait until nobody of a run whose main process was killed is left."""
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        found = False
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                command = (process / "cmdline").read_text()
                at_home = (process / "cwd").readlink() == project.folder
                found |= at_home and "chargen" in command and "emulator" not in command
        if not found:
            return
        time.sleep(0.2)
    pytest.fail("jobs of a killed run went on for more than a minute and a half")


def killed(project, target, point, who, config):
    """Run *target* and kill *who* at *point*; return whether it came to that."""
    mark = project.folder.with_name(f"{project.folder.name}-killed-at-{point.replace(':', '-')}")
    env = {
        "CHARGEN_KILL_AT": point,
        "CHARGEN_KILL_WHO": who,
        "CHARGEN_KILL_ONCE": str(mark),
        "CHARGEN_KILL_COUNT": f"{mark}-count",
    }
    project.run(target, check=False, env=env, config=config)
    wait_for_orphans(project)
    return mark.exists()


def check_nothing_is_lost(project, world):
    """The same as without a kill; one create a batch, as the server counts them; and nothing is left to do."""
    plain = world.scenario.then or world.scenario.target
    made = project.emulator.counts()["created"]
    again = project.run(plain)

    assert world.left == left(project)
    assert dict.fromkeys(made, 1) == made == project.emulator.counts()["created"]
    assert made.keys() <= {f"chargen-story-{line['batch']}" for line in project.journal("created")}
    project.assert_nothing_twice()
    for path in project.library.rglob("imagery.yaml"):
        records = yaml.safe_load(path.read_text()).get("generated_images") or []
        named = [(item["task_key"], item["file_name"]) for item in records]
        assert len(set(named)) == len(named)
    assert [] == [str(path) for path in project.folder.rglob("*.part")]
    assert "Nothing to be done" in again.stdout


# ---- the tests

IN_TROUBLE = {"absent", "cancelled", "left-out", "refused", "sidecar-written"}
"""Points that none of the scenarios reaches; `sidecar-written` has a test of its own."""
SAMPLE = [("generate", "created:1", "group"), ("generate", "placed:2", "main")]
MATRIX = [(name, kill, who) for name, scenario in SCENARIOS.items() for kill in scenario.kills for who in WHO]


def check_kill(worlds, tmp_path, record_property, name, point, who):
    world = worlds(name)
    same = world.alike.get(point, point)
    if who == "main" and same != point and (name, point, who) not in SAMPLE:
        pytest.skip(f"leaves the same as {same}")
    project = world.fresh(tmp_path / "project")
    record_property(PROPERTY, (name, point.split(":")[0], who))

    config = world.scenario.config(project)
    assert killed(project, world.scenario.target, point, who, config)
    if world.scenario.repeated:
        project.run(world.scenario.target, config=config)
    project.run(world.scenario.then or world.scenario.target)
    check_nothing_is_lost(project, world)


@pytest.mark.xdist_group("kills")  # one worker makes the undisturbed run that they are compared with
@pytest.mark.parametrize(("name", "point", "who"), SAMPLE)
def test_killed_and_run_again(worlds, tmp_path, record_property, name, point, who):
    """SIGKILL right after a durable effect: the next run leaves what an undisturbed one leaves."""
    check_kill(worlds, tmp_path, record_property, name, point, who)


@pytest.mark.soak
@pytest.mark.parametrize(("name", "point", "who"), MATRIX)
def test_the_whole_matrix(worlds, tmp_path, record_property, name, point, who):
    """Every durable effect of every scenario, the process group and the main process alone."""
    check_kill(worlds, tmp_path, record_property, name, point, who)


@pytest.mark.soak
@pytest.mark.parametrize("name", SCENARIOS)
def test_the_matrix_is_complete(worlds, name):
    """An undisturbed run reaches the points that it is killed at just as often as they are tried."""
    points, reached = SCENARIOS[name].points, worlds(name).reached

    assert dict(points) == {point: reached[point] for point in points}
    assert name != "generate" or points.keys() == reached.keys()


@pytest.mark.soak
@pytest.mark.parametrize(
    ("store", "point"), [("picture", "placed:2"), ("sidecar", "placed:2"), ("sidecar", "sidecar-written")]
)
def test_killed_while_pictures_say_where_they_come_from(project, store, point):
    """Doing it again makes the same bytes: nothing is paid, archived or recorded twice, and what is lost comes back."""
    project.config["provenance"] = store
    project.run(check=False, env={"CHARGEN_KILL_AT": point, "CHARGEN_KILL_WHO": "group"})
    project.run()
    made = project.pictures()
    records = [
        record["sha256"]
        for path in project.library.glob("*/*/imagery.yaml")
        for record in yaml.safe_load(path.read_text())["generated_images"]
    ]
    beside = sorted(project.library.glob("*/*/images/*.provenance.json"))
    for path in [*project.library.glob("*/*/images/*.jpg"), *beside]:
        path.unlink()
    project.run()

    pictures = {name: sha256 for name, sha256 in made.items() if name.endswith(".jpg")}
    assert made == project.pictures()
    assert sorted(pictures.values()) == sorted(records)
    assert 6 == len(pictures)
    assert [] == project.archive()
    assert (6 if store == "sidecar" else 0) == len(beside)
    embedded = [b"chargen {" in (project.library / name).read_bytes() for name in pictures]
    assert [store == "picture"] * 6 == embedded
    project.assert_nothing_twice()
    assert "Nothing to be done" in project.run().stdout


def test_ctrl_c_while_waiting(project):
    """Ctrl-C ends a waiting run in words, and the next run collects the job."""
    project.emulator.faults(job={"polls": 10_000})
    process = project.start()
    deadline = time.monotonic() + 60
    while not project.journal("created") and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    project.emulator.end_jobs()
    project.run()

    assert process.returncode != 0
    assert "Traceback" not in output
    assert "Nothing is lost" in output
    assert 6 == len(project.pictures())
    assert 1 == project.emulator.count("create")


def test_every_point_is_in_the_matrix():
    """No durable effect of the program is left out, but for those that need a server in trouble."""
    program = [path.read_text() for path in (ROOT / "workflow/scripts/chargen").rglob("*.py")]
    said = {name for text in program for name in re.findall(r'reached\(f?"([^"]+)"(?! if)', text)}
    names = {kind.__name__: name for name, kind in EVENTS.items()}
    events = {names[kind] for text in program for kind in re.findall(r"journal\.append\(\s*(\w+)\(", text)}
    said |= {"named" if event == "created" else event for event in events}
    tried = {re.sub("done-.*", "done-{called_with[0]}", p) for s in SCENARIOS.values() for p in s.points}

    assert IN_TROUBLE == said - tried


PAIRS = 12


@pytest.mark.soak
@pytest.mark.parametrize("seed", [int(os.environ["CHARGEN_SEED"])] if "CHARGEN_SEED" in os.environ else range(PAIRS))
def test_killed_twice_in_a_row(worlds, tmp_path, record_property, seed):
    """The run that goes on is killed too, somewhere else; the one after it leaves what an undisturbed one leaves."""
    chance = random.Random(seed)
    name = chance.choice(["generate", "generate", "analyze", "enhance", "illustrate"])
    world = worlds(name)
    project = world.fresh(tmp_path / "project")
    record_property(PROPERTY, (name, "twice in a row", "any"))
    first, second = chance.sample(world.scenario.kills, 2)
    later = f"{second.split(':')[0]}:1"  # much is done already

    assert killed(project, world.scenario.target, first, chance.choice(WHO), {}), first
    killed(project, world.scenario.target, later, chance.choice(WHO), {})
    project.run(world.scenario.target)
    check_nothing_is_lost(project, world)
