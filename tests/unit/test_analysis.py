"""Analyses: what is asked, which answers fit, where they are kept, and what prompts learn from them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import jsonschema
import pytest
import yaml

from carrier import Carrier
from chargen.analysis.form import IMAGE_TYPES, form, in_field, in_words, read, sendable
from chargen.analysis.learn import Lessons
from chargen.analysis.store import read_analyses, write_sidecar
from chargen.base import durable
from chargen.base import schemas as schema
from chargen.emulator.picture import dominant_colours
from chargen.emulator.structured import Seen, answer
from chargen.library.load import load_entity, load_library
from chargen.library.references import ReferenceIndex
from chargen.library.spec import spec_hash
from chargen.library.writeback import append_items
from chargen.operations.analyze.plan import make_analysis_plan
from chargen.operations.generate.plan import make_plan
from chargen.pictures.formats import sha256_file
from chargen.pictures.looks import Looker
from chargen.providers.models import load_catalog, usable
from chargen.records import settings as config
from chargen.records.state import State
from chargen.report.forms import count_forms
from photographs import photograph

TRAITS = ("clouded left eye", "brass whistle on a cord")
ODA = """\
name: Oda
description: A keeper.
traits: [clouded left eye, brass whistle on a cord]
scenes:
- {id: lamp, prompt: Oda trims the lamp.}
"""


class World:
    """A library with one character and three pictures; analyses are written by hand."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.library = folder / "story"
        self.entity = self.library / "characters" / "oda"
        (self.entity / "images").mkdir(parents=True)
        (self.entity / "imagery.yaml").write_text(ODA)
        for number, name in enumerate("abc"):
            photograph(64, 48, seed=number).save(self.entity / "images" / f"{name}.png")

    def settings(self, **changed):
        data = yaml.safe_load(config.DEFAULT_CONFIG.read_text())
        return config.settings(data | {"library": str(self.library)} | changed, self.folder)

    def plan(self, **changed):
        return make_analysis_plan(self.settings(**changed))

    def analysed(self, name: str, **said) -> None:
        """Write an analysis of a picture as it is now."""
        path = f"images/{name}"
        item = {
            "path": path,
            "sha256": sha256_file(self.entity / path),
            "lighting": {"quality": "soft"},
            "canon_analysis": {"matches_description": True, "traits": {}},
            "provenance": {"prompt_version": "1", "provider": "google"},
        } | said
        append_items(self.entity / "imagery.yaml", "image_inventory", [item], library=self.folder / "locks", same=())

    def lesson(self):
        library = load_library(self.library)
        lessons = Lessons(library, Looker(State(self.folder / "state").looks), "gemini")
        return lessons.of_entity(library.entities["character/oda"])

    def status(self, **changed):
        return {item.target.rsplit("/", 1)[1]: item.status for item in self.plan(**changed).items}


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def said(**canon):
    """An answer that fits the form of a character with the two traits."""
    value = answer(form("character", 2), Seen(10, 10, ("#102030",), "A picture.", "seed"))
    return value | {"canon_analysis": value["canon_analysis"] | canon}


@pytest.mark.parametrize("kind", sorted(IMAGE_TYPES))
@pytest.mark.parametrize("traits", [0, 3])
def test_answers_to_what_is_sent_fit_the_form(kind, traits):
    """Whatever conforms to the sent schema is taken: the narrower form adds no demands."""
    sent = sendable(form(kind, traits))
    value = answer(sent, Seen(10, 10, ("#102030", "#405060"), "A picture.", kind))

    assert sent["additionalProperties"] is sent["properties"]["content"]["additionalProperties"] is False
    jsonschema.validate(value, form(kind, traits))
    assert read(json.dumps(value), kind, [f"trait {n}" for n in range(traits)]).errors == ()


