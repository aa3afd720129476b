"""Every line, and every missing one, ends in a verdict with its reason and advice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargen.providers.base import Reason, Slice, Verdict
from chargen.providers.gemini.lines import GeminiLine, LineError
from chargen.providers.gemini.outcomes import judge
from chargen.providers.gemini.scanner import ResultFile
from chargen.providers.verdicts import ADVICE, MAX_SAID, PASSING, broken_picture, join

PICTURE = Slice(10, 20, "image/png")


def read(folder: Path, **members: Any) -> GeminiLine:
    path = folder / "responses.jsonl"
    path.write_text(json.dumps({"key": "k", **members}))
    with ResultFile(path) as results:
        (line,) = results
    return line


def reply(finish: str, **candidate: Any) -> dict[str, Any]:
    return {"candidates": [{"finishReason": finish, **candidate}]}


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (reply("NO_IMAGE"), "no-image"),
        (reply("IMAGE_SAFETY", content={"parts": None}), "image-safety"),
        (reply("IMAGE_OTHER", content={}), "image-other"),
        (reply("IMAGE_PROHIBITED_CONTENT", content={"role": "model"}), "prohibited-content"),
        (reply("PROHIBITED_CONTENT"), "prohibited-content"),
        (reply("SAFETY", content={"parts": []}), "safety"),
        (reply("RECITATION"), "recitation"),
        (reply("IMAGE_RECITATION"), "recitation"),
        (reply("MALFORMED_RESPONSE"), "malformed-response"),
        (reply("MISSING_THOUGHT_SIGNATURE"), "malformed-response"),
        (reply("MODEL_ARMOR", finishMessage="Blocked: prompt injection."), "safety"),
        (reply("ESCALATION"), "safety"),
        (reply("CONTINUATION"), "max-tokens"),
        (reply("PUP_LIMITED_DISABLED"), "account-limited"),
        ({"promptFeedback": {"blockReason": "JAILBREAK"}}, "blocked-prompt"),
        (reply("MAX_TOKENS", content={"parts": [{"text": "Once"}]}), "max-tokens"),
        (reply("SOMETHING_NEW"), "other"),
        (reply("STOP", content={"parts": [{"text": "I cannot."}]}), "text-only"),
        (reply("STOP", content={"parts": [{"text": "Hm.", "thought": True}]}), "empty-reply"),
        (reply("STOP"), "empty-reply"),
        ({}, "empty-reply"),
        ({"candidates": []}, "empty-reply"),
        ({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}}, "blocked-prompt"),
        (
            reply("IMAGE_SAFETY", content={"parts": [{"inlineData": {"data": "AAAA"}, "thought": True}]}),
            "image-safety",
        ),
    ],
)
def test_refusals_are_failures_that_do_not_pass(response: dict[str, Any], reason: str, tmp_path: Path) -> None:
    """A reply without a picture fails for good, whatever its shape, with the reason that it gives."""
    verdict = judge(read(tmp_path, response=response))

    assert ("failed", reason, False) == (verdict.kind, verdict.reason, verdict.passing)
    assert verdict.advice


@pytest.mark.parametrize(
    ("error", "reason", "passing"),
    [
        ({"code": 1}, "cancelled", True),
        ({"code": 4}, "deadline", True),
        ({"code": 8, "message": "You exceeded your quota, check your plan and billing details"}, "quota", True),
        ({"code": 13}, "internal", True),
        ({"code": 14}, "unavailable", True),
        ({"status": "INTERNAL"}, "internal", True),
        ({"code": 503}, "unavailable", True),
        ({"code": 3, "message": "bad part"}, "invalid-argument", False),
        ({"code": 7}, "permission-denied", False),
        ({"code": 5}, "not-found", False),
        ({"code": 16}, "unauthenticated", False),
        ({"code": 8, "message": "Your prepayment credits are depleted."}, "billing", False),
        ({"code": 403, "message": "no permission to access the File x or it may not exist"}, "reference-gone", True),
        ({"code": "SAFETY", "message": "no"}, "safety", False),
        ({"code": "IMAGE_SAFETY"}, "image-safety", False),
        ({"code": 2}, "error", False),
        ({"code": 12345}, "error", False),
        ({}, "error", False),
        ("it broke", "error", False),
    ],
)  # fmt: skip
def test_errors_pass_or_do_not(error: Any, reason: str, passing: bool, tmp_path: Path) -> None:
    """Codes 1, 4, 8, 13 and 14 and expired references are worth another try, nothing else is."""
    verdict = judge(read(tmp_path, error=error))

    assert ("failed", reason, passing) == (verdict.kind, verdict.reason, verdict.passing)


@pytest.mark.parametrize(
    ("line", "reason", "passing"),
    [
        (None, "missing-line", True),
        (GeminiLine(1, "k", problem="the line is cut off"), "unreadable-line", False),
        (GeminiLine(1, "k"), "malformed-response", False),
    ],
)
def test_lines_that_say_nothing(line: GeminiLine | None, reason: str, passing: bool) -> None:
    """Missing lines are asked for again; what may have been paid for is not."""
    verdict = judge(line)

    assert (reason, passing) == (verdict.reason, verdict.passing)


def test_a_picture_counts_whatever_is_said_beside_it() -> None:
    """What was paid for is taken: the last picture that is no thought, even next to an error."""
    thought = Slice(30, 40, "image/png", thought=True)
    line = GeminiLine(1, "k", error=LineError(13, "INTERNAL", ""), has_response=True, finish_reason="IMAGE_SAFETY",
                      pictures=(Slice(0, 5), PICTURE, thought))  # fmt: skip

    assert Verdict("picture", picture=PICTURE) == judge(line)


def test_the_only_picture_counts_though_it_is_marked_as_a_thought() -> None:
    """Without any other picture the last thought is the picture that was paid for; an error's drafts are not."""
    thoughts = (Slice(0, 5, thought=True), Slice(30, 40, "image/png", thought=True))
    line = GeminiLine(1, "k", has_response=True, finish_reason="STOP", text="Here it is", pictures=thoughts)
    broken_off = GeminiLine(1, "k", error=LineError(13, "INTERNAL", ""), has_response=True, pictures=thoughts)

    assert Verdict("picture", picture=thoughts[1]) == judge(line)
    assert "internal" == judge(broken_off).reason


