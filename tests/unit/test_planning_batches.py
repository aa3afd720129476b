"""What goes out together: everything once, nothing beyond a limit, as few batches as that allows."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from chargen.base import schemas as schema
from chargen.planning.batches import WEIGHTS, fill
from chargen.planning.tasks import Shape, Task
from chargen.providers.models import load_catalog
from chargen.records import settings as config
from chargen.records.batch import Reference
from chargen.records.identity import Wish

DEFAULTS = yaml.safe_load((schema.ROOT / "config" / "config.yaml").read_text())
SETTINGS = config.settings(DEFAULTS | {"library": "story"}, schema.ROOT)
CATALOG = load_catalog(Path(SETTINGS.models_file))
MODELS = [CATALOG.image_model(name) for name in ("gemini-nano-banana-2.1", "gemini-3-pro-image")]
PICTURE = Reference(role="other", subject="s", name="n", path="a.png", sha256="0" * 64, mime="image/png", bytes=1)

_TASKS = st.lists(
    st.tuples(st.sampled_from(MODELS), st.integers(0, 3000), st.integers(0, 3), st.sampled_from(sorted(WEIGHTS))),
    max_size=25,
)


def task(number, model, letters, references, weight):
    """A task with a prompt of so many letters."""
    wish = Wish("generate", f"character/oda/s-{number}", 1, "sha256:0")
    shape = Shape(model, "1:1", "1K", 0.01)
    key = f"{wish.target}@sha256:{number:016x}"
    tokens = letters // 4 + 1120 * references
    return Task(wish, 1, key, "", "x" * letters, (PICTURE,) * references, shape, None, (), weight, tokens, letters)


@given(_TASKS, st.integers(1, 8), st.integers(500, 12_000), st.integers(1, 4000))
def test_batches_hold_everything_once_within_the_limits(drawn, max_tasks, max_bytes, max_tokens):
    """Each task is in one batch of its model; only a task that is too large by itself breaks a limit, alone."""
    tasks = [task(number, *parts) for number, parts in enumerate(drawn)]
    settings = replace(
        SETTINGS,
        batch=replace(SETTINGS.batch, max_tasks=max_tasks, max_bytes=max_bytes),
        limits=replace(SETTINGS.limits, enqueued_tokens=max_tokens),
    )

    batches = list(fill(tasks, settings, CATALOG, "generate"))

    def fits(group):
        bytes_ = sum(item.line_bytes for item in group)
        return len(group) <= max_tasks and bytes_ <= max_bytes and sum(item.tokens for item in group) <= max_tokens

    assert sorted(item.key for item in tasks) == sorted(item.key for batch in batches for item in batch.tasks)
    assert all({batch.model} == {item.shape.model.name for item in batch.tasks} for batch in batches)
    assert all(len(batch.tasks) == 1 or fits(batch.tasks) for batch in batches)
    assert len(batches) == len({batch.id for batch in batches})
    for before, after in pairwise(batches):
        if before.model == after.model:
            assert not fits((*before.tasks, after.tasks[0])), "one batch more than needed"
    for model in MODELS:
        weights = [WEIGHTS[item.weight] for batch in batches if batch.model == model.name for item in batch.tasks]
        assert sorted(weights) == weights
