"""Batch jobs: what is kept of them, how far they are, and the operation that the API shows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from chargen.emulator import fault_plan, faults
from chargen.emulator.clock import LIFETIME_NS, NANO, rfc3339

_TYPES = "type.googleapis.com/google.ai.generativelanguage.v1main."
GENERATE, EMBED = "GenerateContentBatch", "EmbedContentBatch"
PENDING, RUNNING = "PENDING", "RUNNING"
FINAL = frozenset(faults.ENDS)


@dataclass
class Job:
    """One batch. ``state`` is stored once final; before that it follows from clock and looks.

    ``input_sha`` names the request lines, ``refs`` the contents (by file id) that they could read when the
    job ended, ``done_lines`` how many were through when it was cancelled (-1: all), ``strayed`` how many looks
    were shown a stray state, ``vanished`` where it is not found and for how long, ``extras`` the members of the
    batch that the server only keeps and shows.
    """

    id: str
    owner: str
    model: str
    display_name: str
    input_file: str
    input_sha: str
    count: int
    tokens: int
    created_ns: int
    plan_json: Mapping[str, Any]
    inline: bool = False
    priority: str = ""
    kind: str = GENERATE
    extras: Mapping[str, Any] = field(default_factory=dict)
    looks: int = 0
    late_looks: int = 0
    strayed: int = 0
    state: str = ""
    ended_ns: int = 0
    done_lines: int = -1
    succeeded: int = 0
    failed: int = 0
    error: Mapping[str, Any] | None = None
    refs: Mapping[str, str] = field(default_factory=dict)
    vanished: dict[str, Any] = field(default_factory=dict)

    @property
    def contents(self) -> set[str]:
        """The hashes of what it needs: its request lines, and the files that they could read."""
        return {self.input_sha, *self.refs.values()}

    @cached_property
    def plan(self) -> fault_plan.Plan:
        """The fault plan in force when the job was created."""
        return fault_plan.read(self.plan_json)

    def as_json(self) -> dict[str, Any]:
        """For the store."""
        return dataclasses.asdict(self)

    def progress(self, now_ns: int) -> float:
        """From 0 to 1: the slower of time and looks."""
        plan = self.plan.job
        parts = [1.0]
        if plan.seconds > 0:
            parts.append((now_ns - self.created_ns) / (plan.seconds * NANO))
        if plan.polls > 0:
            parts.append(self.looks / plan.polls)
        return max(0.0, min(parts))

    def phase(self, now_ns: int) -> str:
        """PENDING, RUNNING, or the final state."""
        if self.state:
            return self.state
        return PENDING if self.progress(now_ns) < self.plan.job.pending_share else RUNNING

    def due(self, now_ns: int) -> bool:
        """Whether the job has come to its end without anybody having noticed."""
        return not self.state and (self.progress(now_ns) >= 1 or self.overdue(now_ns))

    def overdue(self, now_ns: int) -> bool:
        """Whether it is past the 48 hours after which a batch that has not ended expires."""
        plan = self.plan.job
        if self.state or now_ns < self.created_ns + LIFETIME_NS:
            return False
        return plan.polls > 0 or plan.seconds * NANO > LIFETIME_NS

    def end_ns(self, now_ns: int) -> int:
        """The moment at which a due job ended: by the clock if only time counts, else now."""
        plan = self.plan.job
        if self.overdue(now_ns):
            return self.created_ns + LIFETIME_NS
        return now_ns if plan.polls > 0 else self.created_ns + int(plan.seconds * NANO)

    def end(self, state: str, at_ns: int, error: Mapping[str, Any] | None = None) -> None:
        """Make *state* final."""
        self.state, self.ended_ns, self.error = state, at_ns, error

    @property
    def answers_inlined(self) -> bool:
        """Whether the answers come in the operation itself instead of a file."""
        return self.inline or self.plan.results.inlined

    def vanish(self, places: Sequence[str], calls: int, seconds: float, now_ns: int) -> None:
        """Be found no longer at *places*: for so many *calls* at each and so many *seconds*; 0 sets no limit."""
        until_ns = now_ns + int(seconds * NANO) if seconds else 0
        self.vanished = {"left": dict.fromkeys(places, calls or -1), "until_ns": until_ns} if places else {}

    def vanish_as_planned(self, moment: str, now_ns: int) -> None:
        """Vanish if the plan says so for this *moment* (``created`` or ``ended``)."""
        plan = self.plan.job
        if plan.vanish_from and plan.vanish_when == moment:
            self.vanish(plan.vanish_from, plan.vanish_calls, plan.vanish_seconds, now_ns)

    def hides(self, place: str, now_ns: int) -> bool:
        """Whether it is not found at *place* (``get``, ``list`` or ``download``) now; uses up one of the calls."""
        left = self.vanished.get("left", {}).get(place, 0)
        until_ns = self.vanished.get("until_ns", 0)
        if not left or (until_ns and now_ns >= until_ns):
            return False
        self.vanished["left"][place] = left - 1 if left > 0 else left
        return True

    @property
    def shows_output(self) -> bool:
        """Whether the result's place is already in the answer."""
        return self.state == "SUCCEEDED" and self.late_looks >= self.plan.job.late_file_polls

    def operation(self, now_ns: int, inlined: list[Any] | None = None) -> dict[str, Any]:
        """The long-running operation as the API shows it; *inlined* are the answers of an inline job."""
        phase = self.phase(now_ns)
        name = f"batches/{self.id}"
        metadata: dict[str, Any] = {
            "@type": _TYPES + self.kind,
            "model": f"models/{self.model}",
            "displayName": self.display_name,
        }
        if not self.inline:
            metadata["inputConfig"] = {"fileName": self.input_file}
        output: dict[str, Any] = {}
        if self.shows_output:
            if self.answers_inlined:
                member = "inlinedResponses" if self.kind == GENERATE else "inlinedEmbedContentResponses"
                output = {member: {"inlinedResponses": inlined or []}}
            else:
                output = {"responsesFile": f"files/batch-{self.id}"}
            metadata["output"] = output
        metadata["createTime"] = rfc3339(self.created_ns)
        updated = now_ns if phase == RUNNING and self.plan.api.progress else self.created_ns
        if self.state:
            metadata["endTime"] = rfc3339(self.ended_ns)
            updated = self.ended_ns - 27
        metadata["updateTime"] = rfc3339(updated)
        metadata["batchStats"] = self._stats(now_ns)
        metadata["state"] = f"BATCH_STATE_{phase}"
        metadata |= self.extras
        if self.priority:
            metadata["priority"] = self.priority
        metadata["name"] = name
        operation: dict[str, Any] = {"name": name, "metadata": metadata}
        if self.state:
            operation["done"] = True
            if self.error:
                operation["error"] = dict(self.error)
            elif output:
                operation["response"] = {"@type": f"{_TYPES}{self.kind}Output", **output}
        return operation

    def _stats(self, now_ns: int) -> dict[str, str]:
        if self.state == "SUCCEEDED":
            succeeded, failed, pending = self.succeeded, self.failed, 0
        elif self.state:
            succeeded, failed, pending = 0, 0, self.count
        else:
            through = self.phase(now_ns) == RUNNING and self.plan.api.progress
            succeeded = int(self.count * min(self.progress(now_ns), 1)) if through else 0
            failed, pending = 0, self.count - succeeded
        counts = {
            "requestCount": self.count,
            "successfulRequestCount": succeeded,
            "failedRequestCount": failed,
            "pendingRequestCount": pending,
        }
        return {name: str(number) for name, number in counts.items() if number}


def astray(operation: Mapping[str, Any], state: str) -> dict[str, Any]:
    """*operation* as a look that contradicts the others shows it: in *state*, not done, without results."""
    metadata = {name: item for name, item in operation["metadata"].items() if name not in ("output", "endTime")}
    return {"name": operation["name"], "metadata": metadata | {"state": f"BATCH_STATE_{state}"}}
