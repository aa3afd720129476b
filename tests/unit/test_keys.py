"""The API key as it is read: from which variable and file, and what is refused without showing it."""

from __future__ import annotations

import codecs
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from chargen.base import output
from chargen.base.capabilities import capabilities
from chargen.base.errors import ChargenError
from chargen.records import settings as config
from chargen.screens.checks.setup import check_key

GEMINI = capabilities("gemini")
SETTINGS = config.settings(yaml.safe_load(config.DEFAULT_CONFIG.read_text("utf-8")) | {"provider": "gemini"}, Path())
KEY = "AIzaSyA-0123456789_abcdefghijklmnopqrstu"
BROKEN = [
    (f"{KEY[:5]}\n{KEY[5:]}", "character 6 of 41 is a line break"),
    (f"{KEY[:5]}\r\nX: y", "character 6 of 11 is a line break"),
    (f"{KEY[:5]} {KEY[5:]}", "character 6 of 41 is a blank"),
    (f"{KEY[:5]}\u00a0{KEY[5:]}", "character 6 of 41 is a blank"),
    (f"{KEY[:5]}\u200b{KEY[5:]}", "character 6 of 41 is a control character"),
    (f"{KEY[:5]}\x00", "character 6 of 6 is a control character"),
    (f"{KEY[:5]}\x1b[1m", "character 6 of 9 is a control character"),
    (f"ключ{KEY}", "character 1 of 44 is not an ASCII letter, digit or sign"),
]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without any key."""
    for name in GEMINI.key_variables:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config.schema, "ROOT", tmp_path / "checkout")
    monkeypatch.setattr(output, "_secrets", {})
    return tmp_path


def findings(home: Path, environment: dict[str, str]) -> list[Any]:
    settings = replace(SETTINGS, home=str(home))
    return list(check_key(settings, environment))


@pytest.mark.parametrize(("value", "words"), BROKEN)
def test_a_key_that_no_header_can_hold_is_refused(
    home: Path, monkeypatch: pytest.MonkeyPatch, value: str, words: str
) -> None:
    """While it is read, from environment and file: what is wrong with it, where it stands, and none of it."""
    monkeypatch.setattr("os.environ", {"GOOGLE_API_KEY": value})
    with pytest.raises(ChargenError) as in_environment:
        config.api_key(GEMINI, home)
    if "\r" not in value and "\0" not in value:  # a file has none of them
        (home / ".env").write_text(f"GEMINI_API_KEY='{value}'\n", encoding="utf-8")
        monkeypatch.setattr("os.environ", {})
        with pytest.raises(ChargenError) as in_file:
            config.api_key(GEMINI, home)
        assert f"GEMINI_API_KEY from {home / '.env'} is not a valid API key: {words}" in str(in_file.value)

    assert f"GOOGLE_API_KEY from the environment is not a valid API key: {words}" in str(in_environment.value)
    printed = [finding for finding in findings(home, {"GOOGLE_API_KEY": value}) if finding.level == "error"]
    assert words in printed[0].says
    assert not any("AIza" in text for text in (str(in_environment.value), str(printed)))


@pytest.mark.parametrize(
    "content",
    [
        f"GEMINI_API_KEY={KEY}\n".encode(),
        f"GEMINI_API_KEY={KEY}\n".encode("utf-8-sig"),
        f'# für chargen\r\nGEMINI_API_KEY="{KEY}"\r\n'.encode("utf-8-sig"),
        f"GEMINI_API_KEY={KEY}\r\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + f"export GEMINI_API_KEY={KEY}".encode("utf-16-be"),
        f"GEMINI_API_KEY= {KEY} \rOTHER=x".encode(),
    ],
)
def test_env_files_as_systems_write_them(home: Path, content: bytes) -> None:
    """UTF-8 with and without a mark, UTF-16 as Windows' shells write it, any line ends: the key is found."""
    (home / ".env").write_bytes(content)

    assert config.api_key(GEMINI, home) == KEY
    assert "[key]" == output.redacted(KEY)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"GEMINI_API_KEY={KEY}".encode("utf-16-le"), "not UTF-8 text"),
        (f"x=1\nname=J\u00fcrgen\nGEMINI_API_KEY={KEY}".encode("latin-1"), ".env:2: the file is not UTF-8"),
        (codecs.BOM_UTF16_LE + b"G", "the file is not UTF-8"),
        (bytes(range(256)), "not UTF-8"),
    ],
)
def test_an_env_file_that_is_no_text_is_refused(home: Path, content: bytes, words: str) -> None:
    """In words, with file and line, instead of a traceback or `no API key`; `doctor` says the same."""
    (home / ".env").write_bytes(content)

    with pytest.raises(ChargenError) as caught:
        config.api_key(GEMINI, home)

    assert words in str(caught.value) and str(home / ".env") in str(caught.value)
    assert "AIza" not in str(caught.value)
    assert [str(caught.value)] == [finding.says for finding in findings(home, {})]
