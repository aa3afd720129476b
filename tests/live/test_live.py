"""The same small library against the real API: costs money, off unless asked for.

    CHARGEN_LIVE=1 GEMINI_API_KEY=… CHARGEN_LIVE_BUDGET_USD=0.25 make live

It may take as long as the API takes; a second call goes on where the first one ended, in CHARGEN_LIVE_FOLDER.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEYS = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "MYTHICINDEX_GOOGLE_API_KEY")

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(not os.environ.get("CHARGEN_LIVE"), reason="set CHARGEN_LIVE=1 to spend money on the real API"),
    pytest.mark.skipif(not any(os.environ.get(key) for key in KEYS), reason="needs GEMINI_API_KEY"),
]

IMAGERY = """\
name: Mara Quill
description: A letter carrier with a copper braid and a patched green cloak.
scenes:
  - id: portrait
    prompt: Mara's face and shoulders, plainly lit.
    aspect_ratio: 3:4
  - id: on-the-stairs
    prompt: Mara climbs the harbour stairs with a heavy satchel.
    aspect_ratio: 16:9
"""


def test_two_pictures_from_the_real_api():
    """A portrait, then a scene that sends it: made once, in place, recorded; the second run does nothing."""
    folder = Path(os.environ.get("CHARGEN_LIVE_FOLDER") or ROOT / "state" / "live")
    imagery = folder / "story" / "characters" / "mara-quill" / "imagery.yaml"
    imagery.parent.mkdir(parents=True, exist_ok=True)
    if not imagery.exists():
        imagery.write_text(IMAGERY)
    config = {
        "library": "story",
        "library_id": "chargen-live-test",
        "provider": "gemini",
        "budget_usd": float(os.environ.get("CHARGEN_LIVE_BUDGET_USD", "0.25")),
    }
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--configfile", "config.json", "--", "generate_all"]

    first = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    second = subprocess.run(command, cwd=folder, capture_output=True, text=True)

    assert first.returncode == 0, first.stdout + first.stderr
    assert "Nothing to be done" in second.stdout + second.stderr
    report = json.loads((folder / "results" / "report.json").read_text())
    assert {"wanted": 2, "applied": 2} == {key: report["totals"][key] for key in ("wanted", "applied")}
    assert 2 == imagery.read_text().count("task_key:")
