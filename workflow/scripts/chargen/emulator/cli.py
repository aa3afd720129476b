"""The command line of the emulator: ``chargen emulator`` and ``python -m chargen.emulator``."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from pathlib import Path

from chargen.base.errors import ChargenError
from chargen.base.schemas import ROOT
from chargen.emulator import campaign, fault_plan
from chargen.emulator.strictness import PRESETS

DESCRIPTION = (
    "A stand-in for the Gemini API on 127.0.0.1: uploads, files, batches, downloads and generateContent, "
    "answered with placeholder pictures. Point any client at it by its base URL (http_options.base_url, or "
    "GOOGLE_GEMINI_BASE_URL in the environment) with any API key. GET /admin/log, /admin/counts and /admin/executed "
    "say what happened; POST /admin/faults, /admin/seed, /admin/clock, /admin/jobs, /admin/vanish, /admin/expire and "
    "/admin/reset direct it (docs/emulator.md)."
)
_HELP = {
    "port": "port on 127.0.0.1; 0: the port of the last run in this state folder, or a free one",
    "state": "folder for files, jobs and log; kept between runs",
    "seconds": "a job is done after S seconds (2; 0 with --job-polls)",
    "polls": "a job is done after N looks at it by get or list",
    "idle": "go away after S seconds without a request (0: never)",
    "faults": "a fault plan in JSON, as POST /admin/faults takes it",
    "seed": "random trouble drawn from N: 10%% of the calls, 5%% of the lines",
    "lies": "with --seed: a share of 0 to 1 of wrong bodies, denials, redirects, and jobs that vanish",
    "key": "a key to refuse (any other is taken; unless given: 'invalid'); repeatable",
    "models": "the models to serve, as config/models.yaml lists them; a change counts at once",
    "serve": "a retired or invented model to serve; repeatable",
    "strictness": "how requests are read where reports of the API differ: usual, strict or loose (docs/emulator.md)",
    "api": "one of these choices by itself, like rows=snake_case; repeatable",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the emulator's options to *parser*."""
    parser.description = parser.description or DESCRIPTION
    add = parser.add_argument
    add("--port", type=int, default=0, help=_HELP["port"])
    add("--state", type=Path, default=Path("state/emulator-server"), metavar="DIR", help=_HELP["state"])
    add("--job-seconds", type=float, metavar="S", help=_HELP["seconds"])
    add("--job-polls", type=int, metavar="N", help=_HELP["polls"])
    add("--idle-exit", type=float, default=0.0, metavar="S", help=_HELP["idle"])
    add("--faults", type=Path, metavar="FILE", help=_HELP["faults"])
    add("--seed", type=int, metavar="N", help=_HELP["seed"])
    add("--lies", type=float, metavar="SHARE", help=_HELP["lies"])
    add("--invalid-key", action="append", default=[], metavar="KEY", help=_HELP["key"])
    add("--models", type=Path, default=ROOT / "config" / "models.yaml", metavar="FILE", help=_HELP["models"])
    add("--also-serve", action="append", default=[], metavar="MODEL", help=_HELP["serve"])
    add("--strictness", choices=list(PRESETS), default="usual", help=_HELP["strictness"])
    add("--api", action="append", default=[], metavar="NAME=VALUE", help=_HELP["api"])


def run(args: argparse.Namespace) -> int:
    """Serve until stopped or idle; 0 in the end, 1 when the options or the state folder do not allow it."""
    from chargen.emulator import server
    from chargen.emulator.catalogue import ModelsFile

    try:
        plan = fault_plan.read(plan_of(args))
        server.serve(
            args.state,
            port=args.port,
            plan=plan,
            idle_exit_s=args.idle_exit,
            invalid_keys=args.invalid_key or ["invalid"],
            models=ModelsFile(args.models, args.also_serve),
        )
    except ChargenError as error:
        print(f"chargen emulator: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def plan_of(args: argparse.Namespace) -> dict[str, object]:
    """The fault plan that the options ask for, as `fault_plan.read` takes it; ChargenError if they contradict."""
    plan: dict[str, object] = {}
    if args.faults is not None:
        try:
            plan = json.loads(args.faults.read_text(encoding="utf-8"))
        except OSError as error:
            raise ChargenError(f"{args.faults}: cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise ChargenError(f"{args.faults}: is not JSON: {error}") from None
        if not isinstance(plan, dict):
            raise ChargenError(f"{args.faults}: must hold a JSON object")
    if api := _api(args, plan.get("api")):
        plan["api"] = api
    job = plan.get("job")
    job = dict(job) if isinstance(job, dict) else {}
    if args.job_polls is not None:
        job["polls"] = args.job_polls
        job.setdefault("seconds", 0)
    if args.job_seconds is not None:
        job["seconds"] = args.job_seconds
    if job:
        plan["job"] = job
    if args.seed is not None:
        lies = {} if args.lies is None else dict.fromkeys(campaign.LIES, args.lies)
        plan["campaign"] = {"seed": args.seed, "calls": 0.1, "lines": 0.05, "lies": lies}
    elif args.lies is not None:
        raise ChargenError("--lies needs --seed: the number that they are drawn from")
    return plan


def _api(args: argparse.Namespace, given: object) -> object:
    """The section ``api``: the preset, what a fault plan gives, then single choices."""
    if given is not None and not isinstance(given, dict):
        return given  # refused where plans are read
    api = {**dataclasses.asdict(PRESETS[args.strictness]), **(given or {})}
    for item in args.api:
        name, equals, value = item.partition("=")
        if not equals:
            raise ChargenError(f"--api {item}: must be NAME=VALUE")
        api[name] = json.loads(value) if value in ("true", "false") or value.isdigit() else value
    return api
