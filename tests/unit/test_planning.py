"""What a plan wants, leaves alone, waits for, refuses and costs."""

from __future__ import annotations

import zlib

import pytest
from PIL import Image
from planning_world import World

import builders
from chargen.base.errors import ChargenError
from chargen.operations import words as show
from chargen.operations.generate.plan import make_plan
from chargen.records.journal import Journal
from chargen.records.state import State
from chargen.screens.order import order

ODA = """
    name: Oda
    description: A keeper.
    scenes:
      - {id: lamp, prompt: The lamp burns.}
      - {id: rope, prompt: Oda splices a rope., image_size: 2K}
    """


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_wanted_with_cost(world):
    """Two scenes, one at 2K: one batch, half the standard price."""
    world.write("characters/oda", ODA)
    plan = world.plan()

    assert {"wanted": 2, "to_make": 2} == {key: getattr(plan.counts(), key) for key in ("wanted", "to_make")}
    input_usd = sum(len(task.prompt) // 4 for task in plan.batches[0].tasks) * 1.50 / 1e6
    assert pytest.approx((0.0336 + 0.0504 + input_usd) / 2) == plan.cost_usd
    assert "2 images for 1 character in 1 batch, 0 done, 0 in flight, about $0.0421" == show.headline(plan)


def test_done_stale_and_approved(world):
    """A recorded picture is done; under another key it is stale, unless it is approved."""
    world.write("characters/oda", ODA)
    world.picture("characters/oda/images/lamp.png")
    world.picture("characters/oda/images/rope.png")
    world.record("oda", "lamp", "lamp.png")
    world.record("oda", "rope", "rope.png", status="approved")
    plan = world.plan()

    assert {"applied": 2, "stale": 1, "to_make": 0} == {
        key: getattr(plan.counts(), key) for key in ("applied", "stale", "to_make")
    }
    assert ["character/oda/lamp"] == [stale.item.target for stale in plan.stale]


def test_rejected_is_wanted_once(world):
    """A rejected picture asks for one more, which counts even though the rejected record stays."""
    world.write("characters/oda", ODA)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", status="rejected")
    rejected = world.plan()
    world.picture("characters/oda/images/lamp2.png")
    world.record("oda", "lamp", "lamp2.png")
    again = world.plan()

    assert {"lamp": 1, "rope": 0} == {t.wish.target.rsplit("/", 1)[1]: t.wish.rejections for t in rejected.tasks}
    assert ["character/oda/rope"] == [task.wish.target for task in again.tasks]


def test_missing_is_counted_and_left_alone(world):
    """A record without its file is not made again by itself."""
    world.write("characters/oda", ODA)
    world.record("oda", "lamp", "lamp.png")
    plan = world.plan()

    assert 1 == plan.counts().missing
    assert pytest.approx(0.0168) == plan.missing_usd
    assert ["character/oda/rope"] == [task.wish.target for task in plan.tasks]


def test_placeholders_never_pass_for_pictures(world):
    """Under gemini a scene with the emulator's record is wanted, and the emulator's portrait is not sent."""
    world.write("characters/oda", ODA)
    path = world.picture("characters/oda/images/portrait.png")
    data = path.read_bytes()
    chunk = b"tEXtSoftware\x00chargen-emulator"
    marked = (len(chunk) - 4).to_bytes(4, "big") + chunk + zlib.crc32(chunk).to_bytes(4, "big")
    path.write_bytes(data[:33] + marked + data[33:])
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", provider="emulator")
    emulated, real = world.plan(), world.plan(provider="gemini")

    assert ["rope"] == [task.wish.target.rsplit("/", 1)[1] for task in emulated.tasks]
    assert ["lamp", "rope"] == sorted(task.wish.target.rsplit("/", 1)[1] for task in real.tasks)
    assert [()] * 2 == [task.references for task in real.tasks]


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        ("{id: a, prompt: x, aspect_ratio: '7:5'}", "cannot do 7:5"),
        ("{id: a, prompt: x, image_size: '512'}", "cannot do 512"),
        (
            "{id: a, prompt: x, model: gemini-2.0-flash-preview-image-generation}",
            "use `gemini-nano-banana-2.1` instead",
        ),
        ("{id: a, prompt: x, model: gemini-2.5-flash-image}", "was shut down on 2026-10-02"),
        ("{id: a, prompt: x, model: midjourney}", "unknown image model `midjourney`"),
    ],
)
def test_what_the_model_cannot_do_is_refused_before_anything_is_sent(world, scene, message):
    """Ratio, size and model are checked while planning; that scene is left out, the others go on."""
    world.write("characters/oda", f"name: Oda\nscenes:\n  - {scene}\n  - {{id: b, prompt: y}}\n")
    plan = world.plan()

    assert ["character/oda/b"] == [task.wish.target for task in plan.tasks]
    assert [message] == [message for problem in plan.problems if message in problem.message]
    assert plan.counts().blocked == 1


