"""The example library: it is read without a complaint, and every scene of it makes a prompt that fits."""

from __future__ import annotations

import re
from pathlib import Path

from chargen.library.load import load_library
from chargen.library.references import ReferenceIndex
from chargen.prompts.composer import Around, CastMember, PlaceInfo, compose
from chargen.prompts.lint import lint
from chargen.prompts.rules import load_rules
from chargen.prompts.text import one_line
from chargen.records.library_settings import read_library_settings

ROOT = Path(__file__).resolve().parents[2]
LOOK = read_library_settings(ROOT / "examples" / "saltmere", None, ROOT).look
SALTMERE = ROOT / "examples" / "saltmere"
LIBRARY = load_library(SALTMERE)
SCENES = [scene for entity in LIBRARY.entities.values() for scene in entity.scenes]


def test_it_loads_without_a_complaint() -> None:
    """Neither the files nor their references to each other bring an error or a warning."""
    index = ReferenceIndex(LIBRARY)

    problems = [*LIBRARY.problems, *(problem for scene in SCENES for problem in index.for_scene(scene)[1])]

    assert [] == [str(problem) for problem in problems]


def test_the_readme_counts_right() -> None:
    """The numbers of pictures and scenes in the README are those of the files."""
    wanted = [scene for scene in SCENES if not scene.skip]
    printed = re.search(
        r"asks for (\d+) pictures in (\d+) scenes", (SALTMERE / "README.md").read_text(encoding="utf-8")
    )

    assert printed
    assert (sum(scene.variations for scene in wanted), len(wanted)) == tuple(map(int, printed.groups()))


def test_every_scene_makes_a_prompt_that_fits() -> None:
    """The linter finds nothing, and what the author wrote for the scene is in the prompt."""
    rules = load_rules(ROOT / "config" / "prompts.yaml", ROOT / "config" / "styles.yaml", LOOK)

    for scene in SCENES:
        cast = [
            CastMember(who.slug, who.name, who.description, who.traits, item.state, False)
            for item in scene.characters
            if (who := LIBRARY.entities.get(f"character/{item.slug}"))
        ]
        where = LIBRARY.entities.get(f"location/{scene.location}")
        place = PlaceInfo(where.name, where.description) if where else None
        result = compose(rules, scene, Around(LIBRARY.entities[scene.entity], cast, place=place))

        assert () == lint(rules, scene, result)
        assert not scene.prompt or one_line(scene.prompt).rstrip(".") in one_line(result.text)


def test_files_keep_what_they_are_to_show() -> None:
    """One file has Windows line endings, one no newline at its end, one a ratio without quotes."""
    steps = (SALTMERE / "locations/harbour-steps/imagery.yaml").read_bytes()
    chapter = (SALTMERE / "chapters/ch02-a-letter-for-the-sea/imagery.yaml").read_bytes()
    shine = (SALTMERE / "locations/the-shine/imagery.yaml").read_bytes()

    assert steps.count(b"\n") == steps.count(b"\r\n") > 0
    assert not chapter.endswith(b"\n")
    assert b"aspect_ratio: 16:9" in shine
