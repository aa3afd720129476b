"""Tasks whose answers are pictures, made by one model at one size: what operations on picture files share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain
from pathlib import PurePosixPath
from typing import Any

from chargen.base.errors import CannotPlan
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.pictures.looks import Look
from chargen.planning.picking import sent_picture
from chargen.planning.plan import Plan
from chargen.planning.sources import Sources
from chargen.planning.tasks import Shape, Task
from chargen.providers.parameters import Temperatures, hashed, sent_to
from chargen.records.identity import Wish, task_key


@frozen
class Asked:
    """What is asked for one picture file: ``path`` is relative to the operation's `base_folder`, ``look`` what the file
    is, and ``extra`` what only the operation says of the task."""

    title: str
    prompt: str
    path: str
    look: Look
    extra: Document | None = None


class PictureTasks:
    """Makes the tasks of one operation."""

    def __init__(self, sources: Sources, plan: Plan[Any], size: str, unsent_temperature: float | None):
        """*plan* notes what is to be known of the model; *unsent_temperature* as in `Operation`.

        Raises CannotPlan for a *size* that the model cannot make, or that has no price.
        """
        self._settings = sources.settings
        self._size = size
        self._max_side = sources.catalog.input_image_side
        self._estimates = sources.estimates
        self._unsent_temperature = unsent_temperature
        self._model = sources.model(sources.catalog.image_model, plan)
        self._sent = sent_to(self._model.takes, sources.choice)
        self._temperatures = Temperatures(sources.state, sources.models, sources.choice)
        price = self._estimates.picture(plan.operation, self._model, size, self._sent)
        if size not in self._model.sizes or price is None:
            sizes = ", ".join(self._model.sizes)
            raise CannotPlan(f"{plan.operation}: {self._model.name} cannot do {size}; it takes {sizes}")
        self.price = price

    def task(self, wish: Wish, attempt: int, asked: Asked) -> Task:
        """Return the task that makes what is *asked* and fulfils *wish*."""
        about = wish.target, PurePosixPath(asked.path).name
        shape = Shape(self._model, self._ratio(asked), self._size, self.price.usd, self.price.less, self.price.more)
        tokens = self._estimates.input_tokens(self._model, len(asked.prompt), 1, self._sent)
        return Task(
            wish=wish,
            attempt=attempt,
            key=task_key(wish.target, wish.variation, self._covered(asked)),
            title=asked.title,
            prompt=asked.prompt,
            references=(sent_picture("input", about, asked.path, asked.look, self._max_side),),
            shape=self._estimates.with_input(shape, tokens),
            replaces=None,
            notes=tuple(f"{change} before it was sent" for change in asked.look.prepared(self._max_side)),
            weight="medium",
            tokens=tokens,
            characters=len(asked.prompt),
            extra=asked.extra,
        )

    def is_current(self, key: str, wish: Wish, asked: Asked) -> bool:
        """Whether *key*, as it was recorded, stands for the request that would be sent today."""
        covered = self._covered(asked)
        others = ({"temperature": other} for other in self._temperatures.others(self._model.takes))
        return any(key == task_key(wish.target, wish.variation, covered | other) for other in chain([{}], others))

    def _ratio(self, asked: Asked) -> str:
        return nearest_ratio(asked.look.width, asked.look.height, self._model.ratios)

    def _covered(self, asked: Asked) -> dict[str, object]:
        """Everything that shapes a result."""
        return {
            "prompt": asked.prompt,
            "model": self._model.name,
            "aspect_ratio": self._ratio(asked),
            "image_size": self._size,
            **hashed(self._sent, self._unsent_temperature),
            "safety_settings": list(self._settings.safety_settings),
            "references": [["input", asked.look.sha256]],
        }


def nearest_ratio(width: int, height: int, ratios: Sequence[str]) -> str:
    """Return which of *ratios* (like ``16:9``) is nearest to a picture of that size."""

    def distance(ratio: str) -> float:
        across, down = (int(part) for part in ratio.split(":"))
        return abs(math.log((across / down) / (width / height)))

    return min(ratios, key=distance)