def test_a_mood_without_style_is_warned_of(world):
    """A mood in one word that styles.yaml does not know is sent as it is, and said; words of one's own are not."""
    moods = ("blustrous", "somber", "quiet and a little sad")
    scenes = "".join(f"  - {{id: s{number}, prompt: x, mood: {mood}}}\n" for number, mood in enumerate(moods))
    world.write("characters/oda", f"name: Oda\nscenes:\n{scenes}")
    plan = world.plan()

    assert 3 == len(plan.tasks)
    assert [("s0", "mood blustrous has no style, so only its name is sent")] == [
        (problem.scene, problem.message) for problem in plan.problems if problem.code == "mood-without-style"
    ]


def test_a_model_that_the_server_denies_has_its_fallback(world):
    """A model that the server does not have gives way for a day, or until the server takes it again; without a fallback
    it is asked for again, which costs nothing.
    """
    world.write("characters/oda", ODA)
    settings = world.settings()
    (batch,) = world.plan().batches

    def answered(event, **values):
        journal = Journal(State.of(settings))
        about = {"operation": "generate", "display_name": "d", "base_url": "u", "key": "k", "wishes": {}, "tokens": 1}
        journal.append(builders.event("intent", batch.id, model=batch.model, cost_usd=0.1, clock={}, pid=1, **about))
        journal.append(builders.event(event, batch.id, **values))

    answered("refused", status=404, message=f"models/{batch.model} is not found for API version v1beta")
    denied = world.plan()
    without = {"generate": {"model": batch.model, "fallback": "", "temperature": 1}}
    alone = world.plan(models=without)
    answered("created", job="batches/1", adopted=False)

    assert ["gemini-3-pro-image"] == [item.model for item in denied.batches]
    assert [batch.model] == [item.model for item in alone.batches]
    assert [f"the server has no model `{batch.model}`; the fallback `gemini-3-pro-image` is used"] == denied.notices
    assert frozenset() == Journal(State.of(settings)).denied_models()


def test_retired_model_has_its_fallback(world):
    """A configured model that was shut down is replaced by the fallback, and it is said; without one nothing starts."""
    world.write("characters/oda", ODA)
    retired = {"generate": {"model": "gemini-3-pro-image-preview", "fallback": "gemini-3-pro-image", "temperature": 1}}
    plan = world.plan(models=retired)
    retired["generate"]["fallback"] = ""

    assert {"gemini-3-pro-image"} == {task.shape.model.name for task in plan.tasks}
    assert ["the fallback `gemini-3-pro-image` is used"] == [n.split("; ")[-1] for n in plan.notices]
    with pytest.raises(ChargenError, match="use `gemini-3-pro-image` instead"):
        world.plan(models=retired)


def test_a_circle_of_references_is_an_error(world):
    """Two scenes that send each other's picture are both left out, with the circle named."""
    world.write("characters/oda", "name: Oda\nportrait: a\nscenes:\n  - {id: a, prompt: x, characters: [tam]}\n")
    world.write("characters/tam", "name: Tam\nportrait: b\nscenes:\n  - {id: b, prompt: y, characters: [oda]}\n")
    plan = world.plan()

    assert [] == plan.tasks + plan.deferred
    assert {"circular-reference"} == {problem.code for problem in plan.problems if problem.severity == "error"}


def test_unreadable_reference_stops_its_scene(world):
    """A Git LFS pointer as portrait: the scenes that send it are not paid for, unless the configuration says so."""
    world.write("characters/oda", ODA)
    path = world.home / "story/characters/oda/images/portrait.png"
    path.parent.mkdir()
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n")
    stopped, skipped = world.plan(), world.plan(unreadable_references="skip")

    assert 2 == stopped.counts().blocked
    assert any("git lfs pull" in problem.message for problem in stopped.problems)
    assert 2 == len(skipped.tasks)


