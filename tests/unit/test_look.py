"""A library says how it wants to look, in chargen.yaml: what it may say, what goes before it, and where it is shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from planning_world import World

from chargen.base import schemas as schema
from chargen.base.errors import CannotPlan
from chargen.operations import words as show
from chargen.prompts.rules import load_rules
from chargen.records import settings as config
from chargen.records.settings import Settings
from chargen.records.typed import said_by_hand
from chargen.screens.checks.setup import check_look
from chargen.screens.init import make

ROOT = schema.ROOT
ODA = "name: Oda\nscenes:\n  - {id: lamp, prompt: The lamp burns.}\n"


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    world.write("characters/oda", ODA)
    return world


def say(world, text: str) -> None:
    (world.home / "story" / "chargen.yaml").write_text(text)


def prompts_of(world, **changes) -> list[str]:
    return [task.prompt for task in world.plan(**changes).tasks]


def test_the_medium_of_the_library_is_in_the_prompt(world):
    """`style` is enough."""
    say(world, "style: Woodcut in two colours.\n")

    assert all("Woodcut in two colours." in prompt for prompt in prompts_of(world))


def test_keys_are_merged(world):
    """Whoever sets the medium keeps the rest, and whoever sets a mood keeps the others."""
    say(world, "art_direction: {medium: Woodcut.}\nmoods: {urgent: [wind]}\n")
    settings = world.settings()
    styles = load_rules(Path(settings.prompts), Path(settings.styles), settings.look).styles

    assert ("Woodcut.", "One clear main source of light.") == (styles.art.medium, styles.art.light)
    assert ("wind",) == styles.moods["urgent"]
    assert styles.moods["ominous"]


def test_our_defaults_say_nothing_of_the_example():
    """No medium, no colours, no taste."""
    art = load_rules(ROOT / "config" / "prompts.yaml", ROOT / "config" / "styles.yaml").styles.art

    assert ("", "", (), ()) == (art.north_star, art.medium, art.signature_colours, art.forbidden_colours)


def test_without_a_medium_the_plan_says_so(world):
    """What to do is said with the file's name."""
    say(world, "schema: 1\n")
    (notice,) = world.plan().notices
    say(world, "style: Woodcut.\n")

    assert "the library says no medium: add `style: …` to story/chargen.yaml; docs/look.md has styles to copy" == notice
    assert [] == world.plan().notices


FILE = """\
models: {generate: {model: gemini-3-pro-image}}
exclude: [characters/drafts]
adopt_existing: false
analyze: {store: sidecar}
record_prompt: hash
"""


def chosen(settings: Settings) -> tuple[object, ...]:
    return (
        settings.models["generate"].model,
        settings.exclude,
        settings.adopt_existing,
        settings.analyze.store,
        settings.record_prompt,
    )


def test_the_library_goes_before_the_configuration(world):
    """Model, excluded folders, adoption, store and records come from the library."""
    say(world, FILE)

    assert ("gemini-3-pro-image", ("characters/drafts",), False, "sidecar", "hash") == chosen(world.settings())


def test_what_is_typed_goes_before_the_library(world):
    """Key by key: a model typed in a group leaves the library's other keys alone."""
    say(world, FILE)
    rule = config.configuration_rule()
    words = ["models={generate: {model: gemini-2.5-flash-image}}", "record_prompt=text"]
    typed = said_by_hand(words, rule, [])
    data = world.defaults | {"record_prompt": "text"}
    data["models"] = data["models"] | {"generate": data["models"]["generate"] | {"model": "gemini-2.5-flash-image"}}
    settings = config.settings(data, world.home, typed)

    assert ("gemini-2.5-flash-image", ("characters/drafts",), False, "sidecar", "text") == chosen(settings)
    assert "the command line" == settings.sources["models.generate.model"]
    assert "story/chargen.yaml:2" == settings.sources["exclude"]


def test_a_file_given_at_the_command_goes_before_the_library(world, tmp_path):
    """--configfile is the command's."""
    mine = tmp_path / "mine.yaml"
    mine.write_text("record_prompt: text\n")
    say(world, FILE)
    settings = config.settings(world.defaults, world.home, said_by_hand([], config.configuration_rule(), [mine]))

    assert ("text", "the command line") == (settings.record_prompt, settings.sources["record_prompt"])


