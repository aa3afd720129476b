"""The behaviours, as read from their files: typed, checked, and with a line for every complaint."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from conformance import patterns
from conformance.positions import BadFile, Document, dotted, read

ROOT = Path(__file__).resolve().parent
FOLDER = ROOT / "behaviours"
SCHEMA = ROOT.parent / "schemas" / "behaviours.schema.json"
COMMON = "common.yaml"
KINDS = ("recording", "documentation", "sdk", "issue", "third-party")
JUDGES = ("emulator", "recording", "live")
GIVEN = frozenset(["base_url", "name", "file_id", "unknown_file", "long_file", "unknown_batch", "run"])
"""Variables that every step can use: see docs/conformance.md."""

Judge = Literal["emulator", "recording", "live"]
Never = "never"


@dataclass(frozen=True, slots=True)
class Source:
    """Where we know something from."""

    id: str
    kind: str
    link: str
    date: str
    says: str


@dataclass(frozen=True, slots=True)
class Recording:
    """A place in the samples, compared with a step's expectation or with ``pattern``.

    ``request``: it is a request, compared with what the step itself sends. ``cut`` are the paths (``$.a.b``) of what
    its publisher left out.
    """

    sample: str
    pattern: Any
    request: bool
    cut: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """What an answer must be like. ``cut``: the connection ends before there is a whole answer."""

    status: Any = None
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: Literal["", "json", "text", "lines", "empty"] = ""
    pattern: Any = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One call, or (``admin``) an instruction to the emulator, which other servers are not given."""

    method: str
    target: str
    admin: bool = False
    key: str = "given"
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    body: Literal["", "json", "text", "lines", "filler", "base64"] = ""
    content: Any = None
    follow: bool = False
    until: Any = None
    expected: Expected = Expected()
    keep: Mapping[str, str | Mapping[str, str]] = field(default_factory=dict)
    recordings: tuple[Recording, ...] = ()
    sends: Any = None
    path: tuple[str | int, ...] = ()

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a run against the real API can cost, in USD: at most ``usd``, or that only ``if_taken``, that is if the API
    takes what it should refuse.
    """

    kind: Literal["free", "if_taken", "paid", "unknown"]
    usd: float = 0.0


@dataclass(frozen=True, slots=True)
class Preparation:
    """Steps that several behaviours need before their own."""

    id: str
    says: str
    cost: Cost
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One thing that the API does."""

    id: str
    group: str
    title: str
    says: str
    why: str
    sources: tuple[str, ...]
    cost: Cost
    judges: tuple[Judge, ...]
    not_live: str
    last_seen_live: str
    needs: tuple[str, ...]
    own: tuple[str, ...]
    options: tuple[str, ...]
    faults: Mapping[str, Any]
    steps: tuple[Step, ...]
    file: Path
    line: int
    seen_span: tuple[int, int]

    @property
    def seen_live(self) -> bool:
        """Whether the real API was ever seen to do it."""
        return self.last_seen_live != Never


@dataclass(frozen=True)
class Collection:
    """All behaviours with what they refer to."""

    behaviours: tuple[Behaviour, ...]
    sources: Mapping[str, Source]
    shapes: Mapping[str, Any]
    preparations: Mapping[str, Preparation]
    constants: Mapping[str, Any]

    def per_kind(self) -> dict[str, int]:
        """How many behaviours rest on each kind of source (one may rest on several)."""
        return {
            kind: sum(any(self.sources[name].kind == kind for name in item.sources) for item in self.behaviours)
            for kind in KINDS
        }

    def per_judge(self) -> dict[str, int]:
        """How many behaviours each judge is asked about."""
        counted: Counter[str] = Counter(judge for item in self.behaviours for judge in item.judges)
        return {judge: counted[judge] for judge in JUDGES}

    def groups(self) -> dict[str, list[Behaviour]]:
        """Behaviours by group, in the order of the files."""
        found: dict[str, list[Behaviour]] = {}
        for item in self.behaviours:
            found.setdefault(item.group, []).append(item)
        return found


