"""Enhancements whose plan is lost: the key names the result, but the prompt is unknown."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import PurePosixPath

from chargen.library.target import Target
from chargen.operations.base import Blank
from chargen.operations.enhance.extra import EnhancementExtra
from chargen.operations.enhance.names import suffix
from chargen.operations.enhance.tasks import OPERATION, job_folder
from chargen.operations.foreign import blank_task
from chargen.records.batch import Task
from chargen.records.settings import Settings


def blank(settings: Settings, variations: int) -> Blank:
    """Return what makes the tasks; *variations* is the highest number of one."""
    folder = job_folder(settings)

    def make(key: str, target: Target, variation: int) -> Task:
        name = PurePosixPath(target.scene)
        stem = name.with_suffix("").as_posix()
        ending = name.suffix.lstrip(".").lower()
        extra = EnhancementExtra(
            input=name.as_posix(),
            folder=os.path.relpath(folder, settings.home),
            output=(f"{stem}-{ending}" if ending else stem) + suffix(variation, variations),
        )
        return replace(blank_task(OPERATION, key, target, variation), image_size="1K", extra=extra.to_json())

    return make
