"""What `illustrate_all` does: one operation, then another with what was learned, then the first for what is new."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Chain:
    """``looks`` comes first and last, ``makes`` between; the rules of ``target`` are in its own file."""

    target: str
    looks: str
    makes: str


ILLUSTRATE = Chain("illustrate_all", looks="analyze", makes="generate")
