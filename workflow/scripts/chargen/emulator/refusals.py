"""Replies without a picture, by name: the shapes in which the models refuse."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

_SHOW = "Unable to show the generated image. "
_POLICY = (
    _SHOW + "The image was filtered out because it violated Google's Generative AI Prohibited Use policy. "
    "You will not be charged for blocked images. Try rephrasing the prompt"
)
_OTHER = (
    _SHOW + "The model could not generate the image based on the prompt provided. "
    "You will not be charged for this request. Try rephrasing the prompt."
)


def _candidate(reason: str, message: str = "", content: Any = "absent") -> dict[str, Any]:
    candidate: dict[str, Any] = {} if content == "absent" else {"content": content}
    candidate |= {"finishReason": reason, "index": 0}
    if message:
        candidate["finishMessage"] = message
    return {"candidates": [candidate]}


_TEXT_ONLY = {
    "role": "model",
    "parts": [{"text": "I cannot fulfill this request. Please ask for another picture."}],
}
REFUSALS: Mapping[str, Mapping[str, Any]] = {
    "NO_IMAGE": _candidate("NO_IMAGE", content={}),
    "NO_IMAGE_no_content": _candidate("NO_IMAGE"),
    "IMAGE_SAFETY": _candidate("IMAGE_SAFETY", _POLICY, {}),
    "IMAGE_SAFETY_parts_null": _candidate("IMAGE_SAFETY", _SHOW + "...", {"parts": None}),
    "IMAGE_OTHER": _candidate("IMAGE_OTHER", _OTHER, {}),
    "IMAGE_PROHIBITED_CONTENT": _candidate(
        "IMAGE_PROHIBITED_CONTENT",
        "Unable to show the generated image due to interests of third-party content providers. "
        "Please edit your prompt and try again.",
        {"role": "model"},
    ),
    "IMAGE_RECITATION": _candidate("IMAGE_RECITATION", content={}),
    "PROHIBITED_CONTENT": _candidate("PROHIBITED_CONTENT"),
    "SAFETY": _candidate("SAFETY"),
    "RECITATION": _candidate("RECITATION"),
    "MALFORMED_RESPONSE": _candidate("MALFORMED_RESPONSE", content={"role": "model"}),
    "MODEL_ARMOR": _candidate("MODEL_ARMOR", "Blocked by Model Armor: prompt injection.", {"role": "model"}),
    "ESCALATION": _candidate("ESCALATION"),
    "MISSING_THOUGHT_SIGNATURE": _candidate("MISSING_THOUGHT_SIGNATURE"),
    "CONTINUATION": _candidate("CONTINUATION", content={"role": "model"}),
    "PUP_LIMITED_DISABLED": _candidate("PUP_LIMITED_DISABLED"),
    "STOP_text": _candidate("STOP", content=_TEXT_ONLY),
    "STOP_empty": _candidate("STOP", content={"role": "model", "parts": []}),
    "BLOCKED": {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}},
    "BLOCKED_IMAGE_SAFETY": {"promptFeedback": {"blockReason": "IMAGE_SAFETY"}},
    "JAILBREAK": {"promptFeedback": {"blockReason": "JAILBREAK"}},
    "EMPTY": {},
}


def refusal(name: str, prompt_tokens: int) -> dict[str, Any]:
    """The body of the refusal *name*, with the usage that such replies carry."""
    body = copy.deepcopy(dict(REFUSALS[name]))
    body["usageMetadata"] = {
        "promptTokenCount": prompt_tokens,
        "totalTokenCount": prompt_tokens,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt_tokens}],
    }
    return body
