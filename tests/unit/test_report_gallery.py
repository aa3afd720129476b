"""The page shows every picture of the library from disk, and nothing that a text says can break it."""

from __future__ import annotations

import hashlib
import io
import json
import re
from collections import defaultdict
from dataclasses import fields, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import unquote, urlsplit

import jinja2
import pytest
from jinja2 import meta
from PIL import Image
from report_world import EARLIER, RUN, World, make_world, png

import builders
from chargen.analysis.description import Description
from chargen.base.errors import Problem
from chargen.planning.plan import Stale
from chargen.report import page as page_module
from chargen.report.page_costs import Arrival
from chargen.report.picture_data import Detail, Other, ReferenceLink, Story
from chargen.report.reviewable import ReviewData
from chargen.report.write import write_report

ODA = "character/oda-brennick"
HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \"'& {{ 7*7 }} \u2028 <!--"
VOID = {"meta", "img", "input", "br", "link"}


class Page(HTMLParser):
    """The elements of a page, its embedded data, and whether every element is closed."""

    def __init__(self, html: str):
        super().__init__()
        self.elements: dict[str, list[dict[str, str]]] = defaultdict(list)
        self.text = ""
        self.raw = ""
        self._open: list[str] = []
        self._in_data = self._in_story = False
        self.stories: list[str] = []
        self.feed(html)
        assert [] == self._open
        self.details: dict[str, Any] = json.loads(self.raw)
        for chunk in self.stories:
            for id, story in json.loads(chunk).items():
                self.details[id] |= story

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.elements[tag].append(values)
        if tag not in VOID:
            self._open.append(tag)
        self._in_data = values.get("id") == "details"
        self._in_story = values.get("class") == "stories"

    def handle_endtag(self, tag: str) -> None:
        assert tag == self._open.pop()
        self._in_data = self._in_story = False

    def handle_data(self, data: str) -> None:
        if self._in_data:
            self.raw += data
        elif self._in_story:
            self.stories.append(data)
        elif not self._open or self._open[-1] not in ("script", "style"):
            self.text += data

    def card(self, id: str) -> dict[str, str]:
        return next(values for values in self.elements["figure"] if values["id"] == id)

    def badges(self, id: str) -> set[str]:
        return set(self.card(id)["data-badges"].split())


def page(world: World, run_id: str = RUN) -> Page:
    """Write the report and read its page back."""
    write_report(world.survey(run_id), world.results)
    return Page((world.results / "report.html").read_text("utf-8"))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """One picture of each kind of standing."""
    world = make_world(tmp_path)
    tasks = []
    for status in ("done", "adopted", "missing", "put back", "in flight", "failed", "wanted", "blocked"):
        scene = world.scene(f"{ODA}/{status.replace(' ', '-')}-scene")
        in_place = status in ("done", "adopted")
        record = {} if status in ("done", "missing") else None
        world.stand(scene, status, record=record, picture=png(colour="navy") if in_place else b"")
        if status in ("done", "failed"):
            tasks.append(world.outcome(scene.target, "applied" if status == "done" else "failed"))
    world.receipt("1" * 16, tasks)
    return world


def test_the_template_uses_what_the_page_has() -> None:
    """Each name that the template uses is a field of the page, and each field is used."""
    source = (Path(page_module.__file__).parent / "gallery.html.j2").read_text("utf-8")

    used = meta.find_undeclared_variables(jinja2.Environment().parse(source))

    assert {field.name for field in fields(page_module.Page)} | {"count", "dollars"} == used


JS_TYPES = {str: "string", int: "number", bool: "boolean", tuple[str, ...]: "string[]"}


def js_type(kind: Any) -> str:
    """Return what JSDoc calls a type of embedded data."""
    arguments = get_args(kind)
    if kind in JS_TYPES:
        return JS_TYPES[kind]
    if type(None) in arguments:
        return f"?{js_type(arguments[0])}"
    if get_origin(kind) is tuple and arguments[-1] is Ellipsis:
        return f"{js_type(arguments[0])}[]"
    if get_origin(kind) is tuple:
        return f"[{', '.join(map(js_type, arguments))}]"
    return str(kind.__name__)


