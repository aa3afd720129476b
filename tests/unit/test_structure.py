"""The package's rooms import from those below them, and from no others."""

from __future__ import annotations

import pytest

from structure import LAYERS, PACKAGE, survey


def test_imports_run_downwards():
    """No module imports from a room above its own, and no rooms import each other in a circle."""
    found = survey(PACKAGE)

    assert ([], []) == (found.upward, found.circles)


def test_every_room_has_its_layer():
    """A new room is put into the list of layers."""
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    rooms |= {path.stem for path in PACKAGE.glob("*.py")}

    assert {*(name for layer in LAYERS for name in layer), "emulator", "__init__"} == rooms


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("base/files.py", "from chargen.library.model import Entity"),
        ("planning/plans.py", "def f():\n    from chargen.steps import submit"),
        ("emulator/app.py", "from chargen.records.state import State"),
    ],
)
def test_an_upward_import_is_found(tmp_path, module, line):
    """Wherever it stands, at the top of a module or in a function."""
    package = tmp_path / "chargen"
    for name in ("library/model.py", "steps/submit.py", "records/state.py", module):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text("")
    (package / module).write_text(f"{line}\n")

    assert [module] == [item.split(" ->")[0] for item in survey(package).upward]
