"""Trouble of every kind that an answer can bring: each task ends in an outcome, and the rest is applied."""

from __future__ import annotations

import json

import pytest

from chargen.base import schemas as schema

pytestmark = pytest.mark.workflow

EXPECTED = {
    "NO_IMAGE": ("failed", "no-image"),
    "NO_IMAGE_no_content": ("failed", "no-image"),
    "IMAGE_SAFETY": ("failed", "image-safety"),
    "IMAGE_SAFETY_parts_null": ("failed", "image-safety"),
    "IMAGE_OTHER": ("failed", "image-other"),
    "IMAGE_PROHIBITED_CONTENT": ("failed", "prohibited-content"),
    "IMAGE_RECITATION": ("failed", "recitation"),
    "PROHIBITED_CONTENT": ("failed", "prohibited-content"),
    "SAFETY": ("failed", "safety"),
    "RECITATION": ("failed", "recitation"),
    "MALFORMED_RESPONSE": ("failed", "malformed-response"),
    "MODEL_ARMOR": ("failed", "safety"),
    "ESCALATION": ("failed", "safety"),
    "MISSING_THOUGHT_SIGNATURE": ("failed", "malformed-response"),
    "CONTINUATION": ("failed", "max-tokens"),
    "PUP_LIMITED_DISABLED": ("failed", "account-limited"),
    "STOP_text": ("failed", "text-only"),
    "STOP_empty": ("failed", "empty-reply"),
    "BLOCKED": ("failed", "blocked-prompt"),
    "BLOCKED_IMAGE_SAFETY": ("failed", "blocked-prompt"),
    "JAILBREAK": ("failed", "blocked-prompt"),
    "EMPTY": ("failed", "empty-reply"),
    "truncated_image": ("failed", "broken-picture"),
    "not_an_image": ("failed", "broken-picture"),
    "not_base64": ("failed", "broken-picture"),
    "missing": ("failed", "missing-line"),
    "repeated": ("applied", ""),
    "unknown_key": ("failed", "missing-line"),
    "two_images": ("applied", ""),
    "two_images_thought": ("applied", ""),
}


def test_every_answer_has_its_outcome(project):
    """Every refusal shape, missing, repeated and unknown keys, broken pictures, drafts: outcome, reason and advice."""
    project.config["retry"] = {"max_attempts": 1}
    scenes = "".join(f"  - {{id: s-{give.lower().replace('_', '-')}, prompt: A lamp.}}\n" for give in EXPECTED)
    project.entity("locations/lamp-house", f"name: Lamp House\nscenes:\n{scenes}")
    project.emulator.faults(
        lines=[{"give": give, "key": f"*/s-{give.lower().replace('_', '-')}@*"} for give in EXPECTED]
    )
    done = project.run(check=False)
    report = project.report()
    again = project.run()
    receipt_path = project.folder / "results" / "generate" / report["batches"][0]["id"] / "receipt.json"
    receipt = json.loads(receipt_path.read_text())
    failures = [json.loads(line) for line in (project.folder / "results/failures.jsonl").read_text().splitlines()]

    outcomes = {task["target"].rsplit("/", 1)[1]: (task["outcome"], task["reason"]) for task in receipt["tasks"]}
    for give, expected in EXPECTED.items():
        outcome, reason = outcomes[f"s-{give.lower().replace('_', '-')}"]
        assert expected == ("failed" if outcome == "passing" else outcome, reason), give
    assert done.returncode != 0
    assert "Failed" in done.stdout
    failed = sum(outcome == "failed" for outcome, _ in EXPECTED.values())
    assert failed == report["totals"]["failed"] == len(failures)
    assert all(line["reason"] and line["advice"] for line in failures)
    assert len(EXPECTED) + 6 - failed == report["totals"]["applied"] == len(project.pictures())
    assert [] == schema.errors("receipt", receipt)
    assert [] == schema.errors("report", report)
    assert [] == [error for line in failures for error in schema.errors("failure", line)]
    plan = json.loads((receipt_path.parent / "plan.json").read_text())
    assert [] == schema.errors("plan", plan)
    assert [] == [error for line in project.journal() for error in schema.errors("journal", line)]
    assert "Nothing to be done" in again.stdout
    assert 1 == project.emulator.count("create")


