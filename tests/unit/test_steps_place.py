"""Nothing that was in an entity's folder is ever lost, and late results never displace newer or approved pictures."""

from __future__ import annotations

import hashlib
import io
import textwrap
from pathlib import Path

import pytest
from PIL import Image

import builders
from chargen.library.load import load_entity
from chargen.library.spec import spec_hash
from chargen.library.writeback import GENERATED_IMAGES, append_items
from chargen.pictures.formats import verify
from chargen.pictures.provenance import sidecar_of
from chargen.placing.extract import Picture
from chargen.placing.place import Making, Placer, record
from chargen.records.batch import Replaced
from chargen.records.state import State

KEY = "character/oda"
IMAGERY = """
    name: Oda
    description: A keeper.
    scenes:
      - {id: lamp, prompt: The lamp burns.}
    """


def picture(colour: str, form: str = "JPEG") -> Picture:
    """A small picture of one colour."""
    stream = io.BytesIO()
    Image.new("RGB", (32, 40), colour).save(stream, form)
    data = stream.getvalue()
    return Picture(data, verify(data), hashlib.sha256(data).hexdigest())


class Home:
    """A library of one character, and placing into it."""

    def __init__(self, root: Path):
        self.root = root
        self.folder = root / "characters" / "oda"
        self.images = self.folder / "images"
        self.folder.mkdir(parents=True)
        (self.folder / "imagery.yaml").write_text(textwrap.dedent(IMAGERY).lstrip())

    def entity(self):
        return load_entity(self.root, "character", "oda", provider="gemini")

    def task(self, key="k1", replaces=None, **changes):
        scene = self.entity().scenes[0]
        wish = builders.wish(scene.target, **{"spec_hash": spec_hash(scene), **changes})
        return builders.task(wish=wish, key=key, replaces=replaces, aspect_ratio="3:4")

    def place(self, task, made, submitted="2026-01-01T00:00:00Z", gone="", when="2026-01-02T00:00:00Z"):
        """Place and record as the apply step does."""
        placer = Placer(self.root, State(self.root.parent), KEY, None if gone else self.entity(), gone, "gemini")
        placed = placer.place(task, made, submitted)
        placer.finish()
        if placed.needs_record:
            plan = builders.plan(task, provider="gemini")
            item = record(plan, task, placed, made, Making("run", when, "words"))
            locks = self.root.parent / "locks"
            append_items(self.folder / "imagery.yaml", GENERATED_IMAGES, [item], library=locks, same=())
        return placed

    def edit(self, old, new):
        path = self.folder / "imagery.yaml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    def files(self):
        return {
            path.relative_to(self.images).as_posix(): path.read_bytes()
            for path in sorted(self.images.rglob("*"))
            if path.is_file()
        }


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path / "story")


def test_placed_and_recorded(home):
    """A picture takes its scene's name, with the extension of its bytes, and the scene is done."""
    made = picture("red", "PNG")
    placed = home.place(home.task(), made)

    assert ("applied", "characters/oda/images/lamp.png") == (placed.outcome, placed.file)
    assert {"lamp.png": made.data} == home.files()
    assert ["k1"] == [r.task_key for r in home.entity().records]


def test_placing_twice_changes_nothing(home):
    """The same result again finds its bytes and its record."""
    made = picture("red")
    home.place(home.task(), made)
    before = (home.folder / "imagery.yaml").read_bytes()
    again = home.place(home.task(), made)

    assert ("applied", False) == (again.outcome, again.needs_record)
    assert before == (home.folder / "imagery.yaml").read_bytes()


def test_killed_between_picture_and_record(home):
    """The file stands without its record: only the record is added."""
    made = picture("red")
    home.images.mkdir()
    (home.images / "lamp.jpg").write_bytes(made.data)
    placed = home.place(home.task(), made)

    assert placed.needs_record
    assert {"lamp.jpg": made.data} == home.files()


