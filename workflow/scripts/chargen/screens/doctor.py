"""`snakemake doctor`: what is wrong with key, configuration, models, library, machine and clock, and what to do.

Every check is a function that returns findings and never raises for what it checks. The key is never printed.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
import stat
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from chargen.base.errors import ChargenError
from chargen.base.output import redacted
from chargen.base.timestamps import span
from chargen.library.locking import LOCK_FILE
from chargen.planning.budget import budgets
from chargen.providers.models import Catalog
from chargen.providers.parameters import UNSENT_TEMPERATURE, not_sent
from chargen.providers.registry import provider_of
from chargen.records import settings as config
from chargen.records.journal import Journal
from chargen.records.settings import ModelChoice, Settings
from chargen.records.state import RunFiles, State
from chargen.screens.prices import OLD_DAYS
from chargen.screens.screen import BAD, GOOD, WARN, Line, Screen, Span, advice, line, size

Level = Literal["ok", "warning", "error"]

HELP = "check key, configuration, library and machine"
ARGUMENTS = {"--overridden": {"nargs": "*", "default": [], "help": "settings of the profile that are not in force"}}
SIGNS = {"ok": ("✓ ", GOOD), "warning": ("! ", WARN), "error": ("✗ ", BAD)}
LEAST_FREE_BYTES, LOW_FREE_BYTES = 200_000_000, 2_000_000_000
SKEW_WARNS_S, SKEW_HURTS_S = 60.0, 600.0
QUESTION_TIMEOUT_S = 20.0
NEEDS = {"snakemake": (9, 27), "google-genai": (3, 4)}
NEEDS_PYTHON = (3, 11)
LIMITS = (("inputTokenLimit", "input_tokens", "in"), ("outputTokenLimit", "output_tokens", "out"))
"""Of a model: as the API names it, as config/models.yaml does, and which way it counts."""
SHUTDOWN_DAYS = 60
"""So many days before a model's shutdown it is warned of."""
LONGEST_PROMPT_TOKENS = 1500
"""Of the longest prompt that config/prompts.yaml allows."""
SHOWN_PROBLEMS = 5
NETWORK_DRIVES = ("nfs", "cifs", "smb", "fuse.sshfs", "fuse.rclone", "9p", "afs", "ceph", "lustre", "glusterfs")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it is, and what to do if it is not well."""

    level: Level
    about: str
    says: str
    advice: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API said to one question; ``status`` is 0 if it could not be reached, ``body`` what it sent."""

    status: int
    message: str = ""
    date: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


Ask = Callable[[str], Answer]
"""Asks the API for a path below its version."""


def run(settings: Settings, state: State, run_files: RunFiles, screen: Screen, overridden: Sequence[str] = ()) -> int:
    """Show the findings; return the exit status: 1 if one of them is an error."""
    findings = list(look(settings, state, overridden))
    counts = Counter(finding.level for finding in findings)
    data = {
        "schema_version": 1,
        "healthy": not counts["error"],
        "findings": [asdict(finding) for finding in findings],
    }
    screen.show(data, lambda width: lines(findings, width))
    return int(bool(counts["error"]))


def look(settings: Settings, state: State, overridden: Sequence[str] = ()) -> Iterator[Finding]:
    """Yield all findings, in the order in which they are best mended."""
    yield from versions()
    yield from profile(overridden)
    yield from configuration(settings)
    yield from key(settings, os.environ)
    yield from privacy(settings)
    yield from api(settings)
    yield from models(settings)
    yield from library(settings)
    yield from own_state(settings, state)
    yield from disk(settings)
    yield from locks(state)
    yield from library_lock(Path(settings.library))


def lines(findings: Sequence[Finding], width: int | None) -> Iterator[Line]:
    """Yield the screen: a line for each finding, what to do below it, and a verdict."""
    room = max(len(finding.about) for finding in findings)
    for finding in findings:
        sign, style = SIGNS[finding.level]
        words = "" if width is not None or finding.level == "ok" else f"{finding.level}: "
        yield line(Span(sign, style), Span(f"{finding.about:<{room}}  ", "dim"), words, finding.says)
        if finding.advice:
            yield from advice(finding.advice, width)
    counts = Counter(finding.level for finding in findings)
    yield line()
    if counts["error"]:
        yield line(Span(f"{_many(counts['error'], 'error')}, {_many(counts['warning'], 'warning')}", BAD))
    elif counts["warning"]:
        yield line(Span(f"ready, with {_many(counts['warning'], 'warning')}", WARN))
    else:
        yield line(Span("all is well", GOOD))


