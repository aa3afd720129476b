"""The plan of faults that is followed: which call has which trouble now, and how a new job will run."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping
from typing import Any

from chargen.emulator import fault_plan
from chargen.emulator.campaign import Campaign
from chargen.emulator.clock import NANO, Clock
from chargen.emulator.fault_plan import Plan
from chargen.emulator.faults import CallFault, glob
from chargen.emulator.store import Store


class Trouble:
    """The plan and its counters. They survive a restart of the server."""

    def __init__(self, store: Store, clock: Clock, initial: Plan) -> None:
        self._store = store
        self._clock = clock
        self.initial = initial
        kept: Mapping[str, Any] = store.all("meta")
        self.plan = fault_plan.read(kept["plan"]) if "plan" in kept else initial
        self._plan_ns = int(kept.get("plan_ns", clock.now_ns()))
        self._seen: Counter[str] = Counter(kept.get("seen", {}))

    def follow(self, plan: Plan) -> None:
        """Follow *plan* from now on; its counters start at zero."""
        self.plan = plan
        self._plan_ns = self._clock.now_ns()
        self._seen.clear()
        self._store.put("meta", "plan", plan.as_json())
        self._store.put("meta", "plan_ns", self._plan_ns)
        self._store.put("meta", "seen", {})

    def call_fault(self, kind: str, display_name: str) -> CallFault | None:
        """The trouble that the present call of *kind* is to have; counts the call."""
        found = None
        for number, fault in enumerate(self.plan.calls):
            if fault.call not in (kind, "*") or not glob(display_name, fault.display_name):
                continue
            self._seen[f"call-{number}"] += 1
            over = fault.for_s and self._clock.now_ns() >= self._plan_ns + fault.for_s * NANO
            if found is None and not over and fault.hits(self._seen[f"call-{number}"]):
                found = fault
        campaign = self.plan.campaign
        if campaign.calls or campaign.lies:
            self._seen[f"kind-{kind}"] += 1
            self._seen["all"] += 1
            found = found or self._lie(campaign, kind, display_name)
            found = found or campaign.call_fault(kind, self._seen[f"kind-{kind}"])
        if self.plan.calls or campaign.calls or campaign.lies:
            self._store.put("meta", "seen", dict(self._seen))
        return found

    def _lie(self, campaign: Campaign, kind: str, display_name: str) -> CallFault | None:
        if kind != "download":
            return campaign.lie(kind, self._seen[f"kind-{kind}"], self._seen["all"])
        self._seen[f"download-{display_name}"] += 1
        return campaign.lie(kind, self._seen[f"download-{display_name}"], self._seen["all"], display_name)

    def job_plan(self, display_name: str, keys: list[str], over_quota: bool) -> Plan:
        """The plan for a new job with these keys; *over_quota*: it fails for its tokens."""
        lines = []
        for number, fault in enumerate(self.plan.lines):
            if fault.jobs:
                hit = any(fault.hits(display_name, at, key) for at, key in enumerate(keys, 1))
                if not hit or self._seen[f"line-{number}"] >= fault.jobs:
                    continue
                self._seen[f"line-{number}"] += 1
                self._store.put("meta", "seen", dict(self._seen))
            lines.append(fault)
        campaign = self.plan.campaign
        job = campaign.job_plan(display_name, self.plan.job)
        results = campaign.results(display_name, self.plan.results)
        if over_quota:
            message = "Enqueued token quota exceeded for this model."
            job = dataclasses.replace(job, end="FAILED", code=8, message=message, seconds=0.0, polls=0)
        return dataclasses.replace(self.plan, calls=(), lines=tuple(lines), job=job, results=results)
