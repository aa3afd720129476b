"""OpenAI-shaped rows of a batch (``{"custom_id", "method", "url", "body"}``): read as requests, answered in kind.

The answers' usage is in camelCase (sinas-platform/sinas pull request 129; litellm's reader of such files).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from chargen.emulator.errors import STATUS_NAMES, invalid

_DATA_URL = re.compile(r"data:([\w/+.-]+);base64,(.*)", re.DOTALL)
_SETTINGS = {
    "temperature": "temperature",
    "top_p": "topP",
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "n": "candidateCount",
    "seed": "seed",
}
_HTTP_CODES = {1: 499, 3: 400, 4: 504, 5: 404, 7: 403, 8: 429, 13: 500, 14: 503}


def request(body: Any) -> dict[str, Any]:
    """The GenerateContentRequest that a chat completion's *body* asks for. Raises ApiError 400."""
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages:
        raise invalid("Invalid request: messages are required.")
    contents, system = [], []
    for message in messages:
        parts = list(_parts(message.get("content")))
        if message.get("role") in ("system", "developer"):
            system += parts
        else:
            contents.append({"role": "model" if message.get("role") == "assistant" else "user", "parts": parts})
    generation = {ours: body[theirs] for theirs, ours in _SETTINGS.items() if body.get(theirs) is not None}
    form = body.get("response_format") or {}
    if form.get("type") in ("json_object", "json_schema"):
        generation["responseMimeType"] = "application/json"
    if schema := (form.get("json_schema") or {}).get("schema"):
        generation["responseJsonSchema"] = schema
    made: dict[str, Any] = {"contents": contents, "generationConfig": generation}
    return made | {"systemInstruction": {"parts": system}} if system else made


def response(reply: Mapping[str, Any], created_s: int) -> dict[str, Any]:
    """A GenerateContentResponse as the ``response`` of a row: status and chat completion."""
    choices = []
    for number, candidate in enumerate(reply.get("candidates") or ()):
        parts = (candidate.get("content") or {}).get("parts") or ()
        text = "".join(part.get("text", "") for part in parts)
        reason = str(candidate.get("finishReason", "STOP"))
        message = {"role": "assistant", "content": text}
        choices.append({"finish_reason": "stop" if reason == "STOP" else reason, "index": number, "message": message})
    usage = reply.get("usageMetadata") or {}
    return {
        "status_code": 200,
        "body": {
            "id": reply.get("responseId", ""),
            "object": "chat.completion",
            "created": created_s,
            "model": reply.get("modelVersion", ""),
            "choices": choices,
            "usage": {
                "promptTokens": usage.get("promptTokenCount", 0),
                "completionTokens": usage.get("candidatesTokenCount", 0),
                "totalTokens": usage.get("totalTokenCount", 0),
            },
        },
    }


def failure(error: Mapping[str, Any]) -> dict[str, Any]:
    """A line's error (a google.rpc code and a message) as the ``response`` of a row."""
    status = _HTTP_CODES.get(int(error.get("code") or 2), 500) if str(error.get("code", "2")).isdigit() else 500
    body = {"code": status, "message": str(error.get("message", "")), "status": STATUS_NAMES.get(status, "UNKNOWN")}
    return {"status_code": status, "body": {"error": body}}


def _parts(content: Any) -> Iterator[dict[str, Any]]:
    items: list[dict[str, Any]] = content if isinstance(content, list) else [{"type": "text", "text": content or ""}]
    for item in items:
        url = str((item.get("image_url") or {}).get("url", ""))
        if found := _DATA_URL.fullmatch(url):
            yield {"inlineData": {"mimeType": found[1], "data": found[2]}}
        elif url:
            yield {"fileData": {"mimeType": "image/*", "fileUri": url}}
        else:
            yield {"text": str(item.get("text", ""))}
