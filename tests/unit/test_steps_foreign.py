"""What keys of a job that was sent from elsewhere may name: things in the library, and nothing else."""

from __future__ import annotations

import pytest

import builders
from chargen.operations.foreign import _split, attempted
from chargen.records.identity import batch_id

HASH = "@sha256:0123456789abcdef"


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("character/oda/lamp", ("character/oda/lamp", 1)),
        ("location/灯台🔥/Old_Pier.2_c3", ("location/灯台🔥/Old_Pier.2", 3)),
        ("chapter/ch1/images/a b: c.png", ("chapter/ch1/images/a b: c.png", 1)),
        ("enhance/album/sea/old/grey name, with signs.jpg", ("enhance/album/sea/old/grey name, with signs.jpg", 1)),
    ],
)
def test_keys_that_chargen_makes(key, expected):
    """Scenes with their variation, pictures that are looked at, and files that are enhanced, in any script."""
    assert expected == _split(key + HASH)


@pytest.mark.parametrize(
    "key",
    [
        "request-1",
        "character/oda",
        "dragon/oda/lamp",
        "character/../lamp",
        "character/oda/..",
        "character/oda/../../../lamp",
        "character//etc/passwd",
        "character/oda/images/../../../../etc/passwd",
        "character/oda/la\0mp",
        "character/\u202eoda/lamp",
        "character/oda/a b",
        f"character/oda/{'a' * 5000}",
        f"character/{'a' * 5000}/lamp",
        "enhance/album/../../lamp.png",
        "enhance/../lamp.png",
        "enhance/album//etc/passwd",
        "enhance/album/la\0mp.png",
    ],
)
def test_keys_that_lead_anywhere_else(key):
    """No kind that there is, no plain names, out of the folder: not ours, whatever job it stands in."""
    assert _split(key + HASH) is None


@pytest.mark.parametrize("attempts", [(1, 1, 1), (2, 2, 2), (1, 3, 2)])
def test_attempts_of_a_foreign_job(attempts):
    """The job's id tells which attempt of each wish it was; what follows from it is the next one, and no other job."""
    tasks = [builders.task(f"character/oda/s-{n}") for n in range(3)]
    batch = batch_id((task.wish_id, task.key, attempt) for task, attempt in zip(tasks, attempts, strict=True))

    assert list(attempts) == [task.attempt for task in attempted(tasks, batch, 3)]
    assert tasks == attempted(tasks, "0123456789abcdef", 3)


def test_attempts_of_a_large_foreign_job():
    """With many tasks only alike attempts are tried."""
    tasks = [builders.task(f"character/oda/s-{n}") for n in range(2000)]
    batch = batch_id((task.wish_id, task.key, 3) for task in tasks)

    assert {3} == {task.attempt for task in attempted(tasks, batch, 3)}
