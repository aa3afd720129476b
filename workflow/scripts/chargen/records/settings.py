"""The configuration: one checked, frozen object made from Snakemake's ``config`` dictionary."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import asdict, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar
from urllib.parse import urlsplit

from chargen.base import schemas as schema
from chargen.base.capabilities import Capabilities, capabilities
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.output import EMULATOR_KEY as EMULATOR_KEY
from chargen.records.api_keys import api_key as api_key
from chargen.records.api_keys import dotenv_file as dotenv_file
from chargen.records.api_keys import found_keys as found_keys
from chargen.records.declaring import Key, declaration_of, defaults_of, group, key
from chargen.records.library_settings import read_library_settings
from chargen.records.setting_groups import (
    SAFETY_SETTING,
    Analyze,
    Batch,
    Cleanup,
    Emulator,
    Enhance,
    Limits,
    Logs,
    ModelChoice,
    Models,
    Poll,
    Retry,
    Submit,
    Upload,
)  # fmt: skip

if TYPE_CHECKING:  # a step of a batch takes no arguments of commands: it starts without reading what they are
    from chargen.records.arguments import Arguments

DEFAULT_CONFIG = schema.ROOT / "config" / "config.yaml"
FILE_KEYS = ("analysis", "prompts", "styles", "models_file")
"""Keys that name a file, the user's own or one of the checkout."""