@pytest.mark.parametrize("kind", [Detail, ReviewData, Story, Other, ReferenceLink, Description, Arrival])
def test_the_script_describes_the_types_of_its_data(kind: type) -> None:
    """gallery.js names each key of the data that the page embeds, with its type."""
    script = (Path(page_module.__file__).parent / "gallery.js").read_text("utf-8")
    described = script.partition(f"@typedef {{object}} {kind.__name__}\n")[2].partition("*/")[0]

    written = re.findall(r"@property \{(.+)\} (\w+)", described)

    assert [(js_type(hint), name) for name, hint in get_type_hints(kind).items()] == written


def test_every_picture_in_place_is_shown(world: World) -> None:
    """Pictures of this run, of earlier ones and adopted ones all have a card with a thumbnail that exists."""
    made = page(world)

    assert {f"{ODA}/done-scene:1", f"{ODA}/adopted-scene:1"} == made.details.keys()
    sources = [image["src"] for image in made.elements["img"] if "src" in image]
    assert 2 == len(sources)
    assert all((world.results / unquote(source)).is_file() for source in sources)


def test_links_lead_to_the_library(world: World) -> None:
    """Full pictures are linked where they lie, also when a folder's name has blanks and the like."""
    scene = world.scene("character/ûna #1 50%/who?")
    world.stand(scene, "done", record={}, picture=png(), name="who? #1%20.png")

    made = page(world)

    links = [link["href"] for link in made.elements["a"] if "data-open" in link]
    found = [(world.results / unquote(urlsplit(link).path)).resolve() for link in links]
    assert all(path.is_file() and path.is_relative_to(world.library) for path in found)
    assert "who? #1%20.png" in {path.name for path in found}


def test_nothing_comes_from_elsewhere(world: World) -> None:
    """The page opens without a network: no address in it names a host."""
    made = page(world)

    addresses = [
        value
        for values in (item for items in made.elements.values() for item in items)
        for name, value in values.items()
        if name in ("src", "href", "srcset", "action")
    ]
    assert addresses
    assert [] == [address for address in addresses if urlsplit(address).scheme or address.startswith("//")]


def test_each_standing_has_its_badge(world: World) -> None:
    """A card says where its picture stands."""
    made = page(world)

    badges = {
        status: made.badges(f"{ODA}/{status}-scene:1")
        for status in ("done", "adopted", "missing", "in-flight", "failed", "wanted")
    }
    assert {
        "done": {"new"},
        "adopted": {"adopted"},
        "missing": {"missing"},
        "in-flight": {"waiting"},
        "failed": {"failed"},
        "wanted": {"wanted"},
    } == badges


def test_marks_of_a_picture_in_place(tmp_path: Path) -> None:
    """Approved, stale, placeholder, and new or not: each shows, and they add up."""
    world = make_world(tmp_path, provider="emulator")
    old, fresh = world.scene(f"{ODA}/old"), world.scene(f"{ODA}/fresh")
    standing = world.stand(old, "done", record={"status": "approved", "provider": "emulator"}, picture=png())
    world.stand(fresh, "done", record={"provider": "google"}, picture=png())
    world.stale.append(Stale(standing, 0.067))
    world.receipt("1" * 16, [world.outcome(old.target)], run=EARLIER)
    world.receipt("2" * 16, [world.outcome(fresh.target)])

    made = page(world)

    assert {"approved", "stale", "placeholder"} == made.badges(f"{ODA}/old:1")
    assert {"new"} == made.badges(f"{ODA}/fresh:1")


