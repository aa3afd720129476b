"""Write what is generated from declarations: `python docs/build.py`.

The keys of the configuration are declared in `chargen.records.settings`, the arguments of commands in
`chargen.records.arguments`. From there come their schemas, `config/config.yaml` and `docs/configuration.md`. The keys
of `imagery.yaml` are declared in `chargen.library.scene` and `chargen.library.entity_keys`: from there come its schema
and the tables in `docs/imagery.md`.
A test compares what is written with what would be written.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from chargen.base.schemas import ROOT, load_schema
from chargen.library.entity_keys import ENTITY_KEYS
from chargen.library.imagery_schema import imagery_schema
from chargen.library.scene import SCENE_FIELDS
from chargen.library.v1 import SCENE_KEYS
from chargen.records.arguments import COMMANDS, Screen, rule_of_arguments
from chargen.records.declaring import defaults_of, keys_of, rule_of
from chargen.records.library_settings import LOOK, SETTINGS
from chargen.records.settings import Settings

HEAD = """# Configuration

Every key with its default (written by `python docs/build.py`). Set keys in `config/config.yaml`, in a file of your own
with `--configfile`, or for one run with `--config key=value`. A key of a group, written with a dot below, is typed as
`--config batch='{"max_tasks": 5}'`; the group's other keys keep their values.

What is a text arrives as you type it, once the shell has read it: `library='Book #2'`, `library=2024_01`,
`note='3, or "#7"?'`. A text in quotes of its own (`note='"so"'`) loses them. Lists are separated by spaces or commas.

Editors with yaml-language-server (VS Code: the extension *YAML*) complete and check a configuration file that begins
with `# yaml-language-server: $schema=<checkout>/schemas/config.schema.json`.

| key | default | meaning |
|---|---|---|
"""

COMMANDS_HEAD = """
## Arguments of commands

These say what one command shall do: `snakemake order --config scenes='character/oda-*/*'`. They are typed behind
`--config` like settings, but a command refuses those of another one, and names what it takes.

| command | argument | default | meaning |
|---|---|---|---|
"""

CONFIG_HEAD = """\
# yaml-language-server: $schema=../schemas/config.schema.json
# Configuration of chargen. Every key is here with its default; `--config key=value` overrides one for a run,
# `--configfile mine.yaml` several. Unknown keys and wrong values are refused with the name of the key.
# Arguments of single commands, like `scenes` of `snakemake order`, are listed in docs/configuration.md.
"""

DIALECT = "https://json-schema.org/draft/2020-12/schema"
WIDTH = 120


def configuration() -> str:
    """Return docs/configuration.md."""
    return HEAD + "".join(_rows(rule_of(Settings), defaults_of(Settings))) + COMMANDS_HEAD + "".join(_argument_rows())


def config_file() -> str:
    """Return config/config.yaml."""
    return "\n".join([CONFIG_HEAD, *_config_lines(rule_of(Settings), defaults_of(Settings))]) + "\n"


def config_schema() -> str:
    """Return schemas/config.schema.json."""
    return _json("chargen configuration", "Everything a user can set.", rule_of(Settings))


def library_schema() -> str:
    """Return schemas/library.schema.json."""
    styles, configured = load_schema("styles")["properties"], rule_of(Settings)["properties"]
    properties = {
        "schema": {"description": "Version of this file's format; 1.", "const": 1},
        "style": {
            "description": "How the pictures look, in a sentence or two: short for art_direction.medium.",
            "type": "string",
            "minLength": 1,
        },
        **{key: _nothing_required(styles[key]) for key in LOOK},
        **{key: configured[key] for key in SETTINGS},
    }
    rule = {"type": "object", "additionalProperties": False, "properties": properties}
    return _json("chargen.yaml", "How a library wants to look, and what it sets for every run.", rule)


def prompts() -> str:
    """Return docs/prompts.md."""
    sys.path.insert(0, str(Path(__file__).parent))
    from prompt_examples import page

    return page()


def _nothing_required(rule: Any) -> Any:
    """*rule* for a file that is merged over another one, and may leave everything out."""
    if isinstance(rule, Mapping):
        return {key: _nothing_required(value) for key, value in rule.items() if key != "required"}
    return [_nothing_required(item) for item in rule] if isinstance(rule, list) else rule


def arguments_schema() -> str:
    """Return schemas/arguments.schema.json."""
    about = "What single commands can be asked to do, typed behind --config like settings."
    return _json("chargen arguments of commands", about, rule_of_arguments())


def imagery() -> str:
    """Return docs/imagery.md with its tables of keys."""
    page = (ROOT / "docs" / "imagery.md").read_text("utf-8")
    fields = {name: SCENE_FIELDS[name].description for name in SCENE_KEYS}
    for what, keys in (("entity", ENTITY_KEYS), ("scene", fields)):
        begin, end = f"<!-- keys of {what}: written by docs/build.py -->\n", f"<!-- end of keys of {what} -->\n"
        before, _, rest = page.partition(begin)
        table = "".join(f"| `{name}` | {about} |\n" for name, about in keys.items())
        page = f"{before}{begin}\n| key | what it does |\n|---|---|\n{table}\n{end}{rest.partition(end)[2]}"
    return page


def imagery_schema_text() -> str:
    """Return schemas/imagery.schema.json."""
    return json.dumps(imagery_schema(), indent=2, ensure_ascii=False) + "\n"


def _rows(rule: Mapping[str, Any], defaults: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield a table row per key, groups taken apart."""
    for name, of in rule["properties"].items():
        if of.get("type") == "object":
            yield from _rows(of, defaults[name], f"{prefix}{name}.")
        else:
            yield f"| `{prefix}{name}` | `{_value(defaults[name])}` | {_meaning(of)} |\n"