def test_traits_are_said_by_their_words():
    """t1, t2 of the answer become the entity's own traits, and the whole still is an analysis."""
    found = read(json.dumps(said(traits={"t1": "seen", "t2": "absent"})), "character", TRAITS)

    assert {TRAITS[0]: "seen", TRAITS[1]: "absent"} == found.data["canon_analysis"]["traits"]
    assert [] == schema.errors("analysis", found.data)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I would be glad to help with that!", "not JSON"),
        ("[]", "not of type"),
        (json.dumps(said(traits={"t1": "seen"})), "canon_analysis.traits"),
        (json.dumps(said() | {"quality": 9}), "quality"),
        (json.dumps(said() | {"image_type": "establishing"}), "image_type"),
    ],
)
def test_answers_that_do_not_fit_say_why(text, words):
    """Talk, a missing trait, a number out of bounds, a kind of picture that makes no sense here."""
    found = read(text, "character", TRAITS)

    assert found.data is None
    assert any(words in error for error in found.errors)


def test_a_fence_around_the_answer_is_taken_off():
    """Some models wrap their JSON in a code block although a form was sent."""
    assert read(f"```json\n{json.dumps(said())}\n```", "character", TRAITS).data is not None


def test_new_and_replaced_pictures_are_wanted(world):
    """A picture with an analysis of its present content is done; another content under its name is wanted."""
    before = world.status()
    world.analysed("a.png")
    after = world.status()
    photograph(64, 48, seed=9).save(world.entity / "images" / "a.png")

    assert {"a.png": "wanted", "b.png": "wanted", "c.png": "wanted"} == before
    assert "done" == after["a.png"]
    assert "wanted" == world.status()["a.png"]


def test_an_older_tools_analysis_counts(world):
    """An inventory entry that says something of light, palette or canon counts; a bare one does not."""
    items = [
        {"path": "images/a.png", "palette": {"dominant": ["rust"]}},
        {"path": "images/b.png", "status": "approved"},
    ]
    append_items(world.entity / "imagery.yaml", "image_inventory", items, library=world.folder, same=())

    assert {"a.png": "adopted", "b.png": "wanted", "c.png": "wanted"} == world.status()


def test_another_question_makes_stale_not_wanted(world):
    """An analysis of another prompt version is counted and priced, and left alone."""
    world.analysed("a.png", provenance={"prompt_version": "0", "provider": "google"})
    plan = world.plan()

    assert ["character/oda/images/a.png"] == [stale.item.target for stale in plan.stale]
    assert "character/oda/images/a.png" not in {task.wish.target for task in plan.tasks}


def test_what_cannot_be_sent_is_listed(world):
    """Pointers, broken and empty files are named and never sent; nor are rejected pictures, which are not wanted."""
    images = world.entity / "images"
    (images / "p.png").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n")
    (images / "e.png").write_bytes(b"")
    (images / "b.png").write_bytes((images / "b.png").read_bytes()[:60])
    item = {"path": "images/c.png", "status": "rejected"}
    append_items(world.entity / "imagery.yaml", "image_inventory", [item], library=world.folder, same=())
    plan = world.plan()

    assert ["character/oda/images/a.png"] == [task.wish.target for task in plan.tasks]
    assert ["b.png", "e.png", "p.png"] == sorted(Path(problem.place.file).name for problem in plan.problems)


def test_a_rejected_picture_from_before_is_not_looked_at(world):
    """A review is about a content: what is rejected needs no analysis, another picture under its name does."""
    review = {"file_path": "images/a.png", "status": "rejected", "sha256": sha256_file(world.entity / "images/a.png")}
    append_items(world.entity / "imagery.yaml", "image_reviews", [review], library=world.folder, same=())
    rejected = world.status()
    photograph(64, 48, seed=9).save(world.entity / "images/a.png")

    assert {"b.png": "wanted", "c.png": "wanted"} == rejected
    assert "wanted" == world.status()["a.png"]


