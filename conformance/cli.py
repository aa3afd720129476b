"""The command line of the runner."""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from conformance import dates, emulator, live, recordings, table
from conformance.document import FOLDER, ROOT, Behaviour, Collection, load
from conformance.exchange import Pace, Session
from conformance.outcome import Tally, printable
from conformance.patterns import Matcher
from conformance.positions import BadFile

PAGE = ROOT.parent / "docs" / "emulator.md"
LEDGERS = ROOT.parent / "state" / "conformance"
_DEFAULT_CAP_USD = 0.45
AGREES, DIFFERS, NOT_STARTED = 0, 1, 2


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m conformance",
        description=(
            "Hold what we believe of the Gemini API against chargen's emulator and against recordings; with --live or "
            "--base-url against a real server, with the key in GEMINI_API_KEY. docs/conformance.md has the details."
        ),
    )
    add = made.add_argument
    add("--behaviours", type=Path, default=FOLDER, metavar="DIR", help="folder with common.yaml and the behaviours")
    add("--only", action="append", default=[], metavar="GLOB", help="only behaviours whose id fits; repeatable")
    add("--samples", type=Path, metavar="DIR", help="folder of recordings (CHARGEN_SAMPLES)")
    add("--judge", action="append", choices=("emulator", "recording"), help="ask only this one; repeatable")
    add("--emulator-options", default="", metavar="TEXT", help="start the emulator so, like '--strictness strict'")
    add("--live", action="store_true", help=f"ask the real API at {live.OFFICIAL}")
    add("--base-url", metavar="URL", help="ask the server at this address, by the rules of a live run")
    add("--cap-usd", type=float, default=_DEFAULT_CAP_USD, metavar="X", help="stop before a live run costs more (0.45)")
    add("--yes", action="store_true", help="agree to the price that is shown")
    add("--patience-s", type=float, default=3600, metavar="S", help="how long to wait for a batch of a live run (3600)")
    add("--pause-s", type=float, default=2, metavar="S", help="the first pause between two looks at a batch (2)")
    add("--write-dates", action="store_true", help="write last_seen_live although the server is not Google's")
    add("--clean-up", action="store_true", help="only delete what earlier live runs left behind")
    add("--report", type=Path, metavar="FILE", help="write all outcomes and differences as JSON")
    add("--write-table", action="store_true", help=f"bring the table in {PAGE.relative_to(ROOT.parent)} up to date")
    add("--list", action="store_true", help="list the behaviours and stop")
    add("--ledgers", type=Path, default=LEDGERS, help=argparse.SUPPRESS)
    return made