@frozen
class Settings:
    """All settings of a run, checked: each key of the configuration with its default and its description.

    Here ``library`` and the paths of files are absolute, and what users may leave empty is filled in. ``home`` is the
    folder that holds state/ and results/. ``source`` is the library that ``library`` is a working copy of, or ``""``.
    ``arguments`` holds those of single commands that were given (see `chargen.records.arguments`). ``snakemake`` and
    ``given`` say how the run was called, for `chargen.records.commands`. No secret is ever in here.

    ``look`` is what the library's ``chargen.yaml`` says under keys of ``config/styles.yaml``. ``sources`` says where
    values come from, by dotted key, as far as they are of that file or typed over it. ``library_fault`` says why that
    file cannot be used: nothing can be planned then, and what was sent can still be collected.
    """

    home: str
    source: str = ""
    library: str = key(
        "examples/saltmere",
        "Root folder of the story library, with characters/, locations/ and chapters/. A library below this checkout's "
        "examples/ is never written: chargen works on a copy of it in library/<name>/, which git ignores.",
        minLength=1,
    )
    library_id: str = key(
        "",
        "Name of the library in its state and in the server's list of jobs: lower-case letters, digits and dashes. "
        "Empty: the folder's name. Set it to the old name when the folder is renamed.",
        pattern="^([a-z0-9][a-z0-9-]{0,39})?$",
    )
    provider: str = key(
        "emulator",
        "What makes the pictures: `emulator` (built in, free, draws placeholders), `gemini` (needs a key in .env, "
        "costs money), or the name of another provider that is installed.",
        pattern="^[a-z][a-z0-9_-]*$",
    )
    base_url: str = key(
        "",
        "Another address of the API. Empty: Google's, or GOOGLE_GEMINI_BASE_URL; under `emulator`, the built-in one.",
        pattern="^(https?://.*)?$",
    )
    scope: Literal["all", "characters", "locations", "chapters"] = key("all", "Which kinds of entities a run looks at.")
    only: tuple[str, ...] = key(
        (),
        'Globs over kind/entity/scene that narrow a run, as a list or separated by spaces: "character/oda-*/*".',
    )
    budget_usd: float | None = key(
        None,
        "The most that may be submitted within 24 hours, in US dollars. Empty: 10 under gemini, no limit under the "
        "emulator.",
        minimum=0,
    )
    budget_month_usd: float | None = key(
        None, "The most that may be submitted within 30 days, in US dollars. Empty: no limit.", minimum=0
    )
    strict: bool = key(False, "Refuse to start while the library has an error or a warning.")
    exclude: tuple[str, ...] = key((), "Globs over entity folders, like characters/drafts, to skip.")
    adopt_existing: bool = key(True, "Count pictures from before chargen as done.")
    missing_references: Literal["skip", "fail"] = key(
        "skip", "A reference that does not exist: `skip` it with a warning, or `fail` its scene."
    )
    unreadable_references: Literal["fail", "skip"] = key(
        "fail",
        "A reference that cannot be read (a Git LFS pointer, a broken image): `fail` its scene, or `skip` the "
        "reference.",
    )
    record_prompt: Literal["text", "hash"] = key(
        "text", "What a record stores of the prompt: its `text`, or only a `hash` of it."
    )
    provenance: Literal["none", "sidecar", "picture"] = key(
        "none",
        "Where the origin of a picture (key, prompt, model, references, batch, time) is stored besides its record: "
        "`none`; `sidecar`, a file <picture>.provenance.json beside it; or `picture`, inside it, without changing a "
        "pixel. The last invalidates the Content Credentials (C2PA) that Google adds to its pictures.",
    )
    models: Mapping[str, ModelChoice] = group(Models, "Which model each operation uses.")
    batch: Batch = group(Batch, "How tasks are grouped into batches.")
    upload: Upload = group(Upload, "Sending files.")
    submit: Submit = group(Submit, "Creating a job.")
    poll: Poll = group(Poll, "Waiting for a job.")
    retry: Retry = group(Retry, "Retries after temporary failures.")
    limits: Limits = group(
        Limits, "What the account allows; the numbers of each tier are in config/models.yaml. 0: as the tier says."
    )
    safety_settings: tuple[Mapping[str, str], ...] = key(
        (),
        "Passed on to the model as they are, for example "
        "[{category: HARM_CATEGORY_HARASSMENT, threshold: BLOCK_ONLY_HIGH}].",
        items=SAFETY_SETTING,
    )
    store_requests: bool = key(
        False,
        "Let Google store requests and answers for its own logs of the project, up to 55 days. Google does so by "
        "default for paid projects made since 2026-10-26; chargen asks it in every request not to.",
    )
    cleanup: Cleanup = group(Cleanup, "Removing what is no longer needed.")
    emulator: Emulator = group(Emulator, "The built-in emulator.")
    logs: Logs = group(Logs, "What is logged.")
    analyze: Analyze = group(Analyze, "For analyze_all: looking at pictures.")
    enhance: Enhance = group(Enhance, "For enhance_all: a new version of every picture in a folder.")
    analysis: str = key("config/analysis.yaml", "File with the prompt for analyses.", minLength=1)
    prompts: str = key("config/prompts.yaml", "File with the templates of prompts.", minLength=1)
    styles: str = key("config/styles.yaml", "File with styles, moods and art direction.", minLength=1)
    models_file: str = key("config/models.yaml", "File with the models, their limits and their prices.", minLength=1)
    look: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    library_fault: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    snakemake: tuple[str, ...] = ()
    given: tuple[str, ...] = ()

    @property
    def retry_max_attempts(self) -> int:
        """How many times a picture is sent at most."""
        return self.retry.max_attempts

    def asked(self, command: type[AnyArguments]) -> AnyArguments:
        """Return the arguments that were given, as *command* takes them."""
        return command.of(self.arguments)

    def asking(self, **arguments: Any) -> Settings:
        """Return these settings for a command that is given more *arguments*."""
        return replace(self, arguments={**self.arguments, **arguments})

    @property
    def capabilities(self) -> Capabilities:
        """What sets the provider apart from others. Raises UnknownProvider if its package is gone."""
        return capabilities(self.provider)

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
        """Return the settings that `to_json` wrote, also those of earlier versions."""
        values = dict(data)
        if "retry_max_attempts" in values:  # version 0.1.0
            values["retry"] = {"max_attempts": values.pop("retry_max_attempts")}
        if "arguments" not in values:  # version 0.1.0
            values["arguments"] = _arguments(values)
        known = {item.name: declaration_of(item) for item in fields(cls)}
        return cls(**{name: _from_json(value, known[name]) for name, value in values.items() if name in known})


AnyArguments = TypeVar("AnyArguments", bound="Arguments")


def _from_json(value: Any, declaration: Key | None) -> Any:
    if declaration and declaration.group is Models:
        return {use: ModelChoice(**choice) for use, choice in value.items()}
    if declaration and declaration.group:
        return declaration.group(**value)
    return tuple(value) if isinstance(value, list) else value


