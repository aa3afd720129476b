"""Which settings are sent to a model, and that no picture becomes stale because one is not sent."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import orjson
import pytest
import yaml

import builders
from chargen.base import durable
from chargen.base import schemas as schema
from chargen.operations.enhance.plan import make_enhancement_plan
from chargen.operations.generate.plan import make_plan
from chargen.providers.base import Request
from chargen.providers.gemini.client import Remote
from chargen.providers.gemini.requests import body
from chargen.providers.models import load_catalog
from chargen.providers.parameters import sent_to
from chargen.records import settings as config
from chargen.records.batch import BatchPlan
from chargen.records.setting_groups import ModelChoice
from chargen.records.state import State

TAKES_IT = "takes-a-temperature"
REQUEST = Request("character/oda/lamp@sha256:0123456789abcdef", "A lamp.", "3:4", "1K")


@pytest.fixture
def world(tmp_path):
    """A library with one picture in place, recorded with the key that *made* it had; plans with changed settings."""
    defaults = yaml.safe_load(config.DEFAULT_CONFIG.read_text()) | {"library": "story"}
    models = yaml.safe_load((schema.ROOT / "config" / "models.yaml").read_text())
    models["image_models"][TAKES_IT] = models["image_models"]["gemini-3-pro-image"] | {"parameters": ["temperature"]}
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(models))
    folder = tmp_path / "story" / "characters" / "oda"
    (folder / "images").mkdir(parents=True)
    (tmp_path / "story" / "chargen.yaml").write_text("style: Ink.\n")

    def settings(**generate):
        changed = {use: choice | generate for use, choice in defaults["models"].items()}
        return config.settings(defaults | {"models": changed, "models_file": "models.yaml"}, tmp_path)

    def plan(recorded="", **generate):
        text = "name: Oda\nscenes:\n  - {id: lamp, prompt: The lamp burns.}\n"
        if recorded:
            (folder / "images" / "lamp.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
            text += f"generated_images:\n  - {json.dumps(recorded)}\n"
        (folder / "imagery.yaml").write_text(text)
        return make_plan(settings(**generate))

    def record(**generate):
        (task,) = plan(**generate).tasks
        names = {"scene": "lamp", "file_name": "lamp.jpg", "file_path": "images/lamp.jpg", "status": "generated"}
        return names | {"provider": "google", "task_key": task.key, "spec_hash": task.wish.spec_hash}

    return SimpleNamespace(plan=plan, record=record, settings=settings, home=tmp_path)


@pytest.fixture
def wanted(world):
    """The task before the picture was made."""
    (task,) = world.plan().tasks
    return task


def key_of(temperature, prompt, model):
    """The key that version 0.1.0 gave to the picture."""
    from chargen.records.identity import task_key

    shape = {"prompt": prompt, "model": model, "aspect_ratio": "3:4", "image_size": "1K", "temperature": temperature}
    return task_key("character/oda/lamp", 1, shape | {"safety_settings": [], "references": []})


@pytest.mark.parametrize("temperature", [1.0, 0.7, 0, 1])
def test_what_0_1_0_made_is_not_out_of_date(world, wanted, temperature):
    """Its keys hash the temperature that it sent; today's model is sent none. It stays configured, as it was."""
    made = world.record() | {"task_key": key_of(temperature, wanted.prompt, wanted.shape.model.name)}

    assert 0 == world.plan(made, temperature=temperature).counts().stale


def test_a_label_stands_directly_before_each_picture():
    """Labels and pictures take turns, the text comes last; a request of 0.1.0 has no labels, and keeps its form."""
    pictures = [{"file_data": {"file_uri": "a"}}, {"file_data": {"file_uri": "b"}}]
    labelled = Request("k", "Paint.", "3:4", "1K", labels=("Image 1: Oda, a person.", "Image 2: the quay, a place."))
    plan = BatchPlan(tasks=())
    parts = body(plan, labelled, pictures)["contents"][0]["parts"]
    before = body(plan, Request("k", "Paint.", "3:4", "1K"), pictures)["contents"][0]["parts"]

    assert [
        {"text": "Image 1: Oda, a person."},
        pictures[0],
        {"text": "Image 2: the quay, a place."},
        pictures[1],
        {"text": "Paint."},
    ] == parts
    assert [*pictures, {"text": "Paint."}] == before