def test_replaced_picture_goes_to_the_archive(home):
    """The old picture moves to the archive, whatever its extension."""
    old, new = picture("red", "PNG"), picture("blue")
    home.place(home.task(), old)
    home.edit("The lamp burns", "The lamp is dark")
    placed = home.place(home.task("k2"), new)

    assert f"characters/oda/images/archive/lamp-{old.sha256[:8]}.png" == placed.archived
    assert {f"archive/lamp-{old.sha256[:8]}.png": old.data, "lamp.jpg": new.data} == home.files()


def test_what_stands_beside_a_picture_goes_with_it(home):
    """The provenance of an archived picture stays beside it, also if a kill came between the two moves."""
    old, new = picture("red"), picture("blue")
    home.place(home.task(), old)
    sidecar_of(home.images / "lamp.jpg").write_text("old")
    home.edit("The lamp burns", "The lamp is dark")
    archive = home.images / "archive"
    archive.mkdir()
    sidecar_of(home.images / "lamp.jpg").replace(sidecar_of(archive / f"lamp-{old.sha256[:8]}.jpg"))
    home.place(home.task("k2"), new)

    assert "old" == sidecar_of(archive / f"lamp-{old.sha256[:8]}.jpg").read_text()
    assert old.data == (archive / f"lamp-{old.sha256[:8]}.jpg").read_bytes()
    assert not sidecar_of(home.images / "lamp.jpg").exists()


@pytest.mark.parametrize("who", ["author", "retouched"])
def test_what_others_wrote_or_touched_stays(home, who):
    """A file that chargen did not write, or that somebody retouched since, is never moved nor overwritten."""
    if who == "retouched":
        home.place(home.task("k0"), picture("red"))
        home.edit("The lamp burns", "The lamp is dark")
    home.images.mkdir(exist_ok=True)
    theirs = picture("green").data
    (home.images / "lamp.jpg").write_bytes(theirs)
    new = picture("blue")
    placed = home.place(home.task(), new)

    assert ("applied", "name-taken") == (placed.outcome, placed.reason)
    assert {"lamp.jpg": theirs, "lamp-2.jpg": new.data} == home.files()


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("The lamp burns", "The lamp is dark", "scene-edited"),
        ("id: lamp", "id: lantern", "scene-gone"),
    ],
)
def test_late_result_of_a_changed_scene_is_archived(home, old, new, reason):
    """A scene that was edited or taken out meanwhile: its result is kept in the archive and recorded nowhere."""
    task, made = home.task(), picture("red")
    home.edit(old, new)
    placed = home.place(task, made)

    assert ("superseded", reason, False) == (placed.outcome, placed.reason, placed.needs_record)
    assert {f"archive/lamp-{made.sha256[:8]}.jpg": made.data} == home.files()


def test_picture_approved_meanwhile_stays(home):
    """An ordered picture comes after the author approved the one in place: it goes to the archive."""
    old = picture("red")
    home.place(home.task(), old)
    task = home.task("k2", replaces=Replaced(path="x", sha256=old.sha256, status="generated"), order=1)
    home.edit('status: "generated"', 'status: "approved"')
    placed = home.place(task, picture("blue"))

    assert ("superseded", "approved-meanwhile") == (placed.outcome, placed.reason)
    assert old.data == home.files()["lamp.jpg"]


def test_an_order_replaces_an_approved_picture(home):
    """A picture that was approved when the order was given is replaced, because that is what was asked for."""
    old, new = picture("red"), picture("blue")
    home.place(home.task(), old)
    home.edit('status: "generated"', 'status: "approved"')
    task = home.task("k2", replaces=Replaced(path="x", sha256=old.sha256, status="approved"), order=1)
    placed = home.place(task, new)

    assert "applied" == placed.outcome
    assert new.data == home.files()["lamp.jpg"]


def test_a_newer_picture_stays(home):
    """A result whose job was submitted before the present picture was made does not displace it."""
    newer = picture("red")
    home.place(home.task("k2", order=2), newer, when="2026-05-05T00:00:00Z")
    placed = home.place(home.task("k1", order=1), picture("blue"), submitted="2026-05-01T00:00:00Z")

    assert ("superseded", "newer-picture") == (placed.outcome, placed.reason)
    assert newer.data == home.files()["lamp.jpg"]


