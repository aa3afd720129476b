"""Fault plans: read strictly, hit exactly what they name, and draw the same from the same seed."""

from __future__ import annotations

from typing import Any

import pytest

from chargen.emulator import fault_plan, faults
from chargen.emulator.campaign import LIES, Campaign
from chargen.emulator.refusals import REFUSALS


@pytest.mark.parametrize(
    ("data", "word"),
    [
        ([], "JSON object"),
        ({"cals": []}, "cals"),
        ({"calls": [{"call": "create", "do": "explode"}]}, "explode"),
        ({"calls": [{"call": "create"}]}, "do"),
        ({"calls": [{"call": "create", "do": "cut_at"}]}, "cut_at"),
        ({"lines": [{"give": "IMAGE_UGLY"}]}, "IMAGE_UGLY"),
        ({"job": {"polls": "two"}}, "polls"),
        ({"job": {"end": "LOST"}}, "LOST"),
        ({"job": {"done_share": 1.5}}, "done_share"),
        ({"calls": {"call": "create"}}, "list"),
        ({"calls": [{"call": "get", "do": "body"}]}, "body"),
        ({"calls": [{"call": "get", "do": "body", "body": "half_lines"}]}, "half_lines"),
        ({"calls": [{"call": "download", "do": "body", "body": "odd_members"}]}, "odd_members"),
        ({"calls": [{"call": "get", "do": "hang", "body": "page"}]}, "a body is for"),
        ({"calls": [{"call": "download", "do": "body", "body": "gzip", "crc32c": "half"}]}, "crc32c"),
        ({"calls": [{"call": "get", "do": "deny"}]}, "denial"),
        ({"calls": [{"call": "get", "do": "redirect"}]}, "redirect: status"),
        ({"job": {"vanish_from": ["delete"]}}, "vanish_from"),
        ({"job": {"vanish_when": "later"}}, "vanish_when"),
        ({"campaign": {"lies": {"rumours": 0.5}}}, "rumours"),
        ({"campaign": {"lies": {"vanish": 2}}}, "from 0 to 1"),
    ],
)
def test_bad_plans_say_what_is_wrong(data: Any, word: str) -> None:
    """A plan that cannot be followed is refused, and the message names the culprit."""
    with pytest.raises(fault_plan.BadPlan, match=word):
        fault_plan.read(data)


def test_read_back() -> None:
    """A plan's JSON reads back to an equal plan."""
    plan = fault_plan.read({"calls": [{"call": "get", "do": "status", "nth": 2}], "job": {"seconds": 1}})

    assert plan == fault_plan.read(plan.as_json())


@pytest.mark.parametrize(
    ("how", "expected"),
    [({"nth": [2, 4]}, [2, 4]), ({"first": 2}, [1, 2]), ({"every": 3}, [3]), ({}, [1, 2, 3, 4, 5])],
)
def test_which_calls_are_hit(how: dict[str, Any], expected: list[int]) -> None:
    """nth, first, every or all."""
    fault = faults.CallFault(call="get", do="status", **how)

    assert expected == [number for number in range(1, 6) if fault.hits(number)]


def test_share_depends_on_job_and_key() -> None:
    """About the asked share of lines is hit, the same ones each time, others when the job is sent again."""
    fault = faults.LineFault(give="error", share=0.3, seed=7)
    keys = [f"k{number}" for number in range(1000)]

    hit = {key for key in keys if fault.hits("job", 1, key)}

    assert 200 < len(hit) < 400
    assert hit == {key for key in keys if fault.hits("job", 1, key)}
    assert hit != {key for key in keys if fault.hits("job again", 1, key)}


