"""Records are appended to the author's file, and nothing else in it changes by a byte."""

from __future__ import annotations

import itertools
import os
import stat
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from chargen.base import durable
from chargen.library import replacing
from chargen.library.writeback import (
    BeingSaved,
    CannotWriteBack,
    InvalidFile,
    append_items,
    append_to_bytes,
    check_writable,
)

SECTION = "generated_images"
RECORD = {"scene": "lamp-room", "file_name": "lamp-room.jpg", "task_key": "character/oda/lamp-room@sha256:9f"}
BLOCK = '  - scene: "lamp-room"\n    file_name: "lamp-room.jpg"\n    task_key: "character/oda/lamp-room@sha256:9f"\n'


def load(data: bytes) -> Any:
    return yaml.load(data.decode("utf-8-sig"), Loader=yaml.CBaseLoader) or {}


def append(text: str, *items: dict[str, Any]) -> str:
    new, _ = append_to_bytes(text.encode(), SECTION, items or (RECORD,))
    return new.decode()


@pytest.fixture
def locks(tmp_path: Path) -> Path:
    return tmp_path / "locks"


# ---- where the lines go ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# only a comment\n",
        "name: Oda\n",
        "name: Oda\nscenes:\n  - id: a\n    prompt: |\n      Rain.\n\n",
        "name: Oda\nlast: |+\n  kept\n\n\n",
        "---\nname: Oda\n",
    ],
)
def test_a_missing_section_goes_to_the_end(text: str) -> None:
    """All that was there comes first, the section last."""
    assert text + "generated_images:\n" + BLOCK == append(text)


def test_a_missing_final_newline_is_added() -> None:
    """The last line is ended before the section starts."""
    assert "name: Oda  # c\ngenerated_images:\n" + BLOCK == append("name: Oda  # c")


def test_a_last_text_without_newline_keeps_its_meaning() -> None:
    """A block scalar that ends the file without a newline would gain one: the section goes before its key."""
    text = "name: Oda\nnotes: |\n  first\n  second"

    assert "name: Oda\ngenerated_images:\n" + BLOCK + "notes: |\n  first\n  second" == append(text)


def test_indented_files_keep_their_indentation() -> None:
    """Where the keys are indented, the section is too."""
    expected = "  name: Oda\n  generated_images:\n" + BLOCK.replace("  - ", "    - ").replace(
        "\n    f", "\n      f"
    ).replace("\n    t", "\n      t")

    assert expected == append("  name: Oda\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("generated_images:\n  - scene: a\n", ""),
        ("generated_images:\n  - scene: a\n", "name: Oda\n"),
        ("generated_images:\n  - scene: a\n", "\n# a banner\nname: Oda\n"),
        ("generated_images:\n  - scene: a  # the first\n", "# a banner\n\nname: Oda\n"),
        (
            "generated_images:\n  - scene: a\n    # why it was approved\n\n    # and by whom\n",
            "\nname: Oda\n",
        ),
        ("generated_images:\n  - {scene: a}\n", "name: Oda\n"),
        ("generated_images:\n  - scene: [a,\n     b]\n", "name: Oda\n"),
        ("generated_images:\n  - scene: 'a\n\n     b'\n", "name: Oda\n"),
        ("generated_images:\n  - scene: a\n     b\n", "name: Oda\n"),
        ("generated_images:\n  - prompt: |\n      text\n", "\n\n# a banner\nname: Oda\n"),
        ("generated_images:\n  - prompt: |+\n      text\n\n\n", "# a banner\nname: Oda\n"),
        ("generated_images:\n  - prompt: |\n      text\n        \n\n", "name: Oda\n"),
        ("generated_images:\n  - prompt: >-\n      text\n    # remark\n", "\nname: Oda\n"),
        ("generated_images:\n  - scene:\n", "name: Oda\n"),
        ("generated_images:\n  -\n", "name: Oda\n"),
        ("generated_images:\n  - ? a\n", "  # c\nname: Oda\n"),
        ("x: &a b\ngenerated_images:\n  - scene: *a\n", "name: Oda\n"),
        ("x: &a {b: c}\ngenerated_images:\n  - *a\n", "name: Oda\n"),
    ],
)
def test_items_follow_the_last_one(before: str, after: str) -> None:
    """New items come right behind the last item and its own comments, and before whatever follows."""
    assert before + BLOCK + after == append(before + after)


