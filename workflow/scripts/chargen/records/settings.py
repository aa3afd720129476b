"""The configuration: one checked, frozen object made from Snakemake's ``config`` dictionary."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.base.output import EMULATOR_KEY as EMULATOR_KEY
from chargen.base.output import keep_secret

DEFAULT_CONFIG = schema.ROOT / "config" / "config.yaml"
KEY_VARIABLES = ("GEMINI_API_KEY", "GOOGLE_API_KEY", "MYTHICINDEX_GOOGLE_API_KEY")
GEMINI_URL = "https://generativelanguage.googleapis.com"
API_VERSION = "v1beta"  # /v1 lacks preview models and some features

Provider = Literal["emulator", "gemini"]


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """A model and how it is called; what it does not take is not sent (see `chargen.providers.parameters`)."""

    model: str
    fallback: str
    temperature: float
    thinking_level: str = ""
    media_resolution: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    max_tasks: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Upload:
    concurrency: int
    timeout_s: float
    attempts: int


@dataclass(frozen=True, slots=True)
class Submit:
    timeout_s: float
    grace_s: float


@dataclass(frozen=True, slots=True)
class Poll:
    interval_s: float
    deadline_h: float
    settle_s: float = 600.0


@dataclass(frozen=True, slots=True)
class Limits:
    tier: int
    concurrent_jobs: int
    enqueued_tokens: int
    storage_bytes: int


@dataclass(frozen=True, slots=True)
class Cleanup:
    after_apply: bool
    keep_responses_d: float


@dataclass(frozen=True, slots=True)
class Emulator:
    job_s: float
    idle_exit_s: float
    options: str


@dataclass(frozen=True, slots=True)
class Logs:
    level: Literal["debug", "info", "warning", "error"]
    events: Literal["debug", "info", "warning", "error", "off"]
    max_bytes: int


@dataclass(frozen=True, slots=True)
class Analyze:
    store: Literal["imagery", "sidecar"]


@dataclass(frozen=True, slots=True)
class Enhance:
    """``input_dir`` and ``output_dir`` are absolute; ``job_name`` is never empty."""

    input_dir: str
    output_dir: str
    prompt: str
    image_size: str
    variations: int
    job_name: str


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a run, checked; ``library`` is absolute. ``home`` is the folder that holds state/ and results/.

    ``source`` is the library that ``library`` is a working copy of, or ``""``. ``snakemake`` and ``given`` say how the
    run was called, for `chargen.records.commands`. No secret is ever in here.
    """

    home: str
    library: str
    source: str
    library_id: str
    provider: Provider
    base_url: str
    scope: str
    only: tuple[str, ...]
    budget_usd: float | None
    strict: bool
    exclude: tuple[str, ...]
    adopt_existing: bool
    missing_references: str
    unreadable_references: str
    record_prompt: str
    provenance: Literal["none", "sidecar", "picture"]
    models: Mapping[str, ModelChoice]
    batch: Batch
    upload: Upload
    submit: Submit
    poll: Poll
    retry_max_attempts: int
    limits: Limits
    safety_settings: tuple[Mapping[str, str], ...]
    cleanup: Cleanup
    emulator: Emulator
    logs: Logs
    scenes: tuple[str, ...]
    state: str
    job: str
    format: str
    run_id: str
    cancel: tuple[str, ...]
    delete: tuple[str, ...]
    files: tuple[str, ...]
    older_than_h: float
    confirm: bool
    force: str
    approve: tuple[str, ...]
    reject: tuple[str, ...]
    pick: tuple[str, ...]
    note: str
    reviews: str
    analyze: Analyze
    enhance: Enhance
    analysis: str
    prompts: str
    styles: str
    models_file: str
    store_requests: bool = False
    budget_month_usd: float | None = None
    snakemake: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def library_root(self) -> Path:
        """Where the library is read: the working copy once it exists, else what it will be copied from."""
        copy = Path(self.library)
        return Path(self.source) if self.source and not copy.is_dir() else copy

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Settings:
        """Return the settings that `to_json` wrote."""
        values = dict(data)
        lists = (
            "only",
            "exclude",
            "safety_settings",
            "scenes",
            "cancel",
            "delete",
            "files",
            "approve",
            "reject",
            "pick",
            "snakemake",
            "given",
        )
        for name in lists:
            values[name] = tuple(values.get(name, ()))
        values["models"] = {use: ModelChoice(**choice) for use, choice in values["models"].items()}
        groups: dict[str, Any] = {"batch": Batch, "upload": Upload, "submit": Submit, "poll": Poll, "limits": Limits}
        for name, group in (
            groups | {"cleanup": Cleanup, "emulator": Emulator, "logs": Logs, "analyze": Analyze, "enhance": Enhance}
        ).items():
            values[name] = group(**values[name])
        return cls(**values)


