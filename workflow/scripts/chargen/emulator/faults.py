"""The trouble that was asked for: which calls, lines, jobs and quotas misbehave, and how; read from JSON.

A plan has the sections ``calls``, ``lines``, ``job``, ``quotas``, ``models``, ``results``, ``campaign`` and ``api``.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from chargen.base.errors import ChargenError
from chargen.emulator.refusals import REFUSALS
from chargen.emulator.strictness import CHOICES, USUAL, ApiPlan

KINDS = [
    "upload_start",
    "upload_chunk",
    "upload_query",
    "file_get",
    "file_list",
    "file_delete",
    "create",
    "get",
    "list",
    "cancel",
    "delete",
    "download",
    "download_redirect",
    "generate",
    "count_tokens",
    "model_get",
    "model_list",
    "update",
    "embed",
    "register",
]
DEEDS = [
    "status",
    "status_after",
    "cut_before",
    "cut_after",
    "cut_at",
    "hang",
    "hang_after",
    "body",
    "deny",
    "redirect",
]
ANSWER_BODIES = [
    "page",
    "empty",
    "truncated_json",
    "other_object",
    "json_list",
    "json_text",
    "json_null",
    "null_fields",
    "missing_fields",
    "text_numbers",
    "odd_members",
    "control_characters",
    "no_display_names",
]
DOWNLOAD_BODIES = [
    "page",
    "empty",
    "gzip",
    "gzip_unmarked",
    "half_lines",
    "half_lines_no_length",
    "cut_in_line",
    "foreign_keys",
    "foreign_lines",
    "wrong_hash",
]
HASHES = ["whole", "sent", "none"]
DENIALS = ["firewall", "proxy", "leaked_key", "unauthorized", "gone"]
REDIRECTS = (301, 302, 303, 307, 308)
PLACES = ["get", "list", "download"]
MOMENTS = ["created", "ended"]
ERROR_GIFTS = ["error", "error_status_only", "error_code_only", "error_code_text"]
LINE_GIFTS = [
    "missing",
    "repeated",
    "unknown_key",
    "no_key",
    "truncated_image",
    "not_an_image",
    "not_base64",
    "two_images",
    "two_images_thought",
    "only_thought",
    "control_characters",
]
SOUND_GIFTS = frozenset({"repeated", "two_images", "two_images_thought", "only_thought"})
"""Lines that bring their picture all the same."""
ENDS = ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"]
_STRAYS = ("PENDING", "RUNNING", "SUCCEEDED", "QUEUED", "CANCELLING", "UNSPECIFIED")
_CODES = (1, 4, 8, 13, 14, 1, 4, 8, 13, 14, 3, 2)  # mostly what passes
LIES = ["downloads", "bodies", "names", "denials", "redirects", "took_effect", "vanish", "inlined"]
_NAME_BODIES = ["no_display_names", "control_characters"]
_DENIED_IN_A_ROW = 6
_JOB_TROUBLES = ("", "FAILED", "EXPIRED", "CANCELLED", "partial", "stuck")


class BadPlan(ChargenError):
    """A fault plan that cannot be followed."""


@dataclass(frozen=True, slots=True)
class CallFault:
    """Trouble with calls of one kind. Counted from 1 over the matching calls since the plan was set.

    ``nth``: these ones; ``first``: the first so many; ``every``: each so-manieth; none of the three: all.
    ``do``: ``status`` (answer *status*, no effect), ``status_after`` (take effect, then answer it),
    ``cut_before``, ``cut_after`` (take effect, lose the answer), ``cut_at`` (*after_bytes* of a download or
    an upload's chunk), ``hang`` (*seconds*, then go on), ``hang_after`` (take effect, then wait), ``body`` (take
    effect, then answer with a wrong *body*: ANSWER_BODIES, of a download DOWNLOAD_BODIES), ``deny`` (as *denial*
    does: DENIALS), ``redirect`` (*status* of REDIRECTS, to *location*).
    ``retry_delay_s`` gives a 429 its RetryInfo; without it a 429 has no details. ``display_name`` is a glob
    for creates, uploads and all calls about one job. ``for_s`` ends the fault so many seconds after the plan was set.
    ``body`` also bends the errors of ``status`` and ``status_after``. ``crc32c`` says whose checksum is sent with a
    download's wrong body: that of the whole file, that of what is sent, or none. ``location``: empty for the same
    address once more, which then works; a path of this server; or another server's address, to which the path is added.
    """

    call: str
    do: str
    nth: Sequence[int] = ()
    first: int = 0
    every: int = 0
    display_name: str = "*"
    status: int = 503
    message: str = ""
    retry_delay_s: float | None = None
    after_bytes: int = 0
    seconds: float = 0.0
    for_s: float = 0.0
    body: str = ""
    crc32c: str = "whole"
    denial: str = ""
    location: str = ""

    def hits(self, number: int) -> bool:
        """Whether the *number*-th matching call is hit."""
        if self.nth:
            return number in self.nth
        if self.first:
            return number <= self.first
        return number % self.every == 0 if self.every else True


@dataclass(frozen=True, slots=True)
class LineFault:
    """Trouble with result lines, of all jobs or of the next ``jobs`` ones that hold a matching line.

    Chosen by ``key`` (glob), and ``nth`` (from 1), and ``share`` (0 to 1, drawn from ``seed``, the job's
    display name and the key). ``give``: ``error`` (with ``code`` and ``message``), ``error_code_only``,
    ``error_status_only``, ``error_code_text``, a refusal's name, or a broken line (LINE_GIFTS).
    """

    give: str
    key: str = "*"
    nth: Sequence[int] = ()
    share: float = 1.0
    seed: int = 0
    code: int = 13
    message: str = ""
    jobs: int = 0

    def hits(self, display_name: str, number: int, key: str) -> bool:
        """Whether the *number*-th line of a job, the one of *key*, is hit."""
        if self.nth and number not in self.nth:
            return False
        if not fnmatch.fnmatchcase(key, self.key):
            return False
        return self.share >= 1 or random.Random(f"{self.seed}|{display_name}|{key}").random() < self.share


@dataclass(frozen=True, slots=True)
class JobPlan:
    """How jobs run: done after ``seconds`` and after ``polls`` looks at them (get or list), both.

    ``pending_share`` of that is spent PENDING. ``end`` is the final state, with ``code`` and ``message`` for
    FAILED; of a SUCCEEDED job only ``done_share`` of the lines were through, as if it had been cancelled then.
    ``late_file_polls`` looks show SUCCEEDED without the result file's name; before all that the first looks are
    shown the states ``strays``, whatever is true.

    A job can vanish for a while and come back: ``vanish_from`` names where it is not found (``get``, ``list``,
    ``download``), from the moment ``vanish_when`` on (``created`` or ``ended``), for ``vanish_calls`` calls at each of
    these places and for ``vanish_seconds``, whatever ends first; with neither it does not come back.
    """

    seconds: float = 2.0
    polls: int = 0
    pending_share: float = 0.25
    end: str = "SUCCEEDED"
    code: int = 13
    message: str = "internal error"
    late_file_polls: int = 0
    done_share: float = 1.0
    strays: Sequence[str] = ()
    vanish_from: Sequence[str] = ()
    vanish_when: str = "created"
    vanish_calls: int = 0
    vanish_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits per key; 0 means none. ``refuse``: over ``enqueued_tokens`` a create answers 429, or the job
    FAILs.
    """

    concurrent_jobs: int = 100
    enqueued_tokens: int = 0
    storage_bytes: int = 20_000_000_000
    refuse: str = "create"
    retry_delay_s: float | None = 30.0


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """Models that misbehave: answered by another (``reroute``), sizes ignored, signatures of so many
    bytes.
    """

    reroute: Mapping[str, str] = field(default_factory=dict)
    ignore_image_size: bool = False
    signature_bytes: int = 0
    ignore_schema: str = ""


