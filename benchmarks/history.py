"""How long the steps of one batch take with 20, 200 and 2,000 settled batches behind them, as ratios to 20.

Each batch of the past holds 500 pictures. The steps run as the rules run them, in processes of their own; the journal's
index exists, as after any run.
"""

from __future__ import annotations

import datetime as dt
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from chargen.base import durable
from chargen.emulator import launch
from chargen.operations.generate.plan import make_plan
from chargen.operations.pin import pin
from chargen.records.journal import Journal
from chargen.records.settings import settings
from chargen.records.state import RunFiles, State

ROOT = Path(__file__).resolve().parents[1]
SIZES = (20, 200, 2000)
STEPS = ("stage", "submit", "fetch", "apply")
PICTURES = 500
ROUNDS = 5


def history(state: State, batches: int) -> None:
    """Write the journal and receipts of *batches* batches that were settled in the past months."""
    lines = []
    for number in range(batches):
        batch = f"{number:016x}"
        then = dt.datetime.now(dt.UTC) - dt.timedelta(days=100 - 95 * number / batches)
        moment = then.strftime("%Y-%m-%dT%H:%M:%SZ")
        wishes = {f"{number * PICTURES + item:016x}": 1 for item in range(PICTURES)}
        about = {"time": moment, "batch": batch}
        lines += [
            about
            | {"event": "intent", "operation": "generate", "model": "m", "display_name": f"chargen-l-{batch}"}
            | {"base_url": "u", "key": "k", "wishes": wishes, "cost_usd": 1.0, "tokens": 1, "clock": {}, "pid": 1},
            about | {"event": "created", "job": f"batches/{batch}", "adopted": False},
            about | {"event": "ended", "state": "SUCCEEDED", "error": ""},
            about | {"event": "fetched", "bytes": 1},
            about | {"event": "applied", "outcomes": {wish: ["applied", ""] for wish in wishes}, "cost_usd": 1.0},
            about | {"event": "cleaned"},
        ]
        folder = state.batch(batch).folder
        folder.mkdir(parents=True)
        (folder / "receipt.json").write_text("{}")
        (folder / "plan.json").write_text('{"tasks": []}')
    state.journal.write_text("".join(json.dumps(line) + "\n" for line in lines))
    Journal.recent(state)


def prepared(home: Path, batches: int, address: str) -> tuple[State, RunFiles, list[str]]:
    """Return a state with a history of *batches* batches, a run, and the batches of it that are to be taken through."""
    imagery = home / "story" / "characters" / "oda" / "imagery.yaml"
    imagery.parent.mkdir(parents=True)
    scenes = "".join(f"  - {{id: scene-{number}, prompt: A lamp.}}\n" for number in range(ROUNDS))
    imagery.write_text(f"name: Oda\nscenes:\n{scenes}")
    defaults = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    changes = {"library": str(home / "story"), "base_url": address, "budget_usd": ""}
    run_settings = settings(defaults | changes | {"batch": {"max_tasks": 1, "max_bytes": 100_000}}, home)
    state = State.of(run_settings)
    state.root.mkdir(parents=True)
    history(state, batches)
    run = state.run("2026-01-01T00-00-00Z")
    plan = make_plan(run_settings)
    pin(run_settings, state, run, plan, "", [])
    durable.write_json(run.settings, run_settings.to_json())
    return state, run, [batch.id for batch in plan.batches]


def steps(home: Path, run: RunFiles, batch: str) -> dict[str, float]:
    """Return the seconds that each step of *batch* takes."""
    taken = {}
    for step in STEPS:
        output = home / "results" / step
        output.parent.mkdir(exist_ok=True)
        start = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "chargen", step, "--run", str(run.folder), batch, str(output)],
            check=True,
            capture_output=True,
        )
        taken[step] = time.perf_counter() - start
    return taken


def main() -> None:
    """Print the median of each step by size of history, and its ratio to the smallest."""
    with tempfile.TemporaryDirectory() as name:
        address = launch.ensure(Path(name) / "server", ["--job-seconds", "0", "--idle-exit", "600"])
        try:
            homes = {size: Path(name) / f"home-{size}" for size in SIZES}
            ready = {size: prepared(home, size, address) for size, home in homes.items()}
            rounds = {
                size: [steps(homes[size], ready[size][1], ready[size][2][number]) for number in range(ROUNDS)]
                for size in SIZES
            }
        finally:
            launch.stop(Path(name) / "server")
    print(f"{'batches':>8}" + "".join(f"{step:>16}" for step in STEPS))
    for size in SIZES:
        cells = []
        for step in STEPS:
            middle, first = (statistics.median(taken[step] for taken in rounds[of]) for of in (size, SIZES[0]))
            cells.append(f"{middle:.2f} s, {middle / first:.2f} x")
        print(f"{size:8}" + "".join(f"{cell:>16}" for cell in cells))


if __name__ == "__main__":
    main()
