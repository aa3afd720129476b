"""Whatever a server writes, reading it gives the types that the rest of the code expects."""

from __future__ import annotations

import pytest

from chargen.base.tolerant import as_count, as_map, as_maps, as_text
from chargen.providers.gemini.errors import GeminiError
from chargen.providers.gemini.jobs import read_file, read_job

ODD = [
    None,
    True,
    0,
    -3,
    2.5,
    float("nan"),
    float("inf"),
    "",
    "7",
    "many",
    "9" * 400,
    [],
    [None],
    [1, "a"],
    {},
    {"a": None},
]

OPERATION = {
    "name": "batches/one",
    "metadata": {
        "name": "batches/one",
        "model": "models/m",
        "displayName": "chargen-a-b",
        "state": "BATCH_STATE_SUCCEEDED",
        "createTime": "2026-11-01T10:00:00Z",
        "updateTime": "2026-11-01T10:00:00Z",
        "endTime": "2026-11-01T11:00:00Z",
        "batchStats": {"requestCount": "3", "successfulRequestCount": "2", "failedRequestCount": "1"},
        "output": {"responsesFile": "files/batch-x"},
    },
    "done": True,
    "response": {"responsesFile": "files/batch-x"},
    "error": {"code": 3, "message": "no"},
}
FILE = {
    "name": "files/a",
    "uri": "https://x/files/a",
    "displayName": "a",
    "mimeType": "image/png",
    "sizeBytes": "12",
    "sha256Hash": "YWJj",
    "createTime": "2026-11-01T10:00:00Z",
    "expirationTime": "2026-11-03T10:00:00Z",
    "state": "ACTIVE",
}


def variants(data):
    """*data* with each of its values, at any depth, replaced by each odd one, and left out."""
    for key, value in data.items():
        yield {name: item for name, item in data.items() if name != key}
        for odd in ODD:
            yield data | {key: odd}
        if isinstance(value, dict):
            for inner in variants(value):
                yield data | {key: inner}


def test_any_value_of_an_operation_may_be_odd():
    """Null, text, numbers, lists: an operation always has its types, and only a known state is final."""
    for data in variants(OPERATION):
        operation = read_job(data)

        texts = (operation.name, operation.display_name, operation.state, operation.model, operation.responses_file)
        assert [str] * 5 == [type(text) for text in texts], data
        assert all(type(n) is int and n >= 0 for n in (operation.requests, operation.done, operation.failed)), data
        assert operation.is_final == (operation.state == "SUCCEEDED"), data


def test_any_value_of_a_file_may_be_odd():
    """A file as the Files API describes it always has its types."""
    for data in variants(FILE):
        file = read_file(data)

        assert [str] * 4 == [type(text) for text in (file.name, file.uri, file.sha256, file.expires)], data
        assert type(file.bytes) is int and file.bytes >= 0, data


@pytest.mark.parametrize(
    ("details", "seconds"),
    [
        ([{"retryDelay": "34s"}], 34.0),
        ([{"retryDelay": "1.5s"}], 1.5),
        ([{"retryDelay": None}, {"retryDelay": "2s"}], 2.0),
        ([None, 3, "x", {"retryDelay": 5}], None),
        ([{"retryDelay": "nans"}, {"retryDelay": "-3s"}, {"retryDelay": "s"}], None),
        ([{"retryDelay": "infs"}], 3600.0),
        ({"retryDelay": "3s"}, None),
        (None, None),
    ],
)
def test_the_pause_an_error_asks_for(details, seconds):
    """Only a delay in seconds counts, and an hour at most."""
    assert seconds == GeminiError("asking", 429, "slow down", details).retry_after_s


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("12", 12),
        (12, 12),
        (12.0, 12),
        ("1e3", 1000),
        (None, 0),
        (True, 0),
        (-1, 0),
        ("x", 0),
        (float("nan"), 0),
        ([], 0),
    ],
)
def test_counts(value, count):
    """Numbers and their texts count; nothing else does."""
    assert count == as_count(value)


def test_texts_and_objects():
    """What has another type is taken for absent."""
    assert ("a", "3", "", "") == (as_text("a"), as_text(3), as_text(None), as_text({}))
    assert ({"a": 1}, {}, {}) == (as_map({"a": 1}), as_map([]), as_map(None))
    assert ([{"a": 1}], [], []) == (as_maps([None, {"a": 1}, "x"]), as_maps({}), as_maps(None))