def versions() -> Iterator[Finding]:
    """Yield what Python, Snakemake, google-genai and chargen are installed."""
    from importlib import metadata

    from chargen import __version__

    yield Finding("ok", "chargen", __version__)
    here = ".".join(map(str, sys.version_info[:3]))
    good = sys.version_info[:2] >= NEEDS_PYTHON
    text = "" if good else "chargen needs Python 3.11 or newer: make PYTHON=python3.12"
    yield Finding("ok" if good else "error", "python", here, text)
    for name, needed in NEEDS.items():
        least = ".".join(map(str, needed))
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            yield Finding("error", name, "is not installed", f"pip install '{name}>={least}'")
            continue
        if _numbers(found) >= needed:
            yield Finding("ok", name, found)
        else:
            yield Finding("error", name, f"{found} is too old", f"pip install --upgrade '{name}>={least}'")


def profile(overridden: Sequence[str]) -> Iterator[Finding]:
    """Yield whether the default profile is in force; *overridden* names what of it is not."""
    if overridden:
        yield Finding(
            "warning",
            "profile",
            f"not in force: {', '.join(overridden)}",
            "profiles/default holds what chargen expects of Snakemake. Without it nothing is paid twice, but runs in "
            "two terminals may hinder each other; leave --workflow-profile away, or put these into your own profile",
        )
    else:
        yield Finding("ok", "profile", "profiles/default is in force")


def configuration(settings: Settings) -> Iterator[Finding]:
    """Yield provider, budget and what seems meant otherwise."""
    bounds = [f"budget ${budget.usd:g} in {budget.period}" for budget in budgets(settings)] or ["no budget"]
    yield Finding(
        "ok", "config", ", ".join([f"provider {settings.provider}, library id {settings.library_id}", *bounds])
    )
    if settings.budget_usd == 0:
        yield Finding(
            "warning", "config", "budget_usd is 0: nothing will be sent", "set budget_usd to what a day may cost"
        )
    for name in ("prompts", "styles", "models_file"):
        path = Path(getattr(settings, name))
        if not path.is_file():
            yield Finding("error", "config", f"{name}: there is no file {path}", f"correct `{name}`, or leave it away")


def key(settings: Settings, environment: Any) -> Iterator[Finding]:
    """Yield which variable the API key comes from, and what is odd about it; never the key."""
    home = Path(settings.home)
    try:
        found = list(config.found_keys(home, environment))
    except ChargenError as error:
        yield Finding("error", "key", str(error), "or put GEMINI_API_KEY=… into the environment")
        return
    needed = settings.provider == "gemini"
    if not found:
        says = "none found" if needed else "none found; the emulator needs none"
        text = (
            f"put GEMINI_API_KEY=… into {home / '.env'} (`snakemake init` writes one with comments); "
            "keys: https://aistudio.google.com/apikey"
        )
        yield Finding("error" if needed else "ok", "key", says, text if needed else "")
    else:
        used = found[0]
        if used.trouble:
            yield Finding("error" if needed else "warning", "key", used.trouble)
        else:
            yield Finding(
                "ok", "key", f"{used.name} from {used.place}" + ("" if needed else "; the emulator needs none")
            )
        odd = [f"{other.name} ({other.place})" for other in found[1:] if other.value != used.value]
        if odd:
            yield Finding("warning", "key", f"{', '.join(odd)} differs and is not used", "keep one of them")
        if used.value != used.value.strip("\"'"):
            yield Finding("warning", "key", "it stands in quotes", f"write {used.name}=… without them")
    dotenv = config.dotenv_file(home)
    if dotenv and dotenv.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH):
        yield Finding("warning", "key", f"{dotenv} can be read by others on this machine", f"chmod 600 {dotenv}")