def test_a_temperature_that_is_taken_away_makes_nothing_out_of_date(world, wanted):
    """Runs of the library say which ones it had: a user who follows `doctor` has no more stale pictures than before."""
    made = world.record() | {"task_key": key_of(0.7, wanted.prompt, wanted.shape.model.name)}
    before = world.plan(made)
    durable.write_json(State.of(world.settings()).run("2026-01-01").settings, world.settings(temperature=0.7).to_json())
    durable.write(State.of(world.settings()).run("2026-01-02").settings, b"torn")

    after = world.plan(made)

    assert [1, 0] == [before.counts().stale, after.counts().stale]


def test_keys_of_the_defaults_are_those_of_0_1_0(wanted):
    """So batches, too, keep their names, under which their jobs are found again."""
    assert key_of(1.0, wanted.prompt, "gemini-nano-banana-2.1") == wanted.key


def test_what_is_sent_shapes_the_picture(world):
    """A temperature for a model that takes one, and a thinking level, are another request: out of date, not wanted."""
    taken = world.record(model=TAKES_IT, temperature=0.5)
    thought = world.record(thinking_level="high")

    assert 0 == world.plan(taken, model=TAKES_IT, temperature=0.5).counts().stale
    assert 1 == world.plan(taken, model=TAKES_IT, temperature=0.6).counts().stale
    assert 0 == world.plan(thought, thinking_level="high").counts().stale
    assert 1 == world.plan(thought, thinking_level="minimal").counts().stale
    assert 0 == world.plan(thought, thinking_level="minimal").counts().to_make


@pytest.mark.parametrize(
    ("choice", "sent", "temperature"),
    [
        ({}, {}, None),
        ({"temperature": 0.4}, {}, None),
        ({"model": TAKES_IT, "temperature": 0.4}, {"temperature": 0.4}, 0.4),
        ({"thinking_level": "high"}, {"thinking_config": {"thinking_level": "HIGH"}}, None),
        ({"thinking_level": "low"}, {}, None),
    ],
)
def test_a_model_gets_only_what_it_takes(world, choice, sent, temperature):
    """Nothing that its entry does not name stands in the request line, nor in what is recorded of it."""
    plan = world.plan(**choice)
    (batch,) = plan.batches
    data = batch.stored(world.settings(**choice), plan.catalog)
    schema.check("plan", data.to_json(), "the plan")

    config = body(data, REQUEST, [])["generation_config"]

    assert sent == {name: config[name] for name in config if name not in ("response_modalities", "image_config")}
    assert temperature == data.temperature


def test_what_is_not_sent_is_said_in_the_plan(world):
    """A thinking level that the model does not know would be a refusal of the whole batch."""
    notices = world.plan(thinking_level="low").notices

    assert [
        "models.generate.thinking_level: low is not sent, because gemini-nano-banana-2.1 takes minimal, medium, high"
    ] == notices


def test_a_plan_of_0_1_0_sends_no_temperature():
    """What it pinned and did not send goes out as today's requests do."""
    plan = builders.plan(temperature=1.0).to_json()
    del plan["parameters"]

    request = body(BatchPlan.from_json(plan), REQUEST, [])

    assert "temperature" not in request["generation_config"]