def test_campaign_is_reproducible() -> None:
    """The same seed draws the same trouble; another one draws other trouble."""

    def drawn(seed: int) -> list[faults.CallFault | None]:
        campaign = Campaign(seed=seed, calls=0.3)
        return [campaign.call_fault(kind, number) for kind in faults.KINDS for number in range(20)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_campaign_draws_everything() -> None:
    """Over its seeds a campaign meets every kind of trouble that a plan can ask for, and leaves most jobs alone."""
    calls, lines, jobs, results = [], [], [], []
    for seed in range(400):
        campaign = Campaign(seed=seed, calls=0.5, lines=0.5, refusals=0.5, jobs=0.4)
        calls += [campaign.call_fault(kind, number) for kind in faults.KINDS for number in range(3)]
        lines += [campaign.line_fault("job", f"key-{number}") for number in range(5)]
        jobs.append(campaign.job_plan("job", faults.JobPlan()))
        results.append(campaign.results("job", faults.ResultPlan()))

    hit = [fault for fault in calls if fault]
    assert set(faults.ACTIONS) - {"hang_after", "body", "deny", "redirect"} == {fault.do for fault in hit}
    assert {429, 500, 503} == {fault.status for fault in hit}
    cuts = {(fault.call, fault.after_bytes < 1000) for fault in hit if fault.do == "cut_at"}
    assert {(call, early) for call in ("upload_chunk", "download") for early in (True, False)} == cuts
    assert {*faults.LINE_ERRORS, *faults.BROKEN_LINES, *REFUSALS} == {fault.give for fault in lines if fault}
    assert {1, 2, 3, 4, 8, 13, 14} == {fault.code for fault in lines if fault}
    troubled = [plan for plan in jobs if plan != faults.JobPlan()]
    assert 100 < len(troubled) < 220
    assert set(faults.ENDS) == {plan.end for plan in troubled}
    assert any(plan.done_share < 1 for plan in troubled)
    assert any(plan.polls > 1000 for plan in troubled)
    assert {0, 1, 2, 3} == {plan.late_file_polls for plan in troubled}
    assert {"PENDING", "RUNNING", "SUCCEEDED"} < {state for plan in troubled for state in plan.strays}
    assert any(plan.shuffle for plan in results)
    assert not all(plan.shuffle for plan in results)


def test_campaign_draws_every_lie() -> None:
    """Each kind of lie draws all that it can be, and none is drawn that was not asked for."""
    drawn: list[faults.CallFault] = []
    jobs, results = [], []
    for seed in range(300):
        campaign = Campaign(seed=seed, lies=dict.fromkeys(LIES, 0.2), elsewhere="http://127.0.0.1:9")
        totals = [(kind, number) for number in range(1, 5) for kind in faults.KINDS]
        found = [campaign.lie(kind, number, total) for total, (kind, number) in enumerate(totals)]
        drawn += [fault for fault in found if fault]
        jobs.append(campaign.job_plan("job", faults.JobPlan()))
        results.append(campaign.results("job", faults.ResultPlan()))

    bodies = {(fault.call == "download", fault.body) for fault in drawn if fault.do == "body"}
    assert bodies == {(True, name) for name in faults.DOWNLOAD_BODIES} | {
        (False, name) for name in faults.ANSWER_BODIES
    }
    assert {*faults.HASHES} == {fault.crc32c for fault in drawn if fault.call == "download"}
    assert {*faults.DENIALS} == {fault.denial for fault in drawn if fault.do == "deny"}
    assert {"get", "download"} == {fault.call for fault in drawn if fault.denial == "gone"}
    assert {*faults.REDIRECTS} == {fault.status for fault in drawn if fault.do == "redirect"}
    places = {fault.location for fault in drawn if fault.do == "redirect"}
    assert {"", "/v1beta/elsewhere", "http://127.0.0.1:9"} == places
    assert {"create"} == {fault.call for fault in drawn if fault.do == "status_after"}
    assert {*faults.PLACES} == {place for plan in jobs for place in plan.vanish_from}
    assert {*faults.MOMENTS} == {plan.vanish_when for plan in jobs if plan.vanish_from}
    assert {True, False} == {plan.inlined for plan in results}
    often = Campaign(seed=1, lies={"downloads": 1.0})
    assert [True, True, False] * 2 == [bool(often.lie("download", number, 1, "a job")) for number in range(1, 7)]
    calm = Campaign(seed=1, calls=1.0, jobs=1.0)
    assert [] == [kind for kind in faults.KINDS for number in range(20) if calm.lie(kind, number, number)]
    assert () == calm.job_plan("job", faults.JobPlan()).vanish_from
