"""Snakemake without the seconds that importing it takes: a server that has imported it forks for each run.

What runs is the same code as `python -m snakemake`, in a process and process group of its own, with the environment
and the folder that the test gives. Run as a program this file is the server.
"""

from __future__ import annotations

import array
import importlib
import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

IMPORTED = (
    "snakemake.cli",
    "snakemake.report.html_reporter",
    "smart_open",
    "chargen.snakemake.graph",
    "chargen.snakemake.run",
    "chargen.operations.generate.plan",
)
"""What takes the time of a short run."""
_STATUS = struct.Struct("<i")


class Run:
    """A running Snakemake, with what tests use of `subprocess.Popen`."""

    def __init__(self, args: Sequence[str], output: int, status: int):
        self.args = list(args)
        self.returncode: int | None = None
        self._output = output
        self._status = status
        self.pid = self._number()

    def communicate(self, timeout: float | None = None) -> tuple[str, None]:
        """Read what it prints to the end; raise TimeoutExpired if that does not come in time."""
        text = bytearray()
        deadline = None if timeout is None else time.monotonic() + timeout
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._output, selectors.EVENT_READ)
            while True:
                left = None if deadline is None else deadline - time.monotonic()
                if (left is not None and left <= 0) or not waiting.select(left):
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
                if not (piece := os.read(self._output, 1 << 16)):
                    break
                text += piece
        self.returncode = self._number()
        os.close(self._output)
        os.close(self._status)
        return text.decode(), None

    def _number(self) -> int:
        data = b""
        while len(data) < _STATUS.size:
            piece = os.read(self._status, _STATUS.size - len(data))
            if not piece:
                raise RuntimeError("the server of preloaded runs has ended")
            data += piece
        number: int = _STATUS.unpack(data)[0]
        return number


class Server:
    """Starts runs of Snakemake in processes that are forked from one that has imported it."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).resolve()), str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            start_new_session=True,
        )
        theirs.close()

    def start(self, args: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Run:
        """Start `snakemake ARGS` in *cwd* with *env*, in a process group of its own."""
        out_read, out_write = os.pipe()
        status_read, status_write = os.pipe()
        request = json.dumps({"args": list(args), "cwd": str(cwd), "env": dict(env)}).encode()
        socket.send_fds(self._socket, [request], [out_write, status_write])
        os.close(out_write)
        os.close(status_write)
        return Run(["snakemake", *args], out_read, status_read)

    def close(self) -> None:
        """End the server; runs go on."""
        self._socket.close()
        self._process.wait(10)


def _serve(connection: socket.socket) -> None:
    for module in IMPORTED:
        importlib.import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waits for a run ends by itself
    most = 1 << 20
    while True:
        request, ancillary, _, _ = connection.recvmsg(most, socket.CMSG_LEN(2 * array.array("i").itemsize))
        if not request:
            return
        files = array.array("i")
        for _, _, data in ancillary:
            files.frombytes(data)
        if os.fork() == 0:
            connection.close()
            _watch(json.loads(request), *files)
        for file in files:
            os.close(file)


def _watch(about: dict[str, object], output: int, status: int) -> None:
    """Fork the run, say its number, wait for it, say how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        os.close(status)
        _run(about, output)
    os.close(output)
    os.write(status, _STATUS.pack(pid))
    _, end = os.waitpid(pid, 0)
    os.write(status, _STATUS.pack(os.waitstatus_to_exitcode(end)))
    os._exit(0)


def _run(about: dict[str, object], output: int) -> None:
    os.setsid()
    os.chdir(str(about["cwd"]))
    env, args = about["env"], about["args"]
    assert isinstance(env, dict) and isinstance(args, list)
    os.environ.clear()
    os.environ.update(env)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    os.close(nothing)
    os.close(output)
    sys.argv = ["snakemake", *args]
    sys.path[0] = ""  # as `python -m` has it
    from snakemake.cli import main

    main(args)
    sys.exit(0)


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