def test_placeholders_are_not_sent_to_gemini(world):
    """A picture of the emulator, and what the emulator said of one, count under the emulator alone."""
    from chargen.emulator.picture import MARKER

    path = world.entity / "images" / "a.png"
    photograph(64, 48).save(world.entity / "images" / "a.jpg", comment=MARKER.encode())
    path.unlink()
    world.analysed("b.png", provenance={"prompt_version": "1", "provider": "emulator"})

    assert {"a.jpg": "wanted", "b.png": "done", "c.png": "wanted"} == world.status()
    assert {"a.jpg": "blocked", "b.png": "wanted", "c.png": "wanted"} == world.status(provider="gemini")


def test_sidecars_are_read_beside_the_inventory(world):
    """The youngest analysis of a picture counts, wherever it stands."""
    world.analysed("a.png", provenance={"analysis_timestamp": "2026-01-01T00:00:00Z"}, setting="old")
    write_sidecar(
        world.entity,
        {
            "path": "images/a.png",
            "sha256": "1" * 64,
            "lighting": {"quality": "hard"},
            "setting": "new",
            "provenance": {"analysis_timestamp": "2026-02-01T00:00:00Z"},
        },
    )
    found = read_analyses(load_entity(world.library, "character", "oda"), "gemini")

    assert "new" == found["images/a.png"].data["setting"]


def test_traits_need_two_pictures_and_a_quarter(world):
    """What one picture shows is chance; what a contradicting picture shows does not count."""
    seen = {"matches_description": True, "traits": {"mole on the chin": "seen", "rare ring": "absent"}}
    world.analysed("a.png", canon_analysis=seen)
    once = world.lesson().traits
    world.analysed("b.png", canon_analysis=seen | {"matches_description": False})
    contradicting = world.lesson()
    world.analysed("c.png", canon_analysis=seen)
    (found,) = world.lesson().traits

    assert () == once == contradicting.traits
    assert {"characters/oda/images/b.png"} == contradicting.contradicting
    assert ("mole on the chin", "character/oda") == (found.text, found.subject)
    assert ("characters/oda/images/a.png", "characters/oda/images/c.png") == found.sources


def test_style_comes_from_approved_pictures(world):
    """Medium and colours of what nobody approved teach nothing."""
    world.analysed("a.png", style_medium="gouache", palette={"dominant": ["rust", "slate"]})
    before = world.lesson().style
    world.analysed("a.png", style_medium="gouache", palette={"dominant": ["rust", "slate"]}, status="approved")

    assert () == before
    assert ["gouache", "colours like rust and slate"] == [finding.text for finding in world.lesson().style]


def test_prompts_and_references_take_what_was_learned(world):
    """Without a portrait the best picture is sent; the prompt says trait and medium; the plan says from where."""
    (before,) = make_plan(world.settings()).tasks
    seen = {"matches_description": True, "traits": {"mole on the chin": "seen"}}
    world.analysed("a.png", image_type="portrait", quality=2, canon_analysis=seen)
    world.analysed(
        "b.png", image_type="portrait", quality=5, canon_analysis=seen, status="approved", style_medium="etching"
    )
    world.analysed("c.png", image_type="portrait", quality=5, canon_analysis=seen | {"matches_description": False})
    (after,) = make_plan(world.settings()).tasks

    assert () == before.references
    assert ["characters/oda/images/b.png"] == [reference.path for reference in after.references]
    assert "mole on the chin" not in before.prompt
    assert "mole on the chin" in after.prompt
    assert "As in the pictures so far: etching." in after.prompt
    assert any(note.startswith("learned from characters/oda/images/a.png, ") for note in after.notes)
    assert (
        "reference characters/oda/images/b.png is the best known picture of Oda: portrait, quality 5 of 5, approved"
        in after.notes
    )
    assert before.key != after.key
    assert before.wish == after.wish