def test_rejected_pictures_are_still_shown(tmp_path: Path) -> None:
    """What the author rejected stays on the page beside what came instead, until its file is gone."""
    world = make_world(tmp_path)
    scene = world.scene(f"{ODA}/lamp-room")
    world.stand(scene, "done", record={}, picture=png())
    images = world.library / "characters/oda-brennick/images"
    (images / "first.png").write_bytes(png(colour="red"))
    world.record(scene, 1, "images/first.png", {"status": "rejected", "task_key": "x"})
    world.record(scene, 1, "images/gone.png", {"status": "rejected", "task_key": "y"})

    made = page(world)

    assert [{"rejected"}] == [made.badges(id) for id in made.details if "rejected" in id]


def test_variations_lie_side_by_side(tmp_path: Path) -> None:
    """The pictures of one scene stand in one group, a scene with one picture in none."""
    world = make_world(tmp_path)
    lamp, market = world.scene(f"{ODA}/lamp-room", title="The lamp"), world.scene(f"{ODA}/market")
    for variation in (1, 2):
        world.stand(lamp, "done", variation=variation, record={}, picture=png())
    world.stand(market, "done", record={}, picture=png())

    groups = [item for item in page(world).elements["div"] if item.get("class", "").startswith("group")]

    assert ["The lamp: variations"] == [group["aria-label"] for group in groups]


@pytest.mark.parametrize("field", ["title", "prompt"])
def test_no_text_breaks_the_page(world: World, field: str) -> None:
    """Whatever an author or the API writes is shown as text, in the page and in its data."""
    values = {field: HOSTILE}
    scene = replace(world.scene(f"{ODA}/hostile", **values), references=())
    world.stand(scene, "done", record={}, picture=png())
    refused = world.scene(f"{ODA}/refused", **values)
    world.stand(refused, "failed", reason=HOSTILE)
    hostile = {"reason": HOSTILE, "advice": HOSTILE, "said": HOSTILE, "prompt": HOSTILE, "title": HOSTILE}
    world.receipt(
        "3" * 16,
        [world.outcome(scene.target, prompt=HOSTILE), world.outcome(refused.target, "failed", **hostile)],
        error=HOSTILE,
        job=HOSTILE,
    )
    world.names[ODA] = HOSTILE

    made = page(world)

    assert ["details", "stories", "arrived", ""] == [
        script.get("id") or script.get("class", "") for script in made.elements["script"]
    ]
    assert [] == [image for image in made.elements["img"] if "onerror" in image]
    assert HOSTILE == made.details[f"{ODA}/hostile:1"]["prompt"]
    assert HOSTILE in made.text


def test_pictures_are_described_for_those_who_do_not_see_them(world: World) -> None:
    """The alternative text is the title and the first words of the author's prompt."""
    long = world.scene(f"{ODA}/long", prompt="word " * 40, title="Long")
    world.stand(long, "done", record={}, picture=png())

    alts = [image["alt"] for image in page(world).elements["img"] if "src" in image]

    assert "Done scene: Oda trims the great lamp." in alts
    assert f"Long: {' '.join(['word'] * 14)}…" in alts


def test_ids_are_unique(world: World) -> None:
    """Every address within the page leads to one place."""
    made = page(world)

    ids = [values["id"] for items in made.elements.values() for values in items if "id" in values]
    links = [values["href"] for values in made.elements["a"] if values.get("href", "").startswith("#")]
    assert len(ids) == len(set(ids))
    assert {"#"} == {link for link in links if unquote(link[1:]) not in ids}


