"""The file of behaviours: it is valid, its judges agree, its table is written, and an error in it is named."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path

import pytest

from conformance import cli, document, emulator, recordings, samples, table
from conformance.patterns import OPERATORS
from conformance.positions import BadFile

COLLECTION = document.load()


def test_what_it_holds() -> None:
    """At least 150 behaviours in nine groups, from every kind of source, for every judge."""
    assert len(COLLECTION.behaviours) >= 150
    groups = ["batches", "downloads", "errors", "files", "generate", "models", "refusals", "results", "uploads"]
    assert groups == sorted(COLLECTION.groups())
    assert all(count >= 10 for count in COLLECTION.per_kind().values())
    assert all(count >= 50 for count in COLLECTION.per_judge().values())


def test_emulator_agrees() -> None:
    """The emulator does everything that is written down."""
    tally = emulator.judge(COLLECTION, COLLECTION.behaviours)

    assert [] == [f"{o.behaviour.id}: {d}" for o in tally.outcomes for d in o.differences]
    assert COLLECTION.per_judge()["emulator"] == tally.count("agrees")


def _samples() -> Path:
    folder = os.environ.get("CHARGEN_SAMPLES")
    if not folder:
        pytest.skip("CHARGEN_SAMPLES does not name the folder of recorded replies")
    return Path(folder)


def test_recordings_agree() -> None:
    """Every recording that a behaviour names fits what is expected, and no recording is left out."""
    tally = recordings.judge(COLLECTION, COLLECTION.behaviours, _samples())

    assert [] == [f"{o.behaviour.id}: {d}" for o in tally.outcomes for d in o.differences]
    assert [] == tally.notes


def test_a_recording_that_differs_is_reported(tmp_path: Path) -> None:
    """A recording that says something else, or that is not there, is a difference with its place."""
    folder = tmp_path / "samples"
    shutil.copytree(_samples(), folder)
    wrong = folder / "errors" / "403_file_missing_or_expired.json"
    wrong.write_text(wrong.read_text().replace("PERMISSION_DENIED", "NOT_FOUND"))
    (folder / "errors" / "400_candidate_count.json").unlink()
    (folder / "errors" / "418_new.json").write_text('{"error": {"code": 418}}')

    tally = recordings.judge(COLLECTION, COLLECTION.behaviours, folder)

    found = {o.behaviour.id: [d.where for d in o.differences] for o in tally.outcomes if o.differences}
    assert {"files.missing": ["$.error.status"], "generate.several_candidates": ["the recording"]} == found
    assert ["samples that no behaviour names: errors/418_new.json"] == tally.notes


def test_pages_of_samples_are_found_by_place() -> None:
    """An exchange, a line, an item of a list, and a part of each can be named; what is not there is an error."""
    folder = _samples()
    exchange = samples.find(folder, "download/ruby_llm_generated_video_302.json#0")[0]
    lines = samples.find(folder, "results_jsonl/live_shaped_mixed.results.jsonl#*")
    part = samples.find(folder, "operations/real_2026-03-14_pending.json#/metadata/state")[0]

    assert (302, "application/json; charset=UTF-8") == (exchange.status, (exchange.headers or {})["content-type"])
    assert 5 == len(lines)
    assert "BATCH_STATE_PENDING" == part.value
    with pytest.raises(samples.BadSample, match="has 5 items"):
        samples.find(folder, "results_jsonl/live_shaped_mixed.results.jsonl#7")


def test_table_is_up_to_date() -> None:
    """docs/emulator.md holds the table that `python -m conformance --write-table` writes."""
    text = cli.PAGE.read_text(encoding="utf-8")

    assert table.with_table(text, COLLECTION) == text


def test_page_names_everything() -> None:
    """docs/conformance.md names every operator, every option and every key."""
    page = (document.ROOT.parent / "docs" / "conformance.md").read_text(encoding="utf-8")
    options = [option for action in cli.parser()._actions for option in action.option_strings if action.help]
    hidden = {"-h", "--help", "--ledgers"}
    schema = json.loads(document.SCHEMA.read_text(encoding="utf-8"))["$defs"]
    keys = [*schema["behaviour"]["properties"], *schema["step"]["properties"], *schema["expect"]["properties"]]

    assert [] == [name for name in (*OPERATORS, *options, *keys) if name not in page and name not in hidden]


# -- errors in the file --


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the files."""
    copy = tmp_path / "behaviours"
    shutil.copytree(document.FOLDER, copy)
    return copy


