"""What is wrong with the folders of a library before any of its files is read."""

from __future__ import annotations

import os
from pathlib import Path

from chargen.base.errors import ChargenError, Place, printable
from chargen.library.fields import Problems
from chargen.library.folders import LEADS_OUT, Folders, is_image_name, same_name, shown_name
from chargen.library.model import FOLDER_OF, Kind
from chargen.library.oddities import copies, copy_of, is_entity, misnamed
from chargen.library.slugs import nearest
from chargen.pictures.presence import NOT_DOWNLOADED

UNREADABLE = "make it readable (chmod u+r), or reconnect its disk, then run again"
UNREADABLE_FOLDER = "make it readable (chmod u+rx), or reconnect its disk, then run again"


def check_root(folders: Folders) -> None:
    """Raise ChargenError unless the library is a folder that can be read."""
    trouble = folders.listing("").trouble
    if trouble:
        raise ChargenError(f"The library folder {folders.root} {trouble}: {UNREADABLE_FOLDER}")
    if not folders.root.is_dir():
        raise ChargenError(f"Library folder not found: {folders.root}; {_what_instead(folders.root)}")


def not_a_folder(folders: Folders, name: str) -> str:
    """The problem with *name* below the root; ``""`` if it is a folder, or does not exist."""
    root = folders.listing("")
    if name in root.files or name in root.others:
        return root.away.get(name) or "is not a folder"
    return ""


def check_folder(folders: Folders, kind: Kind, slug: str, folder: str, problems: Problems) -> None:
    """Note why the folder cannot be read, and files in it that are not read."""
    listing = folders.listing(folder)
    if fault := listing.trouble or folders.away(folder):
        refuse(problems, folder, f"the folder {fault}", "unreadable-folder", UNREADABLE_FOLDER)
        return
    siblings = folders.listing(FOLDER_OF[kind]).folders
    others = () if slug.isascii() else siblings - {slug}
    twins = [name for name in others if same_name(name) == same_name(slug)]
    if twins:
        message = "two folders have this name, one with composed and one with decomposed letters"
        refuse(problems, folder, message, "same-name", "keep one of them")
    if original := copy_of(slug, siblings):
        problems.warn(
            "copied-folder", f"looks like a copy of {original}; its pictures are made too",
            Place(folder), f"remove it, or exclude it: --config exclude='{FOLDER_OF[kind]}/{slug}'",
        )  # fmt: skip
    for name in listing.unreadable_names:
        problems.warn(
            "invalid-name", "its name is not UTF-8, so it is skipped", Place(f"{folder}/{shown_name(name)}"),
            "rename it",
        )  # fmt: skip
    for name in copies(listing) if is_entity(listing) else ():
        problems.warn(
            "conflicted-copy", "looks like another version of the entity's file, so it is not read",
            Place(f"{folder}/{name}"), "copy its changes into the main file, then remove it",
        )  # fmt: skip
    name, advice = misnamed(listing)
    if name and is_entity(listing):
        problems.warn("wrong-name", "is not read", Place(f"{folder}/{name}"), advice)
    elif name:
        refuse(problems, f"{folder}/{name}", "is not read", "wrong-name", advice)


def check_images(folders: Folders, folder: str, problems: Problems) -> list[str]:
    """Note why pictures could not be seen, or could not be put, where they belong; return those not downloaded."""
    listing = folders.listing(folder)
    images = f"{folder}/images"
    found = folders.listing(images)
    others = [name for name in listing.folders if name.casefold() == "images" and name != "images"]
    if listing.away.get("images") == LEADS_OUT:
        message = f"{LEADS_OUT}, so no picture can be saved there"
        refuse(problems, images, message, "outside-library", "make it a folder")
    elif found.trouble:
        refuse(problems, images, found.trouble, "unreadable-folder", UNREADABLE_FOLDER)
    for name in others:
        if folders.images(f"{folder}/{name}") and not folders.is_same(f"{folder}/{name}", images):
            message = "contains pictures, but is not read"
            refuse(problems, f"{folder}/{name}", message, "wrong-name", "rename it to images")
    for name in found.unreadable_names:
        problems.warn(
            "invalid-name", "its name is not UTF-8, so it is skipped", Place(f"{images}/{shown_name(name)}"),
            "rename it",
        )  # fmt: skip
    return [
        f"{images}/{name}" for name in sorted(found.away) if is_image_name(name) and found.away[name] == NOT_DOWNLOADED
    ]


def refuse(problems: Problems, folder: str, message: str, code: str, advice: str) -> None:
    """Note what leaves out the whole entity; *folder* is the place of the fault."""
    problems.error(code, message, Place(printable(shown_name(folder))), advice=advice)


def _what_instead(root: Path) -> str:
    """What exists instead of the missing folder *root*, and what to do."""
    if os.path.lexists(root):
        return "this name exists, but is not a folder; set 'library' to the folder of your story"
    missing, present = root, root.parent
    while not present.is_dir() and present != present.parent:
        missing, present = present, present.parent
    names = [shown_name(name) for name in Folders(present).listing("").folders]
    near = nearest(missing.name, names)
    if near:
        return f"did you mean {present / near}?"
    return f"{missing.name} does not exist in {present}. Set 'library' to the folder of your story"
