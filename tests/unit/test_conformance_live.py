"""A live run: it does not start without key, price and consent; it touches and leaves nothing that is not its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from conformance import cli, dates, document, live
from conformance.document import ROOT, Cost
from conformance.exchange import Answer, NotJudged, Request
from conformance.live import Ledger, LiveGuard
from emulator_fixture import Emulator

KEY = {"GEMINI_API_KEY": "live-key"}
HTTP = httpx2.Client(timeout=30, trust_env=False, headers={"x-goog-api-key": "live-key"})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the behaviours."""
    copy = tmp_path / "behaviours"
    shutil.copytree(document.FOLDER, copy)
    return copy


def _arguments(emulator: Emulator, tmp_path: Path, *more: str) -> list[str]:
    return ["--base-url", emulator.url, "--pause-s", "0", "--ledgers", str(tmp_path / "ledgers"), *more]


def _left(emulator: Emulator) -> tuple[int, int]:
    counts = emulator.counts()
    return counts["files"], counts["batches"]


# -- it does not start --


def test_not_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a key nothing is sent, and the message says where to put one."""
    assert cli.NOT_STARTED == cli.main(["--live", "--yes"], {})
    assert "set GEMINI_API_KEY in the environment" in capsys.readouterr().err


def test_not_with_an_unknown_price(
    emulator: Emulator, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A price that nobody knows stops the run before anything is sent; the file and the line are named."""
    path = folder / "generate.yaml"
    path.write_text(path.read_text().replace("cost: {at_most_usd: 0.045}", "cost: unknown"))

    status = cli.main(_arguments(emulator, tmp_path, "--yes", "--behaviours", str(folder)), KEY)

    assert cli.NOT_STARTED == status
    assert f"{path}:" in (error := capsys.readouterr().err)
    assert "the price of generate.picture is unknown" in error
    assert [] == emulator.log()


@pytest.mark.parametrize(
    ("cap", "message"), [("0.01", "more than the cap of 0.01"), ("0.5", "below 0.50 USD"), ("7", "below 0.50 USD")]
)
def test_not_over_the_cap(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str], cap: str, message: str
) -> None:
    """What could cost more than the cap does not start, and no cap reaches half a dollar."""
    assert cli.NOT_STARTED == cli.main(_arguments(emulator, tmp_path, "--yes", "--cap-usd", cap), KEY)
    assert message in capsys.readouterr().err
    assert [] == emulator.log()


