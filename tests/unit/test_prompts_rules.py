"""The user's rules files: what is wrong in them is said with file, line and key or section."""

from __future__ import annotations

from pathlib import Path

import pytest

from chargen.prompts.rules import RulesError, load_rules

CONFIG = Path(__file__).resolve().parents[2] / "config"
PROMPTS = (CONFIG / "prompts.yaml").read_text(encoding="utf-8")
STYLES = (CONFIG / "styles.yaml").read_text(encoding="utf-8")


@pytest.fixture
def fault(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Load edited rules files and return the message that refuses them, without the folder's name."""

    def load(prompts: str = PROMPTS, styles: str = STYLES) -> str:
        (tmp_path / "prompts.yaml").write_text(prompts, encoding="utf-8")
        (tmp_path / "styles.yaml").write_text(styles, encoding="utf-8")
        with pytest.raises(RulesError) as caught:
            load_rules(tmp_path / "prompts.yaml", tmp_path / "styles.yaml")
        return str(caught.value).replace(f"{tmp_path}/", "")

    return load


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_files_that_ship_load() -> None:
    """Defaults per kind of entity, lengths and counts are as documented."""
    rules = load_rules(CONFIG / "prompts.yaml", CONFIG / "styles.yaml")

    assert ["3:4", "16:9", "16:9"] == [
        rules.styles.scenarios[kind].aspect_ratio for kind in ("character", "location", "chapter")
    ]
    assert (2200, 2800, 4000) == (rules.budget.aim, rules.budget.warn, rules.budget.most)
    assert (6, 5, 4) == (rules.most_negatives, rules.people.features, rules.people.portraits)


def test_a_file_of_the_first_version_is_refused_with_what_to_do(fault) -> None:  # type: ignore[no-untyped-def]
    """Two composers side by side would be the worse promise."""
    message = fault("version: 1\nreference_roles: {}\nsections: []\n")

    assert message.startswith("prompts.yaml: version: 1 is the form of 0.1.0")
    assert "copy" in message
    assert "config/prompts.yaml" in message


def test_equal_contents_give_the_same_object() -> None:
    """Templates are compiled once per process."""
    first = load_rules(CONFIG / "prompts.yaml", CONFIG / "styles.yaml")

    assert first is load_rules(CONFIG / "prompts.yaml", CONFIG / "styles.yaml")


def test_unquoted_ratio_stays_a_ratio(tmp_path: Path) -> None:
    """16:9 without quotes is not read as a number in base sixty."""
    assert "aspect_ratio: 16:9" in STYLES
    (tmp_path / "styles.yaml").write_text(STYLES.replace("aspect_ratio: 3:4", "aspect_ratio: 21:9"))

    rules = load_rules(CONFIG / "prompts.yaml", tmp_path / "styles.yaml")

    assert "21:9" == rules.styles.scenarios["character"].aspect_ratio


def test_unknown_key_is_named_with_its_line(fault) -> None:  # type: ignore[no-untyped-def]
    """A misspelt key names file, line, place, and the key that may be meant."""
    message = fault(styles=STYLES.replace("  light:", "  lihgt:"))

    assert message.startswith(f"styles.yaml:{line_of(STYLES, 'art_direction:')}: art_direction: ")
    assert "light" in message


def test_wrong_value_is_named_with_its_key(fault) -> None:  # type: ignore[no-untyped-def]
    """A length that is not a number names its key."""
    message = fault(PROMPTS.replace("aim: 2200", "aim: many"))

    assert message.startswith(f"prompts.yaml:{line_of(PROMPTS, 'budget: {aim')}: budget.aim: ")


def test_repeated_names_are_refused(fault) -> None:  # type: ignore[no-untyped-def]
    """Two sections or parts of one name would be the same in reports, and a part needs what it names."""
    section = fault(PROMPTS.replace("- name: corrections\n    target", "- name: moment\n    target", 1))
    part = fault(PROMPTS.replace("- name: beat", "- name: pose"))
    beside = fault(PROMPTS.replace("beside: prompt", "beside: promt"))

    assert section.startswith("prompts.yaml: sections[2].name: 'moment' is used twice")
    assert "the part 'pose' is there twice" in part
    assert "part 'description': beside: there is no part 'promt'" in beside


def test_syntax_error_names_the_section(fault) -> None:  # type: ignore[no-untyped-def]
    """A template that does not compile names file, section and line of the template."""
    message = fault(PROMPTS.replace("{{ scene.prompt | unsaid | sentence }}", "{{ scene.prompt | }}"))

    assert message.startswith("prompts.yaml: part 'prompt', line 1 of the template: ")


def test_misspelt_field_is_found_while_loading(fault) -> None:  # type: ignore[no-untyped-def]
    """A name that templates are not given is refused before any scene is planned."""
    message = fault(PROMPTS.replace("scene.hook", "scene.hok"))

    assert message.startswith("prompts.yaml: part 'hook': ")
    assert "hok" in message


def test_misspelt_name_in_a_role_is_found_while_loading(fault) -> None:  # type: ignore[no-untyped-def]
    """Labels of reference pictures are tried out too."""
    message = fault(PROMPTS.replace("{{ name }}, a place", "{{ nme }}, a place"))

    assert "prompts.yaml: reference_roles.location: 'nme' is undefined" == message


def test_private_attributes_are_out_of_reach(fault) -> None:  # type: ignore[no-untyped-def]
    """Templates run in a sandbox."""
    message = fault(PROMPTS.replace("scene.hook | unsaid", "scene.__class__.__mro__"))

    assert message.startswith("prompts.yaml: part 'hook': access to attribute '__class__'")


def test_invalid_yaml_names_line_and_column(fault) -> None:  # type: ignore[no-untyped-def]
    """An invalid YAML file is an error with its place."""
    message = fault(styles='version: "1", "2"\n')

    assert message.startswith("styles.yaml:1:13: invalid YAML: ")


def test_repeated_key_is_refused(fault) -> None:  # type: ignore[no-untyped-def]
    """The second of two equal keys would silently win."""
    message = fault(styles=STYLES + "version: 1\n")

    assert f"styles.yaml:{STYLES.count(chr(10)) + 1}:1: " in message
    assert "'version' appears twice" in message


def test_missing_file_is_said(tmp_path: Path) -> None:
    """A path that names no file is an error of the user's, not a crash."""
    with pytest.raises(RulesError, match="cannot be read"):
        load_rules(tmp_path / "none.yaml", CONFIG / "styles.yaml")


def test_parts_can_be_limited(tmp_path: Path) -> None:
    """Order and limits are the file's: a part's own limit cuts at the end of a sentence."""
    from test_prompts import full_scene, prompt

    path = tmp_path / "prompts.yaml"
    path.write_text(PROMPTS.replace("- name: beat\n", "- name: beat\n        max: 20\n"), encoding="utf-8")
    wanted = full_scene(beat="She hears. She hears the bell of the other ferry.")

    result = prompt(wanted, rules=load_rules(path, CONFIG / "styles.yaml"))

    assert ["beat"] == [cut.part for cut in result.cuts if cut.part == "beat"]
    assert "She hears." in result.text