def test_references_are_made_ready_like_any_picture_that_is_sent(world):
    """A turned photograph, and a format that the API does not take, go along as plain copies; the plan says so."""
    world.write("characters/oda", "name: Oda\nscenes:\n  - {id: a, prompt: x, references: [images/boat.gif]}\n")
    exif = Image.Exif()
    exif[0x0112] = 6
    images = world.picture("characters/oda/images/boat.gif").parent
    Image.new("RGB", (4000, 200), "teal").save(images / "portrait.jpg", exif=exif)
    (task,) = world.plan().tasks

    assert [3072, 3072] == [sent.max_side for sent in task.references]
    assert (
        "reference characters/oda/images/portrait.jpg is turned upright before it is sent",
        "reference characters/oda/images/portrait.jpg is scaled down from 200x4000 to 154x3072 before it is sent",
        "reference characters/oda/images/boat.gif is converted from GIF before it is sent",
    ) == task.notes


def test_each_reference_goes_along_in_its_role_and_order(world):
    """People, things and shots before, the place, and last what only shows the style, each behind its label."""
    world.write("locations/quay", "name: The quay\nscenes: [{id: overview, prompt: x}]\n")
    world.write(
        "characters/oda",
        """
        name: Oda
        scenes:
          - {id: before, prompt: x}
          - {id: after, prompt: y, location: quay, references: [images/knot.png, before]}
        """,
    )
    oda = "characters/oda/images"
    names = [f"{oda}/portrait.png", "locations/quay/images/overview.png", f"{oda}/knot.png", f"{oda}/before.png"]
    for number, name in enumerate([*names, "style/etching.png"]):
        world.picture(name, (number * 40, 90, 90))
    world.record("oda", "before", "before.png")
    world.style_images("style/etching.png", "style/none.png")
    plan = world.plan()
    (task,) = plan.tasks

    assert [
        ("character", names[0]),
        ("other", names[2]),
        ("scene", names[3]),
        ("location", names[1]),
        ("style", "style/etching.png"),
    ] == [(sent.role, sent.path) for sent in task.references]
    assert "Image 3: before (Oda), an earlier picture of the same story." == task.labels[2]
    assert "Image 5: an example of the style." == task.labels[4]
    assert ["missing-reference"] == [problem.code for problem in plan.problems]
    with pytest.raises(ChargenError, match=r"styles\.yaml: error: .*'style/none\.png' is not in the library"):
        world.plan(missing_references="fail")


def test_missing_reference_is_skipped_or_fails(world):
    """A reference that does not exist is a warning by default, and keeps the scene back if the user wants that."""
    world.write("characters/oda", "name: Oda\nscenes:\n  - {id: a, prompt: x, references: [images/none.png]}\n")
    (world.home / "story/characters/oda/images").mkdir()
    world.picture("characters/oda/images/portrait.png")
    skipped, failed = world.plan(), world.plan(missing_references="fail")

    assert ["missing-reference"] == [problem.code for problem in skipped.problems]
    assert 1 == len(skipped.tasks)
    assert 1 == failed.counts().blocked


def test_batches_are_filled_up_to_the_limits(world):
    """One batch per model, cut at max_tasks, heavier scenes first."""
    scenes = "".join(f"  - {{id: s{n}, prompt: x, weight: {w}}}\n" for n, w in enumerate(["low", "critical"] * 3))
    world.write(
        "characters/oda", f"name: Oda\nscenes:\n{scenes}  - {{id: pro, prompt: x, model: gemini-3-pro-image}}\n"
    )
    plan = world.plan(batch={"max_tasks": 4, "max_bytes": 10**9})

    sizes = {(batch.model, len(batch.tasks)) for batch in plan.batches}
    assert {("gemini-nano-banana-2.1", 4), ("gemini-nano-banana-2.1", 2), ("gemini-3-pro-image", 1)} == sizes
    first = next(batch for batch in plan.batches if len(batch.tasks) == 4)
    assert ["critical"] * 3 + ["low"] == [task.weight for task in first.tasks]


def test_a_plan_garbles_no_terminal(world):
    """Signs that would move a cursor or turn a line round are written out, in the plan and in its details."""
    world.write("characters/oda", 'name: "O\\e[2Jda"\nscenes:\n  - {id: lamp, prompt: "A \\e[31m\\u202elamp."}\n')
    world.picture("characters/oda/images/portrait.png")
    (world.home / "story/locations/pi\u202eer").mkdir(parents=True)
    (world.home / "story/locations/pi\u202eer/imagery.yaml").write_text("name: Pier\n")
    plan = world.plan()
    printed = f"{show.overview(plan, world.settings())}\n{show.tasks(plan, 100)}"

    assert [] == [line for line in printed.split("\n") if not line.isprintable()]
    assert "entities skipped because of errors" in printed