def test_enhanced_pictures_stay_as_current_as_scenes(world, tmp_path):
    """The same rule holds for submission.json, which is compared by its keys too."""
    from PIL import Image

    (tmp_path / "input_images").mkdir()
    Image.new("RGB", (30, 40), "teal").save(tmp_path / "input_images" / "a.png")
    (tmp_path / "input_images" / "prompt.txt").write_text("Make it a woodcut.")
    (task,) = make_enhancement_plan(world.settings()).tasks
    from chargen.records.identity import task_key

    shape = {
        "prompt": task.prompt, "model": task.shape.model.name, "aspect_ratio": "3:4", "image_size": "2K",
        "temperature": 0.7, "safety_settings": [], "references": [["input", task.references[0].sha256]],
    }  # fmt: skip
    done = tmp_path / "generated_images" / "input_images"
    done.mkdir(parents=True)
    (done / "a.jpg").write_bytes(b"\xff\xd8\xff")
    record = {
        "input": "a.png", "variation": 1, "file": "a.jpg", "spec_hash": task.wish.spec_hash, "provider": "google",
        "task_key": task_key(task.wish.target, 1, shape), "sha256": "",
    }  # fmt: skip
    durable.write_json(done / "submission.json", {"schema_version": 1, "results": [record]})

    counts = [make_enhancement_plan(world.settings(temperature=value)).counts() for value in (0.7, 1.0)]

    assert [(1, 0), (1, 1)] == [(count.applied, count.stale) for count in counts]


@pytest.mark.parametrize(("asked", "stored"), [({}, False), ({"store_requests": True}, True)])
def test_no_request_is_stored_unless_asked_for(world, asked, stored):
    """`store` stands in the request itself, and is no part of what a picture is: keys and batches stay the same."""
    plan = world.plan()
    (batch,) = plan.batches
    data = batch.stored(replace(world.settings(), **asked), plan.catalog)

    assert stored is body(data, REQUEST, [])["store"]
    assert batch.stored(world.settings(), plan.catalog).batch == data.batch


def test_the_emulator_takes_what_is_sent(world, emulator):
    """A request line with a thinking level and `store` is one that the API knows, in a batch by file too."""
    plan = world.plan(thinking_level="minimal")
    (batch,) = plan.batches
    data = batch.stored(world.settings(thinking_level="minimal"), plan.catalog)
    line = {"key": "k", "request": body(data, REQUEST, [])}
    (world.home / "requests.jsonl").write_bytes(orjson.dumps(line))
    remote = Remote(emulator.url, "a-key", 20, 20)

    file = remote.upload(world.home / "requests.jsonl", "requests", "application/jsonl")
    job = remote.create(batch.model, file.name, "chargen-story-0")
    emulator.end_jobs()

    assert (1, 0) == ((ended := remote.job(job)).done, ended.failed)


def test_a_models_file_of_0_1_0_goes_on_working(tmp_path):
    """It has none of the newer keys: one number for all pictures that are sent, and no parameter for any model."""
    facts = yaml.safe_load((schema.ROOT / "config" / "models.yaml").read_text())
    newer = ("input_image_tokens", "media_resolution", "thinking_levels", "parameters", "input_tokens", "output_tokens")
    for model in (*facts["image_models"].values(), *facts["text_models"].values()):
        for key in (*newer, "checked", "source"):
            model.pop(key, None)
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(facts | {"input_image_tokens": 258}))

    catalog = load_catalog(tmp_path / "models.yaml")
    takes = catalog.image_model("gemini-3-pro-image").takes

    assert (258, 258) == (takes.tokens_of_image(), catalog.text_model("gemini-3.8-flash").takes.tokens_of_image("low"))
    assert {} == sent_to(takes, ModelChoice("gemini-3-pro-image", "", 0.7, "high", "low"))


def test_sizes_as_version_0_1_0_listed_them_are_read(tmp_path):
    """A models.yaml of one's own from before keeps its sizes, prices and tokens."""
    written = yaml.safe_load((schema.ROOT / "config" / "models.yaml").read_text())
    for entry in written["image_models"].values():
        table = entry["sizes"]
        entry["sizes"] = list(table)
        entry["usd_per_image"] = {size: facts["usd"] for size, facts in table.items()}
        entry["image_tokens"] = {size: facts["tokens"] for size, facts in table.items()}
    (tmp_path / "models.yaml").write_text(yaml.safe_dump(written))

    assert load_catalog(schema.ROOT / "config" / "models.yaml").facts == load_catalog(tmp_path / "models.yaml").facts
