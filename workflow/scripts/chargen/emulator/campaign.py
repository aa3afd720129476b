"""Random trouble: a campaign draws calls, lines and jobs that misbehave from a seed, the same ones each time."""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chargen.emulator.faults import (
    ANSWER_BODIES,
    BROKEN_LINES,
    DENIALS,
    DOWNLOAD_BODIES,
    HASHES,
    KINDS,
    LINE_ERRORS,
    MOMENTS,
    PLACES,
    REDIRECTS,
    CallFault,
    JobPlan,
    LineFault,
    ResultPlan,
)
from chargen.emulator.refusals import REFUSALS

_STRAYS = ("PENDING", "RUNNING", "SUCCEEDED", "QUEUED", "CANCELLING", "UNSPECIFIED")
_CODES = (1, 4, 8, 13, 14, 1, 4, 8, 13, 14, 3, 2)  # mostly what passes
LIES = ["downloads", "bodies", "names", "denials", "redirects", "took_effect", "vanish", "inlined"]
_NAME_BODIES = ["no_display_names", "control_characters"]
_DENIED_IN_A_ROW = 6
_JOB_TROUBLES = ("", "FAILED", "EXPIRED", "CANCELLED", "partial", "stuck")


@dataclass(frozen=True, slots=True)
class Campaign:
    """Random trouble drawn from ``seed``: a share of calls, of lines (most of which would pass if they were
    sent again), of refusals, and of jobs.

    ``lies`` adds kinds of LIES, each with its own share: ``downloads`` and ``bodies`` (of downloads, and of all other
    calls, with a wrong body; every third download of a job is right), ``names`` (of lists without display names, or
    with spoiled ones), ``denials`` (of the stretches of six calls, turned down), ``redirects`` (of calls; some lead to
    the server at ``elsewhere``, if one is named), ``took_effect`` (of creates that answer 429 and made the job),
    ``vanish`` (of jobs that are not found for a while), ``inlined`` (of jobs that have no result file).
    """

    seed: int = 0
    calls: float = 0.0
    lines: float = 0.0
    refusals: float = 0.0
    jobs: float = 0.0
    kinds: Sequence[str] = tuple(KINDS)
    lies: Mapping[str, float] = field(default_factory=dict)
    elsewhere: str = ""

    def lie(self, kind: str, number: int, total: int, display_name: str = "") -> CallFault | None:
        """The lie for the *number*-th call of *kind* (of downloads: for the job *display_name*), the *total*-th of
        all, if the dice say so.
        """
        if not self.lies:
            return None
        stretch = random.Random(f"{self.seed}|denial|{total // _DENIED_IN_A_ROW}")
        if stretch.random() < self.lies.get("denials", 0):
            denial = stretch.choice(DENIALS)
            if denial != "gone" or kind in stretch.choice((("get",), ("download",), ("get", "download"))):
                return CallFault(call=kind, do="deny", denial=denial)
        dice = random.Random(f"{self.seed}|lie|{kind}|{display_name}|{number}")
        if kind == "create" and dice.random() < self.lies.get("took_effect", 0):
            return CallFault(call=kind, do="status_after", status=429, retry_delay_s=0.2)
        if dice.random() < self.lies.get("redirects", 0):
            location = dice.choice(("", "/v1beta/elsewhere", *filter(None, (self.elsewhere,))))
            return CallFault(call=kind, do="redirect", status=dice.choice(REDIRECTS), location=location)
        if kind == "download" and number % 3 and dice.random() < self.lies.get("downloads", 0):
            return CallFault(call=kind, do="body", body=dice.choice(DOWNLOAD_BODIES), crc32c=dice.choice(HASHES))
        if kind == "list" and dice.random() < self.lies.get("names", 0):
            return CallFault(call=kind, do="body", body=dice.choice(_NAME_BODIES))
        if kind != "download" and dice.random() < self.lies.get("bodies", 0):
            bodies = [body for body in ANSWER_BODIES if kind != "list" or body not in _NAME_BODIES]
            return CallFault(call=kind, do="body", body=dice.choice(bodies))
        return None

    def call_fault(self, kind: str, number: int) -> CallFault | None:
        """The trouble for the *number*-th call of *kind*, if the dice say so."""
        dice = random.Random(f"{self.seed}|call|{kind}|{number}")
        if kind not in self.kinds or dice.random() >= self.calls:
            return None
        actions = ["status", "status_after", "cut_before", "cut_after", "hang"]
        if kind in ("download", "upload_chunk"):
            actions += ["cut_at", "cut_at"]
        status = dice.choice((429, 500, 503))
        return CallFault(
            call=kind,
            do=dice.choice(actions) if status != 429 else "status",
            status=status,
            retry_delay_s=dice.choice((0.2, 0.2, 0.2, None)),
            after_bytes=int(2 ** dice.uniform(0, 18)),  # as likely in a short body as in a long one
            seconds=0.2,
        )

    def line_fault(self, display_name: str, key: str) -> LineFault | None:
        """The trouble for one line, if the dice say so."""
        dice = random.Random(f"{self.seed}|line|{display_name}|{key}")
        draw = dice.random()
        if draw < self.lines:
            give = dice.choice((*LINE_ERRORS, *BROKEN_LINES))
            return LineFault(give=give, code=dice.choice(_CODES))
        if draw < self.lines + self.refusals:
            return LineFault(give=dice.choice(sorted(REFUSALS)))
        return None

    def job_plan(self, display_name: str, plan: JobPlan) -> JobPlan:
        """How the job of that name runs, if the dice do not leave it at *plan*.

        It may end badly, or with a part of its lines, or not at all until it is cancelled; its first looks may
        contradict each other, and its result file may be named late.
        """
        vanish = random.Random(f"{self.seed}|vanish|{display_name}")
        if vanish.random() < self.lies.get("vanish", 0):
            when = vanish.choice(MOMENTS)
            plan = dataclasses.replace(
                plan,
                vanish_from=vanish.choice((("get",), ("list",), ("download",), ("get", "download"), tuple(PLACES))),
                vanish_when=when,
                vanish_calls=vanish.randrange(1, 6),
                vanish_seconds=vanish.choice((0.5, 1.0, 2.0)) if when == "ended" else 0.3,  # a list lags by so much
            )
        dice = random.Random(f"{self.seed}|job|{display_name}")
        if dice.random() >= self.jobs:
            return plan
        trouble = dice.choice(_JOB_TROUBLES)
        plan = dataclasses.replace(
            plan,
            late_file_polls=dice.randrange(4),
            strays=[dice.choice(_STRAYS) for _ in range(dice.randrange(5))],
            code=dice.choice(_CODES),
        )
        if trouble == "partial":
            return dataclasses.replace(plan, done_share=dice.random())
        if trouble == "stuck":
            return dataclasses.replace(plan, polls=dice.choice((40, 400, 1_000_000)))
        return dataclasses.replace(plan, end=trouble) if trouble else plan

    def results(self, display_name: str, plan: ResultPlan) -> ResultPlan:
        """In which order that job's lines come, and whether in a file."""
        inlined = random.Random(f"{self.seed}|inlined|{display_name}")
        if inlined.random() < self.lies.get("inlined", 0):
            plan = dataclasses.replace(plan, inlined=True)
        dice = random.Random(f"{self.seed}|results|{display_name}")
        return dataclasses.replace(plan, shuffle=dice.randrange(1, 1000)) if dice.random() < self.jobs else plan