def load(folder: Path = FOLDER) -> Collection:
    """Read ``common.yaml`` and all other YAML files of *folder*.

    Raises BadFile that names file, line and key of everything that is wrong.
    """
    common_file = folder / COMMON
    files = sorted(file for file in folder.glob("*.yaml") if file.name != COMMON)
    if not common_file.exists() or not files:
        raise BadFile(f"{folder}: must hold {COMMON} and at least one file of behaviours")
    common = read(common_file)
    documents = [read(file) for file in files]
    _refuse([*_schema_errors(common, "common"), *(e for d in documents for e in _schema_errors(d, "behaviours"))])
    return _Reader(common, documents).collection()


def _refuse(complaints: Sequence[str]) -> None:
    if complaints:
        raise BadFile("\n".join(complaints))


@cache
def _validator(part: str) -> Any:
    import json

    import jsonschema_rs

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return jsonschema_rs.validator_for({**schema, "$ref": f"#/$defs/{part}"})


def _schema_errors(document: Document, part: str) -> Iterator[str]:
    for error in _validator(part).iter_errors(document.data):
        path = tuple(error.instance_path)
        unexpected = getattr(error.kind, "unexpected", None)
        if unexpected:
            for name in unexpected:
                yield document.complaint((*path, name), "this key is not known here")
        else:
            yield document.complaint(path, error.message)


