"""How long a dry run of Snakemake takes for a library of 10,000 wanted scenes, against Snakemake's own start.

python benchmarks/plan.py [scenes]
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PER_ENTITY = 50


def make_library(root: Path, scenes: int) -> None:
    """Write characters with PER_ENTITY scenes each, of the length that real ones have."""
    text = "She crosses the square in the rain with a lantern under her cloak and looks back once. "
    for number in range(scenes // PER_ENTITY):
        folder = root / "characters" / f"person-{number:03}"
        folder.mkdir(parents=True)
        lines = [f"name: Person {number}", f"description: {text * 6}", "traits: [grey cloak, brass lantern]", "scenes:"]
        for scene in range(PER_ENTITY):
            lines += [
                f"  - id: scene-{scene:02}",
                f"    prompt: {text * 3}",
                "    mood: ominous",
                "    aspect_ratio: 3:4",
            ]
        (folder / "imagery.yaml").write_text("\n".join(lines) + "\n")


def timed(command: list[str], folder: Path) -> tuple[float, str]:
    """Return wall seconds and output of *command*."""
    started = time.perf_counter()
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return time.perf_counter() - started, done.stdout


def main() -> None:
    """Print seconds and the ratio to a dry run without a plan."""
    scenes = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_library(folder / "story", scenes)
        snakemake = [
            sys.executable,
            "-m",
            "snakemake",
            "-s",
            str(ROOT / "Snakefile"),
            "-n",
            "--config",
            "library=story",
        ]
        bare, _ = timed([*snakemake, "--", "order"], folder)
        planned, said = timed([*snakemake, "--", "generate_all"], folder)
    print(next(line for line in said.splitlines() if "images" in line))
    print(
        f"Snakemake alone {bare:.2f} s, with the plan of {scenes:,} scenes {planned:.2f} s, ratio {planned / bare:.1f}"
    )


if __name__ == "__main__":
    main()
