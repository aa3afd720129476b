"""Analyses whose plan is lost: which picture each is about is known from its key, what was asked is not."""

from __future__ import annotations

from chargen.analysis.form import MAX_TRAITS
from chargen.library.load import load_library
from chargen.operations.analyze.tasks import OPERATION
from chargen.operations.base import Blank, Json
from chargen.operations.foreign import NOTE, blank_task
from chargen.records.identity import UNKNOWN
from chargen.records.settings import Settings


def blank(settings: Settings) -> Blank:
    """Return what makes the tasks, with the traits that each entity has now."""
    library = load_library(settings.library_root, exclude=settings.exclude, provider=settings.provider)

    def make(key: str, target: str, variation: int) -> Json:
        kind, name, path = target.split("/", 2)
        entity = library.entity(f"{kind}/{name}")
        picture = {"role": "input", "subject": f"{kind}/{name}", "name": name, "path": path}
        return blank_task(OPERATION, key, target, variation) | {
            "references": [picture | {"sha256": UNKNOWN, "mime": "", "bytes": 0}],
            "kind": kind,
            "traits": list(entity.traits[:MAX_TRAITS]) if entity else [],
            "form": UNKNOWN,
            "corrections": [NOTE],
            "version": UNKNOWN,
        }

    return make