def test_the_large_view_knows_the_story_of_a_picture(tmp_path: Path) -> None:
    """Prompt as sent, references with thumbnails, model, size, cost and attempts are at hand."""
    world = make_world(tmp_path)
    portrait, scene = world.scene(f"{ODA}/portrait"), world.scene(f"{ODA}/lamp-room")
    own = world.stand(portrait, "done", record={}, picture=png())
    world.stand(scene, "done", record={"aspect_ratio": "3:4"}, picture=png(90, 120, "olive"))
    assert own.record
    references = (
        builders.reference(own.path, sha256=own.record.sha256),
        builders.reference(own.path, sha256="b" * 64, name="Oda then"),
        builders.reference("../../elsewhere.png", sha256="c" * 64, name="outside"),
    )
    (tmp_path / "elsewhere.png").write_bytes(png())
    world.receipt("1" * 16, [world.outcome(scene.target, prompt="The whole prompt.", references=references)])

    known = page(world).details[f"{ODA}/lamp-room:1"]

    facts = dict(known["facts"])
    shown = tuple(facts[name] for name in ("Model", "Size", "Cost", "Attempts"))
    assert ("gemini-3-pro-image", "90 × 120 (3:4 1K)", "$0.067", "1") == shown
    assert "The whole prompt." == known["prompt"]
    assert [("Oda", False, True), ("Oda then", True, True), ("outside", False, False)] == [
        (item["name"], item["changed"], bool(item["thumb"])) for item in known["references"]
    ]


def test_a_hidden_prompt_falls_back_to_the_authors_words(tmp_path: Path) -> None:
    """Where the record keeps only a hash of the prompt and no receipt is left, the scene's own text is shown."""
    world = make_world(tmp_path)
    scene = world.scene(f"{ODA}/lamp-room", "Oda by lamp light.")
    world.stand(scene, "done", record={"prompt_used": "sha256:" + "0" * 64}, picture=png())

    assert "Oda by lamp light." == page(world, "").details[f"{ODA}/lamp-room:1"]["prompt"]


def test_failures_say_what_to_do(world: World) -> None:
    """Reason, advice, what the API said, where to edit and how to send it once more are on the page."""
    text = page(world).text

    for said in ("image-safety", "say it with other words", "finishReason IMAGE_SAFETY", "Paint failed-scene."):
        assert said in text
    assert "characters/oda-brennick/imagery.yaml:23" in text
    assert f"snakemake order --config scenes={ODA}/failed-scene" in text


def test_what_cannot_be_sent_is_explained_like_a_failure(world: World) -> None:
    """Why, what to do and where; every "why?" on a card leads to such an explanation, and to one of its own."""
    target, why = f"{ODA}/wanted-scene", "its reference is a circle"
    place = world.scenes[ODA][-2].place
    world.blocked[target] = why
    world.problems.append(Problem("error", "circular", why, place, "break the circle", ODA, "wanted-scene"))

    made = page(world)

    ids = {values["id"] for values in made.elements["details"] if "id" in values}
    leads = {unquote(link["href"][1:]) for link in made.elements["a"] if link.get("class") == "why"}
    assert {f"failure/{target}", f"failure/{ODA}/failed-scene:1"} == leads
    assert leads == ids
    assert "Wanted scene" in made.text
    assert "break the circle" in made.text


def test_the_last_run_says_what_it_made(tmp_path: Path) -> None:
    """Analyses are not pictures, and are counted separately."""
    world = make_world(tmp_path)
    scene = world.scene(f"{ODA}/lamp")
    world.stand(scene, "done", record={}, picture=png())
    world.receipt("1" * 16, [world.outcome(scene.target)])
    looks = [world.outcome(f"{ODA}/{name}", wish_id=name) for name in ("lamp", "rope")]
    world.receipt("2" * 16, looks, operation="analyze")

    assert "1 new picture, 2 analysed" in page(world).text


def test_a_stale_picture_comes_with_the_command_that_renews_it(tmp_path: Path) -> None:
    """It is on the large view of what is stale, and on no other."""
    world = make_world(tmp_path)
    standings = [world.stand(world.scene(f"{ODA}/{name}"), "done", record={}, picture=png()) for name in ("old", "new")]
    world.stale.append(Stale(standings[0], 0.067))

    details = page(world).details

    assert f"snakemake order --config scenes={ODA}/old" == details[f"{ODA}/old:1"]["renew"]
    assert "" == details[f"{ODA}/new:1"]["renew"]


