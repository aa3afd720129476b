"""The fields of the messages that requests are made of, and which fields of a request do not exist."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

Path = tuple[str | int, ...]
_MANY = "[]"  # ends the name of a message in a field that is a list
OPAQUE = frozenset(
    [
        "responseSchema",
        "responseJsonSchema",
        "_responseJsonSchema",
        "parameters",
        "parametersJsonSchema",
        "args",
        "response",
        "labels",
        "metadata",
        "userMetadata",
    ]
)
"""Fields with free-form contents: names inside are the caller's."""


def _plain(names: str, **messages: str) -> dict[str, str]:
    return {**dict.fromkeys(names.split(), ""), **messages}


# Image options where they do not belong are ignored without an error.
_MISPLACED = "aspectRatio imageSize imageConfig"
MESSAGES: Mapping[str, Mapping[str, str]] = {
    "GenerateContentRequest": _plain(
        f"tools toolConfig cachedContent model labels serviceTier store {_MISPLACED}",
        contents="Content[]",
        systemInstruction="Content",
        safetySettings="SafetySetting[]",
        generationConfig="GenerationConfig",
    ),
    "Content": _plain("role", parts="Part[]"),
    "Part": _plain(
        "text functionCall functionResponse executableCode codeExecutionResult toolCall toolResponse thought "
        "thoughtSignature videoMetadata partMetadata mediaResolution mediaProcessing",
        inlineData="Blob",
        fileData="FileData",
    ),
    "Blob": _plain("mimeType data displayName"),
    "FileData": _plain("mimeType fileUri displayName"),
    "SafetySetting": _plain("category threshold"),
    "GenerationConfig": _plain(
        "candidateCount stopSequences maxOutputTokens temperature topP topK seed responseMimeType responseSchema "
        "responseJsonSchema _responseJsonSchema responseFormat presencePenalty frequencyPenalty responseLogprobs "
        "logprobs enableEnhancedCivicAnswers responseModalities speechConfig mediaResolution audioTimestamp "
        f"routingConfig enableAffectiveDialog {_MISPLACED}",
        thinkingConfig="ThinkingConfig",
        imageConfig="ImageConfig",
    ),
    "ThinkingConfig": _plain("includeThoughts thinkingBudget thinkingLevel"),
    "ImageConfig": _plain("aspectRatio imageSize"),
    "CountTokensRequest": _plain("model", contents="Content[]", generateContentRequest="GenerateContentRequest"),
    "EmbedContentRequest": _plain("model taskType title outputDimensionality", content="Content"),
    "BatchRequest": _plain("model", batch="Batch"),
    "Batch": _plain(
        "name model displayName output createTime endTime updateTime batchStats state priority outputConfig "
        "webhookConfig",
        inputConfig="InputConfig",
    ),
    "InputConfig": _plain("fileName requests"),
    "InlinedGenerateContentRequest": _plain("metadata", request="GenerateContentRequest"),
    "InlinedEmbedContentRequest": _plain("metadata", request="EmbedContentRequest"),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A field ``name`` that the message at ``path`` lacks; with ``found``, a value of the wrong kind at ``path``.

    ``path`` has the names as they were written; ``found`` is the first character of the value.
    """

    path: Path
    name: str = ""
    found: str = ""

    @property
    def place(self) -> str:
        """The path as the API writes it, like ``contents[0].parts[1].inline_data``."""
        text = ""
        for step in self.path:
            if isinstance(step, int):
                text += f"[{step}]"
            else:
                text += f".{snake_name(step)}" if text else snake_name(step)
        return text


def problems(
    value: Any, message: str, *, path: Path = (), snake_only: bool = False, refused: Collection[str] = ()
) -> Iterator[Problem]:
    """What does not fit in *value*, a *message*; with *snake_only* camelCase is unknown, and *refused* names always."""
    if not isinstance(value, dict):
        yield Problem(path, found=_first_character(value))
        return
    known = MESSAGES[message]
    for name, item in value.items():
        spelled = camel_name(name)
        here = (*path, name)
        if spelled not in known or name in refused or (snake_only and name != snake_name(spelled)):
            yield Problem(path, name)
            continue
        inner = known[spelled]
        if not inner or item is None:
            continue
        many = inner.endswith(_MANY)
        inner = inner.removesuffix(_MANY)
        if many and isinstance(item, list):
            for number, one in enumerate(item):
                yield from problems(one, inner, path=(*here, number), snake_only=snake_only, refused=refused)
        else:  # one message is taken for a list of one
            yield from problems(item, inner, path=here, snake_only=snake_only, refused=refused)


def camel(value: Any) -> Any:
    """*value* with snake_case member names in camelCase; schemas and other free-form members stay as they
    are.
    """
    if isinstance(value, list):
        return [camel(item) for item in value]
    if not isinstance(value, dict):
        return value
    result = {}
    for name, item in value.items():
        name = camel_name(name)
        result[name] = item if name in OPAQUE else camel(item)
    return result


@lru_cache(maxsize=4096)
def camel_name(name: str) -> str:
    """*name* in camelCase; underscores in front stay."""
    head, *rest = name.lstrip("_").split("_")
    spelled = head + "".join(part[:1].upper() + part[1:] for part in rest)
    return "_" * (len(name) - len(name.lstrip("_"))) + spelled


@lru_cache(maxsize=4096)
def snake_name(name: str) -> str:
    """*name* in snake_case; underscores in front stay."""
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda found: "_" + found[1].lower(), name)


def _first_character(value: Any) -> str:
    if isinstance(value, list):
        return "["
    if isinstance(value, str):
        return '"'
    return str(value)[:1].lower()