def test_renamed_folder_keeps_its_result_in_state(home):
    """Without the entity's folder the picture is kept in state/, and said."""
    task, made = home.task(), picture("red")
    placed = home.place(task, made, gone="folder-gone")

    assert ("unplaced", "folder-gone") == (placed.outcome, placed.reason)
    kept = home.root.parent / placed.file
    assert made.data == kept.read_bytes()


def test_images_folder_that_leads_out_is_not_followed(home, tmp_path):
    """images/ as a link out of the library takes no picture."""
    outside = tmp_path / "outside"
    outside.mkdir()
    home.images.symlink_to(outside)
    placed = home.place(home.task(), picture("red"))

    assert ("unplaced", "images-outside-library") == (placed.outcome, placed.reason)
    assert [] == list(outside.iterdir())


def test_archive_that_leads_out_is_not_followed(home, tmp_path):
    """images/archive/ as a link out of the library takes no picture: the old one stays, the new one goes beside it."""
    first = home.place(home.task("k1"), picture("red"))
    outside = tmp_path / "outside"
    outside.mkdir()
    (home.images / "archive").symlink_to(outside)
    second = home.place(home.task("k2"), picture("blue"), submitted="2026-01-03T00:00:00Z")

    assert ("characters/oda/images/lamp.jpg", "characters/oda/images/lamp-2.jpg") == (first.file, second.file)
    assert picture("red").data == home.files()["lamp.jpg"]
    assert [] == list(outside.iterdir())


def test_case_does_not_tell_files_apart(home):
    """On a disk that folds cases `Lamp.JPG` is the same name: it is left alone too."""
    home.images.mkdir()
    theirs = picture("green").data
    (home.images / "Lamp.JPG").write_bytes(theirs)
    placed = home.place(home.task(), picture("blue"))

    assert "characters/oda/images/lamp-2.jpg" == placed.file
    assert theirs == home.files()["Lamp.JPG"]


def test_what_is_put_back_is_recorded_already(tmp_path):
    """A picture that was gone and is placed again adds no second record: the one that is there, with what its author
    wrote into it, still owns the file.
    """
    home = Home(tmp_path / "story")
    task, made = home.task(), picture("teal")
    home.place(task, made)
    home.edit('status: "generated"', "status: approved")
    before = (home.folder / "imagery.yaml").read_bytes()
    (home.images / "lamp.jpg").unlink()
    placed = home.place(task, made)

    assert ("applied", "characters/oda/images/lamp.jpg") == (placed.outcome, placed.file)
    assert made.data == (home.images / "lamp.jpg").read_bytes()
    assert before == (home.folder / "imagery.yaml").read_bytes()


@pytest.mark.parametrize("stub", [".lamp.jpg.icloud", "lamp.png.nextcloud"])
def test_what_is_not_downloaded_keeps_its_name(home, stub):
    """A picture that a sync program keeps elsewhere is not replaced: the new one takes another name."""
    home.images.mkdir()
    (home.images / stub).write_bytes(b"bplist00")
    made = picture("red")

    placed = home.place(home.task(), made)

    assert ("applied", "characters/oda/images/lamp-2.jpg", "name-taken") == (placed.outcome, placed.file, placed.reason)
    assert {stub: b"bplist00", "lamp-2.jpg": made.data} == home.files()


def test_the_picture_that_another_checkout_has_placed_is_known_again(home):
    """Collected once more by its key alone, of which nobody can tell the words, it is the picture that is in place."""
    made = home.place(home.task(), picture("red"))
    again = home.place(home.task(spec_hash="unknown:1"), picture("red"))
    other = home.place(home.task(spec_hash="unknown:1"), picture("blue"))

    assert ("applied", made.file, False) == (again.outcome, again.file, again.needs_record)
    assert ("superseded", "scene-edited") == (other.outcome, other.reason)
    assert ["archive", "lamp.jpg"] == sorted(path.name for path in home.images.iterdir())
    assert 1 == len(list((home.images / "archive").iterdir()))
