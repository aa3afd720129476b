"""Asks one server about behaviours, with what they need made first and shared where that is allowed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from conformance.document import Behaviour, Collection, Cost
from conformance.exchange import NotJudged, Session
from conformance.outcome import Difference, Outcome

Reserve = Callable[[Cost], AbstractContextManager[None]]


class Asker:
    """One server under one run's name.

    *reserve* is entered around everything that can cost; *say* prints what is being made.
    """

    def __init__(
        self,
        collection: Collection,
        session: Session,
        judge: str,
        run: str,
        reserve: Reserve = lambda cost: nullcontext(),
        say: Callable[[str], None] = lambda text: None,
    ) -> None:
        self._collection = collection
        self._session = session
        self._judge = judge
        self._run = run
        self._reserve = reserve
        self._say = say
        self._shared: dict[str, dict[str, Any]] = {}
        self._failed: dict[str, str] = {}

    def forget(self) -> None:
        """What was made for sharing is gone."""
        self._shared.clear()
        self._failed.clear()

    def outcome(self, behaviour: Behaviour) -> Outcome:
        """The verdict on *behaviour*."""
        known = self._variables(behaviour.id)
        try:
            for name in behaviour.needs:
                known |= self._share(name)
            for name in behaviour.own:
                known |= self._prepare(name, f"{behaviour.id}.{name}")
            with self._reserve(behaviour.cost):
                found = self._session.run(behaviour.steps, known)
        except _Unprepared as error:
            return Outcome(behaviour, self._judge, "differs", error.differences)
        except NotJudged as error:
            return Outcome(behaviour, self._judge, "not judged", reason=str(error))
        return Outcome(behaviour, self._judge, "differs" if found else "agrees", tuple(found))

    def _share(self, name: str) -> dict[str, Any]:
        if name in self._failed:
            raise NotJudged(self._failed[name])
        if name not in self._shared:
            try:
                self._shared[name] = self._prepare(name, name)
            except (_Unprepared, NotJudged) as error:
                self._failed[name] = f"preparation {name} went wrong: {error}"
                raise
        return self._shared[name]

    def _prepare(self, name: str, ident: str) -> dict[str, Any]:
        """What the preparation *name* keeps, made under the display name of *ident*."""
        preparation = self._collection.preparations[name]
        self._say(f"  preparing: {preparation.says}")
        known = self._variables(ident)
        given = set(known)
        with self._reserve(preparation.cost):
            found = self._session.run(preparation.steps, known)
        if found:
            raise _Unprepared(name, found)
        return {variable: value for variable, value in known.items() if variable not in given}

    def _variables(self, ident: str) -> dict[str, Any]:
        """What the steps under *ident* can name: see docs/conformance.md."""
        short = self._run.removeprefix("chargen-")
        return {
            **self._collection.constants,
            "base_url": self._session.base_url,
            "run": self._run,
            "name": f"{self._run}-{ident}",
            "file_id": f"{short}-{hashlib.sha256(ident.encode()).hexdigest()[:8]}",
            "unknown_file": f"{short}-unknown-file",
            "long_file": f"{short}-unknown-file-".ljust(42, "x"),
            "unknown_batch": f"{short}-unknown-batch",
        }


class _Unprepared(Exception):
    """A preparation was not answered as expected."""

    def __init__(self, name: str, found: list[Difference]) -> None:
        super().__init__(str(found[0]))
        self.differences = tuple(
            Difference(d.step, f"preparation {name}: {d.call}", d.where, d.expected, d.got) for d in found
        )