def test_what_nobody_named_makes_no_circle(world):
    """Two edited scenes: one names the other, whose person is seen best in the picture of the first. That is sent as it
    is: waiting for the new one would keep both from being made."""
    (world.entity / "imagery.yaml").write_text(
        """\
name: Oda
description: A keeper.
scenes:
  - {id: a, prompt: Oda by the new lamp.}
  - {id: b, prompt: Oda by the new boat., references: [a]}
generated_images:
  - {scene: a, file_path: images/a.png, spec_hash: "sha256:0000000000000000", task_key: old, provider: google}
  - {scene: b, file_path: images/b.png, spec_hash: "sha256:0000000000000000", task_key: old, provider: google}
"""
    )
    seen = {"matches_description": True, "traits": {}}
    world.analysed("b.png", image_type="portrait", quality=5, canon_analysis=seen)
    plan = make_plan(world.settings())

    assert {} == plan.blocked
    assert [("character/oda/a", ["characters/oda/images/b.png"])] == [
        (task.wish.target, [reference.path for reference in task.references]) for task in plan.tasks
    ]
    assert ["character/oda/b"] == [item.item.target for item in plan.deferred]


def test_a_contradicting_portrait_is_not_sent_unless_it_is_named(world):
    """A file that is only named like a portrait gives way; one that the author declares is sent. Both are said."""
    (world.entity / "images" / "a.png").rename(world.entity / "images" / "portrait.png")
    world.analysed("portrait.png", canon_analysis={"matches_description": False, "traits": {}})

    def sent():
        plan = make_plan(world.settings())
        paths = [reference.path for task in plan.tasks for reference in task.references]
        return paths, [(problem.code, problem.message) for problem in plan.problems]

    portrait = "characters/oda/images/portrait.png"
    contradicts = f"{portrait} contradicts the description of Oda (oda), "
    alone = sent()
    world.analysed("b.png", image_type="portrait")
    instead = sent()
    text = (world.entity / "imagery.yaml").read_text()
    (world.entity / "imagery.yaml").write_text(text.replace("scenes:", "portrait: images/portrait.png\nscenes:"))

    assert ([], [("no-portrait", f"{contradicts}so the picture is made without a reference")]) == alone
    assert (
        ["characters/oda/images/b.png"],
        [("contradicting-portrait", f"{contradicts}so another picture is sent")],
    ) == instead
    assert (
        [portrait],
        [("contradicting-portrait", f"{contradicts}but is sent because the file names it")],
    ) == sent()


@pytest.mark.parametrize("status", ["generated", "approved"])
def test_what_contradicts_teaches_nothing(world, status):
    """Not even if an older tool, which called everything so, says that it is approved; nor is it sent by itself."""
    seen = {"traits": {"mole on the chin": "seen"}, "matches_description": False}
    for name in ("a.png", "b.png"):
        world.analysed(name, canon_analysis=seen, image_type="portrait", style_medium="etching", status=status)
    lesson = world.lesson()

    assert ((), (), ()) == (lesson.traits, lesson.style, lesson.portraits)
    assert {"characters/oda/images/a.png", "characters/oda/images/b.png"} == lesson.contradicting


def test_an_approved_record_outweighs_the_analysis_for_references(world):
    """Who approves a picture by a record of ours has looked at it, and knows better whom it shows."""
    text = ODA.replace("scenes:", "portrait: face\nscenes:\n- {id: face, prompt: Her face.}")
    (world.entity / "imagery.yaml").write_text(text)
    photograph(64, 48).save(world.entity / "images" / "face.png")
    spec = {s.id: spec_hash(s) for s in load_entity(world.library, "character", "oda").scenes}["face"]
    item = {"scene": "face", "file_path": "images/face.png", "status": "generated", "spec_hash": spec}

    def sent(status):
        (world.entity / "imagery.yaml").write_text(text)
        records = [item | {"status": status}]
        append_items(
            world.entity / "imagery.yaml", "generated_images", records, library=world.folder / "locks", same=()
        )
        world.analysed("face.png", canon_analysis={"matches_description": False, "traits": {}})
        plan = make_plan(world.settings())
        said = {problem.code for problem in plan.problems}
        return [
            reference.path for task in plan.tasks for reference in task.references
        ], "contradicting-portrait" in said

    assert ([], True) == sent("generated")
    assert (["characters/oda/images/face.png"], False) == sent("approved")


