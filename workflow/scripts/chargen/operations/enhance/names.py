"""The name under which each picture of the input folder is made, and the names of its results."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from pathlib import PurePosixPath

from chargen.base.frozen import frozen
from chargen.operations.enhance.inputs import Input
from chargen.operations.enhance.submission import Result, Slot
from chargen.pictures.looks import Look

LONGEST_NAME = 200
"""Bytes of a result's name before its number and ending; file systems take 255 in all."""


@frozen
class Found:
    """A picture that can be sent. ``spec`` is the hash of what is asked: content, words and size."""

    item: Input
    look: Look
    spec: str


class Names:
    """Under which name each picture is made, and where its results go.

    A picture keeps the name under which it was first sent: a renamed file has its results already. Of several files
    with the same content and words only one is made. Two pictures never share a file for their results.
    """

    def __init__(
        self,
        asked: Sequence[Found],
        known: Mapping[str, list[str]],
        done: Mapping[Slot, Result],
        variations: int,
    ):
        self.name_of: dict[str, str] = {}
        self.twin_of: dict[str, str] = {}
        self.output_of: dict[str, str] = {}
        by_spec: dict[str, list[str]] = {}
        for found in asked:
            by_spec.setdefault(found.spec, []).append(found.item.name)
        for spec, names in by_spec.items():
            self._settle(names, known.get(spec, []))
        self._give_outputs([found for found in asked if found.item.name in self.name_of], done, variations)

    def _settle(self, names: Sequence[str], known: Sequence[str]) -> None:
        """Say of the files of one content which of them stand for themselves."""
        own = [name for name in names if name in known]
        if not own:
            own = [names[0]]
            self.name_of[names[0]] = known[0] if known else names[0]
        for name in names:
            if name in own:
                self.name_of.setdefault(name, name)
            else:
                self.twin_of[name] = own[0]

    def _give_outputs(self, makers: Sequence[Found], done: Mapping[Slot, Result], variations: int) -> None:
        present = {(self.name_of[found.item.name], found.spec) for found in makers}
        taken: dict[str, tuple[str, str]] = {}  # result without extension -> whose it is
        for (name, _, spec), record in done.items():
            if (name, spec) in present:
                taken[_folded(_stem(record.file))] = (name, spec)
        stems = Counter(_folded(_stem(name)) for name, _ in present)
        for found in makers:
            whose = name, _ = self.name_of[found.item.name], found.spec
            for output in _outputs(name, stems[_folded(_stem(name))] > 1):
                results = [_folded(output + suffix(number, variations)) for number in range(1, variations + 1)]
                if all(taken.get(result, whose) == whose for result in results):
                    break
            taken |= dict.fromkeys(results, whose)
            self.output_of[found.item.name] = output


def suffix(variation: int, variations: int) -> str:
    """Return what the name of a result ends in: ``_c<N>`` where there are several."""
    return f"_c{variation}" if variations > 1 else ""


def _stem(name: str) -> str:
    return PurePosixPath(name).with_suffix("").as_posix()


def _outputs(name: str, shared: bool) -> Iterator[str]:
    """Where the results of the input *name* may go, without extension, the first choice first."""
    stem, ending = _stem(name), PurePosixPath(name).suffix.lstrip(".").lower()
    stem = _cut(stem, LONGEST_NAME)
    with_ending = f"{stem}-{ending}" if ending else stem
    if not shared:
        yield stem
    yield with_ending
    yield from (f"{with_ending}-{number}" for number in count(2))


def _cut(stem: str, most: int) -> str:
    """*stem* with at most so many bytes in its last part: the name of a result is longer than that of its input."""
    folder, slash, last = stem.rpartition("/")
    return folder + slash + last.encode()[:most].decode("utf-8", "ignore").rstrip()


def _folded(name: str) -> str:
    """The name as a file system may take it that knows neither case nor composed letters."""
    return unicodedata.normalize("NFC", name).casefold()
