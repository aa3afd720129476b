"""The emulator's own clock: wall time plus an offset that the admin side can push forward."""

from __future__ import annotations

import time

NANO = 1_000_000_000
LIFETIME_NS = 48 * 3600 * NANO  # uploaded files, and batches that do not end


class Clock:
    """Nanoseconds since the epoch; ``offset_ns`` is kept by the store so that it survives a restart."""

    def __init__(self, offset_ns: int = 0) -> None:
        self.offset_ns = offset_ns

    def now_ns(self) -> int:
        """The emulated present."""
        return time.time_ns() + self.offset_ns


def rfc3339(moment_ns: int, digits: int = 9) -> str:
    """``2026-06-17T14:13:00.159379123Z``: nine digits as batches show, six for a file's creation."""
    seconds, rest = divmod(moment_ns, NANO)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{rest:09d}"[: 20 + digits] + "Z"
