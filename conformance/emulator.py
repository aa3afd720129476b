"""The first judge: chargen's emulator, started for the purpose with the options that a behaviour needs."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from conformance.asking import Asker
from conformance.document import Behaviour, Collection
from conformance.exchange import Pace, Session
from conformance.outcome import Difference, Outcome, Tally
from conformance.patterns import Matcher

KEY = "a-key-for-the-emulator"
_OPTIONS = ("--job-polls", "1", "--idle-exit", "600")
_PACE = Pace(looks=50)


class NoEmulator(Exception):
    """chargen's emulator is not installed here."""


def judge(collection: Collection, behaviours: Iterable[Behaviour], options: Sequence[str] = ()) -> Tally:
    """Ask the emulator, started with *options*, about every behaviour.

    Those that a real server can be asked about share a state, as they do there; every other one begins with an empty
    state and with its faults.
    """
    tally = Tally("emulator")
    asked = [item for item in behaviours if "emulator" in item.judges]
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        for number, wanted in enumerate(sorted({item.options for item in asked})):
            with _running(Path(folder) / str(number), (*options, *wanted)) as url:
                session = Session(url, KEY, Matcher(collection.shapes), admin=True, pace=_PACE)
                asker = Asker(collection, session, "emulator", "conformance")
                try:
                    group = [item for item in asked if item.options == wanted]
                    for item in sorted(group, key=_alone):
                        tally.outcomes.append(_outcome(session, asker, item))
                finally:
                    session.close()
    order = {item.id: number for number, item in enumerate(asked)}
    tally.outcomes.sort(key=lambda outcome: order[outcome.behaviour.id])
    return tally


def _alone(behaviour: Behaviour) -> bool:
    return "live" not in behaviour.judges or any(step.admin for step in behaviour.steps)


def _outcome(session: Session, asker: Asker, behaviour: Behaviour) -> Outcome:
    if _alone(behaviour):
        session.ask("POST", "/admin/reset", {})
        asker.forget()
    if behaviour.faults:
        answer = session.ask("POST", "/admin/faults", behaviour.faults)
        if answer.status != 200:
            wrong = Difference(0, "POST /admin/faults", "status", "200", answer.text[:300])
            return Outcome(behaviour, "emulator", "differs", (wrong,))
    return asker.outcome(behaviour)


@contextmanager
def _running(state: Path, options: Sequence[str]) -> Iterator[str]:
    try:
        from chargen.base.errors import ChargenError
        from chargen.emulator import launch
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