def test_an_order_is_wanted_until_it_is_fulfilled(world):
    """An order makes exactly what it names wanted, once; it is not ordered twice."""
    world.write("characters/oda", ODA)
    for scene in ("lamp", "rope"):
        world.picture(f"characters/oda/images/{scene}.png")
        world.record("oda", scene, f"{scene}.png")
    settings = world.settings(scenes=["character/oda/lamp"])
    state = State.of(settings)
    said = order(settings, state)
    ordered = world.plan()
    wish = ordered.tasks[0].wish
    with pytest.raises(ChargenError, match=r"nothing among the 1 pictures .* 1 wanted"):
        order(settings, state)
    journal = Journal(state)
    intent = {"operation": "generate", "model": "m", "display_name": "d", "base_url": "u", "key": "k"}
    journal.append(builders.event("intent", "b1", **intent, wishes={wish.id: 1}, cost_usd=0, tokens=0, clock={}, pid=1))
    flying = world.plan()
    journal.append(builders.event("created", "b1", job="batches/1", adopted=False))
    journal.append(builders.event("applied", "b1", outcomes={wish.id: ["applied", ""]}))
    fulfilled = world.plan()

    assert said.startswith("order 1: 1 picture again, about $0.0168")
    assert [("character/oda/lamp", 1)] == [(task.wish.target, task.wish.order) for task in ordered.tasks]
    assert (0, 1) == (flying.counts().to_make, flying.counts().in_flight)
    assert (0, 2) == (fulfilled.counts().to_make, fulfilled.counts().applied)


def test_strict_refuses_to_start(world):
    """With strict a warning stops everything, and all of them are listed."""
    world.write("characters/oda", ODA.replace("scenes:", "shoesize: 44\n    scenes:"))

    with pytest.raises(ChargenError, match="strict: nothing was started"):
        world.plan(strict=True)


def test_only_and_scope_narrow_a_plan(world):
    """Globs over kind/entity/scene, and kinds."""
    world.write("characters/oda", ODA)
    world.write("locations/light", "name: Light\nscenes:\n  - {id: night, prompt: x}\n")

    assert ["character/oda/lamp"] == [t.wish.target for t in world.plan(only=["*/lamp"]).tasks]
    assert ["location/light/night"] == [t.wish.target for t in world.plan(scope="locations").tasks]


def test_a_task_knows_the_picture_that_it_replaces(world):
    """An edited scene, approved or not: its task carries the present picture, so that the result may take its place."""
    world.write("characters/oda", ODA)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", status="approved", spec="sha256:1111111111111111")
    plan = world.plan(only=["*/lamp"])

    assert [("characters/oda/images/lamp.png", "approved")] == [
        (task.replaces.path, task.replaces.status) for task in plan.tasks
    ]


def test_a_result_that_stood_back_is_not_put_back(world):
    """The author approved the old picture while the new one was made: the scene is done with what was approved."""
    world.write("characters/oda", ODA)
    world.picture("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png", status="approved", spec="sha256:1111111111111111")
    settings = world.settings(only=["*/lamp"])
    wish = make_plan(settings).tasks[0].wish
    journal = Journal(State.of(settings))
    intent = {"operation": "generate", "model": "m", "display_name": "d", "base_url": "u", "key": "k"}
    journal.append(builders.event("intent", "b1", **intent, wishes={wish.id: 1}, cost_usd=0, tokens=0, clock={}, pid=1))
    journal.append(builders.event("created", "b1", job="batches/1", adopted=False))
    journal.append(builders.event("applied", "b1", outcomes={wish.id: ["superseded", "approved-meanwhile"]}))
    plan = make_plan(settings)

    assert ["done"] == [item.status for item in plan.items]
    assert {} == plan.put_back


