"""What became of each task: every line, and every missing one, ends in one of a closed set of verdicts.

An empty reply is no success and a refusal no crash: both arrive with HTTP 200 as lines that look
successful. The finish reasons are described in the Gemini API's reference of ``FinishReason`` and
``BlockReason``; which codes are worth another try was observed on batches.
"""

from __future__ import annotations

import re

from chargen.providers.base import Reason, ResultLine, Verdict, Wanted
from chargen.providers.gemini.lines import NORMAL_ENDS, GeminiLine, LineError
from chargen.providers.verdicts import failed

_OF_CODE: dict[int, Reason] = {
    1: "cancelled",
    3: "invalid-argument",
    4: "deadline",
    5: "not-found",
    7: "permission-denied",
    8: "quota",
    13: "internal",
    14: "unavailable",
    16: "unauthenticated",
}
_OF_FINISH: dict[str, Reason] = {
    "NO_IMAGE": "no-image",
    "IMAGE_SAFETY": "image-safety",
    "IMAGE_OTHER": "image-other",
    "SAFETY": "safety",
    "PROHIBITED_CONTENT": "prohibited-content",
    "IMAGE_PROHIBITED_CONTENT": "prohibited-content",
    "RECITATION": "recitation",
    "IMAGE_RECITATION": "recitation",
    "BLOCKLIST": "blocklist",
    "SPII": "personal-data",
    "LANGUAGE": "language",
    "MAX_TOKENS": "max-tokens",
    "CONTINUATION": "max-tokens",
    "MODEL_ARMOR": "safety",
    "ESCALATION": "safety",
    "PUP_LIMITED_DISABLED": "account-limited",
    "MALFORMED_RESPONSE": "malformed-response",
    "MALFORMED_FUNCTION_CALL": "malformed-response",
    "MISSING_THOUGHT_SIGNATURE": "malformed-response",
    "UNEXPECTED_TOOL_CALL": "malformed-response",
    "TOO_MANY_TOOL_CALLS": "malformed-response",
    "OTHER": "other",
}
# An ordinary quota message mentions billing too ("check your plan and billing details").
_BILLING = re.compile(
    r"prepa(?:id|y)|credits? (?:is|are|has been|have been) (?:depleted|exhausted|used up)|out of credits"
    r"|billing (?:hard )?limit|billing (?:account|is (?:not enabled|disabled))",
    re.IGNORECASE,
)
_FILE_GONE = re.compile(r"permission to access the file|files?/\S+ .{0,40}(?:not exist|not found|expired)", re.I)


def judge(line: ResultLine | None, wanted: Wanted = "picture") -> Verdict:
    """Return what *line* means for its task; None stands for a line that did not come.

    A picture counts whatever else the reply says, because it is paid for; whether its bytes are whole is for
    `chargen.providers.verdicts.broken_picture` to say once they were looked at. A text counts if the reply ended
    normally.
    """
    if line is None:
        return failed("missing-line")
    if line.problem:
        return failed("unreadable-line", line.problem)
    if wanted == "picture" and line.picture is not None:
        return Verdict("picture", picture=line.picture)
    assert isinstance(line, GeminiLine)
    if line.error is not None:
        return judge_error(line.error)
    if not line.has_response:
        return failed("malformed-response", "the line holds neither a response nor an error")
    return _judge_reply(line, wanted)


def judge_error(error: LineError) -> Verdict:
    """Return what an error in the place of a reply, or of a whole job, means."""
    said = ": ".join(filter(None, (_code_words(error), error.message)))
    if error.code is None:
        return failed(_OF_FINISH.get(error.name, "error"), said)
    if error.code in (3, 5, 7) and _FILE_GONE.search(error.message):
        return failed("reference-gone", said)
    if error.code in (7, 8, 9) and _BILLING.search(error.message):
        return failed("billing", said)
    return failed(_OF_CODE.get(error.code, "error"), said)


def _code_words(error: LineError) -> str:
    return error.name if error.code is None else f"{error.name} ({error.code})"


def _judge_reply(line: GeminiLine, wanted: Wanted) -> Verdict:
    said = ": ".join(filter(None, (line.finish_reason, line.finish_message or line.text)))
    if line.block_reason and not line.finish_reason:
        return failed("blocked-prompt", ": ".join(filter(None, (line.block_reason, line.block_message))))
    if line.finish_reason not in NORMAL_ENDS:
        return failed(_OF_FINISH.get(line.finish_reason, "other"), said)
    if wanted == "text" and line.text.strip():
        return Verdict("text", text=line.text)
    if line.text.strip():
        return failed("text-only", line.text)
    return failed("empty-reply", said)
