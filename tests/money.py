"""What was paid for, as the emulator knows it, against what lies here: request by request, and delete by delete."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from chargen.providers.gemini.scanner import ResultFile
from chargen.records.journal import WITH_PICTURE
from emulator_fixture import Emulator

TEMPORARY = {1, 4, 8, 13, 14, "CANCELLED", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "INTERNAL", "UNAVAILABLE"}
UNMATCHED = {"missing", "unknown_key", "no_key"}
"""Lines that answer nobody's request: as if they had not come."""

Wish = tuple[str, str]
"""The key's fingerprint, and the target with its variation."""


def executions(emulator: Emulator) -> dict[Wish, list[tuple[str, Mapping[str, Any]]]]:
    """For each wish the jobs that executed it, in the order in which they were created, with what came."""
    found: dict[Wish, list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    for job in sorted(emulator.executed(), key=lambda job: str(job["created"])):
        for line in job["lines"]:
            found[job["owner"], line["key"].partition("@")[0]].append((job["job"], line))
    return found


def is_reason_to_send_again(line: Mapping[str, Any]) -> bool:
    """Whether what came of a request may make chargen send it again without an order."""
    if line["came"] != "error":
        return line["came"] in UNMATCHED
    error = line["error"]
    is_reference_gone = "permission to access the File" in str(error.get("message"))  # it is uploaded again
    return is_reference_gone or error.get("code", error.get("status")) in TEMPORARY


def paid_twice(
    emulator: Emulator, most_attempts: int, states: Sequence[Path] = (), ordered: Iterable[str] = ()
) -> list[str]:
    """Every wish that was executed without need: by anybody after an answer, by the same sender after a refusal or a
    final error, or too often.

    The journals in *states* say who sent a job (``<home>/state/<provider>/<library id>``): each home knows what
    it has sent. A wish among *ordered* may be executed once more after whatever
    came, for each time that it is named there.
    """
    orders = list(ordered)
    senders = {job: state.parents[2] for state in states for _, job, others in _jobs_of(state) if not others}
    wrong = []
    for (_, wish), lines in executions(emulator).items():
        free = orders.count(wish)
        by_sender = defaultdict(list)
        for job, line in lines:
            by_sender[senders.get(job, job)].append(line)
        needless = sum(line["came"] == "answer" for _, line in lines[:-1]) - free
        final = [sum(not is_reason_to_send_again(line) for line in sent[:-1]) - free for sent in by_sender.values()]
        most = max(len(sent) for sent in by_sender.values())
        if needless > 0 or max(final) > 0 or most > most_attempts * (1 + free):
            wrong.append(f"{wish}: " + ", ".join(f"{job} {line['came']}" for job, line in lines))
    return wrong


def hold_no_answer(emulator: Emulator) -> set[str]:
    """The jobs whose results have no line for any of their requests."""
    jobs = emulator.executed()
    return {job["job"] for job in jobs if all(line["came"] in UNMATCHED for line in job["lines"])}


def deleted_too_early(emulator: Emulator, states: Iterable[Path], by_hand: Collection[str] = ()) -> list[str]:
    """Every job that was deleted while what it brought was not all here: answers, and a receipt for each request.

    *states* are the folders of all who might hold it (``state/<provider>/<library id>``); *by_hand* names jobs that a
    person wanted to be deleted.
    """
    batches = [(state / "batches" / batch, job) for state in states for batch, job, *_ in _jobs_of(state)]
    executed = {job["job"]: job for job in emulator.executed()}
    wrong = []
    for call in emulator.log("delete"):
        name = f"batches/{call['target']}"
        if call["status"] != 200 and call.get("fault") not in ("cut_after", "status_after"):
            continue
        if name in by_hand:
            continue
        holders = [_lacks(folder, job, executed.get(name), call["time"]) for folder, job in batches if job == name]
        if not holders:
            wrong.append(f"{name}: nobody here knows it")
        elif all(holders):
            wrong.append(f"{name}: " + "; ".join(holders))
    return wrong


def files_deleted_too_early(emulator: Emulator) -> list[str]:
    """Every uploaded file that was deleted before a job that read it had ended."""
    jobs = emulator.executed()
    return [
        f"files/{call['target']}: {job['job']} read it until {job['ended']}"
        for call in emulator.log("file_delete")
        if call["status"] == 200
        for job in jobs
        if call["target"] in job["files"] and job["created"] <= call["time"] < job["ended"]
    ]


def _jobs_of(state: Path) -> set[tuple[str, str, bool]]:
    """Batch, job, and whether somebody else asked for it, of each job that the journal in *state* knows."""
    journal = state / "journal.jsonl"
    lines = [json.loads(line) for line in journal.read_text().splitlines()] if journal.exists() else []
    made = [line for line in lines if line["event"] == "created"]
    return {(line["batch"], line["job"], line.get("sent_elsewhere", False)) for line in made}


def _lacks(folder: Path, job: str, executed: Mapping[str, Any] | None, deleted: str) -> str:
    """What was not in *folder* when *job* was deleted; empty if it had all."""
    moment = dt.datetime.fromisoformat(deleted[:26] + "+00:00").timestamp()
    for name in ("responses.jsonl", "receipt.json", "ended.json"):
        path = folder / name
        if not path.exists():
            return f"{name} is not there"
        if path.stat().st_mtime > moment:
            return f"{name} was written after the delete"
    if json.loads((folder / "ended.json").read_text())["state"] == "LOST":
        return "it is lost"
    with ResultFile(folder / "responses.jsonl") as results:
        here = {line.key for line in results}
    paid = {line["key"] for line in (executed or {"lines": []})["lines"] if line["came"] not in UNMATCHED}
    if paid - here:
        return f"answers were not there: {sorted(paid - here)}"
    receipt = {task["key"] for task in json.loads((folder / "receipt.json").read_text())["tasks"]}
    known = {task["key"] for task in json.loads((folder / "plan.json").read_text())["tasks"]}
    return f"not in the receipt: {sorted(known - receipt)}" if known - receipt else ""


def lost_pictures(
    emulator: Emulator, states: Iterable[Path], libraries: Iterable[Path], by_hand: Collection[str] = ()
) -> list[str]:
    """Every sound answer that no receipt here has as a picture, and every picture of a receipt that is nowhere on disk.

    A job that is still on the server can be fetched, so its answers are not lost.
    """
    states = list(states)
    receipts = [json.loads(path.read_text()) for state in states for path in state.glob("batches/*/receipt.json")]
    pictures = {
        task["key"]: task["sha256"]
        for receipt in receipts
        for task in receipt["tasks"]
        if task["outcome"] in WITH_PICTURE
    }
    places = [*(library.glob("*/*/images/**/*") for library in libraries), *(s.glob("unplaced/**/*") for s in states)]
    here = {hashlib.sha256(path.read_bytes()).hexdigest() for place in places for path in place if path.is_file()}
    wrong = []
    for job in emulator.executed():
        if job["deleted"] and job["job"] not in by_hand:
            sound = [line["key"] for line in job["lines"] if line["came"] == "answer"]
            wrong += [f"{key}: {job['job']} brought it, no receipt has it" for key in sound if key not in pictures]
    return wrong + [f"{key}: its picture is nowhere" for key, sha256 in pictures.items() if sha256 not in here]
