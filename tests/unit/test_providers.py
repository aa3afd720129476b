"""The seam between chargen and its providers: who they are, and that nobody else knows them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from chargen.base.capabilities import UnknownProvider, capabilities, costs_money, counts, is_placeholder
from chargen.base.schemas import ROOT
from chargen.providers import protocol, registry
from chargen.records import settings as config

PACKAGE = ROOT / "workflow" / "scripts" / "chargen"
OUTSIDE = [path for path in sorted(PACKAGE.rglob("*.py")) if path.relative_to(PACKAGE).parts[0] != "emulator"]
API_WORDS = re.compile(
    r"RESOURCE_EXHAUSTED|(?:JOB|BATCH)_STATE|promptFeedback|finishReason|IMAGE_SAFETY|Requested entity"
    r"|usageMetadata|inlinedResponses|batchGenerateContent|batchStats|fileName|file_data|\brpc\b"
)


def provider_packages(path: Path) -> bool:
    """Whether a module may know a provider by name: the packages themselves, and the two tables of those built in.
    `emulator` is also a command."""
    name = path.relative_to(PACKAGE).as_posix()
    return name.startswith("providers/gemini/") or name in ("providers/registry.py", "base/capabilities.py", "verbs.py")


def names_compared(tree: ast.AST) -> Iterator[int]:
    """Yield the lines on which something is compared with the name of a provider."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Compare):
            continue
        compared = [item for side in (node.left, *node.comparators) for item in ast.walk(side)]
        if any(isinstance(item, ast.Constant) and item.value in ("gemini", "emulator", "google") for item in compared):
            yield node.lineno


def imports_of_gemini(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that import from the package of Gemini."""
    for node in ast.walk(tree):
        modules = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if any(module.startswith("chargen.providers.gemini") for module in modules):
            yield node.lineno


def test_nobody_else_knows_a_provider_by_name() -> None:
    """No comparison with a provider's name and no import of its package outside it."""
    found = []
    for path in OUTSIDE:
        if not provider_packages(path):
            tree = ast.parse(path.read_text())
            lines = {*names_compared(tree), *imports_of_gemini(tree)}
            found += [f"{path.relative_to(PACKAGE)}:{line}" for line in sorted(lines)]

    assert [] == found


def test_nobody_else_reads_the_words_of_the_api() -> None:
    """Names of the API's fields, states and errors stand in the package of Gemini alone."""
    found = [
        f"{path.relative_to(PACKAGE)}:{number}: {line.strip()}"
        for path in OUTSIDE
        if not provider_packages(path)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if API_WORDS.search(line)
    ]

    assert [] == found


def members(protocol: type) -> set[str]:
    """What a protocol asks for."""
    return {name for name in vars(protocol) if not name.startswith("_")}


def test_the_example_has_what_the_protocol_asks_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The provider that CONTRIBUTING says to copy offers every member, and none that nobody asks for."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "providers")
    from folder_provider import PROVIDER, Folder

    offered = {name for name in dir(PROVIDER) if not name.startswith("_")}
    connection = {name for name in dir(Folder(tmp_path)) if not name.startswith("_")}

    assert members(protocol.Provider) == offered
    assert members(protocol.Connection) == connection


def test_a_job_of_the_example_keeps_its_name_to_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A job that is made after another one was deleted replaces none of those that are left."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "providers")
    from folder_provider import Folder

    server = Folder(tmp_path)
    (tmp_path / "requests").write_text('{"key": "a", "prompt": "A lamp."}\n')
    request = server.upload(tmp_path / "requests", "requests", "application/jsonl").name
    first, second = (server.create("a-model", request, name) for name in ("first", "second"))
    server.delete_job(first)

    third = server.create("a-model", request, "third")

    assert ["third", "second"] == [job.display_name for job in server.jobs()]
    assert 3 == len({first, second, third})
    assert server.job(second).responses_file != server.job(third).responses_file


@pytest.mark.parametrize("name", sorted(registry.BUILT_IN))
def test_each_built_in_provider_has_the_facts_of_its_name(name: str) -> None:
    """The registry and the table of capabilities name the same providers."""
    assert capabilities(name) is registry.provider(name).capabilities
    assert name == capabilities(name).name


@pytest.mark.parametrize(
    ("recorded", "provider", "expected"),
    [
        ("google", "gemini", True),
        ("google", "emulator", True),
        ("emulator", "gemini", False),
        ("emulator", "", False),
        ("emulator", "emulator", True),
        ("painters-guild", "gemini", True),
        ("painters-guild", "emulator", True),
        ("", "gemini", True),
    ],
)
def test_only_placeholders_do_not_count(recorded: str, provider: str, expected: bool) -> None:
    """Placeholders count for a provider of placeholders alone; what an unknown provider made is a real picture, and is
    never paid for again."""
    assert expected is counts(recorded, provider)


def test_a_provider_that_is_not_installed_is_named_with_those_that_are(tmp_path: Path) -> None:
    """The message says which key is wrong, and what may stand there."""
    values = yaml.safe_load(config.DEFAULT_CONFIG.read_text("utf-8")) | {"library": "story", "provider": "gemni"}

    with pytest.raises(UnknownProvider, match=r"configuration: provider: `gemni` is not installed; .*emulator, gemini"):
        config.settings(values, tmp_path)


def test_a_package_that_cannot_be_imported_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops whoever names it; the pictures of others are read all the same, and old ones count as paid for."""
    metadata = tmp_path / "broken-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[chargen.providers]\nbroken = a_module_that_is_not_there:PROVIDER\n")
    monkeypatch.syspath_prepend(tmp_path)
    from chargen.base import capabilities as module

    for cached in (module._installed, module._loaded, module.is_placeholder):
        cached.cache_clear()
    try:
        with pytest.raises(UnknownProvider, match="provider `broken`: a_module_that_is_not_there"):
            capabilities("broken")
        assert (False, True) == (is_placeholder("broken"), costs_money("broken"))
    finally:
        for cached in (module._installed, module._loaded, module.is_placeholder):
            cached.cache_clear()