def settings(config: Mapping[str, Any], home: Path) -> Settings:
    """Check Snakemake's *config* and return it as Settings; paths in it are relative to *home*.

    Whether there is a library is for those to find out who read it: `init` makes one, and looking at jobs needs none.
    Values may come as text from ``--config``; they are converted by the schema's types. Raises ChargenError naming
    every key that is unknown or wrong.
    """
    data = _typed(dict(config), schema.load_schema("config"))
    schema.check("config", data, "configuration")
    gemini = data["provider"] == "gemini"
    library, source = _library_folders(data["library"], home)
    submit = data["submit"]
    return Settings(
        home=str(home),
        library=str(library),
        source=str(source) if source else "",
        library_id=data["library_id"] or _library_id(library),
        provider=data["provider"],
        base_url=_base_url(data["base_url"], gemini),
        scope=data["scope"],
        only=tuple(data["only"]),
        budget_usd=_budget(data["budget_usd"], gemini),
        strict=data["strict"],
        exclude=tuple(data["exclude"]),
        adopt_existing=data["adopt_existing"],
        missing_references=data["missing_references"],
        unreadable_references=data["unreadable_references"],
        record_prompt=data["record_prompt"],
        provenance=data["provenance"],
        models={use: ModelChoice(**choice) for use, choice in data["models"].items()},
        batch=Batch(**data["batch"]),
        upload=Upload(**data["upload"]),
        submit=Submit(
            timeout_s=float(submit["timeout_s"] or (120 if gemini else 20)),
            grace_s=float(submit["grace_s"] if submit["grace_s"] != "" else (60 if gemini else 2)),
        ),
        poll=Poll(**data["poll"]),
        retry_max_attempts=data["retry"]["max_attempts"],
        limits=Limits(**data["limits"]),
        safety_settings=tuple(data["safety_settings"]),
        store_requests=data["store_requests"],
        budget_month_usd=None if data["budget_month_usd"] == "" else float(data["budget_month_usd"]),
        cleanup=Cleanup(**data["cleanup"]),
        emulator=Emulator(**data["emulator"]),
        logs=Logs(**data["logs"]),
        scenes=tuple(data["scenes"]),
        state=data["state"],
        job=data["job"],
        format=data["format"],
        run_id=data["run_id"],
        cancel=tuple(data["cancel"]),
        delete=tuple(data["delete"]),
        files=tuple(data["files"]),
        older_than_h=data["older_than_h"],
        confirm=data["confirm"],
        force=data["force"],
        approve=tuple(data["approve"]),
        reject=tuple(data["reject"]),
        pick=tuple(data["pick"]),
        note=data["note"],
        reviews=str(home / Path(data["reviews"]).expanduser()) if data["reviews"] else "",
        analyze=Analyze(**data["analyze"]),
        enhance=_enhance(data["enhance"], home),
        analysis=str(_resource(data["analysis"], home)),
        prompts=str(_resource(data["prompts"], home)),
        styles=str(_resource(data["styles"], home)),
        models_file=str(_resource(data["models_file"], home)),
    )


def api_key(provider: Provider, home: Path) -> str:
    """Return the key from the environment, else from `dotenv_file`; raise ChargenError if there is none, or if it holds
    what no key holds."""
    if provider == "emulator":
        return EMULATOR_KEY
    for found in found_keys(home, os.environ):
        if trouble := found.trouble:
            raise ChargenError(trouble)
        return found.value
    raise ChargenError(
        f"no API key: put GEMINI_API_KEY=… into the file {home / '.env'}, or into the environment "
        "(get one at https://aistudio.google.com/apikey)"
    )


@dataclass(frozen=True, slots=True)
class FoundKey:
    """An API key, where it was found, and in which variable."""

    place: str
    name: str
    value: str = field(repr=False)

    @property
    def trouble(self) -> str:
        """Why it cannot be sent, in words that do not show it; empty if it can. It becomes an HTTP header."""
        for number, sign in enumerate(self.value, 1):
            if "!" <= sign <= "~":
                continue
            what = "a line break" if sign in "\r\n" else "a blank" if sign.isspace() else "a control character"
            if sign.isprintable() and not sign.isspace():
                what = "not an ASCII letter, digit or sign"
            return (
                f"{self.name} from {self.place} is not a valid API key: character {number} of {len(self.value)} is "
                f"{what}. Copy the key again; nothing was sent"
            )
        return ""