def privacy(settings: Settings) -> Iterator[Finding]:
    """Yield what is kept where, and for how long."""
    if settings.provider == "emulator":
        yield Finding("ok", "privacy", "nothing leaves this machine")
        return
    if settings.store_requests:
        text = "set store_requests to false, or switch the logs off in AI Studio"
        says = "Google may keep requests and answers for up to 55 days, because store_requests is true"
        yield Finding("warning", "privacy", says, text)
    else:
        yield Finding("ok", "privacy", "each request asks Google not to store it (store_requests is false)")
    uploads = "until its batch is applied, 48 hours at most" if settings.cleanup.after_apply else "for 48 hours"
    answers = f"answers here for {settings.cleanup.keep_responses_d:g} days after that"
    yield Finding("ok", "privacy", f"what is uploaded is on Google's server {uploads}; {answers}, in state/")


def api(settings: Settings) -> Iterator[Finding]:
    """Yield whether the API answers, accepts the key, knows the models, and agrees on the time."""
    url = settings.base_url
    if settings.provider == "emulator" and not url:
        from chargen.emulator import launch

        url = launch.running(Path(settings.home) / "state" / "emulator-server")
        if not url:
            yield Finding("ok", "api", "the embedded emulator starts when it is needed")
            return
    elif settings.provider == "gemini" and url != config.GEMINI_URL:
        source = "GOOGLE_GEMINI_BASE_URL" if os.environ.get("GOOGLE_GEMINI_BASE_URL") == url else "base_url"
        yield Finding("warning", "api", f"{url}, not Google's own address", f"that is what {source} says")
    try:
        ask = _asker(url, config.api_key(settings.provider, Path(settings.home)))
    except ChargenError:
        yield Finding("warning", "api", f"{url} was not asked: there is no key that can be sent")
        return
    yield from questions(settings, url, ask)


def questions(settings: Settings, url: str, ask: Ask) -> Iterator[Finding]:
    """Yield what *ask* brings back about the key, the models in use and the clock."""
    in_use = models_in_use(settings)
    answers = {name: ask(f"models/{name}") for name in in_use}
    first = next(iter(answers.values()))
    if not first.status:
        text = "check the network, a proxy (HTTPS_PROXY) and base_url"
        yield Finding("error", "api", f"{url} does not answer: {first.message}", text)
        return
    refused = next((answer for answer in answers.values() if answer.status in (400, 401, 403)), None)
    if refused:
        text = "make a new key at https://aistudio.google.com/apikey, or allow this one to use the Gemini API"
        yield Finding("error", "api", f"{url} refuses the key: {refused.status} {refused.message}", text)
    elif first.status >= 500 or first.status == 429:
        yield Finding("warning", "api", f"{url} is in trouble: {first.status} {first.message}", "try again later")
    else:
        yield Finding("ok", "api", f"{url} answers and accepts the key")
        for name, answer in answers.items():
            if answer.status == 404:
                text = "`snakemake prices` lists models; set models.<use>.model in the configuration"
                yield Finding("error", "models", f"the API knows no {name} ({in_use[name]})", text)
            elif answer.status == 200:
                yield from as_the_api_says(settings, name, answer.body)
    yield from clock(first.date, dt.datetime.now(dt.UTC))


def models_in_use(settings: Settings) -> dict[str, str]:
    """Return the models that a run may ask, each with what for: those configured, and those that scenes name."""
    found: dict[str, list[str]] = {}
    for use, choice in settings.models.items():
        found.setdefault(choice.model, []).append(use)
        if choice.fallback:
            found.setdefault(choice.fallback, []).append(f"{use}, fallback")
    for name, scenes in _named_by_scenes(settings).items():
        found.setdefault(name, []).append(_many(scenes, "scene"))
    return {name: "; ".join(uses) for name, uses in found.items()}


def _named_by_scenes(settings: Settings) -> Counter[str]:
    """Return the models that scenes name, with how many do; none where the library cannot be read."""
    from chargen.library.load import load_library

    try:
        found = load_library(settings.library_root, exclude=settings.exclude, adopt_existing=False)
    except (OSError, ChargenError):  # `library` says why
        return Counter()
    return Counter(scene.model for entity in found.entities.values() for scene in entity.scenes if scene.model)


