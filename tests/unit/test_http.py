"""The one place where HTTP clients are built: where requests go, and the key with them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from chargen.providers.base import RemoteError
from chargen.providers.gemini.client import Remote
from web import Asked, Given, Site, site

KEY = "AIza-the-key-of-this-test"


def remote(server: Site) -> Remote:
    return Remote(server.url, KEY, 20, 20)


def questions(api: Remote, folder: Path) -> dict[str, Callable[[], object]]:
    """Everything that chargen asks of the API or tells it, by what it is called."""
    file = folder / "requests.jsonl"
    file.write_bytes(b'{"key": "k"}\n')
    return {
        "job": lambda: api.job("batches/1"),
        "jobs": lambda: list(api.jobs()),
        "files": lambda: list(api.files()),
        "download": lambda: api.download("files/batch-1", folder / "responses.jsonl"),
        "create": lambda: api.create("a-model", "files/1", "chargen-x-1"),
        "upload": lambda: api.upload(file, "requests", "application/jsonl"),
        "cancel": lambda: api.cancel("batches/1"),
        "delete_job": lambda: api.delete_job("batches/1"),
        "delete_file": lambda: api.delete_file("files/1"),
    }


ALL = ("job", "jobs", "files", "download", "create", "upload", "cancel", "delete_job", "delete_file")
ACTS = ("create", "upload", "cancel", "delete_job", "delete_file")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("what", ALL)
def test_a_redirect_to_another_host_is_an_error_that_names_it(tmp_path: Path, what: str, status: int) -> None:
    """Nobody but the API gets the key, is asked, or is believed: not by any redirect of any call."""
    with site(lambda asked: Given(body=b'{"name": "batches/9"}')) as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        redirect = Given(status, {"Location": f"{elsewhere}/login?a=b"})
        with site(lambda asked: redirect) as server, pytest.raises(RemoteError) as caught:
            questions(remote(server), tmp_path)[what]()

    assert [] == other.asked
    assert 1 == len(server.asked)
    assert status == caught.value.status
    assert caught.value.unclear and not caught.value.gone
    assert f"answered {status}, a redirect to {elsewhere}, which is not followed" in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:1/x", "https://127.0.0.1/x", "//[::1]/x", "ftp://127.0.0.1/", "http://["]
)
def test_scheme_and_port_are_part_of_where_the_key_belongs(tmp_path: Path, target: str) -> None:
    """The same name with another port or scheme is another place."""
    redirect = Given(302, {"Location": target})
    with site(lambda asked: redirect) as server, pytest.raises(RemoteError, match=r"not followed|is none") as caught:
        remote(server).job("batches/1")

    assert 302 == caught.value.status


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("what", ACTS)
def test_what_changes_something_is_never_sent_again_by_a_redirect(tmp_path: Path, what: str, status: int) -> None:
    """A create that answers with a redirect to the same server is sent once: whether it took effect is looked up."""
    redirect = Given(status, {"Location": "/v2"})
    with site(lambda asked: redirect) as server, pytest.raises(RemoteError) as caught:
        questions(remote(server), tmp_path)[what]()

    assert 1 == len(server.asked)
    assert caught.value.unclear and status == caught.value.status


def test_a_download_by_the_recorded_redirect(emulator, tmp_path: Path) -> None:
    """Asked at the address that answers 302, a question follows to the one that has the bytes, with the key."""
    from chargen.base import http

    with http.client(emulator.url, KEY, 20, {http.KEY_HEADER: KEY}) as client:
        emulator._ask(
            "POST", "/admin/plant", {"key": KEY, "files": [{"id": "f1", "content": "the lines", "source": "GENERATED"}]}
        )
        answer = client.get(f"{emulator.url}/v1beta/files/f1:download?alt=media")
    fault = Remote(emulator.url, KEY, 20, 20).download("files/f1", tmp_path / "f1")

    assert (200, "the lines") == (answer.status_code, answer.text)
    assert (b"the lines", "") == ((tmp_path / "f1").read_bytes(), fault)
    assert [302, 200, 200] == [call["status"] for call in emulator.log() if call["kind"].startswith("download")]


def test_a_download_that_answers_302_is_followed(tmp_path: Path) -> None:
    """Where the documented address redirects too, the download goes there, on the same server."""

    def answer(asked: Asked) -> Given:
        return Given(body=b"lines") if asked.path.startswith("/there") else Given(302, {"Location": "/there?alt=media"})

    with site(answer) as server:
        remote(server).download("files/batch-1", tmp_path / "r")

    assert ["/download/v1beta/files/batch-1:download?alt=media", "/there?alt=media"] == [a.path for a in server.asked]
    assert {KEY} == {asked.headers["x-goog-api-key"] for asked in server.asked}
    assert b"lines" == (tmp_path / "r").read_bytes()


def test_redirects_in_a_circle_end() -> None:
    """A server that redirects to itself is asked a handful of times."""
    round_again = Given(302, {"Location": "?pageSize=1"})
    with site(lambda asked: round_again) as server, pytest.raises(RemoteError, match="more than 5 redirects"):
        remote(server).job("batches/1")

    assert 6 == len(server.asked)


def test_an_upload_elsewhere_goes_without_the_key_and_only_by_https(tmp_path: Path) -> None:
    """The API may name another place for the bytes: it gets no key; an open connection gets nothing at all."""
    final = Given(
        headers={"x-goog-upload-status": "final"}, body=json.dumps({"file": {"name": "files/1", "uri": "u"}}).encode()
    )
    with site(lambda asked: final) as other:

        def start(asked: Asked) -> Given:
            return Given(headers={"x-goog-upload-status": "active", "x-goog-upload-url": f"{other.url}/up"})

        with site(start) as server:
            stored = questions(remote(server), tmp_path)["upload"]()

        def start_far(asked: Asked) -> Given:
            far = {"x-goog-upload-status": "active", "x-goog-upload-url": "http://uploads.example/up"}
            return Given(headers=far)

        with site(start_far) as server, pytest.raises(RemoteError, match=r"http://uploads\.example.*not secure"):
            questions(remote(server), tmp_path)["upload"]()

    assert "files/1" == stored.name
    assert [(b'{"key": "k"}\n', None)] == [(asked.body, asked.headers.get("x-goog-api-key")) for asked in other.asked]
    assert not any(KEY in value for asked in other.asked for value in asked.headers.values())


def test_the_key_stays_at_home_whoever_sends_it() -> None:
    """The client itself refuses to carry the key to another place, in a header or in the address."""
    from chargen.base import http

    carrying = (({http.KEY_HEADER: KEY}, ""), ({"authorization": f"Bearer {KEY}"}, ""), ({}, KEY))
    with site(lambda asked: Given()) as other, http.client("http://127.0.0.1:1", KEY, 20) as client:
        for headers, query in carrying:
            with pytest.raises(http.Refused, match="the API key is only for"):
                client.get(f"{other.url}/x?key={query}", headers=headers)

    assert [] == other.asked
