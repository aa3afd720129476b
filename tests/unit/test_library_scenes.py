"""Tests of what a scene becomes in each shape: inheritance, people, light, colours, and the author's own part."""

from __future__ import annotations

import library_corpus as corpus
import pytest

from chargen.library.load import load_library
from chargen.library.model import Depicted, Palette
from chargen.library.spec import spec_hash


@pytest.fixture(scope="module")
def scenes(tmp_path_factory):
    """All scenes of the corpus by target."""
    library = load_library(corpus.whole(tmp_path_factory.mktemp("library")))
    return {scene.target: scene for entity in library.entities.values() for scene in entity.scenes}


def own_hash(tmp_path, text, key="character/oda"):
    """The hash of the only scene in *text*."""
    corpus.entity(tmp_path, key, text)
    (scene,) = load_library(tmp_path).entities[key].scenes
    return spec_hash(scene)


def test_entities(tmp_path):
    """Name, look, traits and portrait come from where each shape keeps them."""
    entities = load_library(corpus.whole(tmp_path)).entities

    tam, loft = entities["character/tam-fell"], entities["location/net-loft"]
    assert 'Tam "Hook" Fell' == tam.name
    assert "A wiry fisher with a broken nose — always in a knitted cap." == tam.description
    assert ("knitted cap", "broken nose", "blue knot on the sleeve", "gutting knife") == tam.traits
    assert "images/tam-fell-portrait-1.jpg" == tam.portrait
    assert "The Net Loft" == loft.name
    assert "Where nets and grudges are kept." == loft.description
    assert ("leaning chimney", "red door") == loft.traits
    assert {"loft-kitchen": "A soot-dark kitchen.", "kitchen-at-dawn": "The same kitchen, grey."} == loft.zones
    assert "The Drowned Bell" == entities["chapter/ch15.5-the-drowned-bell"].name
    assert "Empty" == entities["character/empty"].name


def test_idea(scenes):
    """An idea has its own words, the entity first among the people, and the style file's style and negatives."""
    scene = scenes["character/tam-fell/the-long-haul"]

    assert (Depicted("tam-fell"), Depicted("oda-brennick")) == scene.characters
    assert ("Tam and Oda pull in a drowned bell", "braced", "a small boat", "strained") == (
        scene.description,
        scene.pose,
        scene.setting,
        scene.mood,
    )
    assert ("low and uneasy", "hand-forged tools") == scene.style
    assert ("clean clothes",) == scene.avoid
    assert {"description", "pose", "setting", "mood", "characters"} == set(scene.spec)


def test_own_format(scenes):
    """A scene of our own format keeps its words and takes over the entity's."""
    scene = scenes["location/saltmere-light/lamp-room-night"]

    assert "Brass lamp, curved glass, salt-streaked panes." == scene.zone_text
    assert (("primary_source", "the lamp"), ("color_temperature", "warm")) == scene.lighting
    assert Palette(("slate", "rust"), ("lamp yellow",), ("neon",)) == scene.palette
    assert ("somber", "3:2", "2K", 2, "high") == (
        scene.mood,
        scene.aspect_ratio,
        scene.image_size,
        scene.variations,
        scene.weight,
    )
    assert (Depicted("oda-brennick", "soaked coat, one hand bandaged"),) == scene.characters
    assert ("saltmere-light", "lamp-room") == (scene.location, scene.zone)
    assert scenes["location/saltmere-light/old-map"].skip


def test_zone_inherits_from_overview_and_anchor(scenes):
    """What a zone leaves open comes from the overview, then the anchor; negatives of all levels unite."""
    scene = scenes["location/net-loft/loft-kitchen"]

    assert ("kettle",) == scene.must_include  # the overview's quay need not show in a kitchen
    assert (("primary_source", "dusk sky"),) == scene.lighting
    assert Palette(("umber",), ("red",), ("teal", "pastel pink")) == scene.palette
    assert ("people", "text") == scene.avoid
    assert "16:9" == scene.aspect_ratio  # not the 4:3 of its pixels
    assert (Depicted(text="two by the stove; knitting"),) == scene.characters


def test_variant_of_a_zone(scenes):
    """A zone that names its base by a unique ending inherits from it; citations are no references."""
    scene = scenes["location/net-loft/kitchen-at-dawn"]

    assert ("intimate", "fog", ("kettle",)) == (scene.mood, scene.weather, scene.must_include)
    assert (("primary_source", "dawn"),) == scene.lighting
    assert (Depicted("tam-fell"),) == scene.characters
    assert () == scene.references