def test_a_filter_that_all_pictures_fit_is_left_out(tmp_path: Path) -> None:
    """Where all are placeholders the notice says so; where some are, there is a button for them."""
    world = make_world(tmp_path, provider="emulator")
    world.stand(world.scene(f"{ODA}/lamp"), "done", record={"provider": "emulator"}, picture=png())
    all_of_them = page(world)
    world.stand(world.scene(f"{ODA}/rope"), "done", record={"provider": "google"}, picture=png())
    some = page(world)

    filters = [[button.get("data-filter") for button in made.elements["button"]] for made in (all_of_them, some)]
    assert ["placeholder" in names for names in filters] == [False, True]


def test_a_picture_that_cannot_be_opened_has_a_neutral_tile(tmp_path: Path) -> None:
    """A broken file or an LFS pointer is a card without a thumbnail, with a word why."""
    world = make_world(tmp_path)
    scene = world.scene(f"{ODA}/lamp-room")
    world.stand(scene, "done", record={}, picture=b"no picture")

    made = page(world)

    assert "cannot be shown" in made.text
    assert "" == made.details[f"{ODA}/lamp-room:1"]["href"]


def test_an_empty_library_has_a_page_too(tmp_path: Path) -> None:
    """Before anything is wanted the page says what to do first, and speaks of no pictures as if there were some."""
    text = page(make_world(tmp_path, provider="emulator"), None).text

    assert "imagery.yaml" in text
    assert "The pictures that a run makes now are placeholders, drawn by the emulator." in text


def test_the_same_library_gives_the_same_page(world: World) -> None:
    """Written again without a run, the page does not change by a byte."""
    page(world, "")
    before = (world.results / "report.html").read_bytes()
    page(world, "")

    assert before == (world.results / "report.html").read_bytes()


def test_all_three_files_are_written(world: World) -> None:
    """Page, data and failures stand in results/; beside them only the page's thumbnails."""
    page(world)

    names = {path.name for path in world.results.iterdir()}
    assert {"report.html", "report.json", "failures.jsonl", "report"} == names
    assert {"thumbs"} == {path.name for path in (world.results / "report").iterdir()}
    lines = (world.results / "failures.jsonl").read_text("utf-8").splitlines()
    assert [f"{ODA}/failed-scene"] == [json.loads(line)["target"] for line in lines]


def test_pictures_without_a_place_are_listed(tmp_path: Path) -> None:
    """What was paid for and came too late is linked where it is kept: in the archive, or in the state."""
    world = make_world(tmp_path)
    late, lost = world.scene(f"{ODA}/late"), world.scene(f"{ODA}/folder-gone")
    files = {
        "characters/oda-brennick/images/archive/late-1.png": world.library,
        "unplaced/character-oda-brennick/gone-1.png": world.state.root,
    }
    for file, root in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(png())
    archived, unplaced = files
    world.receipt(
        "1" * 16,
        [
            world.outcome(late.target, "superseded", file=archived, reason="scene-edited"),
            world.outcome(lost.target, "unplaced", file=unplaced, reason="folder-gone"),
        ],
    )

    made = page(world)

    links = [unquote(link["href"]) for link in made.elements["a"]]
    shown = {(world.results / link).resolve() for link in links if link.endswith("-1.png")}
    assert {world.library / archived, world.state.root / unplaced} == shown
    assert "scene-edited" in made.text


def test_placeholders_are_never_called_spending(tmp_path: Path) -> None:
    """Under the emulator the page says that its pictures are placeholders and that nothing was paid."""
    world = make_world(tmp_path, provider="emulator")
    scene = world.scene(f"{ODA}/lamp-room")
    world.stand(scene, "done", record={"provider": "emulator"}, picture=png())
    world.receipt("1" * 16, [world.outcome(scene.target)])

    made = page(world)

    assert "These are placeholders, drawn by the emulator." in made.text
    assert "is what real pictures would have cost" in made.text
    assert "placeholder" in made.badges(f"{ODA}/lamp-room:1")


