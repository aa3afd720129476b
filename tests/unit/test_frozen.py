"""Frozen dataclasses are what `dataclasses` makes, in less time."""

from __future__ import annotations

import dataclasses
import pickle

import pytest

from chargen.base.frozen import frozen


@frozen
class Lamp:
    """A record."""

    name: str
    watt: int = 40
    note: str = dataclasses.field(default="", compare=False, repr=False)


@frozen(kw_only=True)
class Nothing:
    """A record without fields."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plain:
    """What `dataclasses` itself makes."""

    name: str
    watt: int = 40
    note: str = dataclasses.field(default="", compare=False, repr=False)


def test_equal_values_are_equal_and_have_one_hash() -> None:
    """Only objects of the same class with the same compared fields are equal, and may replace each other in a set."""
    assert Lamp("a") == Lamp("a", note="b") != Lamp("a", 60)
    assert Lamp("a") != Plain("a")
    assert 2 == len({Lamp("a"), Lamp("a", note="b"), Lamp("b")})
    assert Nothing() == Nothing() and hash(Nothing()) == hash(Nothing())


def test_it_is_a_frozen_dataclass() -> None:
    """Nothing can be set, `replace` and `asdict` work, and it survives pickling."""
    lamp = Lamp("a")
    with pytest.raises(dataclasses.FrozenInstanceError):
        lamp.watt = 60  # type: ignore[misc]
    with pytest.raises(TypeError):
        Nothing(1)  # type: ignore[call-arg]

    assert dataclasses.replace(lamp, watt=60) == Lamp("a", 60)
    assert dataclasses.asdict(lamp) == {"name": "a", "watt": 40, "note": ""}
    assert lamp == pickle.loads(pickle.dumps(lamp))
    assert not hasattr(lamp, "__dict__")


def test_it_is_shown_like_any_dataclass() -> None:
    """The representation has the fields that are not left out of it."""
    assert repr(Plain("a")).replace("Plain", "Lamp") == repr(Lamp("a"))
