"""Embeddings: a vector drawn from the text, the same for the same text, of unit length."""

from __future__ import annotations

import math
import random
from typing import Any

from chargen.emulator import fields
from chargen.emulator.errors import invalid

DIMENSIONS = 3072


def tokens(raw: Any) -> int:
    """Tokens of one EmbedContentRequest, roughly a quarter of the characters."""
    return max(1, (len(_text(raw)) + 3) // 4)


def embedding(raw: Any) -> dict[str, Any]:
    """The ContentEmbedding of one EmbedContentRequest. Raises ApiError 400 without content."""
    text = _text(raw)
    size = fields.camel(raw).get("outputDimensionality") or DIMENSIONS
    if not isinstance(size, int) or not 1 <= size <= DIMENSIONS:
        raise invalid(f"* EmbedContentRequest.output_dimensionality: must be from 1 to {DIMENSIONS}, not {size}.\n")
    dice = random.Random(text)
    values = [dice.gauss(0, 1) for _ in range(size)]
    length = math.sqrt(sum(value * value for value in values))
    return {"values": [round(value / length, 9) for value in values]}


def _text(raw: Any) -> str:
    content = fields.camel(raw).get("content") if isinstance(raw, dict) else None
    if not isinstance(content, dict) or not content.get("parts"):
        raise invalid("* EmbedContentRequest.content: content is not specified\n")
    parts = content["parts"]
    return "\n".join(str(part.get("text") or part) for part in ([parts] if isinstance(parts, dict) else parts))
