"""Targets: what one result is about, as keys, records, orders and screens name it."""

from __future__ import annotations


class Target(str):
    """What a task is about: ``<kind>/<slug>/<scene>``.

    It is its text: equal to it, sorted like it, written to files as it is. Its parts are taken apart here and nowhere
    else. Its kind is that of an entity, or ``enhance``:

    - a scene: ``character/oda-brennick/lamp-room``
    - a picture that is analysed: ``character/oda-brennick/images/lamp-room.png``
    - a picture that is enhanced: ``enhance/<job name>/<path below the input folder>``

    Parts that are missing, in what a damaged file or a foreign job names, are empty.
    """

    __slots__ = ()

    @classmethod
    def of(cls, entity: str, scene: str) -> Target:
        """Return the target *scene* of *entity* (``<kind>/<slug>``)."""
        return cls(f"{entity}/{scene}")

    @property
    def kind(self) -> str:
        """Of what kind its entity is: character, location, chapter; or ``enhance``."""
        return self.partition("/")[0]

    @property
    def slug(self) -> str:
        """The name of its entity's folder, or of the job that enhances."""
        return self._part(1)

    @property
    def entity(self) -> str:
        """``<kind>/<slug>``, the key of its entity."""
        return "/".join(self.split("/", 2)[:2])

    @property
    def scene(self) -> str:
        """The id of the scene; of a picture its path, relative to the entity's or the job's folder."""
        return self._part(2)

    def _part(self, number: int) -> str:
        parts = self.split("/", 2)
        return parts[number] if number < len(parts) else ""
