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
    """Defaults per kind of entity and length per weight are as documented."""
    styles = load_rules(CONFIG / "prompts.yaml", CONFIG / "styles.yaml").styles

    assert ["3:4", "16:9", "16:9"] == [
        styles.scenarios[kind].aspect_ratio for kind in ("character", "location", "chapter")
    ]
    assert {"low": 3000, "medium": 4000, "high": 5000, "critical": 6000} == {
        weight: rule.max_chars for weight, rule in styles.weights.items()
    }
    assert 300 == styles.identity_chars


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
    message = fault(styles=STYLES.replace("identity_chars: 300", "identity_chars: many"))

    assert message.startswith(f"styles.yaml:{line_of(STYLES, 'identity_chars: 300')}: identity_chars: ")


def test_max_chars_needs_trim(fault) -> None:  # type: ignore[no-untyped-def]
    """A section that is never cut cannot have a limit of its own."""
    message = fault(PROMPTS.replace("- name: subject", "- name: subject\n    max_chars: 100"))

    assert message.startswith(f"prompts.yaml:{line_of(PROMPTS, '- name: subject')}: sections[2]: ")


def test_repeated_section_name_is_refused(fault) -> None:  # type: ignore[no-untyped-def]
    """Two sections of one name would be the same in reports."""
    message = fault(PROMPTS.replace("- name: subject", "- name: must show"))

    assert message.startswith("prompts.yaml: sections[2].name: 'must show' is used twice")


def test_syntax_error_names_the_section(fault) -> None:  # type: ignore[no-untyped-def]
    """A template that does not compile names file, section and line of the template."""
    message = fault(PROMPTS.replace("{{ scene.prompt | unsaid | sentence }}", "{{ scene.prompt | }}"))

    assert message.startswith("prompts.yaml: section 'subject', line 1 of the template: ")


def test_misspelt_field_is_found_while_loading(fault) -> None:  # type: ignore[no-untyped-def]
    """A name that templates are not given is refused before any scene is planned."""
    message = fault(PROMPTS.replace("scene.hook", "scene.hok"))

    assert message.startswith("prompts.yaml: section 'composition': ")
    assert "hok" in message


def test_misspelt_name_in_a_role_is_found_while_loading(fault) -> None:  # type: ignore[no-untyped-def]
    """Instructions for reference pictures are tried out too."""
    message = fault(PROMPTS.replace("{{ name }}. Keep this place", "{{ nme }}. Keep this place"))

    assert "prompts.yaml: reference_roles.location: 'nme' is undefined" == message


def test_private_attributes_are_out_of_reach(fault) -> None:  # type: ignore[no-untyped-def]
    """Templates run in a sandbox."""
    message = fault(PROMPTS.replace("scene.hook | unsaid", "scene.__class__.__mro__"))

    assert message.startswith("prompts.yaml: section 'composition': access to attribute '__class__'")


def test_invalid_yaml_names_line_and_column(fault) -> None:  # type: ignore[no-untyped-def]
    """An invalid YAML file is an error with its place."""
    message = fault(styles='version: "1", "2"\n')

    assert message.startswith("styles.yaml:1:13: invalid YAML: ")


def test_repeated_key_is_refused(fault) -> None:  # type: ignore[no-untyped-def]
    """The second of two equal keys would silently win."""
    message = fault(styles=STYLES + "identity_chars: 200\n")

    assert f"styles.yaml:{STYLES.count(chr(10)) + 1}:1: " in message
    assert "'identity_chars' appears twice" in message


def test_missing_file_is_said(tmp_path: Path) -> None:
    """A path that names no file is an error of the user's, not a crash."""
    with pytest.raises(RulesError, match="cannot be read"):
        load_rules(tmp_path / "none.yaml", CONFIG / "styles.yaml")


def test_sections_can_be_reordered_and_limited(tmp_path: Path) -> None:
    """Order and limits are the file's: a section's own limit cuts at the end of a sentence."""
    from test_prompts import full_scene, prompt, section

    path = tmp_path / "prompts.yaml"
    path.write_text(PROMPTS.replace("trim: 1\n", "trim: 1\n    max_chars: 160\n"), encoding="utf-8")

    result = prompt(full_scene(), rules=load_rules(path, CONFIG / "styles.yaml"))

    assert 0 < len(section(result, "style")) <= 160
    assert result.cut[0].startswith("style: ")
