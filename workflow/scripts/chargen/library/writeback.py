"""Records appended to an author's ``imagery.yaml`` without touching anything else in it.

The file is never serialised again: libyaml says where the section's last item ends, the new lines go there,
and the result is parsed and compared with what was there before, event by event, prior to taking the file's
place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from chargen.base import durable
from chargen.base.errors import ChargenError
from chargen.library import replacing
from chargen.library.access import may_be_written
from chargen.library.insertion import Document, ends_with_break
from chargen.library.locking import writing
from chargen.library.yaml_events import Obstacle, Refused, content_signature, decode
from chargen.library.yaml_writing import Value, encodable, list_lines, scalar, signature_of

IDENTITY = ("task_key", "file_name")
"""The keys by which two records of ``generated_images`` are the same record."""

GENERATED_IMAGES = "generated_images"

_NEWLINES = re.compile(b"\r\n|\n|\r")
# A file that begins like this, ends with a newline and never names the section takes it at its end.
_PLAIN_START = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*(?:#[^\r\n]*)?\r?\n)*[A-Za-z_\"'][^\r\n]*:(?:[ \t]|\r?\n)")
_MARKER_LINE = re.compile(rb"^(?:---|\.\.\.)(?:\s|$)", re.MULTILINE)


class WriteBackError(ChargenError):
    """Nothing was written; the records are still the caller's. ``obstacle`` says where and why."""

    def __init__(self, path: Path, obstacle: Obstacle) -> None:
        spot = f"{path}:{obstacle.line}:{obstacle.column}" if obstacle.line else str(path)
        advice = f" ({obstacle.advice})" if obstacle.advice else ""
        super().__init__(f"{spot}: {obstacle.what}{advice}")
        self.path = path
        self.obstacle = obstacle


class CannotWriteBack(WriteBackError):
    """The file is valid, but of a shape that records cannot be appended to."""


class InvalidFile(WriteBackError):
    """The file is not valid YAML at this moment: keep the records, and append them once it is fixed."""


class BeingSaved(WriteBackError):
    """The file is empty, or a program is writing it, and did not come to rest: keep the records for later."""


def append_items(
    path: Path,
    section: str,
    items: Sequence[Mapping[str, Value]],
    *,
    library: Path,
    same: Sequence[str] = IDENTITY,
) -> int:
    """Append *items* to the top-level list *section* of the YAML file *path*; return how many were added.

    An item whose values under the keys *same* all equal those of a recorded one (or of an earlier one of
    *items*) is left out; with an empty *same* every item is added. A missing file is created, its folder is
    not. Works on the bytes present at this moment, under the lock of *library*, the root folder (see
    `chargen.library.locking`); every old byte, comment and line ending stays, except for an empty value (``[]``,
    ``null``) of the section itself.
    Once this returns the records are on the disk; a file without anything to add is not touched.
    A file that is empty or being written is waited for, a few seconds; an author who saves meanwhile loses nothing,
    and what was saved gets the records (see `chargen.library.replacing`).
    Lone surrogates, which no file can hold, are written as U+FFFD.

    Raises `InvalidFile`, `BeingSaved` or `CannotWriteBack`, all before anything is written, ``TypeError`` or
    ``ValueError`` for items that YAML cannot hold, and what the file system raises (``FileNotFoundError`` for a folder
    that is gone).
    """
    target = Path(os.path.realpath(path))
    with writing(library, target.parent):
        durable.remove_dead_drafts(target)
        for _ in replacing.patiently():
            try:
                with replacing.SettledFile(target) as file:
                    return _append(path, file, section, items, same)
            except replacing.Unsettled as unsettled:
                why = str(unsettled)
    raise BeingSaved(path, Obstacle(0, 0, f"the file {why}", "save it, then run again to add the records"))


def _append(
    path: Path, file: replacing.SettledFile, section: str, items: Sequence[Mapping[str, Value]], same: Sequence[str]
) -> int:
    """Add the *items* that *file*, the one at *path*, does not have yet; return how many they are."""
    try:
        new, added = append_to_bytes(file.data or b"", section, items, same=same)
    except Refused as refused:
        kind = InvalidFile if refused.obstacle.invalid else CannotWriteBack
        raise kind(path, refused.obstacle) from None
    if added and not may_be_written(path):
        raise CannotWriteBack(path, Obstacle(0, 0, "the file is not writable", f"chmod u+w {path.name}"))
    if added:
        file.replace(new)
    return added


def check_writable(data: bytes, section: str = GENERATED_IMAGES) -> Obstacle | None:
    """Return what would keep `append_items` from adding to a file of these bytes, or None if nothing would.

    Meant for planning, behind a loader that has found the file valid: an ordinary one that is still without
    the section is passed without parsing it a second time.
    """
    if _takes_section_at_end(data, section):
        return None
    try:
        append_to_bytes(data, section, [{"probe": ""}], same=())
    except Refused as refused:
        return refused.obstacle
    return None


def append_to_bytes(
    data: bytes, section: str, items: Sequence[Mapping[str, Value]], *, same: Sequence[str] = IDENTITY
) -> tuple[bytes, int]:
    """Return *data* with those *items* added that *section* does not record yet, and how many they are.

    The part of `append_items` that touches no file. Raises `Refused`.
    """
    bom, text = decode(data)
    document = Document.parse(text, section)
    fresh = _not_recorded(items, document.recorded(same), same)
    if not fresh:
        return data, 0
    newline = _majority_newline(data)
    added = [signature_of(item) for item in fresh]
    for spot in document.spots():
        lead = text[: spot.cut_start] + text[spot.cut_end : spot.insert_at]
        lines = [*spot.heading, *(" " * spot.indent + line for line in list_lines(fresh))]
        block = "".join(line + newline for line in lines)
        if lead and not ends_with_break(lead):
            block = newline + block
        new = lead + block + text[spot.insert_at :]
        if content_signature(new) == spot.expected(document.signature, added):
            return bom + new.encode("utf-8"), len(fresh)
    raise Refused(document.unfit())


def _takes_section_at_end(data: bytes, section: str) -> bool:
    return (
        data.endswith(b"\n")
        and section.encode() not in data
        and _PLAIN_START.match(data) is not None
        and _MARKER_LINE.search(data) is None
    )


def _not_recorded(
    items: Sequence[Mapping[str, Value]], recorded: set[tuple[str, ...]], same: Sequence[str]
) -> list[Mapping[str, Value]]:
    if not same:
        return list(items)
    seen = set(recorded)
    fresh = []
    for item in items:
        identity = tuple(_identity_text(item.get(name, "")) for name in same)
        if identity not in seen:
            seen.add(identity)
            fresh.append(item)
    return fresh


def _identity_text(value: Value) -> str:
    return encodable(value) if isinstance(value, str) else scalar(value)


def _majority_newline(data: bytes) -> str:
    counts: dict[bytes, int] = {}
    for newline in _NEWLINES.findall(data):
        counts[newline] = counts.get(newline, 0) + 1
    return max(counts, key=lambda newline: counts[newline]).decode() if counts else "\n"
