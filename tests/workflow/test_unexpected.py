"""A bug of chargen under the real Snakemake: whoever runs it sees one line, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = pytest.mark.workflow

SITE = """
import os, sys
module, name = os.environ["BROKEN"].split(":")

class Finder:
    busy = False

    def find_spec(self, fullname, path, target=None):
        if fullname != module or self.busy:
            return None
        import importlib.util
        self.busy = True
        spec = importlib.util.find_spec(fullname)
        self.busy = False
        load = spec.loader.exec_module
        def exec_module(loaded):
            load(loaded)
            setattr(loaded, name, broken)
        spec.loader.exec_module = exec_module
        return spec

def broken(*args, **keywords):
    raise KeyError("a surprise")

sys.meta_path.insert(0, Finder())
"""


@pytest.mark.parametrize(
    ("where", "doing"),
    [
        ("chargen.operations.generate.plan:make_plan", "planning"),
        ("chargen.steps.stage:stage", "running the step `stage` of batch "),
        ("chargen.report.summary:render", "summing up the run"),
    ],
)
def test_a_bug_is_one_line_for_the_user(project, tmp_path: Path, where: str, doing: str) -> None:
    """While planning, in a step and at the end: the line, a status, and the traceback in the file."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(SITE)

    done = project.run(check=False, env={"PYTHONPATH": str(site), "BROKEN": where})

    lines = [line for line in done.stdout.splitlines() if "unexpected error" in line]
    assert 1 == done.returncode
    assert 1 == len(lines) and f"chargen: unexpected error while {doing}" in lines[0]
    assert "Traceback" not in done.stdout and "a surprise" in lines[0]
    assert "KeyError: 'a surprise'" in (project.folder / "logs" / "unexpected.log").read_text()
