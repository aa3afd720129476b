"""The running server: one per state folder, on loopback, with ``server.json`` to find it by."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterable
from pathlib import Path

import uvicorn
from filelock import FileLock, Timeout

import chargen
from chargen.base.errors import ChargenError
from chargen.emulator import fault_plan
from chargen.emulator.app import Service
from chargen.emulator.catalogue import ModelsFile
from chargen.emulator.clock import rfc3339
from chargen.emulator.launch import SERVER_FILE
from chargen.emulator.store import Store
from chargen.emulator.wire import CuttableProtocol
from chargen.emulator.world import World, fingerprint

_PORT_FILE = "port"


class AlreadyRunning(ChargenError):
    """Another emulator serves this state folder, or holds the port."""


def serve(
    state: Path,
    *,
    port: int = 0,
    plan: fault_plan.Plan,
    idle_exit_s: float = 0.0,
    invalid_keys: Iterable[str] = (),
    models: ModelsFile | None = None,
) -> None:
    """Serve *state* on 127.0.0.1 until a signal comes or nothing was asked for *idle_exit_s* seconds (0:
    never).

    Raises AlreadyRunning when the folder or the port is taken.
    """
    state = state.resolve()
    state.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(state / "server.lock", timeout=0):
            _serve_locked(state, port, plan, idle_exit_s, invalid_keys, models or ModelsFile())
    except Timeout:
        raise AlreadyRunning(f"{state}: another emulator serves this folder; see {SERVER_FILE} in it") from None


def _serve_locked(
    state: Path,
    port: int,
    plan: fault_plan.Plan,
    idle_exit_s: float,
    invalid_keys: Iterable[str],
    models: ModelsFile,
) -> None:
    listener = _listen(state, port)
    store = Store(state)
    world = World(store, models, plan)
    service = Service(world, frozenset(fingerprint(key) for key in invalid_keys))
    config = uvicorn.Config(
        service.app(),
        http=CuttableProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        headers=[("server", "chargen-emulator")],
        timeout_graceful_shutdown=1,
        timeout_keep_alive=65,
    )
    try:
        _Server(config, state, service, idle_exit_s).run(sockets=[listener])
    finally:
        listener.close()
        store.close()


class _Server(uvicorn.Server):
    """uvicorn's server that announces itself in the state folder and leaves when idle."""

    def __init__(self, config: uvicorn.Config, state: Path, service: Service, idle_exit_s: float) -> None:
        super().__init__(config)
        self._file = state / SERVER_FILE
        self._service = service
        self._idle_exit_s = idle_exit_s

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start listening, then write ``server.json``."""
        await super().startup(sockets)
        port = sockets[0].getsockname()[1] if sockets else 0
        url = f"http://127.0.0.1:{port}"
        about = {
            "pid": os.getpid(),
            "port": port,
            "url": url,
            "started": rfc3339(time.time_ns(), 6),
            "version": chargen.__version__,
        }
        temporary = self._file.with_suffix(".tmp")
        temporary.write_text(json.dumps(about) + "\n", encoding="utf-8")
        temporary.replace(self._file)
        print(f"chargen emulator: {url} serves {self._file.parent}", flush=True)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take ``server.json`` away, then stop."""
        self._file.unlink(missing_ok=True)
        await super().shutdown(sockets)

    async def on_tick(self, counter: int) -> bool:
        """Whether to stop: when uvicorn says so, or after too long without a request."""
        idle = time.monotonic() - self._service.last_call
        if self._idle_exit_s and not self._service.busy and idle > self._idle_exit_s:
            return True
        return await super().on_tick(counter)


def _listen(state: Path, port: int) -> socket.socket:
    """A bound socket on *port*; for 0 on the last run's port if that is free, so that URLs stay good."""
    remembered = state / _PORT_FILE
    tries = [port]
    if not port and remembered.exists() and remembered.read_text().strip().isdigit():
        tries = [int(remembered.read_text()), 0]
    for number in tries:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio: no delay
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", number))
        except OSError as error:
            listener.close()
            if number == tries[-1]:
                raise AlreadyRunning(f"port {number}: cannot be used: {error.strerror}") from None
            continue
        remembered.write_text(f"{listener.getsockname()[1]}\n")
        return listener
    raise AlreadyRunning(f"port {port}: cannot be used")
