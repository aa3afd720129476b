"""What a library holds once it is read: the same objects for every shape of file.

Everything here is frozen: a library is read once per process and never changed in memory.
Texts are stripped; absent texts are ``""``, absent lists ``()``. Paths are relative with ``/``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from chargen.base.errors import Place, Problem
from chargen.base.frozen import frozen
from chargen.library.folders import same_name
from chargen.library.scene import Depicted as Depicted
from chargen.library.scene import Palette as Palette
from chargen.library.scene import Scene as Scene
from chargen.library.scene import Weight as Weight

Kind = Literal["character", "location", "chapter"]
KINDS: tuple[Kind, ...] = get_args(Kind)
KIND_FOLDERS: dict[str, Kind] = {"characters": "character", "locations": "location", "chapters": "chapter"}
FOLDER_OF: dict[Kind, str] = {kind: folder for folder, kind in KIND_FOLDERS.items()}
ReferenceRole = Literal["character", "location", "scene", "other", "style"]
"""What a reference is sent for: a portrait, a place, the picture of another scene, anything else, the style."""


@frozen
class Record:
    """An item of ``generated_images``: one picture that was made and put in place.

    ``variation`` is 1 unless the task key's or ``custom_id``'s ``_c<N>`` says otherwise.
    ``path`` is relative to the entity's folder. ``data`` is the whole item as read (all scalars are text).
    ``status`` is what the last review of this picture says, else the item's own; ``note`` what the reviewer wrote.
    ``picked`` marks the one of several variations that the author prefers; it is approved then.
    """

    scene: str
    variation: int
    path: str
    status: str
    provider: str
    sha256: str
    task_key: str
    spec_hash: str
    generated_at: str
    data: Mapping[str, Any]
    place: Place
    note: str = ""
    picked: bool = False

    @property
    def model(self) -> str:
        """The model that made it, ``""`` if that was not recorded."""
        return str(self.data.get("model") or "")

    @property
    def aspect_ratio(self) -> str:
        """The shape that was asked for, ``""`` if that was not recorded."""
        return str(self.data.get("aspect_ratio") or "")

    @property
    def composer(self) -> int:
        """The version of the composition that wrote its prompt, 0 if that was not recorded."""
        said = str(self.data.get("composer") or "")
        return int(said) if said.isdecimal() else 0

    @property
    def around_hash(self) -> str:
        """The hash over what people wrote around the scene, ``""`` if that was not recorded."""
        return str(self.data.get("around_hash") or "")

    @property
    def references_used(self) -> tuple[str, ...]:
        """The pictures that went along, each as its path and the first digits of its hash: ``path@sha256:…``."""
        return tuple(filter(None, str(self.data.get("references_used") or "").split(", ")))

    @property
    def prompt_used(self) -> str:
        """The prompt as sent, or its hash like ``sha256:…``, ``""`` if neither was recorded."""
        return str(self.data.get("prompt_used") or "")


@frozen
class Review:
    """An item of ``image_reviews``: a review of the picture at ``path`` whose bytes have ``sha256``.

    ``status`` is approved, rejected, picked (approved, and preferred to the scene's other variations) or generated
    (no opinion any more). ``path`` as in Record. ``scene`` is that whose picture it was, ``""`` where nobody says so.
    """

    path: str
    sha256: str
    status: str
    note: str
    place: Place
    scene: str = ""
    variation: int = 1


@frozen
class InventoryItem:
    """An item of ``image_inventory``: an existing image and, perhaps, its analysis. ``path`` as in Record."""

    id: str
    path: str
    status: str
    is_portrait: bool
    data: Mapping[str, Any]
    place: Place


@frozen
class Adopted:
    """An image from before chargen that counts as a scene's picture; ``path`` relative to the library root."""

    path: str
    why: Literal["file_path", "runs", "name"]


@dataclass(frozen=True)
class Entity:
    """A folder of the library with its wanted images. ``slug`` is the folder's name, whatever the file says."""

    kind: Kind
    slug: str
    folder: Path  # absolute
    name: str
    description: str = ""
    traits: tuple[str, ...] = ()
    portrait: str = ""  # relative to the entity's folder; "" if none exists or is declared
    portrait_by_name: bool = False  # not declared: the file is only named like one
    zones: Mapping[str, str] = field(default_factory=dict)
    scenes: tuple[Scene, ...] = ()
    records: tuple[Record, ...] = ()
    inventory: tuple[InventoryItem, ...] = ()
    reviews: tuple[Review, ...] = ()
    adopted: Mapping[str, Adopted] = field(default_factory=dict)  # by scene id
    rejected: frozenset[str] = frozenset()
    """Paths in its folder of the pictures that the author does not want: by record, inventory or review."""

    @property
    def key(self) -> str:
        """``kind/slug``, as in task keys."""
        return f"{self.kind}/{self.slug}"


@dataclass(frozen=True)
class Library:
    """All readable entities by key, in order of kind (characters, locations, chapters) and slug, and every problem.

    ``broken`` names the entities (``kind/slug``) that were left out because of errors; ``kind/*`` stands for a whole
    folder that could not be read. ``notices`` say what else lies in the library and is passed over. ``mistake`` says
    why the folder that was named is not the library at all, where that is plain to see.
    """

    root: Path
    entities: Mapping[str, Entity]
    problems: tuple[Problem, ...]
    broken: tuple[str, ...]
    notices: tuple[str, ...] = ()
    mistake: str = ""

    def entity(self, key: str) -> Entity | None:
        """The entity ``kind/slug``, however its letters are composed; None if it was not read."""
        found = self.entities.get(key)
        if found is None and not key.isascii():
            found = self._by_composed_key.get(same_name(key))
        return found

    @cached_property
    def _by_composed_key(self) -> dict[str, Entity]:
        return {same_name(key): entity for key, entity in self.entities.items() if not key.isascii()}

    def is_broken(self, key: str) -> bool:
        """Whether the entity ``kind/slug`` was left out, or may be among what could not be read."""
        return key in self.broken or f"{key.partition('/')[0]}/*" in self.broken


@frozen
class Candidate:
    """One way to satisfy a reference: a picture that exists (``path``, relative to the library root), the picture that
    the scene ``target`` makes, or both: an existing picture that this scene made and will replace if wanted again.

    ``rivals`` are other scenes whose pictures would be preferred once they are made: "the newest picture of a zone" is
    only known when all of its pictures that are wanted in the same run are in place. ``why`` says why it was
    chosen, where nobody named it.
    """

    path: str = ""
    target: str = ""
    rivals: tuple[str, ...] = ()
    why: str = ""


@frozen
class Reference:
    """A reference image that a scene asks for, with the ways to satisfy it, best first.

    ``subject`` is what it shows (``character/oda-brennick``, ``location/saltmere-light``, or a path);
    ``name`` is how the prompt calls it; ``written`` is what the author wrote, or the rule that asked for it.
    """

    role: ReferenceRole
    subject: str
    name: str
    written: str
    candidates: tuple[Candidate, ...]
    place: Place
