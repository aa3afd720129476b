"""docs/emulator.md names every option and fault of the emulator."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
from pathlib import Path

import pytest

from chargen.emulator import admin, cli, fault_plan, faults
from chargen.emulator.campaign import LIES
from chargen.emulator.refusals import REFUSALS
from chargen.emulator.strictness import PRESETS, ApiPlan

DOCS = (Path(__file__).parents[2] / "docs" / "emulator.md").read_text(encoding="utf-8")
WORDS = set(re.findall(r"[\w-]+", DOCS))
NAMES = [
    *faults.KINDS,
    *faults.ACTIONS,
    *faults.LINE_ERRORS,
    *faults.BROKEN_LINES,
    *REFUSALS,
    *faults.ANSWER_BODIES,
    *faults.DOWNLOAD_BODIES,
    *faults.HASHES,
    *faults.DENIALS,
    *LIES,
    *faults.PLACES,
    *faults.MOMENTS,
    *(item.name for item in dataclasses.fields(faults.CallFault)),
    *(item.name for item in dataclasses.fields(faults.JobPlan)),
    *(item.name for item in dataclasses.fields(faults.Quotas) if item.name != "retry_delay_s"),
    *(item.name for item in dataclasses.fields(faults.ModelPlan)),
    *(item.name for item in dataclasses.fields(faults.ResultPlan)),
    *(item.name for item in dataclasses.fields(ApiPlan)),
    *PRESETS,
]


@pytest.mark.parametrize("name", sorted(set(NAMES)))
def test_named_in_the_docs(name: str) -> None:
    """Each kind of call, deed, gift and key of a plan is found in the page."""
    assert name in WORDS


def test_example_plan_is_followed() -> None:
    """The page's example of a fault plan is a plan."""
    example = re.search(r"```json\n(.*?)```", DOCS, re.DOTALL)

    assert example
    assert 6 == len(fault_plan.read(json.loads(example[1])).calls)


def test_admin_calls_are_in_the_docs() -> None:
    """Every admin address has its line in the page's table."""
    routes = [(path, method) for path, method, _ in admin.ENDPOINTS]

    assert [] == [f"{method} {path}" for path, method in routes if f"`{method} {path}" not in DOCS]


def test_presets_in_the_docs() -> None:
    """The page's table of choices has the value of each preset."""
    rows = re.findall(r"^\| `(\w+)`[^|]*\| ([^|]+) \| ([^|]+) \| ([^|]+) \|", DOCS, re.MULTILINE)
    shown = {name: [value.strip("` ") for value in values] for name, *values in rows if hasattr(ApiPlan(), name)}

    expected = {
        item.name: [str(getattr(plan, item.name)) for plan in PRESETS.values()] for item in dataclasses.fields(ApiPlan)
    }
    assert {name: [str(value).lower() for value in values] for name, values in expected.items()} == {
        name: [value.lower() for value in values] for name, values in shown.items()
    }


def test_options_have_help() -> None:
    """Every option of the command line says what it does."""
    parser = argparse.ArgumentParser()
    cli.add_arguments(parser)

    assert [] == [action.dest for action in parser._actions if not action.help]
