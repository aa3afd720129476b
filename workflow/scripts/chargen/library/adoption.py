"""Adopted pictures: made without chargen, they count for a scene, so that they are not paid for again.

A scene takes the picture in the slot that an older tool filled, else that of its last run, else the one
that is named after it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from chargen.base.capabilities import counts
from chargen.base.errors import Place
from chargen.base.frozen import frozen
from chargen.library import yamlio
from chargen.library.drafts import Draft
from chargen.library.fields import Problems, as_text
from chargen.library.folders import Folders, inside, is_image_name, same_name
from chargen.library.model import Adopted, Kind, Record
from chargen.library.slugs import slug
from chargen.library.yamlio import InvalidYaml
from chargen.pictures.presence import EMPTY, is_absent, not_here, why_unreadable

RUNS_FILE = "imagery.runs.yaml"
MAX_RUNS_BYTES = 64 * 1024 * 1024
MIN_TITLE = 25
"""How much of a title a file's name must carry at least."""
RUN_TITLE = 40
"""Where the older tool cut titles in the names of its targets."""

_DASHES = re.compile(r"-{2,}")
_RUN_NUMBER = re.compile(r"-\d{1,3}\Z")
_STAMPS = re.compile(r"(?P<stamps>(?:-\d{13}){0,2})(?P<date>-(?:\d{4}-\d{2}-\d{2}|\d{8}))?\Z")
_NUMBER = re.compile(r"-\d{2}\Z")
_RUN_FIELD = re.compile(
    rb"^(?P<lead> *(?:- )?)(?P<key>target_id|file_name|file_path|timestamp):[ \t]+(?P<value>.*?)\r?$",
    re.MULTILINE,
)
_RUNS_KEY = re.compile(rb"^runs:[ \t]*\r?\n", re.MULTILINE)
_RUN_ITEM = re.compile(rb"( *)- [a-z_]+:")
_TOP_KEY = re.compile(rb"^[^\s#-]", re.MULTILINE)
_NULLS = (b"~", b"null", b"Null", b"NULL")
_UNUSED = "the file is not used to recognise pictures"
_SIMPLE = re.compile(rb"[^\s\"'|>&*!%@`#\[\]{},?:-][^#\"']*|\"[^\"\\]*\"|'[^']*'")


@dataclass(frozen=True)
class Surroundings:
    """Where to look: the entity, the pictures that cannot be adopted, and what is on disk."""

    kind: Kind
    slug: str
    folder: str  # relative to the library root
    root: Path
    folders: Folders
    records: Sequence[Record]
    rejected: frozenset[str]  # paths in the entity's folder that its author does not want
    provider: str


@frozen
class _Run:
    target: str
    file: str  # name only
    timestamp: str


def adopt(drafts: Sequence[Draft], where: Surroundings, problems: Problems) -> dict[str, Adopted]:
    """The picture from before that each scene without a record of its first variation takes, by scene id."""
    recorded = {record.path for record in where.records} | where.rejected
    made = _made(where)
    wanting = {draft.id for draft in drafts if draft.id not in made}
    adopted: dict[str, Adopted] = {}
    for draft in drafts:
        if draft.id in wanting and draft.file_path and (path := _slot(draft.file_path, where, recorded)):
            adopted[draft.id] = Adopted(path, "file_path")
    taken = recorded | {item.path.removeprefix(f"{where.folder}/") for item in adopted.values()}
    images = where.folders.images(f"{where.folder}/images")
    files = _Files(where, [name for name in images if f"images/{name}" not in taken])
    titles = {draft.id: _titles(draft, where.kind) for draft in drafts}
    before = len(problems.found)
    if files.names and wanting - adopted.keys():
        for scene, name in _by_runs(titles, wanting - adopted.keys(), where, files, problems).items():
            adopted[scene] = Adopted(files.take(name), "runs")
    if files.names and wanting - adopted.keys():
        for scene, name in _by_name(titles, wanting - adopted.keys(), where, files).items():
            adopted[scene] = Adopted(files.take(name), "name")
    if problems.found[before:] and files.names and wanting - adopted.keys():
        _stop_at_invalid_runs(problems, before, len(files.names))
    for scene, item in adopted.items():
        _warn_of_empty(scene, where.root / item.path, Place(item.path), problems)
    return adopted


class _Files:
    """The picture files without a record that no scene has adopted.

    Whether one is real is looked up only when it is about to be adopted.
    """

    def __init__(self, where: Surroundings, names: Sequence[str]) -> None:
        self._where = where
        self.names = set(names)
        self._real: dict[str, bool] = {}
        self._away = where.folders.listing(f"{where.folder}/images").away

    def take(self, name: str) -> str:
        """The path of *name* below the library root; no other scene can adopt it from now on."""
        self.names.discard(name)
        return self._path(name)

    def is_real(self, name: str) -> bool:
        """Whether *name* is a picture that can be taken."""
        if name not in self.names:
            return False
        if name not in self._real:
            self._real[name] = name in self._away or _is_real(self._where.root / self._path(name))
        return self._real[name]

    def _path(self, name: str) -> str:
        return f"{self._where.folder}/images/{name}"