def _argument_rows() -> Iterator[str]:
    """Yield a table row per argument, those that several commands share once."""
    rules, seen = rule_of_arguments()["properties"], set()
    for command in (Screen, *COMMANDS.values()):
        defaults = defaults_of(command)
        for name, _ in keys_of(command):
            if name not in seen:
                seen.add(name)
                takers = [f"`{taker}`" for taker, of in COMMANDS.items() if name in defaults_of(of)]
                if command is Screen:
                    takers = ["every screen", *(name for name in takers if name == "`collect`")]
                yield f"| {', '.join(takers)} | `{name}` | `{_value(defaults[name])}` | {_meaning(rules[name])} |\n"


def _config_lines(
    rule: Mapping[str, Any], defaults: Mapping[str, Any], indent: str = "", said: set[str] | None = None
) -> Iterator[str]:
    """Yield the lines of a YAML file with the defaults. Within a group, what was *said* is not repeated."""
    for name, of in rule["properties"].items():
        meaning, in_group = _meaning(of), set() if said is None else said
        if meaning not in in_group:
            in_group.add(meaning)
            prefix = f"{indent}# "
            yield from textwrap.wrap(
                meaning, WIDTH, initial_indent=prefix, subsequent_indent=prefix, break_on_hyphens=False
            )
        if of.get("type") == "object":
            yield f"{indent}{name}:"
            yield from _config_lines(of, defaults[name], indent + "  ", in_group)
        else:
            yield f"{indent}{name}: {json.dumps(defaults[name]) if defaults[name] == '' else _value(defaults[name])}"


def _meaning(rule: Mapping[str, Any]) -> str:
    """What a key means, with the values it may have where the description does not name them."""
    description = str(rule["description"])
    choices = [f"`{choice}`" for choice in rule.get("enum", ()) if choice != ""]
    missing = [choice for choice in choices if choice not in description]
    return f"{description} One of {', '.join(choices)}." if missing else description


def _value(value: object) -> str:
    return yaml.safe_dump(value, default_flow_style=True, width=1000).split("\n")[0]


def _json(title: str, about: str, rule: Mapping[str, Any]) -> str:
    schema = {"$schema": DIALECT, "title": title, "description": about, **rule}
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


GENERATED: Mapping[str, Callable[[], str]] = {
    "docs/configuration.md": configuration,
    "config/config.yaml": config_file,
    "schemas/config.schema.json": config_schema,
    "schemas/arguments.schema.json": arguments_schema,
    "schemas/library.schema.json": library_schema,
    "schemas/imagery.schema.json": imagery_schema_text,
    "docs/imagery.md": imagery,
    "docs/prompts.md": prompts,
}
"""Every generated file, and what writes it."""


def main() -> None:
    """Write every generated file."""
    for name, content in GENERATED.items():
        (Path(ROOT) / name).write_text(content(), encoding="utf-8")


if __name__ == "__main__":
    main()