def test_cost_is_by_tokens_at_half_price(world):
    """The estimate of a batch is the sum of its tasks, and the dated price applies on its day."""
    plan = world.plan()
    catalog = load_catalog(Path(world.settings().models_file))
    model, _ = usable(catalog.text_model, "gemini-3.8-flash", "")

    assert (1000 * 0.75 + 100 * 3.75) / 1e6 / 2 == pytest.approx(catalog.text_cost(model, 1000, 100))
    assert plan.cost_usd == pytest.approx(sum(task.shape.cost_usd for task in plan.tasks))


def test_what_was_seen_of_files_is_remembered(world):
    """A file is hashed once while it does not change; planning alone remembers nothing on disk."""
    state = State.of(world.settings())
    plan = world.plan()
    before = (state.root / "looks.json").exists()
    plan.remember()
    known = durable.read_json(state.root / "looks.json")

    assert not before
    assert {"a.png", "b.png", "c.png"} == {Path(name).name for name in known}
    assert Looker(state.looks).look(world.entity / "images" / "a.png").sha256 in str(known)


def test_reference_index_without_analyses_is_as_before(world):
    """Judgement of nothing judges nothing."""
    library = load_library(world.library)
    lessons = Lessons(library, Looker(State(world.folder / "state").looks), "gemini")
    scene = library.entities["character/oda"].scenes[0]

    assert ReferenceIndex(library).for_scene(scene) == ReferenceIndex(library, judgement=lessons).for_scene(scene)


def test_the_example_with_and_without_its_analyses(tmp_path):
    """What is seen on drawn portraits that are approved gets into the prompts of their entity, with the place where
    it was seen; nothing learned makes anything wanted, and everybody else is asked for as before.
    """
    story = tmp_path / "saltmere"
    shutil.copytree(schema.ROOT / "examples" / "saltmere", story)
    data = yaml.safe_load(config.DEFAULT_CONFIG.read_text()) | {"library": str(story)}
    settings = config.settings(data, tmp_path)
    without = make_plan(settings)
    looks = make_analysis_plan(settings).tasks
    for task in looks:
        kind, name, path = task.wish.target.split("/", 2)
        seen = Seen(768, 1024, tuple(dominant_colours((story / f"{kind}s" / name / path).read_bytes())), "It.", name)
        traits = task.extra.traits
        found = read(json.dumps(answer(form(kind, len(traits)), seen)), kind, traits)
        item = {"path": path, "sha256": task.references[0].sha256, **found.data, "status": "approved"}
        item["canon_analysis"]["matches_description"] = name != "bram-lantry"
        locks = tmp_path / "locks"
        append_items(story / f"{kind}s" / name / "imagery.yaml", "image_inventory", [item], library=locks, same=())
    learned = make_plan(settings)
    before, after = ({task.wish.target: task for task in plan.tasks} for plan in (without, learned))
    changed = {target for target in before if before[target].key != after[target].key}

    assert 4 == len(looks)
    assert {task.wish.id for task in without.tasks} == {task.wish.id for task in learned.tasks}
    corvin = after["character/corvin-pask/chart-by-candle"]
    assert "As in the pictures so far" not in before[corvin.wish.target].prompt
    assert "As in the pictures so far: " in corvin.prompt
    assert any(note.startswith("learned from characters/corvin-pask/images/portrait.jpg: ") for note in corvin.notes)
    portrait, bram = "characters/bram-lantry/images/portrait.jpg", "character/corvin-pask/teaching-bram"
    assert portrait in [sent.path for sent in before[bram].references]
    assert portrait not in [sent.path for sent in after[bram].references]
    assert {corvin.wish.target, bram} <= changed
    assert "chapter/ch02-a-letter-for-the-sea/last-pole" not in changed


