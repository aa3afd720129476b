"""A project of its own for each test: a small library, the real Snakefile, an emulator that the test directs."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chargen.base import schemas as schema
from emulator_fixture import Emulator
from preloaded import Run, Server

ROOT = Path(__file__).resolve().parents[2]
RUN_TIMEOUT_S = 240

MARA = """
    # Mara's pictures; this comment stays.
    name: Mara Quill
    description: A letter carrier with a copper braid and a patched green cloak.
    scenes:
      - id: on-the-stairs
        prompt: Mara climbs the harbour stairs with a heavy satchel.
      - {id: at-the-gate, prompt: 'Mara waits at the tide gate.', aspect_ratio: 16:9}
      - id: by-lamplight
        prompt: Mara sorts letters by lamplight.
        variations: 2
    """
TOBI = """
    name: Tobi Ferrow
    description: A lamp lighter of nineteen with soot on his nose.
    scenes:
      - id: first-lamp
        prompt: Tobi lights the first lamp of the evening.
      - id: last-lamp
        prompt: Tobi puts out the last lamp at dawn.
    """


class Project:
    """A working directory with a library, and Snakemake to run in it."""

    def __init__(self, folder: Path, emulator: Emulator):
        self.folder = folder
        self.emulator = emulator
        self.server: Server | None = None
        self.library = folder / "story"
        self.config: dict[str, Any] = {
            "library": "story",
            "provider": "emulator",
            "base_url": emulator.url,
            "poll": {"interval_s": 0.3, "deadline_h": 24, "settle_s": 1},
            "submit": {"timeout_s": 2, "grace_s": 0.5},
            "upload": {"concurrency": 4, "timeout_s": 30, "attempts": 4},
        }
        self.entity("characters/mara-quill", MARA)
        self.entity("characters/tobi-ferrow", TOBI)

    # -- the library

    def entity(self, name: str, text: str) -> Path:
        """Write the imagery.yaml of an entity; returns its path."""
        path = self.library / name / "imagery.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
        return path

    def edit(self, name: str, old: str, new: str) -> None:
        """Change an entity's imagery.yaml as its author would."""
        path = self.library / name / "imagery.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def pictures(self) -> dict[str, str]:
        """The pictures in place, by path below the library, with the hash of their bytes; the archive apart."""
        return {
            path.relative_to(self.library).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.library.glob("*/*/images/*"))
            if path.is_file()
        }

    def archive(self) -> list[str]:
        """The names of archived pictures."""
        return sorted(path.name for path in self.library.glob("*/*/images/archive/*"))

    # -- running

    def run(
        self,
        *targets: str,
        env: Mapping[str, str] | None = None,
        check: bool = True,
        config: Mapping[str, Any] | None = None,
        options: tuple[str, ...] = (),
    ) -> subprocess.CompletedProcess[str]:
        """Run Snakemake to its end; with *check* it must succeed."""
        process = self.start(*targets, env=env, config=config, options=options)
        try:
            output, _ = process.communicate(timeout=RUN_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            pytest.fail(f"snakemake did not end within {RUN_TIMEOUT_S} s:\n{output}")
        done = subprocess.CompletedProcess(process.args, process.returncode, output)
        if check:
            assert process.returncode == 0, output + self._logs()
        return done

    def start(
        self,
        *targets: str,
        env: Mapping[str, str] | None = None,
        config: Mapping[str, Any] | None = None,
        options: tuple[str, ...] = (),
    ) -> subprocess.Popen[str] | Run:
        """Start Snakemake in a process group of its own; forked from `server`, if there is one."""
        configfile = self.folder / "config.json"
        configfile.write_text(json.dumps(self.config | dict(config or {})))
        args = ["--snakefile", str(ROOT / "Snakefile"), "--cores", "4"]
        args += ["--configfile", str(configfile), *options, "--", *(targets or ("generate_all",))]
        if self.server:
            return self.server.start(args, self.folder, os.environ | dict(env or {}))
        return subprocess.Popen(
            [sys.executable, "-m", "snakemake", *args],
            cwd=self.folder,
            env=os.environ | dict(env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def dry(self, *targets: str, config: Mapping[str, Any] | None = None) -> str:
        """Return what a dry run prints."""
        return self.run(*targets, options=("-n",), config=config).stdout

    # -- what is left behind

    @property
    def state(self) -> Path:
        return self.folder / "state" / self.config["provider"] / "story"

    def journal(self, event: str = "") -> list[dict[str, Any]]:
        """The journal's lines, of one event or all."""
        path = self.state / "journal.jsonl"
        lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
        return [line for line in lines if not event or line["event"] == event]

    def events(self) -> list[dict[str, Any]]:
        """The lines of logs/events.ndjson."""
        path = self.folder / "logs" / "events.ndjson"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def report(self) -> dict[str, Any]:
        """results/report.json."""
        data: dict[str, Any] = json.loads((self.folder / "results" / "report.json").read_text())
        return data

    def tree(self, *, without: tuple[str, ...] = (".snakemake",)) -> dict[str, str]:
        """Every file with the hash of its bytes."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.relative_to(self.folder).parts[0] not in without
        }

    def sent(self) -> list[str]:
        """Every wish with its attempt that was put into a job that was created, in order."""
        jobs = dict.fromkeys(line["batch"] for line in self.journal("created"))
        intents = {line["batch"]: line for line in self.journal("intent")}
        return [f"{wish}/{attempt}" for batch in jobs for wish, attempt in intents[batch]["wishes"].items()]

    def assert_nothing_twice(self) -> None:
        """One create per batch took effect, and no wish was sent twice."""
        created = self.emulator.counts()["created"]
        assert dict.fromkeys(created, 1) == created
        sent = self.sent()
        assert sorted(set(sent)) == sorted(sent)

    def _logs(self) -> str:
        return "".join(
            f"\n--- {path.relative_to(self.folder)}\n{path.read_text()}"
            for path in sorted((self.folder / "logs").rglob("*.log"))
        )


def wait_until(condition, seconds=90):
    """Wait until *condition* holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "what was waited for did not happen"
        time.sleep(0.1)


@pytest.fixture
def project(tmp_path: Path, emulator: Emulator) -> Iterator[Project]:
    """A project with two characters and six wanted pictures."""
    folder = tmp_path / "project"
    folder.mkdir()
    made = Project(folder, emulator)
    yield made
    assert [] == [(event, wrong) for event in made.events() if (wrong := schema.errors("event", event))]
