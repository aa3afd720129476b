"""Reviewing on the page, in a real browser: what is chosen there is what `snakemake review` records."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_world import make_world, png
from review_world import ReviewWorld, make_review_world

from browser import Tab, browser, find_browser
from chargen.base import schemas as schema
from chargen.report.write import write_report

pytestmark = pytest.mark.soak

ODA = "character/oda"
LAMP, LAMP_2, ROPE, PIER = f"{ODA}/lamp:1", f"{ODA}/lamp:2", f"{ODA}/rope:1", f"{ODA}/pier:1"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tab, Path]]:
    program = find_browser()
    if program is None:
        pytest.skip("no Chromium is installed")
    pytest.importorskip("websockets", reason="the package websockets, which drives Chromium, is not installed")
    folder = tmp_path_factory.mktemp("browser")
    with browser(program, folder) as tab:
        yield tab, folder / "downloads"


class Reader:
    """Somebody who looks at the page."""

    def __init__(self, tab: Tab, downloads: Path, world: ReviewWorld):
        self.tab = tab
        self.world = world
        self._downloads = downloads

    def open(self) -> None:
        self.world.write_page()
        self.tab.open(self.world.html.as_uri())

    def look_at(self, id: str) -> None:
        self.tab.run(f"document.getElementById({json.dumps(id)}).querySelector('a.shot').click()")

    def click(self, id: str) -> None:
        self.tab.run(f"document.getElementById({json.dumps(id)}).click()")

    def close(self) -> None:
        self.tab.run("document.getElementById('view').close()")

    def is_shown(self, id: str) -> bool:
        return bool(self.tab.run(f"document.getElementById({json.dumps(id)}).checkVisibility()"))

    def said(self, id: str) -> str:
        return str(self.tab.run(f"document.getElementById({json.dumps(id)}).textContent"))

    def select(self, id: str, value: str) -> None:
        box = f"document.getElementById({json.dumps(id)})"
        self.tab.run(f"{box}.value = {json.dumps(value)}; {box}.dispatchEvent(new Event('change'))")

    def pressed(self) -> list[str]:
        script = "[...document.querySelectorAll('[data-verdict][aria-pressed=true]')].map(b => b.dataset.verdict)"
        return list(self.tab.run(script))

    def choices(self) -> dict[str, str]:
        """What the cards on the wall say is to be done."""
        script = "[...document.querySelectorAll('.pill.choice')].map(p => [p.closest('.card').id, p.textContent])"
        return dict(self.tab.run(script))

    def command(self) -> str:
        return str(self.tab.run("document.getElementById('c-command').value"))

    def download(self) -> dict[str, Any]:
        file = self._downloads / "reviews.json"
        file.unlink(missing_ok=True)
        self.click("c-save")
        for _ in range(600):
            if file.is_file() and file.stat().st_size:
                break
            self.tab.run("new Promise(done => setTimeout(done, 50))")
        return dict(json.loads(file.read_bytes()))

    def type_command(self) -> str:
        """Run the command as a shell and Snakemake take it apart."""
        from snakemake.cli import parse_config

        program, target, option, *settings = shlex.split(self.command())
        assert ["snakemake", "review", "--config"] == [program, target, option]
        return self.world.review(**parse_config(settings))


@pytest.fixture
def reader(chromium: tuple[Tab, Path], tmp_path: Path) -> Reader:
    tab, downloads = chromium
    reader = Reader(tab, downloads, make_review_world(tmp_path))
    reader.open()
    tab.run("localStorage.clear()")
    reader.open()
    return reader


def test_keys_judge_and_the_file_records_it(reader: Reader) -> None:
    """A, R with N, and P: the downloaded file fits the schema and is recorded whole; then nothing is left to do."""
    reader.look_at(LAMP)
    for key in ("p", "ArrowRight", "a", "ArrowRight", "r", "n"):
        reader.tab.press(key)
    reader.tab.type("The rope is blue: paint it grey")
    reader.tab.press("Enter")
    reader.tab.press("ArrowRight")
    reader.tab.press("A")
    reader.close()
    chosen = reader.choices()
    file = reader.download()
    (reader.world.home / "reviews.json").write_text(json.dumps(file))
    said = reader.world.review(reviews="reviews.json")
    reader.open()

    assert {LAMP: "to pick", LAMP_2: "to approve", ROPE: "to reject", PIER: "to approve"} == chosen
    assert [] == schema.errors("reviews", file)
    assert "review: 1 picked, 2 approved, 1 rejected" in said
    assert f"{ROPE} rejected (The rope is blue: paint it grey)" in said
    assert {} == reader.choices()
    assert not reader.is_shown("choices")


def test_the_command_records_the_same(reader: Reader) -> None:
    """With one note for all, the line in the bar says everything, and it is what the button copies."""
    reader.look_at(LAMP)
    for key in ("r", "n"):
        reader.tab.press(key)
    reader.tab.type("Älter, bitte (viel älter)!")
    reader.tab.press("Escape")
    for key in ("ArrowRight", "p", "ArrowRight", "ArrowRight", "a"):
        reader.tab.press(key)
    reader.close()
    said = reader.type_command()

    assert "review: 1 approved, 1 rejected, 1 picked" in said
    assert f"{LAMP} rejected (Älter, bitte (viel älter)!)" in said


@pytest.mark.parametrize("note", ["it's blue", "blue: not grey", "blue # grey", "$(rm x)", "true", "[blue]", "12"])
def test_what_a_shell_would_read_otherwise_goes_into_the_file(reader: Reader, note: str) -> None:
    """The command then writes the file, which holds the note as it was typed."""
    reader.look_at(ROPE)
    reader.tab.press("r")
    reader.tab.press("n")
    reader.tab.type(note)
    reader.close()

    done = subprocess.run(
        ["bash", "-c", f'snakemake() {{ echo "$@"; }}\n{reader.command()}'], cwd=reader.world.home, capture_output=True
    )
    written = json.loads((reader.world.home / "reviews.json").read_bytes())

    assert b"review --config reviews=reviews.json" == done.stdout.strip()
    assert written == reader.download()
    assert [note] == [review["note"] for review in reader.download()["reviews"]]


def test_choices_outlast_the_page_but_not_the_picture(reader: Reader) -> None:
    """They are there again after a reload; one of a picture that was made again is gone."""
    for id in (LAMP, ROPE):
        reader.look_at(id)
        reader.tab.press("a")
        reader.close()
    reader.open()
    kept = reader.choices()
    reader.world.record("rope", 1, "rope.png", generated_at="2026-11-02T00:00:00Z")
    reader.open()

    assert {LAMP: "to approve", ROPE: "to approve"} == kept
    assert {LAMP: "to approve"} == reader.choices()


def test_pressed_again_it_is_let_go(reader: Reader) -> None:
    """A choice is dropped, a recorded verdict taken back, and that can be handed in too."""
    reader.look_at(ROPE)
    reader.tab.press("a")
    reader.tab.press("a")
    dropped = reader.choices()
    reader.world.review(reject=[f"{ODA}/rope"], note="too dark")
    reader.open()
    reader.look_at(f"{ODA}/rope:rejected-2")
    before = reader.pressed()
    reader.tab.press("r")
    reader.close()
    file = reader.download()
    (reader.world.home / "reviews.json").write_text(json.dumps(file))

    assert {} == dropped
    assert ["rejected"] == before
    assert "1 generated" in reader.world.review(reviews="reviews.json")


def test_one_pick_for_a_scene(reader: Reader) -> None:
    """Another pick takes the place of the first; where there is only one picture, there is no button for it."""
    reader.look_at(LAMP)
    for key in ("p", "ArrowRight", "p", "ArrowRight", "p"):
        reader.tab.press(key)
    offered = reader.tab.run("document.querySelector('[data-verdict=picked]').checkVisibility()")

    assert not offered
    assert {LAMP_2: "to pick"} == reader.choices()


def test_clearing_can_be_undone(reader: Reader) -> None:
    """Clear leaves nothing, in the browser neither, until the choices are brought back."""
    reader.look_at(ROPE)
    reader.tab.press("a")
    reader.close()
    reader.click("c-clear")
    cleared = reader.choices(), reader.tab.run("localStorage.length"), reader.is_shown("c-copy")
    reader.click("c-clear")

    assert ({}, 0, False) == cleared
    assert {ROPE: "to approve"} == reader.choices()


def test_works_without_storage(reader: Reader) -> None:
    """Where the browser keeps nothing for files, choices last as long as the page."""
    forbid = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError') }})"
    script = reader.tab.call("Page.addScriptToEvaluateOnNewDocument", source=forbid)
    try:
        reader.open()
        reader.look_at(ROPE)
        reader.tab.press("a")
        reader.close()
        said = reader.said("c-count")
    finally:
        reader.tab.call("Page.removeScriptToEvaluateOnNewDocument", identifier=script["identifier"])

    assert "1 choice: 1 approve" == said


def test_what_cannot_be_reviewed_has_no_buttons(reader: Reader) -> None:
    """Keys do nothing there either."""
    (reader.world.entity / "images" / "rope.png").write_bytes(b"no picture")
    reader.open()
    reader.look_at(ROPE)
    for key in ("a", "r", "n", "p"):
        reader.tab.press(key)

    assert not reader.is_shown("v-review")
    assert {} == reader.choices()


def test_typing_a_note_is_only_typing(reader: Reader) -> None:
    """Signs that are keys of the view are written into the note, and Escape leaves the field, not the view."""
    reader.look_at(ROPE)
    reader.tab.press("r")
    reader.tab.press("n")
    for key in "a par+0":
        reader.tab.press(key)
    reader.tab.press("Escape")

    assert reader.tab.run("document.getElementById('view').open")
    assert "a par+0" == reader.tab.run("document.querySelector('#v-note textarea').value")
    assert ["rejected"] == reader.pressed()


@pytest.mark.parametrize("width", [390, 1400])
def test_nothing_is_wider_than_the_window(reader: Reader, width: int, tmp_path: Path) -> None:
    """Bar and buttons fit a phone as well as a desk."""
    reader.look_at(LAMP)
    reader.tab.press("r")
    reader.close()
    reader.tab.picture(tmp_path / "bar.png", width, 844)
    bar = reader.tab.run("document.documentElement.scrollWidth <= innerWidth")
    reader.look_at(LAMP)
    panel = reader.tab.run("(a => a.scrollWidth <= a.clientWidth)(document.querySelector('aside'))")
    reader.tab.call("Emulation.clearDeviceMetricsOverride")

    assert bar and panel


def test_the_command_works_as_pasted(reader: Reader, tmp_path: Path) -> None:
    """Chosen on a page in a folder of many signs, pasted into a shell, recorded by Snakemake, and shown as recorded."""
    reader.world = make_review_world(tmp_path / "Zoë's # 100% tales")
    root = Path(__file__).parents[2]
    program = (str(Path(sys.executable).with_name("snakemake")), "--snakefile", str(root / "Snakefile"), "--directory")
    reader.world.called = {
        "snakemake": (*program, str(reader.world.home)),
        "given": ("library=story", "adopt_existing=true"),
    }
    reader.open()
    reader.look_at(LAMP_2)
    for key in ("p", "ArrowRight", "r", "n"):
        reader.tab.press(key)
    reader.tab.type("it's blue: $(not grey) # at all")
    reader.close()
    pasted = reader.command()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["bash", "-c", pasted], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert 0 == done.returncode, done.stderr
    reader.open()
    reader.look_at(f"{ODA}/rope:rejected-2")

    assert {} == reader.choices()
    assert ["rejected"] == reader.pressed()
    assert "it's blue: $(not grey) # at all" == reader.tab.run("document.querySelector('#v-note textarea').value")


def test_earlier_versions_are_compared_by_keyboard(reader: Reader) -> None:
    """C opens the slider, arrows move it while it has the focus, B flips; the picture stays the same."""
    archive = reader.world.entity / "images" / "archive"
    archive.mkdir()
    (archive / "rope-01234567.png").write_bytes(png(300, 400, "black"))
    reader.open()
    reader.look_at(ROPE)
    hidden = reader.is_shown("v-split")
    reader.tab.press("c")
    reader.tab.run("document.getElementById('v-split').focus()")
    reader.tab.press("ArrowLeft")
    slid = reader.tab.run("document.getElementById('v-split').value")
    reader.tab.press("b")
    reader.tab.wait_for("document.getElementById('v-before').complete")
    flipped = reader.tab.run("getComputedStyle(document.getElementById('v-before')).clipPath")

    assert not hidden
    assert "49" == slid
    assert flipped in ("inset(0px)", "inset(0px 0% 0px 0px)")
    assert ROPE.rpartition(":")[0] == reader.said("v-owner")
    assert reader.tab.run("document.getElementById('v-before').naturalWidth") == 300


def test_variations_side_by_side(reader: Reader) -> None:
    """V shows all of them at once, and choosing one looks at it."""
    reader.look_at(LAMP)
    reader.tab.press("v")
    shown = reader.tab.run("document.querySelectorAll('#v-side img').length")
    reader.tab.run("document.querySelectorAll('#v-side button')[1].click()")

    assert 2 == shown
    assert not reader.is_shown("v-side")
    assert "2" in reader.said("v-place")


def test_the_large_view_keeps_the_focus_and_gives_it_back(reader: Reader) -> None:
    """Tab goes round inside it; closed with Escape, the card that was looked at has the focus."""
    reader.look_at(LAMP)
    inside = []
    for _ in range(30):
        reader.tab.press("Tab")
        inside.append(
            reader.tab.run("document.activeElement === document.body || !!document.activeElement.closest('#view')")
        )
    reader.tab.press("Escape")
    reader.tab.wait_for("!document.getElementById('view').open && !!document.activeElement.closest('.card')")

    assert all(inside)
    assert LAMP == reader.tab.run("document.activeElement.closest('.card')?.id")


def test_filters_and_batches(reader: Reader, tmp_path: Path) -> None:
    """One entity is singled out; arranged by batch, every card is there once, and comes back in its order."""
    world = make_world(tmp_path / "other")
    for number, target in enumerate([f"{ODA}/lamp", f"{ODA}/rope", "location/quay/fog"], 1):
        scene = world.scene(target)
        world.stand(scene, "done", record={}, picture=png(colour="teal"))
        world.receipt(str(number) * 16, [world.outcome(target)])
    write_report(world.survey(), world.results)
    reader.tab.open((world.results / "report.html").as_uri())
    order = "[...document.querySelectorAll('#pictures .card')].map(card => card.id)"
    before = reader.tab.run(order)
    reader.select("of", f"{ODA}/")
    shown = reader.said("found")
    reader.tab.run("document.getElementById('clear').click()")
    reader.select("order", "batch")
    arranged = reader.tab.run(
        "[...document.querySelectorAll('#arranged .entity')].map(part => part.querySelectorAll('.card').length)"
    )
    listed = reader.tab.run(
        "[...document.querySelectorAll('.index li, .index h2')].filter(part => !part.hidden).length"
    )
    reader.select("order", "")

    assert "2 of 3" == shown
    assert 4 == listed
    assert [1, 1, 1] == arranged
    assert before == reader.tab.run(order)


def test_search_shows_what_it_found_from_its_beginning(reader: Reader) -> None:
    """However far one had scrolled; the list of entities is narrowed too, and analyses are searched."""
    file = reader.world.entity / "images" / "rope.png.analysis.json"
    seen = {"content": {"alt_text": "A hawser.", "tags": ["mooring"]}, "palette": {"hex": ["#808080"]}, "quality": "4"}
    file.write_text(json.dumps(seen))
    reader.open()
    reader.tab.run("scrollTo(0, 9e9)")
    reader.tab.run("document.getElementById('search').focus()")
    reader.tab.type("Hawser mooring")
    reader.tab.wait_for("document.getElementById('found').textContent")
    found = "[...document.querySelectorAll('#pictures .card:not([hidden])')].map(card => card.id)"
    listed = "[...document.querySelectorAll('[data-leads]')].filter(link => !link.closest('[hidden]')).length"
    shown = "document.getElementById('pictures').getBoundingClientRect().top >= 0"
    first = reader.tab.run(found), reader.tab.run(listed), reader.tab.run(shown)
    reader.tab.type(" nowhere")
    reader.tab.wait_for("document.getElementById('found').textContent.startsWith('0')")

    assert ([ROPE], 1, True) == first
    assert 0 == reader.tab.run(listed)


def test_the_wall_by_keyboard(reader: Reader) -> None:
    """/ searches, arrows go from picture to picture, ? says the keys, and none of them acts while somebody types."""
    focused = "document.activeElement.closest('.card')?.id ?? document.activeElement.id"
    reader.tab.press("/")
    search = reader.tab.run(focused)
    reader.tab.press("?")
    typed = reader.tab.run("[document.getElementById('search').value, document.getElementById('help').open]")
    reader.tab.run("document.getElementById('clear').click()")  # else the search hides every card in a moment
    reader.tab.run(f"document.getElementById({json.dumps(LAMP)}).querySelector('a.shot').focus()")
    reader.tab.press("ArrowRight")
    second = reader.tab.run(focused)
    reader.tab.press("ArrowLeft")
    first = reader.tab.run(focused)
    reader.tab.press("?")
    helped = reader.is_shown("help")
    reader.tab.press("a")
    reader.tab.press("Escape")

    assert "search" == search
    assert ["?", False] == typed
    assert [LAMP_2, LAMP] == [second, first]
    assert helped
    assert not reader.is_shown("help")
    assert {} == reader.choices()


def test_a_page_without_its_library_shows_small_copies(reader: Reader, tmp_path: Path) -> None:
    """`results/` alone, taken elsewhere: the wall is whole, the large view says what it shows, a failure leads home."""
    shutil.copytree(reader.world.html.parent, tmp_path / "elsewhere" / "results")
    reader.tab.open((tmp_path / "elsewhere" / "results" / "report.html").as_uri())
    reader.look_at(ROPE)
    reader.tab.wait_for("document.getElementById('v-image').naturalWidth > 0")
    printed = reader.is_shown("v-small")
    reader.close()
    reader.open()
    reader.look_at(ROPE)
    reader.tab.wait_for("document.getElementById('v-image').naturalWidth > 0")

    assert printed
    assert not reader.is_shown("v-small")


@pytest.mark.parametrize("hash", ["%", "%E0%A4%A", "nobody", "failure/nothing"])
def test_an_address_that_leads_nowhere_does_no_harm(reader: Reader, hash: str) -> None:
    """The page is there and works."""
    reader.tab.open(f"{reader.world.html.as_uri()}#{hash}")
    reader.look_at(ROPE)

    assert reader.is_shown("v-title")
    assert "Rope" == reader.said("v-title")


def test_a_finger_turns_the_pages(reader: Reader) -> None:
    """Drawn to the left it shows the next picture, to the right the one before, up and down nothing else."""
    reader.tab.call("Emulation.setTouchEmulationEnabled", enabled=True)
    reader.look_at(LAMP)
    places = []
    for way in ((-150, 10), (150, 10), (0, -150)):
        points = [(300, 300), (300 + way[0] // 2, 300 + way[1] // 2), (300 + way[0], 300 + way[1])]
        for number, (x, y) in enumerate(points):
            reader.tab.call(
                "Input.dispatchTouchEvent",
                type="touchMove" if number else "touchStart",
                touchPoints=[{"x": x, "y": y}],
            )
        reader.tab.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        places.append(reader.said("v-place").split()[0])
    reader.tab.call("Emulation.setTouchEmulationEnabled", enabled=False)

    assert ["2", "1", "1"] == places


@pytest.mark.parametrize("dark", [False, True])
def test_contrast(reader: Reader, dark: bool) -> None:
    """Every text on the page and in the large view stands out from its ground by 4.5 to 1 (WCAG AA)."""
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    reader.tab.call("Emulation.setEmulatedMedia", features=[scheme])
    poor = dict(reader.tab.run(CONTRAST))
    reader.look_at(LAMP)
    reader.tab.press("r")
    poor |= dict(reader.tab.run(CONTRAST))

    assert {} == poor


CONTRAST = """
(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const read = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, ground) => top.slice(0, 3).map((value, i) => value * top[3] + ground[i] * (1 - top[3]));
  const light = (rgb) => rgb.map((value) => value / 255)
    .map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) layers.push(read(getComputedStyle(at).backgroundColor));
    return layers.reverse().reduce((under, layer) => over(layer, under), [255, 255, 255]);
  };
  const poor = [];
  for (const node of document.querySelectorAll("body *")) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || !node.checkVisibility() || node.closest(".hidden, .skip, .dot, kbd, .frame, script, style")) continue;
    if (document.getElementById("view").open && !node.closest("#view")) continue;
    const below = ground(node);
    const [a, b] = [light(over(read(getComputedStyle(node).color), below)), light(below)];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) poor.push([`${node.tagName}.${node.className} ${node.textContent.trim().slice(0, 30)}`, ratio]);
  }
  return poor;
})()
"""
