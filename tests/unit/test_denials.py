"""What counts as gone is what the API itself says of this very file or job; anything else is trouble on the way."""

from __future__ import annotations

import json
import os
from pathlib import Path

import httpx2
import pytest

from chargen.emulator import faults
from chargen.providers.base import RemoteError
from chargen.providers.gemini.client import Remote
from chargen.providers.gemini.errors import from_answer
from emulator_fixture import Emulator

SAMPLES = os.environ.get("CHARGEN_SAMPLES")
NAME = "batches/abc"
FILE = "files/batch-abc"


def asked(emulator: Emulator, what: str, path: Path) -> RemoteError:
    """Ask the emulator for a job or a file, and return the error."""
    remote = Remote(emulator.url, "a-key", 20, 20)
    with pytest.raises(RemoteError) as caught:
        {
            "get": lambda: remote.job(NAME),
            "download": lambda: remote.download(FILE, path / "body"),
            "delete": lambda: remote.delete_job(NAME),
            "file_delete": lambda: remote.delete_file("files/f1"),
        }[what]()
    return caught.value


@pytest.mark.parametrize("what", ["get", "download", "delete", "file_delete"])
def test_what_the_api_does_not_have_is_gone(emulator: Emulator, what: str, tmp_path: Path) -> None:
    """The API's own words for a job, a result file and an upload that do not exist count."""
    error = asked(emulator, what, tmp_path)

    assert (True, False, False) == (error.gone, error.foreign, error.passing)
    assert "doctor" not in str(error)


@pytest.mark.parametrize("what", ["get", "download"])
@pytest.mark.parametrize("denial", [name for name in faults.DENIALS if name != "gone"])
def test_what_others_say_is_not_gone(emulator: Emulator, what: str, denial: str, tmp_path: Path) -> None:
    """A firewall's page, a proxy's 404, a key that is not accepted: nothing is known of the job."""
    emulator.faults(calls=[{"call": what, "do": "deny", "denial": denial}])
    error = asked(emulator, what, tmp_path)

    assert not error.gone
    assert (denial in ("firewall", "proxy")) is error.foreign is error.passing
    assert error.foreign is ("this answer is not from the API" in str(error))


def _error(code: int, status: str, message: str) -> dict[str, object]:
    return {"error": {"code": code, "message": message, "status": status}}


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (403, _error(403, "PERMISSION_DENIED", "The caller does not have permission")),
        (403, _error(403, "PERMISSION_DENIED", "Gemini API has not been used in project 1 before or it is disabled.")),
        (403, _error(403, "PERMISSION_DENIED", "no permission to access the File batch-other or it may not exist.")),
        (404, _error(404, "NOT_FOUND", "models/x is not found for API version v1beta")),
        (404, _error(404, "NOT_FOUND", "Not Found")),
        (404, _error(403, "NOT_FOUND", "Requested entity was not found.")),
        (404, {"error": "Requested entity was not found."}),
        (404, {"message": "no Route matched with those values"}),
        (404, ["Requested entity was not found."]),
        (404, None),
        (410, _error(410, "GONE", "Requested entity was not found.")),
    ],
)
def test_words_that_do_not_mean_gone(status: int, body: object) -> None:
    """Another file, a model, a project, or words in a form that is not the API's."""
    assert not from_answer("asking", httpx2.Response(status, json=body), FILE).gone


@pytest.mark.skipif(not SAMPLES, reason="CHARGEN_SAMPLES does not name a folder of recorded replies")
def test_recorded_denials() -> None:
    """The recorded words for a file that is gone mean that file alone; those for a caller without a key mean none."""
    folder = Path(str(SAMPLES), "errors")
    gone = json.loads((folder / "403_file_missing_or_expired.json").read_text())
    no_key = json.loads((folder / "403_no_key.json").read_text())
    answer = httpx2.Response(403, json=gone)

    assert [True, True, False] == [
        from_answer("asking", answer, about).gone for about in ("files/in1", "", "files/in10")
    ]
    assert not from_answer("asking", httpx2.Response(403, json=no_key), "files/in1").gone


def test_a_proxys_429_is_not_an_empty_account() -> None:
    """Only the API knows whether the credits are used up; a page with that status is waited out."""
    page = from_answer("asking", httpx2.Response(429, html="<h1>Too many requests</h1>"))

    assert (False, True, True) == (page.out_of_credits, page.passing, page.unclear)