def test_images_of_a_zone(scenes):
    """Where a zone lists images, those are wanted, with everything that the zone says."""
    wide, ladle = scenes["location/rope-walk/tar-pit__wide"], scenes["location/rope-walk/tar-pit__ladle"]

    assert "Where hands get burned." == wide.zone_text
    assert ("ladle", "iron vat") == wide.must_include
    assert (("light", "red glow from below"),) == wide.lighting
    assert ("glossy black",) == wide.palette.dominant
    assert ("pitch", "walls: tarred planks", "driftwood") == wide.materials
    assert ("sunshine", "cars", "wires") == wide.avoid
    assert ("4:3", "1:1") == (wide.aspect_ratio, ladle.aspect_ratio)
    assert (Depicted("oda-brennick", "buyer"), Depicted(text="3 tired rope makers")) == ladle.characters
    assert "tar-pit" == ladle.zone


def test_beats(scenes):
    """A beat inherits from its zone, reads its nested spec, and takes only known people for names."""
    quarrel, burned = scenes["location/tide-mill/the-quarrel"], scenes["location/rope-walk/burned-hand"]

    assert ("Flour on everything.", (("primary_source", "hearth"),)) == (quarrel.zone_text, quarrel.lighting)
    assert (
        Depicted("tam-fell"),
        Depicted(text="a miller nobody knows"),
        Depicted(text="lost-cousin"),
    ) == quarrel.characters
    assert "A burned hand over the vat." == burned.prompt
    assert ("tar-pit", (("primary_source", "the vat"),), ("pitch",)) == (
        burned.zone,
        burned.lighting,
        burned.palette.dominant,
    )
    assert (Depicted("tam-fell", "wet through", references=("characters/tam-fell/images/cap.png",)),) == scenes[
        "location/bell-cove/bell-rings"
    ].characters


def test_overviews(scenes):
    """Nested parts with an image type are wanted one by one; establishing pictures weigh more."""
    primary, secondary = (scenes[f"location/gull-inn/overview-{part}"] for part in ("primary", "secondary"))

    assert ("21:9", "high") == (primary.aspect_ratio, primary.weight)
    assert ("4:3", "medium") == (secondary.aspect_ratio, secondary.weight)
    assert "21:9" == scenes["location/gull-inn/taproom"].aspect_ratio  # the overview comes before the defaults
    assert (("primary", "low window light"), ("quality", "hazy")) == secondary.lighting


def test_chapter_image(scenes):
    """A chapter's image takes states, weight, beat, zone and colours from what stands around it."""
    scene = scenes["chapter/ch15.5-the-drowned-bell/ch15.5-haul-hero"]

    assert (
        Depicted("tam-fell", "cap lost, hair wet; rope burn on both palms", references=("tam-fell-portrait-1",)),
        Depicted("oda-brennick", "furious"),
        Depicted("stranger"),
        Depicted(text="a few gulls and boys"),
    ) == scene.characters
    assert ("critical", "They see what they have caught.") == (scene.weight, scene.beat)
    assert "The stones are covered with weed." == scene.zone_text
    assert Palette(("sea green", "lead"), ("verdigris",), ("sunset orange",)) == scene.palette
    assert ("text", "watermark") == scene.avoid
    assert ("21:9", "ominous", "the bell's open mouth") == (scene.aspect_ratio, scene.mood, scene.hook)
    assert ("Everything sounds as if under water.",) == scene.theme


def test_prompts_of_a_character(tmp_path):
    """A mere text in ``prompts`` is a scene, named by its first forty characters."""
    text = "appearance: A fisher.\nprompts:\n  - Tam on the quay at dawn, counting what the sea gave back\n"
    corpus.entity(tmp_path, "character/tam", text)

    (scene,) = load_library(tmp_path).entities["character/tam"].scenes

    assert ("tam-on-the-quay-at-dawn-counting-what-t", (Depicted("tam"),)) == (scene.id, scene.characters)
    assert {"prompt": "Tam on the quay at dawn, counting what the sea gave back"} == scene.spec


