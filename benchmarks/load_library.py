"""How fast a library is read: writes a synthetic one in the shapes and sizes of real ones, and loads it.

python benchmarks/load_library.py [entities]      # 121 by default, about 8 MB of YAML, and as much in runs files
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from chargen.library.load import load_library
from chargen.library.references import ReferenceIndex

WORDS = ["lamp", "keeper", "storm", "sea", "granite", "coat", "brass", "harbour", "rope", "—", "curved", "dûn"]
RANDOM = random.Random(1)


def words(length: int) -> str:
    """Some text of about *length* characters."""
    return " ".join(RANDOM.choices(WORDS, k=max(1, length // 7)))


def texts(indent: int, **lengths: int) -> str:
    """Lines of keys with texts of the given lengths, quoted."""
    return "".join(f'{" " * indent}{key}: "{words(length)}"\n' for key, length in lengths.items())


def inventory_item(slug: str, number: int) -> str:
    """One analysed picture, about 2.3 KB."""
    return (
        f"  - id: {slug}-{number}\n    path: images/{slug}-{number}.jpg\n    type: generated\n    status: approved\n"
        f"    image_type: portrait\n    is_reference_portrait: {'true' if number == 0 else 'false'}\n    content:\n"
        + texts(6, title=25, description=300, alt_text=150, composition_notes=150, narrative_significance=150)
        + "      tags: [canon, digital-painting, portrait, oil]\n    lighting:\n"
        + texts(6, primary_source=40, quality=30, direction=30, color_temperature=30, shadow_depth=40, atmospheric=50)
        + f"    palette:\n      dominant:\n        - {words(9)}\n        - {words(9)}\n      accent: [amber]\n"
        + "    canon_analysis:\n      matches_description: true\n      verified_features:\n"
        + "".join(f"        - {words(45)}\n" for _ in range(4))
        + texts(6, notes=120)
        + '    provenance:\n      source: generated\n      created_at: "2025-12-01"\n'
    )


def run(slug: str, number: int) -> str:
    """One item of a runs file, about 4 KB."""
    return (
        f"  - run_id: run-{number}\n    target_id: {slug}-title-{number % 14}-0{number % 9}\n"
        f"    timestamp: '2025-12-01T10:00:{number % 60:02d}.000Z'\n    file_name: {slug}-{number % 33}.jpg\n"
        f"    file_path: C:\\stories\\{slug}\\images\\{slug}-{number % 33}.jpg\n    provider: other\n"
        + texts(4, prompt_used=2600, negative_prompt_used=500)
        + "    provider_metadata:\n      batch_run_id: b\n      task_key: t\n"
    )


def character(folder: Path) -> None:
    """A character with 33 analysed pictures, 14 ideas and 44 runs."""
    slug = folder.name
    head = f'entity_type: character\nslug: {slug}\nappearance: "{words(800)}"\nprompts: []\nimage_inventory:\n'
    (folder / "imagery.yaml").write_text(head + "".join(inventory_item(slug, n) for n in range(33)))
    ideas = f'character:\n  name: {slug}\n  summary: "{words(300)}"\nvisual_consistency: [cap, coat]\nscenes:\n'
    for number in range(14):
        ideas += f"  - title: Title {number}\n" + texts(4, scene=100, pose=80, setting=80, mood=60) + "    tags: [a]\n"
    (folder / "image-ideas.yaml").write_text(ideas)
    (folder / "imagery.runs.yaml").write_text(
        "entity_type: chapter\nruns:\n" + "".join(run(slug, n) for n in range(44))
    )
    for number in range(26):
        (folder / "images" / f"{slug}-{number}.jpg").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")


def location(folder: Path) -> None:
    """A location with an overview, 18 zones and 4 beats."""
    item = texts(4, narrative_context=250, prompt_used=600, negative_prompt=80) + "    lighting:\n"
    item += texts(6, primary_source=60, quality=60, direction=60, color_temperature=40, shadow_depth=60)
    item += '    palette: {dominant: [slate, rust], accent: [brass], avoid: [neon]}\n    aspect_ratio: "16:9"\n'
    text = f"metadata: {{slug: {folder.name}, name: {folder.name}}}\n"
    text += "overview:\n  image_type: establishing\n  description: A place.\nzones:\n"
    text += "".join(f"  - slug: zone-{n}\n" + item for n in range(18)) + "beat_images:\n"
    text += "".join(f"  - slug: beat-{n}\n    zone_ref: zone-{n}\n" + item for n in range(4))
    (folder / "imagery.yaml").write_text(text.replace("\n", "\r\n"))


def chapter(folder: Path) -> None:
    """A chapter with 8 images."""
    text = f"metadata: {{entity_type: chapter-imagery, slug: {folder.name}}}\nimages:\n"
    for number in range(8):
        text += f"  - custom_id: {folder.name}-{number}\n    depicts_characters: [character-1, character-2]\n"
        text += "    location: location-1\n    zone: zone-1\n"
        text += texts(
            4, prompt_used=900, visual_description=600, composition_notes=300, visual_hook=200, mood_rationale=300
        )
    (folder / "imagery.yaml").write_text(text)


def write_library(root: Path, entities: int) -> int:
    """Write *entities* entities below *root*, in the proportions of a real library; the bytes of their wishes."""
    for number in range(entities):
        share = number / entities
        kind = "character" if share < 0.47 else "location" if share < 0.72 else "chapter"
        folder = root / f"{kind}s" / f"{kind}-{number}"
        (folder / "images").mkdir(parents=True)
        {"character": character, "location": location, "chapter": chapter}[kind](folder)
    return sum(path.stat().st_size for path in wishes(root))


def wishes(root: Path) -> Iterator[Path]:
    """The files that are parsed whatever happens."""
    return (path for path in root.rglob("*.yaml") if not path.name.endswith(".runs.yaml"))


def main() -> None:
    """Write, load, resolve; print seconds and megabytes per second."""
    entities = int(sys.argv[1]) if len(sys.argv) > 1 else 121
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        megabytes = write_library(root, entities) / 1e6
        runs = sum(path.stat().st_size for path in root.rglob("*.runs.yaml")) / 1e6
        for adopt in (False, True):
            start = time.perf_counter()
            library = load_library(root, adopt_existing=adopt)
            seconds = time.perf_counter() - start
            name = f"with {runs:.1f} MB of runs" if adopt else "without adoption"
            print(
                f"load {megabytes:.1f} MB, {entities} entities, {name}: {seconds:.2f} s, {megabytes / seconds:.1f} MB/s"
            )
        start = time.perf_counter()
        index = ReferenceIndex(library)
        scenes = [scene for entity in library.entities.values() for scene in entity.scenes]
        found = sum(len(index.for_scene(scene)[0]) for scene in scenes)
        print(f"references of {len(scenes)} scenes ({found}): {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
