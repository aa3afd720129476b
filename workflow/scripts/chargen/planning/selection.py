"""What a run is about: kinds of entities by the settings' ``scope``, and targets by globs."""

from __future__ import annotations

import fnmatch
from collections.abc import Collection, Iterable, Mapping

from chargen.library.folders import same_name
from chargen.library.model import KIND_FOLDERS, Kind
from chargen.library.slugs import nearest
from chargen.records.settings import Settings

SCOPES: Mapping[str, frozenset[Kind]] = {
    "all": frozenset(KIND_FOLDERS.values()),
    **{folder: frozenset({kind}) for folder, kind in KIND_FOLDERS.items()},
}


def kinds_of(settings: Settings, scope: Collection[str]) -> frozenset[Kind]:
    """Return the kinds of entities that *scope* (names of SCOPES) is about; those of the settings if it is empty."""
    return frozenset().union(*(SCOPES[name] for name in scope or [settings.scope]))


def matches(globs: Iterable[str], target: str) -> bool:
    """Whether one of *globs* over ``kind/entity/scene`` names *target*; a whole entity may be named without scene."""
    target = same_name(target)
    entity = target.rsplit("/", 1)[0]
    return any(fnmatch.fnmatchcase(target, form) or fnmatch.fnmatchcase(entity, form) for form in map(same_name, globs))


def meant(glob: str, targets: Iterable[str]) -> str:
    """A question which of *targets*, or entities, was meant by *glob*, which fits none; ``""`` if none is near."""
    known = list(targets)
    low = glob.casefold()
    found = next((target for target in known if matches([low], target.casefold())), "")
    if not found and not any(sign in glob for sign in "*?["):
        found = nearest(glob, [*known, *dict.fromkeys(target.rsplit("/", 1)[0] for target in known)])
    return f", did you mean {found}?" if found else ""
