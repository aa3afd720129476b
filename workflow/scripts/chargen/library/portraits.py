"""Finds the portrait of an entity, by its files and by file name."""

from __future__ import annotations

from collections.abc import Sequence

from chargen.library.drafts import Draft
from chargen.library.fields import Problems, View
from chargen.library.folders import PORTRAIT_SUFFIXES, Folders, inside, is_image_name
from chargen.library.model import InventoryItem, Kind


def check_portrait(
    folders: Folders, view: View, folder: str, written: str, drafts: Sequence[Draft], problems: Problems
) -> None:
    """Warn of a declared portrait that neither exists nor will be made by a scene of the entity."""
    if not written or any(draft.id == written for draft in drafts):
        return
    paths = [path for base in (folder, "") if (path := inside(base, written))]
    if not paths or any(folders.leads_outside(path) for path in paths):
        message = f"the portrait '{written}' is outside the library, so it is not read"
        problems.warn("outside-library", message, view.place("portrait"))
        return
    is_made = is_image_name(paths[0]) and any(paths[0] in _pictures_of(folder, draft) for draft in drafts)
    if not is_made and not any(folders.exists(path) for path in paths):
        message = f"the portrait '{written}' does not exist, and no scene creates it"
        problems.warn("missing-reference", message, view.place("portrait"))


def said_portrait(folders: Folders, folder: str, declared: str, inventory: Sequence[InventoryItem]) -> str:
    """What the file has *declared*, else what the inventory flags."""
    if declared:
        return declared.replace("\\", "/")
    for item in inventory:
        if item.is_portrait and item.path and item.status != "rejected":
            path = inside(folder, item.path)
            if folders.exists(path):
                return item.path
    return ""


def named_portrait(folders: Folders, kind: Kind, folder: str) -> str:
    """The file that is named like a portrait."""
    if kind == "chapter":
        return ""
    name = "overview" if kind == "location" else "portrait"
    files = folders.files(f"{folder}/images")
    return next((f"images/{name}{end}" for end in PORTRAIT_SUFFIXES if f"{name}{end}" in files), "")


def _pictures_of(folder: str, draft: Draft) -> set[str]:
    """The paths that the picture of *draft* may get."""
    return {f"{folder}/images/{draft.id}{end}" for end in PORTRAIT_SUFFIXES}