def main(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> int:
    """0 when all agree, 1 when something differs, 2 when it could not start or was stopped."""
    options = parser().parse_args(arguments)
    try:
        return _run(options, environment)
    except (BadFile, live.Refused, emulator.NoEmulator) as error:
        print(error, file=sys.stderr)
        return NOT_STARTED
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return NOT_STARTED


def _run(options: argparse.Namespace, environment: Mapping[str, str]) -> int:
    collection = load(options.behaviours)
    chosen = [item for item in collection.behaviours if _wanted(item, options.only)]
    if not chosen:
        raise BadFile(f"--only {' '.join(options.only)}: fits no behaviour; --list names them all")
    if options.list:
        for item in chosen:
            print(f"{item.id:50} {' '.join(item.judges):26} {item.last_seen_live:10} {item.says}")
        return AGREES
    if options.write_table:
        print(f"{PAGE}: {'written' if table.write(PAGE, collection) else 'up to date'}")
        return AGREES
    if options.live or options.base_url or options.clean_up:
        tallies = _live(options, environment, collection, chosen)
        collection = load(options.behaviours)  # with the dates that were written
    else:
        tallies = _here(options, environment, collection, chosen)
    _report(options, collection, tallies)
    if any(tally.stopped for tally in tallies):
        return NOT_STARTED
    return DIFFERS if any(tally.differs for tally in tallies) else AGREES


def _wanted(item: Behaviour, globs: Sequence[str]) -> bool:
    return not globs or any(fnmatch.fnmatchcase(item.id, glob) for glob in globs)


def _here(
    options: argparse.Namespace, environment: Mapping[str, str], collection: Collection, chosen: Sequence[Behaviour]
) -> list[Tally]:
    judges = options.judge or ("emulator", "recording")
    tallies = []
    if "emulator" in judges:
        tallies.append(emulator.judge(collection, chosen, options=shlex.split(options.emulator_options)))
    if "recording" in judges:
        folder = options.samples or environment.get("CHARGEN_SAMPLES")
        if folder:
            tallies.append(recordings.judge(collection, chosen, Path(folder)))
        else:
            print("Recordings are not judged: set CHARGEN_SAMPLES, or give --samples.")
    return tallies


def _live(
    options: argparse.Namespace, environment: Mapping[str, str], collection: Collection, chosen: Sequence[Behaviour]
) -> list[Tally]:
    base_url = (options.base_url or live.OFFICIAL).rstrip("/")
    key = live.key_from(environment)
    asked = live.behaviours_of(collection, chosen)
    run = live.new_run()
    if not options.clean_up:
        bill = live.bill(collection, asked, options.cap_usd)
        live.show_bill(bill, options.cap_usd, base_url, run, print)
        _confirm(options, environment)
    _sweep(options.ledgers, base_url, key)
    if options.clean_up:
        return []
    pace = Pace(first_s=options.pause_s, cap_s=60, patience_s=options.patience_s, looks=100_000, retries=3)
    tally = live.judge(
        collection, asked, base_url=base_url, key=key, cap_usd=options.cap_usd, ledgers=options.ledgers,
        run=run, pace=pace, say=print,
    )  # fmt: skip
    if base_url == live.OFFICIAL or options.write_dates:
        seen = [outcome.behaviour for outcome in tally.outcomes if outcome.verdict == "agrees"]
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        changed = dates.write(seen, day)
        tally.notes.append(f"last_seen_live: {len(seen)} behaviours now say {day}, in {len(changed)} files")
    else:
        tally.notes.append("last_seen_live is left as it is: the server is not Google's (--write-dates)")
    return [tally]


def _confirm(options: argparse.Namespace, environment: Mapping[str, str]) -> None:
    if options.yes or environment.get("YES") == "1":
        return
    if not sys.stdin.isatty():
        raise live.Refused("the price was not confirmed: type yes at a terminal, or set YES=1 (--yes)")
    if input("Go on? Type yes: ").strip().lower() != "yes":
        raise live.Refused("not started: nothing was sent")


def _sweep(folder: Path, base_url: str, key: str) -> None:
    """Delete what earlier runs left behind on the same server under the same key."""
    for ledger in live.left_over(folder):
        if (ledger.base_url, ledger.key) != (base_url, live.fingerprint(key)):
            print(f"{ledger.file}: {ledger.run} left something at {ledger.base_url} under another key or address")
            continue
        session = Session(base_url, key, Matcher())
        try:
            live.clean_up(session, ledger, print)
        finally:
            session.close()


def _report(options: argparse.Namespace, collection: Collection, tallies: Sequence[Tally]) -> None:
    for tally in tallies:
        for outcome in tally.outcomes:
            if outcome.verdict == "differs":
                print(f"{outcome.behaviour.id} ({tally.judge}): {outcome.behaviour.says}")
                for difference in outcome.differences:
                    print(f"    {difference}")
    for line in summary(collection, tallies):
        print(line)
    if options.report:
        options.report.write_text(json.dumps(as_json(collection, tallies), indent=1) + "\n", encoding="utf-8")


def summary(collection: Collection, tallies: Sequence[Tally]) -> list[str]:
    """The counts: behaviours, sources, what each judge said, how many were ever seen live."""
    groups = ", ".join(f"{name} {len(items)}" for name, items in collection.groups().items())
    kinds = ", ".join(f"{kind} {count}" for kind, count in collection.per_kind().items())
    judges = ", ".join(f"{judge} {count}" for judge, count in collection.per_judge().items())
    seen = sum(item.seen_live for item in collection.behaviours)
    lines = [
        f"{len(collection.behaviours)} behaviours: {groups}",
        f"{len(collection.sources)} sources; behaviours that rest on each kind: {kinds}",
        f"behaviours that each judge can be asked about: {judges}",
        f"ever seen live: {seen} of {len(collection.behaviours)}",
    ]
    for tally in tallies:
        words = f"{tally.judge}: {tally.count('agrees')} agree, {tally.count('differs')} differ"
        undecided = [outcome for outcome in tally.outcomes if outcome.verdict == "not judged"]
        lines.append(words + (f", {len(undecided)} were not judged" if undecided else ""))
        lines += [printable(f"    {outcome.behaviour.id}: not judged: {outcome.reason}") for outcome in undecided]
        lines += [f"    {note}" for note in tally.notes]
    return lines


def as_json(collection: Collection, tallies: Sequence[Tally]) -> dict[str, object]:
    """All of it, for programs."""
    return {
        "behaviours": len(collection.behaviours),
        "sources": {"all": len(collection.sources), **collection.per_kind()},
        "judges": collection.per_judge(),
        "seen_live": sum(item.seen_live for item in collection.behaviours),
        "notes": {tally.judge: tally.notes for tally in tallies},
        "cost_at_most_usd": round(sum(tally.spent_usd for tally in tallies), 6),
        "outcomes": [outcome.as_json() for tally in tallies for outcome in tally.outcomes],
    }