def test_items_in_the_first_column_stay_there() -> None:
    """A list whose dashes stand under the key is continued in the same column."""
    text = "generated_images:\n- scene: a\n# a banner\nname: Oda\n"
    block = BLOCK.replace("  - ", "- ").replace("    ", "  ")

    assert "generated_images:\n- scene: a\n" + block + "# a banner\nname: Oda\n" == append(text)


@pytest.mark.parametrize("value", ["[]", "[ ]", "~", "null", ""])
def test_an_empty_value_is_all_that_goes(value: str) -> None:
    """Only the empty value's bytes are replaced; the comment behind it stays on its line."""
    text = f"generated_images: {value}  # kept by the workflow\nname: Oda\n"
    expected = "generated_images:   # kept by the workflow\n" + BLOCK + "name: Oda\n"

    assert expected == append(text)


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("a: 1\ngenerated_images: {}\n", 2, "neither empty nor a list"),
        ("a: 1\ngenerated_images: soon\n", 2, "neither empty nor a list"),
        ("a: 1\ngenerated_images: [{scene: a}]\n", 2, "neither empty nor a list"),
        ("a: 1\ngenerated_images: [ # why\n  ]\n", 2, "neither empty nor a list"),
        ("a: &x []\ngenerated_images: *x\n", 2, "neither empty nor a list"),
        ("generated_images: &x\n  - a\nb: *x\n", 1, "neither empty nor a list"),
        ("{a: 1}\n", 1, "in braces"),
        ("- a\n", 1, "not a mapping"),
        ("a: 1\n...\n", 2, "closed by"),
        ("a: 1\n---\nb: 2\n", 2, "second document"),
        ("generated_images: []\na: 1\ngenerated_images: []\n", 3, "second time"),
        ("generated_images:\n  - prompt: |\n      no newline", 2, "without changing"),
    ],
)
def test_what_takes_no_records_is_said_while_planning(text: str, line: int, word: str, tmp_path: Path) -> None:
    """Planning and writing refuse the same files, name the line, and leave them alone."""
    path = tmp_path / "imagery.yaml"
    path.write_text(text)

    obstacle = check_writable(text.encode())
    with pytest.raises(CannotWriteBack) as raised:
        append_items(path, SECTION, [RECORD], library=tmp_path / "locks")

    assert obstacle is not None
    assert (line, False) == (obstacle.line, obstacle.invalid)
    assert word in obstacle.what
    assert obstacle == raised.value.obstacle
    assert str(raised.value).startswith(f"{path}:{line}:")
    assert text == path.read_text()


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"generated_images: []\nkey: 'a', 'b'\n", 2),
        (b"generated_images: []\nkey: \x01\n", 2),
        (b"generated_images: []\nkey: \xff\n", 2),
        (b"a: [generated_images\n", 2),
    ],
)
def test_a_file_that_became_invalid_is_told_apart(data: bytes, line: int, tmp_path: Path) -> None:
    """The caller learns that the file is not YAML at the moment, and may come again."""
    path = tmp_path / "imagery.yaml"
    path.write_bytes(data)

    with pytest.raises(InvalidFile) as raised:
        append_items(path, SECTION, [RECORD], library=tmp_path / "locks")

    assert line == raised.value.obstacle.line
    assert data == path.read_bytes()


# ---- what the lines say ----------------------------------------------------------------------------------


def test_texts_are_quoted_on_one_line() -> None:
    """Quotes, backslashes and breaks are escaped, invisible characters by number, all else is kept."""
    text = 'a"b\\c\nd\te\r\x00\x7f\x85\u2028\u2029\ufeff\uffff é 🜂 #: x'
    expected = (
        r"generated_images:"
        "\n"
        r'  - t: "a\"b\\c\nd\te\u000D\u0000\u007F\u0085\u2028\u2029\uFEFF\uFFFF é 🜂 #: x"'
        "\n"
    )

    assert expected == append("", {"t": text})


