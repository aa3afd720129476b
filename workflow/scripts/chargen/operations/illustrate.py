"""`illustrate_all`: analyses, generation that uses them, then analyses of the new pictures."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chain:
    """``looks`` comes first and last, ``makes`` between; the rules of ``target`` are in its own file."""

    target: str
    looks: str
    makes: str


ILLUSTRATE = Chain("illustrate_all", looks="analyze", makes="generate")