def test_a_glob_that_fits_nothing_is_told(world):
    """A misspelt `only` is not taken for a library where all is done."""
    world.write("characters/oda", ODA)

    plan = world.plan(only=["*/lamp", "character/odda/*"])

    assert ["only: no scene of this run matches character/odda/*"] == plan.notices


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"budget_usd": "lots"}, 'configuration: budget_usd: "lots" is neither a number of at least 0 nor empty'),
        ({"libary": "x"}, "configuration: unknown key `libary`, did you mean `library`?"),
    ],
)
def test_a_wrong_setting_is_told_in_words(world, changes, words):
    """Which key, what is wrong with it, and what may be there."""
    with pytest.raises(ChargenError) as caught:
        world.settings(**changes)

    assert words == str(caught.value)


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("characters/oda/imagery.yaml", 0o444),
        ("characters/oda/images", 0o555),
        ("characters/oda", 0o555),
    ],
)
def test_what_may_not_be_written_is_said_before_anything_is_paid(world, path, mode):
    """A locked file or folder blocks its entity's pictures with one error that says what to do; the others go out."""
    world.write("characters/oda", ODA)
    world.write("characters/tam", "scenes: [{id: net, prompt: x}]")
    (world.home / "story/characters/oda/images").mkdir()
    locked = world.home / "story" / path
    locked.chmod(mode)

    plan = world.plan()
    locked.chmod(0o755)

    assert ["character/tam/net"] == [task.wish.target for task in plan.tasks]
    assert ["not-writable"] == [problem.code for problem in plan.problems if problem.severity == "error"]
    assert f"{path}: error: is not writable" in show.overview(plan, world.settings())
    assert 2 == plan.counts().blocked


def test_an_empty_file_takes_no_records(world):
    """An entity whose wishes stand in another file, and whose imagery.yaml is empty, waits until it is not."""
    world.write("characters/oda", "")
    (world.home / "story/characters/oda/image-ideas.yaml").write_text("scenes: [{title: Net, scene: x}]")

    plan = world.plan()

    assert [] == plan.tasks
    assert "an editor may be saving it" in show.overview(plan, world.settings())


def test_pictures_that_are_not_downloaded_are_neither_made_nor_missing(world):
    """What a sync program keeps elsewhere is done, recorded or not."""
    world.write("characters/oda", ODA)
    world.stub("characters/oda/images/lamp.png")
    world.record("oda", "lamp", "lamp.png")
    world.stub("characters/oda/images/rope.png")

    counts = world.plan().counts()

    assert (0, 2, 1, 0) == (counts.to_make, counts.applied, counts.adopted, counts.missing)


def test_a_reference_that_is_not_downloaded_stops_its_scene(world):
    """A portrait that is not here is not sent, and nobody is drawn without it."""
    world.write("characters/oda", ODA)
    world.stub("characters/oda/images/portrait.png")

    plan = world.plan()

    assert [] == plan.tasks
    assert {"unreadable-reference"} == {problem.code for problem in plan.problems}
    assert "portrait.png is not downloaded" in plan.problems[0].message


def test_a_style_image_that_is_not_downloaded_stops_the_scenes(world):
    """Pictures are not made without the style that was asked for because its example is elsewhere."""
    world.write("characters/oda", ODA)
    world.stub("style.png")
    world.style_images("style.png")

    assert [] == world.plan().tasks


def test_a_library_at_the_wrong_level_stops_the_plan(world):
    """Where the folder that was named is plainly not the library, the plan says which one is."""
    world.write("characters/oda", ODA)

    with pytest.raises(ChargenError, match="set 'library' to"):
        world.plan(library="story/characters")


def test_what_is_passed_over_is_said(world):
    """The plan names folders without the file, and says when it found nothing."""
    (world.home / "story/characters/drafts").mkdir(parents=True)

    shown = show.overview(world.plan(), world.settings())

    assert f"note: found 0 entities in {world.home / 'story'}: characters/ has 1 folder" in shown
    assert "note: characters/ has 1 folder without imagery.yaml: drafts" in shown


def test_a_misspelt_glob_is_asked_about(world):
    """A name in other letter case fits nothing, and the plan asks for the one that was meant."""
    world.write("characters/oda", ODA)

    plan = world.plan(only=["character/ODA/*"])

    assert "only: no scene of this run matches character/ODA/*, did you mean character/oda/lamp?" in plan.notices


def test_words_that_change_while_the_plan_is_made_stop_the_run(world):
    """Half a file may ask for other pictures than the whole one: what was saved meanwhile is not sent."""
    world.write("characters/oda", ODA)
    plan = world.plan()
    plan.check(world.settings())
    world.write("characters/oda", ODA.replace("The lamp burns.", "The lamp burns low."))

    with pytest.raises(ChargenError, match="was saved while the plan was made"):
        plan.check(world.settings())


def test_an_edit_that_asks_for_the_same_pictures_stops_nothing(world):
    """Records that another run added, or a note, are no other words."""
    world.write("characters/oda", ODA)
    plan = world.plan()
    world.write("characters/oda", ODA + "    # later\n")

    plan.check(world.settings())