def test_enhanced_pictures_have_their_originals_beside_them(tmp_path: Path) -> None:
    """Each one is a card of its job, with what it was made from; an original that browsers cannot show is copied."""
    world = make_world(tmp_path)
    photos, results = tmp_path / "photos #1", tmp_path / "out" / "photos"
    for folder in (photos, results / "archive"):
        folder.mkdir(parents=True)
    (photos / "pier.tiff").write_bytes(picture("tiff", "grey"))
    (results / "pier.png").write_bytes(png(colour="green"))
    (results / "archive" / "pier-01234567.png").write_bytes(png(colour="red"))
    reference = builders.reference("photos #1/pier.tiff", role="input", name="pier.tiff")
    task = world.outcome("enhance/photos/pier.tiff", "applied", file="out/photos/pier.png", references=(reference,))
    world.settings = replace(world.settings, home=str(tmp_path))
    world.receipt("1" * 16, [task], operation="enhance")

    made = page(world)
    detail = made.details["enhance/photos/pier.tiff:1"]

    assert ["Original", "Earlier"] == [other["name"] for other in detail["others"]]
    for address in (detail["href"], *(other["href"] for other in detail["others"])):
        assert (world.results / unquote(address)).is_file()
    assert detail["others"][0]["href"].startswith("report/large/")
    assert [] == detail["references"]
    assert detail["review"] is None


def test_earlier_versions_are_found_in_the_archive(tmp_path: Path) -> None:
    """The youngest first, with what its record says; the archive of another picture is not mixed in."""
    world = make_world(tmp_path)
    scene = world.scene(f"{ODA}/lamp")
    old = [png(colour="red"), png(colour="blue")]
    for day, data in enumerate(old, 1):
        world.record(scene, 1, "images/lamp.png", {"generated_at": f"2026-11-0{day}T10:00:00Z"}, data)
    standing = world.stand(scene, "done", record={}, picture=png(colour="green"))
    archive = (world.library / standing.path).parent / "archive"
    archive.mkdir()
    for data in old:
        (archive / f"lamp-{hashlib.sha256(data).hexdigest()[:8]}.png").write_bytes(data)
    (archive / "lamp-room-01234567.png").write_bytes(old[0])

    others = page(world).details[f"{ODA}/lamp:1"]["others"]

    assert ["2 Nov 2026, 10:00", "1 Nov 2026, 10:00"] == [other["when"] for other in others]


@pytest.mark.parametrize("same", [True, False])
def test_what_was_seen_describes_the_picture(tmp_path: Path, same: bool) -> None:
    """An analysis gives alternative text, traits and colours; one of other content says nothing of this picture."""
    world = make_world(tmp_path)
    data = png(colour="green")
    standing = world.stand(world.scene(f"{ODA}/lamp"), "done", record={}, picture=data)
    analysis = {
        "path": "images/lamp.png",
        "sha256": hashlib.sha256(data).hexdigest() if same else "0" * 64,
        "content": {"alt_text": "An old woman trims a lamp.", "description": HOSTILE, "tags": ["lamp"]},
        "palette": {"dominant": ["brass", "#aa8833"], "accent": ["brass"], "hex": ["#aa8833"]},
        "canon_analysis": {"matches_description": "false", "traits": {"brass whistle": "seen"}, "notes": "no coat"},
        "quality": "4",
    }
    (world.library / f"{standing.path}.analysis.json").write_text(json.dumps(analysis))

    made = page(world)
    seen = made.details[f"{ODA}/lamp:1"]["seen"]
    alt = next(values["alt"] for values in made.elements["img"] if values.get("loading") == "lazy")

    if not same:
        assert seen is None
        assert "Lamp: Oda trims the great lamp." == alt
        return
    assert "An old woman trims a lamp." == alt
    assert ([["brass whistle", "seen"]], ["#aa8833"], ["brass"]) == (seen["traits"], seen["colours"], seen["named"])
    assert (False, "no coat") == (seen["matches"], seen["notes"])


def picture(format: str, colour: str) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 80), colour).save(buffer, format)
    return buffer.getvalue()