class _Reader:
    """Turns parsed files into a Collection, collecting complaints on the way."""

    def __init__(self, common: Document, documents: Sequence[Document]) -> None:
        self._common = common
        self._documents = documents
        self._complaints: list[str] = []
        self._sources = {name: Source(name, **about) for name, about in common.data["sources"].items()}
        self._shapes = common.data["shapes"]
        self._constants = common.data["constants"]
        self._preparations: dict[str, Preparation] = {}
        self._kept: dict[str, frozenset[str]] = {}

    def collection(self) -> Collection:
        for name, shape in self._shapes.items():
            self._pattern(self._common, shape, ("shapes", name))
        for name, about in self._common.data["preparations"].items():
            self._preparation(name, about)
        behaviours = [
            self._behaviour(document, about, ("behaviours", number))
            for document in self._documents
            for number, about in enumerate(document.data["behaviours"])
        ]
        self._unique(behaviours)
        self._unused(behaviours)
        _refuse(self._complaints)
        return Collection(tuple(behaviours), self._sources, self._shapes, self._preparations, self._constants)

    def _complain(self, document: Document, path: Sequence[str | int], message: str) -> None:
        self._complaints.append(document.complaint(path, message))

    def _unique(self, behaviours: Sequence[Behaviour]) -> None:
        first: dict[str, Behaviour] = {}
        for item in behaviours:
            if item.id in first:
                other = first[item.id]
                self._complaints.append(f"{item.file}:{item.line}: {item.id}: already at {other.file}:{other.line}")
            first.setdefault(item.id, item)

    def _unused(self, behaviours: Sequence[Behaviour]) -> None:
        cited = {name for item in behaviours for name in item.sources}
        needed = {name for item in behaviours for name in (*item.needs, *item.own)}
        for name in sorted(set(self._sources) - cited):
            self._complain(self._common, ("sources", name), "no behaviour names this source: delete it")
        for name in sorted(set(self._preparations) - needed):
            self._complain(self._common, ("preparations", name), "no behaviour needs it: delete it")

    def _preparation(self, name: str, about: Mapping[str, Any]) -> None:
        path = ("preparations", name)
        steps, kept = self._steps(self._common, about["steps"], (*path, "steps"), frozenset())
        cost = _cost(about["cost"])
        self._preparations[name] = Preparation(name, about["says"], cost, steps)
        self._kept[name] = kept
        self._check_cost(self._common, path, steps, cost)

    def _behaviour(self, document: Document, about: Mapping[str, Any], path: tuple[str | int, ...]) -> Behaviour:
        needs, own = tuple(about.get("needs", ())), tuple(about.get("needs_own", ()))
        known: frozenset[str] = frozenset()
        for key, names in (("needs", needs), ("needs_own", own)):
            for number, name in enumerate(names):
                if name not in self._preparations:
                    known_ones = ", ".join(self._preparations)
                    message = f"there is no preparation {name!r}; known are {known_ones}"
                    self._complain(document, (*path, key, number), message)
                known |= self._kept.get(name, frozenset())
        for number, name in enumerate(about["sources"]):
            if name not in self._sources:
                self._complain(document, (*path, "sources", number), f"there is no source {name!r} in {COMMON}")
        steps, _ = self._steps(document, about["steps"], (*path, "steps"), known)
        made = Behaviour(
            id=about["id"],
            group=document.data["group"],
            title=document.data["title"],
            says=about["says"],
            why=about["why"],
            sources=tuple(about["sources"]),
            cost=_cost(about["cost"]),
            judges=tuple(about["judges"]),
            not_live=about.get("not_live", ""),
            last_seen_live=about["last_seen_live"],
            needs=needs,
            own=own,
            options=tuple(about.get("emulator_options", ())),
            faults=about.get("emulator_faults", {}),
            steps=steps,
            file=document.file,
            line=document.lines[(*path, "id")],
            seen_span=document.spans[(*path, "last_seen_live")],
        )
        self._check_judges(document, path, made)
        if "live" in made.judges:
            self._check_cost(document, path, steps, made.cost)
        return made

    def _check_judges(self, document: Document, path: tuple[str | int, ...], item: Behaviour) -> None:
        recorded = any(step.recordings for step in item.steps)
        if recorded != ("recording" in item.judges):
            message = (
                "is not asked, but a step names a recording" if recorded else "is asked, but no step names a recording"
            )
            self._complain(document, (*path, "judges"), f"recording {message}")
        if ("live" in item.judges) == bool(item.not_live):
            message = "say why in `not_live`" if not item.not_live else "`not_live` is for behaviours without it"
            self._complain(document, (*path, "judges"), f"live: {message}")
        if "live" not in item.judges and item.seen_live:
            self._complain(document, (*path, "last_seen_live"), "must be never: live is not among the judges")
        kinds = {self._sources[name].kind for name in item.sources if name in self._sources}
        if recorded and not kinds & {"recording", "third-party"}:
            self._complain(document, (*path, "sources"), "a step names a recording: name its source too")
        if item.faults and "live" in item.judges:
            self._complain(document, (*path, "emulator_faults"), "a real server has no faults to set: not for live")
        if not item.file.name.startswith(item.id.partition(".")[0]):
            self._complain(document, (*path, "id"), f"must begin with the name of its file: {item.file.stem}.")

    def _check_cost(self, document: Document, path: tuple[str | int, ...], steps: Sequence[Step], cost: Cost) -> None:
        charged = [step for step in steps if not step.admin and can_cost(step.method, step.target)]
        if charged and cost.kind == "free":
            message = f"`{charged[0]}` can cost money: give its price with at_most_usd or at_most_usd_if_taken"
            self._complain(document, (*path, "cost"), message)
        if not charged and cost.kind in ("if_taken", "paid"):
            self._complain(document, (*path, "cost"), "no step can cost money: say free")

    def _steps(
        self, document: Document, about: Sequence[Any], path: tuple[str | int, ...], known: frozenset[str]
    ) -> tuple[tuple[Step, ...], frozenset[str]]:
        known = known | GIVEN | set(self._constants)
        steps = []
        for number, item in enumerate(about):
            here = (*path, number)
            step = self._step(document, item, here)
            used = patterns.variables({key: item[key] for key in item if key not in ("keep", "recorded")})
            for name in sorted(used - known):
                self._complain(document, here, f"${{{name}}} is not known here: an earlier step must keep it")
            known |= set(step.keep)
            steps.append(step)
        return tuple(steps), frozenset(known)

    def _step(self, document: Document, about: Mapping[str, Any], path: tuple[str | int, ...]) -> Step:
        admin = "emulator" in about
        method, _, target = about["emulator" if admin else "call"].partition(" ")
        body = next((kind for kind in ("json", "text", "lines", "filler", "base64") if kind in about), "")
        expected = self._expected(document, about.get("expect", {}), (*path, "expect"))
        if "until" in about:
            self._pattern(document, about["until"], (*path, "until"))
        if "sends" in about:
            self._pattern(document, about["sends"], (*path, "sends"))
        return Step(
            method=method,
            target=target,
            admin=admin,
            key=about.get("key", "given"),
            query=about.get("query", {}),
            headers=about.get("headers", {}),
            body=body,  # type: ignore[arg-type]
            content=about.get(body),
            follow=about.get("follow_redirects", False),
            until=about.get("until"),
            expected=expected,
            keep=about.get("keep", {}),
            recordings=tuple(self._recordings(document, about, path)),
            sends=about.get("sends"),
            path=path,
        )

    def _expected(self, document: Document, about: Mapping[str, Any], path: tuple[str | int, ...]) -> Expected:
        body: Any = next((kind for kind in ("json", "text", "lines", "empty") if kind in about), "")
        for key in ("status", "json", "text", "lines"):
            if key in about:
                self._pattern(document, about[key], (*path, key))
        for name, item in about.get("headers", {}).items():
            self._pattern(document, item, (*path, "headers", name))
        return Expected(
            status=about.get("status"),
            headers=about.get("headers", {}),
            body=body,
            pattern=about.get(body),
            cut=about.get("connection") == "cut",
        )

    def _recordings(
        self, document: Document, about: Mapping[str, Any], path: tuple[str | int, ...]
    ) -> Iterator[Recording]:
        for number, item in enumerate(about.get("recorded", ())):
            here = (*path, "recorded", number)
            if isinstance(item, str):
                item = {"sample": item}
            request = item.get("of") == "request"
            pattern = item.get("fits")
            if pattern is not None:
                self._pattern(document, pattern, (*here, "fits"))
                shape = pattern.get("$shape")
                if not shape or shape not in self._used({key: about[key] for key in about if key != "recorded"}):
                    self._complain(document, (*here, "fits"), "must be a {$shape: …} that the step itself uses")
            elif request and about.get("sends") is None:
                self._complain(document, here, "a request is compared with `sends`, which the step lacks")
            yield Recording(item["sample"], pattern, request, tuple(item.get("left_out", ())))

    def _used(self, value: Any) -> set[str]:
        """The shapes that *value* names, and those that they name in turn."""
        found: set[str] = set()
        new = _shapes_in(value)
        while new - found:
            found |= new
            new = set().union(*(_shapes_in(self._shapes[name]) for name in found if name in self._shapes))
        return found

    def _pattern(self, document: Document, pattern: Any, path: tuple[str | int, ...]) -> None:
        try:
            patterns.check(pattern, self._shapes)
        except patterns.BadPattern as error:
            self._complain(document, (*path, *error.path), str(error))


def _shapes_in(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$shape"]} if isinstance(value.get("$shape"), str) else set()
        return own.union(*(_shapes_in(item) for item in value.values()))
    return set().union(*(_shapes_in(item) for item in value)) if isinstance(value, list) else set()


def _cost(about: Any) -> Cost:
    if isinstance(about, str):
        return Cost(about)  # type: ignore[arg-type]
    if "at_most_usd" in about:
        return Cost("paid", float(about["at_most_usd"]))
    return Cost("if_taken", float(about["at_most_usd_if_taken"]))


_FREE = (
    re.compile(r"(GET|DELETE) "),
    re.compile(r"(POST|PUT) /upload/"),
    re.compile(r"POST \$\{\w*url\w*\}"),
    re.compile(r"POST \S*(:countTokens|:cancel)(\?|$)"),
    re.compile(r"PATCH /v\w+/(files|batches|\$)"),
)


def can_cost(method: str, target: str) -> bool:
    """Whether a call can cost money: everything can that is not known to be free."""
    return not any(known.match(f"{method} {target}") for known in _FREE)


__all__ = ["BadFile", "Behaviour", "Collection", "dotted", "load"]
