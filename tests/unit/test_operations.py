"""An operation is one package: nothing else names it, and one that is put beside the others works."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from results_world import World

from chargen import operations
from chargen.base import schemas as schema
from chargen.library.target import Target
from chargen.operations import words
from chargen.operations.foreign import owner_of
from structure import PACKAGE

FAKES = Path(__file__).parents[1] / "fixtures" / "operations"
PACKAGES = {path.parent.name for path in (PACKAGE / "operations").glob("*/__init__.py")}
NAMES = tuple(operations.names())
KNOWN = {
    "records/library_settings.py": "a key of the configuration",
    "records/origins.py": "a key of the configuration",
    "records/settings.py": "the settings of enhancements are named after them",
    "records/state.py": "the first operation's plan of a run is plan.json, as version 0.1.0 named it",
}
"""Modules that may name an operation, and why."""


@pytest.fixture
def outline(monkeypatch):
    """Put an operation of the tests beside the others."""
    monkeypatch.setattr(operations, "__path__", [*operations.__path__, str(FAKES)])
    return operations.operation("outline")


def named(path):
    """Yield what in the module at *path* names an operation: its name or target, or an import of its package."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and node.value in {*NAMES, *(f"{name}_all" for name in NAMES)}:
            yield node.value
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            tuple(f"chargen.operations.{name}" for name in NAMES)
        ):
            yield node.module


def test_only_its_package_names_an_operation():
    """Steps, report, screens and planning ask the registry, so that a new operation needs no change there."""
    modules = {path.relative_to(PACKAGE).as_posix(): path for path in PACKAGE.rglob("*.py")}
    elsewhere = {name: path for name, path in modules.items() if name.split("/")[0] not in ("operations", "emulator")}
    found = {name for name, path in elsewhere.items() if list(named(path))}

    assert set(KNOWN) == found


def test_each_operation_has_a_rule_file():
    """The Snakefile includes one for each package."""
    rules = schema.ROOT / "workflow" / "rules" / "operations"

    assert set(operations.names()) == {path.stem for path in rules.glob("*.smk")}


def test_the_registry_finds_packages_without_importing_them(outline):
    """Those of chargen and one beside them; that of scenes comes first."""
    assert "generate" == operations.names()[0]
    assert sorted({*PACKAGES, "outline"}) == sorted(operations.names())
    assert {"outline_all"} == outline.targets
    assert {"outline_all", "generate_characters", "illustrate_all", "enhance_all"} < operations.targets()


def bring(world, operation):
    """Send what is wanted of *operation*, and place what comes; return the receipts."""
    sent = world.send(operation)
    world.look(times=2)
    return [world.apply(files) for files in sent]


def test_a_new_operation_runs_through_all_steps(tmp_path, emulator, outline):
    """It is planned, shown, sent, placed and done, and the steps know nothing of it."""
    world = World(tmp_path, emulator)
    bring(world, "generate")
    sources = [path.name for path in world.imagery.parent.glob("images/*") if path.is_file()]

    shown = words.overview(world.plan("outline"), world.settings)
    (receipt,) = bring(world, "outline")

    drawn = [path.name for path in (tmp_path / "outlines").rglob("*.png")]
    assert f"{len(world.pictures())} pictures to outline in 1 batch" in shown
    assert {"applied"} == {task.outcome for task in receipt.tasks}
    assert sorted(f"{name}.png" for name in sources) == sorted(drawn)
    assert len(drawn) == world.plan("outline").counts().applied
    assert [] == world.plan("outline").tasks


def test_entities_of_one_name_share_no_result(tmp_path, emulator, outline):
    """A character and a location may have folders and pictures of the same names."""
    world = World(tmp_path, emulator)
    quay = world.imagery.parents[2] / "locations" / "oda-brennick"
    quay.mkdir(parents=True)
    (quay / "imagery.yaml").write_text("name: Brennick's quay\nscenes: [{id: lamp-room, prompt: A quay at dusk.}]\n")
    bring(world, "generate")

    (receipt,) = bring(world, "outline")

    asked = len(world.pictures()) + 1
    assert asked == len({task.key for task in receipt.tasks})
    assert asked == len(list((tmp_path / "outlines").rglob("*.png")))


def test_what_is_still_wanted_of_a_new_operation_is_sent_again(tmp_path, emulator, outline):
    """Attempts, limits and follow-ups are the same for all operations."""
    world = World(tmp_path, emulator)
    bring(world, "generate")
    emulator.faults(lines=[{"give": "error"}])

    (receipt,) = bring(world, "outline")

    (follow_up,) = receipt.follow_ups
    again = world.state.batch(follow_up).read_plan()
    assert {"passing"} == {task.outcome for task in receipt.tasks}
    assert [("outline", 2)] * len(receipt.tasks) == [(again.operation, task.attempt) for task in again.tasks]


def test_a_lost_plan_of_a_new_operation_is_made_again_from_its_results(tmp_path, emulator, outline):
    """A key tells whose it is."""
    target = Target("outline/oda/lamp.png")

    assert outline is owner_of(target)
    assert outline.blank(World(tmp_path, emulator).settings, [(target, 1)])("key", target, 1).target == target
