"""What other people's clients make of the emulator: their checks counted, and the table in docs/emulator.md."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HERE = Path(__file__).parent / "conformance"
KEPT = ROOT / ".clients"
"""Where foreign clients are installed, apart from chargen's own environment; git-ignored."""
BEGIN, END = "<!-- clients: written by `make clients` -->", "<!-- clients: end -->"
ORDER = ("google-genai", "@google/genai", "@ai-sdk/google", "pydantic-ai", "litellm", "curl")


@dataclass(frozen=True)
class Outcome:
    """What one client did: *runs* in words, how many checks passed, which were left out and why."""

    client: str
    version: str
    runs: str
    passed: int
    left_out: Mapping[str, str]
    strictness: str


class Table:
    """The outcomes of one test session."""

    def __init__(self) -> None:
        self.outcomes: dict[str, Outcome] = {}

    def add(self, outcome: Outcome) -> None:
        """Keep the outcome of a client that passed."""
        self.outcomes[outcome.client] = outcome

    def text(self, today: str) -> str:
        """The two tables in Markdown: what passes, and what is left out with its reason."""
        found = [self.outcomes[name] for name in ORDER if name in self.outcomes]
        lines = [
            f"Seen on {today}:",
            "",
            "| client | what runs | strictness | passed | left out |",
            "|---|---|---|---|---|",
            *(
                f"| {one.client} {one.version} | {one.runs} | {one.strictness} | {one.passed} | {len(one.left_out)} |"
                for one in found
            ),
        ]
        reasons: dict[str, list[str]] = {}
        for one in found:
            for check, reason in one.left_out.items():
                reasons.setdefault(f"{one.client}: {reason}", []).append(check)
        if reasons:
            lines += ["", "| left out | checks |", "|---|---|"]
            lines += [f"| {why} | {', '.join(f'`{check}`' for check in checks)} |" for why, checks in reasons.items()]
        return "\n".join(lines)

    def write(self, page: Path) -> None:
        """Put the tables between the markers of *page*, if every client was run."""
        if set(ORDER) - self.outcomes.keys():
            return
        text = page.read_text(encoding="utf-8")
        before, rest = text.split(BEGIN)
        _, after = rest.split(END)
        today = dt.date.today().isoformat()
        page.write_text(f"{before}{BEGIN}\n{self.text(today)}\n{END}{after}", encoding="utf-8")


@pytest.fixture(scope="session")
def table() -> Iterator[Table]:
    """Collects the outcomes; at the end writes them into the page that CHARGEN_CLIENTS_PAGE names, if it names one."""
    found = Table()
    yield found
    if page := os.environ.get("CHARGEN_CLIENTS_PAGE"):
        found.write(Path(page))


def run(command: Sequence[str | Path], *, folder: Path, env: Mapping[str, str], timeout_s: float = 300) -> str:
    """Run a client's driver; its standard output. The test fails with what it said if it does."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode:
        pytest.fail(f"{command[0]} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-6000:]}")
    return done.stdout


def checks(output: str) -> int:
    """How many checks a driver reports on its last line (``{"checks": [{"name", "error"}]}``); none may fail."""
    reported = json.loads(output.splitlines()[-1])["checks"]
    failed = [f"{check['name']}: {check['error']}" for check in reported if check["error"]]
    assert [] == failed
    assert reported
    return len(reported)


def node_modules() -> Path:
    """The folder with the npm clients of node/package.json, installed if that has changed; fails without npm."""
    return _installed("node", HERE / "node" / "package.json", _npm)


def python() -> Path:
    """The interpreter that has the clients of python/requirements.txt; the test fails when they cannot be installed."""
    requirements = HERE / "python" / "requirements.txt"
    return _installed("python", requirements, _pip) / "bin" / "python"


def _installed(name: str, wanted: Path, install: Callable[[Path, Path], None]) -> Path:
    folder = KEPT / name
    stamp = folder / "installed"
    text = wanted.read_text(encoding="utf-8")
    if not (stamp.exists() and stamp.read_text(encoding="utf-8") == text):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        install(folder, wanted)
        stamp.write_text(text, encoding="utf-8")
    return folder


def _npm(folder: Path, package: Path) -> None:
    if not shutil.which("npm") or not shutil.which("node"):
        pytest.fail("node and npm are needed: @google/genai and @ai-sdk/google run in them")
    shutil.copy(package, folder / "package.json")
    _must(["npm", "install", "--no-audit", "--no-fund", "--silent", "--ignore-scripts"], folder)


def _pip(folder: Path, requirements: Path) -> None:
    _must([sys.executable, "-m", "venv", str(folder)], folder)
    _must([str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", str(requirements)], folder)


def _must(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.fail(f"{' '.join(command)} failed, so the client cannot be run:\n{done.stderr.strip()[-1500:]}")
