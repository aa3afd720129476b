"""The example library is made in full however strictly, or loosely, the API reads and shows things."""

from __future__ import annotations

import dataclasses
import json
import shutil
from typing import Any

import pytest

from chargen.emulator import launch
from chargen.emulator.strictness import PRESETS
from conftest import ROOT, Project

pytestmark = [pytest.mark.workflow, pytest.mark.soak]


def _choices(url: str) -> dict[str, Any]:
    import httpx2

    answer = httpx2.get(f"{url}/admin/faults", trust_env=False)
    choices: dict[str, Any] = json.loads(answer.content)["api"]
    return choices


@pytest.mark.parametrize("preset", PRESETS)
def test_example_library(project: Project, preset: str) -> None:
    """generate_all and analyze_all of the example library, with the embedded emulator as strict as that."""
    shutil.copytree(ROOT / "examples" / "saltmere", project.folder / "saltmere")
    options = f"--strictness {preset}"
    project.config |= {
        "library": "saltmere",
        "base_url": "",
        "emulator": {"job_s": 1, "idle_exit_s": 120, "options": options},
    }
    state = project.folder / "state" / "emulator-server"
    try:
        project.run("generate_all")
        made = project.report()["totals"]
        project.run("analyze_all")
        analysed = project.report()["totals"]
        choices = _choices(launch.running(state))
    finally:
        launch.stop(state)

    assert dataclasses.asdict(PRESETS[preset]) == choices
    assert (0, made["wanted"]) == (made["failed"], made["applied"])
    assert made["wanted"] > 0
    assert (0, 0) == (analysed["failed"], analysed["in_flight"])
