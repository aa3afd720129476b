"""The command line of the emulator: ``chargen emulator`` and ``python -m chargen.emulator``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from chargen.problems import ChargenError

DESCRIPTION = (
    "A stand-in for the Gemini API on 127.0.0.1: uploads, files, batches, downloads and generateContent, answered with "
    "placeholder pictures. Point any client at it by its base URL (http_options.base_url, or GOOGLE_GEMINI_BASE_URL) "
    "with any API key. /admin/log, /admin/counts, /admin/faults, /admin/clock and /admin/reset tell and script."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the emulator's options to *parser*."""
    parser.add_argument(
        "--port",
        type=int,
        default=0,
        help="port on 127.0.0.1; 0: the port of the last run in this state folder, or a free one",
    )
    parser.add_argument(
        "--state",
        type=Path,
        default=Path("state/emulator-server"),
        help="folder for files, jobs and log; kept between runs",
    )
    parser.add_argument(
        "--job-seconds",
        type=float,
        default=None,
        metavar="S",
        help="a job is done after S seconds (2, or 0 with --job-polls)",
    )
    parser.add_argument(
        "--job-polls",
        type=int,
        default=None,
        metavar="N",
        help="a job is done after N looks at it by get or list",
    )
    parser.add_argument(
        "--idle-exit",
        type=float,
        default=0.0,
        metavar="S",
        help="go away after S seconds without a request (0: never)",
    )
    parser.add_argument(
        "--faults",
        type=Path,
        default=None,
        metavar="FILE",
        help="a fault plan in JSON, as POST /admin/faults takes it",
    )
    parser.add_argument(
        "--seed",
        type=int,
        default=None,
        metavar="N",
        help="a campaign of random trouble drawn from N (calls 10 %%, lines 5 %%)",
    )
    parser.add_argument(
        "--invalid-key",
        action="append",
        default=[],
        metavar="KEY",
        help="a key to refuse (any other is taken); repeatable",
    )
    parser.add_argument(
        "--also-serve",
        action="append",
        default=[],
        metavar="MODEL",
        help="a retired or invented model to serve; repeatable",
    )


def run(args: argparse.Namespace) -> int:
    """Serve until stopped or idle; 0 in the end, 1 when the options or the state folder do not allow it."""
    from chargen.emulator import faults, server

    try:
        plan = faults.read(_plan(args))
        server.serve(
            args.state,
            port=args.port,
            plan=plan,
            idle_exit_s=args.idle_exit,
            invalid_keys=args.invalid_key or ["invalid"],
            also_serve=args.also_serve,
        )
    except ChargenError as error:
        print(f"chargen emulator: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def _plan(args: argparse.Namespace) -> dict[str, object]:
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
        plan["campaign"] = {"seed": args.seed, "calls": 0.1, "lines": 0.05}
    return plan
