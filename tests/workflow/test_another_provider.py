"""A provider that chargen does not know: one package makes all pictures, through the real Snakemake."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.workflow

PACKAGES = Path(__file__).parents[1] / "providers"
SCENES = 6


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment in which the package folder_provider is installed, as pip would: with its entry point."""
    metadata = tmp_path / "site" / "folder_provider-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: folder-provider\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[chargen.providers]\nfolder = folder_provider:PROVIDER\n")
    known = os.environ.get("PYTHONPATH", "")
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(metadata.parent), str(PACKAGES), known)))}


def test_a_provider_of_another_package_makes_the_library(project, installed):
    """It makes all pictures, in several batches at once, under its own name in records, receipts and report, and the
    second run wants nothing. Whoever changes the provider then, the package removed or not, is not asked to pay for
    them again."""
    project.config |= {"provider": "folder", "base_url": "", "batch": {"max_tasks": 2}}
    made = project.run(env=installed).stdout
    files = project.tree()
    again = project.run(env=installed).stdout
    unchanged = project.tree()
    recorded = {
        record["provider"]
        for path in project.library.glob("*/*/imagery.yaml")
        for record in yaml.safe_load(path.read_text())["generated_images"]
    }
    elsewhere = [project.dry(config={"provider": name}) for name in ("gemini", "emulator")]

    assert SCENES == len(project.pictures())
    assert {"a-folder"} == recorded
    assert "folder: free pictures, no key needed" in made
    assert ("folder", SCENES) == (project.report()["run"]["provider"], project.report()["totals"]["applied"])
    assert "Nothing to be done" in again
    assert files == unchanged
    assert all("0 images to make, 6 done" in planned for planned in elsewhere), elsewhere