def _made(where: Surroundings) -> set[str]:
    """Scenes with a recorded picture: earlier files no longer count for them."""
    return {
        record.scene for record in where.records if record.variation == 1 and counts(record.provider, where.provider)
    }


def _titles(draft: Draft, kind: Kind) -> tuple[str, ...]:
    """The names of a scene: its id, for characters also the slug of its title."""
    if kind != "character":
        return (draft.id,)
    return tuple(dict.fromkeys(name for name in (draft.id, slug(draft.title)) if name))


def _slot(written: str, where: Surroundings, recorded: Collection[str]) -> str:
    for base in (where.folder, ""):
        path = where.folders.spelled(inside(base, written))
        if not path or not is_image_name(path) or path.removeprefix(f"{where.folder}/") in recorded:
            continue
        if where.folders.exists(path) and (where.folders.away(path) or _is_real(where.root / path)):
            return path
    return ""


def _by_runs(
    titles: Mapping[str, tuple[str, ...]],
    wanting: Collection[str],
    where: Surroundings,
    files: _Files,
    problems: Problems,
) -> dict[str, str]:
    """The file of the last run of each scene in *wanting*."""
    targets = _targets(titles, where)
    best: dict[str, _Run] = {}
    for run in _read_runs(where, problems):
        scene = _scene_of(run.target, targets, where.kind)
        if not run.file.isascii():
            run = replace(run, file=where.folders.listing(f"{where.folder}/images").spelled(run.file))
        is_newer = scene not in best or run.timestamp >= best[scene].timestamp
        if scene in wanting and is_newer and files.is_real(run.file):
            best[scene] = run
    return _each_file_once({scene: run.file for scene, run in best.items()})


def _targets(titles: Mapping[str, tuple[str, ...]], where: Surroundings) -> dict[str, str]:
    """Scene ids by the names that runs have for them; a name that two scenes would have belongs to none."""
    targets: dict[str, str] = {}
    for scene, names in titles.items():
        for name in names:
            is_cut = where.kind == "character"
            target = _one_dash(same_name(f"{where.slug}-{name[:RUN_TITLE].rstrip('-')}")) if is_cut else name
            targets[target] = scene if targets.get(target, scene) == scene else ""
    return targets


def _scene_of(target: str, targets: Mapping[str, str], kind: Kind) -> str:
    if kind != "character":
        return targets.get(target, "")
    name = _one_dash(same_name(target))
    return targets.get(name) or targets.get(_RUN_NUMBER.sub("", name).rstrip("-"), "")


def _by_name(
    titles: Mapping[str, tuple[str, ...]], wanting: Collection[str], where: Surroundings, files: _Files
) -> dict[str, str]:
    """The newest file that is named after each scene in *wanting*. A file that fits two scenes belongs to none."""
    exact = {name: scene for scene, names in titles.items() for name in names}
    found: dict[str, tuple[tuple[str, str, str], str]] = {}
    for name in sorted(files.names):
        scene, stamp = _named_scene(_one_dash(same_name(PurePosixPath(name).stem)), exact, titles, where)
        is_newer = scene not in found or (stamp, name) > found[scene]
        if scene in wanting and is_newer and files.is_real(name):
            found[scene] = (stamp, name)
    return {scene: name for scene, (_, name) in found.items()}


def _named_scene(
    stem: str, exact: Mapping[str, str], titles: Mapping[str, tuple[str, ...]], where: Surroundings
) -> tuple[str, tuple[str, str, str]]:
    """The scene that a file's stem names, and the stamps at its end, which order them by age."""
    for base, stamp in _bases(stem, where.kind):
        own = base.removeprefix(f"{same_name(where.slug)}-") if where.kind == "character" else base
        scene = exact.get(base) or exact.get(own)
        if not scene and own != base and len(own) >= MIN_TITLE:
            scene = _only(scene for scene, names in titles.items() if any(name.startswith(own) for name in names))
        if scene:
            return scene, stamp
    return "", ("", "", "")


def _bases(stem: str, kind: Kind) -> Iterator[tuple[str, tuple[str, str, str]]]:
    """What a stem may be without stamps, date and number; the longest first."""
    yield stem, ("", "", "")
    tail = _STAMPS.search(stem)
    base, stamp = stem, ("", "", "")
    if tail and tail[0]:
        base = stem[: tail.start()].rstrip("-")
        stamp = ("-".join(sorted(tail["stamps"].split("-"), reverse=True)), tail["date"] or "", "")
        yield base, stamp
    if kind == "character" and (number := _NUMBER.search(base)):
        yield base[: number.start()].rstrip("-"), (stamp[0], stamp[1], number[0])


