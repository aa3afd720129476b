"""The task of enhancing one picture of the input folder."""

from __future__ import annotations

import os
from pathlib import Path

from chargen.library.target import Target
from chargen.operations.enhance import Enhance
from chargen.operations.enhance.extra import EnhancementExtra
from chargen.operations.enhance.names import Found, suffix
from chargen.planning.picture_tasks import Asked
from chargen.records.settings import Settings

OPERATION = Enhance.name


def job_folder(settings: Settings) -> Path:
    """Return the folder of the configured job's results."""
    return Path(settings.enhance.output_dir) / settings.enhance.job_name


def target_of(settings: Settings, name: str) -> Target:
    """Return the target of the picture *name* of the input folder."""
    return Target.of(f"{OPERATION}/{settings.enhance.job_name}", name)


def asked_for(settings: Settings, found: Found, name: str, output: str, variation: int) -> Asked:
    """Return what is asked for *found*, of which one result is made under *name* and goes to *output*."""
    extra = EnhancementExtra(
        input=name,
        folder=os.path.relpath(job_folder(settings), settings.home),
        output=output + suffix(variation, settings.enhance.variations),
    )
    path = os.path.relpath(found.item.path, settings.home)
    return Asked(found.item.name, found.item.prompt, path, found.look, extra)
