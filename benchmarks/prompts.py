"""How good composed prompts are, counted: plans the example and a made-up library of real proportions, and measures.

python benchmarks/prompts.py [--library FOLDER] [--small] [--places] [--manga] [--dump FILE] [--json]

Without --library the example and a made-up library are measured; --places puts a picture of every location into the
latter, --manga takes one of a city of hackers that says its own look. --dump writes whole prompts of every kind.
What waits for another picture of the same run is planned again without it, as a run of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import yaml  # noqa: E402

from benchmarks.support import prompt_measures as measures  # noqa: E402
from benchmarks.support.prompt_measures import Case, Person  # noqa: E402
from benchmarks.support.story_library import SMALL, WHOLE, write_manga_library, write_story_library  # noqa: E402
from chargen.library.model import Entity, Library, Palette, Scene  # noqa: E402
from chargen.operations.generate.plan import make_plan  # noqa: E402
from chargen.planning.tasks import Task  # noqa: E402
from chargen.records.settings import settings  # noqa: E402

EXAMPLE = ROOT / "examples" / "saltmere"
KINDS = ("character", "location", "chapter")
LIMITS = (2200, 2800, 4000)
_NOT_WORDS = frozenset(
    {"entity", "id", "image_type", "aspect_ratio", "image_size", "model", "weight", "tags", "location"}
)


def planned(root: Path, home: Path) -> list[Case]:
    """The prompts of all that the library at *root* asks for, as the planner writes them; *home* holds no state."""
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    given = settings(config | {"library": str(root), "provider": "emulator", "adopt_existing": False}, home)
    cases: list[Case] = []
    targets: frozenset[str] | None = None
    while targets is None or targets:
        plan = make_plan(given, scope=("all",), targets=targets)
        scenes = {standing.target: standing.scene for standing in plan.items}
        cases += [
            case_of(
                plan.library,
                scenes[task.wish.target],
                task.prompt,
                [(ref.role, ref.subject) for ref in task.references],
            )
            for task in plan.tasks
            if task.wish.variation == 1
        ]
        later = frozenset(item.item.target for item in plan.deferred)
        targets = later if later != targets else frozenset()
    return sorted(cases, key=lambda case: case.target)


def _sent(task: Task) -> list[tuple[str, str]]:
    """Role and subject of each picture that goes along."""
    return [(picture.role, picture.subject) for picture in task.references]


def case_of(library: Library, scene: Scene, prompt: str, sent: Sequence[tuple[str, str]]) -> Case:
    """What was measured of *scene*: its *prompt*, its texts, and the pictures *sent* by role and subject."""
    entity = library.entities[scene.entity]
    cast = [found for item in scene.characters if (found := library.entity(f"character/{item.slug}"))]
    place = library.entity(f"location/{scene.location}")
    texts = [
        *_texts(scene),
        *look_of(library.root),
        *(text for item in (entity, *cast, place) if item for text in _looks(item)),
    ]
    unknown = {item.slug for item in scene.characters if item.slug} - {item.slug for item in cast}
    shown = {subject for role, subject in sent if role == "character"}
    own = tuple(text for text in (scene.prompt, scene.description) if text)
    spec = set(_strings(scene.spec))
    return Case(
        target=scene.target,
        kind=entity.kind,
        prompt=prompt,
        own=own or tuple(filter(None, (scene.beat, scene.pose))),
        library=tuple(texts),
        people=(
            *(Person(item.name, (item.description, *item.traits), item.key in shown) for item in cast),
            *(Person(slug, (), False) for slug in sorted(unknown)),
        ),
        roles=tuple(role for role, _ in sent),
        materials=scene.materials,
        wanted=(*own, *scene.must_include, *(item.state or item.text for item in scene.characters)),
        inherited=tuple(text for text in scene.composition if text not in spec),
    )


def _texts(scene: Scene) -> Iterator[str]:
    """Everything that the scene says in words."""
    for field in fields(scene):
        value = getattr(scene, field.name)
        if field.name not in _NOT_WORDS:
            yield from _strings(value)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        if value:
            yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item)
    elif isinstance(value, Palette):
        yield from (*value.dominant, *value.accent, *value.avoid)
    elif hasattr(value, "slug"):
        yield from filter(None, (value.state, value.text))


def _looks(entity: Entity) -> Iterator[str]:
    yield from filter(None, (entity.name, entity.description, *entity.traits, *entity.zones.values()))


def figures(cases: Sequence[Case], keys: Iterable[str]) -> dict[str, str]:
    """Each measure over *cases* in words; *keys* are those of the library's files."""
    if not cases:
        return {}
    known = tuple(keys)
    lengths = [len(case.prompt) for case in cases]
    starts = [measures.moment_starts(case.prompt, case.own) for case in cases]
    found = [start for start in starts if start is not None]
    shares = [measures.fixed_share(case.prompt, case.library) for case in cases]
    bans = [len(measures.negatives(case.prompt)) for case in cases]
    portraits = [case.roles.count("character") for case in cases]
    people = [person for case in cases for person in case.people]

    def share(is_so: Callable[[Case], object]) -> str:
        return _share(sum(1 for case in cases if is_so(case)), len(cases))

    return {
        "prompts": f"{len(cases):,}",
        "medium named": share(lambda case: measures.has_medium(case.prompt)),
        "any word of style": share(lambda case: measures.has_style(case.prompt)),
        "a word of light": share(lambda case: measures.has_light(case.prompt)),
        "a word of composition": share(lambda case: measures.has_composition(case.prompt)),
        "all three": share(
            lambda case: (
                measures.has_medium(case.prompt)
                and measures.has_light(case.prompt)
                and measures.has_composition(case.prompt)
            )
        ),
        "moment begins at (median; worst)": f"{statistics.median(found):,.0f}; {max(found):,}" if found else "-",
        "moment within 250 characters": _share(sum(start <= 250 for start in found), len(cases)),
        "moment not found": _share(starts.count(None), len(cases)),
        "fixed wording (median; worst)": f"{statistics.median(shares):.0%}; {max(shares):.0%}",
        "fixed wording below 40 %": _share(sum(item < 0.4 for item in shares), len(cases)),
        "length (shortest; median; longest)": f"{min(lengths):,}; {statistics.median(lengths):,.0f}; {max(lengths):,}",
        **{f"longer than {limit:,}": _share(sum(item > limit for item in lengths), len(cases)) for limit in LIMITS},
        "a sentence twice": share(lambda case: measures.doubled(case.prompt)),
        "a material twice": share(lambda case: measures.doubled_materials(case.prompt, case.materials)),
        "keys of the files": share(lambda case: measures.leaked_keys(case.prompt, known)),
        "style twice": share(lambda case: measures.styled_twice(case.prompt, case.own)),
        "words of the example's look": share(lambda case: measures.foreign_words(case.prompt, case.library)),
        "a voice, TBD or the like": share(lambda case: measures.unseen_traits(case.prompt)),
        "somebody without picture or looks": share(lambda case: measures.strangers(case.prompt, case.people)),
        "people; without a picture": f"{len(people):,}; {sum(not person.is_sent for person in people):,}",
        "an image that does not go along": share(lambda case: measures.dangling_images(case.prompt, len(case.roles))),
        "more than four portraits": _share(sum(item > 4 for item in portraits), len(cases)),
        "faces asked for where only hands are seen": share(lambda case: measures.asks_for_faces(case.prompt, case.own)),
        "camera or composition inherited": share(lambda case: measures.inherited_views(case.prompt, case.inherited)),
        "negatives (median; most)": f"{statistics.median(bans):.0f}; {max(bans)}",
        "more than six negatives": _share(sum(item > 6 for item in bans), len(cases)),
        "a negative twice": share(lambda case: measures.repeated_negatives(case.prompt)),
        "a negative that the scene asks for": share(lambda case: measures.contradicting(case.prompt, case.wanted)),
        "a colour to avoid that is none": share(lambda case: measures.no_colours(case.prompt)),
    }