def _only(scenes: Iterable[str]) -> str:
    found = list(scenes)
    return found[0] if len(found) == 1 else ""


def _read_runs(where: Surroundings, problems: Problems) -> list[_Run]:
    """The runs of the entity. One that is not YAML is warned of: the pictures' names may still help."""
    file = f"{where.folder}/{RUNS_FILE}"
    if not where.folders.exists(file):
        return []
    why = where.folders.away(file) or why_unreadable(where.root / file)
    try:
        if why:
            raise OSError(0, why)
        data = yamlio.read_bytes(where.root / file, file, MAX_RUNS_BYTES)
        runs = _scan_runs(data, file)
        return _parse_runs(data, file) if runs is None else runs
    except InvalidYaml as error:
        problems.warn("invalid-runs", f"{error.reason}; {_UNUSED}", error.place)
    except OSError as error:
        problems.error(
            "unreadable-file",
            f"{why or f'cannot be read ({error.strerror})'}; it lists the pictures that exist already",
            Place(file),
            advice="make it readable, or download it, then run again",
        )
    return []


def _stop_at_invalid_runs(problems: Problems, since: int, pictures: int) -> None:
    """Turn the warning of a runs file that is not YAML into an error: pictures are left that it may have been about."""
    for index, problem in enumerate(problems.found[since:], since):
        if problem.code == "invalid-runs":
            message = f"{problem.message}; it may link {pictures} pictures in images/ to their scenes"
            problems.found[index] = replace(
                problem, severity="error", effect="entity skipped", message=message,
                advice="fix the file, or remove it to have those scenes made",
            )  # fmt: skip


def _parse_runs(data: bytes, file: str) -> list[_Run]:
    runs = yamlio.parse(data, file).get("runs")
    return [
        _run({key: as_text(item.get(key)) for key in ("target_id", "file_name", "file_path", "timestamp")})
        for item in (runs if isinstance(runs, list) else [])
        if isinstance(item, dict)
    ]


def _scan_runs(data: bytes, file: str) -> list[_Run] | None:
    """The runs of a file in the form that machines write it, not building it; None if it has another form.

    These files are large and almost all prompts. The parser checks the whole file; then the few lines that matter
    are found by their indentation, which nothing else in a block mapping can have.
    """
    yamlio.check_syntax(data, file)
    head = _RUNS_KEY.search(data)
    first = _RUN_ITEM.match(data, head.end()) if head else None
    if not head or not first:
        return None
    next_key = _TOP_KEY.search(data, first.start())
    stop = next_key.start() if next_key else len(data)
    dash = first[1] + b"- "
    plain = b" " * len(dash)
    starts = [found.start() for found in re.finditer(rb"^" + dash, data[:stop], re.MULTILINE)]
    starts = [start for start in starts if start >= first.start()]
    items: list[dict[str, str]] = []
    for begin, end in zip(starts, [*starts[1:], stop], strict=True):
        fields: dict[str, str] = {}
        for found in _RUN_FIELD.finditer(data, begin, end):
            if found["lead"] not in (dash, plain):
                continue
            value = found["value"].strip()
            goes_on = data.startswith(plain + b" ", found.end() + 1)
            if goes_on or not _SIMPLE.fullmatch(value):
                return None
            fields[found["key"].decode()] = "" if value in _NULLS else value.strip(b"\"'").decode().strip()
        items.append(fields)
    return [_run(fields) for fields in items]


def _each_file_once(found: Mapping[str, str]) -> dict[str, str]:
    """Without the files that two scenes would have."""
    return {scene: name for scene, name in found.items() if list(found.values()).count(name) == 1}


def _run(fields: Mapping[str, str]) -> _Run:
    path = fields.get("file_path") or fields.get("file_name", "")
    name = path.replace("\\", "/").rpartition("/")[2]
    return _Run(fields.get("target_id", ""), name, fields.get("timestamp", ""))


def _one_dash(text: str) -> str:
    return _DASHES.sub("-", text)


def _is_real(path: Path) -> bool:
    """Whether the file is a picture for this purpose: all but those of the emulator are.

    What cannot be read, is empty, or is not downloaded counts too: it may be one that was paid for.
    """
    from chargen.pictures.formats import is_placeholder

    try:
        return bool(not_here(path.stat())) or not is_placeholder(path)
    except OSError as error:
        return not is_absent(error)


def _warn_of_empty(scene: str, path: Path, place: Place, problems: Problems) -> None:
    """Warn of an empty picture file that counts as a picture."""
    try:
        status = path.stat()
    except OSError:
        return
    if status.st_size == 0 and not not_here(status):
        message = f"{EMPTY}; it counts as the picture of {scene}, so none is made"
        problems.warn("empty-picture", message, place, "download it, or remove it to have it made", scene)