EMULATOR_RECORDING_LIVE = "judges: [emulator, recording, live]"
ERRORS = {
    "key": ("    why: The ledger", "    wy: The ledger", "behaviours[0].wy: this key is not known here"),
    "value": ("cost: free", "cost: cheap", "behaviours[0].cost:"),
    "date": ("last_seen_live: never", "last_seen_live: 2026-13-01", "behaviours[0].last_seen_live:"),
    "operator": ("status: 200", "status: {$one_off: [200]}", "expect.status.$one_off: there is no operator"),
    "shape": ("{$shape: file}}\n", "{$shape: fill}}\n", "there is no shape 'fill'"),
    "source": ("[ellmer-upload, doc", "[nobody, doc", "sources[0]: there is no source 'nobody' in common.yaml"),
    "preparation": ("needs: [note]", "needs: [notes]", "needs[0]: there is no preparation 'notes'"),
    "variable": ("GET /v1beta/${note_name}", "GET /v1beta/${name_of}", "steps[0]: ${name_of} is not known here"),
    "id": ("id: files.size_is_text", "id: files.get #", "files.get: already at"),
    "twice": ("  - id: files.get\n", "  - id: files.get\n    id: files.got\n", "id: this key is here twice"),
    "recording": (EMULATOR_RECORDING_LIVE, "judges: [emulator, live]", "judges: recording is not asked, but a step"),
    "not live": (EMULATOR_RECORDING_LIVE, "judges: [emulator, recording]", "judges: live: say why in `not_live`"),
    "regex": ('"^application/json"', '"^application/(json"', "content-type.$regex: not a regular expression"),
    "yaml": ("group: files", "group: [files", "is not YAML"),
    "price": ("cost: {at_most_usd: 0.045}", "cost: free", "behaviours[2].cost: `POST /v1beta/models/${image_model}:"),
    "high price": ("{at_most_usd: 0.045}", "{at_most_usd: 2}", "behaviours[2].cost"),
}


@pytest.mark.parametrize("what", ERRORS)
def test_error_is_named_by_file_line_and_key(folder: Path, what: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A file with an error is refused with its name, the line, the key and what is wrong, without a traceback."""
    old, new, message = ERRORS[what]
    path = folder / ("generate.yaml" if "price" in what else "files.yaml")
    before = path.read_text(encoding="utf-8")
    after = before.replace(old, new, 1)
    path.write_text(after, encoding="utf-8")
    both = zip(before.splitlines(), after.splitlines(), strict=False)
    line = next(number for number, (old_line, new_line) in enumerate(both, 1) if old_line != new_line)

    assert cli.NOT_STARTED == cli.main(["--behaviours", str(folder)], {})
    error = capsys.readouterr().err
    assert message in error
    assert what == "yaml" or re.search(rf"^{path}:{line}: ", error, re.MULTILINE), error


def test_unused_source_is_refused(folder: Path) -> None:
    """A source that no behaviour names any more is an error, so that the list stays true."""
    path = folder / "models.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("doc-models-reference", "doc-errors"), encoding="utf-8")

    with pytest.raises(BadFile, match=r"common.yaml:\d+: sources.doc-models-reference: no behaviour names"):
        document.load(folder)


def test_only_what_fits(capsys: pytest.CaptureFixture[str]) -> None:
    """--list names what --only chooses; a pattern that fits nothing is refused."""
    assert cli.AGREES == cli.main(["--list", "--only", "files.delete*"], {})
    assert 3 == len(capsys.readouterr().out.splitlines())
    assert cli.NOT_STARTED == cli.main(["--only", "nothing.*"], {})
    assert "fits no behaviour" in capsys.readouterr().err