def found_keys(home: Path, environment: Mapping[str, str]) -> Iterator[FoundKey]:
    """Yield every key of the *environment* and of `dotenv_file`, the one that counts first. None of them is printed by
    this process from then on."""
    yield from _keys_in(environment, "the environment")
    if file := dotenv_file(home):
        yield from _keys_in(_dotenv(file), str(file))


def _keys_in(values: Mapping[str, str | None], place: str) -> Iterator[FoundKey]:
    for name in KEY_VARIABLES:
        if value := (values.get(name) or "").strip():
            keep_secret(value)
            yield FoundKey(place, name, value)


def _dotenv(file: Path) -> dict[str, str | None]:
    """Return what the *file* sets; raise ChargenError if it is no text. Windows writes it in UTF-16 at times."""
    import io

    from dotenv import dotenv_values

    content = file.read_bytes()
    utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        text = content.decode("utf-16" if utf16 else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ChargenError(f"{file}:{line}: the file is not UTF-8; save it as UTF-8 (the key is not read)") from None
    if "\0" in text:
        raise ChargenError(f"{file}: the file is not UTF-8 text; save it as UTF-8 (the key is not read)")
    return dotenv_values(stream=io.StringIO(text.replace("\r\n", "\n").replace("\r", "\n")))


def dotenv_file(home: Path) -> Path | None:
    """Return the ``.env`` in force: the one in the working directory *home*, else the one beside the Snakefile."""
    return next((folder / ".env" for folder in (home, schema.ROOT) if (folder / ".env").is_file()), None)


def _real(path: Path) -> Path:
    """*path* with its links followed; one that leads in a circle is left for those who read it."""
    return Path(os.path.realpath(path))


def _library_folders(written: str, home: Path) -> tuple[Path, Path | None]:
    root = _real(home / Path(written).expanduser())
    if root.is_relative_to(schema.ROOT / "examples"):
        return _real(home / "library" / root.name), root
    return root, None


def _library_id(library: Path) -> str:
    name = re.sub(r"[^a-z0-9]+", "-", library.name.lower()).strip("-")[:40].strip("-")
    if not name:
        raise ChargenError(
            f"configuration: library_id: the folder name {library.name!r} has no letter or digit; set "
            "`library_id` to a short name"
        )
    return name


def _base_url(written: str, gemini: bool) -> str:
    name, url = "configuration: base_url", written.strip()
    if gemini and not url:
        name, url = "GOOGLE_GEMINI_BASE_URL", os.environ.get("GOOGLE_GEMINI_BASE_URL", "").strip() or GEMINI_URL
    if url and not _is_address(url):
        raise ChargenError(f"{name}: {url} is not the address of a server; expected https://host or http://host:port")
    return url.rstrip("/")


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    usable = parts.scheme in ("http", "https") and parts.hostname and not (parts.query or parts.fragment)
    return bool(usable and port != 0 and not any(sign.isspace() for sign in url))


def _budget(written: float | str, gemini: bool) -> float | None:
    if written == "":
        return 10.0 if gemini else None
    return float(written)


def _enhance(data: Mapping[str, Any], home: Path) -> Enhance:
    source = _real(home / Path(data["input_dir"]).expanduser())
    target = _real(home / Path(data["output_dir"]).expanduser())
    name = data["job_name"] or re.sub(r"[^A-Za-z0-9._-]+", "-", source.name).strip("-.")[:64] or "pictures"
    return Enhance(**{**data, "input_dir": str(source), "output_dir": str(target), "job_name": name})


def _resource(written: str, home: Path) -> Path:
    """A file of the user's, or of the same name in the checkout."""
    path = home / Path(written).expanduser()
    return path if path.exists() else schema.ROOT / written


def _typed(value: Any, rule: Mapping[str, Any]) -> Any:
    """Convert text from the command line to what the schema *rule* wants; leave everything else alone."""
    kind = rule.get("type")
    if kind == "object" and isinstance(value, Mapping):
        rules = rule.get("properties", {})
        return {key: _typed(item, rules.get(key, {})) for key, item in value.items()}
    if kind == "array":
        items = re.split(r"[\s,]+", value.strip()) if isinstance(value, str) else value
        return [item for item in items if item != ""] if isinstance(items, list) else items
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return value
    if kind == "boolean" and value.lower() in ("true", "false", "yes", "no"):
        return value.lower() in ("true", "yes")
    wants_number = kind in ("integer", "number") or any(r.get("type") == "number" for r in rule.get("oneOf", ()))
    if wants_number:
        try:
            return int(value) if re.fullmatch(r"-?\d+", value) else float(value)
        except ValueError:
            return value
    return value