def as_the_api_says(settings: Settings, name: str, body: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield how the model *name* is, by the *body* of models.get, and where config/models.yaml says something else."""
    methods = body.get("supportedGenerationMethods")
    if isinstance(methods, list) and "batchGenerateContent" not in methods:
        text = "set models.<use>.model to another; `snakemake prices` lists models"
        yield Finding("error", "models", f"{name}: the API takes no batches for it", text)
    try:
        facts = provider_of(settings).catalog(settings).entry(name)
    except ChargenError:  # `models` says why
        return
    limits = {}
    for key, ours, direction in LIMITS:
        limit = body.get(key)
        if not isinstance(limit, int):
            continue
        limits[direction] = limit
        needed = _needed_tokens(facts, direction)
        if ours in facts and facts[ours] != limit:
            says = f"{name}: the API takes {limit:,} tokens {direction}, {settings.models_file} says {facts[ours]:,}"
            yield Finding("warning", "models", says, f"set its `{ours}` to {limit}, and `checked` to today")
        elif limit < needed:
            says = f"{name}: the API takes {limit:,} tokens {direction}, chargen may need {needed:,}"
            yield Finding("warning", "models", says, f"lower `references` or `sizes` of it in {settings.models_file}")
    if limits:
        told = ", ".join(f"{limit:,} tokens {direction}" for direction, limit in limits.items())
        yield Finding("ok", "models", f"{name}: the API has it, {told}")


def _needed_tokens(facts: Mapping[str, Any], direction: str) -> int:
    """How many tokens the largest request, or answer, of a model takes."""
    if direction == "out":
        return max(facts.get("image_tokens", {}).values(), default=0)
    return LONGEST_PROMPT_TOKENS + int(facts.get("references", 1)) * int(facts["input_image_tokens"])


def clock(date: str, now: dt.datetime) -> Iterator[Finding]:
    """Yield how far this machine's clock (*now*) is from the server's *date*, an HTTP header."""
    from email.utils import parsedate_to_datetime

    try:
        skew = (now - parsedate_to_datetime(date)).total_seconds()
    except (ValueError, TypeError):
        return
    if abs(skew) < SKEW_WARNS_S:
        yield Finding("ok", "clock", "agrees with the server's")
        return
    says = f"{span(abs(skew))} {'ahead of' if skew > 0 else 'behind'} the server's"
    text = "set it by NTP: expiry of uploads, deadlines and the budget of the last 24 hours go by it"
    yield Finding("error" if abs(skew) >= SKEW_HURTS_S else "warning", "clock", says, text)


def models(settings: Settings, today: dt.date | None = None) -> Iterator[Finding]:
    """Yield how the configured models stand in the models file as of *today*, and how old that is."""
    today = today or dt.datetime.now(dt.UTC).date()
    try:
        catalog = provider_of(settings).catalog(settings, today)
    except ChargenError as error:
        yield Finding("error", "models", str(error), "correct the file")
        return
    for use, choice in settings.models.items():
        yield from _model(catalog, use, choice, choice.model, today)
        if choice.fallback:
            fallback = _model(catalog, f"{use}, fallback", choice, choice.fallback, today)
            yield from (finding for finding in fallback if finding.level != "ok")
    age = (today - catalog.updated).days
    if age > OLD_DAYS:
        text = "compare it with its source, correct it, and set its `updated`; `snakemake prices` shows it"
        yield Finding("warning", "prices", f"{settings.models_file} is {age} days old", text)
    else:
        yield Finding("ok", "prices", f"as of {catalog.updated.isoformat()}")


def library(settings: Settings) -> Iterator[Finding]:
    """Yield whether the library can be read, what it holds, its problems, and files that Git LFS has not fetched."""
    root = settings.library_root
    if not root.is_dir():
        text = f"set `library` to your story's root folder, or make one: snakemake init --config library={root.name}"
        yield Finding("error", "library", f"there is no folder {root}", text)
        return
    from chargen.library.load import load_library

    found = load_library(
        root, exclude=settings.exclude, adopt_existing=settings.adopt_existing, provider=settings.provider
    )
    scenes = sum(len(entity.scenes) for entity in found.entities.values())
    held = f"{root}: {_many(len(found.entities), 'entity', 'entities')}, {_many(scenes, 'scene')}"
    if found.entities:
        yield Finding("ok", "library", held)
    else:
        text = "it needs characters/, locations/ or chapters/ with a folder for each entity and its imagery.yaml"
        yield Finding("error", "library", f"{root} holds no entity", "; ".join((text, *found.notices[:1])))
    for notice in found.notices if found.entities else found.notices[1:]:
        yield Finding("ok", "library", notice)
    for level in ("error", "warning"):
        problems = [problem for problem in found.problems if problem.severity == level]
        if problems:
            kinds = ", ".join(f"{n} × {code}" for code, n in Counter(p.code for p in problems).most_common())
            text = "; ".join(str(problem) for problem in problems[:SHOWN_PROBLEMS])
            more = " …" if len(problems) > SHOWN_PROBLEMS else ""
            yield Finding("warning" if level == "warning" else "error", "library", kinds, text + more)
    pointers = lfs_pointers(root)
    if pointers:
        says = f"{_many(len(pointers), 'picture')} not fetched by Git LFS, like {pointers[0]}"
        yield Finding("error", "library", says, "run `git lfs pull` in the library: pointers cannot be references")


def lfs_pointers(root: Path) -> list[str]:
    """Return the pictures of the library at *root* that are Git LFS pointers, by path below it."""
    from chargen.library.folders import is_image_name
    from chargen.library.model import KIND_FOLDERS
    from chargen.pictures.formats import is_lfs_pointer

    return [
        path.relative_to(root).as_posix()
        for folder in KIND_FOLDERS
        for path in sorted((root / folder).rglob("*"))
        if is_image_name(path.name) and is_lfs_pointer(path)
    ]


def own_state(settings: Settings, state: State) -> Iterator[Finding]:
    """Yield what is in flight, and what state/ itself suffers from."""
    try:
        journal = Journal(state)
    except (OSError, KeyError, ValueError) as error:
        text = "restore state/ from a backup, or move it aside: then `snakemake collect` brings in the server's jobs"
        yield Finding("error", "state", f"{state.journal} cannot be read: {error!r}", text)
        return
    flying = journal.in_flight()
    unnamed = [entry for entry in flying if not entry.job]
    if unnamed:
        says = f"{_many(len(unnamed), 'batch', 'batches')} asked for without an answer"
        yield Finding("warning", "state", says, "the next generate_all finds out whether the job was made")
    late = [entry for entry in flying if _hours(entry.submitted) > settings.poll.deadline_h]
    if late:
        says = f"{_many(len(late), 'batch', 'batches')} in flight for longer than {settings.poll.deadline_h:g} h"
        yield Finding("warning", "state", says, "snakemake generate_all cancels and collects them; snakemake jobs")
    if not (unnamed or late):
        told = f"{len(flying)} in flight" if flying else "nothing in flight"
        yield Finding("ok", "state", f"{_many(len(journal.entries), 'batch', 'batches')} known, {told}")


def disk(settings: Settings) -> Iterator[Finding]:
    """Yield how much room there is for state and library, and whether they can be written."""
    seen: set[int] = set()
    for name, path in (("state", Path(settings.home)), ("library", Path(settings.library))):
        folder = _existing(path)
        device = folder.stat().st_dev
        if not os.access(folder, os.W_OK):
            yield Finding(
                "error", "disk", f"{folder} cannot be written", f"give yourself the right to write the {name}"
            )
        if device in seen:
            continue
        seen.add(device)
        yield from drive(name, folder, mounts())
        free = shutil.disk_usage(folder).free
        level: Level = "error" if free < LEAST_FREE_BYTES else "warning" if free < LOW_FREE_BYTES else "ok"
        text = "" if level == "ok" else "a result line takes about 4 MB: 500 pictures need 2 GB while they are applied"
        yield Finding(level, "disk", f"{size(free)} free for the {name}", text)


def drive(name: str, folder: Path, mounted: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is special about the drive that *folder* is on; *mounted* is the file system by mount point."""
    points = [point for point in mounted if folder == Path(point) or Path(point) in folder.parents]
    kind = mounted[max(points, key=len)] if points else ""
    if kind.startswith(NETWORK_DRIVES):
        text = (
            "locks may not hold between machines there: let one machine at a time work on this library, or start "
            "snakemake in a folder on a disk of this machine"
        )
        yield Finding("warning", "disk", f"{folder} is on a network drive ({kind})", text)
    twin = folder.with_name(folder.name.swapcase())
    if twin.name != folder.name and twin.exists() and twin.samefile(folder):
        text = "two scenes or folders whose names differ in that alone cannot be kept apart; give them other names"
        yield Finding("ok", "disk", f"the {name}'s disk does not tell upper from lower case", text)


def locks(state: State) -> Iterator[Finding]:
    """Yield whether files can be locked where the state is: that is what keeps two runs from paying twice."""
    try:
        with state.lock("doctor"):
            return
    except (OSError, NotImplementedError) as error:
        text = "start snakemake in a folder on a disk of this machine: without locks two runs may hinder each other"
        yield Finding("error", "disk", f"files cannot be locked in {state.root}: {error}", text)


def library_lock(library: Path) -> Iterator[Finding]:
    """Yield whether this user may take the library's own lock, which all its checkouts share."""
    path = library / LOCK_FILE
    if path.exists() and not os.access(path, os.W_OK):
        text = "give yourself the right to write that file, or delete it while chargen does not run"
        yield Finding("warning", "disk", f"{path} cannot be locked, so other users may write at the same time", text)


def mounts() -> dict[str, str]:
    """Return the file system by mount point, nothing where the system does not tell."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return {}
    # A blank in a mount point is written as an octal number.
    return {fields[1].replace("\\040", " "): fields[2] for line in lines if len(fields := line.split()) > 2}


def _model(catalog: Catalog, use: str, choice: ModelChoice, name: str, today: dt.date) -> Iterator[Finding]:
    """Yield how the model *name*, used for *use*, stands in the models file."""
    find = catalog.text_model if use.startswith("analyze") else catalog.image_model
    try:
        model = find(name)
    except ChargenError as error:
        yield Finding("error", "models", f"{use}: {error}")
        return
    instead = f"use {model.successor} instead" if model.successor else "choose another; `snakemake prices` lists them"
    shutdown = catalog.entry(name).get("shutdown", "")
    days = (dt.date.fromisoformat(shutdown) - today).days if shutdown else SHUTDOWN_DAYS + 1
    if days <= SHUTDOWN_DAYS:
        says = f"{use}: {name} is shut down on {shutdown}, in {_many(days, 'day')}"
        yield Finding("warning", "models", says, instead)
    elif model.deprecated:
        yield Finding("warning", "models", f"{use}: {name} is deprecated", instead)
    else:
        yield Finding("ok", "models", f"{use}: {name}")
    operation = use.partition(",")[0]
    usual = UNSENT_TEMPERATURE[operation]
    if choice.temperature != usual and "temperature" not in model.takes.parameters:
        says = f"models.{operation}.temperature: {choice.temperature:g} is not sent, because {name} takes none"
        yield Finding("warning", "models", says, f"leave it away, or set it to {usual:g}, the default; nothing changes")
    for says in not_sent(operation, model, choice):
        yield Finding("warning", "models", says, "set one of those, or leave it empty")


def _asker(url: str, secret: str) -> Ask:
    def ask(path: str) -> Answer:
        import httpx2

        from chargen.base import http

        try:
            with http.client(url, secret, QUESTION_TIMEOUT_S, {http.KEY_HEADER: secret}) as client:
                answer = client.get(f"{url}/{config.API_VERSION}/{path}")
        except (httpx2.HTTPError, ChargenError) as error:
            return Answer(0, http.in_words(error))
        try:
            body = answer.json()
        except ValueError:
            body = {}
        body = body if isinstance(body, dict) else {}
        refusal = body.get("error")
        said = refusal.get("message") if isinstance(refusal, dict) else None
        message = str(said or answer.reason_phrase)
        return Answer(answer.status_code, redacted(message)[:300], answer.headers.get("date", ""), body)

    return ask


def _existing(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def _hours(moment: str) -> float:
    from chargen.base.timestamps import age_s

    return (age_s(moment) or 0.0) / 3600


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _many(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
