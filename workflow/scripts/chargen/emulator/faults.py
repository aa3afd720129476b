"""The kinds of faults: how calls, result lines, jobs, quotas and models can misbehave, one type each."""

from __future__ import annotations

import fnmatch
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

KINDS = [
    "upload_start",
    "upload_chunk",
    "upload_query",
    "file_get",
    "file_list",
    "file_delete",
    "create",
    "get",
    "list",
    "cancel",
    "delete",
    "download",
    "download_redirect",
    "generate",
    "count_tokens",
    "model_get",
    "model_list",
    "update",
    "embed",
    "register",
]
ACTIONS = [
    "status",
    "status_after",
    "cut_before",
    "cut_after",
    "cut_at",
    "hang",
    "hang_after",
    "body",
    "deny",
    "redirect",
]
ANSWER_BODIES = [
    "page",
    "empty",
    "truncated_json",
    "other_object",
    "json_list",
    "json_text",
    "json_null",
    "null_fields",
    "missing_fields",
    "text_numbers",
    "odd_members",
    "control_characters",
    "no_display_names",
]
DOWNLOAD_BODIES = [
    "page",
    "empty",
    "gzip",
    "gzip_unmarked",
    "half_lines",
    "half_lines_no_length",
    "cut_in_line",
    "foreign_keys",
    "foreign_lines",
    "wrong_hash",
]
HASHES = ["whole", "sent", "none"]
DENIALS = ["firewall", "proxy", "leaked_key", "unauthorized", "gone"]
REDIRECTS = (301, 302, 303, 307, 308)
PLACES = ["get", "list", "download"]
MOMENTS = ["created", "ended"]
LINE_ERRORS = ["error", "error_status_only", "error_code_only", "error_code_text"]
BROKEN_LINES = [
    "missing",
    "repeated",
    "unknown_key",
    "no_key",
    "truncated_image",
    "not_an_image",
    "not_base64",
    "two_images",
    "two_images_thought",
    "only_thought",
    "control_characters",
]
LINES_WITH_PICTURE = frozenset({"repeated", "two_images", "two_images_thought", "only_thought"})
"""Lines that bring their picture all the same."""
ENDS = ["SUCCEEDED", "FAILED", "CANCELLED", "EXPIRED"]


@dataclass(frozen=True, slots=True)
class CallFault:
    """Trouble with calls of one kind. Counted from 1 over the matching calls since the plan was set.

    ``nth``: these ones; ``first``: the first so many; ``every``: each so-manieth; none of the three: all.
    ``do``: ``status`` (answer *status*, no effect), ``status_after`` (take effect, then answer it),
    ``cut_before``, ``cut_after`` (take effect, lose the answer), ``cut_at`` (*after_bytes* of a download or
    an upload's chunk), ``hang`` (*seconds*, then go on), ``hang_after`` (take effect, then wait), ``body`` (take
    effect, then answer with a wrong *body*: ANSWER_BODIES, of a download DOWNLOAD_BODIES), ``deny`` (as *denial*
    does: DENIALS), ``redirect`` (*status* of REDIRECTS, to *location*).
    ``retry_delay_s`` gives a 429 its RetryInfo; without it a 429 has no details. ``display_name`` is a glob
    for creates, uploads and all calls about one job. ``for_s`` ends the fault so many seconds after the plan was set.
    ``body`` also bends the errors of ``status`` and ``status_after``. ``crc32c`` says whose checksum is sent with a
    download's wrong body: that of the whole file, that of what is sent, or none. ``location``: empty for the same
    address once more, which then works; a path of this server; or another server's address, to which the path is added.
    """

    call: str
    do: str
    nth: Sequence[int] = ()
    first: int = 0
    every: int = 0
    display_name: str = "*"
    status: int = 503
    message: str = ""
    retry_delay_s: float | None = None
    after_bytes: int = 0
    seconds: float = 0.0
    for_s: float = 0.0
    body: str = ""
    crc32c: str = "whole"
    denial: str = ""
    location: str = ""

    def hits(self, number: int) -> bool:
        """Whether the *number*-th matching call is hit."""
        if self.nth:
            return number in self.nth
        if self.first:
            return number <= self.first
        return number % self.every == 0 if self.every else True


@dataclass(frozen=True, slots=True)
class LineFault:
    """Trouble with result lines, of all jobs or of the next ``jobs`` ones that hold a matching line.

    Chosen by ``key`` (glob), and ``nth`` (from 1), and ``share`` (0 to 1, drawn from ``seed``, the job's
    display name and the key). ``give``: ``error`` (with ``code`` and ``message``), ``error_code_only``,
    ``error_status_only``, ``error_code_text``, a refusal's name, or a broken line (BROKEN_LINES).
    """

    give: str
    key: str = "*"
    nth: Sequence[int] = ()
    share: float = 1.0
    seed: int = 0
    code: int = 13
    message: str = ""
    jobs: int = 0

    def hits(self, display_name: str, number: int, key: str) -> bool:
        """Whether the *number*-th line of a job, the one of *key*, is hit."""
        if self.nth and number not in self.nth:
            return False
        if not fnmatch.fnmatchcase(key, self.key):
            return False
        return self.share >= 1 or random.Random(f"{self.seed}|{display_name}|{key}").random() < self.share


@dataclass(frozen=True, slots=True)
class JobPlan:
    """How jobs run: done after ``seconds`` and after ``polls`` looks at them (get or list), both.

    ``pending_share`` of that is spent PENDING. ``end`` is the final state, with ``code`` and ``message`` for
    FAILED; of a SUCCEEDED job only ``done_share`` of the lines were through, as if it had been cancelled then.
    ``late_file_polls`` looks show SUCCEEDED without the result file's name; before all that the first looks are
    shown the states ``strays``, whatever is true.

    A job can vanish for a while and come back: ``vanish_from`` names where it is not found (``get``, ``list``,
    ``download``), from the moment ``vanish_when`` on (``created`` or ``ended``), for ``vanish_calls`` calls at each of
    these places and for ``vanish_seconds``, whatever ends first; with neither it does not come back.
    """

    seconds: float = 2.0
    polls: int = 0
    pending_share: float = 0.25
    end: str = "SUCCEEDED"
    code: int = 13
    message: str = "internal error"
    late_file_polls: int = 0
    done_share: float = 1.0
    strays: Sequence[str] = ()
    vanish_from: Sequence[str] = ()
    vanish_when: str = "created"
    vanish_calls: int = 0
    vanish_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Quotas:
    """Limits per key; 0 means none. ``refuse``: over ``enqueued_tokens`` a create answers 429, or the job
    FAILs.
    """

    concurrent_jobs: int = 100
    enqueued_tokens: int = 0
    storage_bytes: int = 20_000_000_000
    refuse: str = "create"
    retry_delay_s: float | None = 30.0


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """Models that misbehave: answered by another (``reroute``), sizes ignored, signatures of so many
    bytes.
    """

    reroute: Mapping[str, str] = field(default_factory=dict)
    ignore_image_size: bool = False
    signature_bytes: int = 0
    ignore_schema: str = ""


@dataclass(frozen=True, slots=True)
class ResultPlan:
    """The result file as a whole: lines ``shuffle``d by a seed (0: in order), last line short of so many
    bytes; or no file at all, the answers ``inlined`` into the operation.
    """

    shuffle: int = 0
    cut_last_line: int = 0
    inlined: bool = False


def glob(name: str, pattern: str) -> bool:
    """Whether *name* fits the case-sensitive *pattern* with ``*``, ``?`` and ``[]``."""
    return fnmatch.fnmatchcase(name, pattern)
