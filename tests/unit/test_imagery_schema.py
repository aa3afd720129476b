"""The schema of imagery.yaml says what the reader does, and the line that names it does no harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema_rs
import library_corpus as corpus
import pytest
import yaml

from chargen.base.schemas import ROOT, load_schema
from chargen.library.load import load_library
from chargen.library.writeback import append_to_bytes
from chargen.screens import init

MODELINE = "# yaml-language-server: $schema=../../imagery.schema.json\n"


def faults(text: str) -> list[str]:
    """What an editor marks in a file."""
    validator = jsonschema_rs.validator_for(load_schema("imagery"))
    return [error.message for error in validator.iter_errors(plain(yaml.load(text, Loader=yaml.CSafeLoader)))]


def plain(value: Any) -> Any:
    """*value* as JSON has it: keys and dates as text."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def test_every_shape_fits(tmp_path: Path) -> None:
    """Nothing is marked in a file that is read without a complaint: ours, and each of the older tools'."""
    corpus.whole(tmp_path)
    broken = {path.split(":")[0] for path in (str(problem.place) for problem in load_library(tmp_path).problems)}
    files = [
        *(path for path in tmp_path.rglob("imagery.yaml") if path.relative_to(tmp_path).as_posix() not in broken),
        *(ROOT / "examples").rglob("imagery.yaml"),
        *(ROOT / "config" / "starter").rglob("imagery.yaml"),
    ]

    assert len(files) > 12
    assert {} == {str(path): found for path in files if (found := faults(path.read_text("utf-8")))}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scenes: [{id: a, prompt: x, aspekt_ratio: 3:4}]", "aspekt_ratio"),
        ("nmae: Oda", "nmae"),
        ("scenes: [{id: a}]", "anyOf"),
        ("scenes: [{prompt: x, weight: heavy}]", "heavy"),
        ("defaults: {image_sise: 2K}", "image_sise"),
        ("name: Oda\nscenes: {id: a}", "array"),
    ],
)
def test_what_is_mistyped_is_marked(text: str, said: str) -> None:
    """An editor marks what the reader would warn of or refuse."""
    (found, *_) = faults(text)

    assert said in found


def test_keys_of_older_tools_are_left_alone() -> None:
    """Their files may hold anything."""
    assert [] == faults("appearance: tall\nfavourite_food: soup\nprompts: []")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_line_for_editors_changes_nothing(tmp_path: Path, newline: str, mark: str) -> None:
    """A file with it is read as without it, and records are appended to it with every byte in place."""
    content = corpus.NEWCOMER.replace("\n", newline)
    path = corpus.entity(tmp_path / "with", "character/oda", "") / "imagery.yaml"
    path.write_bytes((mark + MODELINE.replace("\n", newline) + content).encode())
    corpus.entity(tmp_path / "without", "character/oda", content)

    with_line, without = load_library(tmp_path / "with"), load_library(tmp_path / "without")
    before = path.read_bytes()
    after, added = append_to_bytes(before, "generated_images", [{"task_key": "k", "file_name": "a.jpg"}])

    specs = [[scene.spec for scene in found.entities["character/oda"].scenes] for found in (with_line, without)]
    assert specs[0] == specs[1]
    assert not with_line.problems
    assert (1, before) == (added, after[: len(before)])


def test_init_sets_editors_up(tmp_path: Path) -> None:
    """A new library holds the schema that its files name, and is read without a complaint."""
    init.make(tmp_path / "story", tmp_path)
    files = list((tmp_path / "story").rglob("imagery.yaml"))

    assert files
    for path in files:
        first = path.read_text("utf-8").split("\n")[0]
        assert first + "\n" == MODELINE
        named = path.parent / first.partition("$schema=")[2]
        assert named.read_bytes() == (ROOT / "schemas" / "imagery.schema.json").read_bytes()
    assert not load_library(tmp_path / "story").problems


@pytest.mark.parametrize("name", ["config", "models", "styles", "prompts"])
def test_settings_files_name_their_schemas(name: str) -> None:
    """Editors check the files in config/ too."""
    path = ROOT / "config" / f"{name}.yaml"
    first = path.read_text("utf-8").split("\n")[0]
    schema = path.parent / first.partition("# yaml-language-server: $schema=")[2]

    assert schema.resolve() == ROOT / "schemas" / f"{name}.schema.json"