@pytest.mark.parametrize("kind", sorted(IMAGE_TYPES))
def test_the_form_is_said_in_words(kind):
    """Every member, what it is, whether it may be left out, and every value that it may have."""
    wanted = sendable(form(kind, 2))
    text = in_words(wanted)

    def names(rule):
        for name, inner in rule.get("properties", {}).items():
            yield name
            yield from names(inner)
            yield from names(inner.get("items", {}))

    assert list(names(wanted)) == [line.split('"')[1] for line in text.splitlines()[1:]]
    assert all(f'"{value}"' in text for value in IMAGE_TYPES[kind])
    assert '- "image_subtype" (may be left out): one of "dramatic"' in text
    assert '- "lighting": an object. The light. Its members:\n  - "primary_source": text.' in text
    assert '- "quality": a whole number from 1 to 5.' in text


def test_the_other_field_has_its_own_words():
    """`response_schema` is a part of OpenAPI: types in capitals, no closed objects, snake_case in a request file."""
    other = in_field("response_schema", sendable(form("character", 1)))

    assert "OBJECT" == other["type"]
    assert "STRING" == other["properties"]["content"]["properties"]["tags"]["items"]["type"]
    assert 1 == other["properties"]["content"]["properties"]["tags"]["min_items"]
    assert not {"additionalProperties", "minItems"} & set(re.findall(r'"(\w+)":', json.dumps(other)))


@pytest.fixture
def carrier(world, emulator):
    """An API for which one of the fields counts for nothing."""
    settings = world.settings(base_url=emulator.url, library_id="story")
    return Carrier(settings, emulator, models={"ignore_schema": "responseJsonSchema"})


def test_an_answer_without_the_form_is_asked_for_with_the_other_field(world, carrier):
    """Where one field counts for nothing, each picture is asked about once more, and the analysis is there."""
    (first,) = carrier.pin("analyze")
    receipt = carrier.carry(first)
    (second,) = receipt.follow_ups
    again = carrier.carry(second)
    requests = [line["request"] for line in carrier.lines(second)]
    fields = [{name for name in request["generation_config"] if "schema" in name} for request in requests]
    asked = [request["contents"][0]["parts"][-1]["text"] for request in requests]
    counts = count_forms([receipt, again])

    assert ({"passing": 3}, {"applied": 3}) == (receipt.counts, again.counts)
    assert [{"response_schema"}] * 3 == fields
    assert all("did not fit" in text and '- "lighting": an object' in text for text in asked)
    assert {"a.png": "done", "b.png": "done", "c.png": "done"} == world.status()
    assert (6, 3, 3, 3) == (counts.answers, counts.unfit, counts.asked_again, counts.fit_again)
    assert "3 of 6 answers without the form; 3 of 3 asked again had it" == counts.line


def test_the_next_run_goes_on_with_the_other_field(carrier):
    """If the run ends in between, the next one plans the second try just so."""
    (first,) = carrier.pin("analyze")
    (second,) = carrier.carry(first).follow_ups
    shutil.rmtree(carrier.state.batch(second).folder)

    plan = make_analysis_plan(carrier.settings)

    assert [("response_schema", 2)] * 3 == [(task.extra.schema_field, task.attempt) for task in plan.tasks]
    assert all("did not fit" in task.prompt for task in plan.tasks)


def test_analyses_that_cannot_be_read_are_not_asked_for_again(world):
    """A sidecar that is not downloaded, or is not JSON, may hold what was paid for: its picture waits."""
    images = world.entity / "images"
    (images / ".a.png.analysis.json.icloud").write_bytes(b"bplist00")
    (images / "b.png.analysis.json").write_text('{"lighting": ')

    plan = world.plan()

    assert ["character/oda/images/c.png"] == [task.wish.target for task in plan.tasks]
    assert ["its analysis a.png.analysis.json is not downloaded", "its analysis b.png.analysis.json is not JSON"] == [
        problem.message.partition(":")[0] for problem in plan.problems
    ]


def test_analyses_that_could_not_be_written_are_not_bought(world):
    """A locked imagery.yaml is said once, while planning; with sidecars it is none of the business of analyses."""
    (world.entity / "imagery.yaml").chmod(0o444)

    plan = world.plan()

    assert [] == plan.tasks
    assert ["not-writable"] == [problem.code for problem in plan.problems]
    assert 3 == len(world.plan(analyze={"store": "sidecar"}).tasks)