def settings(config: Mapping[str, Any], home: Path, typed: Mapping[str, Any] | None = None) -> Settings:
    """Check Snakemake's *config* and return it as Settings; paths in it are relative to *home*.

    What is *typed* at the command, or stands in files that were named there, goes before the ``chargen.yaml`` of the
    library; that goes before all else.

    Whether there is a library is for those to find out who read it: `init` makes one, and looking at jobs needs none.
    Values may come as text from ``--config``; they are converted by the schema's types. A key that is absent has its
    default. Raises ChargenError naming every key that is unknown or wrong.
    """
    data = _checked(config)
    facts = capabilities(data["provider"])
    library, source = _library_folders(data["library"], home)
    said = read_library_settings(library, source, home)
    data["budget_usd"] = _budget(data["budget_usd"], facts)
    data, sources = said.over(data, typed or {})
    submit, arguments = data["submit"], _arguments(data)
    if "reviews" in arguments:
        arguments["reviews"] = str(home / Path(arguments["reviews"]).expanduser())
    resolved = {
        "library": str(library),
        "source": str(source) if source else "",
        "library_id": data["library_id"] or _library_id(library),
        "base_url": _base_url(data["base_url"], facts),
        "budget_month_usd": float(data["budget_month_usd"]) if data["budget_month_usd"] not in ("", None) else None,
        "submit": {
            "timeout_s": float(submit["timeout_s"] or facts.create_timeout_s),
            "grace_s": float(submit["grace_s"] if submit["grace_s"] != "" else facts.grace_s),
        },
        "enhance": _enhance(data["enhance"], home),
        **{name: str(_resource(data[name], home)) for name in FILE_KEYS},
    }
    about = {"look": dict(said.look), "sources": sources, "library_fault": said.fault}
    return Settings.from_json({**data, **resolved, "home": str(home), "arguments": arguments, **about})


def configuration_rule() -> dict[str, Any]:
    """Return the JSON Schema of everything that may be typed behind ``--config``: settings, and commands' arguments."""
    settings_rule, arguments_rule = schema.load_schema("config"), schema.load_schema("arguments")
    return settings_rule | {"properties": {**settings_rule["properties"], **arguments_rule["properties"]}}


def _checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return *config* with defaults for absent keys; raise ChargenError unless it fits the schemas."""
    from chargen.records.arguments import default_arguments

    known = set(default_arguments())
    data = _typed(dict(config), configuration_rule())
    of_commands = {name: value for name, value in data.items() if name in known}
    of_run = _with_defaults({name: value for name, value in data.items() if name not in known}, defaults_of(Settings))
    faults = [*schema.errors("config", of_run, also=known), *schema.errors("arguments", of_commands)]
    schema.refuse(faults, "configuration")
    return {**of_run, **of_commands}


def _with_defaults(data: Any, defaults: Mapping[str, Any]) -> Any:
    """*data* with what it lacks, group by group."""
    if not isinstance(data, Mapping):
        return data
    return {
        **data,
        **{
            name: _with_defaults(data[name], value)
            if isinstance(value, dict) and name in data
            else data.get(name, value)
            for name, value in defaults.items()
        },
    }


def _arguments(data: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of commands in *data* that say something else than the default."""
    from chargen.records.arguments import default_arguments

    defaults = default_arguments()
    return {name: data[name] for name, value in defaults.items() if name in data and data[name] != value}


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


def _base_url(written: str, facts: Capabilities) -> str:
    name, url = "configuration: base_url", written.strip()
    if not url and not facts.is_embedded:
        name = facts.base_url_variable or name
        url = os.environ.get(facts.base_url_variable, "").strip() or facts.default_base_url
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


def _budget(written: float | str, facts: Capabilities) -> float | None:
    if written == "":
        return facts.budget_usd
    return float(written)


def _enhance(data: Mapping[str, Any], home: Path) -> dict[str, Any]:
    source = _real(home / Path(data["input_dir"]).expanduser())
    target = _real(home / Path(data["output_dir"]).expanduser())
    name = data["job_name"] or re.sub(r"[^A-Za-z0-9._-]+", "-", source.name).strip("-.")[:64] or "pictures"
    return {**data, "input_dir": str(source), "output_dir": str(target), "job_name": name}


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
