"""Settings that are texts arrive as they were typed, whatever Snakemake makes of them."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.cli import parse_config
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from chargen.base.errors import ChargenError
from chargen.records import settings as config
from chargen.records.arguments import Order, Review
from chargen.records.commands import assignment
from chargen.records.typed import as_typed, forgiving


def settings(home: Path, *words: str, files: tuple[Path, ...] = ()) -> config.Settings:
    """The settings of a run with these words behind --config, by way of what Snakemake reads."""
    read: dict[str, Any] = {}
    for file in (config.DEFAULT_CONFIG, *files):
        update_config(read, load_configfile(file))
    update_config(read, forgiving(parse_config)(words))
    return config.settings(as_typed(read, config.configuration_rule(), words, [config.DEFAULT_CONFIG, *files]), home)


TEXTS = [
    "Book #2", "#2", "2024_01", "007", "1e3", "0x10", "12", "3.0", "on", "null", "~", "2026-01-01", "a, b", "red: blue",
    "!Look out", "*Emphasis* on light", "&c", "%50", "@home", "`x`", "- a", "[a", "{a", "it's \"so\"", "\"a\" and 'b'",
    "Zoë", "x ", "a=b", "True", "None", "100%", "a\\b", "> a", "| a", "? a",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_texts_arrive_as_typed(tmp_path: Path, text: str) -> None:
    """A number sign, a number, a word or a sign that YAML reads otherwise stays what it is."""
    found = settings(tmp_path, f"note={text}", f"library={text}", f"enhance={{prompt: {text}, variations: 2}}")

    assert text == found.asked(Review).note
    assert tmp_path / Path(text).expanduser() == Path(found.library)
    assert (text.strip(), 2) == (found.enhance.prompt, found.enhance.variations)


@pytest.mark.parametrize("text", [*TEXTS, "'quoted'", '"quoted"', "[a]", "", " "])
def test_commands_to_paste_say_the_very_text(tmp_path: Path, text: str) -> None:
    """What chargen shows for pasting comes back as the same text."""
    (word,) = shlex.split(assignment("note", text))

    assert text == settings(tmp_path, word).asked(Review).note


@pytest.mark.parametrize("word", ["note='Book #2'", 'note="Book #2"', 'note= "Book #2" '])
def test_a_text_may_be_quoted_as_in_yaml(tmp_path: Path, word: str) -> None:
    """Who quotes a text for YAML, as was needed before, is understood."""
    assert "Book #2" == settings(tmp_path, word).asked(Review).note


@pytest.mark.parametrize(
    ("words", "name", "value"),
    [
        (("only=a,b c",), "only", ("a", "b", "c")),
        (("only=[a, b]",), "only", ("a", "b")),
        (("only=character/[a-c]*/x",), "only", ("character/[a-c]*/x",)),
        (("exclude=007",), "exclude", ("007",)),
        (("strict=true",), "strict", True),
        (("budget_usd=3",), "budget_usd", 3.0),
        (("budget_usd=",), "budget_usd", None),
        (("older_than_h=1.5",), "arguments", {"older_than_h": 1.5}),
        (("library_id=",), "library_id", "story"),
        (("job=1e5",), "arguments", {"job": "1e5"}),
        (("batch={max_tasks: 5}",), "batch", config.Batch(5, 1_000_000_000)),
        (('batch={"max_tasks": 5}',), "batch", config.Batch(5, 1_000_000_000)),
        (("batch={max_tasks: 5}", "batch={max_bytes: 2000}"), "batch", config.Batch(5, 2000)),
    ],
)
def test_lists_numbers_and_groups_work_as_before(tmp_path: Path, words: tuple[str, ...], name: str, value: Any) -> None:
    """What is not text is read as the configuration page says."""
    assert value == getattr(settings(tmp_path, "library=story", *words), name)


def test_commas_in_a_prompt(tmp_path: Path) -> None:
    """A group's text goes on over commas and colons up to the next key; the group's other values stay."""
    found = settings(tmp_path, "enhance={prompt: red, blue: and #3, image_size: 4K}").enhance

    assert ("red, blue: and #3", "4K", 1) == (found.prompt, found.image_size, found.variations)


def test_a_misspelt_key_of_a_group_is_said(tmp_path: Path) -> None:
    """What is nearly a key is no part of the text before it."""
    with pytest.raises(ChargenError, match="unknown key `image_sise`, did you mean `image_size`"):
        settings(tmp_path, "enhance={prompt: red, image_sise: 4K}")


def test_texts_of_a_configuration_file_stay_texts(tmp_path: Path) -> None:
    """A number or a date in a file is the text that was written, where a text is wanted; the last file counts."""
    first, second = tmp_path / "a.yaml", tmp_path / "b.yaml"
    first.write_text("library: 2024_01\nnote: 007\nenhance: {prompt: 1e3}\nbatch: {max_tasks: 0x10}\n")
    second.write_text("note: 2026-01-01\nscenes: [1_0, a]\n")

    found = settings(tmp_path, files=(first, second))

    assert (tmp_path / "2024_01", "2026-01-01", "1e3", ("1_0", "a")) == (
        Path(found.library), found.asked(Review).note, found.enhance.prompt, found.asked(Order).scenes
    )  # fmt: skip
    assert 16 == found.batch.max_tasks


def test_words_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    """A path of other bytes is an error with its bytes shown, not a crash when the settings are written."""
    with pytest.raises(ChargenError, match=r"library=b\\xffok: the value is not UTF-8"):
        settings(tmp_path, "library=" + os.fsdecode(b"b\xffok"))


def test_every_default_is_read_as_it_is(tmp_path: Path) -> None:
    """The default configuration is the same with and without looking at what was typed."""
    read = yaml.safe_load(config.DEFAULT_CONFIG.read_text())

    assert read == as_typed(read, config.configuration_rule(), (), [config.DEFAULT_CONFIG])
