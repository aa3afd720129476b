"""Checks of the library: whether it can be read, its problems, pictures that Git LFS has not fetched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from chargen.base.findings import Finding
from chargen.base.wording import count
from chargen.records.settings import Settings

SHOWN_PROBLEMS = 5


def check_library(settings: Settings) -> Iterator[Finding]:
    """Yield whether the library can be read, what it holds, its problems, and files that Git LFS has not fetched."""
    root = settings.library_root
    if not root.is_dir():
        text = f"set `library` to your story's root folder, or make one: snakemake init --config library={root.name}"
        yield Finding("error", "library", f"Library folder not found: {root}", text)
        return
    from chargen.library.load import load_library

    found = load_library(
        root, exclude=settings.exclude, adopt_existing=settings.adopt_existing, provider=settings.provider
    )
    scenes = sum(len(entity.scenes) for entity in found.entities.values())
    held = f"{root}: {count(len(found.entities), 'entity', 'entities')}, {count(scenes, 'scene')}"
    if found.entities:
        yield Finding("ok", "library", held)
    else:
        text = "a library has characters/, locations/ or chapters/ with a folder for each entity and its imagery.yaml"
        yield Finding("error", "library", f"{root} has no entities", "; ".join((text, *found.notices[:1])))
    for notice in found.notices if found.entities else found.notices[1:]:
        yield Finding("ok", "library", notice)
    for level in ("error", "warning"):
        problems = [problem for problem in found.problems if problem.severity == level]
        if problems:
            kinds = ", ".join(f"{n} × {code}" for code, n in Counter(p.code for p in problems).most_common())
            text = "; ".join(str(problem) for problem in problems[:SHOWN_PROBLEMS])
            more = " …" if len(problems) > SHOWN_PROBLEMS else ""
            yield Finding("warning" if level == "warning" else "error", "library", kinds, text + more)
    pointers = lfs_pointers(root)
    if pointers:
        says = f"{count(len(pointers), 'picture')} not downloaded by Git LFS, like {pointers[0]}"
        yield Finding("error", "library", says, "run `git lfs pull` in the library: pointers cannot be references")


def lfs_pointers(root: Path) -> list[str]:
    """Return the pictures of the library at *root* that are Git LFS pointers, by path below it."""
    from chargen.library.folders import is_image_name
    from chargen.library.model import KIND_FOLDERS
    from chargen.pictures.formats import is_lfs_pointer

    return [
        path.relative_to(root).as_posix()
        for folder in KIND_FOLDERS
        for path in sorted((root / folder).rglob("*"))
        if is_image_name(path.name) and is_lfs_pointer(path)
    ]
