"""The groups of the configuration, like ``batch`` and ``upload``: every key with its default and its description."""

from __future__ import annotations

from typing import Literal

from chargen.base.frozen import frozen
from chargen.records.declaring import group, key

ThinkingLevel = Literal["", "minimal", "low", "medium", "high"]
Resolution = Literal["", "low", "medium", "high"]

SAFETY_SETTING = {
    "type": "object",
    "description": "One setting.",
    "additionalProperties": False,
    "required": ["category", "threshold"],
    "properties": {
        "category": {"type": "string", "description": "HARM_CATEGORY_…"},
        "threshold": {"type": "string", "description": "BLOCK_…"},
    },
}


@frozen
class ModelChoice:
    """A model and its parameters; unsupported ones are not sent (see `chargen.providers.parameters`)."""

    model: str = key("", "Name of the model.", minLength=1)
    fallback: str = key(
        "",
        "Model that is used if `model` has been shut down or is unknown to the server; empty for none.",
    )
    temperature: float = key(
        1.0,
        "0 to 2. Sent only to models that take it (`parameters` in config/models.yaml).",
        minimum=0,
        maximum=2,
    )
    thinking_level: ThinkingLevel = key(
        "",
        "How long the model thinks, which is billed as output; empty: the model's own default. Sent only to models "
        "that take it (`thinking_levels` in config/models.yaml).",
    )
    media_resolution: str = ""


@frozen
class LookingModelChoice(ModelChoice):
    """A model for analyses."""

    media_resolution: Resolution = key(
        "",
        "How closely the model looks at a picture, in tokens; empty: the model's own default. Sent only to models that "
        "take it (`media_resolution` in config/models.yaml).",
    )


@frozen
class Models:
    """Which model each operation uses."""

    generate: ModelChoice = group(
        ModelChoice,
        "For making pictures.",
        model="gemini-nano-banana-2.1",
        fallback="gemini-3-pro-image",
    )
    analyze: LookingModelChoice = group(
        LookingModelChoice,
        "For looking at pictures.",
        model="gemini-3.8-flash",
        fallback="gemini-3.5-flash-lite",
        temperature=0.2,
    )
    enhance: ModelChoice = group(
        ModelChoice,
        "For making pictures from pictures.",
        model="gemini-nano-banana-2.1",
        fallback="gemini-3-pro-image",
    )


@frozen
class Batch:
    max_tasks: int = key(500, "Pictures in one remote job.", minimum=1)
    max_bytes: int = key(1_000_000_000, "Size of one request file, in bytes.", minimum=1000)


@frozen
class Upload:
    concurrency: int = key(10, "Reference images that are sent at the same time.", minimum=1, maximum=64)
    timeout_s: float = key(300, "Seconds for one chunk of a file.", minimum=1)
    attempts: int = key(4, "How many times one upload is tried.", minimum=1)


@frozen
class Submit:
    """Both are filled in by the provider where users leave them empty."""

    timeout_s: float = key(
        "",
        "Seconds that the answer to a create may take. Empty: 120 under gemini, 20 under the emulator.",
        minimum=1,
        or_empty=True,
    )
    grace_s: float = key(
        "",
        "Seconds after that during which a job may still appear in the server's list before it counts as never "
        "created. Empty: 60 under gemini, 2 under the emulator.",
        minimum=0,
        or_empty=True,
    )


@frozen
class Poll:
    interval_s: float = key(30, "Longest pause between two checks of a job, in seconds.", minimum=0.1)
    deadline_h: float = key(24, "Hours after which a job is cancelled.", minimum=0)
    settle_s: float = key(
        600,
        "For how many seconds the server must go on sending the same incomplete results, or saying that a job is gone, "
        "until that counts. With less, a temporary fault can cost paid pictures.",
        minimum=0,
    )


@frozen
class Retry:
    max_attempts: int = key(3, "How many times a picture is sent at most.", minimum=1)


@frozen
class Limits:
    tier: int = key(1, "Usage tier of the account.", minimum=1, maximum=3)
    concurrent_jobs: int = key(0, "Jobs at once.", minimum=0)
    enqueued_tokens: int = key(0, "Tokens of all waiting jobs of a model.", minimum=0)
    storage_bytes: int = key(0, "Bytes of uploaded files.", minimum=0)


@frozen
class Cleanup:
    after_apply: bool = key(
        True,
        "Delete a job, its request file and references that no other job needs from the server once its receipt is "
        "stored here.",
    )
    keep_responses_d: float = key(30, "Days that raw answers stay in state/ after they were applied.", minimum=0)


@frozen
class Emulator:
    job_s: float = key(2, "Seconds that a job takes.", minimum=0)
    idle_exit_s: float = key(900, "Seconds without a call until it ends; 0: never.", minimum=0)
    options: str = key("", "More of its command-line options (`python -m chargen emulator --help`).")


@frozen
class Logs:
    level: Literal["debug", "info", "warning", "error"] = key(
        "debug", "Lowest level that goes to the log of each step."
    )
    events: Literal["debug", "info", "warning", "error", "off"] = key(
        "info", "Lowest level that goes to logs/events.ndjson, a log for programs; off: nothing."
    )
    max_bytes: int = key(
        20_000_000,
        "An events file that is larger when a run starts is renamed to logs/events.1.ndjson, which replaces the one "
        "before.",
        minimum=1000,
    )


@frozen
class Analyze:
    store: Literal["imagery", "sidecar"] = key(
        "imagery",
        "Where an analysis is written: as an item of `image_inventory` in the entity's imagery.yaml, or into a file "
        "<picture>.analysis.json beside the picture.",
    )


@frozen
class Enhance:
    """In `Settings`, ``input_dir`` and ``output_dir`` are absolute, and ``job_name`` is never empty."""

    input_dir: str = key("input_images", "Folder with the pictures, subfolders included.", minLength=1)
    output_dir: str = key(
        "generated_images",
        "The results go to a folder of the job's name in this one, under the same names.",
        minLength=1,
    )
    prompt: str = key(
        "",
        "The prompt for each picture. A prompt.txt in a folder replaces it for that folder and those below it; "
        "<name>.txt beside a picture replaces it for that picture.",
    )
    image_size: str = key(
        "2K", "Size of the results, one of those that the model has in config/models.yaml.", minLength=1
    )
    variations: int = key(1, "Results for each picture.", minimum=1, maximum=64)
    job_name: str = key(
        "",
        "Name of the results' folder; empty: the input folder's name.",
        pattern="^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$",
    )
