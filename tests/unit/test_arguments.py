"""Settings and the arguments of commands are declared once."""

from __future__ import annotations

import dataclasses

import pytest
import yaml

from chargen import screens
from chargen.base.errors import ChargenError
from chargen.records import arguments
from chargen.records import settings as config
from chargen.records.arguments import COMMANDS, check_arguments
from chargen.records.declaring import declaration_of, defaults_of
from chargen.records.settings import Settings


def test_defaults_of_the_file_are_those_that_are_declared():
    """A key that a file of one's own leaves out has the default of config/config.yaml."""
    written = yaml.safe_load(config.DEFAULT_CONFIG.read_text("utf-8"))

    assert defaults_of(Settings) == written


def test_keys_may_be_left_out(tmp_path):
    """Nothing has to be in a configuration: what is absent has its default, also within a group."""
    whole = config.settings(yaml.safe_load(config.DEFAULT_CONFIG.read_text("utf-8")), tmp_path)

    assert whole == config.settings({}, tmp_path)
    assert 7 == config.settings({"batch": {"max_tasks": 7}}, tmp_path).batch.max_tasks
    assert whole.batch.max_bytes == config.settings({"batch": {"max_tasks": 7}}, tmp_path).batch.max_bytes


def test_every_field_of_settings_is_declared_or_known_to_be_none():
    """A setting without a description would be in no schema, no file and no page."""
    derived = {"home", "source", "look", "sources", "library_fault", "arguments", "snakemake", "given"}

    assert derived == {item.name for item in dataclasses.fields(Settings) if declaration_of(item) is None}


def test_settings_come_back_as_they_were_written(tmp_path):
    """What a run pins is what its steps read."""
    data = {"provider": "gemini", "only": ["character/*"], "scenes": ["character/*"], "state": "stale"}
    settings = config.settings(data, tmp_path)

    assert settings == Settings.from_json(settings.to_json())


def test_only_arguments_that_were_given_are_kept(tmp_path):
    """A run that no command was asked of has none in its settings, also where a file of 0.1.0 lists the defaults."""
    nothing = config.settings({"scenes": [], "state": "", "confirm": False, "format": "text"}, tmp_path)
    asked = config.settings({"scenes": "character/* location/*", "older_than_h": "12"}, tmp_path)

    assert {} == nothing.arguments
    assert {"scenes": ["character/*", "location/*"], "older_than_h": 12} == asked.arguments
    assert arguments.Order(scenes=("character/*", "location/*")) == asked.asked(arguments.Order)
    assert 12 == asked.asked(arguments.Cleanup).older_than_h


def test_settings_of_the_first_version_are_read(tmp_path):
    """Version 0.1.0 had the arguments among the settings, and `retry` without its group."""
    data = config.settings({}, tmp_path).to_json()
    del data["retry"], data["arguments"]
    old = data | {"retry_max_attempts": 5, "scenes": ["character/oda/*"], "confirm": False, "format": "json"}

    settings = Settings.from_json(old)

    assert (5, ("character/oda/*",), "json") == (
        settings.retry_max_attempts,
        settings.asked(arguments.Order).scenes,
        settings.asked(arguments.Screen).format,
    )


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ({"libary": "x"}, "configuration: unknown key `libary`, did you mean `library`?"),
        ({"scens": "x"}, "configuration: unknown key `scens`, did you mean `scenes`?"),
        ({"batch": {"max_task": 5}}, "configuration: batch: unknown key `max_task`, did you mean `max_tasks`?"),
        ({"state": "old"}, 'configuration: state: "old" is not one of'),
    ],
)
def test_misspelt_keys_are_named(tmp_path, data, said):
    """A wrong key or value is refused with what was probably meant, be it a setting or an argument."""
    with pytest.raises(ChargenError) as refused:
        config.settings(data, tmp_path)

    assert str(refused.value).startswith(said)


def test_a_command_refuses_what_it_does_not_take():
    """An argument of another command would do nothing: it is refused before anything runs."""
    with pytest.raises(ChargenError) as refused:
        check_arguments(["scenes=character/*", "library=x"], {"cleanup"}, screens.names)
    with pytest.raises(ChargenError) as nothing_taken:
        check_arguments(["confirm=true"], {"generate_all"}, screens.names)
    with pytest.raises(ChargenError) as similar:
        check_arguments(["files=all"], {"order"}, screens.names)

    assert str(refused.value) == (
        "--config scenes: cleanup does not take `scenes`. It takes `format`, `cancel`, `delete`, `files`, "
        "`older_than_h`, `confirm`, `force`. Take it away, or give it to: order"
    )
    assert "generate_all does not take `confirm`. It takes no arguments." in str(nothing_taken.value)
    assert "order does not take `files`" in str(similar.value)


def test_a_command_takes_its_own_arguments():
    """Each command takes what it declares, also beside other targets; every screen can answer as JSON."""
    for command, declared in {**dict.fromkeys(screens.names(), arguments.Screen), **COMMANDS}.items():
        check_arguments([f"{name}=x" for name in defaults_of(declared)], {command, "generate_all"}, screens.names)


def test_arguments_that_share_a_name_share_their_declaration():
    """A value typed behind --config is checked before it is known which command it is for."""
    seen = {}
    for declared in COMMANDS.values():
        for item in dataclasses.fields(declared):
            assert seen.setdefault(item.name, declaration_of(item)) == declaration_of(item)
