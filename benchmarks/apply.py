"""How fast a finished job becomes pictures on the disk, and in how much memory.

Writes a result file of 200 pictures of 2.5 MB of base64 each, every third with a thought signature of the
same size (500 MB of JSONL and more), then runs two ways of applying it, each in a process of its own:

chargen  scan, decode, verify, hash, write, sync, rename: all that a picture goes through
naive    a loop over lines with json and base64 of the standard library, and a plain write: no checks, no sync

    python benchmarks/apply.py [--pictures N] [--folder DIR]
"""

from __future__ import annotations

import argparse
import base64
import json
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

BASE64_BYTES = 2_500_000


def png(seed: int, size: int) -> bytes:
    """Return a whole PNG of about *size* bytes whose pixels cannot be compressed."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    width = 1024
    height = size // (3 * width)
    rows = b"".join(b"\0" + os.urandom(3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"tEXt", b"Comment\0" + str(seed).encode())
        + chunk(b"IDAT", zlib.compress(rows, 0))
        + chunk(b"IEND", b"")
    )


def write_results(path: Path, pictures: int) -> None:
    """Write the result file; pictures repeat every 20 lines, which makes no difference to either reader."""
    drawn = [base64.b64encode(png(seed, BASE64_BYTES * 3 // 4)) for seed in range(min(20, pictures))]
    signature = base64.b64encode(os.urandom(BASE64_BYTES * 3 // 4))
    with path.open("wb") as file:
        for number in range(pictures):
            file.write(b'{"key": "character/someone/scene-%d@sha256:0", "response": {"candidates": ' % number)
            file.write(b'[{"content": {"parts": [{"inlineData": {"mimeType": "image/png", "data": "')
            file.write(drawn[number % len(drawn)])
            file.write(b'"}')
            if number % 3 == 0:
                file.write(b', "thoughtSignature": "' + signature + b'"')
            file.write(b'}], "role": "model"}, "finishReason": "STOP"}]}}\n')


def apply_with_chargen(results: Path, folder: Path) -> int:
    """Do what the apply step does with each picture."""
    from chargen.base.durable import sync_folder
    from chargen.placing.extract import Picture, ahead, extract, place
    from chargen.providers.gemini.lines import GeminiLine
    from chargen.providers.gemini.outcomes import judge
    from chargen.providers.gemini.scanner import ResultFile

    def take(line: GeminiLine) -> Picture:
        chosen = judge(line).picture
        assert chosen is not None
        return extract(file, chosen, folder / f".{line.number}.part")

    count = 0
    with ResultFile(results) as file:
        lines = list(file)  # all keys are matched before anything is placed
        for line, picture in ahead(take, lines):
            place(picture, folder / f"{line.number}{picture.info.extension}")
            count += 1
    sync_folder(folder)
    return count


def apply_naively(results: Path, folder: Path) -> int:
    """Do the least that makes files of the pictures."""
    count = 0
    with results.open("rb") as lines:
        for line in lines:
            reply = json.loads(line)
            part = reply["response"]["candidates"][0]["content"]["parts"][0]
            (folder / f"{count}.png").write_bytes(base64.b64decode(part["inlineData"]["data"]))
            count += 1
    return count


WAYS = {"chargen": apply_with_chargen, "naive": apply_naively}


def measure(way: str, results: Path, folder: Path) -> None:
    """Run one way in this process and print its time and peak memory as JSON."""
    started = time.perf_counter()
    count = WAYS[way](results, folder)
    seconds = time.perf_counter() - started
    print(json.dumps({"pictures": count, "seconds": seconds, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Return the most memory that this process had, file pages included.

    Linux counts it again for each program; ``getrusage`` would count the parent's too.
    """
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
        assert found is not None
        return int(found[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--pictures", type=int, default=200)
    arguments.add_argument("--folder", type=Path, help="where to work; default: the system's temporary folder")
    arguments.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.measure:
        way, results, folder = chosen.measure
        measure(way, Path(results), Path(folder))
        return
    with tempfile.TemporaryDirectory(dir=chosen.folder) as temporary:
        results = Path(temporary, "responses.jsonl")
        write_results(results, chosen.pictures)
        megabytes = results.stat().st_size / 1e6
        print(f"{chosen.pictures} pictures, {megabytes:.0f} MB of JSONL")
        seconds = {}
        for way in WAYS:
            folder = Path(temporary, way)
            folder.mkdir()
            output = subprocess.run(
                [sys.executable, __file__, "--measure", way, str(results), str(folder)],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            found = json.loads(output)
            seconds[way] = found["seconds"]
            rate, peak = megabytes / found["seconds"], found["peak_mb"]
            print(f"{way:8} {found['seconds']:6.2f} s {rate:6.0f} MB/s {peak:5.0f} MB at most")
            shutil.rmtree(folder)
        print(f"chargen is {seconds['naive'] / seconds['chargen']:.1f} times as fast, checks and sync included")


if __name__ == "__main__":
    main()
