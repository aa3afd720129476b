"""The second judge: recordings of the real API, held against the same expectations."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from conformance import samples
from conformance.document import Behaviour, Collection, Expected, Recording, Step
from conformance.outcome import Difference, Outcome, Tally
from conformance.patterns import ABSENT, Matcher, Mismatch
from conformance.samples import BadSample, Recorded


def judge(collection: Collection, behaviours: Iterable[Behaviour], folder: Path) -> Tally:
    """Hold every recording that the behaviours name against what they expect."""
    matcher = Matcher(collection.shapes, lenient=True)
    tally = Tally("recording")
    for behaviour in behaviours:
        if "recording" not in behaviour.judges:
            continue
        found = [
            difference
            for number, step in enumerate(behaviour.steps, 1)
            for recording in step.recordings
            for difference in _compare(matcher, number, step, recording, folder)
        ]
        tally.outcomes.append(Outcome(behaviour, "recording", "differs" if found else "agrees", tuple(found)))
    unused = sorted(set(samples.files(folder)) - samples.named(_all_samples(collection)))
    if unused:
        tally.notes.append(f"samples that no behaviour names: {', '.join(unused)}")
    return tally


def _all_samples(collection: Collection) -> Iterable[str]:
    return (r.sample for item in collection.behaviours for step in item.steps for r in step.recordings)


def _compare(matcher: Matcher, number: int, step: Step, recording: Recording, folder: Path) -> list[Difference]:
    try:
        found = samples.find(folder, recording.sample, request=recording.request)
    except BadSample as error:
        return [Difference(number, recording.sample, "the recording", "a readable recording", str(error))]
    differences = []
    for recorded in found:
        for mismatch in _mismatches(matcher, step, recording, recorded):
            if not (mismatch.got == "nothing" and mismatch.where in recording.cut):
                differences.append(Difference(number, recorded.where, mismatch.where, mismatch.expected, mismatch.got))
    return differences


def _mismatches(matcher: Matcher, step: Step, recording: Recording, recorded: Recorded) -> list[Mismatch]:
    if recording.pattern is not None:
        return matcher.match(recording.pattern, recorded.value)
    if recording.request:
        values = recorded.value if isinstance(recorded.value, list) else [recorded.value]
        return [mismatch for value in values for mismatch in matcher.match(step.sends, value)]
    return compare(matcher, step.expected, recorded)


def compare(matcher: Matcher, expected: Expected, recorded: Recorded) -> list[Mismatch]:
    """How a recorded answer differs from what is expected; what was not published is not compared."""
    found: list[Mismatch] = []
    if recorded.status is not None and expected.status is not None:
        found += matcher.match(expected.status, recorded.status, "status")
    if recorded.headers is not None:
        for name, pattern in expected.headers.items():
            found += matcher.match(pattern, recorded.headers.get(name.lower(), ABSENT), f"header {name.lower()}")
    if expected.body == "empty":
        found += matcher.match("", recorded.text, "body") if recorded.status is not None else []
    elif expected.body == "text":
        found += matcher.match(expected.pattern, recorded.text, "body")
    elif expected.body in ("json", "lines") and recorded.value is not ABSENT:
        found += matcher.match(expected.pattern, recorded.value)
    elif expected.body == "json":
        found.append(Mismatch("body", "JSON", recorded.text[:200]))
    return found
