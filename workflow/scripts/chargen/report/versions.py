"""Earlier versions of a picture, in the ``archive`` folder beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from chargen.base.frozen import frozen
from chargen.library.model import Record

ARCHIVE = "archive"
_NAME = re.compile(r"(.+)-([0-9a-f]{8})\.[A-Za-z0-9]+")


@frozen
class Version:
    """An archived picture; ``record`` is what is known of how it was made."""

    path: Path
    record: Record | None


class Archive:
    """The archived pictures of one folder, by the name that they had without its extension."""

    def __init__(self, images: Path, records: Iterable[Record] = ()):
        by_content: Mapping[str, Record] = {record.sha256[:8]: record for record in records if record.sha256}
        self._versions: dict[str, list[Version]] = {}
        try:
            files = [file for file in (images / ARCHIVE).iterdir() if file.is_file()]
        except OSError:
            files = []
        for file in files:
            if match := _NAME.fullmatch(file.name):
                stem, start_of_sha256 = match.groups()
                version = Version(file, by_content.get(start_of_sha256))
                self._versions.setdefault(stem, []).append(version)

    def of(self, path: str) -> Sequence[Version]:
        """Return the earlier versions of the picture *path*, the youngest first."""
        return sorted(self._versions.get(Path(path).stem, ()), key=_age, reverse=True)


def _age(version: Version) -> tuple[str, str]:
    return version.record.generated_at if version.record else "", version.path.name
