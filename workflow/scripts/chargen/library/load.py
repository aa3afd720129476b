"""The library on disk as objects: its entities and their scenes."""

from __future__ import annotations

import fnmatch
import gc
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chargen.base.errors import ChargenError, Problem
from chargen.base.progress import track
from chargen.library.entities import EntityReader
from chargen.library.folders import same_name
from chargen.library.model import FOLDER_OF, KINDS, Entity, Kind, Library


class BrokenEntity(ChargenError):
    """An entity that cannot be read; ``problems`` say why."""

    def __init__(self, key: str, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems) or f"{key}: no such entity")
        self.problems = tuple(problems)


def load_library(
    root: Path,
    *,
    kinds: Collection[Kind] = KINDS,
    exclude: Sequence[str] = (),
    adopt_existing: bool = True,
    provider: str = "",
) -> Library:
    """Read every entity below *root*. What is broken is left out and listed; the others go on.

    *exclude* holds glob patterns over ``kind/slug`` or the slug alone. *provider* decides whether records of the
    emulator count. Raises ChargenError if the folder *root* does not exist or cannot be read.
    """
    reader = EntityReader(root, adopt_existing, provider, is_planning=True)
    entities: dict[str, Entity] = {}
    problems: list[Problem] = []
    broken: list[str] = []
    excluded = 0
    with without_collector():
        for kind in KINDS:
            if kind not in kinds:
                continue
            for slug in track(reader.slugs(kind), f"reading {FOLDER_OF[kind]}"):
                if _is_excluded(kind, slug, exclude):
                    excluded += 1
                    continue
                entity, found = reader.read(kind, slug)
                problems += found
                if entity:
                    entities[entity.key] = entity
                elif any(problem.effect for problem in found):
                    broken.append(f"{kind}/{slug}")
        notices, mistake = reader.surveyed(bool(entities or broken), excluded)
    problems += reader.problems
    broken += reader.broken
    return Library(reader.root, entities, tuple(problems), tuple(broken), notices, mistake)


def load_entity(root: Path, kind: Kind, slug: str, *, adopt_existing: bool = True, provider: str = "") -> Entity:
    """Read one entity, just as :func:`load_library` does; raises :class:`BrokenEntity` if it cannot be read.

    Where its pictures would go is not looked at: they are there already.
    """
    entity, problems = EntityReader(root, adopt_existing, provider, is_planning=False).read(kind, slug)
    if entity is None:
        raise BrokenEntity(f"{kind}/{slug}", problems)
    return entity


def _is_excluded(kind: Kind, slug: str, patterns: Sequence[str]) -> bool:
    slug = same_name(slug)
    names = (slug, f"{kind}/{slug}", f"{FOLDER_OF[kind]}/{slug}")
    return any(fnmatch.fnmatchcase(name, same_name(pattern)) for pattern in patterns for name in names)


@contextmanager
def without_collector() -> Iterator[None]:
    """A library is a million small objects and no garbage: the cyclic collector would triple the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
