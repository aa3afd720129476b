"""Verdicts without a provider: the advice of each reason, and which lines answer which tasks."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from chargen.base.frozen import frozen
from chargen.providers.base import Reason, ResultLine, Verdict

MAX_SAID = 1000
"""Characters kept of what the API answered."""

_REWORD = "reword the scene"
_AGAIN = "chargen retries it automatically, up to retry.max_attempts times"

ADVICE: dict[Reason, str] = {
    "no-image": "the model answered without a picture, often because the prompt describes nothing visible "
    f"or is refused silently; {_REWORD} as a description of one picture",
    "image-safety": "the picture was made and then withheld by a safety filter, free of charge; "
    f"{_REWORD}: less violence, nudity or distress, no likeness of real people",
    "image-other": f"the model could not make a picture of this prompt; {_REWORD}, with fewer demands at once",
    "safety": f"the answer was stopped by a safety filter; {_REWORD}, or loosen safety_settings in the configuration",
    "prohibited-content": "the prompt or picture falls under the prohibited-use policy or a third party's "
    f"rights; {_REWORD}: no brands, franchises, real people or minors in doubtful situations",
    "recitation": f"the result came too close to existing works; {_REWORD} with details of your own, "
    "and name no artist or work",
    "blocklist": f"the text contains words that the API does not accept; {_REWORD}",
    "personal-data": f"the text seems to contain personal data; {_REWORD} without names, addresses or numbers",
    "blocked-prompt": "the prompt was refused before the model saw it; "
    f"{_REWORD}, and check the entity's description and references",
    "text-only": "the model answered with text only; describe in the prompt what the picture shows, or read "
    f"its answer for objections, and {_REWORD}",
    "empty-reply": "the answer was empty; order the scene again, and reword it if that happens twice",
    "max-tokens": "the answer was cut off at the token limit; shorten the prompt or ask for a smaller image_size",
    "language": f"the model does not work in this language; {_REWORD} in English",
    "malformed-response": "the API could not parse the model's answer; order the scene again",
    "other": f"the API stopped without a reason; order the scene again, and {_REWORD} if that happens twice",
    "cancelled": f"the job was cancelled before this request was processed; {_AGAIN}",
    "invalid-argument": "the request is invalid; check model, aspect_ratio, "
    "image_size and references against what the API answered",
    "deadline": f"the request took too long on the server; {_AGAIN}",
    "not-found": "the model or a file does not exist; check the model's name in the configuration",
    "permission-denied": "the key may not use this model or file; check the key's project",
    "reference-gone": "a reference image had expired or belongs to another key; it is uploaded again with the "
    f"retry, and {_AGAIN}",
    "quota": f"a quota of the API was used up; {_AGAIN}; lower limits in the configuration if it persists",
    "billing": "the account's prepaid credits are used up, or billing is off: settle that in AI Studio, then "
    "order the scene again",
    "account-limited": "Google has limited this account because of its prohibited-use policy; settle that with Google, "
    "then order the scene again",
    "internal": f"an error inside the API; {_AGAIN}",
    "unavailable": f"the API was overloaded; {_AGAIN}",
    "unauthenticated": "the key was not accepted; check GEMINI_API_KEY",
    "error": "the API failed in a way unknown to chargen; check its answer, then order the scene again",
    "missing-line": f"the results have no line for this request; {_AGAIN}",
    "unreadable-line": "the result line is damaged; the downloaded file is kept, order the scene again "
    "to replace the result",
    "broken-picture": "the downloaded picture is damaged; the downloaded file is kept, order the scene "
    "again to replace it",
    "reference-refused": "the API refused a reference picture of this scene, so the request was not sent; replace the "
    "picture, then order the scene again",
    "unfit-answer": "the answer does not have the requested form, even after a second request that listed its "
    "errors; order the picture again, or try another model for analyze",
    "lost": "the job was paid for, but its results are missing on the server or answer none of its requests; each "
    "run checks again for two weeks, and only an order makes it again",
}

PASSING: frozenset[Reason] = frozenset(
    {"cancelled", "deadline", "quota", "internal", "unavailable", "missing-line", "reference-gone"}
)
"""The reasons that are worth another try without a change: codes 1, 4, 8, 13 and 14, lines that are not
there, and references that are uploaded again."""


def broken_picture(reason: str) -> Verdict:
    """Return the verdict on a picture that was found in its line and turned out to be damaged."""
    return failed("broken-picture", reason)


def failed(reason: Reason, said: str = "") -> Verdict:
    """Return the verdict of a failure, with the advice that belongs to its reason."""
    return Verdict("failed", reason=reason, passing=reason in PASSING, said=_bounded(said), advice=ADVICE[reason])


def _bounded(said: str) -> str:
    said = said.strip()
    return said if len(said) <= MAX_SAID else said[: MAX_SAID - 1] + "…"


@frozen
class Joined:
    """Which lines answer which tasks: by key only, because the order of lines means nothing.

    ``lines`` holds the line that counts for each expected key that has one; ``missing`` the expected keys
    without a line, in their order; ``repeated`` how many lines came for keys that have several; ``unknown``
    the keys that were not requested; ``keyless`` the lines without a readable key.
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