def test_nested_values_keep_their_types() -> None:
    """Maps, lists, numbers, truth values and nothing are read back as what they were."""
    item = {
        "path": "images/a.jpg",
        "score": 0.5,
        "tiny": 1e-07,
        "count": 3,
        "ok": True,
        "none": None,
        "on": "on",
        "lighting": {"source": "the lamp", "empty": {}, "none": []},
        "traits": ["a", ["b", {"c": "d", "e": ["f"]}], {"g": {"h": "i"}}],
    }

    new = append("", item)

    assert {SECTION: [item]} == yaml.safe_load(new)


@pytest.mark.parametrize("value", [b"bytes", object(), {1, 2}])
def test_what_yaml_cannot_hold_is_refused(value: object) -> None:
    """A value without a place in YAML is the caller's mistake."""
    with pytest.raises(TypeError):
        append("", {"a": value})


def test_recorded_items_are_not_added_again() -> None:
    """An item of the same task key and file name is left out, whatever its quoting; another file is added."""
    once = append("name: Oda\n")
    plain = once.replace('"', "")
    other = {**RECORD, "file_name": "lamp-room--v2.jpg"}

    assert (plain.encode(), 0) == append_to_bytes(plain.encode(), SECTION, [RECORD, RECORD])
    assert 1 == append_to_bytes(once.encode(), SECTION, [RECORD, other, other])[1]


def test_without_identity_every_item_is_added() -> None:
    """Reviews of one picture may repeat each other."""
    review = {"file_name": "a.jpg", "status": "approved"}

    new, added = append_to_bytes(b"", "reviews", [review, review], same=())

    assert 2 == added
    assert {"reviews": [review, review]} == load(new)


# ---- any document ----------------------------------------------------------------------------------------

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    [
        "\x85",
        "a\u2028b",
        "\u2029",
        "\ufeff",
        "\ufffe",
        "\x00\x1b",
        "\x7f\x9f",
        "🜂",
        "\U0010ffff",
        "\r\n",
        " x ",
        "\t",
        "'",
        '"',
        "\\",
        "\\n",
        "null",
        "- a",
        "a: b",
        "# c",
        "",
    ]
)
VALUES = st.recursive(
    TEXTS | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abcdy"), inner, max_size=3),
    max_leaves=5,
)
ITEMS = st.lists(
    st.fixed_dictionaries({"scene": TEXTS}, optional={"prompt_used": TEXTS, "analysis": VALUES}),
    min_size=1,
    max_size=3,
)
SCALARS = st.sampled_from(
    [
        "plain",
        '"quoted"',
        "'single'",
        "",
        "16:9",
        "[a, {b: c}]",
        "|\n{i}text\n{i}  more",
        "|+\n{i}text\n\n",
        "|-\n{i}text\n\n",
        ">\n{i}one\n{i}two\n",
        "\n{i}folded\n{i}plain",
        "é—🜂",
        "a # c",
        "'a\n\n{i}b'",
        "|\n{i}text\n{i}   \n",
        "&x a",
        "!!str 1",
    ]
)
FILLERS = st.sampled_from(["", "\n", "# comment\n", "  # indented\n", "      # deep\n\n", "\n\n# a\n"])


def scalar_text(scalar: str, indent: str) -> str:
    return scalar.replace("{i}", indent)


@st.composite
def documents(draw: st.DrawFn) -> str:
    parts = [draw(FILLERS)]
    for key in draw(st.permutations(["name", "notes", SECTION])):
        if key != SECTION:
            parts.append(f"{key}: {scalar_text(draw(SCALARS), '  ')}\n")
        elif draw(st.booleans()):
            parts.append(draw(sections()))
        parts.append(draw(FILLERS))
    text = "".join(parts)
    if draw(st.booleans()):
        text = text.rstrip("\n")
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))


