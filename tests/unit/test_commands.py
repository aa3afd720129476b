"""Command lines for people to paste reach the library of the run that shows them, whatever signs its name has."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from report_world import make_world
from snakemake.cli import parse_config

from chargen.records.commands import assignment, called, command, in_run_folder
from chargen.records.settings import configuration_rule
from chargen.records.typed import as_typed


def workflow(snakefile: Path, *words: str, configfiles: tuple[Path, ...] = ()) -> SimpleNamespace:
    given = SimpleNamespace(config_args=list(words), configfiles=list(configfiles))
    return SimpleNamespace(main_snakefile=str(snakefile), config_settings=given)


@pytest.mark.parametrize("name", ["../my story", "it's #1", "Zoë's $HOME; rm -rf 100%", "сага/«ночь»"])
def test_the_library_of_the_command_line_is_said_again(tmp_path: Path, name: str) -> None:
    """A shell and Snakemake read the very same library from the pasted line."""
    snakemake, given = called(workflow(tmp_path / "Snakefile", f"library={name}", "budget_usd=3"), tmp_path)
    settings = replace(make_world(tmp_path).settings, snakemake=snakemake, given=given)

    program, target, option, *words = shlex.split(command(settings, "review", "approve=character/oda/*"))

    assert (snakemake[0], "review", "--config") == (program, target, option)
    assert parse_config([f"library={name}", "approve=character/oda/*"]) == parse_config(words)


def test_without_words_nothing_is_added(tmp_path: Path) -> None:
    """Where the configuration names the library, the line stays short."""
    snakemake, given = called(workflow(tmp_path / "Snakefile"), tmp_path)
    settings = replace(make_world(tmp_path).settings, snakemake=snakemake, given=given)

    assert f"{snakemake[0]} generate_all" == command(settings, "generate_all")
    assert "reviews.json" == in_run_folder(settings, "reviews.json")


def test_another_folder_and_configuration_are_named(tmp_path: Path) -> None:
    """A run in a folder of its own says which one, and which Snakefile, and which configuration."""
    home = tmp_path / "my home"
    flow = workflow(tmp_path / "checkout" / "Snakefile", configfiles=(home / "sea.yaml",))
    snakemake, given = called(flow, home)
    settings = replace(make_world(tmp_path).settings, home=str(home), snakemake=snakemake, given=given)

    words = shlex.split(command(settings, "review", "pick=a"))

    assert ["--snakefile", str(tmp_path / "checkout" / "Snakefile"), "--directory", str(home)] == words[2:6]
    assert ["--configfile", "sea.yaml"] == words[6:8]
    assert str(home / "reviews.json") == in_run_folder(settings, "reviews.json")


@pytest.mark.parametrize("value", ["/a # b/c.json", "note: this", "'quoted'", "[list", "plain", "Zoë's"])
def test_values_mean_themselves(value: str) -> None:
    """A text is what it is, whatever a shell or YAML would read."""
    words = shlex.split(assignment("reviews", value))

    assert {"reviews": value} == as_typed(parse_config(words), configuration_rule(), words, [])