def test_what_fails_in_passing_goes_out_again_in_the_same_run(project):
    """Codes 13 and 14 and a missing line: two more batches, then every picture is in place."""
    project.emulator.faults(
        lines=[
            {"give": "error", "code": 13, "key": "*/first-lamp@*", "jobs": 2},
            {"give": "missing", "key": "*/last-lamp@*", "jobs": 1},
        ]
    )
    project.run()

    assert 6 == len(project.pictures())
    assert [6, 2, 1] == [len(line["wishes"]) for line in project.journal("intent")]
    assert [1, 2, 3] == [max(line["wishes"].values()) for line in project.journal("intent")]
    project.assert_nothing_twice()


@pytest.mark.soak
@pytest.mark.parametrize("end", [{"end": "EXPIRED"}, {"end": "FAILED", "code": 13}])
def test_a_job_that_ends_badly_goes_out_again_in_smaller_batches(project, end):
    """FAILED temporarily and EXPIRED: the tasks go out again in two halves, and once more if need be."""
    project.config["retry"] = {"max_attempts": 2}
    project.emulator.faults(job={"polls": 1, **end})
    done = project.run(check=False)

    assert done.returncode != 0
    assert [6, 3, 3] == sorted((len(line["wishes"]) for line in project.journal("intent")), reverse=True)
    assert {"wanted": 6, "failed": 6} == {key: project.report()["totals"][key] for key in ("wanted", "failed")}


def test_the_key_is_nowhere(project):
    """Under gemini, also through failing calls, the key is in no file and no output."""
    key = "AIzaMARKED-KEY-0123456789"
    project.config |= {"provider": "gemini", "budget_usd": 5}
    project.emulator.faults(calls=[{"call": "create", "nth": [1], "do": "status", "status": 400}])
    outputs = [project.run(check=False, env={"GEMINI_API_KEY": key}).stdout]
    outputs.append(project.run(check=False, env={"GEMINI_API_KEY": key}).stdout)

    assert "refused batch" in outputs[0]
    left = [p for p in project.folder.rglob("*") if p.is_file() and key.encode() in p.read_bytes()]
    assert [] == left
    assert not any(key in output for output in outputs)
    assert 6 == len(project.pictures())


def test_no_key_is_said_in_words(project):
    """Without a key planning works, and submission says what to do."""
    project.config |= {"provider": "gemini"}
    (project.folder / ".env").write_text("# no key here; the file beside the Snakefile is not looked at then\n")
    keyless = dict.fromkeys(("GEMINI_API_KEY", "GOOGLE_API_KEY", "MYTHICINDEX_GOOGLE_API_KEY"), "")
    planned = project.run(options=("-n",), env=keyless).stdout
    failed = project.run(check=False, env=keyless)

    assert "6 images for 2 characters" in planned
    assert failed.returncode != 0
    assert "no API key: put GEMINI_API_KEY=" in failed.stdout
    assert "Traceback" not in failed.stdout


def test_broken_entity_is_left_out_and_said(project):
    """A YAML error names file, line and column; the others go on; the exit status is not zero."""
    project.entity("characters/broken-one", "name: Broken\nscenes:\n  - id: a\n    prompt: 'x', 'y'\n")
    done = project.run(check=False)
    again = project.run(check=False)

    assert done.returncode != 0
    assert "characters/broken-one/imagery.yaml:4:" in done.stdout
    assert "entity skipped" in done.stdout
    assert 6 == len(project.pictures())
    assert again.returncode == 0
    assert "characters/broken-one/imagery.yaml:4:" in again.stdout


def test_only_lines_are_added(project):
    """LF, CRLF and no final newline: the author's bytes stand, and records are added in one place."""
    text = "# kept\nname: Lamp\nscenes:\n  - {id: one, prompt: A lamp.}  # kept too"
    before = {}
    for name, written in {"lf": text + "\n", "crlf": (text + "\n").replace("\n", "\r\n"), "bare": text}.items():
        path = project.entity(f"locations/{name}", "")
        path.write_bytes(written.encode())
        before[path] = written.encode()
    project.run(config={"scope": "locations"})

    for path, old in before.items():
        new = path.read_bytes()
        added = new[len(old) :]
        assert new.startswith(old)
        assert 1 == added.count(b"- scene:")
        assert (b"\r\n" in old) == (b"\r\n" in added)
        assert added.count(b"\r\n") in (0, added.count(b"\n"))