def _share(count: int, of: int) -> str:
    return f"{count / of:.1%} ({count:,})"


def table(cases: Sequence[Case], keys: Iterable[str]) -> str:
    """The figures of all *cases* and of each kind, as a table in Markdown."""
    known = tuple(keys)
    columns = {"all": figures(cases, known)}
    columns |= {kind: figures([case for case in cases if case.kind == kind], known) for kind in KINDS}
    columns = {name: column for name, column in columns.items() if column}
    lines = [f"| measure | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    lines += [f"| {name} | {' | '.join(column[name] for column in columns.values())} |" for name in columns["all"]]
    return "\n".join(lines)


def dumped(cases: Sequence[Case], count: int = 20) -> str:
    """*count* whole prompts of each kind, evenly spread over the library, in Markdown."""
    parts = []
    for kind in KINDS:
        of_kind = [case for case in cases if case.kind == kind]
        chosen = of_kind[:: max(1, len(of_kind) // count)][:count]
        parts.append(f"# {kind}: {len(chosen)} of {len(of_kind)}")
        for case in chosen:
            sent = ", ".join(case.roles) or "none"
            parts.append(
                f"## {case.target}\n\n{len(case.prompt):,} characters; references: {sent}\n\n```\n{case.prompt}\n```"
            )
    return "\n\n".join(parts) + "\n"


@cache
def look_of(root: Path) -> tuple[str, ...]:
    """The texts of the library's own chargen.yaml: its author's words, too."""
    path = root / "chargen.yaml"
    return tuple(_strings(yaml.safe_load(path.read_text(encoding="utf-8")))) if path.is_file() else ()


def written_keys(root: Path) -> frozenset[str]:
    """Every key in the files of the library at *root*."""
    return measures.keys_of(path.read_text(encoding="utf-8") for path in sorted(root.glob("*/*/*.yaml")))


def main() -> None:
    """Measure, and print a table for each library."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", type=Path, help="a library to measure instead of example and made-up one")
    parser.add_argument("--small", action="store_true", help="a small made-up library, of every shape all the same")
    parser.add_argument("--places", action="store_true", help="with a picture of every location")
    parser.add_argument("--manga", action="store_true", help="the made-up library in black and white")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dump", type=Path, help="a file for whole prompts of each kind, of the last library measured")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "story"
        roots = {asked.library.name: asked.library} if asked.library else {"example": EXAMPLE, "made up": made}
        if asked.manga and not asked.library:
            roots = {"manga": made}
            write_manga_library(made, asked.seed)
        elif not asked.library:
            write_story_library(made, asked.seed, SMALL if asked.small else WHOLE, places=asked.places)
        cases: list[Case] = []
        for name, root in roots.items():
            cases, keys = planned(root.absolute(), Path(folder) / "home"), written_keys(root)
            if asked.json:
                print(json.dumps({"library": name, **figures(cases, keys)}, ensure_ascii=False))
            else:
                kinds = Counter(case.kind for case in cases)
                counts = ", ".join(f"{kinds[kind]:,} of {kind}s" for kind in KINDS)
                print(f"## {name}: {len(cases):,} prompts ({counts})\n\n{table(cases, keys)}\n")
        if asked.dump:
            asked.dump.write_text(dumped(cases), encoding="utf-8")


if __name__ == "__main__":
    main()
