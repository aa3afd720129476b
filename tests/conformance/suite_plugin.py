"""A pytest plugin for google-genai's own tests: before each one, the resources it names exist in the emulator."""

from __future__ import annotations

import base64
import importlib
import json
import os
import sys
import urllib.request
from pathlib import Path
from typing import Any

import httpx2
import pytest

# Two of the tests import httpx, which google-genai itself does without; httpx2 has the same names.
sys.modules.setdefault("httpx", httpx2)

_PICTURE = base64.b64encode(Path("tests/data/google.png").read_bytes()).decode()
_REQUEST = {"request": {"contents": [{"parts": [{"text": "say hello"}]}]}, "metadata": {"key": "a"}}
_LINE = json.dumps({"key": "a", "request": _REQUEST["request"]})
_EMBED = {"request": {"content": {"parts": [{"text": "hello"}]}, "outputDimensionality": 4}, "metadata": {"key": "a"}}
_EMBED_LINE = json.dumps({"key": "a", "request": _EMBED["request"]})
# Names that the suite expects in its authors' own project.
_FILES = [
    *({"id": name, "content": _LINE, "mime_type": "application/json"} for name in ("s0pa54alni6w", "vjvu9fwk2qj8")),
    *({"id": name, "content": "to be deleted"} for name in ("1g583ke2xdsn", "n1gls7dyh90q")),
    {"id": "mq9e3mg3u2y5", "content": _EMBED_LINE, "mime_type": "application/json"},
    *(
        {"id": name, "data": _PICTURE, "mime_type": "image/png"}
        for name in ("864z7ft4m14h", "22xab9a8jp0v", "kje1wewvo85z")
    ),
    *({"id": name, "content": "stand-in", "mime_type": "application/pdf"} for name in ("9tnpjy0re13a", "0o9iyit198g1")),
    *(
        {"id": name, "content": "stand-in", "mime_type": "video/mp4"}
        for name in ("i2ojhd8z99uk", "fq9r5ftyqrho", "8q6j6weg80ey", "tyvaih24jwje")
    ),
    {"id": "generated1", "content": "\0\0\0\x18ftypmp42", "mime_type": "video/mp4", "source": "GENERATED"},
]
_BATCHES = [
    *(
        {"id": name, "model": "gemini-2.5-flash", "requests": [_REQUEST]}
        for name in (
            "z2p8ksus4lyxt25rntl3fpd67p2niw4hfij5",
            "0yew7plxupyybd7appsrq5vw7w0lp3l79lab",
            "70h2jo0ic2t1zejyl0p4jgi8mk1gj0wvjusv",
        )
    ),
    {"id": "wdx71o8cgbzoa6gg3be1mg7g8ulrhapcjgo3", "model": "gemini-embedding-001", "requests": [_EMBED]},
    {"id": "507oatd242het8ox60pwsmn7tcmtkrj8itff", "model": "gemini-embedding-001", "file": "mq9e3mg3u2y5"},
]


def pytest_collection_finish() -> None:
    """Point every client of the copy that pytest imported (``genai``, not ``google.genai``) at the emulator."""
    client = importlib.import_module("genai._api_client").BaseApiClient
    original = client.__init__

    def pointed(self: Any, *args: Any, **options: Any) -> None:
        original(self, *args, **options)
        self._http_options.base_url = os.environ["GOOGLE_GEMINI_BASE_URL"]

    client.__init__ = pointed


def _admin(path: str, body: Any) -> None:
    url = os.environ["GOOGLE_GEMINI_BASE_URL"] + path
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), method="POST")).close()


@pytest.fixture(autouse=True)
def _planted() -> None:
    _admin("/admin/plant", {"key": os.environ["GOOGLE_API_KEY"], "files": _FILES, "batches": _BATCHES})
    _admin("/admin/jobs", {"display_name": "planted"})
