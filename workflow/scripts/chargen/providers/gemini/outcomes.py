"""What became of each task: every line, and every missing one, ends in one of a closed set of verdicts.

An empty reply is no success and a refusal no crash: both arrive with HTTP 200 as lines that look
successful. What the finish reasons mean is told in the Gemini API's reference of ``FinishReason`` and
``BlockReason``; which codes are worth another try was observed on batches.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from chargen.providers.gemini.scanner import NORMAL_ENDS, LineError, ResultLine, Slice

MAX_SAID = 1000
"""Characters kept of what the API answered."""

Reason = Literal[
    "no-image",
    "image-safety",
    "image-other",
    "safety",
    "prohibited-content",
    "recitation",
    "blocklist",
    "personal-data",
    "blocked-prompt",
    "text-only",
    "empty-reply",
    "max-tokens",
    "language",
    "malformed-response",
    "other",
    "cancelled",
    "invalid-argument",
    "deadline",
    "not-found",
    "permission-denied",
    "reference-gone",
    "quota",
    "billing",
    "account-limited",
    "internal",
    "unavailable",
    "unauthenticated",
    "error",
    "missing-line",
    "unreadable-line",
    "broken-picture",
    "reference-refused",
    "lost",
    "unfit-answer",
]
"""Why a task failed; stable words that receipts and reports are searched by."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a line is worth.

    ``picture`` is set for ``kind`` "picture", ``text`` for "text", and the rest for "failed": ``reason``,
    ``passing`` (the same request may well succeed if it is sent again), ``said`` (what the API answered, if
    anything), and ``advice`` (what it means and what to do).
    """

    kind: Literal["picture", "text", "failed"]
    picture: Slice | None = None
    text: str = ""
    reason: Reason | Literal[""] = ""
    passing: bool = False
    said: str = ""
    advice: str = ""


_REWORD = "reword the scene"
_AGAIN = "chargen sends it again by itself, up to retry.max_attempts times"

ADVICE: dict[Reason, str] = {
    "no-image": "the model answered without a picture, often because the prompt asks for nothing that can be "
    f"seen or is refused silently; {_REWORD} as a description of one picture",
    "image-safety": "the picture was made and then withheld by a safety filter, free of charge; "
    f"{_REWORD}: less violence, nudity or distress, no likeness of real people",
    "image-other": f"the model could not make a picture of this prompt; {_REWORD}, with fewer demands at once",
    "safety": f"the reply was stopped by a safety filter; {_REWORD}, or loosen safety_settings in the configuration",
    "prohibited-content": "the prompt or picture falls under the prohibited-use policy or a third party's "
    f"rights; {_REWORD}: no brands, franchises, real people or minors in doubtful situations",
    "recitation": f"the result came too close to existing works; {_REWORD} with details of your own, "
    "and name no artist or work",
    "blocklist": f"the text holds words that the API does not accept; {_REWORD}",
    "personal-data": f"the text seems to hold personal data; {_REWORD} without names, addresses or numbers",
    "blocked-prompt": "the prompt was refused before the model saw it; "
    f"{_REWORD}, and look at the entity's description and at its references too",
    "text-only": "the model talked instead of painting; say in the prompt what is to be seen, or read "
    f"its answer for what it objects to, and {_REWORD}",
    "empty-reply": "the model answered nothing; order the scene again, and reword it if that happens twice",
    "max-tokens": "the reply was cut at the limit of tokens; shorten the prompt or ask for a smaller image_size",
    "language": f"the model does not work in this language; {_REWORD} in English",
    "malformed-response": "the model produced an answer that the API could not put into shape; order the scene again",
    "other": f"the API stopped without saying why; order the scene again, and {_REWORD} if that happens twice",
    "cancelled": f"the job was cancelled before this request's turn; {_AGAIN}",
    "invalid-argument": "the request is not acceptable as it stands; check model, aspect_ratio, "
    "image_size and references against what the API answered",
    "deadline": f"the request took too long on the remote side; {_AGAIN}",
    "not-found": "the model or a file does not exist (any more); check the model's name in the configuration",
    "permission-denied": "the key may not use this model or file; check the key's project",
    "reference-gone": "a reference image had expired or belongs to another key; it is uploaded anew when the "
    f"request goes out again, and {_AGAIN}",
    "quota": f"a quota of the API was used up; {_AGAIN}; lower limits in the configuration if it persists",
    "billing": "the account's prepaid credits are used up, or billing is off: settle that in AI Studio, then "
    "order the scene again",
    "account-limited": "Google has limited this account because of its prohibited-use policy; settle that with Google, "
    "then order the scene again",
    "internal": f"an error inside the API; {_AGAIN}",
    "unavailable": f"the API was overloaded; {_AGAIN}",
    "unauthenticated": "the key was not accepted; check GEMINI_API_KEY",
    "error": "the API failed in a way that chargen does not know; see what it answered, then order the scene again",
    "missing-line": f"the results hold no line for this request; {_AGAIN}",
    "unreadable-line": "the result line is damaged; the downloaded file is kept, order the scene again "
    "to replace what is lost",
    "broken-picture": "the picture that came is damaged; the downloaded file is kept, order the scene "
    "again to replace it",
    "reference-refused": "the API does not take a reference picture of this scene, so it was not sent; replace the "
    "picture, then order the scene again",
    "unfit-answer": "the answer does not have the form that was asked for, also after its errors were shown to the "
    "model; order the picture again, or try another model for analyze",
    "lost": "the job was paid for, and its results cannot be found on the server or answer none of its requests; each "
    "run looks for them for two weeks, and it is made again only by an order",
}

PASSING: frozenset[Reason] = frozenset(
    {"cancelled", "deadline", "quota", "internal", "unavailable", "missing-line", "reference-gone"}
)
"""The reasons that are worth another try without a change: codes 1, 4, 8, 13 and 14, lines that are not
there, and references that are uploaded again."""

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


def judge(line: ResultLine | None, wanted: Literal["picture", "text"] = "picture") -> Verdict:
    """Return what *line* means for its task; None stands for a line that did not come.

    A picture counts whatever else the reply says, because it is paid for; whether its bytes are whole is for
    `broken_picture` to say once they were looked at. A text counts if the reply ended normally.
    """
    if line is None:
        return failed("missing-line")
    if line.problem:
        return failed("unreadable-line", line.problem)
    if wanted == "picture" and line.picture is not None:
        return Verdict("picture", picture=line.picture)
    if line.error is not None:
        return _judge_error(line.error)
    if not line.has_response:
        return failed("malformed-response", "the line holds neither a response nor an error")
    return _judge_reply(line, wanted)


def broken_picture(reason: str) -> Verdict:
    """Return the verdict on a picture that was found in its line and turned out to be damaged."""
    return failed("broken-picture", reason)


def failed(reason: Reason, said: str = "") -> Verdict:
    """Return the verdict of a failure, with the advice that belongs to its reason."""
    return Verdict("failed", reason=reason, passing=reason in PASSING, said=_bounded(said), advice=ADVICE[reason])


def _judge_error(error: LineError) -> Verdict:
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


def _judge_reply(line: ResultLine, wanted: Literal["picture", "text"]) -> Verdict:
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


def _bounded(said: str) -> str:
    said = said.strip()
    return said if len(said) <= MAX_SAID else said[: MAX_SAID - 1] + "…"


@dataclass(frozen=True, slots=True)
class Joined:
    """Which lines answer which tasks: by key only, because the order of lines means nothing.

    ``lines`` holds the line that counts for each expected key that has one; ``missing`` the expected keys
    without a line, in their order; ``repeated`` how many lines came for keys that have several; ``unknown``
    the keys that nobody asked for; ``keyless`` the lines without a readable key.
    """

    lines: dict[str, ResultLine]
    missing: tuple[str, ...]
    repeated: dict[str, int]
    unknown: tuple[str, ...]
    keyless: tuple[ResultLine, ...]


def join(lines: Iterable[ResultLine], expected: Collection[str]) -> Joined:
    """Match *lines* with the *expected* keys.

    Of several lines with one key the last one with a picture counts, one that is no thought before one that is; else
    the last one with a reply, else the last one: what was paid for outranks an error, and of two answers the later one
    is the correction. Only what each line says is kept, never its pictures.
    """
    wanted = dict.fromkeys(expected, 0)
    best: dict[str, ResultLine] = {}
    unknown: dict[str, None] = {}
    keyless: list[ResultLine] = []
    for line in lines:
        if line.key is None:
            keyless.append(line)
        elif line.key not in wanted:
            unknown[line.key] = None
        else:
            wanted[line.key] += 1
            if line.key not in best or _rank(line) >= _rank(best[line.key]):
                best[line.key] = line
    return Joined(
        lines=best,
        missing=tuple(key for key, count in wanted.items() if not count),
        repeated={key: count for key, count in wanted.items() if count > 1},
        unknown=tuple(unknown),
        keyless=tuple(keyless),
    )


def _rank(line: ResultLine) -> int:
    if line.problem:
        return 0
    if line.picture is not None:
        return 3 if line.picture.thought else 4
    return 2 if line.has_response else 1
