"""`snakemake review`: approve, reject or pick pictures, by a record that is appended to their entity's file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import orjson

from chargen import operations
from chargen.base import events, failpoints
from chargen.base import schemas as schema
from chargen.base.errors import ChargenError
from chargen.base.frozen import frozen
from chargen.base.reading import Document
from chargen.library.shown import Shown, pictures_of
from chargen.library.writeback import append_items
from chargen.operations.words import money
from chargen.pictures import formats as pictures
from chargen.pictures.presence import why_unreadable
from chargen.planning.scene_plans import ScenePlan
from chargen.planning.selection import matches, meant
from chargen.planning.tasks import Shape
from chargen.records import arguments
from chargen.records.journal import now
from chargen.records.settings import Settings
from chargen.records.state import State

SECTION = "image_reviews"
SHOWN = 20

Status = Literal["approved", "rejected", "picked", "generated"]


@frozen(kw_only=True)
class ReviewItem(Document):
    """One review in a file of reviews; ``sha256`` is the picture that was looked at, ``""`` if that is not said."""

    target: str
    variation: int = 1
    status: Status
    note: str = ""
    sha256: str = ""

    @property
    def name(self) -> str:
        """The picture's name, ``kind/entity/scene:variation``."""
        return f"{self.target}:{self.variation}"


@frozen(kw_only=True)
class ReviewFile(Document):
    """The file of reviews that the report page exports (``schemas/reviews.schema.json``)."""

    schema_version: int = 1
    reviews: tuple[ReviewItem, ...]

    @classmethod
    def read(cls, path: Path) -> ReviewFile:
        """Read the file *path*. Raises ChargenError, which names the key, if it cannot be read or does not fit."""
        try:
            data = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise ChargenError(f"review: {path}: {error}") from None
        schema.check("reviews", data, str(path))
        return cls.from_json(data)


@frozen
class Verdict:
    """What is to be recorded about a picture."""

    picture: Shown
    status: Status
    note: str = ""


def review(settings: Settings, state: State) -> str:
    """Record what ``approve``, ``reject``, ``pick`` and ``reviews`` say; return what was recorded and what follows.

    What is recorded already is left out, so that doing it again changes nothing. Raises ChargenError if nothing is
    asked, or if something asked fits no picture; nothing is recorded then.
    """
    plan = operations.of_scenes().plan(settings, ["all"])
    shown = list(pictures_of(plan.library, settings.provider))
    verdicts, left_out = _asked(settings, shown)
    verdicts = [verdict for verdict in verdicts if not _is_known(verdict)]
    for key in dict.fromkeys(verdict.picture.entity.key for verdict in verdicts):
        own = [verdict for verdict in verdicts if verdict.picture.entity.key == key]
        path = own[0].picture.entity.folder / "imagery.yaml"
        append_items(path, SECTION, [_item(v) for v in own], library=plan.library.root, same=())
        failpoints.reached("reviewed")
        for verdict in own:
            scene, variation = verdict.picture.scene.target, verdict.picture.variation
            events.write_event(
                "reviewed", f"{verdict.picture.name} {verdict.status}", target=scene, variation=variation,
                status=verdict.status, reason=verdict.note,
            )  # fmt: skip
    return "\n".join([*_summary(plan, verdicts), *left_out])


def _asked(settings: Settings, shown: Sequence[Shown]) -> tuple[list[Verdict], list[str]]:
    asked = settings.asked(arguments.Review)
    verdicts: list[Verdict] = []
    left_out: list[str] = []
    if asked.reviews:
        verdicts, left_out = _from_file(Path(asked.reviews), shown)
    verdicts += [Verdict(picture, "approved") for picture in _named(asked.approve, shown, "approve")]
    verdicts += [Verdict(item, "rejected", asked.note) for item in _named(asked.reject, shown, "reject")]
    verdicts += [Verdict(item, "picked") for glob in asked.pick for item in _picked(glob, shown)]
    if not (asked.reviews or asked.approve or asked.reject or asked.pick):
        raise ChargenError(_nothing_asked(shown))
    twice = [name for name, count in Counter(verdict.picture.name for verdict in verdicts).items() if count > 1]
    if twice and not asked.reviews:
        raise ChargenError(f"review: {twice[0]} has two different verdicts; nothing was recorded")
    return list({verdict.picture.name: verdict for verdict in verdicts}.values()), left_out


