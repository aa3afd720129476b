"""What the documents say is what the code does."""

from __future__ import annotations

import re
import runpy

import pytest
import yaml

from chargen import __version__
from chargen.base.schemas import ROOT


def rules() -> set[str]:
    """The names of all rules."""
    files = [ROOT / "Snakefile", *(ROOT / "workflow/rules").rglob("*.smk")]
    return {name for file in files for name in re.findall(r"(?m)^(?:rule|checkpoint) (\w+):", file.read_text())}


STEPS = {
    "plan", "renew", "write_report", "stage", "submit", "fetch", "apply", "settle", "put_back", "settle_put_back",
    "look_again", "settle_look_again",
    "look_first", "plan_analysis", "plan_generation", "close_generation", "close_illustration",
}  # fmt: skip


def test_readme_names_every_target():
    """The README's table of targets has exactly the rules that a user may ask for."""
    named = set(re.findall(r"(?m)^\| `(\w+)` \|", (ROOT / "README.md").read_text()))

    assert rules() - STEPS == named


GENERATED = runpy.run_path(str(ROOT / "docs/build.py"))["GENERATED"]


@pytest.mark.parametrize("name", GENERATED)
def test_generated_files_are_up_to_date(name):
    """What docs/build.py writes is what stands in the repository: `python docs/build.py` after a change."""
    assert GENERATED[name]() == (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *[f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")]]
)
def test_links_lead_somewhere(page):
    """Every relative link of a page has its file."""
    path = ROOT / page
    links = re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text())

    assert [] == [link for link in links if not (path.parent / link).exists()]


def test_modules_that_pages_name_exist():
    """A page that names a module by its path names one that is there."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")]
    named = {path for page in pages for path in re.findall(r"`(chargen/[\w/]+\.py)`", page.read_text())}

    assert [] == [path for path in sorted(named) if not (ROOT / "workflow" / "scripts" / path).exists()]


def test_python_is_said_once():
    """README and pyproject name the same oldest Python."""
    assert "Python ≥ 3.11" in (ROOT / "README.md").read_text()
    assert 'requires-python = ">=3.11"' in (ROOT / "pyproject.toml").read_text()


def test_the_version_is_the_same_everywhere():
    """The newest released section of the changelog, and output quoted in pages, have the version of the package."""
    released = re.findall(r"(?m)^## (\d[\d.]*) - \d{4}-\d\d-\d\d$", (ROOT / "CHANGELOG.md").read_text())
    quoted = {
        version
        for page in (ROOT / "docs").glob("*.md")
        for version in re.findall(r"(?m)^    chargen (\d+\.\d+\.\d+),", page.read_text())
    }

    assert (__version__, {__version__}) == (released[0], quoted)


def test_the_slurm_profile_names_rules_that_exist():
    """Snakemake passes over a rule that it does not know."""
    profile = yaml.safe_load((ROOT / "profiles" / "slurm" / "config.yaml").read_text())

    assert set() == {*profile["set-resources"], *profile["set-threads"]} - rules()
