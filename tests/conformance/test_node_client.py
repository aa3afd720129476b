"""@google/genai from npm against the emulator."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from emulator_fixture import Emulator

NODE = Path(__file__).parent / "node"

pytestmark = pytest.mark.soak


def _installed(folder: Path) -> Path:
    """A folder with the script and its one dependency."""
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.skip("node and npm are not installed")
    for name in ("package.json", "drive.mjs"):
        shutil.copy(NODE / name, folder / name)
    command = ["npm", "install", "--no-audit", "--no-fund", "--silent"]
    install = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if install.returncode:
        pytest.skip(f"npm could not install @google/genai: {install.stderr.strip()[-300:]}")
    return folder


def test_node_client(emulator: Emulator, tmp_path: Path) -> None:
    """The JavaScript client uploads, creates, waits, downloads, lists and deletes without knowing."""
    folder = _installed(tmp_path)
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    run = subprocess.run(
        ["node", "drive.mjs", str(scratch)],
        cwd=folder,
        env={**os.environ, "GEMINI_BASE_URL": emulator.url},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert 0 == run.returncode, run.stderr
    expected = {
        "last": "JOB_STATE_SUCCEEDED",
        "keys": ["first", "second"],
        "mimeTypes": ["image/jpeg"],
        "listed": ["node-job"],
        "spoke": True,
        "left": [],
    }
    assert expected == json.loads(run.stdout)