def _nothing_asked(shown: Sequence[Shown]) -> str:
    counts = Counter(picture.status or "adopted" for picture in shown)
    stand = ", ".join(f"{count} {status}" for status, count in counts.most_common()) or "none yet"
    return (
        "review: name pictures: --config approve='character/oda-*/*', reject='character/oda-brennick/lamp-room:2' with "
        f"note='the coat is dry', pick='character/oda-brennick/lamp-room:2', or reviews=<file>. Pictures: {stand}"
    )


def _named(globs: Iterable[str], shown: Sequence[Shown], verb: str) -> Iterator[Shown]:
    found: dict[str, Shown] = {}
    for glob in globs:
        fitting = [item for item in shown if matches([glob], item.scene.target) or matches([glob], item.name)]
        if not fitting:
            raise ChargenError(
                f"review: {verb}={glob} matches no picture in place{meant(glob, (item.name for item in shown))}; "
                "pictures are named kind/entity/scene or kind/entity/scene:variation; nothing was recorded"
            )
        found |= {item.name: item for item in fitting}
    yield from found.values()


def _picked(glob: str, shown: Sequence[Shown]) -> Iterator[Shown]:
    """One picture of each scene that *glob* names; it may not leave open which."""
    fitting = list(_named([glob], shown, "pick"))
    by_scene = Counter(item.scene.target for item in fitting)
    for target, number in by_scene.items():
        if number > 1:
            names = ", ".join(item.name for item in fitting if item.scene.target == target)
            raise ChargenError(f"review: pick={glob} matches several pictures: {names}; nothing was recorded")
    yield from fitting


def _from_file(path: Path, shown: Sequence[Shown]) -> tuple[list[Verdict], list[str]]:
    by_name = {picture.name: picture for picture in shown}
    verdicts, left_out = [], []
    for item in ReviewFile.read(path).reviews:
        picture = by_name.get(item.name)
        if picture is None:
            left_out.append(f"left out: {item.name} has no picture in place")
        elif item.sha256 and item.sha256 != _content(picture):
            left_out.append(f"left out: {item.name} has another picture now")
        else:
            verdicts.append(Verdict(picture, item.status, item.note))
    return verdicts, left_out


def _is_known(verdict: Verdict) -> bool:
    return (verdict.picture.status, verdict.picture.note) == (verdict.status, verdict.note)


def _content(picture: Shown) -> str:
    if picture.sha256:
        return picture.sha256
    path = picture.entity.folder / picture.path
    if why := why_unreadable(path):
        raise ChargenError(f"review: {path} {why}; make it readable, then review it; nothing was recorded")
    return pictures.sha256_file(path)


def _item(verdict: Verdict) -> dict[str, str]:
    picture = verdict.picture
    item = {
        "file_path": picture.path,
        "scene": picture.scene.id,
        "variation": str(picture.variation),
        "status": verdict.status,
        "sha256": _content(picture),
        "reviewed_at": now(),
    }
    return item | ({"note": verdict.note} if verdict.note else {})


def _summary(plan: ScenePlan, verdicts: Sequence[Verdict]) -> Iterator[str]:
    if not verdicts:
        yield "review: nothing new, all of this is already recorded"
        return
    counts = Counter(verdict.status for verdict in verdicts)
    yield "review: " + ", ".join(f"{count} {status}" for status, count in counts.items())
    for verdict in verdicts[:SHOWN]:
        yield f"  {verdict.picture.name} {verdict.status}" + (f" ({verdict.note})" if verdict.note else "")
    if len(verdicts) > SHOWN:
        yield f"  and {len(verdicts) - SHOWN} more"
    shapes = [plan.shape_of(verdict.picture.scene) for verdict in verdicts if verdict.status == "rejected"]
    if shapes:
        cost = sum(shape.cost_usd for shape in shapes if isinstance(shape, Shape))
        yield f"the next generate_all makes the rejected ones again, once, about {money(cost)}"
