"""The page offers for review what `snakemake review` takes, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from report_world import png
from review_world import ReviewWorld, make_review_world

from chargen.base import schemas as schema

ODA = "character/oda"


@pytest.fixture
def world(tmp_path: Path) -> ReviewWorld:
    return make_review_world(tmp_path)


def reviews_on(html: str) -> dict[str, Any]:
    """What the page knows about reviewing, by the id of the card."""
    found = re.search(r'<script type="application/json" id="details">(.*?)</script>', html, re.DOTALL)
    assert found
    return {id: known["review"] for id, known in json.loads(found[1]).items()}


def test_pictures_in_place_can_be_reviewed(world: ReviewWorld) -> None:
    """Made and adopted pictures alike; a choice between variations is only there where a scene has several."""
    reviews = reviews_on(world.write_page())

    assert {
        f"{ODA}/lamp:1": ("lamp.png", True),
        f"{ODA}/lamp:2": ("lamp_c2.png", True),
        f"{ODA}/rope:1": ("rope.png", False),
        f"{ODA}/pier:1": ("pier.png", False),
    } == {
        f"{review['target']}:{review['variation']}": (name, review["pick"])
        for review in reviews.values()
        for name in ("lamp.png", "lamp_c2.png", "rope.png", "pier.png")
        if review["sha256"] == world.sha256(name)
    }


def test_what_the_page_says_of_a_picture_can_be_recorded(world: ReviewWorld) -> None:
    """Reviews built from the page's data fit the schema, all of them are recorded, and the next page knows them."""
    wanted = {"lamp:1": "picked", "lamp:2": "approved", "rope:1": "rejected", "pier:1": "approved"}
    reviews = [
        {**{key: review[key] for key in ("target", "variation", "sha256")}, "status": wanted[id.rpartition("/")[2]]}
        for id, review in reviews_on(world.write_page()).items()
    ]
    file = {"schema_version": 1, "reviews": reviews}
    (world.home / "reviews.json").write_text(json.dumps(file))
    said = world.review(reviews="reviews.json")
    after = reviews_on(world.write_page())

    assert [] == schema.errors("reviews", file)
    assert "left out" not in said
    statuses = {
        f"{review['target'].rpartition('/')[2]}:{review['variation']}": review["status"] for review in after.values()
    }
    assert wanted == statuses


def test_recorded_reviews_are_badges(world: ReviewWorld) -> None:
    """Picked and approved show on the cards, of adopted pictures as well; picks and approvals are distinguished."""
    world.review(approve=[f"{ODA}/pier", f"{ODA}/lamp:1"], pick=[f"{ODA}/lamp:2"])
    html = world.write_page()

    badges = dict(re.findall(r'<figure class="card" id="([^"]+)" data-badges="([^"]*)"', html))
    assert "approved adopted" == badges[f"{ODA}/pier:1"]
    assert "approved" in badges[f"{ODA}/lamp:1"]
    assert "picked" in badges[f"{ODA}/lamp:2"] and "approved" not in badges[f"{ODA}/lamp:2"]


def test_a_note_is_known_again(world: ReviewWorld) -> None:
    """What was said of a rejected picture stands on the page, to be changed there."""
    world.review(reject=[f"{ODA}/rope"], note="The rope is blue")

    (rope,) = [review for review in reviews_on(world.write_page()).values() if review["target"] == f"{ODA}/rope"]
    assert ("rejected", "The rope is blue") == (rope["status"], rope["note"])


def test_an_older_picture_of_the_same_name_cannot_be_reviewed(world: ReviewWorld) -> None:
    """A rejected picture that is still there stays as it is: `snakemake review` would mean the one that came after."""
    world.review(reject=[f"{ODA}/rope"])
    world.record("rope", 1, "rope-new.png", generated_at="2026-11-02T00:00:00Z")
    reviews = reviews_on(world.write_page())

    ropes = {id: review for id, review in reviews.items() if "/rope:" in id}
    assert {f"{ODA}/rope:1": world.sha256("rope-new.png")} == {id: item["sha256"] for id, item in ropes.items() if item}
    assert 2 == len(ropes)
    assert not ropes[f"{ODA}/rope:1"]["simple"]


def test_what_cannot_be_seen_cannot_be_reviewed(world: ReviewWorld) -> None:
    """A picture that cannot be opened has no buttons."""
    (world.entity / "images" / "rope.png").write_bytes(b"no picture")

    assert reviews_on(world.write_page())[f"{ODA}/rope:1"] is None


def test_a_retouched_picture_is_named_by_its_record(world: ReviewWorld) -> None:
    """A review belongs to the record, whose hash it names, also where the file was worked on since."""
    made = world.sha256("rope.png")
    (world.entity / "images" / "rope.png").write_bytes(png(300, 400, "red"))

    assert made == reviews_on(world.write_page())[f"{ODA}/rope:1"]["sha256"]