@st.composite
def sections(draw: st.DrawFn) -> str:
    empty = draw(st.sampled_from(["", "[]", "~", "[ ]", None]))
    if empty is not None:
        return f"{SECTION}: {empty}{draw(st.sampled_from(['', '  # c']))}\n"
    dash = " " * draw(st.sampled_from([0, 2, 4]))
    lines = []
    for number in range(draw(st.integers(1, 3))):
        lines.append(f"{dash}- scene: s{number}\n")
        if draw(st.booleans()):
            lines.append(f"{dash}  text: {scalar_text(draw(SCALARS), dash + '    ')}\n")
        lines.append(draw(FILLERS))
    return f"{SECTION}:\n" + "".join(lines)


@settings(max_examples=200, deadline=None)
@given(documents(), ITEMS, st.booleans())
def test_any_file_keeps_its_content_and_bytes(text: str, items: list[dict[str, Any]], bom: bool) -> None:
    """The data afterwards is the data before plus the items, and the old bytes stand around the insertion."""
    old = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    try:
        before = load(old)
    except yaml.YAMLError:
        assume(False)
    if check_writable(old) is not None:
        assert not old.endswith(b"\n")  # a block scalar cut short by the end of the file
        return

    new, added = append_to_bytes(old, SECTION, items, same=())

    after = load(new)
    recorded = after.pop(SECTION)
    kept = before.pop(SECTION, None)
    kept = kept if isinstance(kept, list) else []
    assert before == after
    assert kept == recorded[: len(kept)]
    assert len(items) == added
    typed = yaml.load(new.decode("utf-8-sig"), Loader=yaml.CSafeLoader)
    assert items == typed[SECTION][len(kept) :]
    assert is_spliced(old, new)
    newline = b"\r\n" if b"\r\n" in old else b"\n"
    assert new.count(b"\n") == new.count(newline)


def is_spliced(old: bytes, new: bytes) -> bool:
    """Return whether *new* is *old* with bytes put in at one place, but for an empty value taken out."""
    key = SECTION.encode() + b": "
    emptied = [old, *(old.replace(key + value, key, 1) for value in (b"[]", b"~", b"[ ]"))]
    return any(
        len(kept) <= len(new)
        and any(new.startswith(kept[:cut]) and new.endswith(kept[cut:]) for cut in range(len(kept) + 1))
        for kept in emptied
    )


# ---- the file --------------------------------------------------------------------------------------------


def test_a_missing_file_is_created(tmp_path: Path, locks: Path) -> None:
    """An entity that only has ideas gets a file with that section alone."""
    path = tmp_path / "imagery.yaml"

    added = append_items(path, SECTION, [RECORD], library=locks)

    assert 1 == added
    assert "generated_images:\n" + BLOCK == path.read_text()


def test_mode_stays_and_nothing_is_left_beside_the_file(tmp_path: Path, locks: Path) -> None:
    """The permissions are kept, the lock is elsewhere, and no temporary file remains."""
    folder = tmp_path / "entity"
    folder.mkdir()
    path = folder / "imagery.yaml"
    path.write_text("name: Oda\n")
    path.chmod(0o640)

    draft_of(path, 4194305).write_text("of a process that was killed")
    append_items(path, SECTION, [RECORD], library=locks)

    assert 0o640 == stat.S_IMODE(path.stat().st_mode)
    assert [path] == list(folder.iterdir())


def test_a_second_run_does_not_touch_the_file(tmp_path: Path, locks: Path) -> None:
    """With nothing to add, not even the time of the file changes."""
    path = tmp_path / "imagery.yaml"
    append_items(path, SECTION, [RECORD], library=locks)
    before = path.stat()

    added = append_items(path, SECTION, [RECORD], library=locks)

    assert 0 == added
    assert (before.st_ino, before.st_mtime_ns) == (path.stat().st_ino, path.stat().st_mtime_ns)


