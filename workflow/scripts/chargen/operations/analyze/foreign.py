"""Analyses whose plan is lost: the key names the picture, but the request is unknown."""

from __future__ import annotations

from dataclasses import replace

from chargen.analysis.form import MAX_TRAITS
from chargen.library.load import load_library
from chargen.library.target import Target
from chargen.operations.analyze.extra import AnalysisExtra
from chargen.operations.analyze.tasks import OPERATION
from chargen.operations.base import Blank
from chargen.operations.foreign import NOTE, blank_task
from chargen.records.batch import Reference, Task
from chargen.records.identity import UNKNOWN
from chargen.records.settings import Settings


def blank(settings: Settings) -> Blank:
    """Return what makes the tasks, with the traits that each entity has now."""
    library = load_library(settings.library_root, exclude=settings.exclude, provider=settings.provider)

    def make(key: str, target: Target, variation: int) -> Task:
        entity = library.entity(target.entity)
        picture = Reference(role="input", subject=target.entity, name=target.slug, path=target.scene, sha256=UNKNOWN)
        extra = AnalysisExtra(
            kind=target.kind,
            traits=tuple(entity.traits[:MAX_TRAITS]) if entity else (),
            form=UNKNOWN,
            corrections=(NOTE,),
            version=UNKNOWN,
        )
        return replace(blank_task(OPERATION, key, target, variation), references=(picture,), extra=extra.to_json())

    return make
