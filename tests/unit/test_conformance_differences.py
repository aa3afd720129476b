"""Ten ways in which a server differs from what is written down, planted all at once: the runner finds ten of ten."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from falsifier import Change, Exchange, falsifier

from conformance import cli, document
from emulator_fixture import Emulator
from web import Asked


def _walk(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {name: _walk(change(name, item), change) for name, item in value.items()}
    return [_walk(item, change) for item in value] if isinstance(value, list) else value


def _bytes_instead_of_a_redirect(exchange: Exchange) -> object:
    if exchange.status != 302:
        return None
    exchange.status, exchange.headers = 200, {"content-type": "application/octet-stream"}
    return True


def _counts_as_numbers(exchange: Exchange) -> object:
    if b"batchStats" not in exchange.body:
        return None

    def number(name: str, item: Any) -> Any:
        return {key: int(count) for key, count in item.items()} if name == "batchStats" else item

    exchange.put(_walk(exchange.json(), number))
    return True


def _no_status_at_the_end_of_an_upload(exchange: Exchange) -> object:
    if exchange.headers.get("x-goog-upload-status") != "final" or b'"file"' not in exchange.body:
        return None
    return exchange.headers.pop("x-goog-upload-status")


def _missing_files_are_not_found(exchange: Exchange) -> object:
    if exchange.status != 403 or b"permission to access the File" not in exchange.body:
        return None
    exchange.status = 404
    return True


def _done_says_false(exchange: Exchange) -> object:
    operation = exchange.json() if exchange.method == "POST" and "batchGenerateContent" in exchange.path else None
    if not isinstance(operation, dict) or "metadata" not in operation:
        return None
    exchange.put({**operation, "done": False})
    return True


def _errors_without_status(exchange: Exchange) -> object:
    answer = exchange.json() if exchange.status == 400 else None
    if not isinstance(answer, dict) or "aspect_ratio must be" not in answer.get("error", {}).get("message", ""):
        return None
    del answer["error"]["status"]
    exchange.put(answer)
    return True


def _pages_without_an_end(exchange: Exchange) -> object:
    if not exchange.path.startswith("/v1beta/files?pageSize=1") or "pageToken" in exchange.path:
        return None
    page = exchange.json()
    if not page or not page.pop("nextPageToken", None):
        return None
    exchange.put(page)
    return True


def _lines_with_another_key(exchange: Exchange) -> object:
    if not exchange.path.startswith("/download/") or exchange.status != 200:
        return None
    exchange.body, count = re.subn(rb'"key":"(one|two)"', rb'"id":"\1"', exchange.body)
    return True if count else None


def _hash_in_bytes(exchange: Exchange) -> object:
    shown = exchange.json() if re.fullmatch(r"/v1beta/files/[^/:?]+", exchange.path) else None
    if not isinstance(shown, dict) or "sha256Hash" not in shown:
        return None
    exchange.put({**shown, "sha256Hash": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="})
    return True


def _takes_8k(asked: Asked) -> Asked:
    """What the real API refuses is let through, and costs a picture."""
    if b'"imageSize": "8K"' not in asked.body:
        return asked
    return Asked(asked.method, asked.path, asked.headers, asked.body.replace(b'"8K"', b'"1K"'))


PLANTED: list[tuple[str, Change, str, str]] = [
    ("a download is answered at once", _bytes_instead_of_a_redirect, "downloads.redirect", "status"),
    ("counts are numbers", _counts_as_numbers, "batches.create_counts", "$.metadata.batchStats.requestCount"),
    ("an upload ends without a status", _no_status_at_the_end_of_an_upload, "uploads.whole", "x-goog-upload-status"),
    ("a missing file is not found", _missing_files_are_not_found, "files.missing", "status"),
    ("done is there before the end", _done_says_false, "batches.create_not_done", "$.done"),
    ("an error lacks its status", _errors_without_status, "generate.ratio_of_none", "$.error.status"),
    ("a page lacks its token", _pages_without_an_end, "files.list_pages", "$.nextPageToken"),
    ("lines have another key", _lines_with_another_key, "results.every_key", "$"),
    ("the hash is of bytes", _hash_in_bytes, "files.hash_of_text", "$.sha256Hash"),
    ("the size 8K is taken", lambda exchange: None, "generate.size_of_none", "status"),
]


@pytest.fixture
def judged(emulator: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What a whole live run against an emulator with all ten differences reports, and the files it wrote."""
    folder = tmp_path / "behaviours"
    shutil.copytree(document.FOLDER, folder)
    report = tmp_path / "report.json"
    changes = [(name, change) for name, change, _, _ in PLANTED]
    with falsifier(emulator.url, changes, _takes_8k) as between:
        arguments = ["--base-url", between.url, "--yes", "--pause-s", "0", "--write-dates"]
        arguments += ["--behaviours", str(folder), "--report", str(report), "--ledgers", str(tmp_path / "ledgers")]
        status = cli.main(arguments, {"GEMINI_API_KEY": "live-key"})
    return {**json.loads(report.read_text()), "status": status, "made": between.made, "folder": folder}


def test_ten_of_ten(judged: dict[str, Any], emulator: Emulator) -> None:
    """Each planted difference is reported at its place; what differs has no date, what agrees has today's; nothing is
    left on the server.
    """
    differs = {item["id"]: item["differences"] for item in judged["outcomes"] if item["verdict"] == "differs"}
    found = [
        name
        for name, _, behaviour, where in PLANTED
        if any(where in difference["where"] for difference in differs.get(behaviour, ()))
    ]

    assert [name for name, _, _, _ in PLANTED] == found
    assert cli.DIFFERS == judged["status"]
    assert {name for name, _, _, _ in PLANTED[:-1]} == set(judged["made"])
    agrees = {item["id"] for item in judged["outcomes"] if item["verdict"] == "agrees"}
    assert agrees == {item.id for item in document.load(judged["folder"]).behaviours if item.seen_live}
    assert len(agrees) > 100
    assert {"files": 0, "batches": 0} == {name: emulator.counts()[name] for name in ("files", "batches")}
