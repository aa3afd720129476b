"""No web page can read the emulator or command it; programs on this machine can."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from emulator_fixture import Emulator

HTTP = httpx2.Client(timeout=30, trust_env=False)
KEY = {"x-goog-api-key": "a-key"}
PAGE = "https://page.example"
CALLS = [
    ("GET", "/admin/health"), ("GET", "/admin/log"), ("POST", "/admin/reset"), ("POST", "/admin/faults"),
    ("GET", "/v1beta/batches"), ("POST", "/v1beta/models/gemini-3-pro-image:batchGenerateContent"),
    ("POST", "/upload/v1beta/files"), ("PUT", "/upload/v1beta/files"), ("DELETE", "/v1beta/batches/x"),
    ("GET", "/download/v1beta/files/x:download"), ("GET", "/nothing"), ("OPTIONS", "/admin/reset"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "page.example"},
        {"host": "page.example:80"},
        {"host": "127.0.0.1.page.example"},
        {"host": "localhost.page.example"},
        {"host": "0.0.0.0"},
        {"host": "[::2]:80"},
        {"host": ""},
        {"origin": PAGE},
        {"origin": "null"},
        {"origin": "http://localhost:3000"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_no_web_page_is_answered(emulator: Emulator, method: str, path: str, headers: dict[str, str]) -> None:
    """By a name of its own (DNS rebinding) or from another origin, a page gets a 403, and no leave to read it."""
    before = emulator.counts()

    answer = HTTP.request(method, emulator.url + path, headers=KEY | headers)

    assert 403 == answer.status_code
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert before == emulator.counts()


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:1", "127.0.0.1:9999", "127.8.9.1", "[::1]:80", "[::1]", "LOCALHOST", "api.localhost"],
)
def test_names_of_this_machine_are_answered(emulator: Emulator, host: str) -> None:
    """Whatever port is named: a tunnel has another one."""
    assert 200 == HTTP.get(f"{emulator.url}/v1beta/batches", headers=KEY | {"host": host}).status_code


def test_who_looks_with_a_browser_is_answered(emulator: Emulator) -> None:
    """An address typed into a browser, and what the emulator's own origin asks."""
    typed = HTTP.get(f"{emulator.url}/admin/counts", headers={"sec-fetch-site": "none"})
    own = {"sec-fetch-site": "same-origin", "origin": emulator.url}

    assert 200 == typed.status_code == HTTP.post(f"{emulator.url}/admin/reset", headers=own).status_code


@pytest.mark.parametrize("said", ["text/plain", "text/plain;charset=UTF-8", "Multipart/Form-Data; boundary=x"])
@pytest.mark.parametrize("path", ["/admin/reset", "/admin/seed", "/v1beta/models/gemini-3-pro-image:generateContent"])
def test_forms_command_nothing(emulator: Emulator, path: str, said: str) -> None:
    """A body of a type that any page's form can send is refused, also from a browser that names no origin."""
    answer = HTTP.post(emulator.url + path, headers=KEY | {"content-type": said}, content=b"{}")

    assert 400 == answer.status_code
    assert "Send Content-Type: application/json" in answer.text


def test_what_curl_says_of_its_body(emulator: Emulator) -> None:
    """``curl -d`` directs the emulator; calls of the API need their content type, an upload's bytes need none."""
    form = {"content-type": "application/x-www-form-urlencoded"}
    called = f"{emulator.url}/v1beta/models/gemini-3-pro-image:countTokens"
    body = json.dumps({"contents": [{"parts": [{"text": "an oak"}]}]})
    start = {"x-goog-upload-protocol": "resumable", "x-goog-upload-command": "start"}
    started = HTTP.post(
        f"{emulator.url}/upload/v1beta/files", headers=KEY | start, json={"file": {"mime_type": "text/plain"}}
    )

    def said(url: str, content_type: dict[str, str], content: str, **more: Any) -> int:
        return HTTP.post(url, headers=KEY | content_type, content=content, **more).status_code

    assert 200 == said(f"{emulator.url}/admin/clock", form, '{"advance_s": 1}')
    assert 200 == said(f"{emulator.url}/admin/clock", {}, '{"advance_s": 1}')
    assert 400 == said(called, form, body)
    assert 200 == said(called, {"content-type": "application/json; charset=utf-8"}, body)
    assert 200 == said(called, {}, body)
    chunk = form | {"x-goog-upload-command": "upload, finalize", "x-goog-upload-offset": "0"}
    assert 200 == said(started.headers["x-goog-upload-url"], chunk, "some text")