@dataclass(frozen=True, slots=True)
class ResultPlan:
    """The result file as a whole: lines ``shuffle``d by a seed (0: in order), last line short of so many
    bytes; or no file at all, the answers ``inlined`` into the operation.
    """

    shuffle: int = 0
    cut_last_line: int = 0
    inlined: bool = False


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
        deeds = ["status", "status_after", "cut_before", "cut_after", "hang"]
        if kind in ("download", "upload_chunk"):
            deeds += ["cut_at", "cut_at"]
        status = dice.choice((429, 500, 503))
        return CallFault(
            call=kind,
            do=dice.choice(deeds) if status != 429 else "status",
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
            give = dice.choice((*ERROR_GIFTS, *LINE_GIFTS))
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


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was asked for."""

    calls: Sequence[CallFault] = ()
    lines: Sequence[LineFault] = ()
    job: JobPlan = JobPlan()
    quotas: Quotas = Quotas()
    models: ModelPlan = ModelPlan()
    results: ResultPlan = ResultPlan()
    campaign: Campaign = Campaign()
    api: ApiPlan = USUAL

    def as_json(self) -> dict[str, Any]:
        """The plan as ``read`` takes it."""
        return dataclasses.asdict(self)

    def line_fault(self, display_name: str, number: int, key: str) -> LineFault | None:
        """The first fault that hits a line, the campaign's last."""
        for fault in self.lines:
            if fault.hits(display_name, number, key):
                return fault
        return self.campaign.line_fault(display_name, key)


def read(data: Any, base: Plan | None = None) -> Plan:
    """A plan from JSON data; sections that are left out are taken from *base*. Raises BadPlan."""
    base = base or Plan()
    if not isinstance(data, dict):
        raise BadPlan("fault plan: must be a JSON object with the sections " + ", ".join(_names(Plan)))
    given = _build(Plan, data, "fault plan")
    plan = dataclasses.replace(base, **{name: getattr(given, name) for name in data})
    for number, call in enumerate(plan.calls):
        _check_call(call, f"fault plan: calls[{number}]")
    for number, line in enumerate(plan.lines):
        _one_of(line.give, [*ERROR_GIFTS, *LINE_GIFTS, *REFUSALS], f"fault plan: lines[{number}].give")
    _one_of(plan.job.end, ENDS, "fault plan: job.end")
    if not 0 <= plan.job.done_share <= 1:
        raise BadPlan("fault plan: job.done_share: must be from 0 to 1")
    for place in plan.job.vanish_from:
        _one_of(place, PLACES, "fault plan: job.vanish_from")
    _one_of(plan.job.vanish_when, MOMENTS, "fault plan: job.vanish_when")
    for kind, share in plan.campaign.lies.items():
        _one_of(kind, LIES, "fault plan: campaign.lies")
        if not isinstance(share, int | float) or not 0 <= share <= 1:
            raise BadPlan(f"fault plan: campaign.lies: {kind}: must be from 0 to 1, not {share!r}")
    _one_of(plan.quotas.refuse, ["create", "job"], "fault plan: quotas.refuse")
    for name, choices in CHOICES.items():
        if getattr(plan.api, name) not in choices:
            known = ", ".join(map(str, choices))
            raise BadPlan(f"fault plan: api.{name}: {getattr(plan.api, name)!r} is unknown; known are {known}")
    return plan


def _check_call(call: CallFault, where: str) -> None:
    _one_of(call.call, [*KINDS, "*"], f"{where}.call")
    _one_of(call.do, DEEDS, f"{where}.do")
    if call.do == "cut_at" and call.call not in ("download", "upload_chunk"):
        raise BadPlan(f"{where}: cut_at is for download and upload_chunk; use cut_before or cut_after")
    if call.do == "body" or call.body:
        downloads = call.call == "download" and call.do == "body"
        _one_of(call.body, DOWNLOAD_BODIES if downloads else ANSWER_BODIES, f"{where}.body")
        if call.do not in ("body", "status", "status_after"):
            raise BadPlan(f"{where}: a body is for the deeds body, status and status_after")
    if call.do == "deny" or call.denial:
        _one_of(call.denial, DENIALS, f"{where}.denial")
    if call.do == "redirect" and call.status not in REDIRECTS:
        raise BadPlan(f"{where}: redirect: status must be one of {', '.join(map(str, REDIRECTS))}, not {call.status}")
    _one_of(call.crc32c, HASHES, f"{where}.crc32c")


def joined(plan: Plan, more: Plan) -> Plan:
    """*plan* with the call and line faults of *more* added, and the other sections taken from *more*."""
    return dataclasses.replace(more, calls=[*plan.calls, *more.calls], lines=[*plan.lines, *more.lines])


def glob(name: str, pattern: str) -> bool:
    """Whether *name* fits the case-sensitive *pattern* with ``*``, ``?`` and ``[]``."""
    return fnmatch.fnmatchcase(name, pattern)


_Section = TypeVar("_Section")
_NESTED: Mapping[str, type] = {"calls": CallFault, "lines": LineFault}


def _names(section: type) -> list[str]:
    return [item.name for item in dataclasses.fields(section)]


def _build(section: type[_Section], data: Any, where: str) -> _Section:
    if not isinstance(data, dict):
        raise BadPlan(f"{where}: must be a JSON object, not {type(data).__name__}")
    hints = get_type_hints(section)
    values: dict[str, Any] = {}
    for name, value in data.items():
        if name not in hints:
            raise BadPlan(f"{where}: there is no {name!r}; known are {', '.join(_names(section))}")
        values[name] = _value(hints[name], value, f"{where}: {name}", _NESTED.get(name) if section is Plan else None)
    try:
        return section(**values)
    except TypeError as error:
        raise BadPlan(f"{where}: {str(error).split('() ')[-1]}") from None


def _value(hint: Any, value: Any, where: str, nested: type | None) -> Any:
    if dataclasses.is_dataclass(hint):
        return _build(hint, value, where) if isinstance(hint, type) else value
    if nested is not None:
        if not isinstance(value, list | tuple):
            raise BadPlan(f"{where}: must be a list")
        return tuple(_build(nested, item, f"{where}[{number}]") for number, item in enumerate(value))
    origin = get_origin(hint)
    if origin is UnionType:
        return None if value is None else _value(get_args(hint)[0], value, where, None)
    if origin is not None and issubclass(origin, Mapping):
        return _plain(dict, value, where)
    if origin is not None:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_plain(get_args(hint)[0], item, where) for item in items)
    return _plain(hint, value, where)


def _plain(kind: type, value: Any, where: str) -> Any:
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise BadPlan(f"{where}: must be {kind.__name__}, not {value!r}")
    return value


def _one_of(value: str, known: Sequence[str], where: str) -> None:
    if value not in known:
        raise BadPlan(f"{where}: {value!r} is unknown; known are {', '.join(known)}")
