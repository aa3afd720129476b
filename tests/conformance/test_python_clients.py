"""pydantic-ai's and litellm's batches against the emulator, in an environment of their own."""

from __future__ import annotations

import json

import pytest

from clients import HERE, Outcome, Table, checks, python, run
from emulator_fixture import Emulator

pytestmark = pytest.mark.soak
DRIVERS = {
    "pydantic-ai": ("with_pydantic_ai.py", "batches (answers, pictures, submit and collect, cancel, errors)"),
    "litellm": ("with_litellm.py", "files, batches of OpenAI-shaped rows, completions"),
}


@pytest.mark.parametrize("client", DRIVERS)
def test_python_client(emulator: Emulator, table: Table, client: str) -> None:
    """The client does all that its driver asks of it without knowing whom it talks to."""
    script, runs = DRIVERS[client]

    output = run([python(), script], folder=HERE / "python", env={"GEMINI_BASE_URL": emulator.url})

    version = json.loads(output.splitlines()[-1])["version"]
    table.add(Outcome(client, version, runs, checks(output), {}, "usual"))
