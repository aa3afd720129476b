"""What chargen stores, as types: the lines and documents below ``state/`` and what they hold.

Reading is tolerant: keys of another version are ignored, keys that an older version did not write have a default.
Anything else that does not fit raises `WrongShape`, which names the key.
"""

from __future__ import annotations

from chargen.base.reading import WrongShape, build

__all__ = ["WrongShape", "build"]
