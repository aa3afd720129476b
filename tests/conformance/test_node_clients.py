"""@google/genai and the AI SDK's Google provider, both from npm, against the emulator."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from clients import HERE, Outcome, Table, checks, node_modules, run
from emulator_fixture import Emulator

pytestmark = pytest.mark.soak
DRIVERS = {
    "@google/genai": ("genai.mjs", "files, batches (file, inlined, embeddings), models"),
    "@ai-sdk/google": ("ai-sdk.mjs", "text, objects, pictures, embeddings, files, batches (inlined and file)"),
}


@pytest.mark.parametrize("client", DRIVERS)
def test_node_client(emulator: Emulator, tmp_path: Path, table: Table, client: str) -> None:
    """The client does all that its driver asks of it without knowing whom it talks to."""
    folder = node_modules()
    script, runs = DRIVERS[client]
    for path in (HERE / "node").glob("*.mjs"):
        shutil.copy(path, folder / path.name)

    output = run(["node", script, tmp_path], folder=folder, env={"GEMINI_BASE_URL": emulator.url})

    about = json.loads((folder / "node_modules" / client / "package.json").read_text(encoding="utf-8"))
    table.add(Outcome(client, about["version"], runs, checks(output), {}, "usual"))
