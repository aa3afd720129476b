"""Names and paths of a scene's pictures."""

from __future__ import annotations

from chargen.library.model import KIND_FOLDERS


def output_path(target: str, variation: int) -> str:
    """Return where a picture goes, relative to the library root, without its extension."""
    kind, entity, scene = target.split("/", 2)
    folder = next(folder for folder, name in KIND_FOLDERS.items() if name == kind)
    return f"{folder}/{entity}/images/{file_stem(scene, variation)}"


def file_stem(scene: str, variation: int) -> str:
    """Return the name of a picture without extension: the scene's id, and ``_c<N>`` for further variations."""
    return scene if variation == 1 else f"{scene}_c{variation}"
