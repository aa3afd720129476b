"""What a step that places pictures finds in the library at that moment."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import library_corpus as corpus
import pytest
import yaml

from chargen.base.errors import ChargenError
from chargen.library import replacing
from chargen.placing.entities import entity_now
from chargen.records import settings as config

SCENE = "name: Oda\nscenes:\n  - {id: lamp, prompt: The lamp burns.}\n"


@pytest.fixture
def settings(tmp_path: Path) -> config.Settings:
    """The settings of a run with a library of one character."""
    corpus.entity(tmp_path / "story", "character/oda", SCENE)
    defaults = yaml.safe_load(config.DEFAULT_CONFIG.read_text())
    return config.settings(defaults | {"library": "story"}, tmp_path)


def test_an_author_who_is_saving_is_waited_for(
    settings: config.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that an editor has just emptied is not an entity without scenes: what comes then is read."""
    path = tmp_path / "story/characters/oda/imagery.yaml"
    path.write_text("")
    monkeypatch.setattr(replacing, "pause", lambda seconds: path.write_text(SCENE))

    entity, why_not = entity_now(settings, "character/oda")

    assert "" == why_not
    assert entity is not None
    assert ["lamp"] == [scene.id for scene in entity.scenes]


def test_a_file_that_stays_empty_keeps_the_picture_waiting(
    settings: config.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing is known of the scenes, a picture is neither archived as unwanted nor put in place."""
    (tmp_path / "story/characters/oda/imagery.yaml").write_text("")
    monkeypatch.setattr(replacing, "pause", lambda seconds: None)

    assert (None, "imagery-broken") == entity_now(settings, "character/oda")


def test_a_file_that_is_being_written_keeps_the_picture_waiting(
    settings: config.Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a file is valid, too: who has it open for writing is waited for."""
    monkeypatch.setattr(replacing, "pause", lambda seconds: None)

    with (tmp_path / "story/characters/oda/imagery.yaml").open("r+"):
        found = entity_now(settings, "character/oda")

    assert (None, "imagery-broken") == found


def test_a_library_that_is_gone_stops_the_step(settings: config.Settings, tmp_path: Path) -> None:
    """A disk that is not there for the moment says nothing of what is wanted: nothing is put aside."""
    (tmp_path / "story").rename(tmp_path / "unplugged")

    with pytest.raises(ChargenError, match="Nothing is lost"):
        entity_now(settings, "character/oda")


def test_a_folder_that_is_gone_is_told_from_one_that_cannot_be_read(settings: config.Settings, tmp_path: Path) -> None:
    """Only what is certainly not there counts as gone."""
    (tmp_path / "story/characters/tam").symlink_to("tam")

    assert (None, "folder-gone") == entity_now(settings, "character/ria")
    assert (None, "imagery-broken") == entity_now(settings, "character/tam")


@pytest.mark.parametrize(("on_disk", "asked"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_a_folder_is_found_in_either_form(settings: config.Settings, tmp_path: Path, on_disk: str, asked: str) -> None:
    """A picture that was ordered before the library was copied finds its folder, however its name is spelled now."""
    name = unicodedata.normalize(on_disk, "zoë")
    corpus.entity(tmp_path / "story", f"character/{name}", SCENE)

    entity, _ = entity_now(settings, f"character/{unicodedata.normalize(asked, 'zoë')}")

    assert entity is not None
    assert name == entity.slug