def test_a_text_is_judged_for_analyses() -> None:
    """Where a text is wanted it counts if the reply ended normally; refusals and cuts fail."""
    line = GeminiLine(1, "k", has_response=True, finish_reason="STOP", text='{"mood": "calm"}')
    cut = GeminiLine(1, "k", has_response=True, finish_reason="MAX_TOKENS", text='{"mood"')

    assert Verdict("text", text='{"mood": "calm"}') == judge(line, "text")
    assert "max-tokens" == judge(cut, "text").reason
    assert "empty-reply" == judge(GeminiLine(1, "k", has_response=True, pictures=(PICTURE,)), "text").reason


def test_what_the_api_said_is_kept_and_bounded() -> None:
    """The finish message explains a refusal, the text what the model objects to; neither fills a receipt."""
    refused = GeminiLine(1, "k", has_response=True, finish_reason="IMAGE_OTHER", finish_message="Unable to show.")
    talk = GeminiLine(1, "k", has_response=True, finish_reason="STOP", text="no " * MAX_SAID)

    assert "IMAGE_OTHER: Unable to show." == judge(refused).said
    assert MAX_SAID == len(judge(talk).said)
    assert "INTERNAL (13): oh" == judge(GeminiLine(1, error=LineError(13, "INTERNAL", "oh"))).said
    assert "the PNG is cut" == broken_picture("the PNG is cut").said


def test_each_reason_has_its_advice() -> None:
    """No reason is without words, and none that passes is unknown."""
    assert set(get_args(Reason)) == set(ADVICE)
    assert PASSING < set(ADVICE)


