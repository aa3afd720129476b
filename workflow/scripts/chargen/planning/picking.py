"""Choosing the reference pictures of a scene among the candidates that the library offers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Literal

from chargen.base.errors import Place, Problem
from chargen.base.frozen import frozen
from chargen.library.model import Reference, ReferenceRole, Scene
from chargen.library.references import ReferenceIndex
from chargen.pictures.looks import Look, Looker
from chargen.prompts.composer import view_of
from chargen.prompts.vocabulary import Seen
from chargen.records.batch import Reference as Sent
from chargen.records.settings import Settings

Role = ReferenceRole | Literal["input"]


def sent_picture(role: Role, about: tuple[str, str], path: str, look: Look, most: int) -> Sent:
    """Return a picture as it goes out: *about* are its subject and name, *path* is relative to the library's root.

    One with a side longer than *most* pixels is sent as a copy, scaled down.
    """
    subject, name = about
    return Sent(
        role=role,
        subject=subject,
        name=name,
        path=path,
        sha256=look.sha256,
        mime=look.mime,
        bytes=look.bytes,
        max_side=most if look.prepared(most) else 0,
    )


@frozen
class Picked:
    """The references of a scene, in order; what it must wait for; problems; what blocks it; and
    why pictures that the author did not name were chosen, and what is done to any of them before it is sent.
    """

    sent: tuple[Sent, ...]
    needs: frozenset[str]
    problems: tuple[Problem, ...]
    blocked: Problem | None = None
    notes: tuple[str, ...] = ()


MOST_PORTRAITS = 4
_ORDER: tuple[ReferenceRole, ...] = ("character", "other", "scene", "location", "style")
"""The order in which pictures go along: what matters most comes first, and what is beyond the limit is left out."""


class Picker:
    """Picks references; looks at each file once."""

    def __init__(self, settings: Settings, root: Path, index: ReferenceIndex, looker: Looker, max_side: int):
        """Pictures with a side longer than *max_side* pixels are sent scaled down."""
        self._fails = {
            "missing-reference": settings.missing_references == "fail",
            "no-portrait": settings.missing_references == "fail",
            "unreadable-reference": settings.unreadable_references == "fail",
        }
        self._placeholders_count = settings.capabilities.marks_placeholders
        self._root = root
        self._max_side = max_side
        self._index = index
        self._looker = looker
        self._looks: dict[str, Look] = {}

    def pick(self, scene: Scene, making: Set[str], limit: int, *, patient: bool = True) -> Picked:
        """Return what *scene* sends, at most *limit* pictures; what a scene in *making* makes is waited for.

        Who is not *patient* takes the best known pictures, not named by the author, as they are now.
        """
        references, known_problems = self._index.for_scene(scene)
        references = _by_role(references, view_of(scene))
        sent: list[Sent] = []
        chosen: dict[str, str] = {}
        needs: set[str] = set()
        problems = list(known_problems)
        for reference in references:
            found = self._best(reference, scene, making, patient)
            if isinstance(found, frozenset):
                needs |= found
            elif isinstance(found, Problem):
                problems.append(found)
            elif all(found.sha256 != other.sha256 for other in sent):
                sent.append(found)
                chosen[found.path] = next(item.why for item in reference.candidates if item.path == found.path)
        if len(sent) > limit:
            left_out = ", ".join(picture.name for picture in sent[limit:])
            message = f"{limit} references are sent to the model; skipped: {left_out}"
            problems.append(_problem("too-many-references", message, scene, scene.place))
        portraits = sum(picture.role == "character" for picture in sent[:limit])
        if portraits > MOST_PORTRAITS:
            message = f"{portraits} portraits go along; faces are known to blend from {MOST_PORTRAITS + 1} on"
            problems.append(_problem("many-portraits", message, scene, scene.place))
        stops = next((problem for problem in problems if self._fails.get(problem.code)), None)
        blocked = replace(stops, severity="error", effect="scene skipped") if stops else None
        if stops:
            problems.remove(stops)
        notes = tuple(note for picture in sent[:limit] for note in self._notes(picture, chosen[picture.path]))
        return Picked(tuple(sent[:limit]), frozenset(needs), tuple(problems), blocked, notes)

    def _notes(self, picture: Sent, why: str) -> Iterator[str]:
        if why:
            yield f"reference {picture.path} is the best known picture of {picture.name}: {why}"
        for change in self._look(picture.path).prepared(self._max_side):
            yield f"reference {picture.path} is {change} before it is sent"

    def _best(
        self, reference: Reference, scene: Scene, making: Set[str], patient: bool
    ) -> Sent | frozenset[str] | Problem:
        """Return the picture to send, or the targets to wait for, or what is wrong."""
        for candidate in reference.candidates:
            awaited = making & {candidate.target, *candidate.rivals} - {scene.target}
            if awaited and (patient or not candidate.why):
                return frozenset(awaited)
            if not candidate.path:
                continue
            look = self._look(candidate.path)
            if look.placeholder and not self._placeholders_count:
                continue
            if look.trouble:
                message = f"reference {reference.written}: {candidate.path} {look.trouble}"
                return _problem("unreadable-reference", message, scene, reference.place)
            about = reference.subject, reference.name
            return sent_picture(reference.role, about, candidate.path, look, self._max_side)
        message = f"reference {reference.written}: no picture of it exists yet"
        return _problem("missing-reference", message, scene, reference.place)

    def _look(self, path: str) -> Look:
        look = self._looks.get(path)
        if look is None:
            look = self._looks[path] = self._looker.look(self._root / path)
        return look


def _by_role(references: Sequence[Reference], view: Seen) -> tuple[Reference, ...]:
    """*references* as they are sent: people, things and earlier pictures, places, examples of the style; no portraits
    where no face is seen."""
    wanted = [item for item in references if not (view == "hands" and item.role == "character")]
    return tuple(sorted(wanted, key=lambda item: _ORDER.index(item.role)))


def _problem(code: str, message: str, scene: Scene, place: Place) -> Problem:
    return Problem("warning", code, message, place, entity=scene.entity, scene=scene.id)
