"""How the report page feels with thousands of pictures, in a headless Chromium: loading, scrolling, filtering.

python benchmarks/page.py [pictures …]

The library is real: a picture, a record with a prompt of usual length, an analysis and a receipt for each scene, and
thumbnails made from the pictures.
"""

from __future__ import annotations

import hashlib
import io
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "unit")]

from PIL import Image, ImageDraw  # noqa: E402
from report_world import World, make_world  # noqa: E402

from browser import Tab, browser, find_browser  # noqa: E402
from chargen.report.survey import Survey  # noqa: E402
from chargen.report.write import write_report  # noqa: E402

SIZES = (1_000, 5_000)
PER_ENTITY = 25
PER_BATCH = 250
TEXT = "She crosses the square in the rain with a lantern under her cloak and looks back once. "
TALL, WIDE = (768, 1024), (1376, 768)

SCROLL = """
new Promise((done) => {
  const tasks = [], frames = [];
  const watch = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
  watch.observe({ entryTypes: ["longtask"] });
  let last = performance.now();
  const start = last, height = document.documentElement.scrollHeight;
  const step = (now) => {
    frames.push(now - last);
    last = now;
    scrollBy(0, Math.max(innerHeight * 0.35, height / 500));
    if (scrollY + innerHeight < document.documentElement.scrollHeight - 2) return requestAnimationFrame(step);
    watch.disconnect();
    frames.sort((a, b) => a - b);
    done({
      seconds: (now - start) / 1000, frames: frames.length, longest: frames.at(-1),
      median: frames[frames.length >> 1], p99: frames[Math.floor(frames.length * 0.99)],
      tasks: tasks.length, worst: Math.max(0, ...tasks),
    });
  };
  requestAnimationFrame(step);
})
"""

TYPE = """
new Promise((done) => {
  const field = document.getElementById("search");
  const start = performance.now();
  field.value = "%s";
  field.dispatchEvent(new Event("input"));
  const look = () => document.getElementById("found").textContent && performance.now() - start > 125
    ? requestAnimationFrame(() => setTimeout(() => done(performance.now() - start - 120))) : setTimeout(look, 4);
  look();
})
"""

OPEN = """
new Promise((done) => {
  const start = performance.now();
  document.querySelector("a.shot").click();
  requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
})
"""


def picture(number: int) -> bytes:
    """Return a picture with some detail, different for each *number*."""
    chance = random.Random(number)
    size = WIDE if number % 4 == 0 else TALL
    image = Image.new("RGB", size, tuple(chance.randrange(40, 200) for _ in range(3)))
    draw = ImageDraw.Draw(image)
    for _ in range(60):
        x, y, r = chance.randrange(size[0]), chance.randrange(size[1]), chance.randrange(20, 160)
        draw.ellipse((x - r, y - r, x + r, y + r), fill=tuple(chance.randrange(256) for _ in range(3)))
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=70)
    return buffer.getvalue()


def make(home: Path, pictures: int) -> World:
    """Return a library with that many pictures in place, and the receipts that brought them."""
    world = make_world(home)
    tasks: list[dict[str, Any]] = []
    for number in range(pictures):
        entity = f"character/person-{number // PER_ENTITY:03}"
        scene = world.scene(f"{entity}/scene-{number % PER_ENTITY:02}", prompt=TEXT * 3)
        data = picture(number)
        world.stand(scene, "done", record={"prompt_used": TEXT * 25}, picture=data, name=f"{scene.id}.jpg")
        sha256 = hashlib.sha256(data).hexdigest()
        tasks.append(world.outcome(scene.target, prompt=TEXT * 25, sha256=sha256, format="jpeg"))
    for start in range(0, pictures, PER_BATCH):
        world.receipt(f"{start:016x}", tasks[start : start + PER_BATCH])
    return world


def measure(tab: Tab, world: World) -> None:
    """Write the page of *world* twice and print how it loads, scrolls and answers."""
    plan = world.plan()
    took = []
    for _ in range(2):
        started = time.perf_counter()
        write_report(Survey(world.settings, world.state, plan), world.results)
        took.append(time.perf_counter() - started)
    page = world.results / "report.html"
    size = sum(file.stat().st_size for file in (page, *(world.results / "report").glob("*.js")))
    print(f"  written in {took[0]:.1f} s with thumbnails, {took[1]:.1f} s without; {size / 1e6:.1f} MB without them")
    tab.call("Emulation.setDeviceMetricsOverride", width=1440, height=900, deviceScaleFactor=1, mobile=False)
    tab.open(page.as_uri())
    timing = tab.run(
        "performance.getEntriesByType('navigation').map((entry) => [entry.domInteractive, entry.loadEventEnd])[0]"
    )
    paint = tab.run("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0")
    nodes = tab.run("document.getElementsByTagName('*').length")
    print(
        f"  first paint {paint:.0f} ms, interactive {timing[0]:.0f} ms, loaded {timing[1]:.0f} ms; {nodes:,} elements"
    )
    moved = tab.run(SCROLL)
    print(
        f"  scrolled through in {moved['seconds']:.1f} s, {moved['frames']} frames: median {moved['median']:.0f} ms, "
        f"99 % {moved['p99']:.0f} ms, longest {moved['longest']:.0f} ms; {moved['tasks']} tasks over 50 ms, worst "
        f"{moved['worst']:.0f} ms"
    )
    memory(tab, "after scrolling")
    tab.run("scrollTo(0, 0)")
    print(f"  search {tab.run(TYPE % 'person-001'):.0f} ms, again {tab.run(TYPE % 'lantern'):.0f} ms", end="; ")
    tab.run("document.getElementById('clear').click()")
    print(f"large view {tab.run(OPEN):.0f} ms")


def memory(tab: Tab, when: str) -> None:
    """Print what the page holds."""
    tab.call("HeapProfiler.collectGarbage")
    heap = tab.call("Runtime.getHeapUsage")["usedSize"]
    counters = tab.call("Memory.getDOMCounters")
    print(f"  {when}: {heap / 1e6:.0f} MB of script memory, {counters['nodes']:,} nodes")


def main() -> None:
    """Print the figures for each size."""
    program = find_browser()
    if program is None:
        sys.exit("no Chromium is installed")
    for pictures in [int(word) for word in sys.argv[1:]] or SIZES:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            world = make(folder, pictures)
            print(f"{pictures:,} pictures")
            with browser(program, folder / "browser") as tab:
                measure(tab, world)


if __name__ == "__main__":
    main()
