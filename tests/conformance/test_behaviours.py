"""Everything that is written down of the API, against the emulator in each of its strictnesses."""

from __future__ import annotations

import pytest

from conformance import document, emulator

pytestmark = pytest.mark.soak

LOOSE = {
    "batches.create_unknown_field_in_line",
    "batches.create_without_name",
    "batches.get_running",
}
"""What the loose emulator does otherwise on purpose: see "How strict it is" in docs/emulator.md."""


@pytest.mark.parametrize(("strictness", "expected"), [("strict", set()), ("loose", LOOSE)])
def test_strictness(strictness: str, expected: set[str]) -> None:
    """The strict emulator does all that is written down, the loose one all but what it is loose in."""
    collection = document.load()
    tally = emulator.judge(collection, collection.behaviours, options=("--strictness", strictness))

    assert expected == {outcome.behaviour.id for outcome in tally.outcomes if outcome.verdict == "differs"}