@pytest.mark.parametrize(
    ("configured", "said", "holds"),
    [("", 5, 5.0), ("", 50, 10.0), (3, 5, 3.0), (7, 5, 5.0), (7, 0, 0.0)],
)
def test_a_library_only_lowers_the_budget(world, configured, said, holds):
    """A story that somebody downloads cannot raise what may be spent; without a limit of one's own 10 USD hold."""
    say(world, f"budget_usd: {said}\nbudget_month_usd: 40\n")
    settings = world.settings(provider="gemini", budget_usd=configured)

    assert (holds, 40.0) == (settings.budget_usd, settings.budget_month_usd)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stile: x\n", r"story/chargen\.yaml:1: the whole file: unknown key `stile`, did you mean `style`\?"),
        ("style: x\nbase_url: http://elsewhere\n", r"chargen\.yaml:2: the whole file: unknown key `base_url`"),
        ("style: x\nprovider: gemini\n", "unknown key `provider`"),
        ("library_id: other\n", "unknown key `library_id`"),
        ("style: [a\n", r"chargen\.yaml:2:1: invalid YAML"),
        ("budget_usd: much\n", r"chargen\.yaml:1: budget_usd: "),
        ("style: x\nart_direction: {medium: y}\n", r"chargen\.yaml:1: style: it says the same"),
        ("style: x\nstyle: y\n", "appears twice"),
    ],
)
def test_mistakes_are_named_with_their_line(world, text, words):
    """Planning stops and says where; what was sent can still be collected, for which settings are enough."""
    say(world, text)

    with pytest.raises(CannotPlan, match=words):
        world.plan()


def test_every_style_to_copy_is_right():
    """Each block of docs/look.md fits the schema, and names a medium."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "look.md").read_text(), re.DOTALL)
    files = [yaml.load(block, yaml.BaseLoader) for block in blocks]

    assert 4 == len(files)
    assert [] == [fault for data in files for fault in schema.errors("library", data)]
    assert all(data.get("style") or data["art_direction"]["medium"] for data in files)


def test_init_writes_the_style(tmp_path):
    """What is typed goes into the new library's file, which can be read, and is never written over."""
    made = make(tmp_path / "story", tmp_path, 'Ink, "dry": no wash')
    data = yaml.safe_load((tmp_path / "story" / "chargen.yaml").read_text())

    assert "chargen.yaml" in made.made
    assert 'Ink, "dry": no wash' == data["style"]
    with pytest.raises(config.ChargenError, match="write `style:` into it by hand"):
        make(tmp_path / "story", tmp_path, "Oil.")


def test_the_starter_of_init_is_right(tmp_path):
    """Without a style the file only has comments, and breaks nothing."""
    make(tmp_path / "story", tmp_path)

    assert {"schema": 1} == yaml.safe_load((tmp_path / "story" / "chargen.yaml").read_text())


def test_doctor_and_planned_say_where_a_value_comes_from(world):
    """File and line, or the configuration."""
    say(world, "schema: 1\nstyle: Woodcut.\nexclude: [characters/drafts]\n")
    found = [finding.says for finding in check_look(world.settings())]
    shown = show.tasks(world.plan(), 100).splitlines()

    for line in (
        "art_direction.medium: Woodcut. (story/chargen.yaml:2)",
        "exclude: characters/drafts (story/chargen.yaml:3)",
        "models.generate.model: gemini-nano-banana-2.1 (config/config.yaml)",
    ):
        assert line in found
        assert line in shown


def test_a_misnamed_file_is_named(world):
    """chargen.yml is not read, and doctor says so."""
    (world.home / "story" / "chargen.yaml").unlink()
    (world.home / "story" / "chargen.yml").write_text("style: Woodcut.\n")

    assert "chargen.yml is not read" in [finding.says for finding in check_look(world.settings())]


def test_a_working_copy_without_the_file_has_the_look_of_its_source(tmp_path):
    """The copies of the example that earlier versions made keep their look."""
    copy = tmp_path / "library" / "saltmere"
    copy.mkdir(parents=True)
    data = yaml.safe_load(config.DEFAULT_CONFIG.read_text()) | {"library": str(ROOT / "examples" / "saltmere")}
    settings = config.settings(data, tmp_path)

    assert str(copy) == settings.library
    assert "gouache" in settings.look["art_direction"]["medium"]