def test_links_are_followed(tmp_path: Path, locks: Path) -> None:
    """A file that is a symbolic link stays one; what it points at is extended."""
    real, link = tmp_path / "real.yaml", tmp_path / "imagery.yaml"
    real.write_text("name: Oda\n")
    link.symlink_to(real)

    append_items(link, SECTION, [RECORD], library=locks)

    assert link.is_symlink()
    assert "name: Oda\ngenerated_images:\n" + BLOCK == real.read_text()


def draft_of(path: Path, pid: int) -> Path:
    """Where the process *pid* of this machine would write what is to stand at *path*."""
    draft = durable.draft_of(path)
    return draft.with_name(draft.name.replace(f"-{os.getpid()}-", f"-{pid}-"))


def test_writers_do_not_lose_each_others_records(tmp_path: Path, locks: Path) -> None:
    """Records that several writers add at the same time are all there afterwards."""
    path = tmp_path / "imagery.yaml"
    path.write_text("name: Oda\n")
    threads = [
        threading.Thread(target=append_items, args=(path, SECTION, [{"task_key": str(n)}]), kwargs={"library": locks})
        for n in range(8)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {str(n) for n in range(8)} == {item["task_key"] for item in load(path.read_bytes())[SECTION]}


# ---- an author who saves at the same time ------------------------------------------------------------------

OLD = "name: Oda\n"
TYPED = "name: Oda\ndescription: |\n  the author's first new line\n  the author's second new line\n"
HALF = TYPED[: len(TYPED) // 2]


class Author:
    """Saves TYPED in one of the ways that editors have, step by step."""

    def __init__(self, path: Path, way: str) -> None:
        self.path = path
        self.steps = list(
            {
                "truncates": self._truncates,
                "rewrites": self._rewrites,
                "renames": self._renames,
                "makes way": self._makes_way,
            }[way]()
        )

    @property
    def has_opened(self) -> bool:
        """Whether it has the file open that it rewrites."""
        return hasattr(self, "file") and not self.file.closed

    def act(self) -> None:
        """Do the next step, if there is one."""
        if self.steps:
            self.steps.pop(0)()

    def finish(self) -> None:
        """Do all steps that are left."""
        while self.steps:
            self.act()

    def _truncates(self) -> Iterator[Callable[[], object]]:
        """Empties the file, then writes it in two parts."""
        yield lambda: setattr(self, "file", self.path.open("w"))
        yield from self._writing()

    def _rewrites(self) -> Iterator[Callable[[], object]]:
        """Opens the file as it is, and empties it later."""
        yield lambda: setattr(self, "file", self.path.open("r+"))
        yield lambda: self.file.truncate(0)
        yield from self._writing()

    def _renames(self) -> Iterator[Callable[[], object]]:
        """Writes another file, then renames it over this one."""
        other = self.path.with_name("imagery.yaml.new")
        yield lambda: other.write_text(TYPED)
        yield lambda: other.replace(self.path)

    def _makes_way(self) -> Iterator[Callable[[], object]]:
        """Renames the old file away, then writes a new one."""
        yield lambda: self.path.rename(self.path.with_name("imagery.yaml~"))
        yield lambda: setattr(self, "file", self.path.open("w"))
        yield from self._writing()

    def _writing(self) -> Iterator[Callable[[], object]]:
        yield lambda: (self.file.write(HALF), self.file.flush())
        yield lambda: (self.file.write(TYPED[len(HALF) :]), self.file.flush())
        yield lambda: self.file.close()


WAYS = {"truncates": (4, (0, 1, 3)), "rewrites": (5, (0, 5)), "renames": (2, (0, 1, 3, 5)), "makes way": (5, (0, 2))}
"""How many steps each way of saving takes, and how many moments may pass between two of them."""
MOMENTS = 12
"""More than there are in an undisturbed write-back, pauses included."""


def schedules(steps: int, gaps: Sequence[int]) -> Iterator[tuple[int, ...]]:
    """Yield how many moments pass before the first step, and between each step and the next."""
    return itertools.product(range(MOMENTS), *[gaps] * (steps - 1))


@pytest.fixture(params=["all", "no leases", "no exchange", "neither"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """What the operating system can do: whether it knows of writers, and whether files can change places."""
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)
    if request.param in ("no leases", "neither"):
        monkeypatch.setattr(replacing, "_probe", lambda file: None)
    if request.param in ("no exchange", "neither"):
        monkeypatch.setattr(replacing, "exchange", lambda one, other: False)
    return str(request.param)


def save_and_append(folder: Path, way: str, schedule: Sequence[int], patient: bool) -> None:
    """Let an author save while a record is added, and see that neither loses anything."""
    path = folder / "imagery.yaml"
    path.write_text(OLD)
    os.utime(path, (1, 1))
    author = Author(path, way)
    waits = list(schedule)

    def pass_by(_: object) -> None:
        while waits and not waits[0]:
            waits.pop(0)
            author.act()
        if waits:
            waits[0] -= 1

    def wait_for(seconds: float) -> None:
        pass_by(seconds)
        if patient and author.has_opened:  # who rewrites a file takes less time for it than this
            author.finish()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replacing, "moment", pass_by)
        patch.setattr(replacing, "pause", wait_for)
        try:
            append_items(path, SECTION, [RECORD], library=folder.parent / "locks")
            is_added = True
        except BeingSaved:
            is_added = False
        was_done = not author.steps
        author.finish()

        text = path.read_text()
        assert text.startswith(TYPED), (way, schedule)
        assert not (is_added and was_done) or text == f"{TYPED}generated_images:\n{BLOCK}", (way, schedule)
        append_items(path, SECTION, [RECORD], library=folder.parent / "locks")
    assert f"{TYPED}generated_images:\n{BLOCK}" == path.read_text(), (way, schedule)
    (folder / "imagery.yaml~").unlink(missing_ok=True)
    assert [path] == list(folder.iterdir()), (way, schedule)


@pytest.mark.parametrize("way", list(WAYS))
def test_an_author_who_saves_meanwhile_loses_no_line(tmp_path: Path, way: str, system: str) -> None:
    """However an editor saves, and whatever comes between its steps and ours: its lines are there in the end, whole,
    and so is the record."""
    folder = tmp_path / "entity"
    folder.mkdir()
    for schedule in schedules(*WAYS[way]):
        save_and_append(folder, way, schedule, patient=system in ("no leases", "neither"))


@pytest.mark.soak
@pytest.mark.parametrize("way", list(WAYS))
def test_an_author_who_saves_at_any_moment_loses_no_line(tmp_path: Path, way: str, system: str) -> None:
    """The same, in many more ways to interleave the steps."""
    folder = tmp_path / "entity"
    folder.mkdir()
    for schedule in schedules(WAYS[way][0], (0, 1, 2, 3, 5)):
        save_and_append(folder, way, schedule, patient=system in ("no leases", "neither"))


def test_an_empty_file_is_not_written_to(tmp_path: Path, locks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that stays empty is an editor's that has not written yet: the record waits, the file is left alone."""
    path = tmp_path / "imagery.yaml"
    path.write_text("")
    monkeypatch.setattr(replacing, "pause", lambda seconds: None)

    with pytest.raises(BeingSaved, match="is empty"):
        append_items(path, SECTION, [RECORD], library=locks)

    assert "" == path.read_text()


def test_a_file_that_may_not_be_written_is_left_alone(tmp_path: Path, locks: Path) -> None:
    """Who takes away the right to write wants the file to stay as it is, also where it could be replaced."""
    path = tmp_path / "imagery.yaml"
    path.write_text(OLD)
    path.chmod(0o444)

    with pytest.raises(CannotWriteBack, match="is not writable"):
        append_items(path, SECTION, [RECORD], library=locks)

    assert OLD == path.read_text()


def test_drafts_of_living_processes_stay(tmp_path: Path, locks: Path) -> None:
    """Only what a process left that is dead is taken away: another run may be writing."""
    path = tmp_path / "imagery.yaml"
    alive = draft_of(path, os.getppid())
    alive.write_text("being written")

    append_items(path, SECTION, [RECORD], library=locks)

    assert "being written" == alive.read_text()
