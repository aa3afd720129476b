"""Tests of names: ids from titles, ids as written, folder names, zones."""

from __future__ import annotations

import pytest

from chargen.library.slugs import folder_fault, foreign_id, id_fault, match_zone, slug, title_id


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Hauling Nets at Dûn Harbour", "hauling-nets-at-dun-harbour"),
        ("  The — Long... Haul! ", "the-long-haul"),
        ("Tam’s Ⅳ Caps", "tam-s-iv-caps"),
        ("灯台", ""),
    ],
)
def test_slug(title, expected):
    """Accents go, every run of other signs is one dash."""
    assert expected == slug(title)


def test_title_id_is_never_longer_than_an_id():
    """A long title is cut, without a dash at the end."""
    assert "a" * 79 == title_id("a" * 79 + " bcd")


@pytest.mark.parametrize(
    ("written", "is_fine"),
    [
        ("a.b_c-d", True),
        ("x" * 80, True),
        ("x" * 81, False),
        ("A", False),
        ("-a", False),
        ("../x", False),
        ("a_c2", False),
    ],
)
def test_own_ids(written, is_fine):
    """Our own format is strict about ids: they become file names and keys."""
    assert is_fine == (not id_fault(written))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("ch15.5-haul", "ch15.5-haul"),
        ("Main Hall", "main-hall"),
        ("../../x", "x"),
        ("a_c2", "a-c2"),
        ("x" * 90, "x" * 90),
    ],
)
def test_foreign_ids(written, expected):
    """Ids of other tools are kept where they are safe and made safe otherwise."""
    assert expected == foreign_id(written)


@pytest.mark.parametrize(
    ("name", "is_fine"),
    [
        ("ch15.5-the-bell", True),
        ("Élise", True),
        ("灯台守", True),
        (".git", False),
        ("a" * 101, False),
        ("a\nb", False),
        ("a\u202eb", False),
        ("a\udcffb", False),
        ("a{b}", False),
        ("a@b", False),
        ("a ", False),
    ],
)
def test_folder_names(name, is_fine):
    """Any script will do; hidden signs and those that mean something in keys and patterns will not."""
    assert is_fine == (not folder_fault(name))


@pytest.mark.parametrize(
    ("written", "expected"), [("mill-kitchen", "mill-kitchen"), ("loft", "mill-loft"), ("kitchen", ""), ("", "")]
)
def test_zone_by_id_or_unique_ending(written, expected):
    """A zone is named by its id, or by an ending that only one has."""
    assert expected == match_zone(written, ("mill-kitchen", "inn-kitchen", "mill-loft"))
