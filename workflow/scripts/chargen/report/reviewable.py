"""Which pictures on the page can be reviewed, and what a review of them must name."""

from __future__ import annotations

import re
from collections import Counter

from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.library.shown import Shown, pictures_of
from chargen.report.survey import FOLDER_OF, Survey
from chargen.report.thumbnails import Thumbnail

VERDICTS = ("approved", "rejected", "picked")
_PLAIN = re.compile(r"[A-Za-z0-9._/-]+:\d+")  # names that neither a shell nor a glob reads otherwise


@frozen(kw_only=True)
class ReviewData(Document):
    """What the page needs to review a picture.

    ``sha256`` is what the review names, ``pick`` whether there is a choice, and ``simple`` whether the picture's name
    alone says on a command line which one is meant.
    """

    target: str
    variation: int
    sha256: str
    status: str
    note: str
    pick: bool
    simple: bool


class Reviewable:
    """The pictures that `snakemake review` takes, by their path relative to the library."""

    def __init__(self, survey: Survey):
        every = list(pictures_of(survey.plan.library, survey.settings.provider))
        self._count = Counter(shown.name for shown in every)
        named = {shown.name: shown for shown in every}  # of several of one name, the review means the last
        self._by_path = {_path_of(shown): shown for shown in named.values()}
        self._in_scene = Counter(shown.scene.target for shown in named.values())

    def status(self, path: str) -> str:
        """What is recorded of a picture: one of VERDICTS, or ``""``."""
        shown = self._by_path.get(path)
        return shown.status if shown and shown.status in VERDICTS else ""

    def data(self, path: str, info: Thumbnail) -> ReviewData | None:
        """What the page needs to review a picture, None if that cannot be: there is nothing to see, or no record."""
        shown = self._by_path.get(path)
        sha256 = (shown.sha256 or info.sha256) if shown else ""
        if not shown or not info.name or not sha256:
            return None
        return ReviewData(
            target=shown.scene.target,
            variation=shown.variation,
            sha256=sha256,
            status=self.status(path),
            note=shown.note,
            pick=self._in_scene[shown.scene.target] > 1,
            simple=self._count[shown.name] == 1 and bool(_PLAIN.fullmatch(shown.name)),
        )


def _path_of(shown: Shown) -> str:
    return f"{FOLDER_OF[shown.entity.kind]}/{shown.entity.slug}/{shown.path}"
