"""What is asked for a picture of the input folder, as a task."""

from __future__ import annotations

import math
import os
from itertools import chain
from pathlib import Path, PurePosixPath

from chargen.base.errors import CannotPlan
from chargen.library.target import Target
from chargen.operations.enhance import Enhance
from chargen.operations.enhance.extra import EnhancementExtra
from chargen.operations.enhance.names import Asked, suffix
from chargen.planning.file_plans import FilePlan
from chargen.planning.picking import sent_picture
from chargen.planning.sources import Sources
from chargen.planning.tasks import Shape, Task
from chargen.providers.parameters import Temperatures, hashed, sent_to
from chargen.records.identity import Wish, task_key
from chargen.records.settings import Settings

OPERATION = Enhance.name


def job_folder(settings: Settings) -> Path:
    """Return the folder of the configured job's results."""
    return Path(settings.enhance.output_dir) / settings.enhance.job_name


def target_of(settings: Settings, name: str) -> Target:
    """Return the target of the picture *name* of the input folder."""
    return Target.of(f"{OPERATION}/{settings.enhance.job_name}", name)


class TaskMaker:
    """Makes tasks of one job from pictures."""

    def __init__(self, sources: Sources, plan: FilePlan):
        """*plan* notes what is to be known of the model. Raises ChargenError for a size that the model cannot do."""
        settings = sources.settings
        self._settings = settings
        self._size = settings.enhance.image_size
        self._max_side = sources.catalog.input_image_side
        self._estimates = sources.estimates
        self._model = sources.model(sources.catalog.image_model, plan)
        self._sent = sent_to(self._model.takes, sources.choice)
        self._temperatures = Temperatures(sources.state, OPERATION, sources.choice)
        price = self._estimates.picture(OPERATION, self._model, self._size, self._sent)
        if self._size not in self._model.sizes or price is None:
            sizes = ", ".join(self._model.sizes)
            raise CannotPlan(f"enhance: {self._model.name} cannot do {self._size}; it takes {sizes}")
        self.price = price

    def task(self, found: Asked, name: str, output: str, wish: Wish, attempt: int) -> Task:
        """Return the request for one result of *found*, which is made under *name* and goes to *output*."""
        settings, item, look = self._settings, found.item, found.look
        about = wish.target, PurePosixPath(item.name).name
        sent = sent_picture("input", about, os.path.relpath(item.path, settings.home), look, self._max_side)
        ratio = nearest_ratio(look.width, look.height, self._model.ratios)
        shape = Shape(self._model, ratio, self._size, self.price.usd, self.price.less, self.price.more)
        tokens = self._estimates.input_tokens(self._model, len(item.prompt), 1, self._sent)
        return Task(
            wish=wish,
            attempt=attempt,
            key=task_key(wish.target, wish.variation, self._covered(found)),
            title=item.name,
            prompt=item.prompt,
            references=(sent,),
            shape=self._estimates.with_input(shape, tokens),
            replaces=None,
            notes=tuple(f"{change} before it was sent" for change in look.prepared(self._max_side)),
            weight="medium",
            tokens=tokens,
            characters=len(item.prompt),
            extra=EnhancementExtra(
                input=name,
                folder=os.path.relpath(job_folder(settings), settings.home),
                output=output + suffix(wish.variation, settings.enhance.variations),
            ),
        )

    def is_current(self, key: str, found: Asked, wish: Wish) -> bool:
        """Whether *key*, as it was recorded, stands for the request that would be sent today."""
        covered = self._covered(found)
        others = ({"temperature": other} for other in self._temperatures.others(self._model.takes))
        return any(key == task_key(wish.target, wish.variation, covered | other) for other in chain([{}], others))

    def _covered(self, found: Asked) -> dict[str, object]:
        """Everything that shapes a result."""
        look = found.look
        return {
            "prompt": found.item.prompt,
            "model": self._model.name,
            "aspect_ratio": nearest_ratio(look.width, look.height, self._model.ratios),
            "image_size": self._size,
            **hashed(self._sent, Enhance.unsent_temperature),
            "safety_settings": list(self._settings.safety_settings),
            "references": [["input", look.sha256]],
        }


def nearest_ratio(width: int, height: int, ratios: tuple[str, ...]) -> str:
    """Return which of *ratios* (like ``16:9``) is nearest to a picture of that size."""

    def distance(ratio: str) -> float:
        across, down = (int(part) for part in ratio.split(":"))
        return abs(math.log((across / down) / (width / height)))

    return min(ratios, key=distance)
