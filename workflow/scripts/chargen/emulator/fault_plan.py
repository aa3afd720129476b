"""The plan of faults, as it is read from JSON and checked.

It has the sections ``calls``, ``lines``, ``job``, ``quotas``, ``models``, ``results``, ``campaign`` and ``api``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from chargen.base.errors import ChargenError
from chargen.emulator.campaign import LIES, Campaign
from chargen.emulator.faults import (
    ACTIONS,
    ANSWER_BODIES,
    BROKEN_LINES,
    DENIALS,
    DOWNLOAD_BODIES,
    ENDS,
    HASHES,
    KINDS,
    LINE_ERRORS,
    MOMENTS,
    PLACES,
    REDIRECTS,
    CallFault,
    JobPlan,
    LineFault,
    ModelPlan,
    Quotas,
    ResultPlan,
)
from chargen.emulator.refusals import REFUSALS
from chargen.emulator.strictness import CHOICES, USUAL, ApiPlan


class BadPlan(ChargenError):
    """A fault plan that cannot be followed."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that was asked for."""

    calls: Sequence[CallFault] = ()
    lines: Sequence[LineFault] = ()
    job: JobPlan = field(default_factory=JobPlan)
    quotas: Quotas = field(default_factory=Quotas)
    models: ModelPlan = field(default_factory=ModelPlan)
    results: ResultPlan = field(default_factory=ResultPlan)
    campaign: Campaign = field(default_factory=Campaign)
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
        _one_of(line.give, [*LINE_ERRORS, *BROKEN_LINES, *REFUSALS], f"fault plan: lines[{number}].give")
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
    _one_of(call.do, ACTIONS, f"{where}.do")
    if call.do == "cut_at" and call.call not in ("download", "upload_chunk"):
        raise BadPlan(f"{where}: cut_at is for download and upload_chunk; use cut_before or cut_after")
    if call.do == "body" or call.body:
        downloads = call.call == "download" and call.do == "body"
        _one_of(call.body, DOWNLOAD_BODIES if downloads else ANSWER_BODIES, f"{where}.body")
        if call.do not in ("body", "status", "status_after"):
            raise BadPlan(f"{where}: a body is for the actions body, status and status_after")
    if call.do == "deny" or call.denial:
        _one_of(call.denial, DENIALS, f"{where}.denial")
    if call.do == "redirect" and call.status not in REDIRECTS:
        raise BadPlan(f"{where}: redirect: status must be one of {', '.join(map(str, REDIRECTS))}, not {call.status}")
    _one_of(call.crc32c, HASHES, f"{where}.crc32c")


def joined(plan: Plan, more: Plan) -> Plan:
    """*plan* with the call and line faults of *more* added, and the other sections taken from *more*."""
    return dataclasses.replace(more, calls=[*plan.calls, *more.calls], lines=[*plan.lines, *more.lines])


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
