"""Whether many batches are all submitted before the first one ends, and how long that takes, against one batch alone.

python benchmarks/submit.py [batches]
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from chargen.emulator import launch

ROOT = Path(__file__).resolve().parents[1]


def run(folder: Path, batches: int) -> tuple[float, int]:
    """Submit *batches* to jobs that never end; return the seconds until the last was created, and how many were."""
    scenes = "".join(f"  - {{id: s{number:02}, prompt: A lamp.}}\n" for number in range(batches))
    imagery = folder / "story" / "characters" / "oda" / "imagery.yaml"
    imagery.parent.mkdir(parents=True)
    imagery.write_text(f"name: Oda\nscenes:\n{scenes}")
    url = launch.ensure(folder / "server", ["--job-seconds", "100000", "--idle-exit", "300"])
    config = {"library": "story", "base_url": url, "batch": {"max_tasks": 1, "max_bytes": 100_000}}
    (folder / "config.json").write_text(json.dumps(config))
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "4"]
    started = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--configfile", "config.json", "--", "generate_all"],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    journal = folder / "state" / "emulator" / "story" / "journal.jsonl"
    created = 0
    while created < batches and process.poll() is None and time.perf_counter() - started < 600:
        time.sleep(0.1)
        created = journal.read_text().count('"created"') if journal.exists() else 0
    seconds = time.perf_counter() - started
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    launch.stop(folder / "server")
    return seconds, created


def main() -> None:
    """Print seconds and the ratio."""
    batches = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as many:
        alone, _ = run(Path(one), 1)
        together, created = run(Path(many), batches)
    print(f"{created} of {batches} batches submitted before the first ended")
    print(f"1 batch {alone:.1f} s, {batches} batches {together:.1f} s, ratio {together / alone:.1f}")


if __name__ == "__main__":
    main()