def test_not_without_a_yes(emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The price is shown, and nothing is sent until somebody agrees to it."""
    assert cli.NOT_STARTED == cli.main(_arguments(emulator, tmp_path), KEY)
    printed = capsys.readouterr()
    assert "in all at most" in printed.out
    assert "the price was not confirmed" in printed.err
    assert [] == emulator.log()


def test_whole_run_is_below_the_cap() -> None:
    """All that is paid stays below the default cap, which is below half a dollar."""
    collection = document.load()
    asked = live.behaviours_of(collection, collection.behaviours)

    assert 0 < live.bill(collection, asked, 0.45).total < 0.45


def test_every_call_that_can_cost_has_a_price() -> None:
    """What is not known to be free counts as a call that costs."""
    calls = [
        "POST /v1beta/models/m:generateContent",
        "POST /v1beta/models/m:batchGenerateContent",
        "POST /v1beta/tunedModels",
    ]
    free = [
        "GET /v1beta/files",
        "POST /upload/v1beta/files",
        "POST /v1beta/models/m:countTokens",
        "DELETE /v1beta/files/a",
    ]

    assert [True] * 3 + [False] * 4 == [document.can_cost(*call.split(" ", 1)) for call in calls + free]


# -- what it may do --


def _guard(tmp_path: Path, cap_usd: float = 0.4) -> LiveGuard:
    ledger = Ledger(tmp_path / "run.json", "https://api.example", "fingerprint", "chargen-prove-0123abcd")
    ledger.open()
    return LiveGuard(ledger, cap_usd)


def _request(method: str, path: str, body: Any = None) -> Request:
    return Request(method, f"https://api.example{path}", {}, {}, b"", body)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (_request("DELETE", "/v1beta/files/of-somebody"), "not made by this run"),
        (_request("DELETE", "/v1beta/batches/of-somebody"), "not made by this run"),
        (_request("POST", "/v1beta/batches/of-somebody:cancel"), "not made by this run"),
        (_request("PATCH", "/v1beta/batches/of-somebody:updateGenerateContentBatch"), "not made by this run"),
        (_request("POST", "/v1beta/tunedModels"), "not among the calls"),
        (_request("DELETE", "/v1beta/models/mine"), "not among the calls"),
        (_request("POST", "/v1beta/models/m:streamGenerateContent"), "not among the calls"),
        (_request("POST", "/upload/v1beta/files", {"file": {"displayName": "mine"}}), "does not begin with"),
        (_request("POST", "/v1beta/models/m:batchGenerateContent", {"batch": {"display_name": "x"}}), "does not begin"),
        (Request("GET", "https://elsewhere.example/v1beta/files", {}, {}, b""), "another server"),
    ],
)
def test_guard_refuses(tmp_path: Path, request_: Request, message: str) -> None:
    """Things of others, unknown calls, foreign names and other servers are out of reach."""
    with pytest.raises(NotJudged, match=message):
        _guard(tmp_path).before(request_)


def test_guard_knows_a_gateways_path(tmp_path: Path) -> None:
    """A base URL with a path of its own, as gateways have, changes nothing about what may be sent."""
    ledger = Ledger(tmp_path / "run.json", "https://gateway.example/genai", "fingerprint", "chargen-prove-0123abcd")
    guard = LiveGuard(ledger, 0.4)
    guard.before(Request("GET", "https://gateway.example/genai/v1beta/files", {}, {}, b""))

    with pytest.raises(NotJudged, match="not made by this run"):
        guard.before(Request("DELETE", "https://gateway.example/genai/v1beta/files/of-somebody", {}, {}, b""))


def test_guard_lets_its_own_through(tmp_path: Path) -> None:
    """What the run made, its result file and names that it made up may be touched; the ledger is on disk first."""
    guard = _guard(tmp_path)
    create = _request(
        "POST", "/v1beta/models/m:batchGenerateContent", {"batch": {"displayName": "chargen-prove-0123abcd-x"}}
    )
    guard.before(create)
    guard.after(create, Answer(200, {}, b'{"name": "batches/abc"}'))

    assert ["batches/abc"] == Ledger.read(tmp_path / "run.json").made
    for path in ("batches/abc", "files/batch-abc", "files/prove-0123abcd-unknown-file"):
        guard.before(_request("DELETE", f"/v1beta/{path}"))


def test_cap_holds_while_it_runs(tmp_path: Path) -> None:
    """A refusal that is not one counts as spent, and what would go above the cap is not sent any more."""
    guard = _guard(tmp_path, cap_usd=0.1)
    probe = _request("POST", "/v1beta/models/m:generateContent", {})
    for status in (400, 200):
        with guard.reserving(Cost("if_taken", 0.06)):
            guard.before(probe)
            guard.after(probe, Answer(status))

    assert 0.06 == guard.spent_usd
    with pytest.raises(NotJudged, match="above the cap"), guard.reserving(Cost("if_taken", 0.06)):
        pass


def test_unclear_answer_counts_as_spent(tmp_path: Path) -> None:
    """A connection that broke, or a 5xx, may have cost what the call costs."""
    guard = _guard(tmp_path)
    for status in (0, 503):
        with guard.reserving(Cost("paid", 0.02)):
            guard.after(_request("POST", "/v1beta/models/m:generateContent"), Answer(status))

    assert 0.04 == guard.spent_usd


# -- a run against the emulator --


def _foreign(emulator: Emulator) -> None:
    """A file and a job of the same key that are nobody's business, one of them with a similar name."""
    requests = [{"request": {"contents": [{"parts": [{"text": "one"}]}]}}]
    files = [{"id": "precious", "content": "keep", "display_name": "chargen-prove"}]
    batches = [{"id": "precious", "model": "gemini-3.5-flash-lite", "display_name": "mine", "requests": requests}]
    url = f"{emulator.url}/admin/plant"
    assert 200 == HTTP.post(url, json={"key": "live-key", "files": files, "batches": batches}).status_code


def test_run_agrees_dates_and_cleans_up(
    emulator: Emulator, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What agrees gets its date, every other byte of the files stays; what others have on the server stays too."""
    _foreign(emulator)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    arguments = _arguments(emulator, tmp_path, "--yes", "--write-dates", "--behaviours", str(folder))

    status = cli.main([*arguments, "--only", "batches.[cdl]*", "--only", "files.[dl]*", "--only", "models.get"], KEY)

    assert cli.AGREES == status, capsys.readouterr().out
    assert (1, 1) == _left(emulator)
    after = {path.name: path.read_bytes() for path in folder.iterdir()}
    day = document.load(folder)
    seen = {item.id for item in day.behaviours if item.seen_live}
    assert {"batches.delete", "files.list_pages", "models.get"} <= seen and "files.get" not in seen
    date = next(item.last_seen_live for item in day.behaviours if item.seen_live).encode()
    assert before == {
        name: content.replace(b"last_seen_live: " + date, b"last_seen_live: never") for name, content in after.items()
    }
    assert not list((tmp_path / "ledgers").glob("*.json"))


def test_no_dates_from_other_servers(emulator: Emulator, folder: Path, tmp_path: Path) -> None:
    """Only Google's own server makes a behaviour seen live."""
    arguments = _arguments(emulator, tmp_path, "--yes", "--behaviours", str(folder), "--only", "models.get")

    assert cli.AGREES == cli.main(arguments, KEY)
    assert not any(item.seen_live for item in document.load(folder).behaviours)


def _running(emulator: Emulator, tmp_path: Path, *only: str) -> subprocess.Popen[str]:
    """A live run in a process of its own, which never gets further than its download."""
    emulator.faults(calls=[{"call": "download_redirect", "do": "hang", "seconds": 60}])
    arguments = _arguments(emulator, tmp_path, "--yes", *(f"--only={glob}" for glob in only))
    process = subprocess.Popen(
        [sys.executable, "-m", "conformance", *arguments],
        cwd=ROOT.parent,
        env={**os.environ, **KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not emulator.count("get"):
        assert process.poll() is None, process.communicate()[0]
    return process


def test_ctrl_c_cleans_up(emulator: Emulator, tmp_path: Path) -> None:
    """Ctrl-C in the middle of a wait deletes what was made, and only that."""
    _foreign(emulator)
    process = _running(emulator, tmp_path, "downloads.followed")
    process.send_signal(signal.SIGINT)
    printed = process.communicate(timeout=60)[0]

    assert cli.NOT_STARTED == process.returncode
    assert "stopped after" in printed
    assert "Deleted what chargen-prove-" in printed
    assert (1, 1) == _left(emulator)


def test_kill_is_cleaned_up_by_the_next_run(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """After SIGKILL the ledger knows what was made: --clean-up, or the next live run, deletes it."""
    _foreign(emulator)
    process = _running(emulator, tmp_path, "downloads.followed")
    process.kill()
    process.wait()
    assert (2, 2) == _left(emulator)
    assert json.loads(next((tmp_path / "ledgers").glob("*.json")).read_text())["made"]

    assert cli.AGREES == cli.main(_arguments(emulator, tmp_path, "--clean-up"), KEY)
    assert "Deleted what chargen-prove-" in capsys.readouterr().out
    assert (1, 1) == _left(emulator)


def test_lost_answers_are_cleaned_up_by_name(emulator: Emulator, tmp_path: Path) -> None:
    """A job and a file whose names never arrived are found by the run's display name and deleted."""
    emulator.faults(
        calls=[
            {"call": "create", "nth": [1], "do": "cut_after"},
            {"call": "upload_chunk", "nth": [2], "do": "cut_after"},
        ]
    )
    arguments = _arguments(emulator, tmp_path, "--yes", "--only", "batches.create", "--only", "batches.create_counts")

    status = cli.main(arguments, KEY)

    assert status in (cli.AGREES, cli.DIFFERS)
    assert 1 == emulator.count("created")
    assert (0, 0) == _left(emulator)


def test_rate_limits_are_waited_for(emulator: Emulator, tmp_path: Path) -> None:
    """A 429 that nobody expected is asked again; a create that answered 5xx is not."""
    emulator.faults(
        calls=[
            {"call": "model_get", "nth": [1], "do": "status", "status": 429, "retry_delay_s": 0},
            {"call": "create", "nth": [1], "do": "status", "status": 503},
        ]
    )
    report = tmp_path / "report.json"
    only = ("--only", "models.get", "--only", "batches.create")

    status = cli.main([*_arguments(emulator, tmp_path, "--yes", "--report", str(report)), *only], KEY)

    verdicts = {item["id"]: item["verdict"] for item in json.loads(report.read_text())["outcomes"]}
    assert cli.DIFFERS == status
    assert {"models.get": "agrees", "batches.create": "differs"} == verdicts
    assert 1 == emulator.count("create")


def test_key_is_not_printed(emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that repeats the key in its answer does not bring it onto the screen or into the report."""
    emulator.faults(calls=[{"call": "model_get", "do": "status", "status": 500, "message": "live-key-of-mine is odd"}])
    report = tmp_path / "report.json"
    arguments = _arguments(emulator, tmp_path, "--yes", "--only", "models.get", "--report", str(report))

    cli.main(arguments, {"GEMINI_API_KEY": "live-key-of-mine"})

    printed = capsys.readouterr().out
    assert "(the key)" in printed
    assert "live-key-of-mine" not in printed + report.read_text()


# -- dates --


def test_dates_leave_all_else_as_it_was(folder: Path) -> None:
    """CRLF, comments and quotes stay; a file that changed meanwhile is left alone."""
    path = folder / "models.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").replace(b"never", b"'2026-01-01'   # seen", 1))
    before = path.read_bytes()
    items = [item for item in document.load(folder).behaviours if item.file == path][:2]

    assert [path] == dates.write(items, "2026-11-25")
    first, second = b"last_seen_live: '2026-01-01'   # seen", b"last_seen_live: never"
    expected = before.replace(first, b"last_seen_live: 2026-11-25   # seen", 1)
    assert expected.replace(second, b"last_seen_live: 2026-11-25", 1) == path.read_bytes()
    assert [] == dates.write(items, "2026-11-26")