def test_chapter_image_falls_back_on_its_moment(tmp_path):
    """What an image leaves out, its moment says: who is there, and where."""
    lines = corpus.CHAPTER.splitlines()
    left_out = ("    depicts_characters", "    character_states", "    location: ", "    zone: ")
    kept = lines[:25] + [line for line in lines[25:] if not line.startswith(left_out)]
    corpus.entity(tmp_path, "chapter/ch1", "\n".join(kept) + "\n")

    (scene,) = load_library(tmp_path).entities["chapter/ch1"].scenes

    assert ["tam-fell"] == [person.slug for person in scene.characters]
    assert ("bell-cove", "shingle") == (scene.location, scene.zone)


def test_own_scene_in_a_foreign_file(tmp_path):
    """A scene of our own format that is added to a real file knows that file's zones."""
    added = "scenes:\n- {id: extra, prompt: x, zone: ZONE}\n"
    corpus.entity(tmp_path, "location/cove", corpus.DIALECT_5 + added.replace("ZONE", "shingle"))
    corpus.entity(tmp_path, "chapter/ch1", corpus.CHAPTER + added.replace("ZONE", "bell-cove/shingle"))

    entities = load_library(tmp_path).entities

    texts = [scene.zone_text for entity in entities.values() for scene in entity.scenes if scene.id == "extra"]
    assert ["Wet stones.", "The stones are covered with weed."] == texts


def test_spec_holds_nothing_inherited(scenes):
    """Chapter states, zone texts and the overview's light do not belong to what the author wrote for the scene."""
    spec = scenes["chapter/ch15.5-the-drowned-bell/ch15.5-haul-hero"].spec

    assert [{"slug": "tam-fell"}, {"slug": "oda-brennick", "state": "furious"}] == spec["characters"][:2]
    assert not {"weight", "tags", "title", "id", "beat", "zone_text", "file_path", "provider", "model"} & set(spec)
    assert "lighting" not in scenes["location/net-loft/loft-kitchen"].spec


def test_spec_hash_is_pinned(tmp_path):
    """The hash of a given scene never changes: if this fails, an upgrade would order every picture again."""
    assert "sha256:dcd9137e7c25df2c" == own_hash(tmp_path, corpus.scene(id="a", prompt="A lamp.", aspect_ratio="3:4"))


@pytest.mark.parametrize(
    "fields",
    [
        {"aspect_ratio": "3:4", "prompt": "A lamp.  # the big one"},
        {"prompt": "'  A lamp.  '", "aspect_ratio": '"3:4"'},
        {
            "prompt": "A lamp.",
            "aspect_ratio": "3:4",
            "title": "Lamp",
            "tags": "[x]",
            "weight": "high",
            "variations": "3",
        },
        {"prompt": "A lamp.", "aspect_ratio": "3:4", "mood": "~", "must_include": "[]", "skip": "true"},
    ],
)
def test_what_does_not_shape_the_picture(tmp_path, fields):
    """Order, comments, space, quotes, labels and empty fields are not what makes a picture wanted again."""
    expected = own_hash(tmp_path / "one", corpus.scene(id="a", prompt="A lamp.", aspect_ratio="3:4"))

    assert expected == own_hash(tmp_path / "other", corpus.scene(id="a", **fields))


@pytest.mark.parametrize(
    "fields",
    [{"prompt": "A lamp!"}, {"revision": "2"}, {"mood": "calm"}, {"image_size": "2K"}, {"characters": "[tam]"}],
)
def test_what_shapes_the_picture(tmp_path, fields):
    """A changed word, a revision, a person more make the picture wanted again."""
    before = own_hash(tmp_path / "one", corpus.scene(id="a", prompt="A lamp."))

    assert before != own_hash(tmp_path / "other", corpus.scene(**{"id": "a", "prompt": "A lamp.", **fields}))


def test_surroundings_do_not_change_the_hash(tmp_path):
    """Neither the entity's words nor a character who turns up later make a recorded scene wanted again."""
    text = corpus.DIALECT_2.split("zones:")[0] + "beat_images:" + corpus.DIALECT_2.split("beat_images:")[1]
    text = text.replace("overview:", "ignored:")
    before = own_hash(tmp_path / "one", text, "location/mill")
    corpus.entity(tmp_path / "other", "character/lost-cousin", corpus.NEWCOMER)

    assert before == own_hash(tmp_path / "other", text.replace("cars, wires", "cars"), "location/mill")