KEYS = st.sampled_from(["a", "b", "c", "d", None])
LINES = st.builds(
    GeminiLine,
    number=st.integers(1, 99),
    key=KEYS,
    problem=st.sampled_from(["", "", "cut off"]),
    has_response=st.booleans(),
    pictures=st.sampled_from([(), (PICTURE,)]),
)


@settings(max_examples=100)
@given(st.lists(LINES, max_size=8), st.lists(st.sampled_from("abcx"), unique=True))
def test_lines_are_joined_by_key_only(lines: list[GeminiLine], expected: list[str]) -> None:
    """Every expected key has a line or is missing, and every other key is reported."""
    joined = join(lines, expected)

    counts = {key: sum(line.key == key for line in lines) for key in expected}
    assert [key for key in expected if not counts[key]] == list(joined.missing)
    assert {key: count for key, count in counts.items() if count > 1} == joined.repeated
    assert {line.key for line in lines} - {None, *expected} == set(joined.unknown)
    assert [line for line in lines if line.key is None] == list(joined.keyless)
    assert {key for key, count in counts.items() if count} == set(joined.lines)
    for key, line in joined.lines.items():
        same = [other for other in lines if other.key == key]
        with_picture = [other for other in same if other.picture and not other.problem]
        assert line == with_picture[-1] if with_picture else line in same


def test_of_repeated_lines_the_best_counts() -> None:
    """A later error does not hide a picture, nor does a later thought; of two pictures the later one counts."""
    first = GeminiLine(1, "k", has_response=True, pictures=(Slice(0, 5),))
    second = GeminiLine(2, "k", has_response=True, pictures=(PICTURE,))
    thought = GeminiLine(3, "k", has_response=True, pictures=(Slice(30, 40, thought=True),))
    failed = GeminiLine(4, "k", error=LineError(13, "INTERNAL", ""))

    assert {"k": second} == join([first, second, thought, failed], ["k"]).lines


SAMPLES = os.environ.get("CHARGEN_SAMPLES")
RECORDED = {
    "documented_gateway_parts_null_IMAGE_SAFETY": "image-safety",
    "real_IMAGE_OTHER_3.1-flash-image": "image-other",
    "real_excerpt_IMAGE_PROHIBITED_CONTENT_role_only_content": "prohibited-content",
    "real_excerpt_IMAGE_SAFETY_3-pro-image": "image-safety",
    "real_excerpt_NO_IMAGE_empty_prompt": "no-image",
    "real_excerpt_NO_IMAGE_safety_2.5_or_3.1-flash": "no-image",
    "real_excerpt_STOP_text_refusal": "text-only",
    "real_vercel_NO_IMAGE_3.1-flash-image-preview": "no-image",
    "real_vercel_promptFeedback_PROHIBITED_CONTENT": "blocked-prompt",
}


@pytest.mark.skipif(not SAMPLES, reason="CHARGEN_SAMPLES does not name a folder of recorded replies")
@pytest.mark.parametrize("name", RECORDED)
def test_recorded_refusals(name: str, tmp_path: Path) -> None:
    """What the real API refused, wrapped as a result line, gets the reason that a person would give it."""
    response = json.loads(Path(str(SAMPLES), "no_image", f"{name}.json").read_text())

    assert RECORDED[name] == judge(read(tmp_path, response=response)).reason


@pytest.mark.skipif(not SAMPLES, reason="CHARGEN_SAMPLES does not name a folder of recorded replies")
def test_recorded_mixed_results() -> None:
    """A file of texts and errors, as it was downloaded, gives a verdict for each key."""
    with ResultFile(Path(str(SAMPLES), "results_jsonl", "live_shaped_mixed.results.jsonl")) as lines:
        found = {line.key: judge(line, "text") for line in lines}

    assert {
        "t-think": ("text", "391", ""),
        "t-plain": ("text", "pineapple", ""),
        "t-invalid": ("failed", "", "invalid-argument"),
        "t-status-only": ("failed", "", "internal"),
        "t-code-only": ("failed", "", "cancelled"),
    } == {key: (verdict.kind, verdict.text, verdict.reason) for key, verdict in found.items()}
