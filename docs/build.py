"""Write docs/configuration.md from the schema and the defaults, so that it never says anything else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from chargen.base.schemas import ROOT, load_schema

HEAD = """# Configuration

Every key with its default, from `config/config.yaml` and its schema (written by `python docs/build.py`). Set keys in
that file, in one of your own with `--configfile`, or for one run with `--config key=value`. A key of a group, written
with a dot below, is typed as `--config batch='{"max_tasks": 5}'`; the group's other keys keep their values.

What is a text arrives as you type it, once the shell has read it: `library='Book #2'`, `library=2024_01`,
`note='3, or "#7"?'`. A text in quotes of its own (`note='"so"'`) loses them. Lists are separated by spaces or commas.

| key | default | meaning |
|---|---|---|
"""


def rows(schema: Mapping[str, Any], defaults: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield a table row per key, groups taken apart."""
    for name, rule in schema["properties"].items():
        if rule.get("type") == "object":
            yield from rows(rule, defaults[name], f"{prefix}{name}.")
        else:
            default = yaml.safe_dump(defaults[name], default_flow_style=True, width=1000).split("\n")[0]
            choices = rule.get("enum") or ()
            one_of = f" One of {', '.join(f'`{choice}`' for choice in choices if choice != '')}." if choices else ""
            yield f"| `{prefix}{name}` | `{default}` | {rule['description']}{one_of} |\n"


def configuration() -> str:
    """Return the page."""
    defaults = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    return HEAD + "".join(rows(load_schema("config"), defaults))


if __name__ == "__main__":
    Path(__file__).with_name("configuration.md").write_text(configuration())
