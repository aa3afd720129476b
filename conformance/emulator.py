"""The first judge: chargen's emulator, started for the purpose with the options that a behaviour needs."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from conformance.document import Behaviour, Collection
from conformance.exchange import Pace, Session
from conformance.outcome import Difference, Outcome, Tally
from conformance.patterns import Matcher

KEY = "a-key-for-the-emulator"
_OPTIONS = ("--job-polls", "1", "--idle-exit", "600")
Front = Callable[[str], str]
"""Maps the emulator's address to the one that is asked: the place for something that falsifies answers."""


class NoEmulator(Exception):
    """chargen's emulator is not installed here."""


def judge(collection: Collection, behaviours: Iterable[Behaviour], front: Front | None = None) -> Tally:
    """Ask the emulator about every behaviour, each time from an empty state."""
    tally = Tally("emulator")
    asked = [item for item in behaviours if "emulator" in item.judges]
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        for options in sorted({item.options for item in asked}):
            with _running(Path(folder) / str(len(tally.outcomes)), options) as url:
                session = Session(
                    front(url) if front else url,
                    KEY,
                    Matcher(collection.shapes),
                    admin=True,
                    pace=Pace(looks=50),
                )
                try:
                    for item in asked:
                        if item.options == options:
                            tally.outcomes.append(_outcome(session, collection, item))
                finally:
                    session.close()
    order = {item.id: number for number, item in enumerate(asked)}
    tally.outcomes.sort(key=lambda outcome: order[outcome.behaviour.id])
    return tally


def _outcome(session: Session, collection: Collection, behaviour: Behaviour) -> Outcome:
    session.ask("POST", "/admin/reset", {})
    if behaviour.faults:
        answer = session.ask("POST", "/admin/faults", behaviour.faults)
        if answer.status != 200:
            wrong = Difference(0, "POST /admin/faults", "status", "200", answer.text[:300])
            return Outcome(behaviour, "emulator", "differs", (wrong,))
    known = variables(collection, session.base_url, "conformance", behaviour.id)
    differences: list[Difference] = []
    for name in (*behaviour.needs, *behaviour.own):
        prepared = known | {"name": f"conformance-{name}"}
        differences += _of_preparation(name, session.run(collection.preparations[name].steps, prepared))
        known |= {variable: value for variable, value in prepared.items() if variable not in known}
    if not differences:
        differences = session.run(behaviour.steps, known)
    return Outcome(behaviour, "emulator", "differs" if differences else "agrees", tuple(differences))


def _of_preparation(name: str, found: Sequence[Difference]) -> list[Difference]:
    return [Difference(d.step, f"preparation {name}: {d.call}", d.where, d.expected, d.got) for d in found]


def variables(collection: Collection, base_url: str, run: str, ident: str) -> dict[str, Any]:
    """What every behaviour's steps can name: see docs/conformance.md."""
    short = run.removeprefix("chargen-")
    return {
        **collection.constants,
        "base_url": base_url,
        "run": run,
        "name": f"{run}-{ident}",
        "file_id": f"{short}-{hashlib.sha256(ident.encode()).hexdigest()[:8]}",
        "unknown_file": f"{short}-unknown-file",
        "long_file": f"{short}-unknown-file-".ljust(42, "x"),
        "unknown_batch": f"{short}-unknown-batch",
    }


@contextmanager
def _running(state: Path, options: Sequence[str]) -> Iterator[str]:
    try:
        from chargen.emulator import launch
        from chargen.problems import ChargenError
    except ImportError:
        raise NoEmulator(
            "chargen is not installed here: without it only --base-url and recordings can be judged"
        ) from None
    try:
        url = launch.ensure(state, (*_OPTIONS, *options))
    except ChargenError as error:
        raise NoEmulator(str(error)) from None
    try:
        yield url
    finally:
        with suppress(OSError):
            launch.stop(state)
