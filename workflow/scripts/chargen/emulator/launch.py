"""Find the emulator of a state folder, or start one that outlives its parent. Light to import."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chargen.base.errors import ChargenError

SERVER_FILE = "server.json"
LOG_FILE = "server.log"
_START_LIMIT_S = 30.0


class EmulatorDidNotStart(ChargenError):
    """The emulator was started and did not answer."""


def running(state_dir: Path) -> str:
    """The base URL of the emulator that serves *state_dir*, or ``""`` when none answers."""
    about = _about(state_dir)
    if not about:
        return ""
    health = _health(int(about["port"]))
    return str(about["url"]) if health.get("pid") == about["pid"] else ""


def ensure(state_dir: Path, extra_args: Sequence[str] = ()) -> str:
    """The base URL of a running emulator for *state_dir*; starts one with *extra_args* if none runs.

    Two callers at once get the same server. It runs in a session of its own and writes to ``server.log`` in
    *state_dir*. Raises EmulatorDidNotStart with the end of that log.
    """
    if url := running(state_dir):
        return url
    from filelock import FileLock

    state_dir.mkdir(parents=True, exist_ok=True)
    with FileLock(state_dir / "launch.lock"):
        return running(state_dir) or _start(state_dir, extra_args)


def stop(state_dir: Path, *, kill: bool = False, patience_s: float = 10.0) -> bool:
    """Stop the emulator of *state_dir* and wait for its end; True if one was running. Its state stays.

    *kill* ends it without a chance to tidy up, for tests of crashes.
    """
    if not running(state_dir):
        return False
    pid = int(_about(state_dir)["pid"])
    os.kill(pid, signal.SIGKILL if kill else signal.SIGTERM)
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and _alive(pid):
        time.sleep(0.01)
    return True


def _alive(pid: int) -> bool:
    """Whether the process runs (a child of ours that has ended is collected on the way)."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _start(state_dir: Path, extra_args: Sequence[str]) -> str:
    import subprocess

    command = [sys.executable, "-m", "chargen.emulator", "--state", str(state_dir), *extra_args]
    package_root = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH", "")]))
    with (state_dir / LOG_FILE).open("ab") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**_without_keys(), "PYTHONPATH": path},
        )
    deadline = time.monotonic() + _START_LIMIT_S
    while time.monotonic() < deadline:
        if url := running(state_dir):
            return url
        if process.poll() is not None:
            break
        time.sleep(0.02)
    end = (state_dir / LOG_FILE).read_text(encoding="utf-8", errors="replace")[-2000:]
    raise EmulatorDidNotStart(f"the emulator for {state_dir} did not start; the end of its log:\n{end}")


def _without_keys() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}


def _about(state_dir: Path) -> dict[str, Any]:
    try:
        about = json.loads((state_dir / SERVER_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return about if isinstance(about, dict) and {"pid", "port", "url"} <= about.keys() else {}


def _health(port: int) -> dict[str, Any]:
    """What ``/admin/health`` answers; asked over a plain socket, which is a tenth of the cost of an HTTP library."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"GET /admin/health HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
            answer = b"".join(iter(lambda: connection.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        health = json.loads(body) if b" 200 " in head.splitlines()[0] else {}
    except (OSError, ValueError, IndexError):
        return {}
    return health if isinstance(health, dict) else {}
